//! What a step of an incident would do, line by line, and what it takes to let it.

use ratatui::layout::Rect;

use super::{Layer, Outcome, Reply, Tag, centred, typed};
use crate::command::table::overlays;
use crate::command::{Id, Key, Place};
use crate::text::{Clean, Line, Role, clean_line, width, wrap_line};
use crate::tui::canvas::{Canvas, Pane};
use crate::tui::screen::{Cx, Env};
use crate::tui::widgets::input::Input;
use crate::tui::widgets::scroll::Scroll;
use crate::tui::words::{line, words};

const TEXT: Pane = Pane("dry run");
const COLS: u16 = 76;

/// What a person does to let it.
#[derive(Debug, Clone, PartialEq)]
pub enum Let {
    /// Nothing: it is only to be read.
    Read,
    /// Presses a key; this is what it does.
    Key(&'static str),
    /// Types this word.
    Word(Clean),
    /// Types something that is not empty, after this label.
    Words(Clean),
}

/// A dry run.
#[derive(Debug, Clone)]
pub struct RunStep {
    tag: Tag,
    title: Line,
    lines: Vec<Line>,
    how: Let,
    input: Input,
    scroll: Scroll,
    /// What was typed is not the word.
    wrong: bool,
}

impl RunStep {
    /// Shows these lines, which are wrapped here.
    pub fn new(tag: Tag, title: impl Into<Line>, lines: &[Line], how: Let) -> Self {
        let cols = usize::from(COLS - 4);
        Self {
            tag,
            title: title.into(),
            lines: lines.iter().flat_map(|line| wrap_line(line, cols, &[], &[])).collect(),
            how,
            input: Input::new(""),
            scroll: Scroll::default(),
            wrong: false,
        }
    }

    fn types(&self) -> bool {
        matches!(self.how, Let::Word(_) | Let::Words(_))
    }

    fn accept(&mut self) -> Outcome {
        let text = self.input.text().trim().to_owned();
        match &self.how {
            Let::Key(_) => Outcome::Answer(Reply::Yes),
            Let::Read => Outcome::Answer(Reply::Cancelled),
            Let::Word(word) if text == word.as_str() => Outcome::Answer(Reply::Text(text)),
            Let::Words(_) if !text.is_empty() => Outcome::Answer(Reply::Text(text)),
            Let::Word(_) | Let::Words(_) => {
                self.wrong = true;
                Outcome::Stay
            }
        }
    }
}

impl Layer for RunStep {
    fn place(&self) -> Place {
        if self.types() { Place::Prompt } else { Place::Confirm }
    }

    fn view(&self, env: &Env, canvas: &mut Canvas<'_>, area: Rect) {
        let height = u16::try_from(self.lines.len()).unwrap_or(u16::MAX).saturating_add(4);
        let inside = canvas.frame(centred(area, COLS + 2, height), &self.title);
        let inside = Rect { x: inside.x + 1, width: inside.width.saturating_sub(2), ..inside };
        let text = Rect { height: inside.height.saturating_sub(2), ..inside };
        self.scroll.view(canvas, text, TEXT, &self.lines);
        let foot = Rect { y: inside.bottom().saturating_sub(1), height: 1, ..inside };
        let label = match &self.how {
            Let::Read => words().key(env.key(overlays::CLOSE)).plain(" back").done(),
            Let::Key(does) => words()
                .key(env.key(overlays::YES))
                .plain(format!(" {does}"))
                .plain("   ")
                .key(env.key(overlays::NO))
                .plain(" no")
                .done(),
            Let::Word(word) => {
                let role = if self.wrong { Role::Fail } else { Role::Title };
                line(role, format!("type {} to do it:", word.as_str()))
            }
            Let::Words(label) => Line::of(label.clone(), if self.wrong { Role::Fail } else { Role::Title }),
        };
        canvas.line(foot, &label);
        if self.types() {
            let from = u16::try_from(width(&label.text())).unwrap_or(0) + 1;
            let field =
                Rect { x: foot.x + from.min(foot.width), width: foot.width.saturating_sub(from), ..foot };
            self.input.view(canvas, field, true);
        }
    }

    fn command(&mut self, id: Id, cx: &mut Cx<'_>) -> Outcome {
        match id {
            overlays::YES | overlays::ACCEPT => self.accept(),
            overlays::NO | overlays::CLOSE => Outcome::Answer(Reply::Cancelled),
            // While a word is typed, keys edit it.
            _ if !self.types() && self.scroll.command(id, self.lines.len(), cx.env.page(TEXT)) => {
                Outcome::Stay
            }
            _ => Outcome::Unhandled,
        }
    }

    fn key(&mut self, key: Key, _cx: &mut Cx<'_>) -> Outcome {
        if !self.types() {
            return Outcome::Unhandled;
        }
        self.wrong = false;
        typed(self.input.key(key))
    }

    fn paste(&mut self, text: &str) {
        if self.types() {
            self.input.insert(clean_line(text).as_str());
        }
    }

    fn would_lose(&self) -> bool {
        !self.input.text().is_empty()
    }

    fn wheel(&mut self, rows: i32, env: &Env) {
        self.scroll.by(i64::from(rows), self.lines.len(), env.page(TEXT));
    }

    fn tag(&self) -> Tag {
        self.tag
    }
}
