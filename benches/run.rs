//! An eval run over real HTTP against its ideal: the release program, and a server on loopback that answers
//! after a fixed time.
//!
//! ```text
//! cargo bench --bench run
//! ```
//!
//! The ideal is cases × time of an answer / those in flight; a run may take 1.1 of it, from the start of the
//! process to its end. Beside it stands a bare client with as many requests in flight against the same server
//! in the same run: what the server and the machine add to one they add to the other.

#![allow(clippy::print_stdout)]

#[path = "support/figures.rs"]
mod figures;
// The faults of the server are for tests.
#[allow(dead_code)]
#[path = "../tests/support/llm_server.rs"]
mod llm_server;

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, ExitCode, Output};
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use serde_json::{Value, json};

use figures::{Figure, show};
use llm_server::{Fault, LlmServer};

const PROGRAM: &str = env!("CARGO_BIN_EXE_tuesday");
const CASES: usize = 1000;
const AT_ONCE: usize = 32;
const ANSWER: Duration = Duration::from_millis(50);
/// Times the ideal.
const ALLOWED: f64 = 1.1;
const ROUNDS: usize = 3;

fn main() -> ExitCode {
    let server = LlmServer::start();
    server.fault_model("small", Fault::Slow(ANSWER));
    let folder = tempfile::tempdir().expect("a folder");
    prepare(folder.path(), &server);
    let ideal = CASES as f64 * ANSWER.as_secs_f64() / AT_ONCE as f64;
    let bare = best(|_| bare(&server));
    let ours = best(|round| ours(folder.path(), round));
    let figure = Figure {
        what: format!("{CASES} cases at {} ms, {AT_ONCE} in flight", ANSWER.as_millis()),
        value: ours,
        unit: "s",
        limit: ideal * ALLOWED,
        without: vec![("a bare client", bare), ("ideal", ideal)],
    };
    show("An eval run over HTTP", &[figure])
}

/// The quickest of the rounds: noise only adds.
fn best(mut round: impl FnMut(usize) -> f64) -> f64 {
    (0..ROUNDS).map(&mut round).fold(f64::INFINITY, f64::min)
}

/// A repository with the set and the target.
fn prepare(folder: &Path, server: &LlmServer) {
    let config = format!(
        "[targets.candidate]\nkind = 'openai'\nbase_url = '{}'\nmodel = 'small'\n\
         [[evaluator]]\nname = 'short'\nkind = 'length'\nmax = 10000\n",
        server.url("/v1")
    );
    std::fs::write(folder.join("tuesday.toml"), config).expect("written");
    let mut lines = String::new();
    for n in 0..CASES {
        let input = format!("Why was I charged {n} dollars for my overdraft?");
        writeln!(lines, "{}", json!({"id": format!("c-{n}"), "input": input, "expected": "x"}))
            .expect("written");
    }
    let file = folder.join("cases.jsonl");
    std::fs::write(&file, lines).expect("written");
    tuesday(folder, &["init"]);
    tuesday(folder, &["evals", "import", "--set", "bench", "cases.jsonl"]);
}

fn tuesday(folder: &Path, args: &[&str]) -> Output {
    let output = Command::new(PROGRAM)
        .current_dir(folder)
        .args(["--store", "bench.db"])
        .args(args)
        .output()
        .expect("the program starts");
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

fn ours(folder: &Path, round: usize) -> f64 {
    let (name, at_once) = (format!("round-{round}"), AT_ONCE.to_string());
    let args = ["eval", "run", "--set", "bench", "--target", "candidate", "--name", &name, "--no-cache"];
    let began = Instant::now();
    let output = tuesday(folder, &[&args[..], &["--concurrency", &at_once, "--json"]].concat());
    let took = began.elapsed().as_secs_f64();
    let answer: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((&answer["cases"], &answer["passed"]), (&json!(CASES), &json!(CASES)), "{answer}");
    took
}

/// As many requests with nothing around them.
fn bare(server: &LlmServer) -> f64 {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (client, url) = (reqwest::Client::new(), server.url("/v1/chat/completions"));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let began = Instant::now();
    runtime.block_on(async {
        let ask = |n: usize| {
            let body = json!({"model": "small", "messages": [{"role": "user", "content": format!("{n}?")}]});
            let sent = client.post(&url).json(&body).send();
            async { sent.await.expect("an answer").json::<Value>().await.expect("JSON") }
        };
        futures::stream::iter((0..CASES).map(ask)).buffer_unordered(AT_ONCE).for_each(|_| async {}).await;
    });
    began.elapsed().as_secs_f64()
}
