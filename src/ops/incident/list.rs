//! The list of incidents.

use jiff::Timestamp;
use serde::Serialize;

use crate::domain::incident::Outcome;
use crate::domain::runbook::{Phase, Severity};
use crate::domain::{Result, Untrusted};
use crate::ops::Ctx;

/// An incident in the list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct IncidentLine {
    /// `INC-7`.
    pub id: String,
    /// Its name on every machine.
    pub uuid: String,
    /// One line.
    pub title: Untrusted,
    /// `open` or `closed`.
    pub state: &'static str,
    /// How bad.
    pub severity: Option<Severity>,
    /// What it is about.
    pub feature: Option<Untrusted>,
    /// Where it is.
    pub phase: Phase,
    /// Who leads it.
    pub commander: Untrusted,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
    /// As what it was closed.
    pub outcome: Option<Outcome>,
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
    let rows = ctx.store.incidents()?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let end = row.closed.map_or(now, |(at, _)| at);
            IncidentLine {
                id: format!("INC-{}", row.number),
                uuid: row.uuid,
                title: row.title,
                state: if row.closed.is_some() { "closed" } else { "open" },
                severity: row.severity,
                feature: row.feature,
                phase: row.phase,
                commander: row.commander,
                opened_at: row.opened_at,
                closed_at: row.closed.map(|(at, _)| at),
                outcome: row.closed.map(|(_, outcome)| outcome),
                open_ms: (end.as_millisecond() - row.opened_at.as_millisecond()).max(0),
                steps_settled: row.progress.0,
                steps: row.progress.1,
            }
        })
        .collect())
}

/// The incidents that have this trace as evidence, newest first.
pub fn of_trace(ctx: &Ctx, trace: &Untrusted) -> Result<Vec<String>> {
    let numbers = ctx.store.incidents_with_trace(trace)?;
    Ok(numbers.into_iter().map(|number| format!("INC-{number}")).collect())
}
