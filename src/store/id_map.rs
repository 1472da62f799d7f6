//! Which traces are there, in memory, while a large load does without the index.

use rusqlite::Connection;

use super::blocks::{BLOCK, Block};

/// Traces by half of the hash of their id: eight bytes a slot. What it finds is a candidate, one in a
/// few hundred wrongly at the most; the row itself decides.
pub(super) struct IdMap {
    slots: Vec<(u32, u32)>,
    held: usize,
    /// The `seq` of the last trace that it knows.
    last: i64,
}

/// More traces than this are better looked up in the index.
pub(super) const MOST: i64 = 8_000_000;

impl IdMap {
    pub(super) fn new() -> Self {
        Self { slots: vec![(0, 0); 1 << 16], held: 0, last: 0 }
    }

    /// Learns the traces that were written since, by whomever.
    pub(super) fn catch_up(&mut self, db: &Connection, last: i64) -> rusqlite::Result<()> {
        while self.last < last {
            let n = self.last / BLOCK;
            let Some(block) = Block::read(db, n)? else { break };
            let skip = usize::try_from(self.last - (block.first_seq() - 1)).unwrap_or(0);
            if skip >= block.id_hash.len() {
                break;
            }
            for hash in &block.id_hash[skip..] {
                self.insert(*hash, self.last + 1);
            }
        }
        Ok(())
    }

    /// Learns the trace after the last.
    pub(super) fn insert(&mut self, hash: i64, seq: i64) {
        self.last = seq;
        if self.held * 3 >= self.slots.len() * 2 {
            let larger = vec![(0, 0); self.slots.len() * 2];
            for (tag, seq) in std::mem::replace(&mut self.slots, larger) {
                if seq != 0 {
                    self.put(tag, seq);
                }
            }
        }
        if let Ok(seq) = u32::try_from(seq) {
            self.put(tag(hash), seq);
            self.held += 1;
        }
    }

    /// The traces whose id may have this hash.
    pub(super) fn candidates(&self, hash: i64) -> impl Iterator<Item = i64> {
        let tag = tag(hash);
        let mask = self.slots.len() - 1;
        let from = tag as usize & mask;
        (from..=from + mask)
            .map(move |at| self.slots[at & mask])
            .take_while(|(_, seq)| *seq != 0)
            .filter(move |(held, _)| *held == tag)
            .map(|(_, seq)| i64::from(seq))
    }

    fn put(&mut self, tag: u32, seq: u32) {
        let mask = self.slots.len() - 1;
        let mut at = tag as usize & mask;
        while self.slots[at].1 != 0 {
            at = (at + 1) & mask;
        }
        self.slots[at] = (tag, seq);
    }
}

fn tag(hash: i64) -> u32 {
    (hash.cast_unsigned() >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_it_was_given_and_little_else() {
        let mut map = IdMap::new();
        let hash = |n: i64| crate::store::id_hash(&format!("trace {n}"));
        (1..=200_000).for_each(|n| map.insert(hash(n), n));
        for n in (1..=200_000).step_by(97) {
            assert!(map.candidates(hash(n)).any(|seq| seq == n));
        }
        let wrong = (200_001..=300_000).filter(|n| map.candidates(hash(*n)).next().is_some()).count();
        assert!(wrong < 100, "{wrong}");
    }
}
