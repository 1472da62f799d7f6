//! The traces that a draw draws from. A draw reads columns, 4,096 traces at a time, and of those only what
//! it asks for; no rows.

use std::collections::HashMap;

use super::blocks::{self, Cell, Cells};
use super::flags;
use super::ids::stored_id;
use super::open::Store;
use crate::domain::{Dimension, Error, Query, Result, Untrusted};
use crate::task::{Cancel, Progress};
use jiff::Timestamp;

/// What a draw draws from.
#[derive(Debug, Clone, Default)]
pub struct DrawFrame {
    /// Only traces from this time on.
    pub since: Option<Timestamp>,
    /// Only traces that this query holds for.
    pub query: Option<Query>,
    /// What the query takes for now.
    pub now: Timestamp,
    /// Only traces that somebody or something complained of.
    pub suspicious: bool,
    /// Told apart by these.
    pub strata: Vec<Dimension>,
}

/// A trace that can be drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// Its place in this store.
    pub seq: i64,
    /// The hash of its id.
    pub id_hash: i64,
    /// Its stratum, counted from 0 in the order they are met; 0 where there are none.
    pub stratum: usize,
}

/// What a draw saw besides its candidates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// The names of the strata, by [`Candidate::stratum`]; empty where none were asked for.
    pub strata: Vec<Untrusted>,
    /// What the person should know of the query, such as a name that no trace has.
    pub notes: Vec<Untrusted>,
}

/// What makes a trace suspicious.
const SUSPICIOUS: i64 = flags::DOWN | flags::REPORT | flags::ERROR | flags::FALLBACK;

/// From so many ids on a second thread pays.
const MANY: usize = 1_000;

impl Store {
    /// Hands every trace of the frame to `each`, in the order of arrival.
    pub fn each_candidate(
        &self,
        frame: &DrawFrame,
        cancel: &Cancel,
        progress: &Progress,
        mut each: impl FnMut(Candidate),
    ) -> Result<Seen> {
        let mut notes = Vec::new();
        let mut matches = Vec::new();
        if let Some(query) = &frame.query {
            notes = self.each_match(query, frame.now, cancel, |found| matches.push(found.seq))?;
            matches.sort_unstable();
        }
        let mut only = frame.query.as_ref().map(|_| Only(&matches));
        let since = frame.since.map_or(i64::MIN, Timestamp::as_millisecond);
        progress.set_total(u64::try_from(self.trace_count()?).unwrap_or(0));
        let strata = self.read_until(cancel, |db| {
            let mut strata = Strata::new(&frame.strata);
            let told_apart = !frame.strata.is_empty();
            let wanted = if told_apart { &Cell::ALL[..] } else { &[Cell::Flags][..] };
            let wanted = if told_apart || frame.suspicious { wanted } else { &[] };
            blocks::each(db, (since, i64::MAX), wanted, |block| {
                for (at, seq) in (0..block.len()).zip(block.first_seq..) {
                    if block.ts(at) < since {
                        continue;
                    }
                    let (mut suspected, mut stratum) = (true, 0);
                    if !wanted.is_empty() {
                        let cells = block.cells(at);
                        suspected = !frame.suspicious || cells.counted().flags & SUSPICIOUS != 0;
                        if told_apart && suspected {
                            stratum = strata.of(&cells);
                        }
                    }
                    if suspected && only.as_mut().is_none_or(|only| only.holds(seq)) {
                        each(Candidate { seq, id_hash: block.id_hash(at), stratum });
                    }
                }
                progress.set_done(u64::try_from(block.first_seq).unwrap_or(0));
                !cancel.is_cancelled()
            })?;
            strata.names(|id| Ok(self.0.names.text(db, id)?.to_string()))
        })?;
        Ok(Seen { strata, notes })
    }

