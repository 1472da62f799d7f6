//! An incident as a face shows it: header facts, phases with their steps, timeline, evidence.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::head::IncidentHead;
use super::header::Standing;
use super::links::query_of;
use crate::domain::incident::{
    ActStage, ActState, Action, Evidence, Figures, Found, Incident, Missing, StepState, StepStatus, Times,
    TraceExcerpt, Update,
};
use crate::domain::runbook::{Figure, Phase, Section, Severity, Step, StepKind, would};
use crate::domain::{Result, Untrusted};
use crate::ops::Ctx;
use crate::store::{IncidentFile, IncidentRef};

/// All that is shown of an incident.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct IncidentView {
    /// Its facts.
    #[serde(flatten)]
    pub head: IncidentHead,
    /// 7.
    pub number: i64,
    /// 1 to 6.
    pub phase_number: usize,
    /// When the harm began, once known.
    pub began_at: Option<Timestamp>,
    /// What was said on closing.
    pub closing_note: Option<Untrusted>,
    /// The time that durations reach to.
    pub as_of: Timestamp,
    /// Who keeps the record, when the next update is due, whether it is a drill.
    #[serde(flatten)]
    pub standing: Standing,
    /// What those who wait were told, oldest first.
    pub updates: Vec<Update>,
    /// How long things took.
    pub times: Times,
    /// All six phases.
    pub phases: Vec<PhaseView>,
    /// What happened, oldest first.
    pub timeline: Vec<LineView>,
    /// Traces attached as evidence.
    pub evidence: Vec<TraceExcerpt>,
    /// Queries attached as evidence.
    pub queries: Vec<Untrusted>,
    /// The newest figures attached.
    pub figures: Option<Figures>,
    /// The severity that the runbook's rules propose for those figures.
    pub suggested_severity: Option<Severity>,
    /// Parts of the post-mortem written so far.
    pub sections: BTreeMap<Section, Untrusted>,
    /// What is to be done.
    pub actions: Vec<Action>,
    /// What is still missing before the story is told.
    pub missing: Vec<Missing>,
    /// The runbook it was opened with.
    pub runbook: RunbookView,
    /// Whether the record is whole.
    pub record: RecordView,
}

/// The runbook that an incident was opened with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunbookView {
    /// Its name.
    pub name: Untrusted,
    /// blake3 of its text, in hex.
    pub hash: String,
}

/// The state of the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecordView {
    /// Events in it.
    pub events: usize,
    /// Whether every event's hash fits.
    pub whole: bool,
    /// The first event that does not fit.
    pub broken_at: Option<u64>,
}

/// A phase and its steps.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PhaseView {
    /// Which.
    pub phase: Phase,
    /// Its name for people.
    pub title: &'static str,
    /// The question it answers.
    pub question: &'static str,
    /// Where it stands.
    pub state: PhaseState,
    /// When it was entered last.
    pub entered_at: Option<Timestamp>,
    /// Since when it is settled.
    pub settled_at: Option<Timestamp>,
    /// How long it is meant to take: the longest time of its open steps, in milliseconds.
    pub box_ms: Option<u64>,
    /// Whether the incident has been in it for longer: time to go on.
    pub over_box: bool,
    /// Its steps.
    pub steps: Vec<StepView>,
}

/// Where a phase stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PhaseState {
    /// The incident is in it.
    Now,
    /// Every step is done or skipped.
    Done,
    /// Left behind with steps open.
    Left,
    /// Still to come.
    Todo,
}

/// A step.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StepView {
    /// From 1, over the whole runbook.
    pub number: usize,
    /// Its id.
    pub id: String,
    /// `manual`, `check`, …
    pub kind: &'static str,
    /// Whether it would change something outside, and is therefore signed by hand.
    pub acts: bool,
    /// One line.
    pub title: Untrusted,
    /// What to do, in Markdown.
    pub say: Option<Untrusted>,
    /// What it would do or asks.
    pub would: Option<Untrusted>,
    /// The answers offered.
    pub choices: Vec<Untrusted>,
    /// Figures shown beside it.
    pub show: Vec<Figure>,
    /// The part of the post-mortem that its note becomes.
    pub fills: Option<Section>,
    /// Where it stands.
    pub state: StepStatus,
    /// Who has it.
    pub owner: Option<Untrusted>,
    /// What was said of it.
    pub note: Option<Untrusted>,
    /// When the work on it began.
    pub started_at: Option<Timestamp>,
    /// When it was settled.
    pub ended_at: Option<Timestamp>,
    /// Who settled it.
    pub ended_by: Option<Untrusted>,
    /// Time it took, or has taken so far, in milliseconds.
    pub taken_ms: u64,
    /// How long it may take, in milliseconds.
    pub box_ms: Option<u64>,
    /// Whether it has taken longer than that.
    pub over_box: bool,
    /// Its last act.
    pub acting: Option<ActingView>,
    /// What its last check found.
    pub found: Option<Found>,
    /// When that was.
    pub found_at: Option<Timestamp>,
    /// Who asked a second person to agree to its act, and has no answer yet.
    pub waits_for_approval: Option<Untrusted>,
    /// Since when its watch is clean, while it watches.
    pub clean_from: Option<Timestamp>,
}

