//! The receiver: traces, spans and feedback over HTTP. Owns what stands between a sender and the work on what
//! it sent: connections, limits, tokens, packing, statuses. What becomes of a body is decided by an [`Intake`].
//!
//! Answers follow OTLP/HTTP: the content type of the request, `ExportTraceServiceResponse` with 200, a
//! `google.rpc.Status` otherwise; 429 and 503 carry `Retry-After`, and only they are to be sent again.

mod answer;
mod body;
mod door;
pub mod feedback;
mod listen;
mod routes;

#[cfg(test)]
mod tests;

pub use answer::Answer;
pub use listen::{Listener, serve};

use std::time::Duration;

use secrecy::SecretString;

use super::otlp::Encoding;

/// What a body is said to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// OpenTelemetry's spans.
    Spans(Encoding),
    /// Traces of our format, one a line.
    Traces,
    /// What users said of traces.
    Feedback,
}

/// Takes what arrives.
pub trait Intake: Send + Sync + 'static {
    /// Takes one unpacked body. Blocks until its contents are kept; runs on a thread of its own.
    fn take(&self, what: What, body: &[u8]) -> Answer;
}

/// What a sender may ask of this machine.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of a body as it is sent.
    pub body: usize,
    /// Bytes of a body unpacked.
    pub unpacked: usize,
    /// Bytes of all bodies that are held at a time.
    pub held: usize,
    /// Bodies that are worked on at a time.
    pub at_work: usize,
    /// Bodies that are unpacked and read at a time: the rest wait for the writer.
    pub unpacking: usize,
    /// Connections at a time.
    pub connections: usize,
    /// How long a request's head may take, an idle connection may wait for the next, and a body may take.
    pub head: Duration,
    /// How long a whole body may take.
    pub whole: Duration,
    /// How long a body waits for its turn before the sender is told to come again.
    pub turn: Duration,
    /// How long requests under way may take once the end was asked for.
    pub ending: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 20 * 1024 * 1024,
            unpacked: 64 * 1024 * 1024,
            held: 256 * 1024 * 1024,
            at_work: 64,
            unpacking: std::thread::available_parallelism().map_or(2, |n| n.get().clamp(2, 8)),
            connections: 2_000,
            head: Duration::from_secs(30),
            whole: Duration::from_secs(30),
            turn: Duration::from_secs(2),
            ending: Duration::from_secs(10),
        }
    }
}

/// Who may send, and how much.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// What a sender must show, as a bearer or as the password of basic authentication.
    pub token: Option<SecretString>,
    /// The limits.
    pub limits: Limits,
}
