use proptest::prelude::*;

use super::*;
use crate::domain::Untrusted;

fn rule(hold_before: i64, hold: i64) -> Rule {
    let resolve = Resolve { below: None, hold };
    Rule { hold_before, resolve, ..defaults::base("errors", Metric::ErrorShare(None)) }
}

/// When the readings begin.
const START: i64 = 100 * DAY_MS;

fn live(rule: &Rule, readings: &[Reading]) -> (Life, Vec<(usize, Turn)>) {
    let mut life = Life::default();
    let mut turns = Vec::new();
    for (at, reading) in readings.iter().enumerate() {
        let now = START + at as i64 * MINUTE_MS;
        turns.extend(life.look(rule, now, *reading, now - HOUR_MS).map(|turn| (at, turn)));
    }
    (life, turns)
}

use Reading::{Bad, Between, Clear, Unknown};

#[test]
fn an_alert_waits_fires_waits_and_is_over() {
    let rule = rule(2 * MINUTE_MS, 3 * MINUTE_MS);
    let (life, turns) = live(&rule, &[Clear, Bad, Bad, Bad, Bad, Clear, Clear, Clear, Clear]);
    assert_eq!(turns, [(3, Turn::Fired), (8, Turn::Resolved)]);
    assert_eq!((life.state(), life.fired_at), (State::Ok, None));
    // What was over is not counted again, and is not usual.
    assert_eq!(life.clean_from, START + 5 * MINUTE_MS - HOUR_MS);
    assert!(
        life.is_bad_time(START + 4 * MINUTE_MS, DAY_MS) && !life.is_bad_time(START + 6 * MINUTE_MS, DAY_MS)
    );
}

#[test]
fn what_is_not_well_for_long_enough_is_not_over() {
    let rule = rule(0, 3 * MINUTE_MS);
    let (life, turns) = live(&rule, &[Bad, Clear, Clear, Between, Clear, Clear, Unknown, Clear, Clear]);
    assert_eq!(turns, [(0, Turn::Fired)]);
    assert_eq!(life.state(), State::Resolving);
}

#[test]
fn a_short_spell_does_not_fire() {
    let rule = rule(2 * MINUTE_MS, 0);
    let (life, turns) = live(&rule, &[Bad, Bad, Between, Bad, Bad, Clear]);
    assert_eq!((turns, life.state()), (vec![], State::Ok));
}

#[test]
fn no_data_is_a_state_and_resolves_nothing() {
    let (life, _) = live(&rule(0, 0), &[Clear, Unknown]);
    assert_eq!(life.state(), State::NoData);
    let (life, turns) = live(&rule(0, 0), &[Bad, Unknown, Unknown]);
    assert_eq!((life.state(), turns.len()), (State::Firing, 1));
    let paused = Life { paused: Some("the judge changed".into()), ..life };
    assert_eq!(paused.state(), State::Paused);
}

proptest! {
    #[test]
    fn turns_alternate_and_each_has_its_reason(
        readings in prop::collection::vec(prop::sample::select(vec![Bad, Between, Clear, Unknown]), 0..200),
        before in 0i64..5, hold in 0i64..5,
    ) {
        let (life, turns) = live(&rule(before * MINUTE_MS, hold * MINUTE_MS), &readings);
        let mut out = false;
        for (at, turn) in &turns {
            prop_assert_eq!(*turn == Turn::Resolved, out, "turns alternate");
            out = !out;
            let (needed, wanted) = if out { (before, Bad) } else { (hold, Clear) };
            let from = at.saturating_sub(needed as usize);
            let spell = &readings[from..=*at];
            // Silence within the wait neither helps nor harms it; at its end it decides nothing.
            let fits = |reading: &Reading| *reading == wanted || (out && *reading == Unknown);
            prop_assert!(spell.iter().all(fits) && readings[*at] == wanted, "{:?} after {:?}", turn, spell);
        }
        prop_assert_eq!(life.is_out(), out);
    }

    #[test]
    fn without_anything_bad_nothing_fires(
        readings in prop::collection::vec(prop::sample::select(vec![Between, Clear, Unknown]), 0..100),
    ) {
        prop_assert!(live(&rule(0, 0), &readings).1.is_empty());
    }
}

#[test]
fn a_silence_covers_what_it_says_until_its_end() {
    let at = |text: &str| text.parse::<jiff::Timestamp>().unwrap();
    let group = |name: &str| Group::from([("feature".to_owned(), Untrusted::from(name))]);
    let silence = Silence {
        number: 1,
        rule: Some("errors".into()),
        group: group("support"),
        reason: "provider's maintenance".into(),
        by: "ann".into(),
        from: at("2026-03-10T10:00:00Z"),
        until: at("2026-03-10T12:00:00Z"),
    };
    assert!(silence.covers("errors", &group("support"), at("2026-03-10T11:00:00Z")));
    assert!(!silence.covers("errors", &group("support"), at("2026-03-10T12:00:00Z")));
    assert!(!silence.covers("errors", &group("other"), at("2026-03-10T11:00:00Z")));
    assert!(!silence.covers("latency", &group("support"), at("2026-03-10T11:00:00Z")));
    let all = Silence { rule: None, group: Group::new(), ..silence };
    assert!(all.covers("latency", &group("other"), at("2026-03-10T11:00:00Z")));
}

#[test]
fn an_identity_is_of_the_rule_and_the_group() {
    let group = |name: &str| Group::from([("feature".to_owned(), Untrusted::from(name))]);
    let of = |rule: &str, name: &str| Fingerprint::of(rule, &group(name)).0;
    assert_eq!(of("errors", "a"), of("errors", "a"));
    assert_eq!(of("errors", "a").len(), 64);
    assert_ne!(of("errors", "a"), of("errors", "b"));
    assert_ne!(of("errors", "a"), of("error", "a"));
}

#[test]
fn the_default_monitors_are_the_eight_of_the_field() {
    let ids: Vec<String> = defaults().into_iter().map(|rule| rule.id).collect();
    let wanted = [
        "quality-drift",
        "negative-feedback",
        "fallback-rate",
        "latency",
        "cost-per-session",
        "errors",
        "daily-spend",
        "no-data",
    ];
    assert_eq!(ids, wanted);
    for rule in defaults() {
        assert!(rule.metric.tests().contains(&rule.test.name()), "{}", rule.id);
        assert!(rule.windows.is_sorted() && rule.windows.iter().all(|window| window % HOUR_MS == 0));
    }
}
