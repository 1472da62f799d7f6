//! Hourly figures by feature, model, prompt and version, and their sums by version and by feature, kept in the
//! transaction of the rows that they count.

use std::collections::{BTreeMap, HashMap};

use rusqlite::{Connection, OptionalExtension, params_from_iter};

use super::blocks::{Cell, Cells, cell_names};
use super::flags;
use super::prepare::US_IN_MS;
use crate::stats::Sketch;

/// Milliseconds in an hour: `rollup.hour` is `ts` divided by it, rounded down.
pub(super) const HOUR_MS: i64 = 3_600_000;

/// The key of a row of `rollup`; 0 stands for "none".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct RollupKey {
    pub(super) hour: i64,
    pub(super) feature: i64,
    pub(super) model: i64,
    pub(super) prompt: i64,
    pub(super) version: i64,
}

impl RollupKey {
    /// The key that a trace counts under.
    pub(super) fn of(ts: i64, cells: &Cells) -> Self {
        Self {
            hour: ts.div_euclid(HOUR_MS),
            feature: cells.name(Cell::Feature),
            model: cells.name(Cell::Model),
            prompt: cells.name(Cell::Prompt),
            version: cells.name(Cell::Version),
        }
    }
}

/// The figures of one key. Also used for differences, so counts may be negative.
#[derive(Debug, Clone, Default)]
pub(super) struct Figures {
    /// In the order of [`COUNTS`].
    pub(super) counts: [i64; COUNTS.len()],
    pub(super) latency: Sketch,
    /// Of a difference: times that are to be taken away.
    less: Sketch,
}

/// The counting columns of `rollup`.
pub(super) const COUNTS: [&str; 15] = [
    "requests",
    "timeouts",
    "rate_limits",
    "content_policy",
    "other_errors",
    "fallbacks",
    "ups",
    "downs",
    "reports",
    "follow_ups",
    "priced",
    "cost_nusd",
    "tokens_in",
    "tokens_out",
    "timed",
];

/// What one trace adds.
pub(super) struct Counted {
    pub(super) flags: i64,
    pub(super) cost_nusd: Option<i64>,
    pub(super) tokens_in: Option<i64>,
    pub(super) tokens_out: Option<i64>,
    pub(super) latency_us: Option<i64>,
}

impl Counted {
    /// What the trace adds to each of [`COUNTS`].
    pub(super) fn counts(&self) -> [i64; COUNTS.len()] {
        let bit = |mask: i64| i64::from(self.flags & mask != 0);
        // An error that names no kind counts with the others.
        let other = bit(flags::ERROR) & (1 - bit(flags::TIMEOUT | flags::RATE_LIMIT | flags::CONTENT_POLICY));
        let feedback = feedback_counts(self.flags);
        [
            1,
            bit(flags::ERROR) & bit(flags::TIMEOUT),
            bit(flags::ERROR) & bit(flags::RATE_LIMIT),
            bit(flags::ERROR) & bit(flags::CONTENT_POLICY),
            other,
            bit(flags::FALLBACK),
            feedback[0],
            feedback[1],
            feedback[2],
            feedback[3],
            i64::from(self.cost_nusd.is_some()),
            self.cost_nusd.unwrap_or(0),
            self.tokens_in.unwrap_or(0),
            self.tokens_out.unwrap_or(0),
            i64::from(self.latency_us.is_some()),
        ]
    }
}

impl Figures {
    pub(super) fn add(&mut self, trace: &Counted) {
        self.count(trace);
        if let Some(us) = trace.latency_us {
            self.latency.add(us as f64 / US_IN_MS);
        }
    }

    /// Takes away what a trace added before.
    pub(super) fn remove(&mut self, trace: &Counted) {
        for (sum, less) in self.counts.iter_mut().zip(trace.counts()) {
            *sum = sum.saturating_sub(less);
        }
        if let Some(us) = trace.latency_us {
            self.less.add(us as f64 / US_IN_MS);
        }
    }

    /// Like [`add`](Self::add) without the sketch.
    pub(super) fn count(&mut self, trace: &Counted) {
        for (sum, add) in self.counts.iter_mut().zip(trace.counts()) {
            *sum = sum.saturating_add(add);
        }
    }

    /// The feedback of a trace changed from one set of bits to another.
    pub(super) fn change_feedback(&mut self, from: i64, to: i64) {
        for (n, (old, new)) in feedback_counts(from).into_iter().zip(feedback_counts(to)).enumerate() {
            self.counts[6 + n] += new - old;
        }
    }

    fn merge(&mut self, other: &Self) {
        for (sum, add) in self.counts.iter_mut().zip(other.counts) {
            *sum = sum.saturating_add(add);
        }
        self.latency.merge(&other.latency);
        self.less.merge(&other.less);
    }
}

fn feedback_counts(bits: i64) -> [i64; 4] {
    [flags::UP, flags::DOWN, flags::REPORT, flags::FOLLOW_UP].map(|mask| i64::from(bits & mask != 0))
}

/// Sums of figures over what the coarser tables do not tell apart.
#[derive(Default)]
pub(super) struct Coarser {
    /// By hour, feature, prompt and version.
    pub(super) versions: BTreeMap<[i64; 4], Figures>,
    /// By hour and feature.
    pub(super) features: BTreeMap<[i64; 2], Figures>,
}

