//! Several programs that label one store at once.

use std::collections::BTreeSet;
use std::process::Stdio;

use serde_json::Value;

use crate::support::{run_json, run_to, store_with, tuesday};

#[test]
fn programs_that_label_at_once_lose_nothing_and_undo_their_own() {
    let (_folder, store) = store_with(40);
    for round in 0..10 {
        let started: Vec<_> = (0..4)
            .map(|n| {
                let trace = format!("t-{}", round * 4 + n);
                let mut command = tuesday(&store);
                command.args(["label", &trace, ["pass", "unsure"][n % 2]]).stdout(Stdio::null());
                command.spawn().unwrap()
            })
            .collect();
        for mut program in started {
            assert!(program.wait().unwrap().success());
        }
    }
    let lines = run_to(0, &store, &["labels", "export"]);
    let labelled: BTreeSet<String> = lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["trace"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(labelled.len(), 40);
    let undone = run_json(&store, &["label", "undo", "--json"]);
    assert!(labelled.contains(undone["trace"].as_str().unwrap()));
    assert_eq!(run_to(0, &store, &["labels", "export"]).lines().count(), 39);
}

#[test]
fn hostile_text_in_labels_comes_out_whole_in_data_and_harmless_in_messages() {
    let (_folder, store) = store_with(3);
    let note = "\u{1b}]0;owned\u{7}\u{202e}\u{9b}2J, \"quoted\"\nnext";
    let said = run_to(0, &store, &["label", "t-1", "fail", "--note", note]);
    assert!(!said.contains('\u{1b}') && !said.contains('\u{202e}'));
    let exported = run_to(0, &store, &["labels", "export"]);
    assert!(!exported.contains('\u{9b}') && !exported.contains('\u{202e}'), "{exported:?}");
    let line: Value = serde_json::from_str(&exported).unwrap();
    assert_eq!(line["note"], note);
    let csv = run_to(0, &store, &["labels", "export", "--format", "csv"]);
    let record = csv::Reader::from_reader(csv.as_bytes()).records().next().unwrap().unwrap();
    assert_eq!(&record[5], note);
    let refused = run_to(1, &store, &["label", "\u{1b}[2Jt", "pass"]);
    assert_eq!(refused, "");
}

#[test]
fn doctor_finds_present_labels_that_drifted_from_their_events_and_makes_them_anew() {
    let (folder, store) = store_with(3);
    for trace in ["t-0", "t-1"] {
        run_to(0, &store, &["label", trace, "pass"]);
    }
    let before = run_to(0, &store, &["labels", "export"]);
    let work = rusqlite::Connection::open(folder.path().join("t.db-work")).unwrap();
    work.execute("UPDATE label_now SET verdict = 'fail' WHERE trace_id = 't-1'", []).unwrap();
    drop(work);
    let said = run_to(1, &store, &["doctor"]);
    assert!(said.contains("--rebuild-labels"), "{said}");
    run_to(0, &store, &["doctor", "--rebuild-labels"]);
    assert_eq!(run_to(0, &store, &["labels", "export"]), before);
    run_to(0, &store, &["doctor"]);
}
