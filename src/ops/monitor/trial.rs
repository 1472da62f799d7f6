//! The rules on made-up traffic: how often they are wrong in quiet months, and how soon they see a fault.
//!
//! Traffic has hours of day, sessions that come in bursts, and failures that clump within an hour. All is drawn
//! from a seed.

use std::collections::BTreeMap;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::fold::live;
use super::instance::instances;
use super::tape::{FINE_MS, Tape};
use super::world::{Reach, World};
use crate::domain::monitor::{DAY_MS, HOUR_MS, Life, Metric, Monitors, Rule, Turn, Urgency};
use crate::stats::Cusum;
use crate::store::{JudgedSet, Tally};

/// Days of history before the month.
const BEFORE_DAYS: i64 = 29;
/// When the month begins: a Monday, in milliseconds since the epoch.
const BEGIN: i64 = 20_000 * DAY_MS + 4 * DAY_MS;
/// Requests of a session, on average.
const SESSION: f64 = 3.0;
/// How much an hour's rates differ from what they are on average: standard deviation of the logarithm.
const CLUMPING: f64 = 0.3;

/// Rates of a healthy feature.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Health {
    /// Requests in an hour, on average.
    pub an_hour: f64,
    /// Share that times out; rate limits and refusals are a third of it.
    pub timeouts: f64,
    /// Share with a complaint.
    pub negative: f64,
    /// Share that a fallback answers.
    pub fallbacks: f64,
    /// Share over three seconds.
    pub slow: f64,
}

impl Health {
    /// That of a support bot with so many requests an hour.
    pub fn usual(an_hour: f64) -> Self {
        Self { an_hour, timeouts: 0.01, negative: 0.035, fallbacks: 0.02, slow: 0.024 }
    }
}

/// False pages in a month of a healthy feature. Rules whose data it does not make (judged traces, sessions,
/// spending) are left out, and the knob is divided among the others.
pub fn quiet_month(health: Health, knob: f64, seed: u64) -> usize {
    let monitors = only(knob, |rule| {
        !matches!(rule.metric, Metric::FailShare | Metric::SessionCost | Metric::RequestCost | Metric::Spend)
    });
    let world = make(health, 30, seed, |_, health| *health);
    let mut pages = 0;
    for of in instances(&monitors, &world) {
        if of.severity == Urgency::Page {
            let (events, _) = live(&of, &mut Life::default(), &world);
            pages += events.iter().filter(|event| event.turn == Turn::Fired).count();
        }
    }
    pages
}

/// Minutes from the beginning of a fault to its alert; `None`: not within two days. Only the rules on this
/// metric look, with their share of the knob among all.
pub fn delay(health: Health, ill: Health, metric: &str, knob: f64, seed: u64) -> Option<i64> {
    let monitors = only(knob, |rule| {
        !matches!(rule.metric, Metric::FailShare | Metric::SessionCost | Metric::RequestCost | Metric::Spend)
    });
    // At ten in the morning of the third day.
    let from = BEGIN + 2 * DAY_MS + 10 * HOUR_MS;
    let world = make(health, 4, seed, |at, health| if at >= from { ill } else { *health });
    let mut first = None;
    for of in instances(&monitors, &world).iter().filter(|of| of.rule.metric.name() == metric) {
        let (events, _) = live(of, &mut Life::default(), &world);
        let fired = events.iter().find(|event| event.turn == Turn::Fired && event.look.at > from);
        let at = fired.map(|event| (event.look.at - from) / 60_000);
        first = [first, at].into_iter().flatten().min();
    }
    first
}

/// Judgements that it takes to see a share of 15 % where 10 % is well, when the chart may be wrong so many times
/// a month at 100 judgements a day.
pub fn judgements(pages: f64) -> Option<f64> {
    let chart = Cusum::design(0.10, 0.15, 100.0 * 30.0 / pages)?;
    Some(chart.run_length(0.15))
}

