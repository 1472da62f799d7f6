//! The traffic of a window: its whole hours from the hourly figures, the rest of it from rows.

use std::collections::BTreeMap;

use crate::domain::Result;
use crate::ops::Ctx;
use crate::store::{HOUR_MS, HourSums, Slice, Sums};

/// The traffic of a window.
#[derive(Debug, Default)]
pub(super) struct Window {
    /// All of it.
    pub(super) all: Sums,
    /// By prompt version.
    pub(super) slices: BTreeMap<Slice, Sums>,
    /// By the hour, for how much it varies: (requests whose cost is known, their cost in 1e-9 dollars).
    hourly_costs: BTreeMap<i64, (i64, i64)>,
}

impl Window {
    /// Adds up `from..to` (milliseconds since the epoch, `to` excluded) out of hourly figures that cover it.
    pub(super) fn gather(
        ctx: &Ctx,
        feature: Option<i64>,
        hours: &[HourSums],
        from: i64,
        to: i64,
    ) -> Result<Self> {
        let mut window = Self::default();
        // The first whole hour, and the hour after the last.
        let first = from.div_euclid(HOUR_MS) + i64::from(from.rem_euclid(HOUR_MS) != 0);
        let mut end = to.div_euclid(HOUR_MS);
        // The hour that is not over is whole already when nothing in it comes after the window.
        if first <= end && !ctx.store.any_between(to, (end + 1) * HOUR_MS)? {
            end += 1;
        }
        for part in hours.iter().filter(|part| (first..end).contains(&part.hour)) {
            window.add(part);
        }
        let edges =
            if first > end { vec![(from, to)] } else { vec![(from, first * HOUR_MS), (end * HOUR_MS, to)] };
        for (from, to) in edges.into_iter().filter(|(from, to)| from < to) {
            for part in ctx.store.part_of_hour(feature, from, to)? {
                window.add(&part);
            }
        }
        Ok(window)
    }

    fn add(&mut self, part: &HourSums) {
        self.all.add(&part.sums);
        self.slices.entry(part.slice).or_default().add(&part.sums);
        let costs = self.hourly_costs.entry(part.hour).or_default();
        costs.0 += part.sums.priced;
        costs.1 = costs.1.saturating_add(part.sums.cost_nusd);
    }

    /// Requests whose cost is known and their cost in 1e-9 dollars, by the hour.
    pub(super) fn costs(&self) -> Vec<(i64, i64)> {
        self.hourly_costs.values().copied().filter(|(priced, _)| *priced > 0).collect()
    }
}
