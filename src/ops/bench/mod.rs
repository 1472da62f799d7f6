//! Measurements that print a ratio: the same work done by plain SQLite and by this program, in turn, in
//! one run, so that the machine's noise is in both. One file a measurement; data are made here.

mod data;
mod import;
mod work;

use serde::Serialize;

pub use data::{BenchData, make_data};
pub use import::{ImportBench, import};
pub use work::{draw, labels};

/// One thing measured against its yardstick.
#[derive(Debug, Clone, Serialize)]
pub struct Measured {
    /// What was measured.
    pub what: &'static str,
    /// The yardstick's figure.
    pub raw: f64,
    /// This program's figure.
    pub ours: f64,
    /// The unit of both.
    pub unit: &'static str,
    /// How many times as good this program is: above 1 is better.
    pub ratio: f64,
    /// What the ratio must be at least.
    pub wanted: f64,
}

impl Measured {
    /// Less is better: seconds, bytes.
    pub fn less(what: &'static str, unit: &'static str, raw: f64, ours: f64, wanted: f64) -> Self {
        Self { what, raw, ours, unit, ratio: raw / ours, wanted }
    }
}
