//! What rules look at: the traffic of each feature, sessions, judged traces, read once for all of them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::tape::{FINE_MS, Tape};
use crate::domain::monitor::{Apart, Baseline, DAY_MS, HOUR_MS, Metric, Monitors, Rule, step_of};
use crate::domain::{Result, Untrusted};
use crate::ops::Ctx;
use crate::ops::judged::judged;
use crate::store::{Cut, JudgedRow, JudgedSet, SessionCost, Tally};

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
    /// The traffic of features told apart further, as far as rules ask for it.
    pub(super) parts: BTreeMap<Cut, Tape>,
    /// Names of features, and of what their traffic is told apart by.
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

/// The time of which the rules speak: now; of a demonstration the time at which its traffic ends, for that it goes
/// on no longer is no fault. Where traces came in since, it is a store like any other.
pub(super) fn watched_at(ctx: &Ctx) -> Result<Timestamp> {
    let now = ctx.clock.now();
    Ok(stands_at(ctx)?.unwrap_or(now))
}

/// When a demonstration ended of which the rules speak; `None` where they speak of now.
pub(super) fn stands_at(ctx: &Ctx) -> Result<Option<Timestamp>> {
    let Some(end) = ctx.store.demonstration()?.filter(|end| *end < ctx.clock.now()) else { return Ok(None) };
    let last = ctx.store.span_of_hours()?.map_or(i64::MIN, |(_, last)| last);
    Ok((last <= end.as_millisecond().div_euclid(HOUR_MS)).then_some(end))
}

