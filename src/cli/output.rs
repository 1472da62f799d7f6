//! The only place that prints. Whatever came from outside is cleaned here.

use std::io::{IsTerminal, Write};

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

use crate::domain::monitor::Notice;
use crate::domain::{Error, Result};
use crate::text::{clean_line, clean_str, json_out, wrap};

/// A line on standard error. Nobody may be there to read it, as after a terminal was closed: then it is not said.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Prints an error with its cause and the ways out, on standard error.
pub(super) fn error(error: &Error) {
    say(&format!("tuesday: {}", clean_str(&error.what)));
    let mut cause = error.why.as_deref().map(|e| e as &dyn std::error::Error);
    while let Some(why) = cause {
        say(&format!("  because {}", clean_str(&why.to_string())));
        cause = why.source();
    }
    for hint in &error.hints {
        say(&format!("  → {}", clean_str(hint)));
    }
}

/// Prints one JSON document.
pub(super) fn json(value: &impl Serialize) -> Result<()> {
    let text = json_out::to_string_pretty(value)
        .map_err(|e| Error::failed("The answer cannot be written as JSON.").because(e))?;
    print(&text)
}

/// Prints one value as one line of JSON, for JSONL.
pub(super) fn json_line(value: &impl Serialize) -> Result<()> {
    let text = json_out::to_string(value)
        .map_err(|e| Error::failed("A line cannot be written as JSON.").because(e))?;
    print(&text)
}

/// Prints text for a person, cleaned, and ends the line.
pub(super) fn text(text: &str) -> Result<()> {
    print(clean_str(text).as_str())
}

/// Says something beside the answer on standard error, cleaned, so that standard output stays data.
pub(super) fn note(text: &str) {
    say(clean_str(text).as_ref());
}

/// Rings the terminal's bell and shows a notice where the terminal knows OSC 9, on standard error. Silent
/// where that is no terminal.
pub(super) fn ring(notice: &Notice) {
    let Some(first) = notice.alerts.first().filter(|_| std::io::stderr().is_terminal()) else { return };
    let more = match notice.alerts.len() {
        1 => String::new(),
        n => format!(" and {} more", n - 1),
    };
    let rule = clean_line(&first.rule);
    let _ = write!(std::io::stderr(), "\u{1b}]9;tuesday: {} {rule}{more}\u{7}\u{7}", first.what.name());
}

/// Prints rows under headings, every cell cleaned to one line. Nothing where there are no rows.
pub(super) fn table(headings: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> Result<()> {
    let text = table_text(headings, rows);
    if text.is_empty() { Ok(()) } else { print(&text) }
}

/// Rows under headings as text, every cell cleaned to one line. Empty where there are no rows.
pub(super) fn table_text(headings: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(headings);
    for row in rows {
        table.add_row(row.iter().map(|cell| clean_line(cell).into_string()));
    }
    if table.row_count() == 0 { String::new() } else { table.trim_fmt() }
}

/// The same, within the width of a line: a cell that is too long is broken.
pub(super) fn fitted_table(headings: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> Result<()> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    // Every column has a blank on both sides, and those on the outside are cut off again.
    table.set_width(u16::try_from(columns() + 2).unwrap_or(u16::MAX));
    table.set_header(headings);
    table.add_rows(
        rows.into_iter().map(|row| row.iter().map(|cell| clean_line(cell).into_string()).collect::<Vec<_>>()),
    );
    if table.row_count() == 0 {
        return Ok(());
    }
    let lines: Vec<String> =
        table.lines().map(|line| line.strip_prefix(' ').unwrap_or(&line).trim_end().to_owned()).collect();
    print(&lines.join("\n"))
}

/// Prints sentences for a person, cleaned and broken at the width of a line, each line this far from the left.
pub(super) fn prose(text: &str, indent: usize) -> Result<()> {
    for line in wrap(&clean_line(text), columns().saturating_sub(indent).max(20)) {
        print(&format!("{:indent$}{line}", ""))?;
    }
    Ok(())
}

/// Columns of a line: those of the terminal, and 80 where there is none.
pub(super) fn columns() -> usize {
    let size = if is_terminal() { crossterm::terminal::size().ok() } else { None };
    size.map(|(columns, _)| usize::from(columns)).filter(|columns| *columns >= 40).unwrap_or(80)
}

/// Text that takes the place of what was shown before. Where standard output is no terminal, it comes after it,
/// behind an empty line.
#[derive(Default)]
pub(super) struct InPlace {
    shown: bool,
}

impl InPlace {
    /// Shows text, cleaned; on a terminal as many lines as there is room for.
    pub(super) fn show(&mut self, text: &str) -> Result<()> {
        let text = clean_str(text);
        let again = std::mem::replace(&mut self.shown, true);
        if !is_terminal() {
            return print(&if again { format!("\n{text}") } else { text.into_string() });
        }
        let rows = crossterm::terminal::size().map_or(24, |(_, rows)| rows);
        let mut frame = String::from(if again { "\x1b[H" } else { "\x1b[H\x1b[2J" });
        for line in text.as_str().lines().take(usize::from(rows.saturating_sub(1))) {
            frame.push_str(line);
            // Clears what was longer there.
            frame.push_str("\x1b[K\r\n");
        }
        frame.push_str("\x1b[J");
        data(frame.as_bytes())
    }
}

/// Whether standard output is a terminal: data that would be written raw to a file is cleaned there.
pub(super) fn is_terminal() -> bool {
    std::io::stdout().is_terminal()
}

/// Writes data to standard output as it is.
pub(super) fn data(bytes: &[u8]) -> Result<()> {
    written(std::io::stdout().write_all(bytes))
}

fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    written(out.write_all(text.as_bytes()).and_then(|()| out.write_all(b"\n")))
}

/// A reader that has seen enough (`| head`) is no failure: there is nothing more to say to it.
fn written(result: std::io::Result<()>) -> Result<()> {
    match result.and_then(|()| std::io::stdout().flush()) {
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(0),
        other => other.map_err(|e| Error::failed("Standard output cannot be written.").because(e)),
    }
}
