//! Writing traces: batches of prepared traces go in as one transaction each, with their roll-ups,
//! columns, feedback, scores and tags. A batch is there whole or not at all.

use rusqlite::{CachedStatement, Connection, Transaction, TransactionBehavior, params};

use super::blocks::{Appender, Cells};
use super::body::{self, Dictionary};
use super::id_map::{self, IdMap};
use super::names::{Interner, NameKind};
use super::open::Store;
use super::prepare::{NAME_KINDS, Prepared};
use super::rewrite::{Changes, Join, Joined, Rewriter};
use super::rollup::{RollupDelta, RollupKey};
use super::update::{insert_feedback, update};
use super::{early, indexes, traces};
use crate::domain::{Result, Untrusted};

/// What became of one trace of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is new and has this `seq`.
    Added(i64),
    /// It is there already, as it is.
    Unchanged,
    /// It is there already, and got new feedback or scores.
    Updated,
    /// It is there, made of other spans of it, and was made anew of all of them but those that were too many.
    Rewritten {
        /// Spans that the trace did not take any more.
        refused: u64,
    },
    /// Another trace with this id is there, at this `seq`; nothing was written.
    Conflict(i64),
}

/// Writes batches of traces. Between batches other writers may write too.
///
/// A large load into a store that is small against it goes without the indexes of ids and sessions:
/// kept up row by row they would cost more than the rows. They are dropped at its begin and built
/// sorted by [`finish`](Loader::finish). A load that was killed in between leaves them missing, which
/// only makes lookups slow; the next load, or [`Store::build_indexes`], builds them.
pub struct Loader {
    store: Store,
    names: Interner,
    dictionary: Option<Dictionary>,
    samples: Vec<Vec<u8>>,
    /// What is there, while the index of ids is not.
    ids: Option<IdMap>,
    bulk: bool,
}

/// A load of fewer traces than this keeps the indexes up.
const LARGE_LOAD: u64 = 50_000;
/// What a writing connection is given.
#[derive(Clone, Copy)]
struct Tuning {
    /// Pages of WAL before a checkpoint.
    wal_pages: i64,
    /// KiB of page cache.
    cache_kib: i64,
}

/// In a load: few checkpoints.
const LOAD: Tuning = Tuning { wal_pages: 16_384, cache_kib: 32 * 1024 };
/// Where somebody waits for each batch: short ones.
const LIVE: Tuning = Tuning { wal_pages: 2_048, cache_kib: 16 * 1024 };
/// Otherwise.
const REST: Tuning = Tuning { wal_pages: 1_000, cache_kib: 2 * 1024 };

impl Store {
    /// Begins to write about this many traces.
    pub fn loader(&self, expected: u64) -> Result<Loader> {
        self.tuned_loader(expected, LOAD)
    }

    /// Begins to write batches as they arrive, each of which somebody waits for.
    pub fn live_loader(&self) -> Result<Loader> {
        self.tuned_loader(0, LIVE)
    }

    fn tuned_loader(&self, expected: u64, tuning: Tuning) -> Result<Loader> {
        let mut writer = self.traces_writer()?;
        let begun = (|| {
            let db = writer.db();
            tune(db, tuning)?;
            let dictionary = body::newest(db)?;
            let held: i64 = db.query_row("SELECT coalesce(max(seq), 0) FROM trace", [], |r| r.get(0))?;
            let bulk = expected >= LARGE_LOAD && expected >= held.cast_unsigned() / 2 && held < id_map::MOST;
            if bulk {
                indexes::drop(db)?;
            } else {
                indexes::build(db)?;
            }
            Ok((dictionary, bulk))
        })();
        let (dictionary, bulk) = begun.map_err(|e| self.explain(e))?;
        drop(writer);
        Ok(Loader {
            store: self.clone(),
            names: Interner::default(),
            dictionary,
            samples: Vec::new(),
            ids: None,
            bulk,
        })
    }

    /// Builds the indexes that a large load left out, where one was stopped half-way.
    pub fn build_indexes(&self) -> Result<()> {
        indexes::build(self.traces_writer()?.db()).map_err(|e| self.explain(e))
    }
}

fn tune(db: &Connection, tuning: Tuning) -> rusqlite::Result<()> {
    db.pragma_update(None, "wal_autocheckpoint", tuning.wal_pages)?;
    db.pragma_update(None, "cache_size", -tuning.cache_kib)
}

