//! The figures as text: columns that line up, words for differences, sparklines.

use crate::ops::health::{Errors, HealthView, Recent, Series, Verdict, VersionView};
use crate::text::figures::{self, UNKNOWN, dollars, duration, on_point, percent, sparkline, thousands};
use crate::text::{Line, Role, clean, pad};
use crate::tui::words::words;

/// One figure, in words.
pub struct FigureLine {
    pub name: &'static str,
    pub now: String,
    pub word: &'static str,
    pub role: Role,
    pub before: String,
    pub series: Vec<f64>,
}

/// The figures in the order of the screen, each column on its decimal point.
pub fn figures(view: &HealthView, slots: usize) -> Vec<FigureLine> {
    let share = |of: Option<f64>| of.map_or_else(|| UNKNOWN.to_owned(), percent);
    let time = |of: Option<f64>| of.map_or_else(|| UNKNOWN.to_owned(), duration);
    let money = |of: Option<f64>| of.map_or_else(|| UNKNOWN.to_owned(), dollars);
    let count = |of: Option<u64>| of.map_or_else(|| UNKNOWN.to_owned(), whole);
    let series = &view.series;
    let slot = |of: &[Option<f64>]| slots_of(of, &series.requests, slots);
    let p95 = &view.p95_latency_ms;
    let cost = &view.cost_per_request_usd;
    let rows = [
        (
            "requests",
            count(view.requests.value),
            count(view.requests.previous),
            view.requests.verdict,
            sums(series, slots),
        ),
        rate("errors", &view.error_rate, &share, slot(&series.error_rate)),
        ("p95", time(p95.value), time(p95.previous), p95.verdict, slot(&series.p95_latency_ms)),
        (
            "cost/request",
            money(cost.value),
            money(cost.previous),
            cost.verdict,
            slot(&series.cost_per_request_usd),
        ),
        rate("satisfied", &view.satisfaction, &share, slot(&series.satisfaction)),
        rate("fallback", &view.fallback_rate, &share, slot(&series.fallback_rate)),
    ];
    let now = on_point(&rows.each_ref().map(|row| row.1.as_str()));
    let before = on_point(&rows.each_ref().map(|row| row.2.as_str()));
    rows.into_iter()
        .zip(now.into_iter().zip(before))
        .map(|((name, _, _, verdict, series), (now, before))| FigureLine {
            name,
            now,
            before,
            word: verdict.word(),
            role: role(verdict),
            series,
        })
        .collect()
}

type Row = (&'static str, String, String, Verdict, Vec<f64>);

fn rate(
    name: &'static str,
    figure: &crate::ops::health::Figure<f64>,
    share: &impl Fn(Option<f64>) -> String,
    series: Vec<f64>,
) -> Row {
    (name, share(figure.value), share(figure.previous), figure.verdict, series)
}

fn role(verdict: Verdict) -> Role {
    match verdict {
        Verdict::Better => Role::Better,
        Verdict::Worse => Role::Worse,
        Verdict::More | Verdict::Fewer => Role::Plain,
        Verdict::Usual | Verdict::Close | Verdict::TooFew => Role::Muted,
    }
}

/// Requests by slot: the hours of each added up.
fn sums(series: &Series, slots: usize) -> Vec<f64> {
    let hours = series.requests.len().div_ceil(slots.max(1)).max(1);
    series.requests.chunks(hours).map(|hours| hours.iter().sum::<u64>() as f64).collect()
}

/// A figure by slot: the mean of its hours, each as heavy as its requests; none where no hour has one.
fn slots_of(values: &[Option<f64>], requests: &[u64], slots: usize) -> Vec<f64> {
    let hours = values.len().div_ceil(slots.max(1)).max(1);
    values
        .chunks(hours)
        .zip(requests.chunks(hours))
        .map(|(values, requests)| {
            let known = || values.iter().zip(requests).filter_map(|(v, n)| Some(((*v)?, *n as f64)));
            let weight: f64 = known().map(|(_, n)| n).sum();
            known().map(|(v, n)| v * n).sum::<f64>() / weight
        })
        .collect()
}

/// The line of a series.
pub fn spark(series: &[f64]) -> String {
    sparkline(series)
}

/// How many slots of whole hours seven days are cut into for this many columns.
pub fn slots(columns: u16) -> usize {
    [168, 84, 56, 42, 28, 21, 14, 7].into_iter().find(|n| *n <= usize::from(columns)).unwrap_or(0)
}

/// `timeout 61 · rate limit 74`; nothing when nothing failed.
pub fn kinds(errors: &Errors) -> Option<Line> {
    let kinds = [
        ("timeout", errors.timeout),
        ("rate limit", errors.rate_limit),
        ("content policy", errors.content_policy),
        ("other", errors.other),
    ];
    let told: Vec<String> =
        kinds.iter().filter(|(_, n)| *n > 0).map(|(name, n)| format!("{name} {}", whole(*n))).collect();
    (!told.is_empty()).then(|| words().muted(told.join(" · ")).done())
}

/// A response's words, quoted and cut to what is left: what was said, or how it failed.
pub fn said(recent: &Recent) -> Line {
    crate::tui::screens::traces::row_words(&recent.row)
}

/// `18,204 requests`.
pub fn requests(n: u64) -> Line {
    words().muted(figures::plural(usize::try_from(n).unwrap_or(usize::MAX), "request")).done()
}

/// A version's line of the table: name, requests, errors, p95, cost, satisfied.
pub fn versions(versions: &[VersionView]) -> Vec<[String; 6]> {
    let share = |of: Option<f64>| of.map_or_else(|| UNKNOWN.to_owned(), percent);
    let column = |of: &dyn Fn(&VersionView) -> String| {
        on_point(&versions.iter().map(of).collect::<Vec<_>>()).into_iter()
    };
    let mut requests = column(&|v| whole(v.requests));
    let mut errors = column(&|v| share(v.error_rate));
    let mut p95 = column(&|v| v.p95_latency_ms.map_or_else(|| UNKNOWN.to_owned(), duration));
    let mut cost = column(&|v| v.cost_per_request_usd.map_or_else(|| UNKNOWN.to_owned(), dollars));
    let mut satisfied = column(&|v| share(v.satisfaction));
    let next = |column: &mut std::vec::IntoIter<String>| column.next().unwrap_or_default();
    versions
        .iter()
        .map(|version| {
            [
                version_name(version),
                next(&mut requests),
                next(&mut errors),
                next(&mut p95),
                next(&mut cost),
                next(&mut satisfied),
            ]
        })
        .collect()
}

/// `customer_support@v4`, or as much of it as traces say.
fn version_name(version: &VersionView) -> String {
    let text = |name: &Option<crate::domain::Untrusted>| {
        name.as_ref().map(|name| clean(name).into_string()).filter(|name| !name.is_empty())
    };
    match (text(&version.prompt), text(&version.version)) {
        (Some(prompt), Some(version)) => format!("{prompt}@{version}"),
        (Some(prompt), None) => prompt,
        (None, Some(version)) => format!("@{version}"),
        (None, None) => "no prompt named".to_owned(),
    }
}

/// A cell of this many columns.
pub fn cell(text: &str, columns: usize) -> String {
    pad(&crate::text::clean_line(text), columns).into_string()
}

fn whole(n: u64) -> String {
    thousands(i64::try_from(n).unwrap_or(i64::MAX))
}
