//! The commands of the gate: its candidates, one gate, the edge cases of its run.

use super::rows;
use crate::command::{Place, When};

const ONE: &[Place] = &[Place::Gate];
const EDGES: &[Place] = &[Place::GateEdges];

/// The item under the cursor is one that a person signs.
pub const SIGNED: When = When("the item is one that a person signs");

rows! {
    SIGN = "gate.sign" { title: "Sign", does: "Sign the item under the cursor, on the prompt as it is.",
        places: ONE, when: SIGNED, keys: &["s"], hint: 95 }
    EDGE_CASES = "gate.edges" { title: "Edge cases", does: "Read the run's answers to edge cases, and label them.",
        places: ONE, when: When::ALWAYS, keys: &["e"], hint: 80 }
    DRILL = "gate.drill" { title: "Drill", does: "Practise the rollback: run its command as a dry run, timed.",
        places: ONE, when: When::ALWAYS, keys: &["d"], hint: 75 }
    EXERCISE = "gate.exercise" { title: "Exercise", does: "Try a target against a server that fails, and see it fall back.",
        places: ONE, when: When::ALWAYS, keys: &["x"], hint: 70 }
    AGAIN = "gate.again" { title: "Look again", does: "Look at every item again: files and git are not watched.",
        places: ONE, when: When::ALWAYS, keys: &["r"], hint: 60 }
    PASS = "gate.pass" { title: "Pass", does: "The answer is good enough.",
        places: EDGES, when: When::ALWAYS, keys: &["p"], hint: 95 }
    FAIL = "gate.fail" { title: "Fail", does: "The answer is not good enough.",
        places: EDGES, when: When::ALWAYS, keys: &["f"], hint: 90 }
    UNSURE = "gate.unsure" { title: "Unsure", does: "Somebody else should look at the answer.",
        places: EDGES, when: When::ALWAYS, keys: &["x"], hint: 85 }
}
