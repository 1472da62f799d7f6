//! Steps that act: what one would do, doing it, and what came of it.
//!
//! [`plan`] says what a step would do and what would fail, without doing it; [`run`] carries it out: looks, acts,
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
pub mod preflight;
mod rollback;
#[cfg(test)]
mod tests;
mod watch;

use serde::Serialize;

use self::ground::Ground;
use crate::domain::incident::{Act, ActPlan, ActStage, Acting, Agreement, Found, Verdict};
use crate::domain::runbook::{Confirm, Phase, StepKind, would};
use crate::domain::{Error, Result, Untrusted};
use crate::ops::Ctx;
use crate::ops::label::reviewer;
use crate::store::IncidentRef;
use crate::task::Cancel;

pub use effect::{EffectState, EffectView};
pub use hands::{Hands, Real, Sandbox};
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

/// What a step would do.
#[derive(Debug, Clone, Default, PartialEq)]
struct Planned {
    lines: Vec<String>,
    from: Option<String>,
    to: Option<String>,
    changes: bool,
    fails: Vec<String>,
    hints: Vec<String>,
    notes: Vec<String>,
    undo: Option<String>,
}

impl Planned {
    /// The value; an error becomes something that would fail.
    fn may_fail<T>(&mut self, result: Result<T>) -> Option<T> {
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

/// What a step would do, what would fail, and what it takes to let it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DryRun {
    /// `INC-7`.
    pub incident: String,
    /// The step's id.
    pub step: String,
    /// Its kind.
    pub kind: &'static str,
    /// Its title.
    pub title: Untrusted,
    /// Whether it changes something outside.
    pub acts: bool,
    /// What it does in general, in a sentence.
    pub would: Option<Untrusted>,
    /// What exactly would be done, a line a step. Keys are named, not shown.
    pub lines: Vec<Untrusted>,
    /// How it stands: `on`, `v4`.
    pub from: Option<Untrusted>,
    /// What it becomes.
    pub to: Option<Untrusted>,
    /// Whether anything changes.
    pub changes: bool,
    /// What would make it fail.
    pub fails: Vec<Untrusted>,
    /// What else is to be known.
    pub notes: Vec<Untrusted>,
    /// What takes it back.
    pub undo: Option<Untrusted>,
    /// How the person at the keyboard confirms it.
    pub confirm: Confirm,
    /// What they type, where it is confirmed by typing.
    pub type_this: Option<Untrusted>,
    /// Whether another person has to agree.
    pub approval: ApprovalView,
    /// What is known of an act that was begun before, where that is not settled.
    pub unsettled: Option<UnsettledView>,
    /// Whether doing it twice does no harm.
    pub idempotent: bool,
    /// Whether it would be done on copies.
    pub sandbox: bool,
}

/// Another person's agreement.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ApprovalView {
    /// Where it stands.
    pub state: ApprovalState,
    /// Who has to agree: `other`, a name; or who did.
    pub by: Option<Untrusted>,
    /// Since when it is waited for, and who asked.
    pub asked: Option<(jiff::Timestamp, Untrusted)>,
    /// Until when it is waited for; from then on one may act alone where that is allowed.
    pub until: Option<jiff::Timestamp>,
    /// Whether one person may act alone, and says why.
    pub break_glass: bool,
}

/// Where an agreement stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalState {
    /// Nobody has to agree.
    NotNeeded,
    /// Somebody has to, and was not asked.
    Wanted,
    /// Somebody was asked.
    Waiting,
    /// It was waited for in vain.
    Lapsed,
    /// Somebody agreed.
    Given,
}

/// An act that was begun and whose outcome is not known.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UnsettledView {
    /// Who began it.
    pub by: Untrusted,
    /// When.
    pub at: jiff::Timestamp,
    /// What it does.
    pub lines: Vec<Untrusted>,
    /// Whether somebody carries it out at this moment: then its outcome is still to come.
    pub runs: bool,
    /// Why its outcome is not known.
    pub why: Untrusted,
}

/// What came of running a step.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ran {
    /// `INC-7`.
    pub incident: String,
    /// The step's id.
    pub step: String,
    /// Its kind.
    pub kind: &'static str,
    /// Its title.
    pub title: Untrusted,
    /// What came of it.
    pub state: RanState,
    /// What was done, a line a step.
    pub lines: Vec<Untrusted>,
    /// How it stood before.
    pub from: Option<Untrusted>,
    /// What it became.
    pub to: Option<Untrusted>,
    /// What was seen or said.
    pub said: Option<Untrusted>,
    /// What a check found.
    pub found: Option<Found>,
    /// How a watch stands.
    pub watch: Option<WatchView>,
    /// Whether the traces show it.
    pub effect: Option<EffectView>,
    /// What takes it back.
    pub undo: Option<Untrusted>,
    /// Whether the step is done.
    pub settled: bool,
    /// What to do next, each a command.
    pub next: Vec<String>,
}

/// What came of running a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RanState {
    /// It was done.
    Done,
    /// It was not done.
    Failed,
    /// It may have been done.
    Unknown,
    /// It waits for another person.
    WaitingForApproval,
    /// It was looked at, and is as it must be.
    Ok,
    /// It was looked at, and is not.
    Breach,
    /// There is too little to tell.
    NotEnoughData,
    /// It was looked at; there is no limit.
    Shown,
    /// It is watched.
    Watching,
    /// This stage of a watch was held.
    StageHeld,
}

impl RanState {
    /// Its words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "did not take",
            Self::Unknown => "NOT KNOWN",
            Self::WaitingForApproval => "waits for a second person",
            Self::Ok => "ok",
            Self::Breach => "breach",
            Self::NotEnoughData => "not enough data",
            Self::Shown => "shown",
            Self::Watching => "watched",
            Self::StageHeld => "stage held",
        }
    }

    /// The exit code of the command: 0 where it went well.
    pub fn exit_code(self) -> u8 {
        u8::from(!matches!(self, Self::Done | Self::Ok | Self::Shown | Self::Watching | Self::StageHeld))
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
/// `NotSo` when it is the same text, or an act is not settled; when the file cannot be read.
pub fn rebase(ctx: &Ctx, incident: &str, file: &std::path::Path) -> Result<super::IncidentView> {
    let runbook = crate::wire::read::runbook::runbook_file(file)?;
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
    super::act(ground.ctx, &ground.incident.name(), Act::Acting(act), None)?;
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
        super::act(ctx, incident, Act::Acting(act), None)?;
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
