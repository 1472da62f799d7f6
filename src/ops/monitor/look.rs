//! One look of a rule at the figures, and the dispatch to the kinds of tests.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::instance::Instance;
use super::world::World;
use super::{money, quality, share, silence};
use crate::domain::monitor::{HOUR_MS, Life, Metric, Reading, Test};
use crate::stats::Usual;
use crate::store::Tally;

/// What a look saw.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Look {
    /// When.
    pub(super) at: i64,
    /// What it says.
    pub(super) reading: Reading,
    /// The window: from and to.
    pub(super) window: (i64, i64),
    /// The figure: a share, a ratio, US dollars, or expected requests.
    pub(super) value: Option<f64>,
    /// Its 95 % interval.
    pub(super) interval: Option<[f64; 2]>,
    /// What is usual, or allowed.
    pub(super) usual: Option<f64>,
    /// How many it is of.
    pub(super) n: u64,
    /// How many count against it.
    pub(super) count: Option<u64>,
    /// The probability of this or worse when nothing changed.
    pub(super) p_value: Option<f64>,
    /// What there is to say beside the figures.
    pub(super) note: String,
}

impl Look {
    /// A look at nothing.
    pub(super) fn nothing(at: i64, note: impl Into<String>) -> Self {
        Self {
            at,
            reading: Reading::Unknown,
            window: (at, at),
            value: None,
            interval: None,
            usual: None,
            n: 0,
            count: None,
            p_value: None,
            note: note.into(),
        }
    }
}

/// What is usual by window, which holds for an hour.
#[derive(Debug, Default)]
pub(super) struct Memory {
    hour: i64,
    bad_times: usize,
    pub(super) usual: RefCell<BTreeMap<i64, Option<Usual>>>,
}

impl Memory {
    /// Forgets what another hour, or another history of alerts, knew.
    pub(super) fn at(&mut self, at: i64, life: &Life) -> &Self {
        let (hour, bad_times) =
            (at.div_euclid(HOUR_MS), life.bad_times.len() + usize::from(life.fired_at.is_some()));
        if (self.hour, self.bad_times) != (hour, bad_times) {
            (self.hour, self.bad_times) = (hour, bad_times);
            self.usual.borrow_mut().clear();
        }
        self
    }
}

/// Looks at the figures of this time.
pub(super) fn look(of: &Instance<'_>, life: &Life, world: &World, at: i64, memory: &Memory) -> Look {
    match of.rule.test {
        Test::Share { .. } => share::look(of, life, world, at, memory),
        Test::Burn { objective } => share::burn(of, life, world, at, objective),
        Test::Cusum { .. } | Test::PageHinkley { .. } => quality::look(of, life, world, at),
        Test::Ratio { .. } => money::session(of, life, world, at),
        Test::Odd { z } => money::odd(of, life, world, at, z),
        Test::Budget { .. } => money::budget(of, life, world, at),
        Test::Silence { .. } => silence::look(of, life, world, at),
    }
}

/// What a metric counts of some traffic: how many, and how many against it.
pub(super) fn counted(of: &Instance<'_>, tally: &Tally) -> (u64, u64) {
    let whole = |n: i64| n.max(0).cast_unsigned();
    let (n, k) = match of.rule.metric {
        Metric::ErrorShare(_) => (tally.requests, of.kind.map_or(0, |kind| tally.errors[kind])),
        Metric::FallbackShare => (tally.requests, tally.fallbacks),
        // One request can draw several complaints; there are never more than requests.
        Metric::NegativeShare => (tally.requests, tally.negative.min(tally.requests)),
        Metric::SlowShare(_) => (tally.timed, tally.slow[of.limit]),
        _ => (tally.requests, 0),
    };
    (whole(n), whole(k))
}

/// Below what a figure is well again.
pub(super) fn below(of: &Instance<'_>, life: &Life) -> Option<f64> {
    let (value, usual) = life.alarm?;
    let Some(below) = of.rule.resolve.below else { return Some(f64::midpoint(value, usual)) };
    // What a rule says of its target is said of what was measured in its place, as far from it.
    Some(match (of.rule.test, of.apart) {
        (Test::Cusum { p0, p1, .. }, Some(apart)) => apart.as_far(below, (p0, p1)),
        _ => below,
    })
}
