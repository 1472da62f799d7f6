//! Figures held against a plain count of the same traces, and words against what was planted.

mod cuts;
mod over_time;
mod page;
mod quality;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::*;
use crate::domain::{ErrorKind, FailureKind, FeedbackKind, Query, Status, Thumbs, Trace};
use crate::ops::browse::count;
use crate::ops::testing::{World, of_json};
use crate::stats::nearest_rank;
use crate::task::Cancel;

const NOW: &str = "2026-11-23T09:37:21.456Z";

fn now() -> i64 {
    NOW.parse::<Timestamp>().unwrap().as_millisecond()
}

/// Sixteen days of traffic; the last one ends in the future. `bad` makes the last day worse.
fn traffic(count: usize, bad: bool) -> Vec<Trace> {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let mut traces = Vec::new();
    for n in 0..count {
        let back = rng.random_range(-20 * 60_000..16 * 86_400_000_i64);
        let worse = bad && back < 86_400_000;
        let (roll, thumb): (f64, f64) = (rng.random(), rng.random());
        let kind = match roll {
            r if r < 0.01 => Some("timeout"),
            r if r < 0.02 => Some("rate_limit"),
            r if worse && r < 0.12 => Some("content_policy"),
            r if r > 0.995 => Some("other"),
            _ => None,
        };
        let locale = ["en-GB", "de-DE", "es_ES"][n % 5 % 3];
        let up = if worse { 0.2 } else { 0.8 };
        let feedback = match thumb {
            t if t > 0.3 => json!([]),
            t if t < 0.3 * up => json!([{"kind": "thumbs", "value": "up"}]),
            _ => json!([{"kind": "thumbs", "value": "down"}, {"kind": "report"}]),
        };
        let mut trace = json!({
            "id": format!("t-{n}"), "input": "q", "output": format!("answer {n}"), "time": instant(now() - back),
            "feature": if n % 4 == 0 { "summarization" } else { "customer_support" },
            "prompt": "support", "prompt_version": if worse { "v4" } else { "v3" },
            "model": if n % 3 == 0 { "gpt-4o-mini" } else { "gpt-4o" },
            "metadata": {"locale": locale},
            "latency_ms": rng.random_range(200.0..4000.0) * if worse { 1.6 } else { 1.0 },
            "cost_usd": rng.random_range(0.001..0.003) * if worse { 1.5 } else { 1.0 },
            "status": if kind.is_some() { "error" } else { "ok" }, "feedback": feedback,
            "fallback": rng.random_range(0..40) == 0,
        });
        if let Some(kind) = kind {
            trace["error_kind"] = kind.into();
        }
        if rng.random_range(0..50) == 0 {
            trace.as_object_mut().unwrap().remove("latency_ms");
            trace.as_object_mut().unwrap().remove("cost_usd");
        }
        traces.push(trace);
    }
    of_json(traces)
}

fn world(traces: &[Trace]) -> (World, Ctx) {
    let world = World::at(NOW.parse().unwrap());
    for batch in traces.chunks(2_000) {
        world.add(batch.to_vec());
    }
    let ctx = world.as_reviewer("ann");
    (world, ctx)
}

struct Plain<'a>(Vec<&'a Trace>);

impl Plain<'_> {
    fn of(&self, wanted: impl Fn(&Trace) -> bool) -> f64 {
        self.0.iter().filter(|t| wanted(t)).count() as f64
    }

    fn thumb(&self, up: Thumbs) -> f64 {
        self.of(|t| t.feedback.iter().any(|f| f.kind == FeedbackKind::Thumbs(up)))
    }
}

fn plain<'a>(traces: &'a [Trace], feature: Option<&str>, from: i64, to: i64) -> Plain<'a> {
    Plain(
        traces
            .iter()
            .filter(|t| (from..to).contains(&t.time.unwrap().as_millisecond()))
            .filter(|t| feature.is_none_or(|name| t.feature.as_ref().unwrap().raw() == name))
            .collect(),
    )
}

fn close(a: Option<f64>, b: f64, within: f64) {
    assert!(a.is_some_and(|a| (a - b).abs() <= within * b.abs()), "{a:?}, not {b}");
}

