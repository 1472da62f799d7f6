//! Targets: what produces outputs for a run. What a team says of one, what it is asked, what it answers.
//!
//! Pure; asking is in `wire::target`.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Content, Untrusted};

/// A target as `[targets.NAME]` of the configuration says it.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetSpec {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: TargetKind,
    /// The prompt before each case: `customer_support@v4`, a file under `prompts/`.
    pub prompt: Option<String>,
    /// How hard it may be driven.
    pub limits: TargetLimits,
}

/// What a target is. Keys come from the environment variable that `api_key_env` names.
#[derive(Debug, Clone, PartialEq)]
pub enum TargetKind {
    /// An OpenAI-compatible endpoint: `POST {base_url}/chat/completions`.
    OpenAi(ModelSpec),
    /// Anthropic's Messages API: `POST {base_url}/v1/messages`.
    Anthropic(ModelSpec),
    /// Any HTTP endpoint.
    Http(HttpSpec),
    /// A program: the case as JSON on its standard input, the answer on its standard output. No shell.
    Command(Vec<String>),
    /// The outputs that are in the traces already.
    Recorded,
}

/// A model behind an API.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelSpec {
    /// The address, as in `http://127.0.0.1:8080/v1`.
    pub base_url: String,
    /// The model's name.
    pub model: String,
    /// The variable that holds the key.
    pub api_key_env: Option<String>,
    /// Left to the endpoint where it is not said.
    pub temperature: Option<f64>,
    /// The most tokens that an answer may have.
    pub max_tokens: Option<u64>,
}

/// An HTTP endpoint of the team's own.
#[derive(Debug, Clone, PartialEq)]
pub struct HttpSpec {
    /// The address.
    pub url: String,
    /// Headers beside the usual ones.
    pub headers: BTreeMap<String, String>,
    /// The variable whose value is sent as `Authorization: Bearer …`.
    pub api_key_env: Option<String>,
    /// The body: a minijinja template over `input`, `messages`, `prompt`, `id`.
    pub body: String,
    /// The JSON Pointer to the answer.
    pub answer: String,
}

/// How hard a target may be driven.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetLimits {
    /// Requests at a time.
    pub concurrency: usize,
    /// Requests in a minute.
    pub requests_per_minute: Option<u32>,
    /// Tokens in a minute, those asked and those answered.
    pub tokens_per_minute: Option<u32>,
    /// How long one case may take, all attempts together.
    pub timeout: Duration,
    /// Attempts at one case, the first among them.
    pub attempts: u32,
}

impl Default for TargetLimits {
    fn default() -> Self {
        Self {
            concurrency: 8,
            requests_per_minute: None,
            tokens_per_minute: None,
            timeout: Duration::from_secs(60),
            attempts: 4,
        }
    }
}

/// What a model's tokens cost, from `[prices."MODEL"]`, in US dollars a million.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Tokens that go in.
    pub input: f64,
    /// Tokens that come out.
    pub output: f64,
}

impl Price {
    /// The cost of so many tokens, in US dollars.
    pub fn of(&self, tokens_in: u64, tokens_out: u64) -> f64 {
        (self.input * tokens_in as f64 + self.output * tokens_out as f64) / 1e6
    }
}

/// One question to a target.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    /// The id of the case, for targets that want it.
    pub id: String,
    /// Names this very question, so that a target that knows `Idempotency-Key` answers it once however often it
    /// is sent; `None` where nothing is lost by asking twice.
    pub key: Option<String>,
    /// What goes in.
    pub input: Content,
    /// The standing instructions before it: the text of the target's prompt.
    pub prompt: Option<String>,
    /// The answer must be a JSON object of this schema, where the target can be told so.
    pub json: Option<serde_json::Value>,
    /// The most tokens that the answer may have, where the target sets no limit of its own.
    pub max_tokens: Option<u64>,
}

/// What a target answered.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The answer: text, or one assistant message with its tool calls.
    pub output: Content,
    /// From the first byte sent to the last received of the attempt that succeeded, in milliseconds. Not a
    /// number where it is not known, as in a trace that does not say it; then `null` in JSON.
    #[serde(default = "unknown", deserialize_with = "null_is_unknown")]
    pub latency_ms: f64,
    /// Tokens that went in, where the target says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_in: Option<u64>,
    /// Tokens that came out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_out: Option<u64>,
    /// What it cost, in US dollars, where tokens and price are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    /// The model that answered, as it names itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The request's id at the target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

