//! Counters that long work bumps and a face samples: never a message per item.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Shared progress of one piece of work. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Progress(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    done: AtomicU64,
    total: AtomicU64,
    started: Instant,
    phase: Mutex<&'static str>,
    note: Mutex<String>,
}

/// What a face shows of a [`Progress`] at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct ProgressView {
    /// What is being done, such as `importing`.
    pub phase: &'static str,
    /// Units done.
    pub done: u64,
    /// Units in all; 0 when not known.
    pub total: u64,
    /// Units a second since the phase began.
    pub per_second: f64,
    /// Time left at that rate, when the total is known.
    pub left: Option<Duration>,
    /// How it goes so far, in a few words; empty where there is nothing to say.
    pub note: String,
}

impl Default for Progress {
    fn default() -> Self {
        Self(Arc::new(Inner {
            done: AtomicU64::new(0),
            total: AtomicU64::new(0),
            started: Instant::now(),
            phase: Mutex::new(""),
            note: Mutex::new(String::new()),
        }))
    }
}

impl Progress {
    /// Names what is being done now.
    pub fn phase(&self, name: &'static str) {
        if let Ok(mut phase) = self.0.phase.lock() {
            *phase = name;
        }
    }

    /// Says how it goes so far, in a few words of this program's own.
    pub fn note(&self, words: String) {
        if let Ok(mut note) = self.0.note.lock() {
            *note = words;
        }
    }

    /// Sets how many units there are in all.
    pub fn set_total(&self, total: u64) {
        self.0.total.store(total, Ordering::Relaxed);
    }

    /// Sets how many are done.
    pub fn set_done(&self, done: u64) {
        self.0.done.store(done, Ordering::Relaxed);
    }

    /// Adds to what is done.
    pub fn add(&self, units: u64) {
        self.0.done.fetch_add(units, Ordering::Relaxed);
    }

    /// The state now.
    pub fn view(&self) -> ProgressView {
        let done = self.0.done.load(Ordering::Relaxed);
        let total = self.0.total.load(Ordering::Relaxed);
        let elapsed = self.0.started.elapsed().as_secs_f64();
        let per_second = if elapsed > 0.0 { done as f64 / elapsed } else { 0.0 };
        let left = (total > done && per_second > 0.0)
            .then(|| Duration::from_secs_f64((total - done) as f64 / per_second));
        let phase = self.0.phase.lock().map(|p| *p).unwrap_or("");
        let note = self.0.note.lock().map(|n| n.clone()).unwrap_or_default();
        ProgressView { phase, done, total, per_second, left, note }
    }
}
