//! A trace as blocks to read: what was said, tools that were called, what was retrieved.

use serde_json::Value;

use crate::domain::{ChatMessage, Content, FailureKind, Span, Status, ToolCall, Trace, Untrusted};
use crate::text::{Line, Role, clean_line, figures};
use crate::tui::words::{line, words};

/// One block of a conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// Who speaks: stands at the left.
    pub who: Line,
    /// What a foldable block says in one line; nothing for one that is always open.
    pub head: Option<Line>,
    pub folded: bool,
    /// Opened and shut together with the tool calls; standing instructions are not.
    pub with_tools: bool,
    pub parts: Vec<Part>,
}

/// A piece of a block.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// Text: JSON if it is JSON, else Markdown.
    Words(Untrusted),
    /// JSON.
    Value(Value),
    /// A line of ours, such as what a failed request gave instead of an answer.
    Note(Line),
}

/// The blocks of a trace, in reading order.
pub fn of_trace(trace: &Trace) -> Vec<Block> {
    let mut blocks = Vec::new();
    content(&trace.input, "user", &mut blocks);
    let before = blocks.len();
    content(&trace.output, "assistant", &mut blocks);
    if trace.status == Status::Error {
        let kind = match trace.error_kind {
            Some(FailureKind::Timeout) => "timeout",
            Some(FailureKind::RateLimit) => "rate limit",
            Some(FailureKind::ContentPolicy) => "content policy",
            Some(FailureKind::Other) | None => "error",
        };
        blocks.push(said("assistant", vec![Part::Note(line(Role::Alert, format!("✗ no answer: {kind}")))]));
    } else if blocks.len() == before {
        blocks.push(said("assistant", vec![Part::Note(line(Role::Muted, "(an empty answer)"))]));
    }
    let tools_told = blocks.iter().any(|block| block.with_tools);
    for span in &trace.spans {
        let kind = span.kind.raw();
        if kind == "llm" || tools_told && kind == "tool" {
            continue;
        }
        blocks.push(step(span, kind));
    }
    blocks
}

fn said(who: &str, parts: Vec<Part>) -> Block {
    let role = if who == "user" { Role::Accent } else { Role::Heading };
    Block { who: line(role, who), head: None, folded: false, with_tools: false, parts }
}

fn content(content: &Content, speaker: &str, blocks: &mut Vec<Block>) {
    match content {
        Content::Text(text) if text.raw().trim().is_empty() => {}
        Content::Text(text) => blocks.push(said(speaker, vec![Part::Words(text.clone())])),
        Content::Messages(messages) => {
            let mut answered = vec![false; messages.len()];
            for (at, message) in messages.iter().enumerate() {
                if answered[at] {
                    continue;
                }
                self::message(message, blocks);
                for call in message.tool_calls.iter().flatten() {
                    let result = messages.iter().enumerate().skip(at).find(|(later, m)| {
                        !answered[*later]
                            && m.role.raw() == "tool"
                            && m.tool_call_id.as_ref().is_some_and(|id| *id == call.id && !id.is_empty())
                    });
                    if let Some((later, _)) = result {
                        answered[later] = true;
                    }
                    blocks.push(tool(call, result.map(|(_, message)| &message.content)));
                }
            }
        }
    }
}

fn message(message: &ChatMessage, blocks: &mut Vec<Block>) {
    let mut parts = parts(&message.content);
    if let Some(Value::String(refusal)) = message.extra.get("refusal") {
        parts.push(Part::Note(line(Role::Alert, "refused:")));
        parts.push(Part::Words(refusal.as_str().into()));
    }
    if parts.is_empty() {
        return;
    }
    let who = match message.role.raw() {
        "" => "message",
        role => role,
    };
    if message.is_instruction() {
        let size: usize = parts.iter().map(Part::size).sum();
        let size = figures::plural(size, "character");
        let head = words().muted(size).done();
        blocks.push(Block { head: Some(head), folded: true, ..said(who, parts) });
    } else if who == "tool" {
        let name = message.name.as_ref().map(|name| clean_line(name.raw()).into_string());
        let head = words()
            .plain("tool ")
            .put(Role::Code, name.unwrap_or_default())
            .muted(" → ")
            .plain(summary(&message.content))
            .done();
        blocks.push(Block { who: Line::default(), head: Some(head), folded: true, with_tools: true, parts });
    } else {
        blocks.push(said(who, parts));
    }
}

impl Part {
    fn size(&self) -> usize {
        match self {
            Part::Words(text) => text.raw().chars().count(),
            Part::Value(value) => value.to_string().chars().count(),
            Part::Note(_) => 0,
        }
    }
}

/// A message's content: its texts, and what is not text as JSON.
fn parts(content: &Value) -> Vec<Part> {
    match content {
        Value::Null => Vec::new(),
        Value::String(text) if text.trim().is_empty() => Vec::new(),
        Value::String(text) => vec![Part::Words(text.as_str().into())],
        Value::Array(items) => items.iter().flat_map(part).collect(),
        other => vec![Part::Value(other.clone())],
    }
}

fn part(item: &Value) -> Vec<Part> {
    let text = match item {
        Value::String(text) => Some(text),
        Value::Object(fields) => ["text", "refusal"].iter().find_map(|key| match fields.get(*key) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        }),
        _ => None,
    };
    match text {
        Some(text) => vec![Part::Words(text.as_str().into())],
        None => vec![Part::Value(item.clone())],
    }
}

