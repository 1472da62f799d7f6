//! The list of incidents.

use serde::Serialize;

use super::head::IncidentHead;
use crate::domain::incident::incident_name;
use crate::domain::{Result, Untrusted};
use crate::ops::Ctx;

/// An incident in the list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct IncidentLine {
    /// Its facts.
    #[serde(flatten)]
    pub head: IncidentHead,
    /// How long it was open, or has been, in milliseconds.
    pub open_ms: i64,
    /// Steps done or skipped.
    pub steps_settled: u32,
    /// Steps in all.
    pub steps: u32,
}

/// All incidents: open ones first, newest first.
pub fn list(ctx: &Ctx) -> Result<Vec<IncidentLine>> {
    let now = ctx.clock.now();
    let lines = ctx.store.incidents()?.into_iter().map(|row| {
        let (steps_settled, steps) = row.progress;
        let head = IncidentHead::from(row);
        let end = head.closed_at.unwrap_or(now);
        let open_ms = (end.as_millisecond() - head.opened_at.as_millisecond()).max(0);
        IncidentLine { head, open_ms, steps_settled, steps }
    });
    Ok(lines.collect())
}

/// The incidents that have this trace as evidence, newest first.
pub fn of_trace(ctx: &Ctx, trace: &Untrusted) -> Result<Vec<String>> {
    Ok(ctx.store.incidents_with_trace(trace)?.into_iter().map(incident_name).collect())
}
