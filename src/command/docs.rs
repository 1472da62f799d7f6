//! The table as documentation: `tuesday keys`, its JSON and its Markdown.

use std::fmt::Write as _;

use serde::Serialize;

use super::table::{self, Row};
use super::{Keymap, Place, keys_text};

/// All keys, as `tuesday keys --json` prints them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KeysView {
    /// The commands in the order of the help.
    pub commands: Vec<CommandView>,
}

/// One command with its present keys.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CommandView {
    /// The name to use under `[keys]` in `tuesday.toml`.
    pub id: &'static str,
    pub title: &'static str,
    pub does: &'static str,
    pub places: &'static [Place],
    /// Missing when it always works there.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub when: &'static str,
    pub keys: Vec<String>,
}

/// Every command with the keys it has in this map.
pub fn keys_view(map: &Keymap) -> KeysView {
    let commands = table::all()
        .map(|row| CommandView {
            id: row.id.0,
            title: row.title,
            does: row.does,
            places: row.places,
            when: row.when.0,
            keys: map.keys_of(row.id).map(keys_text).collect(),
        })
        .collect();
    KeysView { commands }
}

/// The rows of a place in the order of the help. A row with several places stands in each.
pub fn rows_in(place: Place) -> impl Iterator<Item = &'static Row> {
    table::all().filter(move |row| row.places.contains(&place))
}

/// The table in Markdown, a section a place.
pub fn markdown(map: &Keymap) -> String {
    let mut out = String::new();
    for place in Place::ALL {
        let mut rows = rows_in(*place).peekable();
        if rows.peek().is_none() {
            continue;
        }
        let _ = write!(out, "### {}\n\n| keys | command | what it does |\n|---|---|---|\n", place.title());
        for row in rows {
            let keys: Vec<_> = map.keys_of(row.id).map(|keys| format!("`{}`", keys_text(keys))).collect();
            let when = if row.when.0.is_empty() { String::new() } else { format!(" (when {})", row.when.0) };
            let _ = writeln!(
                out,
                "| {} | `{}` | {}{when} |",
                keys.join(" ").replace('|', "\\|"),
                row.id.0,
                row.does.replace('|', "\\|")
            );
        }
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_documented() {
        let text = markdown(&Keymap::default());
        for row in table::all() {
            assert!(text.contains(&format!("| `{}` |", row.id.0)), "{:?}", row.id);
        }
        assert_eq!(keys_view(&Keymap::default()).commands.len(), table::all().count());
    }
}