fn unknown() -> f64 {
    f64::NAN
}

fn null_is_unknown<'de, D: serde::Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    Ok(Option::<f64>::deserialize(from)?.unwrap_or_else(unknown))
}

/// Why a target gave no answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AskError {
    /// What kind of failure it is.
    pub kind: AskErrorKind,
    /// What happened, in a sentence. May quote the target; never holds a key.
    pub what: Untrusted,
    /// How long the target wants to be left alone, where it says so.
    #[serde(skip)]
    pub retry_after: Option<Duration>,
}

/// Kinds of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AskErrorKind {
    /// No answer in time.
    Timeout,
    /// Refused for volume (429).
    RateLimit,
    /// The target failed (5xx) or could not be reached.
    Unavailable,
    /// The connection broke after the request was sent, or in the middle of the answer.
    Cut,
    /// The request was refused (4xx): asking again changes nothing.
    Refused,
    /// What came back cannot be read as an answer.
    Unreadable,
    /// The run was stopped.
    Cancelled,
    /// The program was killed while the target was answering: it may have been paid, so it is not asked
    /// again unless a person says so.
    Interrupted,
}

impl AskErrorKind {
    /// Whether asking again may help.
    pub fn is_passing(self) -> bool {
        matches!(self, Self::Timeout | Self::RateLimit | Self::Unavailable | Self::Cut | Self::Unreadable)
    }

    /// Whether the target may have done its work, and be paid for it, although no answer came of it.
    pub fn may_be_paid(self) -> bool {
        match self {
            Self::Timeout | Self::Cut | Self::Unreadable | Self::Cancelled | Self::Interrupted => true,
            Self::RateLimit | Self::Unavailable | Self::Refused => false,
        }
    }

    /// Its words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Timeout => "no answer in time",
            Self::RateLimit => "rate limit",
            Self::Unavailable => "unavailable",
            Self::Cut => "connection cut",
            Self::Refused => "refused",
            Self::Unreadable => "unreadable answer",
            Self::Cancelled => "stopped",
            Self::Interrupted => "killed while it was asked",
        }
    }
}

/// Where embeddings come from besides the embedded default: `[embedders.NAME]`.
#[derive(Debug, Clone, PartialEq)]
pub struct EmbedderSpec {
    /// Its name.
    pub name: String,
    /// `POST {base_url}/embeddings`.
    pub base_url: String,
    /// The model's name.
    pub model: String,
    /// The variable that holds the key.
    pub api_key_env: Option<String>,
    /// The cosine from which texts count as the same; 0.85 where it is not said.
    pub threshold: Option<f64>,
}

/// All that the configuration says of evaluating.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EvalConfig {
    /// The folder of `tuesday.toml`, or the one the program was started in: files are named from here.
    pub home: std::path::PathBuf,
    /// The configuration that was read, to name a place in it.
    pub file: Option<std::path::PathBuf>,
    /// `[[evaluator]]`, with the line of each in the file.
    pub evaluators: Vec<(super::Evaluator, usize)>,
    /// `[targets.NAME]`.
    pub targets: Vec<TargetSpec>,
    /// The line of each in the file, to name its place.
    pub target_lines: BTreeMap<String, usize>,
    /// `[prices."MODEL"]`.
    pub prices: BTreeMap<String, Price>,
    /// `[embedders.NAME]`.
    pub embedders: Vec<EmbedderSpec>,
    /// `similarity_threshold`: that of the embedded embedder, where a calibration found another.
    pub similarity_threshold: Option<f64>,
    /// `judge`: the target that judges where an evaluator names none.
    pub judge: Option<String>,
    /// `prompts_dir`: the folder of the team's prompts; `prompts` beside the configuration where it is not said.
    pub prompts_dir: std::path::PathBuf,
    /// `gates_dir`: the folder of the gate files; `gates` beside the configuration where it is not said.
    pub gates_dir: std::path::PathBuf,
    /// The rules of the monitors: a gate asks whether the feature is watched.
    pub rules: Vec<super::monitor::Rule>,
}
