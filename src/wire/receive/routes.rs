//! Where requests go.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, Response, header};
use axum::routing::any;
use tokio::sync::Semaphore;

use super::answer::{Form, Refusal};
use super::{Intake, Settings, What, body, door};
use crate::wire::otlp::Encoding;

/// What all requests share.
pub(super) struct Shared {
    pub(super) intake: Arc<dyn Intake>,
    pub(super) settings: Settings,
    held: Arc<body::Held>,
    at_work: Arc<Semaphore>,
    unpacking: Semaphore,
}

impl Shared {
    pub(super) fn new(intake: Arc<dyn Intake>, settings: Settings) -> Self {
        let limits = &settings.limits;
        Self {
            intake,
            held: Arc::default(),
            at_work: Arc::new(Semaphore::new(limits.at_work)),
            unpacking: Semaphore::new(limits.unpacking),
            settings,
        }
    }
}

pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/healthz", any(health))
        .route("/v1/traces", any(spans))
        // Where Langfuse's SDK sends below its base URL.
        .route("/api/public/otel/v1/traces", any(spans))
        .route("/v1/traces/tuesday", any(traces))
        .route("/v1/feedback", any(feedback))
        .fallback(|headers: HeaderMap| async move { Refusal::NoSuchPlace.response(form(&headers)) })
        .with_state(shared)
}

/// Protobuf where the request is protobuf.
fn form(headers: &HeaderMap) -> Form {
    match content_type(headers) {
        "application/x-protobuf" | "application/protobuf" => Form::Protobuf,
        _ => Form::Json,
    }
}

/// The content type without its parameters.
fn content_type(headers: &HeaderMap) -> &str {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    value.split(';').next().unwrap_or("").trim()
}

async fn health(method: Method) -> Response<Body> {
    if method != Method::GET && method != Method::HEAD {
        return Refusal::WrongMethod("GET").response(Form::Json);
    }
    let mut response = Response::new(Body::from("{\"status\":\"ok\"}"));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

async fn spans(State(shared): State<Arc<Shared>>, request: Request) -> Response<Body> {
    let encoding = match (form(request.headers()), content_type(request.headers())) {
        (Form::Protobuf, _) => Ok(Encoding::Protobuf),
        (Form::Json, "application/json") => Ok(Encoding::Json),
        _ => Err(Refusal::WrongType),
    };
    take(shared, request, encoding.map(What::Spans)).await
}

async fn traces(State(shared): State<Arc<Shared>>, request: Request) -> Response<Body> {
    take(shared, request, Ok(What::Traces)).await
}

async fn feedback(State(shared): State<Arc<Shared>>, request: Request) -> Response<Body> {
    take(shared, request, Ok(What::Feedback)).await
}

async fn take(shared: Arc<Shared>, request: Request, what: Result<What, Refusal>) -> Response<Body> {
    let form = form(request.headers());
    match taken(shared, request, what).await {
        Ok(answer) => answer.response(form),
        Err(refusal) => refusal.response(form),
    }
}

async fn taken(
    shared: Arc<Shared>,
    request: Request,
    what: Result<What, Refusal>,
) -> Result<super::Answer, Refusal> {
    let limits = &shared.settings.limits;
    door::may_enter(request.headers(), shared.settings.token.as_ref())?;
    if request.method() != Method::POST {
        return Err(Refusal::WrongMethod("POST"));
    }
    let what = what?;
    let packed = match request.headers().get(header::CONTENT_ENCODING).map(HeaderValue::as_bytes) {
        None | Some(b"" | b"identity") => false,
        Some(b"gzip" | b"x-gzip") => true,
        Some(_) => return Err(Refusal::WrongPacking),
    };
    let bytes = body::read(request.into_body(), &shared.held, limits).await?;
    let turn = tokio::time::timeout(limits.turn, Arc::clone(&shared.at_work).acquire_owned()).await;
    let turn = turn.map_err(|_| Refusal::Busy)?.map_err(|_| Refusal::Ended)?;
    let work = Arc::clone(&shared);
    let done = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        if !packed {
            return Ok(work.intake.take(what, bytes.as_slice()));
        }
        let unpacked = {
            // Few at a time: what a body unpacks to is not known before.
            let _gate = tokio::runtime::Handle::current().block_on(work.unpacking.acquire());
            body::unpack(bytes.as_slice(), &work.settings.limits)?
        };
        drop(bytes);
        Ok(work.intake.take(what, &unpacked))
    });
    done.await.unwrap_or(Err(Refusal::Ended))
}
