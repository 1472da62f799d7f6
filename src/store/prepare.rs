//! A trace made ready for the store, off the writer's thread: hashed, taken apart, compressed.

use jiff::Timestamp;
use serde::Serialize;
use xxhash_rust::xxh3::Xxh3;

use super::body::{BodyEncoder, Dictionary};
use super::flags;
use super::ids::id_hash;
use super::names::NameKind;
use crate::domain::{Content, FeedbackKind, Result, Thumbs, Trace, Untrusted};
use crate::text::trace_language;

/// A trace ready to be written.
pub struct Prepared {
    pub(super) id: Untrusted,
    pub(super) id_hash: i64,
    pub(super) content_hash: i64,
    pub(super) ts: i64,
    pub(super) session_hash: Option<i64>,
    pub(super) user_hash: Option<i64>,
    /// Feature, model, prompt, prompt version, experiment, arm.
    pub(super) names: [Option<Untrusted>; 6],
    /// As the source states it, else as the text tells it.
    pub(super) language: Option<String>,
    pub(super) latency_us: Option<i64>,
    pub(super) ttft_us: Option<i64>,
    pub(super) tokens_in: Option<i64>,
    pub(super) tokens_out: Option<i64>,
    pub(super) cost_nusd: Option<i64>,
    pub(super) flags: i64,
    pub(super) feedback: Vec<FeedbackRow>,
    pub(super) scores: Vec<(String, f64)>,
    pub(super) tags: Vec<Untrusted>,
    pub(super) body: Vec<u8>,
    /// The spans that the trace was made of, in the stored form of a body.
    pub(super) spans: Option<Vec<u8>>,
    /// The body before compression, where a dictionary is still to be trained.
    pub(super) sample: Option<Vec<u8>>,
}

impl Prepared {
    /// About how many bytes it holds, for bounding batches.
    pub fn weight(&self) -> usize {
        let said: usize = self.feedback.iter().map(|f| f.comment.as_ref().map_or(0, |c| c.raw().len())).sum();
        512 + self.body.len()
            + self.spans.as_ref().map_or(0, Vec::len)
            + self.sample.as_ref().map_or(0, Vec::len)
            + said
    }
}

/// The names of the columns of [`Prepared::names`].
pub(super) const NAME_KINDS: [NameKind; 6] = [
    NameKind::Feature,
    NameKind::Model,
    NameKind::Prompt,
    NameKind::PromptVersion,
    NameKind::Experiment,
    NameKind::Arm,
];

/// A row of `feedback`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FeedbackRow {
    pub(super) kind: i64,
    pub(super) ts: i64,
    pub(super) comment: Option<Untrusted>,
}

impl FeedbackRow {
    /// The stored number of a kind.
    pub(super) fn kind_of(kind: FeedbackKind) -> i64 {
        match kind {
            FeedbackKind::Thumbs(Thumbs::Up) => 1,
            FeedbackKind::Thumbs(Thumbs::Down) => 2,
            FeedbackKind::Report => 3,
            FeedbackKind::FollowUp => 4,
        }
    }

    /// The kind behind a stored number.
    pub(super) fn kind(number: i64) -> FeedbackKind {
        match number {
            1 => FeedbackKind::Thumbs(Thumbs::Up),
            2 => FeedbackKind::Thumbs(Thumbs::Down),
            3 => FeedbackKind::Report,
            _ => FeedbackKind::FollowUp,
        }
    }
}

/// The bits that a trace's feedback sets: of several thumbs the latest counts.
pub(super) fn feedback_flags(feedback: &[FeedbackRow]) -> i64 {
    let mut bits = if feedback.is_empty() { 0 } else { flags::HAS_FEEDBACK };
    let thumb = feedback.iter().filter(|f| f.kind <= 2).max_by_key(|f| f.ts);
    bits |= thumb.map_or(0, |f| if f.kind == 1 { flags::UP } else { flags::DOWN });
    for f in feedback {
        bits |= match f.kind {
            3 => flags::REPORT,
            4 => flags::FOLLOW_UP,
            _ => 0,
        };
    }
    bits
}

/// What the body says; what the row's columns hold exactly is not said again.
#[derive(Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    session: &'a Option<Untrusted>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: &'a Option<Untrusted>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<Timestamp>,
    input: &'a Content,
    output: &'a Content,
    #[serde(skip_serializing_if = "Option::is_none")]
    latency_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttft_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost_usd: Option<f64>,
    #[serde(skip_serializing_if = "<[Untrusted]>::is_empty")]
    tags: &'a [Untrusted],
    #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
    metadata: &'a serde_json::Map<String, serde_json::Value>,
    #[serde(skip_serializing_if = "<[crate::domain::Span]>::is_empty")]
    spans: &'a [crate::domain::Span],
}

