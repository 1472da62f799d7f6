//! The candidates that there are, and the waivers that stood in for an item.

use jiff::Timestamp;
use serde::Serialize;

use crate::domain::gate::{Decision, EvidenceRow, Item, Proof, Verdict};
use crate::domain::{EvalConfig, Result, Untrusted};
use crate::ops::Ctx;
use crate::wire::prompts_dir::list_prompts;

/// A version of a prompt, and what its gate came to when it was last looked at.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CandidateLine {
    /// The feature: the name of the prompt's folder.
    pub feature: String,
    /// `v5`.
    pub version: String,
    /// Whether its file says that it is the current one.
    pub is_current: bool,
    /// What the gate came to, and since when it has not come to anything else.
    pub decided: Option<(Timestamp, Decision)>,
    /// How many items were met, waived or left out then.
    pub passed: usize,
}

/// Every version of every prompt, the newest of each prompt first.
pub fn candidates(ctx: &Ctx, config: &EvalConfig) -> Result<Vec<CandidateLine>> {
    let mut lines = Vec::new();
    for (feature, versions) in list_prompts(&config.prompts_dir) {
        let rows = ctx.store.gate_evidence_of_feature(&feature)?;
        for version in versions.into_iter().rev() {
            let decided = rows.iter().rev().filter(|row| row.version == version.version).find_map(decided);
            lines.push(CandidateLine {
                feature: feature.clone(),
                version: version.version,
                is_current: version.is_current,
                passed: decided.map_or(0, |(_, _, passed)| passed),
                decided: decided.map(|(at, decision, _)| (at, decision)),
            });
        }
    }
    Ok(lines)
}

fn decided(row: &EvidenceRow) -> Option<(Timestamp, Decision, usize)> {
    let Proof::Decided { decision, items } = &row.evidence.proof else { return None };
    Some((row.at, *decision, items.values().filter(|verdict| verdict.is_passed()).count()))
}

/// A waiver that stood in for an item of a version.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WaiverLine {
    /// The version.
    pub version: String,
    /// The item.
    pub item: Item,
    /// What it stood in for.
    pub verdict: Verdict,
    /// Why.
    pub reason: Untrusted,
    /// Who answers for it.
    pub by: Untrusted,
    /// When it was first used.
    pub at: Timestamp,
    /// How long it was to count.
    pub expires: Timestamp,
}

/// The waivers that were used for a feature up to a time and had not expired at another, oldest first; one that was
/// used again is told once.
pub fn waivers(ctx: &Ctx, feature: &str, used_by: Timestamp, not_over: Timestamp) -> Result<Vec<WaiverLine>> {
    let mut lines: Vec<WaiverLine> = Vec::new();
    for row in ctx.store.gate_evidence_of_feature(feature)? {
        let Proof::Waived { reason, waived_by, expires, verdict } = row.evidence.proof else { continue };
        let Some(item) = row.item.filter(|_| row.at <= used_by && expires > not_over) else { continue };
        let same =
            |line: &WaiverLine| line.version == row.version && line.item == item && line.reason == reason;
        if !lines.iter().any(same) {
            let (version, by, at) = (row.version, waived_by, row.at);
            lines.push(WaiverLine { version, item, verdict, reason, by, at, expires });
        }
    }
    Ok(lines)
}
