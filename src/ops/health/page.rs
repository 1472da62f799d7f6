//! The dashboard as one HTML file: for the team's wiki. No script, and nothing from elsewhere.
//!
//! What models and users wrote is cleaned first; the template escapes by itself.

use std::path::Path;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Value, context};
use serde::Serialize;

use super::figure::{Figure, Verdict};
use super::svg::{charts, trend};
use super::{HealthView, Recent, against_words};
use crate::domain::query::failure_word;
use crate::domain::{Error, Result, Status, Untrusted};
use crate::text::clean_line;
use crate::text::figures::{UNKNOWN, date_clock, dollars, duration, ends, list_of, percent, thousands};
use crate::wire::write::new_file::write_text;

/// Width and height of a trend.
const TREND: (f64, f64) = (168.0, 24.0);

#[derive(Debug, Serialize)]
struct Row {
    name: &'static str,
    now: String,
    within: String,
    word: &'static str,
    tone: &'static str,
    before: String,
    trend: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Group {
    name: String,
    cells: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Response {
    time: String,
    signs: String,
    said: String,
}

/// Writes the page to a file; one that is there is replaced.
pub fn write_page(view: &HealthView, recent: &[Recent], path: &Path) -> Result<()> {
    // The template engine takes the last newline away.
    let text = page(view, recent)? + "\n";
    write_text(path, &text, true).map(|_| ())
}

/// The page.
pub(super) fn page(view: &HealthView, recent: &[Recent]) -> Result<String> {
    let utc = |at: jiff::Timestamp| date_clock(at.as_millisecond(), &jiff::tz::TimeZone::UTC);
    let whose = view.feature.as_ref().map_or("all traffic", Untrusted::raw).to_owned();
    let whose: Vec<String> = std::iter::once(whose).chain(view.only()).collect();
    let kinds: Vec<String> = view
        .errors
        .kinds()
        .into_iter()
        .filter(|(_, n)| *n > 0)
        .map(|(kind, n)| format!("{kind} {}", thousands(n.cast_signed())))
        .collect();
    let marks = view.marks.iter().map(|mark| (utc(mark.at), clean_line(mark.name.raw()).into_string()));
    let values = context! {
        whose => clean_line(&whose.join(" · ")).as_str(),
        window => against_words(view.hours, view.against),
        since => utc(view.since),
        until => utc(view.until),
        before => view.against.title(view.hours),
        days => view.series.step_hours * 7,
        rows => Serde(rows(view)),
        trend => TREND,
        kinds => kinds.join(" · "),
        judged => view.judged.words.clone(),
        charts => Serde(charts(view)),
        by => view.by.title(),
        groups => Serde(groups(view)),
        marks => marks.collect::<Vec<_>>(),
        recent => Serde(recent.iter().map(response).collect::<Vec<_>>()),
    };
    render(include_str!("templates/health.html"), values)
}

/// Fills a page's template, which escapes by itself. It can include `style` and, with `charts` among the values,
/// `charts`.
pub(in crate::ops) fn render(template: &str, values: Value) -> Result<String> {
    let failed = |e| Error::failed("The page cannot be written.").because(e);
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build().map_err(failed)?;
    environment.set_syntax(syntax);
    for (name, text) in [
        ("style", include_str!("templates/style.css")),
        ("charts", include_str!("templates/charts.html")),
        ("page", template),
    ] {
        environment.add_template(name, text).map_err(failed)?;
    }
    environment.get_template("page").and_then(|page| page.render(values)).map_err(failed)
}

fn rows(view: &HealthView) -> Vec<Row> {
    let s = &view.series;
    let requests: Vec<Option<f64>> = s.requests.iter().map(|n| Some(*n as f64)).collect();
    let counts = |n: u64| thousands(n.cast_signed());
    vec![
        row("requests", &view.requests, counts, false, &requests),
        row("errors", &view.error_rate, percent, true, &s.error_rate),
        row("p95", &view.p95_latency_ms, duration, false, &s.p95_latency_ms),
        row("cost/request", &view.cost_per_request_usd, dollars, false, &s.cost_per_request_usd),
        row("satisfied", &view.satisfaction, percent, true, &s.satisfaction),
        row("fallback", &view.fallback_rate, percent, true, &s.fallback_rate),
        row("quality", &view.quality, percent, true, &s.quality),
    ]
}

fn row<T: Copy>(
    name: &'static str,
    figure: &Figure<T>,
    show: impl Fn(T) -> String,
    is_share: bool,
    series: &[Option<f64>],
) -> Row {
    let shown = |value: Option<T>| value.map_or_else(|| UNKNOWN.to_owned(), &show);
    let within = figure.interval.filter(|_| is_share);
    Row {
        name,
        now: shown(figure.value),
        within: within.map_or_else(String::new, |of| ends(of.lower, of.upper)),
        word: figure.verdict.word(),
        tone: match figure.verdict {
            Verdict::Better => "better",
            Verdict::Worse => "worse",
            _ => "soft",
        },
        before: shown(figure.previous),
        trend: trend(series, TREND.0, TREND.1),
    }
}

fn groups(view: &HealthView) -> Vec<Group> {
    let or_unknown = |text: Option<String>| text.unwrap_or_else(|| UNKNOWN.to_owned());
    let group = |of: &super::GroupView| Group {
        name: of.name.as_ref().map_or_else(|| "none named".to_owned(), |n| clean_line(n.raw()).into_string()),
        cells: vec![
            thousands(of.requests.cast_signed()),
            or_unknown(of.error_rate.value.map(percent)),
            or_unknown(of.p95_latency_ms.map(duration)),
            or_unknown(of.cost_per_request_usd.map(dollars)),
            or_unknown(of.satisfaction.value.map(percent)),
            or_unknown(of.quality.value.map(percent)),
        ],
    };
    view.groups.iter().map(group).collect()
}

fn response(of: &Recent) -> Response {
    let row = &of.row;
    let failed = (row.status == Status::Error).then(|| row.error_kind.map_or("error", failure_word));
    let signs: Vec<String> = failed
        .into_iter()
        .chain(row.down.then_some("thumbs down"))
        .chain(row.report.then_some("report"))
        .map(|sign| sign.replace('_', " "))
        .collect();
    let said = if row.output_preview.is_empty() { &row.input_preview } else { &row.output_preview };
    Response {
        time: date_clock(row.time.as_millisecond(), &jiff::tz::TimeZone::UTC),
        signs: list_of(&signs, "and"),
        said: clean_line(said.raw()).into_string(),
    }
}
