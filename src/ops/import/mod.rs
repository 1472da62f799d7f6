//! Traces into the store: from files in any known format, or made by this program.
//!
//! A file goes through three stages on threads of their own: cut into chunks, chunks into prepared
//! traces, prepared traces into the store ([`pipeline`]). Each batch is one transaction, so an import
//! can be stopped or killed at any moment; the same command again goes on, since what is there is
//! recognised.

mod pipeline;
mod plan;
mod tally;

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use super::Ctx;
use super::index::IndexView;
use crate::domain::{Error, Result, Trace};
use crate::store::{Outcome, Prepared, Preparer};
use crate::task::{Cancel, Progress};

/// Traces written as one transaction.
const BATCH: usize = 8192;
/// Traces in the first transactions of a store, until its dictionary is trained.
const FIRST_BATCH: usize = 1024;

/// What to import, and how.
#[derive(Debug, Clone, Default)]
pub struct ImportSpec {
    /// Files; `-` is standard input.
    pub files: Vec<String>,
    /// The format, or `None` to tell it by the first item of each file.
    pub format: Option<Format>,
    /// Entries of a mapping, `FIELD=POINTER`.
    pub map: Vec<String>,
    /// A file with more of them, TOML or JSON.
    pub map_file: Option<PathBuf>,
    /// The feature of traces that name none.
    pub feature: Option<String>,
    /// Where rejects are written, instead of `FILE.rejects.jsonl` beside each file.
    pub rejects: Option<PathBuf>,
}

pub use crate::wire::read::Format;

/// What became of an import.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ImportView {
    /// New traces.
    pub added: u64,
    /// Traces that were there already, as they are.
    pub unchanged: u64,
    /// Traces that were there already and got new feedback, scores or spans.
    pub updated: u64,
    /// Items that were not taken.
    pub rejected: u64,
    /// Whether it was stopped before its end.
    pub stopped: bool,
    /// Odd things about what was taken.
    pub notes: NotesView,
    /// How far the search index is behind the rows.
    pub text_index: IndexView,
    /// The same for each file.
    pub files: Vec<FileView>,
    /// The first rejects.
    pub rejects: Vec<RejectView>,
    /// Seconds that it took.
    pub seconds: f64,
}

/// Odd things about traces that were taken all the same, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct NotesView {
    /// Fields that the format does not know; they are in the metadata.
    pub unknown_fields: u64,
    /// Traces that are up to a day ahead of this machine's clock.
    pub ahead_of_clock: u64,
    /// Traces without a time, which got the time of arrival.
    pub without_time: u64,
    /// Traces without an id, which got one derived from their content.
    pub without_id: u64,
}

impl NotesView {
    fn add(&mut self, other: Self) {
        self.unknown_fields += other.unknown_fields;
        self.ahead_of_clock += other.ahead_of_clock;
        self.without_time += other.without_time;
        self.without_id += other.without_id;
    }
}

/// What became of one file.
#[derive(Debug, Clone, Default, Serialize)]
pub struct FileView {
    /// Its name as it was given.
    pub file: String,
    /// The format that it was read as.
    pub format: &'static str,
    /// As in [`ImportView`], for this file.
    pub added: u64,
    /// As in [`ImportView`], for this file.
    pub unchanged: u64,
    /// As in [`ImportView`], for this file.
    pub updated: u64,
    /// As in [`ImportView`], for this file.
    pub rejected: u64,
    /// Where its rejects were written, when it has any.
    pub rejects_file: Option<String>,
}

/// An item that was not taken.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RejectView {
    /// The file.
    pub file: String,
    /// The line on which it begins.
    pub line: u64,
    /// The byte of the unpacked file on which it begins.
    pub offset: u64,
    /// Why.
    pub reason: String,
    /// Whether the file is one item a line: then the line names it, else the byte.
    #[serde(skip)]
    pub by_line: bool,
}

/// Imports files. Progress counts bytes of the files as they lie on the disk. When cancelled it stops
/// after the transaction under way and says so in the answer.
pub fn files(ctx: &Ctx, spec: &ImportSpec, cancel: &Cancel, progress: &Progress) -> Result<ImportView> {
    let plan = plan::make(spec)?;
    progress.phase("waiting for another import");
    let lock = loop {
        match ctx.store.lock_import()? {
            Some(lock) => break lock,
            None => cancel.wait(Duration::from_millis(200))?,
        }
    };
    let began = std::time::Instant::now();
    let mut view = pipeline::run(ctx, spec, plan, cancel, progress)?;
    view.seconds = began.elapsed().as_secs_f64();
    let (indexed, last) = ctx.store.text_index_state()?;
    view.text_index.pending = (last - indexed).max(0).unsigned_abs();
    drop(lock);
    Ok(view)
}

/// What became of traces that this program made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ImportReport {
    /// New ones.
    pub added: u64,
    /// Those that were there already, as they are.
    pub unchanged: u64,
    /// Those that were there already and got new feedback or scores.
    pub updated: u64,
    /// Those whose id belongs to another trace; they were not written.
    pub conflicts: u64,
}

impl ImportReport {
    fn count(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Added(_) => self.added += 1,
            Outcome::Unchanged => self.unchanged += 1,
            Outcome::Updated | Outcome::Rewritten { .. } => self.updated += 1,
            Outcome::Conflict(_) => self.conflicts += 1,
        }
    }
}

/// Stores traces that this program made. They are taken as they come: nothing is checked.
pub fn traces(ctx: &Ctx, traces: impl IntoIterator<Item = Trace>) -> Result<ImportReport> {
    let mut traces = traces.into_iter();
    ctx.store.note_patterns(&ctx.fallback)?;
    let mut loader = ctx.store.loader(traces.size_hint().0 as u64)?;
    let mut preparer = Preparer::new(loader.dictionary())?.with_fallback(ctx.fallback.clone());
    let mut report = ImportReport::default();
    let mut batch: Vec<Prepared> = Vec::new();
    loop {
        let trace = traces.next();
        let last = trace.is_none();
        if let Some(trace) = trace {
            batch.push(preparer.prepare(trace, ctx.clock.now())?);
        }
        let trained = loader.dictionary().is_some();
        if batch.len() == if trained { BATCH } else { FIRST_BATCH } || last {
            loader.write(&mut batch)?.into_iter().for_each(|outcome| report.count(outcome));
            batch.clear();
            if !trained && loader.dictionary().is_some() {
                preparer = Preparer::new(loader.dictionary())?.with_fallback(ctx.fallback.clone());
            }
        }
        if last {
            loader.finish()?;
            return Ok(report);
        }
    }
}

/// A failure to write the report of what was rejected, which must not undo the import.
fn cannot_report(path: &std::path::Path, why: std::io::Error) -> Error {
    Error::failed(format!("The rejects cannot be written to {}.", path.display()))
        .because(why)
        .hint("Name another file with --rejects.")
}

#[cfg(test)]
mod file_tests;
#[cfg(test)]
mod tests;
