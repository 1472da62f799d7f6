//! What the program finds in a demo store is what was planted there.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::*;
use crate::domain::incident::Outcome;
use crate::domain::{FailureKind, FeedbackKind, Query, SetName, Thumbs};
use crate::ops::testing::World;
use crate::ops::{Ctx, browse, figures, incident, index, label, promote, run, sample};
use crate::task::{Cancel, Progress};

const TRACES: u64 = 12_000;

/// A demo store that is only read.
struct Demo {
    ctx: Ctx,
    spec: DemoSpec,
    view: DemoView,
    _world: World,
}

/// The demo store, made once for the tests that run at a time; the last of them takes it away.
fn demo() -> Arc<Demo> {
    static SHARED: Mutex<Weak<Demo>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(demo) = shared.upgrade() {
        return demo;
    }
    let now = "2025-11-24T10:30:00Z".parse().unwrap();
    let world = World::at(now);
    let ctx = world.as_reviewer("me");
    let spec = DemoSpec { traces: TRACES, seed: 7, now };
    let view = make(&ctx, &spec, &Cancel::default(), &Progress::default()).unwrap();
    index::catch_up(&ctx, &Cancel::default(), &Progress::default()).unwrap();
    let demo = Arc::new(Demo { ctx, spec, view, _world: world });
    *shared = Arc::downgrade(&demo);
    demo
}

fn name(field: &Option<crate::domain::Untrusted>) -> &str {
    field.as_ref().map_or("", |text| text.raw())
}

#[test]
fn what_is_found_is_what_was_planted() {
    let demo = demo();
    let Demo { ctx, spec, view, .. } = &*demo;
    assert_eq!(view.traces, TRACES);
    let planted: Vec<(Trace, Truth)> = Generator::new(*spec).collect();
    let found = |query: &str| {
        let query = Query::parse(query).unwrap();
        browse::count(ctx, &query, &Cancel::default()).unwrap()
    };
    let said = |trace: &Trace, kind| trace.feedback.iter().any(|f| f.kind == kind);
    let of = |holds: &dyn Fn(&Trace, &Truth) -> bool| {
        planted.iter().filter(|(trace, truth)| holds(trace, truth)).count() as u64
    };
    for version in ["v3", "v4"] {
        let downs =
            of(&|t, _| name(&t.prompt_version) == version && said(t, FeedbackKind::Thumbs(Thumbs::Down)));
        assert_eq!(found(&format!("feedback:down prompt:customer_support@{version}")), downs);
        let reports = of(&|t, _| name(&t.prompt_version) == version && said(t, FeedbackKind::Report));
        assert_eq!(found(&format!("feedback:report prompt:customer_support@{version}")), reports);
    }
    let timeouts = of(&|_, truth| truth.verdict == Verdict::NoAnswer(FailureKind::Timeout));
    assert!(timeouts > 0);
    assert_eq!(found("error:timeout"), timeouts);
    let usual = crate::text::Fallback::default();
    assert_eq!(found("fallback:yes"), of(&|t, _| t.fallback || usual.reads_like(&t.output)));
    assert_eq!(found("feature:summarization"), of(&|_, truth| truth.kind == Kind::Summary));
    // The hours of the burst hold the refusals of the burst.
    let (from, to) = Calendar::new(spec.now, spec.traces).burst_ms();
    let time = |ms| Timestamp::from_millisecond(ms).unwrap();
    let query = Query::parse("error:rate_limit").unwrap();
    let burst = figures::figures(ctx, &query, time(from), time(to), &Cancel::default()).unwrap();
    assert_eq!(burst.all.requests, of(&|_, truth| truth.cause == Cause::RateLimitBurst));
    // The words of the planted advice are found in v4's answers alone.
    let advice = found("\"transfer your balance\" prompt_version:v4");
    assert!(advice > 50 && found("\"transfer your balance\" prompt_version:v3") == 0, "{advice}");
}

