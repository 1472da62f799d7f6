//! Status updates: what those who wait are told. A draft is written from the record and the live figures.

use super::figures::{FiguresRequest, TallyWords, figures_now};
use crate::domain::incident::{Act, Incident, StepStatus, span_words};
use crate::domain::runbook::Phase;
use crate::domain::{Result, Untrusted};
use crate::ops::Ctx;
use crate::store::IncidentRef;
use crate::task::Cancel;
use crate::text::{clean_line, figures};

/// Steps that a draft names, at most.
const STEPS: usize = 3;

/// An update as it would read now: conditions, actions, needs, and when the next one is due. Reads the traces of the
/// incident's time; without any it says what the record says.
pub fn draft_update(ctx: &Ctx, name: &str, cancel: &Cancel) -> Result<String> {
    let incident = ctx.store.incident(&IncidentRef::parse(name)?)?.incident;
    let taken = figures_now(ctx, name, &FiguresRequest::default(), cancel);
    cancel.check()?;
    let taken = taken.ok().map(|now| now.figures).filter(|of| of.all.requests > 0);
    let mut words = vec![match incident.severity {
        Some(severity) => format!("{severity}, {}", incident.phase.title()),
        None => incident.phase.title().to_owned(),
    }];
    if let Some(taken) = taken {
        let lines = TallyWords::of(&taken);
        let before = taken.before.as_ref().and(lines.get(1));
        let of = |name: &str, figure: fn(&TallyWords) -> &String| {
            let was = before.map(|before| format!(" (before: {})", figure(before))).unwrap_or_default();
            format!("{name} {}{was}", lines.first().map(figure).cloned().unwrap_or_default())
        };
        words.push(of("requests", |of| &of.requests));
        words.push(of("errors", |of| &of.errors));
        words.push(of("thumbs down", |of| &of.thumbs_down));
        words.push(of("users hit", |of| &of.users_hit));
    }
    Ok(format!(
        "Conditions: {}.\nActions: {}.\nNeeds: {}.{}",
        words.join("; "),
        actions(&incident),
        needs(&incident),
        next(&incident)
    ))
}

/// Tells those who wait.
pub fn update(ctx: &Ctx, name: &str, text: Untrusted) -> Result<super::IncidentView> {
    super::act(ctx, name, Act::Update { text }, None)
}

/// What was done since the last update, and what is being done.
fn actions(incident: &Incident) -> String {
    let since = incident.updates.last().map_or(incident.opened_at, |update| update.at);
    let steps = || incident.runbook.book.steps.iter().zip(&incident.steps);
    let title = |title: &Untrusted| clean_line(title.raw()).into_string();
    let mut done: Vec<_> = steps()
        .filter(|(_, state)| state.state == StepStatus::Done)
        .filter_map(|(step, state)| Some((state.ended.as_ref()?.0, step)))
        .filter(|(at, _)| *at > since)
        .collect();
    done.sort_by_key(|(at, _)| *at);
    let mut words: Vec<String> = done
        .iter()
        .rev()
        .take(STEPS)
        .rev()
        .map(|(_, step)| format!("done: {}", title(&step.title)))
        .collect();
    words.extend(steps().filter(|(_, state)| state.state == StepStatus::Doing).take(STEPS).map(
        |(step, state)| {
            let who = state
                .owner
                .as_ref()
                .map(|owner| format!(" ({})", clean_line(owner.raw())))
                .unwrap_or_default();
            format!("doing: {}{who}", title(&step.title))
        },
    ));
    if words.is_empty() { "none since the last update".to_owned() } else { words.join("; ") }
}

/// What stands open without an owner in the present phase.
fn needs(incident: &Incident) -> String {
    let open = incident.steps_of(incident.phase).filter(|(_, _, state)| !state.state.is_settled());
    let free: Vec<String> = open
        .filter(|(_, _, state)| state.owner.is_none())
        .take(STEPS)
        .map(|(_, step, _)| clean_line(step.title.raw()).into_string())
        .collect();
    match (free.is_empty(), incident.phase == Phase::Postmortem) {
        (true, false) => "nothing now".to_owned(),
        (true, true) => "nothing more".to_owned(),
        (false, _) => format!("somebody for {}", figures::list_of(&free, "and")),
    }
}

fn next(incident: &Incident) -> String {
    let every = incident
        .severity
        .and_then(|severity| incident.runbook.book.update_every_ms.iter().find(|(of, _)| *of == severity));
    every.map(|(_, ms)| format!("\nNext update in {}.", span_words(*ms))).unwrap_or_default()
}
