//! Drills: the scenarios that can be rehearsed, and what a rehearsal came to.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Untrusted;

/// What goes wrong in a drill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scenario {
    /// A new version of a prompt gives bad advice.
    BadAdvice,
    /// A provider stops answering.
    Outage,
    /// A model writes without end, and is paid for it.
    Cost,
    /// Quality sinks by a little every few minutes.
    Drift,
    /// The judge is broken and nothing else: a false alarm.
    Judge,
}

impl Scenario {
    /// All five.
    pub const ALL: [Self; 5] = [Self::BadAdvice, Self::Outage, Self::Cost, Self::Drift, Self::Judge];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::BadAdvice => "bad-advice",
            Self::Outage => "outage",
            Self::Cost => "cost",
            Self::Drift => "drift",
            Self::Judge => "judge",
        }
    }

    /// The scenario of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scenario| scenario.name() == name)
    }

    /// What it was, told when it is over.
    pub fn told(self, stage: &Stage) -> String {
        let Stage { guilty, good, failing, dear, .. } = stage;
        match self {
            Self::BadAdvice if stage.own => {
                format!(
                    "Version {guilty} of the prompt gave advice that nobody should follow; {good} before it did not."
                )
            }
            Self::BadAdvice => format!(
                "Version {guilty} of the support prompt advised people to move their money about. {good} was good."
            ),
            Self::Outage => {
                format!("The provider of {failing} did not answer. The prompt had nothing to do with it.")
            }
            Self::Cost => format!(
                "{dear} wrote eight times as much as before, and cost as much more. The prompt had nothing to do \
                 with it."
            ),
            Self::Drift => {
                "Answers went off the topic, more of them every hour, in every version, model and \
                            language alike."
                    .to_owned()
            }
            Self::Judge => {
                "The judge judged by another model and failed good answers. No user noticed anything: a \
                            false alarm."
                    .to_owned()
            }
        }
    }

    /// Whether there was harm to stop.
    pub fn is_real(self) -> bool {
        self != Self::Judge
    }

    /// Whether a version of the prompt is guilty, and must go.
    pub fn is_of_prompt(self) -> bool {
        self == Self::BadAdvice
    }

    /// The words by which the cause is known, one of which a finding must hold, in small letters.
    pub fn cause_words(self, stage: &Stage) -> Vec<String> {
        let words: &[&str] = match self {
            Self::BadAdvice => &[&stage.guilty],
            Self::Outage => &[&stage.failing, "provider"],
            // People say the model's family.
            Self::Cost if !stage.own => &["haiku"],
            Self::Cost => &[&stage.dear],
            Self::Drift => &["drift", "all", "every", "slow", "model or provider", "unknown"],
            Self::Judge => &["judge", "meter", "false alarm"],
        };
        words.iter().map(|word| word.to_lowercase()).collect()
    }
}

/// The names that a drill is played with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// Whether the traffic is like the team's own; else it is the demo's.
    pub own: bool,
    /// The feature.
    pub feature: String,
    /// Its prompt, where one is known.
    pub prompt: Option<String>,
    /// The version of it that is good.
    pub good: String,
    /// The version that gives bad advice.
    pub guilty: String,
    /// The model whose provider stops answering.
    pub failing: String,
    /// The model that writes without end.
    pub dear: String,
}

impl Default for Stage {
    /// The demo's.
    fn default() -> Self {
        Self {
            own: false,
            feature: "customer_support".to_owned(),
            prompt: Some("customer_support".to_owned()),
            good: "v3".to_owned(),
            guilty: "v4".to_owned(),
            failing: "gpt-4o".to_owned(),
            dear: "claude-3-5-haiku".to_owned(),
        }
    }
}

/// What a drill came to. Durations in milliseconds of the drill's clock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// What it was.
    pub scenario: Scenario,
    /// When it was held, by the clock on the wall.
    pub held_at: Timestamp,
    /// Who was at the keyboard.
    pub by: Untrusted,
    /// Whether the default steps were taken without a person.
    pub auto: bool,
    /// How much faster than the wall's the drill's clock went.
    pub speed: f64,
    /// Seed of the traffic.
    pub seed: u64,
    /// From the fault to the incident.
    pub noticed_ms: Option<u64>,
    /// From the incident to its acknowledgement.
    pub acknowledged_ms: Option<u64>,
    /// From the incident to containment.
    pub contained_ms: Option<u64>,
    /// From the incident to the fix.
    pub fixed_ms: Option<u64>,
    /// From the incident to the end of verification.
    pub verified_ms: Option<u64>,
    /// From the fault to the end of the incident.
    pub closed_ms: Option<u64>,
    /// How far the time it was said to begin lies from when it did.
    pub onset_off_ms: Option<u64>,
    /// Whether the cause was named.
    pub right_cause: bool,
    /// Whether the version that must go was named and taken out; none where no prompt was guilty.
    pub right_version: Option<bool>,
    /// Whether it was closed as what it was.
    pub right_outcome: bool,
    /// Requests that the fault harmed before it was contained or over.
    pub harmed: u64,
    /// What was done that should not have been.
    pub wrong_acts: Vec<String>,
    /// What was not done.
    pub missed: Vec<String>,
    /// 0 to 100: see [`Score::points`].
    pub points: u32,
}

