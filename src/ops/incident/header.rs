//! The header that never scrolls away: `INC-7 SEV2 2/6 ASSESS  14m since 02:55  update in 6m  cmd mira/jo  DRILL`.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::head::IncidentHead;
use super::view::IncidentView;
use crate::domain::Untrusted;
use crate::domain::incident::{Incident, span_words};
use crate::domain::runbook::Severity;
use crate::text::{clean_line, figures};

/// What the header says of an open incident besides its facts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// Who keeps the record, where it is not who leads.
    pub scribe: Option<Untrusted>,
    /// When those who wait want to hear something next.
    pub update_due: Option<Timestamp>,
    /// Whether it is only rehearsed.
    pub drill: bool,
}

/// The header in parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Name, severity, phase, time.
    pub facts: String,
    /// When the next update is due, and whether that is over.
    pub update: Option<(String, bool)>,
    /// Who leads, who keeps the record, whether it is a drill.
    pub people: String,
}

impl Standing {
    pub(super) fn of(incident: &Incident, drill: bool) -> Self {
        Self { scribe: incident.scribe.clone(), update_due: incident.update_due(), drill }
    }
}

impl std::fmt::Display for Header {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.facts)?;
        if let Some((words, _)) = &self.update {
            write!(f, "  {words}")?;
        }
        write!(f, "  {}", self.people)
    }
}

/// The header of an incident as of `now`.
pub fn header(view: &IncidentView, now: Timestamp, zone: &TimeZone) -> Header {
    header_of(&view.head, &view.standing, now, zone)
}

/// The same from the facts of a list.
pub fn header_of(head: &IncidentHead, standing: &Standing, now: Timestamp, zone: &TimeZone) -> Header {
    let severity = head.severity.map_or("SEV?", Severity::name);
    let opened = head.opened_at.as_millisecond();
    let now_ms = now.as_millisecond();
    let end = head.closed_at.map_or(now_ms, |at| at.as_millisecond());
    let open = span_words(u64::try_from(end - opened).unwrap_or(0));
    // The date is left out only where it is today's.
    let since = figures::when(opened, now_ms, zone);
    let facts = match head.outcome {
        None => format!(
            "{} {severity} {}/6 {}  {open} since {since}",
            head.id,
            head.phase.number(),
            head.phase.title().to_uppercase(),
        ),
        Some(outcome) => {
            format!("{} {severity} CLOSED {}  {since}, open for {open}", head.id, outcome.words())
        }
    };
    let mut people = format!("cmd {}", clean_line(head.commander.raw()));
    if let Some(scribe) = standing.scribe.as_ref().filter(|_| head.outcome.is_none()) {
        people += &format!("/{}", clean_line(scribe.raw()));
    }
    if standing.drill {
        people += "  DRILL";
    }
    Header { facts, update: standing.update_due.map(|due| due_words(due, now)), people }
}

/// `update in 6m`; from its time on `UPDATE DUE`, and `UPDATE 4m LATE`.
fn due_words(due: Timestamp, now: Timestamp) -> (String, bool) {
    let left = due.as_millisecond() - now.as_millisecond();
    let span = span_words(left.unsigned_abs());
    match left {
        1.. => (format!("update in {span}"), false),
        -59_999..=0 => ("UPDATE DUE".to_owned(), true),
        _ => (format!("UPDATE {span} LATE"), true),
    }
}
