//! Readings of a [`Content`]: its words in order, and its first words for a list.

use serde_json::Value;

use super::{ChatMessage, Content, Untrusted};

impl Content {
    /// Visits every piece of text that a person would read, in order: messages, text parts, names and
    /// arguments of tool calls. Without `system`, the standing instructions (roles `system` and
    /// `developer`), which repeat in every trace, are left out.
    pub fn each_text<'a>(&'a self, system: bool, visit: &mut dyn FnMut(&'a str)) {
        match self {
            Self::Text(text) => visit(text.raw()),
            Self::Messages(messages) => {
                for message in messages.iter().filter(|m| system || !m.is_instruction()) {
                    message.each_text(visit);
                }
            }
        }
    }

    /// All its text, pieces apart by line breaks.
    pub fn plain_text(&self) -> Untrusted {
        let mut all = String::new();
        self.each_text(true, &mut |text| {
            if !all.is_empty() {
                all.push('\n');
            }
            all.push_str(text);
        });
        Untrusted::new(all)
    }

    /// What was answered, as one text: an answer's own, or that of its messages of the assistant, apart by an
    /// empty line. Tool calls are not text; see [`tool_calls`](Self::tool_calls).
    pub fn answer_text(&self) -> std::borrow::Cow<'_, str> {
        match self {
            Self::Text(text) => text.raw().into(),
            Self::Messages(messages) => {
                let mut all = String::new();
                for message in messages.iter().filter(|m| m.role.raw() == "assistant") {
                    strings(&message.content, &mut |text| {
                        if !all.is_empty() {
                            all.push_str("\n\n");
                        }
                        all.push_str(text);
                    });
                }
                all.into()
            }
        }
    }

    /// The tools that were called, in order.
    pub fn tool_calls(&self) -> impl Iterator<Item = &super::ToolCall> {
        let messages = match self {
            Self::Text(_) => &[][..],
            Self::Messages(messages) => messages,
        };
        messages.iter().flat_map(|message| message.tool_calls.iter().flatten())
    }

    /// What this role said last: the first piece of text of it. A text without roles is anybody's.
    pub fn last_said(&self, role: &str) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text.raw()),
            Self::Messages(messages) => {
                let message = messages.iter().rev().find(|m| m.role.raw() == role && m.has_text())?;
                let mut first = None;
                strings(&message.content, &mut |text| {
                    if !text.trim().is_empty() {
                        first.get_or_insert(text);
                    }
                });
                first
            }
        }
    }

    /// The first words of what the user asked last: one line, at most `most` characters.
    pub fn asked(&self, most: usize) -> Untrusted {
        match self {
            Self::Text(text) => one_line(&[text.raw()], most),
            Self::Messages(messages) => {
                let said = |m: &&ChatMessage| m.role.raw() == "user" && m.has_text();
                let message = messages.iter().rev().find(said).or_else(|| messages.last());
                message.map(|m| m.first_words(most)).unwrap_or_default()
            }
        }
    }

    /// The first words of what was answered: one line, at most `most` characters.
    pub fn answered(&self, most: usize) -> Untrusted {
        match self {
            Self::Text(text) => one_line(&[text.raw()], most),
            Self::Messages(messages) => {
                let said = |m: &&ChatMessage| m.role.raw() == "assistant" && m.has_text();
                let message = messages.iter().find(said).or_else(|| messages.first());
                message.map(|m| m.first_words(most)).unwrap_or_default()
            }
        }
    }
}

impl ChatMessage {
    /// Whether it is a standing instruction rather than part of the talk.
    pub fn is_instruction(&self) -> bool {
        matches!(self.role.raw(), "system" | "developer")
    }

    /// Visits its text, then the names and arguments of its tool calls.
    pub fn each_text<'a>(&'a self, visit: &mut dyn FnMut(&'a str)) {
        strings(&self.content, visit);
        for call in self.tool_calls.iter().flatten() {
            visit(call.function.name.raw());
            leaves(&call.function.arguments, visit);
        }
    }

    fn has_text(&self) -> bool {
        let mut any = false;
        strings(&self.content, &mut |text| any |= !text.trim().is_empty());
        any
    }

    fn first_words(&self, most: usize) -> Untrusted {
        let mut pieces = Vec::new();
        self.each_text(&mut |text| pieces.push(text));
        one_line(&pieces, most)
    }
}

/// The strings of a message's `content`: itself, or the `text` and `refusal` of its parts.
fn strings<'a>(content: &'a Value, visit: &mut dyn FnMut(&'a str)) {
    match content {
        Value::String(text) => visit(text),
        Value::Array(parts) => {
            for part in parts {
                match part {
                    Value::String(text) => visit(text),
                    Value::Object(part) => {
                        for key in ["text", "refusal"] {
                            if let Some(Value::String(text)) = part.get(key) {
                                visit(text);
                            }
                        }
                    }
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

/// All strings inside a JSON value.
fn leaves<'a>(value: &'a Value, visit: &mut dyn FnMut(&'a str)) {
    match value {
        Value::String(text) => visit(text),
        Value::Array(items) => items.iter().for_each(|item| leaves(item, visit)),
        Value::Object(items) => items.values().for_each(|item| leaves(item, visit)),
        _ => {}
    }
}

/// The pieces on one line: runs of white space become one space, cut at `most` characters.
fn one_line(pieces: &[&str], most: usize) -> Untrusted {
    let mut line = String::new();
    let mut left = most;
    for word in pieces.iter().flat_map(|piece| piece.split_whitespace()) {
        let gap = usize::from(!line.is_empty());
        if left <= gap {
            break;
        }
        if gap == 1 {
            line.push(' ');
        }
        left -= gap;
        for c in word.chars().take(left) {
            line.push(c);
            left -= 1;
        }
    }
    Untrusted::new(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(json: &str) -> Content {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_talk_is_known_by_the_last_question_and_the_first_answer() {
        let input = content(
            r#"[{"role":"system","content":"Be kind"},{"role":"user","content":"first"},
                {"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function","function":{"name":"look","arguments":"{}"}}]},
                {"role":"user","content":[{"type":"text","text":"  second\n\tquestion "}]}]"#,
        );
        assert_eq!(input.asked(200).raw(), "second question");
        assert_eq!(input.asked(9).raw(), "second qu");
        let output = content(
            r#"[{"role":"assistant","content":"","tool_calls":[{"id":"1","type":"function","function":{"name":"refund","arguments":"{\"id\":7}"}}]}]"#,
        );
        assert_eq!(output.answered(200).raw(), r#"refund {"id":7}"#);
        assert_eq!(content("[]").asked(200).raw(), "");
    }

    #[test]
    fn instructions_are_left_out_where_asked() {
        let input = content(r#"[{"role":"system","content":"rules"},{"role":"user","content":"hello"}]"#);
        let mut seen = Vec::new();
        input.each_text(false, &mut |t| seen.push(t));
        assert_eq!(seen, ["hello"]);
        assert_eq!(input.plain_text().raw(), "rules\nhello");
    }
}
