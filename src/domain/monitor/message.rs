//! What a receiver is told: figures, names and ids, never the text of a prompt or a response.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Alert, Evidence, Fingerprint, Group, SliceShare, Urgency};

/// Why a message is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum What {
    /// An alert was raised.
    Firing,
    /// It is still out.
    Repeat,
    /// It is over.
    Resolved,
    /// A test of the receiver: nothing is wrong.
    Test,
}

impl What {
    /// Its word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Repeat => "repeat",
            Self::Resolved => "resolved",
            Self::Test => "test",
        }
    }

    /// The one of this word.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Firing, Self::Repeat, Self::Resolved, Self::Test].into_iter().find(|what| what.name() == name)
    }
}

/// One message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Why it is sent.
    pub what: What,
    /// The alert as people say it, `A-7`; of a test none.
    pub alert: Option<String>,
    /// The rule.
    pub rule: String,
    /// What the rule and its group are told apart by.
    pub fingerprint: Fingerprint,
    /// The group.
    pub group: Group,
    /// How urgent.
    pub severity: Urgency,
    /// In one line.
    pub summary: String,
    /// When the alert was raised.
    pub fired_at: Timestamp,
    /// When it was over.
    pub resolved_at: Option<Timestamp>,
    /// The figure and what it stands on.
    pub value: Option<f64>,
    /// Its 95 % interval.
    pub interval: Option<[f64; 2]>,
    /// What is usual.
    pub usual: Option<f64>,
    /// How many it is of.
    pub n: u64,
    /// The slices that explain it.
    pub slices: Vec<SliceShare>,
    /// Ids of the traces to look at first.
    pub traces: Vec<crate::domain::Untrusted>,
    /// The query that shows all of them.
    pub query: String,
    /// The runbook to open.
    pub runbook: Option<String>,
}

impl Message {
    /// What is told of an alert.
    pub fn of(alert: &Alert, what: What, runbook: Option<&str>) -> Self {
        let Evidence { summary, value, interval, usual, n, slices, traces, query, .. } = &alert.evidence;
        Self {
            what,
            alert: Some(alert.name()),
            rule: alert.rule.clone(),
            fingerprint: alert.fingerprint(),
            group: alert.group.clone(),
            severity: alert.severity,
            summary: summary.clone(),
            fired_at: alert.fired_at,
            resolved_at: alert.resolved_at,
            value: *value,
            interval: *interval,
            usual: *usual,
            n: *n,
            slices: slices.clone(),
            traces: traces.clone(),
            query: query.clone(),
            runbook: runbook.map(str::to_owned),
        }
    }

    /// A test of the receivers of a rule.
    pub fn test(rule: &str, group: Group, severity: Urgency, at: Timestamp) -> Self {
        Self {
            what: What::Test,
            alert: None,
            rule: rule.to_owned(),
            // A test has an identity of its own, so that it closes no alert.
            fingerprint: Fingerprint::of(&format!("test:{rule}"), &group),
            group,
            severity,
            summary: format!("TEST of the monitor {rule}: nothing is wrong."),
            fired_at: at,
            resolved_at: None,
            value: None,
            interval: None,
            usual: None,
            n: 0,
            slices: Vec::new(),
            traces: Vec::new(),
            query: String::new(),
            runbook: None,
        }
    }
}

/// How it stands with a message to one receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Delivery {
    /// It is to be sent.
    Waiting,
    /// It is being sent.
    Sending,
    /// The receiver took it.
    Sent,
    /// It was given up.
    Failed,
    /// The program ended while it was sent: it may have arrived, and is not sent again.
    Unknown,
}

impl Delivery {
    /// Its word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }

    /// The one of this word.
    pub fn from_name(name: &str) -> Option<Self> {
        let all = [Self::Waiting, Self::Sending, Self::Sent, Self::Failed, Self::Unknown];
        all.into_iter().find(|state| state.name() == name)
    }
}

/// Minutes after which a message that a receiver did not take is sent again; after the last it is given up.
pub const RETRY_MINUTES: [i64; 5] = [1, 2, 4, 8, 16];
