//! Three stages on threads of their own, joined by short queues: reading and cutting; parsing,
//! checking and compressing (as many threads as the machine has cores); writing, on the caller's thread.
//!
//! Chunks are numbered and written in their order, so the order of arrival is the order of the file.
//! Memory is bounded by the queues and the batch.

use std::collections::BTreeMap;
use std::sync::RwLock;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use jiff::Timestamp;

use super::plan::{Begun, Planned};
use super::tally::{At, Tally};
use super::{BATCH, FIRST_BATCH, ImportSpec, ImportView, NotesView};
use crate::domain::{Error, Oddity, Result, Untrusted};
use crate::ops::{Ctx, spans};
use crate::store::{Dictionary, Loader, Prepared, Preparer};
use crate::task::{Cancel, Clock, Progress};
use crate::text::Fallback;
use crate::wire::read::{Chunk, Chunks, Framing, Reader};

/// Chunks that may wait before each stage.
const QUEUE: usize = 4;
/// Bytes of a batch, with the text it came from, before it is written.
const HEAVY: usize = 24 * 1024 * 1024;
/// A batch that came slowly is written after this.
const PATIENCE: Duration = Duration::from_millis(500);

/// A chunk on its way to a worker.
struct Work {
    n: u64,
    file: usize,
    framing: Framing,
    chunk: Chunk,
}

/// A chunk on its way to the store.
struct Done {
    n: u64,
    file: usize,
    framing: Framing,
    chunk: Chunk,
    made: Vec<Made>,
    notes: NotesView,
}

struct Made {
    piece: crate::wire::read::Piece,
    what: std::result::Result<Taken, String>,
}

/// What an item holds: one trace, or several where it is a document of spans.
#[derive(Default)]
struct Taken {
    traces: Vec<Prepared>,
    /// Why a part of it was not taken.
    flaw: Option<String>,
}

/// What the workers need to know.
struct Common<'a> {
    readers: Vec<Reader>,
    feature: Option<Untrusted>,
    fallback: &'a Fallback,
    clock: &'a Clock,
    dictionary: RwLock<Option<Dictionary>>,
}

impl Common<'_> {
    fn preparer(&self, dictionary: Option<&Dictionary>) -> Result<Preparer> {
        Ok(Preparer::new(dictionary)?.with_feature(self.feature.clone()).with_fallback(self.fallback.clone()))
    }
}

pub(super) fn run(
    ctx: &Ctx,
    spec: &ImportSpec,
    plan: Vec<Planned>,
    cancel: &Cancel,
    progress: &Progress,
) -> Result<ImportView> {
    progress.phase("importing");
    // A total that leaves out a pipe would end too early.
    let sizes: Option<u64> = plan.iter().map(|file| file.size).sum();
    progress.set_total(sizes.unwrap_or(0));
    ctx.store.note_patterns(&ctx.fallback)?;
    let mut loader = ctx.store.loader(plan.iter().map(|file| file.traces).sum())?;
    let names = spec.files.iter().zip(&plan).map(|(name, file)| (name.clone(), file.reader.format().name()));
    let mut tally = Tally::new(names.collect(), spec.rejects.as_deref());
    let common = Common {
        readers: plan.iter().map(|file| file.reader.clone()).collect(),
        feature: spec.feature.as_deref().map(Untrusted::from),
        fallback: &ctx.fallback,
        clock: &ctx.clock,
        dictionary: RwLock::new(loader.dictionary().cloned()),
    };
    let workers = std::thread::available_parallelism().map_or(2, |n| n.get().clamp(1, 8));
    let stopped = std::thread::scope(|threads| {
        let (to_workers, work) = bounded::<Work>(QUEUE);
        let (to_store, done) = bounded::<Result<Done>>(QUEUE);
        let (failures, common) = (to_store.clone(), &common);
        threads.spawn(move || {
            if let Err(error) = read_all(plan, &to_workers, cancel, progress) {
                failures.send(Err(error)).ok();
            }
        });
        for _ in 0..workers {
            let (work, to_store) = (work.clone(), to_store.clone());
            threads.spawn(move || prepare_all(common, &work, &to_store));
        }
        drop((work, to_store));
        // Letting go of `done` on the way out ends the other threads.
        write_all(&mut loader, &mut tally, common, done, cancel)
    })?;
    progress.phase("building indexes");
    loader.finish()?;
    tally.finish(stopped)
}

