//! Reads the imports of every room and fails on one that runs uphill.

use std::path::{Path, PathBuf};

/// What each room may use; the order is the order of the layers.
const MAY_USE: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("stats", &["domain"]),
    ("text", &["domain"]),
    ("task", &["domain"]),
    ("store", &["task", "text", "stats", "domain"]),
    ("wire", &["task", "text", "stats", "domain"]),
    ("ops", &["store", "wire", "task", "text", "stats", "domain"]),
    ("command", &["ops", "task", "text", "stats", "domain"]),
    ("config", &["command", "ops", "task", "text", "stats", "domain"]),
    ("cli", &["tui", "config", "command", "ops", "task", "text", "stats", "domain"]),
    ("tui", &["config", "command", "ops", "task", "text", "stats", "domain"]),
];

/// Crates that a room must not know.
const FORBIDDEN: &[(&str, &[&str])] = &[
    ("domain", &["rusqlite", "tokio", "clap", "ratatui", "crossterm"]),
    ("stats", &["rusqlite", "tokio", "clap", "ratatui", "crossterm"]),
    ("text", &["rusqlite", "tokio", "clap", "ratatui", "crossterm"]),
    ("task", &["rusqlite", "clap", "ratatui", "crossterm"]),
    ("store", &["tokio", "clap", "ratatui", "crossterm"]),
    ("wire", &["rusqlite", "clap", "ratatui", "crossterm"]),
    ("ops", &["rusqlite", "clap", "ratatui", "crossterm"]),
    ("command", &["rusqlite", "tokio", "clap", "ratatui"]),
    ("config", &["rusqlite", "tokio", "ratatui"]),
    ("cli", &["rusqlite", "ratatui"]),
    ("tui", &["rusqlite", "clap"]),
];

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn imports_run_one_way() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut uphill = Vec::new();
    for (room, may_use) in MAY_USE {
        let mut found = Vec::new();
        files(&src.join(room), &mut found);
        let forbidden = FORBIDDEN.iter().find(|(name, _)| name == room).map_or(&[][..], |(_, crates)| crates);
        for path in found {
            for (number, line) in std::fs::read_to_string(&path).unwrap().lines().enumerate() {
                let code = line.split("//").next().unwrap_or("");
                for (other, _) in MAY_USE {
                    if other != room && !may_use.contains(other) && code.contains(&format!("crate::{other}"))
                    {
                        uphill.push(format!("{}:{}: {room} uses {other}", path.display(), number + 1));
                    }
                }
                for name in forbidden {
                    if code.contains(&format!("{name}::")) {
                        uphill.push(format!("{}:{}: {room} knows {name}", path.display(), number + 1));
                    }
                }
            }
        }
    }
    assert!(uphill.is_empty(), "imports that run uphill:\n{}", uphill.join("\n"));
}
