//! Runs: an eval set put through a target. The head of a run is written before anything is asked, each
//! result as it lands; what a run came to is derived from its results.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::evaluate::{Assessment, Outcome, Subject, together};
use super::target::{Answer, AskError};
use super::{CaseId, Content, Error, EvalCase, ExpectedKind, Result, Untrusted};

/// The name of a run, unique in a store: `[A-Za-z0-9._-]`, 1 to 64 long.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunName(String);

impl RunName {
    /// Checks a name.
    pub fn parse(text: &str) -> Result<Self> {
        let fine = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        if (1..=64).contains(&text.len()) && text.bytes().all(fine) {
            return Ok(Self(text.to_owned()));
        }
        Err(Error::usage(format!("\"{text}\" cannot be the name of a run."))
            .hint("Use letters, digits, `.`, `_` and `-` (at most 64)."))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for RunName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.0)
    }
}

/// The head of a run: what was to be done. Never changes. Its serde form is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunHead {
    /// Its name.
    pub name: RunName,
    /// The eval set.
    pub set: String,
    /// The version of the set that was taken.
    pub set_version: u64,
    /// The name of the target.
    pub target: String,
    /// The kind of target, and its model where it has one: `openai small`.
    pub target_kind: String,
    /// The prompt before each case: `customer_support@v4`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// SHA-256 of the prompt's text, hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt_hash: Option<String>,
    /// The evaluators of the set: (name, version). A case's own come beside them.
    pub evaluators: Vec<(String, String)>,
    /// How many cases it has.
    pub cases: u64,
    /// The most that it may cost, in US dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_usd: Option<f64>,
    /// When it began.
    pub at: Timestamp,
    /// Who began it.
    pub by: String,
    /// The program's version.
    pub program: String,
}

/// What came of one case. Its serde form is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseResult {
    /// The case.
    pub case: CaseId,
    /// Its kind of edge case.
    pub category: Untrusted,
    /// What went in, as it was then.
    pub input: Content,
    /// What was expected, as it was then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<Untrusted>,
    /// How that is meant.
    #[serde(default)]
    pub expected_kind: ExpectedKind,
    /// The trace that the case came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<Untrusted>,
    /// The answer, or why there is none.
    #[serde(flatten)]
    pub answered: Answered,
    /// What the evaluators say of it.
    #[serde(default)]
    pub assessments: Vec<Assessment>,
    /// The answer came from the cache: nothing was asked and nothing paid.
    #[serde(default)]
    pub cached: bool,
    /// Attempts that it took, the last among them.
    pub attempts: u32,
    /// When it landed.
    pub at: Timestamp,
}

/// An answer, or why there is none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answered {
    /// The target answered.
    Answer(Answer),
    /// It did not.
    Error(AskError),
}

impl CaseResult {
    /// What came of a case, with what the case says now; not evaluated yet, and not from the cache.
    pub fn new(case: &EvalCase, answered: Answered, attempts: u32, at: Timestamp) -> Self {
        Self {
            case: case.id.clone(),
            category: case.body.category.clone(),
            input: case.body.input.clone(),
            expected: case.body.expected.clone(),
            expected_kind: case.body.expected_kind,
            trace: case.body.trace.clone(),
            answered,
            assessments: Vec::new(),
            cached: false,
            attempts,
            at,
        }
    }

    /// What it came to: without an answer it is an error, counted apart from the failures.
    pub fn outcome(&self) -> Outcome {
        match &self.answered {
            Answered::Answer(_) => together(&self.assessments),
            Answered::Error(_) => Outcome::Error,
        }
    }

    /// The answer, where there is one.
    pub fn answer(&self) -> Option<&Answer> {
        match &self.answered {
            Answered::Answer(answer) => Some(answer),
            Answered::Error(_) => None,
        }
    }

    /// What is to be evaluated, where there is an answer.
    pub fn subject(&self) -> Option<Subject<'_>> {
        self.answer().map(|answer| Subject {
            input: &self.input,
            output: &answer.output,
            expected: self.expected.as_ref(),
            expected_kind: self.expected_kind,
            latency_ms: answer.latency_ms.is_finite().then_some(answer.latency_ms),
            cost_usd: answer.cost_usd,
            tokens_out: answer.tokens_out,
        })
    }

    /// What it cost in this run, in US dollars, judges included: nothing where it came from the cache.
    pub fn paid_usd(&self) -> f64 {
        let answer = if self.cached { None } else { self.answer().and_then(|answer| answer.cost_usd) };
        let judges = self.assessments.iter().filter_map(|one| one.cost_usd).sum::<f64>();
        answer.unwrap_or(0.0) + judges
    }
}

/// A run with where it stands. It is over when it has a result of every case, or was ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// What was to be done.
    pub head: RunHead,
    /// Results that landed.
    pub done: u64,
    /// Why it ended before its end: the spending limit, a wish to stop. `None`: over, at work, or killed.
    pub stopped: Option<String>,
}
