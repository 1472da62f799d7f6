//! Writing traces: batches of prepared traces go in as one transaction each, with their roll-ups,
//! columns, feedback, scores and tags. A batch is there whole or not at all.

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::blocks::Appender;
use super::body::{self, Dictionary};
use super::names::{Interner, NameKind};
use super::open::Store;
use super::prepare::{FeedbackRow, NAME_KINDS, Prepared, feedback_flags};
use super::rollup::{Counted, HOUR_MS, RollupDelta, RollupKey};
use super::{flags, traces};
use crate::domain::Result;

/// What became of one trace of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is new.
    Added,
    /// It is there already, as it is.
    Unchanged,
    /// It is there already, and got new feedback or scores.
    Updated,
    /// Another trace with this id is there; nothing was written.
    Conflict,
}

/// Writes batches of traces. Between batches other writers may write too.
pub struct Loader {
    store: Store,
    names: Interner,
    blocks: Option<Appender>,
    dictionary: Option<Dictionary>,
    samples: Vec<Vec<u8>>,
}

impl Store {
    /// Begins to write traces.
    pub fn loader(&self) -> Result<Loader> {
        let mut writer = self.traces_writer()?;
        let dictionary = body::newest(writer.db()).map_err(|e| self.explain(e))?;
        drop(writer);
        Ok(Loader {
            store: self.clone(),
            names: Interner::default(),
            blocks: None,
            dictionary,
            samples: Vec::new(),
        })
    }
}

impl Loader {
    /// The dictionary to prepare traces with. The first batches of a store may change it.
    pub fn dictionary(&self) -> Option<&Dictionary> {
        self.dictionary.as_ref()
    }

    /// Writes a batch as one transaction. When this returns `Ok` the batch survives the end of the
    /// process at any moment; otherwise nothing of it is there.
    pub fn write(&mut self, batch: &mut [Prepared]) -> Result<Vec<Outcome>> {
        let store = self.store.clone();
        let mut writer = store.traces_writer()?;
        let written = self.transact(writer.db(), batch);
        if written.is_err() {
            // What was remembered may never have been committed.
            self.names = Interner::default();
            self.blocks = None;
        }
        written.map_err(|e| store.explain(e))
    }

    fn transact(&mut self, db: &mut Connection, batch: &mut [Prepared]) -> rusqlite::Result<Vec<Outcome>> {
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let last: i64 = tx.query_row("SELECT coalesce(max(seq), 0) FROM trace", [], |r| r.get(0))?;
        let mut blocks = match self.blocks.take() {
            Some(blocks) if blocks.last == last => blocks,
            _ => Appender::resume(&tx, last)?,
        };
        let mut delta = RollupDelta::default();
        let mut outcomes = Vec::with_capacity(batch.len());
        for trace in batch.iter_mut() {
            if let Some(sample) = trace.sample.take()
                && self.dictionary.is_none()
            {
                self.samples.push(sample);
            }
            outcomes.push(match traces::find(&tx, trace.id.raw(), trace.id_hash)? {
                None => {
                    let seq = blocks.push(&tx, trace.ts, trace.id_hash)?;
                    insert(&tx, &mut self.names, seq, trace, &mut delta)?;
                    Outcome::Added
                }
                Some(there) if there.content_hash != trace.content_hash => Outcome::Conflict,
                Some(there) => update(&tx, &mut self.names, there.seq, trace, &mut delta)?,
            });
        }
        blocks.flush(&tx)?;
        delta.apply(&tx)?;
        let mut trained = None;
        if self.dictionary.is_none() && self.samples.len() >= body::SAMPLES {
            trained = body::train(&self.samples).map(|bytes| body::keep(&tx, bytes)).transpose()?;
        }
        tx.commit()?;
        self.blocks = Some(blocks);
        if trained.is_some() {
            self.dictionary = trained;
            self.samples = Vec::new();
        }
        Ok(outcomes)
    }
}

