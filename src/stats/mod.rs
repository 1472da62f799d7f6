//! Intervals, weights and sketches: thin over well-kept crates, held by cases with known answers
//! (`fixtures/stats/cases.json`).
//!
//! Owns formulas, each with its source beside it. Must not know where figures come from. A new
//! estimate is a function here and a test beside it that holds it to a reference case.

mod agreement;
mod interval;
mod sketch;

pub use agreement::cohen_kappa;
pub use interval::{
    CONFIDENCE, Interval, normal_quantile, quantile_ranks, two_proportion_z, weighted_rate, wilson,
};
pub use sketch::{Sketch, nearest_rank};
