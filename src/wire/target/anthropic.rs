//! Anthropic's Messages API: `POST {base_url}/v1/messages`.

use std::sync::atomic::{AtomicBool, Ordering};

use reqwest::header::{HeaderName, HeaderValue};
use serde_json::{Value, json};

use super::endpoint::{Endpoint, Reply};
use super::messages::{Talk, text_of};
use crate::domain::{
    Answer, Ask, AskError, AskErrorKind, ChatMessage, Content, FunctionCall, ModelSpec, Result, ToolCall,
};
use crate::wire::http::{self, Mask};

/// The API wants a most; this is ours where the configuration says none.
const MOST_TOKENS: u64 = 4096;

pub struct Anthropic {
    endpoint: Endpoint,
    spec: ModelSpec,
    /// The model refused to be told of a schema.
    without_schema: AtomicBool,
}

impl Anthropic {
    pub fn connect(
        target: &str,
        spec: &ModelSpec,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self> {
        let mut url = http::address(&spec.base_url)?;
        let has_version = url.path().trim_end_matches('/').ends_with("/v1");
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty();
            if !has_version {
                path.push("v1");
            }
            path.push("messages");
        }
        let key_env = spec.api_key_env.as_deref();
        let endpoint = Endpoint::new(url)?
            .with_key(target, key_env, variable, HeaderName::from_static("x-api-key"), "")?
            .with_header(
                HeaderName::from_static("anthropic-version"),
                HeaderValue::from_static("2023-06-01"),
            );
        Ok(Self { endpoint, spec: spec.clone(), without_schema: AtomicBool::new(false) })
    }

