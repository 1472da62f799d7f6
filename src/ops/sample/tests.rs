use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::domain::{Dimension, ErrorKind, Feedback, FeedbackKind, Method, Status, Thumbs, Trace, Verdict};
use crate::ops::label::{VerdictRequest, verdict};
use crate::ops::testing::{World, trace};
use crate::task::{Cancel, Progress};

fn spec(name: &str, method: Method) -> DrawSpec {
    DrawSpec {
        name: name.to_owned(),
        method,
        query: None,
        since: None,
        strata: Vec::new(),
        suspicious: false,
        seed: 0,
    }
}

fn drawn(ctx: &Ctx, spec: &DrawSpec) -> SampleView {
    draw(ctx, spec, &Cancel::default(), &Progress::default()).unwrap()
}

fn refused(ctx: &Ctx, spec: &DrawSpec) -> Error {
    draw(ctx, spec, &Cancel::default(), &Progress::default()).unwrap_err()
}

fn names(view: &SampleView) -> BTreeSet<String> {
    view.members.iter().map(|m| m.trace.raw().to_owned()).collect()
}

#[test]
fn the_same_traces_are_drawn_whoever_draws_and_new_traffic_joins_without_reshuffling() {
    let (here, there) = (World::with(2_000), World::new());
    // The other machine got the same traces in another order and in two imports.
    for half in [0, 1] {
        there.add((0..1_000).rev().map(|n| trace(&format!("t-{}", n * 2 + half))));
    }
    let rule = spec("tenth", Method::Rate(0.1));
    let ann = drawn(&here.as_reviewer("ann"), &rule);
    let ben = drawn(&there.as_reviewer("ben"), &rule);
    assert!((140..=260).contains(&ann.size), "about 200 of 2,000, not {}", ann.size);
    assert_eq!(ann.members, ben.members);
    assert_eq!((ann.population, ann.members[0].probability), (2_000, 0.1));
    here.add((2_000..5_000).map(|n| trace(&format!("t-{n}"))));
    let later = drawn(&here.as_reviewer("ann"), &spec("later", Method::Rate(0.1)));
    let old = |name: &String| name[2..].parse::<u32>().unwrap() < 2_000;
    assert_eq!(names(&later).into_iter().filter(old).collect::<BTreeSet<_>>(), names(&ann));
    assert!(later.size > ann.size);
    let more = drawn(&here.as_reviewer("ann"), &spec("more", Method::Rate(0.2)));
    assert!(names(&more).is_superset(&names(&later)));
    let other = drawn(&here.as_reviewer("ann"), &DrawSpec { seed: 1, ..spec("seed", Method::Rate(0.1)) });
    assert_ne!(names(&other), names(&later));
    let all = drawn(&here.as_reviewer("ann"), &spec("all", Method::Rate(1.0)));
    assert_eq!(all.size, 5_000);
}

#[test]
fn a_size_draws_that_many_and_knows_its_probability() {
    let world = World::with(500);
    let ctx = world.as_reviewer("ann");
    let fifty = drawn(&ctx, &spec("fifty", Method::Size(50)));
    assert_eq!((fifty.size, fifty.population), (50, 500));
    assert!(fifty.members.iter().all(|m| m.probability == 0.1 && m.stratum.is_none()));
    let hundred = drawn(&ctx, &spec("hundred", Method::Size(100)));
    assert_eq!(
        hundred.members[..50].iter().map(|m| &m.trace).collect::<Vec<_>>(),
        fifty.members.iter().map(|m| &m.trace).collect::<Vec<_>>()
    );
    let all = drawn(&ctx, &spec("all", Method::Size(9_999)));
    assert_eq!((all.size, all.members[0].probability), (500, 1.0));
}

#[test]
fn a_sample_stays_as_it_was_drawn() {
    let world = World::with(300);
    let ctx = world.as_reviewer("ann");
    let first = drawn(&ctx, &spec("week", Method::Size(30)));
    world.add((300..600).map(|n| trace(&format!("t-{n}"))));
    let again = refused(&ctx, &spec(" week ", Method::Size(30)));
    assert_eq!(again.kind, ErrorKind::NotSo);
    assert!(again.what.contains("30 of 300") && again.what.contains("ann"), "{again:?}");
    assert_eq!(show(&world.as_reviewer("ben"), "week").unwrap().members, first.members);
    let missing = show(&ctx, "wek").unwrap_err();
    assert!(missing.hints[0].contains("week"), "{missing:?}");
    assert_eq!(list(&ctx).unwrap().len(), 1);
}

