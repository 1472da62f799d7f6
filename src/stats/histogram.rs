//! Where many stored [`Sketch`](super::Sketch)es are added up: the same bins in one row, read straight from
//! the stored bytes. Adding a sketch through the crate costs an allocation and a re-sorting of its bins; a
//! dashboard adds thousands.

use std::sync::LazyLock;

use sketches_ddsketch::Config;

use super::sketch::{LARGEST, SMALLEST, nearest_rank, sketch_of};

/// The crate's own rule of bins: which value falls into which.
static BINS: LazyLock<Config> = LazyLock::new(Config::defaults);
/// The bins of the least and greatest value. Honest keys are within; a damaged one must not ask for gigabytes.
static KEYS: LazyLock<(i32, i32)> = LazyLock::new(|| (BINS.key(SMALLEST), BINS.key(LARGEST)));

/// Counts by bin of non-negative values; a quantile is within 1 % of the value of that rank.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Histogram {
    /// The bin of `bins[0]`.
    first: i32,
    bins: Vec<u64>,
    zeros: u64,
    count: u64,
    /// Least and greatest value; only ever widened.
    ends: Option<(f64, f64)>,
    /// Values were taken away: the ends may be among them.
    lessened: bool,
}

impl Histogram {
    /// Takes a value, as [`Sketch::add`](super::Sketch::add) does.
    pub fn add(&mut self, value: f64) {
        if value.is_nan() {
            return;
        }
        let value = if value < SMALLEST { 0.0 } else { value.min(LARGEST) };
        self.count += 1;
        self.widen(value, value);
        if value == 0.0 { self.zeros += 1 } else { *self.bin(BINS.key(value)) += 1 }
    }

    /// Takes all that another took.
    pub fn merge(&mut self, other: &Self) {
        self.zeros += other.zeros;
        self.count += other.count;
        if let Some((least, most)) = other.ends {
            self.widen(least, most);
        }
        if let Some(last) = other.bins.len().checked_sub(1) {
            self.bin(other.first);
            self.bin(other.first + last as i32);
            let at = (other.first - self.first) as usize;
            for (sum, add) in self.bins[at..].iter_mut().zip(&other.bins) {
                *sum += add;
            }
        }
    }

    /// Takes away what another took, all of which this one took before.
    pub fn take_away(&mut self, other: &Self) {
        self.zeros = self.zeros.saturating_sub(other.zeros);
        self.count = self.count.saturating_sub(other.count);
        self.lessened = true;
        for (n, less) in other.bins.iter().enumerate().filter(|(_, less)| **less > 0) {
            let bin = self.bin(other.first + n as i32);
            *bin = bin.saturating_sub(*less);
        }
    }

    /// Takes all that a sketch took, from its stored bytes. Gives whether they could be read; if not, nothing
    /// was taken.
    pub fn merge_stored(&mut self, bytes: &[u8]) -> bool {
        let Some(read) = sketch_of(bytes).and_then(Stored::read) else { return false };
        self.zeros += read.zeros;
        self.count += read.zeros;
        if let Some((least, most)) = read.ends {
            self.widen(least, most);
        }
        let mut rest = read.bins;
        let mut key = 0i64;
        for _ in 0..read.bin_count {
            let (Some(delta), Some(count)) = (signed(&mut rest), counted(&mut rest)) else { return false };
            key += delta;
            *self.bin(key as i32) += count;
            self.count += count;
        }
        true
    }

    /// How many values it took.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The value of nearest rank `⌈q·n⌉` for `q` in 0..=1, within 1 %; `None` of an empty one.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let (least, most) = self.ends.filter(|_| self.count > 0)?;
        let rank = nearest_rank(q, self.count);
        if rank == self.count && !self.lessened {
            return Some(most);
        }
        let mut below = self.zeros;
        if rank <= below {
            return Some(0.0);
        }
        for (n, count) in self.bins.iter().enumerate() {
            below += count;
            if rank <= below {
                return Some(BINS.value(self.first + n as i32).clamp(least, most));
            }
        }
        Some(most)
    }

    fn widen(&mut self, least: f64, most: f64) {
        self.ends = Some(self.ends.map_or((least, most), |(a, b)| (a.min(least), b.max(most))));
    }

    /// The count of a bin; the row grows to hold it.
    fn bin(&mut self, key: i32) -> &mut u64 {
        let key = key.clamp(KEYS.0, KEYS.1);
        if self.bins.is_empty() {
            self.first = key;
        }
        if key < self.first {
            let more = (self.first - key) as usize;
            self.bins.splice(0..0, std::iter::repeat_n(0, more));
            self.first = key;
        }
        let at = (key - self.first) as usize;
        if at >= self.bins.len() {
            self.bins.resize(at + 1, 0);
        }
        &mut self.bins[at]
    }
}

/// A sketch in the form of DataDog's libraries, as far as ours use it: statistics, the logarithmic mapping,
/// a count of zeros, and one list of (distance to the bin before, count).
struct Stored<'a> {
    zeros: u64,
    ends: Option<(f64, f64)>,
    bin_count: u64,
    bins: &'a [u8],
}

