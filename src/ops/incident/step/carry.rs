//! Carrying a step out: written down before, done once, written down after. What may have been done is never done
//! again by itself.

use super::ground::Ground;
use super::hands::Hands;
use super::lease::Lease;
use super::{Ended, Outcome, Planned, RunAsk, command, flag, http, rollback};
use crate::domain::incident::{Act, ActPlan, ActStage, ActState, Acting, Agreement};
use crate::domain::runbook::StepKind;
use crate::domain::{Error, Result, Untrusted};
use crate::ops::Ctx;
use crate::ops::incident::act as record;
use crate::ops::label::reviewer;
use crate::task::Cancel;

/// What the step would do.
pub(super) fn planned(ground: &Ground<'_>) -> Result<Planned> {
    match &ground.step().kind {
        StepKind::Command { .. } => command::plan(ground),
        StepKind::Http { .. } => http::plan(ground),
        StepKind::Flag { .. } => flag::plan(ground),
        StepKind::Rollback { .. } => rollback::plan(ground, begun_towards(ground).as_deref()),
        _ => Ok(Planned::default()),
    }
}

/// The version that an act leads to whose end is not written down.
fn begun_towards(ground: &Ground<'_>) -> Option<String> {
    let act = ground.incident.steps[ground.index].acts.act.as_ref()?;
    let open = matches!(act.stage, ActStage::Begun | ActStage::Unknown);
    act.plan.to.as_ref().filter(|_| open).map(|to| to.raw().to_owned())
}

/// Carries it out.
pub(super) fn carry_out(
    ctx: &Ctx,
    hands: &Hands,
    incident: &str,
    step: &str,
    ask: &RunAsk,
    cancel: &Cancel,
) -> Result<Ended> {
    let ground = Ground::find(ctx, hands, incident, step, cancel)?;
    let actor: Untrusted = reviewer(ctx)?.into();
    // Held to the end: of two who press at once the second finds it done.
    let _lease = Lease::take(&ground, ask.take)?;
    let ground = Ground::find(ctx, hands, incident, step, cancel)?;
    let mut again = ask.again;
    let open = ground.incident.steps[ground.index].acts.act.clone();
    if let Some(act) = open.filter(|_| !ground.incident.steps[ground.index].state.is_settled()) {
        match found_out(&ground, &act)? {
            Decided::Ended(outcome @ Outcome::Done(_)) => return ended(&ground, &act.id, act.plan, outcome),
            // It did not take: it may be done now.
            Decided::Ended(_) => {}
            Decided::GoOn => again = true,
            Decided::Open => {}
        }
    }
    let ground = Ground::find(ctx, hands, incident, step, cancel)?;
    let planned = planned(&ground)?;
    planned.check(&ground)?;
    let plan = planned.for_record(&ground);
    let name = ground.incident.name();
    let id = ground.step().id.clone();
    let act = |acting: Acting| record(ctx, &name, Act::Acting(acting), None);
    if let Some(reason) = &ask.break_glass {
        act(Acting::BreakGlass { step: id.clone(), reason: reason.as_str().into() })?;
    }
    let ground = Ground::find(ctx, hands, incident, step, cancel)?;
    if let Agreement::Wanted(_) = ground.incident.agreement(ground.index, &actor, ground.now()) {
        let asked = &ground.incident.steps[ground.index].acts.asked;
        if asked.as_ref().is_none_or(|(_, by)| *by != actor) {
            act(Acting::AskApproval { step: id.clone(), plan: plan.clone() })?;
        }
        return Ok(Ended { plan, outcome: None });
    }
    let begun = ctx.store.new_switch(ctx.clock.now());
    let again = again && ground.step().kind.is_idempotent();
    act(Acting::Begin { step: id, act: begun.clone(), plan: plan.clone(), again })?;
    let outcome = match &ground.step().kind {
        StepKind::Command { .. } => command::act(&ground),
        StepKind::Http { .. } => http::act(&ground, &begun),
        StepKind::Flag { .. } => flag::act(&ground),
        _ => rollback::act(&ground, planned.to.as_deref().unwrap_or_default()),
    };
    // An error of ours comes before anything was done.
    let outcome = outcome.unwrap_or_else(|error| Outcome::Failed(error.what));
    ended(&ground, &begun, plan, outcome)
}

