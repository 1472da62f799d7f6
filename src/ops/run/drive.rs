//! The loop of a run: admits cases within the spending limit, has each written down before it is asked,
//! keeps so many in flight, and lands what comes back.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, MissedTickBehavior};

use super::bound::{Bound, ask_of, bound_of, key_of, longest};
use super::ledger::{Aside, Ledger, Room, Spent};
use super::plan::{Left, Plan, without_answer};
use super::work::{Done, Task, Work};
use super::writer::Writer;
use super::{Asker, RunSpec, Scores};
use crate::domain::{AskErrorKind, CaseId, CaseResult, EvalCase, Outcome, Result};
use crate::ops::Ctx;
use crate::stats::{CONFIDENCE, wilson};
use crate::store::RunWrite;
use crate::task::{Cancel, Progress};
use crate::text::figures::{dollars, plural, share_within};

/// How long those in flight may go on after a wish to stop: they are paid for.
const GRACE: Duration = Duration::from_secs(3);
/// How often a wish to stop is looked for.
const LOOK: Duration = Duration::from_millis(20);
/// The disk is not waited for where that would take more than this share of the time of an answer.
const SMALL: f64 = 0.02;

/// Drives a run to its end. Gives why it ended before that, where it did.
pub(super) async fn drive(
    ctx: &Ctx,
    spec: &RunSpec,
    plan: &Plan,
    asker: Arc<dyn Asker>,
    scores: Arc<dyn Scores>,
    cancel: &Cancel,
    progress: &Progress,
) -> Result<Option<String>> {
    let (writer, mut committed) = Writer::start(ctx.store.clone(), plan.head.name.clone())?;
    let ended = {
        let identity = format!("{}@{}", plan.head.name, plan.head.at.as_millisecond());
        let (ctx, spec, queue) = (ctx.clone(), spec.clone(), writer.queue());
        let work = Work { ctx, spec, asker, scores, queue, identity };
        let mut drive = Drive::new(work, plan, &writer, progress);
        drive.run(&mut committed, cancel).await
    };
    writer.finish()?;
    ended
}

struct Job {
    case: EvalCase,
    task: Task,
    aside: Aside,
    /// When it was given to be written down.
    since: Instant,
}

/// A case in flight.
struct Flight {
    case: EvalCase,
    aside: Aside,
    since: Instant,
}

struct Drive<'a> {
    work: Arc<Work>,
    writer: &'a Writer,
    progress: &'a Progress,
    ledger: Ledger,
    left: VecDeque<(EvalCase, Left)>,
    /// Being written down, in that order.
    pending: VecDeque<Job>,
    /// Written down, to be asked when one in flight lands.
    ready: VecDeque<Job>,
    flying: JoinSet<Done>,
    jobs: HashMap<Id, Flight>,
    concurrency: usize,
    /// How long it takes to have a case written down, and to land one.
    writing: Mean,
    answering: Mean,
    tally: Tally,
    stopped: Option<String>,
}

/// A mean in which what was lately weighs more.
#[derive(Default)]
struct Mean(Option<Duration>);

impl Mean {
    fn add(&mut self, time: Duration) {
        self.0 = Some(self.0.map_or(time, |mean| mean.mul_f64(0.9) + time.mul_f64(0.1)));
    }
}

#[derive(Default)]
struct Tally {
    passed: u64,
    failed: u64,
    errors: u64,
    paid: f64,
}

impl Tally {
    fn count(&mut self, result: &CaseResult) {
        match result.outcome() {
            Outcome::Pass => self.passed += 1,
            Outcome::Fail => self.failed += 1,
            Outcome::Error => self.errors += 1,
        }
    }

    /// `91.7 % [64.6, 98.5] pass · 1 error · $0.10`.
    fn words(&self) -> String {
        let told = self.passed + self.failed;
        let ends = wilson(self.passed as f64, told as f64, CONFIDENCE).map(|ends| [ends.lower, ends.upper]);
        let rate = match told {
            0 => "nothing told".to_owned(),
            _ => format!("{} pass", share_within(self.passed as f64 / told as f64, ends)),
        };
        let errors = usize::try_from(self.errors).unwrap_or(usize::MAX);
        let errors = if errors > 0 { format!(" · {}", plural(errors, "error")) } else { String::new() };
        format!("{rate}{errors} · {}", dollars(self.paid))
    }
}

