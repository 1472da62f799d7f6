//! Shares of requests: the exact tail of a clumped count against what is usual, in windows of several lengths.

use super::instance::Instance;
use super::look::{Look, Memory, counted};
use super::tape::{FINE_MS, Tape};
use super::world::World;
use crate::domain::monitor::{Baseline, HOUR_MS, Life, MINUTE_MS, Reading, Test, step_of};
use crate::stats::{CONFIDENCE, Usual, burn_rate, clumping, wilson};

/// Requests that a window should have to be the one that is shown.
const WORTH_SHOWING: u64 = 20;
/// Windows that may show that an alert is over: the end of a fault is soon past the shortest that has enough.
const WHILE_OUT: [i64; 7] =
    [HOUR_MS, 2 * HOUR_MS, 3 * HOUR_MS, 4 * HOUR_MS, 6 * HOUR_MS, 12 * HOUR_MS, 24 * HOUR_MS];
/// How much more probable the usual share must be for an alert to be over: the logarithm of 100, for it is
/// looked at often.
const CLEAR: f64 = 4.605_170_185_988_091;
/// A share this many times the usual one is worth an alert, at least.
const MATTERS: f64 = 1.5;
/// Hours of a week, and of the days before it that are enough to know what is usual.
const WEEK: i64 = 168;
const LEAST_DAYS: i64 = 72;
/// Requests that the usual share is of, at least: with fewer nothing is known.
const LEAST_KNOWN: f64 = 20.0;

/// One window's figures.
struct Seen {
    window: (i64, i64),
    n: u64,
    k: u64,
    usual: Option<Usual>,
    p: f64,
    bad: bool,
}

/// Looks through the windows, shortest first: bad is what any of them finds.
pub(super) fn look(of: &Instance<'_>, life: &Life, world: &World, at: i64, memory: &Memory) -> Look {
    let Test::Share { min_count, .. } = of.rule.test else { return Look::nothing(at, "") };
    let tape = world.tape(&of.cut);
    let mut seen = Vec::new();
    let over: Vec<i64> = WHILE_OUT.into_iter().filter(|window| *window <= of.rule.longest()).collect();
    for window in if life.is_out() { &over } else { &of.rule.windows } {
        // Looks for what is bad are few, whatever is asked; whether it is over is seen at once.
        let step = if life.is_out() { FINE_MS } else { step_of(*window) };
        let to = at.div_euclid(step) * step;
        // What was before the alarm does not tell whether it is over.
        let from = (to - window).max(life.clean_from).max(life.fired_at.unwrap_or(i64::MIN));
        if from >= to {
            continue;
        }
        let (n, k) = counted(of, &tape.sum(from, to));
        if n == 0 {
            continue;
        }
        let usual = usual(of, life, world, *window, to, memory);
        let mut one = Seen { window: (from, to), n, k, usual, p: 1.0, bad: false };
        let share = k as f64 / n as f64;
        if let Some(usual) = usual.filter(|usual| share > usual.rate) {
            one.p = usual.upper(k, n);
            one.bad = k >= min_count && share >= of.rule.test.matters(usual.rate) && one.p <= of.alpha;
        }
        seen.push(one);
    }
    if life.is_out() {
        return still(of, life, at, &seen, tape);
    }
    let bad = seen.iter().position(|one| one.bad);
    let shown = bad.or_else(|| seen.iter().position(|one| one.n >= WORTH_SHOWING));
    let Some(shown) = shown.or(seen.len().checked_sub(1)) else {
        return Look::nothing(at, "no requests");
    };
    let shown = &seen[shown];
    if seen.iter().all(|one| one.usual.is_none()) {
        return Look {
            reading: Reading::Unknown,
            note: "learning what is usual".into(),
            ..of_seen(at, shown)
        };
    }
    let reading = if bad.is_some() { Reading::Bad } else { Reading::Clear };
    Look { reading, ..of_seen(at, shown) }
}

/// While an alert is out: it is over when a window is a hundred times as probable at the usual share as at that of the
/// alert. That is the least that it may have been at the alarm, or what it came to since, whichever is less; not
/// less than what matters.
fn still(of: &Instance<'_>, life: &Life, at: i64, seen: &[Seen], tape: &Tape) -> Look {
    let last = || seen.last().map_or_else(|| Look::nothing(at, "no requests"), |one| of_seen(at, one));
    let Some((least, usual)) = life.alarm else {
        return last();
    };
    let (n, k) = counted(of, &tape.sum(life.alarm_from.max(at - of.rule.longest()), at));
    let since = if n > 0 { k as f64 / n as f64 } else { least };
    let matters = of.rule.test.matters(usual).max(MATTERS * usual);
    let alert = least.min(since).max(matters).clamp(1e-6, 1.0 - 1e-6);
    let usual = usual.clamp(1e-6, alert);
    for one in seen {
        let share = one.k as f64 / one.n as f64;
        let (k, others) = (one.k as f64, (one.n - one.k) as f64);
        let likelihood = k * (usual / alert).ln() + others * ((1.0 - usual) / (1.0 - alert)).ln();
        let below = of.rule.resolve.below.is_none_or(|below| share < below);
        if below && likelihood >= CLEAR {
            return Look { reading: Reading::Clear, ..of_seen(at, one) };
        }
    }
    // The figure of a window that is worth showing; neither well nor more to say.
    seen.iter().find(|one| one.n >= WORTH_SHOWING).map_or_else(last, |one| of_seen(at, one))
}

