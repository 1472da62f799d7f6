//! The quality score: what reviewers said of sampled traces, weighted by the draw.

use super::*;
use crate::domain::{
    Assessment, LabelBody, Member, Method, Outcome, Sample, SampleRule, Untrusted, Verdict as Said,
};
use crate::store::{Act, TraceScoreRow};

fn sample(ctx: &Ctx, name: &str, query: Option<&str>, suspicious: bool, members: &[(&str, f64)]) {
    let rule = SampleRule {
        method: Method::Rate(0.1),
        query: query.map(str::to_owned),
        since: None,
        strata: Vec::new(),
        suspicious,
        seed: 0,
    };
    let members = members
        .iter()
        .map(|(trace, probability)| Member {
            trace: (*trace).into(),
            probability: *probability,
            stratum: None,
        })
        .collect();
    let drawn_at = ctx.clock.now();
    let sample = Sample { name: name.into(), rule, drawn_at, by: "ann".into(), population: 100, members };
    ctx.store.add_sample(&sample).unwrap();
}

fn label(ctx: &Ctx, reviewer: &str, trace: &str, said: Said) {
    let trace = trace.into();
    let act = Act { at: ctx.clock.now(), reviewer, trace: &trace, sample: None };
    ctx.store.set_label(act, |_| Ok(LabelBody::verdict(said))).unwrap();
}

/// Traces `0` to `99` of the last 50 hours, the even ones of `v4`, and eight days ago ones `100` to `139`.
fn some() -> (World, Ctx) {
    let trace = |n: i64| {
        let back = if n < 100 { n * HOUR_MS / 2 } else { 8 * 24 * HOUR_MS + n * 60_000 };
        json!({"id": n.to_string(), "input": "q", "output": "a", "time": instant(now() - back - 1),
               "prompt": "support", "prompt_version": if n % 2 == 0 { "v4" } else { "v3" }})
    };
    world(&of_json((0..140).map(trace).collect()))
}

#[test]
fn a_trace_weighs_as_much_as_it_stands_for() {
    let (_world, ctx) = some();
    // The odd traces were drawn ten times as often: they count a tenth.
    let members: Vec<(String, f64)> =
        (0..40).map(|n| (n.to_string(), if n % 2 == 0 { 0.05 } else { 0.5 })).collect();
    let members: Vec<(&str, f64)> = members.iter().map(|(id, p)| (id.as_str(), *p)).collect();
    sample(&ctx, "week", Some("prompt:support"), false, &members);
    for n in 0..40 {
        label(&ctx, "ann", &n.to_string(), if n % 2 == 0 { Said::Fail } else { Said::Pass });
    }
    let view = health(&ctx, &HealthSpec::default()).unwrap();
    let quality = &view.quality;
    close(quality.value, 20.0 * 2.0 / (20.0 * 20.0 + 20.0 * 2.0), 1e-9);
    assert_eq!((quality.n, quality.previous_n, quality.verdict), (40, 0, Verdict::TooFew));
    let interval = quality.interval.unwrap();
    assert!(interval.lower < quality.value.unwrap() && quality.value.unwrap() < interval.upper);
    assert_eq!(count(&ctx, &quality.query, &Cancel::default()).unwrap(), 20);
    let of =
        |name: &str| view.groups.iter().find(|g| g.name.as_ref().is_some_and(|n| n.raw() == name)).unwrap();
    assert_eq!((of("support@v4").quality.value, of("support@v4").quality.n), (Some(0.0), 20));
    assert_eq!(of("support@v3").quality.value, Some(1.0));
    assert!(view.series.quality.iter().flatten().count() >= 20);
    let only = Only::default().with_prompt_version("v3");
    let v3 = health(&ctx, &HealthSpec { only, ..HealthSpec::default() }).unwrap();
    assert_eq!((v3.quality.value, v3.quality.n), (Some(1.0), 20));
}

#[test]
fn only_draws_of_all_traffic_and_verdicts_that_stand_count() {
    let (_world, ctx) = some();
    sample(&ctx, "bad", None, true, &[("0", 1.0), ("1", 1.0)]);
    sample(&ctx, "errors", Some("status:error"), false, &[("2", 1.0)]);
    for n in 0..10 {
        label(&ctx, "ann", &n.to_string(), Said::Fail);
    }
    assert_eq!(health(&ctx, &HealthSpec::default()).unwrap().quality.n, 0);
    sample(&ctx, "all", None, false, &[("1", 0.1), ("3", 0.1), ("4", 0.1), ("5", 0.1), ("60", 0.1)]);
    // 60 is older than the window; 4 is undecided; of 5 two say it is good.
    label(&ctx, "jo", "4", Said::Pass);
    label(&ctx, "jo", "5", Said::Pass);
    label(&ctx, "kim", "5", Said::Pass);
    label(&ctx, "ann", "60", Said::Pass);
    let quality = health(&ctx, &HealthSpec::default()).unwrap().quality;
    assert_eq!((quality.n, quality.value.map(|v| (v * 3.0).round())), (3, Some(1.0)));
    let week = health(&ctx, &HealthSpec { hours: 168, ..HealthSpec::default() }).unwrap().quality;
    assert_eq!(week.n, 4);
}

