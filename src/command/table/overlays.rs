//! What works inside overlays. There, letters are typed, so these are keys that type nothing.

use super::rows;
use crate::command::{Place, When};

rows! {
    CLOSE = "overlay.close" { title: "Back", does: "Close this and change nothing.",
        places: &[Place::Page, Place::Picker, Place::Palette, Place::Prompt, Place::Form, Place::Confirm, Place::Editor, Place::Promote, Place::StartRun],
        when: When::ALWAYS, keys: &["esc", "ctrl-c"], hint: 50 }
    CLOSE_PAGE = "page.close" { title: "Back", does: "Close the page.",
        places: &[Place::Page], when: When::ALWAYS, keys: &["q", "?", "enter"], hint: 0 }
    ACCEPT = "overlay.accept" { title: "Take it", does: "Take what is typed or chosen.",
        places: &[Place::Picker, Place::Palette, Place::Prompt, Place::Form],
        when: When::ALWAYS, keys: &["enter"], hint: 100 }
    NEXT = "overlay.down" { title: "Down", does: "Go to the next line.",
        places: &[Place::Picker, Place::Palette, Place::Form],
        when: When::ALWAYS, keys: &["down", "ctrl-n"], hint: 0 }
    PREVIOUS = "overlay.up" { title: "Up", does: "Go to the line before.",
        places: &[Place::Picker, Place::Palette, Place::Form],
        when: When::ALWAYS, keys: &["up", "ctrl-p"], hint: 0 }
    NEXT_FIELD = "form.next" { title: "Next field", does: "Go to the next field.",
        places: &[Place::Form, Place::Promote, Place::StartRun], when: When::ALWAYS, keys: &["tab"], hint: 90 }
    PREVIOUS_FIELD = "form.previous" { title: "Field before", does: "Go to the field before.",
        places: &[Place::Form, Place::Promote, Place::StartRun], when: When::ALWAYS, keys: &["shift-tab"], hint: 0 }
    PAGE_DOWN = "overlay.page_down" { title: "Page down", does: "Move down by a page.",
        places: &[Place::Picker, Place::Palette], when: When::ALWAYS, keys: &["pgdn", "ctrl-d"], hint: 0 }
    PAGE_UP = "overlay.page_up" { title: "Page up", does: "Move up by a page.",
        places: &[Place::Picker, Place::Palette], when: When::ALWAYS, keys: &["pgup", "ctrl-u"], hint: 0 }
    YES = "confirm.yes" { title: "Yes", does: "Do it.",
        places: &[Place::Confirm], when: When::ALWAYS, keys: &["y", "enter"], hint: 100 }
    NO = "confirm.no" { title: "No", does: "Do not do it.",
        places: &[Place::Confirm], when: When::ALWAYS, keys: &["n"], hint: 90 }
    SAVE = "editor.save" { title: "Save", does: "Take the text as it stands.",
        places: &[Place::Editor], when: When::ALWAYS, keys: &["ctrl-s", "alt-enter"], hint: 100 }
    EXTERNAL = "editor.external" { title: "$EDITOR", does: "Go on in your own editor; what you save there comes back here.",
        places: &[Place::Editor, Place::Promote], when: When::ALWAYS, keys: &["ctrl-e"], hint: 90 }
}
