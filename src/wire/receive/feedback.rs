//! What users said of traces, as applications send it: one JSON object, a list of them, or one a line.
//!
//! `{"trace":"…","kind":"thumbs","value":"down","comment":"…","time":"…"}`: the fields of feedback in our
//! format, and the id of the trace.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::domain::{AHEAD, Feedback, FeedbackKind, LONGEST_NAME, Untrusted};

/// One thing that was said, or why it cannot be taken.
pub type Read = Result<(Untrusted, Feedback), String>;

/// Longest comment, in bytes.
const LONGEST_COMMENT: usize = 64 * 1024;

#[derive(Deserialize)]
struct Item {
    #[serde(alias = "trace_id")]
    trace: Untrusted,
    #[serde(flatten)]
    kind: FeedbackKind,
    comment: Option<Untrusted>,
    time: Option<Timestamp>,
}

/// Reads a body. The error is what is wrong with the whole of it.
pub fn read(body: &[u8], now: Timestamp) -> Result<Vec<Read>, String> {
    let values = serde_json::Deserializer::from_slice(body)
        .into_iter::<Value>()
        .collect::<Result<Vec<_>, _>>()
        .map_err(|e| format!("not JSON: {e}"))?;
    let items = values.into_iter().flat_map(|value| match value {
        Value::Array(items) => items,
        one => vec![one],
    });
    let read: Vec<Read> = items.map(|item| one(item, now)).collect();
    if read.is_empty() { Err("There is no feedback in the body.".to_owned()) } else { Ok(read) }
}

fn one(item: Value, now: Timestamp) -> Read {
    if !item.is_object() {
        return Err("expected an object with trace and kind".to_owned());
    }
    let Item { trace, kind, comment, time } = serde_json::from_value(item).map_err(|e| e.to_string())?;
    if trace.is_empty() || trace.raw().len() > LONGEST_NAME {
        return Err(format!("trace: expected an id of 1 to {LONGEST_NAME} bytes"));
    }
    if comment.as_ref().is_some_and(|comment| comment.raw().len() > LONGEST_COMMENT) {
        return Err(format!("comment: longer than {} KiB", LONGEST_COMMENT / 1024));
    }
    if time.is_some_and(|time| time.duration_since(now) > AHEAD || time < Timestamp::UNIX_EPOCH) {
        return Err("time: before 1970, or more than a day in the future".to_owned());
    }
    // OpenTelemetry's ids are stored in lower case.
    let hex = trace.raw().len() == 32 && trace.raw().bytes().all(|c| c.is_ascii_hexdigit());
    let trace = if hex { trace.raw().to_lowercase().into() } else { trace };
    Ok((trace, Feedback { kind, comment, time }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Thumbs;

    #[test]
    fn one_a_list_and_lines_are_read() {
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        let one =
            r#"{"trace":"ABCDEF00112233445566778899aabbcc","kind":"thumbs","value":"down","comment":"no"}"#;
        let other = r#"{"trace_id":"t","kind":"report","time":"2026-03-01T11:00:00Z"}"#;
        let first = read(one.as_bytes(), now).unwrap().remove(0).unwrap();
        assert_eq!(first.0.raw(), "abcdef00112233445566778899aabbcc");
        assert_eq!(first.1.kind, FeedbackKind::Thumbs(Thumbs::Down));
        for body in [format!("[{one},{other}]"), format!("{one}\n{other}\n")] {
            let read = read(body.as_bytes(), now).unwrap();
            assert_eq!(read[0], Ok(first.clone()));
            assert_eq!(read[1].as_ref().unwrap().1.kind, FeedbackKind::Report);
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        let reason = |body: &str| read(body.as_bytes(), now).unwrap().remove(0).unwrap_err();
        assert!(reason("7").contains("expected an object"));
        assert!(reason(r#"{"kind":"report"}"#).contains("trace"));
        assert!(reason(r#"{"trace":"t","kind":"applause"}"#).contains("applause"));
        assert!(reason(r#"{"trace":"","kind":"report"}"#).starts_with("trace: "));
        assert!(
            reason(r#"{"trace":"t","kind":"report","time":"2027-03-01T11:00:00Z"}"#).starts_with("time: ")
        );
        assert!(read(b"{", now).unwrap_err().starts_with("not JSON"));
        assert!(read(b" ", now).unwrap_err().contains("no feedback"));
    }
}
