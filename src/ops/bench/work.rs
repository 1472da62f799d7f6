//! A reviewer's waits: a draw against a plain scan that keeps what it finds, and a label against the
//! durable commit of one row, on a quiet machine and while an import runs.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::import::remove;
use super::{BenchData, Measured, Spent};
use crate::domain::{Error, LabelBody, Method, Result, Untrusted, Verdict};
use crate::ops::import::{ImportSpec, files};
use crate::ops::label::{LabelRequest, label};
use crate::ops::sample::{DrawSpec, draw as draw_sample};
use crate::ops::{Access, Ctx, review};
use crate::store::bench::RawLoader;
use crate::store::bench_work::RawWork;
use crate::task::{Cancel, Clock, Progress};

/// Draws of a hundredth, each a new seed; the median of each side counts.
pub fn draw(data: &BenchData, folder: &Path, rounds: usize, progress: &Progress) -> Result<Vec<Measured>> {
    let ctx = filled(data, folder, progress)?;
    progress.phase("drawing");
    let raw_path = folder.join("bench-raw-work.db");
    remove(&raw_path);
    let mut raw = RawWork::create(&raw_path)?;
    let (mut scan, mut keep, mut ours) = (Vec::new(), Vec::new(), Vec::new());
    let (mut raw_cpu, mut our_cpu) = (0.0, 0.0);
    let rounds = rounds.max(3);
    for round in 0..rounds {
        let (traces, scanned) = Spent::on(|| ctx.store.plain_hundredth())?;
        let ((), kept) = Spent::on(|| raw.sample(&traces))?;
        scan.push(scanned.wall * 1e3);
        keep.push((scanned.wall + kept.wall) * 1e3);
        raw_cpu += scanned.cpu + kept.cpu;
        let spec = DrawSpec {
            name: format!("bench {round} {}", ctx.clock.now().as_nanosecond()),
            method: Method::Rate(0.01),
            query: None,
            since: None,
            strata: Vec::new(),
            suspicious: false,
            seed: round as u64,
        };
        let (_, drawn) = Spent::on(|| draw_sample(&ctx, &spec, &Cancel::default(), progress))?;
        ours.push(drawn.wall * 1e3);
        our_cpu += drawn.cpu;
    }
    drop(raw);
    remove(&raw_path);
    let ours = quantile(&ours, 0.5);
    let whole = Measured::less("a 1 % draw, frozen and durable", "ms", quantile(&keep, 0.5), ours, 1.0);
    // Over all rounds, for the system counts in hundredths of a second.
    let each = |seconds: f64| seconds / rounds as f64;
    Ok(vec![
        Measured { cpu: Some((each(raw_cpu), each(our_cpu))), ..whole },
        Measured::less("a 1 % draw against the scan alone", "ms", quantile(&scan, 0.5), ours, 0.5),
    ])
}

