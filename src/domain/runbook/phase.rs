//! The six phases and the four severities.

use serde::{Deserialize, Serialize};

/// A phase of an incident, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Is it real, or is the meter broken?
    Detect,
    /// How bad, how many, since when, which version?
    Assess,
    /// Stop the harm before it is understood.
    Contain,
    /// Take the cause away.
    Fix,
    /// Show that it is gone.
    Verify,
    /// Learn from it.
    Postmortem,
}

impl Phase {
    /// All six, in order.
    pub const ALL: [Self; 6] =
        [Self::Detect, Self::Assess, Self::Contain, Self::Fix, Self::Verify, Self::Postmortem];

    /// Its name in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Detect => "detect",
            Self::Assess => "assess",
            Self::Contain => "contain",
            Self::Fix => "fix",
            Self::Verify => "verify",
            Self::Postmortem => "postmortem",
        }
    }

    /// Its name for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Detect => "Detect",
            Self::Assess => "Assess",
            Self::Contain => "Contain",
            Self::Fix => "Fix",
            Self::Verify => "Verify",
            Self::Postmortem => "Post-mortem",
        }
    }

    /// The question that it answers.
    pub fn question(self) -> &'static str {
        match self {
            Self::Detect => "Is it real, or is the meter broken?",
            Self::Assess => "How bad, how many users, since when, which version?",
            Self::Contain => "Stop the harm first; understand it later.",
            Self::Fix => "Take the cause away: last known good, or a patch through the gate.",
            Self::Verify => "One clean hour and enough requests.",
            Self::Postmortem => "What happened, why, and what keeps it from coming back?",
        }
    }

    /// 1 to 6.
    pub fn number(self) -> usize {
        self.index() + 1
    }

    /// 0 to 5.
    pub fn index(self) -> usize {
        self as usize
    }

    /// The phase of this name; `post-mortem` does too.
    pub fn from_name(name: &str) -> Option<Self> {
        let name = name.to_lowercase().replace('-', "");
        Self::ALL.into_iter().find(|phase| phase.name() == name)
    }

    /// The phase after this one.
    pub fn next(self) -> Option<Self> {
        Self::ALL.get(self.index() + 1).copied()
    }

    /// The phase before this one.
    pub fn previous(self) -> Option<Self> {
        self.index().checked_sub(1).map(|index| Self::ALL[index])
    }
}

/// How bad it is. `Sev1` is the worst, and sorts first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Severity {
    /// A fifth of the users, or anything unsafe.
    Sev1,
    /// One user in twenty.
    Sev2,
    /// One user in a hundred, or cost doubled.
    Sev3,
    /// Less.
    Sev4,
}

impl Severity {
    /// All, worst first.
    pub const ALL: [Self; 4] = [Self::Sev1, Self::Sev2, Self::Sev3, Self::Sev4];

    /// `SEV1` to `SEV4`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sev1 => "SEV1",
            Self::Sev2 => "SEV2",
            Self::Sev3 => "SEV3",
            Self::Sev4 => "SEV4",
        }
    }

    /// Reads `SEV2`, `sev2` or `2`.
    pub fn from_name(name: &str) -> Option<Self> {
        let name = name.to_uppercase();
        let digit = name.strip_prefix("SEV").unwrap_or(&name).trim_start_matches('-');
        Self::ALL.into_iter().find(|severity| severity.name().ends_with(digit) && digit.len() == 1)
    }
}

impl std::fmt::Display for Severity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}
