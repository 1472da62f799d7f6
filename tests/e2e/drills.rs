//! Drills: each of the five to its end in a terminal, what they answer, and two people in one.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::json_shape::{JSON, Topic};
use crate::pty::Terminal;
use crate::support::{run_json, run_to, store_with, tuesday};

const TOPIC: &str = include_str!("../../fixtures/help/json-drill.txt");
/// Few requests an hour, so that a drill is quick.
const SMALL: [&str; 2] = ["--an-hour", "60"];

/// The store of the drill whose folder is made in this one.
fn of_drill(folder: &Path) -> PathBuf {
    let of = |entry: std::io::Result<std::fs::DirEntry>| {
        let store = entry.ok()?.path().join("drill.db");
        store.exists().then_some(store)
    };
    std::fs::read_dir(folder).expect("a folder").find_map(of).expect("the drill's store")
}

/// The step of the drill's incident with this id.
fn step(incident: &Value, id: &str) -> Value {
    let phases = incident["phases"].as_array().expect("phases");
    let mut steps = phases.iter().flat_map(|phase| phase["steps"].as_array().expect("steps"));
    steps.find(|step| step["id"] == id).expect("a step").clone()
}

/// Plays a drill by itself in a terminal with as much traffic as usual, and gives its incident.
fn played(scenario: &str) -> Value {
    let (folder, store) = store_with(0);
    let args = ["incident", "drill", scenario, "--auto", "--keep"];
    let env = [("TMPDIR", folder.path().to_str().expect("UTF-8"))];
    let mut terminal = Terminal::start_with(&store, &args, 80, 24, &env);
    let screen = terminal.wait_for("of its kind");
    assert_eq!(terminal.exit_code(), 0, "{}", terminal.screen());
    assert!(screen.contains("points.") && screen.contains("after it began"), "{screen}");
    let held = run_json(&store, &["incident", "drill", "--list", "--json"]);
    assert_eq!((held[0]["scenario"].as_str(), held[0]["auto"].as_bool()), (Some(scenario), Some(true)));
    assert_eq!(
        (&held[0]["right_outcome"], &held[0]["right_cause"]),
        (&true.into(), &true.into()),
        "{held:#}"
    );
    assert_eq!(run_json(&store, &["incident", "list", "--json"]), serde_json::json!([]));
    run_json(&of_drill(folder.path()), &["incident", "show", "1", "--json"])
}

/// The same where there is harm: the traces show that the switch took.
fn contained(scenario: &str) -> Value {
    let incident = played(scenario);
    let timeline = incident["timeline"].to_string();
    assert!(timeline.contains("confirmed: answered by the model: 0 of"), "{timeline}");
    assert_eq!(step(&incident, "off")["state"], "done");
    incident
}

/// The watch came to its end by its own figures; nobody signed it.
fn held_to_its_end(incident: &Value) {
    let watch = step(incident, "watch");
    let note = watch["note"].as_str().unwrap_or_default();
    assert!(watch["state"] == "done" && note.ends_with("and all proven"), "{watch:#}");
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
    let incident = contained("bad-advice");
    // The good version was seen to answer, and the watch was held to its end: nothing was signed.
    held_to_its_end(&incident);
}

#[test]
fn the_outage_to_the_end() {
    contained("outage");
}

#[test]
fn the_cost_that_runs_away_to_the_end() {
    contained("cost");
}

