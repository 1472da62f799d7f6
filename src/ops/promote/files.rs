//! `evals/<set>.jsonl`: where it is, and keeping it and the store in step.
//!
//! After a change of the store the file is written from the store. Before that, what a person did to
//! the file since it was last written is taken: lines added, fields changed. What the file merely
//! *lacks* is put back and said, and so is a line that says what the case said once: another branch
//! was checked out, or the file is old. Only an explicit import retires. A file with a line that
//! cannot be read is not written, for that line would be lost.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::draft::same_origin;
use crate::domain::{
    CaseBody, CaseConflict, CaseId, Error, EvalCase, EvalSet, FileCase, Merge, Result, SetName, merge,
};
use crate::ops::Ctx;
use crate::ops::label::reviewer;
use crate::store::{CaseTx, EvalFileRow};
use crate::wire::read::eval_set::{BadLine, EvalFile, digest, read_eval_set};
use crate::wire::write::eval_set::{case_text, eval_set_path, write_eval_set};

/// How often a file is written again because the set changed meanwhile.
const ROUNDS: usize = 5;

/// What was done with a set's file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FileReport {
    /// Where it is.
    pub path: PathBuf,
    /// The version of the set after the file's edits were taken.
    pub version: u64,
    /// Whether the file says now what the store says. False when a line of it cannot be read.
    pub written: bool,
    /// What was taken from it, and what was put back.
    #[serde(flatten)]
    pub taken: Taken,
}

/// What a file gave to a set.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Taken {
    /// Cases added.
    pub added: Vec<CaseId>,
    /// Cases changed, and the fields.
    pub changed: Vec<ChangedCase>,
    /// Cases retired.
    pub retired: Vec<CaseId>,
    /// How many lines said what the store said.
    pub unchanged: u64,
    /// Cases that the file lacked and that stay in the set.
    pub kept: Vec<CaseId>,
    /// What both sides had changed.
    pub conflicts: Vec<CaseConflict>,
    /// Lines that could not be read.
    pub rejected: Vec<RejectedLine>,
}

/// A case that a file changed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChangedCase {
    /// The case.
    pub case: CaseId,
    /// The fields.
    pub fields: Vec<&'static str>,
}

/// A line that was kept out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RejectedLine {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: u64,
    /// What is wrong with it. May quote the file: clean before printing.
    pub reason: String,
}

impl Taken {
    /// Whether the set was changed.
    pub fn changed_anything(&self) -> bool {
        !(self.added.is_empty() && self.changed.is_empty() && self.retired.is_empty())
    }

    fn and(mut self, more: Self) -> Self {
        self.added.extend(more.added);
        self.changed.extend(more.changed);
        self.retired.extend(more.retired);
        self.unchanged = self.unchanged.max(more.unchanged);
        self.kept.extend(more.kept);
        self.kept.sort();
        self.kept.dedup();
        self.conflicts.extend(more.conflicts);
        self.rejected.extend(more.rejected);
        self
    }
}

/// Takes what a person changed in the set's file since it was last written. `None` when there is
/// nothing to take. An act on the set does this first, so that the act, which is later, stands.
pub(super) fn follow(ctx: &Ctx, set: &SetName) -> Result<Option<Taken>> {
    let Some(dir) = &ctx.evals_dir else { return Ok(None) };
    let path = eval_set_path(dir, set);
    let Some(file) = read_eval_set(&path)? else { return Ok(None) };
    follow_file(ctx, set, &path, &file).map(|(taken, _)| Some(taken))
}

/// Takes what a person changed in the set's file, for an act that only reads the set: the file is written
/// where something was taken (a new line gets its id), and left as it is where not. `None` where there was
/// nothing to take. Errors, and takes nothing, when a line cannot be read: the act would go by half a set.
pub fn take_edits(ctx: &Ctx, set: &SetName) -> Result<Option<FileReport>> {
    let Some(dir) = &ctx.evals_dir else { return Ok(None) };
    let path = eval_set_path(dir, set);
    let Some(file) = read_eval_set(&path)? else { return Ok(None) };
    if let [first, more @ ..] = &file.rejected[..] {
        let error = Error::usage(format!("{}:{}: {}", path.display(), first.line, first.reason));
        let more = more.iter().take(4).map(|bad| format!("{}:{}: {}", path.display(), bad.line, bad.reason));
        return Err(more.fold(error, Error::hint).hint("Mend the file, or name a version of the set."));
    }
    let (taken, _) = follow_file(ctx, set, &path, &file)?;
    if taken.changed_anything() { sync(ctx, set, Some(taken)) } else { Ok(None) }
}

