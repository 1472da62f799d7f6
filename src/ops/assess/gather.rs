//! One pass over the requests of an incident and of the time before it: all that the figures are made of.

use std::collections::{BTreeMap, HashMap};

use super::measure::Measure;
use crate::domain::{FailureKind, Result};
use crate::stats::SliceCell;
use crate::store::{HOUR_MS, RequestRow};

/// What requests are told apart by, in the order of a cell's values.
pub const DIMENSIONS: [&str; 6] = ["prompt", "kind", "model", "language", "feature", "arm"];

/// The ids of the names of one cell; an arm and a version come with what they are of.
pub(super) type CellKey = [(i64, i64); DIMENSIONS.len()];

/// The cell of a request.
pub(super) fn cell_of(row: &RequestRow) -> CellKey {
    let slice = &row.slice;
    [
        (slice.prompt, slice.version),
        (row.topic, 0),
        (slice.model, 0),
        (slice.language, 0),
        (slice.feature, 0),
        row.arm,
    ]
}

/// A failing request to look at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bad {
    /// Its place in the store.
    pub seq: i64,
    /// When.
    pub at: i64,
    /// How loudly it is complained of.
    pub weight: u8,
    /// Its cell.
    pub cell: CellKey,
}

/// Counts of one side: before, or since.
#[derive(Debug, Clone, Default)]
pub(super) struct Side {
    /// All requests.
    pub requests: u64,
    /// Those whose outcome is known, and those of them that fail.
    pub known: (f64, f64),
    /// Weights, weights of the failing, squares of weights: where draws were not even.
    weights: [f64; 3],
    /// Requests whose cost is known, and the sum.
    pub cost: (u64, i64),
}

impl Side {
    fn add(&mut self, row: &RequestRow, fails: Option<bool>) {
        self.requests += 1;
        if let Some(nusd) = row.cost_nusd {
            self.cost.0 += 1;
            self.cost.1 = self.cost.1.saturating_add(nusd);
        }
        let Some(fails) = fails else { return };
        let k = f64::from(u8::from(fails));
        self.known.0 += 1.0;
        self.known.1 += k;
        if let Some(p) = row.judged.map(|judged| judged.probability).filter(|p| *p > 0.0 && *p <= 1.0) {
            let weight = p.recip();
            self.weights[0] += weight;
            self.weights[1] += weight * k;
            self.weights[2] += weight * weight;
        }
    }

    /// Effective size and effective failures: weighed by the draw's probabilities (Hájek 1971, with the effective
    /// size of Kish 1965), else the counts.
    pub fn effective(&self, weighed: bool) -> (f64, f64) {
        let [total, so, squares] = self.weights;
        if !weighed || total <= 0.0 {
            return self.known;
        }
        let n = total * total / squares;
        (n, so / total * n)
    }

    /// What a request costs in the mean, in 1e-9 US dollars.
    pub fn mean_cost(&self) -> Option<f64> {
        (self.cost.0 > 0).then(|| self.cost.1 as f64 / self.cost.0 as f64)
    }
}

/// What a prompt version or a model did.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Served {
    /// First and last request, in milliseconds.
    pub seen: (i64, i64),
    /// Requests.
    pub requests: u64,
}

/// A prompt version (prompt, version) or a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Version(i64, i64),
    Model(i64),
}

/// All that was counted.
#[derive(Debug, Clone, Default)]
pub(super) struct Gathered {
    pub before: Side,
    pub now: Side,
    /// Known and failing requests before and since, by cell.
    pub cells: HashMap<CellKey, [f64; 4]>,
    /// Of each hour since: requests, known, failing.
    hours: BTreeMap<i64, [f64; 3]>,
    /// Of each hour of the day before: known, failing.
    usual_hours: [(f64, f64); 24],
    /// Requests since, and whether one of them failed, by user.
    users: HashMap<i64, (u64, bool)>,
    /// The same of as long before.
    users_before: HashMap<i64, bool>,
    /// Since when that is.
    pub as_long_before: i64,
    /// The first request of all.
    pub oldest: i64,
    /// How failing requests since failed.
    pub ways: BTreeMap<&'static str, u64>,
    /// When versions and models were seen.
    pub served: BTreeMap<Part, Served>,
    bad: Vec<Bad>,
}

/// Failing requests kept to choose examples from.
const KEPT: usize = 500;

impl Gathered {
    /// Nothing counted yet.
    pub fn new(as_long_before: i64, oldest: i64) -> Self {
        Self { as_long_before, oldest, ..Self::default() }
    }

    /// Counts a request before the incident, or since.
    pub fn add(&mut self, row: &RequestRow, since: bool, measure: Measure) {
        let fails = measure.fails(row);
        let side = if since { &mut self.now } else { &mut self.before };
        side.add(row, fails);
        self.see(row);
        let hour = row.at.div_euclid(HOUR_MS);
        if since {
            if let Some(user) = row.user {
                let user = self.users.entry(user).or_default();
                user.0 += 1;
                user.1 |= fails == Some(true);
            }
            self.hours.entry(hour).or_default()[0] += 1.0;
        } else if let Some(user) = row.user.filter(|_| row.at >= self.as_long_before) {
            *self.users_before.entry(user).or_default() |= fails == Some(true);
        }
        let Some(fails) = fails else { return };
        let k = f64::from(u8::from(fails));
        let cell = cell_of(row);
        let counts = self.cells.entry(cell).or_default();
        let at = if since { 2 } else { 0 };
        counts[at] += 1.0;
        counts[at + 1] += k;
        if since {
            let of = self.hours.entry(hour).or_default();
            of[1] += 1.0;
            of[2] += k;
            if fails {
                self.fail(row, cell, measure);
            }
        } else if let Some(of) = self.usual_hours.get_mut(usize::try_from(hour.rem_euclid(24)).unwrap_or(0)) {
            of.0 += 1.0;
            of.1 += k;
        }
    }

