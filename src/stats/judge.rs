//! A rate that an imperfect judge reports, corrected for what is known of its errors.

use super::interval::{Interval, normal_quantile};

/// So many of so many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Those that are so.
    pub k: u64,
    /// Those looked at.
    pub n: u64,
}

impl Count {
    /// The share; not a number of none.
    pub fn share(self) -> f64 {
        self.k as f64 / self.n as f64
    }
}

/// The true rate behind a reported one (Rogan and Gladen 1978): `(p + tnr − 1) / (tpr + tnr − 1)`, not yet
/// held within 0..=1. `None` when the judge tells no better than chance.
pub fn rogan_gladen(reported: f64, true_positive_rate: f64, true_negative_rate: f64) -> Option<f64> {
    let skill = true_positive_rate + true_negative_rate - 1.0;
    (skill > 1e-9).then(|| (reported + true_negative_rate - 1.0) / skill)
}

/// A corrected rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Corrected {
    /// The rate, within 0..=1.
    pub rate: f64,
    /// Its interval.
    pub interval: Interval,
}

/// The corrected rate with the interval of Lang and Reiczigel (2014, Preventive Veterinary Medicine
/// 113:13), which counts in how little is known of the judge itself: `reported` is what the judge passes,
/// `right_pass` and `right_fail` what it says of labelled passes and labelled failures.
pub fn corrected_rate(
    reported: Count,
    right_pass: Count,
    right_fail: Count,
    confidence: f64,
) -> Option<Corrected> {
    if reported.n == 0 || right_pass.n == 0 || right_fail.n == 0 {
        return None;
    }
    let rate = rogan_gladen(reported.share(), right_pass.share(), right_fail.share())?.clamp(0.0, 1.0);
    let z = normal_quantile(0.5 + confidence / 2.0);
    let shrunk = |count: Count| {
        let n = count.n as f64 + 2.0;
        ((count.k as f64 + 1.0) / n, n)
    };
    let ((tpr, n_pass), (tnr, n_fail)) = (shrunk(right_pass), shrunk(right_fail));
    let n = reported.n as f64 + z * z;
    let p = (reported.k as f64 + z * z / 2.0) / n;
    let middle = rogan_gladen(p, tpr, tnr)?;
    let (of_tpr, of_tnr) = (tpr * (1.0 - tpr) / n_pass, tnr * (1.0 - tnr) / n_fail);
    let shift = 2.0 * z * z * (middle * of_tpr - (1.0 - middle) * of_tnr);
    let variance = p * (1.0 - p) / n + middle * middle * of_tpr + (1.0 - middle) * (1.0 - middle) * of_tnr;
    let half = z * variance.sqrt() / (tpr + tnr - 1.0);
    let end = |value: f64| value.clamp(0.0, 1.0);
    // The interval has its own, shrunk middle; near 0 and 1 it must still hold the rate that stands beside it.
    Some(Corrected {
        rate,
        interval: Interval {
            lower: end(middle + shift - half).min(rate),
            upper: end(middle + shift + half).max(rate),
        },
    })
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::stats::CONFIDENCE;

    /// The interval holds the truth about as often as it says, where little is known of the judge.
    #[test]
    fn the_interval_covers_the_truth() {
        let mut generator = ChaCha8Rng::seed_from_u64(7);
        for (truth, tpr, tnr) in [(0.9, 0.9, 0.8), (0.6, 0.8, 0.95), (0.97, 0.95, 0.7)] {
            let mut draw =
                |n: u64, p: f64| Count { k: (0..n).filter(|_| generator.random_bool(p)).count() as u64, n };
            let (mut held, mut all) = (0, 0);
            for _ in 0..1000 {
                let reported = draw(200, truth * tpr + (1.0 - truth) * (1.0 - tnr));
                let (pass, fail) = (draw(40, tpr), draw(20, tnr));
                if let Some(found) = corrected_rate(reported, pass, fail, CONFIDENCE) {
                    all += 1;
                    held += u32::from(found.interval.lower <= truth && truth <= found.interval.upper);
                }
            }
            assert!(f64::from(held) / f64::from(all) > 0.93, "{held} of {all} at {truth}");
        }
    }

    #[test]
    fn a_judge_that_guesses_corrects_nothing() {
        let half = Count { k: 10, n: 20 };
        assert_eq!(corrected_rate(half, half, half, CONFIDENCE), None);
        assert_eq!(corrected_rate(half, Count::default(), half, CONFIDENCE), None);
    }
}
