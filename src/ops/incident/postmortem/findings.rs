//! What the traces tell of an incident: how things were before, while it lasted and after; who failed and why; and
//! whether a rule set otherwise would have seen it earlier.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::super::view::{ActingState, IncidentView};
use super::facts::Facts;
use crate::domain::incident::Outcome;
use crate::domain::monitor::Monitors;
use crate::domain::prompt::TeamConfig;
use crate::domain::query::{NameField, Query, Term, Word};
use crate::domain::{ErrorKind, Result, Untrusted};
use crate::ops::assess::{Cause, CauseRequest, OnsetVerdict, cause};
use crate::ops::figures::{Period, period};
use crate::ops::monitor::{Tuning, TuningRequest, tune};
use crate::ops::{Ctx, monitor};
use crate::task::Cancel;

/// What the team's configuration says that a post-mortem needs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Configured {
    /// The rules that watch.
    pub monitors: Arc<Monitors>,
    /// Where the team's prompts lie.
    pub team: Arc<TeamConfig>,
}

/// What was found in the traces.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Findings {
    /// As long before as people were exposed.
    pub before: Option<Period>,
    /// While people were exposed.
    pub during: Option<Period>,
    /// Since it was contained, for as long at most, and up to its closing.
    pub after: Option<Period>,
    /// Who failed, which version is guilty, what was changed in it.
    pub cause: Option<Cause>,
    /// Other settings of the rule that raises what was harmed.
    pub tuning: Option<Tuning>,
    /// Why some of this could not be read.
    pub unread: Option<String>,
}

impl Findings {
    /// Reads them: the rows of the incident and of the time before. Of a false alarm there is nothing to find.
    pub(super) fn of(
        ctx: &Ctx,
        by: &Configured,
        (view, facts): (&IncidentView, &Facts),
        cancel: &Cancel,
    ) -> Result<Self> {
        let mut found = Self::default();
        if view.head.outcome == Some(Outcome::FalseAlarm) {
            return Ok(found);
        }
        let over = view.head.closed_at.unwrap_or(view.as_of);
        let until = facts.exposed_until;
        let request = CauseRequest { until: Some(until), back_to: back_to(view) };
        match cause(ctx, &by.team, &view.head.id, &request, cancel) {
            Ok(made) => found.cause = Some(made).filter(|made| made.assessment.requests > 0),
            Err(error) if error.kind == ErrorKind::Cancelled => return Err(error),
            Err(error) => found.unread = Some(error.what),
        }
        let since = found.began(view).unwrap_or(facts.exposed_since).min(until);
        let span = until.duration_since(since);
        let query = of_feature(view.head.feature.as_ref());
        let read = |from: Timestamp, to: Timestamp| -> Result<Option<Period>> {
            let of = period(ctx, &query, (from, to), cancel)?;
            Ok(Some(of).filter(|of| of.tally.requests > 0))
        };
        found.before = read(since.saturating_sub(span).unwrap_or(since), since)?;
        found.during = read(since, until)?;
        if until < over {
            let least = SignedDuration::from_mins(30);
            found.after = read(until, until.saturating_add(span.max(least)).unwrap_or(over).min(over))?;
        }
        match found.tuning(ctx, by, (view, facts), cancel) {
            Ok(made) => found.tuning = made,
            Err(error) if error.kind == ErrorKind::Cancelled => return Err(error),
            Err(error) => found.unread = Some(error.what),
        }
        Ok(found)
    }

    /// When it began: by the record, else by the onset in the traces where that is sure.
    pub(super) fn began(&self, view: &IncidentView) -> Option<Timestamp> {
        let onset = || self.cause.as_ref().map(|cause| &cause.assessment.onset);
        let sure = || onset().filter(|onset| onset.verdict == OnsetVerdict::Onset);
        view.began_at.or_else(|| sure().and_then(|onset| onset.at))
    }

    /// Since when it went on by a sure onset in the traces, and for how long nobody noticed, in milliseconds.
    pub fn undetected(&self) -> Option<(Timestamp, u64)> {
        let onset = &self.cause.as_ref()?.assessment.onset;
        let sure = onset.verdict == OnsetVerdict::Onset;
        let gap = u64::try_from(onset.undetected_ms?).ok()?;
        onset.at.filter(|_| sure).map(|at| (at, gap))
    }

    /// Other settings of the rule of its alert, or of those on what failed.
    fn tuning(
        &self,
        ctx: &Ctx,
        by: &Configured,
        (view, facts): (&IncidentView, &Facts),
        cancel: &Cancel,
    ) -> Result<Option<Tuning>> {
        // Without a beginning nothing says how late it was.
        let Some(began) = self.began(view) else { return Ok(None) };
        let alerts = monitor::alerts(ctx, true)?;
        let own = alerts.iter().find(|alert| alert.incident.as_deref() == Some(&view.head.id));
        let measure = self.cause.as_ref().map_or("complaints", |cause| cause.assessment.measure);
        let metrics = match measure {
            "judged" => vec!["fail_share"],
            "errors" => vec!["error_share"],
            "negative" => vec!["negative_share"],
            "fallback" => vec!["fallback_share"],
            "slow" => vec!["slow_share"],
            _ => vec!["error_share", "negative_share"],
        };
        let others = ctx.store.incidents()?.into_iter().filter(|row| {
            row.number != view.number && (row.feature == view.head.feature || row.feature.is_none())
        });
        let day = SignedDuration::from_hours(24);
        let others = others.map(|row| {
            let from = row.opened_at.saturating_sub(day).unwrap_or(row.opened_at);
            (from, row.closed.map_or(view.as_of, |(at, _)| at))
        });
        let request = TuningRequest {
            feature: view.head.feature.clone(),
            rule: own.map(|alert| alert.rule.clone()),
            metrics,
            began,
            noticed: view.head.opened_at,
            until: facts.exposed_until.max(view.head.opened_at).max(began),
            others: others.collect(),
        };
        tune(ctx, &by.monitors, &request, cancel)
    }

    /// Reports and questions asked again that are beyond what was usual before: the work of the support.
    pub fn complaints_beyond(&self) -> Option<f64> {
        let (now, before) = (self.during.as_ref()?, self.before.as_ref()?);
        let of = |period: &Period| (period.reports + period.asked_again) as f64;
        let usual = of(before) / before.tally.requests as f64 * now.tally.requests as f64;
        Some((of(now) - usual).max(0.0))
    }
}

fn of_feature(feature: Option<&Untrusted>) -> Query {
    match feature {
        Some(name) => {
            let any = vec![Word::exact(name.raw())];
            Query::all().with(Term::Name { field: NameField::Feature, any })
        }
        None => Query::all(),
    }
}

/// The version that a step of the runbook went back to.
fn back_to(view: &IncidentView) -> Option<Untrusted> {
    let steps = view.phases.iter().flat_map(|phase| &phase.steps).filter(|step| step.kind == "rollback");
    let mut acts = steps.filter_map(|step| step.acting.as_ref()).filter(|act| act.state == ActingState::Done);
    acts.next_back().and_then(|act| act.to.clone())
}
