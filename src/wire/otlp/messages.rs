//! What was said, in every form in which a span may say it, as the chat messages of our format.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::value;
use crate::domain::{ChatMessage, Content, FunctionCall, ToolCall, Untrusted};

/// Chat messages behind JSON: a list of them, one alone, an object with `messages`, or the answer of a chat
/// API with its `choices`. Nothing where it is something else.
pub(super) fn of_json(value: &Value, speaker: &str) -> Option<Vec<ChatMessage>> {
    match value {
        Value::Array(items) if !items.is_empty() => items.iter().map(|item| one(item, speaker)).collect(),
        Value::Object(fields) => {
            if let Some(messages @ Value::Array(_)) = fields.get("messages") {
                return of_json(messages, speaker);
            }
            if let Some(Value::Array(choices)) = fields.get("choices") {
                let said = choices.iter().map(|choice| one(choice.get("message")?, speaker));
                return said.collect::<Option<Vec<_>>>().filter(|said| !said.is_empty());
            }
            Some(vec![one(value, speaker)?])
        }
        _ => None,
    }
}

/// One message: with `parts` (OpenTelemetry), or with `content` (OpenAI).
fn one(value: &Value, speaker: &str) -> Option<ChatMessage> {
    let fields = value.as_object()?;
    let role = fields.get("role").and_then(Value::as_str);
    if let Some(Value::Array(parts)) = fields.get("parts") {
        let name = fields.get("name").and_then(Value::as_str).map(Untrusted::from);
        return Some(ChatMessage { name, ..of_parts(role.unwrap_or(speaker), parts) });
    }
    role?;
    if !fields.contains_key("content") && !fields.contains_key("tool_calls") {
        return None;
    }
    let message = serde_json::from_value::<ChatMessage>(value.clone());
    // What is not quite OpenAI's form is kept as it came.
    Some(message.unwrap_or_else(|_| ChatMessage {
        role: role.unwrap_or(speaker).into(),
        content: fields.get("content").cloned().unwrap_or_default(),
        ..ChatMessage::default()
    }))
}

/// A message of OpenTelemetry's parts.
pub(super) fn of_parts(role: &str, parts: &[Value]) -> ChatMessage {
    let mut message = ChatMessage { role: role.into(), ..ChatMessage::default() };
    let mut others = Vec::new();
    let mut texts = Vec::new();
    for part in parts {
        let field = |name: &str| part.get(name).and_then(Value::as_str);
        match (field("type"), part) {
            (Some("text"), _) if part.get("content").is_some_and(Value::is_string) => {
                let text = field("content").unwrap_or_default();
                texts.push(text);
                others.push(json!({"type": "text", "text": text}));
            }
            (None, Value::String(text)) => {
                texts.push(text);
                others.push(json!({"type": "text", "text": text}));
            }
            (Some("tool_call"), _) => message.tool_calls.get_or_insert_default().push(ToolCall {
                id: field("id").unwrap_or_default().into(),
                kind: "function".into(),
                function: FunctionCall {
                    name: field("name").unwrap_or_default().into(),
                    arguments: part.get("arguments").cloned().unwrap_or_default(),
                },
            }),
            (Some("tool_call_response"), _) => {
                message.tool_call_id = field("id").map(Untrusted::from);
                let result = ["response", "result"].into_iter().find_map(|name| part.get(name));
                match result {
                    Some(Value::String(text)) => {
                        texts.push(text);
                        others.push(json!({"type": "text", "text": text}));
                    }
                    other => others.push(other.cloned().unwrap_or_default()),
                }
            }
            _ => others.push(part.clone()),
        }
    }
    message.content = if others.is_empty() {
        Value::Null
    } else if texts.len() == others.len() {
        Value::String(texts.join("\n"))
    } else {
        Value::Array(others)
    };
    message
}

