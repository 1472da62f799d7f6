//! Hourly figures by feature, model, prompt, version and language, and their sums over what a screen does not
//! tell apart, kept in the transaction of the rows that they count.

use std::collections::{BTreeMap, HashMap};

use rusqlite::{Connection, OptionalExtension, params_from_iter};

use super::blocks::{self, Cell, Cells};
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
    pub(super) language: i64,
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
            language: cells.name(Cell::Language),
        }
    }

    fn part(&self, key: Key) -> i64 {
        match key {
            Key::Hour => self.hour,
            Key::Feature => self.feature,
            Key::Model => self.model,
            Key::Prompt => self.prompt,
            Key::Version => self.version,
            Key::Language => self.language,
        }
    }

    fn set(&mut self, key: Key, value: i64) {
        *match key {
            Key::Hour => &mut self.hour,
            Key::Feature => &mut self.feature,
            Key::Model => &mut self.model,
            Key::Prompt => &mut self.prompt,
            Key::Version => &mut self.version,
            Key::Language => &mut self.language,
        } = value;
    }
}

/// A column of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    Hour,
    Feature,
    Model,
    Prompt,
    Version,
    Language,
}

impl Key {
    /// The name of the column.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Feature => "feature",
            Self::Model => "model",
            Self::Prompt => "prompt",
            Self::Version => "version",
            Self::Language => "language",
        }
    }
}

/// A table of figures.
#[derive(Debug, Clone, Copy)]
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) keys: &'static [Key],
}

/// The finest figures: all that the others are sums of.
pub(super) const FINEST: Table = Table {
    name: "rollup",
    keys: &[Key::Hour, Key::Feature, Key::Model, Key::Prompt, Key::Version, Key::Language],
};

/// All tables, those of fewer rows first: who reads takes the first that tells apart what is wanted.
pub(super) const TABLES: [Table; 5] = [
    Table { name: "rollup_feature", keys: &[Key::Hour, Key::Feature] },
    Table { name: "rollup_version", keys: &[Key::Hour, Key::Feature, Key::Prompt, Key::Version] },
    Table { name: "rollup_model", keys: &[Key::Hour, Key::Feature, Key::Model] },
    Table { name: "rollup_language", keys: &[Key::Hour, Key::Feature, Key::Language] },
    FINEST,
];

impl Table {
    fn key_of(&self, key: &RollupKey) -> Vec<i64> {
        self.keys.iter().map(|part| key.part(*part)).collect()
    }

