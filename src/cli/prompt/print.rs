//! How prompts are printed.

use jiff::tz::TimeZone;
use serde::Serialize;

use super::super::output;
use crate::domain::prompt::TeamConfig;
use crate::domain::{Result, Untrusted};
use crate::ops::health::condensed;
use crate::ops::prompt::{DiffView, LintView, PromptRow, PromptView, RunShare, UseView, VersionView};
use crate::text::WordChange;
use crate::text::figures::{
    UNKNOWN, date, date_clock, dollars, duration, list_of, percent, plural, share_within, sparkline,
    thousands,
};

/// Slots of a sparkline: a day each of four weeks.
const SLOTS: usize = 28;

fn count(n: u64) -> String {
    thousands(i64::try_from(n).unwrap_or(i64::MAX))
}

fn or_unknown(text: Option<String>) -> String {
    text.unwrap_or_else(|| UNKNOWN.to_owned())
}

pub fn list(team: &TeamConfig, rows: &[PromptRow]) -> Result<()> {
    if rows.is_empty() {
        let at = team.prompts_dir.join("customer_support/v1_current.txt");
        return output::text(&format!("No prompt yet. Put a text at {}", at.display()));
    }
    output::table(
        &["prompt", "current", "since", "versions", "requests", "of the current", ""],
        rows.iter().map(|row| {
            vec![
                row.prompt.clone(),
                or_unknown(row.current.clone()),
                or_unknown(row.current_since.map(|at| date_clock(at.as_millisecond(), &TimeZone::system()))),
                row.versions.join(" "),
                count(row.requests),
                count(row.current_requests),
                row.oddities.first().cloned().unwrap_or_default(),
            ]
        }),
    )
}

/// The newest run that is finished, or the newest.
fn run(runs: &[RunShare]) -> String {
    let run = runs.iter().find(|run| run.finished).or(runs.first());
    run.map_or_else(
        || UNKNOWN.to_owned(),
        |run| {
            let n = run.passed + run.failed;
            format!("{} of {n} ({})", run.pass_rate.map_or_else(|| UNKNOWN.to_owned(), percent), run.run)
        },
    )
}

fn name(version: &VersionView) -> String {
    let name = if version.version.is_empty() { "no version named" } else { version.version.raw() };
    let mark = match (version.current, version.known) {
        (true, _) => "● ",
        (_, false) => "? ",
        _ => "  ",
    };
    format!("{mark}{name}")
}

pub fn show(view: &PromptView) -> Result<()> {
    let current =
        view.current.as_ref().map_or_else(|| "no current version".to_owned(), |at| format!("at {at}"));
    let zone = TimeZone::system();
    output::text(&format!(
        "{} {current} · {} · figures from {} on\n",
        view.prompt,
        view.folder,
        date(view.since.as_millisecond(), &zone)
    ))?;
    let condensed = |version: &VersionView| {
        let requests: Vec<Option<f64>> = version.series.requests.iter().map(|n| Some(*n as f64)).collect();
        // Each step is as heavy as another: it is the number of requests that is drawn.
        sparkline(&condensed(&requests, &vec![1; requests.len()], SLOTS))
    };
    output::table(
        &[
            "version",
            "first served",
            "requests",
            "satisfied",
            "labels pass",
            "run",
            "errors",
            "p95",
            "cost/request",
            "traffic",
        ],
        view.versions.iter().map(|version| {
            let labels = version.labels.interval.map(|ends| [ends.lower, ends.upper]);
            vec![
                name(version),
                or_unknown(version.first_seen.map(|at| date_clock(at.as_millisecond(), &zone))),
                count(version.requests),
                or_unknown(version.satisfaction.map(percent)),
                or_unknown(version.labels.pass_rate.map(|rate| {
                    format!(
                        "{} of {}",
                        share_within(rate, labels),
                        version.labels.passed + version.labels.failed
                    )
                })),
                run(&version.runs),
                or_unknown(version.error_rate.map(percent)),
                or_unknown(version.p95_latency_ms.map(duration)),
                or_unknown(version.cost_per_request_usd.map(dollars)),
                condensed(version),
            ]
        }),
    )?;
    output::text("")?;
    for version in view.versions.iter().filter(|version| version.known) {
        let facts = facts(version);
        if !facts.is_empty() {
            output::text(&format!("{}: {facts}", version.version.raw()))?;
        }
    }
    for change in &view.changes {
        output::text(&format!("{} since {}", change.words(), date_clock(change.at.as_millisecond(), &zone)))?;
    }
    match &view.last_known_good {
        Some(good) => output::text(&format!("last known good: {}: {}", good.version, good.why))?,
        None if view.passed_over.is_empty() => {}
        None => {
            let why: Vec<String> = view.passed_over.iter().map(|(of, why)| format!("{of}: {why}")).collect();
            output::text(&format!("no version before is known to be good: {}", why.join("; ")))?;
        }
    }
    for oddity in &view.oddities {
        output::text(&format!("! {oddity}"))?;
    }
    Ok(())
}

