//! The bits of `trace.flags`.
//!
//! Stored, so a bit never changes its meaning; new ones go to the end.

use crate::domain::{FailureKind, Status};

/// `status` is `error`.
pub const ERROR: i64 = 1;
/// `error_kind` is `timeout`.
pub const TIMEOUT: i64 = 1 << 1;
/// `error_kind` is `rate_limit`.
pub const RATE_LIMIT: i64 = 1 << 2;
/// `error_kind` is `content_policy`.
pub const CONTENT_POLICY: i64 = 1 << 3;
/// `error_kind` is `other`.
pub const OTHER: i64 = 1 << 4;
/// A fallback answered.
pub const FALLBACK: i64 = 1 << 5;
/// The latest thumb is up.
pub const UP: i64 = 1 << 6;
/// The latest thumb is down. Never together with [`UP`].
pub const DOWN: i64 = 1 << 7;
/// The user reported the answer.
pub const REPORT: i64 = 1 << 8;
/// The user had to ask again.
pub const FOLLOW_UP: i64 = 1 << 9;
/// The source gave no time: `ts` is the time of arrival.
pub const ARRIVAL_TIME: i64 = 1 << 10;
/// The source gave no id: it is derived from the content.
pub const DERIVED_ID: i64 = 1 << 11;
/// Has rows in `feedback`.
pub const HAS_FEEDBACK: i64 = 1 << 12;
/// Has rows in `score`.
pub const HAS_SCORE: i64 = 1 << 13;
/// A message of the input or output calls a tool.
pub const TOOL_CALLS: i64 = 1 << 14;
/// Has spans.
pub const SPANS: i64 = 1 << 15;

/// The source states no language: it is guessed from the text.
pub const GUESSED_LANGUAGE: i64 = 1 << 16;

/// All bits that feedback sets.
pub const FEEDBACK: i64 = UP | DOWN | REPORT | FOLLOW_UP | HAS_FEEDBACK;

/// The bits of a status and its kind of failure.
pub fn of_status(status: Status, kind: Option<FailureKind>) -> i64 {
    let error = if status == Status::Error { ERROR } else { 0 };
    error
        | match kind {
            None => 0,
            Some(FailureKind::Timeout) => TIMEOUT,
            Some(FailureKind::RateLimit) => RATE_LIMIT,
            Some(FailureKind::ContentPolicy) => CONTENT_POLICY,
            Some(FailureKind::Other) => OTHER,
        }
}

/// The status and kind of failure that the bits stand for.
pub fn status(flags: i64) -> (Status, Option<FailureKind>) {
    let kind = [
        (TIMEOUT, FailureKind::Timeout),
        (RATE_LIMIT, FailureKind::RateLimit),
        (CONTENT_POLICY, FailureKind::ContentPolicy),
        (OTHER, FailureKind::Other),
    ];
    let status = if flags & ERROR == 0 { Status::Ok } else { Status::Error };
    (status, kind.into_iter().find(|(bit, _)| flags & bit != 0).map(|(_, kind)| kind))
}
