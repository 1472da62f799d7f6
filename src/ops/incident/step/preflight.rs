//! What of a runbook would fail at night, found on any weekday: everything is looked up, read with the real keys, and
//! what changes files is done on copies.

use jiff::Timestamp;
use serde::Serialize;

use super::ground::Ground;
use super::hands::{Hands, Sandbox};
use super::{Outcome, Planned, carry, command, flag, http, look, rollback};
use crate::domain::incident::{Incident, IncidentEvent, OpenSpec, Pinned, Recorded, Verdict};
use crate::domain::runbook::StepKind;
use crate::domain::{Error, Result, Untrusted};
use crate::ops::{Access, Ctx};
use crate::task::Cancel;

/// What was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CheckView {
    /// The runbook's name.
    pub name: Untrusted,
    /// blake3 of its text, in hex.
    pub hash: String,
    /// The feature that it was checked for.
    pub feature: Option<Untrusted>,
    /// When.
    pub at: Timestamp,
    /// Variables that it names and that are not set.
    pub missing_variables: Vec<Untrusted>,
    /// Its steps.
    pub steps: Vec<CheckedStep>,
    /// How many steps would fail.
    pub fail: usize,
}

impl CheckView {
    /// Each thing that would fail, as a line.
    pub fn would_fail(&self) -> impl Iterator<Item = String> {
        let unset =
            self.missing_variables.iter().map(|name| format!("the variable {} is not set", name.raw()));
        let failing = self.steps.iter().filter(|step| step.state == CheckState::Fails);
        let steps = failing.map(|step| {
            let why: Vec<&str> = step.fails.iter().map(Untrusted::raw).collect();
            format!("{}: {}", step.title.raw(), why.join("; "))
        });
        unset.chain(steps)
    }
}

/// A step.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CheckedStep {
    /// Its id.
    pub step: String,
    /// Its kind.
    pub kind: &'static str,
    /// Its title.
    pub title: Untrusted,
    /// How it would go.
    pub state: CheckState,
    /// What would be done, or what was read.
    pub lines: Vec<Untrusted>,
    /// What would make it fail.
    pub fails: Vec<Untrusted>,
    /// What else is to be known.
    pub notes: Vec<Untrusted>,
}

/// How a step would go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckState {
    /// Nothing stands in its way.
    Ok,
    /// It would fail.
    Fails,
    /// A person does it.
    ByHand,
}

impl CheckState {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Fails => "FAILS",
            Self::ByHand => "by hand",
        }
    }
}

/// Checks a runbook for a feature, the runbook's own where none is named. Acts on copies alone; asks flags how they
/// stand, and addresses whether they would take a request, with the real keys.
///
/// # Errors
/// When no scratch folder can be made.
pub fn check(
    ctx: &Ctx,
    hands: &Hands,
    runbook: Pinned,
    feature: Option<&str>,
    cancel: &Cancel,
) -> Result<CheckView> {
    let feature = feature.map(Untrusted::from).or_else(|| runbook.book.feature.clone());
    let scratch = Scratch::make(ctx, hands)?;
    let incident = rehearsed(ctx, &runbook, feature.clone())?;
    let mut steps = Vec::new();
    for index in 0..runbook.book.steps.len() {
        cancel.check()?;
        let mut ground = Ground::on(ctx, hands, incident.clone(), index, cancel);
        ground.rehearsal = true;
        let (planned, by_hand) = looked(&ground, &scratch)?;
        let step = ground.step();
        let mask = |words: &String| Untrusted::new(ground.plain(words));
        let state = match (planned.fails.is_empty(), by_hand) {
            (false, _) => CheckState::Fails,
            (true, true) => CheckState::ByHand,
            (true, false) => CheckState::Ok,
        };
        steps.push(CheckedStep {
            step: step.id.clone(),
            kind: step.kind.name(),
            title: step.title.clone(),
            state,
            lines: planned.lines.iter().map(mask).collect(),
            fails: planned.fails.iter().map(mask).collect(),
            notes: planned.notes.iter().map(mask).collect(),
        });
    }
    let missing_variables: Vec<Untrusted> =
        runbook.book.secrets.iter().filter(|name| hands.variable(name.raw()).is_none()).cloned().collect();
    let fail = steps.iter().filter(|step| step.state == CheckState::Fails).count() + missing_variables.len();
    Ok(CheckView {
        name: runbook.book.name,
        hash: runbook.hash,
        feature,
        at: ctx.clock.now(),
        missing_variables,
        steps,
        fail,
    })
}

