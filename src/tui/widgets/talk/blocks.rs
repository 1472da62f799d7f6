//! What is to be read as blocks: what was said, tools that were called, what was retrieved.

use serde_json::Value;

use crate::domain::{ChatMessage, Content, Span, Status, ToolCall, Trace, Untrusted};
use crate::text::{Line, Role, figures};
use crate::tui::words::{failure, line, one_line, words};

/// Characters of a folded block's gist: no line of a screen is longer.
const GIST: usize = 300;

/// One block of a conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// Who speaks: stands at the left.
    pub who: Line,
    /// What a block says in one line while it is folded; nothing for one that is always open.
    pub head: Option<Head>,
    /// Standing instructions: the same in every trace, and the last thing one wants to unfold.
    pub standing: bool,
    /// Stands close under the block before it.
    pub close: bool,
    pub parts: Vec<Part>,
}

/// The one line of a folded block: `tool get_account` `(id: 7)` ` → 14 fields`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Head {
    /// What it is.
    pub name: Line,
    /// What it is about: gives way where there is little room, and is left out once all can be read.
    pub gist: Line,
    /// What came of it.
    pub result: Line,
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

impl Block {
    /// A block that is always open.
    pub fn new(who: Line, parts: Vec<Part>) -> Self {
        Self { who, head: None, standing: false, close: false, parts }
    }

    /// The same, close under the block before it.
    pub fn close(self) -> Self {
        Self { close: true, ..self }
    }

    fn folded(who: Line, head: Head, parts: Vec<Part>) -> Self {
        Self { head: Some(head), ..Self::new(who, parts) }
    }

    fn said(who: &str, parts: Vec<Part>) -> Self {
        let role = match who {
            "user" => Role::Accent,
            "assistant" => Role::Heading,
            _ => Role::Muted,
        };
        Self::new(line(role, who), parts)
    }

    fn calls_a_tool(&self) -> bool {
        self.head.is_some() && !self.standing
    }
}

/// The blocks of a trace, in reading order, and which of them is what the user asked last.
pub fn of_trace(trace: &Trace) -> (Vec<Block>, usize) {
    let mut blocks = of_content(&trace.input, "user");
    let question = blocks.iter().rposition(|block| block.who.text() == "user").unwrap_or(0);
    let before = blocks.len();
    blocks.extend(of_content(&trace.output, "assistant"));
    let answered = blocks.len() > before;
    if trace.status == Status::Error {
        let failed = words().put(Role::Fail, "✗ ").put(Role::Fail, failure(trace.error_kind));
        let failed = if answered { failed } else { failed.muted(": no answer") };
        blocks.push(Block::said("assistant", vec![Part::Note(failed.done())]));
    } else if !answered {
        blocks.push(Block::said("assistant", vec![Part::Note(line(Role::Muted, "an empty answer"))]));
    }
    let tools_told = blocks.iter().any(Block::calls_a_tool);
    for span in &trace.spans {
        let kind = span.kind.raw();
        // The whole, which the talk is, and what only held other steps: traces of OpenTelemetry have both.
        let told = span.parent.is_none() || span.input.is_null() && span.output.is_null();
        if kind == "llm" || tools_told && kind == "tool" || span.id.is_some() && told {
            continue;
        }
        blocks.push(step(span, kind));
    }
    (blocks, question)
}

/// The blocks of a text, or of messages with their roles. `speaker` is whose text it is.
pub fn of_content(content: &Content, speaker: &str) -> Vec<Block> {
    match content {
        Content::Text(text) if text.raw().trim().is_empty() => Vec::new(),
        Content::Text(text) => vec![Block::said(speaker, vec![Part::Words(text.clone())])],
        Content::Messages(messages) => of_messages(messages),
    }
}

