//! How incidents are printed for people.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{IncidentView, output};
use crate::domain::Result;
use crate::domain::incident::{Missing, StepStatus, span_words};
use crate::domain::runbook::Severity;
use crate::ops::incident::{FiguresNow, IncidentLine, PhaseState, StepView, TallyWords, header};
use crate::text::{clean_line, figures};

/// An act was done: one line about it, then the header.
pub(super) fn acted(view: &IncidentView, said: &str, json: bool) -> Result<u8> {
    if json {
        return output::json(view).map(|()| 0);
    }
    output::text(said)?;
    output::text(&header(view, view.as_of, &TimeZone::system()).to_string())?;
    Ok(0)
}

/// A step was acted on: what it is called, and what comes next.
pub(super) fn stepped(view: &IncidentView, step: &str, said: &str, json: bool) -> Result<u8> {
    let steps = || view.phases.iter().flat_map(|phase| &phase.steps);
    let of = steps().find(|view| view.id == step || view.number.to_string() == step);
    let title = of.map_or("the step".to_owned(), |step| format!("“{}”", clean_line(step.title.raw())));
    acted(view, &format!("{said} {title}."), json)?;
    if json {
        return Ok(0);
    }
    let current = view.phases.iter().find(|phase| phase.state == PhaseState::Now);
    match current.and_then(|phase| phase.steps.iter().find(|step| !step.state.is_settled())) {
        Some(next) => output::text(&format!("next: {} {}", next.number, clean_line(next.title.raw())))?,
        None => output::text(&format!("Nothing is left to do; `tuesday incident close {}`.", view.head.id))?,
    }
    Ok(0)
}

pub(super) fn closed(view: &IncidentView, json: bool) -> Result<u8> {
    acted(view, &format!("Closed {}.", view.head.id), json)?;
    if json { Ok(0) } else { missing(&view.missing) }
}

/// What is still missing: asked for, never insisted on.
pub(super) fn missing(missing: &[Missing]) -> Result<u8> {
    if !missing.is_empty() {
        output::text("\nThe post-mortem still lacks:")?;
    }
    for item in missing {
        output::text(&format!("  {}\n    {}", clean_line(&item.what), clean_line(&item.way)))?;
    }
    Ok(0)
}

pub(super) fn list(lines: &[IncidentLine], json: bool) -> Result<u8> {
    if json {
        return output::json(&lines).map(|()| 0);
    }
    if lines.is_empty() {
        output::text("No incidents. When something breaks: `tuesday incident open \"what is wrong\"`.")?;
        return Ok(0);
    }
    let zone = TimeZone::system();
    let rows = lines.iter().map(|line| {
        let state = match line.head.outcome {
            None => format!("{} {}/{}", line.head.phase.title(), line.steps_settled, line.steps),
            Some(outcome) => outcome.words().to_owned(),
        };
        vec![
            line.head.id.clone(),
            line.head.severity.map_or("SEV?", Severity::name).to_owned(),
            state,
            clock(line.head.opened_at, &zone),
            span_words(u64::try_from(line.open_ms).unwrap_or(0)),
            line.head.commander.raw().to_owned(),
            line.head.title.raw().to_owned(),
        ]
    });
    output::table(&["", "", "", "opened", "open for", "led by", "title"], rows).map(|()| 0)
}

pub(super) fn show(view: &IncidentView) -> Result<u8> {
    let zone = TimeZone::system();
    let mut out = format!("{}\n{}\n", header(view, view.as_of, &zone), clean_line(view.head.title.raw()));
    if let Some(began) = view.began_at {
        let detect = view.times.detect_ms.map(span_words).unwrap_or_default();
        out += &format!("began {}, noticed after {detect}\n", clock(began, &zone));
    }
    let times = &view.times;
    let reached: Vec<String> =
        [("contained", times.contain_ms), ("fixed", times.fix_ms), ("verified", times.verify_ms)]
            .into_iter()
            .filter_map(|(name, ms)| Some(format!("{name} after {}", span_words(ms?))))
            .collect();
    if !reached.is_empty() {
        out += &format!("{}\n", reached.join(", "));
    }
    if let Some(seq) = view.record.broken_at {
        out += &format!("THE RECORD WAS CHANGED FROM OUTSIDE at event {seq}\n");
    }
    for phase in &view.phases {
        let here = if phase.state == PhaseState::Now { "▸" } else { " " };
        out += &format!("\n{here} {} {}  {}\n", phase.phase.number(), phase.title, phase.question);
        for step in &phase.steps {
            out += &step_line(step);
        }
    }
    out += "\ntimeline\n";
    for line in &view.timeline {
        let (who, what) = (clean_line(line.actor.raw()), clean_line(line.text.raw()));
        out += &format!("  {}  {who}  {what}\n", clock(line.at, &zone));
    }
    if !view.evidence.is_empty() {
        out += "\nevidence\n";
        for trace in &view.evidence {
            out += &format!("  {}  {}\n", clean_line(trace.id.raw()), clean_line(trace.answered.raw()));
        }
    }
    output::text(out.trim_end())?;
    // While it is open, its open steps say what is missing.
    if view.head.closed_at.is_some() { missing(&view.missing) } else { Ok(0) }
}

fn step_line(step: &StepView) -> String {
    let mark = match step.state {
        StepStatus::Todo => "·",
        StepStatus::Doing => "▸",
        StepStatus::Done => "✓",
        StepStatus::Skipped => "–",
    };
    let mut line =
        format!("    {mark} {:>2} {}  {}", step.number, step.state.name(), clean_line(step.title.raw()));
    if let Some(owner) = &step.owner {
        line += &format!("  ({})", clean_line(owner.raw()));
    }
    if step.state != StepStatus::Todo {
        let over = if step.over_box { ", over its time" } else { "" };
        line += &format!("  {}{over}", span_words(step.taken_ms));
    }
    if let Some(note) = &step.note {
        line += &format!("\n         {}", clean_line(note.raw()));
    }
    line + "\n"
}

pub(super) fn figures(now: &FiguresNow, kept: bool) -> Result<u8> {
    let taken = &now.figures;
    let zone = TimeZone::system();
    let words = TallyWords::of(taken);
    output::table(&TallyWords::HEADINGS, words.into_iter().map(|line| line.cells().to_vec()))?;
    let query = if taken.query.is_empty() { "all traces" } else { taken.query.raw() };
    let kept = if kept { "; kept in the record" } else { "" };
    output::text(&format!(
        "{} from {} to {}{kept}. Shares with 95 % intervals; thumbs down of all thumbs.",
        clean_line(query),
        clock(taken.since, &zone),
        clock(taken.until, &zone)
    ))?;
    if let Some(severity) = now.suggested_severity {
        output::text(&format!("By the runbook's rules this is {severity}."))?;
    }
    Ok(0)
}

/// A time with its date, in the person's zone.
pub(super) fn clock(at: Timestamp, zone: &TimeZone) -> String {
    figures::date_clock(at.as_millisecond(), zone)
}
