//! How far two raters agree beyond chance.

use std::collections::BTreeMap;

use super::interval::{Interval, normal_quantile};

/// Agreement of two raters on the items that both rated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Agreement {
    /// Items that both rated.
    pub n: usize,
    /// Share on which they said the same, within 0..=1.
    pub share: f64,
    /// Cohen's kappa: 1 for full agreement, 0 for what chance would give. `None` when chance alone would
    /// give full agreement, because both raters said one and the same thing throughout.
    pub kappa: Option<f64>,
    /// The standard error of kappa, for its interval (Fleiss, Cohen and Everitt 1969).
    pub kappa_error: Option<f64>,
}

impl Agreement {
    /// The interval for kappa, from its standard error.
    pub fn kappa_interval(&self, confidence: f64) -> Option<Interval> {
        let half = self.kappa_error? * normal_quantile(0.5 + confidence / 2.0);
        self.kappa.map(|kappa| Interval { lower: (kappa - half).max(-1.0), upper: (kappa + half).min(1.0) })
    }
}

/// Cohen's kappa (Cohen 1960) over pairs of what each rater said. `None` of no pairs.
pub fn cohen_kappa<T: Ord + Clone>(pairs: impl IntoIterator<Item = (T, T)>) -> Option<Agreement> {
    let mut cells = BTreeMap::<(T, T), usize>::new();
    let mut categories = BTreeMap::<T, (usize, usize)>::new();
    let (mut n, mut same) = (0, 0);
    for (a, b) in pairs {
        n += 1;
        same += usize::from(a == b);
        categories.entry(a.clone()).or_default().0 += 1;
        categories.entry(b.clone()).or_default().1 += 1;
        *cells.entry((a, b)).or_default() += 1;
    }
    if n == 0 {
        return None;
    }
    let total = n as f64;
    let share = same as f64 / total;
    // In whole numbers, so that "always the same" is found exactly.
    let by_chance: usize = categories.values().map(|(a, b)| a * b).sum();
    if by_chance == n * n {
        return Some(Agreement { n, share, kappa: None, kappa_error: None });
    }
    let chance = by_chance as f64 / (total * total);
    let kappa = (share - chance) / (1.0 - chance);
    // Equation 13 of the paper: A + B − C over the square of what chance leaves.
    let (mut alike, mut apart) = (0.0, 0.0);
    for ((a, b), count) in &cells {
        let (p, row, column) = (*count as f64 / total, categories[b].0, categories[a].1);
        let margins = (row + column) as f64 / total;
        if a == b {
            alike += p * (1.0 - margins * (1.0 - kappa)).powi(2);
        } else {
            apart += p * margins * margins;
        }
    }
    let rest = kappa - chance * (1.0 - kappa);
    let variance = alike + apart * (1.0 - kappa).powi(2) - rest * rest;
    let error = (variance.max(0.0) / total).sqrt() / (1.0 - chance);
    Some(Agreement { n, share, kappa: Some(kappa), kappa_error: Some(error) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(cells: &[(&'static str, &'static str, usize)]) -> Option<Agreement> {
        cohen_kappa(cells.iter().flat_map(|&(a, b, n)| std::iter::repeat_n((a, b), n)))
    }

    #[test]
    fn known_tables_give_their_kappa() {
        // Two readers of 50 grant proposals: observed 0.7, by chance 0.5.
        let grants = table(&[("yes", "yes", 20), ("yes", "no", 5), ("no", "yes", 10), ("no", "no", 15)]);
        let grants = grants.unwrap();
        assert_eq!((grants.n, grants.share), (50, 0.7));
        assert!((grants.kappa.unwrap() - 0.4).abs() < 1e-12);
        // Full disagreement on a balanced pair is -1.
        let opposed = table(&[("yes", "no", 5), ("no", "yes", 5)]).unwrap();
        assert!((opposed.kappa.unwrap() + 1.0).abs() < 1e-12);
    }

    #[test]
    fn kappa_is_undefined_when_chance_would_agree_throughout() {
        assert_eq!(
            table(&[("pass", "pass", 9)]),
            Some(Agreement { n: 9, share: 1.0, kappa: None, kappa_error: None })
        );
        assert_eq!(table(&[]), None);
    }
}
