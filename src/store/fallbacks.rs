//! Fallbacks among the traces that are there: by which patterns their answers were read, reading them again by others,
//! and the traces that were there before answers were looked at, found in the bodies of the newest by the usual ones.

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior};

use super::blocks::{Appender, BLOCK, Cells, cell_names};
use super::body::Dictionaries;
use super::column::pack;
use super::flags;
use super::open::Store;
use super::rollup::{RollupDelta, RollupKey};
use super::schema::Upkeep;
use crate::domain::Result;
use crate::text::Fallback;

/// The key of the patterns that all answers were read by; where there is none, by the usual ones.
const KEY: &str = "fallback_patterns";
/// Not all answers were read by the same patterns.
const MIXED: &str = "mixed";

/// What reading some answers again changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reread {
    /// Traces that count as fallbacks now.
    pub found: u64,
    /// Traces that do so no more.
    pub lost: u64,
}

impl Store {
    /// Whether answers were read by other patterns than these.
    pub fn reads_by_other_patterns(&self, patterns: &Fallback) -> Result<bool> {
        let mine = patterns.fingerprint();
        self.read(|db| {
            let held: Option<String> = db
                .prepare_cached("SELECT value FROM main.meta WHERE key = ?")?
                .query_row([KEY], |row| row.get(0))
                .optional()?;
            let held = held.unwrap_or_else(|| Fallback::default().fingerprint());
            Ok(held != mine && db.prepare_cached("SELECT 1 FROM main.trace LIMIT 1")?.exists([])?)
        })
    }

    /// Notes that answers which arrive from now on are read by these patterns. Those that are there may have been
    /// read by others.
    pub fn note_patterns(&self, patterns: &Fallback) -> Result<()> {
        let held =
            if self.reads_by_other_patterns(patterns)? { MIXED.to_owned() } else { patterns.fingerprint() };
        self.keep_patterns(&held)
    }

    /// Notes that all answers were read by these patterns.
    pub fn all_read_by(&self, patterns: &Fallback) -> Result<()> {
        self.keep_patterns(&patterns.fingerprint())
    }

    fn keep_patterns(&self, held: &str) -> Result<()> {
        let mut writer = self.traces_writer()?;
        let db = writer.db();
        let written = db
            .query_row("SELECT 1 FROM meta WHERE key = ? AND value = ?", [KEY, held], |_| Ok(()))
            .optional()
            .and_then(|known| match known {
                Some(()) => Ok(0),
                None => db.execute("INSERT OR REPLACE INTO meta(key, value) VALUES (?, ?)", [KEY, held]),
            });
        written.map(drop).map_err(|e| self.explain(e))
    }

