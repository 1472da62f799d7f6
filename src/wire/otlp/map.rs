//! All spans of a trace → the trace. A pure function of the set of spans: their order of arrival says nothing.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::attributes::Field;
use super::messages;
use super::reading::{self, Reading, Said, ms_between, object};
use super::spans::Arrived;
use super::value;
use crate::domain::{
    ChatMessage, Content, FailureKind, HIGHEST_COST, LONGEST_MS, MOST_TOKENS, Span, Status, Trace, Untrusted,
};

/// Kinds of steps whose input and output are data, not what was asked and answered.
const BESIDE: &[&str] =
    &["tool", "retrieval", "embedding", "reranker", "guardrail", "evaluator", "prompt", "event"];

/// The trace that these spans are. They are sorted by start and id.
pub(super) fn trace(id: &str, arrived: &[Arrived]) -> Trace {
    let tree = Tree::of(arrived.iter().map(|one| Reading::of(&one.span)).collect());
    let root = &tree.readings[tree.root];
    let (start, latency_ms) = tree.times();
    let (input, output) = tree.talk();
    let in_order = || [root].into_iter().chain(&tree.readings);
    let first = |field| in_order().find_map(|reading| reading.name(field));
    let answering = tree.answering();
    let of_answer = |field| answering.and_then(|reading| reading.name(field)).or_else(|| first(field));

    let (failed, error_kind) = tree.failure(answering);
    let ttft_ms = answering.and_then(|reading| {
        Some(ms_between(start, reading.span.start_time_unix_nano).max(0.0) + reading.first_token_ms()?)
    });
    let mut tags: Vec<Untrusted> = Vec::new();
    for tag in in_order().filter_map(|reading| reading.field(Field::Tags)).flat_map(value::words) {
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    let origin = object(arrived[tree.root].origin.attributes());
    let feature = first(Field::Feature).or_else(|| feature_of(&origin));
    Trace {
        id: id.into(),
        session: first(Field::Session),
        user: first(Field::User),
        time: moment(start),
        feature,
        model: answering.and_then(Reading::model).or_else(|| in_order().find_map(Reading::model)),
        prompt: of_answer(Field::Prompt),
        prompt_version: of_answer(Field::PromptVersion),
        input,
        output,
        latency_ms: latency_ms.filter(|ms| *ms <= LONGEST_MS),
        ttft_ms: ttft_ms.filter(|ms| *ms <= LONGEST_MS),
        tokens_in: tree.sum(Reading::tokens_in),
        tokens_out: tree.sum(Reading::tokens_out),
        cost_usd: tree.cost(),
        status: if failed { Status::Error } else { Status::Ok },
        error_kind,
        fallback: in_order().any(|reading| {
            reading.field(Field::Fallback).map(value::json).is_some_and(|yes| yes == true || yes == "true")
        }),
        feedback: Vec::new(),
        score: tree.readings.iter().flat_map(|reading| reading.scores.iter().cloned()).collect(),
        experiment: first(Field::Experiment),
        arm: first(Field::Arm),
        tags,
        metadata: tree.metadata(origin),
        spans: tree
            .readings
            .iter()
            .enumerate()
            .map(|(at, reading)| step(&tree, at, reading, start))
            .collect(),
    }
}

/// The spans of a trace as they hang together.
struct Tree<'a> {
    readings: Vec<Reading<'a>>,
    root: usize,
    /// Whether the root is the trace's own, not the highest of those that came so far.
    whole: bool,
    /// How many spans stand above each.
    depth: Vec<usize>,
    /// Whether a span below says what was used.
    usage_below: Vec<bool>,
    /// Whether a span below calls a model.
    llm_below: Vec<bool>,
}

impl<'a> Tree<'a> {
    fn of(readings: Vec<Reading<'a>>) -> Self {
        let by_id: HashMap<&[u8], usize> =
            readings.iter().enumerate().map(|(at, r)| (r.span.span_id.as_slice(), at)).collect();
        let parents: Vec<Option<usize>> = readings
            .iter()
            .enumerate()
            .map(|(at, r)| by_id.get(r.span.parent_span_id.as_slice()).copied().filter(|up| *up != at))
            .collect();
        let own_root = readings.iter().position(|r| r.span.parent_span_id.iter().all(|b| *b == 0));
        // Spans are sorted by start: the first is the earliest.
        let root = own_root.or_else(|| parents.iter().position(Option::is_none)).unwrap_or(0);
        let mut depth = vec![0; readings.len()];
        let (mut usage_below, mut llm_below) = (vec![false; readings.len()], vec![false; readings.len()]);
        for at in 0..readings.len() {
            let mut up = parents[at];
            // Spans that name each other as parents end here too.
            while let Some(above) = up.filter(|_| depth[at] < MOST_LEVELS) {
                depth[at] += 1;
                usage_below[above] |= readings[at].has_usage();
                llm_below[above] |= readings[at].kind == "llm";
                up = parents[above];
            }
        }
        Self { whole: own_root.is_some(), root, depth, usage_below, llm_below, readings }
    }

