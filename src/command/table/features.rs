//! The commands of the Features screen.

use super::rows;
use crate::command::{Place, When};

const HERE: &[Place] = &[Place::Features];

/// A feature is under the cursor.
pub const ON_FEATURE: When = When("a feature is under the cursor");

rows! {
    SWITCH = "features.switch" { title: "Switch off or on", does: "Switch the feature off, or on again: says what would be done, asks for its name, and reads back.",
        places: HERE, when: ON_FEATURE, keys: &["x"], hint: 0 }
    TRACES = "features.traces" { title: "Its traces", does: "Look at the traces of the feature.",
        places: HERE, when: ON_FEATURE, keys: &["t"], hint: 60 }
}
