//! A model's API that fails, on loopback: what an application does when its model is out of reach.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::domain::gate::Fault;
use crate::domain::{Error, Result};

/// Seconds that a 429 asks for.
const RETRY_AFTER_SECONDS: &str = "1";

/// A server with one fault. It ends with this value.
pub struct FaultServer {
    address: SocketAddr,
    requests: Arc<AtomicU64>,
    task: Option<JoinHandle<()>>,
}

struct Shared {
    fault: Fault,
    requests: Arc<AtomicU64>,
}

impl FaultServer {
    /// Starts on a free port of loopback. For an outage nothing listens there: connections are refused.
    ///
    /// # Errors
    /// `Failed` when no port can be had.
    pub async fn start(fault: Fault) -> Result<Self> {
        let cannot = |e: std::io::Error| {
            Error::failed("The server that fails cannot be started on loopback.").because(e)
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(cannot)?;
        let address = listener.local_addr().map_err(cannot)?;
        let requests = Arc::new(AtomicU64::new(0));
        if fault == Fault::Outage {
            return Ok(Self { address, requests, task: None });
        }
        let shared = Arc::new(Shared { fault, requests: requests.clone() });
        let app = Router::new().fallback(answer).with_state(shared);
        let task = tokio::spawn(async move {
            // It goes on until it is aborted; where it cannot, nothing answers, which is seen.
            let _ = axum::serve(listener, app).await;
        });
        Ok(Self { address, requests, task: Some(task) })
    }

    /// The address of a path, such as `/v1`.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Requests that came.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }
}

impl Drop for FaultServer {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

async fn answer(State(shared): State<Arc<Shared>>) -> Response {
    shared.requests.fetch_add(1, Ordering::Relaxed);
    if shared.fault == Fault::Timeout {
        std::future::pending::<()>().await;
    }
    // In the words of OpenAI's API, which Anthropic's clients understand as well: both look at `error`.
    let body = r#"{"type":"error","error":{"type":"rate_limit_error","code":"rate_limit_exceeded","message":"Slow down."}}"#;
    let headers = [(CONTENT_TYPE, "application/json"), (RETRY_AFTER, RETRY_AFTER_SECONDS)];
    (StatusCode::TOO_MANY_REQUESTS, headers, body).into_response()
}
