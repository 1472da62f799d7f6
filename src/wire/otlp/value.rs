//! Values of attributes as JSON, and the readings of one value that several conventions write differently.

use opentelemetry_proto::tonic::common::v1::AnyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use serde_json::{Map, Number, Value};

use crate::domain::{DEEPEST, LONGEST_NAME, Untrusted};

/// Levels of a value that are kept: its place in the trace takes the rest of what a trace may have.
const LEVELS: usize = DEEPEST - 4;
/// Stands for what lies deeper.
const TOO_DEEP: &str = "(nested too deeply to keep)";

/// The value as JSON.
pub(super) fn json(value: &AnyValue) -> Value {
    nested(value, LEVELS)
}

fn nested(value: &AnyValue, levels: usize) -> Value {
    let Some(value) = &value.value else { return Value::Null };
    match value {
        Any::StringValue(text) => Value::String(text.clone()),
        Any::BoolValue(yes) => Value::Bool(*yes),
        Any::IntValue(n) => Value::Number((*n).into()),
        Any::DoubleValue(n) => {
            Number::from_f64(*n).map_or_else(|| Value::String(n.to_string()), Value::Number)
        }
        Any::BytesValue(bytes) => Value::String(hex(bytes)),
        Any::StringValueStrindex(n) => Value::Number((*n).into()),
        Any::ArrayValue(_) | Any::KvlistValue(_) if levels == 0 => Value::String(TOO_DEEP.to_owned()),
        Any::ArrayValue(list) => list.values.iter().map(|item| nested(item, levels - 1)).collect(),
        Any::KvlistValue(list) => Value::Object(
            list.values
                .iter()
                .map(|pair| {
                    let value = pair.value.as_ref().map_or(Value::Null, |value| nested(value, levels - 1));
                    (pair.key.clone(), value)
                })
                .collect::<Map<_, _>>(),
        ),
    }
}

/// Bytes as lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |n: u8| char::from(DIGITS[usize::from(n & 15)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

/// The text of a value, where it is one.
pub(super) fn text(value: &AnyValue) -> Option<&str> {
    match &value.value {
        Some(Any::StringValue(text)) => Some(text),
        _ => None,
    }
}

/// JSON behind a value: structured, or as text that holds it. Text that is no JSON object or list stays text.
pub(super) fn unfolded(value: &AnyValue) -> Value {
    match text(value) {
        Some(text) => unfold(text),
        None => json(value),
    }
}

/// Text as the object or list that it holds, else as it is.
pub(super) fn unfold(text: &str) -> Value {
    parse(text).unwrap_or_else(|| Value::String(text.to_owned()))
}

/// The object or list that a text holds, where it is not nested too deeply to keep.
pub(super) fn parse(text: &str) -> Option<Value> {
    if !matches!(text.trim_start().as_bytes().first(), Some(b'{' | b'[')) {
        return None;
    }
    serde_json::from_str(text).ok().filter(|value| !deeper(value, LEVELS))
}

fn deeper(value: &Value, than: usize) -> bool {
    match value {
        Value::Array(items) => than == 0 || items.iter().any(|item| deeper(item, than - 1)),
        Value::Object(items) => than == 0 || items.values().any(|item| deeper(item, than - 1)),
        _ => false,
    }
}

/// A name: text or a number, cut to what a name may be. Nothing where it is empty or neither.
pub(super) fn name(value: &AnyValue) -> Option<Untrusted> {
    let text = match &value.value {
        Some(Any::StringValue(text)) => text.clone(),
        Some(Any::IntValue(n)) => n.to_string(),
        Some(Any::DoubleValue(n)) => n.to_string(),
        Some(Any::BoolValue(yes)) => yes.to_string(),
        _ => return None,
    };
    short(text)
}

/// A text as a name, cut to what a name may be.
pub(super) fn short(mut text: String) -> Option<Untrusted> {
    if text.len() > LONGEST_NAME {
        let end = (0..=LONGEST_NAME).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
    }
    (!text.is_empty()).then(|| Untrusted::new(text))
}

/// A figure: a number, or a number in text. Nothing where it is not finite.
pub(super) fn figure(value: &AnyValue) -> Option<f64> {
    let figure = match &value.value {
        Some(Any::DoubleValue(n)) => *n,
        Some(Any::IntValue(n)) => *n as f64,
        Some(Any::StringValue(text)) => text.trim().parse().ok()?,
        _ => return None,
    };
    figure.is_finite().then_some(figure)
}

/// A whole number of at least 0.
pub(super) fn count(value: &AnyValue) -> Option<u64> {
    match &value.value {
        Some(Any::IntValue(n)) => u64::try_from(*n).ok(),
        Some(Any::StringValue(text)) => text.trim().parse().ok(),
        _ => figure(value).filter(|n| *n >= 0.0 && n.fract() == 0.0 && *n < 9e15).map(|n| n as u64),
    }
}

/// The words of a list: structured, JSON in text, or one word.
pub(super) fn words(value: &AnyValue) -> Vec<Untrusted> {
    let word = |value: Value| match value {
        Value::String(text) => short(text),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
        other => short(other.to_string()),
    };
    match unfolded(value) {
        Value::Array(items) => items.into_iter().filter_map(word).collect(),
        one => word(one).into_iter().collect(),
    }
}
