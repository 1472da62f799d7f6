//! The screen, driven by keys on a real store and a team's folder.

use std::path::Path;
use std::process::Command;

use serde_json::json;
use sha2::{Digest, Sha256};

use crate::command::Place;
use crate::domain::{CaseResult, EvalConfig, RunHead};
use crate::ops::Ctx;
use crate::ops::testing::{World, land};
use crate::tui::message::Message;
use crate::tui::screens::ScreenId;
use crate::tui::screens::gate::GateScreen;
use crate::tui::testing::Story;
use crate::tui::theme::Theme;

const HOSTILE: &str = "\u{1b}]0;owned\u{7}\u{202e}evil\u{200b}";
const KINDS: [&str; 9] = [
    "ambiguous",
    "harmful",
    "out_of_domain",
    "multilingual",
    "jailbreak",
    "timeout",
    "rate_limit",
    "empty_context",
    "too_long",
];

/// The folder of a team: two versions of a prompt, in git with dates that stand.
fn team(folder: &Path) -> EvalConfig {
    let prompts = folder.join("prompts");
    let home = prompts.join("customer_support");
    std::fs::create_dir_all(&home).unwrap();
    std::fs::create_dir_all(folder.join("gates")).unwrap();
    std::fs::write(home.join("v3.txt"), "Be kind.\n").unwrap();
    std::fs::write(home.join("v4_current.txt"), "Be kind and short.\n").unwrap();
    let gate = "schema = 1\n[item.cost]\nmax_usd = 0.01\n[item.edge_cases]\nmin_labels = 3\n[item.rollback]\n\
                command = ['sh', '-c', 'exit 0']\ndry_run = []\n[item.latency]\nneed = 'point'\nmin_requests = 20\n\
                [waive]\nfailure_modes = { reason = 'the fallback comes next week', by = 'jo', expires = '2026-04-01' }\n";
    std::fs::write(folder.join("gates/customer_support.toml"), gate).unwrap();
    if !folder.join(".git").exists() {
        for arguments in [&["init", "-q"][..], &["add", "prompts"], &["commit", "-q", "-m", "prompts"]] {
            let mut git = Command::new("git");
            for who in ["AUTHOR", "COMMITTER"] {
                git.env(format!("GIT_{who}_NAME"), "Jo Fox");
                git.env(format!("GIT_{who}_EMAIL"), "jo@example.com");
                git.env(format!("GIT_{who}_DATE"), "2026-03-01T10:00:00Z");
            }
            git.args(["-c", "commit.gpgsign=false", "-c", "core.autocrlf=false"]);
            assert!(git.args(arguments).current_dir(folder).output().unwrap().status.success());
        }
    }
    EvalConfig {
        home: folder.to_owned(),
        prompts_dir: prompts,
        gates_dir: folder.join("gates"),
        ..EvalConfig::default()
    }
}

/// Case `n` of a run: edge cases first, then failures, then plain ones; `bad` fails.
fn result(n: usize, bad: bool, hostile: &str) -> CaseResult {
    let kind = KINDS.get(n).copied().unwrap_or("plain");
    serde_json::from_value(json!({
        "case": format!("c-{n:03}"), "category": kind, "input": format!("I was charged a fee, question {n}{hostile}"),
        "expected": "The fee is waived under the same-day rule.", "attempts": 1, "at": "2026-03-10T12:00:00Z",
        "answer": {"output": format!("We take the fee back{hostile}."), "latency_ms": 900.0 + n as f64, "cost_usd": 0.002 + n as f64 * 1e-5},
        "assessments": [{"evaluator": "advice", "kind": "forbidden", "version": "1", "explanation": "",
                         "outcome": if bad { "fail" } else { "pass" }}],
    }))
    .unwrap()
}

