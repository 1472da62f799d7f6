//! The screen driven by keys on a real store.

use serde_json::json;

use crate::domain::{Method, Trace, Untrusted, Verdict};
use crate::ops::Ctx;
use crate::ops::label::{LabelFilter, LabelView, VerdictRequest, each_label, verdict};
use crate::ops::sample::{DrawSpec, draw};
use crate::ops::testing::{World, of_json};
use crate::ops::watch::Changes;
use crate::task::{Cancel, Progress};
use crate::tui::message::{Message, Mouse};
use crate::tui::screens::ScreenId;
use crate::tui::screens::review::Of;
use crate::tui::testing::Story;
use crate::tui::theme::Theme;

/// Traces of a support bot, one of them the story of the overdraft fee.
fn traces(count: usize) -> Vec<Trace> {
    let mut all = vec![json!({
        "id": "fee", "time": "2026-03-10T09:31:00Z", "session": "s-1", "user": "u-17",
        "feature": "customer_support", "model": "gpt-4o", "prompt": "customer_support", "prompt_version": "v4",
        "latency_ms": 1800, "cost_usd": 0.0031, "tokens_in": 412, "tokens_out": 58,
        "score": {"accuracy": 4, "tone": 8, "helpfulness": 3},
        "feedback": [{"kind": "thumbs", "value": "down", "comment": "that does not help me"}],
        "input": [
            {"role": "system", "content": "You are the support assistant of a bank. Waive fees of the same day."},
            {"role": "user", "content": "I was charged a €35 overdraft fee but my salary arrived the same day. Can you take it back?"},
            {"role": "assistant", "content": null, "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "get_account", "arguments": "{\"user_id\":\"u-17\"}"}}]},
            {"role": "tool", "tool_call_id": "c1", "content": "{\"balance\": -12.5, \"fees\": [{\"kind\": \"overdraft\", \"amount\": 35}], \"salary_day\": 9}"},
        ],
        "output": "I understand, that is annoying! You can just transfer your balance from savings to resolve the overdraft fee.\n\n1. Open **Transfers**\n2. Choose your savings account",
        "spans": [{"name": "policies", "kind": "retrieval", "input": "overdraft policy", "output": ["Fees are waived …", "Overdrafts …", "Savings …"], "duration_ms": 42}],
        "metadata": {"channel": "app", "region": "eu"},
    })];
    for n in 1..count {
        all.push(json!({
            "id": format!("t-{n}"), "time": format!("2026-03-10T08:{:02}:00Z", n % 60),
            "feature": "customer_support", "model": "gpt-4o-mini", "prompt": "customer_support", "prompt_version": "v3",
            "latency_ms": 700 + n, "cost_usd": 0.002,
            "input": format!("Where is card number {n}? It was sent two weeks ago."),
            "output": format!("Card {n} was sent on Monday and should arrive within 3 days."),
        }));
    }
    of_json(all)
}

fn spec(name: &str, size: u64) -> DrawSpec {
    DrawSpec {
        name: name.to_owned(),
        method: Method::Size(size),
        query: None,
        since: None,
        strata: Vec::new(),
        suspicious: false,
        seed: 0,
    }
}

fn world(count: usize) -> (World, Ctx) {
    let world = World::new();
    world.add(traces(count));
    let ann = world.as_reviewer("ann");
    draw(&ann, &spec("week-47", count as u64), &Cancel::default(), &Progress::default()).unwrap();
    (world, ann)
}

fn review(ctx: &Ctx) -> Story {
    let mut story = Story::unstarted(ctx.clone(), ScreenId::Review, Theme::default());
    story.model.screens.review.open_at_start(Of::Sample("week-47".to_owned()));
    story.send(Message::Started);
    story
}

/// A queue that shows the story of the overdraft fee.
fn at_fee(ctx: &Ctx) -> Story {
    let mut story = review(ctx);
    for _ in 0..100 {
        story.press("h");
    }
    for _ in 0..200 {
        if story.text().contains("overdraft fee but") {
            return story;
        }
        story.press("l");
    }
    panic!("the story is in no item");
}

fn labels(ctx: &Ctx) -> Vec<LabelView> {
    let mut all = Vec::new();
    each_label(ctx, &LabelFilter::default(), |label| all.push(label)).unwrap();
    all
}

const WORK: Changes = Changes { traces: false, work: true };

