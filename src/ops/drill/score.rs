//! What a drill came to, from the record of its incident and the switches that were thrown.

use jiff::Timestamp;
use serde::Serialize;

use super::Drill;
use super::scenario::onset;
use crate::domain::drill::{Score, Stage};
use crate::domain::incident::{Incident, IncidentEvent, Outcome, Recorded, StepStatus};
use crate::domain::runbook::{Phase, Section, StepKind};
use crate::domain::switch::{SwitchOf, SwitchStage};
use crate::domain::{Result, Untrusted};
use crate::ops::Ctx;
use crate::store::IncidentRef;

/// A drill's score beside earlier ones of the same scenario.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScoreView {
    /// What it came to.
    #[serde(flatten)]
    pub score: Score,
    /// What it was.
    pub told: String,
    /// Whether the traffic was like the team's own; else it was the demo's.
    pub own: bool,
    /// The feature.
    pub feature: Untrusted,
    /// Its incident; none when nobody opened one.
    pub incident: Option<String>,
    /// Earlier drills of this scenario, in which a person was at the keyboard as in this one, or was not.
    pub before: Before,
}

/// Earlier drills. Medians, since a mean of durations shows no trend.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Before {
    /// How many.
    pub drills: usize,
    /// Median of their points.
    pub points: Option<u32>,
    /// Median time from the fault to the incident, in milliseconds.
    pub noticed_ms: Option<u64>,
    /// Median time from the incident to containment.
    pub contained_ms: Option<u64>,
    /// Median time from the incident to the end of verification.
    pub verified_ms: Option<u64>,
}

impl Before {
    /// The earlier drills that this one can be held against.
    pub fn of(all: &[Score], score: &Score) -> Self {
        let like = |of: &&Score| {
            of.scenario == score.scenario && of.auto == score.auto && of.held_at < score.held_at
        };
        let earlier: Vec<&Score> = all.iter().filter(like).collect();
        let times =
            |of: fn(&Score) -> Option<u64>| median(earlier.iter().filter_map(|score| of(score)).collect());
        let points = median(earlier.iter().map(|score| u64::from(score.points)).collect());
        Self {
            drills: earlier.len(),
            points: points.and_then(|points| u32::try_from(points).ok()),
            noticed_ms: times(|score| score.noticed_ms),
            contained_ms: times(|score| score.contained_ms),
            verified_ms: times(|score| score.verified_ms),
        }
    }
}

fn median(mut values: Vec<u64>) -> Option<u64> {
    values.sort_unstable();
    values.get(values.len().checked_sub(1)? / 2).copied()
}

/// The score of a drill as it stands.
pub(super) fn score(drill: &Drill, auto: bool) -> Result<(Score, Option<String>)> {
    let (ctx, plan) = (&drill.ctx, &drill.place.plan);
    let scenario = plan.scenario;
    let onset = onset(plan.begin);
    // The first one that was opened in the drill is what is scored.
    let mut rows = ctx.store.incidents()?;
    rows.retain(|row| row.opened_at >= plan.begin);
    let first = rows.iter().map(|row| row.number).min();
    let file = first.map(|number| ctx.store.incident(&IncidentRef::Number(number))).transpose()?;
    let mut score = Score {
        scenario,
        held_at: plan.begin,
        by: ctx.reviewer.as_str().into(),
        auto,
        speed: plan.speed,
        seed: plan.seed,
        noticed_ms: None,
        acknowledged_ms: None,
        contained_ms: None,
        fixed_ms: None,
        verified_ms: None,
        closed_ms: None,
        onset_off_ms: None,
        right_cause: false,
        right_version: None,
        right_outcome: false,
        harmed: drill.feed.harmed,
        wrong_acts: wrong_acts(ctx, drill)?,
        missed: Vec::new(),
        points: 0,
    };
    let name = match &file {
        None => {
            score.missed.push("no incident was opened".to_owned());
            None
        }
        Some(file) => {
            fill(&mut score, &plan.stage, &file.incident, &file.record, onset);
            Some(file.incident.name())
        }
    };
    if scenario.is_of_prompt() {
        let gone = prompts_thrown(drill, onset)?.iter().any(|to| is_good(&plan.stage, to));
        score.right_version = Some(gone);
    }
    score.points = score.points();
    Ok((score, name))
}

fn fill(score: &mut Score, stage: &Stage, incident: &Incident, record: &[Recorded], onset: Timestamp) {
    let since_onset =
        |at: Timestamp| u64::try_from(at.as_millisecond() - onset.as_millisecond()).unwrap_or(0);
    let times = incident.times(incident.opened_at);
    score.noticed_ms = Some(since_onset(incident.opened_at));
    score.acknowledged_ms = times.acknowledge_ms;
    score.contained_ms = times.contain_ms;
    score.fixed_ms = times.fix_ms;
    score.verified_ms = times.verify_ms;
    score.closed_ms = incident.closed.as_ref().map(|closing| since_onset(closing.at));
    score.onset_off_ms =
        incident.began_at.map(|began| began.as_millisecond().abs_diff(onset.as_millisecond()));
    let wanted = if score.scenario.is_real() { Outcome::Resolved } else { Outcome::FalseAlarm };
    score.right_outcome = incident.closed.as_ref().is_some_and(|closing| closing.outcome == wanted);
    let said = findings(incident, record);
    score.right_cause = score.scenario.cause_words(stage).iter().any(|word| said.contains(word.as_str()));
    let mut missed = |what: &str| score.missed.push(what.to_owned());
    if incident.closed.is_none() {
        missed("the incident was not closed");
    }
    if score.scenario.is_real() {
        for phase in [Phase::Contain, Phase::Fix, Phase::Verify] {
            if incident.settled[phase.index()].is_none() {
                missed(&format!("the phase {} was not finished", phase.title()));
            }
        }
        if incident.began_at.is_none() {
            missed("nobody said when it began");
        }
        if incident.severity.is_none() {
            missed("nobody said how bad it is");
        }
        if incident.updates.is_empty() {
            missed("those who wait were told nothing");
        }
        if incident.traces().is_empty() {
            missed("no trace was attached as evidence");
        }
    }
    let over = incident.steps_of(Phase::Contain).any(|(_, step, state)| {
        step.box_ms.is_some_and(|limit| state.taken_ms > limit) && state.state == StepStatus::Done
    });
    if over && score.scenario.is_real() {
        missed("a step of Contain took longer than its time");
    }
}

