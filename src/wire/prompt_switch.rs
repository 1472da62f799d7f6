//! Makes another version of a prompt the current one, in the way in which its folder marks it.
//!
//! A file or link `current` is replaced by one rename. Where the names of the files say it, two renames are
//! needed: the new version is marked first and the old one after it, so that never none is current, and
//! [`UNDER_WAY`] says in between which is the new one. A change that was cut off is brought to its end by the
//! next one.

use std::path::{Path, PathBuf};

use super::prompts_dir::{Folder, Mark, UNDER_WAY, Version, look};
use super::write::new_file::replace;
use crate::domain::{Error, Result};

/// A file that gets another name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rename {
    /// Its name now.
    pub from: PathBuf,
    /// Its name then.
    pub to: PathBuf,
}

/// What is to be done, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// These files get other names.
    Renames(Vec<Rename>),
    /// This file says this.
    Names(PathBuf, String),
    /// This link leads to this file beside it.
    Links(PathBuf, String),
}

impl Change {
    /// The files that it touches, as they are called before and after.
    pub fn paths(&self) -> Vec<PathBuf> {
        match self {
            Self::Renames(renames) => {
                renames.iter().flat_map(|one| [one.from.clone(), one.to.clone()]).collect()
            }
            Self::Names(path, _) | Self::Links(path, _) => vec![path.clone()],
        }
    }

    /// What it does, a line a step.
    pub fn lines(&self) -> Vec<String> {
        let name =
            |path: &Path| path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        match self {
            Self::Renames(renames) => {
                renames.iter().map(|one| format!("{} → {}", name(&one.from), name(&one.to))).collect()
            }
            Self::Names(path, version) => vec![format!("{} says {version}", name(path))],
            Self::Links(path, to) => vec![format!("{} leads to {to}", name(path))],
        }
    }
}

/// What makes `to` the current version of a folder that was just looked at.
///
/// # Errors
/// `NotSo` when there is no such version, more than one file claims it, or a name that is needed is taken.
pub fn plan(home: &Path, folder: &Folder, to: &str) -> Result<Change> {
    let claims: Vec<&Version> = folder.versions.iter().filter(|version| version.version == to).collect();
    let target = match claims[..] {
        [one] => one,
        [] => return Err(Error::not_so(format!("There is no version {to} in {}.", home.display()))),
        [one, other, ..] => {
            return Err(Error::not_so(format!(
                "{} and {} both claim to be {to}.",
                one.path.display(),
                other.path.display()
            ))
            .hint("Take one of them away."));
        }
    };
    match &folder.mark {
        Mark::File(path) => Ok(Change::Names(path.clone(), to.to_owned())),
        Mark::Link(path) => {
            let name = target.path.file_name().map(|n| n.to_string_lossy().into_owned());
            Ok(Change::Links(path.clone(), name.unwrap_or_default()))
        }
        Mark::Name | Mark::None => {
            let mut renames = Vec::new();
            if !has_mark(&target.path) {
                renames.push(Rename { from: target.path.clone(), to: marked(&target.path) });
            }
            for version in folder.versions.iter().filter(|version| version.version != to) {
                if has_mark(&version.path) {
                    renames.push(Rename { from: version.path.clone(), to: unmarked(&version.path) });
                }
            }
            match renames.iter().find(|one| one.to.symlink_metadata().is_ok()) {
                Some(taken) => Err(Error::not_so(format!("{} is there already.", taken.to.display()))
                    .hint("Take it away, or give it another name.")),
                None => Ok(Change::Renames(renames)),
            }
        }
    }
}

/// Takes away what a change that was cut off after its last step left behind.
pub fn tidied(home: &Path) {
    std::fs::remove_file(home.join(UNDER_WAY)).ok();
    sweep(home);
}

/// Removes what a writer of ours that was killed left beside its file. Whoever calls holds the lock of the prompt.
fn sweep(home: &Path) {
    for entry in std::fs::read_dir(home).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with(".tuesday-") && name.ends_with(".tmp") {
            std::fs::remove_file(entry.path()).ok();
        }
    }
}

/// Writes down which version a change leads to, durably.
fn noted(note: &Path, to: &str) -> std::io::Result<()> {
    use std::io::Write;
    let mut file = std::fs::File::create(note)?;
    file.write_all(format!("{to}\n").as_bytes())?;
    file.sync_all()
}

