//! Why an item could not be read, in words that name the field. Slow and thorough: it runs only for
//! items that failed.

use serde_json::{Map, Value};

use crate::domain::{ChatMessage, DEEPEST, Feedback, Span};

/// The reason for an item of our format that serde refused with this error.
pub(super) fn trace(text: &str, error: &serde_json::Error) -> String {
    let value: Value = match serde_json::from_str(text) {
        Ok(value) => value,
        Err(error) => return not_json(&error),
    };
    let Value::Object(fields) = value else {
        return format!("expected an object, got {}", kind(&value));
    };
    fields_of(&fields).unwrap_or_else(|| error.to_string())
}

/// The reason for text that is not JSON.
pub(super) fn not_json(error: &serde_json::Error) -> String {
    let full = error.to_string();
    let what = full.split(" at line ").next().unwrap_or_default();
    let at = error.column();
    match what {
        "recursion limit exceeded" => format!("nested deeper than {DEEPEST} levels"),
        _ if error.is_eof() => format!("not JSON: it ends too early, at column {at}"),
        "unexpected end of hex escape" | "lone leading surrogate in hex escape" => {
            format!("not JSON: half of a surrogate pair in a string, at column {at}")
        }
        what => format!("not JSON: {what}, at column {at}"),
    }
}

/// What a value is, with its article.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

const TIME: &str = "an RFC 3339 time such as 2026-03-01T09:31:00Z";

fn fields_of(fields: &Map<String, Value>) -> Option<String> {
    for (name, value) in fields {
        let wrong = match name.as_str() {
            "input" => content(name, value, false),
            "output" => content(name, value, true),
            _ if value.is_null() => None,
            "id" | "session" | "user" | "feature" | "model" | "prompt" | "prompt_version" | "experiment"
            | "arm" => string(name, value),
            "time" => time(name, value),
            "latency_ms" | "ttft_ms" | "cost_usd" => {
                (!value.is_number()).then(|| expected(name, "a number", value))
            }
            "tokens_in" | "tokens_out" => (value.as_u64().is_none()).then(|| {
                let got = if value.is_number() { value.to_string() } else { kind(value).to_owned() };
                format!("{name}: expected a whole number of at least 0, got {got}")
            }),
            "status" => one_of(name, value, &["ok", "error"]),
            "error_kind" => one_of(name, value, &["timeout", "rate_limit", "content_policy", "other"]),
            "fallback" => (!value.is_boolean()).then(|| expected(name, "true or false", value)),
            "feedback" => list(name, value, feedback),
            "score" => match value {
                Value::Object(scores) => scores.iter().find_map(|(score, value)| {
                    (!value.is_number()).then(|| expected(&format!("score.{score}"), "a number", value))
                }),
                _ => Some(expected(name, "an object", value)),
            },
            "tags" => list(name, value, string),
            "metadata" => (!value.is_object()).then(|| expected(name, "an object", value)),
            "spans" => list(name, value, span),
            _ => None,
        };
        if wrong.is_some() {
            return wrong;
        }
    }
    ["input", "output"]
        .iter()
        .find(|name| !fields.contains_key(**name))
        .map(|name| format!("{name}: missing"))
}

fn expected(field: &str, what: &str, got: &Value) -> String {
    format!("{field}: expected {what}, got {}", kind(got))
}

fn string(field: &str, value: &Value) -> Option<String> {
    (!value.is_string()).then(|| expected(field, "a string", value))
}

fn time(field: &str, value: &Value) -> Option<String> {
    match value.as_str() {
        None => Some(expected(field, TIME, value)),
        Some(text) => text
            .parse::<jiff::Timestamp>()
            .err()
            .map(|_| format!("{field}: expected {TIME}, got another string")),
    }
}

fn one_of(field: &str, value: &Value, words: &[&str]) -> Option<String> {
    let (last, first) = words.split_last()?;
    let what = format!("{} or {last}", first.join(", "));
    match value.as_str() {
        None => Some(expected(field, &what, value)),
        Some(text) => {
            (!words.contains(&text)).then(|| format!("{field}: expected {what}, got another string"))
        }
    }
}

fn list(field: &str, value: &Value, each: impl Fn(&str, &Value) -> Option<String>) -> Option<String> {
    match value {
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(n, item)| each(&format!("{field}[{n}]"), item))
        }
        _ => Some(expected(field, "a list", value)),
    }
}

fn content(field: &str, value: &Value, may_be_null: bool) -> Option<String> {
    match value {
        Value::String(_) => None,
        Value::Null if may_be_null => None,
        Value::Array(_) => list(field, value, message),
        _ => Some(expected(field, "text or a list of chat messages", value)),
    }
}

/// The reason why a value is no chat message, when it is none.
pub(super) fn message(field: &str, value: &Value) -> Option<String> {
    let Value::Object(fields) = value else { return Some(expected(field, "a chat message", value)) };
    match fields.get("role") {
        None => return Some(format!("{field}.role: missing")),
        Some(role) if !role.is_string() => return string(&format!("{field}.role"), role),
        _ => {}
    }
    if let Some(calls @ Value::Array(_)) = fields.get("tool_calls") {
        let wrong = list(&format!("{field}.tool_calls"), calls, |at, call| match call {
            Value::Object(parts) => match parts.get("function") {
                None => Some(format!("{at}.function: missing")),
                Some(Value::Object(function)) => match function.get("name") {
                    None => Some(format!("{at}.function.name: missing")),
                    Some(name) => string(&format!("{at}.function.name"), name),
                },
                Some(other) => Some(expected(&format!("{at}.function"), "an object", other)),
            },
            other => Some(expected(at, "an object", other)),
        });
        if wrong.is_some() {
            return wrong;
        }
    }
    serde_json::from_value::<ChatMessage>(value.clone()).err().map(|e| format!("{field}: {e}"))
}

fn feedback(field: &str, value: &Value) -> Option<String> {
    let Value::Object(fields) = value else { return Some(expected(field, "an object", value)) };
    let Some(kind) = fields.get("kind") else { return Some(format!("{field}.kind: missing")) };
    if let wrong @ Some(_) = one_of(&format!("{field}.kind"), kind, &["thumbs", "report", "follow_up"]) {
        return wrong;
    }
    let value_of = fields.get("value").and_then(Value::as_str);
    if kind == "thumbs" && !matches!(value_of, Some("up" | "down")) {
        return Some(format!("{field}: a thumb needs a value of up or down"));
    }
    if let Some(at) = fields.get("time").filter(|v| !v.is_null())
        && let wrong @ Some(_) = time(&format!("{field}.time"), at)
    {
        return wrong;
    }
    if let Some(comment) = fields.get("comment").filter(|v| !v.is_null())
        && let wrong @ Some(_) = string(&format!("{field}.comment"), comment)
    {
        return wrong;
    }
    serde_json::from_value::<Feedback>(value.clone()).err().map(|e| format!("{field}: {e}"))
}

fn span(field: &str, value: &Value) -> Option<String> {
    let Value::Object(fields) = value else { return Some(expected(field, "an object", value)) };
    if !fields.contains_key("name") {
        return Some(format!("{field}.name: missing"));
    }
    serde_json::from_value::<Span>(value.clone()).err().map(|e| format!("{field}: {e}"))
}
