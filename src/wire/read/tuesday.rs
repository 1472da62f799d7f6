//! Our own format: the serde form of [`Trace`], one object an item.
//!
//! Read by hand instead of by derive: unknown fields are kept without the copy that `flatten` makes
//! of everything, and null means missing everywhere.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

use super::{Found, diagnose};
use crate::domain::{Content, Status, Trace, Untrusted};

/// Reads one item.
pub(super) fn read(text: &str) -> Result<Found, String> {
    match serde_json::from_str::<Item>(text) {
        Ok(Item(found)) => Ok(found),
        Err(error) => Err(diagnose::trace(text, &error)),
    }
}

struct Item(Found);

/// The fields, as numbers so that a key is matched once and not kept.
enum Key {
    Known(Field),
    Unknown(String),
}

#[derive(Clone, Copy)]
enum Field {
    Id,
    Session,
    User,
    Time,
    Feature,
    Model,
    Prompt,
    PromptVersion,
    Input,
    Output,
    LatencyMs,
    TtftMs,
    TokensIn,
    TokensOut,
    CostUsd,
    Status,
    ErrorKind,
    Fallback,
    Feedback,
    Score,
    Experiment,
    Arm,
    Tags,
    Metadata,
    Spans,
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Form;
        impl Visitor<'_> for Form {
            type Value = Key;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a field name")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Key, E> {
                Ok(Key::Known(match name {
                    "id" => Field::Id,
                    "session" => Field::Session,
                    "user" => Field::User,
                    "time" => Field::Time,
                    "feature" => Field::Feature,
                    "model" => Field::Model,
                    "prompt" => Field::Prompt,
                    "prompt_version" => Field::PromptVersion,
                    "input" => Field::Input,
                    "output" => Field::Output,
                    "latency_ms" => Field::LatencyMs,
                    "ttft_ms" => Field::TtftMs,
                    "tokens_in" => Field::TokensIn,
                    "tokens_out" => Field::TokensOut,
                    "cost_usd" => Field::CostUsd,
                    "status" => Field::Status,
                    "error_kind" => Field::ErrorKind,
                    "fallback" => Field::Fallback,
                    "feedback" => Field::Feedback,
                    "score" => Field::Score,
                    "experiment" => Field::Experiment,
                    "arm" => Field::Arm,
                    "tags" => Field::Tags,
                    "metadata" => Field::Metadata,
                    "spans" => Field::Spans,
                    _ => return Ok(Key::Unknown(name.to_owned())),
                }))
            }
        }
        deserializer.deserialize_identifier(Form)
    }
}

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Form;
        impl<'de> Visitor<'de> for Form {
            type Value = Item;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Item, A::Error> {
                trace_of(fields)
            }
        }
        deserializer.deserialize_map(Form)
    }
}