impl Score {
    /// Points of what was right: 15 each for noticing within the half hour and naming the cause, 20 each for the right
    /// outcome and for containing within a quarter of an hour (a false alarm: for leaving everything on), 10 for
    /// verifying (a false alarm: for closing it within the hour); 10 less for each wrong act and 4 for each thing
    /// missed, out of the remaining 20. At least 0.
    pub fn points(&self) -> u32 {
        let sum: u32 = self.rights().iter().filter(|(is, ..)| *is).map(|(_, points, _)| points).sum();
        let less = self.wrong_acts.len() * 10 + self.missed.len() * 4;
        let rest = 20u32.saturating_sub(u32::try_from(less.min(20)).unwrap_or(20));
        sum + rest
    }

    /// The points that were not given, and for what; those for wrong acts and for what was missed apart.
    pub fn lost(&self) -> impl Iterator<Item = (u32, &'static str)> {
        self.rights().into_iter().filter(|(is, ..)| !is).map(|(_, points, why)| (points, why))
    }

    /// What points are given for: whether it was so, how many, and what it is where it was not.
    fn rights(&self) -> [(bool, u32, &'static str); 5] {
        const QUARTER: u64 = 15 * 60_000;
        let within = |ms: Option<u64>, limit: u64| ms.is_some_and(|ms| ms <= limit);
        let real = self.scenario.is_real();
        let contained = if real { within(self.contained_ms, QUARTER) } else { self.wrong_acts.is_empty() };
        let shown = if real { self.verified_ms.is_some() } else { within(self.closed_ms, 4 * QUARTER) };
        let (late, unshown) = if real {
            ("it was not contained within 15 minutes of the incident", "it was not verified to be over")
        } else {
            (
                "something was changed, and nothing was wrong",
                "the false alarm took longer than an hour to close",
            )
        };
        [
            (within(self.noticed_ms, 2 * QUARTER), 15, "it was not noticed within 30 minutes"),
            (self.right_cause, 15, "no note names the cause"),
            (self.right_outcome, 20, "it was not closed as what it was"),
            (contained, 20, late),
            (shown, 10, unshown),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(scenario: Scenario) -> Score {
        Score {
            scenario,
            held_at: Timestamp::UNIX_EPOCH,
            by: "mira".into(),
            auto: false,
            speed: 1.0,
            seed: 1,
            noticed_ms: Some(600_000),
            acknowledged_ms: Some(60_000),
            contained_ms: Some(600_000),
            fixed_ms: Some(1_200_000),
            verified_ms: Some(5_400_000),
            closed_ms: Some(6_000_000),
            onset_off_ms: Some(60_000),
            right_cause: true,
            right_version: Some(true),
            right_outcome: true,
            harmed: 12,
            wrong_acts: Vec::new(),
            missed: Vec::new(),
            points: 0,
        }
    }

    #[test]
    fn all_right_is_a_hundred_and_each_fault_counts() {
        assert_eq!(score(Scenario::BadAdvice).points(), 100);
        let late = Score { contained_ms: Some(3_000_000), ..score(Scenario::Outage) };
        assert_eq!(late.points(), 80);
        assert_eq!(late.lost().map(|(points, _)| points).collect::<Vec<_>>(), [20]);
        let wrong = Score { wrong_acts: vec!["rolled back".into()], ..score(Scenario::Outage) };
        assert_eq!(wrong.points(), 90);
        let alarm = Score {
            contained_ms: None,
            verified_ms: None,
            closed_ms: Some(900_000),
            ..score(Scenario::Judge)
        };
        assert_eq!(alarm.points(), 100);
        let fell_for_it = Score { right_outcome: false, wrong_acts: vec!["switched off".into()], ..alarm };
        assert_eq!(fell_for_it.points(), 50);
    }

    #[test]
    fn names_are_read_back() {
        for scenario in Scenario::ALL {
            assert_eq!(Scenario::from_name(scenario.name()), Some(scenario));
            assert_eq!(serde_json::to_value(scenario).unwrap(), scenario.name());
        }
    }
}
