//! The screen, driven by keys on a real store and a folder of prompts.

use std::path::Path;
use std::sync::Arc;

use crate::domain::prompt::TeamConfig;
use crate::ops::testing::World;
use crate::tui::message::Message;
use crate::tui::screens::ScreenId;
use crate::tui::testing::Story;
use crate::tui::testing::traffic::{hostile, traffic};
use crate::tui::theme::Theme;

const V3: &str = "You are Robin, the assistant of Tidewell Bank.\nNever advise moving savings to settle a fee.\nAnswer in at most six sentences.\n";
const V4: &str = "You are Robin, the friendly assistant of Tidewell Bank.\nAlways give one concrete action.\nAnswer in at most six sentences.\n";

fn prompts(files: &[(&str, &str)]) -> (tempfile::TempDir, TeamConfig) {
    let folder = tempfile::tempdir().unwrap();
    for (file, text) in files {
        let path = folder.path().join("prompts").join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let team = team(folder.path());
    (folder, team)
}

fn team(folder: &Path) -> TeamConfig {
    TeamConfig {
        home: folder.to_owned(),
        prompts_dir: folder.join("prompts"),
        min_pass_rate: 0.9,
        min_cases: 20,
        ..TeamConfig::default()
    }
}

fn two() -> (tempfile::TempDir, TeamConfig) {
    prompts(&[
        ("customer_support/v2.txt", "You are Robin.\n"),
        (
            "customer_support/v3.md",
            &format!("---\nauthor: Ann\ndate: 2026-10-20\nnotes: no savings\n---\n{V3}"),
        ),
        ("customer_support/v4_current.txt", V4),
        ("summarization/v1_current.txt", "Summarise.\n"),
    ])
}

fn open(world: &World, team: &TeamConfig) -> Story {
    let mut story = Story::unstarted(world.as_reviewer("ann"), ScreenId::Prompts, Theme::default());
    story.model.env.team = Arc::new(team.clone());
    story.send(Message::Started);
    story
}

#[test]
fn the_versions_stand_on_a_time_line_with_their_figures() {
    let world = traffic(3_000, 5);
    let (_folder, team) = two();
    let mut story = open(&world, &team);
    assert!(story.row(1).contains("customer_support · at v4"), "{}", story.text());
    insta::assert_snapshot!("versions_80", story.snapshot());
    insta::assert_snapshot!("versions_200", story.snapshot_at(200, 50));
}

#[test]
fn the_difference_of_any_two_is_a_key_away() {
    let world = traffic(300, 5);
    let (_folder, team) = two();
    let mut story = open(&world, &team);
    story.press("d");
    assert!(story.row(1).contains("customer_support · v3 → v4"), "{}", story.row(1));
    assert!(story.text().contains("- Never advise moving savings"), "{}", story.text());
    insta::assert_snapshot!("difference_80", story.snapshot());
    // The oldest is marked: then it is compared with that.
    story.press("esc j j b k k d");
    assert!(story.row(1).contains("v2 → v4"), "{}", story.row(1));
    story.press("d");
    assert!(story.row(1).contains("at v4"), "{}", story.row(1));
}

#[test]
fn a_version_leads_to_its_traces_and_its_runs() {
    let world = traffic(300, 5);
    let (_folder, team) = two();
    let ctx = world.as_reviewer("ann");
    crate::tui::screens::runs::tests::two_runs(&ctx);
    let mut story = open(&world, &team);
    story.press("j enter");
    assert!(story.row(1).contains("prompt:customer_support@v3"), "{}", story.row(1));
    story.press("esc");
    assert!(story.row(1).contains("at v4"), "{}", story.row(1));
}

#[test]
fn making_a_version_current_asks_first_and_says_how_to_take_it_back() {
    let world = traffic(300, 5);
    let (folder, team) = two();
    let mut story = open(&world, &team);
    story.press("j u");
    assert!(story.text().contains("v3.md → v3_current.md"), "{}", story.text());
    insta::assert_snapshot!("use_80", story.snapshot());
    story.press("esc");
    let there = |file: &str| folder.path().join("prompts/customer_support").join(file).exists();
    assert!(there("v4_current.txt") && there("v3.md"));
    story.press("u y");
    assert!(there("v3_current.md") && there("v4.txt"), "{}", story.text());
    assert!(story.status().contains("customer_support is at v3 now"), "{}", story.status());
    assert!(story.row(1).contains("at v3"), "{}", story.row(1));
}

#[test]
fn what_somebody_else_changes_in_the_folder_is_shown() {
    let world = traffic(300, 5);
    let (folder, team) = two();
    let mut story = open(&world, &team);
    std::fs::write(folder.path().join("prompts/customer_support/v5.txt"), "Five.\n").unwrap();
    story.send(Message::PromptsChanged);
    assert!(story.text().contains("v5"), "{}", story.text());
    std::fs::remove_file(folder.path().join("prompts/customer_support/v3.md")).unwrap();
    story.send(Message::PromptsChanged);
    assert!(story.text().contains("customer_support@v3, which is not in the folder"), "{}", story.text());
}

#[test]
fn other_prompts_and_windows_are_a_key_away() {
    let world = traffic(300, 5);
    let (_folder, team) = two();
    let mut story = open(&world, &team);
    story.press("w");
    assert!(story.row(1).contains("last 7 days"), "{}", story.row(1));
    story.press("F").type_text("summ").press("enter");
    assert!(story.row(1).contains("summarization · at v1"), "{}", story.row(1));
}

#[test]
fn without_prompts_the_screen_says_where_they_go() {
    let world = traffic(10, 5);
    let team = team(Path::new("/srv/support"));
    let story = open(&world, &team);
    insta::assert_snapshot!("empty_80", story.snapshot());
}

#[test]
fn what_others_wrote_stays_in_its_place() {
    let world = traffic(100, 5);
    hostile(&world);
    let evil = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{202e}evil\u{2066} \u{9b}31m";
    let text = format!("---\nauthor: {evil}\nnotes: {evil}\n---\n{evil}\n");
    let (_folder, team) =
        prompts(&[("customer_support/v3.txt", &text), ("customer_support/v4_current.txt", V4)]);
    let mut story = open(&world, &team);
    story.press("j");
    let snapshot = story.snapshot_at(200, 50);
    assert!(!snapshot.contains('\u{1b}') && !snapshot.contains('\u{202e}') && !snapshot.contains('\u{9b}'));
    story.resize(80, 24).press("k d");
    assert!(!story.snapshot().contains('\u{1b}'));
}