fn runs(ctx: &Ctx, config: &EvalConfig, hostile: &str) {
    if !ctx.store.runs().unwrap().is_empty() {
        return;
    }
    for (version, file, bad) in [("v3", "v3.txt", 1), ("v4", "v4_current.txt", 2)] {
        let text = std::fs::read(config.prompts_dir.join("customer_support").join(file)).unwrap();
        let head: RunHead = serde_json::from_value(json!({
            "name": format!("support-{version}"), "set": "support", "set_version": 0, "target": "candidate",
            "target_kind": "openai small", "prompt": format!("customer_support@{version}"),
            "prompt_hash": format!("{:x}", Sha256::digest(&text)), "evaluators": [], "cases": 40,
            "at": ctx.clock.now().to_string(), "by": "ann", "program": "1",
        }))
        .unwrap();
        ctx.store.create_run(&head).unwrap();
        land(ctx, &head.name, (0..40).map(|n| result(n, n >= 40 - bad, hostile)));
        ctx.clock.advance_ms(60_000);
    }
}

fn start(ctx: &Ctx, first: ScreenId) -> Story {
    let config = team(ctx.store.path().parent().unwrap());
    runs(ctx, &config, "");
    let mut story = Story::unstarted(ctx.clone(), first, Theme::default());
    story.model.screens.gate = GateScreen::new(config);
    story.send(Message::Started);
    story
}

/// The program at one of the screen's places.
pub fn at(place: Place, ctx: &Ctx) -> Option<Story> {
    let mut story = start(ctx, ScreenId::Gate);
    match place {
        Place::Gate => story.press("enter"),
        Place::GateEdges => story.press("enter e"),
        _ => &mut story,
    };
    Some(story)
}

#[test]
fn without_prompts_it_says_the_next_step() {
    let world = World::new();
    let mut story = Story::new(world.as_reviewer("ann"), ScreenId::Health);
    story.model.screens.gate =
        GateScreen::new(EvalConfig { prompts_dir: "prompts".into(), ..EvalConfig::default() });
    story.press("g a");
    insta::assert_snapshot!("empty_80", story.snapshot());
    // Nothing is there to open, and nothing breaks.
    story.press("enter j k esc");
    assert_eq!(story.model.active, ScreenId::Runs);
}

#[test]
fn a_gate_shows_its_ten_items_and_what_was_found() {
    let world = World::new();
    let ctx = world.as_reviewer("ann");
    let mut story = start(&ctx, ScreenId::Gate);
    story.press("enter");
    insta::assert_snapshot!("gate_80", story.snapshot());
    insta::assert_snapshot!("gate_200", story.snapshot_at(200, 50));
    story.resize(80, 24).press("j j j j");
    assert!(story.text().contains("nobody would be told when it breaks"), "{}", story.text());
    // What it came to stands in the list.
    story.press("esc");
    assert!(story.row(4).contains("NOT MET, 4 of 10 passed"), "{}", story.text());
    insta::assert_snapshot!("list_80", story.snapshot());
    insta::assert_snapshot!("list_200", story.snapshot_at(200, 50));
}

#[test]
fn from_a_run_to_its_gate_and_back() {
    let world = World::new();
    let ctx = world.as_reviewer("ann");
    let mut story = start(&ctx, ScreenId::Runs);
    story.press("D");
    assert!(story.row(1).contains("customer_support@v4 · gate"), "{}", story.text());
    story.press("esc");
    assert_eq!(story.model.active, ScreenId::Runs);
    // A prompt that is not there is told, and one is back where one was.
    std::fs::remove_dir_all(world.path().parent().unwrap().join("prompts")).unwrap();
    story.press("D");
    assert_eq!(story.model.active, ScreenId::Runs);
    assert!(story.text().contains("There is no prompt `customer_support`"), "{}", story.text());
}

