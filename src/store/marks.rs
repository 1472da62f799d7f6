//! Marks on the axis of time: what people noted. Rows are only added.

use jiff::Timestamp;
use rusqlite::params;

use super::open::Store;
use crate::domain::{Result, Untrusted};

/// A mark.
#[derive(Debug, Clone, PartialEq)]
pub struct MarkRow {
    /// When it happened.
    pub at: Timestamp,
    /// What it is: `deploy`.
    pub kind: String,
    /// In the words of whoever noted it.
    pub text: Untrusted,
    /// The feature; `None`: not of one alone.
    pub feature: Option<Untrusted>,
    /// Who noted it.
    pub by: Untrusted,
    /// When it was noted.
    pub noted_at: Timestamp,
}

impl Store {
    /// Keeps a mark, durably when this returns.
    pub fn add_mark(&self, mark: &MarkRow) -> Result<()> {
        self.write_work(|tx| {
            tx.execute(
                "INSERT INTO mark(at, kind, text, feature, \"by\", noted) VALUES (?, ?, ?, ?, ?, ?)",
                params![
                    mark.at.as_millisecond(),
                    mark.kind,
                    mark.text.raw(),
                    mark.feature.as_ref().map(Untrusted::raw),
                    mark.by.raw(),
                    mark.noted_at.as_millisecond(),
                ],
            )
            .map(drop)
            .map_err(|e| self.explain(e))
        })
    }

    /// The marks of the times from `from` to `to` (milliseconds, both included), oldest first; of a feature those that
    /// are of it or of no feature alone.
    pub fn marks(&self, feature: Option<&str>, (from, to): (i64, i64)) -> Result<Vec<MarkRow>> {
        let time = |ms| Timestamp::from_millisecond(ms).unwrap_or_default();
        self.read(|db| {
            db.prepare_cached(
                "SELECT at, kind, text, feature, \"by\", noted FROM work.mark WHERE at BETWEEN ?1 AND ?2 \
                 AND (?3 IS NULL OR feature IS NULL OR feature = ?3) ORDER BY at, seq",
            )?
            .query_map(params![from, to, feature], |row| {
                Ok(MarkRow {
                    at: time(row.get(0)?),
                    kind: row.get(1)?,
                    text: row.get::<_, String>(2)?.into(),
                    feature: row.get::<_, Option<String>>(3)?.map(Untrusted::new),
                    by: row.get::<_, String>(4)?.into(),
                    noted_at: time(row.get(5)?),
                })
            })?
            .collect()
        })
    }
}
