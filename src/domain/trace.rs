//! A trace: one production request to the feature and its response, with all that is known of it.
//!
//! The serde form of [`Trace`] *is* the `tuesday` JSONL format (`tuesday help formats`,
//! `fixtures/trace.schema.json`): one trace a line, all fields but `input` and `output` optional.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Untrusted;

/// One request and its response.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// Unique name of the trace. Derived from the content when the source has none.
    #[serde(default, skip_serializing_if = "Untrusted::is_empty")]
    pub id: Untrusted,
    /// The conversation it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<Untrusted>,
    /// The end user, in whatever form the source names users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<Untrusted>,
    /// When the request was made. `None` only before import, which then takes the time of arrival.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Timestamp>,
    /// The LLM feature, such as `customer_support`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feature: Option<Untrusted>,
    /// The model that answered, such as `gpt-4o`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<Untrusted>,
    /// The name of the prompt, such as `customer_support`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<Untrusted>,
    /// The version of the prompt, such as `v4`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt_version: Option<Untrusted>,
    /// What went in.
    pub input: Content,
    /// What came out. Empty text for a request that failed.
    pub output: Content,
    /// Whole time of the request in milliseconds, >= 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<f64>,
    /// Time to the first token in milliseconds, >= 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttft_ms: Option<f64>,
    /// Tokens read by the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_in: Option<u64>,
    /// Tokens written by the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_out: Option<u64>,
    /// Cost in US dollars, >= 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    /// Whether the request worked. Missing means `ok`.
    #[serde(default)]
    pub status: Status,
    /// Why it failed, with `status: error`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_kind: Option<FailureKind>,
    /// Whether a fallback (a rule, a human, a second model) answered instead.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fallback: bool,
    /// What the end user said about it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub feedback: Vec<Feedback>,
    /// Figures that an evaluator, a judge or a source platform gave it, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub score: BTreeMap<String, f64>,
    /// The experiment it took part in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub experiment: Option<Untrusted>,
    /// Its side of the experiment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arm: Option<Untrusted>,
    /// Free tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Untrusted>,
    /// Whatever else the source knew.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub metadata: serde_json::Map<String, serde_json::Value>,
    /// The steps inside: model calls, tool calls, retrievals.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spans: Vec<Span>,
}

/// Input or output: plain text, or OpenAI-style chat messages.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Content {
    /// Plain text.
    Text(Untrusted),
    /// Chat messages in order.
    Messages(Vec<ChatMessage>),
}

impl Default for Content {
    fn default() -> Self {
        Self::Text(Untrusted::default())
    }
}

/// One chat message in OpenAI form.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ChatMessage {
    /// `system`, `developer`, `user`, `assistant`, `tool`.
    pub role: Untrusted,
    /// A string, null, or a list of content parts.
    pub content: serde_json::Value,
    /// Tools the assistant asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_calls: Option<Vec<ToolCall>>,
    /// With role `tool`: the call it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_call_id: Option<Untrusted>,
    /// The name of the tool or participant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Untrusted>,
    /// Whatever else the source wrote (`refusal`, `audio`, …): kept so that nothing is lost.
    #[serde(flatten)]
    pub extra: serde_json::Map<String, serde_json::Value>,
}

/// A tool call in a message.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ToolCall {
    /// Joins the call with the `tool` message that answers it.
    #[serde(default)]
    pub id: Untrusted,
    /// `function`.
    #[serde(default, rename = "type")]
    pub kind: Untrusted,
    /// What is called, with what.
    pub function: FunctionCall,
}

/// Name and arguments of a tool call.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FunctionCall {
    /// The tool's name.
    pub name: Untrusted,
    /// Arguments: JSON in a string, as OpenAI writes it, or JSON itself.
    #[serde(default)]
    pub arguments: serde_json::Value,
}

/// Whether a request worked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It worked.
    #[default]
    Ok,
    /// It failed; see [`Trace::error_kind`].
    Error,
}

/// Why a request failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// No answer in time.
    Timeout,
    /// The provider refused for volume.
    RateLimit,
    /// The provider refused for content.
    ContentPolicy,
    /// Anything else.
    Other,
}

/// One thing that the end user said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Feedback {
    /// What kind.
    #[serde(flatten)]
    pub kind: FeedbackKind,
    /// In the user's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<Untrusted>,
    /// When; missing means the trace's own time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Timestamp>,
}

/// Kinds of feedback. On the wire `{"kind":"thumbs","value":"down"}`, `{"kind":"report"}`, `{"kind":"follow_up"}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "value", rename_all = "snake_case")]
pub enum FeedbackKind {
    /// A thumb, up or down.
    Thumbs(Thumbs),
    /// The user reported the answer.
    Report,
    /// The user had to ask again.
    FollowUp,
}

/// Direction of a thumb.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Thumbs {
    /// Good.
    Up,
    /// Bad.
    Down,
}

/// One step inside a trace.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Span {
    /// What was done.
    pub name: Untrusted,
    /// `llm`, `tool`, `retrieval`, or the source's own word.
    #[serde(default)]
    pub kind: Untrusted,
    /// Milliseconds after the trace's start.
    #[serde(default)]
    pub offset_ms: f64,
    /// How long it took, in milliseconds.
    #[serde(default)]
    pub duration_ms: f64,
    /// What went in.
    #[serde(default)]
    pub input: serde_json::Value,
    /// What came out.
    #[serde(default)]
    pub output: serde_json::Value,
    /// Its name among the spans of its trace, where the source gives one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Untrusted>,
    /// The id of the span that it is a step of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Untrusted>,
    /// Whether it worked.
    #[serde(default, skip_serializing_if = "Status::is_ok")]
    pub status: Status,
    /// The model that answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<Untrusted>,
    /// Tokens read by the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_in: Option<u64>,
    /// Tokens written by the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_out: Option<u64>,
    /// Cost in US dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    /// Whatever else the source knew.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub metadata: serde_json::Map<String, serde_json::Value>,
}

impl Status {
    /// Whether it worked.
    pub fn is_ok(&self) -> bool {
        *self == Self::Ok
    }
}
