//! The traffic of a window: its whole hours from the hourly figures, the rest of it from rows.
//!
//! Of an hour that is in the window in part, either that part is added from rows, or the hour is added
//! whole and the other part taken away again: whichever has fewer rows. Nothing comes after now but what
//! bears a wrong date, so that the hour that is not over is nearly always whole.

use std::collections::BTreeMap;

use crate::domain::Result;
use crate::ops::Ctx;
use crate::store::{Cut, Detail, HOUR_MS, HourRow, HourSums, Slice, Sums};

/// The traffic of a window.
#[derive(Debug, Default)]
pub(super) struct Window {
    /// All of it.
    pub(super) all: Sums,
    /// By what is told apart.
    pub(super) slices: BTreeMap<Slice, Sums>,
    /// By the hour, for how much it varies: (requests whose cost is known, their cost in 1e-9 dollars).
    hourly_costs: BTreeMap<i64, (i64, i64)>,
    /// The first hour that comes whole from the hourly figures, and the one after the last.
    whole: (i64, i64),
    /// Times to add from rows, and times to take away.
    edges: Vec<(Side, i64, i64)>,
}

/// The sums of some traffic from `from` up to `to` (milliseconds since the epoch, `to` excluded): whole hours from
/// the hourly figures, the rest from the columns.
pub fn traffic(ctx: &Ctx, cut: Cut, (from, to): (i64, i64)) -> Result<Sums> {
    let mut window = Window::new(from, to, ctx.clock.now().as_millisecond());
    window.read(ctx, Detail::Whole, cut)?;
    Ok(window.all)
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Side {
    Add,
    TakeAway,
}

impl Window {
    /// The window `from..to` (milliseconds since the epoch, `to` excluded), nothing added up yet.
    pub(super) fn new(from: i64, to: i64, now: i64) -> Self {
        let start = |hour: i64| hour * HOUR_MS;
        let (mut first, mut end) = (from.div_euclid(HOUR_MS), to.div_euclid(HOUR_MS) + 1);
        let mut edges = Vec::new();
        // Rows after now are few, whatever the time.
        let rows = |from: i64, to: i64| to.min(now).saturating_sub(from).max(0);
        if start(first) < from {
            let before = (start(first), from);
            let within = (from, to.min(start(first + 1)));
            if rows(before.0, before.1) <= rows(within.0, within.1) {
                edges.push((Side::TakeAway, before.0, before.1));
            } else {
                edges.push((Side::Add, within.0, within.1));
                first += 1;
            }
        }
        if first < end {
            let within = (start(end - 1).max(from), to);
            let after = (to, start(end));
            if rows(after.0, after.1) <= rows(within.0, within.1) {
                edges.push((Side::TakeAway, after.0, after.1));
            } else {
                edges.push((Side::Add, within.0, within.1));
                end -= 1;
            }
        }
        edges.retain(|(_, from, to)| from < to);
        Self { whole: (first, end), edges, ..Self::default() }
    }

    /// Adds up the window's traffic, told apart so.
    pub(super) fn read(&mut self, ctx: &Ctx, detail: Detail, cut: Cut) -> Result<()> {
        ctx.store.each_hour(detail, cut, self.hours(), |hour| self.add(hour))?;
        self.close(ctx, detail, cut)
    }

    /// The hours that come whole from the hourly figures, both included.
    fn hours(&self) -> (i64, i64) {
        (self.whole.0, self.whole.1 - 1)
    }

    /// Adds the figures of an hour that is in the window whole.
    fn add(&mut self, hour: &HourRow<'_>) {
        self.slices.entry(hour.slice).or_default().add_hour(hour);
        let counted = hour.counted();
        self.cost(hour.hour, counted.priced, counted.cost_nusd);
    }

    /// Adds and takes away what is to come from rows; after all hours were offered.
    fn close(&mut self, ctx: &Ctx, detail: Detail, cut: Cut) -> Result<()> {
        for (side, from, to) in std::mem::take(&mut self.edges) {
            for part in ctx.store.part_of_hour(detail, cut, from, to)? {
                self.edge(side, &part);
            }
        }
        for sums in self.slices.values() {
            self.all.add(sums);
        }
        self.slices.retain(|_, sums| sums.requests > 0);
        Ok(())
    }

    fn edge(&mut self, side: Side, part: &HourSums) {
        let slice = self.slices.entry(part.slice).or_default();
        let (priced, cost) = (part.sums.priced, part.sums.cost_nusd);
        match side {
            Side::Add => {
                slice.add(&part.sums);
                self.cost(part.hour, priced, cost);
            }
            Side::TakeAway => {
                slice.take_away(&part.sums);
                self.cost(part.hour, -priced, cost.saturating_neg());
            }
        }
    }

    fn cost(&mut self, hour: i64, priced: i64, cost_nusd: i64) {
        let costs = self.hourly_costs.entry(hour).or_default();
        costs.0 += priced;
        costs.1 = costs.1.saturating_add(cost_nusd);
    }

    /// Requests whose cost is known and their cost in 1e-9 dollars, by the hour.
    pub(super) fn costs(&self) -> Vec<(i64, i64)> {
        self.hourly_costs.values().copied().filter(|(priced, _)| *priced > 0).collect()
    }
}
