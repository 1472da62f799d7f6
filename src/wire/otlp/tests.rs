//! Documents of every convention as the traces that they become, and what must not change them.

use proptest::prelude::*;

use super::*;
use crate::domain::{Content, FailureKind, Status, Trace};

const NOW: u64 = 1_772_400_000_000_000_000;

fn fixture(name: &str) -> Vec<ResourceSpans> {
    let path = format!("{}/fixtures/otlp/{name}", env!("CARGO_MANIFEST_DIR"));
    let bytes = std::fs::read(path).unwrap();
    let encoding = if name.ends_with(".pb") { Encoding::Protobuf } else { Encoding::Json };
    decode(&bytes, encoding).unwrap()
}

fn traces(groups: Vec<ResourceSpans>) -> Vec<Trace> {
    let split = split(groups, u64::MAX);
    assert_eq!((split.rejected, split.reason), (0, None));
    split.traces.iter().map(TraceSpans::trace).collect()
}

fn shown(traces: &[Trace]) -> String {
    traces.iter().map(|trace| serde_json::to_string_pretty(trace).unwrap() + "\n").collect()
}

/// One span in JSON with these fields.
fn one(fields: &str) -> Vec<ResourceSpans> {
    let span = format!(
        r#"{{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"x",
            "startTimeUnixNano":"1772355600000000000","endTimeUnixNano":"1772355601500000000"{fields}}}"#
    );
    let document = format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{span}]}}]}}]}}"#);
    decode(document.as_bytes(), Encoding::Json).unwrap()
}

#[test]
fn every_convention_becomes_a_trace() {
    for name in ["genai", "genai-previous", "openllmetry", "openinference", "langfuse", "vercel"] {
        insta::assert_snapshot!(name, shown(&traces(fixture(&format!("{name}.json")))));
    }
}

/// What OpenInference's and OpenLLMetry's instrumentation of `openai` and Langfuse's SDK sent, recorded.
#[test]
fn what_real_sdks_sent_becomes_traces() {
    insta::assert_snapshot!("recorded", shown(&traces(fixture("recorded.pb"))));
}

