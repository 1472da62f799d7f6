//! Every answer with `--json` has the shape that `tuesday help json` gives it: every key that is named there
//! and no other, values of the kinds named, and each key seen at least once.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::json_shape::{JSON, JSON_EVAL, Topic};
use crate::support::{run, run_to, store_with};

/// A trace with all there can be, at an age in hours.
fn trace(id: &str, hours: i64, more: Value) -> Value {
    let time = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(hours);
    let mut trace = json!({
        "id": id, "session": "s", "user": format!("u-{id}"), "time": time.to_string(), "feature": "support",
        "model": "gpt-4o", "prompt": "support", "prompt_version": "v4",
        "input": format!("Why was a fee taken, number {id}?"), "output": "It is waived.",
        "latency_ms": 900.5, "ttft_ms": 200.5, "tokens_in": 10, "tokens_out": 5, "cost_usd": 0.002,
        "experiment": "short", "arm": "B", "tags": ["vip"], "metadata": {"plan": {"name": "gold"}},
        "score": {"tone": 0.5}, "fallback": true,
        "feedback": [{"kind": "thumbs", "value": "down", "comment": "no", "time": time.to_string()}],
        "spans": [{"name": "look", "kind": "tool", "input": {"a": 1}, "output": [1]}],
    });
    for (key, value) in more.as_object().unwrap() {
        trace[key] = value.clone();
    }
    trace
}

