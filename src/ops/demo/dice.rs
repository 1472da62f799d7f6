//! Chance, from a seed and a place in the demo, so that any part can be made alone and comes out the
//! same. Knows nothing of what it decides.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use xxhash_rust::xxh3::xxh3_64;

/// A stream of decisions.
pub struct Dice(ChaCha8Rng);

impl Dice {
    /// The stream for one purpose at one place: the same numbers give the same stream.
    pub fn new(seed: u64, purpose: u64, place: u64) -> Self {
        let mut key = [0u8; 32];
        for (chunk, part) in key.chunks_exact_mut(8).zip([seed, purpose, place, seed ^ place.rotate_left(17)])
        {
            chunk.copy_from_slice(&xxh3_64(&part.to_le_bytes()).to_le_bytes());
        }
        Self(ChaCha8Rng::from_seed(key))
    }

    /// Uniform in [0, 1).
    pub fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Uniform in `0..n`; 0 when `n` is 0.
    pub fn below(&mut self, n: usize) -> usize {
        (self.unit() * n as f64) as usize
    }

    /// Uniform in `low..=high`.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        low + (self.unit() * (high - low + 1) as f64) as i64
    }

    /// True with this probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// One of these, each as likely. The list must not be empty.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// The place of one of these weights, as likely as it is heavy.
    pub fn weighted(&mut self, weights: impl Iterator<Item = f64> + Clone) -> usize {
        let mut left = self.unit() * weights.clone().sum::<f64>();
        let mut last = 0;
        for (at, weight) in weights.enumerate() {
            if weight <= 0.0 {
                continue;
            }
            last = at;
            if left < weight {
                return at;
            }
            left -= weight;
        }
        last
    }

    /// Log-normal with this median and this deviation of the logarithm.
    pub fn log_normal(&mut self, median: f64, sigma: f64) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        let normal = radius * (std::f64::consts::TAU * self.unit()).cos();
        median * (sigma * normal).exp()
    }

    /// The first `n` of a shuffled `0..len`, without repetition.
    pub fn some_of(&mut self, len: usize, n: usize) -> Vec<usize> {
        let mut all: Vec<usize> = (0..len).collect();
        for at in 0..n.min(len) {
            let other = at + self.below(len - at);
            all.swap(at, other);
        }
        all.truncate(n);
        all
    }
}

/// Turns a number into another one, back and forth, under a key: ids that look like nothing and still
/// say where the trace stands. A Feistel network of four rounds over 40 bits.
pub fn scramble(number: u64, key: u64) -> u64 {
    (0..4).fold(number, |n, round| {
        let (left, right) = (n >> 20 & HALF, n & HALF);
        right << 20 | (left ^ mixed(right, key, round))
    })
}

/// The way back of [`scramble`].
pub fn unscramble(number: u64, key: u64) -> u64 {
    (0..4).rev().fold(number, |n, round| {
        let (left, right) = (n >> 20 & HALF, n & HALF);
        (right ^ mixed(left, key, round)) << 20 | left
    })
}

const HALF: u64 = (1 << 20) - 1;

fn mixed(half: u64, key: u64, round: u64) -> u64 {
    xxh3_64(&(half ^ key.rotate_left(round as u32 * 13 + 1)).wrapping_add(round).to_le_bytes()) & HALF
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scrambling_goes_both_ways() {
        for n in [0, 1, 7, 12_345, (1 << 40) - 1, 0xab_cdef_0123] {
            assert_eq!(unscramble(scramble(n, 42), 42), n);
            assert!(scramble(n, 42) < 1 << 40);
            assert_ne!(scramble(n, 42), scramble(n, 43));
        }
    }

    #[test]
    fn a_stream_depends_on_seed_purpose_and_place_alone() {
        let draw = |s, p, l| {
            let mut dice = Dice::new(s, p, l);
            [dice.unit(), dice.unit(), dice.unit()]
        };
        assert_eq!(draw(1, 2, 3), draw(1, 2, 3));
        assert_ne!(draw(1, 2, 3), draw(2, 2, 3));
        assert_ne!(draw(1, 2, 3), draw(1, 3, 3));
        assert_ne!(draw(1, 2, 3), draw(1, 2, 4));
    }

    #[test]
    fn heavy_is_likely_and_weightless_never() {
        let mut dice = Dice::new(1, 1, 1);
        let mut seen = [0; 3];
        for _ in 0..10_000 {
            seen[dice.weighted([3.0, 0.0, 1.0].into_iter())] += 1;
        }
        assert_eq!(seen[1], 0);
        assert!((7_200..7_800).contains(&seen[0]), "{seen:?}");
    }
}
