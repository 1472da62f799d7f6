//! Marks on the axis of time: what people do to a product that no trace tells. Health draws them, and an incident
//! looks for those near its onset.

use jiff::Timestamp;
use serde::Serialize;

use super::Ctx;
use super::label::reviewer;
use crate::domain::{Error, Result, Untrusted};
use crate::store::MarkRow;

/// A mark.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MarkView {
    /// When it happened.
    pub at: Timestamp,
    /// What it is: `deploy`.
    pub kind: String,
    /// In the words of whoever noted it.
    pub text: Untrusted,
    /// The feature; none: not of one alone.
    pub feature: Option<Untrusted>,
    /// Who noted it.
    pub by: Untrusted,
    /// When it was noted.
    pub noted_at: Timestamp,
}

impl From<MarkRow> for MarkView {
    fn from(row: MarkRow) -> Self {
        let MarkRow { at, kind, text, feature, by, noted_at } = row;
        Self { at, kind, text, feature, by, noted_at }
    }
}

/// Notes a deployment, now or at an earlier time. Refuses an empty text and a time to come.
pub fn deploy(
    ctx: &Ctx,
    text: &Untrusted,
    feature: Option<Untrusted>,
    at: Option<Timestamp>,
) -> Result<MarkView> {
    let now = ctx.clock.now();
    let at = at.unwrap_or(now);
    if text.raw().trim().is_empty() {
        return Err(Error::usage("A mark needs a text.")
            .hint("Say what was deployed: tuesday mark deploy \"retrieval index of March\"."));
    }
    if at > now {
        return Err(Error::usage("What is marked cannot have happened in the future.")
            .hint("Give a time before now, such as 10m or 2025-03-04T02:58:00Z."));
    }
    let row = MarkRow {
        at,
        kind: "deploy".to_owned(),
        text: text.raw().trim().into(),
        feature,
        by: reviewer(ctx)?.into(),
        noted_at: now,
    };
    ctx.store.add_mark(&row)?;
    Ok(row.into())
}

/// The marks from `since` on (`None`: all), oldest first.
pub fn list(ctx: &Ctx, since: Option<Timestamp>) -> Result<Vec<MarkView>> {
    let from = since.map_or(i64::MIN, |since| since.as_millisecond());
    Ok(ctx.store.marks(None, (from, i64::MAX))?.into_iter().map(MarkView::from).collect())
}
