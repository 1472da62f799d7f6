//! The language that a trace counts under; and that of traces that were there before languages were kept, read
//! from the bodies of the newest.

use rusqlite::{Connection, OptionalExtension as _};

use super::blocks::BLOCK;
use super::body::Dictionaries;
use super::column::pack;
use super::flags;
use super::names::{Interner, NameKind};
use super::open::Store;
use super::schema::Upkeep;
use crate::domain::{Result, TraceLanguage};

/// So many of the newest traces are looked at: a dashboard looks back eight weeks, and reading the bodies of a
/// store of years would take hours.
const NEWEST: i64 = 1_000_000;

impl Store {
    /// The language that a trace counts under, by its number.
    pub fn language_of(&self, seq: i64) -> Result<Option<TraceLanguage>> {
        self.read(|db| {
            db.prepare_cached(
                "SELECT n.text, t.flags FROM main.trace t JOIN main.name n ON n.id = t.language WHERE t.seq = ?",
            )?
            .query_row([seq], |row| {
                let guessed = row.get::<_, i64>(1)? & flags::GUESSED_LANGUAGE != 0;
                Ok(TraceLanguage { name: row.get(0)?, guessed })
            })
            .optional()
        })
    }
}

/// Fills the language of the newest traces, in rows and columns; a migration. A body that is damaged states
/// none; `doctor` finds it.
pub(super) fn fill(db: &Connection, upkeep: &Upkeep<'_>) -> rusqlite::Result<()> {
    let last: i64 = db.query_row("SELECT coalesce(max(seq), 0) FROM main.trace", [], |r| r.get(0))?;
    let first_block = (last - NEWEST).max(0) / BLOCK;
    let blocks = if last == 0 { 0 } else { (last - 1) / BLOCK + 1 };
    upkeep.begin("reading languages", (last - first_block * BLOCK).unsigned_abs());
    let (dictionaries, mut names) = (Dictionaries::default(), Interner::default());
    let mut bodies = db.prepare("SELECT seq, z FROM main.body WHERE seq BETWEEN ? AND ? ORDER BY seq")?;
    let mut row = db.prepare("UPDATE main.trace SET language = ? WHERE seq = ?")?;
    let mut column = db.prepare("UPDATE main.block SET language = ? WHERE n = ?")?;
    for n in first_block..blocks {
        let from = n * BLOCK + 1;
        let held: Vec<(i64, Vec<u8>)> = bodies
            .query_map([from, from + BLOCK - 1], |r| Ok((r.get(0)?, r.get(1)?)))?
            .collect::<rusqlite::Result<_>>()?;
        let mut cells = vec![None; usize::try_from(BLOCK.min(last - from + 1)).unwrap_or(0)];
        for (seq, z) in &held {
            dictionaries.prepare(db, z)?;
            let Some(language) = dictionaries.stated_language(z) else { continue };
            let id = names.id(db, NameKind::Language, &language)?;
            row.execute((id, seq))?;
            if let Some(cell) = usize::try_from(seq - from).ok().and_then(|at| cells.get_mut(at)) {
                *cell = Some(id);
            }
        }
        column.execute((pack(&cells), n))?;
        upkeep.done(held.len())?;
    }
    Ok(())
}

/// Makes columns and roll-ups anew; a migration.
pub(super) fn figures(db: &Connection, upkeep: &Upkeep<'_>) -> rusqlite::Result<()> {
    let rows: i64 = db.query_row("SELECT coalesce(max(seq), 0) FROM main.trace", [], |r| r.get(0))?;
    upkeep.begin("adding up the hours", rows.unsigned_abs());
    super::rollup::rebuild(db, |traces| upkeep.done(traces))
}
