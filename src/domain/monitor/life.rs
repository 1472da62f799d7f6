//! The life of an alert: `ok → pending → firing → resolving → ok`, with `no data` and `paused` beside it.

use serde::{Deserialize, Serialize};

use super::Rule;
use crate::domain::Judge;

/// What a look at the figures said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// The test is met.
    Bad,
    /// Neither bad nor well enough to be over.
    Between,
    /// Well.
    Clear,
    /// There was nothing to look at: never well, never bad.
    Unknown,
}

/// Where a rule is in its life, data or not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// All is well.
    #[default]
    Ok,
    /// Bad, not yet for long enough.
    Pending,
    /// Bad: an alert is out.
    Firing,
    /// Well again, not yet for long enough.
    Resolving,
}

/// The state that people see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, PartialOrd, Ord)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// All is well.
    Ok,
    /// There is nothing to look at.
    NoData,
    /// It cannot tell: something that it depends on has changed.
    Paused,
    /// Bad, not yet for long enough.
    Pending,
    /// Well again, not yet for long enough.
    Resolving,
    /// An alert is out.
    Firing,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Ok, Self::Paused, Self::NoData, Self::Pending, Self::Resolving, Self::Firing];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Paused => "paused",
            Self::NoData => "no data",
            Self::Pending => "pending",
            Self::Resolving => "resolving",
            Self::Firing => "firing",
        }
    }
}

/// One rule on one group: what is remembered between two looks. Times in milliseconds since the epoch.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Life {
    /// Where it is.
    pub phase: Phase,
    /// Since when.
    pub since: i64,
    /// The last look.
    pub looked_at: i64,
    /// The last look had nothing to look at.
    pub no_data: bool,
    /// Why it is paused, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<String>,
    /// Since when it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused_at: Option<i64>,
    /// Of a rule that is pinned to its judges: those whose words count.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub judges: Vec<Judge>,
    /// The share of failures that is well with them, where it was measured; else the target of the rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<f64>,
    /// The last resumption that was taken: its place in the record.
    #[serde(default)]
    pub resumed: i64,
    /// When the alert that is out was raised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fired_at: Option<i64>,
    /// The least that the value at the alarm may have been, and the usual one then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alarm: Option<(f64, f64)>,
    /// Where the window of the alarm began.
    #[serde(default)]
    pub alarm_from: i64,
    /// Windows begin no earlier: what was over before is not counted again.
    #[serde(default)]
    pub clean_from: i64,
    /// Times of alerts, from and to: they are no part of what is usual.
    #[serde(default)]
    pub bad_times: Vec<(i64, i64)>,
}

/// What a look changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// An alert is raised.
    Fired,
    /// It is over.
    Resolved,
}

/// Times of alerts older than this are forgotten: four weeks and a window.
const FORGET_MS: i64 = 30 * super::DAY_MS;

impl Life {
    /// The state that people see.
    pub fn state(&self) -> State {
        match self.phase {
            _ if self.paused.is_some() => State::Paused,
            Phase::Firing => State::Firing,
            Phase::Resolving => State::Resolving,
            _ if self.no_data => State::NoData,
            Phase::Pending => State::Pending,
            Phase::Ok => State::Ok,
        }
    }

    /// Whether an alert is out.
    pub fn is_out(&self) -> bool {
        matches!(self.phase, Phase::Firing | Phase::Resolving)
    }

    /// Takes a look's reading at this time. `began` is where the window that was read begins: when all is well
    /// in it, nothing before it is counted again.
    pub fn look(&mut self, rule: &Rule, at: i64, reading: Reading, began: i64) -> Option<Turn> {
        self.looked_at = at;
        self.no_data = reading == Reading::Unknown;
        match (self.phase, reading) {
            (Phase::Ok, Reading::Bad) => {
                self.enter(Phase::Pending, at);
                self.hold_to_fire(rule, at)
            }
            (Phase::Pending, Reading::Bad) => self.hold_to_fire(rule, at),
            (Phase::Pending, Reading::Between | Reading::Clear) => {
                self.enter(Phase::Ok, at);
                None
            }
            (Phase::Firing, Reading::Clear) => {
                self.enter(Phase::Resolving, at);
                self.clean_from = self.clean_from.max(began);
                self.hold_to_resolve(rule, at)
            }
            (Phase::Resolving, Reading::Clear) => self.hold_to_resolve(rule, at),
            // Whatever is not well ends the hold; silence proves nothing.
            (Phase::Resolving, _) => {
                self.enter(Phase::Firing, at);
                None
            }
            _ => None,
        }
    }

    /// Stops looking, for this reason.
    pub fn pause(&mut self, at: i64, why: String) {
        self.paused_at.get_or_insert(at);
        self.paused = Some(why);
    }

    /// Looks again.
    pub fn unpause(&mut self) {
        (self.paused, self.paused_at) = (None, None);
    }

    fn enter(&mut self, phase: Phase, at: i64) {
        (self.phase, self.since) = (phase, at);
    }

    fn hold_to_fire(&mut self, rule: &Rule, at: i64) -> Option<Turn> {
        if at - self.since < rule.hold_before {
            return None;
        }
        self.enter(Phase::Firing, at);
        self.fired_at = Some(at);
        Some(Turn::Fired)
    }

    fn hold_to_resolve(&mut self, rule: &Rule, at: i64) -> Option<Turn> {
        if at - self.since < rule.resolve.hold {
            return None;
        }
        let from = self.fired_at.take().unwrap_or(self.since) - rule.longest();
        self.bad_times.retain(|(_, to)| *to > at - FORGET_MS);
        self.bad_times.push((from, self.since));
        self.alarm = None;
        self.enter(Phase::Ok, at);
        Some(Turn::Resolved)
    }

    /// Whether a time belongs to an alert, and so to nothing usual. What was bad before the alarm, within the
    /// window that raised it, belongs to it too.
    pub fn is_bad_time(&self, at: i64, longest: i64) -> bool {
        self.fired_at.is_some_and(|from| at >= from - longest)
            || self.bad_times.iter().any(|(from, to)| (*from..*to).contains(&at))
    }
}
