//! The events of the failure taxonomy. Few, so they are folded whenever it is read.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::ids::new_id;
use super::open::Store;
use crate::domain::{Error, ModeId, Result, Taxonomy, TaxonomyChange, TaxonomyEvent, Untrusted};

impl Store {
    /// The taxonomy as it stands.
    pub fn taxonomy(&self) -> Result<Taxonomy> {
        Ok(Taxonomy::fold(&self.read(|db| events(db, "work"))?))
    }

    /// Changes the taxonomy: `plan` is given it as it stands under the write lock, so that two programs
    /// that add at once get two keys, and says which mode is changed how. Gives the taxonomy after it.
    pub fn change_taxonomy(
        &self,
        by: &str,
        at: Timestamp,
        plan: impl FnOnce(&Taxonomy) -> Result<(ModeId, TaxonomyChange)>,
    ) -> Result<Taxonomy> {
        self.write_work(|tx| {
            let sql = |e| self.explain_work(e);
            let mut held = events(tx, "main").map_err(sql)?;
            let (mode, change) = plan(&Taxonomy::fold(&held))?;
            let event = TaxonomyEvent {
                id: new_id(at, held.last().map(|e| e.id.as_str())),
                at,
                by: by.into(),
                mode,
                change,
            };
            let change = serde_json::to_string(&event.change)
                .map_err(|e| Error::failed("A change of the taxonomy cannot be written.").because(e))?;
            tx.execute(
                "INSERT INTO taxonomy_event(id, at, \"by\", mode, change) VALUES (?, ?, ?, ?, ?)",
                params![event.id, at.as_millisecond(), by, event.mode.as_str(), change],
            )
            .map_err(sql)?;
            held.push(event);
            Ok(Taxonomy::fold(&held))
        })
    }
}

fn events(db: &Connection, schema: &str) -> rusqlite::Result<Vec<TaxonomyEvent>> {
    db.prepare_cached(&format!(
        "SELECT id, at, \"by\", mode, change FROM {schema}.taxonomy_event ORDER BY id"
    ))?
    .query_map([], |row| {
        let change = serde_json::from_str(row.get_ref(4)?.as_str()?)
            .map_err(|e| rusqlite::types::FromSqlError::Other(Box::new(e)))?;
        Ok(TaxonomyEvent {
            id: row.get(0)?,
            at: Timestamp::from_millisecond(row.get(1)?).unwrap_or(Timestamp::UNIX_EPOCH),
            by: Untrusted::from(row.get::<_, String>(2)?),
            mode: ModeId::new(row.get::<_, String>(3)?),
            change,
        })
    })?
    .collect()
}
