//! A conversation to read: who says what, Markdown and JSON laid out, tool calls folded, words found.
//!
//! ```text
//!  user        I was charged a €35 overdraft fee but my salary arrived the same
//!              day. Can you take it back?
//!
//!  assistant   ▸ get_account(user_id) → {"balance": -35, "currency": "EUR"}
//!
//!  assistant   You can just transfer your balance from savings.
//! ```

use std::collections::BTreeSet;

use ratatui::layout::Rect;

use super::scroll::Scroll;
use crate::command::Id;
use crate::domain::{ChatMessage, Content, ToolCall};
use crate::text::figures::plural;
use crate::text::{
    Hit, Line, Role, Span, Style, clean_line, find, mark, pad, readable, truncate_line, wrap_line,
};
use crate::tui::canvas::{Canvas, Pane};
use crate::tui::words::{line, span, words};

/// Columns of who speaks.
const WHO: usize = 11;
/// Longer lines are hard to read.
const MOST_COLUMNS: usize = 100;
/// Texts longer than this are laid out in part until they are unfolded: nobody reads them at one go.
const LONG: usize = 200_000;
/// A folded line shows so much of what it hides.
const SUMMARY: usize = 300;

/// A part of a conversation.
#[derive(Debug, Clone, PartialEq)]
struct Part {
    who: String,
    role: Role,
    body: Body,
}

#[derive(Debug, Clone, PartialEq)]
enum Body {
    /// What somebody said.
    Said(String),
    /// What is read only when asked for: standing instructions, tool calls and their answers.
    Folded { summary: Line, whole: Vec<(String, String)> },
    /// Our own words, such as that there is no output.
    Ours(Line),
}

/// A conversation, laid out for one width.
#[derive(Debug, Clone, Default)]
pub struct Conversation {
    parts: Vec<Part>,
    unfolded: bool,
    columns: usize,
    lines: Vec<Line>,
    scroll: Scroll,
    needle: String,
    hits: Vec<Hit>,
    current: Option<usize>,
}

impl Conversation {
    /// The conversation of a trace. `failed` says why there is no output, when there is none.
    pub fn new(input: &Content, output: &Content, failed: Option<&str>) -> Self {
        let mut parts = Vec::new();
        add(&mut parts, input, "user");
        let before = parts.len();
        add(&mut parts, output, "assistant");
        let silent = parts[before..].iter().all(|part| match &part.body {
            Body::Said(text) => text.trim().is_empty(),
            Body::Folded { .. } | Body::Ours(_) => false,
        });
        if silent {
            parts.truncate(before);
            let words = match failed {
                Some(why) => words().put(Role::Fail, "✗ ").plain(why).muted(": no output"),
                None => words().muted("empty output"),
            };
            parts.push(Part {
                who: "assistant".to_owned(),
                role: Role::Fail,
                body: Body::Ours(words.done()),
            });
        }
        Self { parts, ..Self::default() }
    }

    /// Lays it out for this many columns, if it is not yet.
    pub fn settle(&mut self, columns: u16) {
        let columns = usize::from(columns);
        if self.columns != columns {
            self.columns = columns;
            self.lay_out();
        }
    }

    fn lay_out(&mut self) {
        let columns = self.columns.saturating_sub(WHO + 3).clamp(8, MOST_COLUMNS);
        self.lines.clear();
        for part in &self.parts {
            if !self.lines.is_empty() {
                self.lines.push(Line::default());
            }
            let body = part.lines(columns, self.unfolded);
            let who = pad(&clean_line(&part.who), WHO);
            let mut first = Some(Span::new(who, Style::of(part.role).bold()));
            for mut text in body {
                let before = first.take().unwrap_or_else(|| span(Role::Plain, " ".repeat(WHO)));
                text.spans.insert(0, before);
                text.spans.insert(1, span(Role::Plain, " "));
                self.lines.push(text);
            }
        }
        self.search();
    }

