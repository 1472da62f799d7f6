//! Tails of clumped counts: how surprising so many failures of so many requests are, when failures come in
//! clumps (one provider's hiccup, one user, one document).

use statrs::function::gamma::ln_gamma;

use super::exact::{binomial_upper, first};

/// The most clumping that is believed: more is a change of the rate, not noise about it.
const MOST_CLUMPING: f64 = 0.05;

/// `P(K ≥ k)` of a beta-binomial count of `n` with the shapes `a` and `b`: the sum of its terms from `k` up,
/// each from the one before by their ratio.
pub fn beta_binomial_upper(k: u64, n: u64, a: f64, b: f64) -> f64 {
    if k == 0 {
        return 1.0;
    }
    if k > n || a <= 0.0 || b <= 0.0 {
        return 0.0;
    }
    let mean = n as f64 * a / (a + b);
    if (k as f64) < mean {
        // Below the mean most of the mass lies above: the other side is the short one.
        return (1.0 - sum(0, k - 1, n, a, b)).clamp(0.0, 1.0);
    }
    sum(k, n, n, a, b).min(1.0)
}

/// The probability of `from..=to` failures.
fn sum(from: u64, to: u64, n: u64, a: f64, b: f64) -> f64 {
    let (k, size) = (from as f64, n as f64);
    let choose = ln_gamma(size + 1.0) - ln_gamma(k + 1.0) - ln_gamma(size - k + 1.0);
    let beta = |x: f64, y: f64| ln_gamma(x) + ln_gamma(y) - ln_gamma(x + y);
    let mut term = (choose + beta(k + a, size - k + b) - beta(a, b)).exp();
    let mut sum = term;
    for k in from..to {
        let (k, left) = (k as f64, size - k as f64);
        let ratio = left * (a + k) / ((k + 1.0) * (left - 1.0 + b));
        term *= ratio;
        sum += term;
        if ratio < 1.0 && term < sum * 1e-14 {
            break;
        }
    }
    sum
}

/// What a count of failures is held against: a rate, and how far failures clump.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usual {
    /// The usual rate, within 0..=1.
    pub rate: f64,
    /// The correlation of two requests of one window, within 0..=0.05; 0: none knows of the other.
    pub clumping: f64,
}

impl Usual {
    /// `P(K ≥ k)` of `n` requests: beta-binomial, binomial where nothing clumps.
    pub fn upper(&self, k: u64, n: u64) -> f64 {
        if self.clumping <= 0.0 || self.rate <= 0.0 || self.rate >= 1.0 {
            return binomial_upper(k, n, self.rate);
        }
        let spread = self.clumping.recip() - 1.0;
        beta_binomial_upper(k, n, self.rate * spread, (1.0 - self.rate) * spread)
    }

    /// The least count of at least `least` that is as surprising as `alpha`, and how surprising it is. `None`
    /// when not even `n` of `n` is.
    pub fn critical(&self, n: u64, least: u64, alpha: f64) -> Option<(u64, f64)> {
        let enough = |k: u64| self.upper(k, n) <= alpha;
        let k = if enough(least) { least } else { first(least, |k| k > n || enough(k))? };
        (k <= n).then(|| (k, self.upper(k, n)))
    }
}

/// How far failures clump within buckets, by moments.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clumping {
    /// The rate over all buckets.
    pub rate: f64,
    /// Pearson's statistic over its degrees of freedom: 1 where nothing clumps.
    pub dispersion: f64,
    /// The correlation within a bucket, not below 0.
    pub correlation: f64,
}

/// Estimates clumping from `(requests, failures)` by bucket: φ = X²/(m−1), n₀ = (N−Σn²/N)/(m−1),
/// ρ = max(0, (φ−1)/(n₀−1)). Empty buckets say nothing. `None` of fewer than two, or where none or all fail.
pub fn clumping(buckets: &[(f64, f64)]) -> Option<Clumping> {
    let held = || buckets.iter().filter(|(n, _)| *n > 0.0);
    let (mut size, mut failures, mut squares, mut m) = (0.0, 0.0, 0.0, 0.0);
    for (n, k) in held() {
        size += n;
        failures += k;
        squares += n * n;
        m += 1.0;
    }
    let rate = failures / size;
    if m < 2.0 || !(rate > 0.0 && rate < 1.0) {
        return None;
    }
    let x2: f64 = held().map(|(n, k)| (k - n * rate).powi(2) / (n * rate * (1.0 - rate))).sum();
    let dispersion = x2 / (m - 1.0);
    let n0 = (size - squares / size) / (m - 1.0);
    let correlation = if n0 > 1.0 { ((dispersion - 1.0) / (n0 - 1.0)).max(0.0) } else { 0.0 };
    Some(Clumping { rate, dispersion, correlation })
}

impl Clumping {
    /// The correlation as far as it is believed.
    pub fn believed(&self) -> f64 {
        self.correlation.min(MOST_CLUMPING)
    }
}

/// False episodes of a sliding window of so many hours in so many days: `c · alpha · 24 · days / window`.
/// `c` is 6 for a look every twelfth of the window, 4 for every sixth (simulated).
pub fn false_alarms(alpha: f64, window_hours: f64, c: f64, days: f64) -> f64 {
    c * alpha * 24.0 * days / window_hours
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn more_failures_are_never_less_surprising(
            n in 1u64..400, rate in 0.001f64..0.6, clumping in 0.0f64..0.05,
        ) {
            let usual = Usual { rate, clumping };
            let mut before = 1.0;
            for k in 0..=n {
                let now = usual.upper(k, n);
                prop_assert!(now <= before + 1e-9 && (0.0..=1.0).contains(&now), "{} of {}: {}", k, n, now);
                before = now;
            }
        }

        #[test]
        fn the_critical_count_is_the_least(n in 1u64..400, rate in 0.001f64..0.3, clumping in 0.0f64..0.05) {
            let usual = Usual { rate, clumping };
            if let Some((k, actual)) = usual.critical(n, 1, 1e-3) {
                prop_assert!(actual <= 1e-3);
                prop_assert!(k == 1 || usual.upper(k - 1, n) > 1e-3);
            } else {
                prop_assert!(usual.upper(n, n) > 1e-3);
            }
        }
    }

    #[test]
    fn large_counts_are_quick_and_right() {
        // A day of a large feature: the tail at the mean is about a half.
        let usual = Usual { rate: 0.03, clumping: 0.001 };
        let half = usual.upper(10_500, 350_000);
        assert!((half - 0.5).abs() < 0.05, "{half}");
        assert!(usual.upper(25_000, 350_000) < 1e-6);
    }
}
