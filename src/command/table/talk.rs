//! Reading a conversation: the same keys wherever one is shown.

use super::rows;
use crate::command::{Place, When};

const HERE: &[Place] = &[Place::Trace, Place::Review, Place::Evals];

/// The conversation has tool calls, retrieved context or long text.
pub const FOLDABLE: When = When("something is folded or can be");
/// Words were looked for and found.
pub const HAS_MATCHES: When = When("words were found");

rows! {
    FOLD = "talk.fold" { title: "Unfold", does: "Unfold the tool call, context or text that is pointed at, or fold it again.",
        places: HERE, when: FOLDABLE, keys: &["space"], hint: 40 }
    NEXT_FOLD = "talk.next_fold" { title: "Next to unfold", does: "Point at the next thing that can be unfolded.",
        places: HERE, when: FOLDABLE, keys: &["J"], hint: 22 }
    PREVIOUS_FOLD = "talk.previous_fold" { title: "To unfold before", does: "Point at the thing before that can be unfolded.",
        places: HERE, when: FOLDABLE, keys: &["K"], hint: 0 }
    FOLD_ALL = "talk.fold_all" { title: "Unfold all", does: "Unfold or fold everything in the conversation.",
        places: HERE, when: FOLDABLE, keys: &["z"], hint: 0 }
    NEXT_MATCH = "talk.next_match" { title: "Next match", does: "Go to the next place where the words stand.",
        places: HERE, when: HAS_MATCHES, keys: &["."], hint: 99 }
    PREVIOUS_MATCH = "talk.previous_match" { title: "Match before", does: "Go to the place before where the words stand.",
        places: HERE, when: HAS_MATCHES, keys: &[","], hint: 0 }
}
