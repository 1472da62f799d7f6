//! The commands of the Incidents screen: its list, one incident, its post-mortem.

use super::rows;
use crate::command::{Place, When};

const LIST: &[Place] = &[Place::Incidents];
const ONE: &[Place] = &[Place::Incident];
const STORY: &[Place] = &[Place::Postmortem];
const ONE_AND_STORY: &[Place] = &[Place::Incident, Place::Postmortem];

/// The incident on screen is not closed.
pub const IS_OPEN: When = When("the incident is open");
/// The step under the cursor is open, and its figures do not settle it: a breach, too little data, an effect that
/// nobody has seen.
pub const LACKS_PROOF: When = When("the figures do not settle the step under the cursor");
/// The step under the cursor is open, in the phase that shows whether the fix holds.
pub const CAN_REPLAY: When = When("an open step of Verify is under the cursor");
/// The incident on screen has not come to its containment.
pub const BEFORE_CONTAIN: When = When("the incident is open and not contained yet");
/// The incident on screen is closed.
pub const IS_CLOSED: When = When("the incident is closed");

rows! {
    DECLARE = "incident" { title: "Incident", does: "Go to the open incident, or open one; from there to the next one that is open.",
        places: &[Place::Anywhere], when: When::ALWAYS, keys: &["I"], hint: 0 }
    NEW = "incident.new" { title: "New incident", does: "Open an incident.",
        places: LIST, when: When::ALWAYS, keys: &["n"], hint: 90 }
    RUN = "incident.run" { title: "Run", does: "Run the step under the cursor: what it would do first, then a yes.",
        places: ONE, when: When::ALWAYS, keys: &["x"], hint: 100 }
    DRILL = "incident.drill" { title: "Drill", does: "Rehearse an incident on a store of its own, in a program of its own; come back after it.",
        places: LIST, when: When::ALWAYS, keys: &["D"], hint: 60 }
    DONE = "incident.done" { title: "Done", does: "The step under the cursor is done; say what came of it.",
        places: ONE, when: When::ALWAYS, keys: &["d"], hint: 95 }
    BEGIN = "incident.begin" { title: "Begin", does: "Begin the step under the cursor: it is yours then.",
        places: ONE, when: When::ALWAYS, keys: &["b"], hint: 60 }
    SKIP = "incident.skip" { title: "Skip", does: "Leave the step under the cursor out; say why.",
        places: ONE, when: When::ALWAYS, keys: &["s"], hint: 90 }
    OVERRIDE = "incident.override" { title: "Sign unproven", does: "Sign the step under the cursor although its figures do not settle it; say why.",
        places: ONE, when: LACKS_PROOF, keys: &["o"], hint: 97 }
    REPLAY = "incident.replay" { title: "Replay", does: "Ask the failing examples again of what answers now, and hold the answers against those of then.",
        places: ONE, when: CAN_REPLAY, keys: &["r"], hint: 86 }
    CONTAIN = "incident.contain" { title: "Contain anyway", does: "The cause is unknown: go on to contain all the same.",
        places: ONE, when: BEFORE_CONTAIN, keys: &["C"], hint: 57 }
    SNOOZE = "incident.snooze" { title: "Snooze the alert", does: "Tell nobody of the incident's alert for 30 minutes.",
        places: ONE, when: IS_OPEN, keys: &["z"], hint: 0 }
    ZONE = "incident.zone" { title: "Local or UTC", does: "Show times in UTC, or in local time again.",
        places: ONE_AND_STORY, when: When::ALWAYS, keys: &["t"], hint: 0 }
    REOPEN = "incident.reopen_step" { title: "Take up again", does: "Take the step under the cursor up again.",
        places: ONE, when: When::ALWAYS, keys: &["U"], hint: 0 }
    OWNER = "incident.owner" { title: "Owner", does: "Give the step under the cursor to somebody.",
        places: ONE, when: When::ALWAYS, keys: &["O"], hint: 40 }
    NOTE = "incident.note" { title: "Note", does: "Write something into the timeline.",
        places: ONE_AND_STORY, when: When::ALWAYS, keys: &["n"], hint: 80 }
    FIGURES = "incident.figures" { title: "Figures", does: "Look into the figures of the phase: its lines lead to the traces behind them.",
        places: ONE, when: When::ALWAYS, keys: &["i"], hint: 88 }
    PHASE_BACK = "incident.phase_before" { title: "Phase before", does: "Look at the phase before; the incident stays where it is.",
        places: ONE, when: When::ALWAYS, keys: &["["], hint: 0 }
    PHASE_ON = "incident.next_phase" { title: "Next phase", does: "Look at the next phase; the incident stays where it is.",
        places: ONE, when: When::ALWAYS, keys: &["]"], hint: 70 }
    ENTER_PHASE = "incident.enter_phase" { title: "Enter the phase", does: "Take the incident to the phase that you look at.",
        places: ONE, when: IS_OPEN, keys: &["E"], hint: 0 }
    SEVERITY = "incident.severity" { title: "Severity", does: "Say how bad it is.",
        places: ONE, when: IS_OPEN, keys: &["v"], hint: 50 }
    BEGAN = "incident.began" { title: "When it began", does: "Say when it began: the figures count from then.",
        places: ONE, when: When::ALWAYS, keys: &["B"], hint: 0 }
    FEATURE = "incident.feature" { title: "Feature", does: "Say which feature it is about: the figures count its traces.",
        places: ONE, when: When::ALWAYS, keys: &["f"], hint: 0 }
    PROMOTE = "incident.promote" { title: "Promote the evidence", does: "Make the attached traces eval cases, so that it cannot come back unseen.",
        places: ONE_AND_STORY, when: When::ALWAYS, keys: &["P"], hint: 0 }
    ATTACH = "incident.attach" { title: "Attach", does: "Attach evidence: traces, a query, the figures.",
        places: ONE, when: When::ALWAYS, keys: &["a"], hint: 55 }
    UPDATE = "incident.update" { title: "Update", does: "Tell those who wait how it stands; a draft is written from the figures.",
        places: ONE, when: IS_OPEN, keys: &["u"], hint: 58 }
    SCRIBE = "incident.scribe" { title: "Scribe", does: "Say who keeps the record, where it is not who leads.",
        places: ONE, when: IS_OPEN, keys: &["K"], hint: 0 }
    HAND_OVER = "incident.hand_over" { title: "Hand over", does: "Let somebody else lead.",
        places: ONE, when: IS_OPEN, keys: &["H"], hint: 0 }
    TIMELINE = "incident.timeline" { title: "Timeline", does: "Show the whole timeline, or the steps again.",
        places: ONE, when: When::ALWAYS, keys: &["T"], hint: 45 }
    STORY_VIEW = "incident.postmortem" { title: "Post-mortem", does: "Read the post-mortem as it stands.",
        places: ONE, when: When::ALWAYS, keys: &["p"], hint: 35 }
    CLOSE = "incident.close" { title: "Close", does: "Close the incident and read its post-mortem.",
        places: ONE, when: IS_OPEN, keys: &["c"], hint: 38 }
    REOPEN_INCIDENT = "incident.reopen" { title: "Reopen", does: "Open the closed incident again.",
        places: ONE_AND_STORY, when: IS_CLOSED, keys: &["R"], hint: 38 }
    WRITE_FILE = "postmortem.write" { title: "Write to a file", does: "Write the post-mortem into a Markdown file.",
        places: STORY, when: When::ALWAYS, keys: &["w"], hint: 100 }
    SIGN = "postmortem.sign" { title: "Sign as read", does: "Sign that you have read it; who led the incident cannot.",
        places: STORY, when: When::ALWAYS, keys: &["s"], hint: 80 }
    EDIT_PART = "postmortem.edit" { title: "Edit a part", does: "Write a part of the post-mortem, such as the summary.",
        places: STORY, when: When::ALWAYS, keys: &["e"], hint: 90 }
    ADD_ACTION = "postmortem.action" { title: "Add an action", does: "Add what is to be done, by whom, until when.",
        places: STORY, when: When::ALWAYS, keys: &["a"], hint: 85 }
}
