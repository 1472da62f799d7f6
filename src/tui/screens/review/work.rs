//! What the screen asks of the ops.

use std::sync::Arc;

use crate::domain::{ModeId, Result, Severity, Taxonomy, TraceRow, Untrusted, Verdict};
use crate::ops::label::{self, UndoScope, VerdictRequest};
use crate::ops::review::{self, QueueView, RatesView, ReviewItem};
use crate::ops::sample::{self, DrawSpec, SampleLine};
use crate::ops::{Ctx, taxonomy};
use crate::task::{Cancel, Progress};
use crate::tui::widgets::talk::Talk;

/// A queue as it was read at one moment; the same when it is the same reading.
#[derive(Debug, Clone)]
pub struct Reading(pub Arc<QueueView>);

impl PartialEq for Reading {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl std::ops::Deref for Reading {
    type Target = QueueView;

    fn deref(&self) -> &QueueView {
        &self.0
    }
}

/// What a queue is opened on.
#[derive(Debug, Clone, PartialEq)]
pub enum Of {
    Sample(String),
    Traces(Vec<Untrusted>),
}

/// Work for a worker thread.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// The list of samples.
    Samples,
    /// A draw.
    Draw(DrawSpec),
    /// What the labels of a sample say.
    Rates(String),
    /// My queue over these.
    Open(Of),
    /// One item, laid out for this many columns.
    Item { trace: Untrusted, cols: u16 },
    /// First words of these traces.
    Previews(Vec<Untrusted>),
    /// The queue after whatever happened to labels since this reading.
    Refresh(Reading),
    /// The places of the queue that a query holds for.
    Matching { queue: Reading, query: String },
    /// An act on one trace of the queue, then the queue after it.
    Act { queue: Reading, trace: Untrusted, act: Act },
    /// Taking back the last act in the queue.
    Undo(Reading),
}

/// What a person does to a response.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    Verdict {
        verdict: Verdict,
        mode: Option<ModeId>,
    },
    Skip,
    Note(Option<Untrusted>),
    Correct(Option<Untrusted>),
    Severity(Option<Severity>),
    /// Fail it by a new mode of this name, made of the note.
    NewMode(String),
}

/// What it gives.
#[derive(Debug)]
pub enum Answer {
    Samples(Vec<SampleLine>),
    Drawn { name: String, notes: Vec<Untrusted> },
    Rates(Box<RatesView>, Taxonomy),
    Opened(Reading, Taxonomy),
    Item(Box<ReviewItem>, Box<Talk>),
    Previews(Vec<Option<TraceRow>>),
    Refreshed { queue: Reading, touched: Vec<Untrusted>, taxonomy: Taxonomy },
    Matching(Vec<usize>),
    Done(Box<Done>),
}

/// What an act or an undo left.
#[derive(Debug)]
pub struct Done {
    pub queue: Reading,
    /// The trace it was done to.
    pub trace: Untrusted,
    /// In words: `fail: wrong tone`, or what was taken back.
    pub words: Untrusted,
    /// After an undo: what it is now, in words.
    pub now: Option<Untrusted>,
    /// The item as it is now.
    pub item: Option<ReviewItem>,
    /// The taxonomy, when it has a new mode.
    pub taxonomy: Option<Taxonomy>,
}

