//! A one-line question in the status line, such as the words to find.

use ratatui::layout::Rect;

use super::{Layer, Outcome, Reply, Tag, typed};
use crate::command::table::overlays;
use crate::command::{Id, Key, Place};
use crate::text::{Clean, Line, Role, clean_line, width};
use crate::tui::canvas::Canvas;
use crate::tui::screen::{Cx, Env};
use crate::tui::widgets::input::Input;

/// A question to be answered by one line of text.
#[derive(Debug, Clone)]
pub struct Prompt {
    tag: Tag,
    label: Clean,
    input: Input,
    at_first: String,
}

impl Prompt {
    /// Asks with this label (`find:`) and a first answer, often empty.
    pub fn new(tag: Tag, label: &str, text: &str) -> Self {
        let input = Input::new(text);
        let at_first = input.text().to_owned();
        Self { tag, label: clean_line(label), input, at_first }
    }
}

impl Layer for Prompt {
    fn place(&self) -> Place {
        Place::Prompt
    }

    fn view(&self, _env: &Env, canvas: &mut Canvas<'_>, area: Rect) {
        let row = Rect { y: area.bottom().saturating_sub(1), height: 1, ..area };
        canvas.line(Rect { x: row.x + 1, ..row }, &Line::of(self.label.clone(), Role::Title));
        let from = u16::try_from(width(self.label.as_str())).unwrap_or(0) + 2;
        let field = Rect { x: row.x + from.min(row.width), width: row.width.saturating_sub(from), ..row };
        self.input.view(canvas, field, true);
    }

    fn command(&mut self, id: Id, _cx: &mut Cx<'_>) -> Outcome {
        match id {
            overlays::ACCEPT => Outcome::Answer(Reply::Text(self.input.text().to_owned())),
            overlays::CLOSE => Outcome::Answer(Reply::Cancelled),
            _ => Outcome::Unhandled,
        }
    }

    fn key(&mut self, key: Key, _cx: &mut Cx<'_>) -> Outcome {
        typed(self.input.key(key))
    }

    fn paste(&mut self, text: &str) {
        self.input.insert(text);
    }

    fn would_lose(&self) -> bool {
        // One line that is quickly typed again is not worth a question, unless it is long.
        self.input.text() != self.at_first && self.input.text().len() > 40
    }

    fn tag(&self) -> Tag {
        self.tag
    }

    fn in_status_line(&self) -> bool {
        true
    }
}
