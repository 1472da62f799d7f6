//! The screen, driven by keys on a real store.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Answer, Request};
use crate::command::table::runs as rows;
use crate::domain::{CaseId, CaseResult, EvalConfig, LabelBody, RunHead, RunName, Verdict};
use crate::ops::Ctx;
use crate::ops::label::{self, LabelRequest};
use crate::ops::testing::{World, land};
use crate::task::ProgressView;
use crate::tui::effect::Effect;
use crate::tui::jobs::JobId;
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

/// The set `support` of so many cases, from traces that answered them; every third answer is bad.
pub fn support_set(ctx: &Ctx, cases: usize) {
    let set = crate::domain::SetName::parse("support").unwrap();
    if !ctx.store.eval_set(&set).unwrap().cases.is_empty() {
        return;
    }
    ctx.store
        .change_cases(&set, ctx.clock.now(), "ann", |tx| {
            for n in 0..cases {
                let body = json!({"input": format!("Question {n}?"), "expected": "A fee.", "category": "plain",
                    "trace": format!("t-{n}")});
                tx.put(&CaseId::parse(&format!("c-{n:03}"))?, &serde_json::from_value(body).unwrap())?;
            }
            Ok(())
        })
        .unwrap();
}

/// A store whose set `support` has twelve cases with recorded answers, and a configuration with two targets
/// and an evaluator.
fn to_run() -> (World, Story) {
    let world = World::with(12);
    let ctx = world.as_reviewer("ann");
    support_set(&ctx, 12);
    let mut story = Story::new(ctx, ScreenId::Runs);
    let file = world.path().with_file_name("tuesday.toml");
    std::fs::write(
        &file,
        "[targets.candidate]\nkind = 'openai'\nbase_url = 'http://127.0.0.1:9/v1'\nmodel = 'small'\n\
         api_key_env = 'NO_SUCH_KEY_IS_SET'\nprompt = 'support@v4'\n\
         [[evaluator]]\nname = 'fee'\nkind = 'contains'\nvalues = ['fee']\n",
    )
    .unwrap();
    std::fs::create_dir(world.path().with_file_name("prompts")).unwrap();
    let folder = world.path().with_file_name("prompts/support");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("v4.txt"), "Be kind.").unwrap();
    let home = file.parent().unwrap().to_owned();
    story.model.env.evaluation = Arc::new(EvalConfig { home, file: Some(file), ..EvalConfig::default() });
    (world, story)
}

/// The screen without the temporary folder's name in it.
fn masked(world: &World, screen: String) -> String {
    let folder = world.path().parent().unwrap().display().to_string();
    screen.replace(&folder, &"~".repeat(folder.len()))
}

fn progress(story: &mut Story, done: u64, note: &str) {
    let view = ProgressView {
        phase: "running",
        done,
        total: 12,
        per_second: 3.2,
        left: Some(std::time::Duration::from_secs(3)),
        note: note.to_owned(),
    };
    let begins = |id: &JobId| {
        matches!(story.model.jobs.request(*id), Some(crate::tui::work::Request::Runs(Request::Begin { .. })))
    };
    let jobs: Vec<_> = (0..99).map(JobId).filter(begins).map(|id| (id, view.clone())).collect();
    story.send(Message::Progress(jobs));
}

#[test]
fn the_form_says_what_is_wrong_with_a_target_and_what_another_costs() {
    let (world, mut story) = to_run();
    story.press("n");
    let text = story.text();
    assert!(text.contains("tuesday.toml:1:") && text.contains("NO_SUCH_KEY_IS_SET"), "{text}");
    // Enter begins nothing while that is wrong.
    story.press("enter");
    assert!(story.ctx.store.runs().unwrap().is_empty() && !story.model.overlays.is_empty());
    story.press("tab down");
    let text = story.text();
    assert!(text.contains("recorded outputs cost nothing") && text.contains("support-recorded-1"), "{text}");
    insta::assert_snapshot!("form_80", masked(&world, story.snapshot()));
    insta::assert_snapshot!("form_200", masked(&world, story.snapshot_at(200, 50)));
    story.resize(80, 24).press("tab").type_text("no name");
    assert!(story.text().contains("cannot be the name of a run"), "{}", story.text());
    story.press("ctrl-u tab").type_text("0");
    assert!(story.text().contains("0 is not a number from 1 to 1024"), "{}", story.text());
    story.press("ctrl-u tab").type_text("lots");
    assert!(story.text().contains("lots is no amount"), "{}", story.text());
    // What is pasted is worked out before anything begins, too.
    story.press("ctrl-u shift-tab shift-tab").send(Message::Paste("pasted".to_owned()));
    story.press("enter");
    assert!(story.text().contains("asks       12 cases"), "{}", story.text());
    assert!(story.ctx.store.runs().unwrap().is_empty());
    story.press("esc");
    assert!(story.model.overlays.is_empty());
}

