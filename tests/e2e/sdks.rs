//! Real SDKs over loopback: what each of them exported is what the store holds, field by field.
//! Run by name, as `.ci/run` does: `cargo test --test e2e sdks -- --ignored`.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::serve::Server;
use crate::support::{run_json, store_with};

/// Attributes that say how a value is written, repeat sums of others, or mark what our format says otherwise.
const SAID_OTHERWISE: &[&str] = &[
    "input.mime_type",
    "output.mime_type",
    "llm.token_count.total",
    "gen_ai.usage.total_tokens",
    "langfuse.internal.is_app_root",
    // Kinds of steps, which are words of ours.
    "gen_ai.operation.name",
    "openinference.span.kind",
    "langfuse.observation.type",
    // The whole request and answer once more, beside the messages that were read out of them.
    "input.value",
    "output.value",
    // Told by the model that answered.
    "gen_ai.request.model",
];

/// Words for the parts of a message, which have places of their own in chat messages.
const PARTS: &[&str] = &["text", "tool_call", "tool_call_response"];

#[test]
#[ignore = "installs SDKs from PyPI"]
fn what_real_sdks_send_is_what_the_store_holds() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let made = Command::new(root.join("tests/sdks.sh")).output().expect("a shell");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let python = String::from_utf8(made.stdout).expect("UTF-8").trim().to_owned();
    for which in ["openinference", "openllmetry", "langfuse"] {
        let (folder, store) = store_with(0);
        let server = Server::start(&store);
        let sent = folder.path().join("sent.jsonl");
        let done = Command::new(&python)
            .arg(root.join("tests/support/sdks.py"))
            .args([which, &format!("http://{}", server.address)])
            .arg(&sent)
            .output()
            .expect("python runs");
        assert!(done.status.success(), "{which}: {}", String::from_utf8_lossy(&done.stderr));
        let (code, told) = server.end();
        assert_eq!(code, Some(0), "{which}: {told}");
        let sent = std::fs::read_to_string(&sent).expect("written down");
        let sent: Vec<Value> = sent.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert!(sent.len() >= 3, "{which}: {} spans", sent.len());
        for span in &sent {
            compare(which, &store, span, &sent);
        }
        figures(which, &store, &sent);
    }
}

/// One span as it was exported against the trace in the store.
fn compare(which: &str, store: &Path, sent: &Value, all: &[Value]) {
    let id = text(&sent["trace"]);
    let trace = run_json(store, &["trace", "show", id, "--json"]);
    let spans = trace["spans"].as_array().expect("spans");
    let of_trace: Vec<&Value> = all.iter().filter(|other| other["trace"] == sent["trace"]).collect();
    assert_eq!(spans.len(), of_trace.len(), "{which} {id}");
    let held =
        spans.iter().find(|span| span["id"] == sent["span"]).unwrap_or_else(|| panic!("{sent} is missing"));
    assert_eq!(held["name"], sent["name"]);
    assert_eq!(held.get("parent").unwrap_or(&Value::Null), &sent["parent"]);
    assert_eq!(held["status"] == "error", sent["failed"] == true, "{which}: {held}");
    let ms = |from: u64, to: u64| (to - from) as f64 / 1e6;
    let ns = |span: &Value, field: &str| span[field].as_u64().expect("nanoseconds");
    assert_eq!(held["duration_ms"], ms(ns(sent, "start_ns"), ns(sent, "end_ns")));
    let first = of_trace.iter().map(|span| ns(span, "start_ns")).min().expect("a span");
    assert_eq!(held["offset_ms"], ms(first, ns(sent, "start_ns")));

    // Every value that was exported is somewhere in the trace: of its field, its metadata or its messages.
    let there = leaves(&trace);
    let sources = [&sent["attributes"], &sent["resource"]];
    let events = sent["events"].as_array().expect("events").iter().map(|event| &event["attributes"]);
    for (name, value) in sources.into_iter().chain(events).flat_map(|map| map.as_object().expect("a map")) {
        if SAID_OTHERWISE.contains(&name.as_str()) {
            continue;
        }
        let is_part = |leaf: &String| name.ends_with(".messages") && PARTS.contains(&leaf.as_str());
        for leaf in leaves(value).into_iter().filter(|leaf| !is_part(leaf)) {
            let near = |other: &String| match (leaf.parse::<f64>(), other.parse::<f64>()) {
                (Ok(a), Ok(b)) => a == b,
                _ => *other == leaf,
            };
            assert!(there.iter().any(near), "{which}: {name} = {leaf} is lost of {id}:\n{trace:#}");
        }
    }
}

/// The figures of the traces, as the senders meant them.
fn figures(which: &str, store: &Path, sent: &[Value]) {
    let root = |failed: bool| {
        let own = |span: &&Value| span["parent"].is_null() && span["failed"] == failed;
        sent.iter().find(own).map(|span| run_json(store, &["trace", "show", text(&span["trace"]), "--json"]))
    };
    let answered = root(false).expect("a trace that worked");
    let calls = if which == "langfuse" { 1 } else { 2 };
    assert_eq!(answered["tokens_in"], 12 * calls, "{which}");
    assert_eq!(answered["tokens_out"], 7 * calls, "{which}");
    assert_eq!(answered["session"], "s-1", "{which}");
    assert_eq!(answered["status"], "ok", "{which}");
    assert!(answered["output"].to_string().contains("The fee is 35 EUR."), "{which}: {answered:#}");
    assert!(answered["input"].to_string().contains("How much is the fee?"), "{which}: {answered:#}");
    let model = if which == "langfuse" { "gpt-4o-mini" } else { "gpt-4o-mini-2024-07-18" };
    assert_eq!(answered["model"], model, "{which}");
    let feature = if which == "langfuse" { "support" } else { "support-bot" };
    assert_eq!(answered["feature"], feature, "{which}");
    if which != "langfuse" {
        assert!(answered["output"].to_string().contains("lookup_fee"), "{which}: {answered:#}");
        let refused = root(true).expect("a trace that failed");
        assert_eq!((&refused["status"], &refused["error_kind"]), (&"error".into(), &"rate_limit".into()));
        assert_eq!(refused["model"], "gpt-4o-mini", "{which}");
    } else {
        assert_eq!(answered["cost_usd"], 0.000006);
    }
    if which != "openllmetry" {
        assert_eq!((&answered["user"], &answered["tags"][0]), (&"u-1".into(), &"prod".into()), "{which}");
        assert_eq!(answered["metadata"]["tenant"], "acme", "{which}");
    }
    if which == "openinference" {
        assert_eq!(answered["prompt_version"], "v4");
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

/// All single values inside a value, and inside JSON that stands in text.
fn leaves(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().flat_map(leaves).collect(),
        Value::Object(fields) => fields.values().flat_map(leaves).collect(),
        Value::Null => Vec::new(),
        Value::String(text) => {
            let inner = serde_json::from_str::<Value>(text).ok().filter(|inner| !inner.is_number());
            inner.map_or_else(|| vec![text.clone()], |inner| leaves(&inner))
        }
        other => vec![other.to_string()],
    }
}
