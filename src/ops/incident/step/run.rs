//! Running a step: it looks, acts or watches, and says what came of it.

use super::ground::Ground;
use super::hands::Hands;
use super::view::{Ran, RanState};
use super::watch::WatchState;
use super::{EffectState, Ended, Outcome, RunAsk, carry, effect, look, watch};
use crate::domain::incident::{Act, ActStage, Acting, Found, Verdict};
use crate::domain::runbook::StepKind;
use crate::domain::{Error, Result, Untrusted};
use crate::ops::Ctx;
use crate::ops::incident::act as record;
use crate::task::Cancel;

/// Carries a step of an incident out: a check looks, an acting step acts once. What a person must confirm, the face
/// has asked for before.
///
/// # Errors
/// `NotSo` when the step is settled, would fail, is carried out by somebody else, or is for a person to do.
pub fn run(
    ctx: &Ctx,
    hands: &Hands,
    incident: &str,
    step: &str,
    ask: &RunAsk,
    cancel: &Cancel,
) -> Result<Ran> {
    let ground = Ground::find(ctx, hands, incident, step, cancel)?;
    let kind = &ground.step().kind;
    match kind {
        StepKind::Manual | StepKind::Ask { .. } => {
            let (name, step) = (ground.incident.name(), ground.step());
            let what = if kind.name() == "ask" { "ANSWER" } else { "TEXT" };
            Err(Error::not_so(format!("“{}” is done by a person.", step.title.raw()))
                .hint(format!("Sign it: tuesday incident step {name} {} done --note {what}", step.id)))
        }
        StepKind::Check { .. } => looked(&ground, look::check(&ground)?),
        StepKind::Gate { .. } => looked(&ground, look::gate(&ground)?),
        StepKind::Monitor { .. } => watched(ground),
        _ => {
            let ended = carry::carry_out(ctx, hands, incident, step, ask, cancel)?;
            // One that was stopped is told of too.
            let whole = Cancel::default();
            let cancel = if cancel.is_cancelled() { &whole } else { cancel };
            told(ctx, hands, incident, step, ended, cancel)
        }
    }
}

/// Looks again at what came of an act: at the flag or folder where its outcome is not known, and at the traces for
/// its effect, which is written down when they show it.
///
/// # Errors
/// `NotSo` when the step has not acted, or somebody carries it out now.
pub fn recheck(ctx: &Ctx, hands: &Hands, incident: &str, step: &str, cancel: &Cancel) -> Result<Ran> {
    let ground = Ground::find(ctx, hands, incident, step, cancel)?;
    let Some(act) = &ground.incident.steps[ground.index].acts.act else {
        let (name, step) = (ground.incident.name(), ground.step());
        return Err(Error::not_so(format!("“{}” has not acted yet.", step.title.raw()))
            .hint(format!("Run it: tuesday incident step {name} {}", step.id)));
    };
    let outcome = match act.stage {
        ActStage::Failed => Outcome::Failed(act.said.clone().map(Untrusted::into_raw).unwrap_or_default()),
        _ => Outcome::Done(act.said.clone().map(Untrusted::into_raw).unwrap_or_default()),
    };
    let plan = act.plan.clone();
    let ended = carry::recheck(&ground)?.unwrap_or(Ended { plan, outcome: Some(outcome) });
    told(ctx, hands, incident, step, ended, cancel)
}

fn watched(ground: Ground<'_>) -> Result<Ran> {
    let mut ran = empty(&ground, RanState::Watching);
    let view = watch::advance(ground, true)?;
    ran.state = match view.state {
        WatchState::Watching => RanState::Watching,
        WatchState::StageHeld => RanState::StageHeld,
        WatchState::Held => RanState::Done,
    };
    ran.settled = view.state == WatchState::Held;
    ran.next.clone_from(&view.next);
    ran.watch = Some(view);
    Ok(ran)
}