impl Loader {
    /// The store that it writes to.
    pub(super) fn store(&self) -> Store {
        self.store.clone()
    }

    /// The dictionary to prepare traces with. The first batches of a store may change it.
    pub fn dictionary(&self) -> Option<&Dictionary> {
        self.dictionary.as_ref()
    }

    /// Writes a batch as one transaction. When this returns `Ok` the batch survives the end of the
    /// process at any moment; otherwise nothing of it is there.
    pub fn write(&mut self, batch: &mut [Prepared]) -> Result<Vec<Outcome>> {
        self.write_joining(batch, &mut |_, _| Ok(Joined::Same { refused: 0 }))
    }

    /// The same for traces that were made of spans: where spans of one are there already, `join` puts both
    /// together.
    pub fn write_joining(&mut self, batch: &mut [Prepared], join: &mut Join<'_>) -> Result<Vec<Outcome>> {
        let store = self.store.clone();
        let mut writer = store.traces_writer()?;
        let written = self.transact(writer.db(), batch, join);
        if written.is_err() {
            // What was remembered may never have been committed.
            self.names = Interner::default();
            self.ids = None;
        }
        written.map_err(|e| store.explain(e))
    }

    /// Ends the load: builds the indexes that it went without, and brings all of it to the disk, where
    /// it survives a loss of power too.
    pub fn finish(self) -> Result<()> {
        let mut writer = self.store.traces_writer()?;
        let db = writer.db();
        let finished = (|| {
            indexes::build(db)?;
            db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
            // Gives the room of the log back where no reader is in the way.
            db.busy_timeout(std::time::Duration::ZERO)?;
            db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).ok();
            db.busy_timeout(super::open::BUSY)?;
            tune(db, REST)
        })();
        finished.map_err(|e| self.store.explain(e))
    }

    fn transact(
        &mut self,
        db: &mut Connection,
        batch: &mut [Prepared],
        join: &mut Join<'_>,
    ) -> rusqlite::Result<Vec<Outcome>> {
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let last: i64 = tx.query_row("SELECT coalesce(max(seq), 0) FROM trace", [], |r| r.get(0))?;
        // Read anew each time: another process may have added feedback to traces of the last block.
        let mut blocks = Appender::resume(&tx, last)?;
        if self.bulk && last > id_map::MOST {
            (self.bulk, self.ids) = (false, None);
            indexes::build(&tx)?;
        }
        let store = self.store.clone();
        let mut rewriter = Rewriter::new(&tx, &store.0.dictionaries)?;
        let early = early::any(&tx)?;
        // Another process may load in bulk: without the index each lookup would read all columns.
        if self.bulk || last <= id_map::MOST && !indexes::missing(&tx)?.is_empty() {
            self.ids.get_or_insert_with(IdMap::new).catch_up(&tx, last)?;
        } else {
            self.ids = None;
        }
        let mut delta = RollupDelta::default();
        let mut outcomes = Vec::with_capacity(batch.len());
        let mut rows = Rows::new(&tx)?;
        for trace in batch.iter_mut() {
            if let Some(sample) = trace.sample.take()
                && self.dictionary.is_none()
            {
                self.samples.push(sample);
            }
            let there = match &self.ids {
                None => traces::find(&tx, trace.id.raw(), trace.id_hash)?,
                Some(ids) => {
                    let mut candidates = ids.candidates(trace.id_hash);
                    candidates
                        .find_map(|seq| traces::find_at(&tx, trace.id.raw(), seq).transpose())
                        .transpose()?
                }
            };
            outcomes.push(match there {
                None => {
                    if early {
                        early::take(&tx, trace)?;
                    }
                    let seq = blocks.next_seq();
                    let cells = rows.insert(&tx, &mut self.names, seq, trace, &mut delta)?;
                    blocks.push(&tx, trace.ts, trace.id_hash, cells)?;
                    if let Some(ids) = &mut self.ids {
                        ids.insert(trace.id_hash, seq);
                    }
                    Outcome::Added(seq)
                }
                Some(there) if trace.spans.is_some() && rewriter.holds_spans(there.seq)? => {
                    let changes = Changes { names: &mut self.names, delta: &mut delta, blocks: &mut blocks };
                    rewriter.join(there.seq, trace, join, changes)?
                }
                Some(there) if there.content_hash != trace.content_hash => Outcome::Conflict(there.seq),
                Some(there) => update(&tx, &mut self.names, there.seq, trace, &mut delta, &mut blocks)?,
            });
        }
        drop((rows, rewriter));
        blocks.flush(&tx)?;
        delta.apply(&tx)?;
        let mut trained = None;
        if self.dictionary.is_none() && self.samples.len() >= body::SAMPLES {
            trained = body::train(&self.samples).map(|bytes| body::keep(&tx, bytes)).transpose()?;
        }
        tx.commit()?;
        if trained.is_some() {
            self.dictionary = trained;
            self.samples = Vec::new();
        }
        Ok(outcomes)
    }
}

