//! What a team asks of a candidate. Complete without a gate file: every setting has a default.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

use super::Item;
use crate::domain::Untrusted;

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// What it takes for a figure to do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// The figure meets it.
    #[default]
    Point,
    /// The interval leaves no doubt.
    Proven,
}

/// A gate: the settings of its items, and what is waived.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GateSpec {
    /// The prompt's folder, where it is not called as the feature.
    pub prompt_name: Option<String>,
    /// The one version that this file is about; none: any.
    pub version: Option<String>,
    /// Items that are left out.
    pub off: BTreeSet<Item>,
    /// Item 1.
    pub eval: EvalItem,
    /// Item 2.
    pub edge_cases: EdgeItem,
    /// Item 3.
    pub cost: CostItem,
    /// Item 4.
    pub latency: LatencyItem,
    /// Item 5.
    pub monitors: MonitorItem,
    /// Item 6.
    pub rollback: RollbackItem,
    /// Item 7.
    pub failure_modes: FailureItem,
    /// Item 9.
    pub rollout: RolloutItem,
    /// Item 10.
    pub oncall: OncallItem,
    /// What is let pass for a time.
    pub waivers: BTreeMap<Item, Waiver>,
}

/// Why an item is let pass, by whom, and how long.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Waiver {
    /// Why.
    pub reason: Untrusted,
    /// Who answers for it.
    pub by: Untrusted,
    /// From then on it counts no more.
    pub expires: Timestamp,
}

/// Item 1: the share of eval cases that pass.
#[derive(Debug, Clone, PartialEq)]
pub struct EvalItem {
    /// The eval set; without it that of the newest run of the prompt.
    pub set: Option<String>,
    /// The share that must be passed by more.
    pub min: f64,
    /// Whether that must be proven.
    pub need: Need,
    /// How old the run may be, in milliseconds.
    pub max_age_ms: u64,
    /// Fewer cases do not decide, unless they leave no doubt.
    pub min_cases: u64,
    /// The most cases without a word, as a share.
    pub max_error_rate: f64,
    /// The run that it is held against; without it the newest of another text of the prompt.
    pub baseline: Option<String>,
}

impl Default for EvalItem {
    fn default() -> Self {
        Self {
            set: None,
            min: 0.9,
            need: Need::Point,
            max_age_ms: 7 * DAY,
            min_cases: 20,
            max_error_rate: 0.05,
            baseline: None,
        }
    }
}

/// Item 2: what people say of the run's answers to edge cases.
#[derive(Debug, Clone, PartialEq)]
pub struct EdgeItem {
    /// The kinds of case that count as edge cases; the set must have one of each.
    pub categories: Vec<String>,
    /// Labels that there must be.
    pub min_labels: u64,
    /// The share of them that must be passed by more.
    pub min: f64,
}

impl Default for EdgeItem {
    fn default() -> Self {
        let edges = crate::domain::CATEGORIES.iter().filter(|kind| **kind != "plain");
        Self { categories: edges.map(|kind| (*kind).to_owned()).collect(), min_labels: 20, min: 0.9 }
    }
}

/// Item 3: what a request, or a month of them, may cost.
#[derive(Debug, Clone, PartialEq)]
pub struct CostItem {
    /// The most that a request may cost in the mean, in US dollars.
    pub max_usd: Option<f64>,
    /// The most that 30 days may cost, in US dollars.
    pub budget_usd: Option<f64>,
    /// The forecast; without it the mean of the last seven days.
    pub requests_per_day: Option<f64>,
    /// Whether the figure or its upper bound must keep within.
    pub need: Need,
}

impl Default for CostItem {
    fn default() -> Self {
        Self { max_usd: None, budget_usd: None, requests_per_day: None, need: Need::Proven }
    }
}

/// Item 4: the 95th percentile of the response time, as the share of requests above a limit.
#[derive(Debug, Clone, PartialEq)]
pub struct LatencyItem {
    /// The limit, in milliseconds.
    pub p95_ms: u64,
    /// Whether it must be proven that less than a twentieth is above it.
    pub need: Need,
    /// How far back the version's traffic counts, in milliseconds.
    pub window_ms: u64,
    /// Requests from which the traffic counts, and not the run: 59 without one above prove it.
    pub min_requests: u64,
}

impl Default for LatencyItem {
    fn default() -> Self {
        Self { p95_ms: 3_000, need: Need::Proven, window_ms: 7 * DAY, min_requests: 59 }
    }
}