    fn search(&mut self) {
        self.hits = if self.needle.is_empty() { Vec::new() } else { find(&self.lines, &self.needle) };
        self.current = self.current.filter(|at| *at < self.hits.len());
    }

    /// Whether something in it is folded away, or could be.
    pub fn folds(&self) -> bool {
        self.parts.iter().any(|part| matches!(part.body, Body::Folded { .. }))
    }

    /// Unfolds tool calls and instructions, or folds them again. What is on top stays there as near as
    /// can be.
    pub fn fold(&mut self) {
        let before = self.lines.len().max(1);
        self.unfolded = !self.unfolded;
        self.lay_out();
        self.scroll.top = self.scroll.top * self.lines.len() / before;
    }

    /// Marks these words and goes to the first of them from here on; gives how many there are.
    pub fn find(&mut self, needle: &str, page: usize) -> usize {
        self.needle = needle.trim().to_owned();
        self.search();
        let top = self.scroll.top;
        self.current =
            self.hits.iter().position(|hit| hit.line >= top).or((!self.hits.is_empty()).then_some(0));
        self.reveal(page);
        self.hits.len()
    }

    /// Goes to the next mark, or the one before; round at the ends. Gives which of how many it is.
    pub fn find_next(&mut self, back: bool, page: usize) -> Option<(usize, usize)> {
        let count = self.hits.len();
        let at = self.current?;
        let next = if back { at + count - 1 } else { at + 1 } % count;
        self.current = Some(next);
        self.reveal(page);
        Some((next + 1, count))
    }

    /// The words that are marked.
    pub fn needle(&self) -> &str {
        &self.needle
    }

    fn reveal(&mut self, page: usize) {
        if let Some(hit) = self.current.and_then(|at| self.hits.get(at)) {
            self.scroll.reveal(hit.line, self.lines.len(), page);
        }
    }

    /// Moves as a command of moving says; false for another command.
    pub fn command(&mut self, id: Id, page: usize) -> bool {
        self.scroll.command(id, self.lines.len(), page)
    }

    /// Moves by lines.
    pub fn by(&mut self, rows: i64, page: usize) {
        self.scroll.by(rows, self.lines.len(), page);
    }

    /// Draws what shows.
    pub fn view(&self, canvas: &mut Canvas<'_>, area: Rect, pane: Pane) {
        let page = usize::from(area.height);
        let top = self.scroll.top.min(self.lines.len().saturating_sub(page));
        if self.hits.is_empty() {
            let scroll = Scroll { top };
            return scroll.view(canvas, area, pane, &self.lines);
        }
        canvas.pane(area, pane);
        let end = (top + page).min(self.lines.len());
        let marked = mark(&self.lines[top..end], top, &self.hits, self.current);
        let text = Rect { width: area.width.saturating_sub(2), ..area };
        canvas.lines(text, &marked);
        super::scroll::bar(canvas, area, top, page, self.lines.len());
    }
}

impl Part {
    fn lines(&self, columns: usize, unfolded: bool) -> Vec<Line> {
        match &self.body {
            Body::Said(text) => laid(text, columns, unfolded),
            Body::Ours(text) => wrap_line(text, columns, &[], &[]),
            Body::Folded { summary, .. } if !unfolded => {
                let mut text = words().put(Role::Accent, "▸ ").done();
                text.spans.extend(summary.spans.iter().cloned());
                vec![truncate_line(&text, columns)]
            }
            Body::Folded { whole, .. } => {
                let mut lines = Vec::new();
                for (title, text) in whole {
                    lines.push(words().put(Role::Accent, "▾ ").put(Role::Muted, title).done());
                    if text.is_empty() {
                        continue;
                    }
                    for mut text in laid(text, columns.saturating_sub(2), true) {
                        text.spans.insert(0, span(Role::Plain, "  "));
                        lines.push(text);
                    }
                }
                lines
            }
        }
    }
}

