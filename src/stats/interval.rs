//! Intervals for rates, from counts and from weighted samples, and the comparison of two rates.

use statrs::distribution::{ContinuousCDF, Normal};

use super::exact::binomial_upper;

/// The confidence of every interval shown to people.
pub const CONFIDENCE: f64 = 0.95;

/// An interval; of a share, within 0..=1.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Interval {
    /// Lower end.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
}

/// The Wilson score interval (Wilson 1927, without continuity correction) of `k` of `n`, two-sided.
/// `None` when `n` is 0. Both may be fractions, as the effective sizes of weighted samples are.
pub fn wilson(k: f64, n: f64, confidence: f64) -> Option<Interval> {
    if n.is_nan() || n <= 0.0 {
        return None;
    }
    let z = normal_quantile(0.5 + confidence / 2.0);
    let p = (k / n).clamp(0.0, 1.0);
    let z2 = z * z;
    let centre = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = z * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt() / (1.0 + z2 / n);
    // At k = 0 and k = n the ends are exact, and rounding would put them just beside.
    let lower = if p == 0.0 { 0.0 } else { (centre - half).clamp(0.0, 1.0) };
    let upper = if p == 1.0 { 1.0 } else { (centre + half).clamp(0.0, 1.0) };
    Some(Interval { lower, upper })
}

/// A rate estimated from a weighted sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WeightedRate {
    /// The Hájek estimate `Σ w·y / Σ w`.
    pub rate: f64,
    /// Kish's effective size `(Σ w)² / Σ w²`: how many equal draws would know as much.
    pub effective_n: f64,
    /// The Wilson interval at the effective size.
    pub interval: Interval,
}

/// A rate over a population from draws of `(inclusion probability, whether so)`.
///
/// Each draw weighs `1 / probability`: the ratio estimator of Hájek (1971), with Kish's (1965)
/// effective size in Wilson's interval, which stays within 0..=1 for small samples where a
/// linearised variance does not. Draws with a probability outside (0, 1] are left out. `None` of none.
pub fn weighted_rate(draws: impl IntoIterator<Item = (f64, bool)>, confidence: f64) -> Option<WeightedRate> {
    let (mut total, mut so, mut squares) = (0.0, 0.0, 0.0);
    for (probability, yes) in draws {
        if probability > 0.0 && probability <= 1.0 {
            let weight = probability.recip();
            total += weight;
            squares += weight * weight;
            so += if yes { weight } else { 0.0 };
        }
    }
    if total <= 0.0 {
        return None;
    }
    let (rate, effective_n) = (so / total, total * total / squares);
    let interval = wilson(rate * effective_n, effective_n, confidence)?;
    Some(WeightedRate { rate, effective_n, interval })
}

/// The two-proportion z statistic with pooled variance of `kb/nb` against `ka/na`: positive when b is
/// higher. 0 when it is undefined (an empty side, or all or none on both).
pub fn two_proportion_z(ka: f64, na: f64, kb: f64, nb: f64) -> f64 {
    let pooled = (ka + kb) / (na + nb);
    let error = (pooled * (1.0 - pooled) * (na.recip() + nb.recip())).sqrt();
    let z = (kb / nb - ka / na) / error;
    if z.is_finite() { z } else { 0.0 }
}

/// The interval of `kb/nb` less `ka/na`, from the Wilson intervals of both (Newcombe 1998, method 10). `None` of an
/// empty side. Counts may be fractions, as the effective sizes of weighted samples are.
pub fn difference((ka, na): (f64, f64), (kb, nb): (f64, f64), confidence: f64) -> Option<Interval> {
    let (a, b) = (wilson(ka, na, confidence)?, wilson(kb, nb, confidence)?);
    let (pa, pb) = (ka / na, kb / nb);
    Some(Interval {
        lower: pb - pa - (pb - b.lower).hypot(a.upper - pa),
        upper: pb - pa + (b.upper - pb).hypot(pa - a.lower),
    })
}

/// The order statistics that hold a quantile.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QuantileRanks {
    /// The 1-based rank of the lower end; 0 when no value is low enough.
    pub lower: u64,
    /// The rank of the upper end; `None` when no value is high enough, as at the 95th percentile of fewer
    /// than 72 values.
    pub upper: Option<u64>,
    /// How probably the quantile lies between the two: at least the confidence.
    pub coverage: f64,
}

/// The ranks that hold the `q` quantile of `n` values: l = binom⁻¹(α/2; n, q), u = binom⁻¹(1−α/2; n, q) + 1.
/// `None` of no values.
pub fn quantile_ranks(q: f64, n: u64, confidence: f64) -> Option<QuantileRanks> {
    if n == 0 {
        return None;
    }
    let below = |k: u64| 1.0 - binomial_upper(k + 1, n, q);
    // The least count that is not exceeded with this probability.
    let quantile = |p: f64| {
        let (mut low, mut high) = (0, n);
        while low < high {
            let middle = low + (high - low) / 2;
            if below(middle) >= p { high = middle } else { low = middle + 1 }
        }
        low
    };
    let tail = (1.0 - confidence) / 2.0;
    let (lower, upper) = (quantile(tail), quantile(1.0 - tail) + 1);
    let coverage = binomial_upper(lower, n, q) - binomial_upper(upper, n, q);
    Some(QuantileRanks { lower, upper: (upper <= n).then_some(upper), coverage })
}

