//! What an evaluator says of an answer: pass, fail or no word at all, a score on its scale, why, and where.
//!
//! Pure. Which settings a kind takes is in [`super::check`]; how each kind decides is an op
//! (`ops::score`); this is what goes in and what comes out.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::key_order::sort_map;
use super::{Check, Content, ExpectedKind, Untrusted};

/// A check under a name: from `[[evaluator]]` of the configuration, or a case's own.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluator {
    /// Its name: of the configuration, or `kind` (`kind 2` …) for a check that stands in a case.
    pub name: String,
    /// What it looks at.
    pub check: Check,
}

impl Evaluator {
    /// Names the rule that decided: the same kind and settings, the same version, whatever it is called and
    /// wherever it applies. Twelve hexadecimal digits.
    pub fn version(&self) -> String {
        let mut rule = self.check.settings().clone();
        for beside in ["name", "sets", "description"] {
            rule.remove(beside);
        }
        sort_map(&mut rule);
        let rule = serde_json::Value::Object(rule).to_string();
        format!("{:012x}", xxh3_64(rule.as_bytes()) >> 16)
    }

    /// Whether it belongs to a set: one that names no sets belongs to all.
    pub fn applies_to(&self, set: &str) -> bool {
        match self.check.settings().get("sets") {
            None => true,
            Some(serde_json::Value::Array(sets)) => sets.iter().any(|name| name.as_str() == Some(set)),
            Some(name) => name.as_str() == Some(set),
        }
    }
}

/// What is evaluated: an answer, with all that an evaluator may hold against it.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// What went in.
    pub input: &'a Content,
    /// What came out: its text is that of its messages, its tool calls are theirs.
    pub output: &'a Content,
    /// What should have come out, or what it should have done.
    pub expected: Option<&'a Untrusted>,
    /// How `expected` is meant.
    pub expected_kind: ExpectedKind,
    /// How long it took, in milliseconds, where that is known.
    pub latency_ms: Option<f64>,
    /// What it cost, in US dollars, where that is known.
    pub cost_usd: Option<f64>,
    /// How many tokens came out, where that is known.
    pub tokens_out: Option<u64>,
}

/// What an evaluator came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The answer is as it should be.
    Pass,
    /// It is not.
    Fail,
    /// It could not be told: the judge is unreadable, the latency unknown. Counted apart, never guessed.
    Error,
}

impl Outcome {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Error => "error",
        }
    }
}

/// A figure with its scale.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The figure.
    pub value: f64,
    /// The least that it can be.
    pub min: f64,
    /// The most that it can be.
    pub max: f64,
}

impl Score {
    /// Whether it says more than pass or fail: a rule's 0 or 1 of 1 does not.
    pub fn says_more(&self) -> bool {
        (self.min, self.max) != (0.0, 1.0) || self.value > 0.0 && self.value < 1.0
    }
}

/// One evaluator's word on one answer. Its serde form is stored with a result and printed with `--json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Assessment {
    /// The evaluator's name.
    pub evaluator: String,
    /// Its kind.
    pub kind: String,
    /// See [`Evaluator::version`].
    pub version: String,
    /// What it came to.
    pub outcome: Outcome,
    /// Its figure, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<Score>,
    /// Why, in a sentence. May quote the answer or the judge.
    pub explanation: Untrusted,
    /// The bytes of the answer's text (`Content::answer_text`) that decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<Range<usize>>,
    /// A judge's ratings by criterion, 1 to 10.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub criteria: BTreeMap<String, f64>,
    /// Which model or embedder spoke, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// What asking cost, in US dollars, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
}

/// What the evaluators say together: a fail counts most, then an error; nothing said is a pass.
pub fn together<'a>(assessments: impl IntoIterator<Item = &'a Assessment>) -> Outcome {
    let mut outcome = Outcome::Pass;
    for one in assessments {
        match one.outcome {
            Outcome::Fail => return Outcome::Fail,
            Outcome::Error => outcome = Outcome::Error,
            Outcome::Pass => {}
        }
    }
    outcome
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn evaluator(check: serde_json::Value) -> Evaluator {
        Evaluator { name: "x".into(), check: Check::from_value(check).unwrap() }
    }

    #[test]
    fn a_version_is_of_the_rule_not_of_its_spelling() {
        let one = evaluator(json!({"kind":"length","min":1,"max":9}));
        let same = evaluator(json!({"max":9,"min":1,"kind":"length"}));
        let other = evaluator(json!({"kind":"length","min":1,"max":8}));
        let named = evaluator(json!({"kind":"length","min":1,"max":9,"name":"short","sets":"support"}));
        assert_eq!(one.version(), named.version());
        assert!(one.applies_to("support") && named.applies_to("support") && !named.applies_to("other"));
        assert_eq!(one.version(), same.version());
        assert_ne!(one.version(), other.version());
        assert_eq!(one.version().len(), 12);
    }

    #[test]
    fn a_rules_score_says_no_more_than_its_outcome() {
        let says_more = |value, min, max| Score { value, min, max }.says_more();
        assert!(!says_more(0.0, 0.0, 1.0) && !says_more(1.0, 0.0, 1.0));
        assert!(says_more(0.62, 0.0, 1.0) && says_more(10.0, 1.0, 10.0) && says_more(1.0, 1.0, 10.0));
    }

    #[test]
    fn a_fail_counts_more_than_an_error() {
        let said = |outcome| Assessment {
            evaluator: String::new(),
            kind: String::new(),
            version: String::new(),
            outcome,
            score: None,
            explanation: Untrusted::default(),
            span: None,
            criteria: BTreeMap::new(),
            by: None,
            cost_usd: None,
        };
        let all = [said(Outcome::Pass), said(Outcome::Error), said(Outcome::Fail)];
        assert_eq!(together(&all), Outcome::Fail);
        assert_eq!(together(&all[..2]), Outcome::Error);
        assert_eq!(together(&all[..0]), Outcome::Pass);
    }
}
