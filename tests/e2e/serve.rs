//! `tuesday serve` from outside: what applications send over loopback is in the store, whatever happens.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::pty::Terminal;
use crate::support::{run, run_json, run_to, store_with, traces, tuesday};

const JSON: &str = "application/json";
const PROTOBUF: &str = "application/x-protobuf";

/// A running receiver.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
}

impl Server {
    pub fn start(store: &Path) -> Self {
        Self::start_with(store, &[], &[])
    }

    fn start_with(store: &Path, args: &[&str], env: &[(&str, &str)]) -> Self {
        let mut child = tuesday(store)
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(args)
            .envs(env.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("a first line");
        let address = line.trim().trim_start_matches("http://").parse();
        Self { child, address: address.unwrap_or_else(|e| panic!("{line:?} is no address: {e}")) }
    }

    /// Asks it to end, and gives its exit code and what it said.
    pub fn end(mut self) -> (Option<i32>, String) {
        signal(self.child.id(), "TERM");
        let status = self.child.wait().expect("reaped");
        let mut said = String::new();
        self.child.stderr.take().expect("piped").read_to_string(&mut said).expect("UTF-8");
        (status.code(), said)
    }

    fn post(&self, path: &str, content_type: &str, body: &[u8]) -> (u16, Value) {
        let (status, body) = post(self.address, path, content_type, "", body).expect("an answer");
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn signal(pid: u32, name: &str) {
    let sent = std::process::Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).status();
    assert!(sent.expect("kill runs").success());
}

/// One request on a connection of its own. An error is a connection that broke before the answer.
fn post(
    address: SocketAddr,
    path: &str,
    content_type: &str,
    headers: &str,
    body: &[u8],
) -> std::io::Result<(u16, Vec<u8>)> {
    let mut stream = TcpStream::connect(address)?;
    let length = body.len();
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nhost: here\r\nconnection: close\r\ncontent-type: {content_type}\r\n\
         content-length: {length}\r\n{headers}\r\n"
    )?;
    // A receiver that has seen enough answers before all is sent.
    stream.write_all(body).ok();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
    let end = end.ok_or(std::io::ErrorKind::UnexpectedEof)?;
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Ok((status, answer[end + 4..].to_vec()))
}

fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("it listens");
    write!(stream, "GET {path} HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n").expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

fn fixture(name: &str) -> Vec<u8> {
    let path = format!("{}/fixtures/otlp/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(path).expect("a fixture")
}

/// A document with one call of a model as trace number `n`, half a minute ago.
fn call(n: usize, said: &str) -> String {
    let at = |ms: i64| ((jiff::Timestamp::now().as_millisecond() - 30_000 + ms) * 1_000_000).to_string();
    let text = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
    json!({"resourceSpans": [{
        "resource": {"attributes": [text("service.name", "support-bot")]},
        "scopeSpans": [{"scope": {"name": "test"}, "spans": [{
            "traceId": format!("{n:032x}"), "spanId": format!("{:016x}", 1), "name": "chat", "kind": 3,
            "startTimeUnixNano": at(0), "endTimeUnixNano": at(750),
            "attributes": [
                text("gen_ai.operation.name", "chat"), text("gen_ai.request.model", "gpt-4o"),
                text("gen_ai.input.messages", r#"[{"role":"user","parts":[{"type":"text","content":"Why?"}]}]"#),
                text("gen_ai.output.messages",
                    &json!([{"role": "assistant", "parts": [{"type": "text", "content": said}]}]).to_string()),
            ],
        }]}],
    }]})
    .to_string()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(bytes).expect("packed");
    gzip.finish().expect("packed")
}

fn whole(store: &Path) {
    assert_eq!(run_json(store, &["doctor", "--json"])["store"]["integrity"], "ok");
}

#[test]
fn spans_traces_and_feedback_arrive() {
    let (_folder, store) = store_with(0);
    let server = Server::start(&store);
    assert!(get(server.address, "/healthz").starts_with("HTTP/1.1 200"));
    assert_eq!(server.post("/v1/traces", JSON, &fixture("genai.json")), (200, json!({})));
    assert_eq!(server.post("/v1/traces", PROTOBUF, &fixture("recorded.pb")).0, 200);
    let packed = gzip(&fixture("langfuse.json"));
    let answer =
        post(server.address, "/api/public/otel/v1/traces", JSON, "content-encoding: gzip\r\n", &packed);
    assert_eq!(answer.expect("an answer").0, 200);
    let ours = traces(0, 3);
    let (status, told) = server.post("/v1/traces/tuesday", "application/x-ndjson", ours.as_bytes());
    assert_eq!((status, &told["added"]), (200, &json!(3)));
    let id = "5b8efff798038103d269b633813fc60c";
    let said = json!({"trace": id, "kind": "thumbs", "value": "down", "comment": "Wrong fee"});
    let (status, told) = server.post("/v1/feedback", JSON, said.to_string().as_bytes());
    assert_eq!((status, &told["added"]), (200, &json!(1)));

    // The program reads the store while it is served.
    let trace = run_json(&store, &["trace", "show", id, "--json"]);
    assert_eq!(trace["model"], "gpt-4o-2024-08-06");
    assert_eq!(trace["spans"].as_array().expect("spans").len(), 5);
    assert_eq!(trace["feedback"][0]["comment"], "Wrong fee");
    assert_eq!(run_json(&store, &["trace", "list", "--count", "--json"])["count"], 11);
    let (code, told) = server.end();
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("Ended. 11 new traces from 17 spans, 1 changed"), "{told}");
    whole(&store);
    // Nothing is left beside the store's two files.
    let mut left: Vec<_> = std::fs::read_dir(store.parent().expect("a folder"))
        .expect("a folder")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.starts_with("t.db"))
        .collect();
    left.sort();
    assert_eq!(left, ["t.db", "t.db-work"]);
}

#[test]
fn what_was_acknowledged_survives_fifteen_kills() {
    let (_folder, store) = store_with(0);
    let acknowledged = Mutex::new(Vec::new());
    let number = AtomicUsize::new(1);
    for round in 1..=15_u64 {
        let mut server = Server::start(&store);
        let address = server.address;
        let over = AtomicBool::new(false);
        std::thread::scope(|threads| {
            for _ in 0..4 {
                threads.spawn(|| {
                    while !over.load(Ordering::Relaxed) {
                        let n = number.fetch_add(1, Ordering::Relaxed);
                        let body = call(n, &format!("answer {n}"));
                        match post(address, "/v1/traces", JSON, "", body.as_bytes()) {
                            Ok((200, _)) => acknowledged.lock().expect("whole").push(n),
                            Ok((status, _)) => panic!("{status}"),
                            Err(_) => return,
                        }
                    }
                });
            }
            // Moments that differ from round to round.
            std::thread::sleep(Duration::from_millis(40 + round * 37 % 160));
            server.child.kill().expect("killed");
            server.child.wait().expect("reaped");
            over.store(true, Ordering::Relaxed);
        });
    }
    let acknowledged = acknowledged.into_inner().expect("whole");
    assert!(acknowledged.len() > 15, "only {} were acknowledged", acknowledged.len());
    let all = run_json(&store, &["trace", "list", "--limit", "100000", "--json"]);
    let there: std::collections::HashSet<&str> =
        all["traces"].as_array().expect("traces").iter().filter_map(|trace| trace["id"].as_str()).collect();
    for n in &acknowledged {
        assert!(there.contains(format!("{n:032x}").as_str()), "trace {n} was acknowledged and is gone");
    }
    whole(&store);
}

#[test]
fn garbage_and_crowds_are_answered_and_leave_the_store_whole() {
    let (_folder, store) = store_with(10);
    let server = Server::start(&store);
    let recorded = fixture("recorded.pb");
    let deep = format!(r#"{{"resourceSpans":{}{}}}"#, "[".repeat(200_000), "]".repeat(200_000));
    let mut nested = vec![0_u8; 0];
    // Resource → attributes → value → list → value → list …: deeper than any reader follows.
    for _ in 0..2_000 {
        let mut outer = vec![0x0a];
        let mut length = nested.len();
        while length > 0x7f {
            outer.push((length & 0x7f) as u8 | 0x80);
            length >>= 7;
        }
        outer.push(length as u8);
        outer.extend(nested);
        nested = outer;
    }
    let bomb = gzip(&vec![b' '; 100 << 20]);
    for (what, content_type, headers, body, wanted) in [
        ("garbage", PROTOBUF, "", &b"\xff\xfe\xfd garbage"[..], 400),
        ("truncated", PROTOBUF, "", &recorded[..recorded.len() - 7], 400),
        ("garbage in JSON", JSON, "", b"{\"resourceSpans\": [}", 400),
        ("deep JSON", JSON, "", deep.as_bytes(), 400),
        ("deep protobuf", PROTOBUF, "", &nested, 400),
        ("a bomb", JSON, "content-encoding: gzip\r\n", &bomb, 413),
        ("half a gzip", JSON, "content-encoding: gzip\r\n", &bomb[..1000], 400),
        ("too large", JSON, "", &vec![b' '; 21 << 20], 413),
    ] {
        let (status, body) = post(server.address, "/v1/traces", content_type, headers, body).expect(what);
        assert_eq!(status, wanted, "{what}: {}", String::from_utf8_lossy(&body));
        assert!(!body.is_empty(), "{what}");
    }
    // A thousand connections, of which most only stand there.
    let standing: Vec<TcpStream> =
        (0..1_000).filter_map(|_| TcpStream::connect(server.address).ok()).collect();
    assert!(standing.len() > 900, "{}", standing.len());
    for (n, mut stream) in standing.iter().enumerate() {
        if n % 3 == 0 {
            stream.write_all(b"POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{").ok();
        }
    }
    assert_eq!(server.post("/v1/traces", JSON, call(7, "still here").as_bytes()), (200, json!({})));
    drop(standing);
    let (code, told) = server.end();
    assert_eq!(code, Some(0), "{told}");
    assert_eq!(run_json(&store, &["trace", "list", "--count", "--json"])["count"], 11);
    whole(&store);
}

#[test]
fn spans_from_next_year_are_refused_and_bend_nothing() {
    let (_folder, store) = store_with(0);
    let server = Server::start(&store);
    assert_eq!(server.post("/v1/traces", JSON, call(1, "now").as_bytes()), (200, json!({})));
    let later = (jiff::Timestamp::now().as_second() + 366 * 86_400).to_string() + "000000000";
    let mut document: Value = serde_json::from_str(&call(2, "then")).expect("JSON");
    let span = &mut document["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
    (span["startTimeUnixNano"], span["endTimeUnixNano"]) = (json!(later), json!(later));
    let (status, told) = server.post("/v1/traces", JSON, document.to_string().as_bytes());
    assert_eq!((status, &told["partialSuccess"]["rejectedSpans"]), (200, &json!("1")));
    assert!(
        told["partialSuccess"]["errorMessage"]
            .as_str()
            .expect("why")
            .contains("ahead of this machine's clock")
    );
    let health = run_json(&store, &["health", "--json"]);
    assert_eq!(
        (&health["requests"]["value"], &health["p95_latency_ms"]["value"]),
        (&json!(1), &json!(750.0))
    );
}

#[test]
fn beyond_this_machine_senders_show_a_token() {
    let (_folder, store) = store_with(0);
    let refused = run(&store, &["serve", "--listen", "0.0.0.0:0"]);
    assert_eq!(refused.status.code(), Some(2));
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(told.contains("token") && told.contains("--token-env"), "{told}");
    let refused = run(&store, &["serve", "--listen", "0.0.0.0:0", "--token-env", "NO_SUCH_TOKEN"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("NO_SUCH_TOKEN holds no token"));

    let server = Server::start_with(&store, &["--token-env", "MY_TOKEN"], &[("MY_TOKEN", "s3cret-token")]);
    let send = |headers: &str| {
        post(server.address, "/v1/traces", JSON, headers, call(1, "x").as_bytes()).expect("an answer").0
    };
    assert_eq!(send(""), 401);
    assert_eq!(send("authorization: Bearer wrong\r\n"), 401);
    assert_eq!(send("authorization: Bearer s3cret-token\r\n"), 200);
    let (code, told) = server.end();
    assert_eq!(code, Some(0));
    assert!(!told.contains("s3cret"), "{told}");
    for file in ["t.db", "t.db-work"] {
        let bytes = std::fs::read(store.with_file_name(file)).expect("a file of the store");
        assert!(!bytes.windows(6).any(|window| window == b"s3cret"), "{file} holds the token");
    }
}

#[test]
fn new_traces_appear_on_the_screen_by_themselves() {
    let (_folder, store) = store_with(3);
    let server = Server::start(&store);
    let mut terminal = Terminal::start(&store, &[], 120, 30);
    terminal.type_and_see("gt", "Why was fee number 2");
    server.post("/v1/traces", JSON, call(1, "It was the overdraft fee").as_bytes());
    terminal.wait_for("overdraft fee");
    // And what a later span changes about it.
    let mut document: Value = serde_json::from_str(&call(1, "A later and longer answer")).expect("JSON");
    let span = &mut document["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
    (span["spanId"], span["endTimeUnixNano"]) =
        (json!("00000000000000ff"), json!((jiff::Timestamp::now().as_millisecond() * 1_000_000).to_string()));
    server.post("/v1/traces", JSON, document.to_string().as_bytes());
    terminal.wait_for("A later and longer answer");
    terminal.keys("q");
    assert_eq!(terminal.exit_code(), 0);
}

#[test]
fn files_of_spans_are_imported_as_they_are_received() {
    let (folder, store) = store_with(0);
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("written");
        path.to_str().expect("UTF-8").to_owned()
    };
    let compact = |name: &str| {
        let value: Value = serde_json::from_slice(&fixture(name)).expect("JSON");
        value.to_string()
    };
    // As the Collector's file exporter writes them: a document a line.
    let lines = format!("{}\n{}\n", compact("genai.json"), compact("openinference.json"));
    let mut prefixed = (fixture("recorded.pb").len() as u32).to_be_bytes().to_vec();
    prefixed.extend(fixture("recorded.pb"));
    for (name, bytes, traces) in [
        ("lines.jsonl", lines.clone().into_bytes(), 2),
        ("pretty.json", fixture("vercel.json"), 1),
        ("packed.json.gz", gzip(compact("langfuse.json").as_bytes()), 1),
        ("raw.pb", fixture("recorded.pb"), 6),
        ("prefixed.pb", prefixed, 0),
    ] {
        let report = run_json(&store, &["import", &file(name, &bytes), "--json"]);
        assert_eq!((&report["added"], &report["rejected"]), (&json!(traces), &json!(0)), "{name}: {report}");
        assert_eq!(report["files"][0]["format"], "otlp", "{name}");
        let again = run_json(&store, &["import", "--format", "otlp", &file(name, &bytes), "--json"]);
        assert_eq!((&again["added"], &again["updated"]), (&json!(0), &json!(0)), "{name}: {again}");
    }
    let bad = format!("{}\n{{\"resourceSpans\":7}}\n", compact("openllmetry.json"));
    let report = run_json_to(3, &store, &["import", &file("bad.jsonl", bad.as_bytes()), "--json"]);
    assert_eq!((&report["added"], &report["rejected"]), (&json!(1), &json!(1)), "{report}");
    let cut = &fixture("recorded.pb")[..5_000];
    let report = run_json_to(3, &store, &["import", &file("cut.pb", cut), "--json"]);
    assert_eq!(report["rejects"][0]["reason"], "the file ends inside this item", "{report}");
    // A served store has the same traces.
    let other = store.with_file_name("other.db");
    let server = Server::start(&other);
    for line in lines.lines() {
        server.post("/v1/traces", JSON, line.as_bytes());
    }
    let id = "5b8efff798038103d269b633813fc60c";
    let show = |store: &Path| {
        let mut trace = run_json(store, &["trace", "show", id, "--json"]);
        trace["neighbours"] = Value::Null;
        trace
    };
    assert_eq!(show(&store), show(&other));
    whole(&store);
}

fn run_json_to(code: i32, store: &Path, args: &[&str]) -> Value {
    serde_json::from_str(&run_to(code, store, args)).expect("JSON")
}

#[test]
fn an_import_and_a_receiver_write_to_one_store() {
    let (folder, store) = store_with(0);
    let server = Server::start(&store);
    let file = folder.path().join("many.jsonl");
    std::fs::write(&file, traces(0, 6_000)).expect("written");
    let over = AtomicBool::new(false);
    let (report, sent) = std::thread::scope(|threads| {
        let sender = threads.spawn(|| {
            let mut sent = 0;
            while !over.load(Ordering::Relaxed) {
                sent += 1;
                let answer = server.post("/v1/traces", JSON, call(sent, "meanwhile").as_bytes());
                assert_eq!(answer, (200, json!({})));
            }
            sent
        });
        let report = run_json(&store, &["import", file.to_str().expect("UTF-8"), "--json"]);
        over.store(true, Ordering::Relaxed);
        (report, sender.join().expect("all were taken"))
    });
    assert_eq!(report["added"], 6_000);
    assert_eq!(server.end().0, Some(0));
    assert_eq!(run_json(&store, &["trace", "list", "--count", "--json"])["count"], 6_000 + sent);
    whole(&store);
}

#[test]
fn a_store_that_another_program_holds_is_told_to_both_sides() {
    let (_folder, store) = store_with(3);
    let server = Server::start(&store);
    let other = rusqlite::Connection::open(&store).expect("it opens");
    other.execute_batch("BEGIN IMMEDIATE").expect("held");
    let (status, told) = server.post("/v1/traces", JSON, call(1, "x").as_bytes());
    assert_eq!(status, 503, "{told}");
    assert!(!told.to_string().contains("t.db"), "{told}");
    // What can be read is read meanwhile.
    assert_eq!(run_json(&store, &["trace", "list", "--count", "--json"])["count"], 3);
    other.execute_batch("ROLLBACK").expect("let go");
    assert_eq!(server.post("/v1/traces", JSON, call(1, "x").as_bytes()), (200, json!({})));
    let (code, told) = server.end();
    assert_eq!(code, Some(0));
    assert!(told.contains("t.db is locked by another program"), "{told}");
    whole(&store);
}
