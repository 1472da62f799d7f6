//! What differs between two versions of a prompt, word by word.

use serde::Serialize;

use super::{Home, version_in};
use crate::domain::{Error, Result, Untrusted};
use crate::text::{WordChange, word_diff};
use crate::wire::prompts_dir::{Folder, PromptFile, load};

/// A piece of the difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DiffPart {
    /// Whether it stays, is taken away or added.
    pub change: WordChange,
    /// The words, with the space around them.
    pub text: Untrusted,
}

/// Two versions and their difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DiffView {
    /// The prompt.
    pub prompt: String,
    /// The older version.
    pub from: String,
    /// The newer version.
    pub to: String,
    /// Words that were taken away.
    pub removed: usize,
    /// Words that were added.
    pub added: usize,
    /// The pieces, in order: together they are both texts.
    pub parts: Vec<DiffPart>,
    /// The older text.
    #[serde(skip)]
    pub old: Untrusted,
    /// The newer text.
    #[serde(skip)]
    pub new: Untrusted,
}

/// The difference between two versions: `v3`, `3`, `current`.
///
/// # Errors
/// `NotSo` when one is not there; otherwise when one cannot be read.
pub fn diff(home: &Home, from: &str, to: &str) -> Result<DiffView> {
    let folder = home.look()?;
    let (old, new) = (read(home, &folder, from)?, read(home, &folder, to)?);
    let parts: Vec<DiffPart> = word_diff(&old.1.text, &new.1.text)
        .into_iter()
        .map(|(change, text)| DiffPart { change, text: text.into() })
        .collect();
    let words = |wanted: WordChange| {
        let of = parts.iter().filter(|part| part.change == wanted);
        of.map(|part| part.text.raw().split_whitespace().count()).sum()
    };
    Ok(DiffView {
        prompt: home.name.clone(),
        from: old.0,
        to: new.0,
        removed: words(WordChange::Removed),
        added: words(WordChange::Added),
        parts,
        old: old.1.text.into(),
        new: new.1.text.into(),
    })
}

/// The name and the text of a version.
pub(super) fn read(home: &Home, folder: &Folder, wanted: &str) -> Result<(String, PromptFile)> {
    let version = version_in(home, folder, wanted)?;
    let mut claims = folder.versions.iter().filter(|of| of.version == version);
    match (claims.next(), claims.next()) {
        (Some(one), None) => Ok((version, load(&home.name, one)?)),
        _ => Err(Error::not_so(format!("More than one file claims to be {}@{version}.", home.name))
            .hint(format!("Take one away: tuesday prompt lint {}", home.name))),
    }
}

impl Home {
    /// The text of a version: `v3`, `3`, `current`.
    ///
    /// # Errors
    /// As [`diff`].
    pub fn text(&self, wanted: &str) -> Result<(String, PromptFile)> {
        read(self, &self.look()?, wanted)
    }

    /// The version before one, by number.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn before(&self, version: &str) -> Result<Option<String>> {
        let versions = self.look()?.versions;
        let at = versions.iter().position(|of| of.version == version);
        Ok(at.and_then(|at| at.checked_sub(1)).map(|before| versions[before].version.clone()))
    }
}
