//! Item 5: monitors watch the feature, each was test-fired lately and heard, and they have something to look at.

use jiff::Timestamp;

use super::candidate::Candidate;
use super::proved::count;
use super::said::Said;
use crate::domain::Result;
use crate::domain::gate::{MonitorItem, Verdict};
use crate::domain::monitor::Delivery;
use crate::store::HOUR_MS;
use crate::text::figures::{duration, list_of, plural};

/// A monitor of a feature, as far as the gate asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Watching {
    /// Its id.
    pub id: String,
    /// The newest marked test, and whether every receiver answered 2xx.
    pub tested: Option<(Timestamp, bool)>,
}

/// The monitors of the feature: rules of its own, and those of every feature.
fn watching(candidate: &Candidate<'_>) -> Result<Vec<Watching>> {
    let rules = candidate.config.rules.iter();
    let of_it = rules.filter(|rule| rule.feature.as_ref().is_none_or(|name| *name == candidate.feature));
    of_it
        .map(|rule| {
            let tests = candidate.ctx.store.tests_of_rule(&rule.id)?;
            let heard = tests.iter().all(|test| test.state == Delivery::Sent);
            let tested = tests.iter().map(|test| test.at).max().map(|at| (at, heard));
            Ok(Watching { id: rule.id.clone(), tested })
        })
        .collect()
}

/// Item 5.
pub(super) fn item(candidate: &Candidate<'_>) -> Result<Said> {
    let spec = &candidate.spec.monitors;
    let all = watching(candidate)?;
    let hours = i64::try_from(spec.max_lag_ms.div_ceil(HOUR_MS.unsigned_abs())).unwrap_or(1);
    let now = candidate.now.as_millisecond().div_euclid(HOUR_MS);
    let features = candidate.ctx.store.features(now - hours, now)?;
    let fresh =
        features.iter().any(|of| of.name.as_ref().is_some_and(|name| name.raw() == candidate.feature));
    Ok(said(spec, &all, fresh, candidate.now))
}

/// What the monitors of a feature come to.
fn said(spec: &MonitorItem, all: &[Watching], fresh: bool, now: Timestamp) -> Said {
    let n = all.len() as u64;
    let ids = |so: &dyn Fn(&Watching) -> bool| -> Vec<&str> {
        all.iter().filter(|one| so(one)).map(|one| one.id.as_str()).collect()
    };
    let oldest = now.as_millisecond() - i64::try_from(spec.max_test_age_ms).unwrap_or(i64::MAX);
    let age = duration(spec.max_test_age_ms as f64);
    let untested = ids(&|one| one.tested.is_none_or(|(at, _)| at.as_millisecond() < oldest));
    let unheard = ids(&|one| one.tested.is_some_and(|(at, heard)| at.as_millisecond() >= oldest && !heard));
    let rules = plural(count(n), "monitor");
    let said = if n == 0 {
        let words = "No monitors are configured: nobody would be told when it breaks.";
        Said::new(Verdict::NotMet, "no monitors configured", words)
    } else if n < spec.at_least {
        let words = format!("The feature has {rules}; it takes {}.", spec.at_least);
        Said::new(Verdict::NotMet, format!("{n} of {} monitors", spec.at_least), words)
    } else if !untested.is_empty() {
        let words = format!("Not test-fired in the last {age}: {}.", list_of(&untested, "and"));
        Said::new(Verdict::NotEnoughData, format!("{} not test-fired in {age}", untested.len()), words)
            .next(format!("tuesday monitor test {}", untested[0]))
    } else if !unheard.is_empty() {
        let words = format!("The receiver did not take the test of {}.", list_of(&unheard, "and"));
        Said::new(Verdict::NotMet, format!("{} not heard by their receiver", unheard.len()), words)
            .next(format!("tuesday monitor test {}", unheard[0]))
    } else if !fresh {
        let lag = duration(spec.max_lag_ms as f64);
        let words = format!("No trace of the feature is newer than {lag}: its monitors look at nothing.");
        Said::new(Verdict::NotMet, format!("no trace in the last {lag}"), words)
    } else {
        let words = format!("{rules}, each test-fired in the last {age} and heard; the data is fresh.");
        Said::new(Verdict::Met, format!("{rules}, each test-fired and heard"), words)
    };
    said.with("monitors", n as f64)
        .with("at_least", spec.at_least as f64)
        .with("untested", untested.len() as f64)
        .with("unheard", unheard.len() as f64)
        .with("fresh", f64::from(u8::from(fresh)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn monitors_exist_are_tested_heard_and_have_data() {
        let now: Timestamp = "2026-03-10T12:00:00Z".parse().unwrap();
        let days_ago = |days: i64| Timestamp::from_second(now.as_second() - days * 86_400).unwrap();
        let spec = MonitorItem { at_least: 2, ..MonitorItem::default() };
        let one = |id: &str, tested| Watching { id: id.to_owned(), tested };
        let verdict = |all: &[Watching], fresh| {
            let said = said(&spec, all, fresh, now);
            (said.verdict, said.figure)
        };
        let good = [one("a", Some((days_ago(1), true))), one("b", Some((days_ago(29), true)))];
        assert_eq!(verdict(&good, true).0, Verdict::Met);
        assert_eq!(verdict(&[], true), (Verdict::NotMet, "no monitors configured".to_owned()));
        assert_eq!(verdict(&good[..1], true), (Verdict::NotMet, "1 of 2 monitors".to_owned()));
        assert_eq!(verdict(&good, false).0, Verdict::NotMet);
        let old = [good[0].clone(), one("b", Some((days_ago(31), true)))];
        assert_eq!(verdict(&old, true), (Verdict::NotEnoughData, "1 not test-fired in 30 d".to_owned()));
        let never = [good[0].clone(), one("b", None)];
        assert_eq!(verdict(&never, true).0, Verdict::NotEnoughData);
        let unheard = [good[0].clone(), one("b", Some((days_ago(1), false)))];
        assert_eq!(verdict(&unheard, true).0, Verdict::NotMet);
    }
}
