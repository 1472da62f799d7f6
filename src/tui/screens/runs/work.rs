//! What the screen asks of the ops.

use crate::domain::{CaseId, Result, RunName};
use crate::ops::Ctx;
use crate::ops::compare::{self, CaseView, CompareSpec, CompareView, TrustView};
use crate::ops::run::{self, RunShowView, RunView};
use crate::task::{Cancel, Progress};

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
}

/// What it gives.
#[derive(Debug)]
pub enum Answer {
    List(Vec<RunView>),
    Show(Box<RunShowView>),
    Compare(Box<CompareView>),
    Pair(Box<CaseView>),
    Trust(Box<TrustView>),
}

impl Request {
    /// Does the work; blocks.
    pub fn run(&self, ctx: &Ctx, _cancel: &Cancel, _progress: &Progress) -> Result<Answer> {
        match self {
            Self::List => run::list(ctx).map(Answer::List),
            Self::Show(name) => run::show(ctx, name).map(|view| Answer::Show(Box::new(view))),
            Self::Compare(spec) => compare::compare(ctx, spec).map(|view| Answer::Compare(Box::new(view))),
            Self::Pair { baseline, candidate, case } => {
                compare::case(ctx, baseline, candidate, case).map(|view| Answer::Pair(Box::new(view)))
            }
            Self::Trust(name) => compare::trust(ctx, name).map(|view| Answer::Trust(Box::new(view))),
        }
    }
}

impl From<Request> for crate::tui::work::Request {
    fn from(request: Request) -> Self {
        Self::Runs(request)
    }
}
