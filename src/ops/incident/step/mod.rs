//! Steps that act: what one would do, doing it, and what came of it.
//!
//! [`plan()`] says what a step would do and what would fail, without doing it; [`run()`] carries it out: looks, acts,
//! watches. Both are given [`Hands`], through which alone a step reaches the outside: a drill passes a [`Sandbox`].
//! To add a kind of step that acts: a file here with `plan` and `act`, an arm in `carry`.

mod carry;
mod command;
mod effect;
mod flag;
mod ground;
mod hands;
mod http;
mod lease;
mod look;
mod plan;
pub mod preflight;
mod rollback;
mod run;
#[cfg(test)]
mod tests;
mod view;
mod watch;

use self::ground::Ground;
use self::plan::Planned;
use crate::domain::incident::{Act, ActPlan, Acting, Pinned};
use crate::domain::runbook::{Phase, StepKind};
use crate::domain::{Error, Result, Untrusted};
use crate::ops::Ctx;
use crate::store::IncidentRef;
use crate::task::Cancel;

pub use effect::{EffectState, EffectView};
pub use hands::{Hands, Real, Sandbox};
pub use plan::plan;
pub use run::{recheck, run};
pub use view::{ApprovalState, ApprovalView, DryRun, Ran, RanState, UnsettledView};
pub use watch::{CriterionState, CriterionView, WatchState, WatchView};

/// What is wanted besides carrying a step out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunAsk {
    /// Do it though it may have been done: only where the runbook says that this does no harm.
    pub again: bool,
    /// Take the acting over from whoever holds it.
    pub take: bool,
    /// Act alone where two should, for this reason.
    pub break_glass: Option<String>,
}

/// How an act ended.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Outcome {
    Done(String),
    Failed(String),
    Unknown(String),
}

/// An act that was carried out; no outcome while somebody has to agree first.
struct Ended {
    plan: ActPlan,
    outcome: Option<Outcome>,
}

/// The step that contains: the first of the phase that acts and is open.
///
/// # Errors
/// `NotSo` when there is none.
pub fn containing(ctx: &Ctx, incident: &str) -> Result<String> {
    let incident = ctx.store.incident(&IncidentRef::parse(incident)?)?.incident;
    let open = incident
        .steps_of(Phase::Contain)
        .find(|(_, step, state)| step.kind.acts() && !state.state.is_settled());
    open.map(|(_, step, _)| step.id.clone()).ok_or_else(|| {
        Error::not_so(format!("No step of {} that contains is open.", incident.name()))
            .hint(format!("See its steps: tuesday incident show {}", incident.name()))
    })
}

/// Agrees to an act of somebody else.
///
/// # Errors
/// `NotSo` when nobody has to, or this person may not.
pub fn approve(
    ctx: &Ctx,
    incident: &str,
    step: &str,
    note: Option<Untrusted>,
) -> Result<super::IncidentView> {
    let act = Acting::Approve { step: step.to_owned(), note };
    super::act(ctx, incident, Act::Acting(act), None)
}

/// Lets an incident go on with another text of its runbook.
///
/// # Errors
/// `NotSo` when it is the same text, or an act is not settled.
pub fn rebase(ctx: &Ctx, incident: &str, runbook: Pinned) -> Result<super::IncidentView> {
    super::act(ctx, incident, Act::Acting(Acting::Rebase { runbook }), None)
}

/// Looks at the watch of an incident: begins it where it is not begun, starts its clock again at each breach, and
/// settles its step when all was held and proven.
///
/// # Errors
/// `NotSo` when the runbook has no step that watches.
pub fn verify(ctx: &Ctx, hands: &Hands, incident: &str, cancel: &Cancel) -> Result<WatchView> {
    let file = ctx.store.incident(&IncidentRef::parse(incident)?)?;
    let mut watches = file
        .incident
        .runbook
        .book
        .steps
        .iter()
        .zip(&file.incident.steps)
        .filter(|(step, _)| matches!(step.kind, StepKind::Monitor { .. }))
        .peekable();
    let first = watches.peek().map(|(step, _)| step.id.clone());
    let open = watches.find(|(_, state)| !state.state.is_settled()).map(|(step, _)| step.id.clone());
    let step = open.or(first).ok_or_else(|| {
        Error::not_so(format!("The runbook of {} has no step that watches.", file.incident.name()))
            .hint("Add one of kind \"monitor\" to the phase verify.")
    })?;
    watch::advance(Ground::find(ctx, hands, incident, &step, cancel)?, false)
}
