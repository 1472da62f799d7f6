//! The runs screen's commands: the list, one run, and two compared.

use super::rows;
use crate::command::{Place, When};

const LIST: &[Place] = &[Place::Runs];
const LIST_AND_RUN: &[Place] = &[Place::Runs, Place::Run];
const FORM: &[Place] = &[Place::StartRun];
const CASES: &[Place] = &[Place::Run, Place::Comparison];

/// A run is under the cursor, or open.
pub const ON_RUN: When = When("a run is under the cursor or open");
/// There is another run to compare the one here with: the baseline, or an earlier one of its set.
pub const COMPARABLE: When = When("there is a baseline, or an earlier run of the set");
/// The store can be written.
pub const CAN_RUN: When = When("the store can be written");
/// The run ended before its end, or has errors, and is not going on here.
pub const CAN_GO_ON: When = When("the run ended before its end, or has errors");
/// The run was started here and goes on.
pub const GOING: When = When("a run that was started here goes on");
/// The run names the prompt that it is of.
pub const HAS_PROMPT: When = When("the run has a prompt");
/// The case under the cursor, or open, came from a trace.
pub const HAS_TRACE: When = When("the case came from a trace");

rows! {
    START = "runs.start" { title: "New run", does: "Put an eval set through a target; says what it costs first.",
        places: LIST, when: CAN_RUN, keys: &["n"], hint: 85 }
    GO_ON = "runs.go_on" { title: "Go on", does: "Go on with it where it ended, or ask again what has an error.",
        places: LIST_AND_RUN, when: CAN_GO_ON, keys: &["r"], hint: 88 }
    STOP = "runs.stop" { title: "Stop the run", does: "Stop the run that goes on here; what it has is kept.",
        places: LIST_AND_RUN, when: GOING, keys: &["x"], hint: 95 }
    BASELINE = "runs.baseline" { title: "Baseline", does: "Make it the run that others are compared with, or no longer.",
        places: LIST, when: ON_RUN, keys: &["b"], hint: 80 }
    COMPARE = "runs.compare" { title: "Compare", does: "Compare it with the baseline; without one, with the run of its set before.",
        places: LIST_AND_RUN, when: COMPARABLE, keys: &["c"], hint: 90 }
    TRUST = "runs.trust" { title: "Trust in the judge", does: "Hold what the judges say against what people labelled.",
        places: LIST_AND_RUN, when: ON_RUN, keys: &["T"], hint: 60 }
    GATE = "runs.gate" { title: "Gate", does: "Hold the run's prompt against the deployment checklist.",
        places: LIST_AND_RUN, when: HAS_PROMPT, keys: &["D"], hint: 55 }
    TRACE = "runs.trace" { title: "Its trace", does: "Look at the trace that the case came from, and its labels.",
        places: CASES, when: HAS_TRACE, keys: &["t"], hint: 70 }
    BEGIN = "start_run.begin" { title: "Start", does: "Start the run.",
        places: FORM, when: When::ALWAYS, keys: &["enter", "ctrl-s"], hint: 100 }
}