fn trace_of<'de, A: MapAccess<'de>>(mut fields: A) -> Result<Item, A::Error> {
    let mut t = empty();
    let (mut input, mut output) = (None::<Content>, None::<Option<Content>>);
    let mut status = None::<Status>;
    let mut others = Vec::new();
    while let Some(key) = fields.next_key::<Key>()? {
        let field = match key {
            Key::Known(field) => field,
            Key::Unknown(name) => {
                others.push((name, fields.next_value()?));
                continue;
            }
        };
        match field {
            Field::Id => t.id = fields.next_value::<Option<Untrusted>>()?.unwrap_or_default(),
            Field::Session => t.session = name(&mut fields)?,
            Field::User => t.user = name(&mut fields)?,
            Field::Time => t.time = fields.next_value()?,
            Field::Feature => t.feature = name(&mut fields)?,
            Field::Model => t.model = name(&mut fields)?,
            Field::Prompt => t.prompt = name(&mut fields)?,
            Field::PromptVersion => t.prompt_version = name(&mut fields)?,
            Field::Input => input = Some(fields.next_value()?),
            Field::Output => output = Some(fields.next_value()?),
            Field::LatencyMs => t.latency_ms = fields.next_value()?,
            Field::TtftMs => t.ttft_ms = fields.next_value()?,
            Field::TokensIn => t.tokens_in = fields.next_value()?,
            Field::TokensOut => t.tokens_out = fields.next_value()?,
            Field::CostUsd => t.cost_usd = fields.next_value()?,
            Field::Status => status = fields.next_value()?,
            Field::ErrorKind => t.error_kind = fields.next_value()?,
            Field::Fallback => t.fallback = fields.next_value::<Option<bool>>()?.unwrap_or_default(),
            Field::Feedback => t.feedback = fields.next_value::<Option<_>>()?.unwrap_or_default(),
            Field::Score => t.score = fields.next_value::<Option<_>>()?.unwrap_or_default(),
            Field::Experiment => t.experiment = name(&mut fields)?,
            Field::Arm => t.arm = name(&mut fields)?,
            Field::Tags => t.tags = fields.next_value::<Option<_>>()?.unwrap_or_default(),
            Field::Metadata => t.metadata = fields.next_value::<Option<_>>()?.unwrap_or_default(),
            Field::Spans => t.spans = fields.next_value::<Option<_>>()?.unwrap_or_default(),
        }
    }
    t.input = input.ok_or_else(|| A::Error::missing_field("input"))?;
    t.output = output.ok_or_else(|| A::Error::missing_field("output"))?.unwrap_or_default();
    // A kind of failure says that it failed.
    t.status = status.unwrap_or(if t.error_kind.is_some() { Status::Error } else { Status::Ok });
    let unknown = others.len() as u64;
    for (key, value) in others {
        keep(&mut t.metadata, key, value);
    }
    Ok(Item(Found { trace: t, unknown }))
}

/// A name; an empty one is none.
fn name<'de, A: MapAccess<'de>>(fields: &mut A) -> Result<Option<Untrusted>, A::Error> {
    Ok(fields.next_value::<Option<Untrusted>>()?.filter(|name| !name.is_empty()))
}

/// A trace of which nothing is known yet.
pub(super) fn empty() -> Trace {
    Trace {
        id: Untrusted::default(),
        session: None,
        user: None,
        time: None,
        feature: None,
        model: None,
        prompt: None,
        prompt_version: None,
        input: Content::default(),
        output: Content::default(),
        latency_ms: None,
        ttft_ms: None,
        tokens_in: None,
        tokens_out: None,
        cost_usd: None,
        status: Status::Ok,
        error_kind: None,
        fallback: false,
        feedback: Vec::new(),
        score: std::collections::BTreeMap::new(),
        experiment: None,
        arm: None,
        tags: Vec::new(),
        metadata: serde_json::Map::new(),
        spans: Vec::new(),
    }
}

