//! Which work runs: policies, queues, and dropping what nobody waits for. Pure; the runtime runs it.

use std::collections::VecDeque;

use super::effect::{Effect, Effects};
use super::work::Request;
use crate::task::ProgressView;

/// The scope of the run that was started here: one at a time, and the program does not end before it has.
pub const RUN: &str = "eval run";

/// The scope of steps of incidents that are carried out, one after the other.
pub const STEP: &str = "incident step";

/// Names one start of a job; a later start of the same work has another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(pub u64);

/// What happens when a job of the same scope runs already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// The running one is cancelled and its answer dropped.
    Replace,
    /// This one waits its turn; none is ever dropped. For acts of a person.
    Queue,
    /// This one is not started.
    Exclusive,
    /// This one is not started when the same request runs; else both run.
    Join,
}

/// Work to start.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// What the status line calls it: `drawing the sample`.
    pub title: &'static str,
    /// Jobs of one scope know each other; see [`Policy`].
    pub scope: &'static str,
    pub policy: Policy,
    pub request: Request,
}

impl Job {
    /// A look-up whose newer question makes the older one moot.
    pub fn replace(scope: &'static str, title: &'static str, request: Request) -> Self {
        Self { title, scope, policy: Policy::Replace, request }
    }

    /// An act that must happen, after those before it.
    pub fn queue(scope: &'static str, title: &'static str, request: Request) -> Self {
        Self { title, scope, policy: Policy::Queue, request }
    }

    /// A look-up that may run beside others.
    pub fn join(scope: &'static str, title: &'static str, request: Request) -> Self {
        Self { title, scope, policy: Policy::Join, request }
    }

    /// Work of which one at a time is enough.
    pub fn exclusive(scope: &'static str, title: &'static str, request: Request) -> Self {
        Self { title, scope, policy: Policy::Exclusive, request }
    }
}

/// A job that runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Running {
    pub id: JobId,
    pub job: Job,
    /// How far it is; known once it has run for a quarter of a second.
    pub progress: Option<ProgressView>,
    cancelled: bool,
}

/// All jobs.
#[derive(Debug, Clone, Default)]
pub struct Jobs {
    last: u64,
    running: Vec<Running>,
    waiting: VecDeque<Job>,
}

impl Jobs {
    /// Whether any work runs or waits its turn.
    pub fn any(&self) -> bool {
        !self.running.is_empty() || !self.waiting.is_empty()
    }

    /// Starts, queues or drops a job after its policy.
    pub fn start(&mut self, job: Job, effects: &mut Effects) {
        let same_scope = |running: &Running| running.job.scope == job.scope;
        match job.policy {
            Policy::Replace => {
                self.running.retain(|running| {
                    let replaced = running.job.scope == job.scope;
                    if replaced {
                        effects.push(Effect::Cancel(running.id));
                    }
                    !replaced
                });
            }
            Policy::Queue => {
                if self.running.iter().any(same_scope) {
                    self.waiting.push_back(job);
                    return;
                }
            }
            Policy::Exclusive => {
                if self.running.iter().any(same_scope) {
                    return;
                }
            }
            Policy::Join => {
                if self
                    .running
                    .iter()
                    .any(|running| same_scope(running) && running.job.request == job.request)
                {
                    return;
                }
            }
        }
        self.run(job, effects);
    }

    fn run(&mut self, job: Job, effects: &mut Effects) {
        self.last += 1;
        let id = JobId(self.last);
        effects.push(Effect::Run { job: id, request: job.request.clone() });
        self.running.push(Running { id, job, progress: None, cancelled: false });
    }

    /// Takes note that a job ended and starts the next of its queue. Gives the job, unless it was
    /// replaced: then its answer is stale.
    pub fn ended(&mut self, id: JobId, effects: &mut Effects) -> Option<Job> {
        let at = self.running.iter().position(|running| running.id == id)?;
        let ended = self.running.remove(at).job;
        if let Some(next) = self.waiting.iter().position(|waiting| waiting.scope == ended.scope)
            && let Some(job) = self.waiting.remove(next)
        {
            self.run(job, effects);
        }
        Some(ended)
    }

    /// Takes note of how far jobs are.
    pub fn progressed(&mut self, progress: Vec<(JobId, ProgressView)>) {
        for (id, view) in progress {
            if let Some(running) = self.running.iter_mut().find(|running| running.id == id) {
                running.progress = Some(view);
            }
        }
    }

    /// The job to show: the one that has been at it longest.
    pub fn shown(&self) -> Option<&Running> {
        self.running.iter().find(|running| running.progress.is_some())
    }

    /// Cancels the job that is shown. Its answer, an error of kind `Cancelled`, still comes.
    pub fn cancel_shown(&mut self, effects: &mut Effects) -> Option<&'static str> {
        let running =
            self.running.iter_mut().find(|running| running.progress.is_some() && !running.cancelled)?;
        running.cancelled = true;
        effects.push(Effect::Cancel(running.id));
        Some(running.job.title)
    }

    /// Cancels the jobs of a scope; their answers still come. Those that wait are not started.
    pub fn cancel(&mut self, scope: &str, effects: &mut Effects) {
        self.waiting.retain(|waiting| waiting.scope != scope);
        for running in self.running.iter_mut().filter(|running| running.job.scope == scope) {
            running.cancelled = true;
            effects.push(Effect::Cancel(running.id));
        }
    }

    /// The request of a job that runs.
    pub fn request(&self, id: JobId) -> Option<&Request> {
        self.running.iter().find(|running| running.id == id).map(|running| &running.job.request)
    }

    /// Whether an act of a person is not done yet.
    pub fn acts_pending(&self) -> bool {
        let acts = |running: &Running| running.job.policy == Policy::Queue || running.job.scope == RUN;
        self.running.iter().any(acts) || !self.waiting.is_empty()
    }
}
