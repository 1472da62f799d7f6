//! The figures as text: columns that line up, words for differences, sparklines.

use crate::ops::health::{
    Errors, Figure, GroupView, HealthView, JudgedBy, Recent, Series, Verdict, condensed,
};
use crate::text::figures::{self, UNKNOWN, dollars, duration, ends, on_point, percent, sparkline, thousands};
use crate::text::{Clean, Line, Role, clean, pad};
use crate::tui::words::words;

/// One figure, in words.
pub struct FigureLine {
    pub name: &'static str,
    pub now: String,
    /// Of a share: the ends of its 95 % interval.
    pub within: String,
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
    let slot = |of: &[Option<f64>]| condensed(of, &series.requests, slots);
    let p95 = &view.p95_latency_ms;
    let cost = &view.cost_per_request_usd;
    let rate = |name, figure: &Figure<f64>, values: &[Option<f64>]| Row {
        name,
        now: share(figure.value),
        within: figure.interval.map_or_else(String::new, |of| ends(of.lower, of.upper)),
        before: share(figure.previous),
        verdict: figure.verdict,
        series: slot(values),
    };
    let plain = |name, now, before, verdict, series| Row {
        name,
        now,
        within: String::new(),
        before,
        verdict,
        series,
    };
    let requests = &view.requests;
    let rows = [
        plain(
            "requests",
            count(requests.value),
            count(requests.previous),
            requests.verdict,
            sums(series, slots),
        ),
        rate("errors", &view.error_rate, &series.error_rate),
        plain("p95", time(p95.value), time(p95.previous), p95.verdict, slot(&series.p95_latency_ms)),
        plain(
            "cost/request",
            money(cost.value),
            money(cost.previous),
            cost.verdict,
            slot(&series.cost_per_request_usd),
        ),
        rate("satisfied", &view.satisfaction, &series.satisfaction),
        rate("fallback", &view.fallback_rate, &series.fallback_rate),
        rate("quality", &view.quality, &series.quality),
    ];
    let now = on_point(&rows.each_ref().map(|row| row.now.as_str()));
    let before = on_point(&rows.each_ref().map(|row| row.before.as_str()));
    rows.into_iter()
        .zip(now.into_iter().zip(before))
        .map(|(row, (now, before))| FigureLine {
            name: row.name,
            now,
            within: row.within,
            before,
            word: row.verdict.word(),
            role: role(row.verdict),
            series: row.series,
        })
        .collect()
}

/// A figure's cells before they are lined up.
struct Row {
    name: &'static str,
    now: String,
    within: String,
    before: String,
    verdict: Verdict,
    series: Vec<f64>,
}

fn role(verdict: Verdict) -> Role {
    match verdict {
        Verdict::Better => Role::Better,
        Verdict::Worse => Role::Worse,
        Verdict::More | Verdict::Fewer => Role::Plain,
        Verdict::Usual | Verdict::Close | Verdict::TooFew | Verdict::OtherJudge => Role::Muted,
    }
}

/// Requests by slot: the hours of each added up.
fn sums(series: &Series, slots: usize) -> Vec<f64> {
    let hours = series.requests.len().div_ceil(slots.max(1)).max(1);
    series.requests.chunks(hours).map(|hours| hours.iter().sum::<u64>() as f64).collect()
}

/// The line of a series.
pub fn spark(series: &[f64]) -> String {
    sparkline(series)
}

/// How far back the trend goes: `7 days`.
pub fn trend(view: &HealthView) -> String {
    format!("{} days", view.series.step_hours * 7)
}

/// How many slots of whole hours seven days are cut into for this many columns.
pub fn slots(columns: u16) -> usize {
    [168, 84, 56, 42, 28, 21, 14, 7].into_iter().find(|n| *n <= usize::from(columns)).unwrap_or(0)
}

/// `timeout 61 · rate limit 74`; nothing when nothing failed.
pub fn kinds(errors: &Errors) -> Option<Line> {
    let told: Vec<String> = errors
        .kinds()
        .iter()
        .filter(|(_, n)| *n > 0)
        .map(|(name, n)| format!("{name} {}", whole(*n)))
        .collect();
    (!told.is_empty()).then(|| words().muted(told.join(" · ")).done())
}

/// `by people 37 · by the judge 375 · corrected 88.1 % [84.0, 91.5]`; nothing where no judge spoke.
pub fn judged(of: &JudgedBy) -> Option<Line> {
    (of.judge > 0).then(|| words().muted(of.short()).done())
}

/// `today's sample: 112 drawn today · …`; nothing where none is asked for.
pub fn sampled(view: &HealthView) -> Option<Line> {
    let of = view.daily_sample.as_ref()?;
    Some(words().muted(format!("daily sample: {}", of.words())).done())
}

/// What to do where older answers were read by other patterns; nothing where they were not.
pub fn patterns(view: &HealthView) -> Option<Line> {
    let text = words().muted("older answers were read by other patterns: ").key("tuesday reread");
    view.fallback_patterns_differ.then(|| text.done())
}

/// A response's words, quoted and cut to what is left: what was said, or how it failed.
pub fn said(recent: &Recent) -> Line {
    crate::tui::screens::traces::row_words(&recent.row)
}

/// `18,204 requests`.
pub fn requests(n: u64) -> Line {
    words().muted(figures::plural(usize::try_from(n).unwrap_or(usize::MAX), "request")).done()
}

/// A group's line of the table: name, requests, errors, p95, cost, satisfied, quality.
pub fn groups(groups: &[GroupView]) -> Vec<[String; 7]> {
    let share = |of: Option<f64>| of.map_or_else(|| UNKNOWN.to_owned(), percent);
    let column =
        |of: &dyn Fn(&GroupView) -> String| on_point(&groups.iter().map(of).collect::<Vec<_>>()).into_iter();
    let mut requests = column(&|v| whole(v.requests));
    let mut errors = column(&|v| share(v.error_rate.value));
    let mut p95 = column(&|v| v.p95_latency_ms.map_or_else(|| UNKNOWN.to_owned(), duration));
    let mut cost = column(&|v| v.cost_per_request_usd.map_or_else(|| UNKNOWN.to_owned(), dollars));
    let mut satisfied = column(&|v| share(v.satisfaction.value));
    let mut quality = column(&|v| share(v.quality.value));
    let next = |column: &mut std::vec::IntoIter<String>| column.next().unwrap_or_default();
    groups
        .iter()
        .map(|group| {
            [
                group.name.as_ref().map(clean).map_or_else(|| "none named".to_owned(), Clean::into_string),
                next(&mut requests),
                next(&mut errors),
                next(&mut p95),
                next(&mut cost),
                next(&mut satisfied),
                next(&mut quality),
            ]
        })
        .collect()
}

/// A cell of this many columns.
pub fn cell(text: &str, columns: usize) -> String {
    pad(&crate::text::clean_line(text), columns).into_string()
}

fn whole(n: u64) -> String {
    thousands(i64::try_from(n).unwrap_or(i64::MAX))
}
