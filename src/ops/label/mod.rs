//! Labelling: a verdict, a note, a correction; skipping and undoing; the export. Every act answers with a
//! receipt that says in words what happened, and has reached the disk by then.

mod export;
mod words;

use std::collections::HashMap;

use jiff::Timestamp;
use serde::Serialize;

use super::Ctx;
use crate::domain::{Error, LabelAct, LabelBody, ModeId, Result, Severity, Taxonomy, Untrusted, Verdict};
use crate::store::{Act, LabelRow, Within, Written, id_hash};

pub use export::{LabelFilter, each_label};
pub(super) use words::{act_words, body_words};

/// A present label, in the shape of `labels export`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LabelView {
    /// The trace.
    pub trace: Untrusted,
    /// Whose label.
    pub reviewer: Untrusted,
    /// The verdict; `None` for a draft.
    pub verdict: Option<Verdict>,
    /// The failure mode.
    pub mode: Option<ModeId>,
    /// How bad it is.
    pub severity: Option<Severity>,
    /// Why.
    pub note: Option<Untrusted>,
    /// What the response should have been.
    pub corrected: Option<Untrusted>,
    /// When it was given.
    pub at: Timestamp,
}

impl From<LabelRow> for LabelView {
    fn from(row: LabelRow) -> Self {
        let LabelBody { verdict, mode, severity, note, corrected } = row.body;
        Self {
            trace: row.trace,
            reviewer: row.reviewer,
            verdict,
            mode,
            severity,
            note,
            corrected,
            at: row.at,
        }
    }
}

/// A label that is to be given.
#[derive(Debug, Clone)]
pub struct LabelRequest {
    /// The trace's id.
    pub trace: Untrusted,
    /// The sample in whose queue it is done.
    pub sample: Option<String>,
    /// All that the label is to say; the former label is replaced.
    pub body: LabelBody,
}

/// A verdict that is to be given, the texts written so far being kept.
#[derive(Debug, Clone)]
pub struct VerdictRequest {
    /// The trace's id.
    pub trace: Untrusted,
    /// The sample in whose queue it is done.
    pub sample: Option<String>,
    /// The verdict.
    pub verdict: Verdict,
    /// With a failure, its mode.
    pub mode: Option<ModeId>,
}

/// What an act on a label left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LabelReceipt {
    /// The event recorded.
    pub event: String,
    /// The trace.
    pub trace: Untrusted,
    /// What was done, in words: `fail: wrong tone, high`, `pass, with a note`, `skipped`.
    pub words: Untrusted,
    /// My label of the trace now.
    pub label: Option<LabelView>,
    /// My label of the trace before.
    pub before: Option<LabelView>,
}

/// What an undo left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UndoReceipt {
    /// The event recorded.
    pub event: String,
    /// The trace.
    pub trace: Untrusted,
    /// What was taken back, in words: `fail: wrong tone`, `the note`, `skipped`.
    pub undone: Untrusted,
    /// What it is now, in words: `pass`, `no label`.
    pub now: Untrusted,
    /// My label of the trace now.
    pub label: Option<LabelView>,
}

/// Which of my acts an undo may take back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UndoScope {
    /// All of them: the last one, wherever it was done.
    Everything,
    /// Those on traces of this sample.
    Sample(String),
    /// Those on these traces.
    Traces(Vec<Untrusted>),
}

/// The present labels of these traces, drafts too, in the order asked for and by reviewer. One query for all.
pub fn present(ctx: &Ctx, traces: &[Untrusted]) -> Result<Vec<Vec<LabelView>>> {
    let hashes: Vec<i64> = traces.iter().map(|trace| id_hash(trace.raw())).collect();
    let mut of: HashMap<Untrusted, Vec<LabelView>> = HashMap::new();
    for row in ctx.store.labels_on(&hashes)? {
        of.entry(row.trace.clone()).or_default().push(row.into());
    }
    of.values_mut().for_each(|labels| labels.sort_by(|a, b| a.reviewer.cmp(&b.reviewer)));
    Ok(traces.iter().map(|trace| of.get(trace).cloned().unwrap_or_default()).collect())
}

/// Gives a trace a label in place of my present one.
pub fn label(ctx: &Ctx, request: &LabelRequest) -> Result<LabelReceipt> {
    amend(ctx, &request.trace, request.sample.as_deref(), |_| Ok(request.body.clone()))
}

/// Gives a verdict. Note and corrected output stay as they are; severity too, unless it is a pass.
pub fn verdict(ctx: &Ctx, request: &VerdictRequest) -> Result<LabelReceipt> {
    amend(ctx, &request.trace, request.sample.as_deref(), |now| {
        Ok(LabelBody {
            verdict: Some(request.verdict),
            mode: request.mode.clone(),
            severity: now.severity.filter(|_| request.verdict != Verdict::Pass),
            ..now
        })
    })
}

/// Sets or takes away my note on a trace. On one that I have not judged it is kept as a draft.
pub fn set_note(
    ctx: &Ctx,
    trace: &Untrusted,
    sample: Option<&str>,
    note: Option<Untrusted>,
) -> Result<LabelReceipt> {
    amend(ctx, trace, sample, |now| Ok(LabelBody { note, ..now }))
}

