//! What the screen asks of the ops.

use crate::domain::Result;
use crate::ops::sample::SampleLine;
use crate::ops::{Ctx, sample};
use crate::task::{Cancel, Progress};

/// Work for a worker thread.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    Samples,
}

/// What it gives.
#[derive(Debug)]
pub enum Answer {
    Samples(Vec<SampleLine>),
}

impl Request {
    /// Does the work; blocks.
    pub fn run(&self, ctx: &Ctx, _cancel: &Cancel, _progress: &Progress) -> Result<Answer> {
        match self {
            Request::Samples => sample::list(ctx).map(Answer::Samples),
        }
    }
}

impl From<Request> for crate::tui::work::Request {
    fn from(request: Request) -> Self {
        Self::Review(request)
    }
}