/// An act of a step.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ActingView {
    /// How far it is.
    pub state: ActingState,
    /// Who acts.
    pub by: Untrusted,
    /// When it began.
    pub at: Timestamp,
    /// What it does, a line a step.
    pub lines: Vec<Untrusted>,
    /// How it stood before.
    pub from: Option<Untrusted>,
    /// What it becomes.
    pub to: Option<Untrusted>,
    /// What was seen or said.
    pub said: Option<Untrusted>,
    /// Whether its effect is in the traces: `none` is waited for, `waiting`, `confirmed`, `unconfirmed`.
    pub effect: &'static str,
    /// The effect in words, once it is known.
    pub effect_words: Option<Untrusted>,
}

/// How far an act is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ActingState {
    /// Somebody carries it out now.
    Running,
    /// It was done.
    Done,
    /// It was not done.
    Failed,
    /// It may have been done.
    Unknown,
}

/// A line of the timeline.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LineView {
    /// Its place in the record.
    pub seq: u64,
    /// When it happened.
    pub at: Timestamp,
    /// When it was written down.
    pub recorded_at: Timestamp,
    /// Who wrote it.
    pub actor: Untrusted,
    /// The step it is about.
    pub step: Option<String>,
    /// What happened.
    pub text: Untrusted,
    /// The query that shows it, where traces do.
    pub query: Option<Untrusted>,
    /// Whether nobody who reads it may miss it.
    #[serde(skip)]
    pub stands_out: bool,
}

/// One incident, named `INC-7`, `7` or by its UUID.
pub fn show(ctx: &Ctx, name: &str) -> Result<IncidentView> {
    let file = ctx.store.incident(&IncidentRef::parse(name)?)?;
    let now = ctx.clock.now();
    let runs = ctx.store.act_lease(&file.incident.uuid, now)?.is_some();
    Ok(view(&file, (runs, ctx.is_drill()), now))
}

/// `runs`: somebody carries a step out at this moment; `drill`: it is only rehearsed.
pub(super) fn view(file: &IncidentFile, (runs, drill): (bool, bool), now: Timestamp) -> IncidentView {
    let incident = &file.incident;
    let book = &incident.runbook.book;
    IncidentView {
        head: IncidentHead::from(incident),
        number: incident.number,
        phase_number: incident.phase.number(),
        began_at: incident.began_at,
        closing_note: incident.closed.as_ref().and_then(|closing| closing.note.clone()),
        as_of: now,
        standing: Standing::of(incident, drill),
        updates: incident.updates.clone(),
        times: incident.times(now),
        phases: Phase::ALL.into_iter().map(|phase| phase_view(incident, phase, runs, now)).collect(),
        timeline: file
            .record
            .iter()
            .map(|recorded| LineView {
                seq: recorded.seq,
                at: recorded.happened_at,
                recorded_at: recorded.recorded_at,
                actor: recorded.actor.clone(),
                step: recorded.event.step().map(str::to_owned),
                text: recorded.event.words(book),
                query: query_of(incident, recorded),
                stands_out: recorded.event.stands_out(),
            })
            .collect(),
        evidence: incident.traces().into_iter().cloned().collect(),
        queries: incident
            .evidence
            .iter()
            .filter_map(|exhibit| match &exhibit.evidence {
                Evidence::Query { query } => Some(query.clone()),
                _ => None,
            })
            .collect(),
        figures: incident.figures().cloned(),
        suggested_severity: incident.figures().and_then(|taken| book.suggest(|name| taken.figure(name))),
        sections: Section::ALL
            .into_iter()
            .filter_map(|section| Some((section, incident.section(section)?)))
            .collect(),
        actions: incident.actions.clone(),
        missing: incident.missing(),
        runbook: RunbookView { name: book.name.clone(), hash: incident.runbook.hash.clone() },
        record: RecordView {
            events: file.record.len(),
            whole: file.broken_at.is_none(),
            broken_at: file.broken_at,
        },
    }
}

