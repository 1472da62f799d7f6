//! A steady stream into a receiver while somebody looks: no span is lost, and memory stays where it is.

use std::path::Path;
use std::time::{Duration, Instant};

use super::Measured;
use super::import::remove;
use super::serve::{BATCH, Receiving, batch, connect, post};
use crate::domain::{Error, Result};
use crate::task::Progress;

/// Memory is taken as settled after this share of the time: the caches are full then.
const SETTLED: f64 = 0.5;

/// Sends so many spans a second for so long.
pub fn soak(folder: &Path, rate: u64, time: Duration, progress: &Progress) -> Result<Vec<Measured>> {
    std::fs::create_dir_all(folder)
        .map_err(|e| Error::failed(format!("Cannot make the folder {}.", folder.display())).because(e))?;
    let path = folder.join("bench-soak.db");
    remove(&path);
    progress.phase("receiving");
    let pause = Duration::from_secs_f64(BATCH as f64 / rate.max(1) as f64);
    let batches = (time.as_secs_f64() / pause.as_secs_f64()).ceil().max(4.0) as u64;
    progress.set_total(batches * BATCH as u64);
    let (mut settled, mut most) = (0.0_f64, 0.0_f64);
    let (_, view, kept) = Receiving::on(&path, |address| {
        let failed = |e| Error::failed("A batch could not be sent.").because(e);
        let mut stream = connect(address).map_err(failed)?;
        let begun = Instant::now();
        for n in 0..batches {
            let body = batch(n);
            while !post(&mut stream, &body).map_err(failed)? {
                std::thread::sleep(Duration::from_millis(50));
            }
            progress.add(BATCH as u64);
            let memory = resident_mb();
            let early = (n as f64) < batches as f64 * SETTLED;
            if early {
                settled = settled.max(memory)
            } else {
                most = most.max(memory)
            }
            std::thread::sleep(pause.mul_f64((n + 1) as f64).saturating_sub(begun.elapsed()));
        }
        Ok(())
    })?;
    remove(&path);
    let (sent, traces) = (batches * BATCH as u64, batches * (BATCH / super::serve::OF_TRACE) as u64);
    let share = |what, sent: u64, held: u64| Measured {
        ratio: held as f64 / sent as f64,
        ..Measured::less(what, "", sent as f64, held as f64, 1.0)
    };
    Ok(vec![
        share("spans taken, of those that were sent", sent, view.spans),
        share("traces in the store, of those that were sent", traces, kept),
        Measured::less("memory, against that of the first half", "MB", settled, most, 0.9),
    ])
}

/// Megabytes of memory that this process holds. Zero where the system does not say it as Linux does.
fn resident_mb() -> f64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split_whitespace().nth(1).and_then(|pages| pages.parse::<f64>().ok()).unwrap_or(0.0);
    pages * 4096.0 / 1e6
}
