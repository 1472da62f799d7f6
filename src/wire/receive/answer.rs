//! What a sender is told, in the form of its request.

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use prost::Message;
use serde_json::{Value, json};

/// What became of a body.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// Spans were kept, all but these; they must not be sent again.
    Spans {
        /// How many were not.
        rejected: u64,
        /// Why the first of those was not.
        reason: Option<String>,
    },
    /// It was kept; a document of ours says the rest.
    Done(Value),
    /// It cannot be read or kept: sending it again changes nothing.
    Malformed(String),
    /// Not now: the sender should come again.
    Later(String),
}

/// Why a request is turned away before its body is looked at, or for how it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    Unauthorized,
    Browser,
    NoSuchPlace,
    WrongMethod(&'static str),
    WrongType,
    WrongPacking,
    TooLarge(usize),
    TooLargeUnpacked(usize),
    BadPacking(&'static str),
    Slow,
    Broken,
    Busy,
    Ended,
}

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Protobuf,
    Json,
}

/// `google.rpc.Status`, the body of a failure: code 1, message 2.
#[derive(Clone, PartialEq, Message)]
struct Status {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

/// Seconds after which a sender that is told to come again should.
const RETRY_AFTER: &str = "1";

impl Refusal {
    fn status(self) -> StatusCode {
        match self {
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Browser => StatusCode::FORBIDDEN,
            Self::NoSuchPlace => StatusCode::NOT_FOUND,
            Self::WrongMethod(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::WrongType | Self::WrongPacking => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge(_) | Self::TooLargeUnpacked(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BadPacking(_) | Self::Broken => StatusCode::BAD_REQUEST,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::Busy => StatusCode::TOO_MANY_REQUESTS,
            Self::Ended => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn sentence(self) -> String {
        let mib = |bytes: usize| match bytes / 1024 {
            kib if kib < 1024 => format!("{kib} KiB"),
            kib => format!("{} MiB", kib / 1024),
        };
        match self {
            Self::Unauthorized => {
                "The token is missing or wrong: send it as `Authorization: Bearer TOKEN`.".into()
            }
            Self::Browser => "Pages in a browser may not send to this receiver.".into(),
            Self::NoSuchPlace => {
                "There is nothing here. Spans go to /v1/traces, traces of our format to /v1/traces/tuesday, \
                 feedback to /v1/feedback; metrics and logs are not taken."
                    .into()
            }
            Self::WrongMethod(method) => format!("Use {method} here."),
            Self::WrongType => "The content type must be application/x-protobuf or application/json.".into(),
            Self::WrongPacking => "The content encoding must be gzip, or none.".into(),
            Self::TooLarge(most) => format!("The body is larger than {}. Send smaller batches.", mib(most)),
            Self::TooLargeUnpacked(most) => {
                format!("The body unpacks to more than {}. Send smaller batches.", mib(most))
            }
            Self::BadPacking(why) => why.into(),
            Self::Slow => "The body took too long to arrive.".into(),
            Self::Broken => "The body ended before its end.".into(),
            Self::Busy => "Too much is under way. Send it again in a second.".into(),
            Self::Ended => "The receiver is ending. Send it again.".into(),
        }
    }

    pub(super) fn response(self, form: Form) -> Response<Body> {
        let mut response = failure(self.status(), self.sentence(), form);
        let headers = response.headers_mut();
        match self {
            Self::Unauthorized => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Self::WrongMethod(method) => {
                headers.insert(header::ALLOW, HeaderValue::from_static(method));
            }
            Self::WrongPacking => {
                headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
            }
            Self::Busy | Self::Ended => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER));
            }
            // What is left of the body is not waited for.
            Self::Slow | Self::TooLarge(_) => {
                headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            _ => {}
        }
        response
    }
}

impl Answer {
    pub(super) fn response(self, form: Form) -> Response<Body> {
        match self {
            Self::Spans { rejected, reason } => spans(rejected, reason, form),
            Self::Done(document) => with_body(StatusCode::OK, document.to_string().into_bytes(), Form::Json),
            Self::Malformed(why) => failure(StatusCode::BAD_REQUEST, why, form),
            Self::Later(why) => {
                let mut response = failure(StatusCode::SERVICE_UNAVAILABLE, why, form);
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER));
                response
            }
        }
    }
}

fn spans(rejected: u64, reason: Option<String>, form: Form) -> Response<Body> {
    let reason = reason.unwrap_or_default();
    let body = match form {
        Form::Protobuf => ExportTraceServiceResponse {
            partial_success: (rejected > 0).then(|| ExportTracePartialSuccess {
                rejected_spans: rejected.cast_signed(),
                error_message: reason,
            }),
        }
        .encode_to_vec(),
        // 64-bit numbers are text in proto3's JSON.
        Form::Json if rejected > 0 => {
            json!({"partialSuccess": {"rejectedSpans": rejected.to_string(), "errorMessage": reason}})
                .to_string()
                .into_bytes()
        }
        Form::Json => b"{}".to_vec(),
    };
    with_body(StatusCode::OK, body, form)
}

fn failure(status: StatusCode, message: String, form: Form) -> Response<Body> {
    // The codes of gRPC that go with the statuses.
    let code = match status {
        StatusCode::UNAUTHORIZED => 16,
        StatusCode::FORBIDDEN => 7,
        StatusCode::NOT_FOUND => 5,
        StatusCode::METHOD_NOT_ALLOWED => 12,
        StatusCode::REQUEST_TIMEOUT => 4,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::PAYLOAD_TOO_LARGE => 8,
        StatusCode::SERVICE_UNAVAILABLE => 14,
        _ => 3,
    };
    let body = match form {
        Form::Protobuf => Status { code, message }.encode_to_vec(),
        Form::Json => json!({"code": code, "message": message}).to_string().into_bytes(),
    };
    with_body(status, body, form)
}

fn with_body(status: StatusCode, body: Vec<u8>, form: Form) -> Response<Body> {
    let content_type = match form {
        Form::Protobuf => "application/x-protobuf",
        Form::Json => "application/json",
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