    /// Nanoseconds of the start, and milliseconds that it took where that is known.
    fn times(&self) -> (u64, Option<f64>) {
        let root = &self.readings[self.root];
        let earliest = self.readings.iter().map(|r| r.span.start_time_unix_nano).filter(|ns| *ns > 0).min();
        let latest = self.readings.iter().map(|r| r.span.end_time_unix_nano).max().unwrap_or(0);
        match root.span.start_time_unix_nano {
            start if self.whole && start > 0 => (start, root.duration_ms()),
            _ => {
                let start = earliest.unwrap_or(0);
                (start, (start > 0 && latest >= start).then(|| ms_between(start, latest)))
            }
        }
    }

    /// Places of the spans that may say what was asked and answered, highest first, then by their start.
    fn speakers(&self) -> Vec<usize> {
        let mut places: Vec<usize> = (0..self.readings.len())
            .filter(|at| !BESIDE.contains(&self.readings[*at].kind.as_str()))
            .collect();
        places.sort_by_key(|at| self.depth[*at]);
        places
    }

    /// What went in and came out: of the highest spans that say it so that a person can read it, else of the
    /// highest that say it at all. Between calls of a model side by side, what came out is all that was said
    /// after what went into the first.
    fn talk(&self) -> (Content, Content) {
        let speakers = self.speakers();
        let end = |at: &usize| self.readings[*at].span.end_time_unix_nano;
        let asked =
            |good: fn(&Said) -> bool| speakers.iter().find(|at| good(&self.readings[**at].input)).copied();
        let answered = |good: fn(&Said) -> bool| {
            let able = || speakers.iter().filter(|at| good(&self.readings[**at].output));
            let highest = able().map(|at| self.depth[*at]).min()?;
            able().filter(|at| self.depth[**at] == highest).max_by_key(|at| end(at)).copied()
        };
        let asked = asked(Said::is_readable).or_else(|| asked(|said| !said.is_empty()));
        let answered = answered(Said::is_readable).or_else(|| answered(|said| !said.is_empty()));
        let content = |said: &Said| messages::content(said.messages.as_deref(), said.value.as_ref());
        let input = asked.map(|at| content(&self.readings[at].input)).unwrap_or_default();
        let output = match (asked, answered) {
            (Some(first), Some(last)) if first != last => {
                let (before, after) = (&self.readings[first].input, &self.readings[last]);
                match (&before.messages, &after.input.messages, &after.output.messages) {
                    (Some(before), Some(later), Some(said)) if starts_with(later, before) => {
                        let all: Vec<ChatMessage> =
                            later[before.len()..].iter().chain(said).cloned().collect();
                        messages::content(Some(&all), None)
                    }
                    _ => content(&after.output),
                }
            }
            (_, Some(last)) => content(&self.readings[last].output),
            _ => Content::default(),
        };
        (input, output)
    }

