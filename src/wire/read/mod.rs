//! Formats that come in. One file a format.
pub mod runbook;
