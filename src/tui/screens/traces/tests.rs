//! The list, driven by keys on a real store.

use super::Request;
use crate::domain::{Error, Verdict};
use crate::ops::label::{self, VerdictRequest};
use crate::ops::testing::{World, of_json};
use crate::ops::watch::Changes;
use crate::ops::{browse, sample};
use crate::tui::jobs::JobId;
use crate::tui::message::Message;
use crate::tui::screens::ScreenId;
use crate::tui::testing::Story;
use crate::tui::testing::traffic::{hostile, traffic};

fn open(world: &World) -> Story {
    Story::new(world.as_reviewer("ann"), ScreenId::Traces)
}

/// The row under the cursor, from the list itself.
fn here(story: &Story) -> String {
    story.model.screens.traces.list.as_ref().unwrap().selected().unwrap().id.raw().to_owned()
}

#[test]
fn the_list_shows_what_a_trace_is_known_by() {
    let world = traffic(400, 30);
    let mut story = open(&world);
    insta::assert_snapshot!("full_80", story.snapshot());
    insta::assert_snapshot!("full_200", story.snapshot_at(200, 50));
}

#[test]
fn hostile_text_moves_nothing() {
    let world = traffic(10, 30);
    hostile(&world);
    let mut story = open(&world);
    insta::assert_snapshot!("hostile_80", story.snapshot());
    insta::assert_snapshot!("hostile_200", story.snapshot_at(200, 50));
}

#[test]
fn a_list_that_cannot_be_read_says_why_and_is_tried_again() {
    let world = traffic(10, 30);
    let ctx = world.as_reviewer("ann");
    let mut story = Story::unstarted(ctx, ScreenId::Traces, crate::tui::theme::Theme::default());
    story.hold().send(Message::Started);
    let is_page = |id: &JobId| {
        let request = story.model.jobs.request(*id);
        matches!(request, Some(crate::tui::work::Request::Traces(Request::Page { .. })))
    };
    let page = (0..99).map(JobId).find(is_page).unwrap();
    let failed = Error::failed("The disk is gone.").because("input/output error");
    story.send(Message::Answered { job: page, result: Err(failed) }).press("esc");
    assert!(!story.text().contains("No traces yet"), "{}", story.text());
    insta::assert_snapshot!("unread_80", story.snapshot());
    story.release();
    story.press("g t");
    assert!(!story.text().contains("could not be read"), "{}", story.text());
    assert!(story.row(1).contains("1 of 10"), "{}", story.text());
}

#[test]
fn empty_and_loading_say_so() {
    let world = World::new();
    let mut story = open(&world);
    insta::assert_snapshot!("empty_80", story.snapshot());
    story.press("j k G g g space e enter esc S esc");
    let world = traffic(10, 30);
    let ctx = world.as_reviewer("ann");
    let mut story = Story::unstarted(ctx, ScreenId::Traces, crate::tui::theme::Theme::default());
    story.hold().send(Message::Started);
    assert!(story.text().contains("looking for traces…"), "{}", story.text());
    story.release();
    assert!(story.text().contains("1 of 10"), "{}", story.text());
}

#[test]
fn a_filter_narrows_opens_and_is_taken_off() {
    let world = traffic(400, 30);
    let mut story = open(&world);
    story.press("/");
    insta::assert_snapshot!("asking_80", story.snapshot());
    story.type_text("feedback:down model:gpt-4o-mini").press("enter");
    assert!(story.row(1).contains("feedback:down model:gpt-4o-mini"), "{}", story.row(1));
    let shown = story.text();
    assert!(shown.contains("▼ thumbs down") && !shown.contains("▲"), "{shown}");
    story.press("j");
    let at = here(&story);
    story.press("enter");
    assert!(story.text().contains("overdraft fee"), "{}", story.text());
    story.press("esc");
    assert_eq!(here(&story), at, "back where one was");
    assert!(story.row(1).contains("feedback:down"));
    story.press("esc");
    assert!(
        story.row(1).contains("all, newest first") && story.row(1).contains("1 of 400"),
        "{}",
        story.row(1)
    );
}

