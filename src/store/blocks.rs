//! Columns of 4,096 traces each: what scans, draws and the edges of windows read instead of rows.
//!
//! A block is rewritten whole when a batch ends inside it, in the transaction of the rows. Hashes
//! never change; of the figures the flags do, when feedback comes in later, and all with the time, when
//! later spans rewrite a trace.

use std::collections::BTreeMap;
use std::ops::Range;

use rusqlite::{Connection, OptionalExtension, params_from_iter};

use super::column::{Packed, pack};
use super::rollup::Counted;

/// Traces in a block.
pub const BLOCK: i64 = 4096;

/// A figure of a trace that the columns hold, under its name in `trace` too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cell {
    Flags,
    Feature,
    Model,
    Prompt,
    Version,
    LatencyUs,
    CostNusd,
    TokensIn,
    TokensOut,
    Language,
}

impl Cell {
    /// All of them, in their order within [`Cells`].
    pub(super) const ALL: [Self; 10] = [
        Self::Flags,
        Self::Feature,
        Self::Model,
        Self::Prompt,
        Self::Version,
        Self::LatencyUs,
        Self::CostNusd,
        Self::TokensIn,
        Self::TokensOut,
        Self::Language,
    ];

    /// The name of its column.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Flags => "flags",
            Self::Feature => "feature",
            Self::Model => "model",
            Self::Prompt => "prompt",
            Self::Version => "version",
            Self::LatencyUs => "latency_us",
            Self::CostNusd => "cost_nusd",
            Self::TokensIn => "tokens_in",
            Self::TokensOut => "tokens_out",
            Self::Language => "language",
        }
    }
}

/// The names of [`Cell::ALL`], for a statement.
pub(super) fn cell_names() -> String {
    Cell::ALL.map(Cell::name).join(", ")
}

/// The figures of one trace.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Cells(pub(super) [Option<i64>; Cell::ALL.len()]);

impl Cells {
    /// From the columns of [`cell_names`], from this one on.
    pub(super) fn of_row(row: &rusqlite::Row<'_>, from: usize) -> rusqlite::Result<Self> {
        let mut cells = Self::default();
        for (n, cell) in cells.0.iter_mut().enumerate() {
            *cell = row.get(from + n)?;
        }
        Ok(cells)
    }

    /// One of them.
    pub(super) fn get(&self, cell: Cell) -> Option<i64> {
        self.0[cell as usize]
    }

    /// The id of a name, 0 for none.
    pub(super) fn name(&self, cell: Cell) -> i64 {
        self.get(cell).unwrap_or(0)
    }

    /// What the trace adds to sums.
    pub(super) fn counted(&self) -> Counted {
        Counted {
            flags: self.get(Cell::Flags).unwrap_or(0),
            cost_nusd: self.get(Cell::CostNusd),
            tokens_in: self.get(Cell::TokensIn),
            tokens_out: self.get(Cell::TokensOut),
            latency_us: self.get(Cell::LatencyUs),
        }
    }
}

/// One block's columns, in the order of `seq`.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Block {
    /// Which block: `(seq - 1) / BLOCK`.
    pub(super) n: i64,
    /// `trace.ts` of each trace.
    pub(super) ts: Vec<i64>,
    /// `trace.id_hash` of each trace.
    pub(super) id_hash: Vec<i64>,
    cells: [Vec<Option<i64>>; Cell::ALL.len()],
}

impl Block {
    /// A block without traces.
    pub(super) fn empty(n: i64) -> Self {
        Self { n, ..Self::default() }
    }

    /// The `seq` of the first trace of the block.
    pub(super) fn first_seq(&self) -> i64 {
        self.n * BLOCK + 1
    }

    /// The figures at this place of the block.
    pub(super) fn cells(&self, at: usize) -> Cells {
        let mut cells = Cells::default();
        for (cell, column) in cells.0.iter_mut().zip(&self.cells) {
            *cell = column.get(at).copied().flatten();
        }
        cells
    }

    /// Reads one block whole.
    pub(super) fn read(db: &Connection, n: i64) -> rusqlite::Result<Option<Self>> {
        db.prepare_cached(&format!("SELECT ts, id_hash, {} FROM main.block WHERE n = ?", cell_names()))?
            .query_row([n], |r| {
                let ts = numbers(r.get_ref(0)?.as_blob()?);
                let mut cells = <[Vec<Option<i64>>; Cell::ALL.len()]>::default();
                for (at, column) in cells.iter_mut().enumerate() {
                    let packed = Packed::new(r.get_ref(2 + at)?.as_blob_or_null()?.unwrap_or_default());
                    *column = (0..ts.len()).map(|at| packed.get(at)).collect();
                }
                Ok(Self { n, ts, id_hash: numbers(r.get_ref(1)?.as_blob()?), cells })
            })
            .optional()
    }

