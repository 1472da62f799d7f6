//! Sums over traffic: from the hourly figures where whole hours are asked, from the columns at the edges.

use rusqlite::params;

use super::blocks::{self, Cell};
use super::open::Store;
use super::prepare::US_IN_MS;
use super::rollup::{self, COUNTS, Counted, FINEST, TABLES, Table};
use super::slice::{Cut, Detail, Slice, cell};
use crate::domain::{Result, Untrusted};
use crate::stats::Sketch;

/// Milliseconds in an hour.
pub const HOUR_MS: i64 = rollup::HOUR_MS;

/// Counts over some traffic, and how long its requests took.
#[derive(Debug, Clone, Default)]
pub struct Sums {
    /// Requests.
    pub requests: i64,
    /// Failed with no answer in time.
    pub timeouts: i64,
    /// Refused for volume.
    pub rate_limits: i64,
    /// Refused for content.
    pub content_policy: i64,
    /// Failed otherwise.
    pub other_errors: i64,
    /// Answered by a fallback.
    pub fallbacks: i64,
    /// With a thumb up.
    pub ups: i64,
    /// With a thumb down.
    pub downs: i64,
    /// Reported.
    pub reports: i64,
    /// Asked again.
    pub follow_ups: i64,
    /// Whose cost is known.
    pub priced: i64,
    /// Their cost, in 1e-9 US dollars.
    pub cost_nusd: i64,
    /// Tokens read.
    pub tokens_in: i64,
    /// Tokens written.
    pub tokens_out: i64,
    /// Whose time is known.
    pub timed: i64,
    /// Their times, in milliseconds.
    pub latency: Sketch,
}

impl Sums {
    /// Requests that failed.
    pub fn errors(&self) -> i64 {
        self.timeouts + self.rate_limits + self.content_policy + self.other_errors
    }

    /// Adds other traffic.
    pub fn add(&mut self, other: &Self) {
        self.add_counts(&other.counts());
        self.latency.merge(&other.latency);
    }

    /// Adds the traffic of an hour.
    pub fn add_hour(&mut self, hour: &HourRow<'_>) {
        self.add_counts(&hour.counts);
        // One that is damaged counts as empty; `doctor` finds it.
        self.latency.merge_stored(hour.sketch);
    }

    /// Takes away traffic that was added before.
    pub fn take_away(&mut self, other: &Self) {
        self.add_counts(&other.counts().map(i64::saturating_neg));
        self.latency.take_away(&other.latency);
    }

    fn add_counts(&mut self, counts: &[i64; COUNTS.len()]) {
        for (sum, add) in self.counts_mut().into_iter().zip(counts) {
            *sum = sum.saturating_add(*add);
        }
    }

    pub(super) fn add_row(&mut self, row: &Counted) {
        self.add_counts(&row.counts());
        if let Some(us) = row.latency_us {
            self.latency.add(us as f64 / US_IN_MS);
        }
    }

    /// In the order of [`COUNTS`].
    fn counts(&self) -> [i64; COUNTS.len()] {
        [
            self.requests,
            self.timeouts,
            self.rate_limits,
            self.content_policy,
            self.other_errors,
            self.fallbacks,
            self.ups,
            self.downs,
            self.reports,
            self.follow_ups,
            self.priced,
            self.cost_nusd,
            self.tokens_in,
            self.tokens_out,
            self.timed,
        ]
    }

    fn counts_mut(&mut self) -> [&mut i64; COUNTS.len()] {
        [
            &mut self.requests,
            &mut self.timeouts,
            &mut self.rate_limits,
            &mut self.content_policy,
            &mut self.other_errors,
            &mut self.fallbacks,
            &mut self.ups,
            &mut self.downs,
            &mut self.reports,
            &mut self.follow_ups,
            &mut self.priced,
            &mut self.cost_nusd,
            &mut self.tokens_in,
            &mut self.tokens_out,
            &mut self.timed,
        ]
    }
}

