//! The indexes that a large load goes without.
//!
//! Whether they are there is told by the schema itself: no flag could be wrong about it after a kill.

use rusqlite::{Connection, OptionalExtension};

/// Name and statement of each.
const DEFERRED: [(&str, &str); 2] = [
    ("trace_id", "CREATE INDEX trace_id ON trace(id_hash)"),
    ("trace_session", "CREATE INDEX trace_session ON trace(session_hash) WHERE session_hash IS NOT NULL"),
];

/// Drops them.
pub(super) fn drop(db: &Connection) -> rusqlite::Result<()> {
    for (name, _) in DEFERRED {
        db.execute_batch(&format!("DROP INDEX IF EXISTS {name}"))?;
    }
    Ok(())
}

/// Builds those that are missing, each sorted, in a transaction of its own.
pub(super) fn build(db: &Connection) -> rusqlite::Result<()> {
    for name in missing(db)? {
        if let Some((_, sql)) = DEFERRED.iter().find(|(known, _)| *known == name) {
            db.execute_batch(sql)?;
        }
    }
    Ok(())
}

/// The names of those that are missing.
pub(super) fn missing(db: &Connection) -> rusqlite::Result<Vec<&'static str>> {
    let mut missing = Vec::new();
    for (name, _) in DEFERRED {
        let there = db
            .query_row("SELECT 1 FROM main.sqlite_schema WHERE type = 'index' AND name = ?", [name], |_| {
                Ok(())
            })
            .optional()?;
        if there.is_none() {
            missing.push(name);
        }
    }
    Ok(missing)
}
