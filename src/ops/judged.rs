//! Judged traces of times: what monitors and measures take their share of failures from.

use super::Ctx;
use crate::domain::Result;
use crate::store::JudgedSet;

/// Judged traces of times from `from` up to `to` (milliseconds, excluded), oldest first: of draws that were made
/// evenly, without regard to how the traces went.
///
/// # Errors
/// When the store cannot be read.
pub fn judged(ctx: &Ctx, (from, to): (i64, i64)) -> Result<JudgedSet> {
    let samples = ctx.store.samples()?;
    let even = samples.iter().filter(|one| one.drawn_at.as_millisecond() >= from && one.rule.is_even());
    let names: Vec<&str> = even.map(|one| one.name.as_str()).collect();
    ctx.store.judged(&names, (from, to))
}
