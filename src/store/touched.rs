//! Sums over the traffic that a query chooses, with its users: from rows.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;

use super::flags;
use super::open::Store;
use super::pages::each_row;
use super::rollup::Counted;
use super::slice::Slice;
use super::sums::Sums;
use crate::domain::query::{Term, TimeBound, TimeRange};
use crate::domain::{Query, Result};
use crate::task::Cancel;

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

impl Store {
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
                let slice = Slice { prompt: r.get(1)?, version: r.get(2)?, ..Slice::default() };
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
