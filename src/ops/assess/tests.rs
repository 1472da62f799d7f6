//! What was planted is found, and nothing is claimed where nothing was.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::figures::Assessment;
use super::near::ChangeKind;
use super::onset::OnsetVerdict;
use super::slices::SlicesVerdict;
use super::{AssessRequest, Measure, assess, contain, rows};
use crate::domain::Untrusted;
use crate::ops::demo::{DemoSpec, Generator};
use crate::ops::incident::{OpenRequest, open};
use crate::ops::testing::{World, of_json};
use crate::ops::{Ctx, mark};
use crate::task::Cancel;

const HOUR: SignedDuration = SignedDuration::from_hours(1);

fn opened(ctx: &Ctx, feature: &str) {
    let request = OpenRequest { title: "x".into(), feature: Some(feature.into()), ..OpenRequest::default() };
    open(ctx, request).unwrap();
}

fn assessed(ctx: &Ctx, measure: Option<Measure>) -> Assessment {
    assess(ctx, "INC-1", AssessRequest { measure, until: None }, &Cancel::default()).unwrap()
}

/// The first slice: `prompt=support@v4 language=de`.
fn first(of: &Assessment) -> String {
    let words = |(name, value): &(String, Untrusted)| format!("{name}={}", value.raw());
    of.slices
        .ranked
        .first()
        .map_or_else(String::new, |one| one.slice.iter().map(words).collect::<Vec<_>>().join(" "))
}

#[test]
fn the_demos_bad_prompt_is_found_in_its_store() {
    let end: Timestamp = "2025-11-24T10:30:00Z".parse().unwrap();
    let now = end - 84 * HOUR;
    let world = World::at(now);
    let spec = DemoSpec { traces: 20_000, seed: 7, now: end };
    let traces: Vec<_> = Generator::new(spec).map(|(trace, _)| trace).collect();
    let v4 = |trace: &&crate::domain::Trace| {
        trace.prompt_version.as_ref().is_some_and(|version| version.raw() == "v4")
    };
    let came = traces.iter().find(v4).and_then(|trace| trace.time).unwrap();
    world.add(traces.into_iter().filter(|trace| trace.time.is_some_and(|time| time < now)));
    let ctx = world.as_reviewer("ann");
    opened(&ctx, "customer_support");
    let of = assessed(&ctx, None);
    assert_eq!((of.measure, of.onset.verdict), ("complaints", OnsetVerdict::Onset));
    // v4 was rolled out over a day.
    let at = of.onset.at.unwrap();
    assert!(at > came && at < came + 30 * HOUR, "{at}, and v4 came at {came}");
    assert_eq!(first(&of), "prompt=customer_support@v4 kind=fees");
    assert_eq!(of.slices.verdict, SlicesVerdict::Found);
    let came = of.near.iter().find(|change| change.kind == ChangeKind::VersionCame);
    assert_eq!(came.map(|change| change.name.raw()), Some("customer_support@v4"));
    let (rate, excess, users) = (of.rate.unwrap(), of.excess.unwrap(), of.users.unwrap());
    assert!(rate.change_interval.unwrap().lower > 0.0);
    assert!(excess.interval.lower > 0.0 && excess.interval.lower < excess.count);
    assert!(users.above_usual > Some(0.0) && users.hit <= users.total as f64);
    assert_eq!(of.examples.len(), 10);
    assert!(of.severity.suggested.is_some());
}

#[test]
fn what_switches_the_feature_on_again_is_no_way_to_contain() {
    let world = World::with(3);
    let ctx = world.as_reviewer("mira");
    let request =
        OpenRequest { title: "x".into(), runbook: Some("outage".to_owned()), ..OpenRequest::default() };
    open(&ctx, request).unwrap();
    let of = contain(&ctx, "INC-1", &Cancel::default()).unwrap();
    let flags = of.options.iter().filter(|option| option.kind == "flag");
    assert_eq!(flags.map(|option| option.id.as_str()).collect::<Vec<_>>(), ["off"]);
}

/// Requests every two minutes for ten days; `bad` tells of each, by its number and the minutes to go, whether it is
/// complained of.
fn steady(bad: impl Fn(i64, i64) -> bool, with: impl Fn(i64, &mut serde_json::Value)) -> World {
    let world = World::new();
    let now = world.clock.now();
    let traces = (0..7200).map(|n| {
        let ago = 2 * (7200 - n);
        let mut trace = json!({
            "id": format!("t-{n}"), "time": now - SignedDuration::from_mins(ago), "input": "q", "output": "a",
            "feature": "support", "user": format!("u{}", n % 97), "model": if n % 2 == 0 { "m1" } else { "m2" },
            "feedback": if bad(n, ago) { json!([{"kind": "thumbs", "value": "down"}]) } else { json!([]) },
        });
        with(n, &mut trace);
        trace
    });
    world.add(of_json(traces.collect()));
    world
}

#[test]
fn nothing_is_claimed_where_nothing_changed() {
    let world = steady(|n, _| n % 12 == 5, |_, _| ());
    let ctx = world.as_reviewer("ann");
    opened(&ctx, "support");
    let of = assessed(&ctx, None);
    assert_eq!((of.onset.verdict, of.slices.verdict), (OnsetVerdict::None, SlicesVerdict::Nothing));
    assert!(!of.claims() && of.severity.suggested.is_none() && of.near.is_empty(), "{of:?}");
    let zone = jiff::tz::TimeZone::UTC;
    assert!(rows(&of, &zone)[2].1.contains("no onset is seen"), "{:?}", rows(&of, &zone));
}