#[test]
fn since_reaches_back_no_further() {
    let world = World::with(10_000);
    let ctx = world.as_reviewer("ann");
    let since = jiff::Timestamp::from_millisecond(ctx.clock.now().as_millisecond() - 3_600_000).ok();
    let hour = drawn(&ctx, &DrawSpec { since, ..spec("hour", Method::Rate(1.0)) });
    assert_eq!((hour.size, hour.population), (60, 60));
    let last: BTreeSet<String> = (9_940..10_000).map(|n| format!("t-{n}")).collect();
    assert_eq!(names(&hour), last);
    let fresh = refused(&ctx, &DrawSpec { since: Some(ctx.clock.now()), ..spec("none", Method::Rate(1.0)) });
    assert!(fresh.what.contains("nothing to draw from"), "{fresh:?}");
}

#[test]
fn strata_share_a_size_evenly_and_keep_their_probabilities() {
    let world = World::new();
    let version = |n: usize| {
        if n < 900 {
            "v3"
        } else if n < 995 {
            "v4"
        } else {
            "v5"
        }
    };
    world.add((0..1_000).map(|n| Trace {
        prompt_version: Some(version(n).into()),
        status: if n % 2 == 0 { Status::Ok } else { Status::Error },
        ..trace(&format!("t-{n}"))
    }));
    let ctx = world.as_reviewer("ann");
    let by_version = DrawSpec { strata: vec![Dimension::PromptVersion], ..spec("even", Method::Size(65)) };
    let even = drawn(&ctx, &by_version);
    let mut strata: BTreeMap<String, (usize, f64)> = BTreeMap::new();
    for member in &even.members {
        let stratum = strata.entry(member.stratum.clone().unwrap().into_raw()).or_default();
        *stratum = (stratum.0 + 1, member.probability);
    }
    let expected = [("v3", (30, 30.0 / 900.0)), ("v4", (30, 30.0 / 95.0)), ("v5", (5, 1.0))];
    assert_eq!(strata, expected.map(|(name, of)| (name.to_owned(), of)).into());
    // What the draw stands for adds up to what it was drawn from.
    let stands_for: f64 = even.members.iter().map(|m| m.probability.recip()).sum();
    assert!((stands_for - 1_000.0).abs() < 1e-6);
    let both = vec![Dimension::Status, Dimension::PromptVersion];
    let rate = drawn(&ctx, &DrawSpec { strata: both, ..spec("rate", Method::Rate(0.3)) });
    assert_eq!(names(&rate), names(&drawn(&ctx, &spec("plain", Method::Rate(0.3)))));
    assert!(rate.members.iter().any(|m| m.stratum == Some("error,v4".into())));
}

#[test]
fn the_suspicious_are_thumbs_down_reports_errors_and_fallbacks() {
    let world = World::new();
    let said = |kind| vec![Feedback { kind, comment: None, time: None }];
    world.add([
        trace("plain"),
        Trace { feedback: said(FeedbackKind::Thumbs(Thumbs::Up)), ..trace("up") },
        Trace { feedback: said(FeedbackKind::FollowUp), ..trace("again") },
        Trace { feedback: said(FeedbackKind::Thumbs(Thumbs::Down)), ..trace("down") },
        Trace { feedback: said(FeedbackKind::Report), ..trace("report") },
        Trace { status: Status::Error, ..trace("error") },
        Trace { fallback: true, ..trace("fallback") },
    ]);
    let ctx = world.as_reviewer("ann");
    let bad = drawn(&ctx, &DrawSpec { suspicious: true, ..spec("bad", Method::Rate(1.0)) });
    let expected = ["down", "error", "fallback", "report"].map(str::to_owned);
    assert_eq!((names(&bad), bad.population), (expected.into(), 4));
    let two = drawn(&ctx, &DrawSpec { suspicious: true, ..spec("two", Method::Size(2)) });
    assert_eq!((two.size, two.members[0].probability), (2, 0.5));
}

