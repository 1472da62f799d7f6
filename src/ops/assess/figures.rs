//! The figures of an assessment, from requests wherever they come from.

use jiff::Timestamp;
use serde::Serialize;

use super::gather::{CellKey, Gathered, Part};
use super::instant;
use super::measure::Measure;
use super::near::{self, Change};
use super::onset::{self, FINE_MS, Fine, Onset};
use super::slices::{self, MixView, Slices};
use crate::domain::runbook::Severity;
use crate::domain::{Result, Untrusted};
use crate::stats::{CONFIDENCE, Interval, difference, expected_users, wilson};
use crate::store::{Beside, HOUR_MS, RequestRow};

/// Milliseconds of a day.
pub(super) const DAY_MS: i64 = 24 * HOUR_MS;
/// Milliseconds of the time before that says what is usual.
const USUAL_MS: i64 = 14 * DAY_MS;
/// Requests with known outcome before that it takes to say what is usual.
const USUAL_LEAST: f64 = 100.0;
/// Judged requests in the two weeks looked through that it takes to go by them.
const JUDGED_LEAST: f64 = 500.0;

/// What an assessment says.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Assessment {
    /// The incident.
    pub incident: String,
    /// The feature; none for all.
    pub feature: Option<Untrusted>,
    /// When it was made.
    pub as_of: Timestamp,
    /// What counts as failing.
    pub measure: &'static str,
    /// The same in words.
    pub measure_words: String,
    /// The time assessed: since the onset, else since the incident began by its record, else a day.
    pub window: [Timestamp; 2],
    /// The time before it that says what is usual.
    pub usual_window: [Timestamp; 2],
    /// All requests of the window.
    pub requests: u64,
    /// Those whose outcome is known.
    pub known: u64,
    /// Those whose outcome is not; they are in no share.
    pub unknown: u64,
    /// How bad: the share that fails.
    pub rate: Option<Rate>,
    /// Failures more than usual, in all requests of the window.
    pub excess: Option<Excess>,
    /// How many users.
    pub users: Option<Users>,
    /// Since when.
    pub onset: Onset,
    /// What changed about then, the nearest first.
    pub near: Vec<Change>,
    /// Whether the rate rose or the traffic became another.
    pub mix: Option<MixView>,
    /// Who fails.
    pub slices: Slices,
    /// How they fail, most first: by what the traces themselves say.
    pub ways: Vec<Way>,
    /// How they fail by what people said of them.
    pub modes: Vec<Way>,
    /// How severe that is by the runbook's rules.
    pub severity: SeverityView,
    /// Failing traces to look at first, those of the first slice, the worst first.
    pub examples: Vec<Untrusted>,
    /// The query of the failing requests of the window.
    pub query: String,
}

/// The share that fails.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rate {
    /// In the window.
    pub now: f64,
    /// Its 95 % interval.
    pub now_interval: Interval,
    /// Before.
    pub usual: Option<f64>,
    /// Now less usual.
    pub change: Option<f64>,
    /// Its 95 % interval (Newcombe).
    pub change_interval: Option<Interval>,
    /// The failures that are known.
    pub fails: u64,
    /// How many equal draws would know as much: less than `known` where draws were uneven.
    pub effective_n: f64,
}

/// Failures more than usual.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Excess {
    /// So many, each hour held against the same hours of the days before.
    pub count: f64,
    /// The 95 % interval.
    pub interval: Interval,
}

/// How users were counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum UsersKind {
    /// Each request is known: users are counted.
    Exact,
    /// Only a sample is: users are expected, as if failures fell on requests evenly.
    Expected,
}

/// How many users.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Users {
    /// Counted or expected.
    pub kind: UsersKind,
    /// Users in the window.
    pub total: u64,
    /// Those who met a failure.
    pub hit: f64,
    /// At most so many.
    pub at_most: f64,
    /// So many meet one usually: of as long before where each request is known, else as expected at the usual rate.
    pub usual: Option<f64>,
    /// The difference, 0 at least.
    pub above_usual: Option<f64>,
    /// Its share of all users.
    pub share_above: Option<f64>,
}

/// A way to fail.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Way {
    /// `timeout`, `thumbs_down`, …; a failure mode of the taxonomy.
    pub name: Untrusted,
    /// How many.
    pub count: u64,
    /// Of all that fail.
    pub share: f64,
}

/// The severity that the figures propose.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct SeverityView {
    /// It; `None` where no rule holds or nothing is known.
    pub suggested: Option<Severity>,
    /// Why, in words.
    pub why: String,
}

impl Assessment {
    /// Whether more fail than usual, beyond chance.
    pub fn is_above(&self) -> bool {
        self.rate.as_ref().and_then(|rate| rate.change_interval).is_some_and(|ends| ends.lower > 0.0)
    }

