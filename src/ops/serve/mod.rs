//! The receiver: live traces into the store.
//!
//! ```text
//! connection → body → unpack, decode, map, compress (threads of the receiver) → writer → answer
//! ```
//!
//! One thread writes. It takes all that is ready as one transaction, and only then is each sender answered:
//! what was answered with 200 survives the end of the process at any moment. Another thread brings the search
//! index after the rows, in small steps that do not keep the writer waiting.

mod intake;
mod writer;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use secrecy::SecretString;
use serde::Serialize;

use super::{Ctx, index};
use crate::domain::{Error, Result, Untrusted};
use crate::task::Cancel;
use crate::wire::receive::{self, Listener, Settings};

pub use crate::wire::receive::Limits;
use intake::Desk;

/// Where an OpenTelemetry exporter sends unless it is told otherwise.
pub const USUAL_ADDRESS: &str = "127.0.0.1:4318";

/// How to receive.
#[derive(Debug, Clone)]
pub struct ServeSpec {
    /// Host and port to listen on.
    pub listen: String,
    /// What senders must show; needed beyond loopback.
    pub token: Option<SecretString>,
    /// The feature of traces that name none.
    pub feature: Option<String>,
    /// What a sender may ask for.
    pub limits: Limits,
}

/// What was received.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ServeView {
    /// Spans that were kept.
    pub spans: u64,
    /// New traces.
    pub traces: u64,
    /// Traces that later spans, feedback or scores changed.
    pub changed: u64,
    /// Things that users said of traces.
    pub feedback: u64,
    /// Spans, traces and feedback that were not taken.
    pub rejected: u64,
}

/// Counts of what was received so far; shared by the threads.
#[derive(Debug, Default)]
struct Counters {
    spans: AtomicU64,
    traces: AtomicU64,
    changed: AtomicU64,
    feedback: AtomicU64,
    rejected: AtomicU64,
}

impl Counters {
    fn view(&self) -> ServeView {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        ServeView {
            spans: of(&self.spans),
            traces: of(&self.traces),
            changed: of(&self.changed),
            feedback: of(&self.feedback),
            rejected: of(&self.rejected),
        }
    }
}

fn count(counter: &AtomicU64, by: u64) {
    counter.fetch_add(by, Ordering::Relaxed);
}

/// Traces that one step of the search index takes: as long as it lasts, the writer waits.
const STEP: i64 = 256;
/// How often the search index looks for new rows.
const LOOK: Duration = Duration::from_secs(1);

/// Who is told of failures of this machine while it receives: senders are only told to come again.
pub type Troubled<'a> = dyn Fn(&Error) + Sync + 'a;

/// Receives until cancelled; then finishes what is under way. `ready` is told the address once senders can
/// connect.
pub fn serve(
    ctx: &Ctx,
    spec: ServeSpec,
    cancel: &Cancel,
    troubled: &Troubled<'_>,
    ready: impl FnOnce(SocketAddr) -> Result<()>,
) -> Result<ServeView> {
    let listener = Listener::bind(&spec.listen, spec.token.is_some())?;
    let address = listener.address;
    let counters = Arc::new(Counters::default());
    let feature = spec.feature.map(Untrusted::new);
    std::thread::scope(|threads| {
        let (desk, writer) = Desk::open(ctx, Arc::clone(&counters), feature, troubled)?;
        let desk = Arc::new(desk);
        let writing = threads.spawn(|| writer.run());
        let over = Cancel::default();
        let indexing = threads.spawn({
            let (over, desk) = (over.clone(), Arc::clone(&desk));
            move || keep_indexed(ctx, &desk, troubled, &over)
        });
        let settings = Settings { token: spec.token, limits: spec.limits };
        let served = ready(address).and_then(|()| receive::serve(listener, desk, settings, cancel));
        over.cancel();
        // The desks are gone, so the writer ends with what it was given.
        let panicked = |_| Error::failed("The receiver's own work panicked.");
        indexing.join().map_err(panicked)?;
        writing.join().map_err(panicked)??;
        served
    })?;
    Ok(counters.view())
}

/// Brings the search index after the rows, giving way while much arrives.
fn keep_indexed(ctx: &Ctx, desk: &Desk, troubled: &Troubled<'_>, over: &Cancel) {
    let step = || if index::is_behind(ctx)? { index::catch_up_some(ctx, STEP) } else { Ok(0) };
    while over.wait(LOOK).is_ok() {
        loop {
            let begun = Instant::now();
            match step() {
                Ok(0) => break,
                Ok(_) if desk.is_busy() && over.wait(begun.elapsed() * 4).is_err() => return,
                Ok(_) if over.is_cancelled() => return,
                Ok(_) => {}
                // It goes on where it is, with the next look.
                Err(error) => {
                    troubled(&error);
                    break;
                }
            }
        }
    }
}
