//! Makes a demo store: where it is put, its traces, and the work of two people on it.

use std::path::{Path, PathBuf};

use crossbeam_channel::bounded;
use jiff::Timestamp;
use serde::Serialize;

use super::{DemoSpec, Generator};
use crate::domain::{Error, Result, Trace};
use crate::ops::{Ctx, import};
use crate::task::{Cancel, Progress};

/// Traces that are handed on at a time, and how many such lots may wait.
const LOT: usize = 256;
const WAITING: usize = 8;

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
    let report = std::thread::scope(|threads| {
        let (give, take) = bounded::<Vec<Trace>>(WAITING);
        threads.spawn(move || {
            let mut made = Generator::new(*spec).map(|(trace, _)| trace);
            loop {
                let lot: Vec<Trace> = made.by_ref().take(LOT).collect();
                if lot.is_empty() || give.send(lot).is_err() {
                    return;
                }
            }
        });
        let made = take.into_iter().take_while(|_| !cancel.is_cancelled()).flatten();
        let counted = Counted { made, left: spec.traces, progress };
        import::traces(ctx, counted)
    })?;
    cancel.check()?;
    Ok(DemoView {
        store: ctx.store.path().to_owned(),
        traces: report.added,
        seed: spec.seed,
        from: spec.from(),
        to: spec.now,
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
