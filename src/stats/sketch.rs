//! Quantiles of many values in little room, mergeable: DDSketch at 1 % relative accuracy.
//!
//! Masson, Rim and Lee, "DDSketch" (VLDB 2019). Which value falls into which bin is the rule of
//! `sketches-ddsketch`; the counts are kept here, in one row, because a dashboard adds up thousands of
//! stored sketches and the crate takes an allocation and a sorting for each. Merging is exact: a merged
//! sketch answers as one sketch of all the values would.

use std::sync::LazyLock;

use sketches_ddsketch::Config;
use xxhash_rust::xxh3::xxh3_64;

use super::interval::{Interval, quantile_ranks};

/// Values below this count as zero.
const SMALLEST: f64 = 1e-3;
/// Values above this count as this.
const LARGEST: f64 = 1e12;
static BINS: LazyLock<Config> = LazyLock::new(Config::defaults);
/// The bins of the least and greatest value.
static KEYS: LazyLock<(i32, i32)> = LazyLock::new(|| (BINS.key(SMALLEST), BINS.key(LARGEST)));

/// A row of bins grows by so many: most never grow twice.
const ROOM: i32 = 128;

/// A mergeable sketch of non-negative values; a quantile is within 1 % of the value of that rank.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sketch {
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

impl Sketch {
    /// Takes a value. Negative ones count as 0; what is not a number is left out.
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
        self.lessened |= other.lessened;
        if let Some((least, most)) = other.ends {
            self.widen(least, most);
        }
        for (sum, add) in self.row(other.first, other.bins.len()).iter_mut().zip(&other.bins) {
            *sum += add;
        }
    }

    /// Takes away what another took, all of which this one took before.
    pub fn take_away(&mut self, other: &Self) {
        self.zeros = self.zeros.saturating_sub(other.zeros);
        self.count = self.count.saturating_sub(other.count);
        self.lessened = true;
        for (sum, less) in self.row(other.first, other.bins.len()).iter_mut().zip(&other.bins) {
            *sum = sum.saturating_sub(*less);
        }
    }

    /// Narrows its ends to the bins that are left after values were taken away, so that they hold once it is
    /// stored; within 1 %.
    pub fn settle(&mut self) {
        let Some((least, most)) = self.ends.filter(|_| self.count > 0) else {
            *self = Self::default();
            return;
        };
        let held = |key: i32| self.bins.get((key - self.first) as usize).is_some_and(|bin| *bin > 0);
        let value = |at: Option<usize>| at.map_or(0.0, |at| BINS.value(self.first + at as i32));
        let low = if least == 0.0 { self.zeros > 0 } else { held(BINS.key(least)) };
        let high = if most == 0.0 { self.zeros > 0 } else { held(BINS.key(most)) };
        let first = || value(self.bins.iter().position(|bin| *bin > 0).filter(|_| self.zeros == 0));
        let last = || value(self.bins.iter().rposition(|bin| *bin > 0));
        let most = if high { most } else { last() };
        let least = if low { least } else { first() };
        self.ends = Some((least.min(most), most));
        self.lessened = false;
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

    /// The values between which a quantile lies with this confidence, from the ranks that hold it
    /// ([`quantile_ranks`]); of few values the least and the greatest. `None` of an empty one.
    pub fn quantile_interval(&self, q: f64, confidence: f64) -> Option<Interval> {
        let n = self.count;
        let ranks = quantile_ranks(q, n, confidence)?;
        let at = |rank: u64| self.quantile(rank as f64 / n as f64);
        Some(Interval { lower: at(ranks.lower.max(1))?, upper: at(ranks.upper.unwrap_or(n))? })
    }

    /// How many values are at most this; those up to 2 % above it, the width of a bin, may be among them.
    pub fn at_most(&self, value: f64) -> u64 {
        if value < SMALLEST {
            return if value < 0.0 { 0 } else { self.zeros };
        }
        let upto = i64::from(BINS.key(value)) - i64::from(self.first) + 1;
        let upto = usize::try_from(upto).unwrap_or(0).min(self.bins.len());
        self.zeros + self.bins[..upto].iter().sum::<u64>()
    }

    /// How many values were above this one; those up to 2 % above it, the width of a bin, may be missing.
    pub fn above(&self, value: f64) -> u64 {
        self.count - self.at_most(value)
    }

    /// Forgets all values, and keeps the room.
    pub fn clear(&mut self) {
        self.bins.fill(0);
        (self.zeros, self.count, self.ends, self.lessened) = (0, 0, None, false);
    }

    /// The stored form; see [`Stored`].
    pub fn to_bytes(&self) -> Vec<u8> {
        Stored::write(self)
    }

    /// Reads the stored form; `None` when it is damaged.
    #[cfg(test)]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut sketch = Self::default();
        sketch.merge_stored(bytes).then_some(sketch)
    }

    /// Takes all that a sketch took, from its stored form. Gives whether it could be read; if not, nothing
    /// was taken.
    pub fn merge_stored(&mut self, bytes: &[u8]) -> bool {
        let Some(stored) = Stored::read(bytes) else { return false };
        self.zeros += stored.zeros;
        self.count += stored.zeros;
        if let Some((least, most)) = stored.ends {
            self.widen(least, most);
        }
        self.count += stored.add_to(self.row(stored.first, stored.span));
        true
    }

    fn widen(&mut self, least: f64, most: f64) {
        self.ends = Some(self.ends.map_or((least, most), |(a, b)| (a.min(least), b.max(most))));
    }

    /// The count of a bin.
    fn bin(&mut self, key: i32) -> &mut u64 {
        &mut self.row(key.clamp(KEYS.0, KEYS.1), 1)[0]
    }

    /// The counts of so many bins from this one on; the row grows to hold them.
    fn row(&mut self, first: i32, span: usize) -> &mut [u64] {
        if span == 0 {
            return &mut [];
        }
        if self.bins.is_empty() {
            self.first = first.div_euclid(ROOM) * ROOM;
        }
        if first < self.first {
            let begin = first.div_euclid(ROOM) * ROOM;
            self.bins.splice(0..0, std::iter::repeat_n(0, (self.first - begin) as usize));
            self.first = begin;
        }
        let at = (first - self.first) as usize;
        if at + span > self.bins.len() {
            self.bins.resize((at + span).next_multiple_of(ROOM as usize), 0);
        }
        &mut self.bins[at..at + span]
    }
}

