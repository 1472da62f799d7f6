//! What comes later to a trace that is there: feedback and scores.

use rusqlite::{OptionalExtension, Transaction, params};

use super::blocks::{Appender, Cells, cell_names};
use super::names::{Interner, NameKind};
use super::prepare::{FeedbackRow, Prepared, feedback_flags};
use super::rollup::{RollupDelta, RollupKey};
use super::write::Outcome;
use super::{flags, traces};
use crate::domain::Untrusted;

/// The same trace came again: what it says that the store does not know yet is added. Feedback is
/// never taken away; a score that differs takes the new value.
pub(super) fn update(
    tx: &Transaction<'_>,
    names: &mut Interner,
    seq: i64,
    trace: &Prepared,
    delta: &mut RollupDelta,
    blocks: &mut Appender,
) -> rusqlite::Result<Outcome> {
    if trace.feedback.is_empty() && trace.scores.is_empty() {
        return Ok(Outcome::Unchanged);
    }
    let (ts, cells) = tx
        .prepare_cached(&format!("SELECT ts, {} FROM trace WHERE seq = ?", cell_names()))?
        .query_row([seq], |r| Ok((r.get(0)?, Cells::of_row(r, 1)?)))?;
    let was = cells.counted().flags;
    // A trace without a time of its own comes again with another time of arrival: then feedback that
    // took the trace's time has another time too, and is told by kind and words alone.
    let timeless = (was & flags::ARRIVAL_TIME != 0).then_some(trace.ts);
    let known = add_feedback(tx, seq, &trace.feedback, timeless)?;
    let mut changed = known.is_some();
    let mut now = was;
    if let Some(known) = known {
        now = (now & !flags::FEEDBACK) | feedback_flags(&known);
        delta.at(RollupKey::of(ts, &cells)).change_feedback(was, now);
    }
    if add_scores(tx, names, seq, &trace.scores)? {
        now |= flags::HAS_SCORE;
        changed = true;
    }
    if now != was {
        tx.prepare_cached("UPDATE trace SET flags = ? WHERE seq = ?")?.execute((now, seq))?;
        blocks.change_flags(seq, now);
    }
    Ok(if changed { Outcome::Updated } else { Outcome::Unchanged })
}

/// Adds feedback that is not known yet; gives all there is then, or `None` where nothing was new. Feedback with
/// the time `timeless` has none of its own.
pub(super) fn add_feedback(
    tx: &Transaction<'_>,
    seq: i64,
    feedback: &[FeedbackRow],
    timeless: Option<i64>,
) -> rusqlite::Result<Option<Vec<FeedbackRow>>> {
    let mut known = traces::feedback_rows(tx, seq)?;
    let mut unmatched = known.clone();
    let before = known.len();
    for said in feedback {
        let same = |there: &FeedbackRow| {
            there.kind == said.kind
                && there.comment == said.comment
                && (there.ts == said.ts || timeless == Some(said.ts))
        };
        if let Some(at) = unmatched.iter().position(same) {
            unmatched.swap_remove(at);
            continue;
        }
        insert_feedback(tx, seq, known.len(), said)?;
        known.push(said.clone());
    }
    Ok((known.len() > before).then_some(known))
}

/// Writes scores that differ from those that are there; gives whether any did.
pub(super) fn add_scores(
    tx: &Transaction<'_>,
    names: &mut Interner,
    seq: i64,
    scores: &[(String, f64)],
) -> rusqlite::Result<bool> {
    let mut changed = false;
    for (name, value) in scores {
        let name = names.id(tx, NameKind::Score, name)?;
        let there: Option<f64> = tx
            .prepare_cached("SELECT value FROM score WHERE seq = ? AND name = ?")?
            .query_row((seq, name), |r| r.get(0))
            .optional()?;
        if there != Some(*value) {
            tx.prepare_cached("INSERT OR REPLACE INTO score(seq, name, value) VALUES (?, ?, ?)")?
                .execute(params![seq, name, value])?;
            changed = true;
        }
    }
    Ok(changed)
}

pub(super) fn insert_feedback(
    tx: &Transaction<'_>,
    seq: i64,
    n: usize,
    said: &FeedbackRow,
) -> rusqlite::Result<()> {
    tx.prepare_cached("INSERT INTO feedback(seq, n, kind, ts, comment) VALUES (?, ?, ?, ?, ?)")?
        .execute(params![seq, n as i64, said.kind, said.ts, said.comment.as_ref().map(Untrusted::raw)])?;
    Ok(())
}
