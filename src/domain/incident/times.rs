//! How long things took: the one place where an incident's durations are computed.

use jiff::Timestamp;
use serde::Serialize;

use super::Incident;
use crate::domain::runbook::Phase;

/// Durations in milliseconds; `None` where the end has not come, or the beginning is not known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Times {
    /// From the beginning of the harm to its detection.
    pub detect_ms: Option<u64>,
    /// From detection to its acknowledgement.
    pub acknowledge_ms: Option<u64>,
    /// From detection to containment.
    pub contain_ms: Option<u64>,
    /// From detection to the fix.
    pub fix_ms: Option<u64>,
    /// From detection to the end of verification.
    pub verify_ms: Option<u64>,
    /// From the beginning of the harm to containment: how long people were exposed.
    pub exposure_ms: Option<u64>,
    /// From opening to closing, or to now.
    pub open_ms: u64,
}

/// The moments that the durations lie between.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Marks {
    /// When the harm began.
    pub onset: Option<Timestamp>,
    /// When it was noticed.
    pub detected: Timestamp,
    /// When somebody took it up.
    pub acknowledged: Option<Timestamp>,
    /// When it was contained.
    pub contained: Option<Timestamp>,
    /// When it was fixed.
    pub fixed: Option<Timestamp>,
    /// When the fix was shown to hold.
    pub verified: Option<Timestamp>,
}

impl Marks {
    /// The durations between them. All but the first count from detection, and exposure from onset.
    pub fn times(&self, open_ms: u64) -> Times {
        let since_detected = |at: Option<Timestamp>| at.map(|at| ms_between(self.detected, at));
        let since_onset = |at: Timestamp| self.onset.map(|onset| ms_between(onset, at));
        Times {
            detect_ms: since_onset(self.detected),
            acknowledge_ms: since_detected(self.acknowledged),
            contain_ms: since_detected(self.contained),
            fix_ms: since_detected(self.fixed),
            verify_ms: since_detected(self.verified),
            exposure_ms: self.contained.and_then(since_onset),
            open_ms,
        }
    }
}

impl Incident {
    /// The durations as of `now`.
    pub fn times(&self, now: Timestamp) -> Times {
        let end = self.closed.as_ref().map_or(now, |closing| closing.at);
        let settled = |phase: Phase| self.settled[phase.index()];
        let marks = Marks {
            onset: self.began_at,
            detected: self.opened_at,
            acknowledged: self.acknowledged_at,
            contained: settled(Phase::Contain),
            fixed: settled(Phase::Fix),
            verified: settled(Phase::Verify),
        };
        marks.times(ms_between(self.opened_at, end))
    }
}

/// Milliseconds from one time to another; 0 when they are the wrong way round (clocks differ).
pub(super) fn ms_between(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.as_millisecond().saturating_sub(from.as_millisecond())).unwrap_or(0)
}

/// A time in an error message.
pub(super) fn clock_words(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// A duration for people, two units at most: `45s`, `14m`, `1h 54m`, `3d 2h`.
pub fn span_words(ms: u64) -> String {
    let (seconds, minutes, hours) = (ms / 1_000, ms / 60_000, ms / 3_600_000);
    match (hours, minutes) {
        (0, 0) => format!("{seconds}s"),
        (0, _) => format!("{minutes}m"),
        (1..48, _) => format!("{hours}h {:02}m", minutes % 60),
        _ => format!("{}d {}h", hours / 24, hours % 24),
    }
}
