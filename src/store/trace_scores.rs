//! What evaluators said of recorded traces.

use jiff::Timestamp;
use rusqlite::{Transaction, params};

use super::ids::id_hash;
use super::open::Store;
use super::runs::{json, parsed};
use crate::domain::{Assessment, Result, Untrusted};

/// An evaluator's word on a recorded trace.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceScoreRow {
    /// The trace.
    pub trace: Untrusted,
    /// A hash of what decides besides the evaluator's settings.
    pub decider: String,
    /// A hash of what it looked at.
    pub subject: [u8; 32],
    /// When.
    pub at: Timestamp,
    /// Its word.
    pub word: Assessment,
}

impl Store {
    /// Keeps words on traces, durably when this returns. The same evaluator's earlier word on the same trace,
    /// in the same version, is replaced.
    pub fn keep_trace_scores(&self, rows: &[TraceScoreRow]) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        self.write_work(|tx| insert_scores(self, tx, rows))
    }

    /// All words on a trace, the newest first.
    pub fn trace_scores_of(&self, trace: &Untrusted) -> Result<Vec<TraceScoreRow>> {
        self.read(|db| {
            db.prepare_cached(
                "SELECT decider, subject, at, body FROM work.trace_score \
                 WHERE trace_hash = ? AND trace_id = ? ORDER BY at DESC, evaluator, version",
            )?
            .query_map(params![id_hash(trace.raw()), trace.raw()], |row| {
                Ok(TraceScoreRow {
                    trace: trace.clone(),
                    decider: row.get(0)?,
                    subject: row.get(1)?,
                    at: Timestamp::from_millisecond(row.get(2)?).unwrap_or(Timestamp::UNIX_EPOCH),
                    word: parsed(row, 3)?,
                })
            })?
            .collect()
        })
    }
}

/// Writes words in the place of the same evaluators' earlier ones, inside the transaction of the caller.
pub(super) fn insert_scores(store: &Store, tx: &Transaction<'_>, rows: &[TraceScoreRow]) -> Result<()> {
    let mut insert = tx
        .prepare_cached(
            "INSERT OR REPLACE INTO trace_score(trace_hash, trace_id, evaluator, version, decider, \
             subject, outcome, score, cost, at, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .map_err(|e| store.explain_work(e))?;
    for TraceScoreRow { trace, decider, subject, at, word } in rows {
        let body = json(word)?;
        insert
            .execute(params![
                id_hash(trace.raw()),
                trace.raw(),
                word.evaluator,
                word.version,
                decider,
                subject,
                word.outcome.word(),
                word.score.map(|score| score.value),
                word.cost_usd,
                at.as_millisecond(),
                body,
            ])
            .map_err(|e| store.explain_work(e))?;
    }
    Ok(())
}