#[test]
fn a_hundred_verdicts_take_one_key_a_pass_and_two_a_failure() {
    let (_world, ann) = world(100);
    let mut story = review(&ann);
    for n in 0..100 {
        ann.clock.advance_ms(9_000);
        match n % 4 {
            3 => story.press("f 1"),
            _ => story.press("p"),
        };
    }
    assert_eq!(story.keys, 75 + 2 * 25);
    let labels = labels(&ann);
    assert_eq!(labels.iter().filter(|l| l.verdict == Some(Verdict::Pass)).count(), 75);
    let failed = labels.iter().filter(|l| l.verdict == Some(Verdict::Fail));
    assert!(
        failed.clone().all(|l| l.mode.as_ref().is_some_and(|mode| mode.as_str() == "hallucinated_facts"))
    );
    assert_eq!(failed.count(), 25);
    assert!(story.text().contains("All 100 are reviewed."), "{}", story.text());
}

#[test]
fn the_next_response_is_there_before_the_verdict_is_saved() {
    let (_world, ann) = world(5);
    let mut story = review(&ann);
    let first = story.row(3);
    story.hold().press("p");
    assert!(!story.text().contains("loading"), "{}", story.text());
    assert_ne!(story.row(3), first);
    assert!(story.row(1).contains("1 of 5"), "{}", story.row(1));
    assert_eq!(story.status(), "", "it is not said to be saved yet");
    assert_eq!(labels(&ann).len(), 0);
    story.release();
    assert_eq!(story.status(), "✓ 1 pass · u undo");
    assert_eq!(labels(&ann).len(), 1);
}

#[test]
fn quick_keys_are_all_saved_in_their_order() {
    let (_world, ann) = world(6);
    let mut story = review(&ann);
    story.hold().press("p f 2 x u s");
    story.release();
    assert_eq!(labels(&ann).len(), 2, "unsure was taken back");
    assert!(story.row(1).contains("2 of 6"), "{}", story.row(1));
    assert!(story.row(1).contains("↺1"), "{}", story.row(1));
}

#[test]
fn undo_goes_back_any_number_of_steps_and_says_what_it_took_back() {
    let (world, ann) = world(5);
    let mut story = review(&ann);
    story.press("p f 2 x");
    assert!(story.row(3).starts_with(" 4 "), "{}", story.row(3));
    // Another day, another program.
    let mut story = review(&world.as_reviewer("ann"));
    assert!(story.row(3).starts_with(" 4 "), "it goes on where it was: {}", story.row(3));
    story.press("u");
    assert_eq!(story.status(), "↺ 3 took back unsure · now no label");
    assert!(story.row(3).starts_with(" 3 "), "{}", story.row(3));
    story.press("u");
    assert!(story.status().contains("took back fail: wrong tone"), "{}", story.status());
    story.press("u u");
    assert!(story.status().contains("nothing to undo"), "{}", story.status());
    assert_eq!(labels(&ann).len(), 0);
}

#[test]
fn a_failure_waits_for_its_mode() {
    let (_world, ann) = world(5);
    let mut story = review(&ann);
    story.press("f");
    assert!(story.row(23).contains("which failure?"), "{}", story.row(23));
    story.press("q");
    assert!(story.status().contains("no failure mode has the key q"), "{}", story.status());
    story.press("esc p");
    assert_eq!(labels(&ann)[0].verdict, Some(Verdict::Pass));
    story.press("f enter");
    assert_eq!(labels(&ann)[1].mode, None);
    story.press("f ctrl-d p");
    assert_eq!(labels(&ann)[2].verdict, Some(Verdict::Pass), "a key that is no letter is no mode");
}

#[test]
fn a_note_becomes_a_failure_mode() {
    let (_world, ann) = world(5);
    let mut story = review(&ann);
    story.press("n").type_text("Tells people to move money to hide a fee.").press("ctrl-s");
    assert!(story.row(1).contains("0 of 5"), "a note is no verdict: {}", story.row(1));
    assert!(story.row(20).contains("Tells people"), "{}", story.row(20));
    story.press("N").type_text("forbidden advice").press("enter");
    assert!(story.status().starts_with("✗ 1 fail: forbidden advice"), "{}", story.status());
    assert!(
        story.row(21).contains("6 forbidden advice") || story.row(21).contains("6 forb"),
        "{}",
        story.row(21)
    );
    story.press("f 6");
    let modes: Vec<_> = labels(&ann).into_iter().filter_map(|l| l.mode).collect();
    assert_eq!(modes.len(), 2);
    assert_eq!(modes[0], modes[1]);
}

#[test]
fn a_corrected_output_and_a_severity_stay_with_the_label() {
    let (_world, ann) = world(3);
    let mut story = at_fee(&ann);
    story.press("c ctrl-s");
    assert_eq!(story.status(), "nothing was changed");
    story.press("c").type_text(" We take it back.").press("ctrl-s");
    story.press("S 3 f 3");
    let label = labels(&ann).into_iter().find(|l| l.trace.raw() == "fee").unwrap();
    assert!(label.corrected.unwrap().raw().ends_with("We take it back."));
    assert_eq!(label.severity.map(|s| s.word()), Some("high"));
    let mut story = at_fee(&ann);
    story.press("d");
    insta::assert_snapshot!("compare_80", story.snapshot());
    // What was typed is not lost by a slip.
    story.press("esc n").type_text("half a thought").press("esc");
    assert!(story.text().contains("Throw away what you typed?"), "{}", story.text());
    story.press("n");
    assert!(story.text().contains("half a thought"));
    story.press("esc y");
    assert!(!story.text().contains("half a thought"));
}

