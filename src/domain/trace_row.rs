//! One line of a list of traces.

use jiff::Timestamp;
use serde::Serialize;

use super::{FailureKind, Status, Untrusted};

/// What a list shows of a trace: its figures, and the first words of what went in and out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TraceRow {
    /// Order of arrival, >= 1. Local to this store: never put it into a file that leaves it.
    #[serde(skip)]
    pub seq: i64,
    /// The trace's name.
    pub id: Untrusted,
    /// When the request was made.
    pub time: Timestamp,
    /// The LLM feature.
    pub feature: Option<Untrusted>,
    /// The model that answered.
    pub model: Option<Untrusted>,
    /// The name of the prompt.
    pub prompt: Option<Untrusted>,
    /// The version of the prompt.
    pub prompt_version: Option<Untrusted>,
    /// Whole time of the request, in milliseconds.
    pub latency_ms: Option<f64>,
    /// Cost in US dollars.
    pub cost_usd: Option<f64>,
    /// Whether the request worked.
    pub status: Status,
    /// Why it failed, with [`Status::Error`].
    pub error_kind: Option<FailureKind>,
    /// Whether a fallback answered.
    pub fallback: bool,
    /// The end user's thumb is up. Where a user changed their mind, the latest thumb counts.
    pub up: bool,
    /// The end user's thumb is down.
    pub down: bool,
    /// The end user reported the answer.
    pub report: bool,
    /// The end user had to ask again.
    pub follow_up: bool,
    /// First words of what the user asked last, at most [`TraceRow::PREVIEW`] characters on one line.
    pub input_preview: Untrusted,
    /// First words of what was answered, likewise.
    pub output_preview: Untrusted,
}

impl TraceRow {
    /// Most characters in a preview.
    pub const PREVIEW: usize = 200;
}
