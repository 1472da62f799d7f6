//! What the screen and the promotion form ask of the ops.

use std::path::PathBuf;

use crate::domain::{CaseId, Result, SetName, Untrusted};
use crate::ops::Ctx;
use crate::ops::promote::{
    self, CaseDraft, CaseFields, CaseHistoryView, CaseListView, EvalSetRowView, ImportReport, ImportRequest,
    PromoteReport, PromoteRequest, SaveReport,
};
use crate::task::{Cancel, Progress};
use crate::tui::jobs::Job;

/// Work for a worker thread.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// The list of sets.
    Sets,
    /// The cases of a set.
    Cases(SetName),
    /// A case with its history.
    Case(SetName, CaseId),
    /// What these traces would become; `None`: in the set that promotions usually go to.
    Drafts { traces: Vec<Untrusted>, set: Option<SetName> },
    /// What the traces of the open form would become in another set.
    Redraft { traces: Vec<Untrusted>, set: SetName },
    /// Promote.
    Promote(PromoteRequest),
    /// Change a case.
    Edit { set: SetName, case: CaseId, fields: CaseFields },
    /// Take a case out of its set.
    Retire { set: SetName, case: CaseId },
    /// Take back what was done to a case after this version.
    Restore { set: SetName, case: CaseId, version: u64 },
    /// Take what was changed in the set's file.
    ReadBack(SetName),
}

/// What it gives.
#[derive(Debug)]
pub enum Answer {
    Sets(Vec<EvalSetRowView>),
    Cases(CaseListView),
    Case(Box<CaseHistoryView>),
    Drafts { set: SetName, sets: Vec<SetName>, drafts: Vec<CaseDraft> },
    Promoted(Box<PromoteReport>),
    Saved(Box<SaveReport>),
    Read(Box<ImportReport>),
}

impl Request {
    /// Does the work; blocks.
    pub fn run(&self, ctx: &Ctx, cancel: &Cancel, _progress: &Progress) -> Result<Answer> {
        match self {
            Self::Sets => promote::list(ctx).map(Answer::Sets),
            Self::Cases(set) => promote::cases(ctx, set).map(Answer::Cases),
            Self::Case(set, id) => promote::show_case(ctx, set, id).map(|case| Answer::Case(Box::new(case))),
            Self::Drafts { traces, set } => {
                let set = match (set, traces.first()) {
                    (Some(set), _) => set.clone(),
                    (None, first) => promote::usual_set(ctx, first.map_or("", Untrusted::raw))?,
                };
                drafts(ctx, traces, set, cancel)
            }
            Self::Redraft { traces, set } => drafts(ctx, traces, set.clone(), cancel),
            Self::Promote(request) => {
                promote::promote(ctx, request).map(|report| Answer::Promoted(Box::new(report)))
            }
            Self::Edit { set, case, fields } => promote::edit(ctx, set, case, fields).map(saved),
            Self::Retire { set, case } => promote::retire(ctx, set, std::slice::from_ref(case)).map(saved),
            Self::Restore { set, case, version } => promote::restore(ctx, set, case, *version).map(saved),
            Self::ReadBack(set) => {
                let dir = ctx.evals_dir.clone().unwrap_or_else(|| PathBuf::from("evals"));
                let file = dir.join(format!("{set}.jsonl"));
                let request = ImportRequest { file, set: set.clone(), dry_run: false };
                promote::import(ctx, &request).map(|report| Answer::Read(Box::new(report)))
            }
        }
    }
}

fn drafts(ctx: &Ctx, traces: &[Untrusted], set: SetName, cancel: &Cancel) -> Result<Answer> {
    let drafts = promote::drafts(ctx, traces, &set, cancel)?;
    let sets = promote::list(ctx)?.into_iter().map(|row| row.name).collect();
    Ok(Answer::Drafts { set, sets, drafts })
}

fn saved(report: SaveReport) -> Answer {
    Answer::Saved(Box::new(report))
}

impl From<Request> for crate::tui::work::Request {
    fn from(request: Request) -> Self {
        Self::Evals(request)
    }
}

/// The work that opens the promotion form on these traces, from whatever screen.
pub fn promote_traces(traces: Vec<Untrusted>) -> Job {
    Job::replace("promote", "preparing the eval case", Request::Drafts { traces, set: None }.into())
}

/// An act on the sets: these are done one after the other.
pub fn act(title: &'static str, request: Request) -> Job {
    Job::queue("evals", title, request.into())
}