/// The traffic of one slice within an hour.
#[derive(Debug, Clone)]
pub struct HourSums {
    /// Which hour: milliseconds since the epoch divided by [`HOUR_MS`], rounded down.
    pub hour: i64,
    /// What it is of.
    pub slice: Slice,
    /// Its sums.
    pub sums: Sums,
}

/// The stored figures of one slice and hour; [`Sums::add_hour`] adds them up.
#[derive(Debug)]
pub struct HourRow<'a> {
    /// Which hour, as in [`HourSums`].
    pub hour: i64,
    /// What it is of.
    pub slice: Slice,
    counts: [i64; COUNTS.len()],
    sketch: &'a [u8],
}

impl HourRow<'_> {
    /// Its counts, without the times.
    pub fn counted(&self) -> Sums {
        let mut sums = Sums::default();
        sums.add_counts(&self.counts);
        sums
    }
}

/// A feature and its traffic.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureTraffic {
    /// Its id; 0 for traces that name none.
    pub id: i64,
    /// Its name.
    pub name: Option<Untrusted>,
    /// Requests in the hours asked.
    pub requests: i64,
}

/// The columns that sums by slice are made of.
const SUMMED: [Cell; 10] = [
    Cell::Flags,
    Cell::Feature,
    Cell::Model,
    Cell::Prompt,
    Cell::Version,
    Cell::LatencyUs,
    Cell::CostNusd,
    Cell::TokensIn,
    Cell::TokensOut,
    Cell::Language,
];

impl Table {
    /// The table of fewest rows that tells apart all that is wanted.
    fn of(detail: Detail, cut: &Cut) -> Self {
        let needed = || detail.keys().iter().copied().chain(cut.wanted().map(|(key, _)| key));
        TABLES.into_iter().find(|table| needed().all(|key| table.keys.contains(&key))).unwrap_or(FINEST)
    }
}

impl Cut {
    /// The conditions of a statement over such a table.
    fn sql(&self) -> String {
        self.wanted().map(|(key, id)| format!(" AND {} = {id}", key.name())).collect()
    }
}

