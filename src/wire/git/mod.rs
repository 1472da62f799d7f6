//! What git knows of a team's files, asked of the `git` program, and committing a change of them. Where there is no
//! git or no repository, nothing is known and nothing is wrong.

mod commit;
mod history;

use std::path::Path;
use std::time::Duration;

use super::program::{Ended, Program, run, variables};
use crate::domain::Result;
use crate::task::Cancel;

pub use commit::commit;
pub use history::{History, Written, histories, written};

/// A repository that takes longer than this for an answer is out of order.
const LIMIT: Duration = Duration::from_secs(20);

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
