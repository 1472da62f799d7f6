//! The one thread that writes: all that is ready becomes one transaction, then each sender is answered.

use std::sync::{Arc, RwLock};

use crossbeam_channel::{Receiver, Sender};

use super::Troubled;
use crate::domain::{Result, Untrusted};
use crate::ops::{Ctx, spans};
use crate::store::{Dictionary, Loader, Outcome, Prepared, Preparer, Said, SaidOutcome};
use crate::task::Clock;
use crate::text::Fallback;

/// Traces of one transaction: more would keep their senders waiting for no less work each.
const MOST: usize = 2048;

/// What is to be written.
pub(super) enum Work {
    Traces(Vec<Prepared>),
    Feedback(Vec<Said>),
}

/// What became of one trace or one piece of feedback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Added,
    Unchanged,
    Updated,
    Rewritten { refused: u64 },
    Conflict,
    Waiting,
}

/// The fates of a job, in its order, once they are kept; or why nothing of it was, as a sentence.
pub(super) type Reply = std::result::Result<Vec<Fate>, String>;

/// Work, and where its sender waits.
pub(super) struct Job {
    pub(super) work: Work,
    pub(super) reply: Sender<Reply>,
}

/// Writes what it is given until nobody can give it any more.
pub(super) struct Writer<'a> {
    loader: Loader,
    work: Receiver<Job>,
    dictionary: Arc<RwLock<Option<Dictionary>>>,
    clock: Clock,
    feature: Option<Untrusted>,
    fallback: Fallback,
    /// Makes anew the traces that more spans came for.
    joiner: Option<Preparer>,
    troubled: &'a Troubled<'a>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(
        ctx: &Ctx,
        loader: Loader,
        work: Receiver<Job>,
        dictionary: Arc<RwLock<Option<Dictionary>>>,
        feature: Option<Untrusted>,
        troubled: &'a Troubled<'a>,
    ) -> Self {
        let (clock, fallback) = (ctx.clock.clone(), ctx.fallback.clone());
        Self { loader, work, dictionary, clock, feature, fallback, joiner: None, troubled }
    }

    pub(super) fn run(mut self) -> Result<()> {
        while let Ok(first) = self.work.recv() {
            let mut weight = weight(&first);
            let mut jobs = vec![first];
            while weight < MOST
                && let Ok(job) = self.work.try_recv()
            {
                weight += self::weight(&job);
                jobs.push(job);
            }
            self.write(jobs);
        }
        self.loader.finish()
    }

    fn write(&mut self, jobs: Vec<Job>) {
        let (mut traces, mut said) = (Vec::new(), Vec::new());
        let mut senders = Vec::with_capacity(jobs.len());
        for Job { work, reply } in jobs {
            match work {
                Work::Traces(mut more) => {
                    senders.push((reply, true, more.len()));
                    traces.append(&mut more);
                }
                Work::Feedback(mut more) => {
                    senders.push((reply, false, more.len()));
                    said.append(&mut more);
                }
            }
        }
        let mut traces = self.write_traces(&mut traces).map(Vec::into_iter);
        let mut said = self.write_said(&said).map(Vec::into_iter);
        [traces.as_ref().err(), said.as_ref().err()].into_iter().flatten().for_each(self.troubled);
        for (reply, is_traces, length) in senders {
            let fates = match if is_traces { &mut traces } else { &mut said } {
                Ok(fates) => Ok(fates.take(length).collect()),
                Err(_) => Err(TROUBLE.to_owned()),
            };
            // Who does not wait any more has lost the answer, not the work.
            reply.send(fates).ok();
        }
    }

    fn write_traces(&mut self, batch: &mut [Prepared]) -> Result<Vec<Fate>> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let trained = self.loader.dictionary().is_some();
        let (joiner, clock) = (&mut self.joiner, &self.clock);
        let (dictionary, feature) = (self.loader.dictionary().cloned(), &self.feature);
        let fallback = &self.fallback;
        let mut join = |there: &[u8], more: &[u8]| {
            let preparer = match &mut *joiner {
                Some(preparer) => preparer,
                none => none.insert(
                    Preparer::new(dictionary.as_ref())?
                        .with_feature(feature.clone())
                        .with_fallback(fallback.clone()),
                ),
            };
            spans::join(there, more, clock.now(), preparer)
        };
        let outcomes = self.loader.write_joining(batch, &mut join)?;
        if !trained && self.loader.dictionary().is_some() {
            let mut shared = self.dictionary.write().unwrap_or_else(std::sync::PoisonError::into_inner);
            shared.clone_from(&self.loader.dictionary().cloned());
            self.joiner = None;
        }
        let fate = |outcome| match outcome {
            Outcome::Added(_) => Fate::Added,
            Outcome::Unchanged => Fate::Unchanged,
            Outcome::Updated => Fate::Updated,
            Outcome::Rewritten { refused } => Fate::Rewritten { refused },
            Outcome::Conflict(_) => Fate::Conflict,
        };
        Ok(outcomes.into_iter().map(fate).collect())
    }

    fn write_said(&mut self, said: &[Said]) -> Result<Vec<Fate>> {
        if said.is_empty() {
            return Ok(Vec::new());
        }
        let fate = |outcome| match outcome {
            SaidOutcome::Added => Fate::Added,
            SaidOutcome::Unchanged => Fate::Unchanged,
            SaidOutcome::Waiting => Fate::Waiting,
        };
        Ok(self.loader.feedback(said, self.clock.now())?.into_iter().map(fate).collect())
    }
}

fn weight(job: &Job) -> usize {
    match &job.work {
        Work::Traces(traces) => traces.len(),
        Work::Feedback(said) => said.len(),
    }
}

/// What a sender is told of a failure of this machine; whoever runs the receiver is told the rest.
pub(super) const TROUBLE: &str = "The store cannot be written now. Send it again.";
