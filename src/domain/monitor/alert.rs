//! An alert: one firing of a rule on a group, with its evidence; and the silences that keep it from being told.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Urgency;
use crate::domain::Untrusted;

/// What a rule's figures are grouped by, with the values of one group: `feature`, `kind`.
pub type Group = BTreeMap<String, Untrusted>;

/// An alert's identity for whoever is told: the same rule on the same group has the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(pub String);

impl Fingerprint {
    /// SHA-256 of the rule's id and the sorted group, in hex.
    pub fn of(rule: &str, group: &Group) -> Self {
        let mut hash = Sha256::new();
        hash.update(rule.as_bytes());
        for (name, value) in group {
            hash.update([0]);
            hash.update(name.as_bytes());
            hash.update([1]);
            hash.update(value.raw().as_bytes());
        }
        Self(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

/// Whether an alert is out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AlertState {
    /// It is.
    Firing,
    /// It was; the figures said so.
    Resolved,
}

/// One firing of a rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    /// Its name on every machine: UUID v7.
    pub id: String,
    /// Its number in this store; people say `A-7`.
    pub number: i64,
    /// The rule.
    pub rule: String,
    /// The group.
    pub group: Group,
    /// How urgent.
    pub severity: Urgency,
    /// When it was raised.
    pub fired_at: Timestamp,
    /// When it was over.
    pub resolved_at: Option<Timestamp>,
    /// What it stands on.
    pub evidence: Evidence,
    /// The incident that was opened for it.
    pub incident: Option<String>,
}

impl Alert {
    /// Its name, as people say it.
    pub fn name(&self) -> String {
        alert_name(self.number)
    }

    /// Whether it is out.
    pub fn state(&self) -> AlertState {
        if self.resolved_at.is_some() { AlertState::Resolved } else { AlertState::Firing }
    }

    /// Its identity for whoever is told.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.rule, &self.group)
    }
}

/// `A-7`.
pub fn alert_name(number: i64) -> String {
    format!("A-{number}")
}

/// What an alert stands on. Figures, names and ids; no text of prompts or responses.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// What is said in one line, of this program's own words, names and figures.
    pub summary: String,
    /// The metric's word.
    pub metric: String,
    /// The figure: a share, a ratio, US dollars or expected requests.
    pub value: Option<f64>,
    /// Its 95 % interval.
    pub interval: Option<[f64; 2]>,
    /// What is usual.
    pub usual: Option<f64>,
    /// How many it is of.
    pub n: u64,
    /// How many count against it.
    pub count: Option<u64>,
    /// The probability of this or worse when nothing changed.
    pub p_value: Option<f64>,
    /// How long the requests took, where that is what is measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<Times>,
    /// The window: from and to.
    pub window: Option<[Timestamp; 2]>,
    /// More than usual, in requests.
    pub excess: Option<f64>,
    /// The slices that explain the excess, most telling first.
    #[serde(default)]
    pub slices: Vec<SliceShare>,
    /// Ids of the traces to look at first, worst first.
    #[serde(default)]
    pub traces: Vec<Untrusted>,
    /// The query of all the traces that count against it.
    #[serde(default)]
    pub query: String,
}

/// How long requests took, in milliseconds. Each is within 1 %.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Times {
    /// The median.
    pub p50_ms: f64,
    /// The 95th percentile.
    pub p95_ms: f64,
    /// Between which values it lies, with 95 % confidence, by the ranks that hold it.
    pub p95_interval_ms: Option<[f64; 2]>,
    /// The 99th percentile.
    pub p99_ms: f64,
    /// How many requests it is of.
    pub n: u64,
}

/// A slice of the traffic and how much of the excess it explains.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SliceShare {
    /// Dimension and value, one or two: `prompt` `customer_support@v4`.
    pub slice: Vec<(String, Untrusted)>,
    /// Requests in it.
    pub n: u64,
    /// How many count against it.
    pub count: u64,
    /// More than usual in it, in requests.
    pub excess: f64,
    /// Its share of the whole excess.
    pub share: f64,
    /// The rate outside it.
    pub rate_outside: f64,
}

/// A time in which alerts of a rule are not told.
#[derive(Debug, Clone, PartialEq)]
pub struct Silence {
    /// Its number in this store.
    pub number: i64,
    /// The rule; `None`: every rule.
    pub rule: Option<String>,
    /// The values that an alert's group must have.
    pub group: Group,
    /// Why.
    pub reason: Untrusted,
    /// Who asked for it.
    pub by: Untrusted,
    /// From.
    pub from: Timestamp,
    /// To.
    pub until: Timestamp,
}

impl Silence {
    /// Whether it covers alerts of a rule on a group at this time.
    pub fn covers(&self, rule: &str, group: &Group, at: Timestamp) -> bool {
        (self.from..self.until).contains(&at)
            && self.rule.as_deref().is_none_or(|of| of == rule)
            && self.group.iter().all(|(name, value)| group.get(name) == Some(value))
    }
}