/// Keeps a field that the format does not know: under its own name, or where the metadata have that
/// already, with `field.` before it.
pub(super) fn keep(
    metadata: &mut serde_json::Map<String, serde_json::Value>,
    key: String,
    value: serde_json::Value,
) {
    let key = if metadata.contains_key(&key) { format!("field.{key}") } else { key };
    metadata.insert(key, value);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(text: &str) -> String {
        read(text).unwrap_err()
    }

    #[test]
    fn unknown_fields_are_kept() {
        let found = read(r#"{"input":"q","output":null,"error_kind":"timeout","session":null,"model":"","x":1,"metadata":{"x":2}}"#).unwrap();
        assert_eq!(found.unknown, 1);
        assert_eq!(serde_json::to_string(&found.trace.metadata).unwrap(), r#"{"x":2,"field.x":1}"#);
        assert_eq!(
            (found.trace.status, found.trace.model, found.trace.output),
            (Status::Error, None, Content::default())
        );
    }

    #[test]
    fn what_we_write_is_what_we_read() {
        let text = r#"{"id":"a","time":"2026-01-01T00:00:00Z","input":[{"role":"user","content":"q"}],"output":"a","latency_ms":0.1,"status":"error","error_kind":"other","feedback":[{"kind":"thumbs","value":"up"}],"score":{"s":0.30000000000000004},"tags":["t"],"metadata":{"k":null},"spans":[{"name":"n","kind":"llm","offset_ms":0.0,"duration_ms":1.5,"input":null,"output":null}]}"#;
        let found = read(text).unwrap();
        assert_eq!(serde_json::to_string(&found.trace).unwrap(), text);
        assert_eq!(serde_json::from_str::<Trace>(text).unwrap(), found.trace);
    }

    #[test]
    fn reasons_name_the_field() {
        let with = |fields: &str| reason(&format!(r#"{{"input":"q","output":"a",{fields}}}"#));
        assert_eq!(with(r#""latency_ms":"fast""#), "latency_ms: expected a number, got a string");
        assert_eq!(with(r#""tokens_in":-1"#), "tokens_in: expected a whole number of at least 0, got -1");
        assert_eq!(with(r#""tokens_in":1.5"#), "tokens_in: expected a whole number of at least 0, got 1.5");
        assert_eq!(with(r#""session":7"#), "session: expected a string, got a number");
        assert_eq!(
            with(r#""time":"yesterday""#),
            "time: expected an RFC 3339 time such as 2026-03-01T09:31:00Z, got another string"
        );
        assert_eq!(
            with(r#""time":1700000000"#),
            "time: expected an RFC 3339 time such as 2026-03-01T09:31:00Z, got a number"
        );
        assert_eq!(with(r#""status":"bad""#), "status: expected ok or error, got another string");
        assert_eq!(
            with(r#""error_kind":"oom""#),
            "error_kind: expected timeout, rate_limit, content_policy or other, got another string"
        );
        assert_eq!(with(r#""fallback":"yes""#), "fallback: expected true or false, got a string");
        assert_eq!(with(r#""tags":["a",1]"#), "tags[1]: expected a string, got a number");
        assert_eq!(with(r#""score":{"s":"high"}"#), "score.s: expected a number, got a string");
        assert_eq!(with(r#""metadata":[]"#), "metadata: expected an object, got a list");
        assert_eq!(
            with(r#""feedback":[{"kind":"thumbs","value":"sideways"}]"#),
            "feedback[0]: a thumb needs a value of up or down"
        );
        assert_eq!(
            with(r#""feedback":[{"kind":"applause"}]"#),
            "feedback[0].kind: expected thumbs, report or follow_up, got another string"
        );
        assert_eq!(with(r#""feedback":{"kind":"report"}"#), "feedback: expected a list, got an object");
        assert_eq!(with(r#""spans":[{"kind":"llm"}]"#), "spans[0].name: missing");
        assert_eq!(reason(r#"{"output":"a"}"#), "input: missing");
        assert_eq!(reason(r#"{"input":"a"}"#), "output: missing");
        assert_eq!(
            reason(r#"{"input":null,"output":"a"}"#),
            "input: expected text or a list of chat messages, got null"
        );
        assert_eq!(
            reason(r#"{"input":[{"role":"user"},{"content":"x"}],"output":"a"}"#),
            "input[1].role: missing"
        );
        assert_eq!(
            reason(r#"{"input":"q","output":[{"role":"a","tool_calls":[{"id":"1"}]}]}"#),
            "output[0].tool_calls[0].function: missing"
        );
        assert_eq!(reason("[1]"), "expected an object, got a list");
        assert_eq!(reason("7"), "expected an object, got a number");
        assert_eq!(reason(r#"{"input":"q","#), "not JSON: it ends too early, at column 13");
        assert!(reason(r#"{"input":"q" "output":1}"#).starts_with("not JSON: "));
        assert!(with(r#""cost_usd":1e999"#).starts_with("not JSON: number out of range"));
        assert!(with(r#""cost_usd":NaN"#).starts_with("not JSON: "));
        let deep = format!(r#"{{"input":"q","output":"a","x":{}{}}}"#, "[".repeat(200), "]".repeat(200));
        assert_eq!(reason(&deep), "nested deeper than 64 levels");
        assert_eq!(
            reason(r#"{"input":"\ud800","output":""}"#),
            "not JSON: half of a surrogate pair in a string, at column 17"
        );
    }
}