#[test]
fn edge_cases_are_labelled_one_after_the_other() {
    let world = World::new();
    let ctx = world.as_reviewer("ann");
    let mut story = start(&ctx, ScreenId::Gate);
    story.press("enter j");
    assert!(story.row(4).contains("? not enough data 0 of 3 labels"), "{}", story.text());
    story.press("enter p");
    assert!(story.row(1).contains("1 of 5 labelled"), "{}", story.text());
    insta::assert_snapshot!("edges_80", story.snapshot());
    insta::assert_snapshot!("edges_200", story.snapshot_at(200, 50));
    story.resize(80, 24).press("p f");
    assert!(story.row(1).contains("3 of 5 labelled"), "{}", story.text());
    story.press("esc");
    assert!(story.row(4).contains("✗ not met         66.7 % of 3"), "{}", story.text());
    // Keys that come faster than labels are kept are about one case each.
    story.press("e").hold().press("p p").release();
    assert!(story.row(1).contains("5 of 5 labelled"), "{}", story.text());
    story.press("esc");
    // A person's newest word counts.
    story.press("e j j p esc");
    assert!(story.row(4).contains("✓ met, not proven 100 % of 5"), "{}", story.text());
}

#[test]
fn what_a_person_signs_is_signed_by_key() {
    let world = World::new();
    let ctx = world.as_reviewer("ann");
    let mut story = start(&ctx, ScreenId::Gate);
    story.press("enter j j j j j j j");
    assert!(story.row(10).contains("○ unsigned        by Jo Fox in "), "{}", story.text());
    story.press("s");
    insta::assert_snapshot!("sign_80", story.snapshot());
    story.press("enter");
    assert!(story.row(10).contains("✓ met             ann read "), "{}", story.text());
    // Its author cannot: the form begins with whoever is at the keyboard.
    story.press("s ctrl-u").type_text("jo").press("enter");
    assert!(story.status().contains("a review is another person's"), "{}", story.status());
    story.press("j s enter j s tab tab").type_text("+49 30 1234").press("enter");
    assert!(story.row(11).contains("10 → 50 → 100 %, signed by ann"), "{}", story.text());
    assert!(story.row(12).contains("ann, until 2026-03-11 12:02 UTC"), "{}", story.text());
}

#[test]
fn the_rollback_is_practised_by_key_after_a_question() {
    let world = World::new();
    let ctx = world.as_reviewer("ann");
    let mut story = start(&ctx, ScreenId::Gate);
    story.press("enter");
    assert!(story.row(8).contains("? not enough data to v3, never practised"), "{}", story.text());
    story.press("d esc");
    assert!(story.row(8).contains("never practised"), "{}", story.text());
    story.press("d y");
    assert!(story.row(8).contains("✓ met             to v3 in "), "{}", story.text());
    assert!(story.status().starts_with("✓ back to v3 in "), "{}", story.status());
    // Without a target there is nothing to try.
    story.press("x");
    assert!(story.text().contains("There is no target to try"), "{}", story.text());
}

#[test]
fn hostile_words_stay_words() {
    let world = World::new();
    let ctx = world.as_reviewer(HOSTILE);
    let folder = world.path().parent().unwrap().to_owned();
    let config = team(&folder);
    let escaped = "\\u001b]0;owned\\u0007\\u202eevil";
    let gate = format!(
        "schema = 1\n[item.oncall]\nwho = \"{escaped}\"\n[waive]\nmonitors = {{ reason = \"{escaped}\", by = \"{escaped}\", expires = '2026-04-01' }}\n"
    );
    std::fs::write(folder.join("gates/customer_support.toml"), gate).unwrap();
    runs(&ctx, &config, HOSTILE);
    let mut story = Story::unstarted(ctx, ScreenId::Gate, Theme::default());
    story.model.screens.gate = GateScreen::new(config);
    story.send(Message::Started);
    for keys in ["enter", "j j j j", "j j j j j", "e", "p", "esc s", "esc esc"] {
        story.press(keys);
        for size in [(80, 24), (200, 50), (41, 11), (3, 2)] {
            story.resize(size.0, size.1);
            let text = story.text();
            assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}', '\u{200b}']), "{text:?}");
        }
        story.resize(80, 24);
    }
}
