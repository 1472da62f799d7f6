//! Silence: a gap in which requests were to be expected, by the same hours of the weeks before.

use super::instance::{Instance, MONTH_DAYS};
use super::look::Look;
use super::tape::Tape;
use super::world::World;
use crate::domain::monitor::{Baseline, DAY_MS, HOUR_MS, Life, Reading};
use crate::text::figures::duration;

/// Hours in a week.
const WEEK: i64 = 168;
/// How much traffic comes in bursts, where it is not known: sessions have several requests.
const BURSTS: f64 = 3.0;

/// How many requests, counted as if none knew of another, were expected since the last one.
pub(super) fn look(of: &Instance<'_>, life: &Life, world: &World, at: i64) -> Look {
    let tape = world.tape(&of.cut);
    let at = at.min(world.clock);
    let weeks = if let Baseline::SameHour(weeks) = of.rule.baseline { i64::from(weeks) } else { 4 };
    let Some(last) = tape.last_request(at) else { return Look::nothing(at, "no requests in four weeks") };
    let usual = Weekly::of(tape, at, weeks);
    let Some(expected) = usual.expected(last, at) else {
        return Look::nothing(at, "learning how much traffic is usual");
    };
    let requests = tape.sum(at - HOUR_MS, at).requests.max(0).cast_unsigned();
    let reading = match () {
        () if expected >= of.expected => Reading::Bad,
        () if life.is_out() && expected > of.expected / 4.0 => Reading::Between,
        () => Reading::Clear,
    };
    let gap = duration((at - last) as f64);
    let note = if at > last { format!("silent for {gap}") } else { String::new() };
    Look {
        reading,
        window: (last, at),
        value: Some(expected),
        usual: Some(of.expected),
        n: requests,
        p_value: Some((-expected).exp()),
        ..Look::nothing(at, note)
    }
}

/// The traffic of an hour by the same hour of the weeks before.
struct Weekly<'a> {
    tape: &'a Tape,
    /// The hour of the look: what is after it is not known.
    hour: i64,
    weeks: i64,
    began: i64,
    bursts: f64,
}

impl<'a> Weekly<'a> {
    fn of(tape: &'a Tape, at: i64, weeks: i64) -> Self {
        let hour = at.div_euclid(HOUR_MS);
        // The first hour began before it was recorded whole.
        let began = tape.began().map_or(hour, |hour| hour + 1);
        let mut of = Self { tape, hour, weeks, began, bursts: BURSTS };
        of.bursts = of.dispersion().unwrap_or(BURSTS);
        of
    }

    /// The mean of the same hour of the weeks before; of the days before in a store's first week.
    fn mean(&self, hour: i64) -> Option<f64> {
        let mean = |step: i64, most: i64| {
            let hours =
                (1..=most).map(|n| hour - n * step).filter(|hour| *hour >= self.began && *hour < self.hour);
            let seen: Vec<i64> = hours.map(|hour| self.tape.hours(hour, hour + 1).requests).collect();
            (!seen.is_empty()).then(|| seen.iter().sum::<i64>() as f64 / seen.len() as f64)
        };
        mean(WEEK, self.weeks).or_else(|| mean(24, 7))
    }

    /// Expected requests of a time, as if they came one by one: bursts count as one.
    fn expected(&self, from: i64, to: i64) -> Option<f64> {
        let mut sum = 0.0;
        let mut at = from;
        while at < to {
            let hour = at.div_euclid(HOUR_MS);
            let end = ((hour + 1) * HOUR_MS).min(to);
            sum += self.mean(hour)? * (end - at) as f64 / HOUR_MS as f64;
            at = end;
        }
        Some(sum / self.bursts)
    }

    /// How much more the hours vary than single requests would: Pearson's statistic of each hour of the week
    /// over its weeks.
    fn dispersion(&self) -> Option<f64> {
        let (mut sum, mut freedom) = (0.0, 0.0);
        for hour in self.hour - WEEK..self.hour {
            let seen: Vec<f64> = (0..self.weeks)
                .map(|week| hour - week * WEEK)
                .filter(|hour| *hour >= self.began)
                .map(|hour| self.tape.hours(hour, hour + 1).requests as f64)
                .collect();
            let mean = seen.iter().sum::<f64>() / seen.len().max(1) as f64;
            if seen.len() > 1 && mean > 0.0 {
                sum += seen.iter().map(|n| (n - mean).powi(2) / mean).sum::<f64>();
                freedom += seen.len() as f64 - 1.0;
            }
        }
        (freedom > 0.0).then(|| (sum / freedom).clamp(1.0, 50.0))
    }
}

/// Gaps of a month that could be a silence: requests, of which a burst counts as one.
pub(super) fn events_a_month(world: &World, feature: Option<i64>) -> f64 {
    let tape = world.tape(&feature.into());
    let hour = world.now.div_euclid(HOUR_MS);
    let days = (hour - tape.began().unwrap_or(hour)).clamp(1, 28 * 24) as f64 / 24.0;
    let requests = tape.hours(hour - (28 * DAY_MS / HOUR_MS), hour).requests as f64;
    requests / days * MONTH_DAYS / Weekly::of(tape, world.now, 4).bursts
}
