//! Samples: drawn, listed, shown. Once drawn a sample is frozen.

mod draw;

use jiff::Timestamp;
use serde::Serialize;

use super::Ctx;
use super::review::{RatesView, rates_of};
use crate::domain::{Error, Member, Result, Sample, SampleRule, Untrusted};
use crate::store::SampleRow;

pub use draw::{DrawSpec, draw};

/// A sample and what its labels say so far.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SampleView {
    /// Its name.
    pub name: String,
    /// How many traces it holds.
    pub size: u64,
    /// How many could have been drawn.
    pub population: u64,
    /// When it was drawn.
    pub drawn_at: Timestamp,
    /// By whom.
    pub by: Untrusted,
    /// What drew it.
    pub rule: SampleRule,
    /// The traces, in the order of the queue.
    pub members: Vec<Member>,
    /// Rates by reviewer and the agreement between them.
    #[serde(flatten)]
    pub rates: RatesView,
    /// What the person should know of the draw's query; only right after the draw.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Untrusted>,
}

/// One line of the list of samples.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SampleLine {
    /// Its name.
    pub name: String,
    /// How many traces it holds.
    pub size: u64,
    /// How many could have been drawn.
    pub population: u64,
    /// When it was drawn.
    pub drawn_at: Timestamp,
    /// By whom.
    pub by: Untrusted,
    /// What drew it.
    pub rule: SampleRule,
    /// How many of its traces the present reviewer has labelled.
    pub reviewed: u64,
}

/// All samples, newest first.
pub fn list(ctx: &Ctx) -> Result<Vec<SampleLine>> {
    let reviewed = ctx.store.sample_progress(ctx.reviewer.trim())?;
    let lines = ctx.store.samples()?.into_iter().map(|row| SampleLine {
        reviewed: reviewed.get(&row.name).copied().unwrap_or(0),
        name: row.name,
        size: row.size,
        population: row.population,
        drawn_at: row.drawn_at,
        by: row.by,
        rule: row.rule,
    });
    Ok(lines.collect())
}

/// One sample whole. Errors with `NotSo` when there is none of this name, naming the nearest.
pub fn show(ctx: &Ctx, name: &str) -> Result<SampleView> {
    let sample = load(ctx, name)?;
    let rates = rates_of(ctx, &sample.members)?;
    Ok(view(sample, rates, Vec::new()))
}

pub(super) fn load(ctx: &Ctx, name: &str) -> Result<Sample> {
    match ctx.store.sample(name.trim())? {
        Some(sample) => Ok(sample),
        None => Err(missing(ctx, name)?),
    }
}

/// A sample without its members.
pub(super) fn head(ctx: &Ctx, name: &str) -> Result<SampleRow> {
    match ctx.store.samples()?.into_iter().find(|row| row.name == name.trim()) {
        Some(row) => Ok(row),
        None => Err(missing(ctx, name)?),
    }
}

fn missing(ctx: &Ctx, name: &str) -> Result<Error> {
    let samples = ctx.store.samples()?;
    let near = |row: &SampleRow| strsim::jaro_winkler(&row.name, name.trim());
    let error = Error::not_so(format!("There is no sample {name:?}."));
    Ok(match samples.iter().max_by(|a, b| near(a).total_cmp(&near(b))) {
        Some(row) if near(row) > 0.7 => error.hint(format!("Did you mean {}?", row.name)),
        Some(_) => error.hint("`tuesday sample list` shows the samples there are."),
        None => error.hint("Draw one with `tuesday sample draw NAME --rate 1%`."),
    })
}

fn view(sample: Sample, rates: RatesView, notes: Vec<Untrusted>) -> SampleView {
    SampleView {
        name: sample.name,
        size: sample.members.len() as u64,
        population: sample.population,
        drawn_at: sample.drawn_at,
        by: sample.by,
        rule: sample.rule,
        members: sample.members,
        rates,
        notes,
    }
}

#[cfg(test)]
mod tests;
