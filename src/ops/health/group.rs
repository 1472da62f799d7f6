//! The window's traffic told apart by prompt version, model, language or feature.

use serde::Serialize;

use super::quality::Judged;
use super::scope::{Chosen, any, any_prompt, exact, prompt};
use super::{cost, share, whole};
use crate::domain::query::NameField;
use crate::domain::{Error, Query, Result, Untrusted, nearest};
use crate::ops::Ctx;
use crate::stats::{CONFIDENCE, Interval, wilson};
use crate::store::{Detail, Slice, Sums};

/// What traffic is told apart by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// The prompt and its version.
    #[default]
    PromptVersion,
    /// The model.
    Model,
    /// The language that the source states, or that the text tells.
    Language,
    /// The feature.
    Feature,
}

impl By {
    /// All, in the order in which a key goes through them.
    pub const ALL: [Self; 4] = [Self::PromptVersion, Self::Model, Self::Language, Self::Feature];

    /// As typed.
    pub fn word(self) -> &'static str {
        match self {
            Self::PromptVersion => "prompt_version",
            Self::Model => "model",
            Self::Language => "language",
            Self::Feature => "feature",
        }
    }

    /// As shown to a person: `by version`.
    pub fn title(self) -> &'static str {
        match self {
            Self::PromptVersion => "by version",
            Self::Model => "by model",
            Self::Language => "by language",
            Self::Feature => "by feature",
        }
    }

    /// Reads it as typed. Errors name the nearest.
    pub fn from_word(word: &str) -> Result<Self> {
        let wanted = word.trim().to_lowercase().replace('-', "_");
        let wanted = if wanted == "version" { "prompt_version" } else { &wanted };
        Self::ALL.into_iter().find(|by| by.word() == wanted).ok_or_else(|| {
            let words = Self::ALL.map(Self::word);
            let error = Error::usage(format!("Traffic cannot be told apart by {word:?}."));
            match nearest(wanted, words) {
                Some(near) => error.hint(format!("Did you mean {near}?")),
                None => error.hint(format!("Choose one of {}.", words.join(", "))),
            }
        })
    }

    pub(super) fn detail(self) -> Detail {
        match self {
            Self::PromptVersion => Detail::Versions,
            Self::Model => Detail::Models,
            Self::Language => Detail::Languages,
            Self::Feature => Detail::Features,
        }
    }
}

/// A share with its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Share {
    /// The share; `None` of nothing.
    pub value: Option<f64>,
    /// How many it is of.
    pub n: u64,
    /// Its 95 % interval.
    pub interval: Option<Interval>,
}

impl Share {
    fn of(k: i64, n: i64) -> Self {
        Self { value: share(k, n), n: whole(n), interval: wilson(k as f64, n as f64, CONFIDENCE) }
    }
}

/// One group's figures in the window.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GroupView {
    /// Its name, such as `customer_support@v4`, `gpt-4o` or `de`; `None` for traces that name none.
    pub name: Option<Untrusted>,
    /// With prompt versions: the prompt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt: Option<Untrusted>,
    /// With prompt versions: the version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Untrusted>,
    /// Requests.
    pub requests: u64,
    /// Their share of all requests of the window.
    pub share: f64,
    /// Share of them that failed.
    pub error_rate: Share,
    /// 95th percentile of their time, in milliseconds, within 1 %.
    pub p95_latency_ms: Option<f64>,
    /// Mean of their known costs, in US dollars.
    pub cost_per_request_usd: Option<f64>,
    /// Share of their thumbs that are up.
    pub satisfaction: Share,
    /// Share of them that a fallback answered.
    pub fallback_rate: Share,
    /// Share that is good of what was sampled and judged, weighted.
    pub quality: Share,
    /// The query of its traces in the window.
    pub query: Query,
}

impl GroupView {
    pub(super) fn of(
        ctx: &Ctx,
        by: By,
        (slice, sums): (Slice, &Sums),
        all: i64,
        judged: &Judged,
        (chosen, window): (&Chosen, (i64, i64)),
    ) -> Result<Self> {
        let name = match by {
            By::PromptVersion => None,
            By::Model => ctx.store.name_text(slice.model)?,
            By::Language => ctx.store.name_text(slice.language)?,
            By::Feature => ctx.store.name_text(slice.feature)?,
        };
        let (of_prompt, version) = ctx.store.slice_names(slice)?;
        let base = chosen.within(window.0, window.1);
        let named = |field: NameField| match &name {
            Some(name) => base.clone().with(exact(field, name)),
            None => base.clone().and(Query::all().with(any(field)).negated()),
        };
        let query = match by {
            By::PromptVersion if of_prompt.is_none() && version.is_none() => {
                let version = Query::all().with(any(NameField::Version)).negated();
                base.clone().and(Query::all().with(any_prompt()).negated()).and(version)
            }
            // What names the one but not the other is a group of its own.
            By::PromptVersion => {
                let named = base.clone().with(prompt(&of_prompt, &version));
                match (&of_prompt, &version) {
                    (Some(_), None) => named.and(Query::all().with(any(NameField::Version)).negated()),
                    (None, Some(_)) => named.and(Query::all().with(any_prompt()).negated()),
                    _ => named,
                }
            }
            By::Model => named(NameField::Model),
            By::Language => named(NameField::Language),
            By::Feature => named(NameField::Feature),
        };
        let quality = judged.rate(window, |of| of.at(by.detail()) == slice);
        Ok(Self {
            name: if by == By::PromptVersion { prompt_name(&of_prompt, &version) } else { name },
            prompt: of_prompt,
            version,
            requests: whole(sums.requests),
            share: share(sums.requests, all).unwrap_or_default(),
            error_rate: Share::of(sums.errors(), sums.requests),
            p95_latency_ms: sums.latency.quantile(0.95),
            cost_per_request_usd: cost(sums),
            satisfaction: Share::of(sums.ups, sums.ups + sums.downs),
            fallback_rate: Share::of(sums.fallbacks, sums.requests),
            quality: Share {
                value: quality.estimate.map(|of| of.rate),
                n: quality.n,
                interval: quality.estimate.map(|of| of.interval),
            },
            query,
        })
    }
}

/// `customer_support@v4`, or as much of it as traces say.
pub(super) fn prompt_name(prompt: &Option<Untrusted>, version: &Option<Untrusted>) -> Option<Untrusted> {
    match (prompt, version) {
        (Some(prompt), Some(version)) => Some(Untrusted::new(format!("{}@{}", prompt.raw(), version.raw()))),
        (Some(prompt), None) => Some(prompt.clone()),
        (None, Some(version)) => Some(Untrusted::new(format!("@{}", version.raw()))),
        (None, None) => None,
    }
}
