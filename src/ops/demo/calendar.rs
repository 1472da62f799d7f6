//! The 28 days of the demo: how much traffic each hour has, when `v4` ships, when the provider refuses
//! for volume, how slow the drifting model has become. All of it is counted back from "now".

use jiff::{Timestamp, tz::TimeZone};

use super::truth::Version;

/// Hours in the demo.
pub const HOURS: u64 = 28 * 24;
const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// The roll-out of `v4`, in the third week: hours before now, and the share that it has from then on.
/// It starts at the end of the week, so that "the same day last week" is still nearly all `v3`.
const ROLL_OUT: [(f64, f64); 4] = [(174.0, 0.10), (168.0, 0.30), (160.0, 0.60), (150.0, 1.0)];

/// The model that gets slower, from ten days before now on.
pub const DRIFTING_MODEL: &str = "claude-3-5-haiku";
const DRIFT_DAYS: f64 = 10.0;
/// By how much of its usual latency it is slower now.
const DRIFT_BY: f64 = 0.9;

/// The model whose provider refuses for volume, for two hours three days before now.
pub const BURST_MODEL: &str = "gpt-4o";
const BURST_DAYS_AGO: i64 = 3;
const BURST_HOUR: i64 = 13;
const BURST_HOURS: i64 = 2;

/// Traffic by hour of the day (UTC), Monday to Friday.
const WEEKDAY: [f64; 24] = [
    1.2, 0.8, 0.6, 0.5, 0.6, 1.1, 2.2, 4.1, 5.9, 6.8, 7.0, 6.7, 6.9, 6.5, 6.0, 5.8, 6.0, 6.6, 6.9, 6.3, 5.2,
    4.0, 2.9, 1.9,
];
/// Share of a weekday's traffic, Monday to Sunday.
const DAYS: [f64; 7] = [1.12, 1.04, 1.0, 1.0, 1.06, 0.72, 0.58];

/// What happens when.
pub struct Calendar {
    now_ms: i64,
    /// Traces before the end of each hour.
    until: Vec<u64>,
    burst: (i64, i64),
    /// Nothing of the story happens: one version, no refusals, no model that gets slower.
    quiet: bool,
}

impl Calendar {
    /// Spreads this many traces over the 28 days before now.
    pub fn new(now: Timestamp, traces: u64) -> Self {
        let now_ms = now.as_millisecond();
        let start = now_ms - HOURS as i64 * HOUR_MS;
        let weights: Vec<f64> = (0..HOURS as i64)
            .map(|hour| {
                let middle = start + hour * HOUR_MS + HOUR_MS / 2;
                let weekend = weekday(middle) >= 5;
                let of_day = WEEKDAY[(middle.rem_euclid(DAY_MS) / HOUR_MS) as usize];
                // Weekends start late and are flat.
                let of_day = if weekend { 0.5 * of_day + 2.2 } else { of_day };
                of_day * DAYS[weekday(middle)] * (1.0 + 0.003 * hour as f64 / 24.0)
            })
            .collect();
        let total: f64 = weights.iter().sum();
        let mut sum = 0.0;
        let mut until: Vec<u64> = weights
            .iter()
            .map(|weight| {
                sum += weight;
                (sum / total * traces as f64).round() as u64
            })
            .collect();
        // "Now" must have somebody in it, however small the demo and whatever the hour.
        let last = until.len() - 1;
        until[last] = traces;
        until[last - 1] = until[last - 1].min(traces.saturating_sub(1));
        for hour in (0..last - 1).rev() {
            until[hour] = until[hour].min(until[hour + 1]);
        }
        let burst_day = now_ms.div_euclid(DAY_MS) - BURST_DAYS_AGO;
        let burst = burst_day * DAY_MS + BURST_HOUR * HOUR_MS;
        Self { now_ms, until, burst: (burst, burst + BURST_HOURS * HOUR_MS), quiet: false }
    }

    /// So many traces in each hour of the 28 days before now, day and night, and nothing that happens to them.
    pub fn quiet(now: Timestamp, an_hour: impl Fn(u64) -> u64) -> Self {
        let mut sum = 0;
        let until = (0..HOURS).map(|hour| {
            sum += an_hour(hour);
            sum
        });
        Self { now_ms: now.as_millisecond(), until: until.collect(), burst: (0, 0), quiet: true }
    }

    /// Milliseconds since the epoch of the end of the demo.
    pub fn now_ms(&self) -> i64 {
        self.now_ms
    }

    /// When this hour begins.
    pub fn hour_start_ms(&self, hour: u64) -> i64 {
        self.now_ms - (HOURS - hour) as i64 * HOUR_MS
    }

