//! Bodies made ready for the writer, on the threads of the receiver.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, RwLock};

use crossbeam_channel::{Sender, bounded};
use serde_json::json;

use super::writer::{Fate, Job, Reply, TROUBLE, Work, Writer};
use super::{Counters, Troubled, count};
use crate::domain::{Result, Untrusted};
use crate::ops::{Ctx, spans};
use crate::store::{Dictionary, Prepared, Preparer, Said};
use crate::task::Clock;
use crate::text::Fallback;
use crate::wire::otlp::Encoding;
use crate::wire::read::{Chunks, Format, Mapping, Packing, Reader};
use crate::wire::receive::{Answer, Intake, What, feedback};

/// Jobs that may wait for the writer.
const QUEUE: usize = 64;
/// Rejects that an answer names.
const TOLD: usize = 20;

/// Takes bodies.
pub(super) struct Desk {
    jobs: Sender<Job>,
    clock: Clock,
    counters: Arc<Counters>,
    feature: Option<Untrusted>,
    fallback: Fallback,
    dictionary: Arc<RwLock<Option<Dictionary>>>,
    /// Preparers that are not at work, with the dictionary that each knows.
    preparers: Mutex<Vec<(Option<u8>, Preparer)>>,
    /// Jobs that the writer was given and has not answered yet.
    waiting: Arc<AtomicI64>,
}

