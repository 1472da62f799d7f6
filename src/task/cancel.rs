//! A flag that long work looks at between steps.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::domain::{Error, Result};

/// A shared wish to stop. Cloning shares it.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Asks the work to stop at its next safe point.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether stopping was asked for.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// An error of kind `Cancelled` when stopping was asked for.
    pub fn check(&self) -> Result<()> {
        if self.is_cancelled() { Err(Error::cancelled()) } else { Ok(()) }
    }

    /// Sleeps this long, or until stopping is asked for: then gives the error of [`check`](Self::check).
    pub fn wait(&self, time: std::time::Duration) -> Result<()> {
        let step = std::time::Duration::from_millis(20);
        let mut left = time;
        while !left.is_zero() {
            self.check()?;
            let nap = left.min(step);
            std::thread::sleep(nap);
            left -= nap;
        }
        self.check()
    }

    /// The flag itself, for a signal handler.
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }
}
