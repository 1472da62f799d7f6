//! The answers of `tuesday eval … --json` have the shapes that `tuesday help json-eval` gives them.

use std::cell::RefCell;
use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::json_shape::{JSON, JSON_EVAL, Topic};
use crate::llm_server::{Fault, LlmServer};
use crate::support::{self, run_to, store_with};

/// Rules, a judge that tells by the question (a program) and one that always says the same and has a price.
fn evaluating(server: &LlmServer) -> String {
    let url = server.url("/v1");
    format!(
        r#"
judge = "strict"
[targets.strict]
kind = "command"
command = ["sed", "-e", 's/.*fee number [23][0-9].*/{{"explanation":"Wrong.","accuracy":3}}/', "-e", "t", "-e", 's/.*/{{"explanation":"Right.","accuracy":9}}/']
[targets.mild]
kind = "openai"
base_url = "{url}"
model = "mild"
[targets.small]
kind = "openai"
base_url = "{url}"
model = "small"
[targets.echo]
kind = "command"
command = ["cat"]
[prices."mild"]
input = 3
output = 15
[prices."small"]
input = 1
output = 2
[[evaluator]]
name = "about the fee"
kind = "contains"
values = ["fee"]
[[evaluator]]
name = "short"
kind = "length"
max = 120
[[evaluator]]
name = "meaning"
kind = "similarity"
[[evaluator]]
name = "strictly"
kind = "judge"
criteria = "accuracy"
[[evaluator]]
name = "mildly, as one speaks to a person who asks for the fourth time"
kind = "judge"
target = "mild"
criteria = "tone"
"#
    )
}
#[test]
fn every_answer_of_evaluating_is_as_the_help_says() {
    let topic = Topic::of(JSON_EVAL, &[JSON]);
    let (folder, store) = store_with(0);
    let asked = RefCell::new(BTreeSet::new());
    let ask_to = |code: i32, title: &str, args: &[&str]| -> Value {
        let out = run_to(code, &store, &[args, &["--json"]].concat());
        let value =
            serde_json::from_str(&out).unwrap_or_else(|e| panic!("{args:?} printed no JSON ({e}):\n{out}"));
        topic.check_answer(title, &value);
        asked.borrow_mut().insert(title.to_owned());
        value
    };
    let ask = |title: &str, args: &[&str]| ask_to(0, title, args);
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };

    // Labels enough to correct the strict judge; it passes one answer that is labelled a failure.
    let server = LlmServer::start();
    let said = json!({"role": "assistant", "content": r#"{"explanation": "Polite.", "tone": 9}"#});
    server.fault_model("mild", Fault::Message(said));
    file("tuesday.toml", &evaluating(&server));
    run_to(0, &store, &["import", &file("fees.jsonl", &support::traces(0, 41))]);
    let ids: Vec<String> = (0..41).map(|i| format!("t-{i}")).collect();
    for (i, id) in ids.iter().enumerate() {
        let right = format!("Fee {i} is waived.");
        let wrong = ["fail", "--note", "wrong fee", "--corrected", &right];
        let words = if i < 20 { &["pass"][..] } else { &wrong };
        run_to(0, &store, &[&["label", id], words].concat());
    }
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    run_to(0, &store, &[&["evals", "promote", "--set", "fees"], &ids[..]].concat());
    let run = |target: &str, name: &str| {
        let args = ["eval", "run", "--set", "fees", "--target", target, "--name", name];
        ask("eval run --set SET --target TARGET", &args)
    };
    assert_eq!(run("recorded", "a")["passed"], 21);
    assert_eq!(run("echo", "b")["failed"], 41);
    // The first question is the target's own.
    server.fault_next(Fault::Status(400, Vec::new(), "no".to_owned()));
    assert_eq!(run("small", "c")["errors"], 1);
    let estimate = "eval run --set SET --target TARGET --estimate";
    ask(estimate, &["eval", "run", "--set", "fees", "--target", "small", "--estimate"]);
    ask("eval list", &["eval", "list"]);
    let shown = "eval show RUN, and eval export RUN --format json";
    ask(shown, &["eval", "show", "a"]);
    let results = ask(shown, &["eval", "show", "c"])["results"].clone();
    let exported = run_to(0, &store, &["eval", "export", "c", "--format", "json"]);
    topic.check_answer(shown, &serde_json::from_str(&exported).unwrap());
    let refused = results.as_array().unwrap().iter().find(|one| !one["error"].is_null()).unwrap();
    let compare = "eval compare BASELINE CANDIDATE";
    ask_to(1, compare, &["eval", "compare", "a", "b"]);
    let found = ask_to(1, compare, &["eval", "compare", "a", "c"]);
    assert_eq!((&found["decision"], &found["no_word"]), (&json!("hold"), &json!([refused["case"]])));
    for case in [&refused["case"], &found["both_fail"][0]] {
        let args = ["eval", "compare", "a", "c", "--case", case.as_str().unwrap()];
        ask("eval compare BASELINE CANDIDATE --case ID", &args);
    }
    let trust = "eval trust RUN, eval trust --sample NAME; missing_labels are of passes and of failures";
    let trusted = ask(trust, &["eval", "trust", "a"]);
    assert_eq!(trusted["judges"][1]["confusion"]["judge_pass_label_fail"], 1);
    run_to(0, &store, &["sample", "draw", "fees", "--size", "5", "--where", "fee"]);
    let score = "eval score --sample NAME";
    let scores = ask(score, &["eval", "score", "--sample", "fees"]);
    assert!(scores["cost_usd"].as_f64() > Some(0.0), "{scores}");
    let each = "eval score --sample NAME --each, of each line";
    let lines = run_to(0, &store, &["eval", "score", "--sample", "fees", "--each"]);
    assert_eq!(lines.lines().count(), 5);
    for line in lines.lines() {
        topic.check_answer(each, &serde_json::from_str(line).unwrap());
    }
    asked.borrow_mut().insert(each.to_owned());
    // What was said is kept: nobody is asked again, and nothing paid.
    let judged =
        |server: &LlmServer| server.seen().iter().filter(|seen| seen.body["model"] == "mild").count();
    let before = judged(&server);
    let scores = ask(score, &["eval", "score", "--sample", "fees"]);
    assert_eq!((judged(&server), &scores["cost_usd"]), (before, &Value::Null));
    assert!(scores["evaluators"].as_array().unwrap().iter().any(|one| one["cached"] == 5), "{scores}");
    run_to(0, &store, &["eval", "score", "--sample", "fees", "--no-cache"]);
    assert_eq!(judged(&server), before + 5);
    // The labels of the sample's traces tell how far the judge can be trusted there.
    run_to(0, &store, &["sample", "draw", "all", "--size", "41", "--where", "fee"]);
    run_to(0, &store, &["eval", "score", "--sample", "all", "strictly"]);
    let of_sample = ask(trust, &["eval", "trust", "--sample", "all"]);
    let judge =
        of_sample["judges"].as_array().unwrap().iter().find(|one| one["evaluator"] == "strictly").unwrap();
    assert_eq!(judge["confusion"], trusted["judges"][1]["confusion"]);
    assert!(judge["corrected"]["rate"].is_number(), "{judge}");
    let pairs =
        [("The fee is waived.", "We waive the fee.", true), ("The card is lost.", "We open at nine.", false)];
    let pairs = pairs.map(|(a, b, same)| json!({"a": a, "b": b, "same": same}).to_string());
    ask("eval calibrate PAIRS", &["eval", "calibrate", &file("pairs.jsonl", &pairs.join("\n"))]);
    topic.is_whole(&asked.into_inner());

    // What a person reads fits into eighty columns where there is no terminal.
    for args in [
        &["run", "--set", "fees", "--target", "small", "--estimate"][..],
        &["list"],
        &["show", "a"],
        &["trust", "a"],
        &["trust", "--sample", "all"],
        &["score", "--sample", "fees"],
        &["calibrate", &file("pairs.jsonl", &pairs.join("\n"))],
    ] {
        let told = run_to(0, &store, &[&["eval"], args].concat());
        let wide = told.lines().find(|line| line.chars().count() > 80);
        assert_eq!(wide, None, "{args:?} of\n{told}");
    }
    let told = run_to(0, &store, &["eval", "score", "--sample", "fees"]);
    assert_eq!(told.matches("compares with an expected answer").count(), 1, "{told}");
}