/// Each tool call stands with its answer: ids of calls may come again, so an answer is taken only once.
fn of_messages(messages: &[ChatMessage]) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut taken = vec![false; messages.len()];
    for (at, message) in messages.iter().enumerate() {
        if taken[at] {
            continue;
        }
        blocks.extend(self::message(message));
        for call in message.tool_calls.iter().flatten() {
            let answer = messages.iter().enumerate().skip(at).find(|(later, m)| {
                !taken[*later]
                    && m.role.raw() == "tool"
                    && m.tool_call_id.as_ref().is_some_and(|id| *id == call.id && !id.is_empty())
            });
            if let Some((later, _)) = answer {
                taken[later] = true;
            }
            blocks.push(tool(call, answer.map(|(_, message)| &message.content)));
        }
    }
    blocks
}

fn message(message: &ChatMessage) -> Option<Block> {
    let mut parts = parts(&message.content);
    if let Some(Value::String(refusal)) = message.extra.get("refusal") {
        parts.push(Part::Note(line(Role::Alert, "refused:")));
        parts.push(Part::Words(refusal.as_str().into()));
    }
    if parts.is_empty() {
        return None;
    }
    let who = match message.role.raw() {
        "" => "message",
        role => role,
    };
    let block = if message.is_instruction() {
        let text = Content::Messages(vec![message.clone()]).plain_text();
        let count = figures::plural(text.raw().split_whitespace().count(), "word");
        let head = Head {
            name: line(Role::Plain, count),
            gist: words().muted(": ").muted(gist(text.raw())).done(),
            result: Line::default(),
        };
        Block { standing: true, ..Block::folded(line(Role::Muted, who), head, parts) }
    } else if who == "tool" {
        let name = message.name.as_ref().map(one_line).unwrap_or_default();
        let head = Head {
            name: words().plain("tool ").put(Role::Code, name).done(),
            gist: Line::default(),
            result: words().muted(" → ").plain(summary(&message.content)).done(),
        };
        Block::folded(Line::default(), head, parts)
    } else {
        Block::said(who, parts)
    };
    Some(block)
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

/// `tool get_account(user_id: 7) → 14 fields`
fn tool(call: &ToolCall, answer: Option<&Value>) -> Block {
    let arguments = as_json(&call.function.arguments);
    let result = match answer {
        Some(answer) => words().muted(" → ").plain(summary(answer)),
        None => words().muted(" → ").put(Role::Unsure, "no answer"),
    };
    let head = Head {
        name: words().plain("tool ").put(Role::Code, call.function.name.raw()).done(),
        gist: words().muted(format!("({})", given(&arguments))).done(),
        result: result.done(),
    };
    let mut parts = Vec::new();
    if !arguments.is_null() {
        parts.push(Part::Note(line(Role::Muted, "called with")));
        parts.push(Part::Value(arguments));
    }
    if let Some(answer) = answer {
        parts.push(Part::Note(line(Role::Muted, "gave")));
        parts.extend(self::parts(answer));
    }
    Block::folded(Line::default(), head, parts)
}

/// The arguments of a call on one line: `user_id: 7, open: true`.
fn given(arguments: &Value) -> String {
    let all = match arguments {
        Value::Object(fields) => {
            let field = |(key, value): (&String, &Value)| match value {
                Value::String(text) => format!("{key}: {}", gist(text)),
                other => format!("{key}: {other}"),
            };
            fields.iter().map(field).collect::<Vec<_>>().join(", ")
        }
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    gist(&all)
}

/// `retrieved 3 of "overdraft policy" · 42 ms`, or another step by its kind and name.
fn step(span: &Span, kind: &str) -> Block {
    let time = format!(" · {}", figures::duration(span.duration_ms));
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
        let asked = asked.map(|asked| format!("\"{}\"", gist(asked)));
        Head {
            name: words().plain("retrieved ").plain(count).done(),
            gist: words().maybe(Role::Muted, asked.as_ref().map(|_| " of ")).maybe(Role::Plain, asked).done(),
            result: line(Role::Muted, time),
        }
    } else {
        let kind = if kind.is_empty() { "step" } else { kind };
        Head {
            name: words().plain(format!("{kind} ")).put(Role::Code, span.name.raw()).done(),
            gist: Line::default(),
            result: words().muted(" → ").plain(summary(&span.output)).muted(time).done(),
        }
    };
    let mut parts = Vec::new();
    let (took, gave) = if kind == "retrieval" { ("asked for", "found") } else { ("in", "out") };
    for (what, value) in [(took, &span.input), (gave, &span.output)] {
        if !value.is_null() {
            parts.push(Part::Note(line(Role::Muted, what)));
            parts.extend(match value {
                Value::Array(items) => items.iter().flat_map(found).collect(),
                other => self::parts(other),
            });
        }
    }
    Block::folded(Line::default(), head, parts)
}

/// One of several things that a step took or gave: its text to read, under what else is said of it.
fn found(item: &Value) -> Vec<Part> {
    let Value::Object(fields) = item else { return parts(item) };
    let text =
        ["text", "content", "page_content"].iter().find_map(|key| Some((*key, fields.get(*key)?.as_str()?)));
    let Some((key, text)) = text else { return vec![Part::Value(item.clone())] };
    let mut rest = fields.clone();
    rest.retain(|name, _| name != key);
    let note = line(Role::Muted, format!("· {}", given(&Value::Object(rest))));
    vec![Part::Note(note), Part::Words(text.into())]
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
            let first: String = gist(&text).chars().take(80).collect();
            if first.is_empty() { "nothing".to_owned() } else { format!("\"{first}\"") }
        }
        other => other.to_string(),
    }
}

