//! The receiver under load, against decoding the same batches and inserting a row a span into a plain table,
//! each batch one transaction as it must be where a batch is answered.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value as Any};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, TracesData};
use prost::Message;

use super::Measured;
use super::import::remove;
use crate::domain::{Error, Result};
use crate::ops::health::{HealthSpec, health};
use crate::ops::serve::{Limits, ServeSpec, ServeView, serve};
use crate::ops::{Access, Ctx};
use crate::store::bench::RawSpans;
use crate::task::{Cancel, Clock, Progress};
use crate::wire::otlp::{self, Encoding};

/// Spans of a batch: what SDKs export at most at a time unless told otherwise.
pub(super) const BATCH: usize = 512;
/// Spans of a trace: an agent, two calls of a model and a tool.
pub(super) const OF_TRACE: usize = 4;
/// Senders at a time.
const SENDERS: usize = 4;
/// The rate at which answers are timed, in spans a second, and for how many batches: half a minute.
const STEADY: f64 = 10_000.0;
const STEADY_BATCHES: usize = 600;
/// How often somebody looks at the health screen meanwhile.
const LOOK: Duration = Duration::from_millis(250);

/// Sends so many spans to a receiver in a store at `folder`, and inserts the same plainly.
pub fn receive(folder: &Path, spans: u64, rounds: usize, progress: &Progress) -> Result<Vec<Measured>> {
    std::fs::create_dir_all(folder)
        .map_err(|e| Error::failed(format!("Cannot make the folder {}.", folder.display())).because(e))?;
    progress.phase("making spans");
    let count = usize::try_from(spans).unwrap_or(usize::MAX).div_ceil(BATCH).max(1);
    let batches: Vec<Vec<u8>> = (0..count).map(|n| batch(n as u64)).collect();
    let total = (count * BATCH) as f64;
    let (mut raw, mut ours) = (0.0_f64, 0.0_f64);
    for _ in 0..rounds.max(1) {
        progress.phase("plain insert");
        raw = raw.max(total / plain(&folder.join("bench-raw.db"), &batches)?);
        progress.phase("receiving");
        let (seconds, _) = received(&folder.join("bench-serve.db"), &batches, None)?;
        ours = ours.max(total / seconds);
    }
    // As fast as it goes, a batch waits for those of the other senders: an answer is timed at the rate wanted.
    progress.phase("receiving at a steady rate");
    let steady = &batches[..batches.len().min(STEADY_BATCHES)];
    let (_, p99) = received(&folder.join("bench-serve.db"), steady, Some(STEADY))?;
    let more = |what, raw: f64, ours: f64, wanted| Measured {
        ratio: ours / raw,
        ..Measured::less(what, "spans/s", raw, ours, wanted)
    };
    Ok(vec![
        more("spans received, against decoding and a plain insert", raw, ours, 0.5),
        more("spans received, against 10,000 a second", STEADY, ours, 1.0),
        Measured::less("p99 of a batch's answer at 10,000 a second, against 100 ms", "ms", 100.0, p99, 1.0),
    ])
}

/// Seconds that decoding and plain inserts take.
fn plain(path: &Path, batches: &[Vec<u8>]) -> Result<f64> {
    remove(path);
    let mut table = RawSpans::create(path)?;
    let begun = Instant::now();
    for batch in batches {
        let groups = otlp::decode(batch, Encoding::Protobuf).map_err(Error::failed)?;
        let spans = groups.iter().flat_map(|group| &group.scope_spans).flat_map(|scoped| &scoped.spans);
        table.insert(spans.map(|span| {
            let attributes = serde_json::Value::Object(otlp::attributes_json(&span.attributes));
            let ids = [&span.trace_id, &span.span_id, &span.parent_span_id].map(Vec::as_slice);
            let times = [span.start_time_unix_nano, span.end_time_unix_nano].map(u64::cast_signed);
            (ids, span.name.as_str(), times, attributes.to_string())
        }))?;
    }
    let seconds = begun.elapsed().as_secs_f64();
    drop(table);
    remove(path);
    Ok(seconds)
}

/// Seconds until all batches were answered with 200, and the milliseconds within which 99 of 100 were.
fn received(path: &Path, batches: &[Vec<u8>], rate: Option<f64>) -> Result<(f64, f64)> {
    remove(path);
    let (measured, view, _) = Receiving::on(path, |address| send_all(address, batches, rate))?;
    remove(path);
    let wanted = (batches.len() * BATCH) as u64;
    if view.spans != wanted {
        return Err(Error::failed(format!("{} of {wanted} spans were taken.", view.spans)));
    }
    Ok(measured)
}