#[test]
fn one_goes_through_what_a_filter_lets_through() {
    let (_world, ann) = world(8);
    let mut story = review(&ann);
    story.press("p f 2 p f 1 x");
    story.press("F f");
    assert!(story.row(1).contains("1/2 fail"), "{}", story.row(1));
    assert!(story.row(3).starts_with(" 2 "), "{}", story.row(3));
    story.press("]");
    assert!(story.row(3).starts_with(" 4 "), "{}", story.row(3));
    story.press("]");
    assert!(story.row(3).starts_with(" 2 "), "it goes round: {}", story.row(3));
    story.press("esc ]");
    assert!(story.row(3).starts_with(" 6 "), "without a filter, the open ones: {}", story.row(3));
    story.press("F /").type_text("prompt_version:v4").press("enter");
    assert!(story.text().contains("overdraft fee but"), "{}", story.text());
    story.press("F / ctrl-u").type_text("modle:x").press("enter");
    assert!(story.text().contains("is not a field"), "{}", story.text());
}

#[test]
fn others_labels_appear_and_disagreements_can_be_gone_to() {
    let (world, ann) = world(6);
    let mut story = review(&ann);
    story.press("p p p");
    let labelled: Vec<Untrusted> = labels(&ann).into_iter().map(|label| label.trace).collect();
    let ben = world.as_reviewer("ben");
    let request =
        VerdictRequest { trace: labelled[1].clone(), sample: None, verdict: Verdict::Fail, mode: None };
    verdict(&ben, &request).unwrap();
    story.send(Message::Changed(WORK));
    assert!(story.row(1).contains("≠1"), "{}", story.row(1));
    story.press("}");
    assert!(story.row(3).starts_with(" 2 "), "{}", story.row(3));
    assert!(story.row(20).contains("ben: ✗ fail"), "{}", story.row(20));
    // One who has not judged yet is not swayed.
    let mut of_ben = review(&ben);
    of_ben.press("[");
    while !of_ben.row(3).starts_with(" 1 ") {
        of_ben.press("h");
    }
    assert!(of_ben.row(20).contains("1 other label, shown after yours"), "{}", of_ben.row(20));
    assert!(!of_ben.text().contains("ann: ✓"), "{}", of_ben.text());
}

#[test]
fn a_label_that_cannot_be_saved_brings_its_response_back() {
    let (world, ann) = world(4);
    let mut story = review(&ann);
    let first = story.row(3);
    let read_only = Ctx::open(&world.path(), crate::ops::Access::ReadOnly, "ann", ann.clock.clone()).unwrap();
    story.ctx = read_only;
    story.press("p");
    assert_eq!(story.row(3), first);
    assert!(story.text().contains("reading only"), "{}", story.text());
    assert!(story.row(1).contains("0 of 4"), "{}", story.row(1));
}

#[test]
fn the_program_is_not_left_before_a_label_is_saved() {
    let (_world, ann) = world(4);
    let mut story = review(&ann);
    story.hold().press("p q");
    assert!(story.outside.is_empty());
    story.release();
    assert_eq!(story.outside, [crate::tui::effect::Effect::Quit]);
    assert_eq!(labels(&ann).len(), 1);
}

#[test]
fn words_are_found_in_the_conversation() {
    let (_world, ann) = world(3);
    let mut story = at_fee(&ann);
    story.press("/").type_text("savings").press("enter");
    assert!(story.row(19).contains(" 1 of 3  \"savings\""), "{}", story.row(19));
    story.press(".");
    assert!(story.row(19).contains(" 2 of 3 "), "{}", story.row(19));
    insta::assert_snapshot!("found_80", story.snapshot());
    story.press("esc");
    assert!(!story.row(19).contains("savings"), "{}", story.row(19));
    story.press("esc");
    assert!(story.text().contains("1 sample"), "{}", story.text());
}