#[test]
fn json_is_read_as_the_specification_asks() {
    let read = |text: &str| decode(text.as_bytes(), Encoding::Json);
    for empty in ["{}", r#"{"resourceSpans":null}"#, r#"{"resourceSpans":[],"later":1}"#] {
        assert_eq!(read(empty).unwrap(), Vec::new(), "{empty}");
    }
    // Numbers as text and not, ids in either case, nulls, empty lists as empty objects, unknown fields, enums by
    // name: one span each way.
    let told = one(r#","kind":3,"status":{"code":2,"message":"no"},"parentSpanId":"","attributes":[
           {"key":"n","value":{"intValue":"7"}},{"key":"l","value":{"arrayValue":{"values":[]}}}]"#);
    let other = one(
        r#","kind":"SPAN_KIND_CLIENT","status":{"code":"STATUS_CODE_ERROR","message":"no"},"parentSpanId":null,
           "events":null,"links":[{}],"flags":1,"attributes":[
           {"key":"n","value":{"intValue":7,"stringValue":null}},{"key":"l","value":{"arrayValue":{}}}]"#,
    );
    assert_eq!(told, other);
    let snake = r#"{"resource_spans":[{"scope_spans":[{"spans":[{"trace_id":"5B8EFFF798038103D269B633813FC60C",
        "span_id":"EEE19B7EC3C1B174","name":"x","start_time_unix_nano":1772355600000000000,
        "end_time_unix_nano":1772355601500000000}]}]}]}"#;
    assert_eq!(read(snake).unwrap(), one(""));
    let refused = |text: &str| read(text).unwrap_err();
    assert!(refused("[").starts_with("not JSON"));
    assert!(refused(r#"{"resourceSpans":7}"#).starts_with("not OTLP"));
    let span = |field: &str| format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{{field}}}]}}]}}]}}"#);
    assert!(
        refused(&span(r#""traceId":"W47/95gDgQPSabYzgT/GDA==""#)).contains("traceId is not written in hex")
    );
    assert!(refused(&span(r#""startTimeUnixNano":"soon""#)).contains("startTimeUnixNano"));
    let deep = format!(r#"{{"resourceSpans":{}1{}}}"#, "[".repeat(5000), "]".repeat(5000));
    assert!(refused(&deep).contains("not OTLP"));
    assert!(decode(b"\xff\xff\xff", Encoding::Protobuf).unwrap_err().contains("protobuf"));
}

#[test]
fn spans_without_proper_ids_or_from_next_year_are_left_out() {
    let mut groups = vec![one("").remove(0); 4];
    groups[0].scope_spans[0].spans[0].trace_id = vec![0; 16];
    groups[1].scope_spans[0].spans[0].span_id = vec![1; 7];
    groups[2].scope_spans[0].spans[0].end_time_unix_nano = NOW + 366 * 24 * 3600 * 1_000_000_000;
    let split = split(groups, NOW);
    assert_eq!((split.traces.len(), split.rejected), (1, 3));
    assert!(split.reason.unwrap().contains("16 bytes"));
}

#[test]
fn a_clock_that_runs_backwards_gives_no_time() {
    let mut groups = one("");
    groups[0].scope_spans[0].spans[0].end_time_unix_nano = 1_772_355_599_000_000_000;
    let trace = traces(groups).remove(0);
    assert_eq!((trace.latency_ms, trace.spans[0].duration_ms), (None, 0.0));
    assert!(trace.check("2026-03-01T12:00:00Z".parse().unwrap()).is_ok());
}

#[test]
fn what_failed_is_told_by_its_kind() {
    for (fields, kind) in [
        (r#""status":{"code":2,"message":"Error code: 429"}"#, FailureKind::RateLimit),
        (r#""status":{"code":2,"message":"deadline exceeded"}"#, FailureKind::Timeout),
        (r#""status":{"code":2,"message":"content_filter triggered"}"#, FailureKind::ContentPolicy),
        (r#""status":{"code":2}"#, FailureKind::Other),
        (
            r#""attributes":[{"key":"langfuse.observation.level","value":{"stringValue":"ERROR"}}]"#,
            FailureKind::Other,
        ),
        (
            r#""attributes":[{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},
              {"key":"gen_ai.response.finish_reasons","value":{"arrayValue":{"values":[{"stringValue":"content_filter"}]}}}]"#,
            FailureKind::ContentPolicy,
        ),
    ] {
        let trace = traces(one(&format!(",{fields}"))).remove(0);
        assert_eq!((trace.status, trace.error_kind), (Status::Error, Some(kind)), "{fields}");
    }
}

/// Deep values, names over every limit, figures out of bounds: the trace is one that the store takes.
#[test]
fn hostile_attributes_still_make_a_trace_that_can_be_kept() {
    let long = "x".repeat(5000);
    let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    let mut nested = r#"{"intValue":1}"#.to_owned();
    for _ in 0..30 {
        nested = format!(r#"{{"arrayValue":{{"values":[{nested}]}}}}"#);
    }
    let text = |key: &str, value: &str| format!(r#"{{"key":"{key}","value":{{"stringValue":"{value}"}}}}"#);
    let attributes = [
        text("session.id", &long),
        text("user.id", &long),
        text("tag.tags", &long),
        text("input.value", &deep),
        text("metadata", "{"),
        text("llm.cost.total", "1e300"),
        text("gen_ai.usage.input_tokens", "99999999999999"),
        text("gen_ai.usage.output_tokens", "-4"),
        text("gen_ai.response.time_to_first_chunk", "NaN"),
        text("gen_ai.input.messages", r#"[{\"role\":7}]"#),
        text("llm.input_messages.18446744073709551615.message.role", "user"),
        format!(r#"{{"key":"deep","value":{nested}}}"#),
        r#"{"key":"","value":null}"#.to_owned(),
        r#"{"key":"double","value":{"doubleValue":"NaN"}}"#.to_owned(),
    ];
    let trace = traces(one(&format!(r#","attributes":[{}]"#, attributes.join(",")))).remove(0);
    assert_eq!(trace.check("2026-03-01T12:00:00Z".parse().unwrap()), Ok(None));
    assert_eq!((trace.cost_usd, trace.tokens_in, trace.tokens_out), (None, None, None));
    assert_eq!(trace.session.unwrap().raw().len(), 1024);
    assert_ne!(trace.input, Content::default());
}

#[test]
fn spans_that_are_each_others_parents_end() {
    let mut groups = vec![one("").remove(0), one("").remove(0)];
    for (at, other) in [(0, 1), (1, 0)] {
        let span = &mut groups[at].scope_spans[0].spans[0];
        span.span_id = vec![at as u8 + 1; 8];
        span.parent_span_id = vec![other as u8 + 1; 8];
    }
    assert_eq!(traces(groups).remove(0).spans.len(), 2);
}

#[test]
fn a_trace_takes_so_many_spans_and_no_more() {
    let group = |from: u64, count: u64| {
        let mut group = one("").remove(0);
        let span = group.scope_spans[0].spans[0].clone();
        let spans = (from..from + count).map(|n| {
            let mut span = span.clone();
            span.span_id = (n + 1).to_be_bytes().to_vec();
            span
        });
        group.scope_spans[0].spans = spans.collect();
        vec![group]
    };
    let all = split(group(0, spans::MOST_SPANS as u64 + 3), NOW);
    assert_eq!((all.rejected, all.traces[0].count()), (3, spans::MOST_SPANS));
    let mut some = split(group(0, spans::MOST_SPANS as u64 - 1), NOW).traces.remove(0);
    let more = split(group(spans::MOST_SPANS as u64 - 3, 5), NOW).traces.remove(0);
    assert_eq!(some.join(more), (true, 2));
    assert_eq!(some.count(), spans::MOST_SPANS);
}

/// Every span of a document on its own, with where it came from.
fn singles(groups: &[ResourceSpans]) -> Vec<ResourceSpans> {
    let mut singles = Vec::new();
    for group in groups {
        for scoped in &group.scope_spans {
            for span in &scoped.spans {
                let mut one = group.clone();
                one.scope_spans = vec![scoped.clone()];
                one.scope_spans[0].spans = vec![span.clone()];
                singles.push(one);
            }
        }
    }
    singles
}

proptest! {
    /// Any order, any cut into requests, any span twice: one trace, and the same bytes in the store.
    #[test]
    fn the_order_of_arrival_says_nothing(
        order in Just((0..20).collect::<Vec<usize>>()).prop_shuffle(), cuts in prop::collection::vec(1usize..4, 20),
        twice in 0usize..20,
    ) {
        for name in ["genai.json", "vercel.json"] {
            let whole = split(fixture(name), NOW).traces.remove(0);
            let singles = singles(&fixture(name));
            let mut arriving: Vec<ResourceSpans> =
                order.iter().filter_map(|at| singles.get(*at)).cloned().collect();
            arriving.push(singles[twice % singles.len()].clone());
            let mut held: Option<TraceSpans> = None;
            let mut cuts = cuts.iter();
            while !arriving.is_empty() {
                let request = arriving.drain(..(*cuts.next().unwrap()).min(arriving.len())).collect();
                let came = split(request, NOW).traces.remove(0);
                // Through the stored form, as they go.
                held = Some(match held {
                    None => came,
                    Some(held) => {
                        let mut held = TraceSpans::decode(&held.encode()).unwrap();
                        held.join(TraceSpans::decode(&came.encode()).unwrap());
                        held
                    }
                });
            }
            let held = held.unwrap();
            prop_assert_eq!(held.trace(), whole.trace());
            prop_assert_eq!(held.encode(), whole.encode());
        }
    }

    #[test]
    fn any_bytes_are_refused_or_read(bytes in prop::collection::vec(any::<u8>(), 0..200), at in 0usize..11_000) {
        decode(&bytes, Encoding::Protobuf).ok();
        decode(&bytes, Encoding::Json).ok();
        // Real bytes, damaged in one place.
        let mut real = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/otlp/recorded.pb")).unwrap();
        let place = at % real.len();
        real[place] ^= bytes.first().copied().unwrap_or(1) | 1;
        if let Ok(groups) = decode(&real, Encoding::Protobuf) {
            for spans in split(groups, NOW).traces {
                spans.trace();
            }
        }
    }
}
