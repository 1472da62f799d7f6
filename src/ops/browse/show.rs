//! One trace whole, with what people and its session know of it.

use serde::Serialize;

use crate::domain::{Result, Trace, TraceLanguage, Untrusted};
use crate::ops::label::LabelView;
use crate::ops::{Ctx, incident};

/// A trace in the `tuesday` format, and what is known of it beside.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TraceView {
    /// The trace.
    #[serde(flatten)]
    pub trace: Trace,
    /// Its present labels, drafts too, by reviewer.
    pub labels: Vec<LabelView>,
    /// The samples it is in.
    pub samples: Vec<String>,
    /// The incidents that it is evidence in, newest first.
    pub incidents: Vec<String>,
    /// The language that it counts under.
    pub language: Option<TraceLanguage>,
    /// Its place in its session.
    pub neighbours: Option<Neighbours>,
}

/// A trace's place among those of its session, in the order of time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Neighbours {
    /// Which it is, from 1.
    pub position: u64,
    /// How many there are.
    pub count: u64,
    /// The one before.
    pub previous: Option<Untrusted>,
    /// The one after.
    pub next: Option<Untrusted>,
}

/// One trace by its id. Errors with `NotSo` when there is none, naming the nearest.
pub fn trace(ctx: &Ctx, id: &Untrusted) -> Result<TraceView> {
    let stored = ctx.store.wanted_trace(id)?;
    let labels = ctx.store.labels_of(id)?.into_iter().map(LabelView::from).collect();
    let around = ctx.store.session_around(stored.seq)?;
    let neighbours = match around {
        None => None,
        Some(around) => {
            let beside: Vec<i64> = [around.previous, around.next].into_iter().flatten().collect();
            let mut ids = ctx.store.trace_ids(&beside, &crate::task::Cancel::default())?.into_iter();
            Some(Neighbours {
                position: around.position,
                count: around.count,
                previous: around.previous.and_then(|_| ids.next()),
                next: around.next.and_then(|_| ids.next()),
            })
        }
    };
    let samples = ctx.store.samples_with(id)?;
    let incidents = incident::of_trace(ctx, id)?;
    let language = ctx.store.language_of(stored.seq)?;
    Ok(TraceView { trace: stored.trace, labels, samples, incidents, language, neighbours })
}
