//! Who wrote the versions of a prompt and when, asked of the `git` program; and committing a change of the
//! current one. Where there is no git or no repository, nothing is known and nothing is wrong.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::program::{Ended, Program, run, variables};
use crate::domain::prompt::Commit;
use crate::domain::{Error, Result, Untrusted};
use crate::task::Cancel;

/// A repository that takes longer than this for an answer is out of order.
const LIMIT: Duration = Duration::from_secs(20);
/// A commit may run the team's hooks.
const COMMIT_LIMIT: Duration = Duration::from_secs(120);
/// So many changes of a file are looked through for the one that brought its text.
const DEEPEST: &str = "-n50";

/// What git knows of a file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// The last commit that changed the text; a change of the name alone does not count.
    pub commit: Option<Commit>,
    /// The file on the disk is not as it was committed last.
    pub uncommitted: bool,
}

fn git(folder: &Path, arguments: &[&str], limit: Duration, cancel: &Cancel) -> Result<Ended> {
    // What a repository may configure to be run is not run by a look at it.
    let ours =
        ["git", "-c", "core.fsmonitor=false", "-c", "log.showSignature=false", "-c", "core.quotePath=false"];
    let argv: Vec<String> = ours.iter().chain(arguments).map(|word| (*word).to_owned()).collect();
    let mut env = variables([
        "PATH",
        "HOME",
        "XDG_CONFIG_HOME",
        "GIT_DIR",
        "GIT_WORK_TREE",
        "LANG",
        "USER",
        "GIT_AUTHOR_NAME",
        "GIT_AUTHOR_EMAIL",
        "GIT_COMMITTER_NAME",
        "GIT_COMMITTER_EMAIL",
        "SSH_AUTH_SOCK",
    ]);
    env.push(("GIT_TERMINAL_PROMPT".to_owned(), "0".to_owned()));
    run(&Program { argv: &argv, folder, env, limit }, cancel)
}

/// Whether a folder is in a work tree of git.
pub fn is_versioned(folder: &Path, cancel: &Cancel) -> bool {
    git(folder, &["rev-parse", "--is-inside-work-tree"], LIMIT, cancel)
        .is_ok_and(|ended| ended.is_good() && ended.out.starts_with(b"true"))
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
        let format = "--format=%x01%H%x00%an%x00%aI%x00%s";
        let log = git(
            folder,
            &["log", DEEPEST, "--follow", "--no-color", format, "--name-status", "--", name],
            LIMIT,
            cancel,
        );
        let status = git(folder, &["status", "--porcelain=v1", "-z", "--", name], LIMIT, cancel);
        let commit =
            log.ok().filter(Ended::is_good).and_then(|log| commit_of(&String::from_utf8_lossy(&log.out)));
        let uncommitted = status.is_ok_and(|status| !status.out.is_empty());
        known.insert(path.clone(), History { commit, uncommitted });
    }
    Ok(known)
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
        let (hash, author, at) = (fields.next()?, fields.next()?, fields.next()?.parse().ok()?);
        let subject = fields.next().unwrap_or_default();
        let text = Untrusted::from;
        Some(Commit { hash: text(hash), author: text(author), at, subject: text(subject) })
    })
}

/// Commits these files, and nothing else that is staged, with this message; gives the commit's hash.
///
/// # Errors
/// `NotSo` where the folder is in no repository or git refuses: its words are the cause.
pub fn commit(folder: &Path, paths: &[PathBuf], message: &str, cancel: &Cancel) -> Result<Untrusted> {
    let names: Vec<&str> =
        paths.iter().filter_map(|path| path.file_name().and_then(|name| name.to_str())).collect();
    let done = |arguments: &[&str], what: &str| -> Result<Ended> {
        let ended = git(folder, &[arguments, &["--"], &names].concat(), COMMIT_LIMIT, cancel)?;
        if ended.is_good() {
            return Ok(ended);
        }
        let said = if ended.err.is_empty() { &ended.out } else { &ended.err };
        let why = if ended.timed_out {
            "it took too long".to_owned()
        } else {
            String::from_utf8_lossy(said).trim().to_owned()
        };
        Err(Error::not_so(format!("git could not {what}."))
            .because(why)
            .hint("Commit it yourself: the files are changed."))
    };
    done(&["add", "--all"], "stage the change")?;
    done(&["commit", "--quiet", "-m", message, "--only"], "commit the change")?;
    let head = git(folder, &["rev-parse", "HEAD"], LIMIT, cancel)?;
    Ok(Untrusted::from(String::from_utf8_lossy(&head.out).trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn git_in(folder: &Path, arguments: &[&str]) {
        let done = std::process::Command::new("git").current_dir(folder).args(arguments).output().unwrap();
        assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    }

    #[test]
    fn the_commit_that_brought_a_text_is_found_behind_a_change_of_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (folder.path().join("v1.txt"), folder.path().join("v1_current.txt"));
        std::fs::write(&old, "one\n").unwrap();
        let of = |path: &PathBuf| {
            histories(folder.path(), std::slice::from_ref(path), &Cancel::default()).unwrap().remove(path)
        };
        assert_eq!(of(&old), None);
        git_in(folder.path(), &["init", "-q"]);
        git_in(folder.path(), &["config", "user.name", "Jo\u{1b}[31m"]);
        git_in(folder.path(), &["config", "user.email", "jo@example.com"]);
        assert!(of(&old).unwrap().uncommitted);
        git_in(folder.path(), &["add", "."]);
        git_in(folder.path(), &["commit", "-q", "-m", "the first prompt"]);
        std::fs::rename(&old, &new).unwrap();
        let hash = commit(folder.path(), &[old.clone(), new.clone()], "use v1", &Cancel::default()).unwrap();
        assert_eq!(hash.raw().len(), 40);
        let History { commit: Some(found), uncommitted: false } = of(&new).unwrap() else {
            panic!("{:?}", of(&new))
        };
        assert_eq!(found.subject.raw(), "the first prompt");
        assert!(found.author.raw().starts_with("Jo"));
    }

    #[test]
    fn what_is_not_in_a_repository_is_not_committed() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("v1.txt"), "one").unwrap();
        let error =
            commit(folder.path(), &[folder.path().join("v1.txt")], "x", &Cancel::default()).unwrap_err();
        assert_eq!(error.kind, crate::domain::ErrorKind::NotSo);
    }
}
