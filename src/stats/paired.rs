//! Changes between two measurements of the same cases, each with its interval.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::interval::{Interval, wilson};
use super::sketch::nearest_rank;

/// Replicates of a bootstrap, and how many draws it may take in all before it makes fewer.
const REPLICATES: usize = 10_000;
const FEWEST: usize = 1_000;
const DRAWS: usize = 20_000_000;
/// Any number does; that it stays the same makes an answer the same each time.
const SEED: u64 = 0x7475_6573_6461_7921;

/// Pass and fail of the same cases, before and after.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct PairedCounts {
    /// Passed both times.
    pub both: f64,
    /// Passed only before.
    pub lost: f64,
    /// Passed only after.
    pub gained: f64,
    /// Passed neither time.
    pub neither: f64,
}

impl PairedCounts {
    /// How many pairs.
    pub fn n(&self) -> f64 {
        self.both + self.lost + self.gained + self.neither
    }

    /// The same shares in so many pairs.
    pub fn scaled_to(&self, n: f64) -> Self {
        let by = n / self.n();
        Self {
            both: self.both * by,
            lost: self.lost * by,
            gained: self.gained * by,
            neither: self.neither * by,
        }
    }

    /// The interval for the difference of the rates, after less before: Newcombe (1998, Statistics in
    /// Medicine 17:2635), method 10, from Wilson's intervals and the pairs' correlation with its
    /// correction. Holds its level at small counts and with no discordant pair. `None` of no pair.
    pub fn difference(&self, confidence: f64) -> Option<Interval> {
        let n = self.n();
        let (after, before) = (self.both + self.gained, self.both + self.lost);
        let (a, b) = (wilson(after, n, confidence)?, wilson(before, n, confidence)?);
        let (p_a, p_b) = (after / n, before / n);
        let margins = after * (n - after) * before * (n - before);
        let cross = self.both * self.neither - self.lost * self.gained;
        let cross = if cross > 0.0 { (cross - n / 2.0).max(0.0) } else { cross };
        let phi = if margins > 0.0 { cross / margins.sqrt() } else { 0.0 };
        let end = |x: f64, y: f64| (x * x - 2.0 * phi * x * y + y * y).max(0.0).sqrt();
        let change = p_a - p_b;
        Some(Interval {
            lower: (change - end(p_a - a.lower, b.upper - p_b)).max(-1.0),
            upper: (change + end(a.upper - p_a, p_b - b.lower)).min(1.0),
        })
    }
}

/// What a paired bootstrap found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    /// The figure before.
    pub before: f64,
    /// The figure after.
    pub after: f64,
    /// The change: a difference, or a ratio less one.
    pub change: f64,
    /// Its interval.
    pub interval: Interval,
    /// Two-sided: twice the smaller share of replicates on one side of no change, with the one added above
    /// and below of Davison and Hinkley (1997, section 4.2).
    pub p_value: f64,
}

/// The mean of values with its interval: percentile bootstrap. `None` of fewer than two.
pub fn mean_interval(values: &[f64], confidence: f64) -> Option<(f64, Interval)> {
    if values.len() < 2 {
        return None;
    }
    let n = values.len() as f64;
    let mut resampler = Resampler::new(SEED);
    let mut one = || {
        let weights = resampler.draw(values.len());
        values.iter().zip(weights).map(|(value, weight)| value * f64::from(*weight)).sum::<f64>() / n
    };
    let replicates = (DRAWS / values.len()).clamp(FEWEST, REPLICATES);
    let mut means: Vec<f64> = (0..replicates).map(|_| one()).collect();
    Some((values.iter().sum::<f64>() / n, percentiles(&mut means, confidence)))
}

/// The difference of the means of pairs (before, after). `None` of fewer than two pairs.
pub fn mean_change(pairs: &[(f64, f64)], confidence: f64) -> Option<Change> {
    changed(pairs, confidence, |weights| {
        let (before, after) = means(pairs, weights);
        (before, after, after - before)
    })
}

/// The ratio of the means less one. `None` of fewer than two pairs, or when nothing was there before.
pub fn ratio_change(pairs: &[(f64, f64)], confidence: f64) -> Option<Change> {
    changed(pairs, confidence, |weights| {
        let (before, after) = means(pairs, weights);
        (before, after, after / before - 1.0)
    })
}

/// The difference of the `q` quantiles (nearest rank). `None` of fewer than two pairs.
pub fn quantile_change(pairs: &[(f64, f64)], q: f64, confidence: f64) -> Option<Change> {
    let ordered = |of: fn(&(f64, f64)) -> f64| {
        let mut order: Vec<(f64, usize)> = pairs.iter().map(of).zip(0..).collect();
        order.sort_by(|a, b| b.0.total_cmp(&a.0));
        order
    };
    let (before, after) = (ordered(|pair| pair.0), ordered(|pair| pair.1));
    // From the greatest down: the high quantiles, which are asked for, are near.
    let above = pairs.len() as u64 - nearest_rank(q, pairs.len() as u64).min(pairs.len() as u64);
    let quantile = |order: &[(f64, usize)], weights: &[u32]| {
        let mut seen = 0;
        for (value, at) in order {
            seen += u64::from(weights[*at]);
            if seen > above {
                return *value;
            }
        }
        f64::NAN
    };
    changed(pairs, confidence, |weights| {
        let (before, after) = (quantile(&before, weights), quantile(&after, weights));
        (before, after, after - before)
    })
}