#[test]
fn every_answer_is_as_the_help_says() {
    let topic = Topic::of(JSON, &[JSON_EVAL]);
    let (folder, store) = store_with(0);
    let asked = RefCell::new(BTreeSet::new());
    let ask_in = |store: &Path, code: i32, title: &str, args: &[&str]| -> Value {
        let out = run_to(code, store, &[args, &["--json"]].concat());
        let value =
            serde_json::from_str(&out).unwrap_or_else(|e| panic!("{args:?} printed no JSON ({e}):\n{out}"));
        topic.check_answer(title, &value);
        asked.borrow_mut().insert(title.to_owned());
        value
    };
    let ask_to = |code: i32, title: &str, args: &[&str]| ask_in(&store, code, title, args);
    let ask = |title: &str, args: &[&str]| ask_to(0, title, args);
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };

    let failed = json!({"status": "error", "error_kind": "timeout", "output": "", "tags": []});
    let mut lines: Vec<String> = Vec::new();
    for (id, hours) in [("a", 1), ("b", 2), ("c", 3), ("d", 170)] {
        lines.push(trace(id, hours, json!({})).to_string());
    }
    lines.push(trace("e", 4, failed).to_string());
    lines.push(trace("g", 200, json!({"model": "gpt-4", "metadata": {"language": "de"}})).to_string());
    lines.push("{\"input\": 3}".to_owned());
    let traces = file("traces.jsonl", &lines.join("\n"));
    ask_to(3, "import FILE…", &["import", &traces]);
    ask("trace list [QUERY]", &["trace", "list", "feedback:down model:gpt-5"]);
    ask("trace list [QUERY]", &["trace", "list"]);
    ask("trace list [QUERY] --count", &["trace", "list", "--count"]);
    ask("health", &["health"]);
    ask("health", &["health", "--feature", "support", "--window", "7d", "--by", "language"]);
    ask(
        "health",
        &["health", "--window", "28d", "--by", "model", "--prompt-version", "support@v4", "--language", "de"],
    );

    ask("sample draw NAME", &["sample", "draw", "week", "--size", "4", "--since", "2d", "--strata", "model"]);
    ask("sample draw NAME", &["sample", "draw", "tenth", "--rate", "100%", "--where", "model:gpt-5,gpt-4o"]);
    ask("sample list", &["sample", "list"]);
    let label = |args: &[&str]| ask("label TRACE VERDICT", &[&["label"], args].concat());
    label(&["a", "pass"]);
    label(&["b", "pass", "--note", "fine"]);
    let corrected = ["--note", "wrong fee", "--corrected", "We waive it."];
    label(&[&["b", "fail", "--mode", "1", "--severity", "high"], &corrected[..]].concat());
    label(&["c", "unsure"]);
    ask("label undo", &["label", "undo"]);
    let jo = ["--store", store.to_str().unwrap(), "--reviewer", "jo", "label", "b", "pass"];
    assert!(Command::new(env!("CARGO_BIN_EXE_tuesday")).args(jo).output().unwrap().status.success());
    ask("labels export", &["labels", "export"]);
    ask("sample show NAME", &["sample", "show", "week"]);
    ask("taxonomy, taxonomy list", &["taxonomy"]);
    let modes = "taxonomy add NAME, rename, describe, retire, restore";
    ask(modes, &["taxonomy", "add", "too long"]);
    ask(modes, &["taxonomy", "retire", "too_long"]);

    let promote = "evals promote TRACE… --set SET";
    ask_to(3, promote, &["evals", "promote", "a", "b", "nowhere", "--set", "support"]);
    ask(promote, &["evals", "promote", "b", "--set", "support", "--check", "length: 1..200"]);
    let twin =
        file("twin.jsonl", &trace("f", 1, json!({"input": "Why was a fee taken, number b?"})).to_string());
    run_to(0, &store, &["import", &twin]);
    ask(promote, &["evals", "promote", "f", "--set", "support"]);
    ask(
        promote,
        &["evals", "promote", "f", "--set", "other", "--behaviour", "asks first", "--reasoning", "why"],
    );
    ask("evals list", &["evals", "list"]);
    let set = ask("evals show SET", &["evals", "show", "support"]);
    let case = |trace: &str| {
        let cases = set["cases"].as_array().unwrap();
        cases.iter().find(|case| case["trace"] == trace).unwrap()["id"].as_str().unwrap().to_owned()
    };
    ask("evals show SET CASE", &["evals", "show", "support", &case("b")]);
    ask("evals export --set SET", &["evals", "export", "--set", "support"]);
    ask("evals export --set SET", &["evals", "export", "--set", "other"]);
    // The set changes where the file does not follow; the file changes too, and has a broken line.
    let path = folder.path().join("evals/support.jsonl");
    let written = std::fs::read_to_string(&path).unwrap();
    let change = "evals edit CASE --set SET, retire, restore";
    let half = ["edit", &case("b"), "--set", "support", "--expected", "We waive half.", "--evals-dir", "x"];
    ask(change, &[&["evals"], &half[..]].concat());
    std::fs::write(&path, written.replace("We waive it.", "We waive it all.") + "{\"oops\"\n").unwrap();
    let (import, path) = ("evals import FILE --set SET", path.to_str().unwrap());
    ask_to(3, import, &["evals", "import", path, "--set", "support", "--dry-run"]);
    ask_to(3, import, &["evals", "import", path, "--set", "support"]);
    ask(change, &["evals", "retire", &case("a"), "--set", "support"]);

    let opened = ["--severity", "SEV2", "--feature", "support", "--began", "5h"];
    ask("incident open TITLE", &[&["incident", "open", "Bad advice"], &opened[..]].concat());
    let act = "incident step ID STEP WHAT, note, attach, severity, began, feature, phase, handover, scribe, update, close, reopen";
    // One step acted, one looked, one waits for a second person, one watches.
    file("flags.json", "{\"ai\": true}");
    let config = file(
        "acting.toml",
        "[features.support]\nswitch = { kind = 'flag_file', path = 'flags.json', pointer = '/ai' }\n",
    );
    for step in ["off", "fresh", "watch"] {
        run(&store, &["--config", &config, "incident", "step", "1", step, "--yes"]);
    }
    for args in [
        &["step", "1", "1", "done", "--note", "real"][..],
        &["note", "1", "Saw it"],
        &["attach", "1", "b"],
        &["attach", "1", "--query", "feedback:down"],
        &["severity", "1", "SEV3"],
        &["began", "1", "150m"],
        &["feature", "1", "support"],
        &["phase", "1", "contain"],
        &["handover", "1", "jo"],
        &["scribe", "1", "ann"],
        &["update", "1", "Answers are checked by hand."],
        &["close", "1", "--note", "over"],
        &["reopen", "1"],
    ] {
        ask(act, &[&["incident"], args].concat());
    }
    ask("incident figures ID", &["incident", "figures", "1"]);
    let parts = [
        "summary",
        "impact",
        "trigger",
        "why",
        "detection",
        "went_well",
        "went_badly",
        "lucky",
        "prevention",
        "eval_set",
    ];
    for part in parts {
        run_to(0, &store, &["incident", "postmortem", "1", "--set", &format!("{part}=x")]);
    }
    let action = ["--action", "watch it", "--owner", "jo", "--due", "2030-01-01"];
    let written = "incident postmortem ID, with --set PART=TEXT, --action TEXT or --sign";
    ask(written, &[&["incident", "postmortem", "1"], &action[..]].concat());
    ask(written, &["incident", "postmortem", "1", "--sign"]);
    ask("incident update ID, without a TEXT", &["incident", "update", "1"]);
    ask("incident list", &["incident", "list"]);
    ask("incident show ID", &["incident", "show", "1"]);
    let shown = ask("trace show ID", &["trace", "show", "b"]);
    assert_eq!(shown["incidents"], json!(["INC-1"]));
    ask("trace show ID", &["trace", "show", "e"]);
    let stated = folder.path().join("stated.jsonl");
    let line =
        r#"{"id":"stated","input":"Warum die Gebühr?","output":"Ein Irrtum.","metadata":{"language":"de"}}"#;
    std::fs::write(&stated, line).unwrap();
    run_to(0, &store, &["import", stated.to_str().unwrap()]);
    let shown = ask("trace show ID", &["trace", "show", "stated"]);
    assert_eq!(shown["language"], json!({"name": "de", "guessed": false}));
    let spans = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/otlp");
    for document in ["langfuse", "genai-previous"] {
        run_to(0, &store, &["import", &format!("{spans}/{document}.json")]);
    }
    for id in ["5b8efff798038103d269b633813fc601", "5b8efff798038103d269b633813fc60d"] {
        ask("trace show ID", &["trace", "show", id]);
    }

    ask("reread", &["reread"]);
    ask("doctor", &["doctor"]);
    ask("keys", &["keys"]);
    ask("init", &["init"]);
    ask_in(&folder.path().join("demo.db"), 0, "demo", &["demo", "--traces", "20"]);
    std::fs::write(&store, "no store any more").unwrap();
    ask_to(1, "doctor, where the store cannot be read", &["doctor"]);

    health_of_judged_traces(&topic);
    topic.is_whole(&asked.into_inner());
}

