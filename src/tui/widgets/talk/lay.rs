//! One block in lines.

use super::blocks::{Block, Head, Part};
use crate::text::{Line, Role, figures, json, json_text, readable, truncate_line, wrap_line};
use crate::tui::words::{span, words};

/// Bytes of a text that are shown before it is shown whole; of a JSON value so many lines.
const CLIP: usize = 48 * 1024;
const CLIP_LINES: usize = 600;
/// Columns at the end of a folded line that are kept for the key that unfolds it.
const KEY: usize = 7;
/// Columns by which what was folded is set in.
const INDENT: usize = 2;

/// How much of a block is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// Only its head.
    pub folded: bool,
    /// Its long parts too, to their ends.
    pub whole: bool,
}

/// The lines of a block, and which of them says that there is more.
#[derive(Debug, Clone, Default)]
pub struct Laid {
    pub lines: Vec<Line>,
    pub more: Option<usize>,
}

/// Lays a block out in lines of at most `room` columns.
pub fn lay(block: &Block, shown: Shown, room: usize) -> Laid {
    let mut laid = Laid::default();
    let Some(head) = &block.head else {
        body(&block.parts, shown.whole, room, &mut laid);
        return laid;
    };
    if shown.folded {
        laid.lines.push(folded(head, room.saturating_sub(KEY)));
        return laid;
    }
    let open = words().muted("▾ ").line(&head.name).line(&head.result).done();
    laid.lines.push(truncate_line(&open, room.saturating_sub(KEY)));
    let mut inside = Laid::default();
    body(&block.parts, shown.whole, room.saturating_sub(INDENT), &mut inside);
    laid.more = inside.more.map(|at| at + 1);
    laid.lines.extend(inside.lines.into_iter().map(|mut line| {
        line.spans.insert(0, span(Role::Plain, " ".repeat(INDENT)));
        line
    }));
    laid
}

/// `▸ tool get_account(user_id: 7, op…) → 14 fields`: the gist is cut before the result is.
fn folded(head: &Head, room: usize) -> Line {
    let fixed = 2 + head.name.width() + head.result.width();
    let gist = truncate_line(&head.gist, room.saturating_sub(fixed));
    truncate_line(&words().muted("▸ ").line(&head.name).line(&gist).line(&head.result).done(), room)
}

fn body(parts: &[Part], whole: bool, room: usize, laid: &mut Laid) {
    for part in parts {
        match part {
            Part::Words(text) => said(text.raw(), whole, room, laid),
            Part::Value(value) => listed(json(value, room), whole, laid),
            Part::Note(note) => laid.lines.extend(wrap_line(note, room, &[], &[])),
        }
    }
    if laid.lines.is_empty() {
        laid.lines.push(Line::default());
    }
}

fn said(text: &str, whole: bool, room: usize, laid: &mut Laid) {
    if whole || text.len() <= CLIP {
        laid.lines.extend(readable(text, room));
    } else if let Some(lines) = json_text(text, room) {
        listed(lines, whole, laid);
    } else {
        let cut = text.floor_char_boundary(CLIP);
        laid.lines.extend(readable(&text[..cut], room));
        laid.more(&figures::size((text.len() - cut) as u64));
    }
}

/// The lines of a JSON value. It is clipped by lines: half of a value is no JSON any more.
fn listed(mut lines: Vec<Line>, whole: bool, laid: &mut Laid) {
    let hidden = if whole { 0 } else { lines.len().saturating_sub(CLIP_LINES) };
    lines.truncate(lines.len() - hidden);
    laid.lines.append(&mut lines);
    if hidden > 0 {
        laid.more(&figures::plural(hidden, "line"));
    }
}

impl Laid {
    fn more(&mut self, what: &str) {
        self.more = Some(self.lines.len());
        self.lines.push(words().put(Role::Unsure, format!("… {what} more")).done());
    }
}
