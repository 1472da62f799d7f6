//! `tuesday reread`.

use clap::Args;

use super::long::{self, Unit};
use super::{Face, output};
use crate::domain::Result;
use crate::ops::Access;
use crate::ops::reread::reread;
use crate::text::figures::thousands;

/// Read stored answers again for fallbacks, after the patterns of tuesday.toml changed
///
/// Answers are read by `[fallback] patterns` as they arrive. This reads all of them again, so that the fallback rate of
/// the past, and what a monitor takes for usual, is by the patterns of today. What an application said itself stays. A
/// `tuesday serve` that runs goes on by the patterns that it began with: start it anew first.
#[derive(Args, Debug)]
pub(super) struct RereadArgs {
    /// Answer with JSON: see `tuesday help json`
    #[arg(long)]
    json: bool,
}

pub(super) fn run(face: &Face, args: &RereadArgs) -> Result<u8> {
    let ctx = face.ctx(Access::Existing)?;
    let view = long::run(Unit::Traces, |cancel, progress| reread(&ctx, cancel, progress))?;
    if args.json {
        return output::json(&view).map(|()| 0);
    }
    let count = |n: u64| thousands(n.cast_signed());
    output::text(&format!(
        "{} answers read: {} count as fallbacks now that did not, {} do so no more.",
        count(view.read),
        count(view.found),
        count(view.lost)
    ))?;
    Ok(0)
}
