//! Formats that come in. One file a format.
pub mod runbook;

pub mod eval_set;
