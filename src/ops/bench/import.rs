//! Import and search index against a plain loader: one table with the same fields, its indexes built
//! sorted afterwards, and FTS5 filled from it.

use std::path::Path;
use std::time::Instant;

use super::{BenchData, Measured};
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
    let best = |a: f64, b: f64| if a == 0.0 { b } else { a.min(b) };
    let mut raw = [0.0; 4];
    let mut ours = [0.0; 4];
    for _ in 0..bench.rounds.max(1) {
        let (now, size) = raw_round(data, bench, progress)?;
        for (kept, new) in raw.iter_mut().zip([now[0], now[1], size, 0.0]) {
            *kept = best(*kept, new);
        }
        let now = our_round(data, bench, progress)?;
        for (kept, new) in ours.iter_mut().zip(now) {
            *kept = best(*kept, new);
        }
    }
    let mut measured = vec![Measured::less("import, durable and browsable", "s", raw[0], ours[0], 0.8)];
    if bench.index {
        measured.push(Measured::less("search index", "s", raw[1], ours[1], 1.0));
        measured.push(Measured::less("both", "s", raw[0] + raw[1], ours[0] + ours[1], 1.0));
    }
    let json = data.bytes as f64 / 1e6;
    measured.push(Measured::less("store size against the JSONL", "MB", json, ours[2], 1.0 / 1.2));
    measured.push(Measured::less("store size against plain tables", "MB", raw[2], ours[2], 1.0));
    Ok(measured)
}

fn raw_round(data: &BenchData, bench: &ImportBench, progress: &Progress) -> Result<([f64; 2], f64)> {
    let path = bench.folder.join("bench-raw.db");
    remove(&path);
    progress.phase("plain loader");
    let begun = Instant::now();
    let mut raw = RawLoader::create(&path)?;
    raw.load(&data.path)?;
    raw.index()?;
    let loaded = begun.elapsed().as_secs_f64();
    progress.phase("plain search index");
    let begun = Instant::now();
    if bench.index {
        raw.search_index()?;
    }
    let indexed = begun.elapsed().as_secs_f64();
    drop(raw);
    let size = size(&path);
    remove(&path);
    Ok(([loaded, indexed], size))
}

fn our_round(data: &BenchData, bench: &ImportBench, progress: &Progress) -> Result<[f64; 4]> {
    let path = bench.folder.join("bench-ours.db");
    remove(&path);
    let begun = Instant::now();
    let ctx = Ctx::open(&path, Access::Create, "bench", Clock::System)?;
    let spec = ImportSpec { files: vec![data.path.display().to_string()], ..ImportSpec::default() };
    let view = files(&ctx, &spec, &Cancel::default(), progress)?;
    let loaded = begun.elapsed().as_secs_f64();
    if view.added != data.traces {
        return Err(Error::failed(format!("{} of {} traces were taken.", view.added, data.traces)));
    }
    let begun = Instant::now();
    if bench.index {
        index::catch_up(&ctx, &Cancel::default(), progress)?;
    }
    let indexed = begun.elapsed().as_secs_f64();
    drop(ctx);
    let size = size(&path);
    if std::env::var_os("TUESDAY_BENCH_KEEP").is_none() {
        remove(&path);
    }
    Ok([loaded, indexed, size, 0.0])
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
