//! Drawing a sample: every trace has a place in the draw that follows from its id and the seed alone, and
//! the lowest places are taken. Whoever draws gets the same traces, and new traffic joins without
//! reshuffling.

use std::collections::BinaryHeap;

use jiff::Timestamp;

use super::{SampleView, head, view};
use crate::domain::sample::{allocate, checked_name, draw_hash};
use crate::domain::{Dimension, Error, Member, Method, Query, Result, Sample, SampleRule, Untrusted};
use crate::ops::review::RatesView;
use crate::ops::{Ctx, label};
use crate::store::{Candidate, DrawFrame};
use crate::task::{Cancel, Progress};

/// A sample that is to be drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct DrawSpec {
    /// Its name.
    pub name: String,
    /// How many.
    pub method: Method,
    /// Only traces that this query holds for.
    pub query: Option<String>,
    /// Only traces from this time on.
    pub since: Option<Timestamp>,
    /// Draw within each combination of these.
    pub strata: Vec<Dimension>,
    /// Only thumbs down, reports, errors and fallbacks.
    pub suspicious: bool,
    /// Another seed is another draw.
    pub seed: u64,
}

/// Draws a sample and freezes it. Errors with `NotSo` when the name is taken or nothing is drawn.
pub fn draw(ctx: &Ctx, spec: &DrawSpec, cancel: &Cancel, progress: &Progress) -> Result<SampleView> {
    let name = checked_name(&spec.name)?;
    let by = label::reviewer(ctx)?;
    if let Ok(taken) = head(ctx, &name) {
        return Err(already(&taken));
    }
    match spec.method {
        Method::Size(0) => {
            return Err(Error::usage("A sample of size 0 holds nothing.").hint("Use --size 200."));
        }
        Method::Rate(rate) if !(rate > 0.0 && rate <= 1.0) => {
            return Err(Error::usage("A rate is a share above 0 and up to 100 %.").hint("Use --rate 1%."));
        }
        Method::Size(_) | Method::Rate(_) => {}
    }
    progress.phase("drawing");
    let frame = DrawFrame {
        since: spec.since,
        query: spec
            .query
            .as_deref()
            .map(str::trim)
            .filter(|text| !text.is_empty())
            .map(Query::parse)
            .transpose()?,
        now: ctx.clock.now(),
        suspicious: spec.suspicious,
        strata: spec.strata.clone(),
    };
    let take = Take::from(spec.method);
    let mut strata: Vec<Stratum> = Vec::new();
    let seen = ctx.store.each_candidate(&frame, cancel, progress, |found| {
        if strata.len() <= found.stratum {
            strata.resize_with(found.stratum + 1, Stratum::default);
        }
        strata[found.stratum].offer(found, take, spec.seed);
    })?;
    let population = strata.iter().map(|s| s.population).sum();
    let shares = match spec.method {
        Method::Rate(_) => strata.iter().map(|s| s.drawn.len() as u64).collect(),
        Method::Size(size) => allocate(size, &strata.iter().map(|s| s.population).collect::<Vec<_>>()),
    };
    let mut chosen: Vec<(u64, i64, i64, usize, f64)> = Vec::new();
    for (at, (stratum, share)) in strata.into_iter().zip(shares).enumerate() {
        let probability = match spec.method {
            Method::Rate(rate) => rate,
            Method::Size(_) => share as f64 / stratum.population as f64,
        };
        let drawn =
            stratum.drawn.into_sorted_vec().into_iter().take(usize::try_from(share).unwrap_or(usize::MAX));
        chosen.extend(drawn.map(|(place, id_hash, seq)| (place, id_hash, seq, at, probability)));
    }
    if chosen.is_empty() {
        return Err(nothing(spec, population, seen.notes));
    }
    chosen.sort_unstable_by_key(|&(place, id_hash, seq, ..)| (place, id_hash, seq));
    progress.phase("keeping");
    let seqs: Vec<i64> = chosen.iter().map(|&(_, _, seq, ..)| seq).collect();
    let ids = ctx.store.trace_ids(&seqs, cancel)?;
    let members = ids
        .into_iter()
        .zip(&chosen)
        .map(|(trace, &(_, _, _, at, probability))| Member {
            trace,
            probability,
            stratum: seen.strata.get(at).cloned(),
        })
        .collect();
    let sample = Sample {
        name,
        rule: SampleRule {
            method: spec.method,
            query: frame.query.as_ref().map(ToString::to_string),
            since: spec.since,
            strata: spec.strata.clone(),
            suspicious: spec.suspicious,
            seed: spec.seed,
        },
        drawn_at: ctx.clock.now(),
        by: by.into(),
        population,
        members,
    };
    cancel.check()?;
    match ctx.store.add_sample(&sample)? {
        Some(taken) => Err(already(&taken)),
        None => Ok(view(sample, RatesView::default(), seen.notes)),
    }
}

/// Which places are taken.
#[derive(Clone, Copy)]
enum Take {
    /// All up to this one.
    UpTo(u64),
    /// This many of the lowest.
    Lowest(u64),
}

impl From<Method> for Take {
    fn from(method: Method) -> Self {
        match method {
            // In 128 bits, so that a rate of 1 takes the highest place too.
            Method::Rate(rate) => {
                let count = (rate * 2f64.powi(64)) as u128;
                Self::UpTo(u64::try_from(count.saturating_sub(1)).unwrap_or(u64::MAX))
            }
            Method::Size(size) => Self::Lowest(size),
        }
    }
}

/// The traces drawn so far within one stratum, the highest place on top.
#[derive(Default)]
struct Stratum {
    population: u64,
    drawn: BinaryHeap<(u64, i64, i64)>,
}

impl Stratum {
    fn offer(&mut self, found: Candidate, take: Take, seed: u64) {
        self.population += 1;
        let place = draw_hash(found.id_hash, seed);
        let entry = (place, found.id_hash, found.seq);
        match take {
            Take::UpTo(last) => {
                if place <= last {
                    self.drawn.push(entry);
                }
            }
            Take::Lowest(size) => {
                if (self.drawn.len() as u64) < size {
                    self.drawn.push(entry);
                } else if self.drawn.peek().is_some_and(|highest| entry < *highest) {
                    self.drawn.pop();
                    self.drawn.push(entry);
                }
            }
        }
    }
}

fn already(taken: &crate::store::SampleRow) -> Error {
    Error::not_so(format!(
        "There is a sample {} already: {} of {} traces, drawn {} by {}.",
        taken.name,
        taken.size,
        taken.population,
        taken.drawn_at.strftime("%Y-%m-%d %H:%M UTC"),
        taken.by.raw()
    ))
    .hint("A sample is frozen once drawn. Choose another name.")
    .hint(format!(
        "`tuesday sample show {:?}` shows it; `tuesday review {:?}` opens it.",
        taken.name, taken.name
    ))
}

fn nothing(spec: &DrawSpec, population: u64, notes: Vec<Untrusted>) -> Error {
    let error = match (population, spec.method) {
        (0, _) => Error::not_so("No trace fits: there is nothing to draw from.")
            .hint("Widen --where or --since, or import traces with `tuesday import FILE`."),
        (_, Method::Rate(rate)) => {
            let share = Method::Rate(rate).describe();
            Error::not_so(format!("None of the {population} traces that fit was drawn at {share}."))
                .hint("Use a higher --rate, or --size.")
        }
        (_, Method::Size(_)) => Error::not_so("Nothing was drawn."),
    };
    notes.into_iter().fold(error, |error, note| error.hint(note.into_raw()))
}
