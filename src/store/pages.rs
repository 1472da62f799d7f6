//! Pages of a query's traces, newest first, from any place and in both directions. Never an OFFSET: a
//! page goes on from the (time, seq) of a row.
//!
//! Traces arrive in about the order of their times, but no one promised. What matches is therefore read
//! in blocks of 4,096 arrivals, those with the newest times first, until no block left can hold a newer
//! row than the ones at hand. Where little matches, more blocks are read at a time.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rusqlite::Connection;

use super::blocks::BLOCK;
use super::filter::text::TextState;
use super::filter::{Filter, Scan};
use super::open::Store;
use crate::domain::query::Term;
use crate::domain::{Query, Result, Untrusted};
use crate::task::Cancel;

/// The place of a trace in the order of time: (milliseconds since the epoch, seq).
pub type Key = (i64, i64);

/// Which way a page goes from its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To what happened before.
    Older,
    /// To what happened after.
    Newer,
}

/// The keys of a page, newest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Keys {
    /// The rows.
    pub keys: Vec<Key>,
    /// Whether there is more in the direction of the page.
    pub more: bool,
    /// What the person should know of the query.
    pub notes: Vec<Untrusted>,
}

/// A trace that a query wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Match {
    /// Its number in this store.
    pub seq: i64,
    /// When, in milliseconds since the epoch.
    pub ts: i64,
    /// See [`id_hash`](super::id_hash).
    pub id_hash: i64,
}

/// A block of arrivals and the times in it.
#[derive(Debug, Clone, Copy)]
struct Zone {
    n: i64,
    oldest: i64,
    newest: i64,
}

impl Zone {
    fn next(rows: &mut rusqlite::Rows<'_>) -> rusqlite::Result<Option<Self>> {
        let zone = rows.next()?;
        zone.map(|row| Ok(Self { n: row.get(0)?, oldest: row.get(1)?, newest: row.get(2)? })).transpose()
    }
}

impl Store {
    /// At most `limit` matches from `start` (excluded; `None`: the end of all) in this direction.
    pub fn page_keys(
        &self,
        query: &Query,
        now: Timestamp,
        start: Option<Key>,
        direction: Direction,
        limit: usize,
        cancel: &Cancel,
    ) -> Result<Keys> {
        self.filtered(query, now, cancel, |db, filter| {
            let walk = Walk { db, filter, start, direction, limit: limit.saturating_add(1) };
            let mut found = walk.run()?;
            let more = found.len() > limit;
            if more {
                found.pop_last();
            }
            let mut keys: Vec<Key> = found.into_iter().map(|key| direction.turn(key)).collect();
            if direction == Direction::Newer {
                keys.reverse();
            }
            Ok(Keys { keys, more, notes: filter.notes.clone() })
        })
    }

    /// How many traces match, exactly.
    pub fn count_matches(&self, query: &Query, now: Timestamp, cancel: &Cancel) -> Result<u64> {
        self.filtered(query, now, cancel, |db, filter| {
            if filter.is_nothing() {
                return Ok(0);
            }
            let count: i64 = if filter.is_time_only() {
                count_by_time(db, filter)?
            } else {
                let mut sum = 0;
                for (a, b) in scopes(db, filter)? {
                    for scan in filter.scans("count(*)", "", a, b) {
                        sum += one_number(db, filter, &count_only(scan, filter))?;
                    }
                }
                sum
            };
            Ok(count.max(0).cast_unsigned())
        })
    }

    /// Visits every match, in no order that anyone should lean on.
    pub fn each_match(
        &self,
        query: &Query,
        now: Timestamp,
        cancel: &Cancel,
        mut visit: impl FnMut(Match),
    ) -> Result<Vec<Untrusted>> {
        self.filtered(query, now, cancel, |db, filter| {
            each_row(db, filter, "t.seq, t.ts, t.id_hash", |row| {
                visit(Match { seq: row.get(0)?, ts: row.get(1)?, id_hash: row.get(2)? });
                Ok(())
            })?;
            Ok(filter.notes.clone())
        })
    }

    /// Makes a query ready on a reader and runs what is to be done with it.
    pub(super) fn filtered<T>(
        &self,
        query: &Query,
        now: Timestamp,
        cancel: &Cancel,
        run: impl FnOnce(&Connection, &Filter) -> rusqlite::Result<T>,
    ) -> Result<T> {
        let terms = query.terms();
        let text = terms.iter().any(|term| matches!(term, Term::Text { .. }));
        let bodies = terms.iter().any(|term| matches!(term, Term::Metadata { .. }));
        let text = if text { TextState::read(self)? } else { TextState::default() };
        self.read_until(cancel, |db| {
            // One view of both files for all statements: a count and its rows agree.
            let view = db.unchecked_transaction()?;
            if bodies {
                self.give_functions(db)?;
            }
            let filter = Filter::new(db, query, now, &text)?;
            let result = run(db, &filter);
            view.finish()?;
            result
        })
    }
}