fn phase_view(incident: &Incident, phase: Phase, runs: bool, now: Timestamp) -> PhaseView {
    let steps: Vec<StepView> = incident
        .steps_of(phase)
        .map(|(index, step, state)| step_view(index, step, state, runs, now))
        .collect();
    let open = steps.iter().any(|step| !step.state.is_settled());
    let index = phase.index();
    let state = match (incident.phase == phase && incident.is_open(), open) {
        (true, _) => PhaseState::Now,
        (false, false) if !steps.is_empty() => PhaseState::Done,
        (false, _) if incident.phase > phase || !incident.is_open() => PhaseState::Left,
        (false, _) => PhaseState::Todo,
    };
    let box_ms = steps.iter().filter(|step| !step.state.is_settled()).filter_map(|step| step.box_ms).max();
    let in_it = incident.entered[index].map_or(0, |at| now.as_millisecond() - at.as_millisecond());
    let over = box_ms.is_some_and(|limit| u64::try_from(in_it).unwrap_or(0) > limit);
    PhaseView {
        phase,
        title: phase.title(),
        question: phase.question(),
        state,
        entered_at: incident.entered[index],
        settled_at: incident.settled[index],
        box_ms,
        over_box: state == PhaseState::Now && over,
        steps,
    }
}

fn step_view(index: usize, step: &Step, state: &StepState, runs: bool, now: Timestamp) -> StepView {
    let running = match state.state {
        StepStatus::Doing => state
            .started_at
            .and_then(|from| u64::try_from(now.as_millisecond() - from.as_millisecond()).ok())
            .unwrap_or(0),
        _ => 0,
    };
    let taken_ms = state.taken_ms + running;
    StepView {
        number: index + 1,
        id: step.id.clone(),
        kind: step.kind.name(),
        acts: step.kind.acts(),
        title: step.title.clone(),
        say: step.say.clone(),
        would: would(step),
        choices: step.kind.choices().to_vec(),
        show: step.show.clone(),
        fills: step.fills,
        state: state.state,
        owner: state.owner.clone(),
        note: state.note.clone(),
        started_at: state.started_at,
        ended_at: state.ended.as_ref().map(|(at, _)| *at),
        ended_by: state.ended.as_ref().map(|(_, by)| by.clone()),
        taken_ms,
        box_ms: step.box_ms,
        over_box: step.box_ms.is_some_and(|limit| taken_ms > limit),
        acting: state.acts.act.as_ref().map(|act| acting(step, act, runs)),
        found: state.acts.found.as_ref().map(|(_, found)| found.clone()),
        found_at: state.acts.found.as_ref().map(|(at, _)| *at),
        waits_for_approval: state
            .acts
            .asked
            .as_ref()
            .filter(|_| state.acts.approved.is_empty() && !state.state.is_settled())
            .map(|(_, by)| by.clone()),
        clean_from: state.acts.watch.as_ref().map(|watch| watch.clean_from),
    }
}

fn acting(step: &Step, act: &ActState, runs: bool) -> ActingView {
    let waits = matches!(&step.kind, StepKind::Flag { effect: Some(_), .. });
    ActingView {
        state: match act.stage {
            ActStage::Begun if runs => ActingState::Running,
            ActStage::Begun | ActStage::Unknown => ActingState::Unknown,
            ActStage::Done => ActingState::Done,
            ActStage::Failed => ActingState::Failed,
        },
        by: act.by.clone(),
        at: act.begun_at,
        lines: act.plan.lines.clone(),
        from: act.plan.from.clone(),
        to: act.plan.to.clone(),
        said: act.said.clone(),
        effect: match &act.effect {
            Some((true, _)) => "confirmed",
            Some((false, _)) => "unconfirmed",
            None if waits && act.stage != ActStage::Failed => "waiting",
            None => "none",
        },
        effect_words: act.effect.as_ref().map(|(_, words)| words.clone()),
    }
}
