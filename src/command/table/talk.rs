//! Reading a conversation, wherever a trace is shown whole.

use super::rows;
use crate::command::{Place, When};

const HERE: &[Place] = &[Place::Review];

/// The conversation has tool calls, retrieved context or long text.
pub const FOLDABLE: When = When("something is folded or can be");
/// Words were looked for and found.
pub const HAS_MATCHES: When = When("words were found");

rows! {
    FOLD = "talk.fold" { title: "Unfold", does: "Unfold or fold the tool calls and context on the page.",
        places: HERE, when: FOLDABLE, keys: &["space"], hint: 40 }
    FOLD_ALL = "talk.fold_all" { title: "Unfold all", does: "Unfold or fold everything in the conversation.",
        places: HERE, when: FOLDABLE, keys: &["z"], hint: 0 }
    NEXT_MATCH = "talk.next_match" { title: "Next match", does: "Go to the next place that was found.",
        places: HERE, when: HAS_MATCHES, keys: &["."], hint: 35 }
    PREVIOUS_MATCH = "talk.previous_match" { title: "Match before", does: "Go to the place found before.",
        places: HERE, when: HAS_MATCHES, keys: &[","], hint: 0 }
}
