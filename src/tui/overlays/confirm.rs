//! A yes-or-no question that names what is at stake.

use ratatui::layout::Rect;

use super::{Layer, Outcome, Reply, Tag, centred};
use crate::command::table::overlays;
use crate::command::{Id, Place};
use crate::text::{Clean, Line, Role, clean_str, wrap};
use crate::tui::canvas::Canvas;
use crate::tui::screen::{Cx, Env};
use crate::tui::words::words;

/// A question to be answered by yes or no.
#[derive(Debug, Clone)]
pub struct Confirm {
    tag: Tag,
    question: Clean,
    yes: &'static str,
}

impl Confirm {
    /// Asks; `yes` is the word for doing it, such as `throw it away`.
    pub fn new(tag: Tag, question: &str, yes: &'static str) -> Self {
        Self { tag, question: clean_str(question), yes }
    }
}

impl Layer for Confirm {
    fn place(&self) -> Place {
        Place::Confirm
    }

    fn view(&self, env: &Env, canvas: &mut Canvas<'_>, area: Rect) {
        let width = area.width.saturating_sub(4).min(60);
        let question = wrap(&self.question, usize::from(width.saturating_sub(4)));
        let height = u16::try_from(question.len()).unwrap_or(1) + 4;
        let inside = canvas.frame(centred(area, width, height), &Line::default());
        let mut lines: Vec<Line> = question.into_iter().map(|text| Line::of(text, Role::Plain)).collect();
        lines.push(Line::default());
        lines.push(
            words()
                .key(env.key(overlays::YES))
                .plain(format!(" {}", self.yes))
                .plain("   ")
                .key(env.key(overlays::NO))
                .plain(" no")
                .done(),
        );
        let inside = Rect { x: inside.x + 1, width: inside.width.saturating_sub(2), ..inside };
        canvas.lines(inside, &lines);
    }

    fn command(&mut self, id: Id, _cx: &mut Cx<'_>) -> Outcome {
        match id {
            overlays::YES => Outcome::Answer(Reply::Yes),
            overlays::NO | overlays::CLOSE => Outcome::Answer(Reply::Cancelled),
            _ => Outcome::Unhandled,
        }
    }

    fn tag(&self) -> Tag {
        self.tag
    }
}
