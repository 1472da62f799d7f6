//! A run with its results, the failing ones first.

use serde::Serialize;

use super::RunView;
use super::list::one;
use crate::domain::{CaseResult, Outcome, Result, RunName};
use crate::ops::Ctx;

/// A run and what came of each case.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunShowView {
    /// What it came to.
    #[serde(flatten)]
    pub run: RunView,
    /// Each case's result: failed, then errors, then passed; by kind of edge case and id.
    pub results: Vec<CaseResult>,
}

/// Shows a run.
pub fn show(ctx: &Ctx, name: &RunName) -> Result<RunShowView> {
    let view = one(ctx, name)?;
    let mut results = ctx.store.run_results(name)?;
    let place = |result: &CaseResult| match result.outcome() {
        Outcome::Fail => 0,
        Outcome::Error => 1,
        Outcome::Pass => 2,
    };
    results.sort_by(|a, b| (place(a), &a.category, &a.case).cmp(&(place(b), &b.category, &b.case)));
    Ok(RunShowView { run: view, results })
}