/// The first words of a text, on one line.
fn gist(text: &str) -> String {
    let mut out = String::new();
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.extend(word.chars().take(GIST));
        if out.len() > GIST {
            break;
        }
    }
    out.chars().take(GIST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heads(json: serde_json::Value) -> Vec<String> {
        let trace: Trace = serde_json::from_value(json).unwrap();
        of_trace(&trace)
            .0
            .iter()
            .map(|block| match &block.head {
                Some(Head { name, gist, result }) => {
                    format!("{}|{}|{}|{}", block.who.text(), name.text(), gist.text(), result.text())
                }
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
                "system|2 words|: Be kind.|",
                "user",
                "|tool get|(user: 1)| → 2 fields",
                "|tool log|()| → \"done\"",
                "|tool lost|| → 3 items",
                "assistant",
                "|retrieved 3| of \"policy\"| · 12 ms",
            ]
        );
    }

    /// Of a trace made of OpenTelemetry's spans: its root is what the talk is, and a step that only held others
    /// says nothing of its own.
    #[test]
    fn the_root_and_empty_steps_are_not_told_again() {
        let trace = serde_json::json!({
            "input": "My balance?", "output": "Two.",
            "spans": [{"name": "answer", "kind": "agent", "id": "1", "input": "My balance?", "output": "Two."},
                      {"name": "GET /", "kind": "client", "id": "2", "parent": "1"},
                      {"name": "policies", "kind": "retrieval", "id": "3", "parent": "2", "output": ["a", "b"]}],
        });
        assert_eq!(heads(trace), ["user", "assistant", "|retrieved 2|| · 0 ms"]);
    }

    #[test]
    fn a_request_that_failed_says_how() {
        let last = |json: serde_json::Value| {
            let (blocks, _) = of_trace(&serde_json::from_value(json).unwrap());
            match &blocks.last().unwrap().parts[..] {
                [Part::Note(note)] => note.text(),
                other => format!("{other:?}"),
            }
        };
        let failed = |output: &str| serde_json::json!({"input": "hi", "output": output, "status": "error", "error_kind": "rate_limit"});
        assert_eq!(last(failed("")), "✗ rate limit: no answer");
        assert_eq!(last(failed("As I was say")), "✗ rate limit", "the answer broke off");
        assert_eq!(last(serde_json::json!({"input": "hi", "output": " "})), "an empty answer");
    }

    #[test]
    fn a_gist_is_one_line_however_long_the_text() {
        assert_eq!(gist(" a\n\tb "), "a b");
        assert_eq!(gist(&"x".repeat(100_000)).len(), GIST);
        assert!(gist(&"word ".repeat(100_000)).len() <= GIST);
    }
}
