//! The screen, driven by keys on a real store.

use serde_json::{Value, json};

use crate::domain::{CaseResult, LabelBody, RunHead, RunName, Verdict};
use crate::ops::Ctx;
use crate::ops::label::{self, LabelRequest};
use crate::ops::testing::{World, land};
use crate::tui::message::Message;
use crate::tui::screens::ScreenId;
use crate::tui::testing::Story;

const HOSTILE: &str = "\u{1b}]0;owned\u{7}\u{202e}evil\u{200b}";

fn head(ctx: &Ctx, name: &str, prompt: &str, cases: u64) -> RunHead {
    serde_json::from_value(json!({
        "name": name, "set": "support", "set_version": 14, "target": "candidate", "target_kind": "openai small",
        "prompt": prompt, "evaluators": [["advice", "1"], ["judge", "2"]], "cases": cases,
        "at": ctx.clock.now().to_string(), "by": "ann", "program": "1",
    }))
    .unwrap()
}

fn said(evaluator: &str, outcome: &str, explanation: &str, more: Value) -> Value {
    let mut said = json!({
        "evaluator": evaluator, "kind": evaluator, "version": "1", "outcome": outcome, "explanation": explanation,
    });
    said.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    said
}

/// The result of case `n`: with bad advice, or not, or no answer.
fn result(n: usize, what: &str, faster: f64) -> CaseResult {
    let good = "We take the fee back: your salary came the same day.";
    let bad = "Just transfer your balance to resolve the fee.";
    let mut result = json!({
        "case": format!("c-{n:03}"), "category": if n.is_multiple_of(3) { "multilingual" } else { "plain" },
        "input": format!("I was charged an overdraft fee, question {n}"),
        "expected": "The fee is waived under the same-day rule.", "trace": format!("t-{n}"),
        "attempts": 1, "at": "2026-03-10T12:00:00Z",
    });
    let more = match what {
        "error" => json!({"error": {"kind": "timeout", "what": format!("nothing in 60 s {HOSTILE}")}}),
        _ => {
            let text = if what == "good" { good } else { bad };
            let advice = if what == "good" {
                said("advice", "pass", "none of the forbidden words", json!({}))
            } else {
                said(
                    "advice",
                    "fail",
                    "says \"transfer your balance\"",
                    json!({"span": {"start": 5, "end": 26}}),
                )
            };
            // The judge lets every fifth bad answer through.
            let passes = what == "good" || n.is_multiple_of(5);
            let judge = said(
                "judge",
                if passes { "pass" } else { "fail" },
                if passes { "Right, with the next step." } else { "Ignores the same-day rule." },
                json!({"score": {"value": if passes { 9.0 } else { 4.0 }, "min": 1.0, "max": 10.0}, "by": "gpt-4o",
                       "criteria": {"accuracy": if passes { 9.0 } else { 3.0 }, "tone": 8.0 + (n % 2) as f64}}),
            );
            json!({
                "answer": {"output": text, "latency_ms": 1_000.0 + 37.0 * n as f64 - faster, "cost_usd": 0.0021 + n as f64 * 1e-5,
                           "model": "small"},
                "assessments": [advice, judge],
            })
        }
    };
    result.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(result).unwrap()
}

fn write(ctx: &Ctx, head: &RunHead, results: impl IntoIterator<Item = CaseResult>) {
    ctx.store.create_run(head).unwrap();
    land(ctx, &head.name, results);
}

/// Two runs of 24 cases: `v3` does well, `v4` gives the bad advice to six; written once.
pub fn two_runs(ctx: &Ctx) {
    if !ctx.store.runs().unwrap().is_empty() {
        return;
    }
    let of = |version: &str, bad: &dyn Fn(usize) -> &'static str, faster| {
        let head = head(ctx, &format!("support-{version}"), &format!("customer_support@{version}"), 24);
        write(ctx, &head, (1..=24).map(|n| result(n, bad(n), faster)));
    };
    of("v3", &|n| if n == 7 { "bad" } else { "good" }, 0.0);
    of(
        "v4",
        &|n| {
            if n == 9 {
                "error"
            } else if n % 4 == 0 || n == 5 || n == 7 {
                "bad"
            } else {
                "good"
            }
        },
        250.0,
    );
}

