//! Bodies through the desk and the writer into real stores.

use std::time::Duration;

use super::*;
use crate::domain::{LabelBody, Method, Query, Trace, Verdict};
use crate::ops::testing::World;
use crate::ops::{browse, sample};
use crate::store::Act;
use crate::task::Progress;
use crate::wire::otlp::{self, Encoding};
use crate::wire::receive::{Answer, Intake, What};

const JSON: What = What::Spans(Encoding::Json);

fn fixture(name: &str) -> serde_json::Value {
    let path = format!("{}/fixtures/otlp/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// A document for each span of a fixture.
fn singles(name: &str) -> Vec<serde_json::Value> {
    let whole = fixture(name);
    let spans = whole["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap().clone();
    let single = |span| {
        let mut document = whole.clone();
        document["resourceSpans"][0]["scopeSpans"][0]["spans"] = serde_json::json!([span]);
        document
    };
    spans.into_iter().map(single).collect()
}

fn whole(name: &str) -> Trace {
    let groups = otlp::decode(fixture(name).to_string().as_bytes(), Encoding::Json).unwrap();
    otlp::split(groups, u64::MAX).traces[0].trace()
}

fn world() -> World {
    World::at("2026-03-01T12:00:00Z".parse().unwrap())
}

/// Hands bodies to a receiver's desk, and gives the answers.
fn received(ctx: &Ctx, bodies: &[(What, String)]) -> Vec<Answer> {
    std::thread::scope(|threads| {
        let (desk, writer) = Desk::open(ctx, Arc::default(), None, &|e| panic!("{e}")).unwrap();
        let writing = threads.spawn(|| writer.run());
        let answers = bodies.iter().map(|(what, body)| desk.take(*what, body.as_bytes())).collect();
        drop(desk);
        writing.join().unwrap().unwrap();
        answers
    })
}

fn all(rejected: u64) -> Answer {
    Answer::Spans { rejected, reason: None }
}

fn assert_whole(ctx: &Ctx) {
    let checked = ctx.store.check(&Cancel::default(), &Progress::default()).unwrap();
    assert_eq!((checked.traces, checked.work), (Vec::new(), Vec::new()));
}

fn hits(ctx: &Ctx, query: &str) -> u64 {
    browse::count(ctx, &Query::parse(query).unwrap(), &Cancel::default()).unwrap()
}

#[test]
fn spans_in_any_order_twice_and_late_make_one_right_trace() {
    let (singles, wanted) = (singles("genai"), whole("genai"));
    let orders: [&[usize]; 5] = [
        &[0, 1, 2, 3, 4],
        &[4, 3, 2, 1, 0],
        &[2, 0, 4, 1, 3, 2],
        &[1, 1, 4, 4, 3, 2, 0],
        &[3, 4, 0, 0, 2, 1],
    ];
    for order in orders {
        let world = world();
        let ctx = world.as_reviewer("ann");
        for (n, at) in order.iter().enumerate() {
            assert_eq!(received(&ctx, &[(JSON, singles[*at].to_string())]), [all(0)]);
            // The index comes by between some of them.
            if n % 2 == 0 {
                index::catch_up_some(&ctx, STEP).unwrap();
            }
            assert_whole(&ctx);
        }
        let stored = ctx.store.trace_by_id("5b8efff798038103d269b633813fc60c").unwrap().unwrap();
        assert_eq!((stored.seq, &stored.trace), (1, &wanted), "{order:?}");
        assert_eq!(ctx.store.trace_count().unwrap(), 1);
    }
}

#[test]
fn figures_words_and_tags_follow_a_trace_that_is_rewritten() {
    let mut parts = singles("openinference");
    let root = parts.remove(0);
    // A retrieval alone, then the call, then the root that holds both.
    let checks = |ctx: &Ctx| {
        [
            hits(ctx, "\"35 EUR\""),
            hits(ctx, "\"What is the fee\""),
            hits(ctx, "tag:prod"),
            hits(ctx, "latency>1s"),
            hits(ctx, "model:gpt-4o"),
            hits(ctx, "version:v7"),
        ]
    };
    for indexed in [false, true] {
        let index = |ctx: &Ctx| {
            if indexed {
                index::catch_up_some(ctx, STEP).unwrap();
            }
        };
        let world = world();
        let ctx = world.as_reviewer("ann");
        received(&ctx, &[(JSON, parts[0].to_string())]);
        index(&ctx);
        assert_eq!(checks(&ctx), [0, 0, 0, 0, 0, 0], "indexed: {indexed}");
        received(&ctx, &[(JSON, parts[1].to_string())]);
        assert_eq!(checks(&ctx), [1, 1, 0, 0, 1, 1], "indexed: {indexed}");
        index(&ctx);
        received(&ctx, &[(JSON, root.to_string())]);
        assert_eq!(checks(&ctx), [1, 1, 1, 1, 1, 1], "indexed: {indexed}");
        // "Be kind." was what the call was told; the root's input is the question alone.
        index(&ctx);
        assert_eq!(checks(&ctx), [1, 1, 1, 1, 1, 1], "indexed: {indexed}");
        let health = crate::ops::health::health(&ctx, &crate::ops::health::HealthSpec::default());
        let health = health.unwrap();
        let cost = health.cost_per_request_usd.value;
        assert_eq!(
            (health.requests.value, health.p95_latency_ms.value, cost),
            (Some(1), Some(1200.0), Some(0.00015))
        );
        assert_whole(&ctx);
    }
}

#[test]
fn what_people_and_users_said_stays_with_a_rewritten_trace() {
    let world = world();
    let ctx = world.as_reviewer("ann");
    let parts = singles("genai");
    let id = "5b8efff798038103d269b633813fc60c";
    let thumb = |value: &str| {
        (
            What::Feedback,
            format!(r#"{{"trace":"{id}","kind":"thumbs","value":"{value}","time":"2026-03-01T10:00:00Z"}}"#),
        )
    };
    // Before the trace, twice: it waits once.
    let done = |added: u64, unchanged: u64, waiting: u64| {
        Answer::Done(serde_json::json!({
            "added": added, "unchanged": unchanged, "waiting": waiting, "rejected": 0, "rejects": [],
        }))
    };
    let answers = received(&ctx, &[thumb("down"), thumb("down")]);
    assert_eq!(answers, [done(0, 0, 1), done(0, 0, 1)]);
    received(&ctx, &[(JSON, parts[4].to_string())]);
    let trace = || ctx.store.trace_by_id(id).unwrap().unwrap().trace;
    assert_eq!(trace().feedback.len(), 1);
    let act = Act { at: ctx.clock.now(), reviewer: "ann", trace: &id.into(), sample: None };
    ctx.store.set_label(act, |_| Ok(LabelBody::verdict(Verdict::Pass))).unwrap();
    let report = (What::Feedback, format!(r#"[{{"trace_id":"{}","kind":"report"}}]"#, id.to_uppercase()));
    assert_eq!(received(&ctx, &[thumb("down"), report]), [done(0, 1, 0), done(1, 0, 0)]);
    received(&ctx, &[(JSON, parts[0].to_string()), (JSON, parts[2].to_string())]);
    assert_eq!(trace().feedback.len(), 2);
    assert_eq!(trace().latency_ms, Some(1500.0));
    assert_eq!(ctx.store.labels_of(&id.into()).unwrap().len(), 1);
    assert_eq!(hits(&ctx, "feedback:down"), 1);
    assert_eq!(ctx.store.count_thumbs(), (0, 1));
    assert_whole(&ctx);
}

/// A trace has its place in every draw by its id: a rewrite neither takes it out of a steady sample nor puts it
/// in twice, and new traffic joins without reshuffling.
#[test]
fn a_steady_sample_holds_the_same_traces_after_a_rewrite() {
    let world = world();
    let ctx = world.as_reviewer("ann");
    let parts = singles("vercel");
    let arrive = |part: usize, traces: std::ops::Range<usize>| {
        let bodies: Vec<_> = traces
            .map(|n| {
                let mut document = parts[part].clone();
                let span = &mut document["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
                span["traceId"] = format!("{:032x}", n + 1).into();
                (JSON, document.to_string())
            })
            .collect();
        received(&ctx, &bodies);
    };
    let drawn = |name: &str| {
        let spec = sample::DrawSpec {
            name: name.to_owned(),
            method: Method::Rate(0.3),
            query: None,
            since: None,
            strata: Vec::new(),
            suspicious: false,
            seed: 0,
        };
        let view = sample::draw(&ctx, &spec, &Cancel::default(), &Progress::default()).unwrap();
        let members = serde_json::to_value(&view).unwrap()["members"].as_array().unwrap().clone();
        members.iter().map(|member| member["trace"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    arrive(1, 0..40);
    let before = drawn("before");
    assert!(!before.is_empty() && before.len() < 40);
    arrive(0, 0..40);
    assert_eq!(drawn("rewritten"), before);
    arrive(0, 40..80);
    let joined = drawn("joined");
    assert!(joined.len() > before.len() && before.iter().all(|id| joined.contains(id)));
}

#[test]
fn what_cannot_be_taken_is_said_and_the_rest_is_kept() {
    let world = world();
    let ctx = world.as_reviewer("ann");
    let id = "5b8efff798038103d269b633813fc60c";
    let line = format!(r#"{{"id":"{id}","input":"q","output":"a"}}"#);
    let lines = format!("{line}\n\nnot json\n{{\"id\":\"t-2\",\"input\":\"q\",\"output\":\"a\"}}\n");
    let answers = received(
        &ctx,
        &[
            (What::Traces, lines),
            (What::Traces, line),
            (What::Traces, r#"[{"id":"t-3","input":"q","output":"a"},{"input":7}]"#.to_owned()),
            (What::Traces, "{".to_owned()),
            (What::Traces, String::new()),
            (JSON, fixture("genai").to_string()),
            (JSON, "[".to_owned()),
            (What::Spans(Encoding::Protobuf), "garbage".to_owned()),
            (What::Feedback, "{}".to_owned()),
        ],
    );
    let told = |answer: &Answer| match answer {
        Answer::Done(document) => document.to_string(),
        Answer::Malformed(why) => format!("malformed: {why}"),
        Answer::Spans { rejected, reason } => format!("{rejected} rejected: {reason:?}"),
        Answer::Later(why) => format!("later: {why}"),
    };
    insta::assert_snapshot!(answers.iter().map(told).collect::<Vec<_>>().join("\n"));
    assert_eq!(ctx.store.trace_count().unwrap(), 3);
    assert_whole(&ctx);
}

#[test]
fn many_senders_at_once_lose_nothing() {
    let world = world();
    let ctx = world.as_reviewer("ann");
    let body = |n: usize| {
        // Four spans of each of twenty-five traces, shared by four senders.
        let (sender, round) = (n % 4, n / 4);
        let mut document = singles("vercel").remove(sender);
        let span = &mut document["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
        span["traceId"] = format!("{:032x}", round + 1).into();
        document.to_string()
    };
    std::thread::scope(|threads| {
        let (desk, writer) = Desk::open(&ctx, Arc::default(), None, &|e| panic!("{e}")).unwrap();
        let writing = threads.spawn(|| writer.run());
        std::thread::scope(|senders| {
            for sender in 0..4 {
                let (desk, body) = (&desk, &body);
                senders.spawn(move || {
                    for round in 0..25 {
                        assert_eq!(desk.take(JSON, body(round * 4 + sender).as_bytes()), all(0));
                    }
                });
            }
        });
        drop(desk);
        writing.join().unwrap().unwrap();
    });
    assert_eq!(ctx.store.trace_count().unwrap(), 25);
    for n in 1..=25 {
        let trace = ctx.store.trace_by_id(&format!("{n:032x}")).unwrap().unwrap().trace;
        assert_eq!((trace.spans.len(), trace.tokens_in, trace.latency_ms), (4, Some(20), Some(1000.0)));
    }
    assert_whole(&ctx);
}

/// While another process loads in bulk, the index of ids is not there.
#[test]
fn spans_find_their_trace_without_the_index_of_ids() {
    let world = world();
    let ctx = world.as_reviewer("ann");
    received(&ctx, &[(JSON, singles("genai")[4].to_string())]);
    std::thread::scope(|threads| {
        let (desk, writer) = Desk::open(&ctx, Arc::default(), None, &|e| panic!("{e}")).unwrap();
        let writing = threads.spawn(|| writer.run());
        let bulk = world.as_reviewer("ben").store.loader(1_000_000).unwrap();
        assert_eq!(ctx.store.facts().unwrap().missing_indexes.len(), 2);
        for part in singles("genai") {
            assert_eq!(desk.take(JSON, part.to_string().as_bytes()), all(0));
        }
        bulk.finish().unwrap();
        assert_eq!(desk.take(JSON, fixture("genai").to_string().as_bytes()), all(0));
        drop(desk);
        writing.join().unwrap().unwrap();
    });
    assert_eq!(ctx.store.trace_count().unwrap(), 1);
    assert_eq!(ctx.store.trace_by_seq(1).unwrap().unwrap().trace, whole("genai"));
    assert_whole(&ctx);
}

#[test]
fn the_receiver_says_where_it_listens_and_ends_when_asked() {
    let world = world();
    let ctx = world.as_reviewer("ann");
    let cancel = Cancel::default();
    let spec = ServeSpec {
        listen: "127.0.0.1:0".to_owned(),
        token: None,
        feature: None,
        limits: Limits { ending: Duration::from_secs(2), ..Limits::default() },
    };
    let view = serve(&ctx, spec, &cancel, &|e| panic!("{e}"), |address| {
        assert!(address.ip().is_loopback() && address.port() != 0);
        cancel.cancel();
        Ok(())
    });
    assert_eq!(view.unwrap(), ServeView::default());
}