#[test]
fn figures_are_exact_though_the_window_begins_and_ends_inside_an_hour() {
    let traces = traffic(6_000, true);
    held_against_a_plain_count(&traces);
    // Without traffic from the future the hour that is not over is taken whole.
    let past: Vec<Trace> = traces.into_iter().filter(|t| t.time.unwrap().as_millisecond() < now()).collect();
    held_against_a_plain_count(&past);
}

fn held_against_a_plain_count(traces: &[Trace]) {
    let (_world, ctx) = world(traces);
    for (hours, scope, feature) in [
        (24, Scope::All, None),
        (24, Scope::Busiest, Some("customer_support")),
        (24, Scope::Feature("summarization".into()), Some("summarization")),
        (1, Scope::All, None),
        (168, Scope::All, None),
    ] {
        let view = health(&ctx, &HealthSpec { scope, hours, ..HealthSpec::default() }).unwrap();
        let (from, to) = (now() - hours * HOUR_MS, now());
        let week = 7 * 24 * HOUR_MS;
        let (p, q) = (plain(traces, feature, from, to), plain(traces, feature, from - week, to - week));
        assert_eq!(view.feature.as_ref().map(Untrusted::raw), feature);
        assert_eq!(
            (view.requests.value, view.requests.previous),
            (Some(p.0.len() as u64), Some(q.0.len() as u64))
        );
        let failed = |t: &Trace| t.status == Status::Error;
        close(view.error_rate.value, p.of(failed) / p.0.len() as f64, 1e-12);
        close(view.error_rate.previous, q.of(failed) / q.0.len() as f64, 1e-12);
        let kind = |kind| p.of(|t| t.error_kind == Some(kind)) as u64;
        assert_eq!(
            view.errors,
            Errors {
                timeout: kind(FailureKind::Timeout),
                rate_limit: kind(FailureKind::RateLimit),
                content_policy: kind(FailureKind::ContentPolicy),
                other: kind(FailureKind::Other),
            }
        );
        let (up, down) = (p.thumb(Thumbs::Up), p.thumb(Thumbs::Down));
        close(view.satisfaction.value, up / (up + down), 1e-12);
        assert_eq!(view.satisfaction.n, (up + down) as u64);
        let costs: Vec<f64> = p.0.iter().filter_map(|t| t.cost_usd).collect();
        close(view.cost_per_request_usd.value, costs.iter().sum::<f64>() / costs.len() as f64, 1e-6);
        let mut times: Vec<f64> = p.0.iter().filter_map(|t| t.latency_ms).collect();
        times.sort_by(f64::total_cmp);
        let p95 = times[nearest_rank(0.95, times.len() as u64) as usize - 1];
        close(view.p95_latency_ms.value, p95, 0.0101);
        let fallbacks = p.of(|t| t.fallback);
        close(view.fallback_rate.value, fallbacks / p.0.len() as f64, 1e-12);

        // Each figure opens the traces behind it.
        let opened = |query: &Query| count(&ctx, query, &Cancel::default()).unwrap() as f64;
        assert_eq!(opened(&view.requests.query), p.0.len() as f64);
        assert_eq!(opened(&view.error_rate.query), p.of(failed));
        assert_eq!(opened(&view.satisfaction.query), down);
        assert_eq!(opened(&view.fallback_rate.query), fallbacks);
        for version in &view.groups {
            assert_eq!(opened(&version.query), version.requests as f64);
        }
        assert_eq!(view.groups.iter().map(|v| v.requests).sum::<u64>(), p.0.len() as u64);
        assert_eq!(view.series.requests.len(), 168);
    }
}

#[test]
fn the_hours_of_seven_days_are_counted() {
    let traces = traffic(3_000, false);
    let (_world, ctx) = world(&traces);
    let series = health(&ctx, &HealthSpec::default()).unwrap().series;
    let first = series.from.as_millisecond();
    assert_eq!(first + 168 * HOUR_MS, (now().div_euclid(HOUR_MS) + 1) * HOUR_MS);
    for hour in [0, 50, 166] {
        let at = first + hour * HOUR_MS;
        let p = plain(&traces, None, at, at + HOUR_MS);
        let hour = hour as usize;
        assert_eq!(series.requests[hour], p.0.len() as u64);
        close(series.error_rate[hour], p.of(|t| t.status == Status::Error) / p.0.len() as f64, 1e-12);
    }
}

