//! The evals screen's commands, and those of the promotion form.

use super::rows;
use crate::command::{Place, When};

const HERE: &[Place] = &[Place::Evals];
const FORM: &[Place] = &[Place::Promote];

/// A case is under the cursor, or open.
pub const ON_CASE: When = When("a case is under the cursor");
/// A case that came from a trace is under the cursor, or open.
pub const HAS_TRACE: When = When("the case came from a trace");
/// The case under the cursor resembles another one.
pub const HAS_LIKE: When = When("the case resembles another one");
/// A set is open, or under the cursor.
pub const ON_SET: When = When("a set is under the cursor or open");
/// A set is under the cursor or open, and the store can be written.
pub const CAN_RUN: When = When("a set is under the cursor or open, and the store can be written");
/// A change of a case was made here since the program started.
pub const CAN_UNDO: When = When("a case was changed or retired here");

rows! {
    EDIT = "evals.edit" { title: "Edit", does: "Change what the case says, in a form.",
        places: HERE, when: ON_CASE, keys: &["e"], hint: 90 }
    TRACE = "evals.trace" { title: "Its trace", does: "Look at the trace it came from, and its labels.",
        places: HERE, when: HAS_TRACE, keys: &["t"], hint: 80 }
    LIKE = "evals.like" { title: "Its likeness", does: "Go to the case that this one resembles most.",
        places: HERE, when: HAS_LIKE, keys: &["="], hint: 70 }
    RETIRE = "evals.retire" { title: "Retire", does: "Take the case out of its set; its history stays.",
        places: HERE, when: ON_CASE, keys: &["x"], hint: 60 }
    UNDO = "evals.undo" { title: "Undo", does: "Take back the last change made here.",
        places: HERE, when: CAN_UNDO, keys: &["u"], hint: 65 }
    RUN = "evals.run" { title: "Run it", does: "Put the set through a target; says what it costs first.",
        places: HERE, when: CAN_RUN, keys: &["r"], hint: 45 }
    READ_BACK = "evals.read_back" { title: "Read the file back", does: "Take what was changed by hand in the set's file.",
        places: HERE, when: ON_SET, keys: &["i"], hint: 40 }
    SAVE = "promote.save" { title: "Save", does: "Make it an eval case, or save the changed one.",
        places: FORM, when: When::ALWAYS, keys: &["enter", "ctrl-s"], hint: 100 }
    KIND = "promote.kind" { title: "Output/behaviour", does: "Expected is the answer, or what it should do.",
        places: FORM, when: When::ALWAYS, keys: &["ctrl-t"], hint: 70 }
    NEWLINE = "promote.newline" { title: "New line", does: "Begin a new line in the text.",
        places: FORM, when: When::ALWAYS, keys: &["alt-enter", "ctrl-j"], hint: 45 }
}
