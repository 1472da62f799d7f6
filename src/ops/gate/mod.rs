//! The gate: the ten items of the deployment checklist for one version of a prompt, each proved by what the store
//! has, or signed by a person; the evidence is kept.
//!
//! | file | holds |
//! |---|---|
//! | `candidate` | what is being looked at: prompt, settings, run, evidence |
//! | `said` | what an item comes to, before it is kept |
//! | `proved`, `labels`, `cost`, `latency` | items 1 to 4 |
//! | `monitors` | item 5, and what it needs to know of monitors |
//! | `rollback`, `drill` | item 6: the way back, and practising it |
//! | `failures`, `exercise` | item 7: cases, and the target against a server that fails |
//! | `signed`, `sign` | items 8 to 10 |
//! | `list` | the candidates that there are; waivers for a post-mortem |

mod candidate;
mod cost;
mod drill;
mod exercise;
mod failures;
mod labels;
mod latency;
mod list;
mod monitors;
mod proved;
mod rollback;
mod said;
mod sign;
mod signed;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::Ctx;
use crate::domain::gate::{Decision, Evidence, EvidenceRow, Item, Measure, Proof, Verdict, Waiver};
use crate::domain::{EvalConfig, Result, Untrusted};
use crate::stats::Interval;
use crate::task::Cancel;
use candidate::Candidate;
use said::Said;

pub use drill::{DrillView, drill};
pub use exercise::{ExerciseView, exercise};
pub use labels::{EdgeView, edges, label};
pub use list::{CandidateLine, WaiverLine, candidates, waivers};
pub use sign::{SignSpec, sign};

/// Which gate: a feature and a version of its prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateOf {
    /// The feature; its prompt's folder is called so, unless its gate file says another.
    pub feature: String,
    /// `v5`, or `current`.
    pub version: String,
}

/// What a gate comes to. Its serde form is the answer of `gate --json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GateView {
    /// The feature.
    pub feature: String,
    /// The version, in full.
    pub version: String,
    /// `customer_support@v5`.
    pub prompt: String,
    /// SHA-256 of the prompt's file, hexadecimal.
    pub prompt_sha256: String,
    /// The prompt's file.
    pub prompt_file: String,
    /// The gate file; none: the defaults.
    pub gate_file: Option<String>,
    /// Together.
    pub decision: Decision,
    /// The exit code of the command: 0 met, 1 not met, 2 open.
    pub exit_code: u8,
    /// When it was looked at.
    pub at: Timestamp,
    /// The ten items in order.
    pub items: Vec<ItemView>,
}

/// One item.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ItemView {
    /// 1 to 10.
    pub number: usize,
    /// Its name.
    pub item: Item,
    /// What people call it.
    pub title: &'static str,
    /// What it comes to.
    pub verdict: Verdict,
    /// It is met and the interval leaves no doubt; of what is signed or practised: it is met.
    pub proven: bool,
    /// The figure in a few words.
    pub figure: String,
    /// What was found and what is asked for, in a sentence or two.
    pub words: String,
    /// The interval of the figure; each end is one-sided at 95 %, as the proof is.
    pub interval: Option<Interval>,
    /// All figures by name.
    pub figures: BTreeMap<String, f64>,
    /// What to know besides.
    pub warnings: Vec<String>,
    /// The way on, where it is not met.
    pub next: Option<String>,
    /// The evidence that is kept.
    pub evidence: Option<EvidenceView>,
    /// The waiver that stands in for it.
    pub waiver: Option<Waiver>,
}

/// Where the evidence of an item is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EvidenceView {
    /// Its id: `ev-17`.
    pub id: String,
    /// When it was kept.
    pub at: Timestamp,
    /// Who was at the keyboard.
    pub by: Untrusted,
    /// SHA-256 of the prompt as it was.
    pub prompt_sha256: String,
    /// The eval set and its version.
    pub set: Option<(String, u64)>,
    /// The run.
    pub run: Option<String>,
    /// The query of the traces.
    pub query: Option<Untrusted>,
}

impl ItemView {
    /// `met, proven`, `met, not proven`; `met` of what has no interval; `not enough data`.
    pub fn verdict_words(&self) -> &'static str {
        match (self.verdict, self.proven) {
            (Verdict::Met, false) => "met, not proven",
            (Verdict::Met, true) if self.interval.is_some() => "met, proven",
            (verdict, _) => verdict.words(),
        }
    }
}

impl GateView {
    /// Items by what they come to, in words: `7 met, 1 stale, 2 unsigned`.
    pub fn tally(&self) -> String {
        let order = [
            Verdict::Met,
            Verdict::Waived,
            Verdict::NotMet,
            Verdict::NotEnoughData,
            Verdict::Stale,
            Verdict::Unsigned,
            Verdict::Off,
        ];
        let count = |verdict: Verdict| self.items.iter().filter(|item| item.verdict == verdict).count();
        let parts = order.into_iter().map(|verdict| (count(verdict), verdict)).filter(|(n, _)| *n > 0);
        parts.map(|(n, verdict)| format!("{n} {}", verdict.words())).collect::<Vec<_>>().join(", ")
    }
}

