//! The list of incidents.

use serde::Serialize;

use super::head::IncidentHead;
use super::header::Standing;
use crate::domain::incident::incident_name;
use crate::domain::{Result, Untrusted};
use crate::ops::Ctx;
use crate::store::IncidentRef;

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
    /// What the header says of it besides; of a closed one nothing.
    #[serde(flatten)]
    pub standing: Standing,
}

/// All incidents: open ones first, newest first.
pub fn list(ctx: &Ctx) -> Result<Vec<IncidentLine>> {
    let (now, drill) = (ctx.clock.now(), ctx.is_drill());
    let lines = ctx.store.incidents()?.into_iter().map(|row| {
        // The few that are open are read whole: how they stand is in their records.
        let standing = match row.closed {
            None => Standing::of(&ctx.store.incident(&IncidentRef::Number(row.number))?.incident, drill),
            Some(_) => Standing { drill, ..Standing::default() },
        };
        let (steps_settled, steps) = row.progress;
        let head = IncidentHead::from(row);
        let end = head.closed_at.unwrap_or(now);
        let open_ms = (end.as_millisecond() - head.opened_at.as_millisecond()).max(0);
        Ok(IncidentLine { head, open_ms, steps_settled, steps, standing })
    });
    lines.collect()
}

/// The incidents that have this trace as evidence, newest first.
pub fn of_trace(ctx: &Ctx, trace: &Untrusted) -> Result<Vec<String>> {
    Ok(ctx.store.incidents_with_trace(trace)?.into_iter().map(incident_name).collect())
}
