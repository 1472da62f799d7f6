//! Prompts as they lie in the team's repository, with what production and the evals say of each version; which
//! one was last known to be good; and making another one the current one.

mod diff;
mod figures;
mod good;
mod lint;
mod list;
mod show;
mod switch;
#[cfg(test)]
mod tests;
mod watch;

use std::path::{Path, PathBuf};

use crate::domain::prompt::TeamConfig;
use crate::domain::{Error, Result, nearest};
use crate::wire::prompts_dir::{Folder, folders, is_plain, look};

pub use diff::{DiffPart, DiffView, diff};
pub use good::{Bar, ENOUGH_LABELS, last_known_good};
pub use lint::{LintView, lint};
pub use list::{PromptRow, list};
pub use show::{PromptView, RunShare, VersionView, show};
pub use switch::{UseSpec, UseView, rollback, tidy, use_version};
pub use watch::Fingerprint;

/// A prompt and where it lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    /// Its name, as traces say it: the name of its folder.
    pub name: String,
    /// The folder.
    pub folder: PathBuf,
    /// The feature that says so, where one does.
    pub feature: Option<String>,
}

impl Home {
    /// Looks at the folder.
    pub(in crate::ops) fn look(&self) -> Result<Folder> {
        look(&self.folder).map_err(|e| {
            Error::failed(format!(
                "The folder {} of the prompt {} cannot be read.",
                self.folder.display(),
                self.name
            ))
            .because(e)
        })
    }
}

/// The prompts that there are: the folders of `prompts_dir`, and those that features name.
pub fn homes(team: &TeamConfig) -> Vec<Home> {
    let mut homes: Vec<Home> = Vec::new();
    for feature in &team.features {
        let Some(folder) = &feature.prompts else { continue };
        let folder = team.home.join(folder);
        let Some(name) = folder.file_name().and_then(|name| name.to_str()) else { continue };
        if homes.iter().all(|home| home.name != name) {
            homes.push(Home {
                name: name.to_owned(),
                folder: folder.clone(),
                feature: Some(feature.name.clone()),
            });
        }
    }
    for name in folders(&team.prompts_dir) {
        if homes.iter().all(|home| home.name != name) {
            let feature = team.features.iter().find(|feature| feature.name == name).map(|f| f.name.clone());
            homes.push(Home { folder: team.prompts_dir.join(&name), name, feature });
        }
    }
    homes.sort_by(|a, b| a.name.cmp(&b.name));
    homes
}

/// The prompt of this name.
///
/// # Errors
/// `Usage` when the name is none, `NotSo` when there is no such prompt: the hint lists those that exist.
pub fn home(team: &TeamConfig, name: &str) -> Result<Home> {
    if !is_plain(name) {
        return Err(Error::usage(format!("\"{name}\" does not name a prompt."))
            .hint("A prompt is named like its folder, a version of it like this: `customer_support@v4`."));
    }
    let homes = homes(team);
    if let Some(home) = homes.iter().find(|home| home.name == name) {
        return Ok(home.clone());
    }
    let error = Error::not_so(format!("There is no prompt {name}."));
    let names = || homes.iter().map(|home| home.name.as_str());
    Err(match nearest(name, names()) {
        Some(near) => error.hint(format!("Did you mean {near}?")),
        None if homes.is_empty() => error.hint(format!(
            "Put its text at {}.",
            team.prompts_dir.join(name).join("v1_current.txt").display()
        )),
        None => error.hint(format!("There are: {}.", names().collect::<Vec<_>>().join(", "))),
    })
}

/// A prompt, and the version after its `@`.
pub fn split(wanted: &str) -> (&str, Option<&str>) {
    match wanted.split_once('@') {
        Some((name, version)) => (name, Some(version)),
        None => (wanted, None),
    }
}

/// The version of this name, or the current one: `v3`, `3`, `current`.
pub(super) fn version_in(home: &Home, folder: &Folder, wanted: &str) -> Result<String> {
    if wanted == "current" {
        return folder.current().map(|version| version.version.clone()).ok_or_else(|| {
            Error::not_so(format!("The prompt {} has no current version.", home.name))
                .hint(format!("Make one: tuesday prompt use {} VERSION", home.name))
        });
    }
    let bare = format!("v{wanted}");
    let found = folder.versions.iter().find(|version| version.version == wanted || version.version == bare);
    found.map(|version| version.version.clone()).ok_or_else(|| {
        let all: Vec<&str> = folder.versions.iter().map(|version| version.version.as_str()).collect();
        let error = Error::not_so(format!("The prompt {} has no version {wanted}.", home.name));
        if all.is_empty() {
            error.hint(format!("Put its text at {}.", home.folder.join("v1_current.txt").display()))
        } else {
            error.hint(format!("It has {}.", all.join(", ")))
        }
    })
}

/// A path as a person would name it: from the configuration's folder where it lies there.
pub(super) fn named(team: &TeamConfig, path: &Path) -> String {
    path.strip_prefix(&team.home).unwrap_or(path).display().to_string()
}
