//! The answers as they are printed.

use std::path::{Path, PathBuf};

use super::say;
use crate::cli::output;
use crate::domain::{CaseId, ExpectedKind, Result, SetName, Untrusted};
use crate::ops::Ctx;
use crate::ops::promote::{self, CaseView, FileReport, Outcome, PromoteReport, SaveReport, Taken};
use crate::text::{Clean, clean, clean_line, clean_str, figures, truncate};

pub(super) fn print_promoted(report: &PromoteReport) -> Result<()> {
    for promoted in &report.promoted {
        let trace = one(&promoted.trace);
        let id = promoted.case.as_ref().map(|case| case.id.as_str()).unwrap_or_default();
        match promoted.outcome {
            Outcome::Added => say(format!("{id}  added from {trace}"))?,
            Outcome::Changed => say(format!("{id}  changed (from {trace})"))?,
            Outcome::Unchanged => say(format!("{id}  is in the set already (from {trace})"))?,
            Outcome::Duplicate => say(format!("left out {trace}: its input is there already"))?,
        }
        for like in &promoted.resembles {
            let how = if like.exact { "the same input as" } else { "much like" };
            say(format!(
                "          {how} {} ({} alike)",
                like.case,
                figures::percent_to(like.similarity, 0)
            ))?;
        }
        if promoted.outcome == Outcome::Added && !promoted.lacks.is_empty() {
            let lacks: Vec<String> = promoted.lacks.iter().map(|lack| format!("no {lack}")).collect();
            say(format!("          it has {}", figures::list_of(&lacks, "and")))?;
        }
    }
    for failed in &report.failed {
        output::note(&failed.reason);
    }
    if let Some(file) = &report.file {
        print_taken(&file.taken, "taken from the file: ", false)?;
        print_written(file, report.version)?;
    }
    Ok(())
}

pub(super) fn print_saved(done: &str, report: &SaveReport, json: bool) -> Result<u8> {
    if json {
        output::json(report)?;
        return Ok(0);
    }
    for case in &report.cases {
        say(format!("{done} {} of {}.", case.id, report.set))?;
    }
    if let Some(file) = &report.file {
        print_taken(&file.taken, "taken from the file: ", false)?;
        print_written(file, report.version)?;
    }
    Ok(0)
}

/// What a file gave; nothing when it gave nothing.
pub(super) fn print_taken(taken: &Taken, before: &str, foreseen: bool) -> Result<()> {
    tell_taken(taken, before, say)?;
    if before.is_empty() && !taken.changed_anything() {
        say(format!(
            "Nothing to take: {} say what the set says.",
            figures::plural(count(taken.unchanged), "line")
        ))?;
    }
    if foreseen {
        say("That is what would happen; nothing was changed.")?;
    }
    Ok(())
}

/// Tells what a file gave, line by line; conflicts and bad lines on standard error.
pub(in crate::cli) fn tell_taken(
    taken: &Taken,
    before: &str,
    mut say: impl FnMut(String) -> Result<()>,
) -> Result<()> {
    let ids = |ids: &[CaseId]| figures::list_of(&ids.iter().map(CaseId::as_str).collect::<Vec<_>>(), "and");
    if !taken.added.is_empty() {
        say(format!("{before}added {}: {}", taken.added.len(), ids(&taken.added)))?;
    }
    for changed in &taken.changed {
        say(format!("{before}changed {}: {}", changed.case, figures::list_of(&changed.fields, "and")))?;
    }
    if !taken.retired.is_empty() {
        say(format!("{before}retired {}: {}", taken.retired.len(), ids(&taken.retired)))?;
    }
    for conflict in &taken.conflicts {
        let short = |value: &serde_json::Value| match value {
            serde_json::Value::Null => clean_str("nothing"),
            value => {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                truncate(&clean_line(&text), 60)
            }
        };
        output::note(&format!(
            "conflict in {}, {}: the store said \"{}\", the file says \"{}\"; the {}'s stands, the other is in the history",
            conflict.case,
            conflict.field,
            short(&conflict.store),
            short(&conflict.file),
            if conflict.kept == crate::domain::Kept::File { "file" } else { "store" },
        ));
    }
    if !taken.kept.is_empty() {
        say(format!("{before}not in the file, and kept: {}", ids(&taken.kept)))?;
    }
    for bad in &taken.rejected {
        output::note(&format!("{}:{}: {}", shown(&bad.file).display(), bad.line, bad.reason));
    }
    Ok(())
}

