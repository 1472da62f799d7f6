//! A page to read: the help, an error with its cause, a note.

use ratatui::layout::Rect;

use super::{Layer, Outcome, Reply, centred};
use crate::command::table::overlays;
use crate::command::{Id, Place};
use crate::domain::Error;
use crate::text::{Line, Role, wrap_line};
use crate::tui::canvas::{Canvas, Pane};
use crate::tui::screen::{Cx, Env};
use crate::tui::widgets::scroll::Scroll;
use crate::tui::words::{line, span, words};

const TEXT: Pane = Pane("page");

/// Lines to read.
#[derive(Debug, Clone)]
pub struct Page {
    title: Line,
    lines: Vec<Line>,
    scroll: Scroll,
}

impl Page {
    /// A page of these lines, of at most 74 columns each.
    pub fn new(title: impl Into<Line>, lines: Vec<Line>) -> Self {
        Self { title: title.into(), lines, scroll: Scroll::default() }
    }

    /// What went wrong, why, and the ways out.
    pub fn error(error: &Error) -> Self {
        // A mistake in a query comes with the query and a caret under the place.
        let what = error.what.lines().map(|text| line(Role::Plain, text));
        let mut lines: Vec<Line> = what.flat_map(|text| wrap_line(&text, 70, &[], &[])).collect();
        let mut cause = error.why.as_deref().map(|e| e as &dyn std::error::Error);
        while let Some(why) = cause {
            let because = [span(Role::Muted, "because ")];
            let indent = [span(Role::Muted, "        ")];
            lines.extend(wrap_line(&line(Role::Plain, why.to_string()), 70, &because, &indent));
            cause = why.source();
        }
        if !error.hints.is_empty() {
            lines.push(Line::default());
        }
        for hint in &error.hints {
            let arrow = [span(Role::Key, "→ ")];
            lines.extend(wrap_line(&line(Role::Plain, hint), 70, &arrow, &[span(Role::Plain, "  ")]));
        }
        Self::new(words().put(Role::Fail, "✗ That did not work"), lines)
    }
}

impl Layer for Page {
    fn place(&self) -> Place {
        Place::Page
    }

    fn view(&self, _env: &Env, canvas: &mut Canvas<'_>, area: Rect) {
        let height = u16::try_from(self.lines.len()).unwrap_or(u16::MAX).saturating_add(2);
        let inside = canvas.frame(centred(area, 78, height), &self.title);
        let inside = Rect { x: inside.x + 1, width: inside.width.saturating_sub(2), ..inside };
        self.scroll.view(canvas, inside, TEXT, &self.lines);
    }

    fn command(&mut self, id: Id, cx: &mut Cx<'_>) -> Outcome {
        match id {
            overlays::CLOSE | overlays::CLOSE_PAGE => Outcome::Answer(Reply::Cancelled),
            _ if self.scroll.command(id, self.lines.len(), cx.env.page(TEXT)) => Outcome::Stay,
            _ => Outcome::Unhandled,
        }
    }

    fn wheel(&mut self, rows: i32, env: &Env) {
        self.scroll.by(i64::from(rows), self.lines.len(), env.page(TEXT));
    }
}
