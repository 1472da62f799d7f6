//! Rules on real stores, with real faults in them.

use serde_json::{Value, json};

use super::*;
use crate::domain::monitor::{Monitors, State, Urgency};
use crate::ops::Ctx;
use crate::ops::testing::{World, of_json};
use crate::task::Cancel;

/// A Tuesday, at a time that is no whole hour.
const NOW: &str = "2026-11-24T09:35:00Z";

/// `days` of a healthy bot with `an_hour` requests, the last a moment ago; `change` makes it ill. It is given the
/// number of the trace and how many minutes ago it was.
pub(super) fn bot(days: i64, an_hour: i64, change: impl Fn(i64, i64, &mut Value)) -> World {
    let now: jiff::Timestamp = NOW.parse().unwrap();
    let world = World::at(now);
    let count = days * 24 * an_hour;
    let traces = (0..count).map(|n| {
        let seconds = (count - n) * 3600 / an_hour;
        let mut trace = json!({
            "id": format!("t-{n:06}"), "session": format!("s-{}", n / 3), "user": format!("u-{}", n % 97),
            "time": jiff::Timestamp::from_second(now.as_second() - seconds).unwrap(),
            "feature": "customer_support", "prompt": "customer_support", "prompt_version": "v3",
            "model": if n % 4 == 0 { "gpt-4o" } else { "gpt-4o-mini" }, "tags": [if n % 5 == 0 { "fees" } else { "card" }],
            "input": "Why was I charged?", "output": "It was a fee.",
            "latency_ms": 700 + (n * 37) % 1_900, "cost_usd": 0.002 + 0.0001 * ((n * 7) % 13) as f64,
        });
        if n % 61 == 7 {
            trace["feedback"] = json!([{"kind": "thumbs", "value": "down"}]);
        }
        change(n, seconds / 60, &mut trace);
        trace
    });
    world.add(of_json(traces.collect()));
    world
}

pub(super) fn healthy(_: i64, _: i64, _: &mut Value) {}

pub(super) fn state(list: &MonitorList, id: &str) -> State {
    list.monitors.iter().find(|one| one.id == id).unwrap().state
}

pub(super) fn looked(world: &World) -> MonitorList {
    list(&world.as_reviewer("ann"), &Monitors::default()).unwrap()
}

#[test]
fn a_healthy_bot_is_quiet_and_its_price_is_within_the_knob() {
    let world = bot(20, 30, healthy);
    let all = looked(&world);
    for one in &all.monitors {
        // Nobody judged anything yet.
        let wanted = if one.id == "quality-drift" { State::NoData } else { State::Ok };
        assert_eq!(one.state, wanted, "{one:#?}");
    }
    assert!(all.expected > 0.0 && all.expected <= all.false_pages_per_month, "{}", all.expected);
    for rule in ["negative-feedback", "errors", "latency", "no-data", "cost-per-session"] {
        let past = replay(
            &world.as_reviewer("ann"),
            &Monitors::default(),
            rule,
            20 * 86_400_000,
            &Cancel::default(),
        );
        assert_eq!(past.unwrap().episodes, [], "{rule}");
    }
}

#[test]
fn time_outs_fire_with_the_slice_that_has_them() {
    let world = bot(10, 120, |n, ago, trace| {
        if ago < 90 && n % 4 == 0 {
            trace["status"] = json!("error");
            trace["error_kind"] = json!("timeout");
        }
    });
    let ctx = world.as_reviewer("ann");
    let seen = pass(&ctx, &Monitors::default()).unwrap();
    assert_eq!(seen.fired.len(), 1, "{:#?}", seen.fired);
    let alert = &seen.fired[0];
    assert_eq!((alert.rule.as_str(), alert.severity), ("errors", Urgency::Page));
    assert_eq!(alert.group["kind"].raw(), "timeout");
    let first = &alert.evidence.slices[0];
    assert_eq!((first.slice[0].0.as_str(), first.slice[0].1.raw()), ("model", "gpt-4o"));
    assert!(first.share > 0.9, "{first:?}");
    assert!(alert.evidence.summary.contains("model gpt-4o"), "{}", alert.evidence.summary);
    assert!(!alert.evidence.traces.is_empty() && alert.evidence.query.contains("error:timeout"));
    // A second look raises nothing anew.
    let again = pass(&ctx, &Monitors::default()).unwrap();
    assert_eq!((again.fired.len(), again.firing), (0, 1));
    assert_eq!(state(&looked(&world), "errors"), State::Firing);
}

