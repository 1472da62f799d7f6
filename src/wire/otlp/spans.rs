//! The spans of one trace as they came: what is stored, joined when more arrive, and mapped.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use opentelemetry_proto::tonic::common::v1::{InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, TracesData};
use prost::Message;

use super::{map, value};
use crate::domain::Trace;

/// A trace takes this many spans; what comes beyond is refused, for a trace is read and written whole.
pub const MOST_SPANS: usize = 10_000;
/// How far ahead of this machine's clock a span may start or end, in nanoseconds.
const AHEAD_NS: u64 = 24 * 3600 * 1_000_000_000;

/// Where spans came from: resource and scope.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Origin {
    resource: Option<Resource>,
    resource_schema: String,
    scope: Option<InstrumentationScope>,
    scope_schema: String,
}

impl Origin {
    /// The attributes of the resource.
    pub(super) fn attributes(&self) -> &[KeyValue] {
        self.resource.as_ref().map_or(&[], |resource| &resource.attributes)
    }
}

/// One span and where it came from.
#[derive(Debug, Clone)]
pub(super) struct Arrived {
    pub(super) origin: Arc<Origin>,
    pub(super) span: Span,
}

/// All spans of one trace that are at hand, sorted by their start and id, each once.
#[derive(Debug)]
pub struct TraceSpans {
    id: String,
    spans: Vec<Arrived>,
}

/// Spans sorted into their traces.
#[derive(Debug, Default)]
pub struct Split {
    /// The traces, in the order of their first span.
    pub traces: Vec<TraceSpans>,
    /// Spans that cannot be taken.
    pub rejected: u64,
    /// Why the first of those was not.
    pub reason: Option<String>,
}

/// Sorts spans into traces. Those without proper ids, or from the future, are counted and left out: a clock
/// that is a year ahead must not bend a figure. `now` is in nanoseconds since the epoch.
pub fn split(groups: Vec<ResourceSpans>, now: u64) -> Split {
    let mut split = Split::default();
    let mut places: HashMap<Vec<u8>, usize> = HashMap::new();
    for group in groups {
        for scoped in group.scope_spans {
            let origin = Arc::new(Origin {
                resource: group.resource.clone(),
                resource_schema: group.schema_url.clone(),
                scope: scoped.scope,
                scope_schema: scoped.schema_url,
            });
            for span in scoped.spans {
                if let Some(reason) = flaw(&span, now) {
                    split.rejected += 1;
                    split.reason.get_or_insert(reason);
                    continue;
                }
                let at = *places.entry(span.trace_id.clone()).or_insert_with(|| {
                    let id = value::hex(&span.trace_id);
                    split.traces.push(TraceSpans { id, spans: Vec::new() });
                    split.traces.len() - 1
                });
                split.traces[at].spans.push(Arrived { origin: Arc::clone(&origin), span });
            }
        }
    }
    for trace in &mut split.traces {
        trace.settle();
        let over = trace.spans.len().saturating_sub(MOST_SPANS);
        if over > 0 {
            trace.spans.truncate(MOST_SPANS);
            split.rejected += over as u64;
            split.reason.get_or_insert_with(too_many);
        }
    }
    split
}

/// The reason for spans beyond [`MOST_SPANS`].
pub fn too_many() -> String {
    format!("a trace takes {MOST_SPANS} spans: those beyond are not kept")
}

fn flaw(span: &Span, now: u64) -> Option<String> {
    let proper = |id: &[u8], length: usize| id.len() == length && id.iter().any(|byte| *byte != 0);
    if !proper(&span.trace_id, 16) {
        return Some("a trace id is not 16 bytes, or all zero".to_owned());
    }
    if !proper(&span.span_id, 8) {
        return Some("a span id is not 8 bytes, or all zero".to_owned());
    }
    let latest = now.saturating_add(AHEAD_NS);
    if span.start_time_unix_nano > latest || span.end_time_unix_nano > latest {
        return Some("a span is more than a day ahead of this machine's clock".to_owned());
    }
    None
}

impl TraceSpans {
    /// How many spans there are.
    pub fn count(&self) -> usize {
        self.spans.len()
    }

    /// The trace that they are.
    pub fn trace(&self) -> Trace {
        map::trace(&self.id, &self.spans)
    }

    /// Takes further spans of the same trace. Gives whether anything was new, and how many were too many.
    pub fn join(&mut self, more: Self) -> (bool, u64) {
        let known: HashMap<&[u8], &Span> =
            self.spans.iter().map(|one| (one.span.span_id.as_slice(), &one.span)).collect();
        let tells = |one: &Arrived| match known.get(one.span.span_id.as_slice()) {
            None => Some(true),
            Some(there) => (fuller(&one.span, there) == Ordering::Greater).then_some(false),
        };
        let mut room = MOST_SPANS.saturating_sub(self.spans.len());
        let mut over = 0;
        let mut new = Vec::new();
        for one in more.spans {
            match tells(&one) {
                None => {}
                Some(true) if room == 0 => over += 1,
                Some(added) => {
                    room -= usize::from(added);
                    new.push(one);
                }
            }
        }
        let changed = !new.is_empty();
        if changed {
            self.spans.extend(new);
            self.settle();
        }
        (changed, over)
    }

    /// Sorts, and keeps the fullest of what came twice.
    fn settle(&mut self) {
        self.spans.sort_by(|a, b| a.span.span_id.cmp(&b.span.span_id).then_with(|| fuller(&b.span, &a.span)));
        self.spans.dedup_by(|later, first| later.span.span_id == first.span.span_id);
        self.spans.sort_by(|a, b| {
            let place = |one: &Arrived| one.span.start_time_unix_nano;
            place(a).cmp(&place(b)).then_with(|| a.span.span_id.cmp(&b.span.span_id))
        });
    }

    /// The stored form: protobuf of OTLP's `TracesData`, the same for the same spans however they came.
    pub fn encode(self) -> Vec<u8> {
        let mut groups: Vec<(Arc<Origin>, Vec<Span>)> = Vec::new();
        for Arrived { origin, span } in self.spans {
            let there = groups.iter().position(|(held, _)| Arc::ptr_eq(held, &origin) || **held == *origin);
            match there {
                Some(at) => groups[at].1.push(span),
                None => groups.push((origin, vec![span])),
            }
        }
        let resource_spans = groups
            .into_iter()
            .map(|(origin, spans)| ResourceSpans {
                resource: origin.resource.clone(),
                schema_url: origin.resource_schema.clone(),
                scope_spans: vec![ScopeSpans {
                    scope: origin.scope.clone(),
                    schema_url: origin.scope_schema.clone(),
                    spans,
                }],
            })
            .collect();
        TracesData { resource_spans }.encode_to_vec()
    }

    /// Reads the stored form; `None` when it is damaged.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let data = TracesData::decode(bytes).ok()?;
        // What was taken once is not judged by the clock again.
        let mut traces = split(data.resource_spans, u64::MAX).traces;
        traces.pop().filter(|_| traces.is_empty())
    }
}

/// Which of two reports of one span says more: the one that ended later, then the one with more in it. Two that
/// differ are never equal, so that the order of arrival does not matter.
fn fuller(a: &Span, b: &Span) -> Ordering {
    let size = |span: &Span| (span.end_time_unix_nano, span.attributes.len(), span.events.len());
    size(a)
        .cmp(&size(b))
        .then_with(|| if a == b { Ordering::Equal } else { a.encode_to_vec().cmp(&b.encode_to_vec()) })
}
