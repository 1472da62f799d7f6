//! Watching the folders of prompts for what others do to them.

use std::path::Path;
use std::time::SystemTime;

use super::homes;
use crate::domain::prompt::TeamConfig;

/// What the folders look like: two that are equal hold the same files, as far as names, sizes and times tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint(Vec<(String, u64, Option<SystemTime>)>);

impl Fingerprint {
    /// Takes it. Reads names and times only; what cannot be read is not there.
    pub fn take(team: &TeamConfig) -> Self {
        let mut seen = Vec::new();
        let mut folder = |path: &Path| {
            for entry in std::fs::read_dir(path).into_iter().flatten().flatten() {
                let Ok(facts) = entry.metadata() else { continue };
                seen.push((entry.path().display().to_string(), facts.len(), facts.modified().ok()));
            }
        };
        folder(&team.prompts_dir);
        homes(team).iter().for_each(|home| folder(&home.folder));
        seen.sort();
        Self(seen)
    }
}
