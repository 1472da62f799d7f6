//! Alerts as a face shows them; silencing them; opening an incident for one.

use jiff::Timestamp;
use serde::Serialize;

use super::evidence::headline;
use super::tell::SentView;
use super::view::rule;
use crate::domain::incident::Evidence as IncidentEvidence;
use crate::domain::monitor::{Alert, AlertState, Evidence, Fingerprint, Group, Monitors, Silence, Urgency};
use crate::domain::{Error, Result, Untrusted};
use crate::ops::Ctx;
use crate::ops::incident::{self, Act, IncidentView, OpenRequest};
use crate::ops::runbook::Books;
use crate::store::IncidentRef;

/// Alerts of a list, at most.
const MOST: usize = 500;

/// An alert.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AlertView {
    /// `A-7`.
    pub id: String,
    /// Its name on every machine.
    pub uuid: String,
    /// The rule.
    pub rule: String,
    /// The group.
    pub group: Group,
    /// Whether it is out.
    pub state: AlertState,
    /// How urgent.
    pub severity: Urgency,
    /// When it was raised.
    pub fired_at: Timestamp,
    /// When it was over.
    pub resolved_at: Option<Timestamp>,
    /// Until when nobody is told of it.
    pub silenced_until: Option<Timestamp>,
    /// The incident that was opened for it.
    pub incident: Option<String>,
    /// What it and its repeats are told apart by.
    pub fingerprint: Fingerprint,
    /// What it stands on.
    pub evidence: Evidence,
    /// What was told to whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub told: Option<Vec<SentView>>,
}

impl AlertView {
    /// An alert with the silence that covers it.
    pub(super) fn of(alert: &Alert, silences: &[Silence], now: Timestamp) -> Self {
        let silence =
            silences.iter().filter(|one| one.covers(&alert.rule, &alert.group, now)).map(|one| one.until);
        Self {
            id: alert.name(),
            uuid: alert.id.clone(),
            rule: alert.rule.clone(),
            group: alert.group.clone(),
            state: alert.state(),
            severity: alert.severity,
            fired_at: alert.fired_at,
            resolved_at: alert.resolved_at,
            silenced_until: silence.max().filter(|_| alert.resolved_at.is_none()),
            incident: alert.incident.clone(),
            fingerprint: alert.fingerprint(),
            evidence: alert.evidence.clone(),
            told: None,
        }
    }
}

/// A silence.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SilenceView {
    /// Its number in this store.
    pub number: i64,
    /// The rule; `None`: every rule.
    pub rule: Option<String>,
    /// The values that an alert's group must have.
    pub group: Group,
    /// Why.
    pub reason: Untrusted,
    /// Who asked for it.
    pub by: Untrusted,
    /// From.
    pub from: Timestamp,
    /// To.
    pub until: Timestamp,
}

/// Alerts that are out, and with `all` those that are over, newest first.
pub fn alerts(ctx: &Ctx, all: bool) -> Result<Vec<AlertView>> {
    let now = ctx.clock.now();
    let silences = ctx.store.silences(now)?;
    Ok(ctx.store.alerts(!all, MOST)?.iter().map(|one| AlertView::of(one, &silences, now)).collect())
}

/// One alert with what was told of it. `NotSo` when there is none of this name.
pub fn alert(ctx: &Ctx, name: &str) -> Result<AlertView> {
    let now = ctx.clock.now();
    let alert = ctx.store.alert(number(name)?)?;
    let told = ctx.store.told_of_alert(alert.number)?.into_iter().map(SentView::from).collect();
    Ok(AlertView { told: Some(told), ..AlertView::of(&alert, &ctx.store.silences(now)?, now) })
}

/// The number of `A-7` or `7`.
fn number(name: &str) -> Result<i64> {
    let word = name.trim();
    let digits = match word.get(..2) {
        Some(prefix) if prefix.eq_ignore_ascii_case("a-") => &word[2..],
        _ => word,
    };
    digits.parse().ok().filter(|number| *number > 0).ok_or_else(|| {
        Error::not_so(format!("“{name}” is not the name of an alert."))
            .hint("Name one as A-7 or 7; `tuesday alert list` shows them.")
    })
}

