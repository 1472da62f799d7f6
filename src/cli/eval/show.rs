//! `tuesday eval show`.

use clap::Args;

use super::{Face, output};
use crate::domain::{CaseResult, Outcome, Result, RunName};
use crate::ops::Access;
use crate::ops::run::{RunShowView, RunView, reasons, score_words, show, title};
use crate::text::figures::{UNKNOWN, dollars, duration, plural};
use crate::text::{Clean, clean_line, pad, truncate, wrap};

/// Columns of a line.
const WIDE: usize = 80;
/// Cases shown where not all are asked for.
const FEW: usize = 20;

/// Show a run: its figures, and the cases that did not pass with each evaluator's word
#[derive(Args, Debug)]
pub(super) struct ShowArgs {
    /// The run
    run: String,
    /// Show all cases, those that passed too
    #[arg(long)]
    all: bool,
    /// Answer with JSON: see `tuesday help json-eval`
    #[arg(long)]
    json: bool,
}

pub(super) fn run(face: &Face, args: &ShowArgs) -> Result<u8> {
    let view = show(&face.ctx(Access::ReadOnly)?, &RunName::parse(&args.run)?)?;
    if args.json {
        output::json(&view)?;
    } else {
        output::text(&shown(&view, args.all))?;
    }
    Ok(0)
}

/// Prints what a run came to.
pub(super) fn told(run: &RunView) -> Result<()> {
    output::text(&summary(run))
}

/// A run as a person reads it.
fn shown(view: &RunShowView, all: bool) -> String {
    let mut text = summary(&view.run);
    let wanted = |result: &&CaseResult| all || result.outcome() != Outcome::Pass;
    let cases: Vec<_> = view.results.iter().filter(wanted).collect();
    let most = if all { usize::MAX } else { FEW };
    for result in cases.iter().take(most) {
        text.push_str("\n\n");
        text.push_str(&case(result));
    }
    if cases.len() > most {
        text.push_str(&format!("\n\n{} more: --all", cases.len() - most));
    }
    text
}

fn summary(run: &RunView) -> String {
    let unknown = || UNKNOWN.to_owned();
    let count = |n: u64, what: &str| format!("{n} {what}");
    let mut lines: Vec<String> = wrap(&clean_line(&title(run)), WIDE).iter().map(Clean::to_string).collect();
    let mut parts = vec![count(run.passed, "passed"), count(run.failed, "failed")];
    parts.push(plural(usize::try_from(run.errors).unwrap_or(usize::MAX), "error"));
    if run.cached > 0 {
        parts.push(count(run.cached, "from the cache"));
    }
    let done =
        if run.is_complete() { run.cases.to_string() } else { format!("{} of {}", run.done, run.cases) };
    let mut figures = vec![
        ("cases", format!("{done}: {}", parts.join(", "))),
        ("pass rate", run.pass_words()),
        (
            "response",
            format!(
                "mean {}, p95 {}",
                run.latency_ms.mean.map_or_else(unknown, duration),
                run.latency_ms.p95.map_or_else(unknown, duration)
            ),
        ),
        (
            "cost",
            format!(
                "{} paid, {} an answer",
                dollars(run.cost_usd),
                run.cost_per_answer_usd.map_or_else(unknown, dollars)
            ),
        ),
    ];
    if let Some(why) = &run.stopped {
        figures.push(("stopped", why.clone()));
    } else if !run.is_complete() {
        figures.push(("open", "it is at work, or was killed; --resume goes on".to_owned()));
    }
    for (name, value) in figures {
        field(&mut lines, name, &clean_line(&value));
    }
    let categories =
        run.categories.iter().map(|c| (c.category.raw(), c.passed, c.failed, c.errors, String::new()));
    groups(&mut lines, "category", categories.collect());
    let evaluators = run.evaluators.iter().map(|e| {
        let score = e.mean_score.map_or_else(String::new, |score| format!("mean {}", score_words(score)));
        (e.evaluator.as_str(), e.passed, e.failed, e.errors, score)
    });
    groups(&mut lines, "evaluator", evaluators.collect());
    lines.join("\n")
}

/// A name and its value, broken to fit.
fn field(lines: &mut Vec<String>, name: &str, value: &Clean) {
    let mut name = name;
    for line in wrap(value, WIDE - 12) {
        lines.push(format!("{name:<12}{line}"));
        name = "";
    }
}

/// Counts by name, in columns.
fn groups(lines: &mut Vec<String>, what: &str, rows: Vec<(&str, u64, u64, u64, String)>) {
    if rows.is_empty() {
        return;
    }
    lines.push(String::new());
    lines.push(format!("{what:<32}{:>8}{:>8}{:>8}", "pass", "fail", "error"));
    for (name, passed, failed, errors, beside) in rows {
        let name = pad(&truncate(&clean_line(name), 31), 32);
        let line = format!("{name}{passed:>8}{failed:>8}{errors:>8}   {beside}");
        lines.push(line.trim_end().to_owned());
    }
}

fn case(result: &CaseResult) -> String {
    let mark = match result.outcome() {
        Outcome::Pass => "✓ pass ",
        Outcome::Fail => "✗ fail ",
        Outcome::Error => "! error",
    };
    let cached = if result.cached { " · from the cache" } else { "" };
    let mut lines = vec![format!("{mark}  {} · {}{cached}", result.case, clean_line(result.category.raw()))];
    let short = |text: &str| truncate(&clean_line(text), WIDE - 12);
    field(&mut lines, "  input", &short(result.input.asked(200).raw()));
    if let Some(expected) = &result.expected {
        field(&mut lines, "  expected", &short(expected.raw()));
    }
    if let Some(answer) = result.answer() {
        field(&mut lines, "  answer", &short(answer.output.answered(200).raw()));
    }
    for why in reasons(result) {
        field(&mut lines, "  because", &clean_line(&why));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests;
