//! Intervals, weights and sketches: thin over well-kept crates, held by cases with known answers
//! (`fixtures/stats/cases.json`).
//!
//! Owns formulas, each with its source beside it. Must not know where figures come from. A new
//! estimate is a new file here and a line in `cases.rs` that holds it to a reference.

mod sketch;

pub use sketch::Sketch;
