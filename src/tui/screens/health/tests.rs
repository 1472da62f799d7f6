//! The screen, driven by keys on a real store.

use crate::ops::testing::{World, of_json};
use crate::ops::watch::Changes;
use crate::tui::message::Message;
use crate::tui::screens::ScreenId;
use crate::tui::testing::Story;
use crate::tui::testing::traffic::{hostile, traffic};

fn open(world: &World) -> Story {
    Story::new(world.as_reviewer("ann"), ScreenId::FRONT)
}

#[test]
fn the_front_screen_shows_the_figures_and_what_is_recent() {
    let world = traffic(3_000, 5);
    let mut story = open(&world);
    insta::assert_snapshot!("full_80", story.snapshot());
    insta::assert_snapshot!("full_200", story.snapshot_at(200, 50));
    story.resize(80, 24).press("b");
    insta::assert_snapshot!("versions_80", story.snapshot());
}

#[test]
fn what_others_wrote_stays_in_its_place() {
    let world = traffic(200, 5);
    hostile(&world);
    let mut story = open(&world);
    story.press("F").type_text("all").press("enter");
    assert!(story.text().contains("all traffic"), "{}", story.text());
    insta::assert_snapshot!("hostile_80", story.snapshot());
    insta::assert_snapshot!("hostile_200", story.snapshot_at(200, 50));
}

#[test]
fn an_empty_store_says_the_next_step() {
    let world = World::new();
    let mut story = open(&world);
    insta::assert_snapshot!("empty_80", story.snapshot());
    assert!(story.text().contains("tuesday import"));
    assert!(story.text().contains("tuesday demo"));
    // Nothing is behind a line, and nothing breaks.
    story.press("enter s j j G F w esc b b");
    world.clock.advance_ms(60_000);
    // What arrives is shown.
    world.add(of_json(vec![serde_json::json!({"id": "first", "input": "q", "output": "an answer at last"})]));
    story.send(Message::Changed(Changes { traces: true, work: false }));
    assert!(story.text().contains("an answer at last"), "{}", story.text());
}

#[test]
fn the_first_frame_does_not_wait() {
    let world = traffic(50, 5);
    let ctx = world.as_reviewer("ann");
    let mut story = Story::unstarted(ctx, ScreenId::FRONT, crate::tui::theme::Theme::default());
    story.hold().send(Message::Started);
    insta::assert_snapshot!("loading_80", story.snapshot());
    story.release();
    assert!(story.text().contains("requests"));
}

#[test]
fn a_line_opens_what_is_behind_it_and_backing_out_comes_back() {
    let world = traffic(3_000, 5);
    let mut story = open(&world);
    story.press("j enter");
    assert!(story.row(1).contains("Traces ·") && story.row(1).contains("status:error"), "{}", story.text());
    let errors = story.text().matches('✗').count();
    assert!(errors > 5, "{}", story.text());
    story.press("esc");
    assert!(story.row(1).contains("last 24 h against"), "{}", story.text());
    // Down to the first recent response.
    story.press("j j j j j j enter");
    assert!(story.row(3).contains("──") && story.text().contains("user"), "{}", story.text());
    story.press("esc");
    assert!(story.row(1).contains("last 24 h against"), "{}", story.text());
}

#[test]
fn windows_features_and_versions_are_a_key_away() {
    let world = traffic(3_000, 5);
    let mut story = open(&world);
    story.press("w");
    assert!(story.row(1).contains("last 7 days"), "{}", story.row(1));
    story.press("w");
    assert!(story.row(1).contains("last 28 days"), "{}", story.row(1));
    story.press("w");
    assert!(story.row(1).contains("last hour"), "{}", story.row(1));
    story.press("w b");
    assert!(story.text().contains("customer_support@v4"), "{}", story.text());
    story.press("enter");
    assert!(story.row(1).contains("prompt:customer_support@v4"), "{}", story.row(1));
}

#[test]
fn a_sample_is_drawn_of_what_is_behind_a_line() {
    let world = traffic(3_000, 5);
    let mut story = open(&world);
    story.press("s");
    assert!(story.text().contains("Sample of "), "{}", story.text());
    story.press("enter");
    assert!(story.status().starts_with("✓ drew sample-2026-11-24: "), "{}", story.status());
}
