//! Spans into the store: the same way from a file and from the receiver.

use jiff::Timestamp;

use crate::domain::{Error, Oddity, Result};
use crate::store::{Joined, Prepared, Preparer};
use crate::wire::otlp::{self, Encoding, Split, TraceSpans};

/// Traces made of spans that arrived together.
#[derive(Default)]
pub(super) struct Arrived {
    /// The traces, and of how many spans each is made.
    pub(super) traces: Vec<(Prepared, u64)>,
    /// Spans that were not taken.
    pub(super) rejected: u64,
    /// Why the first of those was not.
    pub(super) reason: Option<String>,
    /// Traces that are ahead of this machine's clock, by no more than a day.
    pub(super) ahead_of_clock: u64,
}

/// Makes traces of a request or document. The inner error is what is wrong with it, as a sentence.
pub(super) fn prepare(
    bytes: &[u8],
    encoding: Encoding,
    now: Timestamp,
    preparer: &mut Preparer,
) -> Result<std::result::Result<Arrived, String>> {
    let groups = match otlp::decode(bytes, encoding) {
        Ok(groups) => groups,
        Err(reason) => return Ok(Err(reason)),
    };
    let Split { traces, rejected, reason } =
        otlp::split(groups, u64::try_from(now.as_nanosecond()).unwrap_or(0));
    let mut arrived = Arrived { rejected, reason, ..Arrived::default() };
    for spans in traces {
        let count = spans.count() as u64;
        let trace = spans.trace();
        match trace.check(now) {
            Ok(odd) => {
                arrived.ahead_of_clock += u64::from(odd == Some(Oddity::AheadOfClock));
                arrived.traces.push((preparer.prepare_spans(trace, &spans.encode(), now)?, count));
            }
            Err(reason) => {
                arrived.rejected += count;
                arrived.reason.get_or_insert(reason);
            }
        }
    }
    Ok(Ok(arrived))
}

/// Puts together the spans of a trace that are there and those that came.
pub(super) fn join(there: &[u8], more: &[u8], now: Timestamp, preparer: &mut Preparer) -> Result<Joined> {
    let decode = |bytes| {
        TraceSpans::decode(bytes).ok_or_else(|| {
            Error::failed("The spans of a trace in the store are damaged.")
                .hint("Run `tuesday doctor` for the details; restore the file from a backup.")
        })
    };
    let mut spans = decode(there)?;
    let (changed, refused) = spans.join(decode(more)?);
    if !changed {
        return Ok(Joined::Same { refused });
    }
    let trace = Box::new(preparer.prepare_spans(spans.trace(), &spans.encode(), now)?);
    Ok(Joined::Anew { trace, refused })
}