/// The text laid out; a very long one in part, unless all was asked for.
fn laid(text: &str, columns: usize, whole: bool) -> Vec<Line> {
    if whole || text.len() <= LONG {
        return readable(text, columns);
    }
    let cut = (0..=LONG).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let mut lines = readable(&text[..cut], columns);
    let left = plural(text.len() - cut, "byte");
    lines.push(words().put(Role::Accent, "▸ ").muted(format!("{left} more")).done());
    lines
}

fn add(parts: &mut Vec<Part>, content: &Content, who: &str) {
    match content {
        Content::Text(text) => parts.push(said(who, text.raw().to_owned())),
        Content::Messages(messages) => {
            // Ids of calls may come again: each answer is taken by one call.
            let mut taken = BTreeSet::new();
            for (at, message) in messages.iter().enumerate() {
                if taken.contains(&at) {
                    continue;
                }
                let mut answers = Vec::new();
                for call in message.tool_calls.iter().flatten() {
                    let answer = (at + 1..messages.len()).find(|other| {
                        let answer = &messages[*other];
                        answer.role.raw() == "tool"
                            && answer.tool_call_id.as_ref() == Some(&call.id)
                            && !taken.contains(other)
                    });
                    taken.extend(answer);
                    answers.push(answer.map(|other| &messages[other]));
                }
                add_message(parts, message, &answers);
            }
        }
    }
}

fn said(who: &str, text: String) -> Part {
    let role = match who {
        "user" => Role::Accent,
        "assistant" => Role::Heading,
        _ => Role::Muted,
    };
    Part { who: who.to_owned(), role, body: Body::Said(text) }
}

fn add_message(parts: &mut Vec<Part>, message: &ChatMessage, answers: &[Option<&ChatMessage>]) {
    let who = message.role.raw();
    let text = text_of(message);
    if message.is_instruction() {
        let words = plural(text.split_whitespace().count(), "word");
        let summary = words_line("instructions", &format!("{words}: {}", one_line(&text)));
        parts.push(folded(who, summary, vec![("instructions".to_owned(), text)]));
        return;
    }
    if who == "tool" {
        let name = message.name.as_ref().map_or("", |name| name.raw());
        let summary = words_line(&format!("{name} gave"), &one_line(&text));
        parts.push(folded(who, summary, vec![("result".to_owned(), text)]));
        return;
    }
    if !text.trim().is_empty() || message.tool_calls.as_ref().is_none_or(Vec::is_empty) {
        parts.push(said(who, text));
    }
    for (call, answer) in message.tool_calls.iter().flatten().zip(answers) {
        parts.push(tool(who, call, *answer));
    }
}

fn tool(who: &str, call: &ToolCall, answer: Option<&ChatMessage>) -> Part {
    let arguments = match &call.function.arguments {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Null => String::new(),
        other => other.to_string(),
    };
    let given = serde_json::from_str::<serde_json::Value>(&arguments).ok();
    let short = match given.as_ref().and_then(serde_json::Value::as_object) {
        Some(fields) => {
            fields.iter().map(|(key, value)| format!("{key}: {value}")).collect::<Vec<_>>().join(", ")
        }
        None => one_line(&arguments),
    };
    let result = answer.map(text_of);
    let mut summary =
        words().put(Role::Code, call.function.name.raw()).plain("(").muted(cut(&short)).plain(")");
    if let Some(result) = &result {
        summary = summary.muted(" → ").plain(one_line(result));
    }
    let mut whole = vec![("arguments".to_owned(), arguments)];
    whole.extend(result.map(|result| ("result".to_owned(), result)));
    let mut part = folded(who, summary.done(), whole);
    part.role = Role::Muted;
    if let Body::Folded { whole, .. } = &mut part.body {
        // Unfolded, the call is named too.
        whole.insert(0, (format!("tool {}", call.function.name.raw()), String::new()));
    }
    part
}

fn folded(who: &str, summary: Line, whole: Vec<(String, String)>) -> Part {
    Part { who: who.to_owned(), role: Role::Muted, body: Body::Folded { summary, whole } }
}