fn world() -> (World, Ctx) {
    let world = World::new();
    let ctx = world.as_reviewer("ann");
    two_runs(&ctx);
    (world, ctx)
}

#[test]
fn an_empty_list_says_the_next_step() {
    let world = World::new();
    let mut story = Story::new(world.as_reviewer("ann"), ScreenId::Review);
    story.press("g u");
    assert!(story.text().contains("tuesday eval run --set SET --target TARGET"), "{}", story.text());
    insta::assert_snapshot!("empty_80", story.snapshot());
}

#[test]
fn a_run_shows_its_failing_cases_first_and_what_decided() {
    let (_world, ctx) = world();
    let mut unfinished = head(&ctx, "support-cut", "customer_support@v5", 24);
    unfinished.max_usd = Some(0.01);
    write(&ctx, &unfinished, (1..=3).map(|n| result(n, "good", 0.0)));
    ctx.store.stop_run(&unfinished.name, Some("the spending limit of $0.01 is reached")).unwrap();
    let mut story = Story::new(ctx, ScreenId::Runs);
    assert!(story.text().contains("stopped with 21 left: the spending limit"), "{}", story.text());
    insta::assert_snapshot!("list_80", story.snapshot());
    insta::assert_snapshot!("list_200", story.snapshot_at(200, 50));
    story.resize(80, 24).press("/").type_text("v4").press("enter");
    assert!(story.row(1).contains("1 of 3 runs"), "{}", story.row(1));
    story.press("enter");
    assert!(story.row(4).contains("✗ fail"), "{}", story.text());
    insta::assert_snapshot!("run_80", story.snapshot());
    insta::assert_snapshot!("run_200", story.snapshot_at(200, 50));
    story.resize(80, 24).press("enter");
    insta::assert_snapshot!("case_80", story.snapshot());
    let first = story.row(1);
    story.press("l");
    assert_ne!(story.row(1), first);
    story.press("h /").type_text("waived").press("enter");
    story.press("esc /").type_text("timeout").press("enter esc");
    story.press("esc esc");
    assert!(story.row(1).contains("3 runs"), "{}", story.row(1));
}

#[test]
fn two_runs_are_compared_and_a_case_read_side_by_side() {
    let (_world, ctx) = world();
    let mut story = Story::new(ctx, ScreenId::Runs);
    story.press("j b");
    assert!(story.row(1).contains("baseline support-v3"), "{}", story.text());
    story.press("k enter");
    assert!(
        story.row(1).contains("support · v3 → v4 · 23 cases") && story.row(1).contains("HOLD"),
        "{}",
        story.text()
    );
    assert!(story.text().contains("newly failing 7"), "{}", story.text());
    insta::assert_snapshot!("compare_80", story.snapshot());
    insta::assert_snapshot!("compare_200", story.snapshot_at(200, 50));
    story.press("enter");
    insta::assert_snapshot!("pair_200", story.snapshot());
    story.resize(80, 24);
    insta::assert_snapshot!("pair_80", story.snapshot());
    story.press("l l esc /").type_text("was multilingual").press("enter esc esc");
    assert!(story.row(1).contains("2 runs"), "{}", story.row(1));
    // The baseline itself opens; backing out of the list takes the mark away.
    story.press("j enter");
    assert!(story.row(1).contains("support@v14"), "{}", story.text());
    story.press("esc esc");
    assert!(!story.row(1).contains("baseline"), "{}", story.row(1));
}

