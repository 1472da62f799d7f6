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
fn the_daily_sample_and_patterns_that_changed_are_said_under_their_figures() {
    let world = traffic(3_000, 5);
    let ctx = world.as_reviewer("ann").with_judge_sample(Some(crate::domain::JudgeSample::default()));
    let ctx = ctx.with_fallback(crate::text::Fallback::new(&["a colleague will"]).unwrap());
    let mut story = Story::new(ctx, ScreenId::FRONT);
    insta::assert_snapshot!("sampled_80", story.text());
    insta::assert_snapshot!("sampled_200", story.snapshot_at(200, 50));
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

#[test]
fn charts_are_a_key_away_and_each_bar_opens_its_traces() {
    let world = traffic(3_000, 5);
    let mut story = open(&world);
    story.press("w c");
    insta::assert_snapshot!("latency_80", story.snapshot());
    story.press("c");
    insta::assert_snapshot!("times_80", story.snapshot());
    story.press("c");
    insta::assert_snapshot!("errors_80", story.snapshot());
    story.press("c");
    insta::assert_snapshot!("cost_80", story.snapshot());
    // The last day: what was spent in it.
    story.press("enter");
    assert!(story.row(1).contains("time:2026-11-24"), "{}", story.row(1));
    story.press("esc");
    assert!(story.text().contains("cost a day"), "{}", story.text());
    story.press("esc");
    assert!(story.text().contains("satisfied"), "{}", story.text());
}

#[test]
fn a_kind_of_failure_is_chosen_in_its_chart() {
    let world = traffic(3_000, 5);
    let mut story = open(&world);
    story.press("c c c h enter");
    assert!(story.row(1).contains("status:error"), "{}", story.row(1));
    story.press("esc k k enter");
    assert!(story.row(1).contains("error:rate_limit"), "{}", story.row(1));
    story.press("esc j j j enter");
    assert!(story.row(1).contains("error:other"), "{}", story.row(1));
}

#[test]
fn without_colour_and_in_ascii_all_is_there() {
    let world = traffic(3_000, 5);
    let mut theme = crate::tui::theme::Theme::without_colour();
    let mut story = Story::with(world.as_reviewer("ann"), ScreenId::FRONT, theme.clone());
    story.press("w");
    insta::assert_snapshot!("no_colour_200", story.snapshot_at(200, 50));
    theme.ascii = true;
    let mut story = Story::with(world.as_reviewer("ann"), ScreenId::FRONT, theme);
    story.press("w c");
    insta::assert_snapshot!("ascii_80", story.snapshot());
    assert!(story.text().is_ascii(), "{}", story.text());
}

#[test]
fn a_group_is_looked_at_alone_and_all_again() {
    let world = traffic(3_000, 5);
    let mut story = open(&world);
    story.press("w b b");
    assert!(story.text().contains("by model"), "{}", story.text());
    story.press("j o");
    assert!(story.row(1).contains("customer_support · model gpt-4o-mini · last 7 days"), "{}", story.row(1));
    story.press("enter");
    assert!(story.row(1).contains("model:gpt-4o-mini"), "{}", story.row(1));
    story.press("esc x");
    assert!(!story.row(1).contains("model"), "{}", story.row(1));
    // On through the other ways to tell apart, and back to the recent responses.
    story.press("b");
    assert!(story.text().contains("by language") && story.text().contains("none named"), "{}", story.text());
    story.press("o");
    assert!(story.status().contains("cannot be looked at alone") || story.status().contains("name none"));
    story.press("b b");
    assert!(story.text().contains("recent"), "{}", story.text());
}

#[test]
fn it_can_be_held_against_the_time_before() {
    let world = traffic(3_000, 5);
    let mut story = open(&world);
    story.press("v");
    assert!(story.row(1).contains("last 24 h against the 24 h before"), "{}", story.row(1));
    assert!(story.text().contains("before"), "{}", story.text());
    story.press("v");
    assert!(story.row(1).contains("same time last week"), "{}", story.row(1));
}

#[test]
fn charts_are_clicked_where_all_are_there() {
    let world = traffic(3_000, 5);
    let mut story = open(&world);
    story.press("w").resize(200, 50);
    story.press("c c c c");
    insta::assert_snapshot!("all_200", story.snapshot());
    story.resize(130, 34);
    insta::assert_snapshot!("cost_130", story.snapshot());
}

#[test]
fn the_window_moves_on_while_nothing_arrives() {
    let world = traffic(300, 5);
    let mut story = open(&world);
    let first = story.text();
    assert!(first.contains("287") || first.contains("288"), "{first}");
    world.clock.advance_ms(23 * 3_600_000);
    story.send(Message::Tick);
    assert_ne!(story.text(), first);
}