#[test]
fn a_mistake_is_shown_under_its_word_and_can_be_mended() {
    let world = traffic(40, 30);
    let mut story = open(&world);
    story.press("/").type_text("feedbak:down").press("enter");
    insta::assert_snapshot!("mistake_80", story.snapshot());
    assert!(story.text().contains("^^^^^^^"), "{}", story.text());
    // The text is still there to be mended.
    story.press("ctrl-u").type_text("feedback:down").press("enter");
    assert!(story.row(1).contains("feedback:down"), "{}", story.text());
    story.press("/").type_text(" x:").press("enter esc");
    assert!(story.row(1).contains("feedback:down") && !story.text().contains('^'), "{}", story.text());
}

#[test]
fn all_of_a_long_list_can_be_reached_both_ways() {
    let world = traffic(5_200, 1);
    let mut story = open(&world);
    assert_eq!(here(&story), "t-05199");
    assert!(story.row(1).contains("1 of 5,200"));
    for _ in 0..300 {
        story.press("pgdn");
    }
    assert_eq!(here(&story), "t-00000");
    assert!(story.row(1).contains("5,200 of 5,200"), "{}", story.row(1));
    for _ in 0..300 {
        story.press("pgup");
    }
    assert_eq!(here(&story), "t-05199");
    assert!(story.row(1).contains("1 of 5,200"), "{}", story.row(1));
    // At once to the end, and up from there.
    story.press("G");
    assert_eq!(here(&story), "t-00000");
    assert!(story.row(1).contains("5,200 of 5,200"), "{}", story.row(1));
    for _ in 0..60 {
        story.press("ctrl-u");
    }
    assert!(story.row(1).contains(" of 5,200"), "{}", story.row(1));
    story.press("g g");
    assert_eq!(here(&story), "t-05199");
    let rows: Vec<String> = (3..10).map(|y| story.row(y)).collect();
    assert!(rows.iter().all(|row| !row.trim().is_empty()), "{rows:#?}");
}

#[test]
fn moving_never_waits_for_a_page() {
    let world = traffic(2_000, 1);
    let mut story = open(&world);
    story.hold();
    for _ in 0..10 {
        story.press("pgdn");
    }
    // The next page is not there yet; what is loaded is still under the keys.
    assert!(here(&story).as_str() < "t-01999");
    story.press("pgup").release();
    for _ in 0..200 {
        story.press("pgdn");
    }
    assert_eq!(here(&story), "t-00000");
}

#[test]
fn marked_traces_are_promoted_together_and_a_sample_is_drawn() {
    let world = traffic(400, 30);
    let mut story = open(&world);
    story.press("space space space");
    assert!(story.row(1).contains("◆ 3 traces marked"), "{}", story.row(1));
    story.press("e");
    assert!(story.text().contains("Promote 3"), "{}", story.text());
    story.press("esc M");
    assert!(!story.text().contains("marked"), "{}", story.text());
    story.press("/").type_text("prompt:customer_support@v4").press("enter S");
    insta::assert_snapshot!("sample_80", story.snapshot());
    story.press("ctrl-u").type_text("week/47").press("enter");
    assert!(story.text().contains("cannot be the name"), "{}", story.text());
    story.press("ctrl-u").type_text("week-47").press("tab ctrl-u").type_text("40").press("enter");
    assert!(story.status().starts_with("✓ drew week-47: 40 of "), "{}", story.status());
    let drawn = sample::show(&story.ctx, "week-47").unwrap();
    assert_eq!(drawn.size, 40);
    assert_eq!(drawn.rule.query.as_deref(), Some("prompt:customer_support@v4"));
}

#[test]
fn marked_traces_are_reviewed_in_a_queue_of_their_own() {
    let world = traffic(40, 30);
    let mut story = open(&world);
    let newest = here(&story);
    story.press("space j space R");
    assert_eq!(story.model.active, ScreenId::Review);
    assert!(story.row(1).contains("2 traces"), "{}", story.row(1));
    story.press("p");
    let labels = |id: &str| browse::trace(&story.ctx, &id.into()).unwrap().labels;
    assert_eq!(labels(&newest)[0].verdict, Some(Verdict::Pass));
    assert_eq!(labels("t-00038"), []);
    story.press("p");
    assert!(story.text().contains("2 of 2"), "{}", story.text());
}

