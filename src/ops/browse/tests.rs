//! Lists held against a plain reading of the same traces.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;

use super::*;
use crate::domain::{
    ErrorKind, FailureKind, Feedback, FeedbackKind, LabelBody, Status, Thumbs, Trace, Verdict,
};
use crate::ops::label::{LabelRequest, VerdictRequest};
use crate::ops::testing::World;
use crate::ops::{label, sample};
use crate::task::Progress;

const NOW: &str = "2026-11-23T12:00:00Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

/// A store and what was put into it.
struct Fixture {
    ctx: Ctx,
    traces: Vec<Trace>,
    _world: World,
}

fn fixture(traces: Vec<Trace>, batch: usize) -> Fixture {
    let world = World::at(now());
    for chunk in traces.chunks(batch) {
        world.add(chunk.to_vec());
    }
    Fixture { ctx: world.as_reviewer("ann"), traces, _world: world }
}

/// Traces with everything in them that a query can ask for. `shuffle` is how far, in rows, a time may lie
/// from its place in the order of arrival.
fn varied(count: usize, shuffle: i64, seed: u64) -> Vec<Trace> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let base = now().as_millisecond() - count as i64 * 60_000;
    (0..count)
        .map(|n| {
            let mut pick = |of: usize| rng.random_range(0..of);
            let (model, version, error, said) = (pick(4), pick(3), pick(20), pick(12));
            let jitter = if shuffle > 0 { pick(shuffle as usize * 2) as i64 - shuffle } else { 0 };
            // Minutes, so that many rows share a millisecond when times are shuffled.
            let at = base + (n as i64 + jitter) * 60_000;
            let (tier, about) = (["gold", "tin"][pick(2)], ["fees", "cards", "rent"][pick(3)]);
            let mut trace: Trace = serde_json::from_value(json!({
                "id": if n % 3 == 0 { format!("00000000-0000-4000-8000-{n:012x}") } else { format!("t-{n}") },
                "input": format!("question {n} about {about}"),
                "output": format!("answer {n}"),
                "session": format!("s-{}", n / 5),
                "user": format!("u-{}", pick(40)),
                "time": Timestamp::from_millisecond(at).unwrap(),
                "metadata": {"tier": tier, "deep": {"n": pick(5)}},
                "latency_ms": 100 + pick(5000), "tokens_in": pick(3000), "cost_usd": pick(100) as f64 / 10_000.0,
                "fallback": pick(30) == 0,
            }))
            .unwrap();
            trace.model = (model > 0).then(|| format!("gpt-{model}").into());
            trace.prompt = (model > 1).then(|| "support".into());
            trace.prompt_version = (version > 0).then(|| format!("v{version}").into());
            if pick(50) == 0 {
                trace.latency_ms = None;
            }
            if error < 4 {
                trace.status = Status::Error;
                trace.error_kind = [None, Some(FailureKind::Timeout), Some(FailureKind::RateLimit), Some(FailureKind::Other)][error];
            }
            let kind = match said {
                0 => Some(FeedbackKind::Thumbs(Thumbs::Down)),
                1 => Some(FeedbackKind::Thumbs(Thumbs::Up)),
                2 => Some(FeedbackKind::Report),
                3 => Some(FeedbackKind::FollowUp),
                _ => None,
            };
            trace.feedback.extend(kind.map(|kind| Feedback { kind, comment: None, time: None }));
            if pick(10) == 0 {
                trace.tags.push("vip".into());
            }
            if pick(8) == 0 {
                trace.score.insert("help".into(), pick(10) as f64);
            }
            trace
        })
        .collect()
}

impl Fixture {
    /// All ids that match, newest first, by walking pages in one direction.
    fn walk(&self, query: &str, direction: Direction, limit: usize) -> Vec<String> {
        let query = Query::parse(query).unwrap();
        let mut cursor = match direction {
            Direction::Older => Cursor::Newest,
            Direction::Newer => Cursor::Oldest,
        };
        let mut all: Vec<String> = Vec::new();
        loop {
            let page = page(&self.ctx, &query, cursor, direction, limit, &Cancel::default()).unwrap();
            let ids = page.rows.iter().map(|row| row.id.raw().to_owned());
            let (begins, ends) = match direction {
                Direction::Older => (page.at_start, page.at_end),
                Direction::Newer => (page.at_end, page.at_start),
            };
            assert_eq!(begins, all.is_empty(), "{query}");
            match direction {
                Direction::Older => all.extend(ids),
                Direction::Newer => all = ids.chain(std::mem::take(&mut all)).collect(),
            }
            if ends {
                return all;
            }
            assert_eq!(page.rows.len(), limit, "{query}");
            cursor = Cursor::beside(match direction {
                Direction::Older => page.rows.last().unwrap(),
                Direction::Newer => page.rows.first().unwrap(),
            });
        }
    }