/// `tool get_account(user_id) → 14 fields`
fn tool(call: &ToolCall, result: Option<&Value>) -> Block {
    let arguments = as_json(&call.function.arguments);
    let names = match &arguments {
        Value::Object(fields) => fields.keys().cloned().collect::<Vec<_>>().join(", "),
        Value::Null => String::new(),
        _ => "…".to_owned(),
    };
    let head = words()
        .plain("tool ")
        .put(Role::Code, call.function.name.raw())
        .muted(format!("({names})"))
        .muted(" → ")
        .plain(result.map_or_else(|| "no answer".to_owned(), summary))
        .done();
    let mut parts = vec![Part::Note(line(Role::Muted, "called with")), Part::Value(arguments)];
    if let Some(result) = result {
        parts.push(Part::Note(line(Role::Muted, "gave")));
        parts.extend(self::parts(result));
    }
    Block { who: Line::default(), head: Some(head), folded: true, with_tools: true, parts }
}

/// `retrieved 3 of "overdraft policy"`, or another step by its kind and name.
fn step(span: &Span, kind: &str) -> Block {
    let took = figures::duration(span.duration_ms);
    let head = if kind == "retrieval" {
        let asked = match &span.input {
            Value::String(text) => Some(text.as_str()),
            Value::Object(fields) => ["query", "question", "text", "input"]
                .iter()
                .find_map(|key| fields.get(*key))
                .and_then(Value::as_str),
            _ => None,
        };
        let count = match &span.output {
            Value::Array(found) => found.len().to_string(),
            Value::Object(fields) => fields
                .values()
                .find_map(Value::as_array)
                .map_or_else(|| figures::plural(fields.len(), "field"), |found| found.len().to_string()),
            other => summary(other),
        };
        let words = words().plain("retrieved ").plain(count);
        let words = match asked {
            Some(asked) => words.muted(" of ").plain(format!("\"{asked}\"")),
            None => words,
        };
        words.muted(format!(" · {took}")).done()
    } else {
        let kind = if kind.is_empty() { "step" } else { kind };
        words()
            .plain(format!("{kind} "))
            .put(Role::Code, span.name.raw())
            .muted(" → ")
            .plain(summary(&span.output))
            .muted(format!(" · {took}"))
            .done()
    };
    let mut parts = Vec::new();
    for (what, value) in [("in", &span.input), ("out", &span.output)] {
        if !value.is_null() {
            parts.push(Part::Note(line(Role::Muted, what)));
            parts.extend(match value {
                Value::Array(items) => items.iter().flat_map(part).collect(),
                other => self::parts(other),
            });
        }
    }
    Block { who: Line::default(), head: Some(head), folded: true, with_tools: true, parts }
}

/// JSON that stands in a string as itself; other text stays a string.
fn as_json(value: &Value) -> Value {
    match value {
        Value::String(text) if text.trim().is_empty() => Value::Null,
        Value::String(text) => serde_json::from_str(text).unwrap_or_else(|_| value.clone()),
        other => other.clone(),
    }
}

/// A value in a few words: `14 fields`, `3 items`, or its own first words.
fn summary(value: &Value) -> String {
    match as_json(value) {
        Value::Null => "nothing".to_owned(),
        Value::Object(fields) => figures::plural(fields.len(), "field"),
        Value::Array(items) => match &items[..] {
            [Value::Object(only)] if only.get("text").is_some() => summary(&only["text"]),
            _ => figures::plural(items.len(), "item"),
        },
        Value::String(text) => {
            let first: String =
                text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(80).collect();
            if first.is_empty() { "nothing".to_owned() } else { format!("\"{first}\"") }
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heads(json: serde_json::Value) -> Vec<String> {
        let trace: Trace = serde_json::from_value(json).unwrap();
        of_trace(&trace)
            .iter()
            .map(|block| match &block.head {
                Some(head) => format!("{}|{}", block.who.text(), head.text()),
                None => block.who.text(),
            })
            .collect()
    }

    #[test]
    fn calls_stand_with_their_answers() {
        let trace = serde_json::json!({
            "input": [
                {"role": "system", "content": "Be kind."},
                {"role": "user", "content": [{"type": "text", "text": "My balance?"}]},
                {"role": "assistant", "content": null, "tool_calls": [
                    {"id": "a", "type": "function", "function": {"name": "get", "arguments": "{\"user\": 1}"}},
                    {"id": "b", "type": "function", "function": {"name": "log", "arguments": {}}},
                ]},
                {"role": "tool", "tool_call_id": "b", "content": "done"},
                {"role": "tool", "tool_call_id": "a", "content": "{\"x\": 1, \"y\": 2}"},
                {"role": "tool", "tool_call_id": "?", "name": "lost", "content": "[1, 2, 3]"},
            ],
            "output": "Two.",
            "spans": [{"name": "search", "kind": "retrieval", "input": "policy", "output": ["a", "b", "c"], "duration_ms": 12},
                      {"name": "get", "kind": "tool"}, {"name": "call", "kind": "llm"}],
        });
        assert_eq!(
            heads(trace),
            [
                "system|8 characters",
                "user",
                "|tool get(user) → 2 fields",
                "|tool log() → \"done\"",
                "|tool lost → 3 items",
                "assistant",
                "|retrieved 3 of \"policy\" · 12 ms",
            ]
        );
    }

    #[test]
    fn a_request_that_failed_says_how() {
        let trace =
            serde_json::json!({"input": "hi", "output": "", "status": "error", "error_kind": "timeout"});
        let trace: Trace = serde_json::from_value(trace).unwrap();
        let blocks = of_trace(&trace);
        assert_eq!(blocks[1].parts, [Part::Note(line(Role::Alert, "✗ no answer: timeout"))]);
        assert_eq!(heads(serde_json::json!({"input": "hi", "output": ""})), ["user", "assistant"]);
    }
}
