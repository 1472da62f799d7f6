//! The answers of `tuesday incident assess --json` and `tuesday mark … --json` have the shapes that `tuesday help
//! json-incident` gives them, and say what is so.

use std::cell::RefCell;
use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::json_shape::{JSON, JSON_EVAL, Topic};
use crate::support::{run, run_to, store_with};

const TOPIC: &str = include_str!("../../fixtures/help/json-incident.txt");

/// Four days of traffic; for ten hours prompt v4 answers three of four, and fails in German.
fn traffic() -> String {
    const MINUTES: i64 = 4 * 24 * 60;
    (0..MINUTES / 2)
        .map(|n| {
            let ago = MINUTES - 2 * n;
            let v4 = ago <= 600 && n % 4 != 1;
            let de = n % 3 == 0;
            let bad = if v4 && de { n % 2 == 0 } else { n % 25 == 7 };
            let time = jiff::Timestamp::now() - jiff::SignedDuration::from_mins(ago);
            let trace = json!({
                "id": format!("t-{n}"), "time": time, "input": "Why?", "output": "It is a fee.", "user": format!("u-{}", n % 400),
                "feature": "support", "prompt": "support", "prompt_version": if v4 { "v4" } else { "v3" },
                "model": "gpt-4o", "metadata": {"language": if de { "de" } else { "en" }}, "tags": ["fees"], "cost_usd": 0.002,
                "feedback": if bad { json!([{"kind": "thumbs", "value": "down"}]) } else { json!([]) },
            });
            format!("{trace}\n")
        })
        .collect()
}

