//! How one trace looks.
//!
//! ```text
//!  customer_support@v4 · gpt-4o · Tue 09:31 · 1.8 s · $0.0031     ▼ thumbs down
//!  turn 2 of 5   [ ] other turns                     ✗ fail: wrong tone (ann)
//! ─────────────────────────────── 2 of 3  "fee"  . next  esc end · 1–14 of 31 ─
//!  user        I was charged a €35 overdraft fee but my salary arrived the …
//! ```
//!
//! From 120 columns on the details stand at the right; else `i` puts them in the conversation's place.

use ratatui::layout::Rect;

use super::{DETAILS, TALK, TraceScreen};
use crate::command::table::{talk, traces as table};
use crate::domain::Taxonomy;
use crate::ops::browse::TraceView;
use crate::ops::label::LabelView;
use crate::text::{Line, Role};
use crate::tui::canvas::Canvas;
use crate::tui::screen::Env;
use crate::tui::screens::known;
use crate::tui::words::{Words, line, one_line, words};

/// Columns from which the details stand beside the conversation.
const WIDE: u16 = 120;
/// Rows above the conversation.
const HEAD: u16 = 3;
/// Columns that the labels leave for where the trace stands in its session.
const PLACE: usize = 16;

/// Where conversation and details are.
pub struct Areas {
    pub talk: Rect,
    pub details: Rect,
    /// Whether there is room for both; else they are in the same place.
    pub both: bool,
}

pub fn areas(area: Rect) -> Areas {
    let talk = Rect { y: area.y + HEAD, height: area.height.saturating_sub(HEAD), ..area };
    if area.width < WIDE {
        let details = Rect { x: talk.x + 1, width: talk.width.saturating_sub(1), ..talk };
        return Areas { talk, details, both: false };
    }
    let side = (area.width * 36 / 100).min(76);
    let talk = Rect { width: area.width - side - 2, ..talk };
    Areas { talk, details: Rect { x: talk.right() + 2, width: side, ..talk }, both: true }
}

pub fn view(screen: &TraceScreen, env: &Env, canvas: &mut Canvas<'_>, area: Rect) {
    let inside = Rect { x: area.x + 1, width: area.width.saturating_sub(2), height: 1, ..area };
    let Areas { talk, details, both } = areas(area);
    let rule = Rect { y: area.y + 2, height: 1, ..area };
    canvas.rule(rule);
    let Some(loaded) = &screen.loaded else {
        canvas.line(inside, &line(Role::Title, format!("Trace {}", one_line(&screen.id))));
        let text = Rect { x: talk.x + 1, width: talk.width.saturating_sub(2), ..talk };
        let told = screen.missing.clone().unwrap_or_else(|| vec![line(Role::Muted, "loading…")]);
        return canvas.lines(text, &told);
    };
    let view = &loaded.view;
    let left = canvas.line_right(inside, &known::flags(&view.trace));
    canvas.line(left, &known::facts(&view.trace, env, usize::from(left.width)));
    let second = Rect { y: area.y + 1, ..inside };
    let room = usize::from(second.width).saturating_sub(PLACE);
    let left = canvas.line_right(second, &labels(&view.labels, &loaded.taxonomy, room));
    canvas.line(left, &place(view, env, usize::from(left.width)));
    if both {
        canvas.rule_down(Rect { x: talk.right(), width: 1, ..talk });
    }
    if both || screen.in_details {
        screen.scroll.view(canvas, details, DETAILS, &screen.details);
    }
    if both || !screen.in_details {
        screen.talk.view(canvas, talk, TALK, Some(&env.key(talk::FOLD)));
        let under = Rect { x: talk.x, width: talk.width.saturating_sub(1), ..rule };
        canvas.line_right(under, &screen.talk.caption(usize::from(talk.height), env));
    }
}

/// `✗ fail: wrong tone (ann)`; where that needs more than `room` columns, `✗ fail (ann)`.
fn labels(labels: &[LabelView], taxonomy: &Taxonomy, room: usize) -> Line {
    let all = |say: &dyn Fn(&LabelView) -> Words| {
        let given = labels.iter().filter(|label| label.verdict.is_some());
        given
            .fold(words(), |all, label| {
                let gap = (all.width() > 0).then_some("  ");
                let said = say(label).muted(format!(" ({})", one_line(&label.reviewer)));
                all.maybe(Role::Plain, gap).line(&said.done())
            })
            .done()
    };
    let whole = all(&|label| known::label(label, taxonomy));
    if whole.width() <= room { whole } else { all(&|label| known::verdict(label)) }
}

/// `turn 2 of 5  [ ] other turns  o its session  t-1042`, as much of it as fits into `room` columns.
fn place(view: &TraceView, env: &Env, room: usize) -> Line {
    let trace = &view.trace;
    let mut parts: Vec<Line> = Vec::new();
    if let Some(near) = view.neighbours.as_ref().filter(|near| near.count > 1) {
        let turns = words().key(env.key(table::TURN_BEFORE)).plain(" ").key(env.key(table::NEXT_TURN));
        parts.push(line(Role::Plain, format!("turn {} of {}", near.position, near.count)));
        parts.push(turns.muted(" other turns").done());
        parts.push(words().key(env.key(table::SESSION)).muted(" its session").done());
    }
    // Without anything else to call it by, the id is the title already.
    if trace.prompt.is_some() || trace.prompt_version.is_some() || trace.feature.is_some() {
        parts.push(line(Role::Muted, one_line(&trace.id)));
    }
    let mut all = words();
    for (at, part) in parts.iter().enumerate() {
        let gap = if at == 0 { "" } else { "  " };
        if at > 0 && all.width() + gap.len() + part.width() > room {
            break;
        }
        all = all.plain(gap).line(part);
    }
    all.done()
}