/// Forty traces that a judge spoke of, with labels enough to correct it: a program that tells by the question.
fn health_of_judged_traces(topic: &Topic) {
    let (folder, store) = store_with(40);
    let config = r#"
judge = "strict"
[targets.strict]
kind = "command"
command = ["sed", "-e", 's/.*fee number [23][0-9].*/{"explanation":"Wrong.","accuracy":3}/', "-e", "t", "-e", 's/.*/{"explanation":"Right.","accuracy":9}/']
[[evaluator]]
name = "strictly"
kind = "judge"
criteria = "accuracy"
[judge_sample]
"#;
    std::fs::write(folder.path().join("tuesday.toml"), config).unwrap();
    // The daily sample begins with what arrives after the first look.
    run_to(0, &store, &["watch", "--once"]);
    let now = jiff::Timestamp::now();
    let line = format!("{}\n", json!({"id": "arrives", "time": now, "input": "q", "output": "a"}));
    std::fs::write(folder.path().join("new.jsonl"), line).unwrap();
    run_to(0, &store, &["import", folder.path().join("new.jsonl").to_str().unwrap()]);
    run_to(0, &store, &["watch", "--once"]);
    for n in 0..40 {
        run_to(0, &store, &["label", &format!("t-{n}"), if n < 20 { "pass" } else { "fail" }]);
    }
    run_to(0, &store, &["sample", "draw", "all", "--rate", "100%"]);
    run_to(0, &store, &["eval", "score", "--sample", "all"]);
    let health: serde_json::Value = serde_json::from_str(&run_to(0, &store, &["health", "--json"])).unwrap();
    topic.check_answer("health", &health);
    assert_eq!(
        (health["judged"]["people"].as_u64(), health["judged"]["labels"][1].as_u64()),
        (Some(40), Some(20))
    );
    assert_eq!(health["daily_sample"]["drawn"], 1);
    assert!(health["judged"]["corrected"]["rate"].is_number(), "{}", health["judged"]);
}
