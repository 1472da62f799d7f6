//! What a person sees of a run.

use serde_json::json;

use super::*;
use crate::domain::RunHead;
use crate::ops::testing::{World, land};

fn result(case: &str, rest: serde_json::Value) -> CaseResult {
    let mut all = json!({
        "case": case, "category": "plain", "input": "Why was I charged twice for the same overdraft?",
        "attempts": 1, "at": "2026-03-10T12:00:01Z",
    });
    all.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    serde_json::from_value(all).unwrap()
}

fn said(evaluator: &str, outcome: &str, score: f64, explanation: &str) -> serde_json::Value {
    json!({"evaluator": evaluator, "kind": "judge", "version": "0", "outcome": outcome,
           "score": {"value": score, "min": 1.0, "max": 10.0}, "explanation": explanation})
}

fn view() -> RunShowView {
    let head: RunHead = serde_json::from_value(json!({
        "name": "support-candidate-1", "set": "support", "set_version": 12, "target": "candidate",
        "target_kind": "openai small", "prompt": "customer_support@v4", "evaluators": [], "cases": 4,
        "at": "2026-03-10T12:00:00Z", "by": "ann", "program": "0"
    }))
    .unwrap();
    let results = vec![
        result(
            "c-1",
            json!({
                "category": "multilingual \u{1b}[2J kind", "expected": "Asks for confirmation first",
                "answer": {"output": "I \u{202e}have refunded\nit.", "latency_ms": 812.5, "cost_usd": 0.004},
                "assessments": [
                    said("tone", "pass", 9.0, "polite"),
                    said("accuracy", "fail", 2.0, "It refunds without asking, although the case says that \
                         it should ask for confirmation first; \u{1b}]0;owned\u{7} and it invents a date."),
                ],
            }),
        ),
        result("c-2", json!({"error": {"kind": "timeout", "what": "No answer in 60 s."}})),
        result(
            "c-3",
            json!({
                "answer": {"output": "It was a fee.", "latency_ms": 95.0, "cost_usd": 0.002}, "cached": true,
                "assessments": [said("tone", "pass", 8.0, "polite"), said("accuracy", "pass", 9.0, "right")],
            }),
        ),
    ];
    let world = World::new();
    let ctx = world.as_reviewer("ann");
    ctx.store.create_run(&head).unwrap();
    land(&ctx, &head.name, results);
    let why = "The spending limit of $0.01: $0.008 may be paid already.";
    ctx.store.stop_run(&head.name, Some(why)).unwrap();
    show(&ctx, &head.name).unwrap()
}

#[test]
fn a_run_fits_eighty_columns() {
    let text = shown(&view(), true);
    assert!(text.lines().all(|line| crate::text::width(line) <= WIDE), "{text}");
    assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}']));
    insta::assert_snapshot!(text);
    assert!(!shown(&view(), false).contains("c-3"));
}
