//! Control charts over judgements that come one by one: the Bernoulli CUSUM with its exact run lengths, the
//! EWMA that is drawn beside it, and Page–Hinkley where the usual rate is not known.

/// A Bernoulli CUSUM: a failure adds `fail`, a pass takes 1 away, never below 0; the alarm is at `limit`.
///
/// Reynolds and Stoumbos (1999): with m = r₂/r₁ rounded to a whole number it is a Markov chain of `limit`
/// states, whose run lengths are exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Cusum {
    /// What a failure adds: m − 1.
    pub fail: u32,
    /// Where the alarm is.
    pub limit: u32,
}

/// The largest limit that is looked at: its chain is solved in milliseconds.
const MOST_STATES: u32 = 4_000;

impl Cusum {
    /// The weight of a failure that tells the rate `p1` from `p0` best, unrounded: r₂/r₁ with
    /// r₁ = −ln((1−p₁)/(1−p₀)) and r₂ = ln(p₁(1−p₀)/(p₀(1−p₁))). Needs 0 < p0 < p1 < 1.
    pub fn weight(p0: f64, p1: f64) -> f64 {
        let r1 = -((1.0 - p1) / (1.0 - p0)).ln();
        let r2 = (p1 * (1.0 - p0) / (p0 * (1.0 - p1))).ln();
        r2 / r1
    }

    /// The chart with the least limit whose run to a false alarm at `p0` is at least `run` judgements on
    /// average. `None` when the rates are none that can be told apart so, or the limit would be above 4,000.
    pub fn design(p0: f64, p1: f64, run: f64) -> Option<Self> {
        if !(p0 > 0.0 && p0 < p1 && p1 < 1.0) {
            return None;
        }
        let fail = (Self::weight(p0, p1).round() as u32).max(2) - 1;
        let enough = |limit: u32| Self { fail, limit }.run_length(p0) >= run;
        let (mut low, mut high) = (0, fail + 1);
        while !enough(high) {
            if high >= MOST_STATES {
                return None;
            }
            (low, high) = (high, (high * 2).min(MOST_STATES));
        }
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if enough(middle) { high = middle } else { low = middle }
        }
        Some(Self { fail, limit: high })
    }

    /// The mean number of judgements to the alarm when a share `p` of them fails, from the start at 0: the
    /// solution of (I−Q)a = 1 over the states below the limit.
    ///
    /// Each state reaches the one below by a pass and one `fail` above by a failure, so the system has one
    /// band below the diagonal; eliminating it from the top down leaves the first unknown last.
    pub fn run_length(&self, p: f64) -> f64 {
        let (n, up) = (self.limit as usize, self.fail as usize);
        if n == 0 {
            return 0.0;
        }
        let q = 1.0 - p;
        // From the highest state down, aᵢ = cᵢ + dᵢ·aᵢ₋₁: what lies above is known in terms of what is below.
        let (mut c, mut d) = (vec![0.0; n], vec![0.0; n]);
        for i in (1..n).rev() {
            // a(i+up) in terms of aᵢ, by going down the states between.
            let (mut constant, mut slope) = (0.0, 0.0);
            if i + up < n {
                slope = 1.0;
                for j in i + 1..=i + up {
                    // aⱼ = cⱼ + dⱼ·aⱼ₋₁
                    constant = c[j] + d[j] * constant;
                    slope *= d[j];
                }
            }
            let scale = 1.0 - p * slope;
            c[i] = (1.0 + p * constant) / scale;
            d[i] = q / scale;
        }
        let (mut constant, mut slope) = (0.0, 0.0);
        if up < n {
            slope = 1.0;
            for j in 1..=up {
                constant = c[j] + d[j] * constant;
                slope *= d[j];
            }
        }
        // 1−q is p. A run so long that its chance of an alarm is lost in rounding does not end.
        let escape = 1.0 - slope;
        if escape < 1e-10 { f64::INFINITY } else { (1.0 + p * constant) / (p * escape) }
    }

    /// The sum after one more judgement, before any start anew.
    pub fn step(&self, sum: u32, failed: bool) -> u32 {
        if failed { sum + self.fail } else { sum.saturating_sub(1) }
    }

    /// Whether a sum is the alarm.
    pub fn alarms(&self, sum: u32) -> bool {
        sum >= self.limit
    }
}

/// One point of an EWMA of shares and its upper limit.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct EwmaPoint {
    /// The smoothed share.
    pub value: f64,
    /// What it stays below when nothing changed.
    pub limit: f64,
}

/// The EWMA of shares of `n` each, from `usual` on: z = λx+(1−λ)z, limit p₀ + L√(p₀(1−p₀)/n · λ/(2−λ) ·
/// (1−(1−λ)^2i)) (Montgomery). For the eye; it is not the alarm.
pub fn ewma(shares: &[f64], n: f64, usual: f64, lambda: f64, width: f64) -> Vec<EwmaPoint> {
    let mut z = usual;
    let mut points = Vec::with_capacity(shares.len());
    for (i, share) in shares.iter().enumerate() {
        z = lambda * share + (1.0 - lambda) * z;
        let settled = 1.0 - (1.0 - lambda).powi(2 * (i as i32 + 1));
        let error = (usual * (1.0 - usual) / n * lambda / (2.0 - lambda) * settled).sqrt();
        points.push(EwmaPoint { value: z, limit: usual + width * error });
    }
    points
}

/// Page–Hinkley for a rise (Page 1954): m += x − x̄ − δ, and its distance to its least value; the alarm is
/// above `lambda`, not before `least` judgements. Starts anew after an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PageHinkley {
    seen: u32,
    mean: f64,
    sum: f64,
    lowest: f64,
}

impl PageHinkley {
    /// Takes a judgement, 1 for a failure; gives the statistic before any start anew.
    pub fn step(&mut self, failed: bool, delta: f64) -> f64 {
        let x = f64::from(u8::from(failed));
        self.seen += 1;
        self.mean += (x - self.mean) / f64::from(self.seen);
        self.sum += x - self.mean - delta;
        self.lowest = self.lowest.min(self.sum);
        self.sum - self.lowest
    }

    /// Whether that is the alarm.
    pub fn alarms(&self, statistic: f64, lambda: f64, least: u32) -> bool {
        self.seen >= least && statistic > lambda
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_run_is_longer_the_higher_the_limit_and_the_lower_the_rate(
            fail in 1u32..30, limit in 1u32..120, p in 0.05f64..0.6,
        ) {
            let chart = Cusum { fail, limit };
            prop_assert!(chart.run_length(p) >= 1.0);
            let (higher, least) = (Cusum { fail, limit: limit + 1 }, chart.run_length(p) * (1.0 - 1e-9));
            prop_assert!(higher.run_length(p) >= least);
            prop_assert!(chart.run_length(p * 0.9) >= least);
        }
    }

    #[test]
    fn what_cannot_be_told_apart_has_no_chart() {
        assert_eq!(Cusum::design(0.1, 0.1, 9000.0), None);
        assert_eq!(Cusum::design(0.0, 0.1, 9000.0), None);
        assert_eq!(Cusum::design(0.2, 0.1, 9000.0), None);
        assert_eq!(Cusum { fail: 3, limit: 0 }.run_length(0.1), 0.0);
    }
}
