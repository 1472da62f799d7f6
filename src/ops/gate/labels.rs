//! Item 2: people looked at the run's answers to edge cases. A label is given here, on the answer itself; one on
//! the trace that the case came from counts where the answer is the output that was labelled.

use std::collections::BTreeMap;

use serde::Serialize;

use super::candidate::{Candidate, Found, Missing};
use super::proved::{count, needed_words, share_words};
use super::said::{Said, above};
use super::{GateOf, ItemView, check};
use crate::domain::gate::{Item, Need, Proof, Verdict};
use crate::domain::{CaseId, CaseResult, Error, EvalConfig, Outcome, Result, Untrusted, label};
use crate::ops::Ctx;
use crate::ops::compare::labels_of_answer;
use crate::task::Cancel;
use crate::text::figures::{list_of, plural};

/// An edge case of the candidate's run, with what people say of its answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EdgeView {
    /// The run.
    pub run: String,
    /// The case and its answer.
    #[serde(flatten)]
    pub result: CaseResult,
    /// Whose word, and which.
    pub labels: Vec<(Untrusted, label::Verdict)>,
}

/// The edge cases of the candidate's run, those without a label first.
pub fn edges(ctx: &Ctx, config: &EvalConfig, of: &GateOf, cancel: &Cancel) -> Result<Vec<EdgeView>> {
    let candidate = Candidate::find(ctx, config, of, cancel)?;
    let found = candidate.run()?.map_err(|missing| Error::not_so(missing.words).hint(missing.next))?;
    let mut all = Vec::new();
    for result in of_kinds(&candidate, &found) {
        let labels = labels_of(&candidate, &found, result)?.into_iter().collect();
        all.push(EdgeView { run: found.name(), result: result.clone(), labels });
    }
    all.sort_by_key(|edge| !edge.labels.is_empty());
    Ok(all)
}

/// Labels the run's answer to an edge case.
///
/// # Errors
/// `NotSo` where no run speaks for the candidate, or it has no such edge case.
pub fn label(
    ctx: &Ctx,
    config: &EvalConfig,
    of: &GateOf,
    case: &CaseId,
    (verdict, note): (label::Verdict, Option<Untrusted>),
) -> Result<ItemView> {
    let cancel = Cancel::default();
    let candidate = Candidate::find(ctx, config, of, &cancel)?;
    let found = candidate.run()?.map_err(|missing| Error::not_so(missing.words).hint(missing.next))?;
    if !of_kinds(&candidate, &found).any(|result| result.case == *case && result.answer().is_some()) {
        let kinds = list_of(&candidate.spec.edge_cases.categories, "or");
        return Err(Error::not_so(format!(
            "The run {} has no answer to an edge case {case}: one of the kind {kinds}.",
            found.name()
        ))
        .hint(format!("See which there are: tuesday gate edges {}", candidate.words())));
    }
    let proof = Proof::Label { run: found.name(), case: case.clone(), verdict, note };
    candidate.keep(Some(Item::EdgeCases), proof)?;
    let view = check(ctx, config, of, &cancel)?;
    view.items.into_iter().find(|view| view.item == Item::EdgeCases).ok_or_else(Error::cancelled)
}

fn of_kinds<'f>(candidate: &Candidate<'_>, found: &'f Found) -> impl Iterator<Item = &'f CaseResult> {
    let kinds = candidate.spec.edge_cases.categories.clone();
    found.results.iter().filter(move |result| kinds.iter().any(|kind| kind == result.category.raw()))
}

/// What people say of an answer: the newest word of each.
fn labels_of(
    candidate: &Candidate<'_>,
    found: &Found,
    result: &CaseResult,
) -> Result<BTreeMap<Untrusted, label::Verdict>> {
    let mut labels: BTreeMap<_, _> = labels_of_answer(candidate.ctx, result)?.into_iter().collect();
    let name = found.name();
    for row in candidate.rows.iter().filter(|row| candidate.is_of_this_text(row)) {
        if let Proof::Label { run, case, verdict, .. } = &row.evidence.proof
            && *run == name
            && *case == result.case
        {
            labels.insert(row.evidence.by.clone(), *verdict);
        }
    }
    Ok(labels)
}

/// Item 2.
pub(super) fn item(candidate: &Candidate<'_>, found: &std::result::Result<Found, Missing>) -> Result<Said> {
    let found = match found {
        Ok(found) => found,
        Err(missing) => return Ok(missing.into()),
    };
    let spec = &candidate.spec.edge_cases;
    let absent: Vec<&str> = spec
        .categories
        .iter()
        .filter(|kind| !found.results.iter().any(|result| result.category.raw() == kind.as_str()))
        .map(String::as_str)
        .collect();
    let (mut passed, mut failed, mut unsure, mut cases, mut wrong) = (0, 0, 0, 0, 0);
    let mut open = None;
    for result in of_kinds(candidate, found) {
        let labels = labels_of(candidate, found, result)?;
        if labels.is_empty() && result.answer().is_some() {
            open.get_or_insert_with(|| result.case.clone());
        }
        cases += 1;
        wrong += u64::from(result.outcome() != Outcome::Pass);
        for verdict in labels.values() {
            match verdict {
                label::Verdict::Pass => passed += 1,
                label::Verdict::Fail => failed += 1,
                label::Verdict::Unsure => unsure += 1,
            }
        }
    }
    let n = passed + failed;
    let judged = above(passed, n, spec.min, Need::Point, spec.min_labels);
    let mut said = if !absent.is_empty() {
        let figure = format!("no case of kind {}", list_of(&absent, "or"));
        let words = format!("The set {} has no case of kind {}.", found.run.head.set, list_of(&absent, "or"));
        let next =
            format!("tuesday evals promote TRACE --set {} --category {}", found.run.head.set, absent[0]);
        Said::new(Verdict::NotMet, figure, words).next(next)
    } else if n < spec.min_labels {
        let words = format!(
            "People labelled {n} answers of the run {} to {}; it takes {}.",
            found.name(),
            plural(count(cases), "edge case"),
            plural(count(spec.min_labels), "label")
        );
        let figure = format!("{n} of {} labels", spec.min_labels);
        let case = open.map_or_else(|| "CASE".to_owned(), |case| case.to_string());
        Said::new(Verdict::NotEnoughData, figure, words)
            .next(format!("tuesday gate label {} {case} pass", candidate.words()))
    } else {
        let words = format!(
            "People pass {passed} of {n} labelled answers of the run {} to edge cases.{}",
            found.name(),
            needed_words(&judged, n, "label")
        );
        let next = format!("tuesday gate edges {}", candidate.words());
        let mut said = Said::new(judged.verdict, share_words(passed, n, &judged), words).next(next);
        said.proven = judged.proven;
        said
    };
    if unsure > 0 {
        said.warnings.push(format!("{} on which the reviewer is unsure", plural(count(unsure), "label")));
    }
    if wrong > 0 {
        said.warnings.push(format!("the evaluators pass {} of the {cases} edge cases", cases - wrong));
    }
    said.interval = judged.interval;
    (said.set, said.run) = (Some(found.set()), Some(found.name()));
    Ok(said
        .with("labels", n as f64)
        .with("passed", passed as f64)
        .with("cases", cases as f64)
        .with("min_labels", spec.min_labels as f64))
}
