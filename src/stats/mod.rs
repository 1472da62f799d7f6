//! Intervals, weights and sketches: thin over well-kept crates, held by cases with known answers
//! (`fixtures/stats/cases.json`).
//!
//! Owns formulas, each with its source beside it. Must not know where figures come from. A new
//! estimate is a function here and a test beside it that holds it to a reference case.

mod agreement;
mod control;
mod exact;
mod interval;
mod judge;
mod means;
mod paired;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod reference_monitors;
mod sketch;
mod slices;
mod tail;

pub use agreement::cohen_kappa;
pub use control::{Cusum, EwmaPoint, PageHinkley, ewma};
pub use exact::{binomial_upper, clopper_pearson, first, holm, mcnemar_exact, mcnemar_pairs, proof_below};
pub use interval::{
    CONFIDENCE, Interval, WeightedRate, normal_quantile, quantile_ranks, two_proportion_z, weighted_rate,
    wilson,
};
pub use judge::{Count, corrected_rate};
pub use means::{Moments, Welch, burn_rate, median, robust_z};
pub use paired::{Change, PairedCounts, mean_change, mean_interval, quantile_change, ratio_change};
pub use sketch::{Sketch, nearest_rank};
pub use slices::{SliceCell, attribute};
pub use tail::{Usual, clumping, false_alarms};
