//! One figure against the week before, and the rule that finds the word for the difference.
//!
//! A word is earned twice: the difference must be larger than chance (two-sided, 1 %, since several
//! figures are looked at several times a day), and large enough to matter. Larger than chance but small is
//! `close`; not larger than chance is `usual`; too little traffic on either side is `too_few`; where another judge spoke on the
//! other side there is nothing to compare: `other_judge`.
//!
//! | figure | chance | matters from |
//! |---|---|---|
//! | rates | two-proportion z, pooled | 1 percentage point or a tenth of the former rate, whichever is less |
//! | p95 | order statistics of both sides do not overlap | a tenth |
//! | cost | ratio estimator over hours as clusters (Cochran, Sampling Techniques, 6.3), z | a tenth |
//! | requests | Poisson, z of the square roots | a fifth; traffic has moods of its own |

use serde::Serialize;

use super::quality::Quality;
use crate::domain::Query;
use crate::stats::{CONFIDENCE, Interval, Sketch, WeightedRate, normal_quantile, two_proportion_z, wilson};

/// Nanodollars in a dollar.
pub(super) const NUSD: f64 = 1e9;
/// Fewer observations than this on a side are too few to compare.
const FEW: i64 = 20;
/// Two-sided chance of a word where nothing changed.
const ALPHA: f64 = 0.01;
/// The share of the former value from which a difference matters.
const MATTERS: f64 = 0.10;
/// The same for the number of requests.
const MATTERS_REQUESTS: f64 = 0.20;
/// A rate's difference that matters whatever the rate was: one percentage point.
const MATTERS_POINTS: f64 = 0.01;

/// A figure of the window, against the same window a week before.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figure<T> {
    /// The figure; `None` when there is nothing to take it of.
    pub value: Option<T>,
    /// The same a week before.
    pub previous: Option<T>,
    /// How many observations it is of: requests, thumbs, known times or costs.
    pub n: u64,
    /// How many the former was of.
    pub previous_n: u64,
    /// The 95 % interval of the figure, where it is an estimate.
    pub interval: Option<Interval>,
    /// The word for the difference.
    pub verdict: Verdict,
    /// The query of the traces behind the figure: for a rate those that count against it.
    pub query: Query,
}

/// How a figure stands against the week before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// No more different than chance.
    Usual,
    /// Different, but by little.
    Close,
    /// Better.
    Better,
    /// Worse.
    Worse,
    /// More, where more is neither better nor worse.
    More,
    /// Fewer, likewise.
    Fewer,
    /// Too little traffic on one of the two sides.
    TooFew,
    /// Another judge spoke on the other side: the two say nothing of each other.
    OtherJudge,
}

impl Verdict {
    /// The word, for a person.
    pub fn word(self) -> &'static str {
        match self {
            Self::Usual => "usual",
            Self::Close => "close",
            Self::Better => "better",
            Self::Worse => "worse",
            Self::More => "more",
            Self::Fewer => "fewer",
            Self::TooFew => "too few",
            Self::OtherJudge => "not alike",
        }
    }
}

/// Which way is better.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Better {
    Lower,
    Higher,
}

impl Better {
    fn word(self, rose: bool) -> Verdict {
        if rose == (self == Self::Higher) { Verdict::Better } else { Verdict::Worse }
    }
}

fn beyond_chance(z: f64) -> bool {
    z.abs() > normal_quantile(1.0 - ALPHA / 2.0)
}

/// The number of requests.
pub(super) fn requests(now: i64, before: i64, query: Query) -> Figure<u64> {
    let (a, b) = (before as f64, now as f64);
    // The square root of a Poisson count has a variance of a quarter, whatever the count.
    let z = (b.sqrt() - a.sqrt()) / 0.5f64.sqrt();
    let verdict = match () {
        () if now + before < FEW || before == 0 => Verdict::TooFew,
        () if !beyond_chance(z) => Verdict::Usual,
        () if (b - a).abs() < MATTERS_REQUESTS * a => Verdict::Usual,
        () if b > a => Verdict::More,
        () => Verdict::Fewer,
    };
    let (now, before) = (super::whole(now), super::whole(before));
    Figure {
        value: Some(now),
        previous: Some(before),
        n: now,
        previous_n: before,
        interval: None,
        verdict,
        query,
    }
}

/// A share `k` of `n`.
pub(super) fn rate((k, n): (i64, i64), (k0, n0): (i64, i64), better: Better, query: Query) -> Figure<f64> {
    let (value, previous) = (super::share(k, n), super::share(k0, n0));
    let verdict = match (value, previous) {
        (Some(value), Some(previous)) if n >= FEW && n0 >= FEW => {
            let z = two_proportion_z(k0 as f64, n0 as f64, k as f64, n as f64);
            word(value, previous, z, better)
        }
        _ => Verdict::TooFew,
    };
    Figure {
        value,
        previous,
        n: super::whole(n),
        previous_n: super::whole(n0),
        interval: wilson(k as f64, n as f64, CONFIDENCE),
        verdict,
        query,
    }
}

