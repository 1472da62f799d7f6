//! Columns of 4,096 traces each: what scans and draws read instead of rows.
//!
//! A block is rewritten whole when a batch ends inside it, in the transaction of the rows.

use rusqlite::{Connection, OptionalExtension, params};

/// Traces in a block.
pub const BLOCK: i64 = 4096;

/// One block's columns, in the order of `seq`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Block {
    /// Which block: `(seq - 1) / BLOCK`.
    pub n: i64,
    /// `trace.ts` of each trace.
    pub ts: Vec<i64>,
    /// `trace.id_hash` of each trace.
    pub id_hash: Vec<i64>,
}

impl Block {
    /// The `seq` of the first trace of the block.
    pub fn first_seq(&self) -> i64 {
        self.n * BLOCK + 1
    }

    /// Reads one block.
    pub(super) fn read(db: &Connection, n: i64) -> rusqlite::Result<Option<Self>> {
        db.prepare_cached("SELECT ts, id_hash FROM main.block WHERE n = ?")?
            .query_row([n], |r| {
                Ok(Self {
                    n,
                    ts: numbers(r.get_ref(0)?.as_blob()?),
                    id_hash: numbers(r.get_ref(1)?.as_blob()?),
                })
            })
            .optional()
    }

    fn write(&self, db: &Connection) -> rusqlite::Result<()> {
        let (min, max) = (self.ts.iter().min(), self.ts.iter().max());
        db.prepare_cached(
            "INSERT OR REPLACE INTO block(n, min_ts, max_ts, ts, id_hash) VALUES (?, ?, ?, ?, ?)",
        )?
        .execute(params![
            self.n,
            min.unwrap_or(&0),
            max.unwrap_or(&0),
            bytes(&self.ts),
            bytes(&self.id_hash)
        ])?;
        Ok(())
    }
}

/// Appends to the columns as traces are written.
#[derive(Default)]
pub(super) struct Appender {
    tail: Block,
    /// The `seq` of the last trace appended.
    pub(super) last: i64,
}

impl Appender {
    /// Goes on where the store's columns end.
    pub(super) fn resume(db: &Connection, last: i64) -> rusqlite::Result<Self> {
        let n = last / BLOCK;
        let tail = Block::read(db, n)?.unwrap_or(Block { n, ..Block::default() });
        Ok(Self { tail, last })
    }

    /// Appends the trace after the last.
    pub(super) fn push(&mut self, db: &Connection, ts: i64, id_hash: i64) -> rusqlite::Result<i64> {
        self.last += 1;
        self.tail.ts.push(ts);
        self.tail.id_hash.push(id_hash);
        if self.tail.ts.len() as i64 == BLOCK {
            self.tail.write(db)?;
            self.tail = Block { n: self.tail.n + 1, ..Block::default() };
        }
        Ok(self.last)
    }

    /// Writes the unfinished block; before each commit.
    pub(super) fn flush(&self, db: &Connection) -> rusqlite::Result<()> {
        if self.tail.ts.is_empty() { Ok(()) } else { self.tail.write(db) }
    }
}

fn bytes(column: &[i64]) -> Vec<u8> {
    column.iter().flat_map(|n| n.to_le_bytes()).collect()
}

/// Reads a column of little-endian numbers.
pub(super) fn numbers(blob: &[u8]) -> Vec<i64> {
    let (whole, _) = blob.as_chunks::<8>();
    whole.iter().map(|n| i64::from_le_bytes(*n)).collect()
}