/// A store and copies of the team's files, for acts that change them.
struct Scratch {
    ctx: Ctx,
    sandbox: Sandbox,
    _folder: tempfile::TempDir,
}

impl Scratch {
    fn make(ctx: &Ctx, hands: &Hands) -> Result<Self> {
        let folder =
            tempfile::tempdir().map_err(|e| Error::failed("No folder for copies can be made.").because(e))?;
        let sandbox = Sandbox::make(hands.team(), hands.evals(), &folder.path().join("copies"))?;
        let store = folder.path().join("scratch.db");
        let ctx = Ctx::open(&store, Access::Create, &ctx.reviewer, ctx.clock.clone())?;
        Ok(Self { ctx, sandbox, _folder: folder })
    }
}

/// An incident with this runbook that stands in no store.
fn rehearsed(ctx: &Ctx, runbook: &Pinned, feature: Option<Untrusted>) -> Result<Incident> {
    let event: IncidentEvent = Incident::open(OpenSpec {
        title: "a rehearsal".into(),
        severity: None,
        feature,
        began_at: None,
        runbook: runbook.clone(),
    })?;
    let now = ctx.clock.now();
    let recorded = Recorded {
        seq: 1,
        happened_at: now,
        recorded_at: now,
        actor: ctx.reviewer.as_str().into(),
        event,
        hash: [0; 32],
    };
    Incident::opened("rehearsal", 0, &recorded)
        .ok_or_else(|| Error::failed("An incident can only begin by being opened."))
}

/// What a step would do, and whether a person does it.
fn looked(ground: &Ground<'_>, scratch: &Scratch) -> Result<(Planned, bool)> {
    let mut planned = Planned::default();
    match &ground.step().kind {
        StepKind::Manual | StepKind::Ask { .. } => return Ok((planned, true)),
        StepKind::Check { .. } => {
            if let Some(found) = planned.may_fail(look::check(ground)) {
                planned.lines.push(found.words.into_raw());
                if found.verdict == Verdict::NotEnoughData {
                    planned.notes.push("there is too little now to tell".to_owned());
                }
            }
        }
        StepKind::Gate { .. } => {
            if let Some(found) = planned.may_fail(look::gate(ground)) {
                planned.lines.push(found.words.into_raw());
            }
        }
        StepKind::Monitor { must, .. } => {
            for criterion in must {
                if planned.may_fail(look::subject(&criterion.metric)).is_some() {
                    planned.lines.push(format!("watches {}", criterion.metric.raw()));
                }
            }
        }
        StepKind::Flag { effect, .. } => {
            planned = carry::planned(ground)?;
            if let Some(effect) = effect {
                planned.may_fail(look::subject(&effect.metric));
            }
            rehearse(ground, scratch, &mut planned)?;
        }
        StepKind::Rollback { .. } => {
            planned = carry::planned(ground)?;
            rehearse(ground, scratch, &mut planned)?;
        }
        StepKind::Command { .. } | StepKind::Http { .. } => {
            planned = carry::planned(ground)?;
            rehearse(ground, scratch, &mut planned)?;
            if planned.fails.is_empty() {
                http::probe(ground, &mut planned)?;
            }
        }
    }
    Ok((planned, false))
}

/// Does it on copies.
fn rehearse(ground: &Ground<'_>, scratch: &Scratch, planned: &mut Planned) -> Result<()> {
    if !planned.fails.is_empty() || !planned.changes {
        return Ok(());
    }
    let hands = Hands::from(scratch.sandbox.clone());
    let mut copy = Ground::on(&scratch.ctx, &hands, ground.incident.clone(), ground.index, ground.cancel);
    copy.rehearsal = true;
    let before = scratch.sandbox.acts().len();
    let outcome = match &ground.step().kind {
        StepKind::Flag { .. } => flag::act(&copy)?,
        StepKind::Command { .. } => command::act(&copy)?,
        StepKind::Http { .. } => http::act(&copy, "rehearsal")?,
        _ => rollback::act(&copy, planned.to.as_deref().unwrap_or_default())?,
    };
    match outcome {
        Outcome::Done(_) if scratch.sandbox.acts().len() > before => {}
        Outcome::Done(words) => planned.notes.push(format!("done on a copy: {}", copy.plain(&words))),
        Outcome::Failed(words) | Outcome::Unknown(words) => {
            planned.fails.push(format!("done on a copy: {}", copy.plain(&words)));
        }
    }
    Ok(())
}
