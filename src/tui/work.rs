//! What screens ask of the ops, as data, and what comes back. Runs on worker threads.

use super::screens::{evals, incidents, review};
use crate::domain::Result;
use crate::ops::Ctx;
use crate::task::{Cancel, Progress};

/// Work for a worker thread.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    Evals(evals::Request),
    Review(review::Request),
    Incidents(incidents::Request),
}

/// What a request of the same variant gives.
#[derive(Debug)]
pub enum Answer {
    Evals(evals::Answer),
    Review(review::Answer),
    Incidents(incidents::Answer),
}

impl Request {
    /// Does the work; blocks.
    pub fn run(&self, ctx: &Ctx, cancel: &Cancel, progress: &Progress) -> Result<Answer> {
        match self {
            Request::Evals(request) => request.run(ctx, cancel, progress).map(Answer::Evals),
            Request::Review(request) => request.run(ctx, cancel, progress).map(Answer::Review),
            Request::Incidents(request) => request.run(ctx, cancel, progress).map(Answer::Incidents),
        }
    }
}