#[test]
fn the_dashboard_shows_what_was_planted() {
    use crate::ops::health::{By, HealthSpec, Scope, health};
    let demo = demo();
    let Demo { ctx, spec, .. } = &*demo;
    let planted: Vec<(Trace, Truth)> = Generator::new(*spec).collect();
    let asked = HealthSpec {
        scope: Scope::Feature("customer_support".into()),
        hours: 672,
        by: By::Language,
        ..HealthSpec::default()
    };
    let view = health(ctx, &asked).unwrap();
    let of = |holds: &dyn Fn(&Trace, &Truth) -> bool| {
        planted
            .iter()
            .filter(|(trace, _)| trace.time.is_some_and(|at| at >= view.since && at < view.until))
            .filter(|(trace, truth)| name(&trace.feature) == "customer_support" && holds(trace, truth))
            .count() as u64
    };
    assert!(view.groups.len() > 4, "{:?}", view.groups);
    for group in &view.groups {
        let wanted = name(&group.name);
        let spoken = |t: &Trace| crate::text::trace_language(t).map_or_else(String::new, |of| of.name);
        assert_eq!(group.requests, of(&|t, _| spoken(t) == wanted), "{wanted}");
    }
    assert_eq!(view.errors.timeout, of(&|_, truth| truth.verdict == Verdict::NoAnswer(FailureKind::Timeout)));
    // The new prompt is marked on the day on which it was first seen.
    let v4 = planted.iter().filter(|(trace, _)| name(&trace.prompt_version) == "v4");
    let first = v4.filter_map(|(trace, _)| trace.time).min().unwrap();
    let mark = view.marks.iter().find(|mark| mark.name.raw() == "customer_support@v4").unwrap();
    assert_eq!(mark.at.as_second(), first.as_second() / 3600 * 3600);
    // The day of the burst has the most refusals.
    let (burst, _) = Calendar::new(spec.now, spec.traces).burst_ms();
    let worst = view.timeline.iter().max_by_key(|of| of.rate_limit).unwrap();
    assert!((worst.from.as_millisecond()..worst.to.as_millisecond()).contains(&burst), "{worst:?}");
    // What reviewers found in the sample holds what is true of its week, as far as they went.
    let week = health(ctx, &HealthSpec { hours: 168, ..asked }).unwrap();
    let (good, all) = planted
        .iter()
        .filter(|(trace, _)| trace.time.is_some_and(|at| at >= week.since && at < week.until))
        .filter(|(trace, _)| name(&trace.feature) == "customer_support")
        .fold((0.0, 0.0), |(good, all), (_, truth)| {
            (good + f64::from(u8::from(truth.verdict == Verdict::Good)), all + 1.0)
        });
    let quality = week.quality.interval.unwrap();
    assert!(quality.lower <= good / all && good / all <= quality.upper, "{quality:?}, not {}", good / all);
}

#[test]
fn people_have_worked_on_it() {
    let demo = demo();
    let Demo { ctx, spec, view, .. } = &*demo;
    assert_eq!(view.samples, ["week-48", "week-48-suspicious"]);
    let week = sample::show(ctx, &view.samples[0]).unwrap();
    assert_eq!(week.members.len(), 100);
    let mut labels = Vec::new();
    label::each_label(ctx, &label::LabelFilter::default(), |label| labels.push(label)).unwrap();
    assert_eq!(labels.len() as u64, view.labels);
    let of = |who: &str| -> Vec<_> {
        let inside = |trace: &crate::domain::Untrusted| week.members.iter().any(|m| m.trace == *trace);
        labels.iter().filter(|l| l.reviewer.raw() == who && inside(&l.trace)).collect()
    };
    let (ann, jo) = (of("ann"), of("jo"));
    assert!(ann.len() >= 37 && ann.len() <= 39 && jo.len() == 12, "{} {}", ann.len(), jo.len());
    let differs = jo.iter().filter(|jo| {
        let ann = ann.iter().find(|ann| ann.trace == jo.trace).unwrap();
        ann.verdict != jo.verdict
    });
    assert_eq!(differs.count(), 2);
    // The first reviewer mostly sees what is true.
    let generator = Generator::new(*spec);
    let right = ann.iter().filter(|label| {
        let good = generator.truth(label.trace.raw()).unwrap().verdict == Verdict::Good;
        label.verdict == Some(if good { crate::domain::Verdict::Pass } else { crate::domain::Verdict::Fail })
    });
    let right = right.count();
    assert!(right * 10 >= ann.len() * 9, "{right} of {}", ann.len());
    assert!(ann.iter().any(|l| l.corrected.is_some()) && ann.iter().any(|l| l.note.is_some()));
    for label in &labels {
        assert!(label.at < spec.now && label.at > spec.from(), "{label:?}");
    }

    let set = promote::show(ctx, &SetName::parse("support").unwrap(), None).unwrap();
    assert_eq!(set.cases.len() as u64, view.cases);
    assert!(set.cases.len() >= 9, "{}", set.cases.len());

    let told = incident::show(ctx, &view.incidents[0]).unwrap();
    assert_eq!(told.head.outcome, Some(Outcome::Resolved));
    assert!(told.missing.is_empty(), "{:?}", told.missing);
    assert!(told.figures.unwrap().all.errors > 5);
}