/// `by Ann on 2026-11-03, "be proactive" · INC-3`.
fn facts(version: &VersionView) -> String {
    let mut facts: Vec<String> = Vec::new();
    if let Some(author) = &version.author {
        facts.push(format!("by {}", author.raw()));
    }
    if let Some(date) = &version.date {
        facts.push(date.raw().chars().take(10).collect());
    }
    if let Some(commit) = &version.commit {
        let hash: String = commit.hash.raw().chars().take(7).collect();
        facts.push(format!("{hash} {}", commit.subject.raw()));
    }
    if version.uncommitted {
        facts.push("not committed".to_owned());
    }
    if version.gate_met {
        facts.push("its gate was met".to_owned());
    }
    if let Some(notes) = &version.notes {
        facts.push(notes.raw().to_owned());
    }
    if !version.incidents.is_empty() {
        facts.push(list_of(&version.incidents, "and"));
    }
    facts.join(" · ")
}

/// A version with its text.
#[derive(Serialize)]
struct Text<'a> {
    prompt: &'a str,
    #[serde(flatten)]
    version: &'a VersionView,
    text: &'a str,
}

pub fn version(view: &PromptView, version: &str, text: &str, json: bool) -> Result<()> {
    let Some(of) = view.versions.iter().find(|of| of.version.raw() == version) else { return Ok(()) };
    if json {
        return output::json(&Text { prompt: &view.prompt, version: of, text });
    }
    let facts = facts(of);
    if !facts.is_empty() {
        output::note(&format!("{}@{version} · {facts}", view.prompt));
    }
    output::text(text.trim_end_matches('\n'))
}

pub fn diff(view: &DiffView) -> Result<()> {
    output::note(&format!(
        "{} {} → {}: {} out, {} in",
        view.prompt,
        view.from,
        view.to,
        plural(view.removed, "word"),
        plural(view.added, "word")
    ));
    let mut text = String::new();
    for part in &view.parts {
        let words = part.text.raw();
        // What surrounds the words stays outside the marks, so that lines do not break within them.
        let (inner, end) = (words.trim_end(), &words[words.trim_end().len()..]);
        match part.change {
            WordChange::Same => text.push_str(words),
            _ if inner.is_empty() => text.push_str(end),
            WordChange::Removed => text.push_str(&format!("[-{inner}-]{end}")),
            WordChange::Added => text.push_str(&format!("{{+{inner}+}}{end}")),
        }
    }
    output::text(text.trim_end_matches('\n'))
}

fn steps(view: &UseView) -> Result<()> {
    for step in &view.steps {
        output::text(&format!("  {step}"))?;
    }
    if view.words_removed + view.words_added > 0 {
        output::text(&format!(
            "  the text: {} out, {} in",
            plural(view.words_removed, "word"),
            plural(view.words_added, "word")
        ))?;
    }
    Ok(())
}

fn reason(view: &UseView) -> String {
    view.why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default()
}

/// What would be done.
pub fn planned(view: &UseView) -> Result<()> {
    if !view.changes {
        return output::text(&format!("{} is at {} already: nothing changes.", view.prompt, view.to));
    }
    let from = view.from.as_deref().unwrap_or("no current version");
    output::text(&format!("{} would go from {from} to {}{}:", view.prompt, view.to, reason(view)))?;
    steps(view)?;
    if view.commit {
        output::text("  a git commit of these files")?;
    }
    view.notes.iter().for_each(|note| output::note(note));
    Ok(())
}

/// What was done.
pub fn done(view: &UseView) -> Result<()> {
    let from = view.from.as_deref().unwrap_or("no current version");
    output::text(&format!("{} went from {from} to {}{}:", view.prompt, view.to, reason(view)))?;
    steps(view)?;
    if let Some(hash) = &view.committed {
        output::text(&format!("  committed as {}", short(hash)))?;
    }
    if let Some(undo) = &view.undo {
        output::text(&format!("To take it back: {undo}"))?;
    }
    view.notes.iter().for_each(|note| output::note(note));
    Ok(())
}

fn short(hash: &Untrusted) -> String {
    hash.raw().chars().take(7).collect()
}

pub fn lint(view: &LintView) -> Result<()> {
    for finding in &view.findings {
        let at = match &finding.version {
            Some(version) if !version.is_empty() => format!("{}@{}", finding.prompt, version.raw()),
            _ => finding.prompt.clone(),
        };
        let mark = if finding.wrong { "✗" } else { "!" };
        output::text(&format!("{mark} {at}: {}", finding.what))?;
        if let Some(trace) = &finding.trace {
            output::text(&format!("    {}, such as {}", plural_of_traces(finding.traces), trace.raw()))?;
        }
        output::text(&format!("    → {}", finding.hint))?;
    }
    let wrong = view.findings.iter().filter(|finding| finding.wrong).count();
    let found = match wrong {
        0 => "nothing to set right".to_owned(),
        n => format!("{} to set right", plural(n, "thing")),
    };
    output::text(&format!(
        "{}, {}, {} held against their text: {found}.",
        plural(view.prompts, "prompt"),
        plural(view.versions, "version"),
        plural_of_traces(view.traces)
    ))?;
    if !view.without_text.is_empty() {
        output::note(&format!(
            "Traces of {} hold no system message and no hash: their text cannot be checked.",
            list_of(&view.without_text, "and")
        ));
    }
    Ok(())
}

fn plural_of_traces(n: u64) -> String {
    plural(usize::try_from(n).unwrap_or(usize::MAX), "trace")
}
