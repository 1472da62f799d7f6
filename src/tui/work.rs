//! What screens ask of the ops, as data, and what comes back. Runs on worker threads.

use super::screens::{
    evals, features, gate, health, incidents, monitors, prompts, review, runs, trace, traces,
};
use crate::domain::Result;
use crate::ops::Ctx;
use crate::ops::index::{catch_up, is_behind};
use crate::task::{Cancel, Progress};

/// Work for a worker thread.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    Health(health::Request),
    Traces(traces::Request),
    Trace(trace::Request),
    Evals(evals::Request),
    Review(review::Request),
    Runs(runs::Request),
    Gate(gate::Request),
    Prompts(prompts::Request),
    Features(features::Request),
    Incidents(incidents::Request),
    Monitors(monitors::Request),
    /// Bring the search index up to the traces, behind everything else.
    Index,
}

/// What a request of the same variant gives.
#[derive(Debug)]
pub enum Answer {
    // What is boxed is several times as large as the others.
    Health(Box<health::Answer>),
    Traces(traces::Answer),
    Trace(Box<trace::Answer>),
    Evals(evals::Answer),
    Review(review::Answer),
    Runs(runs::Answer),
    Gate(Box<gate::Answer>),
    Prompts(prompts::Answer),
    Features(features::Answer),
    Incidents(incidents::Answer),
    Monitors(monitors::Answer),
    /// What the index holds now is asked of the store where it matters.
    Index,
}

impl Request {
    /// Does the work; blocks.
    pub fn run(&self, ctx: &Ctx, cancel: &Cancel, progress: &Progress) -> Result<Answer> {
        match self {
            Request::Health(request) => {
                request.run(ctx, cancel, progress).map(|answer| Answer::Health(Box::new(answer)))
            }
            Request::Traces(request) => request.run(ctx, cancel, progress).map(Answer::Traces),
            Request::Trace(request) => {
                request.run(ctx, cancel, progress).map(|answer| Answer::Trace(Box::new(answer)))
            }
            Request::Evals(request) => request.run(ctx, cancel, progress).map(Answer::Evals),
            Request::Review(request) => request.run(ctx, cancel, progress).map(Answer::Review),
            Request::Runs(request) => request.run(ctx, cancel, progress).map(Answer::Runs),
            Request::Gate(request) => {
                request.run(ctx, cancel, progress).map(|answer| Answer::Gate(Box::new(answer)))
            }
            Request::Prompts(request) => request.run(ctx, cancel, progress).map(Answer::Prompts),
            Request::Features(request) => request.run(ctx, cancel, progress).map(Answer::Features),
            Request::Incidents(request) => request.run(ctx, cancel, progress).map(Answer::Incidents),
            Request::Monitors(request) => request.run(ctx, cancel, progress).map(Answer::Monitors),
            // What cannot be written stays as it is; a search then leaves the newest traces out.
            Request::Index if !ctx.writable() || !is_behind(ctx)? => Ok(Answer::Index),
            Request::Index => catch_up(ctx, cancel, progress).map(|_| Answer::Index),
        }
    }
}