/// Writes down how an act ended.
fn ended(ground: &Ground<'_>, act: &str, plan: ActPlan, outcome: Outcome) -> Result<Ended> {
    let (step, id) = (ground.step().id.clone(), act.to_owned());
    let said = |words: &str| Some(Untrusted::new(ground.plain(words)));
    let effect = matches!(&ground.step().kind, StepKind::Flag { effect: Some(_), .. });
    let acting = match &outcome {
        Outcome::Done(words) => Acting::End { step, act: id, done: true, said: said(words), effect },
        Outcome::Failed(words) => Acting::End { step, act: id, done: false, said: said(words), effect },
        Outcome::Unknown(words) => Acting::Lose { step, act: id, why: ground.plain(words).into() },
    };
    record(ground.ctx, &ground.incident.name(), Act::Acting(acting), None)?;
    Ok(Ended { plan, outcome: Some(outcome) })
}

/// What is known of an act that was not ended.
enum Decided {
    /// It is known how it ended.
    Ended(Outcome),
    /// It is brought to its end by doing it again.
    GoOn,
    /// A person decides, or nothing is open.
    Open,
}

/// Finds out what came of an act that was begun by a program which is no more. Whoever calls holds the lease.
fn found_out(ground: &Ground<'_>, act: &ActState) -> Result<Decided> {
    if !matches!(act.stage, ActStage::Begun | ActStage::Unknown) {
        return Ok(Decided::Open);
    }
    let step = ground.step().id.clone();
    let write = |acting: Acting| record(ground.ctx, &ground.incident.name(), Act::Acting(acting), None);
    if act.stage == ActStage::Begun {
        let why = "the program ended before it was known".into();
        write(Acting::Lose { step: step.clone(), act: act.id.clone(), why })?;
    }
    let decided = match &ground.step().kind {
        StepKind::Flag { .. } => flag::decide(ground)?.map_or(Decided::Open, Decided::Ended),
        StepKind::Rollback { .. } => {
            let to = act.plan.to.as_ref().map(Untrusted::raw).unwrap_or_default();
            rollback::decide(ground, to)?.map_or(Decided::GoOn, Decided::Ended)
        }
        _ => Decided::Open,
    };
    if let Decided::Ended(Outcome::Failed(words)) = &decided {
        let said = Some(words.as_str().into());
        write(Acting::End { step, act: act.id.clone(), done: false, said, effect: false })?;
    }
    Ok(decided)
}

/// Finds out what came of an act whose outcome is not known, where that can be read, without acting.
///
/// # Errors
/// `NotSo` while somebody carries it out, and where only a person can tell.
pub(super) fn recheck(ground: &Ground<'_>) -> Result<Option<Ended>> {
    let Some(act) = ground.incident.steps[ground.index].acts.act.clone() else { return Ok(None) };
    if !matches!(act.stage, ActStage::Begun | ActStage::Unknown) {
        return Ok(None);
    }
    let _lease = Lease::take(ground, false)?;
    match found_out(ground, &act)? {
        Decided::Ended(outcome @ Outcome::Failed(_)) => {
            Ok(Some(Ended { plan: act.plan, outcome: Some(outcome) }))
        }
        Decided::Ended(outcome) => ended(ground, &act.id, act.plan, outcome).map(Some),
        Decided::GoOn | Decided::Open => Ok(Some(Ended {
            outcome: Some(Outcome::Unknown(
                act.said
                    .map_or_else(|| "the program ended before it was known".to_owned(), Untrusted::into_raw),
            )),
            plan: act.plan,
        })),
    }
}

impl Planned {
    /// What goes into the record.
    fn for_record(&self, ground: &Ground<'_>) -> ActPlan {
        let text = |words: &String| Untrusted::new(ground.plain(words));
        ActPlan {
            lines: self.lines.iter().map(text).collect(),
            from: self.from.as_ref().map(text),
            to: self.to.as_ref().map(text),
        }
    }

    /// An error where something would fail.
    fn check(&self, ground: &Ground<'_>) -> Result<()> {
        if self.fails.is_empty() {
            return Ok(());
        }
        let (step, title) = (&ground.step().id, ground.step().title.raw());
        let mut error = Error::not_so(format!("“{title}” would fail: {}.", self.fails.join("; ")));
        for hint in &self.hints {
            error = error.hint(hint);
        }
        let name = ground.incident.name();
        Err(error
            .hint("Nothing was done. `tuesday runbook check` finds such things on any weekday.")
            .hint(format!("By hand: do it, then tuesday incident step {name} {step} done --note TEXT")))
    }
}
