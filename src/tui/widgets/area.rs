//! Text of several lines in a form: typed, pasted, wrapped, with a cursor while it is in focus.

use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use tui_textarea::{CursorMove, Input, Key as AreaKey, TextArea, WrapMode};

use crate::command::{Code, Key};
use crate::text::{clean_str, wrap};
use crate::tui::canvas::Canvas;

/// Text of several lines.
#[derive(Debug, Clone)]
pub struct Area {
    area: TextArea<'static>,
    at_first: String,
}

impl Area {
    /// Starts with this text, made clean, the cursor at its end.
    pub fn new(text: &str) -> Self {
        let text = clean_str(text).into_string();
        Self { area: text_area(&text), at_first: text }
    }

    /// The text.
    pub fn text(&self) -> String {
        self.area.lines().join("\n")
    }

    /// Whether it says something else than at first.
    pub fn changed(&self) -> bool {
        self.text() != self.at_first
    }

    /// How many rows it takes in this many columns, at least 1.
    pub fn height(&self, columns: u16) -> u16 {
        let columns = usize::from(columns.max(2));
        let rows = |line: &String| wrap(&clean_str(line), columns).len().max(1);
        u16::try_from(self.area.lines().iter().map(rows).sum::<usize>()).unwrap_or(u16::MAX)
    }

    /// Replaces the text, as when the person's own editor gives it back.
    pub fn replace(&mut self, text: &str) {
        self.area = text_area(clean_str(text).as_str().trim_end_matches('\n'));
    }

    /// Puts text in at the cursor, made clean.
    pub fn insert(&mut self, text: &str) {
        self.area.insert_str(clean_str(&text.replace("\r\n", "\n").replace('\r', "\n")).as_str());
    }

    /// Takes a key: types, moves, deletes. False when the key means nothing here.
    pub fn key(&mut self, key: Key) -> bool {
        if let Some(c) = key.typed() {
            self.insert(c.encode_utf8(&mut [0; 4]));
            return true;
        }
        if key.ctrl && key.code == Code::Char('u') {
            // As in a field of one line; the widget's own meaning would be undo.
            self.area.delete_line_by_head();
            return true;
        }
        let code = match key.code {
            Code::Char(c) => AreaKey::Char(c),
            Code::Backspace => AreaKey::Backspace,
            Code::Delete => AreaKey::Delete,
            Code::Up => AreaKey::Up,
            Code::Down => AreaKey::Down,
            Code::Left => AreaKey::Left,
            Code::Right => AreaKey::Right,
            Code::Home => AreaKey::Home,
            Code::End => AreaKey::End,
            Code::PageUp => AreaKey::PageUp,
            Code::PageDown => AreaKey::PageDown,
            Code::Enter | Code::Tab | Code::Esc | Code::Insert | Code::F(_) => return false,
        };
        self.area.input(Input { key: code, ctrl: key.ctrl, alt: key.alt, shift: key.shift });
        true
    }

    /// Draws it; the cursor shows while it is in focus.
    pub fn view(&self, canvas: &mut Canvas<'_>, area: Rect, focus: bool) {
        if area.width == 0 || area.height == 0 {
            return;
        }
        if focus {
            canvas.widget(area, &self.area);
            return;
        }
        // Out of focus one reads it from the beginning.
        let mut shown = text_area(&self.text());
        shown.set_cursor_style(Style::default());
        shown.move_cursor(CursorMove::Top);
        shown.move_cursor(CursorMove::Head);
        canvas.widget(area, &shown);
    }
}

/// A text with the cursor at its end, wrapped to the width it is drawn in.
pub fn text_area(text: &str) -> TextArea<'static> {
    let mut area = TextArea::new(text.split('\n').map(str::to_owned).collect());
    area.set_wrap_mode(WrapMode::WordOrGlyph);
    area.set_cursor_line_style(Style::default());
    area.set_cursor_style(Style::default().add_modifier(Modifier::REVERSED));
    area.move_cursor(CursorMove::Bottom);
    area.move_cursor(CursorMove::End);
    area
}
