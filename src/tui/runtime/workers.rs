//! Worker threads: the jobs on them, the store that opens on one, and what is looked at from time to time.

use std::time::{Duration, Instant};

use super::{Runtime, panic};
use crate::domain::{Error, Result};
use crate::ops::Ctx;
use crate::ops::monitor;
use crate::ops::prompt::Fingerprint;
use crate::ops::watch::{self, Changes, Watch};
use crate::task::{Cancel, Progress};
use crate::tui::jobs::JobId;
use crate::tui::message::Message;
use crate::tui::screens::ScreenId;
use crate::tui::work::{Answer, Request};

/// A job that runs longer than this shows how far it is.
const SHOW_AFTER: Duration = Duration::from_millis(250);

/// How often progress is sampled.
const SAMPLE: Duration = Duration::from_millis(100);

/// The prompts' folders are looked at this often.
const PROMPTS: Duration = Duration::from_secs(1);

/// How long jobs get to stop when the program ends.
const FAREWELL: Duration = Duration::from_secs(7);

/// The runtime of tasks and its worker threads. Dropped, also by a panic, it waits for workers a while and
/// not for ever, as it would by itself: signals are caught, so nobody could end the program then.
pub(super) struct Threads(pub(super) Option<tokio::runtime::Runtime>);

impl Threads {
    pub(super) fn run<T>(&self, task: impl Future<Output = T>) -> T {
        self.0.as_ref().expect("taken by drop only").block_on(task)
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(tokio) = self.0.take() {
            tokio.shutdown_timeout(FAREWELL);
        }
    }
}

/// What comes from worker threads.
pub(super) enum Event {
    Answered(JobId, Result<Answer>),
    Opened(Result<Ctx>),
    Watched(Watch, Result<Changes>),
    /// How the prompts' folders look.
    Prompts(Fingerprint),
    /// Watching had a fault: it is over.
    Blind(Error),
}

/// A job on a worker thread.
pub(super) struct Worker {
    pub(super) cancel: Cancel,
    progress: Progress,
    started: Instant,
}

impl Drop for Worker {
    /// Nobody waits for it any more, because it is done or because the program ends in whatever way.
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

impl Runtime {
    pub(super) fn opened(&mut self, ctx: Ctx) {
        self.clock = ctx.clock.clone();
        if self.model.env.writable != ctx.writable() {
            self.model.env.writable = ctx.writable();
            self.dirty = true;
        }
        let (send, of) = (self.sender.clone(), ctx.clone());
        tokio::task::spawn_blocking(move || {
            if let Ok(watch) = watch::watch(&of) {
                let _ = send.blocking_send(Event::Watched(watch, Ok(Changes::default())));
            }
        });
        if ctx.writable() {
            let cancel = Cancel::default();
            let (of, monitors, end) = (ctx.clone(), self.monitors.clone(), cancel.clone());
            self.monitoring = Some(Worker { cancel, progress: Progress::default(), started: Instant::now() });
            tokio::task::spawn_blocking(move || monitor::quietly(&of, &monitors, &end));
        }
        self.ctx = Some(ctx);
        for (job, request) in std::mem::take(&mut self.early) {
            self.work(job, request);
        }
    }

    pub(super) fn work(&mut self, job: JobId, request: Request) {
        let Some(ctx) = self.ctx.clone() else {
            self.early.push((job, request));
            return;
        };
        let worker =
            Worker { cancel: Cancel::default(), progress: Progress::default(), started: Instant::now() };
        let (cancel, progress, send) = (worker.cancel.clone(), worker.progress.clone(), self.sender.clone());
        self.workers.insert(job, worker);
        tokio::task::spawn_blocking(move || {
            let result = panic::contain(|| {
                panic::rehearse("job");
                // While it waited for a thread a newer question may have made it moot.
                cancel.check()?;
                request.run(&ctx, &cancel, &progress)
            });
            let _ = send.blocking_send(Event::Answered(job, result));
        });
    }

    pub(super) fn next_sample(&self) -> Option<Instant> {
        let oldest = self.workers.values().map(|worker| worker.started).min()?;
        Some((oldest + SHOW_AFTER).max(Instant::now() + SAMPLE))
    }

    pub(super) async fn sample_progress(&mut self) -> Result<()> {
        let progress: Vec<_> = self
            .workers
            .iter()
            .filter(|(_, worker)| worker.started.elapsed() >= SHOW_AFTER)
            .map(|(job, worker)| (*job, worker.progress.view()))
            .collect();
        if progress.is_empty() { Ok(()) } else { self.take(Message::Progress(progress)).await }
    }

    /// Looks at the prompts' folders while their screen is on, once in a while.
    pub(super) fn look_at_prompts(&mut self) {
        let due = self.prompts.as_ref().is_none_or(|(at, _)| at.elapsed() >= PROMPTS);
        if self.model.active == ScreenId::Prompts && due {
            if let Some((at, _)) = &mut self.prompts {
                *at = Instant::now();
            }
            let (send, team) = (self.sender.clone(), self.model.env.team.clone());
            tokio::task::spawn_blocking(move || {
                let _ = send.blocking_send(Event::Prompts(Fingerprint::take(&team)));
            });
        }
    }

    pub(super) fn look_at_store(&mut self) {
        if let Some(mut watch) = self.watch.take() {
            let send = self.sender.clone();
            tokio::task::spawn_blocking(move || {
                let looked = panic::contain(move || {
                    panic::rehearse("watch");
                    let changes = watch.poll();
                    Ok(Event::Watched(watch, changes))
                });
                let _ = send.blocking_send(looked.unwrap_or_else(Event::Blind));
            });
        }
    }

    /// Lets look-ups go and waits for acts of the person to reach the disk.
    pub(super) async fn farewell(&mut self) {
        self.monitoring = None;
        for worker in self.workers.values() {
            worker.cancel.cancel();
        }
        let deadline = tokio::time::Instant::now() + FAREWELL;
        while !self.workers.is_empty() {
            match tokio::time::timeout_at(deadline, self.receiver.recv()).await {
                Ok(Some(Event::Answered(job, _))) => {
                    self.workers.remove(&job);
                }
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => return,
            }
        }
    }
}
