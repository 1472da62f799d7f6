//! The contract of the command line: shapes and exit codes that scripts lean on.

use serde_json::Value;

use crate::support::{run, run_json, run_to, store_with, traces, tuesday};

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

#[test]
fn import_counts_what_it_did() {
    let (folder, store) = store_with(0);
    let file = folder.path().join("more.jsonl");
    std::fs::write(&file, traces(0, 20) + "{\"input\": 3}\nnot json\n").unwrap();
    let out = run_to(3, &store, &["import", file.to_str().unwrap(), "--json"]);
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (&report["added"], &report["unchanged"], &report["rejected"]),
        (&20.into(), &0.into(), &2.into())
    );
    std::fs::write(&file, traces(0, 25)).unwrap();
    let report = run_json(&store, &["import", file.to_str().unwrap(), "--json"]);
    assert_eq!(
        (&report["added"], &report["unchanged"], &report["rejected"]),
        (&5.into(), &20.into(), &0.into())
    );
}

#[test]
fn a_draw_prints_its_members_and_keeps_them() {
    let (_folder, store) = store_with(400);
    let drawn = run_json(&store, &["sample", "draw", "week", "--size", "40", "--seed", "7", "--json"]);
    for key in ["name", "size", "population", "members"] {
        assert!(keys(&drawn).contains(&key), "{key} in {drawn}");
    }
    assert_eq!((&drawn["size"], &drawn["population"]), (&40.into(), &400.into()));
    let member = &drawn["members"][0];
    for key in ["trace", "probability", "stratum"] {
        assert!(keys(member).contains(&key), "{key} in {member}");
    }
    assert!((member["probability"].as_f64().unwrap() - 0.1).abs() < 1e-9);
    let shown = run_json(&store, &["sample", "show", "week", "--json"]);
    assert_eq!(shown["members"], drawn["members"]);
    run_to(1, &store, &["sample", "draw", "week", "--size", "5"]);
    run_to(2, &store, &["sample", "draw", "other", "--size", "5", "--where", "latncy>3s"]);
    let tenth = run_json(&store, &["sample", "draw", "tenth", "--rate", "10%", "--json"]);
    let size = tenth["size"].as_u64().unwrap();
    assert!((15..=70).contains(&size), "about 40 of 400, not {size}");
    let down = run_json(&store, &["sample", "draw", "bad", "--suspicious", "--json"]);
    assert_eq!(down["size"], (0..400).filter(|i| i % 5 == 0 || i % 50 == 49).count());
}

#[test]
fn labels_are_set_taken_back_and_exported() {
    let (_folder, store) = store_with(10);
    run_to(0, &store, &["label", "t-1", "pass"]);
    run_to(
        0,
        &store,
        &[
            "label",
            "t-2",
            "fail",
            "--mode",
            "hallucinated",
            "--severity",
            "high",
            "--note",
            "No such fee",
            "--corrected",
            "There is none.",
        ],
    );
    run_to(0, &store, &["label", "t-3", "unsure"]);
    run_to(1, &store, &["label", "t-nowhere", "pass"]);
    run_to(2, &store, &["label", "t-1", "perhaps"]);
    let lines = run_to(0, &store, &["labels", "export", "--format", "jsonl"]);
    let labels: Vec<Value> = lines.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(labels.len(), 3);
    let failed = labels.iter().find(|l| l["trace"] == "t-2").unwrap();
    for key in ["trace", "reviewer", "verdict", "mode", "severity", "note", "corrected", "at"] {
        assert!(keys(failed).contains(&key), "{key} in {failed}");
    }
    assert_eq!((&failed["verdict"], &failed["reviewer"]), (&"fail".into(), &"ann".into()));
    assert_eq!((&failed["severity"], &failed["corrected"]), (&"high".into(), &"There is none.".into()));
    run_to(0, &store, &["label", "undo"]);
    let csv = run_to(0, &store, &["labels", "export", "--format", "csv"]);
    assert_eq!(csv.lines().next(), Some("trace,reviewer,verdict,mode,severity,note,corrected,at"));
    assert_eq!(csv.lines().count(), 3, "the unsure one was taken back:\n{csv}");
    for _ in 0..2 {
        run_to(0, &store, &["label", "undo"]);
    }
    run_to(1, &store, &["label", "undo"]);
}

#[test]
fn a_promoted_trace_is_an_eval_case() {
    let (_folder, store) = store_with(10);
    run_to(0, &store, &["label", "t-2", "fail", "--mode", "1", "--note", "Wrong fee"]);
    run_to(
        0,
        &store,
        &[
            "evals",
            "promote",
            "t-2",
            "--set",
            "support",
            "--expected",
            "Waived the same day",
            "--category",
            "ambiguous",
        ],
    );
    let lines = run_to(0, &store, &["evals", "export", "--set", "support"]);
    assert_eq!(lines.lines().count(), 1);
    let case: Value = serde_json::from_str(&lines).unwrap();
    for key in ["id", "input", "expected", "reasoning", "category", "trace", "label"] {
        assert!(keys(&case).contains(&key), "{key} in {case}");
    }
    assert_eq!((&case["trace"], &case["expected"]), (&"t-2".into(), &"Waived the same day".into()));
    assert_eq!((&case["category"], &case["reasoning"]), (&"ambiguous".into(), &"Wrong fee".into()));
    assert!(case["label"].is_string());
}