/// A share estimated from a weighted sample; chance is reckoned at its effective size.
pub(super) fn weighted(now: &Quality, before: &Quality, query: Query) -> Figure<f64> {
    let (value, previous) = (now.estimate.map(|of| of.rate), before.estimate.map(|of| of.rate));
    let verdict = match (now.estimate, before.estimate) {
        (Some(_), Some(_)) if now.is_of_other_judges(before) => Verdict::OtherJudge,
        (Some(a), Some(b)) if now.n >= FEW.unsigned_abs() && before.n >= FEW.unsigned_abs() => {
            let k = |of: WeightedRate| of.rate * of.effective_n;
            let z = two_proportion_z(k(b), b.effective_n, k(a), a.effective_n);
            word(a.rate, b.rate, z, Better::Higher)
        }
        _ => Verdict::TooFew,
    };
    Figure {
        value,
        previous,
        n: now.n,
        previous_n: before.n,
        interval: now.estimate.map(|of| of.interval),
        verdict,
        query,
    }
}

/// The word for a rate and its former value.
fn word(value: f64, previous: f64, z: f64, better: Better) -> Verdict {
    let matters = MATTERS_POINTS.min(MATTERS * previous);
    match () {
        () if !beyond_chance(z) => Verdict::Usual,
        () if (value - previous).abs() < matters => Verdict::Close,
        () => better.word(value > previous),
    }
}

/// The 95th percentile of times.
pub(super) fn time(now: &Sketch, before: &Sketch, query: impl FnOnce(f64) -> Query) -> Figure<f64> {
    const Q: f64 = 0.95;
    let (value, previous) = (now.quantile(Q), before.quantile(Q));
    let (n, n0) = (now.count(), before.count());
    let verdict = match (value, previous) {
        (Some(value), Some(previous)) if n.min(n0) >= FEW.unsigned_abs() => {
            let apart = match (between(now, Q), between(before, Q)) {
                (Some(a), Some(b)) => a.lower > b.upper || b.lower > a.upper,
                _ => false,
            };
            match () {
                () if !apart => Verdict::Usual,
                () if (value - previous).abs() < MATTERS * previous => Verdict::Close,
                () => Better::Lower.word(value > previous),
            }
        }
        _ => Verdict::TooFew,
    };
    Figure {
        value,
        previous,
        n,
        previous_n: n0,
        interval: between(now, Q),
        verdict,
        query: query(value.unwrap_or_default()),
    }
}

/// The values between which a quantile lies; of few values the least and the greatest.
fn between(times: &Sketch, q: f64) -> Option<Interval> {
    times.quantile_interval(q, CONFIDENCE)
}

/// The mean cost of a request, from (requests, cost) by the hour.
pub(super) fn money(
    now: &[(i64, i64)],
    before: &[(i64, i64)],
    query: impl FnOnce(f64) -> Query,
) -> Figure<f64> {
    let (now, before) = (Mean::of(now), Mean::of(before));
    let verdict = match (now.mean, before.mean) {
        (Some(value), Some(previous)) if now.n >= FEW && before.n >= FEW => {
            let variance = now.variance.zip(before.variance).map(|(a, b)| a + b);
            let z = variance.map_or(0.0, |variance| (value - previous) / variance.sqrt());
            match () {
                // Without variation at all any difference is one.
                () if value == previous || (z.is_finite() && !beyond_chance(z)) => Verdict::Usual,
                () if (value - previous).abs() < MATTERS * previous => Verdict::Close,
                () => Better::Lower.word(value > previous),
            }
        }
        _ => Verdict::TooFew,
    };
    let z = normal_quantile(0.5 + CONFIDENCE / 2.0);
    let interval = now.mean.zip(now.variance).map(|(mean, variance)| Interval {
        lower: (mean - z * variance.sqrt()).max(0.0),
        upper: mean + z * variance.sqrt(),
    });
    Figure {
        value: now.mean,
        previous: before.mean,
        n: super::whole(now.n),
        previous_n: super::whole(before.n),
        interval,
        verdict,
        query: query(now.mean.unwrap_or_default()),
    }
}

/// A mean in dollars, with the variance that its hours show.
struct Mean {
    n: i64,
    mean: Option<f64>,
    variance: Option<f64>,
}

impl Mean {
    fn of(hours: &[(i64, i64)]) -> Self {
        let n: i64 = hours.iter().map(|(n, _)| n).sum();
        let sum: i64 = hours.iter().map(|(_, nusd)| nusd).fold(0, |a, b| i64::saturating_add(a, *b));
        let mean = super::share(sum, n);
        // Σ(cₕ − R·nₕ)² · H/(H−1) / n²: how far the hours' costs are from what the mean says of them.
        let variance = mean.filter(|_| hours.len() > 1).map(|mean| {
            let off: f64 = hours.iter().map(|(n, nusd)| (*nusd as f64 - mean * *n as f64).powi(2)).sum();
            let h = hours.len() as f64;
            off * h / (h - 1.0) / (n as f64).powi(2) / NUSD.powi(2)
        });
        Self { n, mean: mean.map(|nusd| nusd / NUSD), variance }
    }
}