impl<'a> Drive<'a> {
    fn new(work: Work, plan: &Plan, writer: &'a Writer, progress: &'a Progress) -> Self {
        let spec = &work.spec;
        let concurrency = spec.concurrency.unwrap_or(spec.target.limits.concurrency).max(1);
        let ledger = Ledger::new(spec.max_usd, plan.paid);
        for (case, times) in &plan.perhaps_paid {
            if let Bound::AtMost(most) | Bound::About(most) = bound_of(spec, &ask_of(spec, case)) {
                ledger.presume(most * f64::from(*times));
            }
            ledger.presume(spec.judging.cost(case, longest(&spec.target.kind)).most);
        }
        let mut tally = Tally { paid: plan.paid, ..Tally::default() };
        plan.kept.iter().for_each(|result| tally.count(result));
        progress.set_total(plan.head.cases);
        progress.set_done(plan.kept.len() as u64);
        progress.note(tally.words());
        Self {
            work: Arc::new(work),
            writer,
            progress,
            ledger,
            left: plan.left.iter().cloned().collect(),
            pending: VecDeque::new(),
            ready: VecDeque::new(),
            flying: JoinSet::new(),
            jobs: HashMap::new(),
            concurrency,
            writing: Mean::default(),
            answering: Mean::default(),
            tally,
            stopped: None,
        }
    }

    async fn run(
        &mut self,
        committed: &mut UnboundedReceiver<CaseId>,
        cancel: &Cancel,
    ) -> Result<Option<String>> {
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut deadline = None::<Instant>;
        loop {
            if cancel.is_cancelled() && deadline.is_none() {
                deadline = Some(Instant::now() + GRACE);
                self.stop("It was stopped by hand.".to_owned());
            }
            if deadline.is_some_and(|at| Instant::now() >= at) {
                self.flying.abort_all();
            }
            if self.stopped.is_none() {
                self.admit()?;
            }
            self.start();
            if self.flying.is_empty() && self.pending.is_empty() && self.ready.is_empty() {
                return Ok(self.stopped.take());
            }
            tokio::select! {
                Some(ended) = self.flying.join_next_with_id() => self.land(ended),
                case = committed.recv() => match case {
                    Some(case) => self.written(&case),
                    // The writer failed: it says how when it is asked to finish.
                    None => {
                        self.flying.shutdown().await;
                        return Ok(None);
                    }
                },
                _ = look.tick() => {}
            }
        }
    }

    /// How many more than may be in flight are written down, so that the disk is waited for while others
    /// are asked. None where that wait is nothing beside an answer: what is down as asked is then sent at
    /// once, and a kill leaves no case as perhaps paid that was not sent.
    fn ahead(&self) -> usize {
        let (Some(writing), Some(answering)) = (self.writing.0, self.answering.0) else { return 0 };
        let share = writing.as_secs_f64() / answering.as_secs_f64().max(1e-6);
        if share < SMALL {
            return 0;
        }
        let wanted = (share * self.concurrency as f64).ceil() as usize;
        wanted.clamp(1, self.concurrency.div_ceil(4))
    }

    /// Takes what may be asked next, and has it written down.
    fn admit(&mut self) -> Result<()> {
        let ahead = self.ahead();
        while self.pending.len() + self.ready.len() + self.flying.len() < self.concurrency + ahead {
            let Some((case, left)) = self.left.pop_front() else { break };
            let work = Arc::clone(&self.work);
            let spec = &work.spec;
            let ask = ask_of(spec, &case);
            let task = match left {
                Left::Rescore(result) => Task::Rescore(result),
                Left::Ask | Left::Interrupted => {
                    let key = if spec.cache { key_of(spec, &ask) } else { None };
                    let known = key.map(|key| work.ctx.store.cached_answer(&key)).transpose()?.flatten();
                    match (known, &left) {
                        (Some(answer), _) => Task::Given(answer),
                        (None, Left::Interrupted) => {
                            self.interrupted(&case);
                            continue;
                        }
                        (None, _) => Task::Ask,
                    }
                }
            };
            let bound = if matches!(task, Task::Ask) { bound_of(spec, &ask) } else { Bound::AtMost(0.0) };
            let judging = spec.judging.cost(&case, longest(&spec.target.kind)).most;
            match self.ledger.admit(bound, judging) {
                Room::Yes(aside) => {
                    let asks = matches!(task, Task::Ask);
                    let job = Job { case, task, aside, since: Instant::now() };
                    if asks {
                        self.writer.write(RunWrite::Asked(job.case.id.clone(), work.ctx.clock.now()));
                        self.pending.push_back(job);
                    } else {
                        self.ready.push_back(job);
                    }
                }
                room => {
                    let left = match task {
                        Task::Rescore(result) => Left::Rescore(result),
                        // Asked anew it finds its answer in the cache again.
                        _ => Left::Ask,
                    };
                    self.left.push_front((case, left));
                    if let Room::No(most) = room {
                        self.stop(self.limit_words(most));
                    }
                    break;
                }
            }
        }
        Ok(())
    }

