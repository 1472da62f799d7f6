//! What sessions, requests and days cost.

use super::instance::{Instance, MONTH_DAYS};
use super::look::{Look, below};
use super::tape::Tape;
use super::world::{SESSION_MS, World};
use crate::domain::monitor::{Baseline, DAY_MS, HOUR_MS, Life, Reading, Test, Urgency, step_of};
use crate::stats::{CONFIDENCE, Moments, Welch, median, robust_z};
use crate::text::figures::dollars;

/// 1e-9 US dollars in a dollar.
const NUSD: f64 = 1e9;
/// Sessions or requests on a side, at least.
const FEW: f64 = 10.0;
/// A forecast is made from this share of a day's usual spending on.
const ENOUGH_OF_DAY: f64 = 0.2;

/// The cost of a session against that of the two weeks before: Welch on logs, and a ratio that matters.
pub(super) fn session(of: &Instance<'_>, life: &Life, world: &World, at: i64) -> Look {
    let Test::Ratio { at_least, .. } = of.rule.test else { return Look::nothing(at, "") };
    let window = of.rule.longest();
    let step = step_of(window);
    let to = at.div_euclid(step) * step - SESSION_MS;
    let from = (to - window).max(life.clean_from);
    let back = if let Baseline::Trailing(back) = of.rule.baseline { back } else { 14 * DAY_MS };
    let logs = |from: i64, to: i64, usual: bool| {
        let begin = world.sessions.partition_point(|one| one.began < from);
        let end = world.sessions.partition_point(|one| one.began < to);
        let mine = world.sessions[begin..end.max(begin)]
            .iter()
            .filter(|one| of.feature.is_none_or(|id| one.feature == id) && one.cost_nusd > 0)
            .filter(|one| !usual || !life.is_bad_time(one.began, window));
        Moments::of(mine.map(|one| (one.cost_nusd as f64 / NUSD).ln()))
    };
    let (now, before) = (logs(from, to, false), logs(to - window - back, to - window, true));
    let welch = Welch::of(&before, &now).filter(|_| now.n >= FEW && before.n >= FEW);
    let Some(welch) = welch else {
        return Look { n: now.n as u64, ..Look::nothing(at, "too few sessions") };
    };
    let (ratio, p) = (welch.difference.exp(), welch.p_rise());
    let reading = match () {
        () if life.is_out() && below(of, life).is_some_and(|below| ratio < below) => Reading::Clear,
        () if life.is_out() => Reading::Between,
        () if p <= of.alpha && ratio >= at_least => Reading::Bad,
        () => Reading::Clear,
    };
    let interval = welch.interval(CONFIDENCE);
    Look {
        reading,
        window: (from, to),
        value: Some(ratio),
        interval: Some([interval.lower.exp(), interval.upper.exp()]),
        usual: Some(1.0),
        n: now.n as u64,
        p_value: Some(p),
        ..Look::nothing(
            at,
            format!("{} a session, usually {}", dollars(now.mean.exp()), dollars(before.mean.exp())),
        )
    }
}

/// The cost of the requests of the last whole hour, among the hours before.
pub(super) fn odd(of: &Instance<'_>, life: &Life, world: &World, at: i64, limit: f64) -> Look {
    let tape = world.tape(&of.cut);
    let hour = at.div_euclid(HOUR_MS) - 1;
    let mean = |hour: i64| {
        let tally = tape.hours(hour, hour + 1);
        (tally.priced as f64 >= FEW).then(|| tally.cost_nusd as f64 / tally.priced as f64 / NUSD)
    };
    let back = if let Baseline::Trailing(back) = of.rule.baseline { back } else { 14 * DAY_MS };
    let others: Vec<f64> = (hour - back / HOUR_MS..hour)
        .filter(|hour| !life.is_bad_time(hour * HOUR_MS, HOUR_MS))
        .filter_map(mean)
        .collect();
    let Some(value) = mean(hour).filter(|_| others.len() >= FEW as usize) else {
        return Look::nothing(at, "too few requests with a cost");
    };
    let z = robust_z(value, &others).unwrap_or(0.0);
    let reading = if z >= limit { Reading::Bad } else { Reading::Clear };
    Look {
        reading,
        window: (hour * HOUR_MS, (hour + 1) * HOUR_MS),
        value: Some(value),
        usual: median(others),
        n: tape.hours(hour, hour + 1).priced.max(0).cast_unsigned(),
        ..Look::nothing(at, format!("{z:.1} standard deviations"))
    }
}

/// The day's spending against its budget, and what it is on course for.
pub(super) fn budget(of: &Instance<'_>, life: &Life, world: &World, at: i64) -> Look {
    let day = at.div_euclid(DAY_MS);
    let Some(spending) = Spending::of(of, world, day, at) else {
        return Look::nothing(at, "learning what a day costs; say `usd` to give a budget");
    };
    let reading = match () {
        () if spending.is_bad(of) => Reading::Bad,
        // A day that is over budget stays so to its end.
        () if life.fired_at.is_some_and(|fired| fired.div_euclid(DAY_MS) == day) => Reading::Between,
        () => Reading::Clear,
    };
    Look {
        reading,
        window: (day * DAY_MS, at),
        value: Some(spending.spent),
        usual: Some(spending.budget),
        n: world.tape(&of.cut).sum(day * DAY_MS, at).priced.max(0).cast_unsigned(),
        ..Look::nothing(at, spending.in_words())
    }
}