/// The statements that every new trace needs, prepared once a batch.
struct Rows<'tx> {
    row: CachedStatement<'tx>,
    body: CachedStatement<'tx>,
    spans: CachedStatement<'tx>,
}

impl<'tx> Rows<'tx> {
    fn new(tx: &'tx Transaction<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            row: tx.prepare_cached(
                "INSERT INTO trace(seq, ts, id_hash, session_hash, user_hash, feature, model, prompt, version, \
                 experiment, arm, latency_us, ttft_us, tokens_in, tokens_out, cost_nusd, flags, content_hash, id, \
                 language) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )?,
            body: tx.prepare_cached("INSERT INTO body(seq, z) VALUES (?, ?)")?,
            spans: tx.prepare_cached("INSERT INTO spans(seq, z) VALUES (?, ?)")?,
        })
    }

    fn insert(
        &mut self,
        tx: &Transaction<'_>,
        names: &mut Interner,
        seq: i64,
        trace: &Prepared,
        delta: &mut RollupDelta,
    ) -> rusqlite::Result<Cells> {
        let [feature, model, prompt, version, experiment, arm] = name_ids(tx, names, trace)?;
        let language = language_id(tx, names, trace)?;
        self.row.execute(params![
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
            language,
        ])?;
        self.body.execute(params![seq, trace.body])?;
        if let Some(spans) = &trace.spans {
            self.spans.execute(params![seq, spans])?;
        }
        for (n, said) in trace.feedback.iter().enumerate() {
            insert_feedback(tx, seq, n, said)?;
        }
        for (name, value) in &trace.scores {
            let name = names.id(tx, NameKind::Score, name)?;
            tx.prepare_cached("INSERT INTO score(seq, name, value) VALUES (?, ?, ?)")?
                .execute(params![seq, name, value])?;
        }
        for tag in &trace.tags {
            insert_tag(tx, names, seq, tag)?;
        }
        let cells = cells(trace, [feature, model, prompt, version], language);
        delta.at(RollupKey::of(trace.ts, &cells)).add(&cells.counted());
        Ok(cells)
    }
}

/// The ids of a trace's names, in the order of [`NAME_KINDS`].
pub(super) fn name_ids(
    tx: &Transaction<'_>,
    names: &mut Interner,
    trace: &Prepared,
) -> rusqlite::Result<[Option<i64>; 6]> {
    let mut ids = [None; 6];
    for ((id, name), kind) in ids.iter_mut().zip(&trace.names).zip(NAME_KINDS) {
        *id = name.as_ref().map(|name| names.id(tx, kind, name.raw())).transpose()?;
    }
    Ok(ids)
}

/// The id of the language that a trace states.
pub(super) fn language_id(
    tx: &Transaction<'_>,
    names: &mut Interner,
    trace: &Prepared,
) -> rusqlite::Result<Option<i64>> {
    trace.language.as_ref().map(|name| names.id(tx, NameKind::Language, name)).transpose()
}

/// What the columns hold of a trace with these names.
pub(super) fn cells(
    trace: &Prepared,
    [feature, model, prompt, version]: [Option<i64>; 4],
    language: Option<i64>,
) -> Cells {
    Cells([
        Some(trace.flags),
        feature,
        model,
        prompt,
        version,
        trace.latency_us,
        trace.cost_nusd,
        trace.tokens_in,
        trace.tokens_out,
        language,
    ])
}

pub(super) fn insert_tag(
    tx: &Transaction<'_>,
    names: &mut Interner,
    seq: i64,
    tag: &Untrusted,
) -> rusqlite::Result<()> {
    let name = names.id(tx, NameKind::Tag, tag.raw())?;
    tx.prepare_cached("INSERT OR IGNORE INTO tag(name, seq) VALUES (?, ?)")?.execute((name, seq))?;
    Ok(())
}
