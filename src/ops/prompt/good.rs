//! The last known good version: the one to go back to, and why that one.

use std::collections::BTreeSet;

use serde::Serialize;

use super::Home;
use crate::domain::gate::Decision;
use crate::domain::prompt::TeamConfig;
use crate::domain::switch::{SwitchOf, SwitchStage};
use crate::domain::{Result, Run, Untrusted};
use crate::ops::Ctx;
use crate::stats::{CONFIDENCE, wilson};
use crate::store::Slice;
use crate::text::figures::{percent, thousands};
use crate::wire::prompts_dir::{Folder, PromptFile, load};

/// Labelled traces from which on a version's traffic tells that it is good.
pub const ENOUGH_LABELS: u64 = 200;

/// From when on a version counts as good.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bar {
    /// The share of passes that it needs, 0 to 1.
    pub min_pass_rate: f64,
    /// The cases that a run needs to tell.
    pub min_cases: u64,
    /// The labelled traces that traffic needs to tell.
    pub min_labels: u64,
}

impl Bar {
    /// That of the configuration.
    pub fn of(team: &TeamConfig) -> Self {
        Self { min_pass_rate: team.min_pass_rate, min_cases: team.min_cases, min_labels: ENOUGH_LABELS }
    }
}

/// What tells that a version is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Because {
    /// Its gate was met.
    Gate,
    /// A run of its text passes enough.
    Run,
    /// People pass enough of its traces.
    Labels,
}

/// A version that is known to be good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Good {
    /// The version.
    pub version: String,
    /// What tells it.
    pub because: Because,
    /// The same in words, with the figures.
    pub why: String,
}

/// What the search for it found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Search {
    /// The version, where there is one.
    pub good: Option<Good>,
    /// The newer ones that were passed over, each with the reason.
    pub passed_over: Vec<(String, String)>,
}

/// Finds the newest version before `before` (all versions, where it is none of them) that is known to be good:
/// whose gate was met; or, unless a person rolled back from it, of whose text a finished run passes the bar, or
/// whose labelled traces do with the lower end of their interval.
///
/// # Errors
/// When the store or the folder cannot be read.
pub fn last_known_good(ctx: &Ctx, home: &Home, before: &str, bar: Bar) -> Result<Search> {
    let folder = home.look()?;
    Evidence::gather(ctx, home)?.search(ctx, home, &folder, before, bar)
}

/// All that speaks for versions of a prompt.
pub(super) struct Evidence {
    /// By SHA-256 of the text, oldest first.
    gates: Vec<(String, Decision)>,
    runs: Vec<Run>,
    /// By version: passed and failed.
    pub labels: Vec<(String, (u64, u64))>,
    /// Versions that a person rolled back from.
    left: BTreeSet<String>,
}

impl Evidence {
    pub fn gather(ctx: &Ctx, home: &Home) -> Result<Self> {
        let mut labels = Vec::new();
        for (slice, counts) in ctx.store.labels_by_version()? {
            if let Some(version) = version_of(ctx, home, slice)? {
                labels.push((version, counts));
            }
        }
        let record = ctx.store.switches(SwitchOf::Prompt, &home.name)?;
        let left = record
            .iter()
            .filter(|event| event.stage == SwitchStage::Done && event.note.rollback)
            .filter_map(|event| event.from.as_ref().map(|from| from.raw().to_owned()))
            .collect();
        Ok(Self { gates: ctx.store.gate_decisions()?, runs: ctx.store.runs()?, labels, left })
    }

    pub fn search(&self, ctx: &Ctx, home: &Home, folder: &Folder, before: &str, bar: Bar) -> Result<Search> {
        let limit =
            folder.versions.iter().find(|version| version.version == before).map_or(u64::MAX, |v| v.number);
        let mut search = Search::default();
        for version in folder.versions.iter().rev().filter(|version| version.number < limit) {
            let Ok(prompt) = load(&home.name, version) else {
                search.passed_over.push((version.version.clone(), "its text cannot be read".to_owned()));
                continue;
            };
            match self.judge(ctx, home, &version.version, &prompt, bar)? {
                Ok(good) => {
                    search.good = Some(good);
                    return Ok(search);
                }
                Err(why) => search.passed_over.push((version.version.clone(), why)),
            }
        }
        Ok(search)
    }

    /// Whether a version is known to be good, or why it is not.
    fn judge(
        &self,
        ctx: &Ctx,
        home: &Home,
        version: &str,
        prompt: &PromptFile,
        bar: Bar,
    ) -> Result<std::result::Result<Good, String>> {
        let good = |because, why| Ok(Ok(Good { version: version.to_owned(), because, why }));
        if self.gate_met(prompt) {
            return good(Because::Gate, "its gate was met".to_owned());
        }
        if self.left.contains(version) {
            return Ok(Err("it was rolled back from".to_owned()));
        }
        let mut short = Vec::new();
        for run in self.runs_of(prompt) {
            if run.done < run.head.cases {
                continue;
            }
            let tally = ctx.store.run_tally(&run.head.name)?;
            let n = tally.passed + tally.failed;
            let share = tally.passed as f64 / n.max(1) as f64;
            let told = format!("its run {} passes {} of {}", run.head.name, percent(share), count(n));
            if n >= bar.min_cases && share >= bar.min_pass_rate {
                return good(Because::Run, told);
            }
            // The newest run decides: an older one was of another eval set.
            short.push(match n < bar.min_cases {
                true => {
                    format!("its run {} has {} of the {} cases that tell", run.head.name, n, bar.min_cases)
                }
                false => format!("{told}, not {}", percent(bar.min_pass_rate)),
            });
            break;
        }
        if let Some((_, (passed, failed))) = self.labels.iter().find(|(of, _)| of == version) {
            let n = passed + failed;
            let share = *passed as f64 / n.max(1) as f64;
            let lower = wilson(*passed as f64, n as f64, CONFIDENCE).map_or(0.0, |ends| ends.lower);
            let told = format!("people pass {} of {} labelled traces of it", percent(share), count(n));
            if n >= bar.min_labels && lower >= bar.min_pass_rate {
                return good(Because::Labels, told);
            }
            short.push(match n < bar.min_labels {
                true => format!("{n} of the {} labels that tell", bar.min_labels),
                false => format!("{told}, which does not prove {}", percent(bar.min_pass_rate)),
            });
        }
        if short.is_empty() {
            short.push(format!("no gate, run or label of {} speaks for it", home.name));
        }
        Ok(Err(short.join("; ")))
    }

    /// Whether the last word of the gate on this very text was that it is met.
    pub fn gate_met(&self, prompt: &PromptFile) -> bool {
        let last = self.gates.iter().rfind(|(sha256, _)| *sha256 == prompt.sha256);
        last.is_some_and(|(_, decision)| *decision == Decision::Met)
    }

    /// The runs of this very text, the newest first.
    pub fn runs_of(&self, prompt: &PromptFile) -> impl Iterator<Item = &Run> {
        self.runs.iter().filter(|run| run.head.prompt_hash.as_deref() == Some(&prompt.sha256))
    }
}

/// The version of a slice, where its prompt is this one.
pub(super) fn version_of(ctx: &Ctx, home: &Home, slice: Slice) -> Result<Option<String>> {
    let (prompt, version) = ctx.store.slice_names(slice)?;
    let ours = prompt.as_ref().map(Untrusted::raw) == Some(home.name.as_str());
    Ok(ours.then(|| version.map(Untrusted::into_raw).unwrap_or_default()))
}

fn count(n: u64) -> String {
    thousands(i64::try_from(n).unwrap_or(i64::MAX))
}
