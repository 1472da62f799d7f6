//! Traces through the store and back, on real files.

use jiff::Timestamp;

use super::*;
use crate::domain::{Thumbs, Untrusted};
use crate::ops::Access;
use crate::task::Clock;

fn ctx(folder: &tempfile::TempDir) -> Ctx {
    let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
    Ctx::open(&folder.path().join("t.db"), Access::Create, "ann", Clock::fixed(now)).unwrap()
}

fn trace(json: &str) -> Trace {
    serde_json::from_str(json).unwrap()
}

const FULL: &str = r#"{"id":"0198c0de-0000-7000-8000-00000000abcd","session":"s1","user":"u1",
  "time":"2026-02-28T09:31:00.123456Z","feature":"customer_support","model":"gpt-4o","prompt":"customer_support",
  "prompt_version":"v4","input":[{"role":"system","content":"Be kind"},{"role":"user","content":"Hi\u0000\u001b[31m","refusal":null}],
  "output":[{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]}],
  "latency_ms":1234.5678,"ttft_ms":0.1,"tokens_in":7,"tokens_out":8,"cost_usd":0.0031,"status":"error","error_kind":"timeout",
  "fallback":true,"feedback":[{"kind":"thumbs","value":"up","time":"2026-02-28T10:00:00Z"},
  {"kind":"thumbs","value":"down","comment":"no","time":"2026-02-28T11:00:00Z"},{"kind":"report","time":"2026-02-28T11:00:00Z"}],
  "score":{"accuracy":0.25},"experiment":"e","arm":"b","tags":["x","y"],"metadata":{"k":[1,{"d":2}]},
  "spans":[{"name":"llm","kind":"llm","offset_ms":1.0,"duration_ms":2.0,"input":null,"output":null}]}"#;