/// Item 5: the monitors of the feature.
#[derive(Debug, Clone, PartialEq)]
pub struct MonitorItem {
    /// Rules that there must be: quality, feedback, fallback, latency, cost, errors, spend.
    pub at_least: u64,
    /// How long ago a rule may have been test-fired, in milliseconds.
    pub max_test_age_ms: u64,
    /// How old the newest trace of the feature may be, in milliseconds; counted in whole hours.
    pub max_lag_ms: u64,
}

impl Default for MonitorItem {
    fn default() -> Self {
        Self { at_least: 7, max_test_age_ms: 30 * DAY, max_lag_ms: HOUR }
    }
}

/// Item 6: the way back.
#[derive(Debug, Clone, PartialEq)]
pub struct RollbackItem {
    /// The program that rolls back, with its arguments; `{{feature}}`, `{{prompt}}`, `{{from}}` and `{{to}}` stand
    /// for whole ones. No shell.
    pub command: Vec<String>,
    /// What is put behind them so that nothing is changed.
    pub dry_run: Vec<String>,
    /// Variables that are passed on, besides `PATH`, `HOME` and `LANG`.
    pub env: Vec<String>,
    /// How long it may take, in milliseconds.
    pub limit_ms: u64,
    /// How long a drill counts, in milliseconds.
    pub max_age_ms: u64,
    /// The version to go back to; without it the last known good one.
    pub to: Option<String>,
}

impl Default for RollbackItem {
    fn default() -> Self {
        Self {
            command: Vec::new(),
            dry_run: vec!["--dry-run".to_owned()],
            env: Vec::new(),
            limit_ms: 5 * MINUTE,
            max_age_ms: 90 * DAY,
            to: None,
        }
    }
}

/// What counts as a fallback that was seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Accept {
    /// The application's own answer while its model is out of reach.
    #[default]
    Fallback,
    /// That this program, asking the model itself, is told of the failure in time.
    Client,
}

/// Item 7: failures that were tried.
#[derive(Debug, Clone, PartialEq)]
pub struct FailureItem {
    /// Kinds of case that the set must have.
    pub categories: Vec<String>,
    /// The share of their cases that must be passed by more.
    pub min: f64,
    /// How long an exercise counts, in milliseconds.
    pub max_age_ms: u64,
    /// Patterns of the application's fallback; one must be found in its answer.
    pub fallback: Vec<String>,
    /// What must be seen.
    pub accept: Accept,
    /// How long an answer may take, in milliseconds.
    pub limit_ms: u64,
    /// What is asked.
    pub input: String,
    /// The variable by which a target of kind command is told the address of its model.
    pub fault_env: String,
    /// The value by which the body of a target of kind http names it.
    pub fault_value: String,
    /// The path of that address.
    pub fault_path: String,
}

impl FailureItem {
    /// The categories of cases that are of a kind: some have two names.
    pub fn names_of(kind: &str) -> [&str; 2] {
        match kind {
            "injection" => ["injection", "jailbreak"],
            "other_language" => ["other_language", "multilingual"],
            other => [other, other],
        }
    }
}

impl Default for FailureItem {
    fn default() -> Self {
        let kinds = ["timeout", "rate_limit", "empty_context", "injection", "other_language", "too_long"];
        Self {
            categories: kinds.map(str::to_owned).to_vec(),
            min: 0.9,
            max_age_ms: 90 * DAY,
            fallback: Vec::new(),
            accept: Accept::Fallback,
            limit_ms: 10_000,
            input: "Hello, can you help me?".to_owned(),
            fault_env: "OPENAI_BASE_URL".to_owned(),
            fault_value: "fault_url".to_owned(),
            fault_path: "/v1".to_owned(),
        }
    }
}

/// Item 9: the stages of the roll-out.
#[derive(Debug, Clone, PartialEq)]
pub struct RolloutItem {
    /// Per cent of the traffic, rising to 100.
    pub stages: Vec<i64>,
    /// A file with the plan, from the folder of the configuration.
    pub plan: Option<String>,
}

impl Default for RolloutItem {
    fn default() -> Self {
        Self { stages: vec![10, 50, 100], plan: None }
    }
}

/// Item 10: who is on call.
#[derive(Debug, Clone, PartialEq)]
pub struct OncallItem {
    /// Who, unless the signature says another.
    pub who: Option<Untrusted>,
    /// How to reach them.
    pub contact: Option<Untrusted>,
    /// Until when.
    pub until: Option<Timestamp>,
    /// How long it must be, in milliseconds.
    pub least_ms: u64,
}

impl Default for OncallItem {
    fn default() -> Self {
        Self { who: None, contact: None, until: None, least_ms: DAY }
    }
}