/// Carries a change out and makes it durable. Afterwards exactly `to` is current, or an error says why not.
///
/// # Errors
/// `Failed` when the folder cannot be written; `NotSo` when somebody else changed it at the same time.
pub fn carry_out(home: &Path, change: &Change, to: &str) -> Result<()> {
    let cannot = |path: &Path, e: std::io::Error| {
        let error = Error::failed(format!("{} cannot be changed.", path.display())).because(e);
        error.hint(format!("Give yourself permission to write in {}.", home.display()))
    };
    match change {
        Change::Renames(renames) => {
            let note = home.join(UNDER_WAY);
            if renames.len() > 1 {
                // Not by way of a second file: the names change only after it is whole.
                noted(&note, to).map_err(|e| cannot(&note, e))?;
            }
            for one in renames {
                match std::fs::rename(&one.from, &one.to) {
                    Ok(()) => synced(home),
                    // Somebody else was quicker, to the same end or another: what is there then tells.
                    Err(e) if e.kind() == std::io::ErrorKind::NotFound => break,
                    Err(e) => return Err(cannot(&one.from, e)),
                }
            }
            if note.symlink_metadata().is_ok() {
                std::fs::remove_file(&note).map_err(|e| cannot(&note, e))?;
            }
        }
        Change::Names(path, version) => {
            sweep(home);
            replace(path, &format!("{version}\n")).map_err(|e| cannot(path, e))?;
        }
        Change::Links(path, target) => {
            let beside = home.join(format!(".current-{}", std::process::id()));
            std::fs::remove_file(&beside).ok();
            link(target, &beside).and_then(|()| std::fs::rename(&beside, path)).map_err(|e| {
                std::fs::remove_file(&beside).ok();
                cannot(path, e)
            })?;
        }
    }
    synced(home);
    let after = look(home).map_err(|e| cannot(home, e))?;
    if after.current().is_some_and(|version| version.version == to) {
        return Ok(());
    }
    Err(Error::not_so(format!("{} was changed by somebody else in the same moment.", home.display()))
        .hint("Look at it: `tuesday prompt lint`."))
}

#[cfg(unix)]
fn link(target: &str, at: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(target, at)
}

#[cfg(not(unix))]
fn link(target: &str, at: &Path) -> std::io::Result<()> {
    std::fs::copy(at.with_file_name(target), at).map(drop)
}

/// Makes renames in a folder durable, where a folder can be opened for that.
fn synced(folder: &Path) {
    if let Ok(folder) = std::fs::File::open(folder) {
        folder.sync_all().ok();
    }
}

fn stem_and_end(path: &Path) -> (String, String) {
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let (stem, end) = name.rsplit_once('.').unwrap_or((&name, "txt"));
    (stem.to_owned(), end.to_owned())
}

fn has_mark(path: &Path) -> bool {
    stem_and_end(path).0.split(['_', '-', '.']).any(|word| word == "current")
}

/// `v3.txt` as the current version: `v3_current.txt`.
fn marked(path: &Path) -> PathBuf {
    let (stem, end) = stem_and_end(path);
    path.with_file_name(format!("{stem}_current.{end}"))
}

