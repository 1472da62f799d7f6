//! OpenAI's chat completions, as many servers speak them: `POST {base_url}/chat/completions`.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use reqwest::header::AUTHORIZATION;
use serde_json::{Value, json};

use super::endpoint::{Endpoint, Reply};
use super::messages::Talk;
use crate::domain::{Answer, Ask, AskError, AskErrorKind, Content, ModelSpec, Result};
use crate::wire::http;

/// How an endpoint wants to be told that JSON is wanted, best first; the last tells it nothing.
const JSON_WORDINGS: u8 = 4;

pub struct OpenAi {
    endpoint: Endpoint,
    spec: ModelSpec,
    /// The first wording that the endpoint has not refused.
    json_wording: AtomicU8,
    /// It wants `max_completion_tokens` instead of `max_tokens`, as OpenAI's newer models do.
    completion_tokens: AtomicBool,
}

impl OpenAi {
    pub fn connect(
        target: &str,
        spec: &ModelSpec,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self> {
        let mut url = http::address(&spec.base_url)?;
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["chat", "completions"]);
        }
        let key_env = spec.api_key_env.as_deref();
        let endpoint = Endpoint::new(url)?.with_key(target, key_env, variable, AUTHORIZATION, "Bearer ")?;
        Ok(Self {
            endpoint,
            spec: spec.clone(),
            json_wording: AtomicU8::new(0),
            completion_tokens: AtomicBool::new(false),
        })
    }

    /// One attempt. A wording that the endpoint refuses is not an attempt: it costs nothing and is not used
    /// again.
    pub async fn ask(&self, ask: &Ask) -> std::result::Result<Answer, AskError> {
        loop {
            let wording = self.json_wording.load(Ordering::Relaxed);
            let completion_tokens = self.completion_tokens.load(Ordering::Relaxed);
            let body = self.body(ask, wording, completion_tokens);
            let error = match self.endpoint.post(ask.key.as_deref(), body.to_string().into_bytes()).await {
                Ok(reply) => return self.answer(reply),
                Err(error) => error,
            };
            let refused = |word: &str| error.kind == AskErrorKind::Refused && error.what.raw().contains(word);
            // llama-cpp-python says 500 to a format that it does not know, and names it.
            let unknown = |word: &str| {
                matches!(error.kind, AskErrorKind::Refused | AskErrorKind::Unavailable)
                    && error.what.raw().contains(word)
            };
            if ask.json.is_some()
                && wording + 1 < JSON_WORDINGS
                && (unknown("response_format") || unknown("json_schema"))
            {
                self.json_wording.fetch_max(wording + 1, Ordering::Relaxed);
            } else if self.spec.max_tokens.or(ask.max_tokens).is_some()
                && !completion_tokens
                && refused("max_completion_tokens")
            {
                self.completion_tokens.store(true, Ordering::Relaxed);
            } else {
                return Err(error);
            }
        }
    }

    fn body(&self, ask: &Ask, wording: u8, completion_tokens: bool) -> Value {
        let mut body = json!({"model": self.spec.model, "messages": Talk::of(ask).openai()});
        if let Some(temperature) = self.spec.temperature {
            body["temperature"] = temperature.into();
        }
        if let Some(most) = self.spec.max_tokens.or(ask.max_tokens) {
            body[if completion_tokens { "max_completion_tokens" } else { "max_tokens" }] = most.into();
        }
        if let Some(schema) = &ask.json {
            let has_schema = schema.as_object().is_some_and(|schema| !schema.is_empty());
            let format = match wording {
                0 if has_schema => {
                    Some(json!({"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}))
                }
                // llama.cpp's own spelling.
                0 | 1 if has_schema => Some(json!({"type": "json_object", "schema": schema})),
                0..=2 => Some(json!({"type": "json_object"})),
                _ => None,
            };
            if let Some(format) = format {
                body["response_format"] = format;
            }
        }
        body
    }

    fn answer(&self, reply: Reply) -> std::result::Result<Answer, AskError> {
        let Reply { value, request_id, latency_ms } = reply;
        if let Some(error) = self.endpoint.error_inside(&value) {
            return Err(error);
        }
        let mask = &self.endpoint.mask;
        let unreadable = |what: &str| {
            let quote = mask.quote(value.to_string().as_bytes());
            mask.error(AskErrorKind::Unreadable, format!("{what}: {quote}"))
        };
        let choice = value.pointer("/choices/0").ok_or_else(|| unreadable("The answer has no choices"))?;
        let message = choice.get("message").filter(|message| message.is_object());
        let message = message.ok_or_else(|| unreadable("The answer has no message"))?;
        let calls =
            message.get("tool_calls").and_then(Value::as_array).is_some_and(|calls| !calls.is_empty());
        let refusal = message.get("refusal").and_then(Value::as_str);
        let output = match message.get("content") {
            Some(Value::String(text)) if !calls => Content::Text(text.as_str().into()),
            Some(Value::Null) | None if !calls => match (refusal, choice["finish_reason"].as_str()) {
                (Some(refusal), _) => Content::Text(refusal.into()),
                (None, Some("content_filter")) => {
                    let what = "The target's content filter stopped the answer.";
                    return Err(mask.error(AskErrorKind::Refused, what));
                }
                (None, Some("length")) => {
                    let what = "The answer is empty: all its tokens were spent before a word was said. \
                                A greater max_tokens of the target may help.";
                    return Err(mask.error(AskErrorKind::Refused, what));
                }
                _ => return Err(unreadable("The answer has neither text nor tool calls")),
            },
            _ => {
                let mut message = message.clone();
                message["role"] = "assistant".into();
                serde_json::from_value(json!([message]))
                    .map_err(|e| unreadable(&format!("The answer's message cannot be read ({e})")))?
            }
        };
        let id = value.get("id").and_then(Value::as_str).map(str::to_owned);
        Ok(Answer {
            output,
            latency_ms,
            tokens_in: value.pointer("/usage/prompt_tokens").and_then(Value::as_u64),
            tokens_out: value.pointer("/usage/completion_tokens").and_then(Value::as_u64),
            cost_usd: None,
            model: value.get("model").and_then(Value::as_str).map(str::to_owned),
            request_id: request_id.or(id),
        })
    }
}