    fn push(&mut self, ts: i64, id_hash: i64, cells: Cells) {
        self.ts.push(ts);
        self.id_hash.push(id_hash);
        for (column, cell) in self.cells.iter_mut().zip(cells.0) {
            column.push(cell);
        }
    }

    fn apply(&mut self, seq: i64, change: &Change) {
        let at = usize::try_from(seq - self.first_seq()).unwrap_or(usize::MAX);
        match change {
            Change::Flags(flags) => {
                if let Some(cell) = self.cells[Cell::Flags as usize].get_mut(at) {
                    *cell = Some(*flags);
                }
            }
            Change::All { ts, cells } => {
                if let Some(held) = self.ts.get_mut(at) {
                    *held = *ts;
                    for (column, cell) in self.cells.iter_mut().zip(cells.0) {
                        column[at] = cell;
                    }
                }
            }
        }
    }

    fn write(&self, db: &Connection) -> rusqlite::Result<()> {
        use rusqlite::types::Value;
        let (min, max) = (self.ts.iter().min(), self.ts.iter().max());
        let values = [
            Value::Integer(self.n),
            Value::Integer(*min.unwrap_or(&0)),
            Value::Integer(*max.unwrap_or(&0)),
            Value::Blob(bytes(&self.ts)),
            Value::Blob(bytes(&self.id_hash)),
        ];
        let cells = self.cells.iter().map(|column| Value::Blob(pack(column)));
        db.prepare_cached(&format!(
            "INSERT OR REPLACE INTO block(n, min_ts, max_ts, ts, id_hash, {}) VALUES (?, ?, ?, ?, ?{})",
            cell_names(),
            ", ?".repeat(Cell::ALL.len())
        ))?
        .execute(params_from_iter(values.into_iter().chain(cells)))?;
        Ok(())
    }
}

/// A block as it is stored, of which only the wanted columns are read.
pub(super) struct View<'a> {
    /// The `seq` of its first trace.
    pub(super) first_seq: i64,
    ts: &'a [[u8; 8]],
    id_hash: &'a [[u8; 8]],
    cells: [Packed<'a>; Cell::ALL.len()],
}

impl View<'_> {
    /// How many traces it holds.
    pub(super) fn len(&self) -> usize {
        self.ts.len()
    }

    /// `trace.ts` at this place.
    pub(super) fn ts(&self, at: usize) -> i64 {
        self.ts.get(at).map_or(0, |bytes| i64::from_le_bytes(*bytes))
    }

    /// `trace.id_hash` at this place.
    pub(super) fn id_hash(&self, at: usize) -> i64 {
        self.id_hash.get(at).map_or(0, |bytes| i64::from_le_bytes(*bytes))
    }

    /// The figures at this place, as far as they were wanted.
    pub(super) fn cells(&self, at: usize) -> Cells {
        let mut cells = Cells::default();
        for (cell, column) in cells.0.iter_mut().zip(&self.cells) {
            *cell = column.get(at);
        }
        cells
    }
}

impl View<'_> {
    /// Hands the traces of these times to `each`, with their times and with the figures that were wanted.
    pub(super) fn each_within(&self, times: Range<i64>, mut each: impl FnMut(i64, &Cells)) {
        self.each_placed(times, |_, ts, cells| each(ts, cells));
    }

    /// The same, each with its place in the block before its time.
    pub(super) fn each_placed(&self, times: Range<i64>, mut each: impl FnMut(usize, i64, &Cells)) {
        /// Traces that are read at a time, column by column.
        const AT_ONCE: usize = 64;
        let mut rows = [Cells::default(); AT_ONCE];
        for (n, ts) in self.ts.chunks(AT_ONCE).enumerate() {
            let times_of = || ts.iter().map(|bytes| i64::from_le_bytes(*bytes));
            if !times_of().any(|ts| times.contains(&ts)) {
                continue;
            }
            let rows = &mut rows[..ts.len()];
            for (cell, column) in self.cells.iter().enumerate() {
                column.fill(n * AT_ONCE, rows.iter_mut().map(|cells| &mut cells.0[cell]));
            }
            for (at, (ts, cells)) in times_of().zip(rows.iter()).enumerate() {
                if times.contains(&ts) {
                    each(n * AT_ONCE + at, ts, cells);
                }
            }
        }
    }
}