/// A sketch as it is stored, little-endian: a checksum (4 bytes), least and greatest value (8 each), count
/// of zeros (8), first bin (4), number of bins (2), width of a count in bytes (1), whether all bins follow
/// or only those that are not empty (1), then the counts, each behind its distance from the first bin (2)
/// where only some follow.
struct Stored<'a> {
    zeros: u64,
    ends: Option<(f64, f64)>,
    first: i32,
    span: usize,
    width: usize,
    sparse: bool,
    counts: &'a [u8],
}

/// Bytes of the checksum, and of all that stands before the counts.
const CHECKSUM: usize = 4;
const HEAD: usize = CHECKSUM + 32;
/// Bytes of a distance.
const DISTANCE: usize = 2;

impl<'a> Stored<'a> {
    fn write(sketch: &Sketch) -> Vec<u8> {
        let held = |bin: &&u64| **bin > 0;
        let begin = sketch.bins.iter().position(|bin| *bin > 0).unwrap_or(sketch.bins.len());
        let end = sketch.bins.iter().rposition(|bin| *bin > 0).map_or(begin, |last| last + 1);
        let bins = &sketch.bins[begin..end];
        let width = match bins.iter().max().copied().unwrap_or(0) {
            n if n <= u64::from(u8::MAX) => 1,
            n if n <= u64::from(u16::MAX) => 2,
            n if n <= u64::from(u32::MAX) => 4,
            _ => 8,
        };
        let sparse = bins.iter().filter(held).count() * (DISTANCE + width) < bins.len() * width;
        // Ends in the wrong order stand for none.
        let (least, most) = sketch.ends.unwrap_or((1.0, 0.0));
        let mut bytes = vec![0; CHECKSUM];
        bytes.extend(least.to_le_bytes());
        bytes.extend(most.to_le_bytes());
        bytes.extend(sketch.zeros.to_le_bytes());
        bytes.extend((sketch.first + begin as i32).to_le_bytes());
        bytes.extend((bins.len() as u16).to_le_bytes());
        bytes.extend([width as u8, u8::from(sparse)]);
        for (n, bin) in bins.iter().enumerate().filter(|(_, bin)| !sparse || **bin > 0) {
            if sparse {
                bytes.extend((n as u16).to_le_bytes());
            }
            bytes.extend_from_slice(&bin.to_le_bytes()[..width]);
        }
        let sum = checksum(&bytes[CHECKSUM..]);
        bytes[..CHECKSUM].copy_from_slice(&sum);
        bytes
    }

