//! What the list asks of the ops.

use crate::domain::{Query, Result, Untrusted};
use crate::ops::browse::{Cursor, Direction, Page, count, page};
use crate::ops::label::{self, LabelView};
use crate::ops::sample::{DrawSpec, SampleView, draw};
use crate::ops::{Ctx, incident};
use crate::task::{Cancel, Progress};
use crate::text::clean_line;

/// Rows of a page: several screens, so that a key finds its rows loaded.
pub const PAGE: usize = 400;

/// Work for a worker thread.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// A page of the list.
    Page { query: Query, cursor: Cursor, direction: Direction },
    /// How many traces the query wants.
    Count(Query),
    /// The labels of these traces.
    Labels(Vec<Untrusted>),
    /// Attach traces to the open incident.
    Attach(Vec<Untrusted>),
    /// Draw a sample.
    Draw(Box<Draw>),
}

/// A sample to draw, with the form's fields as typed.
#[derive(Debug, Clone, PartialEq)]
pub struct Draw {
    pub spec: DrawSpec,
    pub typed: Vec<String>,
}

/// What it gives.
#[derive(Debug)]
pub enum Answer {
    Page(Page),
    Count(u64),
    /// In the order asked for.
    Labels(Vec<Vec<LabelView>>),
    Drawn(Box<SampleView>),
    /// The incident's short name and title, clean.
    Attached(String),
}

impl Request {
    /// Does the work; blocks.
    pub fn run(&self, ctx: &Ctx, cancel: &Cancel, progress: &Progress) -> Result<Answer> {
        match self {
            Request::Page { query, cursor, direction } => {
                page(ctx, query, *cursor, *direction, PAGE, cancel).map(Answer::Page)
            }
            Request::Count(query) => count(ctx, query, cancel).map(Answer::Count),
            Request::Labels(traces) => label::present(ctx, traces).map(Answer::Labels),
            Request::Attach(traces) => incident::attach_to_open(ctx, traces).map(|open| {
                Answer::Attached(format!("{} {}", open.head.id, clean_line(open.head.title.raw())))
            }),
            Request::Draw(draw_this) => {
                draw(ctx, &draw_this.spec, cancel, progress).map(|view| Answer::Drawn(Box::new(view)))
            }
        }
    }
}

impl From<Request> for crate::tui::work::Request {
    fn from(request: Request) -> Self {
        Self::Traces(request)
    }
}