/// Writes the set's file from the store, once more taking what was changed in it. `None` when no
/// directory is in force. `before` is what [`follow`] took.
pub(super) fn sync(ctx: &Ctx, set: &SetName, before: Option<Taken>) -> Result<Option<FileReport>> {
    let Some(dir) = &ctx.evals_dir else { return Ok(None) };
    let path = eval_set_path(dir, set);
    let mut all = before.unwrap_or_default();
    for _ in 0..ROUNDS {
        let file = read_eval_set(&path)?;
        let mut order = Vec::new();
        all.rejected.clear();
        if let Some(file) = &file {
            let (taken, ids) = follow_file(ctx, set, &path, file)?;
            order = ids;
            all = all.and(taken);
            if !file.rejected.is_empty() {
                let version = ctx.store.eval_set(set)?.version;
                return Ok(Some(FileReport { path, version, written: false, taken: all }));
            }
        }
        let now = ctx.store.eval_set(set)?;
        let text = text_of(&now, &order);
        if file.is_none_or(|file| file.digest != digest(text.as_bytes())) {
            write_eval_set(&path, &text)?;
        }
        remember(ctx, set, &key(&path), now.version, &text)?;
        all.kept.retain(|id| now.cases.iter().any(|case| case.id == *id));
        // Another program may have changed the set between the reading of it and the writing of the file.
        if ctx.store.eval_set(set)?.version == now.version {
            return Ok(Some(FileReport { path, version: now.version, written: true, taken: all }));
        }
    }
    let version = ctx.store.eval_set(set)?.version;
    Ok(Some(FileReport { path, version, written: true, taken: all }))
}

fn follow_file(ctx: &Ctx, set: &SetName, path: &Path, file: &EvalFile) -> Result<(Taken, Vec<CaseId>)> {
    let last = ctx.store.eval_file(set, &key(path))?;
    if last.as_ref().is_some_and(|last| last.digest == file.digest) {
        return Ok((Taken::default(), file.cases.iter().filter_map(|case| case.id.clone()).collect()));
    }
    let base = last.map_or(Ok(None), |last| ctx.store.eval_set_at(set, last.version))?;
    take(ctx, set, path, file, base.as_ref(), Mode::Follow)
}

/// How a file is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Take what is new in it; a line that the set has seen before, or that is missing, is only old.
    Follow,
    /// Take it at its word: what is missing was removed.
    Obey,
}

/// Takes a file into a set, in one durable act. Gives what was taken and the ids of its lines in order.
pub(super) fn take(
    ctx: &Ctx,
    set: &SetName,
    path: &Path,
    file: &EvalFile,
    base: Option<&EvalSet>,
    mode: Mode,
) -> Result<(Taken, Vec<CaseId>)> {
    let (mut out, lines) = ctx.store.change_cases(set, ctx.clock.now(), reviewer(ctx)?, |tx| {
        let (lines, out) = compare(tx, file, base, mode)?;
        for (id, body) in &out.add {
            tx.put(id, body)?;
        }
        for (id, body, _) in &out.edit {
            tx.put(id, body)?;
        }
        for id in &out.retire {
            tx.retire(id)?;
        }
        Ok((out, lines))
    })?;
    if mode == Mode::Follow && file.rejected.is_empty() {
        // Only what the file is known to have held was taken out of it by somebody.
        out.kept.retain(|id| base.is_some_and(|base| base.cases.iter().any(|case| case.id == *id)));
    } else if mode == Mode::Follow {
        out.kept.clear();
    }
    Ok((taken(out, path, &file.rejected), lines.into_iter().map(|(id, _)| id).collect()))
}

/// What taking a file would do; changes nothing.
pub(super) fn foresee(
    ctx: &Ctx,
    set: &SetName,
    path: &Path,
    file: &EvalFile,
    base: Option<&EvalSet>,
) -> Result<Taken> {
    let out = ctx.store.change_cases(set, ctx.clock.now(), reviewer(ctx)?, |tx| {
        compare(tx, file, base, Mode::Obey).map(|(_, out)| out)
    })?;
    Ok(taken(out, path, &file.rejected))
}