/// Standing instructions: a list of parts, or text.
pub(super) fn instructions(value: Value) -> Option<ChatMessage> {
    match value {
        Value::String(text) if !text.is_empty() => Some(said("system", text)),
        Value::Array(parts) if !parts.is_empty() => Some(of_parts("system", &parts)),
        _ => None,
    }
}

/// A message of text.
pub(super) fn said(role: &str, text: impl Into<String>) -> ChatMessage {
    ChatMessage { role: role.into(), content: Value::String(text.into()), ..ChatMessage::default() }
}

/// A list that was flattened into names: its elements by number, gaps allowed.
#[derive(Debug, Default)]
pub(super) struct Flat(BTreeMap<u64, Map<String, Value>>);

impl Flat {
    /// Takes one name and its value.
    pub(super) fn put(&mut self, number: u64, name: &str, value: Value) {
        let name = name.strip_prefix("message.").or_else(|| name.strip_prefix("document.")).unwrap_or(name);
        self.0.entry(number).or_default().insert(name.to_owned(), value);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The elements, each with its flat names.
    pub(super) fn elements(&self) -> impl Iterator<Item = &Map<String, Value>> {
        self.0.values()
    }

    /// The elements as chat messages.
    pub(super) fn messages(&self, speaker: &str) -> Vec<ChatMessage> {
        self.elements().map(|fields| flat_message(fields, speaker)).collect()
    }
}

fn flat_message(fields: &Map<String, Value>, speaker: &str) -> ChatMessage {
    let text = |name: &str| fields.get(name).and_then(Value::as_str);
    let mut message = ChatMessage {
        role: text("role").unwrap_or(speaker).into(),
        // Text completions have one value and no role.
        content: ["content", "text", "", "completion.text", "prompt.text"]
            .into_iter()
            .find_map(|name| fields.get(name).cloned())
            .unwrap_or_default(),
        name: text("name").map(Untrusted::from),
        tool_call_id: text("tool_call_id").map(Untrusted::from),
        ..ChatMessage::default()
    };
    let mut parts: BTreeMap<u64, Map<String, Value>> = BTreeMap::new();
    let mut calls: BTreeMap<u64, ToolCall> = BTreeMap::new();
    for (name, value) in fields {
        if let Some((number, rest)) = numbered(name, "contents.") {
            let rest = rest.strip_prefix("message_content.").unwrap_or(rest);
            let (key, value) = match rest {
                "image.image.url" => ("image_url", json!({"url": value})),
                rest => (rest, value.clone()),
            };
            parts.entry(number).or_default().insert(key.to_owned(), value);
        } else if let Some((number, rest)) = numbered(name, "tool_calls.") {
            let rest = rest.strip_prefix("tool_call.").unwrap_or(rest);
            let call = calls.entry(number).or_default();
            call.kind = "function".into();
            let text = || Untrusted::new(value.as_str().unwrap_or_default());
            match rest {
                "id" => call.id = text(),
                "function.name" | "name" => call.function.name = text(),
                "function.arguments" | "arguments" => call.function.arguments = value.clone(),
                _ => {}
            }
        } else if let ("function_call_name", Value::String(called)) = (name.as_str(), value) {
            let call = calls.entry(0).or_default();
            (call.kind, call.function.name) = ("function".into(), called.as_str().into());
        } else if name == "function_call_arguments_json" {
            calls.entry(0).or_default().function.arguments = value.clone();
        }
    }
    if !parts.is_empty() {
        let texts: Option<Vec<&str>> = parts
            .values()
            .map(|part| part.get("text").and_then(Value::as_str).filter(|_| part.len() <= 2))
            .collect();
        message.content = match texts {
            Some(texts) => Value::String(texts.join("\n")),
            None => parts.into_values().map(Value::Object).collect(),
        };
    }
    if !calls.is_empty() {
        message.tool_calls = Some(calls.into_values().collect());
    }
    message
}

/// The number behind this beginning of a name, and what follows it.
fn numbered<'a>(name: &'a str, begin: &str) -> Option<(u64, &'a str)> {
    let (number, rest) = name.strip_prefix(begin)?.split_once('.')?;
    Some((number.parse().ok()?, rest))
}

