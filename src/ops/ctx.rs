//! What every op needs: where, who, and what time it is.

use std::path::{Path, PathBuf};

use crate::domain::{JudgeSample, Result};
use crate::store::{Access, Store};
use crate::task::{Cancel, Clock, Progress};
use crate::text::Fallback;

/// The context of a request. Cheap to clone.
#[derive(Clone)]
pub struct Ctx {
    /// The store to work on.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// The name of the person at the keyboard: labels, cases and incident acts carry it.
    pub reviewer: String,
    /// Where `<set>.jsonl` is written for the team's repository; `None`: the store alone is changed.
    pub evals_dir: Option<PathBuf>,
    /// By what answers are found to be fallbacks.
    pub fallback: Fallback,
    /// What the configuration says of the daily sample; `None`: there is none.
    pub judge_sample: Option<JudgeSample>,
}

impl Ctx {
    /// Opens the store at `path` for this person.
    pub fn open(path: &Path, access: Access, reviewer: &str, clock: Clock) -> Result<Self> {
        Ok(Self {
            store: Store::open(path, access)?,
            clock,
            reviewer: reviewer.to_owned(),
            evals_dir: None,
            fallback: Fallback::default(),
            judge_sample: None,
        })
    }

    /// The same, where somebody watches an old layout being brought up to date, and may stop it.
    pub fn open_watched(
        path: &Path,
        access: Access,
        reviewer: &str,
        cancel: &Cancel,
        progress: &Progress,
    ) -> Result<Self> {
        let store = Store::open_watched(path, access, cancel, progress)?;
        Ok(Self {
            store,
            clock: Clock::System,
            reviewer: reviewer.to_owned(),
            evals_dir: None,
            fallback: Fallback::default(),
            judge_sample: None,
        })
    }

    /// Whether opening the store at `path` takes a while, since its layout is an older one.
    pub fn is_behind(path: &Path) -> bool {
        Store::is_behind(path)
    }

    /// The same, with eval sets written to `dir`.
    pub fn with_evals_dir(mut self, dir: PathBuf) -> Self {
        self.evals_dir = Some(dir);
        self
    }

    /// Where the store is.
    pub fn path(&self) -> &Path {
        self.store.path()
    }

    /// Whether the store is one that a drill is held on.
    pub fn is_drill(&self) -> bool {
        crate::ops::drill::Place::of_store(self.store.path()).is_some()
    }

    /// The same, with fallbacks found by these patterns.
    pub fn with_fallback(self, fallback: Fallback) -> Self {
        Self { fallback, ..self }
    }

    /// The same, with a daily sample.
    pub fn with_judge_sample(self, judge_sample: Option<JudgeSample>) -> Self {
        Self { judge_sample, ..self }
    }

    /// Whether the store takes people's work, or can only be read.
    pub fn writable(&self) -> bool {
        self.store.is_writable()
    }
}
