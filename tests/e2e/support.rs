//! The built program and small stores to run it on.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

/// The program, on this store, as this reviewer, with nothing of the caller's environment that matters to it.
pub fn tuesday(store: &Path) -> Command {
    tuesday_as(store, "ann")
}

/// The same as another reviewer.
pub fn tuesday_as(store: &Path, reviewer: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tuesday"));
    let home = store.parent().expect("a store in a folder");
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home)
        .env("LANG", "C.UTF-8")
        .env("TERM", "xterm-256color")
        .env("TZ", "UTC")
        .current_dir(home)
        .arg("--store")
        .arg(store)
        .args(["--reviewer", reviewer]);
    command
}

/// Runs to the end and gives what it printed.
pub fn run(store: &Path, args: &[&str]) -> Output {
    tuesday(store).args(args).output().expect("the program starts")
}

/// Runs, demands this exit code, and gives standard output.
pub fn run_to(code: i32, store: &Path, args: &[&str]) -> String {
    let output = run(store, args);
    let out = String::from_utf8(output.stdout).expect("UTF-8");
    assert_eq!(
        output.status.code(),
        Some(code),
        "tuesday {args:?}\nstdout: {out}\nstderr: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    out
}

/// Runs, demands success, and reads the one JSON document on standard output.
pub fn run_json(store: &Path, args: &[&str]) -> Value {
    let out = run_to(0, store, args);
    serde_json::from_str(&out).unwrap_or_else(|e| panic!("tuesday {args:?} printed no JSON ({e}):\n{out}"))
}

/// `count` plain traces as JSONL, ids `t-<from>…`, a second apart within the last 20 hours; the same
/// number gives the same trace within one run of the tests.
pub fn traces(from: usize, count: usize) -> String {
    static START: std::sync::LazyLock<i64> =
        std::sync::LazyLock::new(|| jiff::Timestamp::now().as_second() - 20 * 3600);
    (from..from + count)
        .map(|i| {
            let at = jiff::Timestamp::from_second(*START + i as i64).expect("in range");
        let version = if i % 3 == 0 { "v4" } else { "v3" };
            let mut trace = json!({
                "id": format!("t-{i}"), "session": format!("s-{}", i / 3), "user": format!("u-{}", i % 17),
                "time": at.to_string(), "feature": "customer_support", "model": "gpt-4o",
                "prompt": "customer_support", "prompt_version": version,
                "input": format!("Why was fee number {i} taken from my account?"),
                "output": format!("Fee {i} was taken because the balance fell below zero; it is waived the same day."),
                "latency_ms": 500 + (i % 900), "tokens_in": 100 + i % 50, "tokens_out": 40, "cost_usd": 0.002,
            });
            if i % 5 == 0 {
                trace["feedback"] = json!([{"kind": "thumbs", "value": "down", "comment": "no"}]);
            } else if i % 7 == 0 {
                trace["feedback"] = json!([{"kind": "thumbs", "value": "up"}]);
            }
            if i % 50 == 49 {
                trace["status"] = json!("error");
                trace["error_kind"] = json!("timeout");
                trace["output"] = json!("");
            }
            trace.to_string() + "\n"
        })
        .collect()
}

/// A folder with a store of `count` traces in it.
pub fn store_with(count: usize) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = folder.path().join("t.db");
    let file = folder.path().join("traces.jsonl");
    std::fs::write(&file, traces(0, count)).expect("written");
    run_json(&store, &["import", file.to_str().expect("UTF-8"), "--json"]);
    (folder, store)
}

/// A file of `../shared/data`, or `None` with a printed reason where a checkout has no such folder.
pub fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(name);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: {} is not there", path.display());
    None
}
