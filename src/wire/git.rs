//! What git knows of a file, asked of the `git` program.

use std::path::Path;
use std::time::Duration;

use super::program::{Program, run, variables};
use crate::domain::gate::Commit;
use crate::domain::{Error, Result, Untrusted};
use crate::task::Cancel;

/// A repository that takes longer than this is out of order.
const LIMIT: Duration = Duration::from_secs(20);

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
    let git = |arguments: &[&str]| {
        let argv: Vec<String> = ["git", "-c", "core.fsmonitor=false", "-c", "log.showSignature=false"]
            .iter()
            .chain(arguments)
            .map(|word| (*word).to_owned())
            .collect();
        let mut env = variables(["PATH", "HOME", "XDG_CONFIG_HOME", "GIT_DIR", "GIT_WORK_TREE", "LANG"]);
        env.push(("GIT_OPTIONAL_LOCKS".to_owned(), "0".to_owned()));
        run(&Program { argv: &argv, folder, env, limit: LIMIT }, cancel)
    };
    let log = match git(&["log", "-1", "--no-color", "--format=%H%x00%an%x00%ae%x00%aI", "--", name]) {
        Ok(log) => log,
        Err(error) if error.kind == crate::domain::ErrorKind::Cancelled => return Err(error),
        Err(_) => return Ok(Written::Unknown("the program git cannot be started".to_owned())),
    };
    if !log.is_good() {
        let said = String::from_utf8_lossy(&log.err);
        let why = said.lines().find(|line| !line.trim().is_empty()).unwrap_or("git gave no answer");
        // An empty repository has no commit to look in.
        if why.contains("does not have any commits yet") {
            return Ok(Written::Uncommitted);
        }
        return Ok(Written::Unknown(why.trim_start_matches("fatal: ").to_owned()));
    }
    let text = String::from_utf8_lossy(&log.out);
    let mut fields = text.trim_end().split('\0');
    let (Some(hash), Some(author), Some(email), Some(at)) =
        (fields.next(), fields.next(), fields.next(), fields.next())
    else {
        return Ok(Written::Uncommitted);
    };
    // With code 1 the file on the disk is not that of the commit.
    if git(&["diff", "--quiet", "HEAD", "--", name])?.code != Some(0) {
        return Ok(Written::Uncommitted);
    }
    let at = at.parse().map_err(|e| Error::failed("The time of a commit cannot be read.").because(e))?;
    let text = Untrusted::from;
    Ok(Written::In(Commit { hash: text(hash), author: text(author), email: text(email), at }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commit_of_a_files_present_text_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("v1.txt");
        std::fs::write(&file, "one").unwrap();
        let look = || written(&file, &Cancel::default()).unwrap();
        assert!(matches!(look(), Written::Unknown(_)), "{:?}", look());
        let git = |arguments: &[&str]| {
            let done = std::process::Command::new("git").current_dir(folder.path()).args(arguments).output();
            assert!(done.unwrap().status.success(), "{arguments:?}");
        };
        git(&["init", "-q"]);
        assert_eq!(look(), Written::Uncommitted);
        git(&["add", "v1.txt"]);
        git(&["-c", "user.name=Jo\u{1b}[31m", "-c", "user.email=jo@x.y", "commit", "-q", "-m", "one"]);
        let Written::In(commit) = look() else { panic!("{:?}", look()) };
        assert!(commit.is_by("jo") && commit.hash.raw().len() == 40);
        std::fs::write(&file, "two").unwrap();
        assert_eq!(look(), Written::Uncommitted);
    }
}
