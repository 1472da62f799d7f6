//! The only home of "now".

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};

/// Tells the time: the system's, or one that a test sets.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    /// The machine's clock.
    #[default]
    System,
    /// A clock that stands still until moved; milliseconds since the epoch.
    Fixed(Arc<AtomicI64>),
    /// A clock that stood at the first of these times when the machine's stood at the second, and goes so many times as
    /// fast.
    Scaled(Timestamp, Timestamp, f64),
}

impl Clock {
    /// A clock that stands at this time.
    pub fn fixed(at: Timestamp) -> Self {
        Self::Fixed(Arc::new(AtomicI64::new(at.as_millisecond())))
    }

    /// How much faster than the machine's it goes.
    pub fn speed(&self) -> f64 {
        if let Self::Scaled(_, _, speed) = self { *speed } else { 1.0 }
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => Timestamp::now(),
            Self::Scaled(begin, since, speed) => {
                let passed = Timestamp::now().duration_since(*since).as_secs_f64().max(0.0);
                let passed = SignedDuration::try_from_secs_f64(passed * speed).unwrap_or_default();
                begin.saturating_add(passed).unwrap_or(*begin)
            }
            Self::Fixed(ms) => {
                Timestamp::from_millisecond(ms.load(Ordering::Relaxed)).unwrap_or(Timestamp::UNIX_EPOCH)
            }
        }
    }

    /// Moves a fixed clock forward; does nothing to the others.
    pub fn advance_ms(&self, by: i64) {
        if let Self::Fixed(ms) = self {
            ms.fetch_add(by, Ordering::Relaxed);
        }
    }
}
