//! Makes a demo store: where it is put, its traces, and the work of two people on it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crossbeam_channel::bounded;
use jiff::Timestamp;
use serde::Serialize;

use super::session::place_of;
use super::work::work;
use super::{Cause, DemoSpec, Generator, Truth, Verdict};
use crate::domain::{Error, Result, Trace, Untrusted};
use crate::ops::{Ctx, import};
use crate::task::{Cancel, Progress};

/// Traces that are handed on at a time, and how many such lots may wait.
const LOT: usize = 256;
const WAITING: usize = 8;

/// What was seen on the way that the work of the demo's people is about.
#[derive(Debug, Default)]
pub struct Picked {
    /// A good answer to a first question of each kind, of the last days.
    pub good: BTreeMap<&'static str, Untrusted>,
    /// Some requests that the provider refused in the burst.
    pub refused: Vec<Untrusted>,
}

impl Picked {
    const REFUSED: usize = 6;

    fn look(&mut self, trace: &Trace, truth: Truth, spec: &DemoSpec) {
        let first = || place_of(spec.seed, trace.id.raw()).is_some_and(|(_, _, turn)| turn == 0);
        if truth.cause == Cause::RateLimitBurst && self.refused.len() < Self::REFUSED && first() {
            self.refused.push(trace.id.clone());
        }
        let ago = trace.time.map_or(0, |at| spec.now.as_second() - at.as_second());
        if truth.verdict == Verdict::Good
            && (86_400..345_600).contains(&ago)
            && !self.good.contains_key(truth.kind.name())
            && first()
        {
            self.good.insert(truth.kind.name(), trace.id.clone());
        }
    }
}

/// What was made.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DemoView {
    /// The store.
    pub store: PathBuf,
    /// How many traces.
    pub traces: u64,
    /// The seed.
    pub seed: u64,
    /// Where its 28 days begin.
    pub from: Timestamp,
    /// Where they end: when it was made.
    pub to: Timestamp,
    /// Samples that were drawn; the first is partly reviewed.
    pub samples: Vec<String>,
    /// How many labels two people gave.
    pub labels: u64,
    /// How many cases are in the eval set.
    pub cases: u64,
    /// Incidents of the past.
    pub incidents: Vec<String>,
    /// The team's repository: prompts, flags, configuration.
    pub team: PathBuf,
    /// How long it took.
    pub seconds: f64,
}

/// Where the demo store goes: a file that is not there yet, by default in a fresh folder under the
/// system's temporary one. A store that is there already is somebody's work and is left alone.
pub fn place(wanted: Option<&Path>) -> Result<PathBuf> {
    let Some(path) = wanted else {
        let folder = tempfile::Builder::new().prefix("tuesday-demo-").tempdir().map_err(|e| {
            Error::failed("No temporary folder can be made for the demo store.")
                .because(e)
                .hint("Say where it shall be: `tuesday demo --store FILE`.")
        })?;
        return Ok(folder.keep().join("demo.db"));
    };
    if path.exists() {
        return Err(Error::not_so(format!("{} is there already.", path.display()))
            .hint("Name a file that is not there yet, or leave --store out for a temporary place.")
            .hint(format!("To look at what is there: tuesday --store {}", path.display())));
    }
    Ok(path.to_owned())
}

/// Takes an unfinished demo store away again. What cannot be removed stays: it is only a demo.
pub fn discard(path: &Path) {
    for end in ["", "-wal", "-shm", "-work", "-work-wal", "-work-shm"] {
        let mut name = path.to_owned().into_os_string();
        name.push(end);
        let _ = std::fs::remove_file(name);
    }
    super::team::discard(path);
}

/// Fills an empty store. Progress counts traces. When cancelled or failing, what was written is an
/// unfinished demo that is good for nothing.
pub fn make(ctx: &Ctx, spec: &DemoSpec, cancel: &Cancel, progress: &Progress) -> Result<DemoView> {
    if spec.traces == 0 {
        return Err(Error::usage("A demo of 0 traces shows nothing.").hint("Leave --traces out for 40,000."));
    }
    let began = std::time::Instant::now();
    progress.phase("making the demo");
    progress.set_total(spec.traces);
    let (report, picked) = std::thread::scope(|threads| {
        let (give, take) = bounded::<Vec<Trace>>(WAITING);
        let maker = threads.spawn(move || {
            let mut picked = Picked::default();
            let mut made = Generator::new(*spec).map(|(trace, truth)| {
                picked.look(&trace, truth, spec);
                trace
            });
            loop {
                let lot: Vec<Trace> = made.by_ref().take(LOT).collect();
                if lot.is_empty() || give.send(lot).is_err() {
                    drop(made);
                    return picked;
                }
            }
        });
        let made = take.into_iter().take_while(|_| !cancel.is_cancelled()).flatten();
        let report = import::traces(ctx, Counted { made, left: spec.traces, progress })?;
        let picked = maker.join().map_err(|_| Error::failed("The maker of the demo's traces broke down."))?;
        Ok::<_, Error>((report, picked))
    })?;
    cancel.check()?;
    ctx.store.mark_demonstration(spec.now)?;
    progress.phase("reviewing some of it");
    let done = work(ctx, spec, &picked)?;
    Ok(DemoView {
        store: ctx.store.path().to_owned(),
        traces: report.added,
        seed: spec.seed,
        from: spec.from(),
        to: spec.now,
        samples: done.samples,
        labels: done.labels,
        cases: done.cases,
        incidents: done.incidents,
        team: super::team::write(ctx.store.path())?,
        seconds: began.elapsed().as_secs_f64(),
    })
}

/// Traces on their way into the store: how many are to come is known, and each is counted.
struct Counted<'a, I> {
    made: I,
    left: u64,
    progress: &'a Progress,
}

impl<I: Iterator<Item = Trace>> Iterator for Counted<'_, I> {
    type Item = Trace;

    fn next(&mut self) -> Option<Trace> {
        let trace = self.made.next()?;
        self.left = self.left.saturating_sub(1);
        self.progress.add(1);
        Some(trace)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = usize::try_from(self.left).unwrap_or(usize::MAX);
        (left, Some(left))
    }
}
