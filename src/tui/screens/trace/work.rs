//! What the trace view asks of the ops.

use std::sync::Arc;

use crate::domain::{ModeId, Result, Taxonomy, Untrusted, Verdict};
use crate::ops::browse::{TraceView, trace};
use crate::ops::label::{LabelReceipt, UndoReceipt, UndoScope, VerdictRequest, undo, verdict};
use crate::ops::{Ctx, taxonomy};
use crate::task::{Cancel, Progress};
use crate::tui::widgets::talk::Talk;

/// Work for a worker thread.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// The trace whole with its labels, its conversation laid out for this many columns.
    Load { trace: Untrusted, cols: u16 },
    /// Give a verdict.
    Label { trace: Untrusted, verdict: Verdict, mode: Option<ModeId> },
    /// Take back my last act on it.
    Undo(Untrusted),
}

/// What it gives.
#[derive(Debug)]
pub enum Answer {
    Loaded(Box<Loaded>),
    Labelled(LabelReceipt),
    Undone(UndoReceipt),
}

/// A trace as it was read at one moment.
#[derive(Debug, Clone)]
pub struct Loaded {
    pub view: Arc<TraceView>,
    /// The failure modes to choose from, and their names.
    pub taxonomy: Arc<Taxonomy>,
    pub talk: Talk,
}

impl Request {
    /// Does the work; blocks.
    pub fn run(&self, ctx: &Ctx, _cancel: &Cancel, _progress: &Progress) -> Result<Answer> {
        match self {
            Request::Load { trace: id, cols } => {
                let view = trace(ctx, id)?;
                let talk = Talk::new(&view.trace, *cols);
                let taxonomy = Arc::new(taxonomy::show(ctx)?);
                Ok(Answer::Loaded(Box::new(Loaded { view: Arc::new(view), taxonomy, talk })))
            }
            Request::Label { trace, verdict: given, mode } => {
                let request = VerdictRequest {
                    trace: trace.clone(),
                    sample: None,
                    verdict: *given,
                    mode: mode.clone(),
                };
                verdict(ctx, &request).map(Answer::Labelled)
            }
            Request::Undo(trace) => undo(ctx, &UndoScope::Traces(vec![trace.clone()])).map(Answer::Undone),
        }
    }
}

impl From<Request> for crate::tui::work::Request {
    fn from(request: Request) -> Self {
        Self::Trace(request)
    }
}
