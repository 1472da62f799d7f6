//! Faults planted in made traffic, and quiet traffic: how often an assessment names the right slice, and how often
//! it claims something where nothing is.
//!
//! Requests are made in memory and go through the same figures as those of a store.

use super::Measured;
use crate::domain::Result;
use crate::ops::assess::trial;
use crate::task::{Cancel, Progress};

/// The share of planted faults whose slice must come first.
const FOUND: f64 = 0.90;
/// The share of quiet stores in which nothing may be claimed.
const QUIET: f64 = 0.95;

/// Plants so many faults and looks at as many quiet stores.
pub fn assess(trials: u64, cancel: &Cancel, progress: &Progress) -> Result<Vec<Measured>> {
    progress.phase("planting faults");
    progress.set_total(2 * trials);
    let (mut found, mut onsets, mut quiet) = (0, 0, 0);
    for seed in 0..trials {
        cancel.check()?;
        let seen = trial::planted(seed)?;
        found += u64::from(seen.right_slice);
        onsets += u64::from(seen.right_onset);
        progress.add(1);
    }
    progress.phase("looking at quiet stores");
    for seed in 0..trials {
        cancel.check()?;
        quiet += u64::from(!trial::claims_of_quiet(seed)?);
        progress.add(1);
    }
    let share = |n: u64| n as f64 / trials.max(1) as f64;
    Ok(vec![
        Measured::more("planted faults whose slice comes first", "share", FOUND, share(found)),
        Measured::more("planted faults whose hour is plausible", "share", FOUND, share(onsets)),
        Measured::more("quiet stores in which nothing is claimed", "share", QUIET, share(quiet)),
    ])
}
