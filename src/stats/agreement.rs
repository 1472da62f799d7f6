//! How far two raters agree beyond chance.

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
}

/// Cohen's kappa (Cohen 1960) over pairs of what each rater said. `None` of no pairs.
pub fn cohen_kappa<T: Ord>(pairs: impl IntoIterator<Item = (T, T)>) -> Option<Agreement> {
    let mut categories = std::collections::BTreeMap::<T, (usize, usize)>::new();
    let (mut n, mut same) = (0, 0);
    for (a, b) in pairs {
        n += 1;
        same += usize::from(a == b);
        categories.entry(a).or_default().0 += 1;
        categories.entry(b).or_default().1 += 1;
    }
    if n == 0 {
        return None;
    }
    let total = n as f64;
    let share = same as f64 / total;
    // In whole numbers, so that "always the same" is found exactly.
    let by_chance: usize = categories.values().map(|(a, b)| a * b).sum();
    let kappa = (by_chance != n * n).then(|| {
        let chance = by_chance as f64 / (total * total);
        (share - chance) / (1.0 - chance)
    });
    Some(Agreement { n, share, kappa })
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
        assert_eq!(table(&[("pass", "pass", 9)]), Some(Agreement { n: 9, share: 1.0, kappa: None }));
        assert_eq!(table(&[]), None);
    }
}