fn means(pairs: &[(f64, f64)], weights: &[u32]) -> (f64, f64) {
    let (mut before, mut after) = (0.0, 0.0);
    for ((a, b), weight) in pairs.iter().zip(weights) {
        before += a * f64::from(*weight);
        after += b * f64::from(*weight);
    }
    (before / pairs.len() as f64, after / pairs.len() as f64)
}

/// `figures` gives before, after and change of the pairs, each taken as often as its weight says.
fn changed(
    pairs: &[(f64, f64)],
    confidence: f64,
    figures: impl Fn(&[u32]) -> (f64, f64, f64),
) -> Option<Change> {
    if pairs.len() < 2 {
        return None;
    }
    let (before, after, change) = figures(&vec![1; pairs.len()]);
    let mut resampler = Resampler::new(SEED);
    let replicates = (DRAWS / pairs.len()).clamp(FEWEST, REPLICATES);
    let mut values: Vec<f64> = (0..replicates).map(|_| figures(resampler.draw(pairs.len())).2).collect();
    if !change.is_finite() || values.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let share = |so: &dyn Fn(f64) -> bool| {
        (values.iter().filter(|value| so(**value)).count() + 1) as f64 / (replicates + 1) as f64
    };
    let p_value = (2.0 * share(&|v| v <= 0.0).min(share(&|v| v >= 0.0))).min(1.0);
    Some(Change { before, after, change, interval: percentiles(&mut values, confidence), p_value })
}

/// Draws with replacement, the same ones for the same seed (Efron 1979).
pub struct Resampler {
    generator: ChaCha8Rng,
    weights: Vec<u32>,
}

impl Resampler {
    /// One that begins at this seed.
    pub fn new(seed: u64) -> Self {
        Self { generator: ChaCha8Rng::seed_from_u64(seed), weights: Vec::new() }
    }

    /// `n` draws of `n` items: how often each was drawn.
    pub fn draw(&mut self, n: usize) -> &[u32] {
        self.weights.clear();
        self.weights.resize(n, 0);
        for _ in 0..n {
            self.weights[self.generator.random_range(0..n)] += 1;
        }
        &self.weights
    }
}

/// The percentile interval of replicates (Efron 1981); quantiles interpolated as type 7 of Hyndman and Fan.
pub fn percentiles(values: &mut [f64], confidence: f64) -> Interval {
    values.sort_by(f64::total_cmp);
    let tail = (1.0 - confidence) / 2.0;
    let at = |q: f64| {
        let place = q * values.len().saturating_sub(1) as f64;
        let (below, part) = (place.floor() as usize, place.fract());
        let low = values.get(below).copied().unwrap_or(f64::NAN);
        low + part * (values.get(below + 1).copied().unwrap_or(low) - low)
    };
    Interval { lower: at(tail), upper: at(1.0 - tail) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::CONFIDENCE;

    /// The worked example of Newcombe's paper (his table II: 36, 12, 2, 0).
    #[test]
    fn the_paired_interval_is_that_of_the_paper() {
        let counts = PairedCounts { both: 36.0, lost: 2.0, gained: 12.0, neither: 0.0 };
        let interval = counts.difference(CONFIDENCE).unwrap();
        assert!((interval.lower - 0.0569).abs() < 5e-4, "{interval:?}");
        assert!((interval.upper - 0.3404).abs() < 5e-4, "{interval:?}");
        let turned = PairedCounts { lost: counts.gained, gained: counts.lost, ..counts };
        let other = turned.difference(CONFIDENCE).unwrap();
        assert!((interval.lower + other.upper).abs() < 1e-12 && (interval.upper + other.lower).abs() < 1e-12);
        assert_eq!(PairedCounts::default().difference(CONFIDENCE), None);
        let same = PairedCounts { both: 50.0, ..PairedCounts::default() }.difference(CONFIDENCE).unwrap();
        assert!(same.lower < -0.05 && same.upper > 0.05, "no discordant pair proves little: {same:?}");
    }

    /// A normal sample's paired bootstrap is near its t interval, and the same each time.
    #[test]
    fn changes_are_found_and_are_the_same_each_time() {
        let pairs: Vec<(f64, f64)> =
            (0..100).map(|n| (100.0 + f64::from(n), 110.0 + f64::from(n) + f64::from(n % 7))).collect();
        let mean = mean_change(&pairs, CONFIDENCE).unwrap();
        assert_eq!(mean, mean_change(&pairs, CONFIDENCE).unwrap());
        assert!((mean.change - 12.95).abs() < 0.1 && mean.p_value < 0.001, "{mean:?}");
        assert!(mean.interval.lower > 12.4 && mean.interval.upper < 13.5, "{mean:?}");
        let ratio = ratio_change(&pairs, CONFIDENCE).unwrap();
        assert!((ratio.change - mean.change / mean.before).abs() < 1e-12);
        let p95 = quantile_change(&pairs, 0.95, CONFIDENCE).unwrap();
        assert_eq!((p95.before, p95.after), (194.0, 207.0));
        assert!(p95.interval.lower <= p95.change && p95.change <= p95.interval.upper);
        let same: Vec<(f64, f64)> = pairs.iter().map(|pair| (pair.0, pair.0)).collect();
        assert_eq!(mean_change(&same, CONFIDENCE).unwrap().p_value, 1.0);
        assert_eq!(mean_change(&pairs[..1], CONFIDENCE), None);
        assert_eq!(ratio_change(&[(0.0, 1.0), (0.0, 2.0)], CONFIDENCE), None);
        assert_eq!(quantile_change(&[], 0.95, CONFIDENCE), None);
    }
}