#[test]
fn a_mistake_in_the_configuration_is_named_when_a_run_is_to_begin() {
    let (_world, mut story) = to_run();
    let file = story.model.env.evaluation.file.clone().unwrap();
    std::fs::write(&file, "[targets.x]\nkind = 'opnai'\n").unwrap();
    story.press("n");
    assert!(story.text().contains("tuesday.toml:2:8"), "{}", story.text());
    // Mended, it is read anew: nobody has to leave the program.
    std::fs::write(&file, "[[evaluator]]\nname = 'x'\nkind = 'regex'\npattern = '('\n").unwrap();
    story.press("esc n");
    let text = story.text().replace(['│', '\n', ' '], "");
    assert!(text.contains("tuesday.toml:1:evaluator`x`"), "{}", story.text());
}

#[test]
fn a_run_is_started_watched_and_compared() {
    let (_world, mut story) = to_run();
    story.press("n tab down");
    story.hold().press("enter");
    assert!(story.model.overlays.is_empty(), "{}", story.text());
    // Another cannot begin beside it.
    story.press("n");
    assert!(story.status().contains("one run at a time"), "{}", story.status());
    progress(&mut story, 0, "");
    story.release();
    assert!(
        story.status().contains("✓ support-recorded-1 is done: 100 % [75.8, 100.0] pass"),
        "{}",
        story.status()
    );
    assert!(story.text().contains("12 of 12"), "{}", story.text());
    assert!(!story.model.holds(rows::COMPARABLE));
    // The second run of the set is compared with the first by one key.
    story.press("n tab").type_text("x").press("tab enter");
    assert!(story.status().contains("✓ support-recorded-2"), "{}", story.status());
    story.press("c");
    assert!(story.text().contains("both pass 12"), "{}", story.text());
}

#[test]
fn a_run_that_goes_on_is_in_the_list_and_is_stopped_and_goes_on_by_a_key() {
    let (_world, mut story) = to_run();
    story.press("n tab down");
    story.hold().press("enter");
    // What has landed so far, as the worker writes it.
    let name = RunName::parse("support-recorded-1").unwrap();
    let mut head = head(&story.ctx, name.as_str(), "support@v4", 12);
    head.target = "recorded".to_owned();
    head.target_kind = "recorded".to_owned();
    head.prompt = None;
    write(&story.ctx, &head, (0..5).map(|n| result(n, if n == 3 { "bad" } else { "good" }, 0.0)));
    let view = crate::ops::run::list(&story.ctx).unwrap();
    story.model.screens.runs.answered(
        &Request::List,
        Ok(Answer::List(view)),
        &mut crate::tui::screen::Cx::new(&story.model.env.clone(), &mut Vec::new()),
    );
    progress(&mut story, 5, "80.0 % [37.6, 96.4] pass · $0.02");
    assert!(story.text().contains("▸ support-record"), "{}", story.text());
    insta::assert_snapshot!("going_80", story.snapshot());
    insta::assert_snapshot!("going_200", story.snapshot_at(200, 50));
    story.resize(80, 24);
    // Elsewhere the status line has it.
    story.press("g i");
    assert!(story.row(22).contains("running the eval set"), "{}", story.text());
    story.press("g u");
    // Leaving asks first.
    story.press("q");
    assert!(story.text().contains("Leaving stops it"), "{}", story.text());
    insta::assert_snapshot!("leaving_80", story.snapshot());
    story.press("n");
    assert!(!story.outside.contains(&Effect::Quit));
    story.press("x");
    assert!(story.text().contains("stopping"), "{}", story.text());
}

#[test]
fn a_stopped_run_keeps_what_it_has_and_goes_on() {
    let (_world, mut story) = to_run();
    story.press("n tab down");
    story.hold().press("enter x").release();
    assert!(story.status().contains("support-recorded-1: stopped with 12 left"), "{}", story.status());
    assert!(story.text().contains("It was stopped by hand"), "{}", story.text());
    story.press("r");
    let text = story.text();
    assert!(text.contains("Go on with support-recorded-1") && text.contains("12 cases"), "{text}");
    insta::assert_snapshot!("go_on_80", story.snapshot());
    story.press("enter");
    assert!(story.status().contains("✓ support-recorded-1 is done: 100 %"), "{}", story.status());
    assert_eq!(story.ctx.store.runs().unwrap().len(), 1);
    // Nothing is left to go on with.
    story.press("r");
    assert!(story.model.overlays.is_empty(), "{}", story.text());
}

#[test]
fn leaving_while_a_run_goes_on_waits_for_its_end() {
    let (_world, mut story) = to_run();
    story.press("n tab down");
    story.hold().press("enter q y");
    assert!(!story.outside.contains(&Effect::Quit), "the run has not stopped yet");
    story.release();
    assert!(story.outside.contains(&Effect::Quit));
    let runs = crate::ops::run::list(&story.ctx).unwrap();
    assert_eq!(runs[0].stopped.as_deref(), Some("It was stopped by hand."));
}

#[test]
fn a_set_is_run_from_evals() {
    let (_world, mut story) = to_run();
    story.press("g e r");
    assert!(
        story.text().contains("New run") && story.text().contains("support · version 1"),
        "{}",
        story.text()
    );
    story.press("tab down enter");
    assert_eq!(story.model.active, ScreenId::Runs);
    assert!(story.status().contains("✓ support-recorded-1"), "{}", story.status());
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
