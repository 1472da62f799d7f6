//! Words on traces that are kept: an evaluator that asks is asked once of a trace as it is.

use crate::domain::{Assessment, Outcome, Result, Trace, Untrusted};
use crate::ops::Ctx;
use crate::store::TraceScoreRow;

use super::sample::with_tools;
use super::{Item, Prepared};

/// A hash of what evaluators see of a trace: it changes when a later import or span changes the trace.
pub fn subject_hash(trace: &Trace) -> [u8; 32] {
    let seen = (&trace.input, with_tools(trace), trace.latency_ms, trace.cost_usd, trace.tokens_out);
    // What cannot be written as JSON is no subject of anybody: it is then asked anew each time.
    serde_json::to_vec(&seen).map_or([0; 32], |bytes| *blake3::hash(&bytes).as_bytes())
}

/// What is kept of a trace for these evaluators: by place, the word of one that was asked before and told.
pub(super) fn known(
    ctx: &Ctx,
    prepared: &Prepared,
    trace: &Untrusted,
    subject: &[u8; 32],
) -> Result<Vec<Option<Assessment>>> {
    let rows = ctx.store.trace_scores_of(trace)?;
    let word = |item: &Item| {
        let same = |row: &&TraceScoreRow| {
            row.word.evaluator == item.name
                && row.word.version == item.version
                && row.decider == item.decider
                && row.subject == *subject
                && row.word.outcome != Outcome::Error
        };
        rows.iter().find(same).map(|row| row.word.clone())
    };
    // Rules decide quicker than a store answers.
    Ok(prepared.items.iter().map(|item| if item.asks() { word(item) } else { None }).collect())
}

/// The words that are new, to be kept.
pub(super) fn fresh(
    ctx: &Ctx,
    prepared: &Prepared,
    trace: &Untrusted,
    subject: [u8; 32],
    words: &[Assessment],
    known: &[Option<Assessment>],
) -> Vec<TraceScoreRow> {
    let is_known = |at: usize| known.get(at).is_some_and(Option::is_some);
    let new = prepared.items.iter().zip(words).enumerate().filter(|(at, _)| !is_known(*at));
    let row = |(_, (item, word)): (usize, (&Item, &Assessment))| TraceScoreRow {
        trace: trace.clone(),
        decider: item.decider.clone(),
        subject,
        at: ctx.clock.now(),
        word: word.clone(),
    };
    new.map(row).collect()
}