fn insert(
    tx: &Transaction<'_>,
    names: &mut Interner,
    seq: i64,
    trace: &Prepared,
    delta: &mut RollupDelta,
) -> rusqlite::Result<()> {
    let mut ids = [None; 6];
    for ((id, name), kind) in ids.iter_mut().zip(&trace.names).zip(NAME_KINDS) {
        *id = name.as_ref().map(|name| names.id(tx, kind, name.raw())).transpose()?;
    }
    let [feature, model, prompt, version, experiment, arm] = ids;
    let mut row = tx.prepare_cached(
        "INSERT INTO trace(seq, ts, id_hash, session_hash, user_hash, feature, model, prompt, version, \
         experiment, arm, latency_us, ttft_us, tokens_in, tokens_out, cost_nusd, flags, content_hash, id) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    row.execute(params![
        seq,
        trace.ts,
        trace.id_hash,
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
        traces::StoredId::of(trace.id.raw()),
    ])?;
    tx.prepare_cached("INSERT INTO body(seq, z) VALUES (?, ?)")?.execute(params![seq, trace.body])?;
    for (n, said) in trace.feedback.iter().enumerate() {
        insert_feedback(tx, seq, n, said)?;
    }
    for (name, value) in &trace.scores {
        let name = names.id(tx, NameKind::Score, name)?;
        tx.prepare_cached("INSERT INTO score(seq, name, value) VALUES (?, ?, ?)")?
            .execute(params![seq, name, value])?;
    }
    for tag in &trace.tags {
        let name = names.id(tx, NameKind::Tag, tag.raw())?;
        tx.prepare_cached("INSERT OR IGNORE INTO tag(name, seq) VALUES (?, ?)")?.execute((name, seq))?;
    }
    delta
        .at(RollupKey {
            hour: trace.ts.div_euclid(HOUR_MS),
            feature: feature.unwrap_or(0),
            model: model.unwrap_or(0),
            prompt: prompt.unwrap_or(0),
            version: version.unwrap_or(0),
        })
        .add(&Counted {
            flags: trace.flags,
            cost_nusd: trace.cost_nusd,
            tokens_in: trace.tokens_in,
            tokens_out: trace.tokens_out,
            latency_us: trace.latency_us,
        });
    Ok(())
}

/// The same trace came again: what it says that the store does not know yet is added. Feedback is
/// never taken away; a score that differs takes the new value.
fn update(
    tx: &Transaction<'_>,
    names: &mut Interner,
    seq: i64,
    trace: &Prepared,
    delta: &mut RollupDelta,
) -> rusqlite::Result<Outcome> {
    if trace.feedback.is_empty() && trace.scores.is_empty() {
        return Ok(Outcome::Unchanged);
    }
    let mut changed = false;
    let (was, key) = tx
        .prepare_cached("SELECT flags, ts, feature, model, prompt, version FROM trace WHERE seq = ?")?
        .query_row([seq], |r| {
            let name = |n: usize| Ok::<i64, rusqlite::Error>(r.get::<_, Option<i64>>(n)?.unwrap_or(0));
            let key = RollupKey {
                hour: r.get::<_, i64>(1)?.div_euclid(HOUR_MS),
                feature: name(2)?,
                model: name(3)?,
                prompt: name(4)?,
                version: name(5)?,
            };
            Ok((r.get::<_, i64>(0)?, key))
        })?;
    let mut now = was;

    // A trace without a time of its own comes again with another time of arrival: then feedback that
    // took the trace's time has another time too, and is told by kind and words alone.
    let timeless = was & flags::ARRIVAL_TIME != 0;
    let mut known = traces::feedback_rows(tx, seq)?;
    let mut unmatched = known.clone();
    for said in &trace.feedback {
        let same = |there: &FeedbackRow| {
            there.kind == said.kind
                && there.comment == said.comment
                && (there.ts == said.ts || timeless && said.ts == trace.ts)
        };
        if let Some(at) = unmatched.iter().position(same) {
            unmatched.swap_remove(at);
            continue;
        }
        insert_feedback(tx, seq, known.len(), said)?;
        known.push(said.clone());
        changed = true;
    }
    if changed {
        now = (now & !flags::FEEDBACK) | feedback_flags(&known);
        delta.at(key).change_feedback(was, now);
    }
    for (name, value) in &trace.scores {
        let name = names.id(tx, NameKind::Score, name)?;
        let there: Option<f64> = tx
            .prepare_cached("SELECT value FROM score WHERE seq = ? AND name = ?")?
            .query_row((seq, name), |r| r.get(0))
            .optional()?;
        if there != Some(*value) {
            tx.prepare_cached("INSERT OR REPLACE INTO score(seq, name, value) VALUES (?, ?, ?)")?
                .execute(params![seq, name, value])?;
            now |= flags::HAS_SCORE;
            changed = true;
        }
    }
    if now != was {
        tx.prepare_cached("UPDATE trace SET flags = ? WHERE seq = ?")?.execute((now, seq))?;
    }
    Ok(if changed { Outcome::Updated } else { Outcome::Unchanged })
}

fn insert_feedback(tx: &Transaction<'_>, seq: i64, n: usize, said: &FeedbackRow) -> rusqlite::Result<()> {
    tx.prepare_cached("INSERT INTO feedback(seq, n, kind, ts, comment) VALUES (?, ?, ?, ?, ?)")?.execute(
        params![seq, n as i64, said.kind, said.ts, said.comment.as_ref().map(crate::domain::Untrusted::raw)],
    )?;
    Ok(())
}
