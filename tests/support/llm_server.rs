//! A model's API for tests: OpenAI's chat completions and embeddings and Anthropic's messages over real HTTP on
//! loopback, with faults on demand. Any other path answers as an endpoint of a team's own.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use futures::stream::{self, StreamExt};
use serde_json::{Value, json};

/// What can go wrong.
#[derive(Debug, Clone)]
pub enum Fault {
    /// The answer comes after this time.
    Slow(Duration),
    /// This status, with these headers and this body.
    Status(u16, Vec<(&'static str, String)>, String),
    /// The connection is cut in the middle of the body.
    Cut,
    /// The body is well sent, and half a JSON.
    HalfJson,
    /// A page for people.
    WrongType,
    /// The body never ends.
    Endless,
    /// Status 200 with an error in the body.
    ErrorInside,
    /// 401 that quotes the key it was sent.
    EchoKey,
    /// An answer that quotes the key it was sent.
    AnswerKey,
    /// The answer is this message.
    Message(Value),
}

impl Fault {
    /// 429 with `Retry-After`.
    pub fn rate_limit(retry_after: &str) -> Self {
        let body =
            json!({"error": {"message": "Slow down.", "type": "requests", "code": "rate_limit_exceeded"}});
        Self::Status(429, vec![("retry-after", retry_after.to_owned())], body.to_string())
    }

    /// 500 with OpenAI's words.
    pub fn broken() -> Self {
        let body = json!({"error": {"message": "The server had an error.", "type": "server_error"}});
        Self::Status(500, Vec::new(), body.to_string())
    }
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Seen {
    pub path: String,
    pub headers: HeaderMap,
    pub body: Value,
}

#[derive(Default)]
struct Inner {
    seen: Vec<Seen>,
    next: VecDeque<Fault>,
    by_model: BTreeMap<String, Fault>,
    answered: BTreeMap<String, u64>,
}

/// The server. It ends with this value.
pub struct LlmServer {
    inner: Arc<Mutex<Inner>>,
    address: std::net::SocketAddr,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl LlmServer {
    /// Starts on a free port, on a thread of its own.
    pub fn start() -> Self {
        let inner = Arc::new(Mutex::new(Inner::default()));
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let (tell, told) = std::sync::mpsc::channel();
        let state = inner.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                tell.send(listener.local_addr().unwrap()).unwrap();
                let app = Router::new().fallback(answer).with_state(state);
                tokio::select! {
                    served = axum::serve(listener, app).into_future() => served.unwrap(),
                    _ = stopped => {}
                }
            });
        });
        Self { inner, address: told.recv().unwrap(), stop: Some(stop), thread: Some(thread) }
    }

    /// The address of a path, such as `/v1`.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The next request that has no fault yet gets this one.
    pub fn fault_next(&self, fault: Fault) {
        lock(&self.inner).next.push_back(fault);
    }

    /// Every request for this model gets this fault.
    pub fn fault_model(&self, model: &str, fault: Fault) {
        lock(&self.inner).by_model.insert(model.to_owned(), fault);
    }

    /// All requests, in order.
    pub fn seen(&self) -> Vec<Seen> {
        lock(&self.inner).seen.clone()
    }

    /// How often each idempotency key got a good answer: what was paid.
    pub fn answered(&self) -> BTreeMap<String, u64> {
        lock(&self.inner).answered.clone()
    }
}

impl Drop for LlmServer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn lock(inner: &Arc<Mutex<Inner>>) -> MutexGuard<'_, Inner> {
    inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