fn words_line(name: &str, text: &str) -> Line {
    words().put(Role::Code, name.trim()).plain(" ").muted(text).done()
}

/// The text of a message: its strings, other parts as JSON.
fn text_of(message: &ChatMessage) -> String {
    match &message.content {
        serde_json::Value::Null => String::new(),
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Array(parts) => {
            let texts: Vec<String> = parts
                .iter()
                .map(|part| match (part, part.get("text")) {
                    (_, Some(serde_json::Value::String(text))) => text.clone(),
                    (serde_json::Value::String(text), _) => text.clone(),
                    (other, _) => other.to_string(),
                })
                .collect();
            texts.join("\n\n")
        }
        other => other.to_string(),
    }
}

fn one_line(text: &str) -> String {
    let mut out = String::new();
    for word in text.split_whitespace() {
        if out.len() > SUMMARY {
            break;
        }
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    cut(&out)
}

fn cut(text: &str) -> String {
    text.chars().take(SUMMARY).collect()
}

/// Says that nothing is there to be read yet.
pub fn loading() -> Line {
    line(Role::Muted, "loading…")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::table::app;

    fn shown(conversation: &mut Conversation, columns: u16) -> Vec<String> {
        conversation.settle(columns);
        conversation.lines.iter().map(|line| line.text().trim_end().to_owned()).collect()
    }

    fn talk() -> Conversation {
        let input = serde_json::from_str(
            r#"[{"role":"system","content":"Be kind and brief."},
                {"role":"user","content":"Cancel my **flight**."},
                {"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function",
                  "function":{"name":"find_flight","arguments":"{\"user\": \"mia\"}"}}]},
                {"role":"tool","tool_call_id":"c1","content":"{\"flight\": \"LH 7\"}"}]"#,
        )
        .unwrap();
        Conversation::new(&input, &Content::Text("Done.".into()), None)
    }

    #[test]
    fn a_call_and_its_answer_are_one_folded_line() {
        let mut talk = talk();
        let lines = shown(&mut talk, 80);
        assert_eq!(
            lines,
            [
                "system      ▸ instructions 4 words: Be kind and brief.",
                "",
                "user        Cancel my flight.",
                "",
                r#"assistant   ▸ find_flight(user: "mia") → {"flight": "LH 7"}"#,
                "",
                "assistant   Done.",
            ]
        );
        talk.fold();
        let lines = shown(&mut talk, 80);
        assert!(lines.iter().any(|line| line.ends_with(r#""user": "mia""#)), "{lines:#?}");
        assert!(lines.iter().any(|line| line.ends_with(r#""flight": "LH 7""#)), "{lines:#?}");
        talk.fold();
        assert_eq!(shown(&mut talk, 80).len(), 7);
    }

    #[test]
    fn a_failure_says_that_there_is_no_output() {
        let mut failed = Conversation::new(&Content::Text("Hi".into()), &Content::default(), Some("timeout"));
        assert_eq!(shown(&mut failed, 80).last().unwrap(), "assistant   ✗ timeout: no output");
        let mut empty = Conversation::new(&Content::Text("Hi".into()), &Content::default(), None);
        assert_eq!(shown(&mut empty, 80).last().unwrap(), "assistant   empty output");
    }

    #[test]
    fn words_are_found_round_and_round() {
        let text: Vec<String> = (0..100).map(|n| format!("line {n}\n\n")).collect();
        let mut long =
            Conversation::new(&Content::Text("Hi".into()), &Content::Text(text.concat().into()), None);
        long.settle(60);
        assert_eq!(long.find("line 9", 10), 11);
        assert!(long.scroll.top > 10);
        assert_eq!(long.find_next(true, 10), Some((11, 11)));
        assert_eq!(long.find_next(false, 10), Some((1, 11)));
        assert_eq!(long.find("nowhere", 10), 0);
        assert_eq!(long.find_next(false, 10), None);
        assert!(long.command(app::BOTTOM, 10));
    }
}
