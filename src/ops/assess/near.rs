//! Which change is near the onset: versions and models that came or went, switches, marks.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::gather::{Part, Served};
use super::instant;
use crate::domain::{Result, Untrusted};
use crate::store::HOUR_MS;

/// Milliseconds about the plausible time of the onset.
pub(super) const ABOUT_MS: i64 = 2 * HOUR_MS;

/// What a change is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// A prompt version was first seen in traffic.
    VersionCame,
    /// A prompt version was last seen.
    VersionWent,
    /// A model was first seen.
    ModelCame,
    /// A model was last seen.
    ModelWent,
    /// A person or a program switched a prompt or a feature with `tuesday`.
    Switched,
    /// Somebody noted something: a deployment.
    Marked,
}

impl ChangeKind {
    /// Whether something new came into the traffic.
    pub(super) fn came(self) -> bool {
        matches!(self, Self::VersionCame | Self::ModelCame)
    }
}

/// A change about the time of the onset.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// When.
    pub at: Timestamp,
    /// What it is.
    pub kind: ChangeKind,
    /// Of what, or what was noted.
    pub name: Untrusted,
    /// How long before the onset, in milliseconds; less than 0 after it.
    pub before_ms: i64,
}

/// Versions and models that came or went about the onset. `all` is the time that was read: what was there from its
/// first hours on did not come, and what is still there in its last did not go.
pub(super) fn of_traffic(
    served: &BTreeMap<Part, Served>,
    all: (i64, i64),
    about: (i64, i64),
    onset: i64,
    mut name: impl FnMut(Part) -> Result<String>,
) -> Result<Vec<Change>> {
    let mut found = Vec::new();
    for (part, of) in served {
        let (came, went) = match part {
            Part::Version(..) => (ChangeKind::VersionCame, ChangeKind::VersionWent),
            Part::Model(_) => (ChangeKind::ModelCame, ChangeKind::ModelWent),
        };
        // What comes now and then is often silent for longer than this by itself.
        let usual_gap = (of.seen.1 - of.seen.0) / i64::try_from(of.requests.max(1)).unwrap_or(1);
        let silence = (3 * usual_gap).max(HOUR_MS);
        let came_at = (of.seen.0 - all.0 > silence).then_some((of.seen.0, came));
        let went_at = (all.1 - of.seen.1 > silence).then_some((of.seen.1, went));
        for (at, kind) in [came_at, went_at].into_iter().flatten() {
            if (about.0..=about.1).contains(&at) {
                found.push(Change {
                    at: instant(at),
                    kind,
                    name: name(*part)?.into(),
                    before_ms: onset - at,
                });
            }
        }
    }
    Ok(found)
}
