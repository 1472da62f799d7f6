//! Failures of what runs on and on, told without flooding the terminal.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::output;
use crate::domain::Error;

/// Tells of failures, the same one not more often than every so often.
#[derive(Default)]
pub(super) struct Troubles(Mutex<Option<(String, Instant)>>);

/// How often the same failure is told.
const AGAIN: Duration = Duration::from_secs(30);

impl Troubles {
    pub(super) fn tell(&self, error: &Error) {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if last.as_ref().is_none_or(|(what, at)| *what != error.what || at.elapsed() > AGAIN) {
            output::error(error);
            *last = Some((error.what.clone(), Instant::now()));
        }
    }
}