#[test]
fn two_runs_tell_what_the_new_prompt_breaks() {
    use crate::ops::compare::{self, CompareSpec, Decision, Thresholds};
    let demo = demo();
    let ctx = &demo.ctx;
    let names = run::list(ctx).unwrap();
    assert_eq!(names.iter().map(|one| one.run.as_str()).collect::<Vec<_>>(), ["support-v4", "support-v3"]);
    assert!(names.iter().all(|one| one.is_complete() && one.errors == 0 && one.cost_usd > 0.0), "{names:?}");
    let [candidate, baseline] = [0, 1].map(|at: usize| names[at].run.clone());
    let spec = CompareSpec { baseline, candidate, thresholds: Thresholds::default() };
    let view = compare::compare(ctx, &spec).unwrap();
    assert_eq!(view.decision, Decision::Hold, "{}", view.reason);
    let advice = view.lines.iter().filter(|line| line.evaluator.as_deref() == Some("advice"));
    let advice: Vec<_> = advice.filter(|line| view.regressed.contains(&line.case)).collect();
    assert!(advice.len() >= 2, "{:?}", view.regressed);
    // What v4 gave in production is what its run has: labels of it count.
    let trust = compare::trust(ctx, &spec.candidate).unwrap();
    assert!(trust.judges[0].labelled >= 5, "{trust:?}");
}

#[test]
fn a_tiny_demo_and_a_wrong_place_have_an_outcome() {
    let world = World::at("2025-11-24T10:30:00Z".parse().unwrap());
    let ctx = world.as_reviewer("me");
    let spec = DemoSpec { traces: 1, seed: 1, now: world.clock.now() };
    let view = make(&ctx, &spec, &Cancel::default(), &Progress::default()).unwrap();
    assert_eq!(view.traces, 1);
    let taken = place(Some(&world.path())).unwrap_err();
    assert!(taken.kind == crate::domain::ErrorKind::NotSo && !taken.hints.is_empty());
    assert!(world.path().exists());
    discard(&world.path());
    assert!(!world.path().exists());
    assert_eq!(place(Some(&world.path())).unwrap(), world.path());
    let fresh = place(None).unwrap();
    assert!(!fresh.exists() && fresh.parent().unwrap().is_dir());
    std::fs::remove_dir(fresh.parent().unwrap()).unwrap();
}

#[test]
fn cancelling_stops_it() {
    let world = World::at("2025-11-24T10:30:00Z".parse().unwrap());
    let cancel = Cancel::default();
    cancel.cancel();
    let spec = DemoSpec { traces: 50_000, seed: 1, now: world.clock.now() };
    let error = make(&world.as_reviewer("me"), &spec, &cancel, &Progress::default()).unwrap_err();
    assert_eq!(error.kind, crate::domain::ErrorKind::Cancelled);
}

/// As many traces as the demo has by itself: two hours of refusals show, and that p95 comes above 3 s.
#[test]
fn the_monitors_find_what_was_planted_and_are_quiet_before_it() {
    use crate::domain::monitor::Monitors;
    use crate::ops::monitor::replay;
    let now: Timestamp = "2025-11-24T10:30:00Z".parse().unwrap();
    let world = World::at(now);
    let ctx = world.as_reviewer("me");
    let spec = DemoSpec { traces: 40_000, seed: 7, now };
    make(&ctx, &spec, &Cancel::default(), &Progress::default()).unwrap();
    let fired = |rule: &str| {
        let past = replay(&ctx, &Monitors::default(), rule, 28 * 86_400_000, &Cancel::default()).unwrap();
        past.episodes.into_iter().map(|one| (one.group, one.fired_at, one.evidence)).collect::<Vec<_>>()
    };
    let hours_ago = |at: Timestamp| (now.as_second() - at.as_second()) as f64 / 3600.0;
    // Version v4 comes a week ago, in steps, and is complained of: within a day of its being everywhere, and from
    // then on. While it has a third of the traffic it may look well again for an hour.
    let complaints = fired("negative-feedback");
    assert!((1..=2).contains(&complaints.len()), "{complaints:#?}");
    assert!(complaints.iter().all(|one| (126.0..174.0).contains(&hours_ago(one.1))), "{complaints:#?}");
    let slices = format!("{complaints:?}");
    assert!(slices.contains("customer_support@v4") && slices.contains("fees"), "{slices}");
    // The provider's refusals, while they last.
    let (from, to) = Calendar::new(now, spec.traces).burst_ms();
    let refused = fired("errors");
    assert_eq!(refused.len(), 1, "{refused:#?}");
    assert_eq!(refused[0].0["kind"].raw(), "rate_limit");
    assert!((from..to).contains(&refused[0].1.as_millisecond()), "{refused:#?}");
    // A model that gets slower from day to day, over ten days.
    let slow = fired("latency");
    assert!(!slow.is_empty() && slow.iter().all(|one| hours_ago(one.1) < 240.0), "{slow:#?}");
    assert!(format!("{:?}", slow.last().unwrap().2.slices).contains("claude-3-5-haiku"), "{slow:#?}");
    // What was not planted is not found.
    for rule in ["fallback-rate", "no-data", "daily-spend"] {
        assert_eq!(fired(rule), [], "{rule}");
    }
}
