//! What works on every screen.

use super::rows;
use crate::command::{Place, When};

const HERE: &[Place] = &[Place::Anywhere];
/// Pages to read scroll with the same keys.
const HERE_AND_PAGES: &[Place] = &[Place::Anywhere, Place::Page];

/// Something long is running.
pub const JOB_RUNS: When = When("something long is running");

/// The building of the search index was stopped, or failed.
pub const INDEX_STOPPED: When = When("the building of the search index was stopped");

rows! {
    DOWN = "down" { title: "Down", does: "Move down a line.",
        places: HERE_AND_PAGES, when: When::ALWAYS, keys: &["j", "down"], hint: 0 }
    UP = "up" { title: "Up", does: "Move up a line.",
        places: HERE_AND_PAGES, when: When::ALWAYS, keys: &["k", "up"], hint: 0 }
    LEFT = "left" { title: "Left", does: "Move left, or to the one before.",
        places: HERE, when: When::ALWAYS, keys: &["h", "left"], hint: 0 }
    RIGHT = "right" { title: "Right", does: "Move right, or to the next one.",
        places: HERE, when: When::ALWAYS, keys: &["l", "right"], hint: 0 }
    HALF_DOWN = "half_page_down" { title: "Half a page down", does: "Move down by half a page.",
        places: HERE_AND_PAGES, when: When::ALWAYS, keys: &["ctrl-d"], hint: 0 }
    HALF_UP = "half_page_up" { title: "Half a page up", does: "Move up by half a page.",
        places: HERE_AND_PAGES, when: When::ALWAYS, keys: &["ctrl-u"], hint: 0 }
    PAGE_DOWN = "page_down" { title: "Page down", does: "Move down by a page.",
        places: HERE_AND_PAGES, when: When::ALWAYS, keys: &["pgdn", "ctrl-f"], hint: 0 }
    PAGE_UP = "page_up" { title: "Page up", does: "Move up by a page.",
        places: HERE_AND_PAGES, when: When::ALWAYS, keys: &["pgup", "ctrl-b"], hint: 0 }
    TOP = "top" { title: "To the top", does: "Go to the first line.",
        places: HERE_AND_PAGES, when: When::ALWAYS, keys: &["g g", "home"], hint: 0 }
    BOTTOM = "bottom" { title: "To the bottom", does: "Go to the last line.",
        places: HERE_AND_PAGES, when: When::ALWAYS, keys: &["G", "end"], hint: 0 }
    OPEN = "open" { title: "Open", does: "Open what is under the cursor.",
        places: HERE, when: When::ALWAYS, keys: &["enter"], hint: 44 }
    BACK = "back" { title: "Back", does: "Back out of where you are.",
        places: HERE, when: When::ALWAYS, keys: &["esc"], hint: 0 }
    FIND = "find" { title: "Find", does: "Find in the text, or filter the list.",
        places: HERE, when: When::ALWAYS, keys: &["/"], hint: 30 }
    NEXT_TAB = "next_tab" { title: "Next tab", does: "Go to the next screen.",
        places: HERE, when: When::ALWAYS, keys: &["tab"], hint: 0 }
    PREVIOUS_TAB = "previous_tab" { title: "Previous tab", does: "Go to the screen before.",
        places: HERE, when: When::ALWAYS, keys: &["shift-tab"], hint: 0 }
    GO_HEALTH = "go.health" { title: "Go to Health", does: "Go to the health screen.",
        places: HERE, when: When::ALWAYS, keys: &["g h", "alt-1"], hint: 0 }
    GO_TRACES = "go.traces" { title: "Go to Traces", does: "Go to the list of traces.",
        places: HERE, when: When::ALWAYS, keys: &["g t", "alt-2"], hint: 0 }
    GO_REVIEW = "go.review" { title: "Go to Review", does: "Go to the samples and their queues.",
        places: HERE, when: When::ALWAYS, keys: &["g r", "alt-3"], hint: 0 }
    GO_EVALS = "go.evals" { title: "Go to Evals", does: "Go to the eval sets.",
        places: HERE, when: When::ALWAYS, keys: &["g e", "alt-4"], hint: 0 }
    GO_RUNS = "go.runs" { title: "Go to Runs", does: "Go to the runs of the eval sets, and their comparison.",
        places: HERE, when: When::ALWAYS, keys: &["g u", "alt-5"], hint: 0 }
    GO_GATE = "go.gate" { title: "Go to the gates", does: "Go to the gates: the deployment checklist of each prompt version.",
        places: HERE, when: When::ALWAYS, keys: &["g a"], hint: 0 }
    GO_PROMPTS = "go.prompts" { title: "Go to Prompts", does: "Go to the prompts and their versions.",
        places: HERE, when: When::ALWAYS, keys: &["g p", "alt-8"], hint: 0 }
    GO_FEATURES = "go.features" { title: "Go to Features", does: "Go to the features: how each stands, and switching it off and on.",
        places: HERE, when: When::ALWAYS, keys: &["g f"], hint: 0 }
    GO_INCIDENTS = "go.incidents" { title: "Go to Incidents", does: "Go to the incidents.",
        places: HERE, when: When::ALWAYS, keys: &["g i", "alt-6"], hint: 0 }
    GO_MONITORS = "go.monitors" { title: "Go to Monitors", does: "Go to the alerts and the rules that raise them.",
        places: HERE, when: When::ALWAYS, keys: &["g m", "alt-7"], hint: 0 }
    HELP = "help" { title: "All keys", does: "Show every key that works here.",
        places: HERE, when: When::ALWAYS, keys: &["?", "f1"], hint: 5 }
    PALETTE = "palette" { title: "Command palette", does: "Find a command by its name and run it.",
        places: HERE, when: When::ALWAYS, keys: &[":", "ctrl-p"], hint: 0 }
    CANCEL_JOB = "job.cancel" { title: "Cancel", does: "Stop the long work that runs now.",
        places: HERE, when: JOB_RUNS, keys: &["ctrl-x"], hint: 0 }
    BUILD_INDEX = "index.build" { title: "Build the search index", does: "Go on building the search index after it was stopped.",
        places: HERE, when: INDEX_STOPPED, keys: &[], hint: 0 }
    REDRAW = "redraw" { title: "Redraw", does: "Draw the whole screen again.",
        places: HERE, when: When::ALWAYS, keys: &["ctrl-l"], hint: 0 }
    SUSPEND = "suspend" { title: "Suspend", does: "Go back to the shell; `fg` comes back here.",
        places: HERE, when: When::ALWAYS, keys: &["ctrl-z"], hint: 0 }
    QUIT = "quit" { title: "Quit", does: "Leave the program.",
        places: HERE, when: When::ALWAYS, keys: &["q", "ctrl-c"], hint: 0 }
}