    /// Whether anything is claimed: a sure onset, or a guilty slice.
    pub fn claims(&self) -> bool {
        self.onset.verdict == onset::OnsetVerdict::Onset || !self.slices.ranked.is_empty()
    }
}

/// Where requests come from: hands those of a time (milliseconds, end excluded) on one by one, with what is asked for
/// beside their outcome.
pub(super) type Source<'a> = dyn FnMut((i64, i64), Beside, &mut dyn FnMut(&RequestRow)) -> Result<()> + 'a;

/// What is assessed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spec {
    /// When the incident was opened, in milliseconds.
    pub opened: i64,
    /// When its record says that it began.
    pub began: Option<i64>,
    /// Up to when.
    pub until: i64,
    /// What counts as failing; `None`: judged requests where there are enough, else complaints.
    pub measure: Option<Measure>,
}

/// What was found, before names.
pub(super) struct Found {
    pub measure: Measure,
    pub window: (i64, i64),
    pub usual_window: (i64, i64),
    pub onset: Onset,
    pub gathered: Gathered,
}

/// Looks for the onset, and counts what is before it and since. Reads the requests twice.
pub(super) fn find(source: &mut Source<'_>, spec: &Spec) -> Result<Found> {
    // The hour that is not over counts too.
    let end = (spec.until + HOUR_MS - 1).div_euclid(HOUR_MS) * HOUR_MS;
    let begin = (spec.opened.min(spec.until) - USUAL_MS).div_euclid(HOUR_MS) * HOUR_MS;
    let begin =
        spec.began.map_or(begin, |began| begin.min(began - 24 * HOUR_MS)).div_euclid(HOUR_MS) * HOUR_MS;
    let candidates = match spec.measure {
        Some(measure) => vec![measure],
        None => vec![Measure::Judged, Measure::Complaints],
    };
    let mut fine = vec![Fine::new(); candidates.len()];
    source((begin, spec.until), Beside::default(), &mut |row| {
        for (measure, fine) in candidates.iter().zip(&mut fine) {
            if let Some(fails) = measure.fails(row) {
                let part = fine.entry(row.at.div_euclid(FINE_MS)).or_default();
                part.0 += 1.0;
                part.1 += f64::from(u8::from(fails));
            }
        }
    })?;
    let judged: f64 = fine[0].values().map(|part| part.0).sum();
    let chosen = usize::from(candidates.len() > 1 && judged < JUDGED_LEAST);
    let (measure, fine) = (candidates[chosen], &fine[chosen]);
    // A store that is younger than the time asked for has nothing to say of the rest.
    let oldest = fine.keys().next().map_or(begin, |at| (at * FINE_MS).div_euclid(HOUR_MS) * HOUR_MS);
    let onset = onset::find(fine, (begin.max(oldest).min(end - HOUR_MS), end), spec.opened);
    let start = onset
        .at
        .map(Timestamp::as_millisecond)
        .or(spec.began)
        .unwrap_or(spec.until - 24 * HOUR_MS)
        .min(spec.until);
    // What is plausibly of the incident is no part of what is usual; nor is the day before it, where there is enough
    // else: what is rolled out by and by does harm before it can be seen.
    let first = onset.plausible.map_or(start, |[first, _]| first.as_millisecond().min(start));
    let usual_end = if first - oldest >= 4 * DAY_MS { first - DAY_MS } else { first };
    let usual_window = (usual_end - USUAL_MS, usual_end);
    let as_long_before = usual_end - (spec.until - start);
    let mut gathered = Gathered::new(as_long_before, oldest);
    let beside = Beside { slices: true, users_from: Some(as_long_before) };
    source((usual_window.0, spec.until), beside, &mut |row| {
        if row.at < usual_end {
            gathered.add(row, false, measure);
        } else if row.at >= start {
            gathered.add(row, true, measure);
        } else {
            gathered.see(row);
        }
    })?;
    Ok(Found { measure, window: (start, spec.until), usual_window, onset, gathered })
}

/// Where names come from.
pub(super) trait Names {
    /// The value with these ids of the dimension at this place.
    fn value(&mut self, at: usize, ids: (i64, i64)) -> Result<String>;
    /// The name of a version or a model.
    fn part(&mut self, part: Part) -> Result<String>;
}