/// The first stage.
fn read_all(
    plan: Vec<Planned>,
    to_workers: &Sender<Work>,
    cancel: &Cancel,
    progress: &Progress,
) -> Result<()> {
    let (mut n, mut before) = (0, 0);
    for (file, planned) in plan.into_iter().enumerate() {
        let Begun { mut chunks, mut first, read } = match planned.begun {
            Some(begun) => begun,
            None => {
                let opened = planned.source.open()?;
                Begun { chunks: Chunks::new(opened.bytes, opened.packing), first: None, read: opened.read }
            }
        };
        while let Some(chunk) = first.take().or_else(|| chunks.next_chunk()) {
            if cancel.is_cancelled()
                || to_workers.send(Work { n, file, framing: chunks.framing(), chunk }).is_err()
            {
                return Ok(());
            }
            n += 1;
            progress.set_done(before + read.load(Ordering::Relaxed));
        }
        before += read.load(Ordering::Relaxed);
    }
    Ok(())
}

/// The second stage.
fn prepare_all(common: &Common<'_>, work: &Receiver<Work>, to_store: &Sender<Result<Done>>) {
    let mut known = None;
    let mut preparer = None;
    for Work { n, file, framing, chunk } in work {
        let done = (|| {
            let newest = common.dictionary.read().map_err(|_| Error::cancelled())?.clone();
            let preparer = match &mut preparer {
                Some(preparer) if known == newest.as_ref().map(|d| d.id) => preparer,
                stale => {
                    known = newest.as_ref().map(|d| d.id);
                    stale.insert(common.preparer(newest.as_ref())?)
                }
            };
            let now = common.clock.now();
            let mut notes = NotesView::default();
            let pieces = chunk.pieces();
            let mut made = Vec::with_capacity(pieces.len());
            for piece in pieces {
                let item = &chunk.bytes[piece.range.clone()];
                let what = one(common, file, item, now, preparer, &mut notes)?;
                made.push(Made { piece, what });
            }
            Ok((made, notes))
        })();
        let done = done.map(|(made, notes)| Done { n, file, framing, chunk, made, notes });
        if to_store.send(done).is_err() {
            return;
        }
    }
}

fn one(
    common: &Common<'_>,
    file: usize,
    item: &[u8],
    now: Timestamp,
    preparer: &mut Preparer,
    notes: &mut NotesView,
) -> Result<std::result::Result<Taken, String>> {
    let reader = &common.readers[file];
    if let Some(encoding) = reader.spans(item) {
        let arrived = match spans::prepare(item, encoding, now, preparer)? {
            Ok(arrived) => arrived,
            Err(reason) => return Ok(Err(reason)),
        };
        notes.ahead_of_clock += arrived.ahead_of_clock;
        let flaw = arrived.reason.map(|reason| {
            format!("{} taken: {reason}", plural(arrived.rejected, "span was not", "spans were not"))
        });
        let traces = arrived.traces.into_iter().map(|(trace, _)| trace).collect();
        return Ok(Ok(Taken { traces, flaw }));
    }
    let found = match reader.read(item) {
        Ok(found) => found,
        Err(reason) => return Ok(Err(reason)),
    };
    let trace = found.trace;
    let odd = match trace.check(now) {
        Ok(odd) => odd,
        Err(reason) => return Ok(Err(reason)),
    };
    notes.unknown_fields += found.unknown;
    notes.ahead_of_clock += u64::from(odd == Some(Oddity::AheadOfClock));
    notes.without_time += u64::from(trace.time.is_none());
    notes.without_id += u64::from(trace.id.is_empty());
    let traces = vec![preparer.prepare(trace, now)?];
    Ok(Ok(Taken { traces, flaw: None }))
}

fn plural(n: u64, one: &str, more: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { more })
}