    /// The last call of a model that no other call stands within: the one that answered.
    fn answering(&self) -> Option<&Reading<'a>> {
        let calls = self.readings.iter().zip(&self.llm_below);
        calls
            .filter(|(reading, below)| reading.kind == "llm" && !**below)
            .map(|(reading, _)| reading)
            .max_by_key(|reading| (reading.span.end_time_unix_nano, reading.span.start_time_unix_nano))
    }

    /// Adds up what calls of models used, each counted where it is said innermost: agents and wrappers say it
    /// again. Embeddings are no answer's tokens.
    fn sum(&self, of: fn(&Reading<'a>) -> Option<u64>) -> Option<u64> {
        let counted = self.readings.iter().zip(&self.usage_below);
        let counts = counted.filter(|(reading, below)| !**below && reading.kind != "embedding");
        let sum = counts.filter_map(|(reading, _)| of(reading)).reduce(u64::saturating_add);
        sum.filter(|n| *n <= MOST_TOKENS)
    }

    fn cost(&self) -> Option<f64> {
        let counted = self.readings.iter().zip(&self.usage_below).filter(|(_, below)| !**below);
        let inner = counted.filter_map(|(reading, _)| reading.cost()).reduce(|a, b| a + b);
        // A wrapper may price what the calls inside only count.
        let cost = inner.or_else(|| self.readings.iter().find_map(Reading::cost));
        cost.map(reading::decimal).filter(|cost| *cost <= HIGHEST_COST)
    }

    /// Whether the request failed, and why: a step that failed and was tried again is no failure.
    fn failure(&self, answering: Option<&Reading<'a>>) -> (bool, Option<FailureKind>) {
        let root = &self.readings[self.root];
        let top = |at: &usize| if self.whole { *at == self.root } else { self.depth[*at] == 0 };
        let failed = (0..self.readings.len()).filter(top).any(|at| self.readings[at].failed());
        if failed {
            let mut kinds =
                [root].into_iter().chain(&self.readings).filter(|r| r.failed()).map(Reading::failure);
            let known = kinds.find(|kind| *kind != FailureKind::Other);
            return (true, Some(known.unwrap_or(FailureKind::Other)));
        }
        if answering.is_some_and(Reading::filtered) {
            return (true, Some(FailureKind::ContentPolicy));
        }
        (false, None)
    }

    /// The user's own metadata, then what the root says beside, then where it came from.
    fn metadata(&self, origin: Map<String, Value>) -> Map<String, Value> {
        let root = &self.readings[self.root];
        let mut all = Map::new();
        let of_trace = [root].into_iter().chain(&self.readings).map(|reading| &reading.of_trace);
        let sources = of_trace.chain([&root.own, &origin]);
        for (name, value) in sources.flatten() {
            if !all.contains_key(name) {
                all.insert(name.clone(), value.clone());
            }
        }
        all
    }
}

/// Deeper trees are cut for what is worked out along them: each level costs a step for every span below.
const MOST_LEVELS: usize = 64;

fn starts_with(all: &[ChatMessage], begin: &[ChatMessage]) -> bool {
    all.len() >= begin.len() && all.iter().zip(begin).all(|(a, b)| a.role == b.role && a.content == b.content)
}

/// A span of our format. What the root says beside stands in the trace's metadata.
fn step(tree: &Tree<'_>, at: usize, reading: &Reading<'_>, start: u64) -> Span {
    let id = |bytes: &[u8]| value::short(value::hex(bytes));
    let root = at == tree.root;
    Span {
        name: value::short(reading.span.name.clone()).unwrap_or_default(),
        kind: value::short(reading.kind.clone()).unwrap_or_default(),
        offset_ms: ms_between(start, reading.span.start_time_unix_nano).clamp(0.0, LONGEST_MS),
        duration_ms: reading.duration_ms().unwrap_or(0.0).min(LONGEST_MS),
        input: reading.input.to_json(),
        output: reading.output.to_json(),
        id: id(&reading.span.span_id),
        parent: id(&reading.span.parent_span_id)
            .filter(|_| reading.span.parent_span_id.iter().any(|b| *b != 0)),
        status: if reading.failed() { Status::Error } else { Status::Ok },
        model: reading.model(),
        tokens_in: reading.tokens_in().filter(|n| *n <= MOST_TOKENS),
        tokens_out: reading.tokens_out().filter(|n| *n <= MOST_TOKENS),
        cost_usd: reading.cost().filter(|cost| *cost <= HIGHEST_COST),
        metadata: if root { Map::new() } else { reading.own.clone() },
    }
}

/// The service that a trace came from, where it has a name of its own.
fn feature_of(origin: &Map<String, Value>) -> Option<Untrusted> {
    let project =
        origin.get("openinference.project.name").and_then(Value::as_str).filter(|name| *name != "default");
    let service = origin
        .get("service.name")
        .and_then(Value::as_str)
        .filter(|name| !name.starts_with("unknown_service"));
    project.or(service).and_then(|name| value::short(name.to_owned()))
}

fn moment(nanos: u64) -> Option<Timestamp> {
    (nanos > 0).then(|| Timestamp::from_nanosecond(i128::from(nanos)).ok()).flatten()
}
