//! A trace written anew, because more of its spans arrived. Whatever is made of it changes with it in the same
//! transaction: columns, roll-ups, tags, the words of the search index. What people and users said of it stays.

use rusqlite::{CachedStatement, Transaction, params};

use super::blocks::{Appender, Cells, cell_names};
use super::body::{Dictionaries, inner};
use super::flags;
use super::names::{Interner, NameKind};
use super::prepare::Prepared;
use super::rollup::{RollupDelta, RollupKey};
use super::text_index::{self, Words};
use super::update::add_scores;
use super::write::{Outcome, cells, insert_tag, language_id, name_ids};
use crate::domain::Result;

/// What two sets of spans of one trace come to.
pub enum Joined {
    /// The spans that are there already.
    Same {
        /// New ones that the trace does not take any more.
        refused: u64,
    },
    /// A trace made of all of them.
    Anew {
        /// The trace.
        trace: Box<Prepared>,
        /// New ones that the trace does not take any more.
        refused: u64,
    },
}

/// Puts the spans that are there and those that came together; both as they were given to
/// [`Preparer::prepare_spans`](super::Preparer::prepare_spans).
pub type Join<'a> = dyn FnMut(&[u8], &[u8]) -> Result<Joined> + 'a;

/// What a transaction changes beside the rows.
pub(super) struct Changes<'a> {
    pub(super) names: &'a mut Interner,
    pub(super) delta: &'a mut RollupDelta,
    pub(super) blocks: &'a mut Appender,
}

/// Writes traces anew within one transaction.
pub(super) struct Rewriter<'tx> {
    tx: &'tx Transaction<'tx>,
    dictionaries: &'tx Dictionaries,
    spans: CachedStatement<'tx>,
    /// The last trace that the search index knows.
    indexed: i64,
}

impl<'tx> Rewriter<'tx> {
    pub(super) fn new(tx: &'tx Transaction<'tx>, dictionaries: &'tx Dictionaries) -> rusqlite::Result<Self> {
        let spans = tx.prepare_cached("SELECT z FROM spans WHERE seq = ?")?;
        Ok(Self { tx, dictionaries, spans, indexed: text_index::watermark(tx)? })
    }

    /// Whether the trace at this place was made of spans.
    pub(super) fn holds_spans(&mut self, seq: i64) -> rusqlite::Result<bool> {
        self.spans.exists([seq])
    }

    /// Joins the spans that came with those that are there.
    pub(super) fn join(
        &mut self,
        seq: i64,
        came: &Prepared,
        join: &mut Join<'_>,
        changes: Changes<'_>,
    ) -> rusqlite::Result<Outcome> {
        let there: Vec<u8> = self.spans.query_row([seq], |r| r.get(0))?;
        let there = self.dictionaries.bytes(self.tx, &there)?;
        let more = self.dictionaries.bytes(self.tx, came.spans.as_deref().unwrap_or_default())?;
        match join(&there, &more).map_err(inner)? {
            Joined::Same { refused: 0 } => Ok(Outcome::Unchanged),
            Joined::Same { refused } => Ok(Outcome::Rewritten { refused }),
            Joined::Anew { mut trace, refused } => {
                self.write(seq, &mut trace, changes)?;
                Ok(Outcome::Rewritten { refused })
            }
        }
    }

    fn write(&self, seq: i64, trace: &mut Prepared, changes: Changes<'_>) -> rusqlite::Result<()> {
        let Changes { names, delta, blocks } = changes;
        let tx = self.tx;
        let (old_ts, old) = tx
            .prepare_cached(&format!("SELECT ts, {} FROM trace WHERE seq = ?", cell_names()))?
            .query_row([seq], |r| Ok((r.get(0)?, Cells::of_row(r, 1)?)))?;
        let old_body: Vec<u8> =
            tx.prepare_cached("SELECT z FROM body WHERE seq = ?")?.query_row([seq], |r| r.get(0))?;
        let old_talk = self.dictionaries.talk(tx, &old_body)?;

        // What was said of it later is of the trace, not of its spans.
        trace.flags |= old.counted().flags & (flags::FEEDBACK | flags::HAS_SCORE);
        add_scores(tx, names, seq, &trace.scores)?;
        let [feature, model, prompt, version, experiment, arm] = name_ids(tx, names, trace)?;
        let language = language_id(tx, names, trace)?;
        tx.prepare_cached(
            "UPDATE trace SET ts = ?, session_hash = ?, user_hash = ?, feature = ?, model = ?, prompt = ?, \
             version = ?, experiment = ?, arm = ?, latency_us = ?, ttft_us = ?, tokens_in = ?, tokens_out = ?, \
             cost_nusd = ?, flags = ?, content_hash = ?, language = ? WHERE seq = ?",
        )?
        .execute(params![
            trace.ts,
            trace.session_hash,
            trace.user_hash,
            feature,
            model,
            prompt,
            version,
            experiment,
            arm,
            trace.latency_us,
            trace.ttft_us,
            trace.tokens_in,
            trace.tokens_out,
            trace.cost_nusd,
            trace.flags,
            trace.content_hash,
            language,
            seq,
        ])?;
        tx.prepare_cached("UPDATE body SET z = ? WHERE seq = ?")?.execute(params![trace.body, seq])?;
        tx.prepare_cached("UPDATE spans SET z = ? WHERE seq = ?")?.execute(params![trace.spans, seq])?;
        for tag in old_talk.tags.iter().filter(|tag| !trace.tags.contains(tag)) {
            let name = names.id(tx, NameKind::Tag, tag.raw())?;
            tx.prepare_cached("DELETE FROM tag WHERE name = ? AND seq = ?")?.execute((name, seq))?;
        }
        for tag in &trace.tags {
            insert_tag(tx, names, seq, tag)?;
        }

        let new = cells(trace, [feature, model, prompt, version], language);
        delta.at(RollupKey::of(old_ts, &old)).remove(&old.counted());
        delta.at(RollupKey::of(trace.ts, &new)).add(&new.counted());
        blocks.change(seq, trace.ts, new);

        let old_words = Words::of(seq, &old_talk);
        let new_words = Words::of(seq, &self.dictionaries.talk(tx, &trace.body)?);
        if old_words != new_words {
            self.change_words(&old_words, &new_words)?;
        }
        Ok(())
    }

    /// The index holds no text of its own, so the old words have to be told to it.
    fn change_words(&self, old: &Words, new: &Words) -> rusqlite::Result<()> {
        if new.seq > self.indexed {
            self.tx.prepare_cached("INSERT INTO rewritten(seq) VALUES (?)")?.execute([new.seq])?;
            return Ok(());
        }
        self.tx
            .prepare_cached(
                "INSERT INTO text_index(text_index, rowid, input, output) VALUES ('delete', ?, ?, ?)",
            )?
            .execute(params![old.seq, old.input, old.output])?;
        self.tx
            .prepare_cached("INSERT INTO text_index(rowid, input, output) VALUES (?, ?, ?)")?
            .execute(params![new.seq, new.input, new.output])?;
        Ok(())
    }
}
