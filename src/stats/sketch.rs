//! Quantiles of many values in little room, mergeable: DDSketch at 1 % relative accuracy.
//!
//! Masson, Rim and Lee, "DDSketch" (VLDB 2019), from `sketches-ddsketch`. Merging is exact: a merged
//! sketch answers as one sketch of all the values would.

use sketches_ddsketch::{Config, DDSketch};
use xxhash_rust::xxh3::xxh3_64;

/// Values below this count as zero. With [`LARGEST`] it keeps the sketch within its 2,048 bins, so
/// that none is ever collapsed.
pub(super) const SMALLEST: f64 = 1e-3;
/// Values above this count as this.
pub(super) const LARGEST: f64 = 1e12;
/// Bytes of checksum before the sketch's own form, since a damaged one can ask for absurd memory.
const CHECKSUM: usize = 4;

/// A mergeable sketch of non-negative values; a quantile is within 1 % of the value of that rank.
#[derive(Clone)]
pub struct Sketch(DDSketch);

impl Default for Sketch {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Sketch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sketch").field("count", &self.count()).field("p95", &self.quantile(0.95)).finish()
    }
}

impl Sketch {
    /// A sketch of nothing.
    pub fn new() -> Self {
        Self(DDSketch::new(Config::defaults()))
    }

    /// Takes a value. Negative ones count as 0; what is not a number is left out.
    pub fn add(&mut self, value: f64) {
        if !value.is_nan() {
            self.0.add(if value < SMALLEST { 0.0 } else { value.min(LARGEST) });
        }
    }

    /// Takes all that another sketch took.
    pub fn merge(&mut self, other: &Self) {
        // Fails only for sketches of another accuracy, which `from_bytes` refuses.
        let _ = self.0.merge(&other.0);
    }

    /// How many values it took.
    pub fn count(&self) -> u64 {
        self.0.count() as u64
    }

    /// The value of nearest rank `⌈q·n⌉` for `q` in 0..=1, within 1 %; `None` of an empty sketch.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let n = self.count();
        let (least, most) = (self.0.min()?, self.0.max()?);
        let rank = nearest_rank(q, n);
        // The crate takes rank ⌊q·(n−1)⌋: aim at the middle of the wanted one.
        let aim = if n <= 1 { 1.0 } else { ((rank as f64 - 0.5) / (n - 1) as f64).min(1.0) };
        self.0.quantile(aim).ok().flatten().map(|value| value.clamp(least, most))
    }

    /// The stored form.
    pub fn to_bytes(&self) -> Vec<u8> {
        let sketch = self.0.to_java_bytes();
        let mut bytes = checksum(&sketch).to_vec();
        bytes.extend_from_slice(&sketch);
        bytes
    }

    /// Reads the stored form; `None` when it is damaged or not ours.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let read = DDSketch::from_java_bytes(sketch_of(bytes)?).ok()?;
        let mut probe = DDSketch::new(Config::defaults());
        probe.merge(&read).ok()?;
        Some(Self(read))
    }
}

/// The 1-based rank `⌈q·n⌉`, within 1..=n, guarded against `0.95·20 = 19.000000000000004`.
pub fn nearest_rank(q: f64, n: u64) -> u64 {
    let exact = q.clamp(0.0, 1.0) * n as f64;
    ((exact - exact * 1e-12).ceil() as u64).clamp(1, n.max(1))
}

/// The sketch's own form behind its checksum, if that is right.
pub(super) fn sketch_of(bytes: &[u8]) -> Option<&[u8]> {
    let (sum, sketch) = bytes.split_at_checked(CHECKSUM)?;
    (sum == checksum(sketch)).then_some(sketch)
}

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM] {
    (xxh3_64(bytes) as u32).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(values: &[f64]) -> Sketch {
        let mut sketch = Sketch::new();
        values.iter().for_each(|v| sketch.add(*v));
        sketch
    }

    proptest! {
        #[test]
        fn any_quantile_is_within_one_percent_of_the_value_of_that_rank(
            mut values in prop::collection::vec(0.01f64..1e7, 1..400), cut in 0usize..400, q in 0.0f64..=1.0,
        ) {
            let (left, right) = values.split_at(cut.min(values.len()));
            let mut merged = Sketch::from_bytes(&of(left).to_bytes()).unwrap();
            merged.merge(&Sketch::from_bytes(&of(right).to_bytes()).unwrap());
            prop_assert_eq!(merged.count(), values.len() as u64);
            values.sort_by(f64::total_cmp);
            let exact = values[nearest_rank(q, values.len() as u64) as usize - 1];
            let got = merged.quantile(q).unwrap();
            prop_assert!((got - exact).abs() <= exact * 0.0101, "{got} for {exact}");
        }

        #[test]
        fn damaged_bytes_are_refused(flip in 0usize..60, bit in 0u8..8) {
            let mut bytes = of(&[1.0, 20.0, 300.0, 4000.0]).to_bytes();
            let at = flip % bytes.len();
            bytes[at] ^= 1 << bit;
            prop_assert!(Sketch::from_bytes(&bytes).is_none());
        }
    }

    #[test]
    fn odd_values_do_no_harm() {
        let sketch = of(&[f64::NAN, f64::INFINITY, -5.0, 0.0, f64::MIN_POSITIVE, 1e300]);
        assert_eq!(sketch.count(), 5);
        assert_eq!(sketch.quantile(0.5), Some(0.0));
        assert_eq!(sketch.quantile(1.0), Some(LARGEST));
        assert_eq!(Sketch::new().quantile(0.5), None);
        assert!(Sketch::from_bytes(b"").is_none() && Sketch::from_bytes(b"abc").is_none());
    }
}
