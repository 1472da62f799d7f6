//! The answers of `tuesday runbook … --json` and of steps that act have the shapes that `tuesday help json-runbook`
//! gives them.

use std::cell::RefCell;
use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::json_shape::{JSON, JSON_EVAL, Topic};
use crate::support::{run_to, store_with, tuesday, tuesday_as};

const TOPIC: &str = include_str!("../../fixtures/help/json-runbook.txt");

const BOOK: &str = r#"
schema = 1
name = "ours"
feature = "support"
secrets = ["NO_SUCH_KEY"]
[[step]]
id = "fresh"
phase = "detect"
kind = "check"
title = "Fresh?"
metric = "error_share"
must = "< 90%"
window = "24h"
[[step]]
id = "off"
phase = "contain"
kind = "flag"
title = "Off"
to = "off"
confirm = "type"
confirm_effect = { metric = "model_answered", must = "== 0", for = "5m" }
[[step]]
id = "gone"
phase = "contain"
kind = "command"
title = "Gone"
run = ["./nowhere"]
[[step]]
id = "two"
phase = "fix"
kind = "command"
title = "Two"
confirm = "none"
run = ["true"]
approve = { by = "other", within = "5m", break_glass = true }
[[step]]
id = "watch"
phase = "verify"
kind = "monitor"
title = "Watch"
for = "60m"
every = "1s"
stages = [10, 100]
must = [{ metric = "error_share", op = "<", value = 0.05, prove = 0.95 }]
"#;

#[test]
fn every_answer_is_as_the_help_says() {
    let topic = Topic::of(TOPIC, &[JSON, JSON_EVAL]);
    let (folder, store) = store_with(0);
    std::fs::write(folder.path().join("flags.json"), "{\"ai\": true}").unwrap();
    std::fs::create_dir_all(folder.path().join("runbooks")).unwrap();
    std::fs::write(folder.path().join("runbooks/ours.toml"), BOOK).unwrap();
    std::fs::write(folder.path().join("runbooks/wrong.toml"), "schema = 2").unwrap();
    std::fs::write(
        folder.path().join("tuesday.toml"),
        "runbook = 'runbooks/ours.toml'\n[features.support]\nswitch = { kind = 'flag_file', path = 'flags.json', pointer = '/ai' }\n",
    )
    .unwrap();
    let traces: String = (0..60)
        .map(|n| {
            let time = jiff::Timestamp::now() - jiff::SignedDuration::from_secs(30 + n * 20);
            let status = if n % 2 == 0 { "ok" } else { "error" };
            format!("{}\n", json!({"id": format!("t-{n}"), "time": time, "feature": "support", "input": "q", "output": "a", "status": status}))
        })
        .collect();
    let file = folder.path().join("traces.jsonl");
    std::fs::write(&file, traces).unwrap();
    run_to(0, &store, &["import", file.to_str().unwrap()]);
    let asked = RefCell::new(BTreeSet::new());
    let ask = |code: i32, title: &str, args: &[&str]| -> Value {
        let out = run_to(code, &store, &[args, &["--json"]].concat());
        let value: Value = serde_json::from_str(&out).unwrap_or_else(|e| panic!("{args:?}: {e}: {out}"));
        topic.check_answer(title, &value);
        asked.borrow_mut().insert(title.to_owned());
        value
    };
    let rows = ask(0, "runbook list", &["runbook", "list"]);
    assert_eq!(rows.as_array().unwrap().len(), 5, "{rows}");
    ask(0, "runbook show [RUNBOOK]", &["runbook", "show"]);
    let checked = ask(1, "runbook check [RUNBOOK]", &["runbook", "check", "ours"]);
    assert_eq!(
        (&checked["fail"], &checked["missing_variables"][0]),
        (&json!(2), &json!("NO_SUCH_KEY")),
        "{checked}"
    );
    run_to(0, &store, &["incident", "open", "bad"]);

    let running = "incident step ID STEP; incident contain ID; with --recheck too";
    let dry = "incident step ID STEP --dry-run";
    ask(0, running, &["incident", "step", "1", "fresh"]);
    let planned = ask(0, dry, &["incident", "step", "1", "off", "--dry-run"]);
    assert_eq!(
        (&planned["from"], &planned["to"], &planned["type_this"]),
        (&json!("on"), &json!("off"), &json!("support"))
    );
    // Without a yes and without a terminal nothing acts.
    run_to(2, &store, &["incident", "contain", "1", "--json"]);
    ask(1, dry, &["incident", "step", "1", "gone", "--dry-run"]);
    let ran = ask(0, running, &["incident", "contain", "1", "--yes"]);
    assert_eq!((&ran["state"], &ran["effect"]["state"]), (&json!("done"), &json!("waiting")), "{ran}");
    assert_eq!(std::fs::read_to_string(folder.path().join("flags.json")).unwrap(), "{\"ai\": false}");
    ask(0, running, &["incident", "step", "1", "off", "--recheck"]);
    ask(0, "incident step ID STEP --approve; incident rebase ID", &["incident", "step", "1", "off", "done"]);
    ask(1, running, &["incident", "step", "1", "two"]);
    let waits = ask(0, dry, &["incident", "step", "1", "two", "--dry-run"]);
    assert_eq!(waits["approval"]["state"], "waiting", "{waits}");
    let out = tuesday_as(&store, "jo")
        .args(["incident", "step", "1", "two", "--approve", "--json"])
        .output()
        .unwrap();
    assert!(out.status.success(), "{out:?}");
    ask(0, running, &["incident", "step", "1", "two"]);
    ask(0, running, &["incident", "step", "1", "watch"]);
    let bad: String = (0..60)
        .map(|n| {
            let time = jiff::Timestamp::now();
            format!("{}\n", json!({"id": format!("b-{n}"), "time": time, "feature": "support", "input": "q", "output": "a", "status": "error"}))
        })
        .collect();
    std::fs::write(&file, bad).unwrap();
    run_to(0, &store, &["import", file.to_str().unwrap()]);
    // Until the second that they fell into is over.
    while ask(0, "incident verify ID", &["incident", "verify", "1"])["resets"] == json!([]) {}

    // One whose program was killed in the middle.
    let hang = BOOK
        .replace("./nowhere", "./hang")
        .replace("title = \"Gone\"", "title = \"Gone\"\nconfirm = \"none\"");
    std::fs::write(folder.path().join("runbooks/ours.toml"), hang).unwrap();
    std::fs::write(folder.path().join("hang"), "#!/bin/sh\ntouch began\nsleep 20\n").unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(folder.path().join("hang"), mode).unwrap();
    ask(0, "incident step ID STEP --approve; incident rebase ID", &["incident", "rebase", "1"]);
    let mut child = tuesday(&store)
        .args(["incident", "step", "1", "gone"])
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    while !folder.path().join("began").exists() {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let planned = ask(0, dry, &["incident", "step", "1", "gone", "--dry-run"]);
    assert_eq!(planned["unsettled"]["runs"], true, "{planned}");
    child.kill().unwrap();
    child.wait().unwrap();
    let planned = ask(0, dry, &["incident", "step", "1", "gone", "--dry-run"]);
    assert_eq!(planned["unsettled"]["runs"], false, "{planned}");
    ask(1, running, &["incident", "step", "1", "gone", "--recheck"]);
    run_to(1, &store, &["incident", "step", "1", "gone"]);
    topic.is_whole(&asked.borrow());
}
