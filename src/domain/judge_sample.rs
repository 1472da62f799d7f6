//! The daily sample: how many of the arriving traces are judged, by whom, and for how much at most.

/// What `[judge_sample]` says. Of each feature as many traces a day are judged as the greater of `rate` of them and
/// `at_least`, or all where there are fewer.
#[derive(Debug, Clone, PartialEq)]
pub struct JudgeSample {
    /// The share of the traces that is judged however many there are, in (0, 1].
    pub rate: f64,
    /// Traces of a feature that are judged in a day (UTC), as far as it has so many.
    pub at_least: u64,
    /// The evaluators that look at them, by name.
    pub evaluators: Vec<String>,
    /// The most that a day (UTC) of judging may cost, in US dollars.
    pub max_usd_per_day: f64,
}

impl Default for JudgeSample {
    fn default() -> Self {
        Self { rate: 0.01, at_least: 100, evaluators: Vec::new(), max_usd_per_day: 1.0 }
    }
}

impl JudgeSample {
    /// The probability with which the next trace of a feature and a day is drawn, where so many of the day were
    /// drawn before it and so many are still to come, it among them: never less than the rate, and as much more
    /// as it takes to reach the least number (selection–rejection, Knuth 3.4.2 S, with an estimate of what is to
    /// come in the place of the number).
    pub fn probability(&self, drawn: u64, to_come: f64) -> f64 {
        let missing = self.at_least.saturating_sub(drawn) as f64;
        self.rate.max(missing / to_come.max(1.0)).min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// Traces drawn of a day of `n`, where `guess` times as many were foreseen.
    fn drawn(spec: &JudgeSample, n: u64, guess: f64, seed: u64) -> u64 {
        let mut dice = ChaCha8Rng::seed_from_u64(seed);
        (0..n).fold(0, |drawn, at| {
            let to_come = 1.0 + (n - at - 1) as f64 * guess;
            drawn + u64::from(dice.random::<f64>() < spec.probability(drawn, to_come))
        })
    }

    #[test]
    fn a_day_has_its_least_number_or_its_share_or_all() {
        let spec = JudgeSample::default();
        for seed in 0..20 {
            assert_eq!(drawn(&spec, 60, 1.0, seed), 60, "all of a small one");
            let usual = drawn(&spec, 3_000, 1.0, seed);
            assert!((100..=115).contains(&usual), "{usual}");
            let busy = drawn(&spec, 50_000, 1.0, seed);
            assert!(
                (430..=640).contains(&busy),
                "a hundredth, and what was taken before that was enough: {busy}"
            );
            // A wrong forecast is made good as the day goes on.
            let (low, high) = (drawn(&spec, 3_000, 0.5, seed), drawn(&spec, 3_000, 2.0, seed));
            assert!((100..=130).contains(&low) && (90..=115).contains(&high), "{low} {high}");
        }
    }
}