/// A receiver at work, and somebody who looks at the health screen.
pub(super) struct Receiving;

impl Receiving {
    /// Runs `work` with the address of a receiver into the store at `path`. Gives what it gave, what was
    /// received, and how many traces the store holds then.
    pub(super) fn on<T>(
        path: &Path,
        work: impl FnOnce(SocketAddr) -> Result<T>,
    ) -> Result<(T, ServeView, u64)> {
        let ctx = Ctx::open(path, Access::Create, "bench", Clock::System)?;
        let reader = Ctx::open(path, Access::ReadOnly, "bench", Clock::System)?;
        let (over, cancel) = (AtomicBool::new(false), Cancel::default());
        let spec = ServeSpec {
            listen: "127.0.0.1:0".to_owned(),
            token: None,
            feature: None,
            limits: Limits::default(),
        };
        let (tell, told) = mpsc::channel();
        let (done, view) = std::thread::scope(|threads| {
            let server = threads.spawn(|| {
                serve(&ctx, spec, &cancel, &|_| {}, move |address| {
                    tell.send(address).ok();
                    Ok(())
                })
            });
            let looking = threads.spawn(|| -> Result<()> {
                while !over.load(Ordering::Relaxed) {
                    health(&reader, &HealthSpec::default())?;
                    std::thread::sleep(LOOK);
                }
                Ok(())
            });
            let done = match told.recv() {
                Ok(address) => work(address),
                Err(_) => Err(Error::failed("The receiver did not start.")),
            };
            over.store(true, Ordering::Relaxed);
            cancel.cancel();
            let panicked = |_| Error::failed("The measurement panicked.");
            looking.join().map_err(panicked)??;
            let view = server.join().map_err(panicked)??;
            Ok::<_, Error>((done?, view))
        })?;
        Ok((done, view, ctx.store.trace_count()?.unsigned_abs()))
    }
}

fn send_all(address: SocketAddr, batches: &[Vec<u8>], rate: Option<f64>) -> Result<(f64, f64)> {
    let next = AtomicUsize::new(0);
    let begun = Instant::now();
    let mut took = std::thread::scope(|threads| {
        let senders: Vec<_> = (0..SENDERS)
            .map(|_| {
                threads.spawn(|| {
                    let mut took = Vec::new();
                    let mut stream = connect(address)?;
                    loop {
                        let n = next.fetch_add(1, Ordering::Relaxed);
                        let Some(body) = batches.get(n) else { break };
                        let mut due = Instant::now();
                        if let Some(rate) = rate {
                            // From when it should have gone: a receiver that holds senders up is not spared.
                            due = begun + Duration::from_secs_f64((n * BATCH) as f64 / rate);
                            std::thread::sleep(due.saturating_duration_since(Instant::now()));
                        }
                        while !post(&mut stream, body)? {
                            std::thread::sleep(Duration::from_millis(50));
                        }
                        took.push(due.elapsed().as_secs_f64() * 1e3);
                    }
                    Ok::<_, std::io::Error>(took)
                })
            })
            .collect();
        senders.into_iter().try_fold(Vec::new(), |mut all, sender| {
            let some = sender.join().map_err(|_| Error::failed("A sender panicked."))?;
            all.append(&mut some.map_err(|e| Error::failed("A batch could not be sent.").because(e))?);
            Ok::<_, Error>(all)
        })
    })?;
    let seconds = begun.elapsed().as_secs_f64();
    took.sort_by(f64::total_cmp);
    let rank = usize::try_from(crate::stats::nearest_rank(0.99, took.len() as u64)).unwrap_or(1);
    Ok((seconds, took.get(rank - 1).copied().unwrap_or(0.0)))
}

pub(super) fn connect(address: SocketAddr) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Sends a batch; whether it was taken, or is to be sent again.
pub(super) fn post(stream: &mut TcpStream, body: &[u8]) -> std::io::Result<bool> {
    let head = format!(
        "POST /v1/traces HTTP/1.1\r\nhost: bench\r\ncontent-type: application/x-protobuf\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)?;
    // An answer without partial success has no body.
    let mut answer = Vec::new();
    let mut some = [0; 4096];
    while !answer.windows(4).any(|four| four == b"\r\n\r\n") {
        match stream.read(&mut some)? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            n => answer.extend_from_slice(&some[..n]),
        }
    }
    match answer.get(9..12) {
        Some(b"200") => Ok(true),
        Some(b"429" | b"503") => Ok(false),
        _ => Err(std::io::Error::other(String::from_utf8_lossy(&answer).into_owned())),
    }
}