#[test]
fn a_rule_that_looks_every_six_hours_fires_at_its_own_look_and_costs_fewer_false_pages() {
    // The clock is at 09:35; the next look of its own is at 12:00.
    let world = bot(10, 60, |n, ago, trace| {
        if ago < 120 && n % 3 == 0 {
            trace["status"] = json!("error");
            trace["error_kind"] = json!("timeout");
        }
    });
    let every = |hours: Option<i64>| {
        let mut monitors = Monitors::default();
        monitors.rules.retain(|rule| rule.id == "errors");
        monitors.rules[0].every = hours.map(|hours| hours * 3_600_000);
        monitors
    };
    let (usual, seldom) = (every(None), every(Some(6)));
    let ctx = world.as_reviewer("ann");
    assert_eq!(state(&list(&ctx, &usual).unwrap(), "errors"), State::Firing);
    assert_eq!(pass(&ctx, &seldom).unwrap().fired, [], "it looked at 06:00, and there was nothing");
    let shown = show(&ctx, &seldom, "errors").unwrap();
    assert_eq!((shown.every_seconds, shown.monitor.state), (6 * 3_600, State::Ok));
    world.clock.advance_ms(2 * 3_600_000);
    assert_eq!(pass(&ctx, &seldom).unwrap().fired, [], "11:35");
    world.clock.advance_ms(30 * 60_000);
    let fired = pass(&ctx, &seldom).unwrap().fired;
    assert_eq!(fired.len(), 1, "{fired:#?}");
    assert_eq!(fired[0].fired_at, "2026-11-24T12:00:00Z".parse().unwrap());
    let past =
        |monitors: &Monitors| replay(&ctx, monitors, "errors", 86_400_000, &Cancel::default()).unwrap();
    let (past_usual, past_seldom) = (past(&usual), past(&seldom));
    assert_eq!(past_usual.looks / past_seldom.looks, 72);
    // The knob gives each of fewer looks more: both keep to it.
    let price = |past: &ReplayView| past.expected_false_pages_per_month.unwrap();
    for past in [&past_usual, &past_seldom] {
        assert!((0.0..=1.0).contains(&price(past)), "{}", price(past));
    }
}

#[test]
fn what_is_over_says_so_by_itself_and_is_not_raised_again() {
    let world = bot(10, 60, |n, ago, trace| {
        if (60..120).contains(&ago) && n % 4 == 0 {
            trace["status"] = json!("error");
            trace["error_kind"] = json!("rate_limit");
        }
    });
    let ctx = world.as_reviewer("ann");
    let past = replay(&ctx, &Monitors::default(), "errors", 10 * 86_400_000, &Cancel::default()).unwrap();
    assert_eq!(past.episodes.len(), 1, "{:#?}", past.episodes);
    let one = &past.episodes[0];
    let ago = |at: jiff::Timestamp| (world.clock.now().as_second() - at.as_second()) / 60;
    assert!((90..=120).contains(&ago(one.fired_at)), "raised {} minutes ago", ago(one.fired_at));
    assert_eq!(one.resolved_at, None, "an hour at the usual rate is not yet enough");
    // Two more hours of health.
    world.add(of_json(
        (0..120)
            .map(|n| {
                let at = jiff::Timestamp::from_second(world.clock.now().as_second() + 60 * n).unwrap();
                json!({"id": format!("later-{n}"), "time": at, "feature": "customer_support", "input": "x", "output": "y"})
            })
            .collect(),
    ));
    world.clock.advance_ms(120 * 60_000);
    let past = replay(
        &world.as_reviewer("ann"),
        &Monitors::default(),
        "errors",
        10 * 86_400_000,
        &Cancel::default(),
    );
    let past = past.unwrap();
    assert_eq!(past.episodes.len(), 1, "{:#?}", past.episodes);
    assert!(past.episodes[0].resolved_at.is_some());
}

#[test]
fn a_feature_that_goes_silent_is_no_data_and_says_so() {
    let world = bot(20, 30, healthy);
    world.clock.advance_ms(3 * 3_600_000);
    let seen = pass(&world.as_reviewer("ann"), &Monitors::default()).unwrap();
    assert_eq!(seen.fired.iter().map(|one| one.rule.as_str()).collect::<Vec<_>>(), ["no-data"]);
    assert!(seen.fired[0].evidence.summary.contains("silent for "), "{}", seen.fired[0].evidence.summary);
    world.clock.advance_ms(30 * 3_600_000);
    let all = looked(&world);
    assert_eq!(state(&all, "errors"), State::NoData, "silence is not health");
    assert_eq!(state(&all, "no-data"), State::Firing);
}