fn compare(
    tx: &CaseTx<'_>,
    file: &EvalFile,
    base: Option<&EvalSet>,
    mode: Mode,
) -> Result<(Vec<(CaseId, CaseBody)>, Merge)> {
    let lines = named(tx, &file.cases)?;
    let base = base.map(bodies);
    let store = bodies(&tx.set()?);
    let complete = file.rejected.is_empty() && mode == Mode::Obey;
    let mut news = lines.clone();
    if mode == Mode::Follow {
        let mut fresh = Vec::new();
        for (id, body) in news {
            // What stands in the set too is no news, but it must not count as missing.
            if store.get(&id) == Some(&body) || !tx.said(&id, &body)? {
                fresh.push((id, body));
            } else if let Some(now) = store.get(&id) {
                fresh.push((id, now.clone()));
            }
        }
        news = fresh;
    }
    Ok((lines, merge(base.as_ref(), &store, &news, complete)))
}

/// The file's lines with an id each: their own, the one of the case that they are, or a new one.
fn named(tx: &CaseTx<'_>, lines: &[FileCase]) -> Result<Vec<(CaseId, CaseBody)>> {
    let mut given: HashSet<CaseId> = lines.iter().filter_map(|line| line.id.clone()).collect();
    let mut named = Vec::new();
    for line in lines {
        let id = match &line.id {
            Some(id) => id.clone(),
            None => CaseId::derive_free(line.body.trace.as_ref(), &line.body.input, |id| {
                let other = tx.find(id)?.is_some_and(|(case, _)| !same_origin(&case.body, &line.body));
                Ok(other || given.contains(id))
            })?,
        };
        given.insert(id.clone());
        named.push((id, line.body.clone()));
    }
    Ok(named)
}

fn taken(out: Merge, path: &Path, bad: &[BadLine]) -> Taken {
    let reject =
        |bad: &BadLine| RejectedLine { file: path.to_owned(), line: bad.line, reason: bad.reason.clone() };
    Taken {
        added: out.add.into_iter().map(|(id, _)| id).collect(),
        changed: out.edit.into_iter().map(|(case, _, fields)| ChangedCase { case, fields }).collect(),
        retired: out.retire,
        unchanged: out.unchanged,
        kept: out.kept,
        conflicts: out.conflicts,
        rejected: bad.iter().map(reject).collect(),
    }
}

fn bodies(set: &EvalSet) -> BTreeMap<CaseId, CaseBody> {
    set.cases.iter().map(|case| (case.id.clone(), case.body.clone())).collect()
}

/// The text of a set's file. Cases that the file has keep the file's order, so that what came through
/// git is not moved about; each other case stands behind the one that joined the set before it.
fn text_of(set: &EvalSet, order: &[CaseId]) -> String {
    let live: HashMap<&CaseId, &EvalCase> = set.cases.iter().map(|case| (&case.id, case)).collect();
    let standing: HashSet<&CaseId> = order.iter().filter(|id| live.contains_key(id)).collect();
    let mut behind: HashMap<Option<&CaseId>, Vec<&EvalCase>> = HashMap::new();
    let mut last = None;
    for case in &set.cases {
        if standing.contains(&case.id) {
            last = Some(&case.id);
        } else {
            behind.entry(last).or_default().push(case);
        }
    }
    let mut text = String::new();
    let mut write = |case: &EvalCase| {
        text.push_str(&case_text(&case.id, &case.body));
        text.push('\n');
    };
    behind.remove(&None).unwrap_or_default().into_iter().for_each(&mut write);
    for id in order {
        if let Some(case) = live.get(id) {
            write(case);
            behind.remove(&Some(id)).unwrap_or_default().into_iter().for_each(&mut write);
        }
    }
    text
}

/// Remembers what was written to a place.
pub(super) fn remember(ctx: &Ctx, set: &SetName, key: &str, version: u64, text: &str) -> Result<()> {
    let row = EvalFileRow { version, digest: digest(text.as_bytes()) };
    if ctx.store.eval_file(set, key)?.as_ref() == Some(&row) {
        return Ok(());
    }
    ctx.store.set_eval_file(set, key, &row, ctx.clock.now())
}

/// What a path is remembered by: absolute, links followed.
pub(super) fn key(path: &Path) -> String {
    let whole = std::fs::canonicalize(path).or_else(|_| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        std::fs::canonicalize(folder).map(|folder| folder.join(path.file_name().unwrap_or_default()))
    });
    whole
        .or_else(|_| std::path::absolute(path))
        .unwrap_or_else(|_| path.to_owned())
        .to_string_lossy()
        .into_owned()
}
