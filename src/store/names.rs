//! Interned names: features, models, prompts and the like, each stored once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use rusqlite::{Connection, OptionalExtension};

use crate::domain::Untrusted;

/// What an interned name is the name of. Stored in `name.kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(i64)]
pub enum NameKind {
    /// `trace.feature`.
    Feature = 1,
    /// `trace.model`.
    Model = 2,
    /// `trace.prompt`.
    Prompt = 3,
    /// `trace.version`.
    PromptVersion = 4,
    /// `trace.experiment`.
    Experiment = 5,
    /// `trace.arm`.
    Arm = 6,
    /// `tag.name`.
    Tag = 7,
    /// `score.name`.
    Score = 8,
    /// `trace.language`.
    Language = 9,
}

/// Names by id, read when first needed. A name never changes, so nothing here goes stale.
#[derive(Default)]
pub(super) struct Names(Mutex<HashMap<i64, Arc<str>>>);

impl Names {
    /// The name with this id.
    pub(super) fn text(&self, db: &Connection, id: i64) -> rusqlite::Result<Arc<str>> {
        let mut known = self.lock();
        if let Some(text) = known.get(&id) {
            return Ok(Arc::clone(text));
        }
        let text: String =
            db.prepare_cached("SELECT text FROM main.name WHERE id = ?")?.query_row([id], |r| r.get(0))?;
        let text: Arc<str> = text.into();
        known.insert(id, Arc::clone(&text));
        Ok(text)
    }

    /// The name with this id, where a column has one.
    pub(super) fn column(&self, db: &Connection, id: Option<i64>) -> rusqlite::Result<Option<Untrusted>> {
        id.map(|id| Ok(Untrusted::new(&*self.text(db, id)?))).transpose()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<i64, Arc<str>>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Ids by name, for a writer. Valid only as long as its transactions commit: forget it after a rollback.
#[derive(Default)]
pub(super) struct Interner(HashMap<NameKind, HashMap<String, i64>>);

impl Interner {
    /// The id of this name; a new one is stored, inside the transaction of the caller.
    pub(super) fn id(&mut self, db: &Connection, kind: NameKind, text: &str) -> rusqlite::Result<i64> {
        let known = self.0.entry(kind).or_default();
        if let Some(id) = known.get(text) {
            return Ok(*id);
        }
        let kind = kind as i64;
        let found = db
            .prepare_cached("SELECT id FROM name WHERE kind = ? AND text = ?")?
            .query_row((kind, text), |r| r.get(0))
            .optional()?;
        let id = match found {
            Some(id) => id,
            None => db.prepare_cached("INSERT INTO name(kind, text) VALUES (?, ?)")?.insert((kind, text))?,
        };
        known.insert(text.to_owned(), id);
        Ok(id)
    }
}