fn only(knob: f64, wanted: impl Fn(&Rule) -> bool) -> Monitors {
    let all = Monitors::default();
    let rules = all.rules.into_iter().filter(wanted).collect();
    Monitors { false_pages_per_month: knob, rules, ..Monitors::default() }
}

/// Traffic of a feature: the days before the month and so many of it.
fn make(health: Health, days: i64, seed: u64, of: impl Fn(i64, &Health) -> Health) -> World {
    let mut dice = Dice(ChaCha8Rng::seed_from_u64(seed));
    let first = (BEGIN - BEFORE_DAYS * DAY_MS).div_euclid(HOUR_MS);
    let end = (BEGIN + days * DAY_MS).div_euclid(HOUR_MS);
    let mut hours = Vec::new();
    let mut parts: Vec<(i64, Tally)> = Vec::new();
    for hour in first..end {
        let drift: [f64; 6] =
            std::array::from_fn(|_| (CLUMPING * dice.normal() - CLUMPING * CLUMPING / 2.0).exp());
        let mut sum = Tally::default();
        for part in 0..12 {
            let at = hour * HOUR_MS + part * FINE_MS;
            let tally = dice.five_minutes(at, &of(at, &health), &drift);
            sum.add(&tally);
            if at >= BEGIN - DAY_MS {
                parts.push((at / FINE_MS, tally));
            }
        }
        hours.push(sum);
    }
    let mut tape = Tape::new(&hours, first);
    for (five, tally) in &parts {
        tape.take_part(*five, tally);
    }
    World {
        now: end * HOUR_MS,
        clock: end * HOUR_MS,
        tapes: BTreeMap::from([(1, tape.clone())]),
        all: tape,
        parts: BTreeMap::new(),
        names: BTreeMap::from([(1, "bench".into())]),
        limits: vec![3_000],
        sessions: Vec::new(),
        judged: JudgedSet::default(),
        reach: Reach::Every(BEGIN),
    }
}

struct Dice(ChaCha8Rng);

impl Dice {
    fn uniform(&mut self) -> f64 {
        self.0.random::<f64>()
    }

    /// Box and Muller.
    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// By counting exponential gaps; the means here are small.
    fn poisson(&mut self, mean: f64) -> i64 {
        let (limit, mut product, mut n) = ((-mean).exp(), self.uniform(), 0);
        while product > limit {
            product *= self.uniform();
            n += 1;
        }
        n
    }

    fn share(&mut self, n: i64, p: f64) -> i64 {
        (0..n).filter(|_| self.uniform() < p).count() as i64
    }

    fn five_minutes(&mut self, at: i64, health: &Health, drift: &[f64; 6]) -> Tally {
        // Nights are a third as busy as days.
        let hour = at.rem_euclid(DAY_MS) as f64 / HOUR_MS as f64;
        let of_day = 1.0 - 0.5 * ((hour - 2.0) / 24.0 * std::f64::consts::TAU).cos();
        let sessions = self.poisson(health.an_hour * of_day / 12.0 / SESSION);
        let n = (0..sessions).map(|_| 1 + self.poisson(SESSION - 1.0)).sum::<i64>();
        let mut draw = |p: f64, at: usize| self.share(n, (p * drift[at]).min(1.0));
        let errors =
            [draw(health.timeouts, 0), draw(health.timeouts / 3.0, 1), draw(health.timeouts / 3.0, 2), 0];
        Tally {
            requests: n,
            errors,
            negative: draw(health.negative, 3),
            fallbacks: draw(health.fallbacks, 4),
            timed: n,
            slow: [draw(health.slow, 5), 0, 0, 0],
            ..Tally::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_months_are_quiet_and_faults_are_seen() {
        let usual = Health::usual(60.0);
        let pages: usize = (0..4).map(|seed| quiet_month(usual, 1.0, seed)).sum();
        assert!(pages <= 6, "{pages} false pages in four months, where one a month is allowed");
        let ill = Health { timeouts: 0.30, ..usual };
        let seen = delay(usual, ill, "error_share", 1.0, 1).unwrap();
        assert!(seen <= 90, "after {seen} minutes");
    }
}
