//! Sums over traffic: from the hourly figures where whole hours are asked, from rows at the edges and
//! where a query chooses.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;
use rusqlite::params;

use super::blocks::{self, Cell};
use super::flags;
use super::open::Store;
use super::pages::each_row;
use super::prepare::US_IN_MS;
use super::rollup::{self, COUNTS, Counted};
use crate::domain::query::{Term, TimeBound, TimeRange};
use crate::domain::{Query, Result, Untrusted};
use crate::stats::Sketch;
use crate::task::Cancel;

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

    fn add_row(&mut self, row: &Counted) {
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

/// What traffic is told apart by. Ids of names; 0 stands for none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slice {
    /// The prompt.
    pub prompt: i64,
    /// Its version.
    pub version: i64,
}

/// How finely hourly figures are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// By prompt version.
    Versions,
    /// By feature alone, which is fewer rows; each has the slice of none.
    Features,
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

/// What a query's traffic adds up to, for one prompt version or for all.
#[derive(Debug, Clone, Default)]
pub struct Touched {
    /// The sums.
    pub sums: Sums,
    /// Different users, of requests that name one.
    pub users: u64,
    /// Those of them with a failed request or a thumb down.
    pub users_hit: u64,
    /// Times of the first and last request, in milliseconds since the epoch.
    pub seen: Option<(i64, i64)>,
}

/// The columns that sums by slice are made of.
const SUMMED: [Cell; 8] = [
    Cell::Flags,
    Cell::Feature,
    Cell::Prompt,
    Cell::Version,
    Cell::LatencyUs,
    Cell::CostNusd,
    Cell::TokensIn,
    Cell::TokensOut,
];

