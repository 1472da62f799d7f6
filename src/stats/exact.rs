//! Exact tests and bounds for counts, and how many cases a claim takes.

use statrs::distribution::{Beta, ContinuousCDF};
use statrs::function::beta::beta_reg;
use statrs::function::gamma::gamma_lr;

use super::interval::{Interval, normal_quantile};

/// `P(K ≥ k)` of a binomial count of `n` at rate `p`: the regularised incomplete beta function
/// `I_p(k, n−k+1)` (Abramowitz and Stegun 26.5.24).
pub fn binomial_upper(k: u64, n: u64, p: f64) -> f64 {
    match k {
        0 => 1.0,
        _ if k > n => 0.0,
        _ => beta_reg(k as f64, (n - k) as f64 + 1.0, p.clamp(0.0, 1.0)),
    }
}

/// `P(K ≥ k)` of a Poisson count of which `mean` are expected: the regularised lower incomplete gamma function
/// `P(k, mean)` (Abramowitz and Stegun 26.4.21).
pub fn poisson_upper(k: u64, mean: f64) -> f64 {
    match k {
        0 => 1.0,
        _ if mean <= 0.0 => 0.0,
        _ => gamma_lr(k as f64, mean),
    }
}

/// The interval of Clopper and Pearson (1934) for `k` of `n`, two-sided, from beta quantiles. `None` when
/// `n` is 0 or less than `k`.
pub fn clopper_pearson(k: u64, n: u64, confidence: f64) -> Option<Interval> {
    let tail = (1.0 - confidence) / 2.0;
    (n > 0 && k <= n).then(|| Interval { lower: lower_end(k, n, tail), upper: upper_end(k, n, tail) })
}

fn lower_end(k: u64, n: u64, tail: f64) -> f64 {
    if k == 0 { 0.0 } else { beta_quantile(k as f64, (n - k) as f64 + 1.0, tail) }
}

fn upper_end(k: u64, n: u64, tail: f64) -> f64 {
    if k == n { 1.0 } else { beta_quantile(k as f64 + 1.0, (n - k) as f64, 1.0 - tail) }
}

fn beta_quantile(a: f64, b: f64, p: f64) -> f64 {
    Beta::new(a, b).map_or(f64::NAN, |beta| beta.inverse_cdf(p))
}

/// Whether few enough of many failed to prove that the rate is below a threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Proof {
    /// The one-sided upper bound of Clopper and Pearson.
    pub upper: f64,
    /// The bound is below the threshold.
    pub proven: bool,
    /// How many it takes in all when none of those to come fails; `None` when more than ten million.
    pub needed: Option<u64>,
}

/// Looks whether `k` of `n` prove a rate below `threshold`, at an error of `alpha`. `None` when `n` is less
/// than `k`, or the threshold is no share that can be proven.
pub fn proof_below(k: u64, n: u64, threshold: f64, alpha: f64) -> Option<Proof> {
    if k > n || !(threshold > 0.0 && threshold < 1.0) {
        return None;
    }
    let bound = |n: u64| if n == 0 { 1.0 } else { upper_end(k, n, alpha) };
    let upper = bound(n);
    let proven = upper < threshold;
    let needed = if proven { Some(n) } else { first(n, |n| bound(n) < threshold) };
    Some(Proof { upper, proven, needed })
}

/// The least number above `from` that is enough, of those up to ten million; what is enough stays enough.
pub fn first(from: u64, enough: impl Fn(u64) -> bool) -> Option<u64> {
    const MOST: u64 = 10_000_000;
    let (mut low, mut high) = (from, from.max(1).saturating_mul(2));
    while !enough(high) {
        if high >= MOST {
            return None;
        }
        (low, high) = (high, high.saturating_mul(2));
    }
    while high - low > 1 {
        let middle = low.midpoint(high);
        if enough(middle) { high = middle } else { low = middle }
    }
    Some(high)
}

/// McNemar's test in its exact form (McNemar 1947; binomial of the discordant pairs at one half), two-sided:
/// `lost` passed only before, `gained` only after.
pub fn mcnemar_exact(lost: u64, gained: u64) -> f64 {
    (2.0 * binomial_upper(lost.max(gained), lost + gained, 0.5)).min(1.0)
}

/// How many pairs McNemar's test takes to see such a difference (Connor 1987): `lost` and `gained` are the
/// shares of pairs that pass only before and only after. `None` when they are the same.
pub fn mcnemar_pairs(lost: f64, gained: f64, alpha: f64, power: f64) -> Option<u64> {
    let (both, difference) = (lost + gained, gained - lost);
    if difference == 0.0 || !(0.0..=1.0).contains(&both) {
        return None;
    }
    let (a, b) = (normal_quantile(1.0 - alpha / 2.0), normal_quantile(power));
    let root = a * both.sqrt() + b * (both - difference * difference).max(0.0).sqrt();
    Some((root * root / (difference * difference)).ceil() as u64)
}

/// P-values adjusted by Holm (1979), in the order given: the family's error is kept whatever the tests share.
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|a, b| p_values[*a].total_cmp(&p_values[*b]));
    let mut adjusted = vec![0.0; p_values.len()];
    let mut least = 0.0f64;
    for (rank, at) in order.iter().enumerate() {
        least = least.max(((p_values.len() - rank) as f64 * p_values[*at]).min(1.0));
        adjusted[*at] = least;
    }
    adjusted
}
