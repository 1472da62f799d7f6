//! The screen, driven by keys on a real store and a real flag file.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use crate::domain::prompt::{FeatureSpec, TeamConfig};
use crate::domain::switch::{FlagFile, FlagFormat, SwitchKind, SwitchSpec};
use crate::ops::testing::{World, of_json};
use crate::tui::message::Message;
use crate::tui::screens::ScreenId;
use crate::tui::testing::Story;
use crate::tui::theme::Theme;

/// When the tests take place.
const NOW: &str = "2026-11-24T09:35:00Z";

/// Two hours of traffic of two features, a request a minute of each; every tenth of the first is a fallback's.
fn world() -> World {
    let now: jiff::Timestamp = NOW.parse().unwrap();
    let world = World::at(now);
    let traces = (0..240).map(|n| {
        let support = n % 2 == 0;
        json!({
            "id": format!("t-{n:03}"), "time": jiff::Timestamp::from_second(now.as_second() - (240 - n) * 30).unwrap(),
            "feature": if support { "customer_support" } else { "summaries" }, "model": "gpt-4o",
            "fallback": support && n % 20 == 0, "input": "Why?", "output": "Because.",
        })
    });
    world.add(of_json(traces.collect()));
    world
}

/// Requests after a switch, one a minute, up to now; `fallback` answers them.
fn goes_on(world: &World, minutes: i64, fallback: bool) {
    let now = world.clock.now().as_second();
    world.clock.advance_ms(minutes * 60_000);
    let traces = (0..minutes).map(|n| {
        json!({
            "id": format!("later-{now}-{n}"), "time": jiff::Timestamp::from_second(now + n * 60 + 59).unwrap(),
            "feature": "customer_support", "model": "gpt-4o", "fallback": fallback, "input": "Why?", "output": "x",
        })
    });
    world.add(of_json(traces.collect()));
}

fn team(home: &Path) -> TeamConfig {
    std::fs::write(home.join("flags.json"), "{\"flags\": {\"support-ai\": {\"enabled\": true}}}\n").unwrap();
    std::fs::create_dir_all(home.join("prompts/customer_support")).unwrap();
    std::fs::write(home.join("prompts/customer_support/v4_current.txt"), "You are Robin.\n").unwrap();
    let kind = SwitchKind::FlagFile(FlagFile {
        path: "flags.json".into(),
        format: FlagFormat::Json,
        pointer: "/flags/support-ai/enabled".to_owned(),
        on: true.into(),
        off: false.into(),
        fallback_pointer: None,
    });
    let (timeout, settle) = (Duration::from_secs(5), Duration::from_millis(300));
    let feature = FeatureSpec {
        name: "customer_support".to_owned(),
        prompts: Some("prompts/customer_support".into()),
        switch: Some(SwitchSpec { kind, ofrep: None, timeout, settle }),
        line: 3,
    };
    TeamConfig { home: home.to_owned(), features: vec![feature], ..TeamConfig::default() }
}

fn open(world: &World, team: &TeamConfig) -> Story {
    let mut story = Story::unstarted(world.as_reviewer("ann"), ScreenId::Health, Theme::default());
    story.model.env.team = Arc::new(team.clone());
    story.send(Message::Started);
    story.press("g f");
    story
}

#[test]
fn each_feature_stands_with_its_switch_and_its_traffic() {
    let (world, home) = (world(), tempfile::tempdir().unwrap());
    let mut story = open(&world, &team(home.path()));
    assert_eq!(story.model.active, ScreenId::Features);
    insta::assert_snapshot!("features_80", story.snapshot());
    insta::assert_snapshot!("features_200", story.snapshot_at(200, 50));
}

#[test]
fn a_feature_is_switched_by_its_name_after_a_dry_run_and_the_traces_confirm_it() {
    let (world, home) = (world(), tempfile::tempdir().unwrap());
    let file = home.path().join("flags.json");
    let is_on = || std::fs::read_to_string(&file).unwrap().contains("true");
    let mut story = open(&world, &team(home.path()));
    story.press("x");
    insta::assert_snapshot!("switch_80", story.snapshot());
    story.type_text("yes").press("enter");
    assert!(story.text().contains("That is not its name") && is_on(), "{}", story.text());
    story.press("esc");
    // What was typed is asked about before it is thrown away.
    story.press("y");
    assert!(is_on(), "nothing is switched without its name");
    story.press("enter").type_text("customer_support").press("tab").type_text("bad advice").press("enter");
    assert!(story.status().contains("customer_support is off · read back"), "{}", story.status());
    assert!(!is_on());
    assert!(story.text().contains("not confirmed yet"), "{}", story.text());
    // Models go on for two minutes, then fall silent: a fallback answers.
    goes_on(&world, 2, false);
    story.press("g h g f");
    assert!(story.text().contains("models had 2 of 2 requests since"), "{}", story.text());
    goes_on(&world, 30, true);
    story.press("g h g f");
    insta::assert_snapshot!("off_and_confirmed_80", story.snapshot());
    // And on again.
    story.press("x").type_text("customer_support").press("enter");
    assert!(story.status().contains("customer_support is on"), "{}", story.status());
    assert!(is_on());
}

#[test]
fn where_models_still_answer_it_says_so() {
    let (world, home) = (world(), tempfile::tempdir().unwrap());
    let mut story = open(&world, &team(home.path()));
    story.press("x").type_text("customer_support").press("enter");
    goes_on(&world, 9, false);
    story.press("g h g f");
    assert!(story.text().contains("NOT SO: models still answer, 9 of 9"), "{}", story.text());
}

#[test]
fn a_feature_without_a_switch_says_what_to_write() {
    let (world, home) = (world(), tempfile::tempdir().unwrap());
    let mut story = open(&world, &team(home.path()));
    story.press("j x");
    assert!(story.status().contains("[features.summaries]"), "{}", story.status());
    story.press("t");
    assert_eq!(story.model.active, ScreenId::Traces);
    assert!(story.text().contains("feature:summaries"), "{}", story.text());
}
