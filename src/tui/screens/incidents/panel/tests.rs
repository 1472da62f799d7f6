//! The panels driven by keys on a real store.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::ops::Ctx;
use crate::ops::incident::{self, OpenRequest};
use crate::ops::mark;
use crate::ops::testing::{World, of_json};
use crate::tui::screens::ScreenId;
use crate::tui::testing::Story;

const NOW: &str = "2025-03-04T02:55:00Z";

/// Six days of traffic; since ten hours ago prompt v4 answers three of four and fails on German fee questions.
fn night() -> World {
    const MINUTES: i64 = 6 * 24 * 60;
    let now: Timestamp = NOW.parse().unwrap();
    let world = World::at(now);
    let traces = (0..MINUTES / 2).map(|n| {
        let ago = MINUTES - 2 * n;
        let (v4, de, fees) = (ago <= 600 && n % 4 != 1, n % 3 == 0, n % 5 < 3);
        let bad = n * 7919 % 101 < if v4 && de { 50 } else { 4 };
        json!({
            "id": format!("t-{n}"), "time": now - SignedDuration::from_mins(ago), "user": format!("u{}", n % 400),
            "input": if de { "Kann ich die Gebühr zurückbekommen?" } else { "Can I have the fee back?" },
            "output": "You can just transfer your balance.", "feature": "support", "prompt": "support",
            "prompt_version": if v4 { "v4" } else { "v3" }, "model": if n % 2 == 0 { "gpt-4o" } else { "gpt-4o-mini" },
            "metadata": {"language": if de { "de" } else { "en" }}, "tags": [if fees { "fees" } else { "cards" }],
            "latency_ms": 900, "cost_usd": 0.003,
            "feedback": if bad { json!([{"kind": "thumbs", "value": "down"}]) } else { json!([]) },
        })
    });
    world.add(of_json(traces.collect()));
    world
}

fn open(ctx: &Ctx) {
    let request = OpenRequest {
        title: "German customers say the advice is wrong".into(),
        feature: Some("support".into()),
        ..OpenRequest::default()
    };
    incident::open(ctx, request).unwrap();
}

fn story(world: &World) -> Story {
    let ctx = world.as_reviewer("mira");
    open(&ctx);
    let mut story = Story::new(ctx, ScreenId::Review);
    story.press("I");
    story
}

#[test]
fn detect_shows_whether_the_meter_is_broken_and_leads_to_the_worst_examples() {
    let world = night();
    let mut story = story(&world);
    insta::assert_snapshot!("detect_80", story.snapshot());
    insta::assert_snapshot!("detect_200", story.snapshot_at(200, 50));
    story.resize(80, 24);
    // The keys go into the panel, and Enter follows a line; the text of a step is a move away.
    story.press("i j enter");
    assert!(story.text().contains("Gebühr"), "{}", story.text());
    story.press("esc");
    assert!(story.row(1).contains("INC-1"), "{}", story.text());
    story.press("esc j");
    assert!(story.text().contains("check · at most"), "{}", story.text());
}

#[test]
fn assess_shows_the_figures_and_a_slice_leads_to_its_traces() {
    let world = night();
    let ctx = world.as_reviewer("jo");
    let at = ctx.clock.now() - SignedDuration::from_mins(620);
    mark::deploy(&ctx, &"index of March".into(), None, Some(at)).unwrap();
    let mut story = story(&world);
    story.press("]");
    insta::assert_snapshot!("assess_80", story.snapshot());
    insta::assert_snapshot!("assess_200", story.snapshot_at(200, 50));
    story.resize(80, 24);
    story.press("i enter");
    assert!(story.text().contains("prompt:support@v4"), "{}", story.text());
}

#[test]
fn contain_replays_the_steps_that_act_and_fix_names_the_version_to_go_back_to() {
    let world = night();
    let mut story = story(&world);
    story.press("] ]");
    insta::assert_snapshot!("contain_80", story.snapshot());
    insta::assert_snapshot!("contain_200", story.snapshot_at(200, 50));
    story.resize(80, 24);
    story.press("]");
    insta::assert_snapshot!("fix_80", story.snapshot());
    insta::assert_snapshot!("fix_200", story.snapshot_at(200, 50));
    story.resize(80, 24);
    story.press("i enter");
    assert!(story.text().contains("prompt:support@v4"), "{}", story.text());
}

#[test]
fn post_mortem_shows_the_impact_the_cause_what_an_alert_could_have_been_and_what_is_missing() {
    let world = night();
    let mut story = story(&world);
    story.press("] ] ] ] ]");
    insta::assert_snapshot!("postmortem_80", story.snapshot());
    insta::assert_snapshot!("postmortem_200", story.snapshot_at(200, 50));
    story.resize(80, 24);
    story.press("i enter");
    assert!(story.text().contains("prompt:support@v4"), "{}", story.text());
}

#[test]
fn a_store_without_such_traces_says_so_in_the_panel() {
    let world = World::new();
    let ctx = world.as_reviewer("mira");
    open(&ctx);
    let mut story = Story::new(ctx, ScreenId::Review);
    story.press("I ]");
    assert!(story.text().contains("No trace has the feature support."), "{}", story.text());
}

#[test]
fn an_alert_is_told_of_no_more_for_half_an_hour_and_a_false_one_closes_with_a_reason() {
    let (_world, mut story) = crate::tui::screens::monitors::tests::watched();
    story.press("g m I");
    insta::assert_snapshot!("detect_alert_80", story.snapshot());
    insta::assert_snapshot!("detect_alert_200", story.snapshot_at(200, 50));
    story.resize(80, 24).press("z");
    assert!(story.status().starts_with("nobody is told of the alert until"), "{}", story.status());
    let now = story.ctx.clock.now();
    let silenced = crate::ops::monitor::alerts(&story.ctx, false).unwrap().remove(0).silenced_until;
    assert_eq!(silenced, Some(now + SignedDuration::from_mins(30)));
    story.press("c f").type_text("the judge was changed").press("enter");
    let view = incident::show(&story.ctx, "INC-1").unwrap();
    assert_eq!(view.head.outcome, Some(crate::domain::incident::Outcome::FalseAlarm));
    assert_eq!(view.closing_note.unwrap().raw(), "the judge was changed");
}