    /// How many traces belong to sessions that begin in this hour.
    pub fn quota(&self, hour: u64) -> u64 {
        let at = hour as usize;
        self.until[at] - if at == 0 { 0 } else { self.until[at - 1] }
    }

    /// How many traces there are in all.
    pub fn traces(&self) -> u64 {
        self.until.last().copied().unwrap_or(0)
    }

    /// The share of sessions that get `v4` at this time.
    pub fn v4_share(&self, at_ms: i64) -> f64 {
        if self.quiet {
            return 0.0;
        }
        let hours_ago = self.days_ago(at_ms) * 24.0;
        ROLL_OUT.iter().rev().find(|(from, _)| hours_ago <= *from).map_or(0.0, |(_, share)| *share)
    }

    /// Whether `v3` and `v4` are both in use.
    pub fn rolling_out(&self, at_ms: i64) -> bool {
        let share = self.v4_share(at_ms);
        share > 0.0 && share < 1.0
    }

    /// Whether the experiment on greetings runs, in the second week.
    pub fn greeting_experiment(&self, at_ms: i64) -> bool {
        !self.quiet && (14.0..19.0).contains(&self.days_ago(at_ms))
    }

    /// The version that a session of the support bot gets, for a uniform draw.
    pub fn version(&self, at_ms: i64, draw: f64) -> Version {
        if draw < self.v4_share(at_ms) { Version::V4 } else { Version::V3 }
    }

    /// By what the drifting model's latency is multiplied.
    pub fn drift(&self, at_ms: i64) -> f64 {
        if self.quiet {
            return 1.0;
        }
        1.0 + DRIFT_BY * (1.0 - self.days_ago(at_ms) / DRIFT_DAYS).clamp(0.0, 1.0)
    }

    /// When the provider refuses for volume: from, to.
    pub fn burst_ms(&self) -> (i64, i64) {
        self.burst
    }

    /// Whether it does at this time.
    pub fn in_burst(&self, at_ms: i64) -> bool {
        (self.burst.0..self.burst.1).contains(&at_ms)
    }

    /// The share of summaries among the sessions at this time: people who sum up work by day.
    pub fn summary_share(&self, at_ms: i64) -> f64 {
        match at_ms.rem_euclid(DAY_MS) / HOUR_MS {
            7..=17 if weekday(at_ms) < 5 => 0.215,
            7..=17 => 0.12,
            _ => 0.07,
        }
    }

    fn days_ago(&self, at_ms: i64) -> f64 {
        (self.now_ms - at_ms) as f64 / DAY_MS as f64
    }
}

fn weekday(ms: i64) -> usize {
    let at = Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH);
    usize::from(TimeZone::UTC.to_datetime(at).weekday().to_monday_zero_offset().unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hours_add_up_and_the_last_is_never_empty() {
        let now: Timestamp = "2025-11-24T03:12:00Z".parse().unwrap();
        for traces in [1, 10, 100, 40_000, 1_000_000] {
            let calendar = Calendar::new(now, traces);
            assert_eq!((0..HOURS).map(|h| calendar.quota(h)).sum::<u64>(), traces);
            assert!(calendar.quota(HOURS - 1) > 0, "{traces}");
        }
    }

    #[test]
    fn days_are_busier_than_nights_and_weeks_than_weekends() {
        let now: Timestamp = "2025-11-24T00:00:00Z".parse().unwrap();
        let calendar = Calendar::new(now, 100_000);
        let of = |day: u64, hour: u64| calendar.quota(day * 24 + hour);
        // The 28 days begin on a Monday.
        assert!(of(1, 10) > 5 * of(1, 3));
        let day = |d: u64| (0..24).map(|h| of(d, h)).sum::<u64>();
        assert!(day(0) > day(6));
    }

    #[test]
    fn the_story_has_its_times() {
        let now: Timestamp = "2025-11-24T10:00:00Z".parse().unwrap();
        let calendar = Calendar::new(now, 1_000);
        let ago = |days: f64| now.as_millisecond() - (days * DAY_MS as f64) as i64;
        assert_eq!(calendar.v4_share(ago(7.5)), 0.0);
        assert!(calendar.rolling_out(ago(7.1)) && !calendar.rolling_out(ago(6.0)));
        assert_eq!(calendar.v4_share(ago(6.0)), 1.0);
        assert_eq!(calendar.drift(ago(11.0)), 1.0);
        assert!(calendar.drift(ago(0.0)) > 1.85 && calendar.drift(ago(5.0)) < 1.5);
        assert!(calendar.in_burst(calendar.burst_ms().0) && !calendar.in_burst(calendar.burst_ms().1));
    }
}
