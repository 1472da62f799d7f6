//! The quality monitor over what judges said of sampled traces.

use super::tests::{bot, healthy, looked, state};
use super::tests_told::told_by;
use super::*;
use crate::domain::monitor::{Monitors, State, Urgency};
use crate::domain::{Assessment, LabelBody, Method, Outcome, Untrusted, Verdict};
use crate::ops::Ctx;
use crate::ops::sample::{DrawSpec, SampleView, draw};
use crate::store::{Act, TraceScoreRow};
use crate::task::{Cancel, Progress};

pub fn drawn(ctx: &Ctx, size: u64) -> SampleView {
    let spec = DrawSpec {
        name: "week".into(),
        method: Method::Size(size),
        query: None,
        since: None,
        strata: Vec::new(),
        suspicious: false,
        seed: 1,
    };
    draw(ctx, &spec, &Cancel::default(), &Progress::default()).unwrap()
}

/// A judge's words on these members: `fails` is given the place of each.
pub fn judge(
    ctx: &Ctx,
    sample: &SampleView,
    places: std::ops::Range<usize>,
    model: &str,
    fails: impl Fn(usize) -> bool,
) {
    let rows: Vec<TraceScoreRow> = places
        .map(|at| TraceScoreRow {
            trace: sample.members[at].trace.clone(),
            decider: format!("asks {model}"),
            subject: [0; 32],
            at: ctx.clock.now(),
            word: Assessment {
                evaluator: "quality".into(),
                kind: "judge".into(),
                version: "v1".into(),
                outcome: if fails(at) { Outcome::Fail } else { Outcome::Pass },
                score: None,
                explanation: Untrusted::default(),
                span: None,
                criteria: std::collections::BTreeMap::new(),
                by: Some(model.into()),
                cost_usd: Some(0.001),
            },
        })
        .collect();
    ctx.store.keep_trace_scores(&rows).unwrap();
}

fn quality(list: &MonitorList) -> &MonitorView {
    list.monitors.iter().find(|one| one.id == "quality-drift").unwrap()
}

#[test]
fn what_judges_say_of_sampled_traces_moves_the_chart_and_a_label_overrules_it() {
    let world = bot(4, 30, healthy);
    let ctx = world.as_reviewer("ann");
    let sample = drawn(&ctx, 400);
    judge(&ctx, &sample, 0..60, "big", |_| false);
    let seen = looked(&world);
    assert_eq!(quality(&seen).state, State::NoData);
    assert!(quality(&seen).says.contains("60 of the 100"), "{}", quality(&seen).says);
    let third = |at: usize| at.is_multiple_of(3);
    judge(&ctx, &sample, 60..400, "big", third);
    let seen = looked(&world);
    assert_eq!(
        quality(&seen).state,
        State::Firing,
        "a third fails where a tenth may: {}",
        quality(&seen).says
    );
    for (at, member) in sample.members.iter().enumerate().filter(|(at, _)| third(*at)) {
        let act = Act { at: ctx.clock.now(), reviewer: "ann", trace: &member.trace, sample: None };
        let verdict = if at % 30 == 0 { Verdict::Fail } else { Verdict::Pass };
        ctx.store.set_label(act, |_| Ok(LabelBody::verdict(verdict))).unwrap();
    }
    let seen = looked(&world);
    assert_eq!(quality(&seen).state, State::Ok, "people say that they are well: {}", quality(&seen).says);
    let fails = ctx.store.judged(&["week"], (0, i64::MAX)).unwrap();
    let fails = fails.rows.iter().filter(|row| !row.verdicts.settled(&fails.judges, |_| true).unwrap().0);
    let query = crate::domain::Query::parse("judged:fail").unwrap();
    let count = crate::ops::browse::count(&ctx, &query, &Cancel::default()).unwrap();
    assert_eq!(count, fails.count() as u64, "the query finds what the figures count");
}

#[test]
fn judged_drift_fires_and_its_alert_names_the_traces() {
    let world = bot(4, 30, healthy);
    let ctx = world.as_reviewer("ann");
    let sample = drawn(&ctx, 600);
    judge(&ctx, &sample, 0..600, "big", |at| at % 4 == 0);
    let seen = pass(&ctx, &Monitors::default()).unwrap();
    let fired: Vec<&str> = seen.fired.iter().map(|one| one.rule.as_str()).collect();
    assert_eq!(fired, ["quality-drift"]);
    let evidence = &seen.fired[0].evidence;
    assert_eq!(evidence.traces.len(), 10);
    assert!(evidence.query.contains("judged:fail"), "{}", evidence.query);
}