    /// What a plain reading finds.
    fn expected(&self, wanted: impl Fn(&Trace) -> bool) -> Vec<String> {
        let mut found: Vec<(i64, usize, String)> = self
            .traces
            .iter()
            .enumerate()
            .filter(|(_, trace)| wanted(trace))
            .map(|(n, trace)| (trace.time.unwrap().as_millisecond(), n, trace.id.raw().to_owned()))
            .collect();
        found.sort_unstable_by(|a, b| b.cmp(a));
        found.into_iter().map(|(_, _, id)| id).collect()
    }

    #[track_caller]
    fn check(&self, query: &str, wanted: impl Fn(&Trace) -> bool) {
        let expected = self.expected(wanted);
        for (direction, limit) in
            [(Direction::Older, 97), (Direction::Newer, 61), (Direction::Older, 100_000)]
        {
            let found = self.walk(query, direction, limit);
            assert!(found == expected, "{query}: {} found, {} expected", found.len(), expected.len());
        }
        let query = Query::parse(query).unwrap();
        assert_eq!(count(&self.ctx, &query, &Cancel::default()).unwrap(), expected.len() as u64, "{query}");
    }
}

fn said(trace: &Trace, kind: FeedbackKind) -> bool {
    trace.feedback.iter().any(|f| f.kind == kind)
}

fn is(name: &Option<Untrusted>, text: &str) -> bool {
    name.as_ref().is_some_and(|name| name.raw() == text)
}

fn check_all(f: &Fixture) {
    f.check("", |_| true);
    f.check("model:gpt-1", |t| is(&t.model, "gpt-1"));
    f.check("-model:gpt-1", |t| !is(&t.model, "gpt-1"));
    f.check("model:gpt-1,gpt-2 -version:v1", |t| {
        (is(&t.model, "gpt-1") || is(&t.model, "gpt-2")) && !is(&t.prompt_version, "v1")
    });
    f.check("-model:gpt*", |t| t.model.is_none());
    f.check("prompt:support@v2", |t| is(&t.prompt, "support") && is(&t.prompt_version, "v2"));
    f.check("prompt:@v1", |t| is(&t.prompt_version, "v1"));
    f.check("status:error", |t| t.status == Status::Error);
    f.check("status:ok,error", |_| true);
    f.check("error:timeout,rate_limit", |t| {
        matches!(t.error_kind, Some(FailureKind::Timeout | FailureKind::RateLimit))
    });
    f.check("error:other", |t| {
        t.status == Status::Error && matches!(t.error_kind, None | Some(FailureKind::Other))
    });
    f.check("latency>3s", |t| t.latency_ms.is_some_and(|ms| ms > 3000.0));
    f.check("-latency>3s", |t| t.latency_ms.is_none_or(|ms| ms <= 3000.0));
    f.check("latency:1s..2s cost>=$0.005", |t| {
        t.latency_ms.is_some_and(|ms| (1000.0..=2000.0).contains(&ms)) && t.cost_usd.unwrap() >= 0.005
    });
    f.check("feedback:down", |t| said(t, FeedbackKind::Thumbs(Thumbs::Down)));
    f.check("feedback:down,report model:gpt-3", |t| {
        (said(t, FeedbackKind::Thumbs(Thumbs::Down)) || said(t, FeedbackKind::Report))
            && is(&t.model, "gpt-3")
    });
    f.check("feedback:none", |t| t.feedback.is_empty());
    f.check("feedback:any or fallback:yes", |t| !t.feedback.is_empty() || t.fallback);
    f.check("fallback:yes", |t| t.fallback);
    f.check("tag:vip", |t| !t.tags.is_empty());
    f.check("-tag:vip -fallback:yes", |t| t.tags.is_empty() && !t.fallback);
    f.check("score.help>=5", |t| t.score.get("help").is_some_and(|v| *v >= 5.0));
    f.check("session:s-3", |t| is(&t.session, "s-3"));
    f.check("user:u-7 status:ok", |t| is(&t.user, "u-7") && t.status == Status::Ok);
    f.check("id:t-1,00000000-0000-4000-8000-000000000003,nothing", |t| {
        ["t-1", "00000000-0000-4000-8000-000000000003"].contains(&t.id.raw())
    });
    f.check("(model:gpt-1 or feedback:up) -(status:error or latency<1s)", |t| {
        (is(&t.model, "gpt-1") || said(t, FeedbackKind::Thumbs(Thumbs::Up)))
            && t.status == Status::Ok
            && t.latency_ms.is_none_or(|ms| ms >= 1000.0)
    });
    let since = now().as_millisecond() - 36 * 3_600_000;
    f.check("since:36h", |t| t.time.unwrap().as_millisecond() >= since);
    f.check("since:36h feedback:any", |t| {
        t.time.unwrap().as_millisecond() >= since && !t.feedback.is_empty()
    });
    f.check("before:36h status:error", |t| {
        t.time.unwrap().as_millisecond() < since && t.status == Status::Error
    });
    let day = |t: &Trace| t.time.unwrap().to_string().starts_with("2026-11-22");
    f.check("time:2026-11-22", day);
    f.check("-time:yesterday model:gpt-2", |t| !day(t) && is(&t.model, "gpt-2"));
    f.check("since:1h before:2h", |_| false);
    f.check("model:nothing or status:error", |t| t.status == Status::Error);
}

