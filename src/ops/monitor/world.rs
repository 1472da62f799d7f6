//! What rules look at: the traffic of each feature, sessions, judged traces, read once for all of them.

use std::collections::{BTreeMap, BTreeSet};

use super::tape::{FINE_MS, Tape};
use crate::domain::monitor::{Baseline, DAY_MS, HOUR_MS, Metric, Monitors, Rule, step_of};
use crate::domain::{Result, Untrusted};
use crate::ops::Ctx;
use crate::ops::judged::judged;
use crate::store::{JudgedRow, JudgedSet, SessionCost, Tally};

/// How much is read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Reach {
    /// Enough for a look now: few rows beside the hourly figures, however large the store is.
    Now,
    /// Looks at every whole hour from then on, from the hourly figures alone; and a look now.
    Hours(i64),
    /// Every look from then on; reads all rows of that time.
    Every(i64),
}

/// All that rules look at.
pub(super) struct World {
    /// The time, rounded up to five minutes: the five minutes that are not over are looked at as they fill.
    pub(super) now: i64,
    /// The time.
    pub(super) clock: i64,
    /// Each feature's traffic; 0 is that of none.
    pub(super) tapes: BTreeMap<i64, Tape>,
    /// All traffic together.
    pub(super) all: Tape,
    /// Names of features.
    pub(super) names: BTreeMap<i64, Untrusted>,
    /// Limits of time, in milliseconds, in the order of [`Tally::slow`].
    pub(super) limits: Vec<i64>,
    /// Sessions and what they cost, oldest first: all of them, or some of each hour.
    pub(super) sessions: Vec<SessionCost>,
    /// Judged traces, oldest first.
    pub(super) judged: JudgedSet,
    /// From when on every look can be had; before, whole hours alone.
    pub(super) reach: Reach,
}

/// Sessions looked up after each hour of the window, and after every other one before it.
const SESSIONS: (usize, usize) = (12, 6);
/// Sessions have come to their end so long after they began.
pub(super) const SESSION_MS: i64 = HOUR_MS;
/// A time that is before everything that a rule can be held against.
const FARTHEST_MS: i64 = 28 * DAY_MS;

impl World {
    /// Reads it.
    pub(super) fn read(ctx: &Ctx, monitors: &Monitors, reach: Reach) -> Result<Self> {
        let clock = ctx.clock.now().as_millisecond();
        let now = (clock + FINE_MS - 1).div_euclid(FINE_MS) * FINE_MS;
        let limits = limits(&monitors.rules);
        let begin = match reach {
            Reach::Now => now,
            Reach::Hours(from) | Reach::Every(from) => from.min(now),
        };
        let longest = monitors.rules.iter().map(Rule::longest).max().unwrap_or(DAY_MS);
        let farthest = monitors.rules.iter().map(reach_back).max().unwrap_or(FARTHEST_MS);
        let hours = ((begin - longest - farthest).div_euclid(HOUR_MS) - 1, now.div_euclid(HOUR_MS));
        let mut by_feature: BTreeMap<i64, Vec<Tally>> = BTreeMap::new();
        let count = usize::try_from(hours.1 - hours.0 + 1).unwrap_or(1);
        let mut all = vec![Tally::default(); count];
        ctx.store.hourly_tallies(hours, &limits, |hour, feature, tally| {
            let Some(place) = usize::try_from(hour - hours.0).ok().filter(|place| *place < count) else {
                return;
            };
            by_feature.entry(feature).or_insert_with(|| vec![Tally::default(); count])[place].add(&tally);
            all[place].add(&tally);
        })?;
        let mut tapes: BTreeMap<i64, Tape> = by_feature
            .into_iter()
            .map(|(feature, hours_of)| (feature, Tape::new(&hours_of, hours.0)))
            .collect();
        let mut all = Tape::new(&all, hours.0);
        for (from, to) in parts_needed(&monitors.rules, now, reach) {
            for hour in from..to {
                tapes.values_mut().chain([&mut all]).for_each(|tape| tape.know_parts(hour));
            }
            // What bears a later time than now is wrong about it.
            let end = (to * HOUR_MS).min(clock + 1);
            for ((feature, five), tally) in ctx.store.fine_tallies((from * HOUR_MS, end), &limits)? {
                if let Some(tape) = tapes.get_mut(&feature) {
                    tape.take_part(five, &tally);
                }
                all.take_part(five, &tally);
            }
        }
        let names = ctx.store.feature_ids()?.into_iter().map(|(id, name)| (id, name.into())).collect();
        let wants = |metric: &str| monitors.rules.iter().any(|rule| rule.metric.name() == metric);
        let sessions = if wants("session_cost") { sessions(ctx, now, begin, reach)? } else { Vec::new() };
        let judged =
            if wants("fail_share") { judged(ctx, (begin - FARTHEST_MS, now))? } else { JudgedSet::default() };
        Ok(Self { now, clock, tapes, all, names, limits, sessions, judged, reach })
    }

