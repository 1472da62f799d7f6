//! A frame as text: what is where, then how it looks.

use std::fmt::Write as _;

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier};

/// The symbols of every row.
pub fn symbols(buffer: &Buffer) -> Vec<String> {
    let area = buffer.area;
    area.rows()
        .map(|row| {
            let mut text = String::new();
            let mut x = row.x;
            while x < row.right() {
                let symbol = buffer[(x, row.y)].symbol();
                text.push_str(symbol);
                x += u16::try_from(crate::text::width(symbol).max(1)).unwrap();
            }
            text.trim_end().to_owned()
        })
        .collect()
}

/// The frame: its symbols, then a letter a cell for its style, then what the letters mean.
pub fn print(buffer: &Buffer) -> String {
    let mut out = symbols(buffer).join("\n");
    out.push_str("\n\n");
    let mut styles: Vec<String> = Vec::new();
    for row in buffer.area.rows() {
        let mut letters = String::new();
        for x in row.x..row.right() {
            let cell = &buffer[(x, row.y)];
            let words = words(cell.fg, cell.bg, cell.modifier);
            if words.is_empty() {
                letters.push(' ');
                continue;
            }
            let at = styles.iter().position(|known| *known == words).unwrap_or_else(|| {
                styles.push(words);
                styles.len() - 1
            });
            letters.push(char::from(b'a' + u8::try_from(at).unwrap()));
        }
        if !letters.trim_end().is_empty() {
            let _ = writeln!(out, "{:>2} {}", row.y, letters.trim_end());
        }
    }
    for (at, style) in styles.iter().enumerate() {
        let _ = writeln!(out, "{} = {style}", char::from(b'a' + u8::try_from(at).unwrap()));
    }
    out
}

fn words(fg: Color, bg: Color, modifier: Modifier) -> String {
    let mut words = Vec::new();
    if fg != Color::Reset {
        words.push(fg.to_string());
    }
    if bg != Color::Reset {
        words.push(format!("on {bg}"));
    }
    if !modifier.is_empty() {
        words.push(format!("{modifier:?}"));
    }
    words.join(" ")
}
