//! What asking may cost at most, and the name of an answer in the cache.

use serde_json::json;

use super::RunSpec;
use crate::domain::{Ask, Content, EvalCase, Price, TargetKind};
use crate::store::AnswerKey;

/// Output tokens presumed where neither the target nor an answer so far says how many there may be.
const LONGEST: u64 = 4096;
/// What a message and a request take besides their text.
const PER_MESSAGE: u64 = 16;
pub(super) const PER_REQUEST: u64 = 64;
/// Characters to a token of English, roughly.
pub(super) const PER_TOKEN: u64 = 4;

/// What is known of the cost of asking once, in US dollars.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::ops) enum Bound {
    /// It costs no more, whatever is answered.
    AtMost(f64),
    /// It should cost no more; answers so far know better.
    About(f64),
    /// Nobody can tell before the first answer.
    Unknown,
}

/// The question that a case is.
pub(super) fn ask_of(spec: &RunSpec, case: &EvalCase) -> Ask {
    Ask {
        id: case.id.to_string(),
        key: None,
        input: case.body.input.clone(),
        prompt: spec.prompt.clone(),
        json: None,
        max_tokens: None,
    }
}

/// What asking this costs at most. A token is at least a byte of what was sent.
pub(super) fn bound_of(spec: &RunSpec, ask: &Ask) -> Bound {
    if spec.target.kind == TargetKind::Recorded {
        return Bound::AtMost(0.0);
    }
    let Some(price) = spec.price else { return Bound::Unknown };
    match longest(&spec.target.kind) {
        Some(most) => Bound::AtMost(price.of(tokens_at_most(ask), most)),
        None => Bound::About(price.of(tokens_at_most(ask), LONGEST)),
    }
}

/// The tokens that an answer of the target may have, where it is told so.
pub(super) fn longest(kind: &TargetKind) -> Option<u64> {
    match kind {
        TargetKind::OpenAi(model) | TargetKind::Anthropic(model) => model.max_tokens,
        TargetKind::Http(_) | TargetKind::Command(_) | TargetKind::Recorded => None,
    }
}

/// What asking a model with this price costs at most, where the answer's length is bounded.
pub(super) fn most_usd(price: Price, max_tokens: Option<u64>, ask: &Ask) -> f64 {
    price.of(tokens_at_most(ask), max_tokens.or(ask.max_tokens).unwrap_or(LONGEST))
}

fn tokens_at_most(ask: &Ask) -> u64 {
    // As it is sent, with the names of tools and whatever else a message holds.
    let bytes = serde_json::to_string(&ask.input).map_or(0, |text| text.len())
        + ask.prompt.as_ref().map_or(0, String::len)
        + ask.json.as_ref().map_or(0, |schema| schema.to_string().len());
    let messages = match &ask.input {
        Content::Text(_) => 2,
        Content::Messages(messages) => messages.len() as u64 + 1,
    };
    bytes as u64 + messages * PER_MESSAGE + PER_REQUEST
}

/// A target's kind, and its model where it has one.
pub(super) fn kind_words(kind: &TargetKind) -> String {
    match kind {
        TargetKind::OpenAi(model) => format!("openai {}", model.model),
        TargetKind::Anthropic(model) => format!("anthropic {}", model.model),
        TargetKind::Http(_) => "http".to_owned(),
        TargetKind::Command(_) => "command".to_owned(),
        TargetKind::Recorded => "recorded".to_owned(),
    }
}

/// The name of an answer: a hash of all that decides it. `None` where the answers are in the store already.
pub(super) fn key_of(spec: &RunSpec, ask: &Ask) -> Option<AnswerKey> {
    let target = match &spec.target.kind {
        TargetKind::Recorded => return None,
        TargetKind::OpenAi(m) | TargetKind::Anthropic(m) => {
            json!([kind_words(&spec.target.kind), m.base_url, m.temperature, m.max_tokens])
        }
        TargetKind::Http(http) => json!(["http", http.url, http.headers, http.body, http.answer, ask.id]),
        TargetKind::Command(argv) => json!(["command", argv, ask.id]),
    };
    let all = json!([1, target, ask.prompt, ask.input, ask.json]);
    Some(blake3::hash(all.to_string().as_bytes()).into())
}
