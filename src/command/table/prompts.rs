//! The prompt screen's commands: the versions of a prompt, and what differs between two.

use super::rows;
use crate::command::{Place, When};

const HERE: &[Place] = &[Place::Prompts];

/// A version that is in the folder is under the cursor.
pub const HAS_TEXT: When = When("a version of the folder is under the cursor");
/// The same, while the versions are shown.
pub const CAN_MARK: When = When("a version of the folder is under the cursor in the list");
/// The version has runs.
pub const HAS_RUNS: When = When("the version has runs");
/// The version has incidents.
pub const HAS_INCIDENTS: When = When("the version has incidents");
/// The version under the cursor is in the folder and not the current one.
pub const CAN_USE: When = When("the version under the cursor is not the current one");

/// The versions of a prompt are shown, not a difference.
pub const ON_LIST: When = When("the versions are shown");
/// There is another prompt.
pub const HAS_OTHERS: When = When("there is another prompt");

rows! {
    DIFF = "prompts.diff" { title: "Difference", does: "See what differs, word by word, from the version marked with b, or the one before.",
        places: HERE, when: HAS_TEXT, keys: &["d"], hint: 90 }
    MARK = "prompts.mark" { title: "Compare with", does: "Take the version as the one that others are compared with, or no longer.",
        places: HERE, when: CAN_MARK, keys: &["b"], hint: 70 }
    USE = "prompts.use" { title: "Make it current", does: "Make the version the current one; asks first.",
        places: HERE, when: CAN_USE, keys: &["u"], hint: 60 }
    RUNS = "prompts.runs" { title: "Its runs", does: "Go to the runs of the version.",
        places: HERE, when: HAS_RUNS, keys: &["r"], hint: 66 }
    INCIDENTS = "prompts.incidents" { title: "Its incidents", does: "Go to the incidents that have its traces as evidence.",
        places: HERE, when: HAS_INCIDENTS, keys: &["i"], hint: 64 }
    WINDOW = "prompts.window" { title: "Window", does: "Look at the last four weeks, the last seven days, or the last day.",
        places: HERE, when: ON_LIST, keys: &["w"], hint: 40 }
    PROMPT = "prompts.prompt" { title: "Prompt", does: "Choose the prompt whose versions are shown.",
        places: HERE, when: HAS_OTHERS, keys: &["F"], hint: 50 }
}
