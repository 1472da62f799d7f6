//! Which slice of traffic explains what went up: every value and every pair of values, ranked.

use std::collections::BTreeMap;

/// Requests and failures of one cell, before (`0`) and now (`1`).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SliceCell {
    /// The values of the dimensions, in one order for all cells.
    pub values: Vec<String>,
    /// Requests and failures before.
    pub before: (f64, f64),
    /// Requests and failures now.
    pub now: (f64, f64),
}

/// One slice and how much of the excess it explains.
#[derive(Debug, Clone, PartialEq)]
pub struct RankedSlice {
    /// Dimension and value, one or two.
    pub slice: Vec<(usize, String)>,
    /// Requests and failures in it now.
    pub now: (f64, f64),
    /// Failures more than usual in it.
    pub excess: f64,
    /// The share of the whole excess.
    pub share: f64,
    /// The rate outside it now.
    pub rate_outside: f64,
    /// G² of inside against outside, less 4.6 for the second dimension.
    pub score: f64,
}

/// What went up, and by which slices.
#[derive(Debug, Clone, PartialEq)]
pub struct Attribution {
    /// The rate before.
    pub before: f64,
    /// The rate now.
    pub now: f64,
    /// Failures more than the slices' usual rates say.
    pub excess: f64,
    /// The slices, most telling first.
    pub ranked: Vec<RankedSlice>,
}

/// Slices smaller than this say nothing.
const LEAST: f64 = 20.0;
/// So many requests at the overall rate are added to what a slice did before.
const SHRINK: f64 = 20.0;
/// What a second dimension must explain more: 2 ln 10.
const PENALTY: f64 = 4.605_170_185_988_092;

/// Ranks all slices of one and two dimensions by G² (inside against outside, now) less a penalty for the second
/// dimension. Left out: fewer than 20 requests, no excess, a rate not above the overall. A slice's usual rate
/// is (k₀+20·P₀)/(n₀+20).
pub fn attribute(cells: &[SliceCell]) -> Attribution {
    let total = cells.iter().fold([0.0; 4], |mut sum, cell| {
        add(&mut sum, cell);
        sum
    });
    let share = |k: f64, n: f64| if n > 0.0 { k / n } else { 0.0 };
    let (before, now) = (share(total[1], total[0]), share(total[3], total[2]));
    let mut slices: BTreeMap<Vec<(usize, String)>, [f64; 4]> = BTreeMap::new();
    for cell in cells {
        let dims = cell.values.len();
        for a in 0..dims {
            let one = vec![(a, cell.values[a].clone())];
            add(slices.entry(one.clone()).or_default(), cell);
            for b in a + 1..dims {
                let mut two = one.clone();
                two.push((b, cell.values[b].clone()));
                add(slices.entry(two).or_default(), cell);
            }
        }
    }
    let excess = total[3] - total[2] * before;
    let mut ranked: Vec<RankedSlice> = slices
        .into_iter()
        .filter_map(|(slice, [n0, k0, n1, k1])| {
            let usual = (k0 + before * SHRINK) / (n0 + SHRINK);
            let more = k1 - n1 * usual;
            if n1 < LEAST || more <= 0.0 || k1 / n1 <= now {
                return None;
            }
            let (n2, k2) = (total[2] - n1, total[3] - k1);
            let g2 = 2.0 * (likelihood(k1, n1) + likelihood(k2, n2) - likelihood(total[3], total[2]));
            let score = g2 - PENALTY * (slice.len() as f64 - 1.0);
            let part = if excess > 0.0 { more / excess } else { 0.0 };
            Some(RankedSlice {
                slice,
                now: (n1, k1),
                excess: more,
                share: part,
                rate_outside: share(k2, n2),
                score,
            })
        })
        .collect();
    ranked.sort_by(|a, b| b.score.total_cmp(&a.score));
    Attribution { before, now, excess, ranked }
}

fn add(sum: &mut [f64; 4], cell: &SliceCell) {
    let cell = [cell.before.0, cell.before.1, cell.now.0, cell.now.1];
    sum.iter_mut().zip(cell).for_each(|(sum, add)| *sum += add);
}

/// ℓ = k ln p̂ + (n−k) ln(1−p̂), 0 where that is certain.
pub(super) fn likelihood(k: f64, n: f64) -> f64 {
    let part = |k: f64| if k > 0.0 { k * (k / n).ln() } else { 0.0 };
    part(k) + part(n - k)
}
