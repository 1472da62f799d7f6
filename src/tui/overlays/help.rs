//! The help: every key that works here, made of the key table.

use super::Page;
use crate::command::table::Row;
use crate::command::{Keymap, Place, keys_text, rows_in};
use crate::text::{Line, Role, wrap_line};
use crate::tui::words::{line, span};

/// Columns of a page, and of the keys at its left.
const COLUMNS: usize = 74;
const KEYS: usize = 16;

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
            let first = [span(Role::Key, format!("{:>KEYS$}", keys.join("  "))), span(Role::Plain, "  ")];
            let rest = [span(Role::Plain, " ".repeat(KEYS + 2))];
            lines.extend(wrap_line(&line(Role::Plain, row.does), COLUMNS, &first, &rest));
        }
    }
    Page::new(line(Role::Title, "Keys"), lines)
}