impl Store {
    /// Hands the hourly figures of these hours, both included, of one feature or of all, to `each`.
    pub fn each_hour(
        &self,
        detail: Detail,
        feature: Option<i64>,
        (from, to): (i64, i64),
        mut each: impl FnMut(&HourRow<'_>),
    ) -> Result<()> {
        let (slice, table) = match detail {
            Detail::Versions => ("prompt, version", "rollup_version"),
            Detail::Features => ("0, 0", "rollup_feature"),
        };
        self.read(|db| {
            let mut query = db.prepare_cached(&format!(
                "SELECT hour, {slice}, latency, {} FROM main.{table} \
                 WHERE hour BETWEEN ?1 AND ?2 AND (?3 IS NULL OR feature = ?3)",
                COUNTS.join(", ")
            ))?;
            let mut rows = query.query(params![from, to, feature])?;
            while let Some(r) = rows.next()? {
                let mut counts = [0; COUNTS.len()];
                for (n, count) in counts.iter_mut().enumerate() {
                    *count = r.get(4 + n)?;
                }
                each(&HourRow {
                    hour: r.get(0)?,
                    slice: Slice { prompt: r.get(1)?, version: r.get(2)? },
                    counts,
                    sketch: r.get_ref(3)?.as_blob().unwrap_or_default(),
                });
            }
            Ok(())
        })
    }

    /// The traffic of a part of one hour: `from` included, `to` not. Reads the columns of the blocks that it
    /// falls into.
    pub fn part_of_hour(&self, feature: Option<i64>, from: i64, to: i64) -> Result<Vec<HourSums>> {
        self.read(|db| {
            // Few slices are alive at a time: a look through a list is quicker than a tree or a hash.
            let mut slices: Vec<HourSums> = Vec::new();
            let hour = from.div_euclid(HOUR_MS);
            blocks::each(db, (from, to.saturating_sub(1)), &SUMMED, |block| {
                for at in 0..block.len() {
                    let ts = block.ts(at);
                    if !(from..to).contains(&ts) {
                        continue;
                    }
                    let cells = block.cells(at);
                    if feature.is_some_and(|wanted| cells.name(Cell::Feature) != wanted) {
                        continue;
                    }
                    let slice =
                        Slice { prompt: cells.name(Cell::Prompt), version: cells.name(Cell::Version) };
                    let known = slices.iter().position(|of| of.slice == slice);
                    let known = known.unwrap_or_else(|| {
                        slices.push(HourSums { hour, slice, sums: Sums::default() });
                        slices.len() - 1
                    });
                    slices[known].sums.add_row(&cells.counted());
                }
                true
            })?;
            Ok(slices)
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

    /// The id of a feature's name.
    pub fn feature_id(&self, name: &str) -> Result<Option<i64>> {
        use rusqlite::OptionalExtension as _;
        self.read(|db| {
            db.query_row("SELECT id FROM main.name WHERE kind = 1 AND text = ?", [name], |r| r.get(0))
                .optional()
        })
    }

    /// Names of the features there are.
    pub fn feature_names(&self) -> Result<Vec<String>> {
        self.read(|db| {
            db.prepare("SELECT text FROM main.name WHERE kind = 1 ORDER BY text")?
                .query_map([], |r| r.get(0))?
                .collect()
        })
    }

    /// The prompt and version of a slice.
    pub fn slice_names(&self, slice: Slice) -> Result<(Option<Untrusted>, Option<Untrusted>)> {
        self.read(|db| {
            let names = &self.0.names;
            Ok((names.column(db, named(slice.prompt))?, names.column(db, named(slice.version))?))
        })
    }

    /// What the traces of a query from `since` up to `until` (excluded) add up to: all, and by prompt
    /// version. Reads the rows of that time.
    pub fn touched(
        &self,
        query: &Query,
        (since, until): (Timestamp, Timestamp),
        now: Timestamp,
        cancel: &Cancel,
    ) -> Result<(Touched, Vec<(Slice, Touched)>)> {
        let within = TimeRange::Within(TimeBound::At(since), TimeBound::At(until));
        let query = query.clone().with(Term::Time(within));
        self.filtered(&query, now, cancel, |db, filter| {
            let mut all = Gathered::default();
            let mut slices: BTreeMap<Slice, Gathered> = BTreeMap::new();
            let columns = "t.ts, ifnull(t.prompt, 0), ifnull(t.version, 0), t.flags, t.cost_nusd, t.tokens_in, \
                           t.tokens_out, t.latency_us, t.user_hash";
            each_row(db, filter, columns, |r| {
                let slice = Slice { prompt: r.get(1)?, version: r.get(2)? };
                let row = Counted {
                    flags: r.get(3)?,
                    cost_nusd: r.get(4)?,
                    tokens_in: r.get(5)?,
                    tokens_out: r.get(6)?,
                    latency_us: r.get(7)?,
                };
                let (ts, user) = (r.get(0)?, r.get(8)?);
                all.add(&row, ts, user);
                slices.entry(slice).or_default().add(&row, ts, user);
                Ok(())
            })?;
            let slices = slices.into_iter().map(|(slice, of)| (slice, of.into())).collect();
            Ok((all.into(), slices))
        })
    }
}

/// The id of a name, where 0 stands for none.
fn named(id: i64) -> Option<i64> {
    (id != 0).then_some(id)
}

#[derive(Default)]
struct Gathered {
    sums: Sums,
    users: HashSet<i64>,
    hit: HashSet<i64>,
    seen: Option<(i64, i64)>,
}

impl Gathered {
    fn add(&mut self, row: &Counted, ts: i64, user: Option<i64>) {
        self.sums.add_row(row);
        if let Some(user) = user {
            self.users.insert(user);
            if row.flags & (flags::ERROR | flags::DOWN) != 0 {
                self.hit.insert(user);
            }
        }
        self.seen = Some(self.seen.map_or((ts, ts), |(first, last)| (first.min(ts), last.max(ts))));
    }
}

impl From<Gathered> for Touched {
    fn from(of: Gathered) -> Self {
        Self { sums: of.sums, users: of.users.len() as u64, users_hit: of.hit.len() as u64, seen: of.seen }
    }
}