    /// Reads the form, unless it is damaged: nothing damaged may ask for gigabytes.
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let (head, counts) = bytes.split_at_checked(HEAD)?;
        if head[..CHECKSUM] != checksum(&bytes[CHECKSUM..]) {
            return None;
        }
        let eight = |at: usize| head[at..].first_chunk::<8>().copied().unwrap_or_default();
        let (least, most) = (f64::from_le_bytes(eight(4)), f64::from_le_bytes(eight(12)));
        let stored = Self {
            zeros: u64::from_le_bytes(eight(20)),
            ends: (least <= most).then_some((least, most)),
            first: i32::from_le_bytes(*head[28..].first_chunk()?),
            span: usize::from(u16::from_le_bytes(*head[32..].first_chunk()?)),
            width: usize::from(head[34]),
            sparse: head[35] == 1,
            counts,
        };
        let last = stored.first.checked_add(stored.span as i32)?;
        let within = stored.span == 0 || KEYS.0 <= stored.first && last - 1 <= KEYS.1;
        let whole = if stored.sparse {
            counts.len() % (DISTANCE + stored.width) == 0
        } else {
            counts.len() == stored.span * stored.width
        };
        (within && whole && matches!(stored.width, 1 | 2 | 4 | 8)).then_some(stored)
    }

    /// Adds the counts to a row of bins that begins with the first; gives how many values they are.
    fn add_to(&self, row: &mut [u64]) -> u64 {
        match (self.sparse, self.width) {
            (false, 1) => add_all(row, self.counts.iter().map(|n| u64::from(*n))),
            (false, 2) => {
                let (counts, _) = self.counts.as_chunks();
                add_all(row, counts.iter().map(|n| u64::from(u16::from_le_bytes(*n))))
            }
            (false, width) => add_all(row, self.counts.chunks_exact(width).map(number)),
            (true, width) => {
                let mut sum = 0;
                for pair in self.counts.chunks_exact(DISTANCE + width) {
                    let (distance, count) = pair.split_at(DISTANCE);
                    if let Some(bin) = row.get_mut(number(distance) as usize) {
                        *bin += number(count);
                        sum += number(count);
                    }
                }
                sum
            }
        }
    }
}

fn add_all(row: &mut [u64], counts: impl Iterator<Item = u64>) -> u64 {
    let mut sum = 0;
    for (bin, count) in row.iter_mut().zip(counts) {
        *bin += count;
        sum += count;
    }
    sum
}

/// A number of at most eight bytes.
fn number(bytes: &[u8]) -> u64 {
    let mut eight = [0; 8];
    eight[..bytes.len()].copy_from_slice(bytes);
    u64::from_le_bytes(eight)
}

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM] {
    (xxh3_64(bytes) as u32).to_le_bytes()
}

