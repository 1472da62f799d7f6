//! Comparisons of runs written by hand into a real store.

use std::collections::BTreeMap;

use super::metric::ACCURACY;
use super::trust::Confusion;
use super::*;
use crate::domain::{
    Answer, AskError, AskErrorKind, Assessment, Content, ExpectedKind, LabelBody, RunHead, Score, Verdict,
};
use crate::ops::testing::{World, trace as plain_trace};
use crate::store::{Act, RunWrite};

/// What a case of a hand-made run came to.
#[derive(Clone)]
struct Made {
    outcome: Outcome,
    answer: String,
    latency_ms: f64,
    cost_usd: f64,
    helpfulness: f64,
}

impl Made {
    fn of(outcome: Outcome) -> Self {
        let answer = "It was a fee.".to_owned();
        Self { outcome, answer, latency_ms: 1210.0, cost_usd: 0.02, helpfulness: 8.0 }
    }
}

fn assessment(made: &Made) -> Assessment {
    Assessment {
        evaluator: "judge".into(),
        kind: "judge".into(),
        version: "0123456789ab".into(),
        outcome: made.outcome,
        score: Some(Score { value: made.helpfulness, min: 1.0, max: 10.0 }),
        explanation: "it does not ask for confirmation".into(),
        span: None,
        criteria: BTreeMap::from([("helpfulness".to_owned(), made.helpfulness)]),
        by: Some("a model".into()),
        cost_usd: None,
    }
}

fn result(n: usize, made: &Made, world: &World) -> CaseResult {
    let answer = Answer {
        output: Content::Text(made.answer.as_str().into()),
        latency_ms: made.latency_ms,
        cost_usd: Some(made.cost_usd),
        ..Answer::default()
    };
    CaseResult {
        case: CaseId::parse(&format!("c-{n:03}")).unwrap(),
        category: if n.is_multiple_of(2) { "plain" } else { "multilingual" }.into(),
        input: Content::Text(format!("Why was I charged {n}?").as_str().into()),
        expected: Some("asks for confirmation first".into()),
        expected_kind: ExpectedKind::Behaviour,
        trace: Some(format!("t-{n}").into()),
        answered: match made.outcome {
            Outcome::Error => Answered::Error(AskError {
                kind: AskErrorKind::Timeout,
                what: "no answer in 60 s".into(),
                retry_after: None,
            }),
            _ => Answered::Answer(answer),
        },
        assessments: if made.outcome == Outcome::Error { vec![] } else { vec![assessment(made)] },
        cached: false,
        attempts: 1,
        at: world.clock.now(),
    }
}

fn head(world: &World, name: &str, cases: usize) -> RunHead {
    RunHead {
        name: RunName::parse(name).unwrap(),
        set: "support".into(),
        set_version: 1,
        target: "candidate".into(),
        target_kind: "openai small".into(),
        prompt: Some(if name == "old" { "support@v4" } else { "support@v5" }.into()),
        prompt_hash: None,
        evaluators: vec![],
        cases: cases as u64,
        max_usd: None,
        at: world.clock.now(),
        by: "ann".into(),
        program: "1".into(),
    }
}

fn write(world: &World, name: &str, results: Vec<CaseResult>) -> RunName {
    let store = world.as_reviewer("ann").store;
    let head = head(world, name, results.len());
    store.create_run(&head).unwrap();
    let writes: Vec<RunWrite> =
        results.into_iter().map(|result| RunWrite::Landed(Box::new(result))).collect();
    store.write_run(&head.name, &writes).unwrap();
    head.name
}

fn made(world: &World, name: &str, all: &[Made]) -> RunName {
    write(world, name, all.iter().enumerate().map(|(n, made)| result(n, made, world)).collect())
}

/// `n` cases, of which these fail.
fn cases(n: usize, fail: impl Fn(usize) -> bool) -> Vec<Made> {
    (0..n).map(|n| Made::of(if fail(n) { Outcome::Fail } else { Outcome::Pass })).collect()
}

