//! The evaluators on one recorded trace, for whoever keeps their words together with something else.

use super::kept::{fresh, known, subject_hash};
use super::sample::subject;
use super::{Prepared, Purse, Scorer, with_tools};
use crate::domain::{Assessment, Result, Trace};
use crate::ops::Ctx;
use crate::store::TraceScoreRow;

/// What evaluators said of a trace as it is before.
pub struct Before {
    known: Vec<Option<Assessment>>,
    subject: [u8; 32],
}

/// The words on a trace.
pub struct OnTrace {
    /// Of each evaluator, in their order.
    pub all: Vec<Assessment>,
    /// Those that are new, to be kept.
    pub fresh: Vec<TraceScoreRow>,
}

impl Scorer {
    /// What is kept of these evaluators on a trace as it is.
    pub fn before(&self, ctx: &Ctx, prepared: &Prepared, trace: &Trace) -> Result<Before> {
        let subject = subject_hash(trace);
        Ok(Before { known: known(ctx, prepared, &trace.id, &subject)?, subject })
    }

    /// What the evaluators say of a trace; those that spoke of it before are not asked. Keeps nothing.
    pub async fn score_trace(
        &self,
        ctx: &Ctx,
        prepared: &Prepared,
        trace: &Trace,
        before: Before,
        purse: &dyn Purse,
    ) -> OnTrace {
        let Before { known, subject: hash } = before;
        let output = with_tools(trace);
        let all = self.score_unknown(prepared, subject(trace, &output), &known, purse).await;
        let fresh = fresh(ctx, prepared, &trace.id, hash, &all, &known);
        OnTrace { all, fresh }
    }
}