#[test]
fn a_model_that_fails_since_an_hour_is_found_with_the_mark_beside_it() {
    let world = steady(|n, ago| if ago <= 900 && n % 2 == 1 { n % 3 == 0 } else { n % 25 == 5 }, |_, _| ());
    let ctx = world.as_reviewer("ann");
    let now = ctx.clock.now();
    mark::deploy(&ctx, &"provider's new region".into(), None, Some(now - SignedDuration::from_mins(960)))
        .unwrap();
    mark::deploy(&ctx, &"of another".into(), Some("search".into()), Some(now - 15 * HOUR)).unwrap();
    opened(&ctx, "support");
    let of = assessed(&ctx, None);
    assert_eq!((of.onset.verdict, first(&of)), (OnsetVerdict::Onset, "model=m2".to_owned()));
    let off = of.onset.at.unwrap().duration_since(now - 15 * HOUR).as_secs().abs();
    assert!(off <= 3600, "{off} s off");
    let [change] = &of.near[..] else { panic!("{:?}", of.near) };
    assert_eq!((change.kind, change.name.raw()), (ChangeKind::Marked, "provider's new region"));
    // About a third of one half, less the usual 4 % of it.
    let excess = of.excess.unwrap();
    assert!(excess.interval.lower < 64.0 && 64.0 < excess.interval.upper, "{excess:?}");
}

#[test]
fn more_of_what_always_fails_is_told_from_failing_more() {
    // Card questions fail three times as often, and half a day ago there came many more of them.
    let card = |n: i64| if n < 6840 { n % 9 == 0 } else { n % 9 != 0 };
    let world = steady(
        |n, _| if card(n) { n % 5 == 0 || n % 7 == 0 } else { n % 11 == 5 },
        |n, trace| trace["tags"] = json!([if card(n) { "card" } else { "login" }]),
    );
    let ctx = world.as_reviewer("ann");
    opened(&ctx, "support");
    let of = assessed(&ctx, None);
    let mix = of.mix.clone().unwrap();
    assert_eq!(mix.dimension, "kind");
    assert!(mix.traffic_changed && (mix.rate + mix.mix - mix.total).abs() < 1e-9, "{mix:?}");
    let zone = jiff::tz::TimeZone::UTC;
    assert!(rows(&of, &zone)[3].1.contains("the traffic changed, not the model"));
}

#[test]
fn labels_of_a_sample_stand_for_all_requests_and_those_picked_by_hand_for_none() {
    use crate::domain::sample::Method;
    use crate::domain::{LabelBody, Verdict};
    use crate::ops::label::{LabelRequest, label};
    use crate::ops::sample::{DrawSpec, draw};
    use crate::task::Progress;

    let world = steady(|_, _| false, |_, _| ());
    let ctx = world.as_reviewer("ann");
    let spec = DrawSpec {
        name: "s".to_owned(),
        method: Method::Size(400),
        query: None,
        since: None,
        strata: Vec::new(),
        suspicious: false,
        seed: 2,
    };
    draw(&ctx, &spec, &Cancel::default(), &Progress::default()).unwrap();
    // Five days ago it went from one in ten to four in ten.
    let judge = |id: &Untrusted, sample: Option<&str>| {
        let n: i64 = id.raw()[2..].parse().unwrap();
        let bad = sample.is_none() || if n >= 3600 { n % 5 < 2 } else { n % 10 == 0 };
        let body = LabelBody::verdict(if bad { Verdict::Fail } else { Verdict::Pass });
        let request = LabelRequest { trace: id.clone(), sample: sample.map(str::to_owned), body };
        label(&ctx, &request).unwrap();
    };
    let drawn: Vec<Untrusted> =
        ctx.store.sample("s").unwrap().unwrap().members.iter().map(|member| member.trace.clone()).collect();
    drawn.iter().for_each(|id| judge(id, Some("s")));
    let by_hand = (0..40).map(|n| Untrusted::from(format!("t-{n}"))).filter(|id| !drawn.contains(id));
    by_hand.for_each(|id| judge(&id, None));
    opened(&ctx, "support");
    let of = assessed(&ctx, Some(Measure::Judged));
    let off = of.onset.at.unwrap().duration_since(ctx.clock.now() - 120 * HOUR).as_hours().abs();
    assert!(of.onset.verdict == OnsetVerdict::Onset && off <= 24, "{:?}", of.onset);
    let (rate, users) = (of.rate.clone().unwrap(), of.users.unwrap());
    assert!(rate.now_interval.lower < 0.4 && 0.4 < rate.now_interval.upper, "{rate:?}");
    assert!(rate.usual.is_some_and(|usual| usual < 0.2), "those picked by hand count for nothing: {rate:?}");
    assert_eq!(of.known + of.unknown, of.requests);
    assert!(of.known < 260 && of.requests > 3000);
    // What is known of some stands for all.
    let excess = of.excess.unwrap();
    assert!(excess.interval.lower < 1080.0 && 1080.0 < excess.interval.upper, "{excess:?}");
    assert!(users.hit <= users.at_most && users.total == 97);
    let zone = jiff::tz::TimeZone::UTC;
    assert!(rows(&of, &zone)[1].1.contains("(expected; at most"), "{:?}", rows(&of, &zone));
}

#[test]
fn planted_faults_are_found_and_quiet_traffic_stays_quiet() {
    // The bench looks at two hundred of each; these are enough to see that neither fails throughout.
    let seen: Vec<_> = (0..6).map(|seed| super::trial::planted(seed).unwrap()).collect();
    assert!(seen.iter().filter(|seen| seen.right_slice).count() >= 4, "{seen:?}");
    let claimed = (0..4).filter(|seed| super::trial::claims_of_quiet(*seed).unwrap()).count();
    assert!(claimed <= 1, "{claimed} of 4");
}
