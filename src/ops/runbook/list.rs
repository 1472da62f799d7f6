//! The runbooks of a team.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::domain::incident::Pinned;
use crate::domain::prompt::TeamConfig;
use crate::domain::{Error, Result, Untrusted};
use crate::wire::read::runbook::{default_runbook, runbook_file};

/// The name of the runbook that comes with the program.
const BUILT_IN: &str = "default";

/// A runbook.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunbookRow {
    /// What it is called; none where its file cannot be read.
    pub name: Option<Untrusted>,
    /// Its file, from the team's folder where it lies there; none: it comes with the program.
    pub file: Option<String>,
    /// The feature that it is for.
    pub feature: Option<Untrusted>,
    /// Its steps, and how many of them act.
    pub steps: usize,
    /// Steps that change something outside.
    pub acting: usize,
    /// Whether incidents are opened with it where none is named.
    pub usual: bool,
    /// Why it cannot be read.
    pub wrong: Option<String>,
}

/// The folder of the runbooks, beside the configuration.
fn folder(team: &TeamConfig) -> PathBuf {
    team.home.join("runbooks")
}

fn files(team: &TeamConfig, usual: Option<&Path>) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder(team)).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.is_file() && path.extension().is_some_and(|end| end == "toml"))
        .collect();
    files.extend(usual.filter(|usual| !files.iter().any(|file| file == usual)).map(Path::to_owned));
    files.sort();
    files
}

/// The runbooks of the team, and the one that comes with the program. `usual` is the configured one.
///
/// # Errors
/// Only when the program's own cannot be read; a file that cannot is listed with the reason.
pub fn list(team: &TeamConfig, usual: Option<&Path>) -> Result<Vec<RunbookRow>> {
    let row = |read: Result<Pinned>, file: Option<String>, is_usual: bool| match read {
        Ok(of) => RunbookRow {
            name: Some(of.book.name.clone()),
            file,
            feature: of.book.feature.clone(),
            steps: of.book.steps.len(),
            acting: of.book.steps.iter().filter(|step| step.kind.acts()).count(),
            usual: is_usual,
            wrong: None,
        },
        Err(error) => RunbookRow {
            name: None,
            file,
            feature: None,
            steps: 0,
            acting: 0,
            usual: is_usual,
            wrong: Some(error.what),
        },
    };
    let mut rows: Vec<RunbookRow> = files(team, usual)
        .into_iter()
        .map(|path| {
            let shown = path.strip_prefix(&team.home).unwrap_or(&path).display().to_string();
            row(runbook_file(&path), Some(shown), usual == Some(path.as_path()))
        })
        .collect();
    rows.push(row(Ok(default_runbook()?), None, usual.is_none()));
    Ok(rows)
}

/// The runbook of this name or file; the usual one where nothing is named. Gives the file beside it.
///
/// # Errors
/// `NotSo` when there is none: the hint lists those that there are; when its file cannot be read.
pub fn find(
    team: &TeamConfig,
    usual: Option<&Path>,
    named: Option<&str>,
) -> Result<(Pinned, Option<PathBuf>)> {
    let Some(named) = named else {
        return match usual {
            Some(path) => Ok((runbook_file(path)?, Some(path.to_owned()))),
            None => Ok((default_runbook()?, None)),
        };
    };
    let path = Path::new(named);
    if path.is_file() {
        return Ok((runbook_file(path)?, Some(path.to_owned())));
    }
    for path in files(team, usual) {
        let stem = path.file_stem().is_some_and(|stem| stem == named);
        match runbook_file(&path) {
            Ok(of) if stem || of.book.name.raw() == named => return Ok((of, Some(path))),
            Err(error) if stem => return Err(error),
            _ => {}
        }
    }
    if named == BUILT_IN {
        return Ok((default_runbook()?, None));
    }
    let rows = list(team, usual)?;
    let names: Vec<&str> = rows.iter().filter_map(|row| row.name.as_ref()).map(Untrusted::raw).collect();
    Err(Error::not_so(format!("There is no runbook {named}."))
        .hint(format!("There are: {}; or name a file.", names.join(", "))))
}
