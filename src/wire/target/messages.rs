//! Chat messages as APIs take them, made of a [`Content`] and the prompt before it; and a [`Content`] made of
//! what came back.

use serde_json::{Map, Value, json};

use crate::domain::{Ask, ChatMessage, Content};

/// The standing instructions and the talk of an ask. The prompt of a target takes the place of instructions
/// that were recorded: it is what is being tried.
pub struct Talk<'a> {
    pub instructions: Vec<String>,
    pub messages: Vec<&'a ChatMessage>,
    /// A plain text that the user said, where there are no messages.
    pub text: Option<&'a str>,
    prompt: Option<&'a str>,
    all: &'a [ChatMessage],
}

impl<'a> Talk<'a> {
    pub fn of(ask: &'a Ask) -> Self {
        let mut talk = Self {
            instructions: Vec::new(),
            messages: Vec::new(),
            text: None,
            prompt: ask.prompt.as_deref(),
            all: &[],
        };
        match &ask.input {
            Content::Text(text) => talk.text = Some(text.raw()),
            Content::Messages(all) => {
                talk.all = all;
                for message in all {
                    if message.is_instruction() {
                        talk.instructions.push(text_of(message));
                    } else {
                        talk.messages.push(message);
                    }
                }
            }
        }
        if let Some(prompt) = &ask.prompt {
            talk.instructions = vec![prompt.clone()];
        }
        talk
    }

    /// What the user said last.
    pub fn asked(&self) -> String {
        let said = || self.messages.iter().rev().find(|message| message.role.raw() == "user");
        self.text.map(str::to_owned).or_else(|| said().map(|message| text_of(message))).unwrap_or_default()
    }

    /// As OpenAI's API takes them, in the order that they were said. What else a source wrote in a message is
    /// left out: APIs refuse it.
    pub fn openai(&self) -> Vec<Value> {
        let prompt = self.prompt.iter().map(|text| json!({"role": "system", "content": text}));
        let text = self.text.iter().map(|text| json!({"role": "user", "content": text}));
        let said = self.all.iter().filter(|message| self.prompt.is_none() || !message.is_instruction());
        prompt.chain(text).chain(said.map(openai_message)).collect()
    }
}

/// The text of a message, its parts apart by line breaks.
pub fn text_of(message: &ChatMessage) -> String {
    let one = Content::Messages(vec![ChatMessage {
        role: message.role.clone(),
        content: message.content.clone(),
        ..ChatMessage::default()
    }]);
    one.plain_text().into_raw()
}

fn openai_message(message: &ChatMessage) -> Value {
    let mut out = Map::new();
    out.insert("role".into(), message.role.raw().into());
    out.insert("content".into(), message.content.clone());
    if let Some(name) = &message.name {
        out.insert("name".into(), name.raw().into());
    }
    if let Some(id) = &message.tool_call_id {
        out.insert("tool_call_id".into(), id.raw().into());
    }
    if let Some(calls) = message.tool_calls.as_ref().filter(|calls| !calls.is_empty()) {
        let calls = calls.iter().map(|call| {
            let arguments = match &call.function.arguments {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            json!({"id": call.id.raw(), "type": "function",
                "function": {"name": call.function.name.raw(), "arguments": arguments}})
        });
        out.insert("tool_calls".into(), calls.collect());
    }
    Value::Object(out)
}

/// The answer that stands in a JSON value: a text, chat messages, or the JSON itself as text.
pub fn answer_of(value: &Value) -> Content {
    let is_message = |value: &Value| value.get("role").is_some_and(Value::is_string);
    let messages = match value {
        Value::String(text) => return Content::Text(text.as_str().into()),
        Value::Object(_) if is_message(value) => serde_json::from_value(json!([value])).ok(),
        Value::Array(all) if !all.is_empty() && all.iter().all(is_message) => {
            serde_json::from_value(value.clone()).ok()
        }
        _ => None,
    };
    messages.unwrap_or_else(|| Content::Text(value.to_string().into()))
}