/// The figures, and the places of the failing requests to look at first.
pub(super) fn figures(
    found: &mut Found,
    as_of: i64,
    names: &mut impl Names,
) -> Result<(Assessment, Vec<i64>)> {
    let Found { measure, window, usual_window, onset, gathered } = found;
    let weighed = *measure == Measure::Judged;
    let (before, now) = (gathered.before.effective(weighed), gathered.now.effective(weighed));
    let usual = (before.0 >= USUAL_LEAST.min(gathered.before.known.0)
        && gathered.before.known.0 >= USUAL_LEAST)
        .then(|| before.1 / before.0);
    let rate = wilson(now.1, now.0, CONFIDENCE).map(|now_interval| {
        let change_interval =
            usual.and_then(|_| difference((before.1, before.0), (now.1, now.0), CONFIDENCE));
        Rate {
            now: now.1 / now.0,
            now_interval,
            usual,
            change: usual.map(|usual| now.1 / now.0 - usual),
            change_interval,
            fails: gathered.now.known.1 as u64,
            effective_n: now.0,
        }
    });
    let requests = gathered.now.requests;
    let excess = rate.as_ref().and_then(|rate| excess(rate, gathered.excess()?, requests as f64));
    let users = rate.as_ref().and_then(|rate| users(gathered, rate, weighed));
    let cells = gathered.named(|at, ids| names.value(at, ids))?;
    let (keys, cells): (Vec<CellKey>, Vec<_>) = cells.into_iter().unzip();
    let above = rate.as_ref().and_then(|rate| rate.change_interval).is_some_and(|ends| ends.lower > 0.0);
    let slices = slices::explain(&cells, above && usual.is_some());
    let telling = slices.ranked.first().map(|first| first.key.clone()).unwrap_or_default();
    let within: std::collections::BTreeSet<CellKey> = keys
        .iter()
        .zip(&cells)
        .filter(|(_, cell)| telling.iter().all(|(at, value)| cell.values[*at] == *value))
        .map(|(key, _)| *key)
        .collect();
    let worst = gathered.worst(|cell| within.contains(cell), EXAMPLES).iter().map(|bad| bad.seq).collect();
    let mut near = Vec::new();
    if let (Some(at), Some([first, last])) = (onset.at, onset.plausible) {
        let about = (first.as_millisecond() - DAY_MS, last.as_millisecond() + near::ABOUT_MS);
        let all = (usual_window.0.max(gathered.oldest), window.1);
        near = near::of_traffic(&gathered.served, all, about, at.as_millisecond(), |part| names.part(part))?;
        // What came earlier in the day before counts where the first slices name it: it was rolled out by and by.
        let named = |change: &Change| {
            slices.ranked.iter().take(2).flat_map(|one| &one.slice).any(|(_, value)| *value == change.name)
        };
        let close = first.as_millisecond() - near::ABOUT_MS;
        near.retain(|change| change.at.as_millisecond() >= close || (change.kind.came() && named(change)));
    }
    let fails = gathered.now.known.1;
    let mut ways: Vec<Way> = gathered
        .ways
        .iter()
        .map(|(name, count)| Way {
            name: (*name).into(),
            count: *count,
            share: *count as f64 / fails.max(1.0),
        })
        .collect();
    ways.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
    let assessment = Assessment {
        incident: String::new(),
        feature: None,
        as_of: instant(as_of),
        measure: measure.name(),
        measure_words: measure.words(),
        window: [instant(window.0), instant(window.1)],
        usual_window: [instant(usual_window.0), instant(usual_window.1)],
        requests,
        known: gathered.now.known.0 as u64,
        unknown: requests - gathered.now.known.0 as u64,
        rate,
        excess,
        users,
        onset: onset.clone(),
        near,
        mix: usual.and_then(|_| slices::mix(&cells)),
        slices,
        ways,
        modes: Vec::new(),
        severity: SeverityView::default(),
        examples: Vec::new(),
        query: String::new(),
    };
    Ok((assessment, worst))
}

/// Traces named.
const EXAMPLES: usize = 10;

/// The interval of the change, about the count that takes the hours of the day into account.
fn excess(rate: &Rate, count: f64, requests: f64) -> Option<Excess> {
    let (change, ends) = (rate.change?, rate.change_interval?);
    Some(Excess {
        count,
        interval: Interval {
            lower: count + (ends.lower - change) * requests,
            upper: count + (ends.upper - change) * requests,
        },
    })
}

fn users(gathered: &Gathered, rate: &Rate, sampled: bool) -> Option<Users> {
    let (histogram, counted) = gathered.users();
    let total: u64 = histogram.values().sum();
    if total == 0 {
        return None;
    }
    let requests: u64 = histogram.iter().map(|(requests, users)| requests * users).sum();
    let expect = |rate: f64| expected_users(histogram.clone(), rate);
    let (kind, hit, at_most) = if sampled {
        let most = (total as f64).min(rate.now * requests as f64);
        (UsersKind::Expected, expect(rate.now), most)
    } else {
        (UsersKind::Exact, counted as f64, counted as f64)
    };
    // Users who fail often by themselves make fewer than would be expected: they are counted where they can be.
    let usual = match gathered
        .users_hit_before()
        .filter(|_| !sampled && gathered.as_long_before >= gathered.oldest)
    {
        Some(share) => rate.usual.map(|_| share * total as f64),
        None => rate.usual.map(expect),
    };
    let above_usual = usual.map(|usual| (hit - usual).max(0.0));
    let share_above = above_usual.map(|above| above / total as f64);
    Some(Users { kind, total, hit, at_most, usual, above_usual, share_above })
}
