//! Measurements that print a ratio: the same work done by plain SQLite and by this program, in turn, in
//! one run, so that the machine's noise is in both. One file a measurement; data are made here.

mod assess;
mod data;
mod find;
mod import;
mod monitors;
mod run;
mod score;
mod serve;
mod soak;
mod vitals;
mod work;

use serde::Serialize;

pub use assess::assess;
pub use data::{BenchData, make_data};
pub use find::{pages, search};
pub use import::{ImportBench, import};
pub use monitors::monitors;
pub use run::run;
pub use score::score;
pub use serve::receive;
pub use soak::soak;
pub use vitals::vitals;
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
    /// Processor seconds of both, all threads, where they are known: steadier than the clock on a busy machine.
    pub cpu: Option<(f64, f64)>,
}

/// Wall and processor seconds of a piece of work.
#[derive(Debug, Clone, Copy, Default)]
pub struct Spent {
    wall: f64,
    cpu: f64,
}

impl Spent {
    /// Times a piece of work.
    fn on<T>(work: impl FnOnce() -> crate::domain::Result<T>) -> crate::domain::Result<(T, Self)> {
        let (begun, cpu) = (std::time::Instant::now(), cpu_seconds());
        let value = work()?;
        Ok((value, Self { wall: begun.elapsed().as_secs_f64(), cpu: cpu_seconds() - cpu }))
    }

    /// The quicker of two; none yet counts as slower.
    fn best(self, other: Self) -> Self {
        if self.wall == 0.0 || other.wall < self.wall { other } else { self }
    }

    fn and(self, other: Self) -> Self {
        Self { wall: self.wall + other.wall, cpu: self.cpu + other.cpu }
    }
}

/// Processor time of this process so far. Zero where the system does not say it as Linux does.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // After the name, which may hold anything but ends with the last bracket: state is the first field.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |n: usize| fields.get(n).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    // utime and stime, in hundredths of a second on every Linux.
    (ticks(11) + ticks(12)) / 100.0
}

impl Measured {
    /// Less is better: seconds, bytes.
    pub fn less(what: &'static str, unit: &'static str, raw: f64, ours: f64, wanted: f64) -> Self {
        Self { what, raw, ours, unit, ratio: raw / ours, wanted, cpu: None }
    }

    /// More is better: shares.
    fn more(what: &'static str, unit: &'static str, raw: f64, ours: f64) -> Self {
        Self { what, raw, ours, unit, ratio: ours / raw, wanted: 1.0, cpu: None }
    }

    /// Seconds by the clock, with processor seconds beside them.
    fn time(what: &'static str, raw: Spent, ours: Spent, wanted: f64) -> Self {
        Self { cpu: Some((raw.cpu, ours.cpu)), ..Self::less(what, "s", raw.wall, ours.wall, wanted) }
    }
}
