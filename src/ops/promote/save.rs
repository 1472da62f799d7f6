//! Putting cases into a set: promote, edit, restore, retire.

use std::collections::BTreeSet;

use serde::Serialize;

use super::draft::{draft_with, same_origin};
use super::duplicates::{Inputs, Resembles};
use super::files::{self, FileReport};
use super::view::CaseView;
use crate::domain::{
    CaseBody, CaseEventKind, CaseId, Check, Content, Error, ExpectedKind, Result, SetName, Untrusted,
    category, some_text,
};
use crate::ops::Ctx;
use crate::ops::label::reviewer;

/// Fields that a person gives by hand; `None` leaves a field as it is. A blank text empties it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CaseFields {
    /// What goes in.
    pub input: Option<Content>,
    /// What should come out.
    pub expected: Option<String>,
    /// How `expected` is meant.
    pub expected_kind: Option<ExpectedKind>,
    /// Why.
    pub reasoning: Option<String>,
    /// The kind of edge case.
    pub category: Option<String>,
    /// All its checks.
    pub checks: Option<Vec<Check>>,
}

impl CaseFields {
    fn apply(&self, body: &mut CaseBody) {
        if let Some(input) = &self.input {
            body.input = input.clone();
        }
        if let Some(expected) = &self.expected {
            body.expected = some_text(expected.as_str());
        }
        if let Some(kind) = self.expected_kind {
            body.expected_kind = kind;
        }
        if let Some(reasoning) = &self.reasoning {
            body.reasoning = some_text(reasoning.as_str());
        }
        if let Some(word) = &self.category {
            body.category = category(word);
        }
        if let Some(checks) = &self.checks {
            body.checks.clone_from(checks);
        }
    }
}

/// What to promote.
#[derive(Debug, Clone, PartialEq)]
pub struct PromoteRequest {
    /// The traces.
    pub traces: Vec<Untrusted>,
    /// The set they join; it is made when it is new.
    pub set: SetName,
    /// What is given by hand, for every trace alike.
    pub fields: CaseFields,
    /// Leave out what is an exact duplicate of a case of the set, or of a trace before it.
    pub skip_duplicates: bool,
}

/// What became of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is a case now.
    Added,
    /// It was one, and the fields given by hand changed it.
    Changed,
    /// It was one, and says the same.
    Unchanged,
    /// It is an exact duplicate and was left out as asked.
    Duplicate,
}

/// One trace that was promoted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Promoted {
    /// The trace.
    pub trace: Untrusted,
    /// What became of it.
    pub outcome: Outcome,
    /// The case; null for one left out.
    pub case: Option<CaseView>,
    /// Cases whose input it resembles.
    pub resembles: Vec<Resembles>,
    /// What the case lacks: `label`, `expected`, `reasoning`.
    pub lacks: Vec<&'static str>,
}

/// A trace that could not be promoted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NotPromoted {
    /// The trace.
    pub trace: Untrusted,
    /// Why.
    pub reason: String,
}

/// What became of a promotion.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PromoteReport {
    /// The set.
    pub set: SetName,
    /// Its version after it.
    pub version: u64,
    /// The traces, in the order asked.
    pub promoted: Vec<Promoted>,
    /// Those that could not be promoted.
    pub failed: Vec<NotPromoted>,
    /// What was written; null when no directory is in force.
    pub file: Option<FileReport>,
}

/// What became of an edit or a retirement.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SaveReport {
    /// The set.
    pub set: SetName,
    /// Its version just before it: what an undo restores.
    pub before: u64,
    /// Its version after it.
    pub version: u64,
    /// The cases that changed, as they are now, or as they were when they were retired.
    pub cases: Vec<CaseView>,
    /// What was written; null when no directory is in force.
    pub file: Option<FileReport>,
}

