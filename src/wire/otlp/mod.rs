//! OpenTelemetry's spans: decoded ([`decode`]), sorted into traces ([`split`]), and mapped to traces of our
//! format ([`TraceSpans::trace`]). Pure: bytes in, values out.
//!
//! Wire facts: OTLP 1.x (`opentelemetry-proto`), spans only. A convention's new name is one row in
//! [`attributes`]; a new form of messages is one reading in [`messages`].

mod attributes;
mod json;
mod map;
mod messages;
mod reading;
mod spans;
mod value;

#[cfg(test)]
mod tests;

pub use spans::{Split, TraceSpans, split, too_many};

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, TracesData};
use prost::Message;

/// How a request or file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// `application/x-protobuf`.
    Protobuf,
    /// `application/json`.
    Json,
}

/// Attributes as a JSON object.
pub fn attributes_json(pairs: &[KeyValue]) -> serde_json::Map<String, serde_json::Value> {
    reading::object(pairs)
}

/// Reads a request of OTLP, which is a file's document too. The error is a sentence.
pub fn decode(bytes: &[u8], encoding: Encoding) -> Result<Vec<ResourceSpans>, String> {
    match encoding {
        // ExportTraceServiceRequest and TracesData are one message under two names.
        Encoding::Protobuf => TracesData::decode(bytes)
            .map(|data| data.resource_spans)
            .map_err(|e| format!("not OTLP in protobuf: {e}")),
        Encoding::Json => json::read(bytes),
    }
}
