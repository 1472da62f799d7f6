//! What the trace view asks of the ops.

use std::sync::Arc;

use crate::domain::{FailureMode, ModeId, Result, Untrusted, Verdict};
use crate::ops::browse::{TraceView, trace};
use crate::ops::label::{LabelReceipt, UndoReceipt, UndoScope, VerdictRequest, undo, verdict};
use crate::ops::{Ctx, taxonomy};
use crate::task::{Cancel, Progress};

/// Work for a worker thread.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// The trace whole, with its labels.
    Load(Untrusted),
    /// Give a verdict.
    Label { trace: Untrusted, verdict: Verdict, mode: Option<ModeId> },
    /// Take back my last act on it.
    Undo(Untrusted),
    /// The failure modes to choose from.
    Modes,
}

/// What it gives.
#[derive(Debug)]
pub enum Answer {
    Loaded(Arc<TraceView>),
    Labelled(LabelReceipt),
    Undone(UndoReceipt),
    Modes(Vec<FailureMode>),
}

impl Request {
    /// Does the work; blocks.
    pub fn run(&self, ctx: &Ctx, _cancel: &Cancel, _progress: &Progress) -> Result<Answer> {
        match self {
            Request::Load(id) => trace(ctx, id).map(|view| Answer::Loaded(Arc::new(view))),
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
            Request::Modes => {
                let taxonomy = taxonomy::show(ctx)?;
                Ok(Answer::Modes(taxonomy.active().cloned().collect()))
            }
        }
    }
}

impl From<Request> for crate::tui::work::Request {
    fn from(request: Request) -> Self {
        Self::Trace(request)
    }
}