#[test]
fn new_traces_join_at_the_top() {
    let world = traffic(50, 30);
    let mut story = open(&world);
    let late = |id: &str| {
        of_json(vec![serde_json::json!({"id": id, "input": "q", "output": "new", "time": world.clock.now()})])
    };
    world.add(late("n-1"));
    story.send(Message::Changed(Changes { traces: true, work: false }));
    assert_eq!(here(&story), "n-1");
    // Further down the place is kept, and the way up leads to them.
    story.press("j j j");
    let at = here(&story);
    world.add(late("n-2"));
    story.send(Message::Changed(Changes { traces: true, work: false }));
    assert_eq!(here(&story), at);
    story.press("g g");
    assert_eq!(here(&story), "n-2");
    assert!(story.row(1).contains("1 of 52"), "{}", story.row(1));
}

#[test]
fn labels_show_in_the_list_and_follow_what_anybody_does() {
    let world = traffic(60, 30);
    let judge = |who: &str, trace: &str, verdict: Verdict| {
        let request = VerdictRequest { trace: trace.into(), sample: None, verdict, mode: None };
        label::verdict(&world.as_reviewer(who), &request).unwrap();
    };
    judge("ann", "t-00059", Verdict::Fail);
    judge("ben", "t-00058", Verdict::Unsure);
    judge("ann", "t-00057", Verdict::Pass);
    judge("ben", "t-00057", Verdict::Fail);
    let mut story = open(&world);
    assert!(story.row(3).ends_with("✗ fail   █"), "{}", story.row(3));
    assert!(story.row(4).contains("? unsure"), "{}", story.row(4));
    assert!(story.row(5).contains("≠ ✓✗"), "{}", story.row(5));
    insta::assert_snapshot!("labelled_80", story.snapshot());
    // Another program labels.
    judge("ben", "t-00056", Verdict::Pass);
    story.send(Message::Changed(Changes { traces: false, work: true }));
    assert!(story.row(6).contains("✓ pass"), "{}", story.row(6));
    // Here, over the list; the trace under the cursor was read before that.
    story.press("enter p");
    story.send(Message::Changed(Changes { traces: false, work: true }));
    story.press("esc");
    assert!(story.row(3).contains("✓ pass"), "{}", story.row(3));
    story.press("enter");
    assert!(story.row(2).contains("✓ pass (ann)"), "{}", story.row(2));
}

#[test]
fn the_list_stands_as_it_was_left() {
    let world = traffic(60, 30);
    let mut story = open(&world);
    story.press("j j j");
    let left = story.text();
    story.press("enter j esc");
    assert_eq!(story.text(), left);
    story.press("g h");
    story.press("g t");
    assert_eq!(story.text(), left);
}

#[test]
fn labels_are_asked_for_by_the_page() {
    let world = traffic(2_000, 1);
    let mut story = open(&world);
    story.hold().press("pgdn pgdn pgdn");
    let asked: Vec<usize> = story
        .held()
        .filter_map(|request| match request {
            crate::tui::work::Request::Traces(Request::Labels(traces)) => Some(traces.len()),
            _ => None,
        })
        .collect();
    assert_eq!(asked.len(), 1, "one question at a time");
    assert!(asked[0] <= 60, "and only of what is near: {asked:?}");
}

#[test]
fn words_are_found_once_the_index_knows_them() {
    let world = traffic(60, 30);
    let mut story = open(&world);
    story.press("/").type_text("\"overdraft fee\"").press("enter");
    assert!(story.row(1).contains("of 10"), "{}", story.text());
    // The start of the program brought the index up to the traces.
    let (at, last) = story.ctx.store.text_index_state().unwrap();
    assert_eq!((at, last), (60, 60));
}