/// Days of a month on which the budget was said to be passed and was not: a forecast that did not come true. A
/// budget that is passed is no false alarm.
pub(super) fn false_forecasts(of: &Instance<'_>, world: &World) -> Option<f64> {
    let today = world.now.div_euclid(DAY_MS);
    let first = world.tape(&of.cut).began()?.div_euclid(24) + 1;
    let days: Vec<i64> = ((today - 28).max(first)..today).collect();
    let is_bad = |day: i64, hour: i64| {
        Spending::of(of, world, day, day * DAY_MS + hour * HOUR_MS).is_some_and(|one| one.is_bad(of))
    };
    let false_ones = days.iter().filter(|day| !is_bad(**day, 24) && (1..24).any(|hour| is_bad(**day, hour)));
    (!days.is_empty()).then(|| false_ones.count() as f64 * MONTH_DAYS / days.len() as f64)
}

/// How a day stands against its budget.
struct Spending {
    /// US dollars so far.
    spent: f64,
    /// What the day may cost.
    budget: f64,
    /// It is twice the usual day, for want of one that the team has set.
    stands_for: bool,
    /// What the day will cost, once enough of it is over.
    forecast: Option<f64>,
}

impl Spending {
    /// The day up to a time of it. `None`: what a day costs is not known.
    fn of(of: &Instance<'_>, world: &World, day: i64, to: i64) -> Option<Self> {
        let Test::Budget { usd, .. } = of.rule.test else { return None };
        let tape = world.tape(&of.cut);
        let days = Days { tape, began: tape.began().map_or(day, |hour| (hour + 24).div_euclid(24)) };
        let spent = tape.sum(day * DAY_MS, to).cost_nusd as f64 / NUSD;
        let budget = usd.or_else(|| days.usual(day).map(|usual| 2.0 * usual))?;
        let so_far = days.share_by(day, to).filter(|share| *share >= ENOUGH_OF_DAY);
        Some(Self { spent, budget, stands_for: usd.is_none(), forecast: so_far.map(|share| spent / share) })
    }

    /// Whether it is worth an alert of this level.
    fn is_bad(&self, of: &Instance<'_>) -> bool {
        let Test::Budget { warn, forecast: limit, .. } = of.rule.test else { return false };
        let warns = of.severity == Urgency::Ticket && !self.stands_for;
        // Where there is a page for it, the ticket is for what is spent.
        let looks_ahead =
            of.severity == Urgency::Page || of.rule.severity == Urgency::Ticket || self.stands_for;
        let ahead = self.forecast.is_some_and(|forecast| forecast >= limit * self.budget);
        self.spent >= if warns { warn * self.budget } else { self.budget } || (looks_ahead && ahead)
    }

    /// `$4.10 of $5.00, on course for $7.20`.
    fn in_words(&self) -> String {
        let mut words = format!("{} of {}", dollars(self.spent), dollars(self.budget));
        if self.stands_for {
            words.push_str(", twice the usual day");
        }
        if let Some(forecast) = self.forecast {
            words.push_str(&format!(", on course for {}", dollars(forecast)));
        }
        words
    }
}

/// Whole days of the tape.
struct Days<'a> {
    tape: &'a Tape,
    /// The first whole day.
    began: i64,
}

impl Days<'_> {
    fn cost(&self, day: i64, hours: i64) -> f64 {
        self.tape.hours(day * 24, day * 24 + hours).cost_nusd as f64 / NUSD
    }

    /// What the middle of the last fourteen days cost.
    fn usual(&self, today: i64) -> Option<f64> {
        let days = (today - 14).max(self.began)..today;
        median(days.map(|day| self.cost(day, 24)).filter(|cost| *cost > 0.0).collect())
    }

    /// The share of a day like this one that is spent by this time: the median of up to fourteen.
    fn share_by(&self, today: i64, at: i64) -> Option<f64> {
        // Day 0 of the epoch was a Thursday.
        let weekend = |day: i64| (day + 3).rem_euclid(7) >= 5;
        let hours = (at - today * DAY_MS) as f64 / HOUR_MS as f64;
        let (whole, part) = (hours.floor() as i64, hours.fract());
        let shares = ((today - 28).max(self.began)..today)
            .rev()
            .filter(|day| weekend(*day) == weekend(today))
            .take(14)
            .filter_map(|day| {
                let total = self.cost(day, 24);
                let by = self.cost(day, whole) * (1.0 - part) + self.cost(day, (whole + 1).min(24)) * part;
                (total > 0.0).then(|| by / total)
            });
        median(shares.collect())
    }
}
