//! Traffic as monitors read it: sums by the hour from the hourly figures, sums by five minutes from the columns,
//! sessions by the index of their hashes.

use std::collections::BTreeMap;

use rusqlite::params;

use crate::domain::Result;
use crate::stats::Sketch;
use crate::store::blocks::{self, Cell};
use crate::store::open::Store;
use crate::store::rollup::{COUNTS, Counted};

/// Milliseconds of the smallest sums.
const FINE_MS: i64 = 300_000;

/// What some traffic of one feature adds up to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Requests.
    pub requests: i64,
    /// Failed ones: time-out, rate limit, content policy, other.
    pub errors: [i64; 4],
    /// Answered by a fallback.
    pub fallbacks: i64,
    /// Thumbs down, reports and questions asked again.
    pub negative: i64,
    /// Whose time is known.
    pub timed: i64,
    /// Slower than each of up to four limits.
    pub slow: [i64; 4],
    /// Whose cost is known.
    pub priced: i64,
    /// Their cost, in 1e-9 US dollars.
    pub cost_nusd: i64,
}

impl Tally {
    /// Adds other traffic.
    pub fn add(&mut self, other: &Self) {
        self.combine(other, i64::saturating_add);
    }

    /// Takes away traffic that was added before.
    pub fn take_away(&mut self, other: &Self) {
        self.combine(other, i64::saturating_sub);
    }

    fn combine(&mut self, other: &Self, with: fn(i64, i64) -> i64) {
        let (mine, theirs) = (self.all_mut(), other.all());
        mine.into_iter().zip(theirs).for_each(|(sum, value)| *sum = with(*sum, value));
    }

    fn all(&self) -> [i64; 14] {
        let ([a, b, c, d], [e, f, g, h]) = (self.errors, self.slow);
        [
            self.requests,
            a,
            b,
            c,
            d,
            self.fallbacks,
            self.negative,
            self.timed,
            e,
            f,
            g,
            h,
            self.priced,
            self.cost_nusd,
        ]
    }

    fn all_mut(&mut self) -> [&mut i64; 14] {
        let ([a, b, c, d], [e, f, g, h]) = (&mut self.errors, &mut self.slow);
        [
            &mut self.requests,
            a,
            b,
            c,
            d,
            &mut self.fallbacks,
            &mut self.negative,
            &mut self.timed,
            e,
            f,
            g,
            h,
            &mut self.priced,
            &mut self.cost_nusd,
        ]
    }

    pub(super) fn of_counts(counts: &[i64; COUNTS.len()]) -> Self {
        Self {
            requests: counts[0],
            errors: [counts[1], counts[2], counts[3], counts[4]],
            fallbacks: counts[5],
            negative: counts[7] + counts[8] + counts[9],
            timed: counts[14],
            slow: [0; 4],
            priced: counts[10],
            cost_nusd: counts[11],
        }
    }

    pub(super) fn of_trace(trace: &Counted, limits: &[i64]) -> Self {
        let mut tally = Self::of_counts(&trace.counts());
        if let Some(us) = trace.latency_us {
            for (slow, limit) in tally.slow.iter_mut().zip(limits) {
                *slow = i64::from(us > limit * 1000);
            }
        }
        tally
    }
}

/// What a session cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SessionCost {
    /// When it began, in milliseconds since the epoch.
    pub began: i64,
    /// The feature of its first trace; 0 for none.
    pub feature: i64,
    /// In 1e-9 US dollars.
    pub cost_nusd: i64,
}

impl Store {
    /// Hands the sums of these hours, both included, to `each`: hour, feature, sums. `limits` are the times in
    /// milliseconds that slow requests are counted by, within 1 %.
    pub fn hourly_tallies(
        &self,
        (from, to): (i64, i64),
        limits: &[i64],
        mut each: impl FnMut(i64, i64, Tally),
    ) -> Result<()> {
        self.read(|db| {
            let mut query = db.prepare_cached(&format!(
                "SELECT hour, feature, latency, {} FROM main.rollup_feature WHERE hour BETWEEN ? AND ?",
                COUNTS.join(", ")
            ))?;
            let mut rows = query.query([from, to])?;
            let mut sketch = Sketch::default();
            while let Some(row) = rows.next()? {
                let mut counts = [0; COUNTS.len()];
                for (n, count) in counts.iter_mut().enumerate() {
                    *count = row.get(3 + n)?;
                }
                let mut tally = Tally::of_counts(&counts);
                if !limits.is_empty() {
                    sketch.clear();
                    sketch.merge_stored(row.get_ref(2)?.as_blob().unwrap_or_default());
                    for (slow, limit) in tally.slow.iter_mut().zip(limits) {
                        *slow = sketch.above(*limit as f64).cast_signed();
                    }
                }
                each(row.get(0)?, row.get(1)?, tally);
            }
            Ok(())
        })
    }