#[test]
fn another_judge_pauses_the_rule_until_somebody_trusts_it() {
    let world = bot(4, 30, healthy);
    let ctx = world.as_reviewer("ann");
    let monitors = told_by(&["true"]);
    let sample = drawn(&ctx, 1_500);
    judge(&ctx, &sample, 0..300, "big", |at| at % 20 == 0);
    pass(&ctx, &monitors).unwrap();
    assert_eq!(state(&looked(&world), "quality-drift"), State::Ok);
    let refused = resume(&ctx, &monitors, "quality-drift", None, Trust::Target).unwrap_err();
    assert!(refused.what.contains("is not paused"), "{}", refused.what);
    // The small one fails a third: with the old words that would be an alarm.
    world.clock.advance_ms(60_000);
    judge(&ctx, &sample, 300..700, "small", |at| at % 3 == 0);
    let seen = pass(&ctx, &monitors).unwrap();
    assert_eq!(seen.fired.len(), 1, "{:#?}", seen.fired);
    let alert = &seen.fired[0];
    assert_eq!((alert.rule.as_str(), alert.severity), ("quality-drift", Urgency::Ticket));
    assert_eq!(group_words(&alert.group), "customer_support · judge changed");
    assert!(
        alert.evidence.summary.starts_with("paused: quality is judged by small, before by big"),
        "{}",
        alert.evidence.summary
    );
    assert_eq!(seen.messages, 1, "who is told of alerts is told of it");
    let list = looked(&world);
    assert_eq!(quality(&list).state, State::Paused);
    assert!(
        quality(&list).says.contains("`tuesday monitor resume quality-drift`"),
        "{}",
        quality(&list).says
    );
    assert_eq!((quality(&list).n, quality(&list).groups[0].count), (400, Some(134)));
    assert_eq!(pass(&ctx, &monitors).unwrap().fired.len(), 0, "it is said once");
    world.clock.advance_ms(60_000);
    Sender::new(&ctx, &monitors, &|_| None, &|_| {}).unwrap().send_now().unwrap();
    let few = resume(&ctx, &monitors, "quality-drift", None, Trust::Judged).unwrap_err();
    assert!(few.what.contains("is measured from 1,000 judged traces on; there are 400"), "{}", few.what);
    assert!(resume(&ctx, &monitors, "quality-drift", Some("other"), Trust::Target).is_err());
    judge(&ctx, &sample, 700..1_500, "small", |at| at % 3 == 0);
    let done = resume(&ctx, &monitors, "quality-drift", None, Trust::Judged).unwrap();
    let of = &done.groups[0];
    assert_eq!(
        (done.by.raw(), of.judges.as_slice(), of.judged, of.measured),
        ("ann", &["quality by small".to_owned()][..], 1_200, true)
    );
    assert!((of.baseline.unwrap() - 1.0 / 3.0).abs() < 0.01);
    let seen = pass(&ctx, &monitors).unwrap();
    assert_eq!((seen.resolved.len(), seen.fired.len(), seen.messages), (1, 0, 1));
    let list = looked(&world);
    assert_eq!(quality(&list).state, State::Ok, "a third is usual with it: {}", quality(&list).says);
    assert!((quality(&list).usual.unwrap() - 1.0 / 3.0).abs() < 0.01);
    let record = ctx.store.resumptions().unwrap();
    assert_eq!((record.len(), record[0].by.raw(), record[0].judged), (1, "ann", 1_200));
}

#[test]
fn resumed_with_its_target_the_new_judge_is_held_against_it() {
    let world = bot(4, 30, healthy);
    let ctx = world.as_reviewer("ann");
    let monitors = Monitors::default();
    let sample = drawn(&ctx, 1_500);
    judge(&ctx, &sample, 0..300, "big", |at| at % 20 == 0);
    pass(&ctx, &monitors).unwrap();
    world.clock.advance_ms(60_000);
    judge(&ctx, &sample, 300..700, "small", |at| at % 3 == 0);
    pass(&ctx, &monitors).unwrap();
    resume(&ctx, &monitors, "quality-drift", None, Trust::Target).unwrap();
    let seen = pass(&ctx, &monitors).unwrap();
    let fired: Vec<&str> = seen.fired.iter().map(|one| one.rule.as_str()).collect();
    assert_eq!((fired.as_slice(), seen.resolved.len()), (&["quality-drift"][..], 1));
    // The old one speaks again: that is a change too, and the alert stays out.
    world.clock.advance_ms(60_000);
    judge(&ctx, &sample, 0..300, "big", |_| false);
    assert_eq!(pass(&ctx, &monitors).unwrap().resolved.len(), 0);
    assert_eq!(state(&looked(&world), "quality-drift"), State::Paused);
    // A rule that is not pinned goes by what is said, whoever says it.
    let mut free = Monitors::default();
    free.rules.iter_mut().for_each(|rule| rule.pin_judge = false);
    let unpinned = list(&ctx, &free).unwrap();
    assert_ne!(state(&unpinned, "quality-drift"), State::Paused);
}
