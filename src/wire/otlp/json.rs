//! OTLP in JSON, read as the specification asks of a receiver and a little further: unknown fields are passed
//! over, null and absent are the same, 64-bit numbers may be text or numbers, ids are hexadecimal in either
//! case; names in snake case and enums by name are taken too, for exporters in the wild write them.
//!
//! The types of `opentelemetry-proto` can be read from JSON as well, but refuse null fields, empty lists
//! (which proto3 writes as `{}`), an empty document, and unknown fields of values.

use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList, any_value::Value as Any,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status, span};
use serde::Deserialize;
use serde_json::Value;

/// A request, or a file's document.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Document {
    #[serde(alias = "resource_spans", rename = "resourceSpans")]
    resource_spans: Option<Vec<Group>>,
    /// Phoenix wraps its answer so.
    data: Option<Vec<Group>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Group {
    resource: Option<Origin>,
    #[serde(alias = "scope_spans", rename = "scopeSpans")]
    scope_spans: Option<Vec<Scoped>>,
    #[serde(alias = "schema_url", rename = "schemaUrl")]
    schema_url: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Origin {
    attributes: Option<Vec<Pair>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Scoped {
    scope: Option<Scope>,
    spans: Option<Vec<One>>,
    #[serde(alias = "schema_url", rename = "schemaUrl")]
    schema_url: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Scope {
    name: Option<String>,
    version: Option<String>,
    attributes: Option<Vec<Pair>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct One {
    #[serde(alias = "trace_id")]
    trace_id: Option<String>,
    #[serde(alias = "span_id")]
    span_id: Option<String>,
    #[serde(alias = "parent_span_id")]
    parent_span_id: Option<String>,
    name: Option<String>,
    kind: Option<Value>,
    #[serde(alias = "start_time_unix_nano")]
    start_time_unix_nano: Option<Value>,
    #[serde(alias = "end_time_unix_nano")]
    end_time_unix_nano: Option<Value>,
    attributes: Option<Vec<Pair>>,
    events: Option<Vec<Event>>,
    status: Option<Ended>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Event {
    #[serde(alias = "time_unix_nano")]
    time_unix_nano: Option<Value>,
    name: Option<String>,
    attributes: Option<Vec<Pair>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Ended {
    message: Option<String>,
    code: Option<Value>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Pair {
    key: Option<String>,
    value: Option<Box<Held>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Held {
    #[serde(alias = "string_value")]
    string_value: Option<String>,
    #[serde(alias = "bool_value")]
    bool_value: Option<bool>,
    #[serde(alias = "int_value")]
    int_value: Option<Value>,
    #[serde(alias = "double_value")]
    double_value: Option<Value>,
    #[serde(alias = "array_value")]
    array_value: Option<Items>,
    #[serde(alias = "kvlist_value")]
    kvlist_value: Option<Pairs>,
    #[serde(alias = "bytes_value")]
    bytes_value: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Items {
    values: Option<Vec<Held>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Pairs {
    values: Option<Vec<Pair>>,
}

/// Reads one document. The error is a sentence without text from outside but what serde names.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<ResourceSpans>, String> {
    let document: Document = serde_json::from_slice(bytes).map_err(|e| match e.classify() {
        serde_json::error::Category::Data => format!("not OTLP: {e}"),
        _ if e.to_string().starts_with("recursion limit") => "not OTLP: nested too deeply".to_owned(),
        _ => format!("not JSON: {e}"),
    })?;
    let groups = document.resource_spans.or(document.data).unwrap_or_default();
    groups.into_iter().map(group).collect()
}

fn group(group: Group) -> Result<ResourceSpans, String> {
    let scoped = |scoped: Scoped| {
        let spans = scoped.spans.unwrap_or_default();
        Ok(ScopeSpans {
            scope: scoped.scope.map(|scope| InstrumentationScope {
                name: scope.name.unwrap_or_default(),
                version: scope.version.unwrap_or_default(),
                attributes: pairs(scope.attributes),
                dropped_attributes_count: 0,
            }),
            spans: spans.into_iter().map(span).collect::<Result<_, String>>()?,
            schema_url: scoped.schema_url.unwrap_or_default(),
        })
    };
    Ok(ResourceSpans {
        resource: group
            .resource
            .map(|origin| Resource { attributes: pairs(origin.attributes), ..Resource::default() }),
        scope_spans: group
            .scope_spans
            .unwrap_or_default()
            .into_iter()
            .map(scoped)
            .collect::<Result<_, String>>()?,
        schema_url: group.schema_url.unwrap_or_default(),
    })
}

fn span(one: One) -> Result<Span, String> {
    let event = |event: Event| {
        Ok(span::Event {
            time_unix_nano: nanos("timeUnixNano", event.time_unix_nano)?,
            name: event.name.unwrap_or_default(),
            attributes: pairs(event.attributes),
            dropped_attributes_count: 0,
        })
    };
    Ok(Span {
        trace_id: id("traceId", one.trace_id)?,
        span_id: id("spanId", one.span_id)?,
        parent_span_id: id("parentSpanId", one.parent_span_id)?,
        name: one.name.unwrap_or_default(),
        kind: word(one.kind, &["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"]),
        start_time_unix_nano: nanos("startTimeUnixNano", one.start_time_unix_nano)?,
        end_time_unix_nano: nanos("endTimeUnixNano", one.end_time_unix_nano)?,
        attributes: pairs(one.attributes),
        events: one.events.unwrap_or_default().into_iter().map(event).collect::<Result<_, String>>()?,
        status: one.status.map(|ended| Status {
            message: ended.message.unwrap_or_default(),
            code: word(ended.code, &["UNSET", "OK", "ERROR"]),
        }),
        ..Span::default()
    })
}

fn pairs(list: Option<Vec<Pair>>) -> Vec<KeyValue> {
    let pair = |pair: Pair| KeyValue {
        key: pair.key.unwrap_or_default(),
        value: pair.value.map(|held| held.any()),
        ..KeyValue::default()
    };
    list.unwrap_or_default().into_iter().map(pair).collect()
}

impl Held {
    fn any(self) -> AnyValue {
        let number = |value: Value| match value {
            Value::String(text) => text.parse().ok().map(Any::IntValue),
            other => other.as_i64().map(Any::IntValue),
        };
        let double = |value: Value| match value {
            Value::String(text) => text.parse().ok().map(Any::DoubleValue),
            other => other.as_f64().map(Any::DoubleValue),
        };
        let value = (self.string_value.map(Any::StringValue))
            .or(self.bool_value.map(Any::BoolValue))
            .or_else(|| self.int_value.and_then(number))
            .or_else(|| self.double_value.and_then(double))
            .or_else(|| {
                let list = self.array_value?;
                let values = list.values.unwrap_or_default().into_iter().map(Held::any).collect();
                Some(Any::ArrayValue(ArrayValue { values }))
            })
            .or_else(|| Some(Any::KvlistValue(KeyValueList { values: pairs(self.kvlist_value?.values) })))
            // Base64 stays as it is: nothing that is understood is written so.
            .or(self.bytes_value.map(Any::StringValue));
        AnyValue { value }
    }
}

/// Bytes of hexadecimal digits.
fn id(field: &str, text: Option<String>) -> Result<Vec<u8>, String> {
    let text = text.unwrap_or_default();
    let digits: Option<Vec<u8>> =
        text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    match digits {
        Some(digits) if digits.len() % 2 == 0 => {
            Ok(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
        }
        _ => Err(format!("not OTLP: {field} is not written in hexadecimal digits")),
    }
}

fn nanos(field: &str, value: Option<Value>) -> Result<u64, String> {
    match value {
        None => Ok(0),
        Some(Value::String(text)) if text.is_empty() => Ok(0),
        Some(Value::String(text)) => text.parse().map_err(|_| ()),
        Some(other) => other.as_u64().ok_or(()),
    }
    .map_err(|()| format!("not OTLP: {field} is not a whole number of nanoseconds"))
}

/// An enum by number or by the end of its name.
fn word(value: Option<Value>, names: &[&str]) -> i32 {
    match value {
        Some(Value::String(text)) => {
            let at = names.iter().position(|name| text.rsplit('_').next() == Some(name));
            at.and_then(|at| i32::try_from(at).ok()).unwrap_or(0)
        }
        Some(other) => other.as_i64().and_then(|n| i32::try_from(n).ok()).unwrap_or(0),
        None => 0,
    }
}
