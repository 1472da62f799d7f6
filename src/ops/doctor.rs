//! Whether the store is whole, and what it is made of.

use serde::Serialize;

use super::Ctx;
use crate::domain::Result;
use crate::task::{Cancel, Progress};

/// The state of a store.
#[derive(Debug, Clone, Serialize)]
pub struct DoctorView {
    /// Both files together, then the traces file.
    pub store: StoreView,
    /// The work file.
    pub work: WorkView,
    /// The program.
    pub program: ProgramView,
}

/// The store and its traces file.
#[derive(Debug, Clone, Serialize)]
pub struct StoreView {
    /// `ok` when both files are whole, else `damaged`.
    pub integrity: &'static str,
    /// What is wrong with the traces file.
    pub problems: Vec<String>,
    /// Where it is.
    pub path: String,
    /// The version of its layout.
    pub version: i64,
    /// How many traces it holds.
    pub traces: i64,
    /// Its size on the disk.
    pub size_bytes: u64,
    /// Whether it can be written.
    pub writable: bool,
    /// Indexes that are still to be built after an import was killed.
    pub missing_indexes: Vec<&'static str>,
    /// The search index.
    pub text_index: TextIndexView,
}

/// How far the search index is.
#[derive(Debug, Clone, Serialize)]
pub struct TextIndexView {
    /// Traces that it knows.
    pub indexed: i64,
    /// Traces that it does not know yet.
    pub pending: i64,
}

/// The work file.
#[derive(Debug, Clone, Serialize)]
pub struct WorkView {
    /// `ok` or `damaged`.
    pub integrity: &'static str,
    /// What is wrong with it.
    pub problems: Vec<String>,
    /// Where it is.
    pub path: String,
    /// The version of its layout.
    pub version: i64,
    /// Its size on the disk.
    pub size_bytes: u64,
    /// Present labels that differ from the events they are derived from; [`rebuild_labels`] puts them right.
    pub drifted_labels: u64,
}

/// The program.
#[derive(Debug, Clone, Serialize)]
pub struct ProgramView {
    /// Its version.
    pub version: &'static str,
    /// The version of SQLite in it.
    pub sqlite: &'static str,
}

impl DoctorView {
    /// Whether nothing is wrong.
    pub fn is_ok(&self) -> bool {
        self.store.integrity == "ok"
    }
}

/// Makes the present labels anew from the events of labelling, which are never changed. Gives how many
/// there are.
pub fn rebuild_labels(ctx: &Ctx) -> Result<usize> {
    ctx.store.rebuild_labels()
}

/// Examines the store. Reads all of it.
pub fn examine(ctx: &Ctx, cancel: &Cancel, progress: &Progress) -> Result<DoctorView> {
    let facts = ctx.store.facts()?;
    let mut checked = ctx.store.check(cancel, progress)?;
    let drifted_labels = if checked.work.is_empty() { ctx.store.label_drift()? } else { 0 };
    if drifted_labels > 0 {
        let problem = format!("{drifted_labels} present labels are not what the events of labelling say");
        checked.work.push(problem);
    }
    let word = |whole: bool| if whole { "ok" } else { "damaged" };
    let work_whole = checked.work.is_empty();
    Ok(DoctorView {
        store: StoreView {
            integrity: word(work_whole && checked.traces.is_empty()),
            problems: checked.traces,
            path: ctx.store.path().display().to_string(),
            version: facts.versions.0,
            traces: facts.traces,
            size_bytes: facts.sizes.0,
            writable: ctx.store.is_writable(),
            missing_indexes: facts.missing_indexes,
            text_index: TextIndexView { indexed: facts.indexed, pending: facts.traces - facts.indexed },
        },
        work: WorkView {
            integrity: word(work_whole),
            problems: checked.work,
            path: ctx.store.work_path().display().to_string(),
            version: facts.versions.1,
            size_bytes: facts.sizes.1,
            drifted_labels,
        },
        program: ProgramView { version: env!("CARGO_PKG_VERSION"), sqlite: facts.sqlite },
    })
}