impl<'a> Body<'a> {
    fn of(trace: &'a Trace, latency: Scaled, ttft: Scaled, cost: Scaled) -> Self {
        Self {
            session: &trace.session,
            user: &trace.user,
            time: trace.time.filter(|time| time.subsec_nanosecond() % 1_000_000 != 0),
            input: &trace.input,
            output: &trace.output,
            latency_ms: latency.rest,
            ttft_ms: ttft.rest,
            cost_usd: cost.rest,
            tags: &trace.tags,
            metadata: &trace.metadata,
            spans: &trace.spans,
        }
    }

    fn write(&self, json: &mut Vec<u8>) -> Result<()> {
        json.clear();
        serde_json::to_writer(json, self)
            .map_err(|e| crate::domain::Error::failed("A trace could not be written as JSON.").because(e))
    }
}

/// A figure as the column's whole number, and whether that is all there is to it.
#[derive(Clone, Copy)]
struct Scaled {
    whole: Option<i64>,
    rest: Option<f64>,
}

impl Scaled {
    fn of(value: Option<f64>, unit: f64) -> Self {
        let whole = value.map(|v| (v * unit).round() as i64);
        let exact = whole.map(|w| w as f64 / unit) == value;
        Self { whole, rest: if exact { None } else { value } }
    }
}

/// Units of the columns in their fields' units.
pub(super) const US_IN_MS: f64 = 1e3;
pub(super) const NUSD_IN_USD: f64 = 1e9;

/// Makes traces ready; each worker thread has its own.
pub struct Preparer {
    encoder: BodyEncoder,
    json: Vec<u8>,
    /// The body with its keys sorted, where they came otherwise.
    sorted: Vec<u8>,
    keep_samples: bool,
    feature: Option<Untrusted>,
}

impl Preparer {
    /// One that compresses with this dictionary; without one it keeps samples to train it.
    pub fn new(dictionary: Option<&Dictionary>) -> Result<Self> {
        Ok(Self {
            encoder: BodyEncoder::new(dictionary)?,
            json: Vec::new(),
            sorted: Vec::new(),
            keep_samples: dictionary.is_none(),
            feature: None,
        })
    }

    /// Gives this feature to traces that name none. What a trace's content is, does not change by that:
    /// the same trace imported without it is the same trace.
    pub fn with_feature(self, feature: Option<Untrusted>) -> Self {
        Self { feature, ..self }
    }

    /// Makes ready a trace that was made of these spans; more of them may come.
    pub fn prepare_spans(&mut self, trace: Trace, spans: &[u8], arrival: Timestamp) -> Result<Prepared> {
        let prepared = self.prepare(trace, arrival)?;
        Ok(Prepared { spans: Some(self.encoder.encode(spans)?), ..prepared })
    }