    fn limit_words(&self, most: Option<f64>) -> String {
        let limit = dollars(self.work.spec.max_usd.unwrap_or_default());
        let paid = dollars(self.ledger.paid());
        match most {
            Some(most) => format!(
                "The spending limit of {limit}: {paid} may be paid already, and the next case may cost {}.",
                dollars(most)
            ),
            None => format!(
                "The spending limit of {limit} cannot be kept: the target does not say what an answer costs."
            ),
        }
    }

    fn interrupted(&mut self, case: &EvalCase) {
        let what = "The program ended while this case was asked. It may have been paid for, so it is not \
                    asked again; --retry-errors does.";
        let result = without_answer(&self.work.ctx, case, AskErrorKind::Interrupted, what);
        self.keep(result, None);
    }

    /// A case is on the disk as asked, so it may be.
    fn written(&mut self, case: &CaseId) {
        // The writer tells in the order in which it was told.
        if self.pending.front().is_some_and(|job| job.case.id == *case) {
            let job = self.pending.pop_front();
            job.iter().for_each(|job| self.writing.add(job.since.elapsed()));
            self.ready.extend(job);
        }
    }

    fn start(&mut self) {
        while self.flying.len() < self.concurrency {
            let Some(Job { case, task, aside, .. }) = self.ready.pop_front() else { break };
            let (work, purse) = (Arc::clone(&self.work), Arc::clone(&aside.purse));
            let (its, since) = (case.clone(), Instant::now());
            let id = self.flying.spawn(async move { work.one(&case, task, &purse).await }).id();
            self.jobs.insert(id, Flight { case: its, aside, since });
        }
    }

    /// Takes no more; what was written down and not asked is taken back.
    fn stop(&mut self, why: String) {
        self.stopped = Some(why);
        for job in self.pending.drain(..).chain(self.ready.drain(..)) {
            if matches!(job.task, Task::Ask) {
                self.writer.write(RunWrite::Unasked(job.case.id));
            }
            self.ledger.settle(&job.aside, Spent::Nothing);
        }
    }

    fn land(&mut self, ended: std::result::Result<(Id, Done), JoinError>) {
        let id = match &ended {
            Ok((id, _)) => *id,
            Err(error) => error.id(),
        };
        let Some(Flight { case, aside, since }) = self.jobs.remove(&id) else { return };
        self.answering.add(since.elapsed());
        let done = match ended {
            Ok((_, done)) => done,
            Err(error) => {
                let (kind, what) = if error.is_cancelled() {
                    (AskErrorKind::Cancelled, "It was stopped while this case was asked.")
                } else {
                    (AskErrorKind::Unreadable, "This program failed at this case: please report it.")
                };
                let result = without_answer(&self.work.ctx, &case, kind, what);
                Done { result, spent: Spent::Perhaps, paid: None }
            }
        };
        self.ledger.settle(&aside, done.spent);
        self.keep(done.result, done.paid);
    }

    fn keep(&mut self, result: CaseResult, paid: Option<f64>) {
        self.tally.count(&result);
        self.tally.paid += paid.unwrap_or_else(|| result.paid_usd());
        let result = Box::new(result);
        self.writer.write(match paid {
            Some(paid) => RunWrite::LandedFor(result, paid),
            None => RunWrite::Landed(result),
        });
        self.progress.add(1);
        self.progress.note(self.tally.words());
    }
}