    /// Reads the answers of these traces (by `seq`, both included) again: each counts as a fallback if its source
    /// says so or its answer reads like one. Rows, columns and roll-ups change as one. A body that is damaged stays
    /// as it is.
    pub fn reread_fallbacks(&self, (from, to): (i64, i64), patterns: &Fallback) -> Result<Reread> {
        let dictionaries = &self.0.dictionaries;
        let reads = |db: &Connection, bits: i64, z: &[u8]| -> Option<i64> {
            if bits & flags::FALLBACK != 0 && bits & flags::READS_LIKE_FALLBACK == 0 {
                return None;
            }
            let alike = flags::FALLBACK | flags::READS_LIKE_FALLBACK;
            let talk = dictionaries.talk(db, z).ok()?;
            let now = if patterns.reads_like(&talk.output) { bits | alike } else { bits & !alike };
            (now != bits).then_some(now)
        };
        // Most stay as they are: what changes is found without keeping writers out.
        let changing: Vec<i64> = self.read(|db| {
            let mut held = db.prepare_cached(
                "SELECT t.seq, t.flags, b.z FROM main.trace t JOIN main.body b ON b.seq = t.seq \
                 WHERE t.seq BETWEEN ? AND ? ORDER BY t.seq",
            )?;
            let mut rows = held.query([from, to])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                if reads(db, row.get(1)?, row.get_ref(2)?.as_blob()?).is_some() {
                    found.push(row.get(0)?);
                }
            }
            Ok(found)
        })?;
        if changing.is_empty() {
            return Ok(Reread::default());
        }
        let mut writer = self.traces_writer()?;
        let write = || -> rusqlite::Result<Reread> {
            let tx = writer.db().transaction_with_behavior(TransactionBehavior::Immediate)?;
            let last: i64 = tx.query_row("SELECT coalesce(max(seq), 0) FROM trace", [], |r| r.get(0))?;
            let (mut blocks, mut delta) = (Appender::resume(&tx, last)?, RollupDelta::default());
            let mut reread = Reread::default();
            for seq in changing {
                let (ts, cells, z) = tx
                    .prepare_cached(&format!(
                        "SELECT t.ts, b.z, {} FROM trace t JOIN body b ON b.seq = t.seq WHERE t.seq = ?",
                        cell_names()
                    ))?
                    .query_row([seq], |r| Ok((r.get(0)?, Cells::of_row(r, 2)?, r.get::<_, Vec<u8>>(1)?)))?;
                // Spans that arrived meanwhile may have changed it.
                let Some(now) = reads(&tx, cells.counted().flags, &z) else { continue };
                let mut new = cells;
                new.0[0] = Some(now);
                let figures = delta.at(RollupKey::of(ts, &cells));
                figures.remove(&cells.counted());
                figures.add(&new.counted());
                tx.prepare_cached("UPDATE trace SET flags = ? WHERE seq = ?")?.execute((now, seq))?;
                blocks.change_flags(seq, now);
                *if now & flags::FALLBACK != 0 { &mut reread.found } else { &mut reread.lost } += 1;
            }
            blocks.flush(&tx)?;
            delta.apply(&tx)?;
            tx.commit()?;
            Ok(reread)
        };
        write().map_err(|e| self.explain(e))
    }
}

/// So many of the newest traces are looked at: a dashboard looks back eight weeks, and reading the bodies of a store of
/// years would take hours.
const NEWEST: i64 = 1_000_000;

/// Marks the newest traces whose answers read like fallbacks, in rows and columns; a migration. A body that is damaged
/// is none; `doctor` finds it.
pub(super) fn fill(db: &Connection, upkeep: &Upkeep<'_>) -> rusqlite::Result<()> {
    let last: i64 = db.query_row("SELECT coalesce(max(seq), 0) FROM main.trace", [], |r| r.get(0))?;
    let first_block = (last - NEWEST).max(0) / BLOCK;
    let blocks = if last == 0 { 0 } else { (last - 1) / BLOCK + 1 };
    upkeep.begin("looking for fallbacks", (last - first_block * BLOCK).unsigned_abs());
    let (dictionaries, usual) = (Dictionaries::default(), Fallback::default());
    let mut held = db.prepare(
        "SELECT t.seq, t.flags, b.z FROM main.trace t LEFT JOIN main.body b ON b.seq = t.seq \
         WHERE t.seq BETWEEN ? AND ? ORDER BY t.seq",
    )?;
    let mut row = db.prepare("UPDATE main.trace SET flags = ? WHERE seq = ?")?;
    let mut column = db.prepare("UPDATE main.block SET flags = ? WHERE n = ?")?;
    for n in first_block..blocks {
        let from = n * BLOCK + 1;
        let traces: Vec<(i64, i64, Option<Vec<u8>>)> = held
            .query_map([from, from + BLOCK - 1], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))?
            .collect::<rusqlite::Result<_>>()?;
        let (mut cells, mut found) = (Vec::with_capacity(traces.len()), false);
        for (seq, bits, z) in &traces {
            let reads =
                |z: &Vec<u8>| dictionaries.talk(db, z).is_ok_and(|talk| usual.reads_like(&talk.output));
            let alike = bits & flags::FALLBACK == 0 && z.as_ref().is_some_and(reads);
            let bits = if alike { bits | flags::FALLBACK | flags::READS_LIKE_FALLBACK } else { *bits };
            if alike {
                row.execute((bits, seq))?;
                found = true;
            }
            cells.push(Some(bits));
        }
        if found {
            column.execute((pack(&cells), n))?;
        }
        upkeep.done(traces.len())?;
    }
    Ok(())
}
