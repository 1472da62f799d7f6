//! What is kept of an item: figures, labels, signatures, drills, exercises, waivers. Never changed; the newest
//! of a kind counts. Its serde form is stored.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Decision, Item, Verdict};
use crate::domain::{CaseId, Commit, Untrusted, label};

/// Evidence as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct EvidenceRow {
    /// Its number in the store.
    pub id: i64,
    /// The feature.
    pub feature: String,
    /// The version of the prompt.
    pub version: String,
    /// The item; none for the gate as a whole.
    pub item: Option<Item>,
    /// What.
    pub evidence: Evidence,
    /// When it was written down.
    pub at: Timestamp,
}

/// A piece of evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// SHA-256 of the prompt's file as it was, hexadecimal.
    pub prompt_sha256: String,
    /// Who was at the keyboard.
    pub by: Untrusted,
    /// What it is.
    #[serde(flatten)]
    pub proof: Proof,
}

/// What a piece of evidence is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Proof {
    /// Figures of an item.
    Measured(Measure),
    /// A person's word on the run's answer to a case.
    Label {
        /// The run.
        run: String,
        /// The case.
        case: CaseId,
        /// Their verdict.
        verdict: label::Verdict,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<Untrusted>,
    },
    /// A signature.
    Signed {
        /// Who signed.
        who: Untrusted,
        /// What they say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<Untrusted>,
        /// Of a review: the commit that was read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        commit: Option<Commit>,
        /// Of a roll-out: its stages, in per cent.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        stages: Vec<i64>,
        /// Of a roll-out: SHA-256 of the plan's file.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        plan_sha256: Option<String>,
        /// Of a duty: who is on call.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        on_call: Option<Untrusted>,
        /// Of a duty: how to reach them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        contact: Option<Untrusted>,
        /// Of a duty: from when.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<Timestamp>,
        /// Of a duty: until when.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
    /// A rollback that was practised.
    Drill {
        /// The version to go back to.
        to: String,
        /// What was run.
        argv: Vec<Untrusted>,
        /// How long it took.
        seconds: f64,
        /// Its exit code; none where it was killed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<i32>,
        /// It was killed at the limit.
        timed_out: bool,
        /// The end of what it said.
        said: Untrusted,
    },
    /// Failures that were tried on a target.
    Exercise {
        /// The target.
        target: String,
        /// Its kind.
        target_kind: String,
        /// What was seen of each.
        sights: Vec<Sight>,
    },
    /// What the gate as a whole came to.
    Decided {
        /// Together.
        decision: Decision,
        /// Each item.
        items: BTreeMap<Item, Verdict>,
    },
    /// A waiver that stood in for the item.
    Waived {
        /// Why.
        reason: Untrusted,
        /// Who answers for it.
        waived_by: Untrusted,
        /// How long.
        expires: Timestamp,
        /// What it stood in for.
        verdict: Verdict,
    },
}

/// Figures of an item, with where they come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measure {
    /// What they came to.
    pub verdict: Verdict,
    /// The interval left no doubt.
    pub proven: bool,
    /// The eval set and its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<(String, u64)>,
    /// The run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// The query of the traces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<Untrusted>,
    /// By name; units are in the names.
    pub figures: BTreeMap<String, f64>,
    /// The same in words.
    pub words: Untrusted,
}

/// A failure of the model behind a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The connection is refused.
    Outage,
    /// The request is taken and never answered.
    Timeout,
    /// 429 with `Retry-After`.
    RateLimit,
}

impl Fault {
    /// All of them.
    pub const ALL: [Fault; 3] = [Fault::Outage, Fault::Timeout, Fault::RateLimit];

    /// Its words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Outage => "outage",
            Self::Timeout => "time-out",
            Self::RateLimit => "rate limit",
        }
    }
}

/// What was seen of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seen {
    /// The application's fallback.
    Fallback,
    /// The failure, told by the client in time.
    Told,
    /// Neither.
    Nothing,
}

/// One failure, tried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sight {
    /// Which.
    pub fault: Fault,
    /// What was seen.
    pub seen: Seen,
    /// In a sentence; may quote the target.
    pub words: Untrusted,
    /// How long it took, in milliseconds.
    pub took_ms: f64,
    /// Requests that came to the server that fails; none where nothing listens.
    pub requests: u64,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn evidence_survives_being_stored() {
        let proofs = [
            json!({"kind": "label", "run": "r", "case": "c-1", "verdict": "pass"}),
            json!({"kind": "signed", "who": "jo", "stages": [10, 100]}),
            json!({"kind": "drill", "to": "v3", "argv": ["x"], "seconds": 1.5, "code": 0, "timed_out": false, "said": ""}),
            json!({"kind": "measured", "verdict": "met", "proven": true, "figures": {"k": 1.0}, "words": "w"}),
        ];
        for mut proof in proofs {
            proof["prompt_sha256"] = "ab".into();
            proof["by"] = "ann".into();
            let read: Evidence = serde_json::from_value(proof.clone()).unwrap();
            assert_eq!(serde_json::to_value(&read).unwrap(), proof);
        }
    }
}
