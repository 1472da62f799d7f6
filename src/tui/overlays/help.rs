//! The help: every key that works here, made of the key table.

use super::Page;
use crate::command::table::Row;
use crate::command::{Keymap, Place, keys_text, rows_in};
use crate::text::{Line, Role};
use crate::tui::words::{line, words};

/// A page of the keys of these places.
pub fn help(keymap: &Keymap, places: &[Place]) -> Page {
    let mut lines = Vec::new();
    for place in places {
        let rows: Vec<&Row> = rows_in(*place).filter(|row| keymap.keys_of(row.id).next().is_some()).collect();
        if rows.is_empty() {
            continue;
        }
        if !lines.is_empty() {
            lines.push(Line::default());
        }
        lines.push(line(Role::Title, place.title()));
        for row in rows {
            let keys: Vec<_> = keymap.keys_of(row.id).map(keys_text).collect();
            lines.push(words().key(format!("{:>16}", keys.join("  "))).plain("  ").plain(row.does).done());
        }
    }
    Page::new(line(Role::Title, "Keys"), lines)
}
