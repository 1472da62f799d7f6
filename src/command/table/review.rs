//! The Review screen's commands: the list of samples, and the queue of one.

use super::rows;
use crate::command::{Place, When};

const LIST: &[Place] = &[Place::Samples];
const QUEUE: &[Place] = &[Place::Review];

/// A sample is under the cursor, or its queue is open.
pub const ON_SAMPLE: When = When("a sample is under the cursor or open");
/// A response is on screen.
pub const ON_ITEM: When = When("a response is on screen");
/// The response has a corrected output.
pub const CORRECTED: When = When("the response has a corrected output");
/// Traces are marked.
pub const MARKED: When = When("traces are marked");

rows! {
    DRAW = "sample.draw" { title: "Draw a sample", does: "Draw a new sample of the traces and freeze it.",
        places: LIST, when: When::ALWAYS, keys: &["D"], hint: 90 }
    RATES = "sample.rates" { title: "What it says", does: "Show failure rates by mode, with intervals, and how far reviewers agree.",
        places: &[Place::Samples, Place::Review], when: ON_SAMPLE, keys: &["r"], hint: 20 }
    PASS = "review.pass" { title: "Pass", does: "Good enough to stand; go to the next.",
        places: QUEUE, when: ON_ITEM, keys: &["p"], hint: 100 }
    FAIL = "review.fail" { title: "Fail…", does: "Not good enough: the next key says the failure mode.",
        places: QUEUE, when: ON_ITEM, keys: &["f"], hint: 98 }
    SKIP = "review.skip" { title: "Skip", does: "Pass over it; it comes again at the end.",
        places: QUEUE, when: ON_ITEM, keys: &["s"], hint: 96 }
    UNSURE = "review.unsure" { title: "Unsure", does: "You cannot tell; somebody else should look.",
        places: QUEUE, when: ON_ITEM, keys: &["x", "U"], hint: 60 }
    UNDO = "review.undo" { title: "Undo", does: "Take back your last act here; again for the one before, at any depth.",
        places: QUEUE, when: When::ALWAYS, keys: &["u"], hint: 50 }
    PROMOTE = "review.promote" { title: "Promote", does: "Make an eval case of it.",
        places: QUEUE, when: ON_ITEM, keys: &["e"], hint: 94 }
    PROMOTE_MARKED = "review.promote_marked" { title: "Promote the marked", does: "Make eval cases of all marked traces.",
        places: &[Place::Review, Place::Samples], when: MARKED, keys: &["E"], hint: 0 }
    NOTE = "review.note" { title: "Note", does: "Write why.",
        places: QUEUE, when: ON_ITEM, keys: &["n"], hint: 92 }
    CORRECT = "review.correct" { title: "Correct", does: "Write what the response should have been.",
        places: QUEUE, when: ON_ITEM, keys: &["c"], hint: 90 }
    COMPARE = "review.compare" { title: "Compare", does: "Show the output and the corrected output side by side.",
        places: QUEUE, when: CORRECTED, keys: &["d"], hint: 32 }
    SEVERITY = "review.severity" { title: "Severity", does: "Say how bad the failure is.",
        places: QUEUE, when: ON_ITEM, keys: &["S"], hint: 30 }
    NEW_MODE = "review.new_mode" { title: "New failure mode", does: "Make a failure mode of your note and fail the response by it.",
        places: QUEUE, when: ON_ITEM, keys: &["N"], hint: 0 }
    NEXT_OPEN = "review.next_open" { title: "Next open", does: "Go to the next response without your label, or the next that fits the filter.",
        places: QUEUE, when: When::ALWAYS, keys: &["]"], hint: 28 }
    PREVIOUS_OPEN = "review.previous_open" { title: "Open before", does: "Go to the response without your label before, or the one that fits the filter.",
        places: QUEUE, when: When::ALWAYS, keys: &["["], hint: 0 }
    NEXT_DISAGREEMENT = "review.next_disagreement" { title: "Next disagreement", does: "Go to the next response on which reviewers disagree.",
        places: QUEUE, when: When::ALWAYS, keys: &["}"], hint: 0 }
    PREVIOUS_DISAGREEMENT = "review.previous_disagreement" { title: "Disagreement before", does: "Go to the response before on which reviewers disagree.",
        places: QUEUE, when: When::ALWAYS, keys: &["{"], hint: 0 }
    FILTER = "review.filter" { title: "Filter", does: "Go only through failures, skipped, disagreements, marked, or what a query finds.",
        places: QUEUE, when: When::ALWAYS, keys: &["F"], hint: 15 }
    MARK = "review.mark" { title: "Mark", does: "Mark the trace, to promote many at once or attach them to an incident.",
        places: QUEUE, when: ON_ITEM, keys: &["m"], hint: 18 }
    FACTS = "review.facts" { title: "Facts", does: "Show or hide what else is known: figures, feedback, scores, labels, metadata.",
        places: QUEUE, when: When::ALWAYS, keys: &["i"], hint: 26 }
}
