//! The commands of the Monitors screen: alerts and rules, and one alert.

use super::rows;
use crate::command::{Place, When};

const LIST: &[Place] = &[Place::Monitors];
const BOTH: &[Place] = &[Place::Monitors, Place::Alert];

/// An alert is under the cursor, or open.
pub const ON_ALERT: When = When("an alert is under the cursor or open");
/// A monitor that is paused is under the cursor.
pub const ON_PAUSED: When = When("a paused monitor is under the cursor");
/// A monitor is under the cursor.
pub const ON_MONITOR: When = When("a monitor is under the cursor");

rows! {
    SILENCE = "monitors.silence" { title: "Silence", does: "Tell nobody of it for some time; say why, and until when.",
        places: BOTH, when: When::ALWAYS, keys: &["s"], hint: 80 }
    TRACES = "monitors.traces" { title: "Its traces", does: "Look at all traces that count against it.",
        places: BOTH, when: ON_ALERT, keys: &["t"], hint: 70 }
    REPLAY = "monitors.replay" { title: "Replay", does: "See when the monitor would have fired in the last four weeks.",
        places: LIST, when: ON_MONITOR, keys: &["p"], hint: 60 }
    RESUME = "monitors.resume" { title: "Resume", does: "Take up again a monitor that is paused since its judge changed.",
        places: LIST, when: ON_PAUSED, keys: &["R"], hint: 75 }
    PAST = "monitors.past" { title: "Past alerts", does: "Show the alerts that are over too, or only those that are out.",
        places: LIST, when: When::ALWAYS, keys: &["a"], hint: 50 }
}