/// Runs over every match within the filter's times.
pub(super) fn each_row(
    db: &Connection,
    filter: &Filter,
    columns: &str,
    mut visit: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    if filter.is_nothing() {
        return Ok(());
    }
    for (a, b) in scopes(db, filter)? {
        for scan in filter.scans(columns, "", a, b) {
            let mut statement = db.prepare_cached(&scan.sql)?;
            filter.bind(&mut statement, &scan, &[])?;
            let mut rows = statement.raw_query();
            while let Some(row) = rows.next()? {
                visit(row)?;
            }
        }
    }
    Ok(())
}

/// The ranges of `seq` in which matches can be.
fn scopes(db: &Connection, filter: &Filter) -> rusqlite::Result<Vec<(i64, i64)>> {
    if filter.is_keyed() || (filter.from.is_none() && filter.to.is_none()) {
        return Ok(vec![(1, i64::MAX)]);
    }
    let (from, before) = (filter.from.unwrap_or(i64::MIN), filter.to.unwrap_or(i64::MAX));
    let mut statement = db.prepare_cached(&zones_sql("n"))?;
    let blocks = statement.query_map([from, before.saturating_sub(1)], |row| row.get(0))?;
    Ok(ranges(blocks.collect::<rusqlite::Result<_>>()?))
}

/// A match of text alone is counted in the index, without its row.
fn count_only(scan: Scan, filter: &Filter) -> Scan {
    if !filter.is_text_only() {
        return scan;
    }
    let sql = "SELECT count(*) FROM main.text_index WHERE text_index MATCH :fts AND rowid BETWEEN :a AND :b";
    Scan { sql: sql.to_owned(), ..scan }
}

fn one_number(db: &Connection, filter: &Filter, scan: &Scan) -> rusqlite::Result<i64> {
    let mut statement = db.prepare_cached(&scan.sql)?;
    filter.bind(&mut statement, scan, &[])?;
    statement.raw_query().next()?.map_or(Ok(0), |row| row.get(0))
}

fn count_by_time(db: &Connection, filter: &Filter) -> rusqlite::Result<i64> {
    if filter.from.is_none() && filter.to.is_none() {
        // They are numbered without gaps.
        return db.query_row("SELECT coalesce(max(seq), 0) FROM main.trace", [], |r| r.get(0));
    }
    db.prepare_cached("SELECT count(*) FROM main.trace WHERE ts >= ? AND ts < ?")?
        .query_row([filter.from.unwrap_or(i64::MIN), filter.to.unwrap_or(i64::MAX)], |r| r.get(0))
}

/// The statement that gives the blocks that have a time within two, both included, in this order.
fn zones_sql(order: &str) -> String {
    format!("SELECT n, min_ts, max_ts FROM main.block WHERE max_ts >= ? AND min_ts <= ? ORDER BY {order}")
}

/// Blocks as ranges of `seq`, neighbours together.
fn ranges(mut blocks: Vec<i64>) -> Vec<(i64, i64)> {
    blocks.sort_unstable();
    let mut ranges: Vec<(i64, i64)> = Vec::new();
    for n in blocks {
        let (a, b) = (n * BLOCK + 1, (n + 1) * BLOCK);
        match ranges.last_mut() {
            Some(last) if last.1 + 1 == a => last.1 = b,
            _ => ranges.push((a, b)),
        }
    }
    ranges
}

impl Direction {
    /// A key such that what comes first in this direction is smallest. Its own inverse.
    fn turn(self, (ts, seq): Key) -> Key {
        match self {
            Self::Older => (ts.saturating_neg(), seq.saturating_neg()),
            Self::Newer => (ts, seq),
        }
    }

    /// The order of blocks in which the nearest comes first; that of [`Older`](Self::Older) is the index's own.
    fn zones(self) -> &'static str {
        match self {
            Self::Older => "max_ts DESC",
            Self::Newer => "min_ts",
        }
    }

    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Older => ("<", "DESC"),
            Self::Newer => (">", "ASC"),
        }
    }
}

/// One search for the nearest matches from a place in a direction.
struct Walk<'a> {
    db: &'a Connection,
    filter: &'a Filter,
    start: Option<Key>,
    direction: Direction,
    limit: usize,
}

