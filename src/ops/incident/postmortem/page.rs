//! The post-mortem as one HTML file: its Markdown rendered, with charts beside the figures. No script, and nothing
//! from elsewhere. What people and models wrote is escaped twice over: in the Markdown, and by the renderer.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use minijinja::context;
use minijinja::value::Serde;
use serde::Serialize;

use super::Told;
use super::causes::CHANGED;
use super::write::{ACTIONS, IMPACT, MISSING, TIMELINE, parts};
use crate::domain::Result;
use crate::domain::incident::Outcome;
use crate::domain::runbook::Phase;
use crate::ops::Ctx;
use crate::ops::health::{Chart, Moment, before_and_during, during, render};
use crate::text::markdown_html;

/// The least time before it began and after it was over that the charts show, and the longest time that they show.
const MARGIN: SignedDuration = SignedDuration::from_mins(30);
const LONGEST: SignedDuration = SignedDuration::from_hours(14 * 24);

#[derive(Debug, Serialize)]
struct Shown {
    /// The heading, for the list of contents; empty for the first part.
    title: &'static str,
    /// How it looks, where it is not as the others.
    class: &'static str,
    html: String,
    /// Whether the charts come after it.
    charts: bool,
}

pub(super) fn page(ctx: &Ctx, told: &Told, zone: &TimeZone) -> Result<String> {
    let charts = charts(ctx, told, zone)?;
    let shown = parts(told, zone).into_iter().map(|part| Shown {
        title: part.title,
        class: match part.title {
            "" => "head",
            CHANGED => "changed",
            TIMELINE => "timeline",
            ACTIONS => "actions",
            MISSING => "missing",
            _ => "",
        },
        html: markdown_html(&part.text),
        charts: part.title == IMPACT && !charts.is_empty(),
    });
    let values = context! {
        id => told.view.head.id.clone(),
        draft => told.draft(),
        parts => Serde(shown.collect::<Vec<_>>()),
        charts => Serde(&charts),
        zone => zone.iana_name().unwrap_or("this machine"),
    };
    // The template engine takes the last newline away.
    render(include_str!("../templates/postmortem.html"), values).map(|text| text + "\n")
}

fn charts(ctx: &Ctx, told: &Told, zone: &TimeZone) -> Result<Vec<Chart>> {
    let view = &told.view;
    if view.head.outcome == Some(Outcome::FalseAlarm) {
        return Ok(Vec::new());
    }
    let (begin, end) = (told.facts.exposed_since, view.head.closed_at.unwrap_or(view.as_of));
    let margin = (end.duration_since(begin) / 2).max(MARGIN);
    let from = begin.saturating_sub(margin).unwrap_or(begin);
    let to = end.saturating_add(MARGIN).unwrap_or(end).min(view.as_of).max(from + MARGIN);
    let from = from.max(to.saturating_sub(LONGEST).unwrap_or(from));
    let mut charts: Vec<Chart> = view.figures.as_ref().and_then(before_and_during).into_iter().collect();
    charts.extend(during(ctx, view.head.feature.as_ref(), (from, to), zone, &moments(told))?);
    Ok(charts)
}

fn moments(told: &Told) -> Vec<Moment> {
    let view = &told.view;
    let settled = |phase: Phase| view.phases.iter().find(|of| of.phase == phase)?.settled_at;
    let moment = |name: &str, at: Option<Timestamp>| Some(Moment { at: at?, name: name.to_owned() });
    [
        moment("began", view.began_at),
        moment("noticed", Some(view.head.opened_at)),
        moment("contained", settled(Phase::Contain)),
        moment("fixed", settled(Phase::Fix)),
        moment("verified", settled(Phase::Verify)),
    ]
    .into_iter()
    .flatten()
    .collect()
}