#[test]
fn sessions_that_cost_twice_as_much_fire() {
    let world = bot(16, 30, |_, ago, trace| {
        if ago < 1_600 {
            trace["cost_usd"] = json!(trace["cost_usd"].as_f64().unwrap() * 2.0);
        }
    });
    let seen = pass(&world.as_reviewer("ann"), &Monitors::default()).unwrap();
    let rules: Vec<&str> = seen.fired.iter().map(|one| one.rule.as_str()).collect();
    assert!(rules.contains(&"cost-per-session"), "{:#?}", seen.fired);
    let cost = seen.fired.iter().find(|one| one.rule == "cost-per-session").unwrap();
    assert!((cost.evidence.value.unwrap() - 2.0).abs() < 0.2, "{cost:#?}");
}

#[test]
fn a_day_that_will_cost_too_much_is_said_before_it_has() {
    use crate::domain::monitor::{Metric, Rule, Test};
    let world = bot(16, 30, healthy);
    let ctx = world.as_reviewer("ann");
    // A usual day is 720 requests of about 0.26 cents: 1.87 dollars.
    let rule = Rule {
        test: Test::Budget { usd: Some(1.2), warn: 0.8, forecast: 1.3 },
        ..Rule::plain("spend", Metric::Spend)
    };
    let monitors = Monitors { rules: vec![rule.clone()], ..Monitors::default() };
    let seen = pass(&ctx, &monitors).unwrap();
    // By 9:35 it has spent 75 cents: no ticket, for that is less than four fifths, and a page.
    assert_eq!(seen.fired.len(), 1, "{seen:#?}");
    let said = &seen.fired[0].evidence.summary;
    assert!(said.contains("of $1.20") && said.contains("on course for $1.8"), "{said}");
    assert_eq!(seen.fired[0].severity, Urgency::Page);
    let levels = |usd: Option<f64>| {
        let test = Test::Budget { usd, warn: 0.8, forecast: 1.3 };
        let id = format!("spend-{usd:?}");
        let monitors = Monitors { rules: vec![Rule { id, test, ..rule.clone() }], ..Monitors::default() };
        let all = list(&world.as_reviewer("ann"), &monitors).unwrap();
        let groups = all.monitors[0].groups.iter();
        groups.map(|one| (one.severity, one.state == State::Firing)).collect::<Vec<_>>()
    };
    assert_eq!(
        levels(Some(0.9)),
        [(Urgency::Page, true), (Urgency::Ticket, true)],
        "75 of 90 cents, for 187"
    );
    assert_eq!(levels(Some(1.5)), [(Urgency::Page, false), (Urgency::Ticket, false)], "for 125 % of it");
    assert_eq!(levels(None), [(Urgency::Ticket, false)], "nobody is woken for a budget that nobody set");
}

#[test]
fn a_few_events_are_never_an_alarm_however_rare_they_were() {
    let with = |failed: i64| {
        let world = bot(10, 4, |n, _, trace| {
            if n >= 10 * 24 * 4 - failed {
                trace["status"] = json!("error");
                trace["error_kind"] = json!("content_policy");
            }
        });
        pass(&world.as_reviewer("ann"), &Monitors::default()).unwrap().fired.len()
    };
    assert_eq!((with(4), with(5)), (0, 1), "the last four, or five, requests of 960 were refused");
}

#[test]
fn the_latency_monitor_shows_the_percentiles_of_its_window() {
    let world = bot(4, 200, healthy);
    let shown = looked(&world);
    let one = shown.monitors.iter().find(|one| one.id == "latency").unwrap();
    let times = one.latency.unwrap();
    let [lower, upper] = times.p95_interval_ms.unwrap();
    // Times are even between 700 and 2,600 ms.
    assert!((1_550.0..1_750.0).contains(&times.p50_ms), "{times:?}");
    assert!(
        (2_430.0..2_600.0).contains(&times.p95_ms) && lower <= times.p95_ms && times.p95_ms <= upper,
        "{times:?}"
    );
    assert!(lower < upper && upper <= times.p99_ms.max(2_600.0) * 1.01, "{times:?}");
    assert_eq!(times.n, one.n, "of the same requests as the share");
    assert!(one.says.starts_with("p95 2.") && one.says.contains(", p50 1."), "{}", one.says);
    assert!(shown.monitors.iter().all(|other| other.latency.is_some() == (other.id == "latency")));
}