pub(super) fn print_written(file: &FileReport, version: u64) -> Result<()> {
    let path = shown(&file.path);
    if file.written {
        return say(format!("{} holds version {version}.", path.display()));
    }
    output::note(&format!(
        "{} was not written, so that its bad lines are not lost: mend or remove them, then read it back with evals import. The cases are safe in the store.",
        path.display()
    ));
    Ok(())
}

/// A path as a person here would write it.
fn shown(path: &Path) -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(here).unwrap_or(path).to_owned()
}

pub(super) fn list(ctx: &Ctx, json: bool) -> Result<u8> {
    let sets = promote::list(ctx)?;
    if json {
        output::json(&sets)?;
        return Ok(0);
    }
    if sets.is_empty() {
        say("No eval set yet. Make one: tuesday evals promote TRACE --set NAME")?;
    }
    output::table(
        &["set", "cases", "version", "categories"],
        sets.iter().map(|set| {
            let kinds: Vec<String> =
                set.categories.iter().map(|kind| format!("{} {}", kind.cases, kind.category.raw())).collect();
            vec![set.name.to_string(), set.cases.to_string(), set.version.to_string(), kinds.join(", ")]
        }),
    )?;
    Ok(0)
}

pub(super) fn show(ctx: &Ctx, set: &SetName, version: Option<u64>, json: bool) -> Result<u8> {
    let set = promote::show(ctx, set, version)?;
    if json {
        output::json(&set)?;
        return Ok(0);
    }
    say(format!("{} · version {} · {}", set.name, set.version, figures::plural(set.cases.len(), "case")))?;
    output::table(
        &["case", "category", "input", "expected", "trace"],
        set.cases.iter().map(|case| {
            let expected = case.expected.as_ref().map_or_else(|| clean_str(figures::UNKNOWN), one);
            vec![
                case.id.to_string(),
                case.category.raw().to_owned(),
                truncate(&one(&case.input.asked(200)), 44).into_string(),
                truncate(&expected, 36).into_string(),
                case.trace.as_ref().map_or(String::new(), |trace| truncate(&one(trace), 20).into_string()),
            ]
        }),
    )?;
    Ok(0)
}

pub(super) fn show_case(ctx: &Ctx, set: &SetName, id: &CaseId, json: bool) -> Result<u8> {
    let view = promote::show_case(ctx, set, id)?;
    if json {
        output::json(&view)?;
        return Ok(0);
    }
    match &view.case {
        Some(case) => print_case(case)?,
        None => say(format!("{id} of {set} is retired."))?,
    }
    for like in &view.resembles {
        let how = if like.exact { "same input as" } else { "much like" };
        let (words, alike) = (truncate(&one(&like.input), 40), figures::percent_to(like.similarity, 0));
        say(format!("{how:<12}{} ({alike}): {words}", like.case))?;
    }
    say("history")?;
    let zone = jiff::tz::TimeZone::system();
    for event in &view.history {
        let expected = event.body.as_ref().and_then(|body| body.expected.as_ref()).map(one);
        say(format!(
            "  v{:<4} {}  {:<6}  {}  {}",
            event.version,
            figures::date_clock(event.at.as_millisecond(), &zone),
            event.kind.word(),
            one(&event.by),
            expected.map(|text| truncate(&text, 50).into_string()).unwrap_or_default()
        ))?;
    }
    Ok(0)
}

fn print_case(case: &CaseView) -> Result<()> {
    let field = |name: &str, text: &Clean| -> Result<()> {
        let mut name = name;
        for line in text.as_str().lines() {
            say(format!("{name:<12}{line}"))?;
            name = "";
        }
        Ok(())
    };
    field("case", &clean_str(format!("{} of {}", case.id, case.set).as_str()))?;
    field("input", &clean(&case.input.plain_text()))?;
    if let Some(expected) = &case.expected {
        field(
            if case.expected_kind == ExpectedKind::Behaviour { "behaviour" } else { "expected" },
            &clean(expected),
        )?;
    }
    if let Some(reasoning) = &case.reasoning {
        field("reasoning", &clean(reasoning))?;
    }
    field("category", &clean(&case.category))?;
    for check in &case.checks {
        field("check", &clean_str(&check.line()))?;
    }
    for (name, link) in [("trace", &case.trace), ("label", &case.label)] {
        if let Some(link) = link {
            field(name, &one(link))?;
        }
    }
    Ok(())
}

pub(super) fn one(text: &Untrusted) -> Clean {
    clean_line(text.raw())
}

fn count(n: u64) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}