/// Promotes traces: all in one durable act, then the set's file is written. A trace that is a case
/// of the set already is changed by the fields given by hand, and by nothing else. A trace that
/// nobody has labelled is promoted too; its report says what the case lacks.
pub fn promote(ctx: &Ctx, request: &PromoteRequest) -> Result<PromoteReport> {
    let set = &request.set;
    let taken_first = files::follow(ctx, set)?;
    let mut inputs = Inputs::of(&ctx.store.eval_set(set)?.cases);
    let (mut drafts, mut failed) = (Vec::new(), Vec::new());
    let (mut asked, mut taken) = (BTreeSet::new(), BTreeSet::new());
    for trace in request.traces.iter().filter(|trace| asked.insert(*trace)) {
        match draft_with(ctx, trace.raw(), set, &inputs, &taken) {
            Ok(mut draft) => {
                if let Some(case) = &draft.already {
                    draft.body = body_of(case);
                }
                request.fields.apply(&mut draft.body);
                if request.fields.input.is_some() {
                    draft.resembles = inputs.resembling(&draft.body.input, Some(&draft.id));
                }
                let duplicate = request.skip_duplicates
                    && draft.already.is_none()
                    && draft.resembles.iter().any(|other| other.exact);
                if !duplicate && draft.already.is_none() {
                    inputs.add(&draft.id, &draft.body.input);
                }
                taken.insert(draft.id.clone());
                drafts.push((draft, duplicate));
            }
            Err(error) if error.kind == crate::domain::ErrorKind::NotSo => {
                failed.push(NotPromoted { trace: trace.clone(), reason: error.what });
            }
            Err(error) => return Err(error),
        }
    }
    if drafts.is_empty()
        && let Some(first) = failed.first()
    {
        let error = match &failed[1..] {
            [] => Error::not_so(first.reason.clone()),
            more => Error::not_so(format!("{} And {} more are not there.", first.reason, more.len())),
        };
        return Err(error.hint("List traces with `tuesday trace list`."));
    }
    let (at, by) = (ctx.clock.now(), reviewer(ctx)?);
    let (version, promoted) = ctx.store.change_cases(set, at, by, |tx| {
        let mut promoted = Vec::new();
        for (draft, duplicate) in drafts {
            let trace = draft.body.trace.clone().unwrap_or_default();
            if tx.find(&draft.id)?.is_some_and(|(case, _)| !same_origin(&case.body, &draft.body)) {
                return Err(Error::failed(format!("Another program just gave the id {} away.", draft.id))
                    .hint("Nothing was promoted: run the same command again."));
            }
            let outcome = if duplicate {
                Outcome::Duplicate
            } else {
                match tx.put(&draft.id, &draft.body)? {
                    Some(CaseEventKind::Add) => Outcome::Added,
                    Some(_) => Outcome::Changed,
                    None => Outcome::Unchanged,
                }
            };
            let case = tx.find(&draft.id)?.filter(|_| !duplicate).map(|(case, _)| CaseView::from(case));
            let lacks = lacks(&draft.body);
            promoted.push(Promoted { trace, outcome, case, resembles: draft.resembles, lacks });
        }
        Ok((tx.version()?, promoted))
    })?;
    let file = files::sync(ctx, set, taken_first)?;
    Ok(PromoteReport {
        set: set.clone(),
        version: version.max(file_version(file.as_ref())),
        promoted,
        failed,
        file,
    })
}

/// Changes fields of a case.
pub fn edit(ctx: &Ctx, set: &SetName, id: &CaseId, fields: &CaseFields) -> Result<SaveReport> {
    let change = |tx: &crate::store::CaseTx<'_>| {
        let Some((case, true)) = tx.find(id)? else { return Err(no_case(set, id)) };
        let mut body = case.body;
        fields.apply(&mut body);
        tx.put(id, &body)
    };
    save(ctx, set, std::slice::from_ref(id), |tx| change(tx).map(drop))
}

/// Gives a case the words that it had at a former version of the set; brings a retired one back.
pub fn restore(ctx: &Ctx, set: &SetName, id: &CaseId, version: u64) -> Result<SaveReport> {
    let events = ctx.store.case_history(set, id)?;
    if events.is_empty() {
        return Err(no_case(set, id));
    }
    let then = events.into_iter().take_while(|event| event.version <= version).last();
    let body = then.and_then(|event| event.body).ok_or_else(|| {
        Error::not_so(format!("The case {id} was not in {set} at version {version}."))
            .hint(format!("See its history: tuesday evals show {set} {id}"))
    })?;
    save(ctx, set, std::slice::from_ref(id), |tx| tx.put(id, &body).map(drop))
}

/// Takes cases out of a set. Their history stays, and the id stays theirs.
pub fn retire(ctx: &Ctx, set: &SetName, ids: &[CaseId]) -> Result<SaveReport> {
    save(ctx, set, ids, |tx| {
        for id in ids {
            if !tx.retire(id)? {
                return Err(no_case(set, id));
            }
        }
        Ok(())
    })
}

fn save(
    ctx: &Ctx,
    set: &SetName,
    ids: &[CaseId],
    act: impl FnOnce(&crate::store::CaseTx<'_>) -> Result<()>,
) -> Result<SaveReport> {
    let taken = files::follow(ctx, set)?;
    let (before, version, cases) = ctx.store.change_cases(set, ctx.clock.now(), reviewer(ctx)?, |tx| {
        let before = tx.version()?;
        act(tx)?;
        let mut cases = Vec::new();
        for id in ids {
            cases.extend(tx.find(id)?.map(|(case, _)| CaseView::from(case)));
        }
        Ok((before, tx.version()?, cases))
    })?;
    let file = files::sync(ctx, set, taken)?;
    Ok(SaveReport {
        set: set.clone(),
        before,
        version: version.max(file_version(file.as_ref())),
        cases,
        file,
    })
}

fn file_version(file: Option<&FileReport>) -> u64 {
    file.map_or(0, |file| file.version)
}

pub(super) fn no_case(set: &SetName, id: &CaseId) -> Error {
    Error::not_so(format!("There is no case {id} in {set}."))
        .hint(format!("List them: tuesday evals show {set}"))
}

fn lacks(body: &CaseBody) -> Vec<&'static str> {
    [
        ("label", body.label.is_none()),
        ("expected", body.expected.is_none()),
        ("reasoning", body.reasoning.is_none()),
    ]
    .into_iter()
    .filter_map(|(name, lacking)| lacking.then_some(name))
    .collect()
}

fn body_of(case: &CaseView) -> CaseBody {
    CaseBody {
        input: case.input.clone(),
        expected: case.expected.clone(),
        expected_kind: case.expected_kind,
        reasoning: case.reasoning.clone(),
        category: case.category.clone(),
        checks: case.checks.clone(),
        trace: case.trace.clone(),
        label: case.label.clone(),
    }
}
