//! What a scenario does to the traffic, minute by minute.

use jiff::{SignedDuration, Timestamp};

use crate::domain::drill::{Scenario, Stage};
use crate::domain::query::{NameField, Query, Term, Word};
use crate::ops::demo::Fault;

/// Minutes of healthy traffic at the beginning of a drill.
const QUIET: i64 = 10;
/// Minutes after the switching off until whoever is to blame has repaired it, where no prompt is guilty.
const REPAIR: i64 = 15;
/// Minutes after which a fault that nobody stopped is over by itself.
const LONGEST: i64 = 300;

/// How often the broken judge fails a good answer, and the sound one.
pub(super) const JUDGE_WRONG: (f64, f64) = (0.45, 0.005);

/// When the fault begins.
pub(super) fn onset(begin: Timestamp) -> Timestamp {
    after(begin, QUIET)
}

/// The version that ships with the fault; the one before it was good.
pub(super) fn ships(scenario: Scenario) -> bool {
    scenario.is_of_prompt()
}

/// What is wrong at a moment. `off_since`: since when the feature is switched off.
pub(super) fn fault(
    scenario: Scenario,
    stage: &Stage,
    begin: Timestamp,
    now: Timestamp,
    off_since: Option<Timestamp>,
) -> Option<Fault<'_>> {
    let onset = onset(begin);
    let over = off_since.map_or(after(onset, LONGEST), |off| after(off, REPAIR));
    if now < onset || now >= over {
        return None;
    }
    let minutes = now.duration_since(onset).as_secs_f64() / 60.0;
    match scenario {
        Scenario::BadAdvice | Scenario::Judge => None,
        Scenario::Outage => Some(Fault::Outage { model: &stage.failing, share: 0.75 }),
        Scenario::Cost => Some(Fault::Dear { model: &stage.dear, times: 8.0 }),
        // From one answer in ten more on to nearly half of them, over two hours.
        Scenario::Drift => Some(Fault::Drift { share: (0.08 + minutes / 120.0 * 0.37).min(0.45) }),
    }
}

/// What people say when no alert has told it by then, and how long after the fault began.
pub(super) fn call(scenario: Scenario, stage: &Stage) -> (SignedDuration, String) {
    let minutes = SignedDuration::from_mins;
    let who = if stage.own { stage.feature.as_str() } else { "the assistant" };
    match scenario {
        Scenario::BadAdvice if stage.own => {
            (minutes(25), format!("Support: {who} tells people to do what nobody should"))
        }
        Scenario::BadAdvice => {
            (minutes(25), "Support: customers were told to move money to avoid a fee".to_owned())
        }
        Scenario::Outage => (minutes(12), format!("Support: {who} hangs and then gives no answer")),
        Scenario::Cost => (minutes(30), format!("Finance: the bill of the models of {who} runs away")),
        Scenario::Drift => (minutes(28), format!("Support: {who} talks past the question more and more")),
        Scenario::Judge => (minutes(20), format!("Quality: the judge fails every second answer of {who}")),
    }
}

/// The traces of this feature.
pub(super) fn named(feature: &str) -> Query {
    Query::all().with(Term::Name { field: NameField::Feature, any: vec![Word::exact(feature)] })
}

fn after(at: Timestamp, minutes: i64) -> Timestamp {
    at.saturating_add(SignedDuration::from_mins(minutes)).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_come_after_a_quiet_time_and_end_when_it_is_repaired() {
        let begin: Timestamp = "2026-03-10T02:00:00Z".parse().unwrap();
        let stage = Stage::default();
        for scenario in [Scenario::Outage, Scenario::Cost, Scenario::Drift] {
            let at = |minutes| fault(scenario, &stage, begin, after(begin, minutes), None).is_some();
            assert!(!at(QUIET - 1) && at(QUIET) && at(QUIET + LONGEST - 1) && !at(QUIET + LONGEST));
            let off = Some(after(begin, 40));
            assert!(fault(scenario, &stage, begin, after(begin, 54), off).is_some());
            assert!(fault(scenario, &stage, begin, after(begin, 55), off).is_none());
        }
        let at = |minutes| fault(Scenario::Drift, &stage, begin, after(begin, minutes), None);
        let share = |minutes| match at(minutes) {
            Some(Fault::Drift { share }) => share,
            other => panic!("{other:?}"),
        };
        assert!(share(11) < share(60) && share(60) < share(120) && share(200) <= 0.45);
    }
}
