//! The commands of the Traces screen: the list, and one trace in full.

use super::rows;
use crate::command::{Place, When};

const LIST: &[Place] = &[Place::Traces];
const ONE: &[Place] = &[Place::Trace];
const BOTH: &[Place] = &[Place::Traces, Place::Trace];

/// A query chooses what the list shows.
pub const FILTERED: When = When("the list is filtered");
/// The trace is one of several of a session.
pub const IN_SESSION: When = When("the trace is one of several of its session");
/// The details do not show beside the conversation.
pub const NARROW: When = When("there is no room for the details beside the text");
/// The store can be written.
pub const CAN_LABEL: When = When("the store can be written");

rows! {
    MARK = "traces.mark" { title: "Mark", does: "Mark the trace, or take the mark off.",
        places: LIST, when: When::ALWAYS, keys: &["space"], hint: 40 }
    UNMARK = "traces.unmark" { title: "Take off all marks", does: "Take the marks off all traces.",
        places: LIST, when: When::ALWAYS, keys: &["M"], hint: 0 }
    SAMPLE = "traces.sample" { title: "Sample", does: "Draw a sample of what the list shows.",
        places: LIST, when: When::ALWAYS, keys: &["S", "s"], hint: 38 }
    PROMOTE = "traces.promote" { title: "Promote", does: "Make eval cases of the marked traces, or of this one.",
        places: BOTH, when: CAN_LABEL, keys: &["e"], hint: 36 }
    ATTACH = "traces.attach" { title: "Attach", does: "Attach the marked traces, or this one, to the open incident as evidence.",
        places: BOTH, when: CAN_LABEL, keys: &["a"], hint: 32 }
    REVIEW = "traces.review" { title: "Review", does: "Go through the marked traces, or this one, with one key a verdict.",
        places: LIST, when: CAN_LABEL, keys: &["R"], hint: 0 }
    CLEAR = "traces.all" { title: "All traces", does: "Take the filter off.",
        places: LIST, when: FILTERED, keys: &["A"], hint: 20 }
    PASS = "trace.pass" { title: "Pass", does: "Label it as good enough.",
        places: ONE, when: CAN_LABEL, keys: &["p"], hint: 60 }
    FAIL = "trace.fail" { title: "Fail…", does: "Label it as not good enough, and say in which way.",
        places: ONE, when: CAN_LABEL, keys: &["f"], hint: 58 }
    UNSURE = "trace.unsure" { title: "Unsure", does: "Label it as one that somebody else should look at.",
        places: ONE, when: CAN_LABEL, keys: &["x", "U"], hint: 0 }
    UNDO = "trace.undo" { title: "Undo", does: "Take back your last act on this trace.",
        places: ONE, when: CAN_LABEL, keys: &["u"], hint: 24 }
    DETAILS = "trace.details" { title: "Details", does: "Show all that is known of the trace, or the conversation again.",
        places: ONE, when: NARROW, keys: &["i"], hint: 40 }
    TURN_BEFORE = "trace.previous_turn" { title: "Turn before", does: "Go to the turn before in the session.",
        places: ONE, when: IN_SESSION, keys: &["["], hint: 0 }
    NEXT_TURN = "trace.next_turn" { title: "Next turn", does: "Go to the next turn in the session.",
        places: ONE, when: IN_SESSION, keys: &["]"], hint: 34 }
    SESSION = "trace.session" { title: "Its session", does: "List the traces of its session.",
        places: ONE, when: IN_SESSION, keys: &["o"], hint: 0 }
}