impl Desk {
    /// A desk and the writer that it gives its work to. The writer ends when the desk is gone.
    pub(super) fn open<'a>(
        ctx: &Ctx,
        counters: Arc<Counters>,
        feature: Option<Untrusted>,
        troubled: &'a Troubled<'a>,
    ) -> Result<(Self, Writer<'a>)> {
        let (jobs, work) = bounded(QUEUE);
        ctx.store.note_patterns(&ctx.fallback)?;
        let loader = ctx.store.live_loader()?;
        let dictionary = Arc::new(RwLock::new(loader.dictionary().cloned()));
        let waiting = Arc::new(AtomicI64::new(0));
        let writer = Writer::new(ctx, loader, work, Arc::clone(&dictionary), feature.clone(), troubled);
        let desk = Self {
            jobs,
            clock: ctx.clock.clone(),
            counters,
            feature,
            fallback: ctx.fallback.clone(),
            dictionary,
            preparers: Mutex::default(),
            waiting,
        };
        Ok((desk, writer))
    }

    /// Whether anybody waits for the writer now.
    pub(super) fn is_busy(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
    }

    /// Lends a preparer.
    fn with_preparer<T>(&self, work: impl FnOnce(&mut Preparer) -> Result<T>) -> Result<T> {
        let newest = self.dictionary.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        let known = newest.as_ref().map(|dictionary| dictionary.id);
        let kept = || self.preparers.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let lent = kept().pop().filter(|(knows, _)| *knows == known);
        let mut preparer = match lent {
            Some((_, preparer)) => preparer,
            None => Preparer::new(newest.as_ref())?
                .with_feature(self.feature.clone())
                .with_fallback(self.fallback.clone()),
        };
        let done = work(&mut preparer);
        kept().push((known, preparer));
        done
    }

    /// Gives work to the writer and waits until it is kept.
    fn keep(&self, work: Work) -> std::result::Result<Vec<Fate>, Answer> {
        let (reply, answer) = bounded::<Reply>(1);
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let sent = self.jobs.send(Job { work, reply }).is_ok();
        let answer = if sent { answer.recv().ok() } else { None };
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        match answer {
            Some(Ok(fates)) => Ok(fates),
            Some(Err(why)) => Err(Answer::Later(why)),
            None => Err(Answer::Later("The receiver is ending. Send it again.".to_owned())),
        }
    }

    fn spans(&self, body: &[u8], encoding: Encoding) -> std::result::Result<Answer, Answer> {
        let arrived = self
            .with_preparer(|preparer| spans::prepare(body, encoding, self.clock.now(), preparer))
            .map_err(failed)?
            .map_err(Answer::Malformed)?;
        let (traces, counts): (Vec<Prepared>, Vec<u64>) = arrived.traces.into_iter().unzip();
        let (mut rejected, mut reason) = (arrived.rejected, arrived.reason);
        let fates = if traces.is_empty() { Vec::new() } else { self.keep(Work::Traces(traces))? };
        for (fate, spans) in fates.into_iter().zip(counts) {
            let refused = match fate {
                Fate::Rewritten { refused } => {
                    count(&self.counters.changed, 1);
                    if refused > 0 {
                        reason.get_or_insert_with(crate::wire::otlp::too_many);
                    }
                    refused
                }
                Fate::Conflict => {
                    reason.get_or_insert_with(|| {
                        "a trace with this id is in the store, and was not made of spans".to_owned()
                    });
                    spans
                }
                Fate::Added => {
                    count(&self.counters.traces, 1);
                    0
                }
                _ => 0,
            };
            rejected += refused;
            count(&self.counters.spans, spans.saturating_sub(refused));
        }
        count(&self.counters.rejected, rejected);
        Ok(Answer::Spans { rejected, reason })
    }

    fn traces(&self, body: &[u8]) -> std::result::Result<Answer, Answer> {
        let reader = Reader::new(Format::Tuesday, Mapping::default());
        let now = self.clock.now();
        let mut chunks = Chunks::new(body, Packing::None);
        let mut rejects: Vec<(u64, String)> = Vec::new();
        let (mut lines, mut traces) = (Vec::new(), Vec::new());
        self.with_preparer(|preparer| {
            while let Some(chunk) = chunks.next_chunk() {
                for piece in chunk.pieces() {
                    let found = reader.read(&chunk.bytes[piece.range]).map(|found| found.trace);
                    match found.and_then(|trace| trace.check(now).map(|_| trace)) {
                        Ok(trace) => {
                            traces.push(preparer.prepare(trace, now)?);
                            lines.push(piece.line);
                        }
                        Err(reason) => rejects.push((piece.line, reason)),
                    }
                }
                rejects.extend(chunk.flaw.map(|flaw| (flaw.line, flaw.reason)));
            }
            Ok(())
        })
        .map_err(failed)?;
        if lines.is_empty() {
            return Err(Answer::Malformed(match rejects.first() {
                Some((line, reason)) => format!("No line holds a trace. Line {line}: {reason}."),
                None => "There is no trace in the body.".to_owned(),
            }));
        }
        let (mut added, mut unchanged, mut updated) = (0_u64, 0_u64, 0_u64);
        for (fate, line) in self.keep(Work::Traces(traces))?.into_iter().zip(lines) {
            match fate {
                Fate::Added => added += 1,
                Fate::Unchanged => unchanged += 1,
                Fate::Updated | Fate::Rewritten { .. } => updated += 1,
                Fate::Conflict | Fate::Waiting => {
                    rejects.push((
                        line,
                        "id: the trace in the store has the same id and other content".to_owned(),
                    ));
                }
            }
        }
        rejects.sort_unstable_by_key(|(line, _)| *line);
        count(&self.counters.traces, added);
        count(&self.counters.changed, updated);
        count(&self.counters.rejected, rejects.len() as u64);
        Ok(Answer::Done(json!({
            "added": added, "unchanged": unchanged, "updated": updated, "rejected": rejects.len(),
            "rejects": told(rejects, "line"),
        })))
    }

    fn feedback(&self, body: &[u8]) -> std::result::Result<Answer, Answer> {
        let read = feedback::read(body, self.clock.now()).map_err(Answer::Malformed)?;
        let mut rejects: Vec<(u64, String)> = Vec::new();
        let mut said = Vec::new();
        for (one, item) in read.into_iter().zip(1_u64..) {
            match one {
                Ok((trace, feedback)) => said.push(Said { trace, feedback }),
                Err(reason) => rejects.push((item, reason)),
            }
        }
        if said.is_empty() {
            let (item, reason) = rejects.swap_remove(0);
            return Err(Answer::Malformed(format!("No feedback can be read. Item {item}: {reason}.")));
        }
        let (mut added, mut unchanged, mut waiting) = (0_u64, 0_u64, 0_u64);
        for fate in self.keep(Work::Feedback(said))? {
            match fate {
                Fate::Added => added += 1,
                Fate::Waiting => waiting += 1,
                _ => unchanged += 1,
            }
        }
        count(&self.counters.feedback, added + waiting);
        count(&self.counters.changed, added);
        count(&self.counters.rejected, rejects.len() as u64);
        Ok(Answer::Done(json!({
            "added": added, "unchanged": unchanged, "waiting": waiting, "rejected": rejects.len(),
            "rejects": told(rejects, "item"),
        })))
    }
}

impl Intake for Desk {
    fn take(&self, what: What, body: &[u8]) -> Answer {
        let taken = match what {
            What::Spans(encoding) => self.spans(body, encoding),
            What::Traces => self.traces(body),
            What::Feedback => self.feedback(body),
        };
        taken.unwrap_or_else(|answer| {
            if matches!(answer, Answer::Malformed(_)) {
                count(&self.counters.rejected, 1);
            }
            answer
        })
    }
}

/// The first rejects, each with its place.
fn told(rejects: Vec<(u64, String)>, place: &str) -> Vec<serde_json::Value> {
    rejects.into_iter().take(TOLD).map(|(at, reason)| json!({place: at, "reason": reason})).collect()
}

/// A failure of this machine's own.
fn failed(_: crate::domain::Error) -> Answer {
    Answer::Later(TROUBLE.to_owned())
}
