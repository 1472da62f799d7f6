//! Runs: an eval set put through a target. What is asked is written before it is asked, each result as it
//! lands, so that a run survives a crash and no case is paid for twice.
//!
//! | file | holds |
//! |---|---|
//! | `plan` | which run it is and what of it is left |
//! | `drive` | the loop: admits, starts, lands |
//! | `work` | one case: asks, evaluates |
//! | `ledger` | the spending limit |
//! | `judging` | what judging an answer costs |
//! | `writer` | many small writes, few commits |
//! | `bound` | what asking may cost at most, and the name of an answer in the cache |
//! | `connect` | what is asked and who evaluates |
//! | `begin` | a run from a form: what there is to choose, what it would come to |

mod begin;
mod bound;
mod connect;
mod drive;
mod estimate;
mod export;
mod judging;
mod ledger;
mod list;
mod plan;
mod recorded;
mod show;
mod view;
mod work;
mod writer;

use std::sync::Arc;

use futures::future::BoxFuture;

use super::Ctx;
use super::promote::{self, FileReport};
use super::score::{MayAskAgain, Purse};
use crate::domain::{
    Answer, Ask, AskError, Assessment, Error, EvalCase, EvalSet, Price, Result, RunName, SetName, Subject,
    TargetSpec,
};
use crate::task::{Cancel, Progress};

pub(in crate::ops) use bound::Bound;
pub(in crate::ops) use ledger::{CasePurse, Ledger, Room, Spent};

pub use begin::{RunAsk, RunCheck, RunOffer, SetOffer, TargetOffer, before, begin, check, offer, offer_rest};
pub use connect::{asker, scores, services, spec, target};
pub use estimate::{EstimateView, estimate};
pub use export::{ExportFormat, export, reasons, score_words, title};
pub use judging::{Judging, unpriced};
pub use list::list;
pub use recorded::Recorded;
pub use show::{RunShowView, show};
pub use view::RunView;

/// What asks a target, with its patience: retries, pace and the time limit of a case are its own.
pub trait Asker: Send + Sync {
    /// Asks, and says how many attempts it took.
    fn ask<'a>(
        &'a self,
        ask: &'a Ask,
        again: MayAskAgain<'a>,
    ) -> BoxFuture<'a, (std::result::Result<Answer, AskError>, u32)>;
}

/// What evaluates an answer: the evaluators of the set, and those of the case.
pub trait Scores: Send + Sync {
    /// The word of each. What they ask is paid from the purse.
    fn score<'a>(
        &'a self,
        case: &'a EvalCase,
        subject: Subject<'a>,
        purse: &'a dyn Purse,
    ) -> BoxFuture<'a, Vec<Assessment>>;
}

/// What is to be run, and how.
#[derive(Debug, Clone)]
pub struct RunSpec {
    /// The eval set.
    pub set: SetName,
    /// Its version; `None`: the newest.
    pub version: Option<u64>,
    /// What is asked.
    pub target: TargetSpec,
    /// The text of the target's prompt.
    pub prompt: Option<String>,
    /// What the target's tokens cost, where that is known.
    pub price: Option<Price>,
    /// The evaluators of the set: (name, version).
    pub evaluators: Vec<(String, String)>,
    /// What the judges among the evaluators cost.
    pub judging: Judging,
    /// Its name; `None`: made of set, target and a number.
    pub name: Option<RunName>,
    /// Requests at a time; `None`: as the target's limits say.
    pub concurrency: Option<usize>,
    /// The most that it may cost, in US dollars.
    pub max_usd: Option<f64>,
    /// Go on with a run that ended before its end.
    pub resume: bool,
    /// Ask those again that have an error as their result; goes on with a run as `resume` does.
    pub retry_errors: bool,
    /// Whether an answer may come from the cache.
    pub cache: bool,
}

impl RunSpec {
    /// A new run of a set through a target, nothing else said.
    pub fn new(set: SetName, target: TargetSpec) -> Self {
        Self {
            set,
            version: None,
            target,
            prompt: None,
            price: None,
            evaluators: Vec::new(),
            judging: Judging::default(),
            name: None,
            concurrency: None,
            max_usd: None,
            resume: false,
            retry_errors: false,
            cache: true,
        }
    }

    fn goes_on(&self) -> bool {
        self.resume || self.retry_errors
    }
}

/// The set as a run of this would take it: that of the run it goes on with, else as it is now.
pub fn taken(ctx: &Ctx, spec: &RunSpec) -> Result<EvalSet> {
    plan::taken(ctx, spec)
}

/// Takes what a person changed in the file of the set, so that the run goes by it; says what it took. Nothing
/// where the run goes by a version of the set that is fixed already. Errors when a line cannot be read.
pub fn take_edits(ctx: &Ctx, spec: &RunSpec) -> Result<Option<FileReport>> {
    if spec.version.is_some() || plan::existing(ctx, spec)?.is_some() {
        return Ok(None);
    }
    promote::take_edits(ctx, &spec.set)
}

/// Runs an eval set through a target. Blocks until it is over, stopped or cancelled; what landed stays,
/// and the same with `resume` goes on. Must not be called from inside an async runtime.
pub fn run(
    ctx: &Ctx,
    spec: &RunSpec,
    asker: Arc<dyn Asker>,
    scores: Arc<dyn Scores>,
    cancel: &Cancel,
    progress: &Progress,
) -> Result<RunView> {
    progress.phase("running");
    let plan = plan::make(ctx, spec)?;
    let name = plan.head.name.clone();
    // Evaluating takes the processor; asking waits. A few threads do for both.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| Error::failed("The run cannot be started.").because(e))?;
    let stopped = runtime.block_on(drive::drive(ctx, spec, &plan, asker, scores, cancel, progress));
    // What is still in flight is let go of, not waited for.
    runtime.shutdown_background();
    ctx.store.stop_run(&name, stopped?.as_deref())?;
    drop(plan);
    list::one(ctx, &name)
}

#[cfg(test)]
mod tests;
