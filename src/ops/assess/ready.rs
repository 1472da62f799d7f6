//! Whether the steps that would stop the harm would act: each read, asked and looked up, and none done.

use serde::Serialize;

use crate::domain::runbook::Phase;
use crate::domain::{Result, Untrusted};
use crate::ops::Ctx;
use crate::ops::incident::step::{ApprovalState, DryRun, Hands, plan};
use crate::ops::incident::{StepView, show};
use crate::task::Cancel;

/// A step that acts, looked at before it is run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ready {
    /// Its id.
    pub step: String,
    /// How it would go.
    pub state: ReadyState,
    /// What stands in the way, or is to be known.
    pub why: Option<Untrusted>,
}

/// How a step would go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadyState {
    /// Nothing stands in its way.
    Ok,
    /// It stands so already: nothing would change.
    AlreadySo,
    /// It was run already.
    Done,
    /// A second person has to agree first.
    Approval,
    /// It would act; how it stands cannot be read.
    Unread,
    /// It would fail.
    Fails,
}

impl Ready {
    /// Whether it can be run as it is.
    pub fn is_ok(&self) -> bool {
        !matches!(self.state, ReadyState::Fails | ReadyState::Unread)
    }

    /// Its state in a word or two.
    pub fn word(&self) -> &'static str {
        match self.state {
            ReadyState::Ok => "ok",
            ReadyState::AlreadySo => "is so",
            ReadyState::Done => "done",
            ReadyState::Approval => "needs two",
            ReadyState::Unread => "unread",
            ReadyState::Fails => "FAILS",
        }
    }
}

/// Looks at every step of Contain and Fix that acts: how its switch stands, whether its keys are set, its command is
/// there. Asks the outside, so that it takes as long as that does; a step that runs a program of the team for its
/// dry run is looked at all the same, as that is what the dry run is for.
///
/// # Errors
/// `NotSo` when there is no such incident; `Cancelled`.
pub fn preflight(ctx: &Ctx, hands: &Hands, incident: &str, cancel: &Cancel) -> Result<Vec<Ready>> {
    let view = show(ctx, incident)?;
    let phases = view.phases.iter().filter(|phase| matches!(phase.phase, Phase::Contain | Phase::Fix));
    let mut all = Vec::new();
    for step in phases.flat_map(|phase| &phase.steps).filter(|step| step.acts) {
        cancel.check()?;
        all.push(match step.state.is_settled() {
            true => Ready { step: step.id.clone(), state: ReadyState::Done, why: None },
            false => looked(step, plan(ctx, hands, incident, &step.id, cancel)?),
        });
    }
    Ok(all)
}

fn looked(step: &StepView, plan: DryRun) -> Ready {
    let agreed = matches!(plan.approval.state, ApprovalState::NotNeeded | ApprovalState::Given);
    let unread = plan.notes.iter().find(|note| note.raw().contains("cannot be read"));
    let (state, why) = match (plan.fails.first(), unread) {
        (Some(why), _) => (ReadyState::Fails, Some(why.clone())),
        (None, Some(why)) => (ReadyState::Unread, Some(why.clone())),
        (None, None) if !agreed => (ReadyState::Approval, None),
        (None, None) if !plan.changes && plan.from.is_some() => (ReadyState::AlreadySo, None),
        (None, None) => (ReadyState::Ok, None),
    };
    Ready { step: step.id.clone(), state, why }
}