#[test]
fn every_query_finds_what_a_plain_reading_finds_in_both_directions() {
    // More than one block of arrivals, in the order of time.
    check_all(&fixture(varied(8_600, 0, 1), 1_000));
}

#[test]
fn pages_know_their_ends() {
    let f = fixture(varied(150, 40, 8), 50);
    check_all(&f);
    f.check("metadata.tier:gold metadata.deep.n:3,4", |t| {
        t.metadata["tier"] == "gold" && t.metadata["deep"]["n"].as_i64().unwrap() >= 3
    });
}

#[test]
fn arrivals_out_of_the_order_of_time_are_listed_in_it() {
    check_all(&fixture(varied(8_600, 5_000, 2), 700));
}

#[test]
fn an_unknown_name_is_named_with_the_nearest() {
    let f = fixture(varied(50, 0, 4), 50);
    let query = Query::parse("model:gpt-2 tag:vio").unwrap();
    let page = page(&f.ctx, &query, Cursor::Newest, Direction::Older, 10, &Cancel::default()).unwrap();
    assert!(page.rows.is_empty() && page.at_start && page.at_end);
    let notes: Vec<&str> = page.notes.iter().map(Untrusted::raw).collect();
    assert_eq!(notes, ["No trace has the tag vio. Did you mean vip?"]);
}

#[test]
fn labels_and_samples_are_found() {
    let f = fixture(varied(400, 0, 5), 400);
    let by = |who: &str| Ctx { reviewer: who.to_owned(), ..f.ctx.clone() };
    let mode = |n: usize| Some(crate::domain::ModeId::new(["wrong_tone", "off_topic"][n % 2]));
    for (n, trace) in f.traces.iter().enumerate().take(60) {
        let (verdict, mode) = if n % 3 == 0 { (Verdict::Fail, mode(n)) } else { (Verdict::Pass, None) };
        let request = VerdictRequest { trace: trace.id.clone(), sample: None, verdict, mode };
        label::verdict(&by("ann"), &request).unwrap();
        if n % 5 == 0 {
            let body = LabelBody::verdict(Verdict::Unsure);
            label::label(&by("bob"), &LabelRequest { trace: trace.id.clone(), sample: None, body }).unwrap();
        }
    }
    label::set_note(&by("cyd"), &f.traces[100].id, None, Some("a draft".into())).unwrap();
    let spec = sample::DrawSpec {
        name: "week 47".into(),
        method: crate::domain::Method::Size(20),
        query: Some("label:fail".into()),
        since: None,
        strata: vec![],
        suspicious: false,
        seed: 1,
    };
    let drawn = sample::draw(&f.ctx, &spec, &Cancel::default(), &Progress::default()).unwrap();
    assert_eq!((drawn.size, drawn.population), (20, 20));

    let place: BTreeMap<&str, usize> = f.traces.iter().enumerate().map(|(n, t)| (t.id.raw(), n)).collect();
    let n = |t: &Trace| place[t.id.raw()];
    f.check("label:fail", |t| n(t) < 60 && n(t) % 3 == 0);
    f.check("label:any", |t| n(t) < 60);
    f.check("label:none", |t| n(t) >= 60);
    f.check("label:none,unsure", |t| n(t) >= 60 || n(t) % 5 == 0);
    f.check("-label:pass since:30d", |t| n(t) >= 60 || n(t) % 3 == 0);
    f.check("label:fail label:unsure", |t| n(t) < 60 && n(t) % 15 == 0);
    f.check("label:fail reviewer:bob", |_| false);
    f.check("label:none reviewer:bob", |t| n(t) >= 60 || n(t) % 5 != 0);
    f.check("reviewer:ann reviewer:bob", |t| n(t) < 60 && n(t) % 5 == 0);
    f.check("reviewer:cyd", |_| false);
    f.check("mode:wrong_tone", |t| n(t) < 60 && n(t) % 6 == 0);
    f.check("mode:wrong* or feedback:report", |t| {
        (n(t) < 60 && n(t) % 6 == 0) || said(t, FeedbackKind::Report)
    });
    f.check("sample:\"week 47\"", |t| n(t) < 60 && n(t) % 3 == 0);
    f.check("sample:week* -mode:off_topic", |t| n(t) < 60 && n(t) % 6 == 0);
}

