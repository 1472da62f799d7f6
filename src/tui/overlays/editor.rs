//! The text editor: notes, corrected outputs. `ctrl-e` goes on in the person's own editor.

use ratatui::layout::Rect;
use tui_textarea::{Input, Key as EditorKey, TextArea};

use super::{Layer, Outcome, Reply, Tag, centred};
use crate::command::table::overlays;
use crate::command::{Code, Id, Key, Place};
use crate::text::{Line, clean_str};
use crate::tui::canvas::Canvas;
use crate::tui::effect::Effect;
use crate::tui::screen::{Cx, Env, Wish};
use crate::tui::widgets::area::text_area;
use crate::tui::words::words;

/// A text being edited.
#[derive(Debug, Clone)]
pub struct Editor {
    tag: Tag,
    title: Line,
    area: TextArea<'static>,
    at_first: String,
    suffix: &'static str,
}

impl Editor {
    /// Opens on this text, the cursor at its end. `suffix` tells the person's own editor what it is
    /// (`.md`, `.json`).
    pub fn new(tag: Tag, title: impl Into<Line>, text: &str, suffix: &'static str) -> Self {
        let text = clean_str(text).into_string();
        Self { tag, title: title.into(), area: text_area(&text), at_first: text, suffix }
    }

    /// Takes the text that the person's own editor has left.
    pub fn take(&mut self, text: &str) {
        let text = clean_str(text).into_string();
        self.area = text_area(text.trim_end_matches('\n'));
    }

    fn text(&self) -> String {
        self.area.lines().join("\n")
    }
}

impl Layer for Editor {
    fn place(&self) -> Place {
        Place::Editor
    }

    fn view(&self, env: &Env, canvas: &mut Canvas<'_>, area: Rect) {
        let height = (area.height * 3 / 4).max(6).min(area.height);
        let outside = centred(area, area.width.saturating_sub(4).min(100), height);
        let inside = canvas.frame(outside, &self.title);
        let inside = Rect { x: inside.x + 1, width: inside.width.saturating_sub(2), ..inside };
        canvas.widget(inside, &self.area);
        let keys = words()
            .plain(" ")
            .key(env.key(overlays::SAVE))
            .plain(" save  ")
            .key(env.key(overlays::CLOSE))
            .plain(" back ")
            .done();
        let foot = Rect { y: outside.bottom().saturating_sub(1), height: 1, ..outside };
        canvas.line_right(Rect { width: foot.width.saturating_sub(2), ..foot }, &keys);
    }

    fn command(&mut self, id: Id, cx: &mut Cx<'_>) -> Outcome {
        match id {
            overlays::SAVE => Outcome::Answer(Reply::Text(self.text())),
            overlays::CLOSE => Outcome::Answer(Reply::Cancelled),
            overlays::EXTERNAL => {
                cx.wish(Wish::Effect(Effect::EditExternally { text: self.text(), suffix: self.suffix }));
                Outcome::Stay
            }
            _ => Outcome::Unhandled,
        }
    }

    fn key(&mut self, key: Key, _cx: &mut Cx<'_>) -> Outcome {
        match key.typed() {
            // What is typed goes the way of what is pasted: through the one door.
            Some(c) => {
                self.area.insert_str(clean_str(c.encode_utf8(&mut [0; 4])).as_str());
            }
            None => {
                self.area.input(input_of(key));
            }
        }
        Outcome::Stay
    }

    fn paste(&mut self, text: &str) {
        self.area.insert_str(clean_str(&text.replace("\r\n", "\n").replace('\r', "\n")).as_str());
    }

    fn would_lose(&self) -> bool {
        self.text() != self.at_first
    }

    fn tag(&self) -> Tag {
        self.tag
    }
}

fn input_of(key: Key) -> Input {
    let code = match key.code {
        Code::Char(c) => EditorKey::Char(c),
        Code::Enter => EditorKey::Enter,
        Code::Tab => EditorKey::Tab,
        Code::Backspace => EditorKey::Backspace,
        Code::Delete => EditorKey::Delete,
        Code::Up => EditorKey::Up,
        Code::Down => EditorKey::Down,
        Code::Left => EditorKey::Left,
        Code::Right => EditorKey::Right,
        Code::Home => EditorKey::Home,
        Code::End => EditorKey::End,
        Code::PageUp => EditorKey::PageUp,
        Code::PageDown => EditorKey::PageDown,
        Code::Esc | Code::Insert | Code::F(_) => EditorKey::Null,
    };
    Input { key: code, ctrl: key.ctrl, alt: key.alt, shift: key.shift }
}