    /// Makes a trace ready. One without a time gets the time of `arrival`, one without an id gets one
    /// derived from its content: the same content, the same id. The keys of objects keep the order they
    /// came in, which is no part of the content.
    pub fn prepare(&mut self, mut trace: Trace, arrival: Timestamp) -> Result<Prepared> {
        let mut bits = flags::of_status(trace.status, trace.error_kind);
        if trace.fallback {
            bits |= flags::FALLBACK;
        }
        if !trace.spans.is_empty() {
            bits |= flags::SPANS;
        }
        if calls_tools(&trace.input) || calls_tools(&trace.output) {
            bits |= flags::TOOL_CALLS;
        }
        if !trace.score.is_empty() {
            bits |= flags::HAS_SCORE;
        }
        let ts = match trace.time {
            Some(time) => time.as_millisecond(),
            None => {
                bits |= flags::ARRIVAL_TIME;
                arrival.as_millisecond()
            }
        };
        let latency = Scaled::of(trace.latency_ms, US_IN_MS);
        let ttft = Scaled::of(trace.ttft_ms, US_IN_MS);
        let cost = Scaled::of(trace.cost_usd, NUSD_IN_USD);
        Body::of(&trace, latency, ttft, cost).write(&mut self.json)?;
        let content = if trace.sort_keys() {
            Body::of(&trace, latency, ttft, cost).write(&mut self.sorted)?;
            &self.sorted
        } else {
            &self.json
        };
        let language = trace_language(&trace);
        if language.as_ref().is_some_and(|language| language.guessed) {
            bits |= flags::GUESSED_LANGUAGE;
        }
        let language = language.map(|language| language.name);
        let mut names =
            [trace.feature, trace.model, trace.prompt, trace.prompt_version, trace.experiment, trace.arm];
        let tokens_in = trace.tokens_in.and_then(|n| i64::try_from(n).ok());
        let tokens_out = trace.tokens_out.and_then(|n| i64::try_from(n).ok());

        let mut seen = Hashed(Xxh3::new(), blake3::Hasher::new(), trace.id.is_empty());
        seen.bytes(content);
        for name in &names {
            seen.bytes(name.as_ref().map_or(&[][..], |n| n.raw().as_bytes()));
        }
        let given_ts = trace.time.map(|_| ts);
        let stated = bits
            & (flags::ERROR
                | flags::TIMEOUT
                | flags::RATE_LIMIT
                | flags::CONTENT_POLICY
                | flags::OTHER
                | flags::FALLBACK);
        for number in [given_ts, latency.whole, ttft.whole, tokens_in, tokens_out, cost.whole, Some(stated)] {
            seen.bytes(&number.map_or([0; 9], |n| {
                let mut bytes = [1; 9];
                bytes[1..].copy_from_slice(&n.to_le_bytes());
                bytes
            }));
        }
        let content_hash = seen.0.digest().cast_signed();
        if names[0].is_none() {
            names[0].clone_from(&self.feature);
        }
        let id = if trace.id.is_empty() {
            bits |= flags::DERIVED_ID;
            let mut sixteen = [0; 16];
            sixteen.copy_from_slice(&seen.1.finalize().as_bytes()[..16]);
            Untrusted::new(uuid::Builder::from_custom_bytes(sixteen).into_uuid().to_string())
        } else {
            trace.id
        };

        let feedback: Vec<FeedbackRow> = trace
            .feedback
            .into_iter()
            .map(|f| FeedbackRow {
                kind: FeedbackRow::kind_of(f.kind),
                ts: f.time.map_or(ts, |time| time.as_millisecond()),
                comment: f.comment,
            })
            .collect();
        bits |= feedback_flags(&feedback);
        Ok(Prepared {
            id_hash: id_hash(id.raw()),
            id,
            content_hash,
            ts,
            session_hash: trace.session.as_ref().map(|s| id_hash(s.raw())),
            user_hash: trace.user.as_ref().map(|u| id_hash(u.raw())),
            names,
            language,
            latency_us: latency.whole,
            ttft_us: ttft.whole,
            tokens_in,
            tokens_out,
            cost_nusd: cost.whole,
            flags: bits,
            feedback,
            scores: trace.score.into_iter().collect(),
            tags: trace.tags,
            body: self.encoder.encode(&self.json)?,
            spans: None,
            sample: self.keep_samples.then(|| self.json.clone()),
        })
    }
}

/// Hashes pieces with their lengths, so that no two lists of pieces run together. The slower, wider
/// hash runs only where an id is made of it.
struct Hashed(Xxh3, blake3::Hasher, bool);

impl Hashed {
    fn bytes(&mut self, bytes: &[u8]) {
        let length = (bytes.len() as u64).to_le_bytes();
        self.0.update(&length);
        self.0.update(bytes);
        if self.2 {
            self.1.update(&length);
            self.1.update(bytes);
        }
    }
}

fn calls_tools(content: &Content) -> bool {
    match content {
        Content::Text(_) => false,
        Content::Messages(messages) => {
            messages.iter().any(|m| m.tool_calls.as_ref().is_some_and(|calls| !calls.is_empty()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is stored must be recognised by every later version.
    #[test]
    fn hashes_of_content_stay_as_they_are() {
        let line = include_str!("../../fixtures/examples/traces.jsonl").lines().nth(2).unwrap();
        let mut trace: Trace = serde_json::from_str(line).unwrap();
        let mut preparer = Preparer::new(None).unwrap();
        let mut prepared = |trace: &Trace| preparer.prepare(trace.clone(), Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(prepared(&trace).content_hash, -8212427101791760991);
        assert_eq!(prepared(&trace).id_hash, 3453181627048058534);
        trace.id = Untrusted::default();
        assert_eq!(prepared(&trace).id.raw(), "8a0ff9e8-b6ca-86bb-97cb-cc969823b0d3");
        // Feedback and scores come later; everything else is what the trace is.
        let same = prepared(&trace);
        trace.score.insert("tone".to_owned(), 0.5);
        assert_eq!(prepared(&trace).id, same.id);
        trace.tokens_in = Some(1);
        assert_ne!(prepared(&trace).id, same.id);
        assert_ne!(prepared(&trace).content_hash, same.content_hash);
    }
}