impl Store {
    /// Hands the hourly figures of these hours, both included, to `each`; those of one slice and hour may come
    /// in several parts.
    pub fn each_hour(
        &self,
        detail: Detail,
        cut: impl Into<Cut>,
        (from, to): (i64, i64),
        mut each: impl FnMut(&HourRow<'_>),
    ) -> Result<()> {
        let (cut, apart) = (cut.into(), detail.keys());
        let (table, only) = (Table::of(detail, &cut), cut.sql());
        let columns: String = apart.iter().map(|key| format!("{}, ", key.name())).collect();
        self.read(|db| {
            let mut query = db.prepare_cached(&format!(
                "SELECT hour, latency, {columns}{} FROM main.{} WHERE hour BETWEEN ?1 AND ?2{only}",
                COUNTS.join(", "),
                table.name
            ))?;
            let mut rows = query.query(params![from, to])?;
            while let Some(r) = rows.next()? {
                let mut slice = Slice::default();
                for (n, key) in apart.iter().enumerate() {
                    slice.set(*key, r.get(2 + n)?);
                }
                let mut counts = [0; COUNTS.len()];
                for (n, count) in counts.iter_mut().enumerate() {
                    *count = r.get(2 + apart.len() + n)?;
                }
                each(&HourRow {
                    hour: r.get(0)?,
                    slice,
                    counts,
                    sketch: r.get_ref(1)?.as_blob().unwrap_or_default(),
                });
            }
            Ok(())
        })
    }

    /// The traffic of a part of one hour: `from` included, `to` not. Reads the columns of the blocks that it
    /// falls into.
    pub fn part_of_hour(
        &self,
        detail: Detail,
        cut: impl Into<Cut>,
        from: i64,
        to: i64,
    ) -> Result<Vec<HourSums>> {
        let (cut, apart) = (cut.into(), detail.keys());
        self.read(|db| {
            // Few slices are alive at a time: a look through a list is quicker than a tree or a hash.
            let mut slices: Vec<HourSums> = Vec::new();
            let hour = from.div_euclid(HOUR_MS);
            blocks::each(db, (from, to.saturating_sub(1)), &SUMMED, |block| {
                block.each_within(from..to, |_, cells| {
                    if !cut.holds(cells) {
                        return;
                    }
                    let mut slice = Slice::default();
                    for key in apart {
                        slice.set(*key, cell(*key).map_or(0, |cell| cells.name(cell)));
                    }
                    let known = slices.iter().position(|of| of.slice == slice);
                    let known = known.unwrap_or_else(|| {
                        slices.push(HourSums { hour, slice, sums: Sums::default() });
                        slices.len() - 1
                    });
                    slices[known].sums.add_row(&cells.counted());
                });
                true
            })?;
            Ok(slices)
        })
    }

    /// The traffic of a time cut into parts of `step` milliseconds from `from` on, `to` not included. Reads the
    /// columns of the blocks that the time falls into: for times of hours, not of days.
    pub fn parts(&self, cut: impl Into<Cut>, (from, to): (i64, i64), step: i64) -> Result<Vec<Sums>> {
        let cut = cut.into();
        let mut parts = vec![Sums::default(); usize::try_from((to - from + step - 1) / step).unwrap_or(0)];
        self.read(|db| {
            blocks::each(db, (from, to.saturating_sub(1)), &SUMMED, |block| {
                block.each_within(from..to, |ts, cells| {
                    if cut.holds(cells)
                        && let Some(sums) =
                            usize::try_from((ts - from) / step).ok().and_then(|n| parts.get_mut(n))
                    {
                        sums.add_row(&cells.counted());
                    }
                });
                true
            })
        })?;
        Ok(parts)
    }

    /// The counts of whole days of UTC, without times: `(day, counts)`, where a day is milliseconds since the
    /// epoch divided by those of a day. Days without traffic are left out.
    pub fn days(&self, cut: impl Into<Cut>, (from, to): (i64, i64)) -> Result<Vec<(i64, Sums)>> {
        let cut = cut.into();
        let sums: Vec<String> = COUNTS.iter().map(|name| format!("sum({name})")).collect();
        let (table, only) = (Table::of(Detail::Whole, &cut), cut.sql());
        self.read(|db| {
            db.prepare_cached(&format!(
                "SELECT hour / 24, {} FROM main.{} WHERE hour BETWEEN ?1 AND ?2{only} GROUP BY 1",
                sums.join(", "),
                table.name
            ))?
            .query_map([from * 24, to * 24 + 23], |r| {
                let mut counts = [0; COUNTS.len()];
                for (n, count) in counts.iter_mut().enumerate() {
                    *count = r.get(1 + n)?;
                }
                let mut sums = Sums::default();
                sums.add_counts(&counts);
                Ok((r.get(0)?, sums))
            })?
            .collect()
        })
    }

    /// The features with traffic in these hours, both included, busiest first.
    pub fn features(&self, from: i64, to: i64) -> Result<Vec<FeatureTraffic>> {
        self.read(|db| {
            let found: Vec<(i64, i64)> = db
                .prepare_cached(
                    "SELECT feature, sum(requests) n FROM main.rollup_feature WHERE hour BETWEEN ? AND ? \
                     GROUP BY feature ORDER BY n DESC, feature",
                )?
                .query_map([from, to], |r| Ok((r.get(0)?, r.get(1)?)))?
                .collect::<rusqlite::Result<_>>()?;
            found
                .into_iter()
                .map(|(id, requests)| {
                    Ok(FeatureTraffic { id, name: self.0.names.column(db, named(id))?, requests })
                })
                .collect()
        })
    }

    /// The first and last hour that have traffic.
    pub fn span_of_hours(&self) -> Result<Option<(i64, i64)>> {
        self.read(|db| {
            db.query_row("SELECT min(hour), max(hour) FROM main.rollup_feature", [], |r| {
                Ok(r.get::<_, Option<i64>>(0)?.zip(r.get(1)?))
            })
        })
    }
}

/// The id of a name, where 0 stands for none.
pub(super) fn named(id: i64) -> Option<i64> {
    (id != 0).then_some(id)
}
