//! The quality score: the share of good answers, from what people said of sampled traces.
//!
//! Only draws that every trace of their population could get into say something of that population: samples
//! whose query names a feature, a model, a prompt, a language or a time, but nothing of how a request went,
//! and which are not draws of the suspicious. Each trace weighs the inverse of the probability with which it
//! was drawn; in several samples the greatest counts, since a steady draw holds the smaller ones. Reviewers
//! who differ are outvoted; a tie is no verdict. Verdicts of evaluators on sampled traces belong here too, as
//! further [`Verdict`]s.

use std::collections::BTreeMap;

use crate::domain::query::{LabelWord, NameField, Term, Word, WorkField};
use crate::domain::{Query, Result, SampleRule, Untrusted};
use crate::ops::Ctx;
use crate::stats::{CONFIDENCE, WeightedRate, weighted_rate};
use crate::store::{Cut, Slice};

/// What is known of some traffic's quality.
#[derive(Debug, Clone, Default)]
pub(super) struct Judged {
    verdicts: Vec<Verdict>,
    /// The samples that they come from.
    samples: Vec<String>,
}

/// One trace that was judged.
#[derive(Debug, Clone, PartialEq)]
struct Verdict {
    ts: i64,
    slice: Slice,
    probability: f64,
    good: bool,
}

/// The quality of a part of it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Quality {
    /// Traces that were judged.
    pub(super) n: u64,
    /// What they say; `None` of none.
    pub(super) estimate: Option<WeightedRate>,
}

impl Judged {
    /// What was judged of this traffic since a time, in milliseconds. A sample drawn before holds nothing that
    /// came after, so that no more is read than was drawn since.
    pub(super) fn since(ctx: &Ctx, cut: &Cut, from: i64) -> Result<Self> {
        let drawn =
            ctx.store.samples()?.into_iter().filter(|sample| sample.drawn_at.as_millisecond() >= from);
        let samples: Vec<String> = drawn.filter(|one| speaks_of_all(&one.rule)).map(|one| one.name).collect();
        if samples.is_empty() {
            return Ok(Self::default());
        }
        let names: Vec<&str> = samples.iter().map(String::as_str).collect();
        let mut by_trace: BTreeMap<Untrusted, (i64, Slice, f64, i64)> = BTreeMap::new();
        for row in ctx.store.judged(&names)? {
            if row.ts < from || !cut.holds_slice(&row.slice) {
                continue;
            }
            let one = by_trace.entry(row.trace).or_insert((row.ts, row.slice, row.probability, 0));
            one.2 = one.2.max(row.probability);
            // In several samples every vote comes as often as the others: the outcome is the same.
            one.3 += if row.pass { 1 } else { -1 };
        }
        let verdicts = by_trace
            .into_values()
            .filter(|(.., votes)| *votes != 0)
            .map(|(ts, slice, probability, votes)| Verdict { ts, slice, probability, good: votes > 0 });
        Ok(Self { verdicts: verdicts.collect(), samples })
    }

    /// The quality of what these slices were, from here to there.
    pub(super) fn rate(&self, (from, to): (i64, i64), holds: impl Fn(&Slice) -> bool) -> Quality {
        let judged: Vec<(f64, bool)> = self
            .verdicts
            .iter()
            .filter(|one| (from..to).contains(&one.ts) && holds(&one.slice))
            .map(|one| (one.probability, one.good))
            .collect();
        Quality { n: judged.len() as u64, estimate: weighted_rate(judged, CONFIDENCE) }
    }

    /// The traces among these that a reviewer of the samples failed.
    pub(super) fn failed(&self, base: Query) -> Query {
        let failed = base.with(Term::Label(vec![LabelWord::Fail]));
        if self.samples.is_empty() {
            return failed;
        }
        let any = self.samples.iter().map(Word::exact).collect();
        failed.with(Term::Work { field: WorkField::Sample, any })
    }
}

/// Whether a draw speaks of all traffic of some kind.
fn speaks_of_all(rule: &SampleRule) -> bool {
    if rule.suspicious {
        return false;
    }
    let Some(query) = &rule.query else { return true };
    Query::parse(query).is_ok_and(|query| {
        query.terms().iter().all(|term| match term {
            Term::Name { field, .. } => !matches!(field, NameField::Tag),
            Term::Prompt(_) | Term::Time(_) => true,
            _ => false,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_of_what_went_wrong_says_nothing_of_the_rest() {
        let rule = |query: Option<&str>, suspicious| SampleRule {
            method: crate::domain::Method::Size(10),
            query: query.map(str::to_owned),
            since: None,
            strata: Vec::new(),
            suspicious,
            seed: 0,
        };
        assert!(speaks_of_all(&rule(None, false)));
        assert!(speaks_of_all(&rule(Some("feature:support model:gpt-4o prompt:support@v4 since:7d"), false)));
        assert!(!speaks_of_all(&rule(None, true)));
        for query in ["status:error", "feature:a or feedback:down", "latency>3s", "fee", "label:fail"] {
            assert!(!speaks_of_all(&rule(Some(query), false)), "{query}");
        }
    }
}