#[test]
fn an_incident_runs_from_open_to_post_mortem() {
    let (_folder, store) = store_with(10);
    let opened = run_json(&store, &["incident", "open", "Bad advice on fees", "--json"]);
    let id = opened["id"].as_str().unwrap();
    run_to(0, &store, &["incident", "note", id, "Saw it in `v4` first"]);
    let shown = run_json(&store, &["incident", "show", id, "--json"]);
    let step = shown["phases"][0]["steps"][0]["id"].as_str().unwrap_or_else(|| panic!("a step in {shown}"));
    run_to(0, &store, &["incident", "step", id, step, "done", "--note", "It is real"]);
    run_to(1, &store, &["incident", "step", id, "no-such-step", "done"]);
    run_to(1, &store, &["incident", "note", "INC-99", "x"]);
    run_to(0, &store, &["incident", "close", id]);
    let markdown = run_to(0, &store, &["incident", "postmortem", id]);
    for part in ["# ", "Bad advice on fees", "Saw it in", "It is real"] {
        assert!(markdown.contains(part), "{part} in\n{markdown}");
    }
    assert_eq!(run_json(&store, &["incident", "list", "--json"]).as_array().map(Vec::len), Some(1));
}

#[test]
fn health_has_its_five_figures() {
    let (_folder, store) = store_with(600);
    let health = run_json(&store, &["health", "--json"]);
    for figure in ["requests", "error_rate", "p95_latency_ms", "cost_per_request_usd", "satisfaction"] {
        for key in ["value", "previous", "n"] {
            assert!(keys(&health[figure]).contains(&key), "{key} of {figure} in {health}");
        }
    }
    assert_eq!(health["requests"]["value"], 600.0);
    assert_eq!(health["error_rate"]["value"], 0.02);
    let p95 = health["p95_latency_ms"]["value"].as_f64().unwrap();
    assert!((p95 / 1070.0 - 1.0).abs() < 0.03, "{p95}");
}

#[test]
fn health_is_cut_and_told_apart() {
    let (folder, store) = store_with(600);
    let health = run_json(&store, &["health", "--window", "24h", "--by", "prompt_version", "--json"]);
    let groups = health["groups"].as_array().unwrap();
    let requests: Vec<u64> = groups.iter().map(|group| group["requests"].as_u64().unwrap()).collect();
    assert_eq!(
        (groups.len(), requests.iter().sum::<u64>(), health["by"].as_str()),
        (2, 600, Some("prompt_version"))
    );
    assert!(groups[0]["version"].is_string() && groups[0]["error_rate"]["interval"]["lower"].is_number());
    assert_eq!(health["timeline"].as_array().unwrap().len(), 24);
    let only = run_json(
        &store,
        &["health", "--prompt-version", "v4", "--window", "28d", "--against", "previous", "--json"],
    );
    assert_eq!((only["requests"]["value"].as_u64(), only["against"].as_str()), (Some(200), Some("previous")));
    let query = only["requests"]["query"].as_str().unwrap();
    assert_eq!(run_json(&store, &["trace", "list", query, "--count", "--json"])["count"], 200);
    run_to(1, &store, &["health", "--model", "gpt-99"]);
    run_to(2, &store, &["health", "--by", "weather"]);
    run_to(2, &store, &["health", "--window", "29d"]);
    let text = run_to(0, &store, &["health"]);
    assert!(text.contains("quality") && text.contains("against the same time last week"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let page = folder.path().join("wiki/health.html");
    let args = ["health", "--html", page.to_str().unwrap()];
    for _ in 0..2 {
        assert!(run_to(0, &store, &args).starts_with("Wrote "));
    }
    assert!(std::fs::read_to_string(&page).unwrap().ends_with("</html>\n"));
}

#[cfg(unix)]
#[test]
fn health_goes_on_as_traces_come_in() {
    use std::io::{BufRead, BufReader};
    let (folder, store) = store_with(600);
    let mut child = tuesday(&store)
        .args(["health", "--watch"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    // Ends when the program ends, so that a wrong answer cannot hang the test for ever.
    let mut until = |said: &str| loop {
        let line = lines.next().expect("the program goes on").unwrap();
        assert!(!line.contains('\u{1b}'), "plain where there is no terminal: {line:?}");
        if line.contains("requests") && line.contains(said) {
            return;
        }
    };
    until("600");
    let more = folder.path().join("more.jsonl");
    std::fs::write(&more, traces(600, 40)).unwrap();
    run_to(0, &store, &["import", more.to_str().unwrap()]);
    until("640");
    let pid = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    drop(lines);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn doctor_says_that_the_store_is_whole() {
    let (_folder, store) = store_with(5);
    assert_eq!(run_json(&store, &["doctor", "--json"])["store"]["integrity"], "ok");
}

#[test]
fn exit_codes_mean_something() {
    let (folder, store) = store_with(5);
    let missing = folder.path().join("missing.db");
    for args in [&["health"][..], &["trace", "list"], &["sample", "list"]] {
        let output = run(&missing, args);
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("→"), "a way out for {args:?}");
    }
    run_to(2, &store, &["no-such-command"]);
    let caret = run(&store, &["trace", "list", "feedbak:down"]);
    assert_eq!(caret.status.code(), Some(2));
    let said = String::from_utf8_lossy(&caret.stderr).into_owned();
    assert!(said.contains('^') && said.contains("feedback"), "{said}");
}
