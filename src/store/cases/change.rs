//! Changes of cases in one transaction: each an event of what was said, never an edit of one.

use jiff::Timestamp;
use rusqlite::{Transaction, params};

use super::{body, find, present_in, version};
use crate::domain::{CaseBody, CaseEventKind, CaseId, EvalCase, EvalSet, Result, SetName, Untrusted};
use crate::store::ids::{id_hash, new_id};
use crate::store::open::Store;

/// A set inside the transaction that changes it.
pub struct CaseTx<'a> {
    pub(super) store: &'a Store,
    pub(super) tx: &'a Transaction<'a>,
    pub(super) set: &'a SetName,
    pub(super) at: Timestamp,
    pub(super) by: &'a str,
}

impl CaseTx<'_> {
    /// The live cases now, with what this transaction did so far.
    pub fn set(&self) -> Result<EvalSet> {
        self.sql(present_in(self.tx, "", self.set))
    }

    /// A case, and whether it is live.
    pub fn find(&self, id: &CaseId) -> Result<Option<(EvalCase, bool)>> {
        self.sql(find(self.tx, "cases", self.set, id))
    }

    /// Whether the case ever said this.
    pub fn said(&self, id: &CaseId, body: &CaseBody) -> Result<bool> {
        // As values: a file may have the keys of an object in another order.
        let ever = || -> rusqlite::Result<bool> {
            let mut events = self.tx.prepare(
                "SELECT body FROM case_events WHERE set_name = ? AND case_id = ? AND body IS NOT NULL",
            )?;
            let mut rows = events.query([self.set.as_str(), id.as_str()])?;
            while let Some(row) = rows.next()? {
                if self::body(&row.get::<_, String>(0)?)? == *body {
                    return Ok(true);
                }
            }
            Ok(false)
        };
        self.sql(ever())
    }

    /// The version after what this transaction did so far.
    pub fn version(&self) -> Result<u64> {
        self.sql(version(self.tx, "", self.set))
    }

    /// Makes the case say this: adds it, brings it back, or changes it. `None` when it says so already.
    pub fn put(&self, id: &CaseId, body: &CaseBody) -> Result<Option<CaseEventKind>> {
        let kind = match self.find(id)? {
            Some((case, true)) if case.body == *body => return Ok(None),
            Some((_, true)) => CaseEventKind::Edit,
            _ => CaseEventKind::Add,
        };
        self.sql(self.event(id, kind, Some(body)))?;
        Ok(Some(kind))
    }

    /// Takes a case out of the set. False when it was not in it.
    pub fn retire(&self, id: &CaseId) -> Result<bool> {
        if !self.find(id)?.is_some_and(|(_, live)| live) {
            return Ok(false);
        }
        self.sql(self.event(id, CaseEventKind::Retire, None))?;
        Ok(true)
    }

    fn event(&self, id: &CaseId, kind: CaseEventKind, body: Option<&CaseBody>) -> rusqlite::Result<()> {
        let at = self.at.as_millisecond();
        let newest: Option<String> =
            self.tx.prepare("SELECT max(id) FROM case_events")?.query_row([], |row| row.get(0))?;
        let text = body
            .map(serde_json::to_string)
            .transpose()
            .map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))?;
        self.tx
            .prepare(
                "INSERT INTO case_events (id, set_name, case_id, kind, body, at, by, program)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![
                new_id(self.at, newest.as_deref()),
                self.set.as_str(),
                id.as_str(),
                kind.word(),
                text,
                at,
                self.by,
                env!("CARGO_PKG_VERSION")
            ])?;
        let seq = self.tx.last_insert_rowid();
        let Some(body) = body else {
            self.tx
                .prepare("UPDATE cases SET live = 0, updated = ?, by = ? WHERE set_name = ? AND case_id = ?")?
                .execute(params![at, self.by, self.set.as_str(), id.as_str()])?;
            return Ok(());
        };
        let trace = body.trace.as_ref().map(Untrusted::raw);
        self.tx
            .prepare(
                "INSERT INTO cases
                   (set_name, case_id, live, first_seq, trace_id, trace_hash, category, body, created, updated, by)
                 VALUES (?1, ?2, 1, ?3, ?4, ?5, ?6, ?7, ?8, ?8, ?9)
                 ON CONFLICT DO UPDATE SET live = 1, trace_id = ?4, trace_hash = ?5, category = ?6,
                   body = ?7, updated = ?8, by = ?9",
            )?
            .execute(params![
                self.set.as_str(),
                id.as_str(),
                seq,
                trace,
                trace.map(id_hash),
                body.category.raw(),
                text,
                at,
                self.by
            ])?;
        Ok(())
    }

    fn sql<T>(&self, result: rusqlite::Result<T>) -> Result<T> {
        result.map_err(|e| self.store.explain_work(e))
    }
}
