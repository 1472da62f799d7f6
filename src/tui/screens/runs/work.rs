//! What the screen asks of the ops.

use std::sync::Arc;

use crate::config::evaluation_now;
use crate::domain::{CaseId, EvalConfig, Result, RunName, SetName};
use crate::ops::Ctx;
use crate::ops::compare::{self, CaseView, CompareSpec, CompareView, TrustView};
use crate::ops::run::{self, RunAsk, RunCheck, RunOffer, RunShowView, RunView};
use crate::task::{Cancel, Progress};
use crate::tui::jobs::Job;
use crate::tui::screen::Env;

/// Work for a worker thread.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// The list of runs.
    List,
    /// A run with its results.
    Show(RunName),
    /// Two runs compared.
    Compare(CompareSpec),
    /// A case of two runs.
    Pair { baseline: RunName, candidate: RunName, case: CaseId },
    /// The judges of a run, held against the labels.
    Trust(RunName),
    /// What can be run; `set`: what is to be run, where that is known.
    Offer { config: Arc<EvalConfig>, set: Option<SetName> },
    /// How a run would go on.
    OfferRest { config: Arc<EvalConfig>, run: RunName },
    /// What a run would come to.
    Check { config: Arc<EvalConfig>, ask: RunAsk },
    /// Run it.
    Begin { config: Arc<EvalConfig>, ask: RunAsk },
}

/// What it gives.
#[derive(Debug)]
pub enum Answer {
    List(Vec<RunView>),
    Show(Box<RunShowView>),
    Compare(Box<CompareView>),
    Pair(Box<CaseView>),
    Trust(Box<TrustView>),
    /// With the configuration as its file is now.
    Offer(Box<RunOffer>, Arc<EvalConfig>),
    Check(Box<RunCheck>),
    /// The run is over, or was stopped.
    Ran(Box<RunView>),
}

impl Request {
    /// Does the work; blocks.
    pub fn run(&self, ctx: &Ctx, cancel: &Cancel, progress: &Progress) -> Result<Answer> {
        match self {
            Self::List => run::list(ctx).map(Answer::List),
            Self::Show(name) => run::show(ctx, name).map(|view| Answer::Show(Box::new(view))),
            Self::Compare(spec) => compare::compare(ctx, spec).map(|view| Answer::Compare(Box::new(view))),
            Self::Pair { baseline, candidate, case } => {
                compare::case(ctx, baseline, candidate, case).map(|view| Answer::Pair(Box::new(view)))
            }
            Self::Trust(name) => compare::trust(ctx, name).map(|view| Answer::Trust(Box::new(view))),
            // A person may have mended the file since the program was started.
            Self::Offer { config, set } => {
                let config = Arc::new(evaluation_now(config)?);
                let offer = run::offer(ctx, &config, set.as_ref())?;
                Ok(Answer::Offer(Box::new(offer), config))
            }
            Self::OfferRest { config, run } => {
                let config = Arc::new(evaluation_now(config)?);
                let offer = run::offer_rest(ctx, &config, run)?;
                Ok(Answer::Offer(Box::new(offer), config))
            }
            Self::Check { config, ask } => {
                run::check(ctx, config, ask, cancel).map(|check| Answer::Check(Box::new(check)))
            }
            Self::Begin { config, ask } => {
                run::begin(ctx, config, ask, cancel, progress).map(|view| Answer::Ran(Box::new(view)))
            }
        }
    }
}

/// The work that opens the form on this set, or the one that is most likely meant, from whatever screen.
pub fn start_run(env: &Env, set: Option<SetName>) -> Job {
    let request = Request::Offer { config: Arc::clone(&env.evaluation), set };
    Job::replace("run offer", "preparing the run", request.into())
}

impl From<Request> for crate::tui::work::Request {
    fn from(request: Request) -> Self {
        Self::Runs(request)
    }
}
