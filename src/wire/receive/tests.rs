//! Requests of every kind against a listening receiver: what each is told.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header};
use prost::Message;

use super::*;
use crate::task::Cancel;

/// Says how much arrived, or does as the body asks.
struct Echo;

impl Intake for Echo {
    fn take(&self, what: What, body: &[u8]) -> Answer {
        match (what, body) {
            (_, b"malformed") => Answer::Malformed("no good".to_owned()),
            (_, b"later") => Answer::Later("not now".to_owned()),
            (_, b"slow") => {
                std::thread::sleep(Duration::from_millis(400));
                Answer::Spans { rejected: 0, reason: None }
            }
            (What::Spans(_), b"some") => {
                Answer::Spans { rejected: 2, reason: Some("two are odd".to_owned()) }
            }
            (What::Spans(_), _) => Answer::Spans { rejected: 0, reason: None },
            _ => Answer::Done(serde_json::json!({ "bytes": body.len() })),
        }
    }
}

/// Runs `test` against a receiver with these settings.
fn with(settings: Settings, test: impl FnOnce(SocketAddr)) {
    struct End(Cancel);
    impl Drop for End {
        fn drop(&mut self) {
            self.0.cancel();
        }
    }
    let listener = Listener::bind("127.0.0.1:0", settings.token.is_some()).unwrap();
    let address = listener.address;
    let cancel = Cancel::default();
    std::thread::scope(|threads| {
        threads.spawn(|| serve(listener, Arc::new(Echo), settings, &cancel).unwrap());
        let _end = End(cancel.clone());
        test(address);
    });
}

fn small() -> Limits {
    Limits {
        body: 2048,
        unpacked: 100 * 1024,
        head: Duration::from_millis(300),
        whole: Duration::from_millis(300),
        turn: Duration::from_millis(100),
        ending: Duration::from_secs(2),
        ..Limits::default()
    }
}

/// Sends a request and gives the whole answer.
fn send(address: SocketAddr, head: &str, body: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    write!(stream, "{head}\r\nhost: here\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n").unwrap();
    // A receiver that has seen enough may close before all is sent.
    stream.write_all(body).ok();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok();
    answer
}

/// The status, the head in lower case, and the body.
fn parts(answer: &[u8]) -> (u16, String, Vec<u8>) {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(answer.len());
    let head = String::from_utf8_lossy(&answer[..end]).to_lowercase();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    (status, head, answer.get(end + 4..).unwrap_or_default().to_vec())
}

fn post(address: SocketAddr, path: &str, headers: &str, body: &[u8]) -> (u16, String, Vec<u8>) {
    parts(&send(address, &format!("POST {path} HTTP/1.1{headers}"), body))
}

const JSON: &str = "\r\ncontent-type: application/json; charset=utf-8";
const PROTOBUF: &str = "\r\ncontent-type: application/x-protobuf";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

