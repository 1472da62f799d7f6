//! Means on the log scale, odd values, and how fast an error budget burns.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::interval::Interval;

/// Count, sum and sum of squares of values.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Moments {
    /// How many.
    pub n: f64,
    /// Their mean.
    pub mean: f64,
    /// The sum of squared distances to the mean (Welford).
    squares: f64,
}

impl Moments {
    /// Of these values.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut of = Self::default();
        for value in values {
            of.n += 1.0;
            let off = value - of.mean;
            of.mean += off / of.n;
            of.squares += off * (value - of.mean);
        }
        of
    }

    /// The variance of the mean.
    fn of_mean(&self) -> f64 {
        self.squares / (self.n - 1.0) / self.n
    }
}

/// Welch's comparison of two means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Welch {
    /// The difference, second less first.
    pub difference: f64,
    /// Its standard error.
    pub error: f64,
    /// Degrees of freedom (Satterthwaite).
    pub freedom: f64,
}

impl Welch {
    /// Compares two groups; `None` when either has fewer than two values or neither varies.
    pub fn of(a: &Moments, b: &Moments) -> Option<Self> {
        if a.n < 2.0 || b.n < 2.0 {
            return None;
        }
        let (va, vb) = (a.of_mean(), b.of_mean());
        let error = (va + vb).sqrt();
        let freedom = (va + vb).powi(2) / (va * va / (a.n - 1.0) + vb * vb / (b.n - 1.0));
        (error > 0.0).then_some(Self { difference: b.mean - a.mean, error, freedom })
    }

    /// The statistic.
    pub fn t(&self) -> f64 {
        self.difference / self.error
    }

    /// The probability of so large a rise by chance, one-sided.
    pub fn p_rise(&self) -> f64 {
        StudentsT::new(0.0, 1.0, self.freedom).map_or(1.0, |t| t.sf(self.t()))
    }

    /// The interval of the difference.
    pub fn interval(&self, confidence: f64) -> Interval {
        let t = StudentsT::new(0.0, 1.0, self.freedom)
            .map_or(f64::INFINITY, |t| t.inverse_cdf(0.5 + confidence / 2.0));
        Interval { lower: self.difference - t * self.error, upper: self.difference + t * self.error }
    }
}

/// How odd one positive value is among others, on the log scale: (ln x − median)/(1.4826·MAD); where the MAD
/// is 0, a twentieth of the median's size takes the place of the spread. `None` without positive values.
pub fn robust_z(x: f64, others: &[f64]) -> Option<f64> {
    let logs: Vec<f64> = others.iter().filter(|value| **value > 0.0).map(|value| value.ln()).collect();
    if logs.is_empty() || x.is_nan() || x <= 0.0 {
        return None;
    }
    let centre = median(logs.clone())?;
    let mad = median(logs.iter().map(|value| (value - centre).abs()).collect())?;
    let spread = if mad > 0.0 { 1.4826 * mad } else { 0.05 * centre.abs() };
    let z = (x.ln() - centre) / spread;
    z.is_finite().then_some(z)
}

/// The middle of values; of an even number the mean of the two middle ones. `None` of none.
pub fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    match n {
        0 => None,
        _ if n % 2 == 1 => Some(values[n / 2]),
        _ => Some(f64::midpoint(values[n / 2 - 1], values[n / 2])),
    }
}

/// How many times as fast as allowed an error budget is used up: (bad/total)/(1−objective) (SRE workbook,
/// chapter 5). 0 of none.
pub fn burn_rate(bad: f64, total: f64, objective: f64) -> f64 {
    if total > 0.0 { bad / total / (1.0 - objective) } else { 0.0 }
}
