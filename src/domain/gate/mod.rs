//! The gate: the ten items of the deployment checklist, what each comes to, and what that comes to together.
//!
//! Pure. What a team sets is in [`spec`], what is kept in [`evidence`]; how an item is proved is an op
//! (`ops::gate`).

mod evidence;
mod spec;

use serde::{Deserialize, Serialize};

pub use evidence::{Evidence, EvidenceRow, Fault, Measure, Proof, Seen, Sight};
pub use spec::{
    Accept, CostItem, EdgeItem, EvalItem, FailureItem, GateSpec, LatencyItem, MonitorItem, Need, OncallItem,
    RollbackItem, RolloutItem, Waiver,
};

/// An item of the checklist, in its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Item {
    /// The eval set passes.
    Eval,
    /// People looked at the edge cases.
    EdgeCases,
    /// The cost stays within the budget.
    Cost,
    /// The response time stays within its limit.
    Latency,
    /// Monitors watch the feature.
    Monitors,
    /// The way back is known and practised.
    Rollback,
    /// Failures were tried, and the fallback seen.
    FailureModes,
    /// A second person read the prompt.
    PeerReview,
    /// The roll-out goes by stages.
    Rollout,
    /// Somebody is on call.
    Oncall,
}

impl Item {
    /// All of them.
    pub const ALL: [Item; 10] = [
        Item::Eval,
        Item::EdgeCases,
        Item::Cost,
        Item::Latency,
        Item::Monitors,
        Item::Rollback,
        Item::FailureModes,
        Item::PeerReview,
        Item::Rollout,
        Item::Oncall,
    ];

    /// Its name in gate files, commands and the store.
    pub fn name(self) -> &'static str {
        match self {
            Self::Eval => "eval",
            Self::EdgeCases => "edge_cases",
            Self::Cost => "cost",
            Self::Latency => "latency",
            Self::Monitors => "monitors",
            Self::Rollback => "rollback",
            Self::FailureModes => "failure_modes",
            Self::PeerReview => "peer_review",
            Self::Rollout => "rollout",
            Self::Oncall => "oncall",
        }
    }

    /// What people call it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Eval => "eval pass rate",
            Self::EdgeCases => "edge cases by hand",
            Self::Cost => "cost in budget",
            Self::Latency => "response time",
            Self::Monitors => "monitors",
            Self::Rollback => "rollback",
            Self::FailureModes => "failure modes",
            Self::PeerReview => "peer review",
            Self::Rollout => "staged roll-out",
            Self::Oncall => "on call, first day",
        }
    }

    /// The item of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|item| item.name() == name)
    }

    /// 1 to 10.
    pub fn number(self) -> usize {
        self as usize + 1
    }

    /// Whether a person signs it; the others are proved.
    pub fn is_signed(self) -> bool {
        matches!(self, Self::PeerReview | Self::Rollout | Self::Oncall)
    }
}

/// What an item comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It holds.
    Met,
    /// It does not.
    NotMet,
    /// It cannot be told yet.
    NotEnoughData,
    /// It held, of another text, another set, or too long ago.
    Stale,
    /// It does not hold, and somebody took that on for a time.
    Waived,
    /// Nobody has signed it.
    Unsigned,
    /// The team's gate leaves it out.
    Off,
}

impl Verdict {
    /// Its words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::NotMet => "not met",
            Self::NotEnoughData => "not enough data",
            Self::Stale => "stale",
            Self::Waived => "waived",
            Self::Unsigned => "unsigned",
            Self::Off => "off",
        }
    }

    /// Whether it stands in nobody's way.
    pub fn is_passed(self) -> bool {
        matches!(self, Self::Met | Self::Waived | Self::Off)
    }
}

/// What the items come to together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Every item is met or waived.
    Met,
    /// One is not met.
    NotMet,
    /// None is broken, and one lacks data, is stale or unsigned.
    Open,
}

impl Decision {
    /// Of these verdicts.
    pub fn of(verdicts: impl IntoIterator<Item = Verdict>) -> Self {
        let mut decision = Self::Met;
        for verdict in verdicts {
            match verdict {
                Verdict::NotMet => return Self::NotMet,
                passed if passed.is_passed() => {}
                _ => decision = Self::Open,
            }
        }
        decision
    }

    /// Its words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Met => "MET",
            Self::NotMet => "NOT MET",
            Self::Open => "OPEN",
        }
    }

    /// The exit code of the command.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Met => 0,
            Self::NotMet => 1,
            Self::Open => 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_numbered() {
        for (at, item) in Item::ALL.into_iter().enumerate() {
            assert_eq!((Item::parse(item.name()), item.number()), (Some(item), at + 1));
            assert_eq!(serde_json::to_value(item).unwrap(), item.name());
        }
        assert_eq!(Item::parse("evals"), None);
    }

    #[test]
    fn what_is_broken_counts_more_than_what_is_open() {
        use Verdict::{Met, NotEnoughData, NotMet, Off, Stale, Unsigned, Waived};
        assert_eq!(Decision::of([Met, Waived, Off]), Decision::Met);
        for open in [NotEnoughData, Stale, Unsigned] {
            assert_eq!(Decision::of([Met, open, Met]), Decision::Open);
        }
        assert_eq!(Decision::of([Unsigned, NotMet, Met]), Decision::NotMet);
        assert_eq!(Decision::of([]).exit_code(), 0);
    }
}