/// Sets or takes away my corrected output. On a trace that I have not judged it is kept as a draft.
pub fn set_corrected(
    ctx: &Ctx,
    trace: &Untrusted,
    sample: Option<&str>,
    corrected: Option<Untrusted>,
) -> Result<LabelReceipt> {
    amend(ctx, trace, sample, |now| Ok(LabelBody { corrected, ..now }))
}

/// Sets or takes away the severity of my label.
pub fn set_severity(
    ctx: &Ctx,
    trace: &Untrusted,
    sample: Option<&str>,
    severity: Option<Severity>,
) -> Result<LabelReceipt> {
    amend(ctx, trace, sample, |now| Ok(LabelBody { severity, ..now }))
}

/// Records that I passed over a trace: it comes again at the end of the queue.
pub fn skip(ctx: &Ctx, trace: &Untrusted, sample: Option<&str>) -> Result<LabelReceipt> {
    ctx.store.require_trace(trace)?;
    let taxonomy = ctx.store.taxonomy()?;
    let written = ctx.store.skip_label(act(ctx, trace, sample)?)?;
    Ok(receipt(written, &taxonomy))
}

/// Takes back my last act that is not taken back yet. Errors with `NotSo` when there is none.
pub fn undo(ctx: &Ctx, scope: &UndoScope) -> Result<UndoReceipt> {
    let within = match scope {
        UndoScope::Everything => Within::Everything,
        UndoScope::Sample(name) => Within::Sample(name),
        UndoScope::Traces(traces) => Within::Traces(traces),
    };
    let reviewer = reviewer(ctx)?;
    let taxonomy = ctx.store.taxonomy()?;
    let undone = ctx.store.undo_label(reviewer, ctx.clock.now(), within)?.ok_or_else(|| {
        let place = match scope {
            UndoScope::Everything => String::new(),
            UndoScope::Sample(name) => format!(" in {name}"),
            UndoScope::Traces(_) => " in this list".to_owned(),
        };
        Error::not_so(format!("{reviewer} has nothing to undo{place}."))
            .hint("Undo takes back your own labels. Whose they are is set by --reviewer.")
    })?;
    let now = undone.written.now.map(LabelView::from);
    let left = undone.written.event.trace;
    let standing = now.as_ref().map(body_of);
    Ok(UndoReceipt {
        event: undone.written.event.id,
        trace: left,
        undone: words::undone_words(&undone.undone, standing.as_ref(), &taxonomy),
        now: standing.map_or_else(|| "no label".into(), |body| body_words(&body, &taxonomy)),
        label: now,
    })
}

/// Gives a trace the label that `change` makes of my present one. The taxonomy is read before the act and
/// not after it: once the act has reached the disk nothing may fail.
pub(super) fn amend(
    ctx: &Ctx,
    trace: &Untrusted,
    sample: Option<&str>,
    change: impl FnOnce(LabelBody) -> Result<LabelBody>,
) -> Result<LabelReceipt> {
    ctx.store.require_trace(trace)?;
    let taxonomy = ctx.store.taxonomy()?;
    let written = ctx.store.set_label(act(ctx, trace, sample)?, |now| {
        let body = change(now.cloned().unwrap_or_default())?;
        match body.mode.as_ref().filter(|mode| taxonomy.get(mode).is_none()) {
            Some(unknown) => Err(taxonomy.unknown(unknown.as_str())),
            None => Ok(body),
        }
    })?;
    Ok(receipt(written, &taxonomy))
}

fn act<'a>(ctx: &'a Ctx, trace: &'a Untrusted, sample: Option<&'a str>) -> Result<Act<'a>> {
    Ok(Act { at: ctx.clock.now(), reviewer: reviewer(ctx)?, trace, sample })
}

/// The reviewer's name, which labels carry for good.
pub(super) fn reviewer(ctx: &Ctx) -> Result<&str> {
    let name = ctx.reviewer.trim();
    if name.is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
        return Err(Error::usage(format!("{:?} cannot be a reviewer's name.", ctx.reviewer))
            .hint("Name yourself with --reviewer: one line of up to 100 characters."));
    }
    Ok(name)
}

fn receipt(written: Written, taxonomy: &Taxonomy) -> LabelReceipt {
    let Written { event, before, now } = written;
    let words = match (&event.act, &now) {
        (LabelAct::Set(_), Some(now)) => {
            words::set_words(before.as_ref().map(|before| &before.body), &now.body, taxonomy)
        }
        _ => act_words(&event, taxonomy),
    };
    LabelReceipt {
        event: event.id,
        trace: event.trace,
        words,
        label: now.map(LabelView::from),
        before: before.map(LabelView::from),
    }
}

fn body_of(view: &LabelView) -> LabelBody {
    LabelBody {
        verdict: view.verdict,
        mode: view.mode.clone(),
        severity: view.severity,
        note: view.note.clone(),
        corrected: view.corrected.clone(),
    }
}

#[cfg(test)]
mod tests;
