//! What the faces get: cases and sets as plain data, in the documented `--json` shape.

use jiff::Timestamp;
use serde::Serialize;

use crate::domain::{
    CaseEvent, CaseEventKind, CaseId, Check, Content, EvalCase, EvalSet, ExpectedKind, ModeId, SetName,
    Untrusted, Verdict,
};

/// A case.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CaseView {
    /// Its name in the set.
    pub id: CaseId,
    /// The set.
    pub set: SetName,
    /// What goes in.
    pub input: Content,
    /// What should come out, or what it should do.
    pub expected: Option<Untrusted>,
    /// How `expected` is meant.
    pub expected_kind: ExpectedKind,
    /// Why.
    pub reasoning: Option<Untrusted>,
    /// The kind of edge case.
    pub category: Untrusted,
    /// Its own rule checks.
    pub checks: Vec<Check>,
    /// The trace it came from.
    pub trace: Option<Untrusted>,
    /// The label event it was made from.
    pub label: Option<Untrusted>,
    /// When it was added.
    pub created: Timestamp,
    /// When it was last changed.
    pub updated: Timestamp,
    /// Who changed it last.
    pub by: Untrusted,
}

impl From<EvalCase> for CaseView {
    fn from(case: EvalCase) -> Self {
        let EvalCase { id, set, body, created, updated, by } = case;
        Self {
            id,
            set,
            input: body.input,
            expected: body.expected,
            expected_kind: body.expected_kind,
            reasoning: body.reasoning,
            category: body.category,
            checks: body.checks,
            trace: body.trace,
            label: body.label,
            created,
            updated,
            by,
        }
    }
}

/// A set at one version.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EvalSetView {
    /// Its name.
    pub name: SetName,
    /// The version shown.
    pub version: u64,
    /// Its cases, in order of first addition.
    pub cases: Vec<CaseView>,
}

impl From<EvalSet> for EvalSetView {
    fn from(set: EvalSet) -> Self {
        let cases = set.cases.into_iter().map(CaseView::from).collect();
        Self { name: set.name, version: set.version, cases }
    }
}

/// A set in the list of sets.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EvalSetRowView {
    /// Its name.
    pub name: SetName,
    /// How many changes it has seen.
    pub version: u64,
    /// How many cases it holds now.
    pub cases: u64,
    /// How many were retired.
    pub retired: u64,
    /// How many cases each category has, most first.
    pub categories: Vec<CategoryCount>,
    /// When it was last changed.
    pub updated: Timestamp,
}

/// How many cases a category has.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CategoryCount {
    /// The category.
    pub category: Untrusted,
    /// Its cases.
    pub cases: u64,
}

/// One change of a case.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CaseEventView {
    /// The version of the set after it.
    pub version: u64,
    /// What happened.
    pub kind: CaseEventKind,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: Untrusted,
    /// What the case said after it; null when it was retired.
    pub body: Option<crate::domain::CaseBody>,
}

impl From<CaseEvent> for CaseEventView {
    fn from(event: CaseEvent) -> Self {
        Self { version: event.version, kind: event.kind, at: event.at, by: event.by, body: event.body }
    }
}

/// A case with its past and its likenesses.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CaseHistoryView {
    /// The case now; null when it is retired.
    pub case: Option<CaseView>,
    /// The label that it was made from; null when there is none in this store.
    pub label: Option<CaseLabelView>,
    /// All that happened to it, oldest first.
    pub history: Vec<CaseEventView>,
    /// The cases of the set that it resembles.
    pub resembles: Vec<super::Resembles>,
}

/// The label that a case was made from.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CaseLabelView {
    /// Who gave it.
    pub reviewer: Untrusted,
    /// When.
    pub at: Timestamp,
    /// The verdict.
    pub verdict: Option<Verdict>,
    /// The failure mode.
    pub mode: Option<ModeId>,
    /// The note.
    pub note: Option<Untrusted>,
    /// Whether it is the reviewer's label still; false when it was changed or taken back since.
    pub stands: bool,
}

/// The cases of a set in its list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CaseListView {
    /// The set.
    pub set: SetName,
    /// Its version.
    pub version: u64,
    /// Its cases.
    pub cases: Vec<CaseLineView>,
}

/// A case in the list of a set.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CaseLineView {
    /// The case.
    #[serde(flatten)]
    pub case: CaseView,
    /// The cases of the set that it resembles.
    pub resembles: Vec<super::Resembles>,
}
