//! What users say of a trace by its id, after the trace arrived or before: an application's spans come in
//! batches, seconds behind the click on a thumb.

use jiff::Timestamp;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::blocks::{Appender, Cells, cell_names};
use super::ids::id_hash;
use super::prepare::{FeedbackRow, Prepared, feedback_flags};
use super::rollup::{RollupDelta, RollupKey};
use super::update::add_feedback;
use super::write::Loader;
use super::{flags, traces};
use crate::domain::{Feedback, Result, Untrusted};

/// Feedback waits this long for its trace, in milliseconds: thirty days.
const PATIENCE_MS: i64 = 30 * 86_400_000;

/// One thing that a user said of a trace.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// The id of the trace.
    pub trace: Untrusted,
    /// What was said; without a time it is taken as said on arrival.
    pub feedback: Feedback,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaidOutcome {
    /// The trace has it now.
    Added,
    /// The trace had it already.
    Unchanged,
    /// The trace is not here yet, and gets it when it comes.
    Waiting,
}

impl Loader {
    /// Writes feedback as one transaction; it survives as traces do that are [written](Loader::write).
    pub fn feedback(&mut self, said: &[Said], arrival: Timestamp) -> Result<Vec<SaidOutcome>> {
        let store = self.store();
        let mut writer = store.traces_writer()?;
        write(writer.db(), said, arrival.as_millisecond()).map_err(|e| store.explain(e))
    }
}

fn write(db: &mut Connection, said: &[Said], now: i64) -> rusqlite::Result<Vec<SaidOutcome>> {
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let last: i64 = tx.query_row("SELECT coalesce(max(seq), 0) FROM trace", [], |r| r.get(0))?;
    let mut blocks = Appender::resume(&tx, last)?;
    let mut delta = RollupDelta::default();
    let mut outcomes = Vec::with_capacity(said.len());
    for one in said {
        let row = FeedbackRow {
            kind: FeedbackRow::kind_of(one.feedback.kind),
            ts: one.feedback.time.map_or(now, Timestamp::as_millisecond),
            comment: one.feedback.comment.clone(),
        };
        let id = one.trace.raw();
        outcomes.push(match traces::find(&tx, id, id_hash(id))? {
            Some(there) => add(&tx, there.seq, row, &mut delta, &mut blocks)?,
            None => wait(&tx, id, &row, now)?,
        });
    }
    blocks.flush(&tx)?;
    delta.apply(&tx)?;
    tx.prepare_cached("DELETE FROM early_feedback WHERE arrived < ?")?.execute([now - PATIENCE_MS])?;
    tx.commit()?;
    Ok(outcomes)
}

fn add(
    tx: &Transaction<'_>,
    seq: i64,
    row: FeedbackRow,
    delta: &mut RollupDelta,
    blocks: &mut Appender,
) -> rusqlite::Result<SaidOutcome> {
    let Some(known) = add_feedback(tx, seq, &[row], None)? else { return Ok(SaidOutcome::Unchanged) };
    let (ts, cells) = tx
        .prepare_cached(&format!("SELECT ts, {} FROM trace WHERE seq = ?", cell_names()))?
        .query_row([seq], |r| Ok((r.get(0)?, Cells::of_row(r, 1)?)))?;
    let was = cells.counted().flags;
    let now = (was & !flags::FEEDBACK) | feedback_flags(&known);
    if now != was {
        delta.at(RollupKey::of(ts, &cells)).change_feedback(was, now);
        tx.prepare_cached("UPDATE trace SET flags = ? WHERE seq = ?")?.execute((now, seq))?;
        blocks.change_flags(seq, now);
    }
    Ok(SaidOutcome::Added)
}

fn wait(tx: &Transaction<'_>, id: &str, row: &FeedbackRow, now: i64) -> rusqlite::Result<SaidOutcome> {
    let values = params![id_hash(id), id, row.kind, row.ts, row.comment.as_ref().map(Untrusted::raw), now];
    tx.prepare_cached(
        "INSERT INTO early_feedback(id_hash, id, kind, ts, comment, arrived) SELECT ?1, ?2, ?3, ?4, ?5, ?6 \
         WHERE NOT EXISTS (SELECT 1 FROM early_feedback WHERE id_hash = ?1 AND id = ?2 AND kind = ?3 \
         AND ts = ?4 AND comment IS ?5)",
    )?
    .execute(values)?;
    Ok(SaidOutcome::Waiting)
}

/// Whether any feedback waits for its trace.
pub(super) fn any(db: &Connection) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM early_feedback LIMIT 1")?.exists([])
}

/// Gives a new trace the feedback that waited for it.
pub(super) fn take(tx: &Transaction<'_>, trace: &mut Prepared) -> rusqlite::Result<()> {
    let id = trace.id.raw();
    let waited: Vec<FeedbackRow> = tx
        .prepare_cached(
            "SELECT kind, ts, comment FROM early_feedback WHERE id_hash = ? AND id = ? ORDER BY arrived, rowid",
        )?
        .query_map((trace.id_hash, id), |r| {
            let comment = r.get::<_, Option<String>>(2)?.map(Untrusted::new);
            Ok(FeedbackRow { kind: r.get(0)?, ts: r.get(1)?, comment })
        })?
        .collect::<rusqlite::Result<_>>()?;
    if waited.is_empty() {
        return Ok(());
    }
    tx.prepare_cached("DELETE FROM early_feedback WHERE id_hash = ? AND id = ?")?
        .execute((trace.id_hash, id))?;
    for said in waited {
        if !trace.feedback.contains(&said) {
            trace.feedback.push(said);
        }
    }
    trace.flags = (trace.flags & !flags::FEEDBACK) | feedback_flags(&trace.feedback);
    Ok(())
}