#[test]
fn it_is_worse_than_last_week_when_it_is() {
    let (_world, ctx) = some();
    let members: Vec<String> = (0..140).map(|n| n.to_string()).collect();
    let members: Vec<(&str, f64)> = members.iter().map(|id| (id.as_str(), 0.1)).collect();
    sample(&ctx, "all", None, false, &members);
    for n in 0..140 {
        label(&ctx, "ann", &n.to_string(), if n < 60 && n % 2 == 0 { Said::Fail } else { Said::Pass });
    }
    let view = health(&ctx, &HealthSpec { hours: 168, ..HealthSpec::default() }).unwrap();
    assert_eq!((view.quality.n, view.quality.previous_n), (100, 40));
    assert_eq!(view.quality.verdict, Verdict::Worse);
    assert_eq!(view.quality.previous, Some(1.0));
}

/// A judge's word.
fn judge(ctx: &Ctx, trace: &str, model: &str, outcome: Outcome) {
    let word = Assessment {
        evaluator: "quality".into(),
        kind: "judge".into(),
        version: "v1".into(),
        outcome,
        score: None,
        explanation: Untrusted::default(),
        span: None,
        criteria: std::collections::BTreeMap::new(),
        by: Some(model.into()),
        cost_usd: None,
    };
    let row = TraceScoreRow {
        trace: trace.into(),
        decider: "d".into(),
        subject: [0; 32],
        at: ctx.clock.now(),
        word,
    };
    ctx.store.keep_trace_scores(&[row]).unwrap();
}

/// All 140 traces in one even sample.
fn all_drawn(ctx: &Ctx) {
    let members: Vec<String> = (0..140).map(|n| n.to_string()).collect();
    let members: Vec<(&str, f64)> = members.iter().map(|id| (id.as_str(), 0.1)).collect();
    sample(ctx, "all", None, false, &members);
}

#[test]
fn a_label_counts_before_the_judge_and_labels_correct_what_the_judge_says() {
    let (_world, ctx) = some();
    all_drawn(&ctx);
    // It passes four of five, and wrongly two of the failures that people find; a rule's word is none.
    for n in 0..100 {
        judge(&ctx, &n.to_string(), "small", if n % 5 == 0 { Outcome::Fail } else { Outcome::Pass });
    }
    judge(&ctx, "100", "small", Outcome::Error);
    let week = HealthSpec { hours: 168, ..HealthSpec::default() };
    let view = health(&ctx, &week).unwrap();
    assert_eq!((view.quality.n, view.judged.people, view.judged.judge), (100, 0, 100));
    close(view.quality.value, 0.8, 1e-9);
    assert_eq!(view.judged.judges, ["quality by small"]);
    assert_eq!(view.judged.corrected, None);
    assert_eq!(
        view.judged.words.as_deref(),
        Some(
            "100 traces judged by quality by small; 20 more labelled passes and 20 failures would tell its errors"
        )
    );
    for n in 0..100 {
        let fails = n % 5 == 0 || n % 50 == 1;
        if fails || n < 40 {
            label(&ctx, "ann", &n.to_string(), if fails { Said::Fail } else { Said::Pass });
        }
    }
    let view = health(&ctx, &week).unwrap();
    assert_eq!((view.judged.people, view.judged.judge), (53, 47));
    assert_eq!(view.judged.labels, [31, 22]);
    close(view.quality.value, 0.78, 1e-9);
    // (0.8 + 20/22 − 1) / (1 + 20/22 − 1)
    close(view.judged.corrected.map(|of| of.rate), 0.78, 1e-9);
    let within = view.judged.corrected.unwrap().interval;
    assert!(within.lower < 0.78 && within.upper > 0.78 && within.upper - within.lower > 0.05, "{within:?}");
    let words = view.judged.words.unwrap();
    assert!(
        words.starts_with("100 traces judged: 53 by people, 47 by quality by small; corrected for"),
        "{words}"
    );
    let failed = count(&ctx, &view.quality.query, &Cancel::default()).unwrap();
    assert_eq!(failed, 22, "the figure opens what it counts");
}

#[test]
fn two_judges_are_not_compared() {
    let (_world, ctx) = some();
    all_drawn(&ctx);
    for n in 0..140 {
        let model = if n < 100 { "small" } else { "big" };
        judge(&ctx, &n.to_string(), model, if n % 2 == 0 { Outcome::Fail } else { Outcome::Pass });
    }
    let view = health(&ctx, &HealthSpec { hours: 168, ..HealthSpec::default() }).unwrap();
    assert_eq!((view.quality.n, view.quality.previous_n), (100, 40));
    assert_eq!(view.quality.verdict, Verdict::OtherJudge);
}
