//! Looking at sets: list, show, the history of a case, export.

use super::duplicates::Inputs;
use super::files;
use super::save::no_case;
use super::view::{CaseEventView, CaseHistoryView, CaseView, CategoryCount, EvalSetRowView, EvalSetView};
use crate::domain::{CaseId, Error, EvalSet, Result, SetName};
use crate::ops::Ctx;
use crate::wire::write::eval_set::case_text;

/// All sets, by name.
pub fn list(ctx: &Ctx) -> Result<Vec<EvalSetRowView>> {
    let rows = ctx.store.eval_sets()?;
    Ok(rows
        .into_iter()
        .map(|row| EvalSetRowView {
            cases: row.cases(),
            name: row.name,
            version: row.version,
            retired: row.retired,
            categories: row
                .categories
                .into_iter()
                .map(|(category, cases)| CategoryCount { category, cases })
                .collect(),
            updated: row.updated,
        })
        .collect())
}

/// A set now, or as it was at a former version.
pub fn show(ctx: &Ctx, set: &SetName, version: Option<u64>) -> Result<EvalSetView> {
    let now = existing(ctx, set)?;
    let Some(version) = version else { return Ok(now.into()) };
    let then = ctx.store.eval_set_at(set, version)?.ok_or_else(|| {
        Error::not_so(format!("{set} has no version {version}."))
            .hint(format!("Its newest is {}.", now.version))
    })?;
    Ok(then.into())
}

/// A case with its history and the cases it resembles.
pub fn show_case(ctx: &Ctx, set: &SetName, id: &CaseId) -> Result<CaseHistoryView> {
    let history = ctx.store.case_history(set, id)?;
    if history.is_empty() {
        return Err(no_case(set, id));
    }
    let now = existing(ctx, set)?;
    let inputs = Inputs::of(&now.cases);
    let case = now.cases.into_iter().find(|case| case.id == *id);
    let resembles =
        case.as_ref().map(|case| inputs.resembling(&case.body.input, Some(id))).unwrap_or_default();
    let history = history.into_iter().map(CaseEventView::from).collect();
    Ok(CaseHistoryView { case: case.map(CaseView::from), history, resembles })
}

/// The lines of a set's file, for standard output. What was exported is remembered, so that an edited
/// copy can be read back.
pub fn export(ctx: &Ctx, set: &SetName) -> Result<String> {
    let now = existing(ctx, set)?;
    let mut text = String::new();
    for case in &now.cases {
        text.push_str(&case_text(&case.id, &case.body));
        text.push('\n');
    }
    if ctx.store.is_writable() {
        files::remember(ctx, set, "", now.version, &text)?;
    }
    Ok(text)
}

fn existing(ctx: &Ctx, set: &SetName) -> Result<EvalSet> {
    let now = ctx.store.eval_set(set)?;
    if now.version > 0 {
        return Ok(now);
    }
    let error = Error::not_so(format!("There is no eval set {set}."));
    let names: Vec<String> = ctx.store.eval_sets()?.iter().map(|row| row.name.to_string()).collect();
    Err(if names.is_empty() {
        error.hint(format!("Make one: tuesday evals promote TRACE --set {set}"))
    } else {
        error.hint(format!("There are: {}", names.join(", ")))
    })
}