/// The 1-based rank `⌈q·n⌉`, within 1..=n, guarded against `0.95·20 = 19.000000000000004`.
pub fn nearest_rank(q: f64, n: u64) -> u64 {
    let exact = q.clamp(0.0, 1.0) * n as f64;
    ((exact - exact * 1e-12).ceil() as u64).clamp(1, n.max(1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sketches_ddsketch::DDSketch;

    use super::*;

    fn of(values: &[f64]) -> Sketch {
        let mut sketch = Sketch::default();
        values.iter().for_each(|v| sketch.add(*v));
        sketch
    }

    fn value() -> impl Strategy<Value = f64> {
        prop_oneof![Just(0.0), 0.01f64..1e7, 500f64..501.0, 1e-3f64..1e12]
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
        fn answers_as_the_crate_does(values in prop::collection::vec(value(), 1..300), rank in 0usize..300) {
            let mut theirs = DDSketch::new(Config::defaults());
            values.iter().for_each(|v| theirs.add(*v));
            let n = values.len();
            let rank = rank % n;
            // The crate takes rank ⌊q·(n−1)⌋ and ours ⌈q·n⌉: aim at the middle of the same one.
            let aim = if n == 1 { 1.0 } else { ((rank as f64 + 0.5) / (n - 1) as f64).min(1.0) };
            let wanted = theirs.quantile(aim).unwrap().unwrap().clamp(theirs.min().unwrap(), theirs.max().unwrap());
            prop_assert_eq!(of(&values).quantile((rank as f64 + 1.0) / n as f64), Some(wanted));
        }

        #[test]
        fn adds_up_however_it_is_cut(
            parts in prop::collection::vec(prop::collection::vec(value(), 0..200), 1..6), q in 0.0f64..=1.0,
        ) {
            let (mut stored, mut merged) = (Sketch::default(), Sketch::default());
            for part in &parts {
                let one = of(part);
                prop_assert_eq!(Sketch::from_bytes(&one.to_bytes()).unwrap().quantile(q), one.quantile(q));
                prop_assert!(stored.merge_stored(&one.to_bytes()));
                merged.merge(&one);
            }
            let whole = of(&parts.concat());
            for sketch in [&stored, &merged] {
                prop_assert_eq!(sketch.count(), whole.count());
                prop_assert_eq!(sketch.quantile(q), whole.quantile(q));
            }
            let mut rest = stored.clone();
            rest.take_away(&of(&parts[0]));
            prop_assert_eq!(rest.count(), stored.count() - parts[0].len() as u64);
            if let Some(exact) = of(&parts[1..].concat()).quantile(q) {
                let got = rest.quantile(q).unwrap();
                prop_assert!((got - exact).abs() <= 0.021 * exact, "{got}, not {exact}");
            }
        }

        #[test]
        fn what_cannot_be_read_is_refused_and_takes_no_memory(
            bytes in prop::collection::vec(any::<u8>(), 0..80), flip in 0usize..60, bit in 0u8..8,
        ) {
            let mut sketch = Sketch::default();
            prop_assert!(!sketch.merge_stored(&bytes));
            let mut stored = of(&[1.0, 20.0, 300.0, 4000.0]).to_bytes();
            let at = flip % stored.len();
            stored[at] ^= 1 << bit;
            prop_assert!(!sketch.merge_stored(&stored));
            prop_assert_eq!(sketch, Sketch::default());
        }
    }

    #[test]
    fn ends_are_among_what_is_left() {
        let mut rest = of(&[0.0, 5.0, 700.0, 90_000.0]);
        rest.take_away(&of(&[0.0, 90_000.0]));
        rest.settle();
        let rest = Sketch::from_bytes(&rest.to_bytes()).unwrap();
        let near = |got: Option<f64>, exact: f64| (got.unwrap() - exact).abs() <= exact * 0.0101;
        assert!(near(rest.quantile(0.0), 5.0) && near(rest.quantile(1.0), 700.0), "{rest:?}");
        let mut none = rest.clone();
        none.take_away(&of(&[5.0, 700.0]));
        none.settle();
        assert_eq!(none, Sketch::default());
    }

    /// A right checksum before a wrong claim, as a later program could write it.
    #[test]
    fn a_claim_beyond_the_bins_is_refused() {
        for (at, byte) in [(30, 0x7f), (33, 0xff), (34, 3)] {
            let mut bytes = of(&[20.0]).to_bytes();
            bytes[at] = byte;
            let sum = checksum(&bytes[CHECKSUM..]);
            bytes[..CHECKSUM].copy_from_slice(&sum);
            assert_eq!(Sketch::from_bytes(&bytes), None, "{at}");
        }
    }

    proptest! {
        #[test]
        fn what_is_at_most_a_value_is_counted_within_one_percent(
            values in prop::collection::vec(value(), 0..200), at in 0.0f64..2e6,
        ) {
            let sketch = of(&values);
            let exactly = |limit: f64| values.iter().filter(|v| **v <= limit).count() as u64;
            let got = sketch.at_most(at);
            prop_assert!(exactly(at * 0.979) <= got && got <= exactly(at * 1.021).max(exactly(SMALLEST)), "{got}");
            prop_assert_eq!(sketch.at_most(LARGEST), values.len() as u64);
        }
    }

    #[test]
    fn few_values_take_little_room() {
        assert_eq!(of(&[]).to_bytes().len(), HEAD);
        assert!(of(&[1.0, 1e6]).to_bytes().len() < HEAD + 8);
        let near: Vec<f64> = (500..600).map(f64::from).collect();
        assert!(of(&near).to_bytes().len() < HEAD + 12);
    }

    #[test]
    fn odd_values_do_no_harm() {
        let sketch = of(&[f64::NAN, f64::INFINITY, -5.0, 0.0, f64::MIN_POSITIVE, 1e300]);
        assert_eq!(sketch.count(), 5);
        assert_eq!(sketch.quantile(0.5), Some(0.0));
        assert_eq!(sketch.quantile(1.0), Some(LARGEST));
        assert_eq!(Sketch::default().quantile(0.5), None);
    }
}