impl World {
    /// Reads it.
    pub(super) fn read(ctx: &Ctx, monitors: &Monitors, reach: Reach) -> Result<Self> {
        let clock = watched_at(ctx)?.as_millisecond();
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
        let fine = parts_needed(&monitors.rules, (now, clock), reach);
        for (from, to) in fine.iter().copied() {
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
        let mut names: BTreeMap<i64, Untrusted> =
            ctx.store.feature_ids()?.into_iter().map(|(id, name)| (id, name.into())).collect();
        let times = Times { hours, fine, clock };
        let apart: BTreeSet<Apart> = monitors.rules.iter().filter_map(|rule| rule.apart).collect();
        let mut parts = BTreeMap::new();
        for apart in apart {
            parts.extend(told_apart(ctx, apart, &times, &limits)?);
        }
        for cut in parts.keys() {
            for id in ids(cut) {
                if let (false, Some(name)) = (names.contains_key(&id), ctx.store.name_text(id)?) {
                    names.insert(id, name);
                }
            }
        }
        let wants = |metric: &str| monitors.rules.iter().any(|rule| rule.metric.name() == metric);
        let sessions = if wants("session_cost") { sessions(ctx, now, begin, reach)? } else { Vec::new() };
        let judged =
            if wants("fail_share") { judged(ctx, (begin - FARTHEST_MS, now))? } else { JudgedSet::default() };
        Ok(Self { now, clock, tapes, all, parts, names, limits, sessions, judged, reach })
    }

    /// Some traffic: of a feature, of a part of one, or all of it.
    pub(super) fn tape(&self, cut: &Cut) -> &Tape {
        if cut.is_whole_feature() {
            cut.feature.and_then(|id| self.tapes.get(&id)).unwrap_or(&self.all)
        } else {
            self.parts.get(cut).unwrap_or(&self.all)
        }
    }

    /// The parts that a feature's traffic is told apart in; the whole where it is not.
    pub(super) fn cuts(&self, feature: Option<i64>, apart: Option<Apart>) -> Vec<Cut> {
        let Some(apart) = apart else { return vec![feature.into()] };
        let hour = self.now.div_euclid(HOUR_MS) + 1;
        let lately = |tape: &Tape| tape.hours(hour - 28 * 24, hour).requests > 0;
        let mine = self.parts.iter().filter(|(cut, _)| cut.feature == feature && is_by(cut, apart));
        mine.filter(|(_, tape)| lately(tape)).map(|(cut, _)| *cut).collect()
    }

    /// What a part is called.
    pub(super) fn name_of(&self, cut: &Cut, apart: Apart) -> Untrusted {
        let name = |id: Option<i64>| id.and_then(|id| self.names.get(&id)).map(Untrusted::raw);
        match apart {
            Apart::Model => name(cut.model).unwrap_or(NONE).into(),
            Apart::Language => name(cut.language).unwrap_or(NONE).into(),
            Apart::PromptVersion => match (name(cut.prompt), name(cut.version)) {
                (None, None) => NONE.into(),
                (prompt, None) => prompt.unwrap_or(NONE).into(),
                (prompt, Some(version)) => format!("{}@{version}", prompt.unwrap_or_default()).into(),
            },
        }
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
fn parts_needed(rules: &[Rule], (now, clock): (i64, i64), reach: Reach) -> Vec<(i64, i64)> {
    let hour = |at: i64| at.div_euclid(HOUR_MS);
    if let Reach::Every(from) = reach {
        let longest = rules.iter().map(Rule::longest).max().unwrap_or(DAY_MS);
        return vec![(hour(from - longest), hour(now) + 1)];
    }
    let mut needed = BTreeSet::from([hour(now)]);
    for (rule, window) in rules.iter().flat_map(|rule| rule.windows.iter().map(move |window| (rule, window)))
    {
        let look = rule.every.map_or(now, |_| rule.look_before(clock));
        // The hour before tells how long it has been silent.
        needed.extend([hour(look), hour(look) - 1]);
        let end = look.div_euclid(step_of(*window)) * step_of(*window);
        for at in [end, end - window] {
            if at.rem_euclid(HOUR_MS) != 0 {
                needed.insert(hour(at));
            }
        }
    }
    needed.into_iter().map(|hour| (hour, hour + 1)).collect()
}

/// What times are read.
struct Times {
    /// The first and last hour.
    hours: (i64, i64),
    /// Hours whose parts are needed: from, and the one after the last.
    fine: Vec<(i64, i64)>,
    /// The time: what bears a later one is wrong about it.
    clock: i64,
}

/// Parts of a feature that are watched each for itself, at most: the busiest.
const MOST_PARTS: usize = 30;
/// What has no name.
const NONE: &str = "none";

/// The ids of a part beside the feature's.
fn ids(cut: &Cut) -> impl Iterator<Item = i64> {
    [cut.model, cut.prompt, cut.version, cut.language].into_iter().flatten().filter(|id| *id != 0)
}

/// Whether a part is one of those that this tells apart.
fn is_by(cut: &Cut, apart: Apart) -> bool {
    match apart {
        Apart::Model => cut.model.is_some(),
        Apart::PromptVersion => cut.version.is_some(),
        Apart::Language => cut.language.is_some(),
    }
}

/// The tapes of the busiest parts of each feature.
fn told_apart(ctx: &Ctx, apart: Apart, times: &Times, limits: &[i64]) -> Result<BTreeMap<Cut, Tape>> {
    let (first, last) = times.hours;
    let mut rows: BTreeMap<Cut, Vec<(i64, Tally)>> = BTreeMap::new();
    ctx.store.hourly_tallies_apart(apart, times.hours, limits, |hour, cut, tally| {
        rows.entry(cut).or_default().push((hour, tally));
    })?;
    let lately = |of: &[(i64, Tally)]| -> i64 {
        of.iter().filter(|(hour, _)| *hour > last - 28 * 24).map(|(_, tally)| tally.requests).sum()
    };
    let mut busy: Vec<(i64, Cut)> = rows.iter().map(|(cut, of)| (lately(of), *cut)).collect();
    busy.sort_unstable_by(|a, b| b.cmp(a));
    let mut seen: BTreeMap<Option<i64>, usize> = BTreeMap::new();
    busy.retain(|(_, cut)| {
        let count = seen.entry(cut.feature).or_default();
        *count += 1;
        *count <= MOST_PARTS
    });
    let count = usize::try_from(last - first + 1).unwrap_or(1);
    let mut tapes: BTreeMap<Cut, Tape> = busy
        .into_iter()
        .map(|(_, cut)| {
            let mut hours = vec![Tally::default(); count];
            for (hour, tally) in rows.remove(&cut).unwrap_or_default() {
                if let Some(sum) = usize::try_from(hour - first).ok().and_then(|place| hours.get_mut(place)) {
                    sum.add(&tally);
                }
            }
            (cut, Tape::new(&hours, first))
        })
        .collect();
    for (from, to) in &times.fine {
        for hour in *from..*to {
            tapes.values_mut().for_each(|tape| tape.know_parts(hour));
        }
        let span = (from * HOUR_MS, (to * HOUR_MS).min(times.clock + 1));
        for ((cut, five), tally) in ctx.store.fine_tallies_apart(apart, span, limits)? {
            if let Some(tape) = tapes.get_mut(&cut) {
                tape.take_part(five, &tally);
            }
        }
    }
    Ok(tapes)
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
