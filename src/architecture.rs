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

/// A drill plays with a sandbox, which has no way to start a program, send a request or read a key. That holds as long
/// as the drill's own room does not fetch such things past it.
#[test]
fn a_drill_names_nothing_that_reaches_the_outside() {
    const OUTSIDE: &[&str] =
        &["Real", "wire::program", "wire::hook", "wire::notify", "process::Command", "reqwest", "env::var"];
    let mut found = Vec::new();
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ops/drill"), &mut found);
    assert!(!found.is_empty(), "the room has moved");
    let mut named = Vec::new();
    for path in found.into_iter().filter(|path| !path.ends_with("tests.rs")) {
        for (number, line) in std::fs::read_to_string(&path).unwrap().lines().enumerate() {
            let code = line.split("//").next().unwrap_or("");
            let is_word = |name: &str| {
                code.match_indices(name).any(|(at, _)| {
                    let after = code[at + name.len()..].chars().next();
                    after.is_none_or(|c| !c.is_alphanumeric() && c != '_')
                })
            };
            named.extend(
                OUTSIDE
                    .iter()
                    .filter(|name| is_word(name))
                    .map(|name| format!("{}:{}: {name}", path.display(), number + 1)),
            );
        }
    }
    assert!(named.is_empty(), "a drill reaches past its sandbox:\n{}", named.join("\n"));
}