    /// The ids of these traces, in the order asked. Many are read by two threads: it is the longest part
    /// of a draw.
    pub fn trace_ids(&self, seqs: &[i64], cancel: &Cancel) -> Result<Vec<Untrusted>> {
        let mut by_seq: Vec<usize> = (0..seqs.len()).collect();
        by_seq.sort_unstable_by_key(|&at| seqs[at]);
        let sorted: Vec<i64> = by_seq.iter().map(|&at| seqs[at]).collect();
        let found = if sorted.len() < MANY {
            self.ids_in_order(&sorted, cancel)?
        } else {
            let (early, late) = sorted.split_at(sorted.len() / 2);
            let (early, late) = std::thread::scope(|threads| {
                let late = threads.spawn(|| self.ids_in_order(late, cancel));
                (self.ids_in_order(early, cancel), late.join())
            });
            let late = late.map_err(|_| Error::failed("Reading the ids of a draw panicked."))?;
            let mut both = early?;
            both.append(&mut late?);
            both
        };
        let mut ids = vec![Untrusted::default(); seqs.len()];
        for (at, id) in by_seq.into_iter().zip(found) {
            ids[at] = id;
        }
        Ok(ids)
    }

    fn ids_in_order(&self, seqs: &[i64], cancel: &Cancel) -> Result<Vec<Untrusted>> {
        self.read_until(cancel, |db| {
            // One view for all: each statement on its own would lock and unlock the file.
            let _view = db.unchecked_transaction()?;
            let mut one = db.prepare_cached("SELECT id FROM main.trace WHERE seq = ?")?;
            seqs.iter().map(|seq| one.query_row([seq], |row| stored_id(row.get_ref(0)?))).collect()
        })
    }
}

/// A sorted list that is asked in rising order.
struct Only<'a>(&'a [i64]);

impl Only<'_> {
    fn holds(&mut self, seq: i64) -> bool {
        let below = self.0.iter().take_while(|held| **held < seq).count();
        self.0 = &self.0[below..];
        self.0.first() == Some(&seq)
    }
}

/// Numbers the strata as they are met.
struct Strata<'a> {
    dimensions: &'a [Dimension],
    met: HashMap<Vec<Part>, usize>,
}

/// One dimension's value for a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Part {
    Name(Option<i64>),
    Word(&'static str),
}

impl<'a> Strata<'a> {
    fn new(dimensions: &'a [Dimension]) -> Self {
        Self { dimensions, met: HashMap::new() }
    }

    fn of(&mut self, cells: &Cells) -> usize {
        let bits = cells.counted().flags;
        let part = |dimension: &Dimension| match dimension {
            Dimension::Feature => Part::Name(cells.get(Cell::Feature)),
            Dimension::Model => Part::Name(cells.get(Cell::Model)),
            Dimension::Prompt => Part::Name(cells.get(Cell::Prompt)),
            Dimension::PromptVersion => Part::Name(cells.get(Cell::Version)),
            Dimension::Language => Part::Name(cells.get(Cell::Language)),
            Dimension::Feedback => Part::Word(feedback(bits)),
            Dimension::Status if bits & flags::ERROR != 0 => Part::Word("error"),
            Dimension::Status => Part::Word("ok"),
        };
        let next = self.met.len();
        *self.met.entry(self.dimensions.iter().map(part).collect()).or_insert(next)
    }

    fn names(
        self,
        mut name: impl FnMut(i64) -> rusqlite::Result<String>,
    ) -> rusqlite::Result<Vec<Untrusted>> {
        if self.dimensions.is_empty() {
            return Ok(Vec::new());
        }
        let mut names = vec![Untrusted::default(); self.met.len()];
        for (key, at) in self.met {
            let parts: Vec<String> = key
                .into_iter()
                .map(|part| match part {
                    Part::Name(Some(id)) => name(id),
                    Part::Name(None) => Ok("none".to_owned()),
                    Part::Word(word) => Ok(word.to_owned()),
                })
                .collect::<rusqlite::Result<_>>()?;
            names[at] = parts.join(",").into();
        }
        Ok(names)
    }
}

/// What the user said: the worst of it.
fn feedback(bits: i64) -> &'static str {
    let order = [
        (flags::REPORT, "report"),
        (flags::DOWN, "down"),
        (flags::FOLLOW_UP, "follow_up"),
        (flags::UP, "up"),
    ];
    order.into_iter().find(|(bit, _)| bits & bit != 0).map_or("none", |(_, word)| word)
}