impl Request {
    /// Does the work; blocks.
    pub fn run(&self, ctx: &Ctx, cancel: &Cancel, progress: &Progress) -> Result<Answer> {
        match self {
            Self::Samples => sample::list(ctx).map(Answer::Samples),
            Self::Draw(spec) => {
                let drawn = sample::draw(ctx, spec, cancel, progress)?;
                Ok(Answer::Drawn { name: drawn.name, notes: drawn.notes })
            }
            Self::Rates(name) => Ok(Answer::Rates(Box::new(review::rates(ctx, name)?), taxonomy::show(ctx)?)),
            Self::Open(of) => {
                let queue = match of {
                    Of::Sample(name) => review::open(ctx, name)?,
                    Of::Traces(traces) => review::open_traces(ctx, traces)?,
                };
                Ok(Answer::Opened(Reading(Arc::new(queue)), taxonomy::show(ctx)?))
            }
            Self::Item { trace, cols } => {
                let item = review::item(ctx, trace)?;
                let talk = Talk::new(&item.trace, *cols);
                Ok(Answer::Item(Box::new(item), Box::new(talk)))
            }
            Self::Previews(traces) => review::lines(ctx, traces).map(Answer::Previews),
            Self::Refresh(queue) => {
                let (queue, touched) = refreshed(ctx, queue)?;
                Ok(Answer::Refreshed { queue, touched, taxonomy: taxonomy::show(ctx)? })
            }
            Self::Matching { queue, query } => {
                review::matching(ctx, queue, query, cancel).map(Answer::Matching)
            }
            Self::Act { queue, trace, act } => {
                let (words, taxonomy) = act.run(ctx, queue, trace)?;
                // The act is on the disk: what follows only shows it.
                let (queue, _) = refreshed(ctx, queue)?;
                let item = review::item(ctx, trace).ok();
                let done = Done { queue, trace: trace.clone(), words, now: None, item, taxonomy };
                Ok(Answer::Done(Box::new(done)))
            }
            Self::Undo(queue) => {
                let scope = match sample_of(queue) {
                    Some(name) => UndoScope::Sample(name.to_owned()),
                    None => UndoScope::Traces(queue.items.iter().map(|item| item.trace.clone()).collect()),
                };
                let receipt = label::undo(ctx, &scope)?;
                let (queue, _) = refreshed(ctx, queue)?;
                let item = review::item(ctx, &receipt.trace).ok();
                Ok(Answer::Done(Box::new(Done {
                    queue,
                    trace: receipt.trace,
                    words: receipt.undone,
                    now: Some(receipt.now),
                    item,
                    taxonomy: None,
                })))
            }
        }
    }
}

impl Act {
    fn run(&self, ctx: &Ctx, queue: &QueueView, trace: &Untrusted) -> Result<(Untrusted, Option<Taxonomy>)> {
        let sample = sample_of(queue);
        let receipt = match self {
            Self::Verdict { verdict, mode } => label::verdict(
                ctx,
                &VerdictRequest {
                    trace: trace.clone(),
                    sample: sample.map(str::to_owned),
                    verdict: *verdict,
                    mode: mode.clone(),
                },
            )?,
            Self::Skip => label::skip(ctx, trace, sample)?,
            Self::Note(note) => label::set_note(ctx, trace, sample, note.clone())?,
            Self::Correct(text) => label::set_corrected(ctx, trace, sample, text.clone())?,
            Self::Severity(severity) => label::set_severity(ctx, trace, sample, *severity)?,
            Self::NewMode(name) => {
                let (_, receipt) = taxonomy::add_from_note(ctx, trace, sample, name)?;
                return Ok((receipt.words, Some(taxonomy::show(ctx)?)));
            }
        };
        Ok((receipt.words, None))
    }
}

/// The name of the sample that a queue is over.
pub fn sample_of(queue: &QueueView) -> Option<&str> {
    match &queue.source {
        review::QueueSource::Sample(name) => Some(name),
        review::QueueSource::Traces => None,
    }
}

fn refreshed(ctx: &Ctx, queue: &Reading) -> Result<(Reading, Vec<Untrusted>)> {
    let mut now = (*queue.0).clone();
    let places = review::refresh(ctx, &mut now)?;
    let touched = places.into_iter().map(|place| now.items[place].trace.clone()).collect();
    Ok((Reading(Arc::new(now)), touched))
}

impl From<Request> for crate::tui::work::Request {
    fn from(request: Request) -> Self {
        Self::Review(request)
    }
}
