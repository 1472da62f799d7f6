//! Fallbacks among the traces that were there before answers were looked at for them: found in the bodies of the newest,
//! by the usual patterns.

use rusqlite::Connection;

use super::blocks::BLOCK;
use super::body::Dictionaries;
use super::column::pack;
use super::flags;
use super::schema::Upkeep;
use crate::text::Fallback;

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
            .collect::<Result<_, _>>()?;
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
