//! Whose health is wanted: names as typed, the ids behind them, and the queries that open their traces.

use jiff::Timestamp;

use crate::domain::query::{FeedbackWord, NameField, NumberField, NumberTest, PromptRef, Term};
use crate::domain::query::{TimeBound, TimeRange, Word};
use crate::domain::{Error, FailureKind, Query, Result, Status, Untrusted, nearest};
use crate::ops::Ctx;
use crate::store::{Cut, FeatureTraffic, NameKind};

/// Whose health is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Scope {
    /// All traffic.
    #[default]
    All,
    /// The feature with most requests in the window.
    Busiest,
    /// This feature.
    Feature(Untrusted),
}

/// What of that traffic is wanted; all of it where nothing is named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Only {
    /// Answered by this model.
    pub model: Option<Untrusted>,
    /// By this prompt.
    pub prompt: Option<Untrusted>,
    /// By this version, of that prompt or of any.
    pub version: Option<Untrusted>,
    /// In this language.
    pub language: Option<Untrusted>,
}

impl Only {
    /// Whether nothing is left out.
    pub fn is_all(&self) -> bool {
        *self == Self::default()
    }

    /// The prompt and version of `customer_support@v4`, `v4` or `customer_support@`.
    pub fn with_prompt_version(mut self, text: &str) -> Self {
        let (prompt, version) = text.rsplit_once('@').unwrap_or(("", text));
        let named = |name: &str| (!name.is_empty()).then(|| Untrusted::from(name));
        (self.prompt, self.version) = (named(prompt), named(version));
        self
    }
}

/// The traffic that was found to be meant.
#[derive(Debug, Clone)]
pub(super) struct Chosen {
    /// By ids.
    pub(super) cut: Cut,
    /// The feature's name; `None` for all traffic, and for traces that name none.
    pub(super) feature: Option<Untrusted>,
    base: Query,
}

impl Chosen {
    /// Finds the ids. Errors with `NotSo` for a name that no trace has, and names the nearest.
    pub(super) fn find(ctx: &Ctx, scope: &Scope, only: &Only, busy: &[FeatureTraffic]) -> Result<Self> {
        let (feature, name) = feature(ctx, scope, busy)?;
        let id = |kind, what, name: &Option<Untrusted>| {
            name.as_ref().map(|name| id(ctx, kind, what, name)).transpose()
        };
        let cut = Cut {
            feature,
            model: id(NameKind::Model, "model", &only.model)?,
            prompt: id(NameKind::Prompt, "prompt", &only.prompt)?,
            version: id(NameKind::PromptVersion, "prompt version", &only.version)?,
            language: id(NameKind::Language, "language", &only.language)?,
        };
        let mut base = Query::all();
        if let Some(name) = &name {
            base = base.with(exact(NameField::Feature, name));
        } else if *scope != Scope::All && feature.is_some() {
            base = base.and(Query::all().with(any(NameField::Feature)).negated());
        }
        if let Some(model) = &only.model {
            base = base.with(exact(NameField::Model, model));
        }
        if only.prompt.is_some() || only.version.is_some() {
            base = base.with(prompt(&only.prompt, &only.version));
        }
        if let Some(language) = &only.language {
            base = base.with(exact(NameField::Language, language));
        }
        Ok(Self { cut, feature: name, base })
    }

    /// The query of this traffic, whenever it was.
    pub(super) fn ever(&self) -> &Query {
        &self.base
    }

    /// The query of this traffic from here (included) to there (not), in milliseconds since the epoch.
    pub(super) fn within(&self, from: i64, to: i64) -> Query {
        let range = TimeRange::Within(at(from), at(to));
        self.base.clone().with(Term::Time(range))
    }
}

fn at(ms: i64) -> TimeBound {
    TimeBound::At(instant(ms))
}

/// An instant, from milliseconds since the epoch.
pub(super) fn instant(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or_default()
}

fn id(ctx: &Ctx, kind: NameKind, what: &str, name: &Untrusted) -> Result<i64> {
    if let Some(id) = ctx.store.name_id(kind, name.raw())? {
        return Ok(id);
    }
    let names = ctx.store.names_of(kind)?;
    let error = Error::not_so(format!("No trace has the {what} {}.", name.raw()));
    Err(match nearest(name.raw(), names.iter().map(String::as_str)) {
        Some(near) => error.hint(format!("Did you mean {near}?")),
        None if names.is_empty() => {
            error.hint(format!("No trace names a {what}: leave it out to see all traffic."))
        }
        None => error.hint(format!("There is {}.", names.join(", "))),
    })
}

fn feature(ctx: &Ctx, scope: &Scope, busy: &[FeatureTraffic]) -> Result<(Option<i64>, Option<Untrusted>)> {
    match scope {
        Scope::All => Ok((None, None)),
        Scope::Busiest => match busy.first() {
            Some(of) => Ok((Some(of.id), of.name.clone())),
            // Nothing happened in the window: the last that did anything is meant.
            None => {
                let last = match ctx.store.span_of_hours()? {
                    Some((_, last)) => ctx.store.features(last, last)?,
                    None => Vec::new(),
                };
                Ok(last.into_iter().next().map_or((None, None), |of| (Some(of.id), of.name)))
            }
        },
        Scope::Feature(name) => Ok((Some(id(ctx, NameKind::Feature, "feature", name)?), Some(name.clone()))),
    }
}

/// Traces that have this name.
pub(super) fn exact(field: NameField, name: &Untrusted) -> Term {
    Term::Name { field, any: vec![Word::exact(name.raw())] }
}

/// Traces that have any name here.
pub(super) fn any(field: NameField) -> Term {
    Term::Name { field, any: vec![Word { text: String::new(), prefix: true }] }
}

/// Traces of this prompt, this version, or both.
pub(super) fn prompt(name: &Option<Untrusted>, version: &Option<Untrusted>) -> Term {
    let word = |name: &Option<Untrusted>| name.as_ref().map(|name| Word::exact(name.raw()));
    Term::Prompt(vec![PromptRef { name: word(name), version: word(version) }])
}

/// Traces of any prompt.
pub(super) fn any_prompt() -> Term {
    let word = Word { text: String::new(), prefix: true };
    Term::Prompt(vec![PromptRef { name: Some(word), version: None }])
}

/// Failed requests, of one kind or of any.
pub(super) fn failed(kind: Option<FailureKind>) -> Term {
    match kind {
        None => Term::Status(vec![Status::Error]),
        Some(kind) => Term::Error(vec![kind]),
    }
}

/// Answers with a thumb down.
pub(super) fn down() -> Term {
    Term::Feedback(vec![FeedbackWord::Down])
}

/// Requests that took at least so many milliseconds.
pub(super) fn slower(ms: f64) -> Term {
    Term::Number { field: NumberField::Latency, test: NumberTest::Ge((ms * 1e3).floor() as i64) }
}

/// Requests that took longer than the first and at most the second, in milliseconds.
pub(super) fn took(from_ms: f64, to_ms: Option<f64>) -> Term {
    let us = |ms: f64| (ms * 1e3).round() as i64;
    let test = match to_ms {
        Some(to) if from_ms <= 0.0 => NumberTest::Le(us(to)),
        Some(to) => NumberTest::Between(us(from_ms) + 1, us(to)),
        None => NumberTest::Gt(us(from_ms)),
    };
    Term::Number { field: NumberField::Latency, test }
}

/// Requests that cost more than so many dollars.
pub(super) fn dearer(usd: f64) -> Term {
    Term::Number {
        field: NumberField::Cost,
        test: NumberTest::Gt((usd * super::figure::NUSD).round() as i64),
    }
}
