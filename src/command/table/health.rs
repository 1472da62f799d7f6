//! The health screen's commands.

use super::rows;
use crate::command::{Place, When};

const HERE: &[Place] = &[Place::Health];

rows! {
    WINDOW = "health.window" { title: "Window", does: "Look at the last day, the last seven days, or the last hour.",
        places: HERE, when: When::ALWAYS, keys: &["w"], hint: 42 }
    VERSIONS = "health.versions" { title: "By version", does: "See the figures by prompt version, or the recent responses again.",
        places: HERE, when: When::ALWAYS, keys: &["b"], hint: 40 }
    SAMPLE = "health.sample" { title: "Sample", does: "Draw a sample of the traces behind the line.",
        places: HERE, when: When::ALWAYS, keys: &["s", "S"], hint: 38 }
    FEATURE = "health.feature" { title: "Feature", does: "Choose the feature whose health is shown.",
        places: HERE, when: When::ALWAYS, keys: &["F"], hint: 36 }
}
