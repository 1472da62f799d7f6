//! The answers of `tuesday prompt … --json` and `tuesday feature … --json` have the shapes that `tuesday help
//! json-prompt` gives them.

use std::cell::RefCell;
use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::json_shape::{JSON, JSON_EVAL, Topic};
use crate::support::{run_to, store_with};

const TOPIC: &str = include_str!("../../fixtures/help/json-prompt.txt");

#[test]
fn every_answer_is_as_the_help_says() {
    let topic = Topic::of(TOPIC, &[JSON, JSON_EVAL]);
    let (folder, store) = store_with(0);
    let home = folder.path().join("prompts/support");
    std::fs::create_dir_all(&home).unwrap();
    let v3 = "---\nauthor: Ann\ndate: 2026-11-02\nnotes: no savings\n---\nNever advise moving savings.\n";
    std::fs::write(home.join("v3.txt"), v3).unwrap();
    std::fs::write(home.join("v4_current.txt"), "Give one concrete action.\n").unwrap();
    std::fs::write(home.join("v5.txt"), "Give one concrete action.\n").unwrap();
    let git = |args: &[&str]| {
        let done = std::process::Command::new("git").current_dir(folder.path()).args(args).output().unwrap();
        assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
    };
    git(&["init", "-q"]);
    git(&["config", "user.name", "Jo"]);
    git(&["config", "user.email", "jo@example.com"]);
    git(&["add", "prompts"]);
    git(&["commit", "-q", "-m", "prompts"]);
    std::fs::write(folder.path().join("flags.json"), "{\"ai\": {\"on\": true, \"by\": \"none\"}}").unwrap();
    let flagd = json!({"flags": {"ai": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "on"}}});
    std::fs::write(folder.path().join("flagd.json"), flagd.to_string()).unwrap();
    let config = "[features.support]\nprompts = 'prompts/support'\n\
                  switch = { kind = 'flag_file', path = 'flags.json', pointer = '/ai/on', fallback_pointer = '/ai/by' }\n\
                  [features.search]\nswitch = { kind = 'flagd', path = 'flagd.json', flag = 'ai' }\n\
                  [features.broken]\nswitch = { kind = 'flag_file', path = 'none.json', pointer = '/on' }\n\
                  [targets.echo]\nkind = 'command'\ncommand = ['cat']\nprompt = 'support@v3'\n";
    std::fs::write(folder.path().join("tuesday.toml"), config).unwrap();
    // v3 does well and v4 badly, with every figure there can be; v9 is in no folder.
    let traces: String = (0..120)
        .map(|n| {
            let version = if n == 119 { "v9" } else if n < 60 { "v3" } else { "v4" };
            let time = jiff::Timestamp::now() - jiff::SignedDuration::from_mins(i64::from(600 - n));
            let up = if n < 60 { n % 10 != 0 } else { n % 3 == 0 };
            let trace = json!({
                "id": format!("t-{n}"), "time": time, "feature": "support", "prompt": "support",
                "prompt_version": version, "latency_ms": 900.0, "cost_usd": 0.002, "output": "It is waived.",
                "input": [{"role": "system", "content": "Never advise moving savings."}, {"role": "user", "content": "Why?"}],
                "feedback": [{"kind": "thumbs", "value": if up { "up" } else { "down" }}],
            });
            format!("{trace}\n")
        })
        .collect();
    let file = folder.path().join("traces.jsonl");
    std::fs::write(&file, traces).unwrap();
    run_to(0, &store, &["import", file.to_str().unwrap()]);
    run_to(0, &store, &["label", "t-0", "pass"]);
    run_to(0, &store, &["evals", "promote", "--set", "support", "--expected", "x", "t-0"]);
    run_to(0, &store, &["eval", "run", "--set", "support", "--target", "echo", "--name", "r1"]);

    let asked = RefCell::new(BTreeSet::new());
    let ask = |code: i32, title: &str, args: &[&str]| -> Value {
        let out = run_to(code, &store, &[args, &["--json"]].concat());
        let value: Value = serde_json::from_str(&out).unwrap_or_else(|e| panic!("{args:?}: {e}: {out}"));
        topic.check_answer(title, &value);
        asked.borrow_mut().insert(title.to_owned());
        value
    };
    ask(0, "prompt list", &["prompt", "list"]);
    let shown = ask(0, "prompt show PROMPT", &["prompt", "show", "support"]);
    assert!(!shown["changes"].as_array().unwrap().is_empty(), "{shown}");
    assert_eq!(shown["versions"][2]["runs"][0]["run"], "r1", "{shown}");
    ask(0, "prompt show PROMPT@VERSION", &["prompt", "show", "support@v3"]);
    ask(0, "prompt diff PROMPT FROM TO", &["prompt", "diff", "support", "v3", "v4"]);
    ask(1, "prompt lint", &["prompt", "lint"]);
    let using = "prompt use PROMPT VERSION; prompt rollback PROMPT";
    ask(0, using, &["prompt", "use", "support", "v3", "--yes", "--commit"]);
    ask(0, using, &["prompt", "rollback", "support", "--to", "v4", "--dry-run"]);
    std::fs::write(
        folder.path().join("tuesday.toml"),
        format!("{config}[compare]\nmin_cases = 1\nmin_pass_rate = 0\n"),
    )
    .unwrap();
    ask(0, "prompt show PROMPT", &["prompt", "show", "support"]);
    ask(0, using, &["prompt", "use", "support", "v4", "--yes"]);
    let back = ask(0, "prompt show PROMPT", &["prompt", "show", "support"]);
    assert_eq!(back["last_known_good"]["because"], "run", "{back}");
    let switching = "feature off FEATURE; feature on FEATURE";
    ask(0, switching, &["feature", "off", "support", "--fallback", "human", "--reason", "drill", "--yes"]);
    ask(0, switching, &["feature", "on", "support", "--yes"]);
    ask(0, switching, &["feature", "off", "search", "--yes"]);
    ask(0, "feature list", &["feature", "list"]);
    topic.is_whole(&asked.borrow());
}