/// Tool calls that stand beside a text (Vercel's `ai.response.toolCalls`).
pub(super) fn calls(value: &Value) -> Vec<ToolCall> {
    let Value::Array(items) = value else { return Vec::new() };
    let call = |item: &Value| {
        let field = |names: [&str; 3]| names.into_iter().find_map(|name| item.get(name));
        let text = |names| Untrusted::new(field(names).and_then(Value::as_str).unwrap_or_default());
        ToolCall {
            id: text(["toolCallId", "id", "tool_call_id"]),
            kind: "function".into(),
            function: FunctionCall {
                name: text(["toolName", "name", "tool_name"]),
                arguments: field(["args", "input", "arguments"]).cloned().unwrap_or_default(),
            },
        }
    };
    items.iter().map(call).collect()
}

/// What messages or a value come to as the content of a trace.
pub(super) fn content(messages: Option<&[ChatMessage]>, value: Option<&Value>) -> Content {
    match (messages, value) {
        (Some(messages), _) => {
            plain(messages).map_or_else(|| Content::Messages(messages.to_vec()), Content::Text)
        }
        (None, Some(Value::String(text))) => Content::Text(text.as_str().into()),
        (None, Some(Value::Null) | None) => Content::default(),
        (None, Some(other)) => Content::Text(other.to_string().into()),
    }
}

/// The text of an answer that is one message of text and nothing else.
fn plain(messages: &[ChatMessage]) -> Option<Untrusted> {
    let [message] = messages else { return None };
    let bare = message.tool_calls.is_none()
        && message.tool_call_id.is_none()
        && message.name.is_none()
        && message.extra.values().all(Value::is_null);
    match &message.content {
        Value::String(text) if bare && message.role.raw() == "assistant" => Some(text.as_str().into()),
        _ => None,
    }
}

/// Messages as JSON, for a span.
pub(super) fn to_json(messages: &[ChatMessage]) -> Value {
    serde_json::to_value(messages).unwrap_or_default()
}

/// The messages of an event of the previous conventions: `gen_ai.user.message` and its like.
pub(super) fn of_event(name: &str, fields: &Map<String, Value>) -> Option<(bool, ChatMessage)> {
    let role = match name {
        "gen_ai.system.message" => "system",
        "gen_ai.user.message" => "user",
        "gen_ai.assistant.message" => "assistant",
        "gen_ai.tool.message" => "tool",
        "gen_ai.choice" => "assistant",
        _ => return None,
    };
    let mut fields = fields.clone();
    // A choice wraps its message; its content may be JSON in text.
    for wrapper in ["message", "gen_ai.event.content"] {
        let inner = fields.get(wrapper).map(|inner| match inner {
            Value::String(text) => value::unfold(text),
            other => other.clone(),
        });
        match inner {
            Some(Value::Object(inner)) => fields.extend(inner),
            Some(Value::String(text)) => {
                fields.insert("content".to_owned(), Value::String(text));
            }
            _ => {}
        }
    }
    fields.entry("role").or_insert_with(|| role.into());
    if let (Some(id), "tool") = (fields.remove("id"), role) {
        fields.entry("tool_call_id").or_insert(id);
    }
    if let Some(Value::String(calls)) = fields.get("tool_calls") {
        let calls = value::unfold(calls);
        fields.insert("tool_calls".to_owned(), calls);
    }
    let wanted = ["role", "content", "tool_calls", "tool_call_id", "name"];
    fields.retain(|name, value| wanted.contains(&name.as_str()) && !value.is_null());
    fields.entry("content").or_insert(Value::Null);
    Some((name == "gen_ai.choice", one(&Value::Object(fields), role)?))
}