fn of_seen(at: i64, one: &Seen) -> Look {
    Look {
        at,
        reading: Reading::Between,
        window: one.window,
        value: Some(one.k as f64 / one.n as f64),
        interval: wilson(one.k as f64, one.n as f64, CONFIDENCE).map(|of| [of.lower, of.upper]),
        usual: one.usual.map(|usual| usual.rate),
        n: one.n,
        count: Some(one.k),
        p_value: Some(one.p),
        note: String::new(),
    }
}

/// What is usual for a window of this length that ends here; looked up once an hour.
fn usual(
    of: &Instance<'_>,
    life: &Life,
    world: &World,
    window: i64,
    to: i64,
    memory: &Memory,
) -> Option<Usual> {
    if let Some(known) = memory.usual.borrow().get(&window) {
        return *known;
    }
    let found = known(of, life, world, window, to);
    memory.usual.borrow_mut().insert(window, found);
    found
}

/// What is usual. A part of a feature that is new, such as a prompt version, is held against the whole of it.
pub(super) fn known(of: &Instance<'_>, life: &Life, world: &World, window: i64, to: i64) -> Option<Usual> {
    let own = measure(of, life, world.tape(&of.cut), window, to);
    let whole = || measure(of, life, world.tape(&of.feature.into()), window, to);
    own.or_else(|| if of.cut.is_whole_feature() { None } else { whole() })
}

/// The share of the time before the window without that of alerts, and how it clumps within windows of this
/// length. A history that is short is believed as far as it goes: what it might have been by chance counts as
/// clumping.
fn measure(of: &Instance<'_>, life: &Life, tape: &Tape, window: i64, to: i64) -> Option<Usual> {
    let Test::Share { target, .. } = of.rule.test else { return None };
    let length = match of.rule.baseline {
        Baseline::Trailing(length) => length,
        Baseline::Target => return target.map(|rate| Usual { rate, clumping: 0.0 }),
        Baseline::SameHour(weeks) => i64::from(weeks) * 7 * 24 * HOUR_MS,
    };
    let end = (to - window).div_euclid(HOUR_MS);
    let hours = window / HOUR_MS;
    let mut buckets = Vec::new();
    let (mut n, mut k) = (0.0, 0.0);
    let first = end - length / HOUR_MS;
    // What rises a little every day would soon be usual: a day is held against the time before this week, once
    // there are days of that.
    let old_enough = tape.began().is_some_and(|began| began <= end - WEEK - LEAST_DAYS);
    let end = if hours >= 24 && first < end - WEEK && old_enough { end - WEEK } else { end };
    let mut hour = end;
    while hour - hours >= first {
        hour -= hours;
        let longest = of.rule.longest();
        if (hour..hour + hours).any(|hour| life.is_bad_time(hour * HOUR_MS, longest)) {
            continue;
        }
        let (requests, against) = counted(of, &tape.hours(hour, hour + hours));
        buckets.push((requests as f64, against as f64));
        n += requests as f64;
        k += against as f64;
    }
    // Hours that fill no whole window tell the share too.
    if n < LEAST_KNOWN && hours > 1 {
        let (requests, against) = counted(of, &tape.hours(first, end));
        (n, k) = (requests as f64, against as f64);
    }
    if n < LEAST_KNOWN {
        return target.map(|rate| Usual { rate, clumping: 0.0 });
    }
    let rate = (k + 0.5) / (n + 1.0);
    let clumps = clumping(&buckets).map_or(0.0, |found| found.believed());
    let rate = target.map_or(rate, |target| rate.min(target));
    Some(Usual { rate, clumping: clumps.max(1.0 / (n + 2.0)) })
}

/// Error budget: burnt 14.4 times too fast in 1 h and 5 m, 6 in 6 h and 30 m, or 1 in 3 d and 6 h.
pub(super) fn burn(of: &Instance<'_>, life: &Life, world: &World, at: i64, objective: f64) -> Look {
    const RATES: [(f64, i64, i64); 3] = [
        (14.4, HOUR_MS, 5 * MINUTE_MS),
        (6.0, 6 * HOUR_MS, 30 * MINUTE_MS),
        (1.0, 72 * HOUR_MS, 6 * HOUR_MS),
    ];
    const LEAST_BAD: u64 = 20;
    let tape = world.tape(&of.cut);
    let rate = |window: i64| {
        let from = (at - window).max(life.clean_from);
        let (n, k) = counted(of, &tape.sum(from, at));
        (burn_rate(k as f64, n as f64, objective), n, k, from)
    };
    let fires = RATES.iter().find(|(limit, long, short)| {
        let (long, short) = (rate(*long), rate(*short));
        long.0 > *limit && short.0 > *limit && long.2 >= LEAST_BAD
    });
    let (value, n, k, from) = rate(fires.map_or(HOUR_MS, |(_, long, _)| *long));
    let reading = match () {
        () if n == 0 => Reading::Unknown,
        () if fires.is_some() => Reading::Bad,
        () if rate(30 * MINUTE_MS).0 < 1.0 => Reading::Clear,
        () => Reading::Between,
    };
    Look {
        reading,
        window: (from, at),
        value: Some(value),
        usual: Some(1.0),
        n,
        count: Some(k),
        ..Look::nothing(at, "times as fast as the error budget allows")
    }
}