#[test]
fn one_trace_comes_with_what_is_known_of_it() {
    let f = fixture(varied(50, 0, 6), 50);
    let request =
        LabelRequest { trace: f.traces[7].id.clone(), sample: None, body: LabelBody::verdict(Verdict::Pass) };
    label::label(&f.ctx, &request).unwrap();
    let view = trace(&f.ctx, &f.traces[7].id).unwrap();
    assert_eq!(view.trace.input, f.traces[7].input);
    assert_eq!(view.labels.len(), 1);
    let around = view.neighbours.unwrap();
    assert_eq!((around.position, around.count), (3, 5));
    assert_eq!(around.previous.as_ref(), Some(&f.traces[6].id));
    assert_eq!(around.next.as_ref(), Some(&f.traces[8].id));
    assert_eq!(trace(&f.ctx, &f.traces[5].id).unwrap().neighbours.unwrap().previous, None);
    let error = trace(&f.ctx, &"t-77".into()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotSo);
}

fn content(content: &crate::domain::Content) -> String {
    content.plain_text().raw().to_lowercase()
}

fn check_text(f: &Fixture) {
    f.check("fees", |t| content(&t.input).contains("about fees"));
    f.check("input:FEES,rent", |t| !content(&t.input).contains("cards"));
    f.check("output:fees", |_| false);
    f.check("answer -question", |_| false);
    f.check("\"about cards\" status:error", |t| {
        content(&t.input).contains("cards") && t.status == Status::Error
    });
    f.check("\"cards about\"", |_| false);
    f.check("output:\"answer 12\"*", |t| content(&t.output).starts_with("answer 12"));
    f.check("car* feedback:down", |t| {
        content(&t.input).contains("cards") && said(t, FeedbackKind::Thumbs(Thumbs::Down))
    });
    f.check("-fees model:gpt-1", |t| !content(&t.input).contains("fees") && is(&t.model, "gpt-1"));
    f.check("(rent or tag:vip) since:3d", |t| {
        (content(&t.input).contains("rent") || !t.tags.is_empty())
            && t.time.unwrap().as_millisecond() >= now().as_millisecond() - 3 * 86_400_000
    });
    f.check("session:s-3 fees", |t| is(&t.session, "s-3") && content(&t.input).contains("fees"));
    f.check("question", |_| true);
    f.check("\"?!\"", |_| false);
}

#[test]
fn words_are_found_whether_the_index_knows_the_rows_or_not() {
    let f = fixture(varied(400, 150, 9), 100);
    check_text(&f);
    let words = f.ctx.store.words(1, 217).unwrap();
    assert!(f.ctx.store.index_words(0, &words).unwrap());
    check_text(&f);
    crate::ops::index::catch_up(&f.ctx, &Cancel::default(), &Progress::default()).unwrap();
    check_text(&f);
}

#[test]
fn words_are_found_in_many_blocks_out_of_order() {
    let f = fixture(varied(8_600, 5_000, 10), 2_000);
    let search = |query: &str| {
        let query = Query::parse(query).unwrap();
        page(&f.ctx, &query, Cursor::Newest, Direction::Older, 50, &Cancel::default()).unwrap()
    };
    let behind = search("fees");
    assert!(behind.rows.is_empty());
    assert!(behind.notes[0].raw().contains("8,600"), "{:?}", behind.notes);
    assert!(search("model:gpt-1").notes.is_empty());
    crate::ops::index::catch_up(&f.ctx, &Cancel::default(), &Progress::default()).unwrap();
    check_text(&f);
    assert!(search("fees").notes.is_empty());
}

#[test]
fn a_word_without_letters_is_told_of() {
    let f = fixture(varied(20, 0, 11), 20);
    let query = Query::parse("\"👍 !\"").unwrap();
    let page = page(&f.ctx, &query, Cursor::Newest, Direction::Older, 50, &Cancel::default()).unwrap();
    assert!(page.rows.is_empty() && page.notes[0].raw().contains("no letter or digit"));
}

#[test]
fn a_cancelled_search_says_so() {
    let f = fixture(varied(50, 0, 7), 50);
    let cancel = Cancel::default();
    cancel.cancel();
    let error = count(&f.ctx, &Query::parse("status:error").unwrap(), &cancel).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Cancelled);
}