/// The third stage. Gives whether it was stopped before the end.
fn write_all(
    loader: &mut Loader,
    tally: &mut Tally,
    common: &Common<'_>,
    done: Receiver<Result<Done>>,
    cancel: &Cancel,
) -> Result<bool> {
    let mut waiting = BTreeMap::new();
    let mut next = 0;
    let mut batch = Batch::default();
    loop {
        let received = done.recv_timeout(PATIENCE);
        if cancel.is_cancelled() {
            return Ok(true);
        }
        match received {
            Ok(done) => {
                let done = done?;
                waiting.insert(done.n, done);
                while let Some(done) = waiting.remove(&next) {
                    next += 1;
                    batch.add(done);
                    if batch.is_full(loader.dictionary().is_some()) {
                        batch.write(loader, tally, common)?;
                    }
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                batch.write(loader, tally, common)?;
                return Ok(false);
            }
        }
        if batch.began.is_some_and(|began| began.elapsed() > PATIENCE) {
            batch.write(loader, tally, common)?;
        }
    }
}

/// What will be one transaction.
#[derive(Default)]
struct Batch {
    chunks: Vec<Done>,
    traces: usize,
    weight: usize,
    began: Option<Instant>,
}

impl Batch {
    fn add(&mut self, done: Done) {
        self.began.get_or_insert_with(Instant::now);
        let traces = || done.made.iter().filter_map(|made| made.what.as_ref().ok()).flat_map(|t| &t.traces);
        self.traces += traces().count();
        self.weight += done.chunk.bytes.len() + traces().map(Prepared::weight).sum::<usize>();
        self.chunks.push(done);
    }

    fn is_full(&self, trained: bool) -> bool {
        self.traces >= if trained { BATCH } else { FIRST_BATCH } || self.weight >= HEAVY
    }

    fn write(&mut self, loader: &mut Loader, tally: &mut Tally, common: &Common<'_>) -> Result<()> {
        let mut prepared = Vec::with_capacity(self.traces);
        let mut written = Vec::with_capacity(self.chunks.len());
        for Done { file, framing, chunk, made, notes, .. } in std::mem::take(self).chunks {
            tally.notes(notes);
            let mut fates = Vec::with_capacity(made.len());
            for Made { piece, what } in made {
                fates.push((
                    piece,
                    what.map(|taken| {
                        let traces = taken.traces.len();
                        prepared.extend(taken.traces);
                        (traces, taken.flaw)
                    }),
                ));
            }
            written.push((file, framing, chunk, fates));
        }
        let trained = loader.dictionary().is_some();
        let mut joiner = None;
        let dictionary = loader.dictionary().cloned();
        let mut join = |there: &[u8], more: &[u8]| {
            let preparer = match &mut joiner {
                Some(preparer) => preparer,
                none => none.insert(common.preparer(dictionary.as_ref())?),
            };
            spans::join(there, more, common.clock.now(), preparer)
        };
        let mut outcomes = loader.write_joining(&mut prepared, &mut join)?.into_iter();
        if !trained && let Ok(mut dictionary) = common.dictionary.write() {
            dictionary.clone_from(&loader.dictionary().cloned());
        }
        for (file, framing, chunk, fates) in written {
            let by_line = framing == Framing::Lines;
            for (piece, fate) in fates {
                let at = At { file, line: piece.line, offset: piece.offset, by_line };
                let reason = match fate {
                    Ok((traces, flaw)) => {
                        let fates = outcomes.by_ref().take(traces);
                        let refused: Vec<String> =
                            fates.filter_map(|outcome| tally.outcome(at, outcome)).collect();
                        refused.into_iter().next().or(flaw)
                    }
                    Err(reason) => Some(reason),
                };
                if let Some(reason) = reason {
                    tally.reject(at, reason, &chunk.bytes[piece.range])?;
                }
            }
            if let Some(flaw) = chunk.flaw {
                let at = At { file, line: flaw.line, offset: flaw.offset, by_line };
                tally.reject(at, flaw.reason, &flaw.text)?;
            }
        }
        Ok(())
    }
}
