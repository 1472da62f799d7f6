//! What traces say of each version of a prompt: its traffic, by the hour.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::Home;
use crate::domain::{Result, Untrusted};
use crate::ops::Ctx;
use crate::store::{Detail, HOUR_MS, Served, Slice, Sums};

/// A version's traffic.
#[derive(Debug, Clone)]
pub(super) struct Traffic {
    /// The names that its traces have: one version may be under two ids where its prompt is.
    pub served: Served,
    /// Sums over the time that was asked for.
    pub sums: Sums,
    /// The same by slot of that time.
    pub slots: Vec<Sums>,
}

/// The time that is looked at, in whole hours.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    /// The first hour.
    pub first: i64,
    /// Hours in a slot.
    pub each: i64,
    /// How many slots.
    pub slots: usize,
}

impl Span {
    /// The time from `since` to now, in at most `slots` slots of whole hours.
    pub fn new(since: Timestamp, now: Timestamp, slots: usize) -> Self {
        let last = now.as_millisecond().div_euclid(HOUR_MS);
        let first = since.as_millisecond().div_euclid(HOUR_MS).min(last);
        let hours = last - first + 1;
        let most = i64::try_from(slots.max(1)).unwrap_or(1);
        let each = (hours + most - 1) / most;
        let slots = usize::try_from((hours + each - 1) / each).unwrap_or(1);
        // The last slot ends with the hour that is now.
        Self { first: last - each * i64::try_from(slots).unwrap_or(1) + 1, each, slots }
    }

    /// The last hour.
    pub fn last(&self) -> i64 {
        self.first + self.each * i64::try_from(self.slots).unwrap_or(0) - 1
    }

    /// Where it begins.
    pub fn from(&self) -> Timestamp {
        hour_start(self.first)
    }
}

/// The start of an hour.
pub(super) fn hour_start(hour: i64) -> Timestamp {
    Timestamp::from_millisecond(hour.saturating_mul(HOUR_MS)).unwrap_or_default()
}

/// The traffic of a prompt by the version that its traces name.
pub(super) fn traffic(ctx: &Ctx, home: &Home, span: Span) -> Result<BTreeMap<String, Traffic>> {
    let mut of: BTreeMap<Slice, String> = BTreeMap::new();
    let mut found: BTreeMap<String, Traffic> = BTreeMap::new();
    for served in ctx.store.served()? {
        let (prompt, version) = ctx.store.slice_names(served.slice)?;
        if prompt.as_ref().map(Untrusted::raw) != Some(home.name.as_str()) {
            continue;
        }
        let version = version.map(Untrusted::into_raw).unwrap_or_default();
        of.insert(served.slice, version.clone());
        let slots = vec![Sums::default(); span.slots];
        found.insert(version, Traffic { served, sums: Sums::default(), slots });
    }
    ctx.store.each_hour(Detail::Versions, None, (span.first, span.last()), |hour| {
        let Some(traffic) = of.get(&hour.slice).and_then(|version| found.get_mut(version)) else { return };
        traffic.sums.add_hour(hour);
        let slot = usize::try_from((hour.hour - span.first) / span.each).unwrap_or(0);
        if let Some(sums) = traffic.slots.get_mut(slot) {
            sums.add(&hour.counted());
        }
    })?;
    Ok(found)
}