    /// Sums by feature and by five minutes (time divided by 300,000), of the times from `from` up to `to`
    /// (milliseconds, excluded). Reads the columns of the blocks that they fall into.
    pub fn fine_tallies(
        &self,
        (from, to): (i64, i64),
        limits: &[i64],
    ) -> Result<BTreeMap<(i64, i64), Tally>> {
        const WANTED: [Cell; 4] = [Cell::Flags, Cell::Feature, Cell::LatencyUs, Cell::CostNusd];
        self.read(|db| {
            let mut sums: BTreeMap<(i64, i64), Tally> = BTreeMap::new();
            blocks::each(db, (from, to.saturating_sub(1)), &WANTED, |block| {
                block.each_within(from..to, |ts, cells| {
                    let key = (cells.name(Cell::Feature), ts.div_euclid(FINE_MS));
                    sums.entry(key).or_default().add(&Tally::of_trace(&cells.counted(), limits));
                });
                true
            })?;
            Ok(sums)
        })
    }

    /// The time of the newest trace up to now, in milliseconds since the epoch.
    pub fn newest_trace(&self, now: i64) -> Result<Option<i64>> {
        self.read(|db| db.query_row("SELECT max(ts) FROM main.trace WHERE ts <= ?", [now], |row| row.get(0)))
    }

    /// Judges that spoke for the first time from this time on (milliseconds), though an evaluator of their name
    /// had spoken before: it judges by another model, template or setting since.
    pub fn changed_judges(&self, from: i64) -> Result<Vec<String>> {
        self.read(|db| {
            db.prepare_cached(
                "SELECT DISTINCT evaluator FROM work.trace_score s GROUP BY evaluator, version, decider \
                 HAVING min(at) >= ?1 AND EXISTS (SELECT 1 FROM work.trace_score b \
                 WHERE b.evaluator = s.evaluator AND b.at < ?1) ORDER BY 1",
            )?
            .query_map([from], |row| row.get(0))?
            .collect()
        })
    }

    /// The names of features by their ids.
    pub fn feature_ids(&self) -> Result<BTreeMap<i64, String>> {
        self.read(|db| {
            db.prepare_cached("SELECT id, text FROM main.name WHERE kind = 1")?
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect()
        })
    }

    /// Some sessions that began soon after each of these times (milliseconds), at most so many after each, with
    /// what they cost. Looks few rows up by index, however large the store is.
    pub fn sessions_after(&self, times: &[i64], within: i64, most: usize) -> Result<Vec<SessionCost>> {
        self.read(|db| {
            let mut near = db.prepare_cached(
                "SELECT session_hash FROM main.trace WHERE ts >= ? AND ts < ? AND session_hash IS NOT NULL \
                 ORDER BY ts LIMIT ?",
            )?;
            let mut whole = db.prepare_cached(
                "SELECT ts, ifnull(feature, 0), cost_nusd FROM main.trace WHERE session_hash = ?",
            )?;
            let mut found = Vec::new();
            for time in times {
                let mut hashes: Vec<i64> = near
                    .query_map(params![time, time + within, most.cast_signed() * 3], |row| row.get(0))?
                    .collect::<rusqlite::Result<_>>()?;
                let mut seen = std::collections::BTreeSet::new();
                hashes.retain(|hash| seen.insert(*hash));
                let mut kept = 0;
                for hash in hashes {
                    let (mut cost, mut first) = (None::<i64>, None);
                    let mut rows = whole.query([hash])?;
                    while let Some(row) = rows.next()? {
                        let ts: i64 = row.get(0)?;
                        if first.is_none_or(|(began, _)| ts < began) {
                            first = Some((ts, row.get(1)?));
                        }
                        if let Some(nusd) = row.get::<_, Option<i64>>(2)? {
                            cost = Some(cost.unwrap_or(0).saturating_add(nusd));
                        }
                    }
                    // One that had begun before is here because it is long: it would bend the figure.
                    if let (Some((began, feature)), Some(cost_nusd)) = (first, cost)
                        && began >= *time
                    {
                        found.push(SessionCost { began, feature, cost_nusd });
                        kept += 1;
                        if kept == most {
                            break;
                        }
                    }
                }
            }
            Ok(found)
        })
    }

    /// All sessions of a time and what they cost; reads its rows.
    pub fn all_sessions(&self, (from, to): (i64, i64)) -> Result<Vec<SessionCost>> {
        self.read(|db| {
            db.prepare(
                "SELECT min(ts), ifnull(feature, 0), sum(cost_nusd) FROM main.trace \
                 WHERE ts >= ? AND ts < ? AND session_hash IS NOT NULL GROUP BY session_hash \
                 HAVING sum(cost_nusd) IS NOT NULL ORDER BY 1",
            )?
            .query_map([from, to], |row| {
                Ok(SessionCost { began: row.get(0)?, feature: row.get(1)?, cost_nusd: row.get(2)? })
            })?
            .collect()
        })
    }
}
