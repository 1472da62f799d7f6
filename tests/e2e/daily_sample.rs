//! The daily sample from outside: arriving traces are judged over real HTTP, once, within the budget, and what the
//! judge says raises alerts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::json_shape::{JSON_MONITOR, Topic};
use crate::llm_server::{Fault, LlmServer};
use crate::support::{run_json, run_to, tuesday};

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(180);

fn config(server: &LlmServer, model: &str) -> String {
    let url = server.url("/v1");
    format!(
        r#"
judge = "critic"
[targets.critic]
kind = "openai"
base_url = "{url}"
model = "{model}"
timeout = "60s"
[prices."{model}"]
input = 1
output = 2
[[evaluator]]
name = "quality"
kind = "judge"
criteria = ["accuracy"]
[judge_sample]
rate = 1.0
max_usd_per_day = 20.0
"#
    )
}

fn rating(n: u8) -> Fault {
    Fault::Message(
        json!({"role": "assistant", "content": format!(r#"{{"explanation":"So.","accuracy":{n}}}"#)}),
    )
}

/// So many traces of the last three hours, all older than five minutes.
fn traces(name: &str, count: i64) -> String {
    let now = jiff::Timestamp::now().as_second();
    (0..count)
        .map(|n| {
            let at =
                jiff::Timestamp::from_second(now - 300 - (count - n) * 10_000 / count).expect("in range");
            let trace = json!({
                "id": format!("{name}-{n}"), "time": at.to_string(), "feature": "customer_support",
                "input": format!("Question {name} {n}?"), "output": "It was a fee.", "latency_ms": 700,
            });
            trace.to_string() + "\n"
        })
        .collect()
}

/// A store with a few traces that were there before, and its configuration.
fn store(config: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = folder.path().join("t.db");
    std::fs::write(folder.path().join("tuesday.toml"), config).expect("written");
    import(&folder, &store, "old", 5);
    // The first look: what arrives from now on is drawn.
    run_to(0, &store, &["watch", "--once"]);
    (folder, store)
}

fn import(folder: &tempfile::TempDir, store: &Path, name: &str, count: i64) {
    let file = format!("{name}.jsonl");
    std::fs::write(folder.path().join(&file), traces(name, count)).expect("written");
    run_to(0, store, &["import", &file]);
}

/// How often each question was asked.
fn asked(server: &LlmServer) -> BTreeMap<String, usize> {
    let mut asked = BTreeMap::new();
    for seen in server.seen() {
        let text = seen.body.to_string();
        let at = text.find("Question ").expect("a question");
        let question = text[at..].split('?').next().expect("its end").to_owned();
        *asked.entry(question).or_default() += 1;
    }
    asked
}

fn judged(store: &Path) -> Value {
    run_json(store, &["health", "--window", "7d", "--json"])["judged"].clone()
}

fn wait_until(what: &str, mut so: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !so() {
        assert!(Instant::now() < end, "{what} did not come about");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// A program that is killed when the test ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(store: &Path, args: &[&str]) -> Running {
    let mut command = tuesday(store);
    Running(command.args(args).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts"))
}

#[test]
fn a_drift_that_the_judge_sees_fires_and_another_judge_pauses_the_rule() {
    let server = LlmServer::start();
    let (folder, store) = store(&config(&server, "one"));
    import(&folder, &store, "well", 120);
    // In the order of the questions, whatever they are: three of 120 fail, then one of two.
    (0..120).for_each(|n| server.fault_next(rating(if n % 40 == 0 { 2 } else { 9 })));
    run_to(0, &store, &["watch", "--once"]);
    assert_eq!(asked(&server).len(), 120, "all of them, each once, and none that was there before");
    let by = judged(&store);
    assert_eq!(
        (&by["people"], &by["judge"], &by["judges"]),
        (&json!(0), &json!(120), &json!(["quality by one-1"]))
    );
    assert_eq!(run_json(&store, &["monitor", "show", "quality-drift", "--json"])["state"], "ok");
    import(&folder, &store, "ill", 120);
    (0..120).for_each(|n| server.fault_next(rating(if n % 2 == 0 { 2 } else { 9 })));
    run_to(0, &store, &["watch", "--once"]);
    let seen = run_json(&store, &["watch", "--once", "--json"]);
    assert_eq!(seen["fired"][0]["rule"], "quality-drift", "{seen:#}");
    assert!(asked(&server).values().all(|times| *times == 1));
    // Another judge.
    std::fs::write(folder.path().join("tuesday.toml"), config(&server, "two")).expect("written");
    import(&folder, &store, "more", 20);
    server.fault_model("two", rating(9));
    run_to(0, &store, &["watch", "--once"]);
    let seen = run_json(&store, &["watch", "--once", "--json"]);
    assert_eq!(seen["fired"][0]["group"]["paused"], "judge changed", "{seen:#}");
    let shown = run_json(&store, &["monitor", "show", "quality-drift", "--json"]);
    assert_eq!(shown["state"], "paused");
    assert!(
        shown["says"]
            .as_str()
            .is_some_and(|says| says.contains("quality is judged by two-1, before by one-1"))
    );
    let topic = Topic::of(JSON_MONITOR, &[]);
    let few = tuesday(&store)
        .args(["monitor", "resume", "quality-drift", "--baseline", "judged"])
        .output()
        .expect("it starts");
    assert_eq!(few.status.code(), Some(1));
    let done = run_json(&store, &["monitor", "resume", "quality-drift", "--json"]);
    topic.check_answer("monitor resume ID; what is trusted from now on", &done);
    assert_eq!((&done["by"], &done["groups"][0]["judged"]), (&json!("ann"), &json!(20)));
    let seen = run_json(&store, &["watch", "--once", "--json"]);
    assert_eq!(seen["resolved"][0]["group"]["paused"], "judge changed", "{seen:#}");
    assert_eq!(run_to(1, &store, &["monitor", "resume", "quality-drift"]), "");
}

#[test]
fn no_trace_is_paid_for_twice_though_the_program_is_killed() {
    let server = LlmServer::start();
    let (folder, store) = store(&config(&server, "one"));
    import(&folder, &store, "new", 40);
    for n in 1..=3 {
        // Slow enough that the kill falls between a question and its answer.
        server.fault_model("one", Fault::Slow(Duration::from_secs(30)));
        let mut watching = start(&store, &["watch"]);
        wait_until("a question", || server.seen().len() >= 4 * n);
        watching.0.kill().expect("killed");
        watching.0.wait().expect("reaped");
    }
    server.fault_model("one", rating(9));
    let _watching = start(&store, &["watch"]);
    let lost = 3 * 4;
    wait_until("all judged", || judged(&store)["judge"] == json!(40 - lost));
    let asked = asked(&server);
    assert!(asked.values().all(|times| *times == 1), "{asked:?}");
    assert_eq!(asked.len(), 40, "what was asked and not answered counts as paid");
    assert_eq!(run_json(&store, &["doctor", "--json"])["store"]["integrity"], "ok");
}

#[test]
fn the_receiver_watches_and_judges_and_a_judge_that_is_down_holds_nothing_up() {
    use std::io::{BufRead, BufReader, Read, Write};
    let server = LlmServer::start();
    server.fault_model("one", Fault::Status(400, Vec::new(), "{}".to_owned()));
    let (_folder, store) = store(&config(&server, "one"));
    let mut serving = start(&store, &["serve", "--listen", "127.0.0.1:0"]);
    let mut first = String::new();
    BufReader::new(serving.0.stdout.take().expect("piped")).read_line(&mut first).expect("an address");
    let address = first.trim().strip_prefix("http://").expect("an address").to_owned();
    let arriving = traces("ill", 150);
    let mut stream = std::net::TcpStream::connect(&address).expect("connected");
    write!(
        stream,
        "POST /v1/traces/tuesday HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{arriving}",
        arriving.len()
    )
    .expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    wait_until("a question", || !server.seen().is_empty());
    assert_eq!(judged(&store)["judge"], 0);
    server.fault_model("one", rating(2));
    wait_until("the judge's words", || judged(&store)["judge"].as_u64().is_some_and(|n| n >= 100));
    wait_until("an alert", || run_json(&store, &["alert", "list", "--json"])[0]["rule"] == "quality-drift");
}
