//! Monitors and alerts as a script sees them, told over real HTTP to a server that fails on demand.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{run, run_json, run_to, traces, tuesday};

/// What the receiver does with a request.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Answer {
    Take,
    Fail,
    /// It takes the request and never answers.
    Hang,
}

/// A receiver of webhooks over real HTTP.
struct Webhook {
    address: String,
    seen: Arc<Mutex<Vec<(String, Value)>>>,
    plan: Arc<Mutex<Vec<Answer>>>,
}

impl Webhook {
    /// Answers as planned, and takes everything after.
    fn start(plan: &[Answer]) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("bound"));
        let hook = Self { address, seen: Arc::default(), plan: Arc::new(Mutex::new(plan.to_vec())) };
        let (seen, plan) = (Arc::clone(&hook.seen), Arc::clone(&hook.plan));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (seen, plan) = (Arc::clone(&seen), Arc::clone(&plan));
                std::thread::spawn(move || serve(stream.expect("a connection"), &seen, &plan));
            }
        });
        hook
    }

    fn seen(&self) -> Vec<(String, Value)> {
        self.seen.lock().expect("whole").clone()
    }

    fn wait_for(&self, count: usize) {
        let end = Instant::now() + Duration::from_secs(60);
        while self.seen().len() < count {
            assert!(Instant::now() < end, "{} of {count} messages came", self.seen().len());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

fn serve(mut stream: std::net::TcpStream, seen: &Mutex<Vec<(String, Value)>>, plan: &Mutex<Vec<Answer>>) {
    use std::io::{Read, Write};
    let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
    let (mut first, mut length) = (String::new(), 0);
    reader.read_line(&mut first).expect("a request");
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a header");
        if line.trim().is_empty() {
            break;
        }
        if let Some(bytes) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = bytes.trim().parse().expect("a number");
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("a body");
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let answer = {
        let mut plan = plan.lock().expect("whole");
        if plan.is_empty() { Answer::Take } else { plan.remove(0) }
    };
    seen.lock().expect("whole").push((path, serde_json::from_slice(&body).expect("JSON")));
    let status = match answer {
        Answer::Take => "200 OK",
        Answer::Fail => "500 Internal Server Error",
        Answer::Hang => {
            std::thread::sleep(Duration::from_secs(120));
            return;
        }
    };
    let _ = write!(stream, "HTTP/1.1 {status}\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok");
}

/// Four days of a bot with 90 requests an hour; `ill` makes a third of the last hour's time out.
fn bot(ill: bool) -> String {
    let now = jiff::Timestamp::now().as_second();
    (0..90 * 96)
        .map(|n| {
            let ago = (90 * 96 - n) * 40;
            let failed = ill && ago < 3_600 && n % 3 == 0;
            let at = jiff::Timestamp::from_second(now - ago).expect("in range").to_string();
            let mut trace = json!({
                "id": format!("t-{n}"), "session": format!("s-{}", n / 2), "time": at,
                "feature": "customer_support", "prompt": "customer_support", "prompt_version": "v3",
                "model": if n % 3 == 0 { "gpt-4o" } else { "gpt-4o-mini" },
                "input": "SECRET-QUESTION", "output": if failed { "" } else { "SECRET-ANSWER" },
                "latency_ms": 700 + (n * 37) % 1_400, "cost_usd": 0.0024,
            });
            if failed {
                trace["status"] = json!("error");
                trace["error_kind"] = json!("timeout");
            }
            trace.to_string() + "\n"
        })
        .collect()
}

fn store(ill: bool, config: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = folder.path().join("t.db");
    std::fs::write(folder.path().join("traces.jsonl"), bot(ill)).expect("written");
    std::fs::write(folder.path().join("tuesday.toml"), config).expect("written");
    run_to(0, &store, &["import", "traces.jsonl"]);
    (folder, store)
}

fn with(store: &Path, hook: &Webhook, args: &[&str]) -> Command {
    let mut command = tuesday(store);
    command
        .env("HOOK_URL", format!("{}/T0/s3cr3t-path", hook.address))
        .env("PD_KEY", "r0uting-key-4711")
        .args(args);
    command
}

fn answer(mut command: Command, code: i32) -> Value {
    let output = command.output().expect("it starts");
    assert_eq!(output.status.code(), Some(code), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

const SLACK: &str = "[[notify]]\nkind = 'slack'\nurl_env = 'HOOK_URL'\n";

#[test]
fn rules_are_listed_with_their_price_and_replayed() {
    let (_folder, store) = store(true, "[monitors]\nfalse_pages_per_month = 1.0\n");
    let all = run_json(&store, &["monitor", "list", "--json"]);
    let all = all.as_array().expect("a list");
    assert_eq!(all.len(), 8);
    for one in all {
        for key in ["id", "state", "expected_false_pages_per_month", "value", "n"] {
            assert!(one.get(key).is_some(), "{key} of {one}");
        }
    }
    let total: f64 = all
        .iter()
        .filter(|one| one["severity"] == "page")
        .filter_map(|one| one["expected_false_pages_per_month"].as_f64())
        .sum();
    assert!(total > 0.0 && total <= 1.0, "{total}");
    let errors = run_json(&store, &["monitor", "show", "errors", "--json"]);
    assert_eq!(errors["state"], "firing", "{errors:#}");
    let past = run_json(&store, &["monitor", "replay", "errors", "--last", "28d", "--json"]);
    assert_eq!(past["episodes"].as_array().map(Vec::len), Some(1), "{past:#}");
    let quiet = run_json(&store, &["monitor", "replay", "latency", "--last", "28d", "--json"]);
    assert_eq!(quiet["episodes"], json!([]));
    let unknown = run(&store, &["monitor", "show", "erors"]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("Did you mean errors?"));
}

#[test]
fn an_alert_is_told_once_with_figures_and_without_text_or_keys() {
    let config = format!(
        "{SLACK}[[notify]]\nkind = 'alertmanager'\nurl_env = 'HOOK_URL'\n\
         [[notify]]\nkind = 'pagerduty'\nurl_env = 'HOOK_URL'\nrouting_key_env = 'PD_KEY'\n"
    );
    let (folder, store) = store(true, &config);
    let hook = Webhook::start(&[]);
    let first = answer(with(&store, &hook, &["watch", "--once", "--json"]), 0);
    assert_eq!(
        (first["fired"].as_array().map(Vec::len), first["messages"].as_u64()),
        (Some(1), Some(3)),
        "{first:#}"
    );
    assert!(first["took_ms"].is_number());
    assert_eq!(hook.seen().len(), 3);
    // Twice more, and nobody is told twice.
    for _ in 0..2 {
        answer(with(&store, &hook, &["watch", "--once", "--json"]), 0);
    }
    assert_eq!(hook.seen().len(), 3);
    let all = hook.seen().iter().map(|(_, body)| body.to_string()).collect::<String>();
    assert!(!all.contains("SECRET"), "no text of a trace: {all}");
    let bodies: Vec<Value> = hook.seen().into_iter().map(|(_, body)| body).collect();
    let slack = bodies.iter().find(|body| body.get("text").is_some()).expect("Slack's");
    assert!(slack["text"].as_str().is_some_and(|text| text.contains("errors") && text.contains("FIRING")));
    let manager = bodies.iter().find(|body| body["version"] == "4").expect("Alertmanager's");
    assert_eq!(
        (&manager["status"], &manager["alerts"][0]["labels"]["kind"]),
        (&json!("firing"), &json!("timeout"))
    );
    let pager = bodies.iter().find(|body| body.get("event_action").is_some()).expect("PagerDuty's");
    assert_eq!(
        (&pager["event_action"], &pager["routing_key"]),
        (&json!("trigger"), &json!("r0uting-key-4711"))
    );
    let alerts = run_json(&store, &["alert", "list", "--json"]);
    assert_eq!(alerts[0]["evidence"]["slices"][0]["slice"][0], json!(["model", "gpt-4o"]), "{alerts:#}");
    let shown = run_json(&store, &["alert", "show", "A-1", "--json"]);
    assert!(
        shown["told"].as_array().is_some_and(|told| told.iter().all(|one| one["state"] == "sent")),
        "{shown:#}"
    );
    for file in std::fs::read_dir(folder.path()).expect("readable") {
        let bytes = std::fs::read(file.expect("an entry").path()).unwrap_or_default();
        for secret in ["s3cr3t-path", "r0uting-key-4711"] {
            assert!(
                !bytes.windows(secret.len()).any(|window| window == secret.as_bytes()),
                "{secret} was kept"
            );
        }
    }
}

#[test]
fn a_receiver_that_fails_is_asked_again_and_nothing_is_lost_with_the_program() {
    let (_folder, store) = store(true, SLACK);
    let hook = Webhook::start(&[Answer::Fail]);
    answer(with(&store, &hook, &["watch", "--once", "--json"]), 0);
    let told = run_json(&store, &["alert", "show", "A-1", "--json"])["told"][0].clone();
    assert_eq!(
        (&told["state"], &told["status"], &told["attempts"]),
        (&json!("waiting"), &json!(500), &json!(1))
    );
    // Its time has not come: another program leaves it alone.
    answer(with(&store, &hook, &["watch", "--once", "--json"]), 0);
    assert_eq!(hook.seen().len(), 1);
}

#[test]
fn a_test_is_marked_and_its_answer_is_kept() {
    let (_folder, store) = store(false, SLACK);
    let hook = Webhook::start(&[Answer::Take, Answer::Fail]);
    let said = answer(with(&store, &hook, &["monitor", "test", "errors", "--json"]), 0);
    assert_eq!((&said["taken"], &said["receivers"][0]["status"]), (&json!(true), &json!(200)));
    assert!(hook.seen()[0].1["text"].as_str().is_some_and(|text| text.contains("TEST")));
    let said = answer(with(&store, &hook, &["monitor", "test", "errors", "--json"]), 1);
    assert_eq!((&said["taken"], &said["receivers"][0]["state"]), (&json!(false), &json!("failed")));
    let missing = tuesday(&store).args(["monitor", "test", "errors", "--json"]).output().expect("it starts");
    assert_eq!(missing.status.code(), Some(1));
    let shown = String::from_utf8_lossy(&missing.stdout).into_owned();
    assert!(shown.contains("$HOOK_URL is not set"), "{shown}");
}

/// A watcher that is killed when the test ends.
struct Watching(Child);

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn two_watch_and_one_tells_while_a_receiver_hangs() {
    let config = format!(
        "[monitors]\ngroup_wait = '1s'\n{SLACK}[[notify]]\nname = 'second'\nkind = 'slack'\nurl_env = 'SECOND_URL'\n"
    );
    let (folder, store) = store(false, &config);
    let (hangs, takes) = (Webhook::start(&[Answer::Hang; 8]), Webhook::start(&[]));
    let watch = || {
        let mut command = with(&store, &hangs, &["watch", "--json"]);
        command.env("SECOND_URL", &takes.address).stdout(Stdio::piped()).stderr(Stdio::piped());
        Watching(command.spawn().expect("it starts"))
    };
    let mut first = watch();
    let mut lines = BufReader::new(first.0.stdout.take().expect("piped")).lines();
    let pass = |lines: &mut std::io::Lines<BufReader<std::process::ChildStdout>>| -> Value {
        serde_json::from_str(&lines.next().expect("a pass").expect("text")).expect("JSON")
    };
    assert_eq!(pass(&mut lines)["fired"], json!([]));
    let second = watch();
    // The fault comes in while both watch.
    let ill: String =
        bot(true).lines().filter(|line| line.contains("timeout")).fold(String::new(), |mut all, line| {
            all.push_str(&line.replace("\"t-", "\"ill-").replace("\"s-", "\"ill-s-"));
            all.push('\n');
            all
        });
    std::fs::write(folder.path().join("ill.jsonl"), ill).expect("written");
    run_to(0, &store, &["import", "ill.jsonl"]);
    let fired = loop {
        let seen = pass(&mut lines);
        if seen["fired"].as_array().is_some_and(|fired| !fired.is_empty()) {
            break seen;
        }
    };
    assert_eq!(fired["fired"][0]["rule"], "errors", "{fired:#}");
    takes.wait_for(1);
    // The hanging receiver holds up neither the other one nor the next look.
    std::fs::write(folder.path().join("more.jsonl"), traces(9_000, 3)).expect("written");
    run_to(0, &store, &["import", "more.jsonl"]);
    pass(&mut lines);
    drop(second);
    assert_eq!(takes.seen().len(), 1, "two watch, and one tells");
}

#[test]
fn an_alert_is_silenced_and_leads_to_an_incident() {
    let (_folder, store) = store(true, SLACK);
    let hook = Webhook::start(&[]);
    let silence = ["alert", "silence", "errors", "--for", "2h", "--reason", "maintenance", "--json"];
    let silence = run_json(&store, &silence);
    assert_eq!((&silence["rule"], &silence["reason"]), (&json!("errors"), &json!("maintenance")));
    let seen = answer(with(&store, &hook, &["watch", "--once", "--json"]), 0);
    assert_eq!(seen["messages"], 0);
    assert!(hook.seen().is_empty());
    let listed = run_json(&store, &["alert", "list", "--json"]);
    assert_eq!(listed[0]["silenced_until"], silence["until"]);
    let incident = run_json(&store, &["alert", "incident", "A-1", "--json"]);
    assert!(incident["title"].as_str().is_some_and(|title| title.starts_with("errors: ")), "{incident:#}");
    assert_eq!(run_json(&store, &["alert", "show", "A-1", "--json"])["incident"], incident["id"]);
    let missing = run(&store, &["alert", "show", "A-9"]);
    assert_eq!(missing.status.code(), Some(1));
}

#[test]
fn alerts_of_a_feature_are_one_message_to_a_chat() {
    let (folder, store) = store(true, SLACK);
    // A third of the last hour's requests were refused, beside those that timed out.
    let refused: String = bot(true)
        .lines()
        .filter(|line| line.contains("timeout"))
        .map(|line| line.replace("\"t-", "\"r-").replace("timeout", "rate_limit") + "\n")
        .collect();
    std::fs::write(folder.path().join("refused.jsonl"), refused).expect("written");
    run_to(0, &store, &["import", "refused.jsonl"]);
    let hook = Webhook::start(&[]);
    let seen = answer(with(&store, &hook, &["watch", "--once", "--json"]), 0);
    assert_eq!((seen["fired"].as_array().map(Vec::len), &seen["messages"]), (Some(2), &json!(1)), "{seen:#}");
    let bodies = hook.seen();
    let text = bodies[0].1["text"].as_str().expect("a text");
    assert!(bodies.len() == 1 && text.contains("2 firing"), "{bodies:#?}");
    assert!(text.contains("timeout) A-") && text.contains("rate_limit) A-"), "{text}");
    for id in ["A-1", "A-2"] {
        let shown = run_json(&store, &["alert", "show", id, "--json"]);
        assert_eq!(shown["told"][0]["state"], "sent", "{shown:#}");
    }
}

#[test]
fn tests_of_monitors_say_what_failed_and_where() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("tests.toml");
    let test = |state: &str| {
        format!(
            "[[test]]\nname = 'time-outs'\nmonitor = 'errors'\nsteps = [\n\
             {{ for = '14d', requests = 60 }},\n{{ for = '1h', requests = 60, timeout = 0.25 }},\n\
             {{ expect = '{state}' }},\n]\n"
        )
    };
    // No store is needed, and none is made.
    let store = folder.path().join("none.db");
    std::fs::write(&file, test("firing")).expect("written");
    let held = run_json(&store, &["monitor", "check", "tests.toml", "--json"]);
    assert_eq!((&held[0]["passed"], &held[0]["failed"]), (&json!(1), &json!(0)), "{held:#}");
    std::fs::write(&file, test("ok")).expect("written");
    let failed = run(&store, &["monitor", "check", "tests.toml"]);
    assert_eq!(failed.status.code(), Some(1));
    let said = String::from_utf8_lossy(&failed.stdout).into_owned();
    assert!(said.contains("tests.toml:7: after 14 d 1 h it is firing and not ok: "), "{said}");
    std::fs::write(&file, test("fine")).expect("written");
    let wrong = run(&store, &["monitor", "check", "tests.toml"]);
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("tests.toml, line 7: "), "{wrong:?}");
    assert!(!store.exists());
}