/// Visits the blocks that have a time within `oldest..=newest`, in their order, with these figures, until
/// told to stop.
pub(super) fn each(
    db: &Connection,
    (oldest, newest): (i64, i64),
    wanted: &[Cell],
    mut visit: impl FnMut(&View<'_>) -> bool,
) -> rusqlite::Result<()> {
    let mut query = db.prepare_cached(&within(wanted))?;
    let mut rows = query.query([oldest, newest])?;
    while let Some(row) = rows.next()? {
        let mut cells = [Packed::default(); Cell::ALL.len()];
        for (at, cell) in wanted.iter().enumerate() {
            cells[*cell as usize] = Packed::new(row.get_ref(3 + at)?.as_blob_or_null()?.unwrap_or_default());
        }
        let (ts, _) = row.get_ref(1)?.as_blob()?.as_chunks::<8>();
        let (id_hash, _) = row.get_ref(2)?.as_blob()?.as_chunks::<8>();
        if !visit(&View { first_seq: row.get::<_, i64>(0)? * BLOCK + 1, ts, id_hash, cells }) {
            break;
        }
    }
    Ok(())
}

/// The statement of [`each`]. Which blocks are meant comes from the index alone: a block is a hundred kilobytes.
fn within(wanted: &[Cell]) -> String {
    let names: String = wanted.iter().map(|cell| format!(", {}", cell.name())).collect();
    format!(
        "SELECT n, ts, id_hash{names} FROM main.block \
         WHERE n IN (SELECT n FROM main.block WHERE max_ts >= ? AND min_ts <= ?) ORDER BY n"
    )
}

/// Appends to the columns as traces are written, and changes the flags of those that are there.
#[derive(Default)]
pub(super) struct Appender {
    tail: Block,
    /// The `seq` of the last trace appended.
    last: i64,
    /// What changed about traces, by block.
    changed: BTreeMap<i64, Vec<(i64, Change)>>,
}

/// A change of a trace's place in the columns.
enum Change {
    Flags(i64),
    All { ts: i64, cells: Cells },
}

impl Appender {
    /// Goes on where the store's columns end.
    pub(super) fn resume(db: &Connection, last: i64) -> rusqlite::Result<Self> {
        let n = last / BLOCK;
        let tail = Block::read(db, n)?.unwrap_or(Block::empty(n));
        Ok(Self { tail, last, changed: BTreeMap::new() })
    }

    /// Appends the trace after the last.
    pub(super) fn push(
        &mut self,
        db: &Connection,
        ts: i64,
        id_hash: i64,
        cells: Cells,
    ) -> rusqlite::Result<()> {
        self.last += 1;
        self.tail.push(ts, id_hash, cells);
        if self.tail.ts.len() as i64 == BLOCK {
            self.tail.write(db)?;
            self.tail = Block::empty(self.tail.n + 1);
        }
        Ok(())
    }

    /// The `seq` that the next trace has.
    pub(super) fn next_seq(&self) -> i64 {
        self.last + 1
    }

    /// The flags of a trace became these.
    pub(super) fn change_flags(&mut self, seq: i64, flags: i64) {
        self.changed.entry((seq - 1) / BLOCK).or_default().push((seq, Change::Flags(flags)));
    }

    /// The trace was written anew.
    pub(super) fn change(&mut self, seq: i64, ts: i64, cells: Cells) {
        self.changed.entry((seq - 1) / BLOCK).or_default().push((seq, Change::All { ts, cells }));
    }

    /// Writes the unfinished block and what changed; before each commit.
    pub(super) fn flush(&mut self, db: &Connection) -> rusqlite::Result<()> {
        for (n, changes) in std::mem::take(&mut self.changed) {
            let mut stored = if n == self.tail.n { None } else { Block::read(db, n)? };
            let block = stored.as_mut().unwrap_or(&mut self.tail);
            for (seq, change) in changes {
                block.apply(seq, &change);
            }
            if let Some(block) = stored {
                block.write(db)?;
            }
        }
        if self.tail.ts.is_empty() { Ok(()) } else { self.tail.write(db) }
    }
}

/// Makes all columns anew from the rows; a migration.
pub(super) fn rebuild(db: &Connection) -> rusqlite::Result<()> {
    db.execute("DELETE FROM block", [])?;
    let mut made = Appender::default();
    let mut query =
        db.prepare(&format!("SELECT ts, id_hash, {} FROM main.trace ORDER BY seq", cell_names()))?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        made.push(db, row.get(0)?, row.get(1)?, Cells::of_row(row, 2)?)?;
    }
    made.flush(db)
}

fn bytes(column: &[i64]) -> Vec<u8> {
    column.iter().flat_map(|n| n.to_le_bytes()).collect()
}

/// Reads a column of little-endian numbers.
fn numbers(blob: &[u8]) -> Vec<i64> {
    let (whole, _) = blob.as_chunks::<8>();
    whole.iter().map(|n| i64::from_le_bytes(*n)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Access, Store};

    #[test]
    fn a_time_is_found_without_looking_through_the_history() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("s.db"), Access::Create).unwrap();
        let plan: Vec<String> = store
            .read(|db| {
                db.prepare(&format!("EXPLAIN QUERY PLAN {}", within(&Cell::ALL)))?
                    .query_map([0, 1], |row| row.get(3))?
                    .collect()
            })
            .unwrap();
        assert!(plan.iter().any(|step| step.contains("COVERING INDEX block_time (max_ts>?)")), "{plan:?}");
        assert!(!plan.iter().any(|step| step.contains("SCAN") || step.contains("TEMP B-TREE")), "{plan:?}");
    }
}
