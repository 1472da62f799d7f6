//! The runbooks of a team.

use serde::Serialize;

use super::books::Books;
use crate::domain::incident::Pinned;
use crate::domain::{Result, Untrusted};
use crate::wire::read::runbook::{SHIPPED, shipped};

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

/// The runbooks of the team, and those that come with the program and have no file of the team's in their place.
///
/// # Errors
/// Only when one of the program's own cannot be read; a file that cannot is listed with the reason.
pub fn list(books: &Books) -> Result<Vec<RunbookRow>> {
    let files = books.files();
    let stands_for = |name: &str| files.iter().any(|path| path.file_stem().is_some_and(|stem| stem == name));
    let usual = books.usual.clone().or_else(|| {
        files.iter().find(|path| path.file_stem().is_some_and(|stem| stem == SHIPPED[0].0)).cloned()
    });
    let mut rows: Vec<RunbookRow> = files
        .iter()
        .map(|path| {
            let home = books.home.as_deref();
            let shown = home.and_then(|home| path.strip_prefix(home).ok()).unwrap_or(path);
            row(books.read(path), Some(shown.display().to_string()), usual.as_ref() == Some(path))
        })
        .collect();
    for (name, _) in SHIPPED.iter().filter(|(name, _)| !stands_for(name)) {
        if let Some(of) = shipped(name)? {
            rows.push(row(Ok(of), None, usual.is_none() && *name == SHIPPED[0].0));
        }
    }
    Ok(rows)
}

fn row(read: Result<Pinned>, file: Option<String>, usual: bool) -> RunbookRow {
    match read {
        Ok(of) => RunbookRow {
            name: Some(of.book.name.clone()),
            file,
            feature: of.book.feature.clone(),
            steps: of.book.steps.len(),
            acting: of.book.steps.iter().filter(|step| step.kind.acts()).count(),
            usual,
            wrong: None,
        },
        Err(error) => RunbookRow {
            name: None,
            file,
            feature: None,
            steps: 0,
            acting: 0,
            usual,
            wrong: Some(error.what),
        },
    }
}
