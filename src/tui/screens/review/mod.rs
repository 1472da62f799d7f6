//! Review: the samples, and the queue of one of them.

mod work;

pub use work::{Answer, Request};

use ratatui::layout::Rect;

use crate::command::{Id, Place};
use crate::domain::Result;
use crate::ops::sample::SampleLine;
use crate::text::Role;
use crate::tui::canvas::{Canvas, Pane};
use crate::tui::jobs::Job;
use crate::tui::screen::{Cx, Env, Handled, Screen};
use crate::tui::widgets::list::List;
use crate::tui::words::{line, words};

const SAMPLES: Pane = Pane("samples");

/// The state of the screen.
#[derive(Debug, Default)]
pub struct ReviewScreen {
    samples: Option<List<SampleLine>>,
}

impl ReviewScreen {
    /// Opens the queue of a sample as soon as the screen is shown.
    pub fn open_at_start(&mut self, sample: &str) {
        let _ = sample;
    }

    /// Takes the answer of a request.
    pub fn answered(&mut self, _request: Request, result: Result<Answer>, cx: &mut Cx<'_>) {
        match result {
            Ok(Answer::Samples(lines)) => match &mut self.samples {
                Some(list) => list.replace(lines, |a, b| a.name == b.name),
                None => self.samples = Some(List::whole(lines)),
            },
            Err(error) => cx.fail(error),
        }
    }
}

impl Screen for ReviewScreen {
    fn place(&self) -> Place {
        Place::Samples
    }

    fn view(&self, _env: &Env, canvas: &mut Canvas<'_>, area: Rect) {
        let inside = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
        match &self.samples {
            None => canvas.line(inside, &line(Role::Muted, "loading the samples…")),
            Some(list) if list.is_empty() => canvas.line(inside, &line(Role::Plain, "No samples yet.")),
            Some(list) => list.view(canvas, inside, SAMPLES, |canvas, row, sample, _| {
                canvas.line(row, &words().plain(&sample.name).done());
            }),
        }
    }

    fn command(&mut self, id: Id, cx: &mut Cx<'_>) -> Handled {
        let moved = self.samples.as_mut().is_some_and(|list| list.command(id, cx.env.page(SAMPLES)));
        if moved { Handled::Yes } else { Handled::No }
    }

    fn shown(&mut self, cx: &mut Cx<'_>) {
        cx.start(Job::replace("samples", "loading the samples", Request::Samples.into()));
    }
}
