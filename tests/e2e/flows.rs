//! The three ways through the program that it is made for, each with keys in a real terminal of 80×24 and
//! held, at its end, against what the command line says.

use std::path::Path;

use serde_json::Value;

use crate::pty::Terminal;
use crate::support::{run_json, run_to, store_with, traces};

/// Clears the field that is being typed in.
const CLEAR: &str = "\x15";
const TAB: &str = "\t";
const ENTER: &str = "\r";
const SAVE: &str = "\x13";

/// The trace whose response is on screen: `support::traces` asks each its own number.
fn trace_on(screen: &str) -> String {
    let (_, after) = screen.split_once("fee number ").unwrap_or_else(|| panic!("no response on\n{screen}"));
    let number: String = after.chars().take_while(char::is_ascii_digit).collect();
    format!("t-{number}")
}

/// Waits until the response at this place of the queue is on screen, and gives its trace.
fn at_place(terminal: &Terminal, place: usize) -> String {
    let screen = terminal.wait_until(&format!("response {place}"), |screen| {
        screen.lines().nth(3).is_some_and(|line| line.starts_with(&format!(" {place} ")))
            && screen.contains("fee number")
    });
    trace_on(&screen)
}

fn labels(store: &Path) -> Vec<Value> {
    let lines = run_to(0, store, &["labels", "export", "--format", "jsonl"]);
    lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn an_engineer_brings_traces_in_labels_them_and_leaves_with_a_bigger_eval_set() {
    let (folder, store) = store_with(0);
    let file = folder.path().join("week.jsonl");
    std::fs::write(&file, traces(0, 120)).expect("written");
    let importing = Terminal::start(&store, &["import", "week.jsonl"], 80, 24);
    importing.wait_for("120");
    importing.wait_for_end();

    let mut terminal = Terminal::start(&store, &[], 80, 24);
    terminal.wait_for("Health");
    terminal.keys("gr");
    terminal.wait_for("No samples yet.");
    terminal.type_and_see("D", "Draw a sample");
    terminal.keys(&format!("{CLEAR}triage{TAB}{CLEAR}8{ENTER}"));
    terminal.wait_for("triage · 0 of 8");

    let passed = at_place(&terminal, 1);
    terminal.type_and_see("p", "✓ 1 pass");
    let failed = at_place(&terminal, 2);
    terminal.type_and_see("f", "which failure");
    terminal.type_and_see("2", "✗ 2 fail: wrong tone");
    terminal.wait_for("triage · 2 of 8");

    // A note belongs to a response that has its label already.
    at_place(&terminal, 3);
    terminal.keys("h");
    at_place(&terminal, 2);
    terminal.type_and_see("n", "Note: why");
    terminal.keys(&format!("Curt, and no word of the waiver{SAVE}"));
    terminal.wait_for("✗ 2 fail: wrong tone, with a note");

    // The next open one passes by mistake, and is taken back.
    terminal.keys("]");
    let mistaken = at_place(&terminal, 3);
    terminal.type_and_see("p", "✓ 3 pass");
    terminal.type_and_see("u", "took back pass");
    assert_eq!(at_place(&terminal, 3), mistaken);
    terminal.wait_for("triage · 2 of 8");

    // Two cases: the failed one, whose note is its reasoning, and one that nobody labelled.
    terminal.keys("h");
    at_place(&terminal, 2);
    terminal.type_and_see("e", &format!("Promote {failed}"));
    terminal.wait_for("Curt, and no word of the waiver");
    terminal.keys(&format!("Sorry about that: it is waived.{ENTER}"));
    terminal.wait_for("added to customer_support");
    terminal.keys("l");
    at_place(&terminal, 3);
    terminal.type_and_see("e", &format!("Promote {mistaken}"));
    terminal.keys(&format!("{TAB}Asked often{ENTER}"));
    terminal.wait_until("the second case", |screen| {
        !screen.contains("Promote") && screen.contains("added to customer_support")
    });
    terminal.keys("q");
    assert_eq!(terminal.exit_code(), 0);
    terminal.wait_for_end();
    terminal.assert_given_back("after q");

    let labels = labels(&store);
    let of = |trace: &str| labels.iter().find(|label| label["trace"] == trace);
    assert_eq!(labels.len(), 2, "the mistake was taken back: {labels:?}");
    assert_eq!(of(&passed).expect("a label")["verdict"], "pass");
    let label = of(&failed).expect("a label");
    assert_eq!((&label["verdict"], &label["mode"]), (&"fail".into(), &"wrong_tone".into()));
    assert_eq!(
        (&label["note"], &label["reviewer"]),
        (&"Curt, and no word of the waiver".into(), &"ann".into())
    );

    let exported = run_to(0, &store, &["evals", "export", "--set", "customer_support"]);
    let cases: Vec<Value> = exported.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let case = |trace: &str| cases.iter().find(|case| case["trace"] == trace).expect("a case");
    assert_eq!(cases.len(), 2, "{exported}");
    let first = case(&failed);
    assert_eq!(first["expected"], "Sorry about that: it is waived.");
    assert_eq!(first["reasoning"], "Curt, and no word of the waiver");
    assert!(first["label"].is_string(), "{first}");
    assert_eq!(case(&mistaken)["reasoning"], "Asked often");
    let file = std::fs::read_to_string(folder.path().join("evals/customer_support.jsonl")).expect("the file");
    assert_eq!(file, exported, "the set's file is what is exported");
    assert_eq!(file.lines().count(), 2, "one line a case");
}

#[test]
fn a_commander_steps_through_an_incident_to_its_post_mortem() {
    let (folder, store) = store_with(60);
    let mut terminal = Terminal::start(&store, &[], 80, 24);
    terminal.wait_for("Health");
    terminal.type_and_see("I", "what is wrong:");
    terminal.keys(&format!("Bad advice on fees{ENTER}"));
    terminal.wait_for("is the meter broken?");

    let opened = run_json(&store, &["incident", "show", "1", "--json"]);
    let phases = opened["phases"].as_array().expect("phases");
    assert_eq!(phases.len(), 6);
    let mut said = Vec::new();
    for (place, phase) in phases.iter().enumerate() {
        // The cursor goes to the next open step by itself, from phase to phase.
        terminal.wait_for(&format!(
            "{}/6 {}",
            place + 1,
            phase["title"].as_str().expect("a title").to_uppercase()
        ));
        for step in phase["steps"].as_array().expect("steps") {
            let (id, title) = (step["id"].as_str().expect("an id"), step["title"].as_str().expect("a title"));
            let note = format!("note of {id}");
            if id == "gate" {
                terminal.type_and_see("s", "skipped, because:");
                terminal.keys(&format!("{note}{ENTER}"));
                terminal.wait_for(&format!("skipped: {title}"));
                said.push(note);
                continue;
            }
            terminal.keys("d");
            let screen = terminal.wait_until(&format!("the question of {id}"), |screen| {
                ["note:", "what was done:", "in words…", "ctrl-s save"]
                    .iter()
                    .any(|word| screen.contains(word))
            });
            if screen.contains("in words…") {
                let choice = step["choices"][0].as_str().expect("a choice");
                terminal.keys("1");
                terminal.wait_until(&format!("the answer of {id}"), |screen| {
                    !screen.contains("in words…")
                        && screen.lines().nth(22).is_some_and(|line| line.contains(choice))
                });
                said.push(choice.to_owned());
                continue;
            }
            terminal.keys(&note);
            terminal.keys(if screen.contains("ctrl-s save") { SAVE } else { ENTER });
            // A long title is cut at the screen's edge.
            let title: String = title.chars().take(60).collect();
            terminal.wait_for(&format!("done: {title}"));
            said.push(note);
        }
    }
    terminal.type_and_see("n", "note:");
    terminal.keys(&format!("Support was told at once{ENTER}"));
    terminal.wait_for("noted");
    terminal.type_and_see("c", "resolved");
    terminal.type_and_see("r", "resolved, in a sentence:");
    terminal.keys(&format!("The earlier prompt is back{ENTER}"));
    terminal.wait_for("closed INC-1");
    terminal.wait_for("Post-mortem INC-1");
    terminal.type_and_see("w", "write it to:");
    terminal.keys(&format!("{CLEAR}post.md{ENTER}"));
    terminal.wait_for("wrote post.md");
    terminal.keys("q");
    assert_eq!(terminal.exit_code(), 0);

    let closed = run_json(&store, &["incident", "show", "1", "--json"]);
    let steps = closed["phases"].as_array().expect("phases").iter().flat_map(|phase| {
        phase["steps"]
            .as_array()
            .expect("steps")
            .iter()
            .map(|step| (step["id"].clone(), step["state"].clone()))
    });
    for (id, state) in steps {
        let wanted = if id == "gate" { "skipped" } else { "done" };
        assert_eq!(state, wanted, "{id}");
    }
    assert_eq!(closed["state"], "closed");
    let written = std::fs::read_to_string(folder.path().join("post.md")).expect("the file");
    assert_eq!(written, run_to(0, &store, &["incident", "postmortem", "1"]), "both faces write the same");
    said.extend(
        ["Bad advice on fees", "Support was told at once", "The earlier prompt is back"].map(str::to_owned),
    );
    for words in said {
        assert!(written.contains(&words), "{words:?} in\n{written}");
    }
}

#[test]
fn two_reviewers_at_one_store_see_each_other() {
    let (_folder, store) = store_with(60);
    run_to(0, &store, &["sample", "draw", "week", "--size", "6"]);
    let start = |who: &str| {
        let terminal = Terminal::start(&store, &["--reviewer", who, "review", "week"], 80, 24);
        terminal.wait_for("week · 0 of 6");
        terminal
    };
    let (mut ann, mut bo) = (start("ann"), start("bo"));
    let first = at_place(&ann, 1);
    assert_eq!(at_place(&bo, 1), first);

    // What the other said is hidden until one has said something oneself.
    ann.keys("f");
    ann.wait_for("which failure");
    ann.type_and_see("2", "✗ 1 fail: wrong tone");
    let screen = bo.wait_for("1 other label, shown after yours");
    assert!(!screen.contains("ann: ✗"), "{screen}");
    bo.type_and_see("p", "✓ 1 pass");
    bo.keys("h");
    at_place(&bo, 1);
    bo.wait_for("you: ✓ pass   ann: ✗ fail: wrong tone");

    // And back: ann looks at it, and bo's label comes, changes and goes under her eyes.
    ann.keys("h");
    at_place(&ann, 1);
    ann.wait_for("you: ✗ fail: wrong tone   bo: ✓ pass");
    bo.keys("x");
    bo.wait_for("? 1 unsure");
    ann.wait_for("bo: ? unsure");
    bo.type_and_see("u", "took back unsure");
    ann.wait_for("bo: ✓ pass");
    bo.keys("u");
    bo.wait_for("now no label");
    ann.wait_until("bo's label gone", |screen| !screen.contains("bo:"));

    // Both at once, key upon key: nobody loses anything.
    ann.keys("]");
    at_place(&ann, 2);
    at_place(&bo, 1);
    for _ in 0..5 {
        ann.keys("p");
        bo.keys("x");
    }
    bo.keys("x");
    ann.wait_for("All 6 are reviewed.");
    bo.wait_for("All 6 are reviewed.");
    for terminal in [&mut ann, &mut bo] {
        terminal.keys("q");
        assert_eq!(terminal.exit_code(), 0);
    }
    let labels = labels(&store);
    let count = |who: &str, verdict: &str| {
        labels.iter().filter(|label| label["reviewer"] == who && label["verdict"] == verdict).count()
    };
    assert_eq!((count("ann", "fail"), count("ann", "pass"), count("bo", "unsure")), (1, 5, 6), "{labels:?}");
    assert_eq!(labels.len(), 12);
}
