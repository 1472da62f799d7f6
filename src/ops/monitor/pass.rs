//! A pass of the one who watches: every rule brought up to now, what was found kept, what is to be told put
//! into the outbox. Two who watch one store share a lease: one of them does it.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::advance::advance;
use super::alerts::AlertView;
use super::tell::Hush;
use crate::domain::Result;
use crate::domain::monitor::{Alert, Group, Monitors, ReceiverKind, What, feature_of};
use crate::ops::Ctx;
use crate::store::Outgoing;

/// The lease's name.
const LEASE: &str = "monitors";
/// How long a watcher that does not come again keeps the lease.
const LEASE_TIME: SignedDuration = SignedDuration::from_secs(60);

/// The name of the sign that somebody sends alerts, and who gives it: whoever watches and tells.
const SENDING: &str = "sending";
const TELLS: &str = "watch";
/// How long the sign of a look at a time stands: whatever runs it again does so within that.
const ONCE_TIME: SignedDuration = SignedDuration::from_hours(1);

/// One who watches.
#[derive(Debug, Clone)]
pub struct Watcher(String);

impl Default for Watcher {
    fn default() -> Self {
        Self(uuid::Uuid::now_v7().to_string())
    }
}

/// What to say where there are receivers and nobody sends to them: no `watch` or `serve` runs, and none looked once in
/// the last hour. The open program sends nothing.
pub(super) fn nobody_sends(ctx: &Ctx, monitors: &Monitors) -> Result<Option<String>> {
    let quiet = !monitors.receivers.is_empty() && !ctx.store.is_leased(SENDING, ctx.clock.now())?;
    Ok(quiet.then(|| "No receiver is told now: neither tuesday watch nor tuesday serve runs.".to_owned()))
}

impl Watcher {
    /// Takes or keeps the lease. `false`: another program watches this store.
    pub fn holds(&self, ctx: &Ctx) -> Result<bool> {
        let now = ctx.clock.now();
        let until = now.checked_add(LEASE_TIME).unwrap_or(now);
        ctx.store.take_lease(LEASE, &self.0, now, until)
    }

    /// Lets the next one watch at once.
    pub fn leaves(&self, ctx: &Ctx) -> Result<()> {
        ctx.store.drop_lease(LEASE, &self.0)
    }

    /// Gives the sign that this one sends too.
    pub(super) fn sends(&self, ctx: &Ctx) -> Result<()> {
        Self::signs(ctx, LEASE_TIME)
    }

    /// Takes the sign back.
    pub(super) fn sends_no_more(&self, ctx: &Ctx) -> Result<()> {
        ctx.store.drop_lease(SENDING, TELLS)
    }

    /// Gives the sign of one who looks once, and again before long.
    pub fn sent_once(&self, ctx: &Ctx) -> Result<()> {
        Self::signs(ctx, ONCE_TIME)
    }

    fn signs(ctx: &Ctx, time: SignedDuration) -> Result<()> {
        let now = ctx.clock.now();
        ctx.store.take_lease(SENDING, TELLS, now, now.checked_add(time).unwrap_or(now)).map(drop)
    }
}

/// What a pass found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PassView {
    /// When.
    pub at: Timestamp,
    /// How long the looks took, in milliseconds.
    pub took_ms: f64,
    /// Rules on groups that were looked at.
    pub looked_at: usize,
    /// Alerts that were raised.
    pub fired: Vec<AlertView>,
    /// Alerts that are over.
    pub resolved: Vec<AlertView>,
    /// Alerts that are out.
    pub firing: usize,
    /// Messages that were put into the outbox.
    pub messages: usize,
}

/// Looks, keeps, and fills the outbox. The caller holds the lease.
pub fn pass(ctx: &Ctx, monitors: &Monitors) -> Result<PassView> {
    let now = ctx.clock.now();
    let began = std::time::Instant::now();
    let advanced = advance(ctx, monitors)?;
    let took_ms = began.elapsed().as_secs_f64() * 1e3;
    let write = advanced.write;
    let before = ctx.store.alerts(true, usize::MAX >> 1)?;
    let raised = write.fired.iter().filter(|one| one.resolved_at.is_none());
    let out = before.iter().map(|one| (one.rule.clone(), one.group.clone()));
    let out = out.chain(raised.map(|one| (one.rule.clone(), one.group.clone()))).collect();
    let hush = Hush { monitors, silences: ctx.store.silences(now)?, out, now };
    let mut told = Vec::new();
    for alert in &before {
        if let Some(at) = ctx.store.last_told(alert.number)? {
            told.push((alert.number, at));
        }
    }
    let last_told =
        |alert: &Alert| told.iter().find(|(number, _)| *number == alert.number).map(|(_, at)| *at);
    let (changed, mut messages) = ctx.store.keep_pass(&write, now, |alert, raised| {
        match (raised, last_told(alert)) {
            (true, _) if !hush.keeps(alert) => hush.messages(alert, What::Firing),
            // Whoever was told that it is out is told that it is over.
            (false, Some(_)) => hush.messages(alert, What::Resolved),
            _ => Vec::new(),
        }
    })?;
    let (resolved, fired): (Vec<Alert>, Vec<Alert>) =
        changed.into_iter().partition(|one| one.resolved_at.is_some());
    let over = |alert: &Alert| resolved.iter().any(|one| one.number == alert.number);
    // What is hushed since it was put into a message that waits is not told.
    let hushed = before.iter().filter(|alert| hush.keeps(alert)).map(|alert| alert.number);
    ctx.store.withdraw(&hushed.collect::<Vec<_>>(), now)?;
    let loud: Vec<&Alert> = before.iter().filter(|alert| !over(alert) && !hush.keeps(alert)).collect();
    let is_due = |alert: &Alert| {
        let rule = monitors.rules.iter().find(|rule| rule.id == alert.rule);
        let since = last_told(alert).map(|at| now.as_millisecond() - at.as_millisecond());
        rule.zip(since).is_some_and(|(rule, since)| since >= rule.repeat)
    };
    // Of a group all that is out is said again at once.
    let due: Vec<Group> = loud.iter().filter(|one| is_due(one)).map(|one| feature_of(&one.group)).collect();
    let mut again: Vec<Outgoing> = Vec::new();
    for alert in loud {
        match last_told(alert) {
            // It was raised in silence, and the silence is over.
            None => again.extend(hush.messages(alert, What::Firing)),
            Some(_) if due.contains(&feature_of(&alert.group)) => {
                again.extend(hush.messages(alert, What::Repeat));
            }
            Some(_) => {}
        }
    }
    if !again.is_empty() {
        messages.extend(ctx.store.post(&again, now)?);
    }
    let knows_repeats: Vec<&str> = monitors
        .receivers
        .iter()
        .map(|one| &one.kind)
        .filter(|kind| kind.knows_repeats())
        .map(ReceiverKind::name)
        .collect();
    ctx.store.recover_outbox(&knows_repeats, now)?;
    let firing = before.iter().filter(|one| !over(one)).count() + fired.len();
    Ok(PassView {
        at: now,
        took_ms,
        looked_at: advanced.all.len(),
        fired: fired.iter().map(|one| AlertView::of(one, &hush.silences, now)).collect(),
        resolved: resolved.iter().map(|one| AlertView::of(one, &hush.silences, now)).collect(),
        firing,
        messages: messages.len(),
    })
}
