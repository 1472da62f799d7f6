//! How long requests took in the window of a look: the 95th percentile with its interval, and those beside it.

use super::instance::Instance;
use crate::domain::Result;
use crate::domain::monitor::{HOUR_MS, Metric, Times};
use crate::ops::Ctx;
use crate::stats::{CONFIDENCE, Sketch};
use crate::store::{Detail, Sums};
use crate::text::figures::fixed;

/// The times of a window; `None` where times are not what the rule measures, or none are known. Reads the hourly
/// figures of the window and the columns of its first and last hour, however large the store is.
pub(super) fn times(ctx: &Ctx, of: &Instance<'_>, (from, to): (i64, i64)) -> Result<Option<Times>> {
    if !matches!(of.rule.metric, Metric::SlowShare(_)) || from >= to {
        return Ok(None);
    }
    let mut sketch = Sketch::default();
    let whole = ((from + HOUR_MS - 1).div_euclid(HOUR_MS), to.div_euclid(HOUR_MS));
    if whole.0 < whole.1 {
        let mut sums = Sums::default();
        ctx.store.each_hour(Detail::Whole, of.cut, (whole.0, whole.1 - 1), |hour| sums.add_hour(hour))?;
        sketch.merge(&sums.latency);
    }
    let edges = if whole.0 <= whole.1 {
        [(from, whole.0 * HOUR_MS), (whole.1 * HOUR_MS, to)]
    } else {
        [(from, to), (to, to)]
    };
    for (from, to) in edges.into_iter().filter(|(from, to)| from < to) {
        for part in ctx.store.part_of_hour(Detail::Whole, of.cut, from, to)? {
            sketch.merge(&part.sums.latency);
        }
    }
    Ok(summed(&sketch))
}

/// The percentiles of all that was taken; `None` of nothing.
fn summed(sketch: &Sketch) -> Option<Times> {
    Some(Times {
        p50_ms: sketch.quantile(0.5)?,
        p95_ms: sketch.quantile(0.95)?,
        p95_interval_ms: sketch.quantile_interval(0.95, CONFIDENCE).map(|of| [of.lower, of.upper]),
        p99_ms: sketch.quantile(0.99)?,
        n: sketch.count(),
    })
}

/// `p95 3.10 s [2.94, 3.41], p50 1.20 s, p99 5.22 s`.
pub(super) fn in_words(of: &Times) -> String {
    let seconds = |ms: f64| fixed(ms / 1000.0, 2);
    let interval = of
        .p95_interval_ms
        .map_or_else(String::new, |[lower, upper]| format!(" [{}, {}]", seconds(lower), seconds(upper)));
    let (p50, p95, p99) = (seconds(of.p50_ms), seconds(of.p95_ms), seconds(of.p99_ms));
    format!("p95 {p95} s{interval}, p50 {p50} s, p99 {p99} s")
}