#[test]
fn every_answer_is_as_the_help_says() {
    let topic = Topic::of(TOPIC, &[JSON, JSON_EVAL]);
    let (folder, store) = store_with(0);
    let file = folder.path().join("traces.jsonl");
    std::fs::write(&file, traffic()).unwrap();
    run_to(0, &store, &["import", file.to_str().unwrap()]);
    let asked = RefCell::new(BTreeSet::new());
    let ask = |title: &str, args: &[&str]| -> Value {
        let out = run_to(0, &store, &[args, &["--json"]].concat());
        let value: Value = serde_json::from_str(&out).unwrap_or_else(|e| panic!("{args:?}: {e}: {out}"));
        topic.check_answer(title, &value);
        asked.borrow_mut().insert(title.to_owned());
        value
    };
    let marked =
        ask("mark deploy TEXT", &["mark", "deploy", "new index", "--at", "11h", "--feature", "support"]);
    assert_eq!(marked["kind"], "deploy");
    assert_eq!(ask("mark list", &["mark", "list"])[0]["text"], "new index");
    run_to(0, &store, &["incident", "open", "German answers", "--feature", "support"]);
    run_to(0, &store, &["label", "t-2877", "fail", "--mode", "wrong_tone"]);
    run_to(0, &store, &["label", "t-2874", "fail", "--mode", "wrong_tone"]);

    let found = ask("incident assess ID", &["incident", "assess", "1"]);
    assert_eq!((&found["measure"], &found["onset"]["verdict"]), (&json!("complaints"), &json!("onset")));
    let at: jiff::Timestamp = found["onset"]["at"].as_str().unwrap().parse().unwrap();
    let ago = jiff::Timestamp::now().duration_since(at).as_secs_f64() / 3600.0;
    assert!((8.5..11.5).contains(&ago), "{ago} h: {}", found["onset"]);
    let first = &found["slices"]["ranked"][0];
    assert_eq!(first["slice"], json!([["prompt", "support@v4"], ["language", "de"]]), "{}", found["slices"]);
    assert!(first["query"].as_str().unwrap().contains("language:de"), "{first}");
    let excess = &found["excess"];
    assert!(excess["interval"]["lower"].as_f64() < excess["count"].as_f64(), "{excess}");
    assert!(found["users"]["above_usual"].as_f64() > Some(10.0), "{}", found["users"]);
    let near: Vec<&str> =
        found["near"].as_array().unwrap().iter().filter_map(|change| change["kind"].as_str()).collect();
    assert!(near.contains(&"version_came") && near.contains(&"marked"), "{near:?}");
    assert!(found["severity"]["suggested"].is_string(), "{}", found["severity"]);

    let none = ask("incident assess ID", &["incident", "assess", "1", "--by", "errors"]);
    assert_eq!((&none["onset"]["verdict"], &none["slices"]["verdict"]), (&json!("none"), &json!("nothing")));
    let judged = ask("incident assess ID", &["incident", "assess", "1", "--by", "judged"]);
    assert_eq!((&judged["rate"], &judged["slices"]["verdict"]), (&Value::Null, &json!("too_few")));

    // An alert that is out, an incident for it after the earlier one, and a prompts folder with both versions.
    run_to(0, &store, &["watch", "--once"]);
    let alerts: Value = serde_json::from_str(&run_to(0, &store, &["alert", "list", "--json"])).unwrap();
    let named = alerts.as_array().unwrap().iter().find(|alert| alert["rule"] == "negative-feedback");
    let name = named.unwrap_or_else(|| panic!("{alerts}"))["id"].as_str().unwrap();
    run_to(0, &store, &["alert", "incident", name]);
    let second = ask("incident assess ID --phase detect", &["incident", "assess", "2", "--phase", "detect"]);
    assert_eq!(
        (&second["alert"]["id"], &second["similar"][0]["id"]),
        (&json!(name), &json!("INC-1")),
        "{second}"
    );
    assert_eq!(second["measure"], "negative");
    let detected =
        ask("incident assess ID --phase detect", &["incident", "assess", "1", "--phase", "detect"]);
    assert_eq!(detected["meter"][0]["ok"], true, "{detected}");
    let how = detected["examples"][0]["how"].as_str().unwrap();
    assert!(["thumbs down", "Wrong tone", "wrong tone"].contains(&how), "{how}");
    let options =
        ask("incident assess ID --phase contain", &["incident", "assess", "1", "--phase", "contain"]);
    assert_eq!(options["guilty"], "support@v4", "{options}");
    let kinds: Vec<&str> =
        options["options"].as_array().unwrap().iter().filter_map(|option| option["kind"].as_str()).collect();
    assert!(kinds.contains(&"flag") && kinds.contains(&"rollback"), "{kinds:?}");
    let home = folder.path().join("prompts/support");
    std::fs::create_dir_all(&home).unwrap();
    std::fs::write(home.join("v3.txt"), "Never advise moving savings.\n").unwrap();
    std::fs::write(home.join("v4_current.txt"), "Give one concrete action.\n").unwrap();
    let fixes = ask("incident assess ID --phase fix", &["incident", "assess", "1", "--phase", "fix"]);
    let row = |version: &str| {
        let rows = fixes["versions"].as_array().unwrap();
        rows.iter()
            .find(|row| row["version"] == version)
            .unwrap_or_else(|| panic!("{version} in {fixes}"))
            .clone()
    };
    assert_eq!(
        (&row("support@v4")["verdict"], &row("support@v3")["verdict"]),
        (&json!("guilty"), &json!("last_good"))
    );
    assert!(fixes["difference"]["added"].as_u64() > Some(0), "{fixes}");

    // The post-mortem tells of the cause, the change, and what the alert could have been.
    let act = ["--action", "German cases", "--kind", "prevent", "--owner", "ann", "--due", "2025-03-11"];
    run_to(0, &store, &[&["incident", "postmortem", "1"], &act[..]].concat());
    run_to(0, &store, &["incident", "began", "1", "10h"]);
    let told = ask("incident postmortem ID", &["incident", "postmortem", "1"]);
    let cause = &told["findings"]["cause"];
    assert_eq!(
        (&cause["guilty"], &cause["good"]),
        (&json!("support@v4"), &json!("support@v3")),
        "{}",
        told["findings"]
    );
    let parts = cause["difference"]["parts"].as_array().unwrap();
    assert!(parts.iter().any(|part| part["change"] == "added"), "{cause}");
    let (before, during) = (&told["findings"]["before"], &told["findings"]["during"]);
    assert!(before["thumbs_down"].as_u64() < during["thumbs_down"].as_u64(), "{}", told["findings"]);
    let tuning = &told["findings"]["tuning"];
    assert_eq!((&tuning["rule"], &tuning["metric"]), (&json!("negative-feedback"), &json!("negative_share")));
    let after = |at: usize| tuning["settings"][at]["after_ms"].as_u64();
    // A larger alpha never fires later, and costs more.
    assert!(after(0) >= after(1) && after(1).is_some(), "{tuning}");
    let price = |at: usize| tuning["settings"][at]["false_pages_per_month"].as_f64();
    assert!(price(0) < price(1), "{tuning}");
    let markdown = told["markdown"].as_str().unwrap();
    for part in [
        "## Who failed",
        "prompt=v4 language=de",
        "## What was changed in the prompt",
        "**Give one concrete",
        "| as it is |",
    ] {
        assert!(markdown.contains(part), "{part}: {markdown}");
    }
    // The failing examples are asked again: there must be somebody to ask, and somebody to judge.
    let replay = ["incident", "replay", "1"];
    let refused = String::from_utf8(run(&store, &replay).stderr).unwrap();
    assert!(refused.contains("No target is described"), "{refused}");
    let config = r#"
[targets.now]
kind = "command"
command = ["sed", "s/.*/It is waived./"]
[[evaluator]]
name = "advice"
kind = "forbidden"
values = ["It is a fee"]
"#;
    std::fs::write(folder.path().join("tuesday.toml"), config).unwrap();
    run_to(1, &store, &replay);
    run_to(0, &store, &["incident", "attach", "1", "t-2877", "t-2874"]);
    let again = ask("incident replay ID", &replay);
    let counts = ["pairs", "fixed", "broken", "still_failing"].map(|name| again[name].clone());
    assert_eq!(counts, [json!(1), json!(1), json!(0), json!(0)], "{again}");
    assert_eq!(again["set"], "inc-1");
    // One pair tells nothing.
    assert!(again["p_value"].as_f64().is_some_and(|p| (p - 1.0).abs() < 1e-9), "{again}");
    topic.is_whole(&asked.borrow());
}