fn compared_by(thresholds: Thresholds, old: &[Made], new: &[Made]) -> CompareView {
    let world = World::new();
    let (baseline, candidate) = (made(&world, "old", old), made(&world, "new", new));
    compare(&world.as_reviewer("ann"), &CompareSpec { baseline, candidate, thresholds }).unwrap()
}

fn compared(old: &[Made], new: &[Made]) -> CompareView {
    compared_by(Thresholds::default(), old, new)
}

/// The story of the screens: 180 cases, better and slower and dearer.
fn story() -> CompareView {
    let mut old = cases(180, |n| n < 14);
    let mut new = cases(180, |n| (9..18).contains(&n));
    for (n, one) in old.iter_mut().enumerate() {
        one.latency_ms = 1000.0 + 3.0 * n as f64;
        one.helpfulness = [7.0, 8.0, 9.0, 8.0][n % 4];
    }
    for (n, one) in new.iter_mut().enumerate() {
        one.latency_ms = 1600.0 + 3.5 * n as f64;
        one.cost_usd = 0.04 + 0.0001 * (n % 7) as f64;
        one.helpfulness = [9.0, 9.0, 9.0, 8.0][n % 4];
        one.answer = "We can waive it.\nShall I go on?".into();
    }
    compared(&old, &new)
}

#[test]
fn a_better_and_dearer_candidate_is_held_for_its_cost() {
    let view = story();
    assert_eq!(view.decision, Decision::Hold, "{}", view.reason);
    assert_eq!(view.decision.exit_code(), 1);
    assert_eq!((view.regressed.len(), view.fixed.len(), view.both_fail.len()), (4, 9, 5));
    let accuracy = &view.metrics[0];
    assert_eq!((accuracy.name.as_str(), accuracy.test), (ACCURACY, "exact McNemar"));
    assert!((accuracy.current.unwrap() - 166.0 / 180.0).abs() < 1e-12);
    assert!((accuracy.change.unwrap() - 5.0 / 180.0).abs() < 1e-12);
    // The exact test of 4 against 9 of 13: 2·P(K ≥ 9).
    assert!((accuracy.p_value.unwrap() - 0.266_845_703_125).abs() < 1e-9);
    assert_eq!(accuracy.mark, Mark::Unclear);
    assert!(accuracy.enough_cases.unwrap() > 180);
    let cost = view.metrics.iter().find(|metric| metric.name == metric::COST).unwrap();
    assert!((cost.relative.unwrap() - 1.015).abs() < 0.01 && cost.mark == Mark::Worse);
    assert!(view.metrics.iter().any(|metric| metric.name == "helpfulness" && metric.mark == Mark::Better));
    insta::assert_snapshot!("text", text(&view));
    insta::assert_snapshot!("markdown", markdown(&view).unwrap());
    assert!(text(&view).lines().all(|line| crate::text::width(line) <= 80));
}

#[test]
fn what_is_as_good_ships_and_what_is_worse_is_held() {
    let old = cases(200, |n| n < 10);
    assert_eq!(compared(&old, &old).decision, Decision::Ship);
    let better = cases(200, |n| n < 2);
    let view = compared(&old, &better);
    assert_eq!((view.decision, view.decision.exit_code()), (Decision::Ship, 0), "{}", view.reason);
    let worse = cases(200, |n| n < 40);
    let view = compared(&old, &worse);
    assert_eq!(view.decision, Decision::Hold);
    assert!(view.reason.contains("80.0 % is below 90"), "{}", view.reason);
    assert!(view.reason.contains("falls by 15.0 points"), "{}", view.reason);
    assert_eq!(view.lines[0].became, Became::Regressed);
    assert_eq!(view.metrics[0].mark, Mark::Worse);
}

