//! Traces into the store: from files in any known format, or made by this program.

use serde::Serialize;

use super::Ctx;
use crate::domain::{Result, Trace};
use crate::store::{Outcome, Prepared, Preparer};

/// Traces written as one transaction.
const BATCH: usize = 4096;

/// What became of traces that were given to the store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ImportReport {
    /// New ones.
    pub added: u64,
    /// Those that were there already, as they are.
    pub unchanged: u64,
    /// Those that were there already and got new feedback or scores.
    pub updated: u64,
    /// Those whose id belongs to another trace; they were not written.
    pub conflicts: u64,
}

impl ImportReport {
    /// Counts what became of one trace.
    pub fn count(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Added => self.added += 1,
            Outcome::Unchanged => self.unchanged += 1,
            Outcome::Updated => self.updated += 1,
            Outcome::Conflict => self.conflicts += 1,
        }
    }
}

/// Stores traces that this program made. They are taken as they come: nothing is checked.
pub fn traces(ctx: &Ctx, traces: impl IntoIterator<Item = Trace>) -> Result<ImportReport> {
    let mut loader = ctx.store.loader()?;
    let mut preparer = Preparer::new(loader.dictionary())?;
    let mut report = ImportReport::default();
    let mut batch: Vec<Prepared> = Vec::new();
    let mut traces = traces.into_iter();
    loop {
        let trace = traces.next();
        let last = trace.is_none();
        if let Some(trace) = trace {
            batch.push(preparer.prepare(trace, ctx.clock.now())?);
        }
        if batch.len() == BATCH || last {
            let had = loader.dictionary().is_some();
            loader.write(&mut batch)?.into_iter().for_each(|outcome| report.count(outcome));
            batch.clear();
            if !had && loader.dictionary().is_some() {
                preparer = Preparer::new(loader.dictionary())?;
            }
        }
        if last {
            return Ok(report);
        }
    }
}

#[cfg(test)]
mod tests;
