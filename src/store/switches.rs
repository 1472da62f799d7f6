//! The record of switches of features and prompts. Rows are only added.

use jiff::Timestamp;
use rusqlite::{Row, params};

use super::ids::new_id;
use super::import_lock::Lock;
use super::open::Store;
use crate::domain::switch::{SwitchEvent, SwitchNote, SwitchOf, SwitchStage};
use crate::domain::{Error, Result, Untrusted};

impl Store {
    /// Takes the lock of a feature or prompt, so that of two who switch it at once the second sees what the
    /// first did; `None` while another holds it.
    pub fn lock_switch(&self, of: SwitchOf, name: &str) -> Result<Option<Lock>> {
        // A name may hold anything; its hash can be part of a file's name.
        let hash = super::ids::id_hash(name).cast_unsigned();
        self.lock_beside(&format!("-switch-{}-{hash:016x}", of.name()), "a switch")
    }

    /// A new name for an act at this time.
    pub fn new_switch(&self, at: Timestamp) -> String {
        new_id(at, None)
    }

    /// Writes a line of the record, durably when this returns.
    pub fn record_switch(&self, of: SwitchOf, name: &str, event: &SwitchEvent) -> Result<()> {
        let note = serde_json::to_string(&event.note)
            .map_err(|e| Error::failed("A switch could not be written as JSON.").because(e))?;
        self.write_work(|tx| {
            tx.execute(
                "INSERT INTO switch_event(act, at, actor, what, name, stage, was, became, note, program) \
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                params![
                    event.act,
                    event.at.as_millisecond(),
                    event.by.raw(),
                    of.name(),
                    name,
                    event.stage.name(),
                    event.from.as_ref().map(Untrusted::raw),
                    event.to.raw(),
                    note,
                    env!("CARGO_PKG_VERSION"),
                ],
            )
            .map(drop)
            .map_err(|e| self.explain(e))
        })
    }

    /// The record of a feature or prompt, oldest first.
    pub fn switches(&self, of: SwitchOf, name: &str) -> Result<Vec<SwitchEvent>> {
        self.read(|db| {
            db.prepare_cached(
                "SELECT act, at, actor, stage, was, became, note FROM work.switch_event \
                 WHERE what = ? AND name = ? ORDER BY seq",
            )?
            .query_map([of.name(), name], event)?
            .collect()
        })
    }
}

fn event(row: &Row<'_>) -> rusqlite::Result<SwitchEvent> {
    let bad = |column, error: Box<dyn std::error::Error + Send + Sync>| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, error)
    };
    let stage: String = row.get(3)?;
    let note: SwitchNote =
        serde_json::from_str(row.get_ref(6)?.as_str()?).map_err(|e| bad(6, Box::new(e)))?;
    Ok(SwitchEvent {
        act: row.get(0)?,
        at: Timestamp::from_millisecond(row.get(1)?).unwrap_or(Timestamp::UNIX_EPOCH),
        by: row.get::<_, String>(2)?.into(),
        stage: SwitchStage::parse(&stage)
            .ok_or_else(|| bad(3, format!("no stage is called {stage}").into()))?,
        from: row.get::<_, Option<String>>(4)?.map(Untrusted::new),
        to: row.get::<_, String>(5)?.into(),
        note,
    })
}
