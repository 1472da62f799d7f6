//! Intervals, weights and sketches: thin over well-kept crates, held by cases with known answers.
