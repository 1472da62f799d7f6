//! Traffic of features told apart further: by model, prompt version or language; from the same hourly figures and
//! columns as that of whole features.

use std::collections::BTreeMap;

use super::traffic::Tally;
use crate::domain::Result;
use crate::domain::monitor::Apart;
use crate::stats::Sketch;
use crate::store::blocks::{self, Cell, Cells};
use crate::store::open::Store;
use crate::store::rollup::{COUNTS, Key};
use crate::store::slice::{Cut, cell};

/// Milliseconds of the smallest sums.
const FINE_MS: i64 = 300_000;

/// The hourly figures of each, and what they are told apart by beside the feature.
fn table(apart: Apart) -> (&'static str, &'static [Key]) {
    match apart {
        Apart::Model => ("rollup_model", &[Key::Model]),
        Apart::PromptVersion => ("rollup_version", &[Key::Prompt, Key::Version]),
        Apart::Language => ("rollup_language", &[Key::Language]),
    }
}

/// The traffic with these ids.
fn cut(feature: i64, ids: impl Iterator<Item = (Key, i64)>) -> Cut {
    let mut cut = Cut::from(Some(feature));
    for (key, id) in ids {
        match key {
            Key::Model => cut.model = Some(id),
            Key::Prompt => cut.prompt = Some(id),
            Key::Version => cut.version = Some(id),
            Key::Language => cut.language = Some(id),
            Key::Hour | Key::Feature => {}
        }
    }
    cut
}

impl Store {
    /// As [`hourly_tallies`](Self::hourly_tallies), told apart.
    pub fn hourly_tallies_apart(
        &self,
        apart: Apart,
        (from, to): (i64, i64),
        limits: &[i64],
        mut each: impl FnMut(i64, Cut, Tally),
    ) -> Result<()> {
        let (table, keys) = table(apart);
        let names: Vec<&str> = keys.iter().map(|key| key.name()).collect();
        self.read(|db| {
            let mut query = db.prepare_cached(&format!(
                "SELECT hour, feature, latency, {}, {} FROM main.{table} WHERE hour BETWEEN ? AND ?",
                names.join(", "),
                COUNTS.join(", ")
            ))?;
            let mut rows = query.query([from, to])?;
            let mut sketch = Sketch::default();
            while let Some(row) = rows.next()? {
                let mut ids = Vec::with_capacity(keys.len());
                for (n, key) in keys.iter().enumerate() {
                    ids.push((*key, row.get(3 + n)?));
                }
                let mut counts = [0; COUNTS.len()];
                for (n, count) in counts.iter_mut().enumerate() {
                    *count = row.get(3 + keys.len() + n)?;
                }
                let mut tally = Tally::of_counts(&counts);
                if !limits.is_empty() {
                    sketch.clear();
                    sketch.merge_stored(row.get_ref(2)?.as_blob().unwrap_or_default());
                    for (slow, limit) in tally.slow.iter_mut().zip(limits) {
                        *slow = sketch.above(*limit as f64).cast_signed();
                    }
                }
                each(row.get(0)?, cut(row.get(1)?, ids.into_iter()), tally);
            }
            Ok(())
        })
    }

    /// As [`fine_tallies`](Self::fine_tallies), told apart.
    pub fn fine_tallies_apart(
        &self,
        apart: Apart,
        (from, to): (i64, i64),
        limits: &[i64],
    ) -> Result<BTreeMap<(Cut, i64), Tally>> {
        const COUNTED: [Cell; 4] = [Cell::Flags, Cell::Feature, Cell::LatencyUs, Cell::CostNusd];
        let (_, keys) = table(apart);
        let wanted: Vec<Cell> = COUNTED.into_iter().chain(keys.iter().filter_map(|key| cell(*key))).collect();
        let id = |cells: &Cells, key: Key| (key, cell(key).map_or(0, |cell| cells.name(cell)));
        self.read(|db| {
            let mut sums: BTreeMap<(Cut, i64), Tally> = BTreeMap::new();
            blocks::each(db, (from, to.saturating_sub(1)), &wanted, |block| {
                for at in 0..block.len() {
                    let ts = block.ts(at);
                    if (from..to).contains(&ts) {
                        let cells = block.cells(at);
                        let ids = keys.iter().map(|key| id(&cells, *key));
                        let key = (cut(cells.name(Cell::Feature), ids), ts.div_euclid(FINE_MS));
                        sums.entry(key).or_default().add(&Tally::of_trace(&cells.counted(), limits));
                    }
                }
                true
            })?;
            Ok(sums)
        })
    }
}
