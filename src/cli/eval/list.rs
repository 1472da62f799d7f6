//! `tuesday eval list`.

use clap::Args;
use jiff::tz::TimeZone;

use super::{Face, output};
use crate::domain::Result;
use crate::ops::Access;
use crate::ops::run::{RunView, list};
use crate::text::figures::{UNKNOWN, date_clock, dollars, duration, percent};

/// List the runs, the newest first
#[derive(Args, Debug)]
pub(super) struct ListArgs {
    /// Answer with JSON: see `tuesday help json-eval`
    #[arg(long)]
    json: bool,
}

pub(super) fn run(face: &Face, args: &ListArgs) -> Result<u8> {
    let runs = list(&face.ctx(Access::ReadOnly)?)?;
    if args.json {
        output::json(&runs)?;
        return Ok(0);
    }
    if runs.is_empty() {
        output::text("No run yet. Make one: tuesday eval run --set SET --target TARGET")?;
    }
    let unknown = || UNKNOWN.to_owned();
    output::table(
        &["run", "begun", "cases", "pass", "fail", "error", "p95", "paid"],
        runs.iter().map(|run| {
            vec![
                run.run.to_string(),
                date_clock(run.at.as_millisecond(), &TimeZone::system()),
                cases(run),
                run.pass_rate.map_or_else(unknown, percent),
                run.failed.to_string(),
                run.errors.to_string(),
                run.latency_ms.p95.map_or_else(unknown, duration),
                dollars(run.cost_usd),
            ]
        }),
    )?;
    Ok(0)
}

/// How many cases, and how far it came where that is not all.
fn cases(run: &RunView) -> String {
    if run.is_complete() { run.cases.to_string() } else { format!("{}/{}", run.done, run.cases) }
}
