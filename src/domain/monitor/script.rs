//! A test of a rule: what happens, and which state it is to have when.

use std::collections::BTreeMap;

use super::State;

/// One test, as a file of them says it.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleTest {
    /// What it is called.
    pub name: String,
    /// The line where it begins.
    pub line: usize,
    /// The rule's id.
    pub monitor: String,
    /// The feature whose traffic it is.
    pub feature: String,
    /// What happens and what is expected, in the order of time.
    pub steps: Vec<RuleStep>,
}

/// A step of a test.
#[derive(Debug, Clone, PartialEq)]
pub enum RuleStep {
    /// Time passes.
    Pass {
        /// For so many milliseconds: whole five minutes.
        ms: i64,
        /// With this traffic.
        traffic: Flow,
    },
    /// The rule is to have this state now.
    Expect {
        /// The line where that is said.
        line: usize,
        /// The state.
        state: State,
        /// Of the group that has these values; of the worst where it says none.
        group: BTreeMap<String, String>,
    },
}

/// Traffic as a test says it: even, so that a test has one outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Flow {
    /// Requests in an hour.
    pub requests: f64,
    /// Shares of them that failed: time-out, rate limit, content policy, other.
    pub errors: [f64; 4],
    /// The share that a fallback answered.
    pub fallback: f64,
    /// The share with a thumb down, a report, or asked again.
    pub negative: f64,
    /// The share that took longer than the rule's limit.
    pub slow: f64,
    /// What a request costs, in US dollars.
    pub cost_usd: Option<f64>,
    /// Sessions in an hour, and what one costs in the middle: a third of them costs half, and a third twice as much.
    pub sessions: f64,
    /// In US dollars.
    pub session_usd: f64,
    /// Traces that are judged in an hour.
    pub judged: f64,
    /// The share of them that fails.
    pub fail: f64,
}