impl<'a> Stored<'a> {
    fn read(mut rest: &'a [u8]) -> Option<Self> {
        let mut stored = Self { zeros: 0, ends: None, bin_count: 0, bins: &[] };
        let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
        while let Some((&flag, after)) = rest.split_first() {
            rest = after;
            match flag {
                0xa0 => drop(double(&mut rest)?),
                0x84 => drop(float(&mut rest)?),
                0x88 => least = float(&mut rest)?,
                0x8c => most = float(&mut rest)?,
                0x02 => {
                    // Another accuracy has other bins.
                    if float(&mut rest)? != BINS.gamma || float(&mut rest)? != 0.0 {
                        return None;
                    }
                }
                0x04 => stored.zeros = double(&mut rest)? as u64,
                0x05 => {
                    stored.bin_count = unsigned(&mut rest)?;
                    stored.bins = rest;
                    rest = &[];
                }
                _ => return None,
            }
        }
        stored.ends = (least <= most).then_some((least, most));
        Some(stored)
    }
}

fn byte(rest: &mut &[u8]) -> Option<u8> {
    let (&first, after) = rest.split_first()?;
    *rest = after;
    Some(first)
}

fn float(rest: &mut &[u8]) -> Option<f64> {
    let (bytes, after) = rest.split_first_chunk::<8>()?;
    *rest = after;
    Some(f64::from_le_bytes(*bytes))
}

/// Seven bits a byte, the lowest first.
fn unsigned(rest: &mut &[u8]) -> Option<u64> {
    let (mut value, mut shift) = (0, 0);
    loop {
        let next = byte(rest)?;
        if next < 0x80 || shift == 56 {
            return Some(value | (u64::from(next) << shift));
        }
        value |= u64::from(next & 0x7f) << shift;
        shift += 7;
    }
}

/// Zigzag: the sign in the lowest bit.
fn signed(rest: &mut &[u8]) -> Option<i64> {
    let value = unsigned(rest)?;
    Some((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
}

/// A float, one added to it and turned so that small whole numbers are short.
fn double(rest: &mut &[u8]) -> Option<f64> {
    let (mut bits, mut shift) = (0u64, 57);
    loop {
        let next = byte(rest)?;
        if shift == 1 {
            bits |= u64::from(next);
            break;
        }
        if next < 0x80 {
            bits |= u64::from(next) << shift;
            break;
        }
        bits |= u64::from(next & 0x7f) << shift;
        shift -= 7;
    }
    Some(f64::from_bits(bits.rotate_right(6).wrapping_add(1f64.to_bits())) - 1.0)
}

fn counted(rest: &mut &[u8]) -> Option<u64> {
    double(rest).map(|count| count as u64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::stats::Sketch;

    fn sketch(values: &[f64]) -> Sketch {
        let mut sketch = Sketch::new();
        values.iter().for_each(|v| sketch.add(*v));
        sketch
    }

    proptest! {
        #[test]
        fn adds_up_to_what_the_sketches_say(
            parts in prop::collection::vec(
                prop::collection::vec(prop_oneof![Just(0.0), 0.01f64..1e7, 500f64..501.0], 0..200), 1..6),
            q in 0.0f64..=1.0,
        ) {
            let (mut stored, mut merged, mut added) = (Histogram::default(), Histogram::default(), Histogram::default());
            let mut whole = Sketch::new();
            for part in &parts {
                let one = sketch(part);
                prop_assert!(stored.merge_stored(&one.to_bytes()));
                let mut other = Histogram::default();
                part.iter().for_each(|v| { other.add(*v); added.add(*v) });
                merged.merge(&other);
                whole.merge(&one);
            }
            prop_assert_eq!(stored.count(), whole.count());
            for histogram in [&stored, &merged, &added] {
                prop_assert_eq!(histogram.quantile(q), whole.quantile(q));
            }
            let mut rest = stored.clone();
            let mut first = Histogram::default();
            parts[0].iter().for_each(|v| first.add(*v));
            rest.take_away(&first);
            prop_assert_eq!(rest.count(), stored.count() - parts[0].len() as u64);
            let kept: Vec<f64> = parts[1..].concat();
            if let Some(exact) = sketch(&kept).quantile(q) {
                let got = rest.quantile(q).unwrap();
                prop_assert!((got - exact).abs() <= 0.021 * exact, "{got}, not {exact}");
            }
        }

        #[test]
        fn what_cannot_be_read_is_refused_and_takes_no_memory(bytes in prop::collection::vec(any::<u8>(), 0..80), flip in 0usize..40) {
            let mut histogram = Histogram::default();
            prop_assert!(!histogram.merge_stored(&bytes) || bytes.is_empty());
            let mut stored = sketch(&[1.0, 20.0]).to_bytes();
            let at = flip % stored.len();
            stored[at] ^= 1;
            prop_assert!(!histogram.merge_stored(&stored));
            prop_assert_eq!(histogram, Histogram::default());
        }
    }
}