#[test]
fn few_cases_decide_only_without_doubt() {
    let view = compared(&cases(8, |_| false), &cases(8, |n| n == 0));
    assert_eq!((view.decision, view.decision.exit_code()), (Decision::NotEnoughData, 2));
    assert!(view.enough_cases.unwrap() >= 20, "{}", view.reason);
    let lost = compared(&cases(8, |_| false), &cases(8, |_| true));
    assert_eq!(lost.decision, Decision::Hold, "{}", lost.reason);
    // Fifty cases without a difference cannot rule out a loss of five points.
    let view = compared(&cases(50, |_| false), &cases(50, |_| false));
    assert_eq!(view.decision, Decision::NotEnoughData);
    let enough = usize::try_from(view.enough_cases.unwrap()).unwrap();
    assert_eq!(compared(&cases(enough, |_| false), &cases(enough, |_| false)).decision, Decision::Ship);
    assert_eq!(
        compared(&cases(enough - 1, |_| false), &cases(enough - 1, |_| false)).decision,
        Decision::NotEnoughData
    );
    // Proof takes more than the point: 92 % of 200 is above 90 %, and not beyond doubt.
    let all = cases(200, |n| n < 16);
    assert_eq!(compared(&all, &all).decision, Decision::Ship);
    let thresholds = Thresholds { need: Need::Proven, ..Thresholds::default() };
    let view = compared_by(thresholds, &all, &all);
    assert_eq!(view.decision, Decision::NotEnoughData);
    assert!(view.reason.contains("not proven"), "{}", view.reason);
}

#[test]
fn errors_are_counted_apart_and_too_many_hold() {
    let old = cases(200, |_| false);
    let mut new = old.clone();
    new[3].outcome = Outcome::Error;
    let view = compared(&old, &new);
    assert_eq!((view.cases, view.candidate.errors, view.no_word.len()), (199, 1, 1));
    assert_eq!((view.metrics[0].new, view.decision), (Some(1.0), Decision::Ship));
    new.iter_mut().take(30).for_each(|one| one.outcome = Outcome::Error);
    let view = compared(&old, &new);
    assert_eq!(view.decision, Decision::Hold);
    assert!(view.reason.contains("30 of 200 cases without a word"), "{}", view.reason);
}

#[test]
fn cases_that_cannot_be_paired_are_named() {
    let world = World::new();
    let all: Vec<CaseResult> =
        cases(60, |_| false).iter().enumerate().map(|(n, made)| result(n, made, &world)).collect();
    let mut new = all[1..].to_vec();
    new[0].expected = Some("something else".into());
    let baseline = write(&world, "old", all[..59].to_vec());
    let candidate = write(&world, "new", new);
    let ctx = world.as_reviewer("ann");
    let spec = CompareSpec { baseline, candidate, thresholds: Thresholds::default() };
    let view = compare(&ctx, &spec).unwrap();
    let ids = |ids: &[CaseId]| ids.iter().map(|id| id.as_str().to_owned()).collect::<Vec<_>>();
    assert_eq!(ids(&view.left_out.only_baseline), ["c-000"]);
    assert_eq!(ids(&view.left_out.only_candidate), ["c-059"]);
    assert_eq!(ids(&view.left_out.changed), ["c-001"]);
    assert_eq!(view.cases, 57);
    assert!(text(&view).contains("changed in between: c-001"));
    let none = CompareSpec { candidate: RunName::parse("none").unwrap(), ..spec };
    assert_eq!(compare(&ctx, &none).unwrap_err().what, "There is no run none.");
}

#[test]
fn an_unfinished_run_does_not_ship() {
    let world = World::new();
    let store = world.as_reviewer("ann").store;
    let baseline = made(&world, "old", &cases(200, |_| false));
    let head = head(&world, "new", 200);
    store.create_run(&head).unwrap();
    let some = cases(150, |_| false);
    let landed = some.iter().enumerate().map(|(n, made)| RunWrite::Landed(Box::new(result(n, made, &world))));
    store.write_run(&head.name, &landed.collect::<Vec<_>>()).unwrap();
    let spec = CompareSpec { baseline, candidate: head.name, thresholds: Thresholds::default() };
    let view = compare(&world.as_reviewer("ann"), &spec).unwrap();
    assert_eq!(view.decision, Decision::NotEnoughData);
    assert!(view.reason.contains("150 of its 200 cases"), "{}", view.reason);
}

