use serde_json::json;

use crate::domain::monitor::Monitors;
use crate::ops::monitor::pass;
use crate::ops::testing::{World, of_json};
use crate::tui::screens::ScreenId;
use crate::tui::testing::Story;

/// When the tests take place.
const NOW: &str = "2026-11-24T09:35:00Z";

/// Four days of a healthy bot, 30 requests an hour, and time-outs with gpt-4o in the last two hours.
fn trouble() -> World {
    let now: jiff::Timestamp = NOW.parse().unwrap();
    let world = World::at(now);
    let traces = (0..30 * 96).map(|n| {
        let ago = (30 * 96 - n) * 120;
        let failed = ago < 7_200 && n % 3 == 0;
        let mut trace = json!({
            "id": format!("t-{n:05}"), "session": format!("s-{}", n / 2), "user": format!("u-{}", n % 97),
            "time": jiff::Timestamp::from_second(now.as_second() - ago).unwrap(),
            "feature": "customer_support", "prompt": "customer_support", "prompt_version": "v3",
            "model": if n % 3 == 0 { "gpt-4o" } else { "gpt-4o-mini" }, "tags": ["fees"],
            "input": "Why was I charged?", "output": if failed { "" } else { "It was a fee." },
            "latency_ms": 700 + (n * 37) % 1_400, "cost_usd": 0.0024,
        });
        if failed {
            trace["status"] = json!("error");
            trace["error_kind"] = json!("timeout");
        }
        trace
    });
    world.add(of_json(traces.collect()));
    world
}

/// A world with an alert that is out, and a program on Health.
pub fn watched() -> (World, Story) {
    let world = trouble();
    let ctx = world.as_reviewer("ann");
    let seen = pass(&ctx, &Monitors::default()).unwrap();
    assert_eq!(seen.fired.len(), 1, "{seen:#?}");
    let story = Story::new(ctx, ScreenId::Health);
    (world, story)
}

#[test]
fn alerts_stand_on_top_of_every_screen_and_open_what_they_stand_on() {
    let (_world, mut story) = watched();
    assert!(story.row(1).contains("▲ 1 alert  errors"), "{}", story.row(1));
    story.press("g m");
    insta::assert_snapshot!("monitors_80", story.snapshot());
    story.press("enter");
    insta::assert_snapshot!("alert_80", story.snapshot());
    story.press("enter");
    assert!(story.text().contains("t-0"), "{}", story.text());
    assert_eq!(story.model.active, ScreenId::Traces);
    insta::assert_snapshot!("trace_under_the_banner_80", story.text());
}

#[test]
fn a_wide_terminal_shows_the_text_beside_the_list() {
    let (_world, mut story) = watched();
    story.press("g m");
    insta::assert_snapshot!("monitors_200", story.snapshot_at(200, 50));
}

#[test]
fn receivers_that_nobody_tells_are_said_above_what_is_under_the_cursor() {
    use crate::domain::monitor::{Receiver, ReceiverKind};
    let world = trouble();
    let ctx = world.as_reviewer("ann");
    pass(&ctx, &Monitors::default()).unwrap();
    let receivers = vec![Receiver { name: "bell".into(), kind: ReceiverKind::Bell }];
    let monitors = Monitors { receivers, ..Monitors::default() };
    let mut story = Story::unstarted(ctx, ScreenId::Health, crate::tui::theme::Theme::default());
    story.model.screens.monitors = super::MonitorsScreen::new(monitors);
    story.send(crate::tui::message::Message::Started).press("g m");
    insta::assert_snapshot!("nobody_tells_80", story.text());
}

#[test]
fn an_alert_is_silenced_with_a_reason_and_an_end() {
    let (_world, mut story) = watched();
    story.press("g m s enter enter");
    assert!(story.text().contains("a silence needs a reason"), "{}", story.text());
    story.press("tab").type_text("the provider is at it").press("enter enter");
    assert!(story.status().contains("nobody is told of it until"), "{} {}", story.status(), story.text());
    assert!(!story.row(1).contains("▲"), "a silenced alert is not on top: {}", story.row(1));
    assert!(story.text().contains("silenced"), "{}", story.text());
}

#[test]
fn an_incident_is_opened_with_the_alert_in_its_record() {
    let (_world, mut story) = watched();
    story.press("g m I");
    assert_eq!(story.model.active, ScreenId::Incidents);
    assert!(story.text().contains("INC-1"), "{}", story.text());
    let incident = crate::ops::incident::show(&story.ctx, "INC-1").unwrap();
    assert!(incident.timeline.iter().any(|one| one.text.raw().contains("Alert A-1")));
    assert!(!incident.evidence.is_empty() && incident.queries.len() == 1);
    // The same alert leads to the same incident.
    story.press("g m I");
    assert_eq!(crate::ops::incident::list(&story.ctx).unwrap().len(), 1);
}

#[test]
fn the_traces_of_an_alert_and_the_past_of_a_monitor_are_a_key_away() {
    let (_world, mut story) = watched();
    story.press("g m t");
    assert_eq!(story.model.active, ScreenId::Traces);
    assert!(story.text().contains("error:timeout"), "{}", story.text());
    story.press("g m");
    while !story.text().contains("errors") || story.model.holds(crate::command::table::monitors::ON_ALERT) {
        story.press("j");
    }
    story.press("G k k k p");
    insta::assert_snapshot!("replay_80", story.text());
}

#[test]
fn a_monitor_whose_judge_changed_says_so_and_is_taken_up_again_with_a_key() {
    use crate::ops::monitor::judged_tests::{drawn, judge};
    let world = trouble();
    let ctx = world.as_reviewer("ann");
    let sample = drawn(&ctx, 600);
    judge(&ctx, &sample, 0..300, "gpt-4o", |at| at % 20 == 0);
    pass(&ctx, &Monitors::default()).unwrap();
    world.clock.advance_ms(60_000);
    judge(&ctx, &sample, 300..450, "gpt-4o-mini", |at| at % 20 == 0);
    let seen = pass(&ctx, &Monitors::default()).unwrap();
    assert_eq!(seen.fired.len(), 1, "{seen:#?}");
    let mut story = Story::new(ctx, ScreenId::Health);
    insta::assert_snapshot!("health_judged_80", story.snapshot());
    story.press("g m j j");
    insta::assert_snapshot!("paused_80", story.snapshot());
    story.press("R");
    insta::assert_snapshot!("resume_80", story.text());
    story.press("down enter");
    assert!(story.text().contains("there are 150."), "{}", story.text());
    story.press("R enter");
    assert!(
        story.status().contains("quality-drift looks again: well at 10"),
        "{} {}",
        story.status(),
        story.text()
    );
    let taken = story.ctx.store.resumptions().unwrap();
    assert_eq!((taken.len(), taken[0].by.raw(), taken[0].baseline), (1, "ann", None));
    insta::assert_snapshot!("resumed_200", story.snapshot_at(200, 50));
}