#[test]
fn the_mouse_scrolls_goes_and_unfolds() {
    let (_world, ann) = world(40);
    let mut story = at_fee(&ann);
    story.resize(200, 50);
    let row = |story: &Story, text: &str| {
        (0u16..50).find(|y| story.row(usize::from(*y)).contains(text)).unwrap_or_else(|| panic!("{text}"))
    };
    let y = row(&story, "tool get_account");
    story.send(Message::Mouse { at: (60, y), act: Mouse::Press });
    assert!(story.text().contains("\"salary_day\": 9"), "{}", story.text());
    story.send(Message::Mouse { at: (5, 7), act: Mouse::Press });
    assert!(!story.text().contains("salary_day"), "another response is open");
    story.send(Message::Mouse { at: (5, 7), act: Mouse::WheelDown });
}

#[test]
fn a_sample_is_drawn_in_the_program() {
    let world = World::new();
    world.add(traces(30));
    let mut story = Story::new(world.as_reviewer("ann"), ScreenId::Review);
    insta::assert_snapshot!("no_samples_80", story.snapshot());
    story.press("D");
    insta::assert_snapshot!("draw_80", story.snapshot());
    story.press("tab ctrl-u").type_text("10").press("tab").type_text("modle:gpt").press("enter");
    assert!(story.text().contains("modle"), "the mistake is named: {}", story.text());
    story.press("tab tab ctrl-u enter");
    assert!(story.row(1).contains("of 10"), "{}", story.text());
    story.press("esc");
    assert!(story.text().contains("0 of 10"), "{}", story.text());
    story.press("D enter");
    assert!(story.text().contains("week-11-2"), "the name is free: {}", story.text());
}

#[test]
fn marked_traces_are_kept_and_counted() {
    let (_world, ann) = world(5);
    let mut story = review(&ann);
    story.press("m l m l m m");
    assert_eq!(story.model.env.marks.len(), 2);
    assert!(story.row(1).contains("◆2"), "{}", story.row(1));
    story.press("F m");
    assert!(story.row(1).contains("1/2 marked"), "{}", story.row(1));
}

#[test]
fn rates_say_what_the_sample_tells() {
    let (_world, ann) = world(20);
    let mut story = review(&ann);
    story.press("p p p f 1 p f 2 p p");
    story.press("r");
    insta::assert_snapshot!("rates_80", story.snapshot());
}

#[test]
fn snapshots_of_the_queue() {
    let (_world, ann) = world(30);
    let mut story = review(&ann);
    for _ in 0..5 {
        ann.clock.advance_ms(9_200);
        story.press("p");
    }
    ann.clock.advance_ms(9_200);
    story.press("f 2 x s");
    let mut guard = 0;
    while !story.text().contains("overdraft fee but") {
        story.press("l");
        guard += 1;
        if guard > 40 {
            story.press("[");
        }
        assert!(guard < 200);
    }
    insta::assert_snapshot!("queue_80", story.snapshot());
    story.press("f");
    insta::assert_snapshot!("waits_for_a_mode_80", story.snapshot());
    story.press("esc space");
    insta::assert_snapshot!("unfolded_80", story.snapshot());
    story.press("space i");
    insta::assert_snapshot!("facts_80", story.snapshot());
    story.press("i");
    insta::assert_snapshot!("queue_200", story.snapshot_at(200, 50));
    insta::assert_snapshot!("queue_60", story.snapshot_at(60, 20));
    story.resize(80, 24).press("esc");
    insta::assert_snapshot!("samples_80", story.snapshot());
    insta::assert_snapshot!("samples_200", story.snapshot_at(200, 50));
}

#[test]
fn without_colour_the_queue_says_the_same() {
    let (_world, ann) = world(3);
    let mut story = Story::unstarted(ann, ScreenId::Review, Theme::without_colour());
    story.model.screens.review.open_at_start(Of::Sample("week-47".to_owned()));
    story.send(Message::Started);
    while !story.text().contains("overdraft fee but") {
        story.press("l");
    }
    story.press("f 2 h");
    insta::assert_snapshot!("queue_no_colour_80", story.snapshot());
}

#[test]
fn all_reviewed_says_what_can_be_done() {
    let (_world, ann) = world(3);
    let mut story = review(&ann);
    story.press("p p f 2");
    insta::assert_snapshot!("all_reviewed_80", story.snapshot());
    story.press("h");
    assert!(story.row(3).starts_with(" 3 "), "{}", story.row(3));
    story.press("u");
    assert!(story.row(1).contains("2 of 3"), "{}", story.row(1));
}

#[test]
fn a_trace_that_is_not_here_is_said_so() {
    let (_world, ann) = world(3);
    let mut story = Story::unstarted(ann, ScreenId::Review, Theme::default());
    story.model.screens.review.open_at_start(Of::Traces(vec!["gone".into(), "t-1".into()]));
    story.send(Message::Started);
    assert!(story.text().contains("gone") && story.text().contains("skips it"), "{}", story.text());
    story.press("l");
    assert!(story.text().contains("Where is card number 1"), "{}", story.text());
}
