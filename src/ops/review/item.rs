//! One item of a queue in full: the trace, what I say of it, what others say, and how it came about.

use jiff::Timestamp;
use serde::Serialize;

use crate::domain::label::undone;
use crate::domain::{Result, Trace, TraceRow, Untrusted};
use crate::ops::Ctx;
use crate::ops::label::{LabelView, act_words, reviewer};

/// All that is shown of one item.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReviewItem {
    /// The whole trace.
    pub trace: Trace,
    /// My label, or my draft of one.
    pub mine: Option<LabelView>,
    /// The labels of others, by name.
    pub others: Vec<LabelView>,
    /// Every act on it, oldest first.
    pub history: Vec<HistoryLine>,
}

/// One act on a trace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HistoryLine {
    /// When.
    pub at: Timestamp,
    /// Whose.
    pub reviewer: Untrusted,
    /// What, in words.
    pub words: Untrusted,
    /// Whether it was taken back later.
    pub undone: bool,
}

/// The list lines of traces, for the part of a queue that is on screen; `None` for one that the store does
/// not hold.
pub fn lines(ctx: &Ctx, traces: &[Untrusted]) -> Result<Vec<Option<TraceRow>>> {
    let seqs = ctx.store.seqs_of(traces)?;
    let there: Vec<i64> = seqs.iter().copied().flatten().collect();
    let mut rows = ctx.store.rows(&there)?.into_iter().peekable();
    Ok(seqs.into_iter().map(|seq| rows.next_if(|row| Some(row.seq) == seq)).collect())
}

/// Reads one item. Errors with `NotSo` when the store does not hold the trace, as when a sample was drawn
/// from traces that were never imported here.
pub fn item(ctx: &Ctx, trace: &Untrusted) -> Result<ReviewItem> {
    let stored = ctx.store.wanted_trace(trace)?;
    let me = reviewer(ctx)?;
    let labels = ctx.store.labels_of(trace)?;
    let (mine, others): (Vec<_>, Vec<_>) =
        labels.into_iter().map(LabelView::from).partition(|label| label.reviewer.raw() == me);
    let taxonomy = ctx.store.taxonomy()?;
    let events = ctx.store.label_history(trace)?;
    let undone = undone(&events);
    let history = events
        .iter()
        .map(|event| HistoryLine {
            at: event.at,
            reviewer: event.reviewer.clone(),
            words: act_words(event, &taxonomy),
            undone: undone.contains(event.id.as_str()),
        })
        .collect();
    Ok(ReviewItem { trace: stored.trace, mine: mine.into_iter().next(), others, history })
}