#[test]
fn judged_failures_move_the_chart_once_enough_are_judged() {
    use crate::domain::{LabelBody, Method, Verdict};
    use crate::ops::sample::{DrawSpec, draw};
    use crate::task::Progress;
    let world = bot(4, 30, healthy);
    let ctx = world.as_reviewer("ann");
    let spec = DrawSpec {
        name: "week".into(),
        method: Method::Size(400),
        query: None,
        since: None,
        strata: Vec::new(),
        suspicious: false,
        seed: 1,
    };
    let drawn = draw(&ctx, &spec, &Cancel::default(), &Progress::default()).unwrap();
    let label = |from: usize, to: usize, verdict: &dyn Fn(usize) -> Verdict| {
        for (at, member) in drawn.members[from..to].iter().enumerate() {
            let act = crate::store::Act {
                at: ctx.clock.now(),
                reviewer: "ann",
                trace: &member.trace,
                sample: None,
            };
            ctx.store.set_label(act, |_| Ok(LabelBody::verdict(verdict(at)))).unwrap();
        }
    };
    label(0, 60, &|_| Verdict::Pass);
    let seen = looked(&world);
    let quality = seen.monitors.iter().find(|one| one.id == "quality-drift").unwrap();
    assert_eq!(quality.state, State::NoData);
    assert!(quality.says.contains("60 of the 100"), "{}", quality.says);
    label(60, 400, &|at| if at % 3 == 0 { Verdict::Fail } else { Verdict::Pass });
    let seen = pass(&ctx, &Monitors::default()).unwrap();
    let fired: Vec<&str> = seen.fired.iter().map(|one| one.rule.as_str()).collect();
    assert_eq!(fired, ["quality-drift"], "a third fails where a tenth may");
    assert!(!seen.fired[0].evidence.traces.is_empty());
}

#[test]
fn a_rule_says_what_it_costs_at_its_own_traffic_and_the_knob_moves_it() {
    let world = bot(20, 30, healthy);
    let ctx = world.as_reviewer("ann");
    let expected = |pages: f64| {
        let monitors = Monitors { false_pages_per_month: pages, ..Monitors::default() };
        list(&ctx, &monitors).unwrap().expected
    };
    let (strict, loose) = (expected(0.1), expected(10.0));
    assert!(strict <= 0.1 && loose <= 10.0 && strict < loose / 10.0, "{strict} {loose}");
}

#[test]
fn two_watch_one_store_and_one_of_them_does_it() {
    let world = bot(3, 10, healthy);
    let (a, b) = (world.as_reviewer("ann"), world.as_reviewer("ben"));
    let (first, second) = (Watcher::default(), Watcher::default());
    assert!(first.holds(&a).unwrap());
    assert!(!second.holds(&b).unwrap());
    assert!(first.holds(&a).unwrap(), "who has it keeps it");
    world.clock.advance_ms(61_000);
    assert!(second.holds(&b).unwrap(), "who does not come again loses it");
    second.leaves(&b).unwrap();
    assert!(first.holds(&a).unwrap(), "who leaves gives it back at once");
}

#[test]
fn a_pass_reads_no_more_of_a_store_that_is_older() {
    // Sessions are looked up by index and the rest is hourly: what counts is the traffic of the hours looked at.
    let old = bot(60, 4, healthy);
    let ctx: Ctx = old.as_reviewer("ann");
    pass(&ctx, &Monitors::default()).unwrap();
    let world = super::world::World::read(&ctx, &Monitors::default(), super::world::Reach::Now).unwrap();
    let longest = world.sessions.iter().map(|one| world.now - one.began).max().unwrap();
    assert!(
        longest < 17 * 86_400_000 && world.sessions.len() < 24 * 12 + 14 * 12 * 6,
        "{}",
        world.sessions.len()
    );
}

/// The default rule on errors, told apart.
fn errors_by(apart: crate::domain::monitor::Apart) -> Monitors {
    let mut monitors = Monitors::default();
    monitors.rules.retain(|rule| rule.id == "errors");
    monitors.rules[0].apart = Some(apart);
    monitors
}

