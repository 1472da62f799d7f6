//! The health screen's commands.

use super::rows;
use crate::command::{Place, When};

const HERE: &[Place] = &[Place::Health];

/// A group is under the cursor.
pub const ON_GROUP: When = When("a group is under the cursor");

/// Only a part of the traffic is shown.
pub const IS_CUT: When = When("only a part of the traffic is shown");

rows! {
    WINDOW = "health.window" { title: "Window", does: "Look at the last day, 7 days, 28 days, or the last hour.",
        places: HERE, when: When::ALWAYS, keys: &["w"], hint: 42 }
    AGAINST = "health.against" { title: "Against", does: "Hold the window against the same time last week, or the time just before.",
        places: HERE, when: When::ALWAYS, keys: &["v"], hint: 35 }
    CHART = "health.chart" { title: "Chart", does: "See the next chart: times, their spread, failures by kind, cost.",
        places: HERE, when: When::ALWAYS, keys: &["c"], hint: 41 }
    GROUPS = "health.groups" { title: "By version", does: "See the figures by prompt version, model, language or feature.",
        places: HERE, when: When::ALWAYS, keys: &["b"], hint: 40 }
    ONLY = "health.only" { title: "Only this", does: "Look only at the traffic of the group.",
        places: HERE, when: ON_GROUP, keys: &["o"], hint: 43 }
    ALL = "health.all" { title: "All again", does: "Look at the whole traffic of the feature again.",
        places: HERE, when: IS_CUT, keys: &["x"], hint: 39 }
    SAMPLE = "health.sample" { title: "Sample", does: "Draw a sample of the traces behind the line.",
        places: HERE, when: When::ALWAYS, keys: &["s", "S"], hint: 38 }
    FEATURE = "health.feature" { title: "Feature", does: "Choose the feature whose health is shown.",
        places: HERE, when: When::ALWAYS, keys: &["F"], hint: 36 }
}
