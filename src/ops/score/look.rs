//! What a rule sees and what it says.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::OnceLock;

use serde_json::{Map, Value};

use super::fold;
use crate::domain::{ExpectedKind, Outcome, Score, Subject};

/// Bytes that an explanation may have: it may quote an answer of any size.
const LONGEST: usize = 600;
/// Characters of a quotation.
const QUOTED: usize = 80;

/// Decides at once.
pub(super) trait Rule: Send + Sync {
    /// What it says of an answer.
    fn decide(&self, look: &Look<'_>) -> Finding;
}

/// An answer, with what several rules need of it, worked out once.
pub(super) struct Look<'a> {
    pub subject: Subject<'a>,
    /// The answer's text.
    pub text: &'a str,
    folded: OnceLock<String>,
    json: OnceLock<Result<Value, NotJson>>,
}

/// Why a text is not JSON, and where.
#[derive(Debug, Clone)]
pub(super) struct NotJson {
    pub what: String,
    pub span: Option<Range<usize>>,
}

impl<'a> Look<'a> {
    pub fn new(subject: Subject<'a>, text: &'a str) -> Self {
        Self { subject, text, folded: OnceLock::new(), json: OnceLock::new() }
    }

    /// The text folded for comparing without case.
    pub fn folded(&self) -> &str {
        self.folded.get_or_init(|| fold::fold(self.text, false))
    }

    /// The text as JSON.
    pub fn json(&self) -> Result<&Value, &NotJson> {
        self.json.get_or_init(|| parse(self.text)).as_ref()
    }

    /// The expected answer, when one is expected and it is the answer itself.
    pub fn expected_output(&self) -> Option<&'a str> {
        let is_output = self.subject.expected_kind == ExpectedKind::Output;
        self.subject.expected.filter(|_| is_output).map(|expected| expected.raw())
    }
}

fn parse(text: &str) -> Result<Value, NotJson> {
    serde_json::from_str(text).map_err(|e| {
        let before: usize = text.split_inclusive('\n').take(e.line().saturating_sub(1)).map(str::len).sum();
        let at = text.floor_char_boundary((before + e.column().saturating_sub(1)).min(text.len()));
        let span = text[at..].chars().next().map(|c| at..at + c.len_utf8());
        let fence = if text.trim_start().starts_with("```") { " (it stands in a code fence)" } else { "" };
        NotJson { what: format!("The answer is not JSON{fence}: {e}."), span }
    })
}

/// What a rule came to.
#[derive(Debug, Clone)]
pub(super) struct Finding {
    pub outcome: Outcome,
    pub score: Option<Score>,
    pub explanation: String,
    pub span: Option<Range<usize>>,
    pub criteria: BTreeMap<String, f64>,
    pub by: Option<String>,
    pub cost_usd: Option<f64>,
}

impl Finding {
    /// Pass or fail, with 1 or 0 of 1 as its score.
    pub fn of(pass: bool, explanation: impl Into<String>) -> Self {
        let outcome = if pass { Outcome::Pass } else { Outcome::Fail };
        Self::new(outcome, explanation).share(f64::from(u8::from(pass)))
    }

    pub fn error(explanation: impl Into<String>) -> Self {
        Self::new(Outcome::Error, explanation)
    }

    pub fn new(outcome: Outcome, explanation: impl Into<String>) -> Self {
        Self {
            outcome,
            score: None,
            explanation: explanation.into(),
            span: None,
            criteria: BTreeMap::new(),
            by: None,
            cost_usd: None,
        }
    }

    pub fn at(mut self, span: Option<Range<usize>>) -> Self {
        self.span = span;
        self
    }

    /// A score from 0 to 1.
    pub fn share(self, value: f64) -> Self {
        self.scored(value, 0.0, 1.0)
    }

    pub fn scored(mut self, value: f64, min: f64, max: f64) -> Self {
        self.score = Some(Score { value, min, max });
        self
    }
}

/// The settings of a check, whose shape has been looked at already.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings<'a>(pub &'a Map<String, Value>);

impl<'a> Settings<'a> {
    pub fn value(self, key: &str) -> Option<&'a Value> {
        self.0.get(key)
    }

    pub fn text(self, key: &str) -> Option<&'a str> {
        self.value(key).and_then(Value::as_str)
    }

    pub fn number(self, key: &str) -> Option<f64> {
        self.value(key).and_then(Value::as_f64)
    }

    pub fn yes(self, key: &str) -> Option<bool> {
        self.value(key).and_then(Value::as_bool)
    }

    /// One text or a list of them; nothing when it is not set.
    pub fn texts(self, key: &str) -> Vec<&'a str> {
        match self.value(key) {
            Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
            Some(value) => value.as_str().into_iter().collect(),
            None => Vec::new(),
        }
    }
}

/// A piece of text in quotation marks, on one line, cut short.
pub(super) fn quoted(text: &str) -> String {
    let mut chars = text.chars();
    let mut short: String = chars.by_ref().take(QUOTED).map(|c| if c == '\n' { ' ' } else { c }).collect();
    if chars.next().is_some() {
        short.push('…');
    }
    format!("\"{short}\"")
}

/// A text cut to what is kept of an explanation.
pub(super) fn longest(mut text: String) -> String {
    if text.len() > LONGEST {
        text.truncate(text.floor_char_boundary(LONGEST));
        text.push('…');
    }
    text
}
