//! Committing a change of the team's files.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{LIMIT, git};
use crate::domain::{Error, Result, Untrusted};
use crate::task::Cancel;
use crate::wire::program::Ended;

/// A commit may run the team's hooks.
const COMMIT_LIMIT: Duration = Duration::from_secs(120);

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

    #[test]
    fn what_is_not_in_a_repository_is_not_committed() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("v1.txt"), "one").unwrap();
        let error =
            commit(folder.path(), &[folder.path().join("v1.txt")], "x", &Cancel::default()).unwrap_err();
        assert_eq!(error.kind, crate::domain::ErrorKind::NotSo);
    }
}
