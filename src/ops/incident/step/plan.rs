//! What a step would do, what would fail, and what it takes to let it.

use super::ground::Ground;
use super::hands::Hands;
use super::view::{ApprovalState, ApprovalView, DryRun, UnsettledView};
use super::{carry, look};
use crate::domain::incident::{ActStage, Agreement};
use crate::domain::runbook::{Confirm, StepKind, would};
use crate::domain::{Result, Untrusted};
use crate::ops::Ctx;
use crate::ops::label::reviewer;
use crate::task::Cancel;

/// What a step would do.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Planned {
    pub lines: Vec<String>,
    pub from: Option<String>,
    pub to: Option<String>,
    pub changes: bool,
    pub fails: Vec<String>,
    pub hints: Vec<String>,
    pub notes: Vec<String>,
    pub undo: Option<String>,
}

impl Planned {
    /// The value; an error becomes something that would fail.
    pub fn may_fail<T>(&mut self, result: Result<T>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                let why = error.why.map(|why| format!(" ({why})")).unwrap_or_default();
                self.fails.push(format!("{}{why}", error.what.trim_end_matches('.')));
                self.hints.extend(error.hints);
                None
            }
        }
    }
}

/// Says what a step of an incident would do. Reads; changes nothing, but lets a command's own dry run run.
///
/// # Errors
/// `NotSo` when there is no such incident or step.
pub fn plan(ctx: &Ctx, hands: &Hands, incident: &str, step: &str, cancel: &Cancel) -> Result<DryRun> {
    let ground = Ground::find(ctx, hands, incident, step, cancel)?;
    let planned = match &ground.step().kind {
        StepKind::Check { metric, .. } => {
            let mut planned = Planned::default();
            planned.may_fail(look::subject(metric));
            planned
        }
        _ => carry::planned(&ground)?,
    };
    let (step, acts) = (ground.step(), &ground.incident.steps[ground.index].acts);
    let mask = |words: &String| Untrusted::new(ground.plain(words));
    let confirm = if step.kind.acts() { step.guard.confirm } else { Confirm::None };
    let type_this = (confirm == Confirm::Type)
        .then(|| ground.wanted_feature().map_or_else(|_| ground.incident.name().into(), Untrusted::from));
    let unsettled = acts
        .act
        .as_ref()
        .filter(|_| !ground.incident.steps[ground.index].state.is_settled())
        .filter(|act| matches!(act.stage, ActStage::Begun | ActStage::Unknown));
    let unsettled = match unsettled {
        None => None,
        Some(act) => Some(UnsettledView {
            by: act.by.clone(),
            at: act.begun_at,
            lines: act.plan.lines.clone(),
            runs: act.stage == ActStage::Begun
                && ctx.store.act_lease(&ground.incident.uuid, ground.now())?.is_some(),
            why: act.said.clone().unwrap_or_else(|| "the program ended before it was known".into()),
        }),
    };
    Ok(DryRun {
        incident: ground.incident.name(),
        step: step.id.clone(),
        kind: step.kind.name(),
        title: step.title.clone(),
        acts: step.kind.acts(),
        would: would(step),
        lines: planned.lines.iter().map(mask).collect(),
        from: planned.from.as_ref().map(mask),
        to: planned.to.as_ref().map(mask),
        changes: planned.changes,
        fails: planned.fails.iter().map(mask).collect(),
        notes: planned.notes.iter().map(mask).collect(),
        undo: planned.undo.as_ref().map(mask),
        confirm,
        type_this,
        approval: approval(&ground)?,
        unsettled,
        idempotent: step.kind.is_idempotent(),
        sandbox: hands.is_sandbox(),
    })
}

fn approval(ground: &Ground<'_>) -> Result<ApprovalView> {
    let actor: Untrusted = reviewer(ground.ctx)?.into();
    let acts = &ground.incident.steps[ground.index].acts;
    let (now, asked) = (ground.now(), acts.asked.clone());
    Ok(match ground.incident.agreement(ground.index, &actor, now) {
        Agreement::NotNeeded => ApprovalView {
            state: ApprovalState::NotNeeded,
            by: None,
            asked: None,
            until: None,
            break_glass: false,
        },
        Agreement::Given(by) => {
            ApprovalView { state: ApprovalState::Given, by: Some(by), asked, until: None, break_glass: false }
        }
        Agreement::Wanted(rule) => {
            let until = asked.as_ref().zip(rule.within_ms).and_then(|((at, _), within)| {
                let within = jiff::SignedDuration::from_millis(i64::try_from(within).unwrap_or(i64::MAX));
                at.saturating_add(within).ok()
            });
            let state = match (&asked, until) {
                (None, _) => ApprovalState::Wanted,
                (Some(_), Some(until)) if until < now => ApprovalState::Lapsed,
                (Some(_), _) => ApprovalState::Waiting,
            };
            ApprovalView { state, by: Some(rule.by), asked, until, break_glass: rule.break_glass }
        }
    })
}
