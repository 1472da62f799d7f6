//! What all targets behind HTTP share: the key, the request, and what the response's status means.

use std::time::{Instant, SystemTime};

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::domain::{AskError, AskErrorKind, Error, Result};
use crate::wire::http::{self, Mask};

/// An address with its key.
pub struct Endpoint {
    client: Client,
    url: Url,
    /// Sent with every request, the key among them.
    headers: HeaderMap,
    pub mask: Mask,
    /// The variable that the key came from.
    key_env: Option<String>,
}

/// A response that can be read.
pub struct Reply {
    pub value: Value,
    pub request_id: Option<String>,
    /// From the first byte sent to the last received, in milliseconds.
    pub latency_ms: f64,
}

impl Endpoint {
    /// An endpoint without a key.
    pub fn new(url: Url) -> Result<Self> {
        let client = http::client(&url)?;
        Ok(Self { client, url, headers: HeaderMap::new(), mask: Mask::default(), key_env: None })
    }

    /// Sends the key of a variable in this header, after `before`.
    ///
    /// # Errors
    /// `Usage` when the variable is not set or cannot be sent; its value is not said.
    pub fn with_key(
        mut self,
        target: &str,
        key_env: Option<&str>,
        variable: &dyn Fn(&str) -> Option<String>,
        header: HeaderName,
        before: &str,
    ) -> Result<Self> {
        let Some(key_env) = key_env else { return Ok(self) };
        let key = variable(key_env).map(|key| key.trim().to_owned()).filter(|key| !key.is_empty());
        let key = SecretString::from(key.ok_or_else(|| {
            Error::usage(format!(
                "The target `{target}` needs its key in the variable `{key_env}`, which is not set."
            ))
            .hint(format!("Set it before you start: `export {key_env}=…`."))
            .hint(format!("Name another variable, or none, at `api_key_env` of [targets.{target}]."))
        })?);
        let mut value = HeaderValue::from_str(&format!("{before}{}", key.expose_secret())).map_err(|_| {
            Error::usage(format!("The variable `{key_env}` holds a character that no key can have."))
                .hint("Look for a line break or a quotation mark that was copied with it.")
        })?;
        value.set_sensitive(true);
        self.headers.insert(header, value);
        self.mask.add(key);
        self.key_env = Some(key_env.to_owned());
        Ok(self)
    }

    /// Sends this header with every request.
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Posts a body and reads the response as JSON.
    pub async fn post(&self, key: Option<&str>, body: Vec<u8>) -> std::result::Result<Reply, AskError> {
        let mut request = self.client.post(self.url.clone()).headers(self.headers.clone()).body(body);
        if !self.headers.contains_key(CONTENT_TYPE) {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        if let Some(key) = key {
            request = request.header("idempotency-key", idempotency_key(key));
        }
        let began = Instant::now();
        let response = request.send().await.map_err(|e| http::unsent(e, &self.mask))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = http::body(response, &self.mask).await?;
        let latency_ms = began.elapsed().as_secs_f64() * 1000.0;
        let bytes = self.mask.answer(bytes);
        if !status.is_success() {
            return Err(self.refusal(status, &headers, &bytes));
        }
        let value = serde_json::from_slice(&bytes).map_err(|e| self.not_json(&headers, &bytes, &e))?;
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let request_id = text("x-request-id").or_else(|| text("request-id")).map(str::to_owned);
        Ok(Reply { value, request_id, latency_ms })
    }

    fn not_json(&self, headers: &HeaderMap, bytes: &[u8], error: &serde_json::Error) -> AskError {
        let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
        let what = if bytes.is_empty() {
            "The answer is empty.".to_owned()
        } else if error.is_eof() {
            format!("The answer breaks off: it is half a JSON: {}", self.mask.quote(bytes))
        } else if kind.contains("json") {
            format!("The answer is not JSON ({error}): {}", self.mask.quote(bytes))
        } else {
            let kind = if kind.is_empty() { "of no kind" } else { kind };
            format!("The answer is {kind}, not JSON: {}", self.mask.quote(bytes))
        };
        self.mask.error(AskErrorKind::Unreadable, what)
    }

    fn refusal(&self, status: StatusCode, headers: &HeaderMap, bytes: &[u8]) -> AskError {
        let parsed = serde_json::from_slice::<Value>(bytes).ok();
        let said = parsed.as_ref().and_then(error_in);
        let mut kind = kind_of(status.as_u16());
        // OpenAI says 429 of an empty account too: waiting does not fill it.
        if said.as_ref().is_some_and(|said| said.code == "insufficient_quota") {
            kind = AskErrorKind::Refused;
        }
        let words = match &said {
            Some(said) => self.mask.quote(said.message.as_bytes()),
            None => self.mask.quote(bytes),
        };
        let mut what = format!("The target said {status}");
        if status.is_redirection() {
            let to = headers.get("location").map(|to| self.mask.quote(to.as_bytes())).unwrap_or_default();
            what = format!("{what}: it sends elsewhere ({to}), where the key is not taken");
        } else if !words.is_empty() {
            what = format!("{what}: {}", words.trim_end_matches('.'));
        }
        if let (401 | 403, Some(key_env)) = (status.as_u16(), &self.key_env) {
            what = format!("{what} (the key is that of `{key_env}`)");
        }
        let mut error = self.mask.error(kind, format!("{what}."));
        error.retry_after = http::retry_after(headers, SystemTime::now());
        error
    }

    /// An error that came with status 200, if the response is one.
    pub fn error_inside(&self, value: &Value) -> Option<AskError> {
        let said = error_in(value)?;
        let numeric = said.code.parse::<u16>().ok().filter(|code| (400..600).contains(code));
        let kind = match (numeric, said.code.as_str(), said.kind.as_str()) {
            (Some(code), ..) => kind_of(code),
            (_, "insufficient_quota", _) => AskErrorKind::Refused,
            (_, "rate_limit_exceeded", _) | (.., "rate_limit_error") => AskErrorKind::RateLimit,
            (.., kind) if kind.starts_with("invalid_request") || kind.contains("authentication") => {
                AskErrorKind::Refused
            }
            _ => AskErrorKind::Unavailable,
        };
        let words = self.mask.quote(said.message.as_bytes());
        Some(self.mask.error(kind, format!("The answer is an error: {}.", words.trim_end_matches('.'))))
    }
}

/// What a status says of asking again.
fn kind_of(status: u16) -> AskErrorKind {
    match status {
        408 => AskErrorKind::Timeout,
        429 => AskErrorKind::RateLimit,
        425 | 500.. => AskErrorKind::Unavailable,
        _ => AskErrorKind::Refused,
    }
}

struct Said {
    message: String,
    code: String,
    kind: String,
}

/// `{"error": {"message", "type", "code"}}`, or `{"error": "…"}`, as the APIs write it.
fn error_in(value: &Value) -> Option<Said> {
    let error = value.get("error").filter(|error| !error.is_null())?;
    let field = |name: &str| match error.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    };
    let message = match error.as_str() {
        Some(text) => text.to_owned(),
        None => field("message"),
    };
    let message = if message.is_empty() { error.to_string() } else { message };
    Some(Said { message, code: field("code"), kind: field("type") })
}

/// The id as it can stand in a header: itself, or its SHA-256.
fn idempotency_key(id: &str) -> String {
    if id.len() <= 255 && id.bytes().all(|b| b.is_ascii_graphic()) {
        id.to_owned()
    } else {
        format!("{:x}", Sha256::digest(id))
    }
}