#[test]
fn what_goes_in_comes_out() {
    let folder = tempfile::tempdir().unwrap();
    let ctx = ctx(&folder);
    let full = trace(FULL);
    let bare = trace(r#"{"id":"weird id\n","input":"q","output":""}"#);
    let report = traces(&ctx, [full.clone(), bare.clone()]).unwrap();
    assert_eq!(report, ImportReport { added: 2, ..ImportReport::default() });
    let back = ctx.store.trace_by_id(full.id.raw()).unwrap().unwrap();
    assert_eq!((back.seq, back.trace), (1, full));
    let back = ctx.store.trace_by_seq(2).unwrap().unwrap().trace;
    assert_eq!(back, Trace { time: Some(ctx.clock.now()), ..bare });
    assert_eq!(ctx.store.trace_by_id("no such").unwrap(), None);

    let rows = ctx.store.rows(&[2, 99, 1]).unwrap();
    assert_eq!(rows.iter().map(|r| r.seq).collect::<Vec<_>>(), [2, 1]);
    let row = &rows[1];
    assert_eq!(row.input_preview.raw(), "Hi\0\u{1b}[31m");
    assert_eq!(row.output_preview.raw(), "f {}");
    assert_eq!((row.up, row.down, row.report, row.follow_up), (false, true, true, false));
    assert_eq!(row.prompt_version.as_ref().unwrap().raw(), "v4");
}

#[test]
fn the_same_again_adds_only_what_is_new() {
    let folder = tempfile::tempdir().unwrap();
    let ctx = ctx(&folder);
    let mut one = trace(FULL);
    traces(&ctx, [one.clone()]).unwrap();
    let again = |t: &Trace| traces(&ctx, [t.clone()]).unwrap();
    assert_eq!(again(&one).unchanged, 1);
    one.feedback.push(
        serde_json::from_str(r#"{"kind":"thumbs","value":"up","time":"2026-02-28T12:00:00Z"}"#).unwrap(),
    );
    one.score.insert("accuracy".into(), 0.5);
    assert_eq!(again(&one).updated, 1);
    assert_eq!(again(&one).unchanged, 1);
    let back = ctx.store.trace_by_seq(1).unwrap().unwrap().trace;
    assert_eq!(back, one);
    assert!(ctx.store.rows(&[1]).unwrap()[0].up);
    one.output = crate::domain::Content::Text(Untrusted::new("other"));
    assert_eq!(again(&one).conflicts, 1);
    let ups: (i64, i64) = ctx.store.count_thumbs();
    assert_eq!(ups, (1, 0));
}

#[test]
fn an_id_made_of_content_is_the_same_again() {
    let folder = tempfile::tempdir().unwrap();
    let ctx = ctx(&folder);
    let anonymous = trace(r#"{"input":"q","output":"a","feedback":[{"kind":"thumbs","value":"up"}]}"#);
    assert_eq!(traces(&ctx, [anonymous.clone()]).unwrap().added, 1);
    ctx.clock.advance_ms(5_000);
    assert_eq!(traces(&ctx, [anonymous.clone()]).unwrap().unchanged, 1);
    let mut other = anonymous;
    other.model = Some(Untrusted::new("m"));
    assert_eq!(traces(&ctx, [other]).unwrap().added, 1);
}

#[test]
fn keys_keep_their_order_and_another_order_is_no_other_trace() {
    let folder = tempfile::tempdir().unwrap();
    let ctx = ctx(&folder);
    let order = |keys: [&str; 2]| {
        let [a, b] = keys.map(|key| format!("{key:?}:1"));
        format!(
            r#""input":[{{"role":"user","content":[{{{a},{b}}}],{a},{b}}}],
               "output":[{{"role":"assistant","content":null,"tool_calls":[
                   {{"id":"c","type":"function","function":{{"name":"f","arguments":{{{a},{b}}}}}}}]}}],
               "metadata":{{{a},"in":{{{a},{b}}},{b}}},"spans":[{{"name":"s","input":{{{a},{b}}}}}]"#
        )
    };
    let (came, turned) = (order(["z", "a"]), order(["a", "z"]));
    for id in [r#""id":"t","#, ""] {
        let [came, turned] = [&came, &turned].map(|fields| trace(&format!("{{{id}{fields}}}")));
        assert_eq!(traces(&ctx, [came.clone()]).unwrap().added, 1);
        let again = traces(&ctx, [turned, came.clone()]).unwrap();
        assert_eq!((again.added, again.unchanged, again.updated, again.conflicts), (0, 2, 0, 0));
        let seq = ctx.store.trace_count().unwrap();
        let back = ctx.store.trace_by_seq(seq).unwrap().unwrap().trace;
        let back = Trace { id: came.id.clone(), time: None, ..back };
        assert_eq!(serde_json::to_string(&back).unwrap(), serde_json::to_string(&came).unwrap());
    }
}

#[test]
fn a_large_load_trains_a_dictionary_and_reads_back() {
    let folder = tempfile::tempdir().unwrap();
    let ctx = ctx(&folder);
    let make = |n: usize| {
        let thumb = if n.is_multiple_of(3) { Thumbs::Up } else { Thumbs::Down };
        trace(&format!(
            r#"{{"id":"t{n}","time":"2026-02-2{}T0{}:00:00Z","model":"m{}","input":"My question number {n} is how to pay the overdraft fee",
               "output":"You can pay {n} euros by moving your balance from savings","latency_ms":{n},
               "feedback":[{{"kind":"thumbs","value":"{}"}}]}}"#,
            n % 9,
            n % 10,
            n % 4,
            if thumb == Thumbs::Up { "up" } else { "down" }
        ))
    };
    let report = traces(&ctx, (0..10_000).map(make)).unwrap();
    assert_eq!(report.added, 10_000);
    for n in [0, 3, 4_095, 4_096, 9_999] {
        let back = ctx.store.trace_by_id(&format!("t{n}")).unwrap().unwrap();
        assert_eq!(back.seq, n as i64 + 1);
        assert_eq!(back.trace.input, make(n).input);
    }
    assert!(ctx.store.loader(0).unwrap().dictionary().is_some());
    assert_eq!(ctx.store.count_thumbs(), (3_334, 6_666));
    assert_eq!(ctx.store.trace_count().unwrap(), 10_000);
}

#[test]
fn an_answer_that_reads_like_a_fallback_counts_as_one_and_stays_what_it_was() {
    use crate::domain::{Query, monitor::Monitors};
    let folder = tempfile::tempdir().unwrap();
    let ctx = ctx(&folder);
    let answers =
        ["I don't know, sorry.", "The fee is $3.", "Let me connect you with a colleague.", "Said so."];
    let time = Timestamp::from_second(ctx.clock.now().as_second() - 60).ok();
    let all = || {
        (0..4).map(|n| Trace {
            time,
            fallback: n == 3,
            ..trace(&format!(r#"{{"id":"t-{n}","feature":"f","input":"q","output":"{}"}}"#, answers[n]))
        })
    };
    traces(&ctx, all()).unwrap();
    let count = |ctx: &Ctx, query: &str| {
        let query = Query::parse(query).unwrap();
        crate::ops::browse::count(ctx, &query, &Cancel::default()).unwrap()
    };
    assert_eq!((count(&ctx, "fallback:yes"), count(&ctx, "fallback:no")), (3, 1));
    let view = crate::ops::health::health(&ctx, &crate::ops::health::HealthSpec::default()).unwrap();
    assert_eq!(view.fallback_rate.value, Some(0.75));
    // The monitor counts what Health counts.
    let list = crate::ops::monitor::list(&ctx, &Monitors::default()).unwrap();
    let rule = list.monitors.iter().find(|one| one.id == "fallback-rate").unwrap();
    assert_eq!((rule.groups[0].count, rule.groups[0].n), (Some(3), 4), "{rule:?}");
    // The trace is as its source had it, and the same trace when it comes again.
    for (n, said) in [(0, false), (2, false), (3, true)] {
        let back = ctx.store.trace_by_id(&format!("t-{n}")).unwrap().unwrap().trace;
        assert_eq!(back.fallback, said, "{n}");
    }
    assert_eq!(traces(&ctx, all()).unwrap(), ImportReport { unchanged: 4, ..ImportReport::default() });
    // A team's own patterns take the place of the usual ones.
    let own = ctx.clone().with_fallback(crate::text::Fallback::new(&["^the fee"]).unwrap());
    let other = |n: usize| trace(&format!(r#"{{"id":"o-{n}","input":"q","output":"{}"}}"#, answers[n]));
    traces(&own, (0..3).map(other)).unwrap();
    assert_eq!(count(&own, "fallback:yes -feature:f"), 1);
}