    /// The names of the key's columns, for a statement.
    pub(super) fn key_names(&self) -> String {
        let names: Vec<&str> = self.keys.iter().map(|key| key.name()).collect();
        names.join(", ")
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

/// Figures by the keys of one table.
pub(super) type Summed = BTreeMap<Vec<i64>, Figures>;

/// What each of [`TABLES`] but the finest must hold, from the finest.
pub(super) fn sums_of_stored(db: &Connection) -> rusqlite::Result<Vec<(Table, Summed)>> {
    let mut sums: Vec<(Table, Summed)> = TABLES
        .iter()
        .filter(|table| table.name != FINEST.name)
        .map(|table| (*table, Summed::new()))
        .collect();
    each_stored(db, |key, figures| {
        for (table, of) in &mut sums {
            of.entry(table.key_of(&key)).or_default().merge(&figures);
        }
    })?;
    Ok(sums)
}

/// Visits the finest figures.
pub(super) fn each_stored(
    db: &Connection,
    mut visit: impl FnMut(RollupKey, Figures),
) -> rusqlite::Result<()> {
    let mut query = db.prepare(&format!(
        "SELECT {}, {}, latency FROM main.{}",
        FINEST.key_names(),
        COUNTS.join(", "),
        FINEST.name
    ))?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let mut key = RollupKey { hour: 0, feature: 0, model: 0, prompt: 0, version: 0, language: 0 };
        for (n, part) in FINEST.keys.iter().enumerate() {
            key.set(*part, row.get(n)?);
        }
        visit(key, of_row(row, FINEST.keys.len())?);
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

    /// Adds the differences to all tables; inside the transaction of the caller.
    pub(super) fn apply(self, db: &Connection) -> rusqlite::Result<()> {
        debuts(db, self.0.iter().filter(|(_, figures)| figures.counts[0] > 0).map(|(key, _)| key))?;
        for table in TABLES {
            let mut sums = Summed::new();
            for (key, figures) in &self.0 {
                sums.entry(table.key_of(key)).or_default().merge(figures);
            }
            add(db, &table, sums)?;
        }
        Ok(())
    }
}

/// What a feature first had in some hour. Stored in `debut.kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(i64)]
pub(super) enum DebutKind {
    /// `a` is the model.
    Model = 1,
    /// `a` is the prompt, `b` its version.
    Version = 2,
}

/// Notes the first hour of each model and prompt version.
fn debuts<'a>(db: &Connection, keys: impl Iterator<Item = &'a RollupKey>) -> rusqlite::Result<()> {
    let mut first: BTreeMap<(i64, i64, i64, i64), i64> = BTreeMap::new();
    for key in keys {
        for (kind, a, b) in [(DebutKind::Model, key.model, 0), (DebutKind::Version, key.prompt, key.version)]
        {
            if (a, b) != (0, 0) {
                let hour = first.entry((key.feature, kind as i64, a, b)).or_insert(key.hour);
                *hour = key.hour.min(*hour);
            }
        }
    }
    let mut note = db.prepare_cached(
        "INSERT INTO main.debut(feature, kind, a, b, hour) VALUES (?, ?, ?, ?, ?) \
         ON CONFLICT DO UPDATE SET hour = excluded.hour WHERE excluded.hour < hour",
    )?;
    for ((feature, kind, a, b), hour) in first {
        note.execute([feature, kind, a, b, hour])?;
    }
    Ok(())
}

/// Adds figures to those that a table has under their keys.
fn add(db: &Connection, table: &Table, sums: Summed) -> rusqlite::Result<()> {
    let (name, keys, counts) = (table.name, table.key_names(), COUNTS.join(", "));
    let same: Vec<String> = table.keys.iter().map(|key| format!("{} = ?", key.name())).collect();
    let same = same.join(" AND ");
    let mut read = db.prepare_cached(&format!("SELECT {counts}, latency FROM main.{name} WHERE {same}"))?;
    let mut write = db.prepare_cached(&format!(
        "INSERT OR REPLACE INTO main.{name}({keys}, {counts}, latency) VALUES (?{})",
        ", ?".repeat(table.keys.len() + COUNTS.len())
    ))?;
    let mut delete = db.prepare_cached(&format!("DELETE FROM main.{name} WHERE {same}"))?;
    for (key, mut figures) in sums {
        if let Some(stored) = read.query_row(params_from_iter(&key), |r| of_row(r, 0)).optional()? {
            figures.merge(&stored);
        }
        if figures.counts[0] == 0 {
            // Its last trace counts elsewhere now.
            delete.execute(params_from_iter(&key))?;
            continue;
        }
        if figures.less.count() > 0 {
            figures.latency.take_away(&figures.less);
            figures.latency.settle();
        }
        let sketch = key.len() + COUNTS.len() + 1;
        for (n, value) in key.into_iter().chain(figures.counts).enumerate() {
            write.raw_bind_parameter(n + 1, value)?;
        }
        write.raw_bind_parameter(sketch, figures.latency.to_bytes())?;
        write.raw_execute()?;
    }
    Ok(())
}

/// Differences are written when there are so many: a rebuild of years must not hold them all.
const MANY: usize = 20_000;

/// Makes all tables anew from the columns; a migration. `each` hears of every block.
pub(super) fn rebuild(
    db: &Connection,
    mut each: impl FnMut(usize) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    for table in TABLES {
        db.execute_batch(&format!("DELETE FROM main.{}", table.name))?;
    }
    db.execute_batch("DELETE FROM main.debut")?;
    let mut delta = RollupDelta::default();
    let mut stopped = Ok(());
    blocks::each(db, (i64::MIN, i64::MAX), &Cell::ALL, |block| {
        for at in 0..block.len() {
            let cells = block.cells(at);
            delta.at(RollupKey::of(block.ts(at), &cells)).add(&cells.counted());
        }
        stopped = each(block.len());
        if stopped.is_ok() && delta.0.len() > MANY {
            stopped = std::mem::take(&mut delta).apply(db);
        }
        stopped.is_ok()
    })?;
    stopped?;
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
