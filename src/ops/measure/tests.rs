use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::*;
use crate::ops::testing::{World, of_json};

fn at(minute: i64) -> Timestamp {
    "2026-03-10T10:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_mins(minute)
}

/// Two hours of traffic, one request a minute: v4 from the second hour on, dearer and slower; a fallback answers from
/// minute 100 on.
fn world() -> World {
    let world = World::at(at(120));
    let traces = (0..120)
        .map(|n| {
            let new = n >= 60;
            json!({
                "id": format!("t-{n}"), "time": at(n), "input": "q", "output": "a", "user": format!("u{}", n % 10),
                "feature": "support", "prompt": "support", "prompt_version": if new { "v4" } else { "v3" },
                "latency_ms": if new && n % 2 == 0 { 4000 } else { 900 }, "cost_usd": if new { 0.004 } else { 0.002 },
                "status": if new && n % 3 == 0 { "error" } else { "ok" },
                "fallback": n >= 100,
                "feedback": if n % 4 == 0 { json!([{"kind": "thumbs", "value": if new { "down" } else { "up" }}]) } else { json!([]) },
            })
        })
        .collect();
    world.add(of_json(traces));
    world
}

#[test]
fn each_figure_counts_its_window_and_its_feature() {
    let world = world();
    let ctx = world.as_reviewer("ann");
    let of = |metric: &str, from: i64, to: i64| {
        let wanted = Wanted {
            metric: Metric::parse(metric).unwrap(),
            feature: Some("support"),
            version: Some("v4"),
            window: (at(from), at(to)),
            baseline_ms: Some(3_600_000),
        };
        measure(&ctx, &wanted, &Cancel::default()).unwrap()
    };
    let kn = |reading: &Reading| (reading.k.unwrap(), reading.n.unwrap());
    assert_eq!(kn(&of("error_share", 60, 120)), (20, 60));
    assert_eq!(kn(&of("share_over_3s", 60, 120)), (30, 60));
    assert_eq!(kn(&of("fallback_share", 60, 120)), (20, 60));
    assert_eq!(kn(&of("negative_feedback", 0, 120)), (15, 30));
    assert_eq!(kn(&of("model_answered", 100, 120)), (0, 20));
    assert_eq!(kn(&of("prompt_share", 30, 110)), (40, 70), "of what the model answered");
    assert_eq!(of("requests", 5, 95).value, Some(90.0));
    assert!((of("cost_ratio", 60, 120).value.unwrap() - 2.0).abs() < 1e-9);
    assert_eq!(kn(&of("users", 60, 120)), (10, 10));
    assert_eq!(of("ingest_lag", 0, 120).value, Some(60_000.0));
    assert_eq!(of("meter_changes", 0, 120).value, Some(0.0));
    let none = of("fail_share", 0, 120);
    assert_eq!((none.value, kn(&none)), (None, (0, 0)), "nobody judged");
    let share = of("error_share", 60, 120);
    let [lower, upper] = share.interval.unwrap();
    assert!((lower - 0.2273).abs() < 1e-3 && (upper - 0.4594).abs() < 1e-3, "{lower} {upper}");
    let wanted = Wanted {
        metric: Metric::Requests,
        feature: Some("nobody"),
        version: None,
        window: (at(0), at(120)),
        baseline_ms: None,
    };
    assert_eq!(measure(&ctx, &wanted, &Cancel::default()).unwrap().value, Some(0.0));
}

#[test]
fn a_verdict_needs_enough_to_tell() {
    let reading = |k: u64, n: u64| {
        let mut reading = Reading {
            title: String::new(),
            from: at(0),
            to: at(1),
            value: None,
            k: None,
            n: None,
            interval: None,
            query: "".into(),
            words: String::new(),
        };
        share(&mut reading, Counts { k, n });
        reading
    };
    let must = Limit::parse("< 10%").unwrap();
    assert_eq!(reading(0, 19).verdict(Some(&must)), Verdict::NotEnoughData);
    assert_eq!(reading(0, 0).verdict(Some(&must)), Verdict::NotEnoughData);
    assert_eq!(reading(1, 20).verdict(Some(&must)), Verdict::Ok);
    assert!(!reading(1, 20).is_clear(&must) && reading(0, 200).is_clear(&must));
    assert_eq!(reading(2, 20).verdict(Some(&must)), Verdict::Breach);
    assert_eq!(reading(2, 20).verdict(None), Verdict::Shown);
}

#[test]
fn names_are_those_of_the_runbooks() {
    for name in Metric::NAMES {
        assert!(matches!(Subject::parse(name), Some(Subject::Metric(_))), "{name}");
    }
    assert_eq!(Metric::parse("share_over_500ms"), Some(Metric::ShareOver(500)));
    assert_eq!(Subject::parse("attribution"), Some(Subject::Analysis(Analysis::Attribution)));
    assert_eq!(Subject::parse("vibes"), None);
}
