//! Who wrote a file's present text, and when: a change of the name alone, which is how a version becomes the
//! current one, is not writing it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{LIMIT, git, is_versioned};
use crate::domain::{Commit, ErrorKind, Result, Untrusted};
use crate::task::Cancel;
use crate::wire::program::Ended;

/// So many changes of a file are looked through for the one that brought its text.
const DEEPEST: &str = "-n50";

/// What git knows of a file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// The last commit that changed the text; a change of the name alone does not count.
    pub commit: Option<Commit>,
    /// The file on the disk is not as it was committed last, or git does not say that it is.
    pub uncommitted: bool,
}

/// What git knows of these files of a folder; nothing where it knows nothing.
pub fn histories(folder: &Path, files: &[PathBuf], cancel: &Cancel) -> Result<BTreeMap<PathBuf, History>> {
    let mut known = BTreeMap::new();
    if !is_versioned(folder, cancel) {
        return Ok(known);
    }
    for path in files {
        cancel.check()?;
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        known.insert(path.clone(), history(folder, name, cancel));
    }
    Ok(known)
}

fn history(folder: &Path, name: &str, cancel: &Cancel) -> History {
    let format = "--format=%x01%H%x00%an%x00%ae%x00%aI%x00%s";
    let arguments = ["log", DEEPEST, "--follow", "--no-color", format, "--name-status", "--", name];
    let log = git(folder, &arguments, LIMIT, cancel).ok().filter(Ended::is_good);
    let commit = log.and_then(|log| commit_of(&String::from_utf8_lossy(&log.out)));
    let status = git(folder, &["status", "--porcelain=v1", "-z", "--", name], LIMIT, cancel);
    let as_committed = status.is_ok_and(|status| status.is_good() && status.out.is_empty());
    History { commit, uncommitted: !as_committed }
}

/// Who wrote a file's present text.
#[derive(Debug, Clone, PartialEq)]
pub enum Written {
    /// This commit, the last one that changed it.
    In(Commit),
    /// Nobody yet: the text on the disk is in no commit.
    Uncommitted,
    /// It is in no repository, or there is no git.
    Unknown(String),
}

/// Finds the commit that a file's present text came by.
pub fn written(file: &Path, cancel: &Cancel) -> Result<Written> {
    let (Some(folder), Some(name)) = (file.parent(), file.file_name().and_then(|name| name.to_str())) else {
        return Ok(Written::Unknown(format!("{} is in no folder", file.display())));
    };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    match git(folder, &["rev-parse", "--is-inside-work-tree"], LIMIT, cancel) {
        Err(error) if error.kind == ErrorKind::Cancelled => return Err(error),
        Err(_) => return Ok(Written::Unknown("the program git cannot be started".to_owned())),
        Ok(ended) if !ended.is_good() => {
            let said = String::from_utf8_lossy(&ended.err);
            let why = said.lines().find(|line| !line.trim().is_empty()).unwrap_or("git gave no answer");
            return Ok(Written::Unknown(why.trim_start_matches("fatal: ").to_owned()));
        }
        Ok(_) => {}
    }
    let known = history(folder, name, cancel);
    cancel.check()?;
    Ok(match known.commit {
        Some(commit) if !known.uncommitted => Written::In(commit),
        _ => Written::Uncommitted,
    })
}

/// The newest commit of a log that changed more than the name.
fn commit_of(log: &str) -> Option<Commit> {
    log.split('\u{1}').skip(1).find_map(|entry| {
        let (head, files) = entry.split_once('\n').unwrap_or((entry, ""));
        let only_name = files.lines().filter(|line| !line.is_empty()).all(|line| line.starts_with("R100"));
        if only_name && !files.trim().is_empty() {
            return None;
        }
        let mut fields = head.split('\0');
        let (hash, author, email) = (fields.next()?, fields.next()?, fields.next()?);
        let at = fields.next()?.parse().ok()?;
        let subject = fields.next().unwrap_or_default();
        let text = Untrusted::from;
        Some(Commit {
            hash: text(hash),
            author: text(author),
            email: text(email),
            at,
            subject: text(subject),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::git::commit;

    fn git_in(folder: &Path, arguments: &[&str]) {
        let done = std::process::Command::new("git").current_dir(folder).args(arguments).output().unwrap();
        assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    }

    #[test]
    fn who_wrote_a_text_is_not_who_changed_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (folder.path().join("v1.txt"), folder.path().join("v1_current.txt"));
        std::fs::write(&old, "one\n").unwrap();
        let look = |path: &Path| written(path, &Cancel::default()).unwrap();
        let of = |path: &PathBuf| {
            histories(folder.path(), std::slice::from_ref(path), &Cancel::default()).unwrap().remove(path)
        };
        assert_eq!(of(&old), None);
        assert!(matches!(look(&old), Written::Unknown(_)), "{:?}", look(&old));
        git_in(folder.path(), &["init", "-q"]);
        assert!(of(&old).unwrap().uncommitted);
        assert_eq!(look(&old), Written::Uncommitted);
        git_in(folder.path(), &["config", "user.name", "Jo\u{1b}[31m"]);
        git_in(folder.path(), &["config", "user.email", "jo@example.com"]);
        git_in(folder.path(), &["add", "."]);
        git_in(folder.path(), &["commit", "-q", "-m", "the first prompt"]);
        // Another person makes it the current one.
        git_in(folder.path(), &["config", "user.name", "Bob"]);
        git_in(folder.path(), &["config", "user.email", "bob@example.com"]);
        std::fs::rename(&old, &new).unwrap();
        assert_eq!(look(&new), Written::Uncommitted);
        let hash = commit(folder.path(), &[old.clone(), new.clone()], "use v1", &Cancel::default()).unwrap();
        assert_eq!(hash.raw().len(), 40);
        let History { commit: Some(found), uncommitted: false } = of(&new).unwrap() else {
            panic!("{:?}", of(&new))
        };
        assert_eq!(found.subject.raw(), "the first prompt");
        assert!(found.is_by("jo") && !found.is_by("bob"), "{found:?}");
        assert_eq!(look(&new), Written::In(found));
        std::fs::write(&new, "two\n").unwrap();
        assert_eq!(look(&new), Written::Uncommitted);
    }
}