/// The value that a standard normal stays below with probability `p`.
pub fn normal_quantile(p: f64) -> f64 {
    Normal::standard().inverse_cdf(p)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::stats::{Sketch, nearest_rank};

    fn cases(function: &str) -> Vec<Value> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/stats/cases.json");
        let all: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let wanted: Vec<Value> =
            all["cases"].as_array().unwrap().iter().filter(|case| case["fn"] == function).cloned().collect();
        assert!(!wanted.is_empty(), "no case of {function}");
        wanted
    }

    fn number(case: &Value, path: &str) -> f64 {
        case.pointer(path).and_then(Value::as_f64).unwrap_or_else(|| panic!("{path} of {case}"))
    }

    fn close(case: &Value, path: &str, got: f64) {
        let (expected, tolerance) = (number(case, path), number(case, "/tol"));
        assert!(
            (got - expected).abs() <= tolerance * expected.abs().max(1.0),
            "{}{path}: {got}, not {expected}",
            case["id"]
        );
    }

    #[test]
    fn wilson_agrees_with_the_reference() {
        for case in cases("wilson_ci") {
            let (k, n) = (number(&case, "/input/successes"), number(&case, "/input/n"));
            let interval = wilson(k, n, number(&case, "/input/confidence")).unwrap();
            close(&case, "/expected/lower", interval.lower);
            close(&case, "/expected/upper", interval.upper);
        }
        // One-sided at `alpha` is the upper end of two-sided at twice that.
        for case in cases("wilson_upper_bound") {
            let (k, n) = (number(&case, "/input/successes"), number(&case, "/input/n"));
            let interval = wilson(k, n, 1.0 - 2.0 * number(&case, "/input/alpha")).unwrap();
            close(&case, "/expected/upper", interval.upper);
        }
        assert_eq!(wilson(0.0, 0.0, 0.95), None);
    }

    #[test]
    fn weighted_rates_agree_with_the_reference() {
        for case in cases("weighted_rate_ci") {
            let mut draws = Vec::new();
            for row in case["input"]["weights_values"].as_array().unwrap() {
                let row: Vec<f64> = row.as_array().unwrap().iter().filter_map(Value::as_f64).collect();
                let [weight, y, count] = row[..] else { panic!() };
                draws.extend(std::iter::repeat_n((1.0 / weight, y == 1.0), count as usize));
            }
            let got = weighted_rate(draws, number(&case, "/input/confidence")).unwrap();
            close(&case, "/expected/rate", got.rate);
            close(&case, "/expected/n_eff", got.effective_n);
            close(&case, "/expected/lower", got.interval.lower);
            close(&case, "/expected/upper", got.interval.upper);
        }
        assert_eq!(weighted_rate([(0.0, true), (f64::NAN, true)], 0.95), None);
    }

    #[test]
    fn two_proportions_agree_with_the_reference() {
        for case in cases("two_proportion") {
            let input = |name: &str| number(&case, &format!("/input/{name}"));
            let z = two_proportion_z(input("k_a"), input("n_a"), input("k_b"), input("n_b"));
            close(&case, "/expected/z_pooled", z);
        }
        assert_eq!(two_proportion_z(0.0, 10.0, 0.0, 10.0), 0.0);
        assert_eq!(two_proportion_z(0.0, 0.0, 1.0, 10.0), 0.0);
    }

    #[test]
    fn quantiles_agree_with_the_reference() {
        for case in cases("quantile") {
            let values: Vec<f64> =
                case["input"]["values"].as_array().unwrap().iter().filter_map(Value::as_f64).collect();
            let mut sketch = Sketch::default();
            values.iter().for_each(|value| sketch.add(*value));
            for (i, q) in case["input"]["q"].as_array().unwrap().iter().enumerate() {
                let exact = number(&case, &format!("/expected/nearest_rank/{i}"));
                let rank = nearest_rank(q.as_f64().unwrap(), values.len() as u64);
                assert_eq!(values[rank as usize - 1], exact, "{}", case["id"]);
                let sketched = sketch.quantile(q.as_f64().unwrap()).unwrap();
                assert!(
                    (sketched - exact).abs() <= 0.0101 * exact,
                    "{}: {sketched}, not {exact}",
                    case["id"]
                );
            }
        }
    }

    #[test]
    fn normal_quantiles_agree_with_the_reference() {
        let case = &cases("special_functions")[0];
        for (p, z) in case["expected"]["norm_ppf"].as_object().unwrap() {
            assert!((normal_quantile(p.parse().unwrap()) - z.as_f64().unwrap()).abs() < 1e-9, "{p}");
        }
    }

    proptest! {
        #[test]
        fn an_interval_holds_its_rate(n in 1u32..100_000, share in 0.0f64..=1.0) {
            let k = (f64::from(n) * share).floor();
            let interval = wilson(k, f64::from(n), CONFIDENCE).unwrap();
            let rate = k / f64::from(n);
            prop_assert!(0.0 <= interval.lower && interval.lower <= rate);
            prop_assert!(rate <= interval.upper && interval.upper <= 1.0);
        }

        #[test]
        fn a_uniform_sample_weighs_nothing(k in 0usize..50, rest in 1usize..50, p in 0.001f64..=1.0) {
            let draws = (0..k + rest).map(|i| (p, i < k));
            let weighted = weighted_rate(draws, CONFIDENCE).unwrap();
            let plain = wilson(k as f64, (k + rest) as f64, CONFIDENCE).unwrap();
            prop_assert!((weighted.interval.lower - plain.lower).abs() < 1e-9);
            prop_assert!((weighted.interval.upper - plain.upper).abs() < 1e-9);
        }
    }
}
