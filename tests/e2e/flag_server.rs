//! A flag service for tests, over real HTTP on loopback. It speaks what Unleash's admin API, LaunchDarkly's REST
//! API, Langfuse's public API and OFREP speak of switching a flag, and can fail as they do.

use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use serde_json::{Value, json};

/// How it answers a request that switches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// As it should.
    Well,
    /// It says that it did, and did not.
    Lies,
    /// It does it, and answers 500.
    FailsAfter,
    /// It answers 403: a change request is needed.
    Forbids,
    /// It quotes the key that it was sent, with 400.
    Echoes,
    /// It never answers.
    Hangs,
    /// It answers 401 to whatever does not bring this key.
    Wants(&'static str),
    /// It answers 405 to a `GET`.
    ActsOnly,
    /// It answers 503.
    Down,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: Method,
    pub path: String,
    pub headers: HeaderMap,
    pub body: String,
}

struct Inner {
    on: bool,
    version: u64,
    manner: Manner,
    seen: Vec<Seen>,
}

/// The service. It ends with this value.
pub struct FlagServer {
    inner: Arc<Mutex<Inner>>,
    address: std::net::SocketAddr,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

fn lock(inner: &Mutex<Inner>) -> MutexGuard<'_, Inner> {
    inner.lock().expect("whole")
}

impl FlagServer {
    /// Starts on a free port, with the flag on.
    pub fn start() -> Self {
        let inner = Inner { on: true, version: 4, manner: Manner::Well, seen: Vec::new() };
        let inner = Arc::new(Mutex::new(inner));
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let (tell, told) = std::sync::mpsc::channel();
        let state = inner.clone();
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
                tell.send(listener.local_addr().expect("an address")).expect("told");
                let app = Router::new().fallback(answer).with_state(state);
                tokio::select! {
                    served = axum::serve(listener, app).into_future() => served.expect("served"),
                    _ = stopped => {}
                }
            });
        });
        Self { inner, address: told.recv().expect("an address"), stop: Some(stop), thread: Some(thread) }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn behave(&self, manner: Manner) {
        lock(&self.inner).manner = manner;
    }

    pub fn is_on(&self) -> bool {
        lock(&self.inner).on
    }

    pub fn version(&self) -> u64 {
        lock(&self.inner).version
    }

    /// All requests.
    pub fn seen(&self) -> Vec<Seen> {
        lock(&self.inner).seen.clone()
    }

    /// The requests that change something.
    pub fn acts(&self) -> Vec<Seen> {
        let seen = lock(&self.inner).seen.clone();
        seen.into_iter()
            .filter(|seen| seen.method != Method::GET && !seen.path.starts_with("/ofrep/"))
            .collect()
    }
}

impl Drop for FlagServer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn answer(
    State(inner): State<Arc<Mutex<Inner>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, String) {
    let path = uri.path().to_owned();
    let text = String::from_utf8_lossy(&body).into_owned();
    let ask: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
    let manner = {
        let mut inner = lock(&inner);
        inner.seen.push(Seen {
            method: method.clone(),
            path: path.clone(),
            headers: headers.clone(),
            body: text,
        });
        inner.manner
    };
    let words: Vec<&str> = path.trim_matches('/').split('/').collect();
    let ok = |value: Value| (StatusCode::OK, value.to_string());
    let is_act = method != Method::GET && words[0] != "ofrep";
    let status = |code: StatusCode| (code, json!({"message": code.as_str()}).to_string());
    match manner {
        Manner::Wants(key) if headers.get("authorization").is_none_or(|sent| sent != key) => {
            return status(StatusCode::UNAUTHORIZED);
        }
        Manner::ActsOnly if !is_act => return status(StatusCode::METHOD_NOT_ALLOWED),
        Manner::Down => return status(StatusCode::SERVICE_UNAVAILABLE),
        _ => {}
    }
    if is_act && manner == Manner::Hangs {
        std::future::pending::<()>().await;
    }
    if is_act && manner == Manner::Forbids {
        let said = json!({"name": "NoAccessError", "details": [{"message": "This environment is protected: a change request is needed"}]});
        return (StatusCode::FORBIDDEN, said.to_string());
    }
    if is_act && manner == Manner::Echoes {
        let key = headers.get("authorization").and_then(|key| key.to_str().ok()).unwrap_or_default();
        return (StatusCode::BAD_REQUEST, json!({"message": format!("bad token {key}")}).to_string());
    }
    let mut inner = lock(&inner);
    let mut done = |change: &mut dyn FnMut(&mut Inner)| {
        if manner != Manner::Lies {
            change(&mut inner);
        }
        if manner == Manner::FailsAfter { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::OK }
    };
    match (&method, &words[..]) {
        (
            &Method::POST,
            [
                "api",
                "admin",
                "projects",
                "default",
                "features",
                "support-ai",
                "environments",
                "production",
                to,
            ],
        ) => (done(&mut |inner| inner.on = *to == "on"), String::new()),
        (
            &Method::GET,
            ["api", "admin", "projects", "default", "features", "support-ai", "environments", "production"],
        ) => ok(
            json!({"name": "production", "featureName": "support-ai", "enabled": inner.on, "strategies": []}),
        ),
        (&Method::PATCH, ["api", "v2", "flags", "support", "support-ai"]) => {
            let semantic =
                headers["content-type"] == "application/json; domain-model=launchdarkly.semanticpatch";
            if !semantic || ask["environmentKey"] != "production" {
                return (StatusCode::BAD_REQUEST, json!({"message": "a JSON patch is expected"}).to_string());
            }
            (done(&mut |inner| inner.on = ask["instructions"][0]["kind"] == "turnFlagOn"), "{}".to_owned())
        }
        (&Method::GET, ["api", "v2", "flags", "support", "support-ai"]) => {
            ok(json!({"key": "support-ai", "environments": {"production": {"on": inner.on}}}))
        }
        (&Method::PATCH, ["api", "public", "v2", "prompts", "support", "versions", version]) => {
            assert_eq!(ask["newLabels"], json!(["production"]));
            let version = version.parse().expect("a version");
            (done(&mut |inner| inner.version = version), "{}".to_owned())
        }
        (&Method::GET, ["api", "public", "v2", "prompts", "support"]) => {
            ok(json!({"name": "support", "version": inner.version, "labels": ["production"], "prompt": "x"}))
        }
        (&Method::POST, ["ofrep", "v1", "evaluate", "flags", "support-ai"]) => {
            let variant = if inner.on { "on" } else { "off" };
            ok(
                json!({"key": "support-ai", "reason": "STATIC", "variant": variant, "value": inner.on, "metadata": {}}),
            )
        }
        (&Method::PUT, ["flags", "support"]) => {
            let status = done(&mut |inner| inner.on = ask["enabled"] == true);
            (if status == StatusCode::OK { StatusCode::NO_CONTENT } else { status }, String::new())
        }
        (&Method::GET, ["flags", "support"]) => ok(json!({"state": {"enabled": inner.on}})),
        _ => (StatusCode::NOT_FOUND, json!({"message": format!("no {path}")}).to_string()),
    }
}