/// A batch of whole traces with two kilobytes of words each, the same for the same number but for its time.
pub(super) fn batch(n: u64) -> Vec<u8> {
    let now = u64::try_from(Clock::System.now().as_nanosecond()).unwrap_or(0);
    let traces = BATCH / OF_TRACE;
    let spans = (0..traces as u64).flat_map(|at| trace(n * traces as u64 + at + 1, now)).collect();
    let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
    let resource = Resource { attributes: vec![text("service.name", "support-bot")], ..Resource::default() };
    let groups = ResourceSpans { resource: Some(resource), scope_spans, ..ResourceSpans::default() };
    TracesData { resource_spans: vec![groups] }.encode_to_vec()
}

fn trace(n: u64, now: u64) -> Vec<Span> {
    const MS: u64 = 1_000_000;
    let words = |seed: u64, count: u64| -> String {
        (0..count).map(|at| WORDS[((seed * 31 + at * 17 + at * at) % WORDS.len() as u64) as usize]).collect()
    };
    let start = now - (n % 60_000) * MS;
    let span = |id: u64, parent: u64, name: &str, from: u64, ms: u64, attributes: Vec<KeyValue>| Span {
        trace_id: [n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes(), n.to_be_bytes()].concat(),
        span_id: (n << 3 | id).to_be_bytes().to_vec(),
        parent_span_id: if parent == 0 { Vec::new() } else { (n << 3 | parent).to_be_bytes().to_vec() },
        name: name.to_owned(),
        kind: 3,
        start_time_unix_nano: start + from * MS,
        end_time_unix_nano: start + (from + ms) * MS,
        attributes,
        ..Span::default()
    };
    let message = |role: &str, words: &str| serde_json::json!({"role": role, "parts": [{"type": "text", "content": words}]});
    let (question, answer) = (words(n, 40), words(n + 7, 120));
    let call = |input: serde_json::Value, output: serde_json::Value| {
        vec![
            text("gen_ai.operation.name", "chat"),
            text("gen_ai.provider.name", "openai"),
            text("gen_ai.request.model", "gpt-4o"),
            text("gen_ai.response.model", "gpt-4o-2024-08-06"),
            text("gen_ai.input.messages", &input.to_string()),
            text("gen_ai.output.messages", &output.to_string()),
            number("gen_ai.usage.input_tokens", 400 + (n % 300).cast_signed()),
            number("gen_ai.usage.output_tokens", 150),
        ]
    };
    let asked = serde_json::json!([message("user", &question)]);
    vec![
        span(
            1,
            0,
            "answer",
            0,
            900 + n % 700,
            vec![
                text("session.id", &format!("s-{}", n / 3)),
                text("user.id", &format!("u-{}", n % 1_000)),
                text("gen_ai.operation.name", "invoke_agent"),
            ],
        ),
        span(
            2,
            1,
            "chat gpt-4o",
            10,
            300,
            call(asked.clone(), serde_json::json!([message("assistant", "…")])),
        ),
        span(
            3,
            1,
            "execute_tool lookup",
            320,
            40,
            vec![
                text("gen_ai.operation.name", "execute_tool"),
                text("gen_ai.tool.name", "lookup"),
                text("gen_ai.tool.call.result", "{\"fee\":35}"),
            ],
        ),
        span(4, 1, "chat gpt-4o", 370, 500, call(asked, serde_json::json!([message("assistant", &answer)]))),
    ]
}

fn text(key: &str, value: &str) -> KeyValue {
    pair(key, Any::StringValue(value.to_owned()))
}

fn number(key: &str, value: i64) -> KeyValue {
    pair(key, Any::IntValue(value))
}

fn pair(key: &str, value: Any) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

const WORDS: [&str; 24] = [
    "the ",
    "fee ",
    "of ",
    "your ",
    "account ",
    "is ",
    "waived ",
    "when ",
    "balance ",
    "falls ",
    "below ",
    "zero, ",
    "and ",
    "transfer ",
    "from ",
    "savings ",
    "takes ",
    "one ",
    "day; ",
    "please ",
    "confirm ",
    "card ",
    "ending ",
    "1234. ",
];
