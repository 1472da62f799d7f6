//! Who is told what: receivers of a rule, silence, inhibition, and the outbox.

use jiff::Timestamp;
use serde::Serialize;

use super::instance::SEVERITY;
use super::view::group_words;
use crate::domain::monitor::{
    Alert, Delivery, Group, Message, Monitors, Receiver, Rule, Silence, Urgency, What, feature_of,
};
use crate::domain::{Result, Untrusted};
use crate::ops::Ctx;
use crate::store::{Outgoing, Sent};

/// A receiver of a rule, and what came of the last test.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReceiverView {
    /// Its name.
    pub receiver: String,
    /// Its kind.
    pub kind: String,
    /// The last test, if there was one.
    pub test: Option<SentView>,
}

/// A message and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SentView {
    /// The receiver.
    pub receiver: String,
    /// Its kind.
    pub kind: String,
    /// Why it was sent.
    pub what: What,
    /// How it stands.
    pub state: Delivery,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was written.
    pub at: Timestamp,
    /// When it was settled.
    pub ended_at: Option<Timestamp>,
    /// The HTTP status or exit code of the last answer.
    pub status: Option<i64>,
    /// The first words of it, or why there was none.
    pub answer: Option<Untrusted>,
}

impl From<Sent> for SentView {
    fn from(sent: Sent) -> Self {
        let Sent { seq: _, receiver, kind, what, state, attempts, at, ended_at, status, answer } = sent;
        Self { receiver, kind, what, state, attempts, at, ended_at, status, answer }
    }
}

/// Receivers of a rule.
pub(super) fn of_rule<'m>(monitors: &'m Monitors, rule: &Rule) -> impl Iterator<Item = &'m Receiver> {
    let named = rule.notify.clone();
    monitors.receivers.iter().filter(move |one| named.is_empty() || named.contains(&one.name))
}

/// Receivers of a rule with their last tests.
pub(super) fn receivers(ctx: &Ctx, monitors: &Monitors, rule: &Rule) -> Result<Vec<ReceiverView>> {
    let mut tests = ctx.store.tests_of_rule(&rule.id)?;
    Ok(of_rule(monitors, rule)
        .map(|receiver| {
            let at = tests.iter().position(|test| test.receiver == receiver.name);
            ReceiverView {
                receiver: receiver.name.clone(),
                kind: receiver.kind.name().to_owned(),
                test: at.map(|at| tests.remove(at).into()),
            }
        })
        .collect())
}

/// What keeps alerts from being told.
pub(super) struct Hush<'a> {
    pub(super) monitors: &'a Monitors,
    pub(super) silences: Vec<Silence>,
    /// Rules and groups whose alert is out.
    pub(super) out: Vec<(String, Group)>,
    pub(super) now: Timestamp,
}

impl Hush<'_> {
    /// Whether nobody is to be told of an alert now: it is silenced, or explained by another one.
    pub(super) fn keeps(&self, alert: &Alert) -> bool {
        let silenced = self.silences.iter().any(|one| one.covers(&alert.rule, &alert.group, self.now));
        silenced || self.inhibited(alert)
    }

    fn inhibited(&self, alert: &Alert) -> bool {
        let Some(rule) = self.monitors.rules.iter().find(|rule| rule.id == alert.rule) else { return false };
        self.out.iter().any(|(other, group)| {
            let same = group.get("feature") == alert.group.get("feature");
            let level = |of: &Group| of.get(SEVERITY).map(|level| level.raw().to_owned());
            // Who was woken needs no ticket for the same.
            let woken = level(&alert.group).is_some_and(|mine| mine == Urgency::Ticket.name())
                && level(group).is_some_and(|theirs| theirs == Urgency::Page.name());
            same && if *other == alert.rule { woken } else { rule.inhibited_by.contains(other) }
        })
    }

    /// The messages about an alert, one a receiver.
    pub(super) fn messages(&self, alert: &Alert, what: What) -> Vec<Outgoing> {
        let Some(rule) = self.monitors.rules.iter().find(|rule| rule.id == alert.rule) else {
            return Vec::new();
        };
        of_rule(self.monitors, rule)
            .map(|receiver| Outgoing {
                alert: Some(alert.number),
                receiver: receiver.name.clone(),
                kind: receiver.kind.name(),
                group: match receiver.kind.is_told_alone() {
                    true => alert.fingerprint().0,
                    false => group_words(&feature_of(&alert.group)),
                },
                grouping: self.monitors.grouping,
                message: Message::of(alert, what, rule.runbook.as_deref()),
            })
            .collect()
    }
}
