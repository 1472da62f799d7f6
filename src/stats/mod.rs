//! Intervals, weights and sketches: thin over well-kept crates, held by cases with known answers
//! (`fixtures/stats/cases.json`).
//!
//! Owns formulas, each with its source beside it. Must not know where figures come from. A new
//! estimate is a function here and a test beside it that holds it to a reference case.

mod agreement;
mod control;
mod exact;
mod impact;
mod interval;
mod judge;
mod means;
mod onset;
mod paired;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod reference_impact;
#[cfg(test)]
mod reference_monitors;
mod sketch;
mod slices;
mod tail;

pub use agreement::cohen_kappa;
pub use control::{Cusum, EwmaPoint, PageHinkley, ewma};
pub use exact::{
    binomial_upper, clopper_pearson, first, holm, mcnemar_exact, mcnemar_pairs, poisson_upper, proof_below,
};
pub use impact::{Mix, expected_users, mix_or_rate};
pub use interval::{
    CONFIDENCE, Interval, WeightedRate, difference, normal_quantile, two_proportion_z, weighted_rate, wilson,
};
pub use judge::{Count, corrected_rate};
pub use means::{Moments, Welch, burn_rate, median, robust_z};
pub use onset::{POSSIBLE, SURE, change_point};
pub use paired::{Change, PairedCounts, mean_change, mean_interval, quantile_change, ratio_change};
pub use sketch::{Sketch, nearest_rank};
pub use slices::{RankedSlice, SliceCell, attribute};
pub use tail::{Usual, clumping, false_alarms};
