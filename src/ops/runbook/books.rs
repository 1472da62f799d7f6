//! Which runbook an incident is opened with: by name, by the monitor whose alert it is for, by what is wrong.

use std::path::{Path, PathBuf};

use super::list::list;
use crate::domain::incident::Pinned;
use crate::domain::{Error, Result, Untrusted};
use crate::wire::read::runbook::{SHIPPED, default_runbook, runbook_file, shipped, without_shell};

/// What a team says of its runbooks. The default is a team that says nothing and has no folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Books {
    /// The team's folder; its runbooks lie in `runbooks/`. None: there is no team.
    pub home: Option<PathBuf>,
    /// The file that the configuration names for every incident.
    pub usual: Option<PathBuf>,
    /// The runbooks that monitors name, by the monitor's id: each a name, or a file in the team's folder.
    pub of_monitors: Vec<(String, String)>,
    /// Whether a runbook with a step that goes through a shell is refused.
    pub strict: bool,
}

/// A runbook, and the file that it was read from; none: it comes with the program.
pub type Found = (Pinned, Option<PathBuf>);

/// The runbook of an incident, which does not wait for a file that can be read.
#[derive(Debug, Clone, PartialEq)]
pub struct Chosen {
    /// The runbook.
    pub book: Pinned,
    /// Why it is not the one that should have been taken.
    pub unread: Option<String>,
}

/// The name of the shipped runbook for incidents about a monitor's metric.
fn name_for(metric: &str) -> &'static str {
    match metric {
        "error_share" | "slow_share" => "outage",
        "session_cost" | "request_cost" | "spend" => "cost",
        // What is answered badly, or not at all: the alert itself does not say where it comes from.
        _ => SHIPPED[0].0,
    }
}

impl Books {
    /// The files of the team, sorted.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        let folder = self.home.as_ref().map(|home| home.join("runbooks"));
        let entries =
            folder.and_then(|folder| std::fs::read_dir(folder).ok()).into_iter().flatten().flatten();
        let mut files: Vec<PathBuf> = entries
            .map(|entry| entry.path())
            .filter(|path| path.is_file() && path.extension().is_some_and(|end| end == "toml"))
            .collect();
        if let Some(usual) = self.usual.as_ref().filter(|usual| !files.contains(usual)) {
            files.push(usual.clone());
        }
        files.sort();
        files
    }

    /// Reads a file.
    ///
    /// # Errors
    /// `NotSo` when it cannot be read, with its line; or goes through a shell where that is refused.
    pub fn read(&self, path: &Path) -> Result<Pinned> {
        self.allowed(path, runbook_file(path)?)
    }

    fn allowed(&self, path: &Path, of: Pinned) -> Result<Pinned> {
        if self.strict {
            without_shell(&path.display().to_string(), &of)?;
        }
        Ok(of)
    }

    /// The runbook of this name or file: a file as it is named, one of the team's by its file's name or by the name in
    /// it, one that comes with the program.
    ///
    /// # Errors
    /// `NotSo` when there is none: the hint lists those that there are; when its file cannot be read.
    pub fn named(&self, named: &str) -> Result<Found> {
        let path = Path::new(named);
        if path.is_file() {
            return Ok((self.read(path)?, Some(path.to_owned())));
        }
        for path in self.files() {
            let stem = path.file_stem().is_some_and(|stem| stem == named);
            match runbook_file(&path) {
                Ok(of) if stem || of.book.name.raw() == named => {
                    return Ok((self.allowed(&path, of)?, Some(path)));
                }
                Err(error) if stem => return Err(error),
                _ => {}
            }
        }
        if let Some(of) = shipped(named)? {
            return Ok((of, None));
        }
        let rows = list(self)?;
        let names: Vec<&str> = rows.iter().filter_map(|row| row.name.as_ref()).map(Untrusted::raw).collect();
        Err(Error::not_so(format!("There is no runbook {named}."))
            .hint(format!("There are: {}; or name a file.", names.join(", "))))
    }

    /// The one that is taken where nothing is named: the configured file, else the team's own `default`, else the one
    /// that comes with the program.
    ///
    /// # Errors
    /// `NotSo` when its file cannot be read.
    pub fn usual(&self) -> Result<Found> {
        match &self.usual {
            Some(path) => Ok((self.read(path)?, Some(path.clone()))),
            None => self.named(SHIPPED[0].0),
        }
    }

    /// The same for an incident: where a file cannot be read, the one that comes with the program.
    ///
    /// # Errors
    /// Only when the program's own cannot be read.
    pub fn for_incident(&self) -> Result<Chosen> {
        or_shipped(self.usual().map(|(book, _)| book), SHIPPED[0].0, None)
    }

    /// The runbook for an alert: the one that its monitor names; else the configured one; else by the monitor's
    /// metric.
    ///
    /// # Errors
    /// Only when the program's own cannot be read.
    pub fn for_alert(&self, monitor: &str, metric: &str) -> Result<Chosen> {
        let mut unread = None;
        if let Some((_, named)) = self.of_monitors.iter().find(|(id, _)| id == monitor) {
            let path = self.home.as_ref().map(|home| home.join(named)).filter(|path| path.is_file());
            let read = match path {
                Some(path) => self.read(&path),
                None => self.named(named).map(|(book, _)| book),
            };
            match read {
                Ok(book) => return Ok(Chosen { book, unread }),
                Err(error) => unread = Some(said(&error)),
            }
        }
        let name = name_for(metric);
        let found = if self.usual.is_some() { self.usual() } else { self.named(name) };
        or_shipped(found.map(|(book, _)| book), name, unread)
    }
}

