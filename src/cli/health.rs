//! `tuesday health`.

use clap::Args;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::{Face, output};
use crate::domain::query::failure_word;
use crate::domain::{Result, Status, Untrusted};
use crate::ops::Access;
use crate::ops::health::{
    Figure, HealthSpec, HealthView, Recent, Scope, Verdict, VersionView, condensed, health, recent,
};
use crate::task::Cancel;
use crate::text::figures::{UNKNOWN, clock, dollars, duration, list_of, percent, sparkline, thousands};
use crate::text::{clean_line, truncate};

/// Slots of a sparkline: eight hours each.
const SLOTS: usize = 21;
/// Recent responses shown.
const RECENT: usize = 6;

/// Show the figures of the last 24 hours against the week before
#[derive(Args, Debug)]
pub(super) struct HealthArgs {
    /// Only this feature [default: all traffic]
    #[arg(long, value_name = "NAME")]
    feature: Option<String>,
    /// How far back: 1h to 7d
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = hours)]
    window: i64,
    /// Answer with JSON: see `tuesday help json`
    #[arg(long)]
    json: bool,
}

/// Whole hours of `24h`, `2d`.
fn hours(text: &str) -> std::result::Result<i64, String> {
    let (number, unit) = text.split_at(text.len() - text.chars().last().map_or(0, char::len_utf8));
    let each = match unit {
        "h" => 1,
        "d" => 24,
        _ => return Err("write hours or days: 24h, 7d".to_owned()),
    };
    match number.parse::<i64>() {
        Ok(n) if (1..=168).contains(&n.saturating_mul(each)) => Ok(n * each),
        _ => Err("write 1h to 7d".to_owned()),
    }
}

#[derive(Serialize)]
struct Answer {
    #[serde(flatten)]
    health: HealthView,
    recent: Vec<Recent>,
}

pub(super) fn run(face: &Face, args: &HealthArgs) -> Result<u8> {
    let ctx = face.ctx(Access::ReadOnly)?;
    let feature = args.feature.as_deref().map(Untrusted::from);
    let scope = feature.clone().map_or(Scope::All, Scope::Feature);
    let view = health(&ctx, &HealthSpec { scope, hours: args.window })?;
    let recent = recent(&ctx, feature.as_ref(), RECENT, &Cancel::default())?;
    if args.json {
        output::json(&Answer { health: view, recent })?;
    } else {
        print(&view, &recent)?;
    }
    Ok(0)
}

fn print(view: &HealthView, recent: &[Recent]) -> Result<()> {
    let name = view.feature.as_ref().map_or("all traffic", Untrusted::raw);
    output::text(&format!(
        "{name} · {} to {} UTC, against the same time last week\n",
        view.since.strftime("%Y-%m-%d %H:%M"),
        view.until.strftime("%Y-%m-%d %H:%M"),
    ))?;
    if view.requests.value == Some(0) {
        output::text("There was no request in this time.")?;
    }
    let counts = |n: u64| thousands(n.cast_signed());
    let requests: Vec<Option<f64>> = view.series.requests.iter().map(|n| Some(*n as f64)).collect();
    let s = &view.series;
    let rows = vec![
        row("requests", &view.requests, counts, &requests),
        row("errors", &view.error_rate, percent, &s.error_rate),
        row("p95", &view.p95_latency_ms, duration, &s.p95_latency_ms),
        row("cost/request", &view.cost_per_request_usd, dollars, &s.cost_per_request_usd),
        row("satisfied", &view.satisfaction, percent, &s.satisfaction),
        row("fallback", &view.fallback_rate, percent, &s.fallback_rate),
    ];
    output::table(&["", "now", "", "last week", "7 days"], rows)?;
    let kinds = [
        ("timeout", view.errors.timeout),
        ("rate limit", view.errors.rate_limit),
        ("content policy", view.errors.content_policy),
        ("other", view.errors.other),
    ];
    let kinds: Vec<String> =
        kinds.iter().filter(|(_, n)| *n > 0).map(|(kind, n)| format!("{kind} {}", counts(*n))).collect();
    if !kinds.is_empty() {
        output::text(&format!("\nerrors: {}", kinds.join(" · ")))?;
    }
    if view.versions.len() > 1 {
        output::text("")?;
        output::table(
            &["prompt", "requests", "errors", "p95", "cost/request", "satisfied"],
            view.versions.iter().map(version),
        )?;
    }
    if !recent.is_empty() {
        output::text("")?;
        output::table(&["recent", "", ""], recent.iter().map(response))?;
    }
    Ok(())
}

fn row<T: Copy>(
    name: &str,
    figure: &Figure<T>,
    show: impl Fn(T) -> String,
    series: &[Option<f64>],
) -> Vec<String> {
    let shown = |value: Option<T>| value.map_or_else(|| UNKNOWN.to_owned(), &show);
    let word = match figure.verdict {
        Verdict::TooFew => "too few to tell",
        other => other.word(),
    };
    let line = sparkline(&condensed(series, SLOTS));
    vec![name.to_owned(), shown(figure.value), word.to_owned(), shown(figure.previous), line]
}

fn version(of: &VersionView) -> Vec<String> {
    let name = match (&of.prompt, &of.version) {
        (Some(prompt), Some(version)) => format!("{}@{}", prompt.raw(), version.raw()),
        (Some(prompt), None) => prompt.raw().to_owned(),
        (None, Some(version)) => format!("@{}", version.raw()),
        (None, None) => "none".to_owned(),
    };
    let or_unknown = |text: Option<String>| text.unwrap_or_else(|| UNKNOWN.to_owned());
    vec![
        name,
        thousands(of.requests.cast_signed()),
        or_unknown(of.error_rate.map(percent)),
        or_unknown(of.p95_latency_ms.map(duration)),
        or_unknown(of.cost_per_request_usd.map(dollars)),
        or_unknown(of.satisfaction.map(percent)),
    ]
}

fn response(of: &Recent) -> Vec<String> {
    let row = &of.row;
    let mut signs: Vec<&str> = Vec::new();
    if row.status == Status::Error {
        signs.push(row.error_kind.map_or("error", failure_word));
    }
    signs.extend([(row.down, "thumbs down"), (row.report, "report")].iter().filter(|s| s.0).map(|s| s.1));
    let said = if row.output_preview.is_empty() { &row.input_preview } else { &row.output_preview };
    vec![
        list_of(&signs, "and"),
        clock(row.time.as_millisecond(), &TimeZone::UTC),
        truncate(&clean_line(said.raw()), 72).into_string(),
    ]
}