#[test]
fn a_rule_by_model_fires_for_the_model_that_fails_alone() {
    use crate::domain::monitor::Apart;
    let world = bot(10, 120, |n, ago, trace| {
        if ago < 90 && n % 8 == 0 {
            trace["status"] = json!("error");
            trace["error_kind"] = json!("timeout");
        }
    });
    let ctx = world.as_reviewer("ann");
    let monitors = errors_by(Apart::Model);
    let seen = pass(&ctx, &monitors).unwrap();
    assert_eq!(seen.fired.len(), 1, "{:#?}", seen.fired);
    let alert = &seen.fired[0];
    let group: Vec<_> = alert.group.iter().map(|(name, value)| (name.as_str(), value.raw())).collect();
    assert_eq!(group, [("feature", "customer_support"), ("kind", "timeout"), ("model", "gpt-4o")]);
    assert!(alert.evidence.query.contains("model:gpt-4o"), "{}", alert.evidence.query);
    assert_eq!(alert.evidence.n, 30, "of this model's requests in an hour");
    let shown = show(&ctx, &monitors, "errors").unwrap();
    assert_eq!(shown.group_by, ["feature", "kind", "model"]);
    assert_eq!(shown.monitor.groups.len(), 8, "four kinds of each of two models");
    // The promise holds however finely it is told apart.
    let all = list(&ctx, &monitors).unwrap();
    assert!(all.expected > 0.0 && all.expected <= 1.0, "{}", all.expected);
}

#[test]
fn a_new_prompt_version_is_held_against_the_whole_feature() {
    use crate::domain::monitor::Apart;
    let world = bot(10, 120, |n, ago, trace| {
        if ago < 60 && n % 3 == 0 {
            trace["prompt_version"] = json!("v4");
            if n % 2 == 0 {
                trace["status"] = json!("error");
                trace["error_kind"] = json!("content_policy");
            }
        }
    });
    let seen = pass(&world.as_reviewer("ann"), &errors_by(Apart::PromptVersion)).unwrap();
    assert_eq!(seen.fired.len(), 1, "{:#?}", seen.fired);
    assert_eq!(seen.fired[0].group["prompt_version"].raw(), "customer_support@v4");
    assert!(
        seen.fired[0].evidence.query.contains("prompt:customer_support@v4"),
        "{}",
        seen.fired[0].evidence.query
    );
}

#[test]
fn a_demonstration_is_looked_at_as_of_its_end_until_traces_come_in() {
    let world = bot(20, 30, healthy);
    let end = world.clock.now();
    world.as_reviewer("ann").store.mark_demonstration(end).unwrap();
    world.clock.advance_ms(30 * 3_600_000);
    let seen = pass(&world.as_reviewer("ann"), &Monitors::default()).unwrap();
    assert_eq!(seen.fired, [], "its silence is no fault");
    let all = looked(&world);
    assert_eq!((all.stands_at, state(&all, "errors")), (Some(end), State::Ok));
    // From then on it is a store like any other.
    world.add(of_json(vec![json!({"id": "new", "time": world.clock.now(), "feature": "customer_support", "input": "x", "output": "y"})]));
    assert_eq!(looked(&world).stands_at, None);
    world.clock.advance_ms(5 * 3_600_000);
    let seen = pass(&world.as_reviewer("ann"), &Monitors::default()).unwrap();
    assert!(seen.fired.iter().any(|one| one.rule == "no-data"), "{seen:#?}");
}

#[test]
fn a_title_is_the_figure_and_the_slice() {
    use crate::domain::monitor::{Evidence, SliceShare};
    let share =
        "9.8 % [8.4, 11.4] of 1,512 in 24 h, usually 4.1 %; prompt v4 × topic fees: 16 of 31 more than usual";
    let slow = "p95 3.01 s [2.89, 3.26], p50 1.30 s; 4.8 % of 1,451 over 3.0 s";
    let slice = |name: &str, value: &str| (name.to_owned(), value.into());
    let fees = SliceShare {
        slice: vec![slice("prompt", "v4"), slice("topic", "fees")],
        n: 100,
        count: 20,
        excess: 16.0,
        share: 0.5,
        rate_outside: 0.04,
    };
    let of = |summary: &str, slices: Vec<SliceShare>| {
        super::evidence::headline(&Evidence {
            summary: summary.into(),
            excess: Some(31.0),
            slices,
            ..Evidence::default()
        })
    };
    assert_eq!(of(share, vec![fees]), "9.8 % [8.4, 11.4] of 1,512 in 24 h · prompt v4 × topic fees");
    assert_eq!(of(slow, vec![]), "p95 3.01 s [2.89, 3.26]");
    assert_eq!(of("silent for 3 h", vec![]), "silent for 3 h");
}