    /// The traffic of a feature, or all of it.
    pub(super) fn tape(&self, feature: Option<i64>) -> &Tape {
        feature.and_then(|id| self.tapes.get(&id)).unwrap_or(&self.all)
    }

    /// Features with traffic in the week before now, busiest first.
    pub(super) fn features(&self) -> Vec<i64> {
        let hour = self.now.div_euclid(HOUR_MS) + 1;
        let mut busy: Vec<(i64, i64)> = self
            .tapes
            .iter()
            .map(|(id, tape)| (tape.hours(hour - 28 * 24, hour).requests, *id))
            .filter(|(requests, _)| *requests > 0)
            .collect();
        busy.sort_unstable_by(|a, b| b.cmp(a));
        busy.into_iter().map(|(_, id)| id).collect()
    }

    /// Judged traces of a feature, or all; oldest first.
    pub(super) fn judged_of(&self, feature: Option<i64>) -> impl Iterator<Item = &JudgedRow> {
        self.judged.rows.iter().filter(move |one| feature.is_none_or(|id| one.slice.feature == id))
    }

    /// Those that a person, else one of these judges has told of, by their places; and whether they failed.
    pub(super) fn settled_of(
        &self,
        feature: Option<i64>,
        heard: &[bool],
    ) -> impl Iterator<Item = (&JudgedRow, bool)> {
        self.judged_of(feature).filter_map(|one| {
            let (good, _) = one.verdicts.settled(&self.judged.judges, |place| heard[place])?;
            Some((one, !good))
        })
    }
}

/// The limits of time that the rules count by.
fn limits(rules: &[Rule]) -> Vec<i64> {
    let limit = |rule: &Rule| if let Metric::SlowShare(ms) = rule.metric { Some(ms) } else { None };
    rules.iter().filter_map(limit).collect::<BTreeSet<_>>().into_iter().take(4).collect()
}

/// How far back before a window a rule looks.
fn reach_back(rule: &Rule) -> i64 {
    match rule.baseline {
        Baseline::Trailing(ms) => ms,
        Baseline::SameHour(weeks) => i64::from(weeks.max(4)) * 7 * DAY_MS,
        Baseline::Target => DAY_MS,
    }
}

/// Hours whose parts are needed: from, and the one after the last.
fn parts_needed(rules: &[Rule], now: i64, reach: Reach) -> Vec<(i64, i64)> {
    let hour = |at: i64| at.div_euclid(HOUR_MS);
    if let Reach::Every(from) = reach {
        let longest = rules.iter().map(Rule::longest).max().unwrap_or(DAY_MS);
        return vec![(hour(from - longest), hour(now) + 1)];
    }
    let mut needed = BTreeSet::from([hour(now)]);
    for window in rules.iter().flat_map(|rule| &rule.windows) {
        let end = now.div_euclid(step_of(*window)) * step_of(*window);
        for at in [end, end - window] {
            if at.rem_euclid(HOUR_MS) != 0 {
                needed.insert(hour(at));
            }
        }
    }
    // The hour before tells how long it has been silent.
    needed.insert(hour(now) - 1);
    needed.into_iter().map(|hour| (hour, hour + 1)).collect()
}

/// Sessions for the looks that are wanted.
fn sessions(ctx: &Ctx, now: i64, begin: i64, reach: Reach) -> Result<Vec<SessionCost>> {
    const BEFORE: i64 = 14 * DAY_MS;
    if let Reach::Every(_) = reach {
        return ctx.store.all_sessions((begin - DAY_MS - SESSION_MS - BEFORE, now));
    }
    let step = step_of(DAY_MS);
    let end = now.div_euclid(step) * step - SESSION_MS;
    let window = (1..=24).map(|hour| end - hour * HOUR_MS);
    let before = (1..=14 * 12).map(|two| end - DAY_MS - two * 2 * HOUR_MS);
    let mut found = ctx.store.sessions_after(&before.rev().collect::<Vec<_>>(), HOUR_MS, SESSIONS.1)?;
    found.extend(ctx.store.sessions_after(&window.rev().collect::<Vec<_>>(), HOUR_MS, SESSIONS.0)?);
    found.sort_unstable_by_key(|session| session.began);
    Ok(found)
}
