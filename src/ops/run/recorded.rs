//! The target `recorded`: the outputs of the traces that the cases came from.

use std::collections::HashMap;

use futures::future::BoxFuture;

use super::Asker;
use crate::domain::{Answer, Ask, AskError, AskErrorKind, EvalSet, Status, Untrusted};
use crate::ops::score::{MayAskAgain, with_tools};
use crate::store::Store;

/// Answers with what is in the traces. Nothing is asked and nothing paid.
pub struct Recorded {
    store: Store,
    traces: HashMap<String, Untrusted>,
}

impl Recorded {
    /// For the cases of a set.
    pub fn new(store: Store, set: &EvalSet) -> Self {
        let trace = |case: &crate::domain::EvalCase| Some((case.id.to_string(), case.body.trace.clone()?));
        Self { store, traces: set.cases.iter().filter_map(trace).collect() }
    }

    fn answer(&self, ask: &Ask) -> Result<Answer, AskError> {
        let no = |kind, what: &str| AskError { kind, what: Untrusted::from(what), retry_after: None };
        let Some(id) = self.traces.get(&ask.id) else {
            return Err(no(AskErrorKind::Refused, "The case did not come from a trace."));
        };
        let stored = self.store.trace_by_id(id.raw()).map_err(|error| {
            let why = error.why.as_ref().map_or(String::new(), |why| format!(" ({why})"));
            no(AskErrorKind::Unavailable, &format!("{}{why}", error.what))
        })?;
        let Some(stored) = stored else {
            return Err(no(AskErrorKind::Refused, "The trace of the case is not in the store."));
        };
        let trace = stored.trace;
        if trace.status == Status::Error {
            return Err(no(AskErrorKind::Unavailable, "The request of the trace failed."));
        }
        Ok(Answer {
            output: with_tools(&trace),
            latency_ms: trace.latency_ms.unwrap_or(f64::NAN),
            tokens_in: trace.tokens_in,
            tokens_out: trace.tokens_out,
            cost_usd: trace.cost_usd,
            model: trace.model.map(Untrusted::into_raw),
            request_id: Some(trace.id.into_raw()),
        })
    }
}

impl Asker for Recorded {
    fn ask<'a>(&'a self, ask: &'a Ask, _: MayAskAgain<'a>) -> BoxFuture<'a, (Result<Answer, AskError>, u32)> {
        Box::pin(async move { (self.answer(ask), 1) })
    }
}