/// Keeps the alert that an incident was opened for from being told for so many milliseconds.
///
/// # Errors
/// `NotSo` when no alert belongs to the incident; those of [`silence`].
pub fn snooze(ctx: &Ctx, monitors: &Monitors, incident: &str, for_ms: i64) -> Result<SilenceView> {
    const ALERTS: usize = 500;
    let name = ctx.store.incident(&IncidentRef::parse(incident)?)?.incident.name();
    let own = ctx.store.alerts(false, ALERTS)?.into_iter().find(|one| one.incident.as_deref() == Some(&name));
    let alert = own.ok_or_else(|| Error::not_so(format!("No alert belongs to {name}: somebody saw it.")))?;
    silence(ctx, monitors, &alert.name(), for_ms, &format!("snoozed in {name}"))
}

/// Keeps alerts from being told for so many milliseconds: those of an alert's rule and group, or of a rule.
/// They are still looked at and shown. A silence needs a reason.
pub fn silence(ctx: &Ctx, monitors: &Monitors, of: &str, for_ms: i64, reason: &str) -> Result<SilenceView> {
    if reason.trim().is_empty() {
        return Err(Error::usage("A silence needs a reason.")
            .hint("Whoever comes after you wants to know why nobody was told: --reason TEXT."));
    }
    let (rule, group) = match number(of) {
        Ok(number) => {
            let alert = ctx.store.alert(number)?;
            (alert.rule, alert.group)
        }
        Err(_) => (rule(monitors, of)?.id.clone(), Group::new()),
    };
    let from = ctx.clock.now();
    let until = Timestamp::from_millisecond(from.as_millisecond().saturating_add(for_ms))
        .ok()
        .filter(|until| *until > from)
        .ok_or_else(|| Error::usage("A silence needs an end in the future.").hint("Write --for 2h."))?;
    let by = crate::ops::label::reviewer(ctx)?;
    let silence = Silence {
        number: 0,
        rule: Some(rule),
        group,
        reason: reason.trim().into(),
        by: by.into(),
        from,
        until,
    };
    let Silence { number, rule, group, reason, by, from, until } = ctx.store.add_silence(&silence)?;
    Ok(SilenceView { number, rule, group, reason, by, from, until })
}

/// Opens an incident for an alert, with the alert, its query and its traces in the record; the one that was
/// opened for it already, where there is one.
pub fn open_incident(ctx: &Ctx, name: &str, books: &Books) -> Result<IncidentView> {
    let alert = ctx.store.alert(number(name)?)?;
    if let Some(incident) = &alert.incident {
        return incident::show(ctx, incident);
    }
    let feature = alert.group.get("feature").cloned();
    let began = alert.evidence.window.map_or(alert.fired_at, |[from, _]| from.max(alert.fired_at - DAY));
    // A look is at a whole minute, which can be a little ahead.
    let began = began.min(ctx.clock.now());
    let opened = incident::open(
        ctx,
        OpenRequest {
            title: format!("{}: {}", alert.rule, headline(&alert.evidence)).into(),
            feature,
            began_at: Some(began),
            alert: Some((alert.rule.clone(), alert.evidence.metric.clone())),
            books: books.clone(),
            ..OpenRequest::default()
        },
    )?;
    let id = opened.head.id.clone();
    ctx.store.alert_has_incident(alert.number, &id)?;
    let raised = format!("Alert {} of the monitor {}: {}", alert.name(), alert.rule, alert.evidence.summary);
    let mut acts = vec![Act::Note { text: raised.into(), step: None }];
    if !alert.evidence.query.is_empty() {
        let query = alert.evidence.query.as_str().into();
        acts.push(Act::Attach { evidence: IncidentEvidence::Query { query } });
    }
    let opened = incident::acts(ctx, &id, acts, None)?;
    if alert.evidence.traces.is_empty() {
        return Ok(opened);
    }
    // Traces can have been deleted since: the incident is open all the same.
    Ok(incident::attach(ctx, &id, &alert.evidence.traces).unwrap_or(opened))
}

/// An incident is not taken to have begun longer before its alert.
const DAY: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);