impl Coarser {
    fn add(&mut self, key: RollupKey, figures: &Figures) {
        let RollupKey { hour, feature, prompt, version, .. } = key;
        self.versions.entry([hour, feature, prompt, version]).or_default().merge(figures);
        self.features.entry([hour, feature]).or_default().merge(figures);
    }

    /// What the coarser tables must hold, from the finest.
    pub(super) fn of_stored(db: &Connection) -> rusqlite::Result<Self> {
        let mut sums = Self::default();
        each_stored(db, |key, figures| sums.add(key, &figures))?;
        Ok(sums)
    }
}

/// Visits the finest figures.
pub(super) fn each_stored(
    db: &Connection,
    mut visit: impl FnMut(RollupKey, Figures),
) -> rusqlite::Result<()> {
    let mut query = db.prepare(&format!(
        "SELECT hour, feature, model, prompt, version, {}, latency FROM main.rollup",
        COUNTS.join(", ")
    ))?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let key = RollupKey {
            hour: row.get(0)?,
            feature: row.get(1)?,
            model: row.get(2)?,
            prompt: row.get(3)?,
            version: row.get(4)?,
        };
        visit(key, of_row(row, 5)?);
    }
    Ok(())
}

/// The differences that a transaction will make.
#[derive(Default)]
pub(super) struct RollupDelta(HashMap<RollupKey, Figures>);

impl RollupDelta {
    pub(super) fn at(&mut self, key: RollupKey) -> &mut Figures {
        self.0.entry(key).or_default()
    }

    /// Adds the differences to all three tables; inside the transaction of the caller.
    pub(super) fn apply(self, db: &Connection) -> rusqlite::Result<()> {
        let mut sums = Coarser::default();
        for (key, figures) in &self.0 {
            sums.add(*key, figures);
        }
        let mut sorted: Vec<_> = self.0.into_iter().collect();
        sorted.sort_unstable_by_key(|(key, _)| *key);
        let sorted = sorted
            .into_iter()
            .map(|(key, figures)| ([key.hour, key.feature, key.model, key.prompt, key.version], figures));
        add(db, "rollup", ["hour", "feature", "model", "prompt", "version"], sorted)?;
        add(db, "rollup_version", ["hour", "feature", "prompt", "version"], sums.versions)?;
        add(db, "rollup_feature", ["hour", "feature"], sums.features)
    }
}

/// Adds figures to those that a table has under their keys.
fn add<const N: usize>(
    db: &Connection,
    table: &str,
    key_names: [&str; N],
    rows: impl IntoIterator<Item = ([i64; N], Figures)>,
) -> rusqlite::Result<()> {
    let (keys, counts) = (key_names.join(", "), COUNTS.join(", "));
    let same = key_names.map(|name| format!("{name} = ?")).join(" AND ");
    let mut read = db.prepare_cached(&format!("SELECT {counts}, latency FROM main.{table} WHERE {same}"))?;
    let mut write = db.prepare_cached(&format!(
        "INSERT OR REPLACE INTO main.{table}({keys}, {counts}, latency) VALUES (?{})",
        ", ?".repeat(N + COUNTS.len())
    ))?;
    let mut delete = db.prepare_cached(&format!("DELETE FROM main.{table} WHERE {same}"))?;
    for (key, mut figures) in rows {
        if let Some(stored) = read.query_row(params_from_iter(key), |r| of_row(r, 0)).optional()? {
            figures.merge(&stored);
        }
        if figures.counts[0] == 0 {
            // Its last trace counts elsewhere now.
            delete.execute(params_from_iter(key))?;
            continue;
        }
        if figures.less.count() > 0 {
            figures.latency.take_away(&figures.less);
            figures.latency.settle();
        }
        for (n, value) in key.into_iter().chain(figures.counts).enumerate() {
            write.raw_bind_parameter(n + 1, value)?;
        }
        write.raw_bind_parameter(N + COUNTS.len() + 1, figures.latency.to_bytes())?;
        write.raw_execute()?;
    }
    Ok(())
}

/// Makes all three tables anew from the rows; a migration.
pub(super) fn rebuild(db: &Connection) -> rusqlite::Result<()> {
    db.execute_batch("DELETE FROM rollup; DELETE FROM rollup_version; DELETE FROM rollup_feature")?;
    let mut delta = RollupDelta::default();
    let mut query = db.prepare(&format!("SELECT ts, {} FROM main.trace ORDER BY seq", cell_names()))?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let cells = Cells::of_row(row, 1)?;
        delta.at(RollupKey::of(row.get(0)?, &cells)).add(&cells.counted());
    }
    delta.apply(db)
}

/// Figures from the columns of `rollup`, [`COUNTS`] then `latency`, from this column on. A sketch that
/// cannot be read counts as empty; `doctor` finds it.
pub(super) fn of_row(row: &rusqlite::Row<'_>, from: usize) -> rusqlite::Result<Figures> {
    let mut figures = Figures::default();
    for (n, count) in figures.counts.iter_mut().enumerate() {
        *count = row.get(from + n)?;
    }
    let bytes = row.get_ref(from + COUNTS.len())?.as_blob().unwrap_or_default();
    figures.latency.merge_stored(bytes);
    Ok(figures)
}
