//! Since when: the point after which more requests fail.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::instant;
use crate::stats::{POSSIBLE, SURE, change_point};
use crate::store::HOUR_MS;

/// Milliseconds of the finest parts.
pub(super) const FINE_MS: i64 = 300_000;
/// Parts that a time is cut into for the scan; what it takes to be sure is worked out for so many.
const PARTS: i64 = 48;
/// Requests an hour below which the point is hours off.
const SPARSE: f64 = 20.0;

/// Whether there is such a point.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OnsetVerdict {
    /// There is: of a hundred times in which nothing changed one would look so.
    Onset,
    /// Perhaps: of twenty times in which nothing changed one would look so.
    Possible,
    /// None is seen.
    #[default]
    None,
}

/// Since when more requests fail.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Onset {
    /// Whether there is such a point; the next fields are known unless it is `none`.
    pub verdict: OnsetVerdict,
    /// The best guess, to five minutes.
    pub at: Option<Timestamp>,
    /// The earliest and the latest time that are plausible.
    pub plausible: Option<[Timestamp; 2]>,
    /// How much better two rates fit than one.
    pub g2: Option<f64>,
    /// The rate before.
    pub rate_before: Option<f64>,
    /// The rate since.
    pub rate_after: Option<f64>,
    /// The time that was looked through.
    pub looked: [Timestamp; 2],
    /// Requests an hour in that time whose outcome is known.
    pub per_hour: f64,
    /// So few that the point can be hours off.
    pub sparse: bool,
    /// How long it went on before the incident was opened, in milliseconds.
    pub undetected_ms: Option<i64>,
}

/// Requests and failures by five minutes (time divided by [`FINE_MS`]).
pub(super) type Fine = BTreeMap<i64, (f64, f64)>;

/// Looks for the onset in the two days up to `until`, or since a day before `opened` where that is longer; and, where
/// nothing is sure there, in all of `from..until`. `from` and `until` are whole hours of milliseconds.
pub(super) fn find(fine: &Fine, (from, until): (i64, i64), opened: i64) -> Onset {
    let near = (until - 48 * HOUR_MS).min(opened - 24 * HOUR_MS).div_euclid(HOUR_MS) * HOUR_MS;
    let near = near.max(from);
    let mut onset = look(fine, (near, until));
    if onset.verdict != OnsetVerdict::Onset && from < near {
        let wide = look(fine, (from, until));
        if wide.verdict == OnsetVerdict::Onset {
            onset = wide;
        }
    }
    onset.undetected_ms =
        onset.at.map(|at| opened - at.as_millisecond()).filter(|undetected| *undetected > 0);
    onset
}

fn look(fine: &Fine, (from, until): (i64, i64)) -> Onset {
    let width = (until - from).div_euclid(PARTS * HOUR_MS).max(1) * HOUR_MS;
    let parts = cut(fine, (from, until), width);
    let n: f64 = parts.iter().map(|part| part.0).sum();
    let per_hour = n / ((until - from).max(HOUR_MS) as f64 / HOUR_MS as f64);
    let none = Onset {
        looked: [instant(from), instant(until)],
        per_hour,
        sparse: per_hour < SPARSE,
        ..Onset::default()
    };
    let Some(coarse) = change_point(&parts, 0..=parts.len()).filter(|found| found.g2 >= POSSIBLE) else {
        return none;
    };
    // Within what is plausible, and a part on each side, five minutes are told apart.
    let fine_parts = cut(fine, (from, until), FINE_MS);
    let ratio = usize::try_from(width / FINE_MS).unwrap_or(1);
    let (first, last) = (coarse.plausible.first(), coarse.plausible.last());
    let first = first.map_or(0, |at| (at.saturating_sub(1)) * ratio);
    let last = last.map_or(0, |at| (at + 1) * ratio);
    let found = change_point(&fine_parts, first..=last);
    let at = |split: usize, width: i64| instant(from + split as i64 * width);
    let (best, plausible) = match &found {
        Some(found) => {
            let ends = [found.plausible.first(), found.plausible.last()];
            (at(found.split, FINE_MS), ends.map(|end| at(*end.unwrap_or(&found.split), FINE_MS)))
        }
        None => {
            let ends = [coarse.plausible.first(), coarse.plausible.last()];
            (at(coarse.split, width), ends.map(|end| at(*end.unwrap_or(&coarse.split), width)))
        }
    };
    Onset {
        verdict: if coarse.g2 >= SURE { OnsetVerdict::Onset } else { OnsetVerdict::Possible },
        at: Some(best),
        plausible: Some(plausible),
        g2: Some(coarse.g2),
        rate_before: Some(coarse.before),
        rate_after: Some(coarse.after),
        ..none
    }
}

/// The parts of a time, oldest first; the last may be shorter.
fn cut(fine: &Fine, (from, until): (i64, i64), width: i64) -> Vec<(f64, f64)> {
    let count = usize::try_from((until - from + width - 1).div_euclid(width)).unwrap_or(0);
    let mut parts = vec![(0.0, 0.0); count];
    for (at, (n, k)) in fine.range(from.div_euclid(FINE_MS)..) {
        let place = usize::try_from((at * FINE_MS - from).div_euclid(width)).ok();
        if let Some(part) = place.and_then(|place| parts.get_mut(place)) {
            part.0 += n;
            part.1 += k;
        }
    }
    parts
}
