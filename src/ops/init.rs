//! The files of a team's repository, written out to be changed.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::domain::{Error, Result};
use crate::wire::read::runbook::SHIPPED;
use crate::wire::write::new_file::write_text;

/// The configuration, with every setting explained.
const CONFIGURATION: &str = include_str!("../../fixtures/tuesday.toml");

/// What was written, and what was there already.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct InitView {
    /// Files and folders made, in order.
    pub made: Vec<PathBuf>,
    /// Those that were there and are as they were.
    pub kept: Vec<PathBuf>,
}

/// Writes `tuesday.toml`, the runbooks and `evals/` into a folder. Never writes over anything.
pub fn init(folder: &Path) -> Result<InitView> {
    if !folder.is_dir() {
        return Err(Error::not_so(format!("There is no folder {}.", folder.display()))
            .hint("Make it first, or run `tuesday init` in the repository of your feature."));
    }
    let mut view = InitView::default();
    let runbooks = SHIPPED.map(|(name, text)| (format!("runbooks/{name}.toml"), text));
    for (name, text) in [("tuesday.toml".to_owned(), CONFIGURATION)].into_iter().chain(runbooks) {
        let made = write_text(&folder.join(&name), text, false)?;
        if made { &mut view.made } else { &mut view.kept }.push(name.into());
    }
    let evals = folder.join("evals");
    let there = evals.is_dir();
    if !there {
        std::fs::create_dir_all(&evals).map_err(|e| {
            Error::failed(format!("Cannot make the folder {}.", evals.display())).because(e).hint(
                "Something else may have that name: move it away, or name another folder in tuesday.toml.",
            )
        })?;
    }
    if there { &mut view.kept } else { &mut view.made }.push("evals/".into());
    Ok(view)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("tuesday.toml"), "# ours").unwrap();
        let first = init(folder.path()).unwrap();
        assert_eq!(
            first.made,
            ["runbooks/default.toml", "runbooks/outage.toml", "runbooks/cost.toml", "evals/"]
                .map(PathBuf::from)
        );
        assert_eq!(first.kept, [PathBuf::from("tuesday.toml")]);
        assert_eq!(std::fs::read_to_string(folder.path().join("tuesday.toml")).unwrap(), "# ours");
        let second = init(folder.path()).unwrap();
        assert!(second.made.is_empty() && second.kept.len() == 5);
        let book = crate::wire::read::runbook::runbook_file(&folder.path().join("runbooks/default.toml"));
        assert_eq!(book.unwrap().book.name, "default".into());
        assert!(init(&folder.path().join("none")).is_err());
    }
}
