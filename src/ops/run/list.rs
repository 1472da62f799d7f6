//! The runs that there are.

use super::RunView;
use crate::domain::{Error, Result, RunName};
use crate::ops::Ctx;

/// All runs, the newest first.
pub fn list(ctx: &Ctx) -> Result<Vec<RunView>> {
    let runs = ctx.store.runs_with_totals()?;
    Ok(runs.into_iter().map(|(run, totals)| RunView::of(run, totals)).collect())
}

/// One run.
pub(super) fn one(ctx: &Ctx, name: &RunName) -> Result<RunView> {
    let (run, totals) = ctx.store.run_with_totals(name)?.ok_or_else(|| no_run(ctx, name))?;
    Ok(RunView::of(run, totals))
}

pub(super) fn no_run(ctx: &Ctx, name: &RunName) -> Error {
    let error = Error::not_so(format!("There is no run {name}."));
    let names: Vec<String> =
        ctx.store.runs().unwrap_or_default().iter().take(10).map(|run| run.head.name.to_string()).collect();
    if names.is_empty() {
        error.hint("Make one: tuesday eval run --set SET --target TARGET")
    } else {
        error.hint(format!("There are: {}", names.join(", ")))
    }
}
