//! The prompt back to an earlier version: never a moment without a current one.

use super::ground::Ground;
use super::{Outcome, Planned};
use crate::domain::runbook::StepKind;
use crate::domain::{Error, ErrorKind, Result};
use crate::ops::prompt::{self, Home, UseSpec, UseView};
use crate::text::WordChange;
use crate::text::figures::plural;

/// Which files would get other names. `to`: the version that an act which was cut off leads to.
pub(super) fn plan(ground: &Ground<'_>, to: Option<&str>) -> Result<Planned> {
    let mut planned = Planned::default();
    let Some((home, wanted)) = planned.may_fail(wanted(ground)) else { return Ok(planned) };
    let to = to.map(str::to_owned).or(wanted);
    let Some(view) = planned.may_fail(back(ground, &home, to.as_deref(), true)) else { return Ok(planned) };
    planned.from.clone_from(&view.from);
    planned.to = Some(view.to.clone());
    planned.changes = view.changes;
    planned.lines = match view.changes {
        true => view.steps.clone(),
        false => vec![format!("{} is at {} already: nothing changes", view.prompt, view.to)],
    };
    if view.changes {
        planned.lines.push(format!(
            "{} of it go, {} come",
            plural(view.words_removed, "word"),
            view.words_added
        ));
    }
    if let (true, false, Some(from)) = (view.changes, ground.rehearsal, &view.from) {
        planned.notes.extend(difference(&home, from, &view.to));
    }
    planned.notes.extend(view.why.map(|why| format!("{} is the last known good version: {why}", view.to)));
    planned.notes.extend(view.notes);
    planned.undo = view.undo;
    if let Err(error) = writable(&home) {
        planned.fails.push(error.what);
    }
    Ok(planned)
}

/// Pieces of a difference that a dry run shows, and how many characters of each.
const PIECES: usize = 6;
const SHOWN: usize = 100;

/// What goes and what comes, a line a piece. Whether it can be shown decides nothing.
fn difference(home: &Home, from: &str, to: &str) -> Vec<String> {
    let Ok(of) = prompt::diff(home, from, to) else { return Vec::new() };
    let changed = of.parts.iter().filter(|part| part.change != WordChange::Same);
    let mut lines: Vec<String> = changed
        .filter_map(|part| {
            let sign = if part.change == WordChange::Removed { '-' } else { '+' };
            let text = part.text.raw().split_whitespace().collect::<Vec<_>>().join(" ");
            let cut: String = text.chars().take(SHOWN).collect();
            let more = if cut.len() < text.len() { "…" } else { "" };
            (!text.is_empty()).then(|| format!("{sign} {cut}{more}"))
        })
        .collect();
    if lines.len() > PIECES {
        let left = lines.len() - PIECES;
        lines.truncate(PIECES);
        lines.push(format!(
            "and {}: tuesday prompt diff {} {from} {to}",
            plural(left, "more change"),
            home.name
        ));
    }
    lines
}

/// Puts it back.
pub(super) fn act(ground: &Ground<'_>, to: &str) -> Result<Outcome> {
    let (home, _) = wanted(ground)?;
    Ok(match back(ground, &home, Some(to), false) {
        Ok(view) if view.changes => Outcome::Done(format!("{} is at {} now", view.prompt, view.to)),
        Ok(view) => Outcome::Done(format!("{} was at {} already", view.prompt, view.to)),
        Err(error) if error.kind == ErrorKind::Cancelled => {
            Outcome::Unknown("it was stopped on the way".to_owned())
        }
        Err(error) => {
            let why = error.why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
            let said = format!("{}{why}", error.what.trim_end_matches('.'));
            // What the folder says decides: it may have failed after the version was marked.
            match decide(ground, to) {
                Ok(Some(done)) => done,
                _ if home.look().is_ok_and(|folder| folder.under_way.is_some()) => {
                    Outcome::Unknown(format!("{said}; it was cut off half-way"))
                }
                _ => Outcome::Failed(said),
            }
        }
    })
}

/// What came of an act that was cut off: `None` where it must be brought to its end.
pub(super) fn decide(ground: &Ground<'_>, to: &str) -> Result<Option<Outcome>> {
    let (home, _) = wanted(ground)?;
    let view = back(ground, &home, Some(to), true)?;
    Ok((!view.changes).then(|| Outcome::Done(format!("{} is at {} now", view.prompt, view.to))))
}

/// The prompt, and the version where the runbook names one.
fn wanted(ground: &Ground<'_>) -> Result<(Home, Option<String>)> {
    let StepKind::Rollback { prompt, to } = &ground.step().kind else {
        return Err(Error::not_so("This step puts nothing back."));
    };
    let to = (to.raw() != "last_known_good").then(|| to.raw().to_owned());
    Ok((ground.prompt(prompt.as_ref())?, to))
}

fn back(ground: &Ground<'_>, home: &Home, to: Option<&str>, dry_run: bool) -> Result<UseView> {
    let spec = UseSpec { dry_run, commit: false, reason: Some(ground.reason()) };
    prompt::rollback(ground.ctx, ground.hands.team(), home, to, &spec, ground.cancel)
}

/// Whether files of the folder can get other names.
fn writable(home: &Home) -> Result<()> {
    tempfile::Builder::new()
        .prefix(".tuesday-")
        .suffix(".tmp")
        .tempfile_in(&home.folder)
        .map(drop)
        .map_err(|e| Error::failed(format!("the folder {} cannot be written: {e}", home.folder.display())))
}