async fn answer(
    State(inner): State<Arc<Mutex<Inner>>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let path = uri.path().to_owned();
    let model = body["model"].as_str().unwrap_or_default().to_owned();
    let fault = {
        let mut inner = lock(&inner);
        inner.seen.push(Seen { path: path.clone(), headers: headers.clone(), body: body.clone() });
        inner.next.pop_front().or_else(|| inner.by_model.get(&model).cloned())
    };
    let header = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    let key = format!("{}{}", header("authorization"), header("x-api-key"));
    let mut said = json!({"role": "assistant", "content": format!("You said: {}", last_words(&body))});
    match fault {
        Some(Fault::Slow(time)) => tokio::time::sleep(time).await,
        Some(Fault::Message(message)) => said = message,
        Some(Fault::AnswerKey) => said["content"] = format!("Your key is {key}").into(),
        Some(Fault::Status(status, headers, body)) => {
            let mut response = send(status, "application/json", body);
            for (name, value) in headers {
                response.headers_mut().insert(name, value.parse().unwrap());
            }
            return response;
        }
        Some(Fault::EchoKey) => {
            let error = json!({"error": {"message": format!("Incorrect API key provided: {key}")}});
            return send(401, "application/json", error.to_string());
        }
        Some(Fault::ErrorInside) => {
            let error = json!({"error": {"message": "Overloaded", "type": "overloaded_error"}});
            return send(200, "application/json", error.to_string());
        }
        Some(Fault::WrongType) => return send(200, "text/html", "<html>It works!</html>"),
        Some(Fault::HalfJson) => {
            let whole = reply(&path, &model, &said).to_string();
            return send(200, "application/json", whole[..whole.len() / 2].to_owned());
        }
        Some(Fault::Cut) => {
            let parts = [Ok("{\"choices\": ["), Err(std::io::Error::other("cut"))];
            // The head is let out first: what is cut is the body.
            let parts = stream::iter(parts).then(|part| async {
                tokio::time::sleep(Duration::from_millis(20)).await;
                part
            });
            return send(200, "application/json", Body::from_stream(parts));
        }
        Some(Fault::Endless) => {
            let parts = stream::repeat_with(|| Ok::<_, std::io::Error>(" ".repeat(64 << 10)));
            return send(200, "application/json", Body::from_stream(parts));
        }
        None => {}
    }
    let answer = if path.ends_with("/embeddings") { embeddings(&body) } else { reply(&path, &model, &said) };
    *lock(&inner).answered.entry(header("idempotency-key")).or_default() += 1;
    let mut response = send(200, "application/json", answer.to_string());
    response.headers_mut().insert("x-request-id", "req-1".parse().unwrap());
    response
}

fn send(status: u16, kind: &str, body: impl Into<Body>) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    Response::builder().status(status).header("content-type", kind).body(body.into()).unwrap()
}

/// The last text of the last message, in OpenAI's form or Anthropic's; or the body itself.
fn last_words(body: &Value) -> String {
    let last = body["messages"].as_array().and_then(|all| all.last()).map(|message| &message["content"]);
    match last {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => {
            parts.last().and_then(|part| part["text"].as_str()).unwrap_or_default().to_owned()
        }
        _ => body.to_string(),
    }
}

fn reply(path: &str, model: &str, message: &Value) -> Value {
    if path.ends_with("/messages") {
        let content = match &message["content"] {
            Value::String(text) => json!([{"type": "text", "text": text}]),
            blocks => blocks.clone(),
        };
        return json!({"id": "msg_1", "type": "message", "role": "assistant", "model": format!("{model}-1"),
            "content": content, "stop_reason": "end_turn",
            "usage": {"input_tokens": 8, "cache_read_input_tokens": 2, "output_tokens": 5}});
    }
    if path.ends_with("/chat/completions") {
        return json!({"id": "chatcmpl-1", "object": "chat.completion", "model": format!("{model}-1"),
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}});
    }
    json!({"result": {"text": message["content"]}})
}

/// A vector of three that depends on the text alone.
fn embeddings(body: &Value) -> Value {
    let inputs = match &body["input"] {
        Value::Array(all) => all.clone(),
        one => vec![one.clone()],
    };
    let data: Vec<Value> = inputs
        .iter()
        .enumerate()
        .map(|(index, text)| {
            let text = text.as_str().unwrap_or_default();
            let count = |wanted: &str| text.chars().filter(|c| wanted.contains(*c)).count() as f64;
            json!({"index": index, "object": "embedding", "embedding": [1.0, count("aeiou"), count("nrst")]})
        })
        .collect();
    json!({"object": "list", "model": body["model"], "data": data, "usage": {"prompt_tokens": 3, "total_tokens": 3}})
}
