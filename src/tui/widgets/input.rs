//! One line of typed text.

use ratatui::layout::Rect;
use unicode_segmentation::UnicodeSegmentation;

use crate::command::{Code, Key};
use crate::text::{Role, clean_line, width};
use crate::tui::canvas::Canvas;
use crate::tui::words::span;

/// Typed text with a cursor.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Input {
    text: String,
    /// In bytes, on a grapheme's border.
    cursor: usize,
}

impl Input {
    /// Starts with this text, the cursor behind it.
    pub fn new(text: &str) -> Self {
        let mut input = Self::default();
        input.insert(text);
        input
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Puts text in at the cursor, made clean and one line.
    pub fn insert(&mut self, text: &str) {
        let clean = clean_line(text);
        self.text.insert_str(self.cursor, clean.as_str());
        self.cursor += clean.as_str().len();
    }

    /// Takes a key: types, moves, deletes. False when the key means nothing here.
    pub fn key(&mut self, key: Key) -> bool {
        if let Some(c) = key.typed() {
            self.insert(c.encode_utf8(&mut [0; 4]));
            return true;
        }
        match (key.code, key.ctrl, key.alt) {
            (Code::Backspace, false, false) | (Code::Char('h'), true, false) => {
                self.delete(self.before(), self.cursor)
            }
            (Code::Delete, ..) | (Code::Char('d'), true, false) => self.delete(self.cursor, self.after()),
            (Code::Left, false, false) | (Code::Char('b'), true, false) => self.cursor = self.before(),
            (Code::Right, false, false) | (Code::Char('f'), true, false) => self.cursor = self.after(),
            (Code::Home, ..) | (Code::Char('a'), true, false) => self.cursor = 0,
            (Code::End, ..) | (Code::Char('e'), true, false) => self.cursor = self.text.len(),
            (Code::Left, ..) | (Code::Char('b'), false, true) => self.cursor = self.word_before(),
            (Code::Right, ..) | (Code::Char('f'), false, true) => self.cursor = self.word_after(),
            (Code::Char('w'), true, false) | (Code::Backspace, ..) => {
                self.delete(self.word_before(), self.cursor)
            }
            (Code::Char('u'), true, false) => self.delete(0, self.cursor),
            (Code::Char('k'), true, false) => self.delete(self.cursor, self.text.len()),
            _ => return false,
        }
        true
    }

    fn delete(&mut self, from: usize, to: usize) {
        self.text.replace_range(from..to, "");
        self.cursor = from;
    }

    fn before(&self) -> usize {
        self.text[..self.cursor].grapheme_indices(true).next_back().map_or(0, |(at, _)| at)
    }

    fn after(&self) -> usize {
        self.text[self.cursor..].graphemes(true).next().map_or(self.cursor, |g| self.cursor + g.len())
    }

    fn word_before(&self) -> usize {
        let left = self.text[..self.cursor].trim_end();
        left.rfind(char::is_whitespace)
            .map_or(0, |at| at + left[at..].chars().next().map_or(1, char::len_utf8))
    }

    fn word_after(&self) -> usize {
        let right = &self.text[self.cursor..];
        let start = right.len() - right.trim_start().len();
        right[start..].find(char::is_whitespace).map_or(self.text.len(), |at| self.cursor + start + at)
    }

    /// Draws it into the first row of `area`, scrolled so that the cursor shows; puts the terminal's
    /// cursor there when it is the focus.
    pub fn view(&self, canvas: &mut Canvas<'_>, area: Rect, focus: bool) {
        if area.width == 0 || area.height == 0 {
            return;
        }
        let room = usize::from(area.width) - 1;
        let mut from = 0;
        for (at, _) in self.text[..self.cursor].grapheme_indices(true) {
            if width(&self.text[at..self.cursor]) <= room {
                from = at;
                break;
            }
            from = self.cursor;
        }
        canvas.line(area, &crate::text::Line::new(vec![span(Role::Plain, &self.text[from..])]));
        if focus {
            let x = width(&self.text[from..self.cursor]).min(room);
            canvas.cursor(area.x + u16::try_from(x).unwrap_or(0), area.y);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(input: &mut Input, keys: &str) {
        for key in crate::command::parse_keys(keys).unwrap() {
            input.key(key);
        }
    }

    #[test]
    fn edits_by_graphemes_and_words() {
        let mut input = Input::new("über e\u{301}clair");
        press(&mut input, "ctrl-a right delete");
        assert_eq!(input.text(), "üer e\u{301}clair");
        press(&mut input, "end ctrl-w");
        assert_eq!(input.text(), "üer ");
        press(&mut input, "x space y left backspace");
        assert_eq!(input.text(), "üer xy");
        press(&mut input, "ctrl-k ctrl-u");
        assert_eq!(input.text(), "");
    }

    #[test]
    fn pasted_text_is_clean_and_one_line() {
        let mut input = Input::default();
        input.insert("a\x1b[31m\nb\u{202e}c");
        assert!(!input.text().contains(['\x1b', '\n', '\u{202e}']));
        press(&mut input, "ctrl-u");
        assert_eq!(input.text(), "");
    }
}