#[test]
fn the_words_say_what_changed_and_nothing_else() {
    let (_world, ctx) = world(&traffic(15_000, true));
    let view = health(&ctx, &HealthSpec::default()).unwrap();
    assert_eq!(view.requests.verdict, Verdict::Usual);
    assert_eq!(view.error_rate.verdict, Verdict::Worse);
    assert_eq!(view.p95_latency_ms.verdict, Verdict::Worse);
    assert_eq!(view.cost_per_request_usd.verdict, Verdict::Worse);
    assert_eq!(view.satisfaction.verdict, Verdict::Worse);
    assert_eq!(view.fallback_rate.verdict, Verdict::Usual);
    for interval in
        [view.error_rate.interval, view.cost_per_request_usd.interval, view.p95_latency_ms.interval]
    {
        let interval = interval.unwrap();
        assert!(interval.lower < interval.upper);
    }
    assert_eq!(view.groups[0].version.as_ref().map(Untrusted::raw), Some("v4"));

    let (_world, ctx) = world(&traffic(15_000, false));
    let view = health(&ctx, &HealthSpec::default()).unwrap();
    let words = [
        view.error_rate.verdict,
        view.p95_latency_ms.verdict,
        view.cost_per_request_usd.verdict,
        view.satisfaction.verdict,
        view.fallback_rate.verdict,
    ];
    assert_eq!(words, [Verdict::Usual; 5]);

    let (_world, ctx) = world(&traffic(60, true));
    let view = health(&ctx, &HealthSpec { hours: 1, ..HealthSpec::default() }).unwrap();
    assert_eq!((view.error_rate.verdict, view.requests.verdict), (Verdict::TooFew, Verdict::TooFew));
}

#[test]
fn an_empty_store_and_an_unknown_feature_have_their_answers() {
    let (_world, ctx) = world(&[]);
    let view = health(&ctx, &HealthSpec { scope: Scope::Busiest, ..HealthSpec::default() }).unwrap();
    assert_eq!((view.requests.value, view.error_rate.value, view.feature), (Some(0), None, None));
    assert!(recent(&ctx, &Scope::All, &Only::default(), 5, &Cancel::default()).unwrap().is_empty());
    let scope = |name: &str| HealthSpec { scope: Scope::Feature(name.into()), ..HealthSpec::default() };
    assert_eq!(health(&ctx, &scope("x")).unwrap_err().kind, ErrorKind::NotSo);
    let (_world, ctx) = world(&traffic(10, false));
    let error = health(&ctx, &scope("customer_suport")).unwrap_err();
    assert_eq!(error.hints, ["Did you mean customer_support?"]);
    let long = HealthSpec { hours: 673, ..HealthSpec::default() };
    assert_eq!(health(&ctx, &long).unwrap_err().kind, ErrorKind::Usage);
}

#[test]
fn recent_responses_show_trouble_first() {
    let (_world, ctx) = world(&traffic(2_000, false));
    let name = Untrusted::from("customer_support");
    let found = recent(&ctx, &Scope::Feature(name.clone()), &Only::default(), 8, &Cancel::default()).unwrap();
    assert_eq!(found.len(), 8);
    assert!(found.iter().take(3).all(|r| r.troubled));
    assert!(found.iter().all(|r| r.row.feature.as_ref() == Some(&name)));
    let times: Vec<_> = found.iter().map(|r| r.row.time).collect();
    assert!(times[..3].is_sorted_by(|a, b| a >= b) && times[3..].is_sorted_by(|a, b| a >= b));
}

#[test]
fn the_json_has_the_documented_shape() {
    let (_world, ctx) = world(&traffic(2_000, false));
    let value: Value = serde_json::to_value(health(&ctx, &HealthSpec::default()).unwrap()).unwrap();
    for name in
        ["requests", "error_rate", "p95_latency_ms", "cost_per_request_usd", "satisfaction", "fallback_rate"]
    {
        let figure = &value[name];
        assert!(figure["value"].is_number() && figure["previous"].is_number(), "{name}: {figure}");
        assert!(figure["n"].is_u64() && figure["verdict"].is_string() && figure["query"].is_string());
    }
    assert!(value["requests"]["value"].is_u64());
    assert!(value["error_rate"]["interval"]["lower"].is_number());
}