    /// Notes when a version and a model were seen.
    pub fn see(&mut self, row: &RequestRow) {
        let slice = &row.slice;
        for part in [Part::Version(slice.prompt, slice.version), Part::Model(slice.model)] {
            if !matches!(part, Part::Version(0, 0) | Part::Model(0)) {
                let of = self.served.entry(part).or_insert(Served { seen: (row.at, row.at), requests: 0 });
                of.seen = (of.seen.0.min(row.at), of.seen.1.max(row.at));
                of.requests += 1;
            }
        }
    }

    fn fail(&mut self, row: &RequestRow, cell: CellKey, measure: Measure) {
        let said = match measure {
            Measure::Slow(_) | Measure::Fallback => None,
            _ => row.complaint(),
        };
        let way = match row.failure() {
            Some(FailureKind::Timeout) => "timeout",
            Some(FailureKind::RateLimit) => "rate_limit",
            Some(FailureKind::ContentPolicy) => "content_policy",
            Some(FailureKind::Other) => "other_error",
            None => said.unwrap_or(measure.name()),
        };
        *self.ways.entry(way).or_default() += 1;
        self.bad.push(Bad { seq: row.seq, at: row.at, weight: row.weight(), cell });
        if self.bad.len() >= 2 * KEPT {
            self.worst_first();
            self.bad.truncate(KEPT);
        }
    }

    fn worst_first(&mut self) {
        self.bad.sort_by_key(|bad| std::cmp::Reverse((bad.weight, bad.at, bad.seq)));
    }

    /// The worst of the failing requests since that are in such a cell, worst first, newer before older.
    pub fn worst(&mut self, within: impl Fn(&CellKey) -> bool, most: usize) -> Vec<Bad> {
        self.worst_first();
        self.bad.iter().filter(|bad| within(&bad.cell)).take(most).copied().collect()
    }

    /// Known and failing requests of a prompt version, before and since.
    pub fn of_version(&self, version: (i64, i64)) -> (f64, f64) {
        let cells = self.cells.iter().filter(|(cell, _)| cell[0] == version);
        cells.fold((0.0, 0.0), |(n, k), (_, [n0, k0, n1, k1])| (n + n0 + n1, k + k0 + k1))
    }

    /// How many users made so many requests since, and how many met a failure.
    pub fn users(&self) -> (BTreeMap<u64, u64>, u64) {
        let mut histogram = BTreeMap::new();
        for (requests, _) in self.users.values() {
            *histogram.entry(*requests).or_default() += 1;
        }
        (histogram, self.users.values().filter(|(_, hit)| *hit).count() as u64)
    }

    /// The share of the users of as long before who met a failure; `None` where few are known.
    pub fn users_hit_before(&self) -> Option<f64> {
        const LEAST: usize = 20;
        let hit = self.users_before.values().filter(|hit| **hit).count();
        (self.users_before.len() >= LEAST).then(|| hit as f64 / self.users_before.len() as f64)
    }

    /// Failures more than usual since, where each hour is held against the same hours of the day before; those known
    /// stand for all requests of their hour. An hour of the day is drawn to the whole rate by 20 requests' worth.
    /// `None` where nothing is known of before.
    pub fn excess(&self) -> Option<f64> {
        const SHRINK: f64 = 20.0;
        let (n, k) = self.before.known;
        let whole = (n > 0.0).then(|| k / n)?;
        let scale = self.now.requests as f64 / self.now.known.0.max(1.0);
        let more = self.hours.iter().map(|(hour, [_, n, k])| {
            let (n0, k0) = self.usual_hours[usize::try_from(hour.rem_euclid(24)).unwrap_or(0)];
            let usual = (k0 + SHRINK * whole) / (n0 + SHRINK);
            k - n * usual
        });
        Some(more.sum::<f64>() * scale)
    }

    /// The cells with the names of their values.
    pub fn named(
        &self,
        mut name: impl FnMut(usize, (i64, i64)) -> Result<String>,
    ) -> Result<Vec<(CellKey, SliceCell)>> {
        let mut cells = self
            .cells
            .iter()
            .map(|(key, [n0, k0, n1, k1])| {
                let values = key.iter().enumerate().map(|(at, ids)| name(at, *ids));
                let values = values.collect::<Result<_>>()?;
                Ok((*key, SliceCell { values, before: (*n0, *k0), now: (*n1, *k1) }))
            })
            .collect::<Result<Vec<_>>>()?;
        // The order of a hash map is no order: the same store must give the same answer.
        cells.sort_by_key(|cell| cell.0);
        Ok(cells)
    }
}
