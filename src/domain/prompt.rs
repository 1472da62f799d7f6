//! Prompts under version control and features that are switched: what a team says of them.

use std::path::PathBuf;

use super::switch::SwitchSpec;

/// All that the configuration says of prompts and of switching features.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TeamConfig {
    /// The folder of `tuesday.toml`, or the one the program was started in: files are named from here.
    pub home: PathBuf,
    /// The configuration that was read, to name a place in it.
    pub file: Option<PathBuf>,
    /// The folder of the prompts, one folder a prompt.
    pub prompts_dir: PathBuf,
    /// `[features.NAME]`.
    pub features: Vec<FeatureSpec>,
    /// From which share of passes on a version counts as good; 0 to 1.
    pub min_pass_rate: f64,
    /// Fewer cases of a run than this do not tell whether a version is good.
    pub min_cases: u64,
}

/// A feature as `[features.NAME]` says it.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureSpec {
    /// Its name, as traces say it.
    pub name: String,
    /// The folder of its prompt.
    pub prompts: Option<PathBuf>,
    /// How it is switched off and on.
    pub switch: Option<SwitchSpec>,
    /// Where it stands in the configuration: the line, from 1.
    pub line: usize,
}
