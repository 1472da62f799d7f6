//! Reading an edited file back on purpose: what it lacks is retired.

use std::path::PathBuf;

use serde::Serialize;

use super::files::{self, FileReport, Mode, Taken};
use crate::domain::{Error, EvalSet, Result, SetName};
use crate::ops::Ctx;
use crate::wire::read::eval_set::{EvalFile, read_eval_set};

/// What to read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportRequest {
    /// The edited file.
    pub file: PathBuf,
    /// The set that it is.
    pub set: SetName,
    /// Say what would happen, and change nothing.
    pub dry_run: bool,
}

/// What became of an edited file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ImportReport {
    /// The set.
    pub set: SetName,
    /// Its version after it.
    pub version: u64,
    /// The file that was read.
    pub from: PathBuf,
    /// Whether nothing was changed, as asked.
    pub dry_run: bool,
    /// What was taken.
    #[serde(flatten)]
    pub taken: Taken,
    /// What was written; null when no directory is in force, or nothing was to be changed.
    pub file: Option<FileReport>,
}

/// Takes an edited file into a set: changed fields, added lines, removed lines. What it was edited
/// *from* is what was last written to that place. A file elsewhere counts as an edited copy of what
/// was last written or exported, if it has at least half of those cases; else it only adds and
/// changes. Bad lines are named and kept out, and while there are any, nothing is retired.
pub fn import(ctx: &Ctx, request: &ImportRequest) -> Result<ImportReport> {
    let ImportRequest { file: path, set, dry_run } = request;
    let file =
        read_eval_set(path)?.ok_or_else(|| Error::not_so(format!("There is no file {}.", path.display())))?;
    if file.cases.is_empty() && file.rejected.is_empty() {
        return Err(Error::not_so(format!("{} has no line in it, so nothing was taken.", path.display()))
            .hint(format!("To take cases out of {set}: tuesday evals retire --set {set} CASE…")));
    }
    let base = base(ctx, set, &files::key(path), &file)?;
    let taken = if *dry_run {
        files::foresee(ctx, set, path, &file, base.as_ref())?
    } else {
        files::take(ctx, set, path, &file, base.as_ref(), Mode::Obey)?.0
    };
    let written = if *dry_run { None } else { files::sync(ctx, set, None)? };
    let version = ctx.store.eval_set(set)?.version;
    Ok(ImportReport {
        set: set.clone(),
        version,
        from: path.clone(),
        dry_run: *dry_run,
        taken,
        file: written,
    })
}

/// The state that the file was edited from, as far as it is known.
fn base(ctx: &Ctx, set: &SetName, key: &str, file: &EvalFile) -> Result<Option<EvalSet>> {
    if let Some(last) = ctx.store.eval_file(set, key)? {
        return ctx.store.eval_set_at(set, last.version);
    }
    let Some(version) = ctx.store.eval_file_newest(set)? else { return Ok(None) };
    let Some(base) = ctx.store.eval_set_at(set, version)? else { return Ok(None) };
    let shared =
        base.cases.iter().filter(|case| file.cases.iter().any(|line| line.id.as_ref() == Some(&case.id)));
    Ok((shared.count() * 2 >= base.cases.len()).then_some(base))
}