/// Labels one trace after the other, each with the next one read for the screen.
pub fn labels(data: &BenchData, folder: &Path, acts: usize, progress: &Progress) -> Result<Vec<Measured>> {
    let acts = acts.max(20);
    let raw_path = folder.join("bench-raw-work.db");
    let ours_path = folder.join("bench-labels.db");
    let loaded_path = folder.join("bench-raw.db");
    for path in [&raw_path, &ours_path, &loaded_path] {
        remove(path);
    }
    progress.phase("labelling, plain, while loading");
    let raw = RawWork::create(&raw_path)?;
    let name = Untrusted::from("00000000-0000-7000-8000-000000000000");
    let raw_busy = beside(
        || {
            let mut loader = RawLoader::create(&loaded_path)?;
            loader.load(&data.path)
        },
        || timed(|| raw.label(&name)).map(Some),
        acts,
    )?;
    progress.phase("labelling while importing");
    let ctx = Ctx::open(&ours_path, Access::Create, "bench", Clock::System)?;
    let quiet = Cancel::default();
    let at = std::cell::Cell::new(0);
    let ours_busy = beside(
        || import(&ctx, data, &quiet, progress),
        || {
            // As a reviewer does: something has been imported, and is looked at.
            let last = ctx.store.trace_count()?;
            if last < 2 {
                return Ok(None);
            }
            at.set(at.get() % (last - 1) + 1);
            let ids = ctx.store.trace_ids(&[at.get(), at.get() + 1], &quiet)?;
            timed(|| act(&ctx, &ids[0], &ids[1])).map(Some)
        },
        acts,
    )?;
    progress.phase("labelling");
    let (mut raw_quiet, mut ours_quiet) = (Vec::new(), Vec::new());
    for n in 0..acts as i64 {
        raw_quiet.push(timed(|| raw.label(&name))?);
        let seq = n % (ctx.store.trace_count()? - 1) + 1;
        let ids = ctx.store.trace_ids(&[seq, seq + 1], &quiet)?;
        ours_quiet.push(timed(|| act(&ctx, &ids[0], &ids[1]))?);
    }
    drop((raw, ctx));
    for path in [&raw_path, &ours_path, &loaded_path] {
        remove(path);
    }
    let mut lines = Vec::new();
    for (what, raw, ours, q) in [
        ("label and next trace, median", &raw_quiet, &ours_quiet, 0.5),
        ("label and next trace, 99 of 100", &raw_quiet, &ours_quiet, 0.99),
        ("while importing, median", &raw_busy, &ours_busy, 0.5),
        ("while importing, 99 of 100", &raw_busy, &ours_busy, 0.99),
    ] {
        let raw = quantile(raw, q);
        // The commit of one row and one frame of 16 ms.
        let wanted = raw / (raw + 16.0);
        lines.push(Measured::less(what, "ms", raw, quantile(ours, q), wanted));
    }
    Ok(lines)
}

/// One key press of a reviewer: the label is durable and the next trace is there to be drawn.
fn act(ctx: &Ctx, trace: &Untrusted, next: &Untrusted) -> Result<()> {
    let body = LabelBody::verdict(Verdict::Pass);
    label(ctx, &LabelRequest { trace: trace.clone(), sample: None, body })?;
    review::item(ctx, next).map(drop)
}

/// Runs `acts` of the one while the other goes on; gives the milliseconds of each act that took place.
fn beside(
    load: impl FnOnce() -> Result<()> + Send,
    act: impl Fn() -> Result<Option<f64>>,
    acts: usize,
) -> Result<Vec<f64>> {
    let over = AtomicBool::new(false);
    std::thread::scope(|threads| {
        let loading = threads.spawn(|| {
            let loaded = load();
            over.store(true, Ordering::Relaxed);
            loaded
        });
        let mut took = Vec::new();
        while took.len() < acts && !over.load(Ordering::Relaxed) {
            match act()? {
                Some(ms) => took.push(ms),
                None => std::thread::yield_now(),
            }
        }
        loading.join().map_err(|_| Error::failed("The load beside the labels panicked."))??;
        Ok(took)
    })
}

/// A store of the data; it stays for the next time.
pub(super) fn filled(data: &BenchData, folder: &Path, progress: &Progress) -> Result<Ctx> {
    let path: PathBuf = folder.join(format!("bench-store-{}.db", data.traces));
    let ctx = Ctx::open(&path, Access::Create, "bench", Clock::System)?;
    if ctx.store.trace_count()?.cast_unsigned() < data.traces {
        import(&ctx, data, &Cancel::default(), progress)?;
    }
    Ok(ctx)
}

fn import(ctx: &Ctx, data: &BenchData, cancel: &Cancel, progress: &Progress) -> Result<()> {
    let spec = ImportSpec { files: vec![data.path.display().to_string()], ..ImportSpec::default() };
    files(ctx, &spec, cancel, progress).map(drop)
}

fn timed(act: impl FnOnce() -> Result<()>) -> Result<f64> {
    let begun = Instant::now();
    act()?;
    Ok(ms(begun))
}

pub(super) fn ms(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64() * 1e3
}

/// The value that this share of the values does not exceed; 0 of none.
pub(super) fn quantile(values: &[f64], q: f64) -> f64 {
    let mut values = values.to_vec();
    values.sort_unstable_by(f64::total_cmp);
    let rank = (values.len() as f64 * q).ceil() as usize;
    values.get(rank.max(1) - 1).copied().unwrap_or(0.0)
}