fn or_shipped(read: Result<Pinned>, name: &str, unread: Option<String>) -> Result<Chosen> {
    let (book, not_this) = match read {
        Ok(book) => (book, None),
        Err(error) => (shipped(name)?.map_or_else(default_runbook, Ok)?, Some(said(&error))),
    };
    let why: Vec<String> = unread.into_iter().chain(not_this).collect();
    let unread = (!why.is_empty()).then(|| {
        let name = book.book.name.raw();
        format!("{} The runbook “{name}” is used in its place.", why.join(" "))
    });
    Ok(Chosen { book, unread })
}

fn said(error: &Error) -> String {
    let why = error.why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
    format!("{}{why}", error.what)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "schema = 1\nname = \"ours\"\n[[step]]\nid = \"a\"\nphase = \"contain\"\n\
                        kind = \"command\"\ntitle = \"A\"\nconfirm = \"type\"\nrun = [\"./a\"]\n";

    fn team() -> (tempfile::TempDir, Books) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("runbooks")).unwrap();
        let home = Some(folder.path().to_owned());
        (folder, Books { home, ..Books::default() })
    }

    fn name(chosen: &Chosen) -> &str {
        chosen.book.book.name.raw()
    }

    #[test]
    fn an_alert_takes_its_monitors_runbook_else_the_configured_one_else_by_what_is_wrong() {
        let (folder, mut books) = team();
        for (metric, wanted) in [
            ("error_share", "outage"),
            ("slow_share", "outage"),
            ("spend", "cost"),
            ("session_cost", "cost"),
            ("fail_share", "default"),
            ("requests", "default"),
        ] {
            assert_eq!(name(&books.for_alert("m", metric).unwrap()), wanted, "{metric}");
        }
        // The team's own file of that name stands in its place.
        std::fs::write(folder.path().join("runbooks/outage.toml"), OURS).unwrap();
        assert_eq!(name(&books.for_alert("m", "error_share").unwrap()), "ours");
        books.usual = Some(folder.path().join("runbooks/outage.toml"));
        assert_eq!(name(&books.for_alert("m", "spend").unwrap()), "ours");
        books.of_monitors = vec![("m".into(), "cost".into()), ("n".into(), "runbooks/outage.toml".into())];
        assert_eq!(name(&books.for_alert("m", "error_share").unwrap()), "cost");
        assert_eq!(name(&books.for_alert("n", "spend").unwrap()), "ours");
    }

    #[test]
    fn an_incident_does_not_wait_for_a_file_and_says_what_was_wrong_with_it() {
        let (folder, mut books) = team();
        books.of_monitors = vec![("m".into(), "runbooks/gone.toml".into())];
        let chosen = books.for_alert("m", "spend").unwrap();
        assert_eq!(name(&chosen), "cost");
        let why = chosen.unread.unwrap();
        assert!(why.contains("no runbook runbooks/gone.toml") && why.contains("“cost” is used"), "{why}");
        // One that is refused is not opened with either.
        let file = folder.path().join("runbooks/default.toml");
        std::fs::write(&file, OURS.to_owned() + "shell = true\n").unwrap();
        assert_eq!(books.for_incident().unwrap().unread, None);
        books.strict = true;
        let chosen = books.for_incident().unwrap();
        assert_eq!(name(&chosen), "default");
        let why = chosen.unread.unwrap();
        assert!(why.contains("default.toml, line 10: step “a” goes through a shell"), "{why}");
        assert!(books.named("default").unwrap_err().what.contains("goes through a shell"));
        assert!(list(&books).unwrap()[0].wrong.as_ref().unwrap().contains("goes through a shell"));
    }

    #[test]
    fn the_list_has_the_teams_files_and_those_that_come_along_without_one() {
        let (folder, books) = team();
        std::fs::write(folder.path().join("runbooks/cost.toml"), OURS).unwrap();
        let rows = list(&books).unwrap();
        let shown: Vec<_> = rows
            .iter()
            .map(|row| (row.name.as_ref().unwrap().raw(), row.file.as_deref(), row.usual))
            .collect();
        assert_eq!(
            shown,
            [("ours", Some("runbooks/cost.toml"), false), ("default", None, true), ("outage", None, false)]
        );
        assert!(books.named("none").unwrap_err().hints[0].contains("ours, default, outage"));
    }
}