#[derive(Clone, PartialEq, Message)]
struct RpcStatus {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

#[test]
fn answers_have_the_form_of_their_requests() {
    with(Settings::default(), |address| {
        let (status, head, body) = post(address, "/v1/traces", JSON, b"{}");
        assert_eq!((status, body.as_slice()), (200, &b"{}"[..]));
        assert!(head.contains("content-type: application/json"), "{head}");
        let (status, head, body) = post(address, "/v1/traces", PROTOBUF, b"");
        assert_eq!((status, body.len()), (200, 0));
        assert!(head.contains("content-type: application/x-protobuf"), "{head}");
        let (_, _, body) = post(address, "/v1/traces", JSON, b"some");
        assert_eq!(
            String::from_utf8(body).unwrap(),
            r#"{"partialSuccess":{"rejectedSpans":"2","errorMessage":"two are odd"}}"#
        );
        let (_, _, body) = post(address, "/api/public/otel/v1/traces", PROTOBUF, b"some");
        let answer =
            opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse::decode(&body[..]);
        assert_eq!(answer.unwrap().partial_success.unwrap().rejected_spans, 2);
        let (status, _, body) = post(address, "/v1/traces", PROTOBUF, b"malformed");
        let told = RpcStatus::decode(&body[..]).unwrap();
        assert_eq!((status, told.code, told.message.as_str()), (400, 3, "no good"));
        let (status, head, body) = post(address, "/v1/traces", JSON, b"later");
        assert_eq!((status, head.contains("retry-after: 1")), (503, true));
        assert_eq!(String::from_utf8(body).unwrap(), r#"{"code":14,"message":"not now"}"#);
        let (status, _, body) = post(address, "/v1/feedback", "", b"1234");
        assert_eq!((status, body.as_slice()), (200, &b"{\"bytes\":4}"[..]));
        let (status, _, body) = parts(&send(address, "GET /healthz HTTP/1.1", b""));
        assert_eq!((status, body.as_slice()), (200, &b"{\"status\":\"ok\"}"[..]));
    });
}

#[test]
fn what_is_refused_is_told_why() {
    let limits = small();
    with(Settings { limits, token: None }, |address| {
        let told =
            |answer: (u16, String, Vec<u8>)| format!("{} {}", answer.0, String::from_utf8_lossy(&answer.2));
        let gzipped = format!("{JSON}\r\ncontent-encoding: gzip");
        let bomb = gzip(&vec![0; 400_000]);
        assert!(bomb.len() < 1000);
        let told: Vec<String> = [
            ("another place", post(address, "/v1/metrics", PROTOBUF, b"x")),
            ("another method", parts(&send(address, "GET /v1/traces HTTP/1.1", b""))),
            ("another type", post(address, "/v1/traces", "\r\ncontent-type: text/plain", b"{}")),
            (
                "another packing",
                post(address, "/v1/traces", &format!("{JSON}\r\ncontent-encoding: br"), b"{}"),
            ),
            ("a page in a browser", post(address, "/v1/feedback", "\r\norigin: https://example.com", b"{}")),
            ("too large", post(address, "/v1/traces", JSON, &[b' '; 5000])),
            ("a bomb", post(address, "/v1/traces", &gzipped, &bomb)),
            ("half a gzip", post(address, "/v1/traces", &gzipped, &gzip(b"hello, hello")[..20])),
            ("no gzip", post(address, "/v1/traces", &gzipped, b"hello, this is no gzip")),
            ("gzip", post(address, "/v1/feedback", "\r\ncontent-encoding: gzip", &gzip(b"four"))),
        ]
        .into_iter()
        .map(|(what, answer)| {
            if what == "another place" {
                let told = RpcStatus::decode(&answer.2[..]).unwrap();
                return format!("{what}: {} {} {}", answer.0, told.code, told.message);
            }
            format!("{what}: {}", told(answer))
        })
        .collect();
        insta::assert_snapshot!(told.join("\n"));
    });
}

#[test]
fn a_length_that_is_too_large_is_refused_before_the_body_comes() {
    // Longer than the test may take: whoever waited for the body would wait for all of it.
    let limits = Limits { whole: Duration::from_secs(3_600), turn: Duration::from_millis(200), ..small() };
    with(Settings { limits, token: None }, |address| {
        for length in ["100000", "99999999999999"] {
            let head = format!("POST /v1/traces HTTP/1.1{JSON}\r\ncontent-length: {length}\r\n\r\n");
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(head.as_bytes()).unwrap();
            let mut answer = [0; 12];
            stream.read_exact(&mut answer).unwrap();
            assert_eq!(String::from_utf8_lossy(&answer), "HTTP/1.1 413", "{length}");
        }
    });
}

#[test]
fn a_sender_that_dawdles_is_let_go() {
    with(Settings { limits: small(), token: None }, |address| {
        let mut body = TcpStream::connect(address).unwrap();
        write!(body, "POST /v1/traces HTTP/1.1\r\nhost: x{JSON}\r\ncontent-length: 9\r\n\r\n{{").unwrap();
        let mut answer = Vec::new();
        body.read_to_end(&mut answer).unwrap();
        assert_eq!(parts(&answer).0, 408, "{}", String::from_utf8_lossy(&answer));
        // Half a head gets no answer, and its connection is closed.
        let mut head = TcpStream::connect(address).unwrap();
        write!(head, "POST /v1/tr").unwrap();
        head.read_to_end(&mut Vec::new()).ok();
    });
}

#[test]
fn with_too_much_at_work_senders_come_again() {
    let limits = Limits { at_work: 1, ..small() };
    with(Settings { limits, token: None }, |address| {
        std::thread::scope(|threads| {
            let slow = threads.spawn(|| post(address, "/v1/traces", JSON, b"slow").0);
            let mut seen = Vec::new();
            // Until one of them meets the slow one at work.
            while !seen.contains(&429) && !slow.is_finished() {
                let (status, head, _) = post(address, "/v1/traces", JSON, b"{}");
                assert!(status == 200 || head.contains("retry-after: 1"), "{head}");
                seen.push(status);
            }
            assert!(seen.contains(&429), "{seen:?}");
            assert_eq!(slow.join().unwrap(), 200);
        });
        assert_eq!(post(address, "/v1/traces", JSON, b"{}").0, 200);
    });
}

#[test]
fn all_bodies_together_stay_within_what_may_be_held() {
    let limits = Limits { held: 1500, body: 1000, ..small() };
    with(Settings { limits, token: None }, |address| {
        // One holds most of it, and does not go on.
        let mut first = TcpStream::connect(address).unwrap();
        write!(first, "POST /v1/traces HTTP/1.1\r\nhost: x{JSON}\r\ncontent-length: 950\r\n\r\n").unwrap();
        first.write_all(&[b' '; 900]).unwrap();
        // Until the first has arrived, the second fits.
        let refused = (0..100).any(|_| post(address, "/v1/traces", JSON, &[b' '; 900]).0 == 429);
        assert!(refused);
        drop(first);
        let freed = (0..100).any(|_| post(address, "/v1/traces", JSON, &[b' '; 900]).0 == 200);
        assert!(freed);
    });
}

#[test]
fn a_token_lets_in_and_nothing_else_does() {
    let settings = Settings { token: Some("s3cret".to_owned().into()), limits: Limits::default() };
    with(settings, |address| {
        let status = |authorization: &str| {
            let headers = if authorization.is_empty() {
                JSON.to_owned()
            } else {
                format!("{JSON}\r\nauthorization: {authorization}")
            };
            post(address, "/v1/traces", &headers, b"{}").0
        };
        for wrong in ["", "Bearer", "Bearer no", "s3cret", "Basic s3cret", "Basic cGs6bm8=", "Digest s3cret"]
        {
            assert_eq!(status(wrong), 401, "{wrong}");
        }
        assert_eq!(status("Bearer s3cret"), 200);
        assert_eq!(status("bearer s3cret"), 200);
        // pk:s3cret
        assert_eq!(status("Basic cGs6czNjcmV0"), 200);
        assert_eq!(parts(&send(address, "GET /healthz HTTP/1.1", b"")).0, 200);
    });
    let mut headers = HeaderMap::new();
    headers.insert(header::AUTHORIZATION, HeaderValue::from_bytes(b"Bearer \xff").unwrap());
    assert!(door::may_enter(&headers, Some(&"x".to_owned().into())).is_err());
}

#[test]
fn beyond_this_machine_a_token_is_needed() {
    let refused = |address: &str| Listener::bind(address, false).err().unwrap();
    let error = refused("0.0.0.0:0");
    assert_eq!(error.exit_code(), 2);
    assert!(error.what.contains("other machines") && error.hints[0].contains("--token-env"));
    assert!(Listener::bind("0.0.0.0:0", true).is_ok());
    assert!(Listener::bind("localhost:0", false).is_ok());
    assert!(refused("nowhere").hints[0].contains("--listen"));
    let held = Listener::bind("127.0.0.1:0", false).unwrap();
    let error = refused(&held.address.to_string());
    assert!(error.hints[0].contains("choose another port"), "{error:?}");
}

#[test]
fn connections_beyond_the_most_are_turned_away() {
    let limits = Limits { connections: 3, head: Duration::from_secs(20), ..small() };
    with(Settings { limits, token: None }, |address| {
        let held: Vec<TcpStream> = (0..3).map(|_| TcpStream::connect(address).unwrap()).collect();
        let (status, head, body) = parts(&send(address, "GET /healthz HTTP/1.1", b""));
        assert_eq!((status, head.contains("retry-after")), (503, true));
        assert!(serde_json::from_slice::<serde_json::Value>(&body).is_ok());
        drop(held);
        let served = (0..200).any(|_| parts(&send(address, "GET /healthz HTTP/1.1", b"")).0 == 200);
        assert!(served);
    });
}
