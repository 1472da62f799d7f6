//! The yardsticks of draws and labels: one statement, one row, one durable commit, in plain SQLite.

use std::path::Path;

use rusqlite::{Connection, params};

use super::open::{Store, explain};
use crate::domain::{Result, Untrusted};

impl Store {
    /// The ids of about a hundredth of the traces, by one plain scan of the rows.
    pub fn plain_hundredth(&self) -> Result<Vec<Untrusted>> {
        self.read(|db| {
            db.prepare_cached("SELECT id FROM main.trace WHERE id_hash % 100 = 0")?
                .query_map([], |row| super::ids::stored_id(row.get_ref(0)?))?
                .collect()
        })
    }
}

/// A plain file of labels and samples, each written with `synchronous=FULL`.
pub struct RawWork {
    db: Connection,
    name: String,
}

impl RawWork {
    /// Makes the file.
    pub fn create(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let made = (|| {
            let db = Connection::open(path)?;
            db.pragma_update(None, "journal_mode", "WAL")?;
            db.pragma_update(None, "synchronous", "FULL")?;
            db.execute_batch(
                "CREATE TABLE label(id INTEGER PRIMARY KEY, trace TEXT, verdict TEXT); \
                 CREATE TABLE member(ord INTEGER PRIMARY KEY, trace TEXT, probability REAL)",
            )?;
            Ok(db)
        })();
        Ok(Self { db: made.map_err(|e| explain(e, &name))?, name })
    }

    /// Writes one row and waits for the disk.
    pub fn label(&self, trace: &Untrusted) -> Result<()> {
        let written = self
            .db
            .prepare_cached("INSERT INTO label(trace, verdict) VALUES (?, 'pass')")
            .and_then(|mut insert| insert.execute([trace.raw()]));
        written.map(drop).map_err(|e| explain(e, &self.name))
    }

    /// Writes the members of a sample and waits for the disk.
    pub fn sample(&mut self, traces: &[Untrusted]) -> Result<()> {
        let written = (|| {
            let tx = self.db.transaction()?;
            let mut insert = tx.prepare_cached("INSERT INTO member(trace, probability) VALUES (?, ?)")?;
            for trace in traces {
                insert.execute(params![trace.raw(), 0.01])?;
            }
            drop(insert);
            tx.commit()
        })();
        written.map_err(|e| explain(e, &self.name))
    }
}