impl Walk<'_> {
    /// The turned keys, at most `limit`.
    fn run(&self) -> rusqlite::Result<BTreeSet<Key>> {
        let mut found = BTreeSet::new();
        if self.filter.is_nothing() || self.limit == 0 {
            return Ok(found);
        }
        if self.filter.is_time_only() {
            self.by_time(&mut found)?;
            return Ok(found);
        }
        if self.filter.is_keyed() {
            self.scan(&[(1, i64::MAX)], &mut found)?;
            return Ok(found);
        }
        let (oldest, newest) = self.reach();
        // Read as far as they are needed: the nearest of them nearly always hold enough.
        let mut statement = self.db.prepare_cached(&zones_sql(self.direction.zones()))?;
        let mut rows = statement.query([oldest, newest])?;
        let mut next = Zone::next(&mut rows)?;
        let mut at_once = 1;
        while let Some(first) = next {
            let nearest = match self.direction {
                Direction::Older => first.newest.saturating_neg(),
                Direction::Newer => first.oldest,
            };
            if found.len() == self.limit && found.last().is_some_and(|last: &Key| last.0 < nearest) {
                break;
            }
            let mut chunk = vec![first.n];
            next = Zone::next(&mut rows)?;
            while let Some(zone) = next.take_if(|_| chunk.len() < at_once) {
                chunk.push(zone.n);
                next = Zone::next(&mut rows)?;
            }
            self.scan(&ranges(chunk), &mut found)?;
            at_once *= 2;
        }
        Ok(found)
    }

    /// The times that matches from the start on can have.
    fn reach(&self) -> (i64, i64) {
        let oldest = self.filter.from.unwrap_or(i64::MIN);
        let newest = self.filter.to.map_or(i64::MAX, |to| to.saturating_sub(1));
        match (self.start, self.direction) {
            (None, _) => (oldest, newest),
            (Some((ts, _)), Direction::Older) => (oldest, newest.min(ts)),
            (Some((ts, _)), Direction::Newer) => (oldest.max(ts), newest),
        }
    }

    /// Nothing but time is asked: the index of times has the answer in its order.
    fn by_time(&self, found: &mut BTreeSet<Key>) -> rusqlite::Result<()> {
        let (oldest, newest) = self.reach();
        let start = match (self.start, self.direction) {
            (Some(start), Direction::Older) if start.0 == newest => start,
            (Some(start), Direction::Newer) if start.0 == oldest => start,
            (_, Direction::Older) => (newest, i64::MAX),
            (_, Direction::Newer) => (oldest, i64::MIN),
        };
        // First those of the very time, then those beyond it: as one row value the index would be entered
        // at the time alone, and many that share it be walked through.
        let (sign, order) = self.direction.words();
        let far = if self.direction == Direction::Older { oldest } else { newest };
        let ranges = [
            (format!("ts = ?1 AND seq {sign} ?2"), start.1),
            (format!("ts {sign} ?1 AND ts {} ?2", if sign == "<" { ">=" } else { "<=" }), far),
        ];
        for (range, bound) in ranges {
            let mut statement = self.db.prepare_cached(&format!(
                "SELECT ts, seq FROM main.trace WHERE {range} ORDER BY ts {order}, seq {order} LIMIT ?3"
            ))?;
            let left = self.limit.saturating_sub(found.len());
            let mut rows = statement.query([start.0, bound, i64::try_from(left).unwrap_or(i64::MAX)])?;
            while let Some(row) = rows.next()? {
                found.insert(self.direction.turn((row.get(0)?, row.get(1)?)));
            }
        }
        Ok(())
    }

    /// Adds the matches of these ranges, and keeps the nearest.
    fn scan(&self, ranges: &[(i64, i64)], found: &mut BTreeSet<Key>) -> rusqlite::Result<()> {
        let (sign, _) = self.direction.words();
        let (beyond, more) = match self.start {
            None => (String::new(), vec![]),
            Some((ts, seq)) => {
                (format!("(t.ts, t.seq) {sign} (:ts, :seq)"), vec![(":ts", ts), (":seq", seq)])
            }
        };
        for (a, b) in ranges {
            for scan in self.filter.scans("t.ts, t.seq", &beyond, *a, *b) {
                let mut statement = self.db.prepare_cached(&scan.sql)?;
                self.filter.bind(&mut statement, &scan, &more)?;
                let mut rows = statement.raw_query();
                while let Some(row) = rows.next()? {
                    let key = self.direction.turn((row.get(0)?, row.get(1)?));
                    if found.len() < self.limit {
                        found.insert(key);
                    } else if found.last().is_some_and(|last| key < *last) {
                        found.insert(key);
                        found.pop_last();
                    }
                }
            }
        }
        Ok(())
    }
}
