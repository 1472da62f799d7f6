//! The runs screen's commands: the list, one run, and two compared.

use super::rows;
use crate::command::{Place, When};

const LIST: &[Place] = &[Place::Runs];
const LIST_AND_RUN: &[Place] = &[Place::Runs, Place::Run];
const CASES: &[Place] = &[Place::Run, Place::Comparison];

/// A run is under the cursor, or open.
pub const ON_RUN: When = When("a run is under the cursor or open");
/// The run names the prompt that it is of.
pub const HAS_PROMPT: When = When("the run has a prompt");
/// Another run than the one here is the baseline.
pub const HAS_BASELINE: When = When("another run is the baseline");
/// The case under the cursor, or open, came from a trace.
pub const HAS_TRACE: When = When("the case came from a trace");

rows! {
    BASELINE = "runs.baseline" { title: "Baseline", does: "Make it the run that others are compared with, or no longer.",
        places: LIST, when: ON_RUN, keys: &["b"], hint: 80 }
    COMPARE = "runs.compare" { title: "Compare", does: "Compare it with the baseline.",
        places: LIST_AND_RUN, when: HAS_BASELINE, keys: &["c"], hint: 90 }
    TRUST = "runs.trust" { title: "Trust in the judge", does: "Hold what the judges say against what people labelled.",
        places: LIST_AND_RUN, when: ON_RUN, keys: &["T"], hint: 60 }
    GATE = "runs.gate" { title: "Gate", does: "Hold the run's prompt against the deployment checklist.",
        places: LIST_AND_RUN, when: HAS_PROMPT, keys: &["D"], hint: 55 }
    TRACE = "runs.trace" { title: "Its trace", does: "Look at the trace that the case came from, and its labels.",
        places: CASES, when: HAS_TRACE, keys: &["t"], hint: 70 }
}
