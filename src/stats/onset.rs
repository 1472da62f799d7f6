//! Since when: the point of a series of counts after which the rate is higher.

use std::ops::RangeInclusive;

use super::slices::likelihood;

/// From this G² on a change is possible: of 48 parts without one, 5 % have more. It is a maximum over all
/// splits, so that the tables of χ² do not hold; the figure is of a simulation.
pub const POSSIBLE: f64 = 9.0;
/// From this G² on there was a change: of 48 parts without one, 1 % have more.
pub const SURE: f64 = 12.5;
/// Splits whose G² is within this of the best are plausible too. The usual 3.84 holds the true one in 60–86 % of
/// weak changes, this in 79–99 %.
const WIDTH: f64 = 6.0;
/// Parts on each side of a split, at least.
const LEAST_PARTS: usize = 3;

/// Where the rate of a series of counts rises.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangePoint {
    /// The first part after the change.
    pub split: usize,
    /// 2[ℓ(k₁,n₁)+ℓ(k₂,n₂)−ℓ(k,n)], ℓ = k ln p̂+(n−k) ln(1−p̂), at the split.
    pub g2: f64,
    /// The rate before it.
    pub before: f64,
    /// The rate from it on.
    pub after: f64,
    /// The splits that are plausible, in their order.
    pub plausible: Vec<usize>,
}

/// The split of `parts` (requests, failures) within `splits` where G² is greatest. There are three parts at least
/// on each side. `None` of fewer parts than that, or where the rate rises nowhere.
pub fn change_point(parts: &[(f64, f64)], splits: RangeInclusive<usize>) -> Option<ChangePoint> {
    let (n, k) = parts.iter().fold((0.0, 0.0), |(n, k), part| (n + part.0, k + part.1));
    let last = parts.len().checked_sub(LEAST_PARTS)?;
    let whole = likelihood(k, n);
    let share = |k: f64, n: f64| if n > 0.0 { k / n } else { 0.0 };
    let (mut n1, mut k1) = (0.0, 0.0);
    let mut looked = Vec::new();
    for (at, part) in parts.iter().enumerate().take(last + 1) {
        if at >= LEAST_PARTS && splits.contains(&at) {
            let (before, after) = (share(k1, n1), share(k - k1, n - n1));
            let counts = n1 > 0.0 && n1 < n && after > before;
            let g2 = 2.0 * (likelihood(k1, n1) + likelihood(k - k1, n - n1) - whole);
            looked.extend(counts.then_some((at, g2, before, after)));
        }
        n1 += part.0;
        k1 += part.1;
    }
    // Of equals the first: a part without requests changes nothing.
    let best = looked.iter().copied().reduce(|best, one| if one.1 > best.1 { one } else { best })?;
    let (split, g2, before, after) = best;
    let plausible = looked.iter().filter(|one| one.1 >= g2 - WIDTH).map(|one| one.0).collect();
    Some(ChangePoint { split, g2, before, after, plausible })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fall_is_no_rise_and_few_parts_say_nothing() {
        let falls = [(20.0, 9.0), (20.0, 9.0), (20.0, 8.0), (20.0, 1.0), (20.0, 1.0), (20.0, 1.0)];
        assert_eq!(change_point(&falls, 0..=6), None);
        assert_eq!(change_point(&falls[..5], 0..=6), None);
        assert_eq!(change_point(&[(0.0, 0.0); 12], 0..=12), None);
        let rises: Vec<_> = falls.iter().rev().copied().collect();
        assert_eq!(change_point(&rises, 0..=6).unwrap().split, 3);
        assert_eq!(change_point(&rises, 4..=6), None);
    }
}
