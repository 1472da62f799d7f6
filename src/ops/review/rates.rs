//! What a sample says about the population it was drawn from: the rate of failures and of each mode,
//! weighted by the probabilities of inclusion, with intervals; and how far reviewers agree.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::domain::{ModeId, Result, Untrusted, Verdict};
use crate::ops::{Ctx, sample};
use crate::stats::{CONFIDENCE, cohen_kappa, weighted_rate};
use crate::store::id_hash;

/// The rates by reviewer, and the agreement of each pair.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct RatesView {
    /// What each reviewer's labels say, by name.
    pub reviewers: Vec<ReviewerRates>,
    /// Each two reviewers who labelled a trace in common.
    pub agreement: Vec<AgreementView>,
}

/// What one reviewer's labels say.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReviewerRates {
    /// Whose labels.
    pub reviewer: Untrusted,
    /// Traces with a verdict.
    pub reviewed: usize,
    /// Passed.
    pub passes: usize,
    /// Failed.
    pub fails: usize,
    /// Unsure.
    pub unsure: usize,
    /// The share of the population that fails, of what was judged pass or fail.
    pub failing: Option<RateView>,
    /// The share that fails by each mode, most frequent first. Failures without a mode are in no line.
    pub modes: Vec<ModeRate>,
}

/// A share of the population with its 95 % interval, all within 0..=1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RateView {
    /// The estimate.
    pub rate: f64,
    /// Lower end of the interval.
    pub lower: f64,
    /// Upper end of the interval.
    pub upper: f64,
}

/// The rate of one failure mode.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModeRate {
    /// The mode.
    pub mode: ModeId,
    /// Traces labelled with it.
    pub n: usize,
    /// Its share of the population.
    #[serde(flatten)]
    pub rate: RateView,
}

/// How far two reviewers agree on a sample.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AgreementView {
    /// The two, by name.
    pub reviewers: [Untrusted; 2],
    /// Traces that both labelled.
    pub n: usize,
    /// Share with the same verdict.
    pub share: f64,
    /// Cohen's kappa over pass, fail and unsure; `None` when both gave one and the same verdict throughout.
    pub kappa: Option<f64>,
}

type Given = (Verdict, Option<ModeId>);

/// Computes the rates and agreements of a sample from its present labels.
pub fn rates(ctx: &Ctx, name: &str) -> Result<RatesView> {
    let sample = sample::load(ctx, name)?;
    of_members(ctx, &sample.members)
}

pub(in crate::ops) fn of_members(ctx: &Ctx, members: &[crate::domain::Member]) -> Result<RatesView> {
    let places: BTreeMap<&Untrusted, usize> =
        members.iter().enumerate().map(|(place, m)| (&m.trace, place)).collect();
    let hashes: Vec<i64> = members.iter().map(|m| id_hash(m.trace.raw())).collect();
    let mut by_reviewer: BTreeMap<Untrusted, BTreeMap<usize, Given>> = BTreeMap::new();
    for row in ctx.store.labels_on(&hashes)? {
        if let (Some(&place), Some(verdict)) = (places.get(&row.trace), row.body.verdict) {
            by_reviewer.entry(row.reviewer).or_default().insert(place, (verdict, row.body.mode));
        }
    }
    let weighed = |given: &BTreeMap<usize, Given>, so: &dyn Fn(&Given) -> bool| {
        let judged = given.iter().filter(|(_, (verdict, _))| *verdict != Verdict::Unsure);
        let draws = judged.map(|(&place, what)| (members[place].probability, so(what)));
        weighted_rate(draws, CONFIDENCE).map(|estimate| RateView {
            rate: estimate.rate,
            lower: estimate.interval.lower,
            upper: estimate.interval.upper,
        })
    };
    let reviewers = by_reviewer
        .iter()
        .map(|(reviewer, given)| {
            let of = |wanted: Verdict| given.values().filter(|(verdict, _)| *verdict == wanted).count();
            let mut counts: BTreeMap<&ModeId, usize> = BTreeMap::new();
            for mode in given.values().filter(|(v, _)| *v == Verdict::Fail).filter_map(|(_, m)| m.as_ref()) {
                *counts.entry(mode).or_default() += 1;
            }
            let mut modes: Vec<ModeRate> = counts
                .into_iter()
                .filter_map(|(mode, n)| {
                    let so = |(v, m): &Given| *v == Verdict::Fail && m.as_ref() == Some(mode);
                    Some(ModeRate { mode: mode.clone(), n, rate: weighed(given, &so)? })
                })
                .collect();
            modes.sort_by(|a, b| b.rate.rate.total_cmp(&a.rate.rate));
            ReviewerRates {
                reviewer: reviewer.clone(),
                reviewed: given.len(),
                passes: of(Verdict::Pass),
                fails: of(Verdict::Fail),
                unsure: of(Verdict::Unsure),
                failing: weighed(given, &|(v, _)| *v == Verdict::Fail),
                modes,
            }
        })
        .collect();
    let everyone: Vec<_> = by_reviewer.iter().collect();
    let mut agreement = Vec::new();
    for (at, (a, of_a)) in everyone.iter().enumerate() {
        for (b, of_b) in &everyone[at + 1..] {
            let both = of_a.iter().filter_map(|(place, (va, _))| Some((*va, of_b.get(place)?.0)));
            if let Some(found) = cohen_kappa(both) {
                let reviewers = [(*a).clone(), (*b).clone()];
                agreement.push(AgreementView {
                    reviewers,
                    n: found.n,
                    share: found.share,
                    kappa: found.kappa,
                });
            }
        }
    }
    Ok(RatesView { reviewers, agreement })
}
