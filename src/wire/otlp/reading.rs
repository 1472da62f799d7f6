//! What one span says, its attributes and events sorted by their meaning.

use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use serde_json::{Map, Value, json};

use super::attributes::{self, FIELDS, Field, Keep, List, Meaning, Whose};
use super::messages::{self, Flat};
use super::value;
use crate::domain::{ChatMessage, Untrusted};

mod facts;

/// Nanoseconds in a millisecond.
const NS_IN_MS: f64 = 1e6;

/// A span whose attributes are told apart.
pub(super) struct Reading<'a> {
    pub(super) span: &'a Span,
    fields: [Option<(usize, &'a AnyValue)>; FIELDS],
    /// Our word for the kind of step.
    pub(super) kind: String,
    pub(super) input: Said,
    pub(super) output: Said,
    /// Metadata of the whole trace.
    pub(super) of_trace: Map<String, Value>,
    /// Metadata of this step.
    pub(super) own: Map<String, Value>,
    pub(super) scores: Vec<(String, f64)>,
    /// Nanoseconds since the epoch.
    first_token: Option<u64>,
}

/// What was said at one side of a span.
#[derive(Default)]
pub(super) struct Said {
    /// As chat messages, where it can be read so.
    pub(super) messages: Option<Vec<ChatMessage>>,
    /// As it came otherwise.
    pub(super) value: Option<Value>,
}

impl Said {
    /// Whether a person can read it: messages, or text that is no JSON.
    pub(super) fn is_readable(&self) -> bool {
        self.messages.is_some() || matches!(&self.value, Some(Value::String(text)) if !text.is_empty())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_none() && matches!(&self.value, None | Some(Value::Null))
    }

    /// For a span of our format.
    pub(super) fn to_json(&self) -> Value {
        match &self.messages {
            Some(messages) => messages::to_json(messages),
            None => self.value.clone().unwrap_or_default(),
        }
    }
}

/// What attributes and events gave before it is put together.
#[derive(Default)]
struct Gathered {
    input: Flat,
    output: Flat,
    documents: Flat,
    annotations: Flat,
    asked: Vec<ChatMessage>,
    answered: Vec<ChatMessage>,
}

impl<'a> Reading<'a> {
    pub(super) fn of(span: &'a Span) -> Self {
        let mut reading = Self {
            span,
            fields: [None; FIELDS],
            kind: String::new(),
            input: Said::default(),
            output: Said::default(),
            of_trace: Map::new(),
            own: Map::new(),
            scores: Vec::new(),
            first_token: None,
        };
        let mut gathered = Gathered::default();
        reading.sort(&span.attributes, &mut gathered);
        let mut events = Vec::new();
        for event in &span.events {
            let fields = object(&event.attributes);
            if let Some((answer, message)) = messages::of_event(&event.name, &fields) {
                if answer { &mut gathered.answered } else { &mut gathered.asked }.push(message);
                continue;
            }
            match event.name.as_str() {
                "gen_ai.client.inference.operation.details"
                | "gen_ai.content.prompt"
                | "gen_ai.content.completion"
                | "exception" => reading.sort(&event.attributes, &mut gathered),
                "gen_ai.evaluation.result" if reading.evaluation(&fields) => {}
                "First Token Stream Event" | "gen_ai.first_token" => {
                    reading.first_token = Some(event.time_unix_nano);
                }
                _ => events.push(json!({
                    "name": event.name,
                    "offset_ms": ms_between(span.start_time_unix_nano, event.time_unix_nano),
                    "attributes": fields,
                })),
            }
        }
        if !events.is_empty() {
            reading.own.insert("events".to_owned(), Value::Array(events));
        }
        if let Some(message) = span.status.as_ref().map(|s| &s.message).filter(|text| !text.is_empty()) {
            reading.own.insert("status.message".to_owned(), message.as_str().into());
        }
        reading.put_together(gathered);
        reading
    }

    /// Sorts attributes by what they mean.
    fn sort(&mut self, pairs: &'a [KeyValue], gathered: &mut Gathered) {
        for pair in pairs {
            let Some(held) = &pair.value else { continue };
            match attributes::meaning(&pair.key) {
                Meaning::Field { field, rank, keep } => {
                    let place = &mut self.fields[field as usize];
                    // An empty one says less than a later one.
                    let empty = value::text(held).is_some_and(str::is_empty);
                    if !empty && place.is_none_or(|(held, _)| rank < held) {
                        *place = Some((rank, held));
                    }
                    if keep == Keep::Yes {
                        self.own.insert(pair.key.clone(), value::unfolded(held));
                    }
                }
                Meaning::Element(list, number, rest) => {
                    let flat = match list {
                        List::Input => &mut gathered.input,
                        List::Output => &mut gathered.output,
                        List::Documents => &mut gathered.documents,
                        List::Annotations => &mut gathered.annotations,
                    };
                    flat.put(number, rest, value::json(held));
                }
                Meaning::Own(whose, name) => {
                    let map = match whose {
                        Whose::Trace => &mut self.of_trace,
                        Whose::Span => &mut self.own,
                    };
                    // Langfuse writes every value as JSON, plain text in its quotes too.
                    let value = match value::text(held) {
                        Some(text) if pair.key.starts_with("langfuse.") => {
                            value::parse(text).or_else(|| serde_json::from_str(text).ok())
                        }
                        _ => None,
                    };
                    map.insert(name.to_owned(), value.unwrap_or_else(|| value::json(held)));
                }
                Meaning::Unknown => {
                    self.own.insert(pair.key.clone(), value::json(held));
                }
            }
        }
    }

    fn put_together(&mut self, gathered: Gathered) {
        if let Some(Value::Object(fields)) = self.field(Field::Metadata).map(value::unfolded) {
            self.of_trace.extend(fields);
        }
        for fields in gathered.annotations.elements() {
            self.evaluation(fields);
        }
        self.kind = self.kind_of(&gathered);
        let data = matches!(self.kind.as_str(), "tool" | "retrieval" | "embedding" | "reranker");
        self.input = self.said(
            [Field::InputMessages, Field::Input],
            gathered.input.messages("user"),
            gathered.asked,
            (data, "user"),
        );
        let instructions = self.field(Field::Instructions).map(value::unfolded);
        if let (Some(message), Some(said)) =
            (instructions.and_then(messages::instructions), &mut self.input.messages)
        {
            said.insert(0, message);
        }
        self.output = self.said(
            [Field::OutputMessages, Field::Output],
            gathered.output.messages("assistant"),
            gathered.answered,
            (data, "assistant"),
        );
        if let Some(calls) = self.field(Field::OutputCalls).map(value::unfolded) {
            let calls = messages::calls(&calls);
            if !calls.is_empty() && self.output.messages.is_none() {
                let content = self.output.value.take().unwrap_or_default();
                let said = ChatMessage { content, ..messages::said("assistant", "") };
                self.output.messages = Some(vec![ChatMessage { tool_calls: Some(calls), ..said }]);
            }
        }
        if !gathered.documents.is_empty() {
            let documents = gathered.documents.elements().cloned().map(Value::Object).collect();
            self.output = Said { messages: None, value: Some(documents) };
        } else if let Some(found) = self.field(Field::Retrieved) {
            self.output = Said { messages: None, value: Some(value::unfolded(found)) };
        }
    }

    fn said(
        &self,
        [messages, plain]: [Field; 2],
        flat: Vec<ChatMessage>,
        events: Vec<ChatMessage>,
        (data, speaker): (bool, &str),
    ) -> Said {
        let listed = self.field(messages).and_then(|held| messages::of_json(&value::unfolded(held), speaker));
        let found = listed
            .or_else(|| (!flat.is_empty()).then_some(flat))
            .or_else(|| (!events.is_empty()).then_some(events));
        if found.is_some() {
            return Said { messages: found, value: None };
        }
        let Some((rank, held)) = self.fields[plain as usize].or(self.fields[messages as usize]) else {
            return Said::default();
        };
        let mut value = value::unfolded(held);
        // OpenLLMetry writes what its decorators see as JSON, plain text in its quotes.
        if let (true, Value::String(text)) = (attributes::name_at(rank).starts_with("traceloop."), &value)
            && let Ok(inner @ Value::String(_)) = serde_json::from_str(text)
        {
            value = inner;
        }
        let messages = if data { None } else { messages::of_json(&value, speaker) };
        let value = if messages.is_some() { None } else { Some(value) };
        Said { messages, value }
    }

    fn kind_of(&self, gathered: &Gathered) -> String {
        if let Some(word) = self.field(Field::Kind).and_then(value::text) {
            return attributes::kind(word);
        }
        let has = |field| self.field(field).is_some();
        let talked = has(Field::InputMessages) || has(Field::OutputMessages) || !gathered.input.is_empty();
        if (has(Field::RequestModel) || has(Field::ResponseModel)) && (talked || has(Field::TokensOut)) {
            return "llm".to_owned();
        }
        if has(Field::ToolName) {
            return "tool".to_owned();
        }
        if !gathered.documents.is_empty() || has(Field::Retrieved) {
            return "retrieval".to_owned();
        }
        let kind = SpanKind::try_from(self.span.kind).unwrap_or(SpanKind::Unspecified);
        let word = kind.as_str_name().trim_start_matches("SPAN_KIND_").to_lowercase();
        if word == "unspecified" { "internal".to_owned() } else { word }
    }

    /// Takes the score of an evaluation; gives whether that says all of it.
    fn evaluation(&mut self, fields: &Map<String, Value>) -> bool {
        let find = |ends: &[&str]| fields.iter().find(|(name, _)| ends.iter().any(|end| name.ends_with(end)));
        let name = find(&[".name", "evaluation.name"]).and_then(|(_, value)| value.as_str());
        let score = find(&[".score.value", "annotation.score", "evaluation.score"]);
        if let (Some(name), Some(score)) = (name, score.and_then(|(_, value)| value.as_f64())) {
            self.scores.extend(value::short(name.to_owned()).map(|name| (name.into_raw(), score)));
            return fields.len() == 2;
        }
        false
    }

    /// The value of a field, in the spelling that counts most.
    pub(super) fn field(&self, field: Field) -> Option<&'a AnyValue> {
        self.fields[field as usize].map(|(_, value)| value)
    }

    pub(super) fn name(&self, field: Field) -> Option<Untrusted> {
        self.field(field).and_then(value::name)
    }

    /// The model that answered, else the one that was asked.
    pub(super) fn model(&self) -> Option<Untrusted> {
        let parameter = || match self.field(Field::Parameters).map(value::unfolded) {
            Some(Value::Object(mut parameters)) => match parameters.remove("model") {
                Some(Value::String(model)) => value::short(model),
                _ => None,
            },
            _ => None,
        };
        self.name(Field::ResponseModel).or_else(|| self.name(Field::RequestModel)).or_else(parameter)
    }
}

/// A sum of binary fractions brought back to the decimal one that it was: to a millionth of a millionth.
pub(super) fn decimal(dollars: f64) -> f64 {
    (dollars * 1e12).round() / 1e12
}

/// Attributes as a JSON object.
pub(super) fn object(pairs: &[KeyValue]) -> Map<String, Value> {
    pairs
        .iter()
        .map(|pair| (pair.key.clone(), pair.value.as_ref().map_or(Value::Null, value::json)))
        .collect()
}

/// Milliseconds between two moments in nanoseconds; negative when the second is earlier.
pub(super) fn ms_between(from: u64, to: u64) -> f64 {
    if to >= from { (to - from) as f64 / NS_IN_MS } else { -((from - to) as f64 / NS_IN_MS) }
}
