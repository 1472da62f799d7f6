//! The versions as text: columns that line up, facts in a sentence.

use jiff::Timestamp;

use crate::ops::prompt::VersionView;
use crate::text::figures::{
    self, UNKNOWN, dollars, duration, fixed, list_of, on_point, percent, plural, sparkline, thousands,
};
use crate::text::{Line, Role, clean, clean_line};
use crate::tui::screen::Env;
use crate::tui::screens::prompts::Shown;
use crate::tui::words::words;

/// The columns of the table after the version's name and when it was served first.
pub const HEADS: [&str; 7] = ["requests", "satisfied", "labels pass", "run", "errors", "p95", "cost"];

/// The cells of [`HEADS`], by column, each on its decimal point.
pub fn columns(versions: &[VersionView]) -> [Vec<String>; 7] {
    let of = |cell: &dyn Fn(&VersionView) -> String| -> Vec<String> { versions.iter().map(cell).collect() };
    let share = |of: Option<f64>| of.map_or_else(|| UNKNOWN.to_owned(), percent);
    [
        of(&|version| count(version.requests)),
        on_point(&of(&|version| share(version.satisfaction))),
        of(&|version| match (version.labels.pass_rate, version.labels.interval) {
            (Some(rate), Some(ends)) => {
                format!(
                    "{} [{}, {}]",
                    percent(rate),
                    fixed(ends.lower * 100.0, 0),
                    fixed(ends.upper * 100.0, 0)
                )
            }
            _ => UNKNOWN.to_owned(),
        }),
        on_point(&of(&|version| {
            let run = version.runs.iter().find(|run| run.finished).or(version.runs.first());
            share(run.and_then(|run| run.pass_rate))
        })),
        on_point(&of(&|version| share(version.error_rate))),
        on_point(&of(&|version| version.p95_latency_ms.map_or_else(|| UNKNOWN.to_owned(), duration))),
        on_point(&of(&|version| version.cost_per_request_usd.map_or_else(|| UNKNOWN.to_owned(), dollars))),
    ]
}

/// The version's name; that of traces which name none is said so.
pub fn name(version: &VersionView) -> String {
    match clean_line(version.version.raw()).into_string() {
        name if name.is_empty() => "none".to_owned(),
        name => name,
    }
}

/// `Tue 3 Nov 09:00`, or when it was written where it was never served.
pub fn first_served(version: &VersionView, env: &Env) -> String {
    match version.first_seen {
        Some(at) => when(at, env),
        None => "never".to_owned(),
    }
}

fn when(at: Timestamp, env: &Env) -> String {
    figures::when(at.as_millisecond(), env.now_ms(), &env.zone)
}

/// `18,204 requests`.
pub fn requests(n: u64) -> Line {
    words().muted(plural(usize::try_from(n).unwrap_or(usize::MAX), "request")).done()
}

fn count(n: u64) -> String {
    thousands(i64::try_from(n).unwrap_or(i64::MAX))
}

/// The traffic of a version in so many columns, as high as the busiest slot of all versions; a space where it
/// had none.
pub fn traffic(version: &VersionView, all: &[VersionView], cols: usize) -> String {
    let busiest = all.iter().flat_map(|of| slots(of, cols)).fold(0.0, f64::max);
    let own = slots(version, cols);
    let mut values: Vec<f64> = own.iter().map(|n| if *n > 0.0 { *n } else { f64::NAN }).collect();
    values.push(busiest);
    let mut line = sparkline(&values);
    line.pop();
    line
}

/// The requests of a slot by column: the mean where a column stands for several, the same where several columns
/// stand for one.
fn slots(version: &VersionView, cols: usize) -> Vec<f64> {
    let requests = &version.series.requests;
    (0..cols)
        .filter_map(|col| {
            let from = col * requests.len() / cols;
            let to = ((col + 1) * requests.len() / cols).max(from + 1);
            let of = requests.get(from..to.min(requests.len())).filter(|of| !of.is_empty())?;
            Some(of.iter().sum::<u64>() as f64 / of.len() as f64)
        })
        .collect()
}

/// What is known of the version under the cursor, a line each.
pub fn facts(version: &VersionView) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut facts: Vec<String> = Vec::new();
    if let Some(author) = &version.author {
        facts.push(format!("by {}", clean_line(author.raw())));
    }
    if let Some(date) = &version.date {
        let day: String = date.raw().chars().take(10).collect();
        facts.push(clean_line(&day).into_string());
    }
    if let Some(commit) = &version.commit {
        let hash: String = commit.hash.raw().chars().take(7).collect();
        facts.push(format!("{} {}", clean_line(&hash), clean_line(commit.subject.raw())));
    }
    if version.uncommitted {
        facts.push("not committed".to_owned());
    }
    if version.gate_met {
        facts.push("its gate was met".to_owned());
    }
    if !version.incidents.is_empty() {
        facts.push(list_of(&version.incidents, "and"));
    }
    if let Some(run) = version.runs.first() {
        let n = run.passed + run.failed;
        facts.push(format!("run {}: {} of {n} pass", clean_line(run.run.as_str()), run.passed));
    }
    let head = if version.known {
        words().put(Role::Heading, name(version))
    } else {
        words().put(Role::Alert, "? ").put(Role::Heading, name(version)).plain(" is not in the folder")
    };
    let facts = (!facts.is_empty()).then(|| format!("  {}", facts.join(" · ")));
    lines.push(head.maybe(Role::Plain, facts).done());
    if let Some(notes) = &version.notes {
        let first = clean(notes).as_str().lines().next().unwrap_or_default().to_owned();
        lines.push(words().muted("  ").muted(first).done());
    }
    lines
}

/// What stands out: clear differences, the version to go back to, what is not as it should be.
pub fn notable(shown: &Shown, env: &Env) -> Vec<Line> {
    let mut lines = Vec::new();
    for change in &shown.view.changes {
        let (role, mark) = if change.worse { (Role::Worse, "▼ ") } else { (Role::Better, "▲ ") };
        let since = format!("  since {}", when(change.at, env));
        lines.push(words().put(role, mark).plain(change.words()).muted(since).done());
    }
    match (&shown.view.last_known_good, shown.view.passed_over.first()) {
        (Some(good), _) => lines.push(
            words()
                .put(Role::Pass, "✓ ")
                .plain(format!("last known good: {}", good.version))
                .muted(format!("  {}", good.why))
                .done(),
        ),
        (None, Some((version, why))) => {
            let why = format!("  {version}: {why}");
            lines.push(
                words()
                    .put(Role::Unsure, "? ")
                    .plain("no version before is known to be good")
                    .muted(why)
                    .done(),
            );
        }
        (None, None) => {}
    }
    for finding in &shown.lint.findings {
        let (role, mark) = if finding.wrong { (Role::Fail, "✗ ") } else { (Role::Alert, "! ") };
        let what = clean_line(&finding.what);
        let traces = (finding.traces > 0)
            .then(|| format!("  {}", plural(usize::try_from(finding.traces).unwrap_or(usize::MAX), "trace")));
        lines.push(words().put(role, mark).plain(what).maybe(Role::Muted, traces).done());
    }
    lines
}
