//! Drills: each of the five to its end in a terminal, what they answer, and two people in one.

use std::collections::BTreeSet;

use crate::json_shape::{JSON, Topic};
use crate::pty::Terminal;
use crate::support::{run_json, run_to, store_with, tuesday};

const TOPIC: &str = include_str!("../../fixtures/help/json-drill.txt");
/// Few requests an hour, so that a drill is quick.
const SMALL: [&str; 2] = ["--an-hour", "60"];

/// Plays a drill by itself in a terminal, and gives what stands there in the end.
fn played(scenario: &str) {
    let (_folder, store) = store_with(0);
    let args = [&["incident", "drill", scenario, "--auto"], &SMALL[..]].concat();
    let mut terminal = Terminal::start(&store, &args, 80, 24);
    assert_eq!(terminal.exit_code(), 0, "{}", terminal.screen());
    let screen = terminal.screen();
    assert!(screen.contains("points.") && screen.contains("noticed"), "{screen}");
    let held = run_json(&store, &["incident", "drill", "--list", "--json"]);
    assert_eq!((held[0]["scenario"].as_str(), held[0]["auto"].as_bool()), (Some(scenario), Some(true)));
    assert_eq!(held[0]["right_outcome"], true, "{held:#}");
    assert_eq!(run_json(&store, &["incident", "list", "--json"]), serde_json::json!([]));
}

#[test]
fn without_a_terminal_no_drill_is_begun() {
    let (_folder, store) = store_with(0);
    let output = tuesday(&store).args(["incident", "drill", "outage"]).output().expect("starts");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("--auto") && !told.contains("A drill, on a store of its own"), "{told}");
}

#[test]
fn bad_advice_to_the_end() {
    played("bad-advice");
}

#[test]
fn the_outage_to_the_end() {
    played("outage");
}

#[test]
fn the_cost_that_runs_away_to_the_end() {
    played("cost");
}

#[test]
fn the_slow_drift_to_the_end() {
    played("drift");
}

#[test]
fn the_broken_judge_to_the_end() {
    played("judge");
}

#[test]
fn a_person_holds_a_drill_and_another_joins() {
    let (folder, store) = store_with(0);
    let args = [&["incident", "drill", "outage", "--speed", "30"], &SMALL[..]].concat();
    let env = [("TMPDIR", folder.path().to_str().expect("UTF-8"))];
    let mut terminal = Terminal::start_with(&store, &args, 80, 24, &env);
    terminal.wait_for("Health");
    terminal.type_and_see("I", "what is wrong:");
    terminal.keys("The assistant hangs\r");
    let screen = terminal.wait_for("is the meter broken?");
    assert!(screen.contains("1/6 DETECT"), "{screen}");
    assert!(screen.contains("DRILL"), "{screen}");
    // The other one finds the drill's store, by its clock and with its sandbox.
    let of_drill = |entry: std::io::Result<std::fs::DirEntry>| {
        let store = entry.ok()?.path().join("drill.db");
        store.exists().then_some(store)
    };
    let drill =
        std::fs::read_dir(folder.path()).expect("a folder").find_map(of_drill).expect("the drill's store");
    let shown = run_json(&drill, &["incident", "show", "1", "--json"]);
    assert_eq!(shown["drill"], true);
    terminal.type_and_see("T", "opened");
    run_to(0, &drill, &["incident", "note", "1", "The other one sees it too"]);
    terminal.wait_for("The other one sees it too");
    let other = run_json(&drill, &["feature", "list", "--json"]).to_string();
    assert!(other.contains("sandbox"), "its switches are copies: {other}");
    terminal.keys("q");
    let screen = terminal.wait_for("missed: the incident was not closed");
    assert!(screen.contains("points"), "{screen}");
    assert_eq!(terminal.exit_code(), 0);
    assert!(!drill.exists(), "nothing is left of it");
    let held = run_json(&store, &["incident", "drill", "--list", "--json"]);
    assert_eq!((held[0]["auto"].as_bool(), held[0]["right_outcome"].as_bool()), (Some(false), Some(false)));
}

#[test]
fn every_answer_is_as_the_help_says() {
    let topic = Topic::of(TOPIC, &[JSON]);
    let (_folder, store) = store_with(0);
    let mut asked = BTreeSet::new();
    let mut ask = |title: &str, args: &[&str]| {
        topic.check_answer(title, &run_json(&store, args));
        asked.insert(title.to_owned());
    };
    let small = |scenario| [&["incident", "drill", scenario, "--auto", "--json"], &SMALL[..]].concat();
    ask("incident drill [SCENARIO]", &small("bad-advice"));
    ask("incident drill [SCENARIO]", &small("judge"));
    ask("incident drill [SCENARIO]", &small("bad-advice"));
    ask("incident drill --list", &["incident", "drill", "--list", "--json"]);
    topic.is_whole(&asked);
}
