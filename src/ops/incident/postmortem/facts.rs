//! The figures of a post-mortem: what it did to people, how long at which severity, what is in the eval set.

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::Serialize;

use super::super::links::promoted;
use crate::domain::incident::{Figures, Incident, IncidentEvent, Missing, Outcome, Recorded};
use crate::domain::runbook::{Phase, Section, Severity};
use crate::domain::{Result, Untrusted};
use crate::ops::Ctx;

/// Traces of an incident that must stand in an eval set before it is told, or a reason why fewer do.
pub const CASES: u64 = 5;

/// What an incident came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Facts {
    /// From when people were exposed: when it began, by the record or the traces, else when it was opened.
    pub exposed_since: Timestamp,
    /// To when: when it was contained, else closed, else now.
    pub exposed_until: Timestamp,
    /// How long it was at which severity, in milliseconds, worst first.
    pub severities: Vec<(Severity, u64)>,
    /// Beyond what is usual, where there is traffic from before to say what is.
    pub excess: Option<Excess>,
    /// Attached traces.
    pub evidence: u64,
    /// Those of them that are cases of an eval set.
    pub promoted: u64,
    /// Who signed that they have read it.
    pub readers: Vec<Untrusted>,
    /// By when a second person has to have read it: three days after a SEV1 was closed, five working days after a
    /// SEV2; `None` while it is open, and for the others.
    pub review_due: Option<Timestamp>,
}

/// What is beyond the usual: what there was, less what the rates of as long before would have given.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Excess {
    /// Failed requests.
    pub errors: f64,
    /// Thumbs down.
    pub thumbs_down: f64,
    /// Users with an error or a thumb down, where users are known.
    pub users_hit: Option<f64>,
    /// Cost in US dollars, where known.
    pub cost_usd: Option<f64>,
}

impl Excess {
    /// That of these figures; `None` where nothing is known of before.
    pub fn of(taken: &Figures) -> Option<Self> {
        let (now, before) = (&taken.all, taken.before.as_ref()?);
        if before.requests == 0 {
            return None;
        }
        let beyond = |part: u64, whole: u64, usual: u64, of: u64| {
            if of == 0 { 0.0 } else { part as f64 - usual as f64 / of as f64 * whole as f64 }
        };
        let users = || {
            let (hit, all) = (now.users_hit?, now.users?);
            let (usual, of) = (before.users_hit?, before.users?);
            (of > 0).then(|| beyond(hit, all, usual, of))
        };
        let cost = now.cost_per_request_usd.zip(before.cost_per_request_usd);
        Some(Self {
            errors: beyond(now.errors, now.requests, before.errors, before.requests),
            thumbs_down: beyond(now.thumbs_down, now.requests, before.thumbs_down, before.requests),
            users_hit: users(),
            cost_usd: cost.map(|(now_each, usual)| (now_each - usual) * now.requests as f64),
        })
    }
}

impl Facts {
    /// Those of an incident as of `now`, with its newest figures.
    pub(super) fn of(
        ctx: &Ctx,
        incident: &Incident,
        (record, taken): (&[Recorded], Option<&Figures>),
        now: Timestamp,
        zone: &TimeZone,
    ) -> Result<Self> {
        let over = incident.closed.as_ref().map_or(now, |closing| closing.at);
        let contained = incident.settled[Phase::Contain.index()];
        let traces = incident.traces();
        Ok(Self {
            exposed_since: incident.began_at.unwrap_or(incident.opened_at),
            exposed_until: contained.unwrap_or(over),
            severities: severities(record, over),
            excess: taken.and_then(Excess::of),
            evidence: traces.len() as u64,
            promoted: promoted(ctx, traces.iter().map(|trace| &trace.id))?,
            readers: incident.readers.iter().map(|(_, reader)| reader.clone()).collect(),
            review_due: incident.closed.as_ref().and_then(|of| review_due(incident.severity?, of.at, zone)),
        })
    }

    /// What the post-mortem lacks before it is done, besides what the incident lacks.
    pub(super) fn missing(&self, incident: &Incident, now: Timestamp, zone: &TimeZone) -> Vec<Missing> {
        let false_alarm = incident.closed.as_ref().is_some_and(|of| of.outcome == Outcome::FalseAlarm);
        let mut missing = Vec::new();
        if false_alarm {
            return missing;
        }
        let name = incident.name();
        if self.promoted < CASES && incident.section(Section::EvalSet).is_none() {
            missing.push(Missing {
                what: format!("{CASES} of its traces in an eval set ({} are), or why not", self.promoted),
                way: format!(
                    "tuesday evals promote TRACE…, or tuesday incident postmortem {name} --set eval_set=TEXT"
                ),
            });
        }
        if self.readers.is_empty() {
            let due = self.review_due.map_or_else(String::new, |due| {
                let late = if due < now { ", late" } else { "" };
                format!(", due {}{late}", due.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%d"))
            });
            missing.push(Missing {
                what: format!("a second reader's signature{due}"),
                way: format!("tuesday --reviewer NAME incident postmortem {name} --sign"),
            });
        }
        missing
    }
}

/// When the review of an incident of this severity is due that was closed then.
fn review_due(severity: Severity, closed: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let closed = closed.to_zoned_datetime(zone.clone());
    let due = match severity {
        Severity::Sev1 => closed.checked_add(3.days()).ok()?,
        Severity::Sev2 => {
            let days = closed.date().series(1.day()).skip(1);
            let mut working =
                days.filter(|day| !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday));
            closed.with().date(working.nth(4)?).build().ok()?
        }
        Severity::Sev3 | Severity::Sev4 => return None,
    };
    Some(due.timestamp())
}

/// How long each severity held, in milliseconds, worst first.
fn severities(record: &[Recorded], over: Timestamp) -> Vec<(Severity, u64)> {
    let mut held: Vec<(Severity, u64)> = Vec::new();
    let mut now: Option<(Severity, Timestamp)> = None;
    let mut end = |now: Option<(Severity, Timestamp)>, at: Timestamp| {
        let Some((severity, since)) = now else { return };
        let ms = u64::try_from(at.as_millisecond() - since.as_millisecond()).unwrap_or(0);
        match held.iter_mut().find(|(of, _)| *of == severity) {
            Some((_, total)) => *total += ms,
            None => held.push((severity, ms)),
        }
    };
    for recorded in record {
        let to = match &recorded.event {
            IncidentEvent::Opened { severity: Some(severity), .. } => *severity,
            IncidentEvent::SeveritySet { to, .. } => *to,
            _ => continue,
        };
        end(now, recorded.happened_at);
        now = Some((to, recorded.happened_at));
    }
    end(now, over);
    held.sort_by_key(|(severity, _)| *severity);
    held
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_review_is_due_in_working_days_of_the_team() {
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        // A Wednesday.
        let closed: Timestamp = "2025-03-05T23:30:00Z".parse().unwrap();
        let due = |severity| review_due(severity, closed, &zone).map(|at| at.to_string());
        assert_eq!(due(Severity::Sev1).as_deref(), Some("2025-03-08T23:30:00Z"));
        // Thursday there: the weekend does not count.
        assert_eq!(due(Severity::Sev2).as_deref(), Some("2025-03-12T23:30:00Z"));
        assert_eq!(due(Severity::Sev3), None);
    }
}