/// `v4_current.txt` as one that is not: `v4.txt`.
fn unmarked(path: &Path) -> PathBuf {
    let (stem, end) = stem_and_end(path);
    let mut bare = stem;
    for sign in ['_', '-', '.'] {
        bare = bare.replacen(&format!("{sign}current"), "", 1);
    }
    path.with_file_name(format!("{bare}.{end}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            std::fs::write(folder.path().join(file), file).unwrap();
        }
        folder
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn change(home: &Path, to: &str) -> Result<Change> {
        let change = plan(home, &look(home).unwrap(), to)?;
        carry_out(home, &change, to)?;
        Ok(change)
    }

    #[test]
    fn the_new_version_is_marked_before_the_old_one_loses_its_mark() {
        let folder = folder(&["v3.txt", "v4_current.txt"]);
        let done = change(folder.path(), "v3").unwrap();
        assert_eq!(done.lines(), ["v3.txt → v3_current.txt", "v4_current.txt → v4.txt"]);
        assert_eq!(names(folder.path()), ["v3_current.txt", "v4.txt"]);
        change(folder.path(), "v4").unwrap();
        assert_eq!(names(folder.path()), ["v3.txt", "v4_current.txt"]);
        assert_eq!(std::fs::read_to_string(folder.path().join("v3.txt")).unwrap(), "v3.txt");
    }

    #[test]
    fn a_change_that_was_cut_off_comes_to_its_end() {
        let folder = folder(&["v3_current.txt", "v4_current.txt"]);
        std::fs::write(folder.path().join(UNDER_WAY), "v3\n").unwrap();
        let seen = look(folder.path()).unwrap();
        assert_eq!((seen.current().unwrap().version.as_str(), seen.under_way.as_deref()), ("v3", Some("v3")));
        change(folder.path(), "v3").unwrap();
        assert_eq!(names(folder.path()), ["v3_current.txt", "v4.txt"]);
    }

    #[test]
    fn a_file_and_a_link_are_replace() {
        let folder = folder(&["v1.md", "v2.md"]);
        std::fs::write(folder.path().join("current"), "v2\n").unwrap();
        change(folder.path(), "v1").unwrap();
        assert_eq!(std::fs::read_to_string(folder.path().join("current")).unwrap(), "v1\n");
        std::fs::remove_file(folder.path().join("current")).unwrap();
        std::os::unix::fs::symlink("v2.md", folder.path().join("current")).unwrap();
        change(folder.path(), "v1").unwrap();
        assert_eq!(std::fs::read_link(folder.path().join("current")).unwrap(), Path::new("v1.md"));
        assert_eq!(names(folder.path()), ["current", "v1.md", "v2.md"]);
    }

    #[test]
    fn what_is_in_the_way_is_named_and_nothing_is_changed() {
        let folder = folder(&["v3.txt", "v4_current.txt", "v4.txt"]);
        let before = names(folder.path());
        assert!(change(folder.path(), "v3").unwrap_err().what.contains("v4.txt"));
        assert!(change(folder.path(), "v9").unwrap_err().what.contains("no version v9"));
        assert_eq!(names(folder.path()), before);
    }

    #[test]
    fn a_folder_that_changes_under_our_hands_is_told_by_what_is_there_then() {
        // After the plan was made, somebody else does the rest of it: that is what was wanted.
        let folder_of = || folder(&["v3.txt", "v4_current.txt"]);
        let at = |home: &Path, name: &str| home.join(name);
        let wanted = |home: &Path| plan(home, &look(home).unwrap(), "v3").unwrap();
        let one = folder_of();
        let change = wanted(one.path());
        std::fs::rename(at(one.path(), "v4_current.txt"), at(one.path(), "v4.txt")).unwrap();
        carry_out(one.path(), &change, "v3").unwrap();
        assert_eq!(names(one.path()), ["v3_current.txt", "v4.txt"]);
        // Or all of it.
        let one = folder_of();
        let change = wanted(one.path());
        for (from, to) in [("v3.txt", "v3_current.txt"), ("v4_current.txt", "v4.txt")] {
            std::fs::rename(at(one.path(), from), at(one.path(), to)).unwrap();
        }
        carry_out(one.path(), &change, "v3").unwrap();
        assert_eq!(names(one.path()), ["v3_current.txt", "v4.txt"]);
        // The version is taken away, or another is marked: it is said, and no note is left behind.
        let one = folder_of();
        let change = wanted(one.path());
        std::fs::remove_file(at(one.path(), "v3.txt")).unwrap();
        let error = carry_out(one.path(), &change, "v3").unwrap_err();
        assert!(error.what.contains("changed by somebody else"), "{}", error.what);
        assert_eq!(names(one.path()), ["v4_current.txt"]);
        let one = folder_of();
        let change = wanted(one.path());
        std::fs::write(at(one.path(), "v5_current.txt"), "v5").unwrap();
        let error = carry_out(one.path(), &change, "v3").unwrap_err();
        assert!(error.what.contains("changed by somebody else"), "{}", error.what);
        assert_eq!(names(one.path()), ["v3_current.txt", "v4.txt", "v5_current.txt"]);
    }
}