#[test]
fn a_query_narrows_what_is_drawn_from_and_is_kept_in_its_plain_form() {
    let world = World::new();
    world.add((0..300).map(|n| Trace {
        model: Some(if n % 3 == 0 { "gpt-4o" } else { "small" }.into()),
        latency_ms: Some(f64::from(n)),
        ..trace(&format!("t-{n}"))
    }));
    let ctx = world.as_reviewer("ann");
    let wanted = |query: &str| Some(query.to_owned());
    let slow =
        DrawSpec { query: wanted("  model:gpt-4o   latency>=150ms"), ..spec("slow", Method::Size(10)) };
    let view = drawn(&ctx, &slow);
    assert_eq!((view.size, view.population, view.members[0].probability), (10, 50, 0.2));
    let fits = |name: &String| name[2..].parse::<u32>().is_ok_and(|n| n >= 150 && n % 3 == 0);
    assert!(names(&view).iter().all(fits), "{view:?}");
    assert!(view.rule.query.as_deref().is_some_and(|text| text.starts_with("model:gpt-4o latency")));
    // The same with rows read for strata, and the uniform draw within it is the one without.
    let rate = |name: &str| DrawSpec { query: wanted("model:gpt-4o"), ..spec(name, Method::Rate(0.3)) };
    let plain = drawn(&ctx, &rate("plain"));
    let by_model = drawn(&ctx, &DrawSpec { strata: vec![Dimension::Model], ..rate("strata") });
    assert_eq!(names(&by_model), names(&plain));
    assert!(names(&plain).is_subset(&names(&drawn(&ctx, &spec("whole", Method::Rate(0.3))))));
    let wrong = refused(&ctx, &DrawSpec { query: wanted("latncy>3s"), ..spec("x", Method::Size(1)) });
    assert_eq!(wrong.kind, ErrorKind::Usage);
    assert!(wrong.what.contains("^^^^^^"), "{wrong:?}");
    let nobody = refused(&ctx, &DrawSpec { query: wanted("model:gpt-9"), ..spec("x", Method::Size(1)) });
    assert!(nobody.hints.iter().any(|hint| hint.contains("gpt-9")), "{nobody:?}");
}

#[test]
fn what_cannot_be_drawn_is_refused_in_words() {
    let world = World::with(3);
    let ctx = world.as_reviewer("ann");
    assert_eq!(refused(&ctx, &spec("x", Method::Size(0))).kind, ErrorKind::Usage);
    assert_eq!(refused(&ctx, &spec("../x", Method::Size(1))).kind, ErrorKind::Usage);
    assert_eq!(refused(&ctx, &spec("x", Method::Rate(0.000_001))).kind, ErrorKind::NotSo);
    let cancel = Cancel::default();
    cancel.cancel();
    let stopped = draw(&ctx, &spec("x", Method::Size(1)), &cancel, &Progress::default()).unwrap_err();
    assert_eq!(stopped.kind, ErrorKind::Cancelled);
    assert!(list(&ctx).unwrap().is_empty());
}

#[test]
fn showing_a_sample_weighs_its_labels_and_compares_reviewers() {
    let world = World::new();
    world.add((0..1_000).map(|n| Trace {
        prompt_version: Some(if n < 900 { "v3" } else { "v4" }.into()),
        ..trace(&format!("t-{n}"))
    }));
    let ann = world.as_reviewer("ann");
    let by_version = vec![Dimension::PromptVersion];
    let sample = drawn(&ann, &DrawSpec { strata: by_version, ..spec("s", Method::Size(20)) });
    let says = |ctx: &Ctx, member: &Member, what: Verdict| {
        let request = VerdictRequest { trace: member.trace.clone(), sample: None, verdict: what, mode: None };
        verdict(ctx, &request).unwrap();
    };
    // Ann fails all of v4 and nothing of v3: a tenth of the traffic, though half of the sample.
    for member in &sample.members {
        let bad = member.stratum == Some("v4".into());
        says(&ann, member, if bad { Verdict::Fail } else { Verdict::Pass });
    }
    let ben = world.as_reviewer("ben");
    for member in &sample.members[..4] {
        says(&ben, member, Verdict::Pass);
    }
    let rates = show(&ben, "s").unwrap().rates;
    let of_ann = &rates.reviewers[0];
    assert_eq!((of_ann.reviewer.raw(), of_ann.reviewed, of_ann.fails), ("ann", 20, 10));
    let failing = of_ann.failing.unwrap();
    assert!((failing.rate - 0.1).abs() < 1e-9, "{failing:?}");
    assert!(failing.lower < 0.1 && failing.upper > 0.1);
    let passed = sample.members[..4].iter().filter(|m| m.stratum == Some("v3".into())).count();
    assert_eq!((rates.agreement[0].n, rates.agreement[0].share), (4, passed as f64 / 4.0));
    let progress: Vec<u64> = list(&ben).unwrap().iter().map(|line| line.reviewed).collect();
    assert_eq!(progress, [4]);
}