/// Everything that people and steps found, in small letters: what a cause is looked for in.
fn findings(incident: &Incident, record: &[Recorded]) -> String {
    let mut said: Vec<String> = Vec::new();
    for (step, state) in incident.runbook.book.steps.iter().zip(&incident.steps) {
        let finds = matches!(step.kind, StepKind::Ask { .. } | StepKind::Check { .. } | StepKind::Manual);
        if finds && step.phase <= Phase::Fix {
            said.extend(state.note.iter().map(|note| note.raw().to_owned()));
        }
    }
    said.extend(incident.section(Section::Why).into_iter().map(Untrusted::into_raw));
    said.extend(incident.section(Section::Trigger).into_iter().map(Untrusted::into_raw));
    said.extend(record.iter().filter_map(|recorded| match &recorded.event {
        IncidentEvent::Noted { text, .. } => Some(text.raw().to_owned()),
        _ => None,
    }));
    said.extend(incident.closed.as_ref().and_then(|closing| closing.note.clone()).map(Untrusted::into_raw));
    said.join("\n").to_lowercase()
}

/// What switches were thrown by people after that, and how they stood then. What was thrown to begin with, at the
/// very time, is the drill's own making.
fn thrown(ctx: &Ctx, of: SwitchOf, name: &str, since: Timestamp) -> Result<Vec<String>> {
    let events = ctx.store.switches(of, name)?;
    Ok(events
        .into_iter()
        .filter(|event| event.at > since && event.by.raw() != super::feed::DEPLOYER)
        .filter(|event| matches!(event.stage, SwitchStage::Done | SwitchStage::Unproven))
        .map(|event| event.to.into_raw())
        .collect())
}

/// Whether a version may be in force. Of a team's own versions the drill knows of none but the guilty one that it is bad.
fn is_good(stage: &Stage, version: &str) -> bool {
    if stage.own { version != stage.guilty } else { version == stage.good }
}

fn prompts_thrown(drill: &Drill, since: Timestamp) -> Result<Vec<String>> {
    let prompt = drill.place.plan.stage.prompt.as_deref();
    prompt.map_or_else(|| Ok(Vec::new()), |prompt| thrown(&drill.ctx, SwitchOf::Prompt, prompt, since))
}

fn wrong_acts(ctx: &Ctx, drill: &Drill) -> Result<Vec<String>> {
    let scenario = drill.place.plan.scenario;
    let (since, stage) = (drill.place.plan.begin, &drill.place.plan.stage);
    let mut wrong = Vec::new();
    for to in prompts_thrown(drill, since)? {
        if !scenario.is_of_prompt() {
            wrong.push(format!("the prompt was set to {to}, and had nothing to do with it"));
        } else if !is_good(stage, &to) {
            wrong.push(format!("the prompt was set to {to}; {} was the good one", stage.good));
        }
    }
    if !scenario.is_real()
        && thrown(ctx, SwitchOf::Feature, &stage.feature, since)?.iter().any(|to| to == "off")
    {
        wrong.push("the feature was switched off, and nothing was wrong with it".to_owned());
    }
    if scenario.is_real() && drill.feed.is_off()? {
        wrong.push("the feature was left switched off".to_owned());
    }
    Ok(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::drill::Scenario;

    #[test]
    fn medians_are_of_the_same_scenario_and_kind() {
        let score = |scenario, auto, held: i64, contained| Score {
            scenario,
            held_at: Timestamp::from_second(held).unwrap(),
            by: "mira".into(),
            auto,
            speed: 1.0,
            seed: 1,
            noticed_ms: None,
            acknowledged_ms: None,
            contained_ms: contained,
            fixed_ms: None,
            verified_ms: None,
            closed_ms: None,
            onset_off_ms: None,
            right_cause: true,
            right_version: None,
            right_outcome: true,
            harmed: 0,
            wrong_acts: Vec::new(),
            missed: Vec::new(),
            points: 50,
        };
        let all = [
            score(Scenario::Cost, false, 1, Some(30)),
            score(Scenario::Cost, false, 2, Some(10)),
            score(Scenario::Cost, false, 3, None),
            score(Scenario::Cost, true, 3, Some(1)),
            score(Scenario::Drift, false, 3, Some(1)),
        ];
        let before = Before::of(&all, &score(Scenario::Cost, false, 9, Some(5)));
        assert_eq!((before.drills, before.contained_ms, before.points), (3, Some(10), Some(50)));
        assert_eq!(Before::of(&all, &score(Scenario::Judge, false, 9, None)), Before::default());
    }
}
