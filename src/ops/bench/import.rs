//! Import and search index against a plain loader: one table with the same fields, its indexes built
//! sorted afterwards, and FTS5 filled from it.

use std::path::Path;

use super::{BenchData, Measured, Spent};
use crate::domain::{Error, Result};
use crate::ops::import::{ImportSpec, files};
use crate::ops::{Access, Ctx, index};
use crate::store::bench::RawLoader;
use crate::task::{Cancel, Clock, Progress};

/// How to measure.
#[derive(Debug, Clone)]
pub struct ImportBench {
    /// Where databases are made; they are removed again.
    pub folder: std::path::PathBuf,
    /// Whether to measure the search index too.
    pub index: bool,
    /// Times that both are done; the best of each counts.
    pub rounds: usize,
}

/// Loads the data both ways in turn.
pub fn import(data: &BenchData, bench: &ImportBench, progress: &Progress) -> Result<Vec<Measured>> {
    let (mut raw, mut ours) = (Round::default(), Round::default());
    for _ in 0..bench.rounds.max(1) {
        raw = raw.best(raw_round(data, bench, progress)?);
        ours = ours.best(our_round(data, bench, progress)?);
    }
    let mut measured = vec![Measured::time("import, durable and browsable", raw.load, ours.load, 0.8)];
    if bench.index {
        measured.push(Measured::time("search index", raw.index, ours.index, 1.0));
        let both = (raw.load.and(raw.index), ours.load.and(ours.index));
        measured.push(Measured::time("both", both.0, both.1, 1.0));
    }
    let json = data.bytes as f64 / 1e6;
    measured.push(Measured::less("store against JSONL", "MB", json, ours.size, 1.0 / 1.2));
    measured.push(Measured::less("store against plain tables", "MB", raw.size, ours.size, 1.0));
    Ok(measured)
}

/// What one way took.
#[derive(Default, Clone, Copy)]
struct Round {
    load: Spent,
    index: Spent,
    /// Megabytes of the database.
    size: f64,
}

impl Round {
    fn best(self, other: Self) -> Self {
        Self { load: self.load.best(other.load), index: self.index.best(other.index), size: other.size }
    }
}

fn raw_round(data: &BenchData, bench: &ImportBench, progress: &Progress) -> Result<Round> {
    let path = bench.folder.join("bench-raw.db");
    remove(&path);
    progress.phase("plain loader");
    let (raw, load) = Spent::on(|| {
        let mut raw = RawLoader::create(&path)?;
        raw.load(&data.path)?;
        raw.index()?;
        Ok(raw)
    })?;
    progress.phase("plain search index");
    let ((), index) = Spent::on(|| if bench.index { raw.search_index() } else { Ok(()) })?;
    drop(raw);
    let size = size(&path);
    remove(&path);
    Ok(Round { load, index, size })
}

fn our_round(data: &BenchData, bench: &ImportBench, progress: &Progress) -> Result<Round> {
    let path = bench.folder.join("bench-ours.db");
    remove(&path);
    let spec = ImportSpec { files: vec![data.path.display().to_string()], ..ImportSpec::default() };
    let cancel = Cancel::default();
    let ((ctx, view), load) = Spent::on(|| {
        let ctx = Ctx::open(&path, Access::Create, "bench", Clock::System)?;
        let view = files(&ctx, &spec, &cancel, progress)?;
        Ok((ctx, view))
    })?;
    if view.added != data.traces {
        return Err(Error::failed(format!("{} of {} traces were taken.", view.added, data.traces)));
    }
    let ((), index) = Spent::on(|| {
        if bench.index {
            index::catch_up(&ctx, &cancel, progress)?;
        }
        Ok(())
    })?;
    drop(ctx);
    let size = size(&path);
    remove(&path);
    Ok(Round { load, index, size })
}

/// Megabytes on the disk.
fn size(path: &Path) -> f64 {
    std::fs::metadata(path).map_or(0.0, |about| about.len() as f64 / 1e6)
}

/// Removes a database, a store, and all beside it.
pub(super) fn remove(path: &Path) {
    for end in ["", "-wal", "-shm", "-work", "-work-wal", "-work-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        std::fs::remove_file(name).ok();
    }
}