#[test]
fn hostile_answers_stay_text() {
    let mut old = cases(100, |_| false);
    let mut new = cases(100, |n| n == 7);
    let hostile = "</pre><script>alert(1)</script>]]>&\u{1b}[31m\u{202e}`|@all\n# x\u{0}\u{ffff}";
    old[7].answer = hostile.into();
    new[7].answer = format!("{hostile} and more");
    let world = World::new();
    let mut results: Vec<CaseResult> =
        new.iter().enumerate().map(|(n, made)| result(n, made, &world)).collect();
    results[7].assessments[0].explanation = hostile.into();
    results[7].category = hostile.into();
    let baseline = made(&world, "old", &old);
    let candidate = write(&world, "new", results);
    let ctx = world.as_reviewer("ann");
    let spec = CompareSpec { baseline, candidate, thresholds: Thresholds::default() };
    let view = compare(&ctx, &spec).unwrap();
    let (html, junit, md) = (html(&view).unwrap(), junit(&view).unwrap(), markdown(&view).unwrap());
    for form in [&html, &junit, &md, &text(&view)] {
        assert!(!form.contains(['\u{1b}', '\u{202e}', '\u{0}', '\u{ffff}']), "{}", form.escape_debug());
    }
    assert!(!html.contains("<script") && html.contains("&lt;script&gt;"));
    assert!(html.contains("prefers-color-scheme: dark") && html.contains("and more"));
    let row = md.lines().find(|line| line.contains("script")).unwrap();
    assert!(row.matches('`').count().is_multiple_of(2) && row.contains("\\|@all"), "{row}");
    well_formed(&junit);
    well_formed(html.strip_prefix("<!DOCTYPE html>").unwrap());
    assert_eq!(junit.matches("<failure ").count(), 1);
}

