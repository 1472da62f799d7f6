//! What is said of an incident in the list and at the top of its own view.

use jiff::Timestamp;
use serde::Serialize;

use crate::domain::Untrusted;
use crate::domain::incident::{Incident, Outcome, incident_name};
use crate::domain::runbook::{Phase, Severity};
use crate::store::IncidentRow;

/// The facts of an incident.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct IncidentHead {
    /// `INC-7`.
    pub id: String,
    /// Its name on every machine.
    pub uuid: String,
    /// One line.
    pub title: Untrusted,
    /// `open` or `closed`.
    pub state: &'static str,
    /// How bad, once said.
    pub severity: Option<Severity>,
    /// What it is about.
    pub feature: Option<Untrusted>,
    /// The phase it is in.
    pub phase: Phase,
    /// Who leads it.
    pub commander: Untrusted,
    /// When it was opened, which is when it was detected.
    pub opened_at: Timestamp,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
    /// As what it was closed.
    pub outcome: Option<Outcome>,
}

fn state(closed_at: Option<Timestamp>) -> &'static str {
    if closed_at.is_some() { "closed" } else { "open" }
}

impl From<IncidentRow> for IncidentHead {
    fn from(row: IncidentRow) -> Self {
        let closed_at = row.closed.map(|(at, _)| at);
        Self {
            id: incident_name(row.number),
            uuid: row.uuid,
            title: row.title,
            state: state(closed_at),
            severity: row.severity,
            feature: row.feature,
            phase: row.phase,
            commander: row.commander,
            opened_at: row.opened_at,
            closed_at,
            outcome: row.closed.map(|(_, outcome)| outcome),
        }
    }
}

impl From<&Incident> for IncidentHead {
    fn from(incident: &Incident) -> Self {
        let closed_at = incident.closed.as_ref().map(|closing| closing.at);
        Self {
            id: incident.name(),
            uuid: incident.uuid.clone(),
            title: incident.title.clone(),
            state: state(closed_at),
            severity: incident.severity,
            feature: incident.feature.clone(),
            phase: incident.phase,
            commander: incident.commander.clone(),
            opened_at: incident.opened_at,
            closed_at,
            outcome: incident.closed.as_ref().map(|closing| closing.outcome),
        }
    }
}