#[test]
fn the_judge_is_held_against_labels() {
    let (world, ctx) = world();
    world.add((1..=24).map(|n| {
        let text = if n % 4 == 0 || n == 5 || n == 7 {
            "Just transfer your balance to resolve the fee."
        } else {
            "We take the fee back: your salary came the same day."
        };
        serde_json::from_value(json!({"id": format!("t-{n}"), "input": "x", "output": text})).unwrap()
    }));
    let mut story = Story::new(ctx.clone(), ScreenId::Runs);
    story.press("T");
    assert!(story.text().contains("no answer of this run is labelled"), "{}", story.text());
    for n in 1..=12 {
        let bad = n % 4 == 0 || n == 5 || n == 7;
        let body = if bad { LabelBody::fail(None) } else { LabelBody::verdict(Verdict::Pass) };
        let note = (n == 5).then(|| HOSTILE.into());
        let body = LabelBody { note, ..body };
        label::label(&ctx, &LabelRequest { trace: format!("t-{n}").as_str().into(), sample: None, body })
            .unwrap();
    }
    story.send(Message::Changed(crate::ops::watch::Changes { traces: false, work: true }));
    assert!(story.text().contains("1 disagreement"), "{}", story.text());
    insta::assert_snapshot!("trust_80", story.snapshot());
    insta::assert_snapshot!("trust_200", story.snapshot_at(200, 50));
    story.press("enter");
    assert_eq!(story.model.active, ScreenId::Traces);
    story.press("esc");
    assert_eq!(story.model.active, ScreenId::Runs);
}

#[test]
fn results_appear_as_they_land() {
    let world = World::new();
    let ctx = world.as_reviewer("ann");
    let head = head(&ctx, "live", "customer_support@v4", 2);
    write(&ctx, &head, [result(1, "good", 0.0)]);
    let mut story = Story::new(ctx.clone(), ScreenId::Runs);
    assert!(story.text().contains("not finished: 1 left"), "{}", story.text());
    story.press("enter");
    assert!(!story.text().contains("c-004"), "{}", story.text());
    let name = RunName::parse("live").unwrap();
    land(&ctx, &name, [result(4, "bad", 0.0)]);
    story.send(Message::Changed(crate::ops::watch::Changes { traces: false, work: true }));
    assert!(story.row(4).contains("c-004"), "failing first: {}", story.text());
}

#[test]
fn hostile_words_stay_words() {
    let (_world, ctx) = world();
    let evil = |version: &str| {
        let mut one = result(1, "bad", 0.0);
        one.category = HOSTILE.into();
        one.expected = Some(HOSTILE.into());
        one.input = crate::domain::Content::Text(HOSTILE.into());
        for said in &mut one.assessments {
            said.explanation = HOSTILE.into();
            said.evaluator = format!("e{HOSTILE}");
            // A span that is not of this text, or cuts a letter, marks nothing.
            said.span = Some(3..9_999);
        }
        if let crate::domain::Answered::Answer(answer) = &mut one.answered {
            answer.output = crate::domain::Content::Text(format!("{version}{HOSTILE}\nü").as_str().into());
            answer.model = Some(HOSTILE.to_owned());
        }
        let mut head = head(&ctx, &format!("evil-{version}"), HOSTILE, 1);
        head.target = HOSTILE.to_owned();
        head.by = HOSTILE.to_owned();
        write(&ctx, &head, [one]);
        ctx.store.stop_run(&head.name, Some(HOSTILE)).unwrap();
    };
    evil("a");
    evil("b");
    let mut story = Story::new(ctx, ScreenId::Runs);
    for keys in ["k", "enter", "enter", "esc", "esc", "T", "esc", "j b k", "enter", "enter", "esc"] {
        story.press(keys);
        for size in [(80, 24), (200, 50), (41, 11), (3, 2)] {
            story.resize(size.0, size.1);
            let text = story.text();
            assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}', '\u{200b}']), "{text:?}");
        }
    }
}
