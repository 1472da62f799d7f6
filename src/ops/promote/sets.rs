//! Looking at sets: list, show, the history of a case, export.

use super::duplicates::Inputs;
use super::files;
use super::save::no_case;
use super::view::{
    CaseEventView, CaseHistoryView, CaseLabelView, CaseLineView, CaseListView, CaseView, CategoryCount,
    EvalSetRowView, EvalSetView,
};
use crate::domain::{CaseId, Error, EvalCase, EvalSet, LabelAct, Result, SetName, Untrusted};
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

/// The cases of a set as its list shows them: each with the cases that it resembles.
pub fn cases(ctx: &Ctx, set: &SetName) -> Result<CaseListView> {
    let now = ctx.store.eval_set(set)?;
    let inputs = Inputs::of(&now.cases);
    let line = |case: EvalCase| {
        let resembles = inputs.resembling(&case.body.input, Some(&case.id));
        CaseLineView { case: case.into(), resembles }
    };
    let (set, version) = (now.name, now.version);
    Ok(CaseListView { set, version, cases: now.cases.into_iter().map(line).collect() })
}

/// The set that a promotion goes to when nobody names one: the set that was changed last; else one
/// named after the feature of the trace.
pub fn usual_set(ctx: &Ctx, trace: &str) -> Result<SetName> {
    if let Some(last) = ctx.store.eval_sets()?.into_iter().max_by_key(|row| row.updated) {
        return Ok(last.name);
    }
    let feature = ctx.store.trace_by_id(trace)?.and_then(|stored| stored.trace.feature);
    Ok(SetName::near(feature.as_ref().map_or("", Untrusted::raw))
        .unwrap_or_else(|| SetName::near("evals").expect("a name")))
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
    let label = case.as_ref().map(|case| label_of(ctx, case)).transpose()?.flatten();
    let history = history.into_iter().map(CaseEventView::from).collect();
    Ok(CaseHistoryView { case: case.map(CaseView::from), label, history, resembles })
}

/// The label that a case was made from, as it was given, and whether it stands.
fn label_of(ctx: &Ctx, case: &EvalCase) -> Result<Option<CaseLabelView>> {
    let (Some(trace), Some(label)) = (&case.body.trace, &case.body.label) else { return Ok(None) };
    let Some(event) = ctx.store.label_history(trace)?.into_iter().find(|event| event.id == label.raw())
    else {
        return Ok(None);
    };
    let LabelAct::Set(said) = event.act else { return Ok(None) };
    let stands = ctx.store.labels_of(trace)?.iter().any(|row| row.event == label.raw());
    Ok(Some(CaseLabelView {
        reviewer: event.reviewer,
        at: event.at,
        verdict: said.verdict,
        mode: said.mode,
        note: said.note,
        stands,
    }))
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
