//! The canonical text of a query: what is shown, and kept with a sample. Parsing it gives it back.

use std::fmt::{Display, Formatter, Result};

use super::value::print_time;
use super::{
    FeedbackWord, IdField, LabelWord, NameField, Node, NumberField, NumberTest, PromptRef, Query, Side, Term,
    TimeRange, Word, WorkField,
};
use crate::domain::{FailureKind, Status};

impl Display for Query {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        print(&self.root, f, true)
    }
}

fn print(node: &Node, f: &mut Formatter<'_>, outermost: bool) -> Result {
    match node {
        Node::And(parts) | Node::Or(parts) => {
            let or = matches!(node, Node::Or(_));
            if !outermost {
                f.write_str("(")?;
            }
            for (i, part) in parts.iter().enumerate() {
                if i > 0 {
                    f.write_str(if or { " or " } else { " " })?;
                }
                // `and` binds stronger than `or`: only the other way needs parentheses.
                print(part, f, or && matches!(part, Node::And(_)))?;
            }
            if !outermost {
                f.write_str(")")?;
            }
            Ok(())
        }
        Node::Not(inner) => {
            f.write_str("-")?;
            print(inner, f, false)
        }
        Node::Term(term) => write!(f, "{term}"),
    }
}

impl Display for Term {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Text { side: Side::Any, any } => {
                let words: Vec<String> = any.iter().map(free_word).collect();
                match words.as_slice() {
                    [only] => f.write_str(only),
                    several => write!(f, "({})", several.join(" or ")),
                }
            }
            Self::Text { side: Side::Input, any } => list(f, "input", any.iter().map(value)),
            Self::Text { side: Side::Output, any } => list(f, "output", any.iter().map(value)),
            Self::Id { field, any } => list(f, field.name(), any.iter().map(|text| quoted(text))),
            Self::Name { field, any } => list(f, field.name(), any.iter().map(value)),
            Self::Prompt(any) => list(f, "prompt", any.iter().map(prompt)),
            Self::Status(any) => list(f, "status", any.iter().map(|s| s.word().to_owned())),
            Self::Error(any) => list(f, "error", any.iter().map(|e| e.word().to_owned())),
            Self::Feedback(any) => list(f, "feedback", any.iter().map(|w| w.word().to_owned())),
            Self::Fallback(any) => {
                list(f, "fallback", any.iter().map(|yes| if *yes { "yes" } else { "no" }.to_owned()))
            }
            Self::Number { field, test } => compare(f, field.name(), &test.map(|value| field.print(value))),
            Self::Score { name, test } => {
                compare(f, &format!("score.{}", key(name)), &test.map(|value| value.to_string()))
            }
            Self::Metadata { key: path, any } => {
                list(f, &format!("metadata.{}", key(path)), any.iter().map(value))
            }
            Self::Time(range) => match range {
                TimeRange::Since(from) => write!(f, "since:{}", print_time(*from)),
                TimeRange::Before(to) => write!(f, "before:{}", print_time(*to)),
                TimeRange::UpTo(to) => write!(f, "time:..{}", print_time(*to)),
                TimeRange::Within(from, to) if from == to => write!(f, "time:{}", print_time(*from)),
                TimeRange::Within(from, to) => write!(f, "time:{}..{}", print_time(*from), print_time(*to)),
            },
            Self::Judged(any) => {
                list(f, "judged", any.iter().map(|good| if *good { "pass" } else { "fail" }.to_owned()))
            }
            Self::Label(any) => list(f, "label", any.iter().map(|w| w.word().to_owned())),
            Self::Work { field, any } => list(f, field.name(), any.iter().map(value)),
        }
    }
}

fn list(f: &mut Formatter<'_>, name: &str, values: impl Iterator<Item = String>) -> Result {
    write!(f, "{name}:{}", values.collect::<Vec<_>>().join(","))
}

fn compare(f: &mut Formatter<'_>, name: &str, test: &NumberTest<String>) -> Result {
    match test {
        NumberTest::Gt(v) => write!(f, "{name}>{v}"),
        NumberTest::Ge(v) => write!(f, "{name}>={v}"),
        NumberTest::Lt(v) => write!(f, "{name}<{v}"),
        NumberTest::Le(v) => write!(f, "{name}<={v}"),
        NumberTest::Eq(v) => write!(f, "{name}={v}"),
        NumberTest::Between(low, high) => write!(f, "{name}:{low}..{high}"),
    }
}

