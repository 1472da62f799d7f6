//! One trace in full, driven by keys on a real store.

use crate::ops::testing::World;
use crate::tui::screens::ScreenId;
use crate::tui::testing::Story;
use crate::tui::testing::traffic::{hostile, traffic, with_tools};

/// The program on the conversation with tools.
fn open() -> (World, Story) {
    let world = traffic(30, 30);
    with_tools(&world);
    let mut story = Story::new(world.as_reviewer("ann"), ScreenId::Traces);
    story.press("/").type_text("id:tool-1").press("enter enter");
    (world, story)
}

#[test]
fn all_of_a_trace_can_be_read() {
    let (_world, mut story) = open();
    insta::assert_snapshot!("full_80", story.snapshot());
    story.press("i");
    insta::assert_snapshot!("details_80", story.snapshot());
    story.press("esc space");
    insta::assert_snapshot!("unfolded_80", story.snapshot());
    story.press("space");
    insta::assert_snapshot!("full_200", story.snapshot_at(200, 50));
}

#[test]
fn hostile_text_moves_nothing() {
    let world = World::new();
    hostile(&world);
    let mut story = Story::new(world.as_reviewer("ann"), ScreenId::Traces);
    story.press("enter");
    insta::assert_snapshot!("hostile_80", story.snapshot());
    insta::assert_snapshot!("hostile_200", story.snapshot_at(200, 50));
}

#[test]
fn turns_of_a_session_are_walked() {
    let (_world, mut story) = open();
    assert!(story.row(2).contains("turn 1 of 2"), "{}", story.row(2));
    story.press("]");
    assert!(story.row(2).contains("turn 2 of 2"), "{}", story.row(2));
    assert!(story.text().contains("✗ timeout: no answer"), "{}", story.text());
    story.press("]");
    assert!(story.status().contains("last turn"), "{}", story.status());
    story.press("[");
    assert!(story.row(2).contains("turn 1 of 2"), "{}", story.row(2));
    story.press("o");
    assert!(story.row(1).contains("session:talk-7") && story.row(1).contains("1 of 2"), "{}", story.row(1));
}

#[test]
fn words_are_found_in_the_text() {
    let (_world, mut story) = open();
    story.press("/").type_text("cancel").press("enter");
    assert!(story.row(3).contains(" 1 of 2  \"cancel\""), "{}", story.row(3));
    story.press(".");
    assert!(story.row(3).contains(" 2 of 2 "), "{}", story.row(3));
    story.press(",");
    assert!(story.row(3).contains(" 1 of 2 "), "{}", story.row(3));
    insta::assert_snapshot!("found_80", story.snapshot());
    story.press("esc");
    assert!(story.row(2).contains("turn 1 of 2"), "the marks go first, then the view");
    story.press("/").type_text("zebra").press("enter");
    assert!(story.row(3).contains("not here: \"zebra\""), "{}", story.row(3));
    story.press("esc esc");
    assert!(story.row(1).contains("Traces ·"), "{}", story.text());
}

#[test]
fn a_trace_is_labelled_where_it_is_read() {
    let (_world, mut story) = open();
    story.press("f");
    insta::assert_snapshot!("modes_80", story.snapshot());
    story.press("2");
    assert!(story.row(2).contains("✗ fail: "), "{}", story.row(2));
    assert!(story.status().contains("undo"), "{}", story.status());
    story.press("u");
    assert!(!story.row(2).contains("✗ fail"), "{}", story.row(2));
    story.press("f 0");
    assert!(story.row(2).contains("✗ fail (ann)"), "{}", story.row(2));
    story.press("u");
    story.press("p");
    assert!(story.row(2).contains("✓ pass (ann)"), "{}", story.row(2));
    story.press("e");
    assert!(story.text().contains("Promote tool-1"), "{}", story.text());
}

#[test]
fn the_list_is_walked_without_leaving() {
    let world = traffic(30, 30);
    let mut story = Story::new(world.as_reviewer("ann"), ScreenId::Traces);
    story.press("enter");
    assert!(story.text().contains("t-00029"), "{}", story.text());
    story.press("l l");
    assert!(story.text().contains("t-00027"), "{}", story.text());
    story.press("h esc");
    let list = story.model.screens.traces.selected_id().unwrap();
    assert_eq!(list, "t-00028");
}