/// Looks at every item, and keeps what was found where the store can be written: evidence that says the same as
/// before is not kept twice.
///
/// # Errors
/// `Usage` where there is no such prompt or version; what is wrong in a gate file is named by file and line.
pub fn check(ctx: &Ctx, config: &EvalConfig, of: &GateOf, cancel: &Cancel) -> Result<GateView> {
    let candidate = Candidate::find(ctx, config, of, cancel)?;
    let found = candidate.run()?;
    let mut items = Vec::new();
    for item in Item::ALL {
        cancel.check()?;
        let said = if candidate.spec.off.contains(&item) {
            Said::new(Verdict::Off, "left out", "The gate file leaves this item out.")
        } else {
            match item {
                Item::Eval => proved::eval(&candidate, &found)?,
                Item::EdgeCases => labels::item(&candidate, &found)?,
                Item::Cost => cost::item(&candidate, &found)?,
                Item::Latency => latency::item(&candidate, &found)?,
                Item::Monitors => monitors::item(&candidate)?,
                Item::Rollback => rollback::item(&candidate)?,
                Item::FailureModes => failures::item(&candidate, &found)?,
                Item::PeerReview => signed::peer_review(&candidate)?,
                Item::Rollout => signed::rollout(&candidate)?,
                Item::Oncall => signed::oncall(&candidate)?,
            }
        };
        items.push(settled(&candidate, item, said)?);
    }
    let decision = Decision::of(items.iter().map(|item| item.verdict));
    let verdicts = items.iter().map(|item| (item.item, item.verdict)).collect();
    candidate.keep_new(None, Proof::Decided { decision, items: verdicts })?;
    Ok(GateView {
        feature: candidate.feature.clone(),
        version: candidate.version.clone(),
        prompt: candidate.prompt.label.clone(),
        prompt_sha256: candidate.prompt.sha256.clone(),
        prompt_file: candidate.prompt.path.display().to_string(),
        gate_file: candidate.file.as_ref().map(|path| path.display().to_string()),
        exit_code: decision.exit_code(),
        decision,
        at: candidate.now,
        items,
    })
}

/// Keeps what an item came to, lets a waiver stand in for it, and makes it ready for a face.
fn settled(candidate: &Candidate<'_>, item: Item, said: Said) -> Result<ItemView> {
    let mut evidence = said.evidence;
    if said.verdict == Verdict::Stale && evidence.is_none() {
        // What it was: of another text, another set, or too long ago.
        evidence = candidate.newest(item, |proof| matches!(proof, Proof::Measured(_))).cloned();
    }
    let keeps = !said.figures.is_empty() && !matches!(said.verdict, Verdict::Stale | Verdict::Off);
    if keeps && evidence.is_none() {
        let measure = Measure {
            verdict: said.verdict,
            proven: said.proven,
            set: said.set.clone(),
            run: said.run.clone(),
            query: said.query.clone().map(Untrusted::new),
            figures: said.figures.clone(),
            words: Untrusted::new(said.words.clone()),
        };
        evidence = candidate.keep_new(Some(item), Proof::Measured(measure))?;
    }
    let waiver = candidate
        .spec
        .waivers
        .get(&item)
        .filter(|waiver| !said.verdict.is_passed() && waiver.expires > candidate.now);
    if let Some(waiver) = waiver {
        candidate.keep_new(
            Some(item),
            Proof::Waived {
                reason: waiver.reason.clone(),
                waived_by: waiver.by.clone(),
                expires: waiver.expires,
                verdict: said.verdict,
            },
        )?;
    }
    let mut warnings = said.warnings;
    if let Some(over) = candidate.spec.waivers.get(&item).filter(|waiver| waiver.expires <= candidate.now) {
        warnings.push(format!("its waiver by {} has expired", over.by.raw()));
    }
    Ok(ItemView {
        number: item.number(),
        item,
        title: item.title(),
        verdict: if waiver.is_some() { Verdict::Waived } else { said.verdict },
        proven: said.proven,
        figure: match waiver {
            Some(waiver) => format!("{}: {}", waiver.by.raw(), waiver.reason.raw()),
            None => said.figure,
        },
        words: match waiver {
            Some(_) => format!("Waived while it is {}. {}", said.verdict.words(), said.words),
            None => said.words,
        },
        interval: said.interval,
        figures: said.figures,
        warnings,
        next: if said.verdict.is_passed() { None } else { said.next },
        evidence: evidence.map(view),
        waiver: waiver.cloned(),
    })
}

fn view(row: EvidenceRow) -> EvidenceView {
    let (set, run, query) = match &row.evidence.proof {
        Proof::Measured(measure) => (measure.set.clone(), measure.run.clone(), measure.query.clone()),
        Proof::Label { run, .. } => (None, Some(run.clone()), None),
        _ => (None, None, None),
    };
    let Evidence { prompt_sha256, by, .. } = row.evidence;
    EvidenceView { id: id_of(row.id), at: row.at, by, prompt_sha256, set, run, query }
}

/// `ev-17`.
fn id_of(row: i64) -> String {
    format!("ev-{row}")
}