    /// One attempt.
    pub async fn ask(&self, ask: &Ask) -> std::result::Result<Answer, AskError> {
        loop {
            let without_schema = self.without_schema.load(Ordering::Relaxed);
            let body = self.body(ask, without_schema)?;
            match self.endpoint.post(ask.key.as_deref(), body.to_string().into_bytes()).await {
                Ok(reply) => return self.answer(reply),
                Err(error)
                    if ask.json.is_some()
                        && !without_schema
                        && error.kind == AskErrorKind::Refused
                        && error.what.raw().contains("output_") =>
                {
                    self.without_schema.store(true, Ordering::Relaxed);
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn body(&self, ask: &Ask, without_schema: bool) -> std::result::Result<Value, AskError> {
        let talk = Talk::of(ask);
        let mut messages: Vec<(&str, Vec<Value>)> = Vec::new();
        let text = talk.text.map(|text| ("user", vec![json!({"type": "text", "text": text})]));
        let all = talk.messages.iter().map(|message| blocks(message, &self.endpoint.mask));
        for message in text.map(Ok).into_iter().chain(all) {
            let (role, mut content) = message?;
            // Turns alternate: what the same side says next belongs to its turn.
            match messages.last_mut() {
                Some((last, blocks)) if *last == role => blocks.append(&mut content),
                _ => messages.push((role, content)),
            }
        }
        let messages: Vec<Value> =
            messages.into_iter().map(|(role, content)| json!({"role": role, "content": content})).collect();
        let mut body = json!({
            "model": self.spec.model,
            "max_tokens": self.spec.max_tokens.or(ask.max_tokens).unwrap_or(MOST_TOKENS),
            "messages": messages,
        });
        if !talk.instructions.is_empty() {
            body["system"] = talk.instructions.join("\n\n").into();
        }
        if let Some(temperature) = self.spec.temperature {
            body["temperature"] = temperature.into();
        }
        let schema = ask.json.as_ref().filter(|schema| schema.as_object().is_some_and(|s| !s.is_empty()));
        if let Some(schema) = schema.filter(|_| !without_schema) {
            body["output_config"] = json!({"format": {"type": "json_schema", "schema": schema}});
        }
        Ok(body)
    }

    fn answer(&self, reply: Reply) -> std::result::Result<Answer, AskError> {
        let Reply { value, request_id, latency_ms } = reply;
        if let Some(error) = self.endpoint.error_inside(&value) {
            return Err(error);
        }
        let mask = &self.endpoint.mask;
        let Some(blocks) = value.get("content").and_then(Value::as_array) else {
            let quote = mask.quote(value.to_string().as_bytes());
            let what = format!("The answer has no content: {quote}");
            return Err(mask.error(AskErrorKind::Unreadable, what));
        };
        let (mut texts, mut calls) = (Vec::new(), Vec::new());
        for block in blocks {
            let field = |name: &str| block.get(name).and_then(Value::as_str).unwrap_or_default();
            match field("type") {
                "text" => texts.push(field("text")),
                "tool_use" => calls.push(ToolCall {
                    id: field("id").into(),
                    kind: "function".into(),
                    function: FunctionCall {
                        name: field("name").into(),
                        arguments: block.get("input").cloned().unwrap_or_default(),
                    },
                }),
                // Thinking and whatever else is not said to the user.
                _ => {}
            }
        }
        let text = texts.concat();
        let output = if calls.is_empty() {
            Content::Text(text.into())
        } else {
            Content::Messages(vec![ChatMessage {
                role: "assistant".into(),
                content: if text.is_empty() { Value::Null } else { text.into() },
                tool_calls: Some(calls),
                ..ChatMessage::default()
            }])
        };
        let tokens = |name: &str| value.pointer(&format!("/usage/{name}")).and_then(Value::as_u64);
        let cached = ["cache_creation_input_tokens", "cache_read_input_tokens"];
        let cached: u64 = cached.into_iter().filter_map(tokens).sum();
        Ok(Answer {
            output,
            latency_ms,
            tokens_in: tokens("input_tokens").map(|fresh| fresh.saturating_add(cached)),
            tokens_out: tokens("output_tokens"),
            cost_usd: None,
            model: value.get("model").and_then(Value::as_str).map(str::to_owned),
            request_id: request_id.or_else(|| value.get("id").and_then(Value::as_str).map(str::to_owned)),
        })
    }
}

/// A message as content blocks, with the side that says it.
fn blocks(message: &ChatMessage, mask: &Mask) -> std::result::Result<(&'static str, Vec<Value>), AskError> {
    if message.role.raw() == "tool" {
        let id = message.tool_call_id.as_ref().map(|id| id.raw()).unwrap_or_default();
        let result = json!({"type": "tool_result", "tool_use_id": id, "content": text_of(message)});
        return Ok(("user", vec![result]));
    }
    let role = if message.role.raw() == "assistant" { "assistant" } else { "user" };
    let mut blocks = Vec::new();
    match &message.content {
        Value::Array(parts) => {
            for part in parts {
                blocks.push(block(part, mask)?);
            }
        }
        // The API refuses an empty text.
        Value::String(text) if !text.is_empty() => blocks.push(json!({"type": "text", "text": text})),
        _ => {}
    }
    for call in message.tool_calls.iter().flatten() {
        let input = match &call.function.arguments {
            Value::String(text) => serde_json::from_str(text).unwrap_or_else(|_| json!({"arguments": text})),
            other => other.clone(),
        };
        blocks.push(json!({"type": "tool_use", "id": call.id.raw(), "name": call.function.name.raw(), "input": input}));
    }
    Ok((role, blocks))
}

/// A content part in OpenAI's form as a block.
fn block(part: &Value, mask: &Mask) -> std::result::Result<Value, AskError> {
    if let Some(text) = part.as_str().or_else(|| part.get("text").and_then(Value::as_str)) {
        return Ok(json!({"type": "text", "text": text}));
    }
    if let Some(url) = part.pointer("/image_url/url").and_then(Value::as_str) {
        let data = url.strip_prefix("data:").and_then(|data| data.split_once(";base64,"));
        let source = match data {
            Some((kind, data)) => json!({"type": "base64", "media_type": kind, "data": data}),
            None => json!({"type": "url", "url": url}),
        };
        return Ok(json!({"type": "image", "source": source}));
    }
    let kind = part.get("type").and_then(Value::as_str).unwrap_or("unknown");
    let what = format!("The case has a part of type {kind}, which Anthropic's API does not take.");
    Err(mask.error(AskErrorKind::Refused, what))
}