fn looked(ground: &Ground<'_>, found: Found) -> Result<Ran> {
    let step = ground.step().id.clone();
    let act = Acting::Check { step: step.clone(), found: found.clone() };
    record(ground.ctx, &ground.incident.name(), Act::Acting(act), None)?;
    let state = match found.verdict {
        Verdict::Ok => RanState::Ok,
        Verdict::Breach => RanState::Breach,
        Verdict::NotEnoughData => RanState::NotEnoughData,
        Verdict::Shown => RanState::Shown,
    };
    let mut ran = empty(ground, state);
    ran.settled = found.verdict == Verdict::Ok;
    if !ran.settled {
        ran.next.push(format!("tuesday incident step {} {step} done --note TEXT", ran.incident));
    }
    ran.said = Some(found.words.clone());
    ran.found = Some(found);
    Ok(ran)
}

/// What came of an act, with its effect; writes the effect down once the traces show it.
fn told(ctx: &Ctx, hands: &Hands, incident: &str, step: &str, ended: Ended, cancel: &Cancel) -> Result<Ran> {
    let ground = Ground::find(ctx, hands, incident, step, cancel)?;
    let state = match &ended.outcome {
        None => RanState::WaitingForApproval,
        Some(Outcome::Done(_)) => RanState::Done,
        Some(Outcome::Failed(_)) => RanState::Failed,
        Some(Outcome::Unknown(_)) => RanState::Unknown,
    };
    let mut ran = empty(&ground, state);
    ran.said = ended.outcome.map(|outcome| match outcome {
        Outcome::Done(words) | Outcome::Failed(words) | Outcome::Unknown(words) => {
            Untrusted::new(ground.plain(&words))
        }
    });
    (ran.from, ran.to) = (ended.plan.from, ended.plan.to);
    ran.lines = ended.plan.lines;
    if state == RanState::Done {
        ran.undo = undo(&ground, ran.from.as_ref());
    }
    ran.effect = effect::look(&ground)?;
    let mut settled = ground.incident.steps[ground.index].state.is_settled();
    if let Some(effect) = &ran.effect
        && effect.state == EffectState::Confirmed
        && !settled
    {
        let act = Acting::Confirm { step: ran.step.clone(), words: effect.words.as_str().into() };
        record(ctx, incident, Act::Acting(act), None)?;
        settled = true;
    }
    ran.settled = settled;
    let (name, id) = (&ran.incident, &ran.step);
    ran.next = match state {
        RanState::WaitingForApproval => {
            let mut next = vec![format!("tuesday incident step {name} {id} --approve")];
            if ground.step().guard.approve.as_ref().is_some_and(|rule| rule.break_glass) {
                next.push(format!("tuesday incident step {name} {id} --break-glass REASON"));
            }
            next
        }
        RanState::Unknown => {
            let mut next = vec![
                format!("tuesday incident step {name} {id} done --note TEXT"),
                format!("tuesday incident step {name} {id} --recheck"),
            ];
            if ground.step().kind.is_idempotent() {
                next.push(format!("tuesday incident step {name} {id} --again"));
            }
            next
        }
        RanState::Done if !settled => vec![
            format!("tuesday incident step {name} {id} --recheck"),
            format!("tuesday incident step {name} {id} done --note unconfirmed"),
        ],
        _ => Vec::new(),
    };
    Ok(ran)
}

fn undo(ground: &Ground<'_>, from: Option<&Untrusted>) -> Option<Untrusted> {
    match &ground.step().kind {
        StepKind::Flag { flag, to, undo, .. } => {
            let feature = flag.as_ref().map(Untrusted::raw).or_else(|| ground.wanted_feature().ok())?;
            let back = if to.raw() == "off" { "on" } else { "off" };
            let back = undo.as_ref().map_or(back, Untrusted::raw);
            Some(format!("tuesday feature {back} {feature}").into())
        }
        StepKind::Rollback { prompt, .. } => {
            let home = ground.prompt(prompt.as_ref()).ok()?;
            from.map(|from| format!("tuesday prompt use {} {}", home.name, from.raw()).into())
        }
        _ => None,
    }
}

fn empty(ground: &Ground<'_>, state: RanState) -> Ran {
    let step = ground.step();
    Ran {
        incident: ground.incident.name(),
        step: step.id.clone(),
        kind: step.kind.name(),
        title: step.title.clone(),
        state,
        lines: Vec::new(),
        from: None,
        to: None,
        said: None,
        found: None,
        watch: None,
        effect: None,
        undo: None,
        settled: false,
        next: Vec::new(),
    }
}
