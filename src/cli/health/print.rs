//! The figures as text, in 80 columns.

use jiff::tz::TimeZone;

use crate::cli::output;
use crate::domain::query::failure_word;
use crate::domain::{Status, Untrusted};
use crate::ops::health::{Figure, GroupView, HealthView, Recent, Series, against_words, condensed};
use crate::text::figures::{UNKNOWN, clock, dollars, duration, ends, list_of, percent, sparkline, thousands};
use crate::text::{Clean, clean_line, truncate, width, wrap};

/// Columns that are filled.
const COLUMNS: usize = 80;
/// Slots of a sparkline.
const SLOTS: usize = 14;

/// All of it, one line a row.
pub(super) fn answer(view: &HealthView, recent: &[Recent]) -> String {
    let mut text = format!(
        "{} · {}\n{} to {} UTC\n\n",
        whose(view),
        against_words(view.hours, view.against),
        view.since.strftime("%Y-%m-%d %H:%M"),
        view.until.strftime("%Y-%m-%d %H:%M"),
    );
    if view.requests.value == Some(0) {
        text.push_str("There was no request in this time.\n");
    }
    let s = &view.series;
    let requests: Vec<Option<f64>> = s.requests.iter().map(|n| Some(*n as f64)).collect();
    let rows = vec![
        row("requests", (&view.requests, false), counted, (s, &requests)),
        row("errors", (&view.error_rate, true), percent, (s, &s.error_rate)),
        row("p95", (&view.p95_latency_ms, false), duration, (s, &s.p95_latency_ms)),
        row("cost/request", (&view.cost_per_request_usd, false), dollars, (s, &s.cost_per_request_usd)),
        row("satisfied", (&view.satisfaction, true), percent, (s, &s.satisfaction)),
        row("fallback", (&view.fallback_rate, true), percent, (s, &s.fallback_rate)),
        row("quality", (&view.quality, true), percent, (s, &s.quality)),
    ];
    let before = view.against.title(view.hours);
    let trend = format!("{} days", s.step_hours * 7);
    text.push_str(&output::table_text(&["", "now", "interval", "", &before, &trend], rows));
    if let Some(words) = &view.judged.words {
        let lines = wrap(&clean_line(&format!("quality: {words}")), COLUMNS);
        let lines: Vec<&str> = lines.iter().map(Clean::as_str).collect();
        text.push_str(&format!("\n\n{}", lines.join("\n")));
    }
    if view.fallback_patterns_differ {
        text.push_str(
            "\n\nfallback: older answers were read by other patterns than those of tuesday.toml;\n\
             `tuesday reread` reads them again.",
        );
    }
    if let Some(sample) = &view.daily_sample {
        let gap = if view.judged.words.is_some() { "\n" } else { "\n\n" };
        text.push_str(&format!("{gap}daily sample: {}", sample.words()));
    }
    let kinds: Vec<String> = view
        .errors
        .kinds()
        .into_iter()
        .filter(|(_, n)| *n > 0)
        .map(|(kind, n)| format!("{kind} {}", counted(n)))
        .collect();
    if !kinds.is_empty() {
        text.push_str(&format!("\n\nerrors: {}", kinds.join(" · ")));
    }
    let new: Vec<String> = view
        .marks
        .iter()
        .filter(|mark| mark.at >= view.since)
        .map(|mark| format!("{} since {}", clean_line(mark.name.raw()), mark.at.strftime("%Y-%m-%d %H:%M")))
        .collect();
    if !new.is_empty() {
        text.push_str(&format!("\n\nnew: {}", new.join("\n     ")));
    }
    if view.groups.len() > 1 {
        let heads = [view.by.title(), "requests", "errors", "p95", "cost/req.", "satisfied", "quality"];
        text.push_str("\n\n");
        text.push_str(&output::table_text(&heads, view.groups.iter().map(group)));
    }
    if !recent.is_empty() {
        text.push_str("\n\n");
        let signs = recent.iter().map(|of| width(&signs_of(of))).max().unwrap_or(0).max("recent".len());
        let rows = recent.iter().map(|of| response(of, signs));
        text.push_str(&output::table_text(&["recent", "", ""], rows));
    }
    text
}

/// The feature, and what of it.
fn whose(view: &HealthView) -> String {
    let name = view.feature.as_ref().map_or("all traffic", Untrusted::raw).to_owned();
    std::iter::once(name).chain(view.only()).collect::<Vec<_>>().join(" · ")
}

fn counted(n: u64) -> String {
    thousands(n.cast_signed())
}

fn row<T: Copy>(
    name: &str,
    (figure, is_share): (&Figure<T>, bool),
    show: impl Fn(T) -> String,
    (series, values): (&Series, &[Option<f64>]),
) -> Vec<String> {
    let shown = |value: Option<T>| value.map_or_else(|| UNKNOWN.to_owned(), &show);
    let line = sparkline(&condensed(values, &series.requests, SLOTS));
    let within = figure.interval.filter(|_| is_share);
    let within = within.map_or_else(String::new, |of| ends(of.lower, of.upper));
    vec![
        name.to_owned(),
        shown(figure.value),
        within,
        figure.verdict.word().to_owned(),
        shown(figure.previous),
        line,
    ]
}

fn group(of: &GroupView) -> Vec<String> {
    let or_unknown = |text: Option<String>| text.unwrap_or_else(|| UNKNOWN.to_owned());
    vec![
        of.name.as_ref().map_or("none", Untrusted::raw).to_owned(),
        counted(of.requests),
        or_unknown(of.error_rate.value.map(percent)),
        or_unknown(of.p95_latency_ms.map(duration)),
        or_unknown(of.cost_per_request_usd.map(dollars)),
        or_unknown(of.satisfaction.value.map(percent)),
        or_unknown(of.quality.value.map(percent)),
    ]
}

fn response(of: &Recent, signs: usize) -> Vec<String> {
    let row = &of.row;
    let said = if row.output_preview.is_empty() { &row.input_preview } else { &row.output_preview };
    vec![
        signs_of(of),
        clock(row.time.as_millisecond(), &TimeZone::UTC),
        truncate(&clean_line(said.raw()), COLUMNS.saturating_sub(signs + 12)).into_string(),
    ]
}

/// How it failed, and what was said of it.
fn signs_of(of: &Recent) -> String {
    let row = &of.row;
    let mut signs: Vec<&str> = Vec::new();
    if row.status == Status::Error {
        signs.push(row.error_kind.map_or("error", failure_word));
    }
    signs.extend([(row.down, "thumbs down"), (row.report, "report")].iter().filter(|s| s.0).map(|s| s.1));
    list_of(&signs, "and")
}
