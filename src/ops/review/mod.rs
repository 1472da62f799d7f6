//! The queue of one reviewer over a sample or a list of traces, and one item of it in full. Acts on labels
//! are in [`label`]; after one, [`refresh`] brings a queue up to date, as it does after acts
//! of other reviewers and other programs.

mod item;
mod queue;
mod rates;

use std::collections::HashMap;

use serde::Serialize;

use super::{Ctx, label, sample};
use crate::domain::query::{Term, Word, WorkField};
use crate::domain::{ModeId, Query, Result, Untrusted, Verdict};
use crate::task::Cancel;

pub use item::{HistoryLine, ReviewItem, item, lines};
pub use queue::QueueView;
#[cfg(test)]
pub use queue::Tally;
pub(super) use rates::of_members as rates_of;
pub use rates::{RateView, RatesView, rates};

/// What a queue is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum QueueSource {
    /// A frozen sample.
    Sample(String),
    /// Traces that were picked by hand.
    Traces,
}

/// How far I am with an item.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemState {
    /// Not looked at, or only noted on.
    #[default]
    Open,
    /// Passed over; comes again at the end.
    Skipped,
    /// Labelled.
    Pass,
    /// Labelled.
    Fail,
    /// Labelled.
    Unsure,
}

impl ItemState {
    /// My verdict, when there is one.
    pub fn verdict(self) -> Option<Verdict> {
        match self {
            Self::Open | Self::Skipped => None,
            Self::Pass => Some(Verdict::Pass),
            Self::Fail => Some(Verdict::Fail),
            Self::Unsure => Some(Verdict::Unsure),
        }
    }
}

impl From<Verdict> for ItemState {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Pass => Self::Pass,
            Verdict::Fail => Self::Fail,
            Verdict::Unsure => Self::Unsure,
        }
    }
}

/// One line of a queue.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct QueueItem {
    /// The trace.
    pub trace: Untrusted,
    /// The probability with which the draw included it; 1 in a list made by hand.
    pub probability: f64,
    /// The stratum it was drawn in.
    pub stratum: Option<Untrusted>,
    /// How far I am with it.
    pub state: ItemState,
    /// The failure mode that I gave it.
    pub mode: Option<ModeId>,
    /// Whether I wrote a note or a corrected output.
    pub noted: bool,
    /// What other reviewers say of it, by name.
    pub others: Vec<OtherVerdict>,
}

impl QueueItem {
    /// Whether two reviewers, me or others, gave it different verdicts.
    pub fn disagreed(&self) -> bool {
        let mut verdicts = self.others.iter().map(|o| o.verdict).chain(self.state.verdict());
        verdicts.next().is_some_and(|first| verdicts.any(|v| v != first))
    }
}

/// Another reviewer's verdict.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct OtherVerdict {
    /// Whose.
    pub reviewer: Untrusted,
    /// What.
    pub verdict: Verdict,
    /// With a failure, its mode.
    pub mode: Option<ModeId>,
}

/// Opens my queue over a sample. Errors with `NotSo` when there is no such sample.
pub fn open(ctx: &Ctx, name: &str) -> Result<QueueView> {
    let sample = sample::load(ctx, name)?;
    let members = sample.members.into_iter().map(|m| (m.trace, m.probability, m.stratum)).collect();
    start(ctx, QueueSource::Sample(sample.name), members)
}

/// Opens my queue over traces picked by hand, in the order given; one named twice comes once.
pub fn open_traces(ctx: &Ctx, traces: &[Untrusted]) -> Result<QueueView> {
    start(ctx, QueueSource::Traces, traces.iter().map(|t| (t.clone(), 1.0, None)).collect())
}

fn start(
    ctx: &Ctx,
    source: QueueSource,
    members: Vec<(Untrusted, f64, Option<Untrusted>)>,
) -> Result<QueueView> {
    // The cursor is taken first: what arrives meanwhile is then seen twice rather than never.
    let cursor = ctx.store.label_cursor()?;
    let mut queue = QueueView::new(source, label::reviewer(ctx)?.into(), members, cursor);
    let all: Vec<usize> = (0..queue.items.len()).collect();
    reload(ctx, &mut queue, &all)?;
    queue.begin();
    Ok(queue)
}

/// The places in a queue that a query holds for, in order: what jumping by filter goes through. Errors
/// when the query has a mistake.
pub fn matching(ctx: &Ctx, queue: &QueueView, query: &str, cancel: &Cancel) -> Result<Vec<usize>> {
    let mut query = Query::parse(query)?;
    if let QueueSource::Sample(name) = &queue.source {
        query = query.with(Term::Work { field: WorkField::Sample, any: vec![Word::exact(name)] });
    }
    let mut by_hash: HashMap<i64, Vec<usize>> = HashMap::new();
    for (place, item) in queue.items.iter().enumerate() {
        by_hash.entry(crate::store::id_hash(item.trace.raw())).or_default().push(place);
    }
    let mut places = Vec::new();
    ctx.store.each_match(&query, ctx.clock.now(), cancel, |found| {
        places.extend(by_hash.get(&found.id_hash).into_iter().flatten());
    })?;
    places.sort_unstable();
    places.dedup();
    Ok(places)
}

/// Brings a queue up to date with whatever was labelled since it was opened or last refreshed, by me or by
/// others, here or in another program. Gives the places of the items that changed, in order.
pub fn refresh(ctx: &Ctx, queue: &mut QueueView) -> Result<Vec<usize>> {
    let (events, cursor) = ctx.store.labels_since(queue.cursor)?;
    queue.cursor = cursor;
    let mut touched: Vec<usize> = events.iter().filter_map(|e| queue.place(&e.trace)).collect();
    touched.sort_unstable();
    touched.dedup();
    reload(ctx, queue, &touched)?;
    Ok(touched)
}

fn reload(ctx: &Ctx, queue: &mut QueueView, places: &[usize]) -> Result<()> {
    let hashes: Vec<i64> =
        places.iter().map(|&at| crate::store::id_hash(queue.items[at].trace.raw())).collect();
    let labels = ctx.store.labels_on(&hashes)?;
    let acts = ctx.store.acts_on(&hashes, queue.reviewer.raw())?;
    queue.update(places, labels, &acts);
    Ok(())
}

#[cfg(test)]
mod tests;