impl<T: Clone> NumberTest<T> {
    /// The same comparison with another kind of figure.
    pub fn map<U>(&self, to: impl Fn(T) -> U) -> NumberTest<U> {
        match self {
            Self::Gt(v) => NumberTest::Gt(to(v.clone())),
            Self::Ge(v) => NumberTest::Ge(to(v.clone())),
            Self::Lt(v) => NumberTest::Lt(to(v.clone())),
            Self::Le(v) => NumberTest::Le(to(v.clone())),
            Self::Eq(v) => NumberTest::Eq(to(v.clone())),
            Self::Between(low, high) => NumberTest::Between(to(low.clone()), to(high.clone())),
        }
    }
}

fn value(word: &Word) -> String {
    if word.prefix && word.text.is_empty() {
        return "*".to_owned();
    }
    format!("{}{}", quoted(&word.text), if word.prefix { "*" } else { "" })
}

fn prompt(wanted: &PromptRef) -> String {
    let name = wanted.name.as_ref().map(value).unwrap_or_default();
    match &wanted.version {
        Some(version) => format!("{name}@{}", value(version)),
        None => name,
    }
}

/// Letters of any script, digits and a few signs stand bare; all else is quoted. Plain rather than
/// least: nobody should have to know which sign would have been an operator.
fn bare(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || "_.-/+".contains(c))
}

fn quoted(text: &str) -> String {
    if bare(text) { text.to_owned() } else { quote(text) }
}

/// A key after `score.` or `metadata.`.
fn key(text: &str) -> String {
    quoted(text)
}

fn free_word(word: &Word) -> String {
    let keyword = ["or", "and"].iter().any(|k| word.text.eq_ignore_ascii_case(k));
    let text = if word.text.starts_with('-') || keyword { quote(&word.text) } else { quoted(&word.text) };
    format!("{text}{}", if word.prefix { "*" } else { "" })
}

/// The text in double quotes, with `"` and `\` escaped.
pub(super) fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

impl IdField {
    /// Its name in a query.
    pub fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Session => "session",
            Self::User => "user",
        }
    }
}

impl NameField {
    /// Its name in a query.
    pub fn name(self) -> &'static str {
        match self {
            Self::Feature => "feature",
            Self::Model => "model",
            Self::Version => "version",
            Self::Experiment => "experiment",
            Self::Arm => "arm",
            Self::Tag => "tag",
            Self::Language => "language",
        }
    }
}

impl NumberField {
    /// Its name in a query.
    pub fn name(self) -> &'static str {
        match self {
            Self::Latency => "latency",
            Self::Ttft => "ttft",
            Self::Cost => "cost",
            Self::TokensIn => "tokens_in",
            Self::TokensOut => "tokens_out",
        }
    }
}

impl WorkField {
    /// Its name in a query.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mode => "mode",
            Self::Severity => "severity",
            Self::Reviewer => "reviewer",
            Self::Sample => "sample",
        }
    }
}

/// The word of a kind of failure, in queries and in JSON.
pub fn failure_word(kind: FailureKind) -> &'static str {
    kind.word()
}

/// An enumeration with a word for each value in the query language.
pub(super) trait Choice: Copy + PartialEq + 'static {
    /// All values.
    const ALL: &'static [Self];
    /// The word of a value.
    fn word(self) -> &'static str;
}

macro_rules! choice {
    ($type:ty { $($value:path => $word:literal),+ $(,)? }) => {
        impl Choice for $type {
            const ALL: &'static [Self] = &[$($value),+];
            fn word(self) -> &'static str {
                match self { $($value => $word),+ }
            }
        }
    };
}

choice!(Status { Status::Ok => "ok", Status::Error => "error" });
choice!(FailureKind {
    FailureKind::Timeout => "timeout",
    FailureKind::RateLimit => "rate_limit",
    FailureKind::ContentPolicy => "content_policy",
    FailureKind::Other => "other",
});
choice!(FeedbackWord {
    FeedbackWord::Up => "up",
    FeedbackWord::Down => "down",
    FeedbackWord::Report => "report",
    FeedbackWord::FollowUp => "follow_up",
    FeedbackWord::Any => "any",
    FeedbackWord::None => "none",
});
choice!(LabelWord {
    LabelWord::Pass => "pass",
    LabelWord::Fail => "fail",
    LabelWord::Unsure => "unsure",
    LabelWord::Any => "any",
    LabelWord::None => "none",
});