#[test]
fn the_slow_drift_to_the_end() {
    contained("drift");
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
    let drill = of_drill(folder.path());
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

/// Types keys again and again until this is no longer on screen: for what only the traffic that arrives can bring
/// about.
fn until_gone(terminal: &Terminal, keys: &str, text: &str) {
    for _ in 0..1_200 {
        if !terminal.screen().contains(text) {
            return;
        }
        terminal.keys(keys);
        std::thread::sleep(Duration::from_millis(200));
    }
    panic!("{text:?} stays on\n{}", terminal.screen());
}

/// Signs the step under the cursor as done with a note.
fn done(terminal: &Terminal, note: &str, then: &str) {
    terminal.type_and_see("d", "done, note:");
    terminal.keys(note);
    terminal.wait_for(note);
    terminal.type_and_see("\r", then);
}

/// All six phases by hand, ten minutes of the drill's clock in a second.
#[test]
fn a_person_goes_through_the_bad_advice_by_hand() {
    let (folder, store) = store_with(0);
    let args = ["incident", "drill", "bad-advice", "--speed", "600"];
    let env = [("TMPDIR", folder.path().to_str().expect("UTF-8"))];
    let mut terminal = Terminal::start_with(&store, &args, 80, 24, &env);
    let t = &terminal;
    t.wait_for("quality-drift");
    t.type_and_see("gm", "false pages a month");
    t.type_and_see("I", "Acknowledge, and say who leads");
    // 1 detect
    done(t, "it is mine", "done: Acknowledge");
    t.type_and_see("x", "ok: newest trace");
    t.type_and_see("x", "ok: judges changed: none");
    done(t, "five are bad", "done: Read five");
    t.type_and_see("d", "in words…");
    t.type_and_see("1", "2/6 ASSESS");
    // 2 assess
    t.type_and_see("x", "shown: ");
    done(t, "many", "done: How bad");
    t.type_and_see("x", "shown: since");
    done(t, "this noon", "done: Since when?");
    t.type_and_see("x", "shown: ");
    done(t, "v4 on fees", "done: Who fails?");
    t.type_and_see("d", "in words…");
    t.type_and_see("2", "INC-1 SEV2");
    t.type_and_see("d", "in words…");
    t.type_and_see("1", "Three lines: what users see");
    t.type_and_see("u", "Update to those who wait");
    t.type_and_see("\x13", "Three lines: what users see");
    done(t, "told", "3/6 CONTAIN");
    // 3 contain: by typing the feature's name, and the traces show it
    t.type_and_see("d", "in words…");
    t.type_and_see("1", "Confirmed by typing the feature's name");
    t.type_and_see("x", "type customer_support to do it:");
    t.keys("customer_support\r");
    t.wait_for("✓ Switch the AI answer off");
    t.wait_for("· Did it take?");
    t.type_and_see("x", "✓ Did it take?");
    done(t, "told", "4/6 FIX");
    // 4 fix: a second person is asked, and is not there
    t.type_and_see("x", "the last known good one is v3");
    done(t, "v3", "done: Which version");
    t.type_and_see("x", "y ask a second person");
    t.type_and_see("y", "asked by ann");
    t.type_and_see("x", "nobody is there? act alone, because:");
    t.keys("it is the middle of the night\r");
    t.wait_for("✓ Put the last known good prompt back");
    t.type_and_see("s", "skipped, because:");
    t.keys("no new version\r");
    t.wait_for("skipped: A patch");
    t.type_and_see("x", "on traffic: the feature is switched off");
    t.type_and_see("gf", "customer_support is off");
    t.type_and_see("x", "type customer_support to switch it on");
    t.keys("customer_support\r");
    t.wait_for("customer_support is on");
    t.type_and_see("I", "Is the good version the one that answers?");
    until_gone(t, "x", "4/6 FIX");
    // 5 verify: three stages, each a clean hour and enough requests
    t.wait_for("5/6 VERIFY");
    t.wait_for("monitor · at most");
    until_gone(t, "x", "monitor · at most");
    let drill = of_drill(folder.path());
    let shown = run_json(&drill, &["incident", "show", "1", "--json"]);
    held_to_its_end(&shown);
    done(t, "read again", "done: Read the failing");
    done(t, "it is over", "6/6 POST-MORTEM");
    // 6 post-mortem
    t.type_and_see("c", "false alarm");
    t.type_and_see("r", "resolved, in a sentence:");
    t.keys("v3 is back\r");
    t.wait_for("CLOSED");
    t.keys("q");
    let screen = t.wait_for("of its kind");
    assert!(
        screen.contains("closed as what it was") && screen.contains("the bad one was taken out"),
        "{screen}"
    );
    assert_eq!(terminal.exit_code(), 0);
    let held = run_json(&store, &["incident", "drill", "--list", "--json"]);
    assert_eq!(held[0]["wrong_acts"], serde_json::json!([]), "{held:#}");
}

#[test]
fn a_runbook_that_would_fail_is_not_rehearsed_unless_one_says_so() {
    let (folder, store) = store_with(0);
    let book = "schema = 1\nname = \"ours\"\n[[step]]\nid = \"look\"\nphase = \"contain\"\n\
                kind = \"check\"\ntitle = \"Look at the moon\"\nmetric = \"moon\"\nmust = \"== 0\"\n";
    std::fs::write(folder.path().join("ours.toml"), book).expect("written");
    std::fs::write(folder.path().join("tuesday.toml"), "runbook = \"ours.toml\"\n").expect("written");
    let args = [&["incident", "drill", "judge", "--auto"], &SMALL[..]].concat();
    let drill = |more: &[&str]| {
        let mut command = tuesday(&store);
        command.current_dir(folder.path()).args(&args).args(more).output().expect("starts")
    };
    let refused = drill(&[]);
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{told}");
    assert!(told.contains("Look at the moon") && told.contains("--anyway"), "{told}");
    assert_eq!(run_json(&store, &["incident", "drill", "--list", "--json"]), serde_json::json!([]));
    let held = drill(&["--anyway"]);
    let told = String::from_utf8_lossy(&held.stderr).into_owned();
    assert_eq!(held.status.code(), Some(0), "{told}");
    assert!(told.contains("FAILS  Look at the moon"), "{told}");
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