/// Every element is closed in order, and what is between them has no bare `<` or `&`.
fn well_formed(xml: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = xml.trim();
    while let Some(at) = rest.find('<') {
        let (text, tag) = rest.split_at(at);
        let style = open.last() == Some(&"style");
        assert!(style || text.split('&').skip(1).all(|t| t[..t.len().min(8)].contains(';')), "{text}");
        let end = tag.find('>').unwrap_or_else(|| panic!("not closed: {tag}"));
        let inside = &tag[1..end];
        let name = inside.split([' ', '/', '\n']).find(|part| !part.is_empty()).unwrap();
        if let Some(closed) = inside.strip_prefix('/') {
            assert_eq!(open.pop(), Some(closed));
        } else if !inside.ends_with('/') && !inside.starts_with('?') && name != "meta" {
            open.push(name);
        }
        assert!(inside.matches('"').count().is_multiple_of(2), "{inside}");
        rest = &tag[end + 1..];
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn a_junit_file_tells_what_became_of_each_case() {
    let view = compared(&cases(60, |n| n < 3), &cases(60, |n| n == 0 || (10..15).contains(&n)));
    let junit = junit(&view).unwrap();
    well_formed(&junit);
    assert_eq!(junit.matches("<failure ").count(), view.regressed.len());
    assert_eq!(junit.matches("<skipped ").count(), 1);
    assert_eq!(junit.matches("<testcase ").count(), 60);
    assert!(junit.contains("tests=\"60\" failures=\"5\" errors=\"0\" skipped=\"1\""), "{junit}");
}

#[test]
fn the_json_has_the_fields_of_the_contract() {
    let json = serde_json::to_value(story()).unwrap();
    assert_eq!(json["decision"], "hold");
    assert_eq!(json["regressed"].as_array().unwrap().len(), 4);
    assert_eq!(json["fixed"].as_array().unwrap().len(), 9);
    for metric in json["metrics"].as_array().unwrap() {
        for field in ["name", "current", "new", "change", "p_value"] {
            assert!(!metric[field].is_null(), "{field} of {metric}");
        }
        assert_eq!(metric["interval"].as_array().unwrap().len(), 2);
    }
}

#[test]
fn one_case_stands_side_by_side() {
    let world = World::new();
    let old = made(&world, "old", &cases(3, |_| false));
    let mut changed = cases(3, |n| n == 1);
    changed[1].answer = "We can waive it.".into();
    let new = made(&world, "new", &changed);
    let ctx = world.as_reviewer("ann");
    let view = case(&ctx, &old, &new, &CaseId::parse("c-001").unwrap()).unwrap();
    assert_eq!(view.became, Became::Regressed);
    assert_eq!((view.baseline.raw(), view.candidate.raw()), ("It was a fee.", "We can waive it."));
    let [word] = &view.evaluators[..] else { panic!("{:?}", view.evaluators) };
    assert_eq!(word.candidate.as_ref().unwrap().outcome, Outcome::Fail);
    assert!(case(&ctx, &old, &new, &CaseId::parse("c-009").unwrap()).is_err());
}

/// Judges 100 traces of which 40 are labelled passes and 30 failures.
fn judged(world: &World, labels: [usize; 2]) -> TrustView {
    let mut all = cases(100, |n| (36..70).contains(&n) && n % 10 != 0);
    all[99].answer = "Another answer.".into();
    let run = made(world, "recorded", &all);
    world.add((0..100).map(|n| plain_trace(&format!("t-{n}"))));
    let ctx = world.as_reviewer("ann");
    let label = |n: usize, verdict: Verdict| {
        let trace = format!("t-{n}").into();
        let act = Act { at: world.clock.now(), reviewer: "ann", trace: &trace, sample: None };
        ctx.store.set_label(act, |_| Ok(LabelBody::verdict(verdict))).unwrap();
    };
    (0..labels[0]).for_each(|n| label(n, Verdict::Pass));
    (40..40 + labels[1]).for_each(|n| label(n, Verdict::Fail));
    label(80, Verdict::Unsure);
    label(99, Verdict::Pass);
    trust(&ctx, &run).unwrap()
}

#[test]
fn a_judge_is_held_against_the_labels_of_what_it_saw() {
    let view = judged(&World::new(), [40, 30]);
    let [judge] = &view.judges[..] else { panic!() };
    let wanted =
        Confusion { pass_pass: 36, judge_pass_label_fail: 3, judge_fail_label_pass: 4, fail_fail: 27 };
    assert_eq!(judge.confusion, wanted);
    assert_eq!((judge.labelled, judge.undecided, judge.other_output), (70, 1, 1));
    assert_eq!(judge.agreement, Some(63.0 / 70.0));
    // (0.9 − 0.5061) / (1 − 0.5061): by chance (39·40 + 31·30) / 70².
    let chance = (39.0 * 40.0 + 31.0 * 30.0) / 4900.0;
    assert!((judge.kappa.unwrap() - (0.9 - chance) / (1.0 - chance)).abs() < 1e-12);
    let kappa = judge.kappa_interval.unwrap();
    assert!(kappa.lower < judge.kappa.unwrap() && judge.kappa.unwrap() < kappa.upper);
    assert_eq!((judge.true_positive.share, judge.true_negative.share), (Some(0.9), Some(0.9)));
    // It reports 69 of 100: (0.69 + 0.9 − 1) / (0.9 + 0.9 − 1).
    let corrected = judge.corrected.unwrap();
    assert!((corrected.rate - (judge.reported.share.unwrap() - 0.1) / 0.8).abs() < 1e-12);
    assert!(corrected.interval.lower < corrected.rate && corrected.rate < corrected.interval.upper);
    assert_eq!(judge.disagreements.len(), 7);
    assert_eq!(judge.disagreements[0].case.as_ref().unwrap().as_str(), "c-036");
}

#[test]
fn with_few_labels_the_pass_rate_is_left_as_it_is() {
    let view = judged(&World::new(), [12, 3]);
    let judge = &view.judges[0];
    assert_eq!((judge.corrected, judge.missing_labels), (None, [8, 17]));
    assert!(judge.words.contains("8 more of passes and 17 more of failures: 20 of each"), "{}", judge.words);
}
