//! How one trace looks.
//!
//! ```text
//!  customer_support@v4 · gpt-4o · Tue 09:31 · 1.8 s · $0.0031     ▼ thumbs down
//!  turn 2 of 5   [ ] other turns                     ✗ fail: wrong tone (ann)
//! ─────────────────────────────────────────────────────────────────────────────
//!  user        I was charged a €35 overdraft fee but my salary arrived the …
//! ```
//!
//! From 120 columns on the details stand at the right; else `i` puts them in the conversation's place.

use ratatui::layout::Rect;

use super::{DETAILS, TALK, TraceScreen, one_line};
use crate::command::table::traces as table;
use crate::domain::{Status, Trace, Verdict};
use crate::ops::browse::TraceView;
use crate::ops::label::LabelView;
use crate::text::figures::{dollars, duration, when};
use crate::text::{Line, Role};
use crate::tui::canvas::Canvas;
use crate::tui::screen::Env;
use crate::tui::screens::traces::failure;
use crate::tui::widgets::conversation::loading;
use crate::tui::words::{Words, line, words};

/// Columns from which the details stand beside the conversation.
const WIDE: u16 = 120;
/// Rows above the conversation.
const HEAD: u16 = 3;

/// Where conversation and details are.
pub struct Areas {
    pub talk: Rect,
    /// `None` where there is no room for both.
    pub details: Option<Rect>,
}

pub fn areas(area: Rect) -> Areas {
    let body = Rect {
        x: area.x + 1,
        y: area.y + HEAD,
        width: area.width.saturating_sub(1),
        height: area.height.saturating_sub(HEAD),
    };
    if area.width < WIDE {
        return Areas { talk: body, details: None };
    }
    let side = (area.width * 36 / 100).min(76);
    let talk = Rect { width: body.width - side - 3, ..body };
    Areas { talk, details: Some(Rect { x: talk.right() + 3, width: side, ..body }) }
}

pub fn view(screen: &TraceScreen, env: &Env, canvas: &mut Canvas<'_>, area: Rect) {
    let inside = Rect { x: area.x + 1, width: area.width.saturating_sub(2), height: 1, ..area };
    let Areas { talk, details } = areas(area);
    canvas.rule(Rect { y: area.y + 2, height: 1, ..area });
    let Some(view) = &screen.view else {
        canvas.line(inside, &line(Role::Title, format!("Trace {}", one_line(&screen.id))));
        canvas.line(talk, &loading());
        return;
    };
    let left = canvas.line_right(inside, &flags(&view.trace));
    canvas.line(left, &facts(&view.trace, env));
    let second = Rect { y: area.y + 1, ..inside };
    let left = canvas.line_right(second, &labels(&view.labels));
    canvas.line(left, &place(view, env));
    match details {
        Some(details) => {
            canvas.rule_down(Rect { x: details.x - 2, width: 1, ..details });
            screen.scroll.view(canvas, details, DETAILS, &screen.details);
            screen.talk.view(canvas, talk, TALK);
        }
        None if screen.in_details => screen.scroll.view(canvas, talk, DETAILS, &screen.details),
        None => screen.talk.view(canvas, talk, TALK),
    }
}

/// `customer_support@v4 · gpt-4o · Tue 09:31 · 1.8 s · $0.0031`
fn facts(trace: &Trace, env: &Env) -> Line {
    let mut parts: Vec<(Role, String)> = Vec::new();
    let prompt = match (&trace.prompt, &trace.prompt_version) {
        (Some(prompt), Some(version)) => Some(format!("{}@{}", one_line(prompt), one_line(version))),
        (Some(name), None) => Some(one_line(name)),
        (None, Some(version)) => Some(format!("@{}", one_line(version))),
        (None, None) => trace.feature.as_ref().map(one_line),
    };
    parts.push((Role::Title, prompt.unwrap_or_else(|| format!("trace {}", one_line(&trace.id)))));
    parts.extend(trace.model.as_ref().map(|model| (Role::Plain, one_line(model))));
    parts.extend(trace.time.map(|at| (Role::Plain, when(at.as_millisecond(), env.now_ms(), &env.zone))));
    parts.extend(trace.latency_ms.map(|ms| (Role::Plain, duration(ms))));
    parts.extend(trace.cost_usd.map(|usd| (Role::Plain, dollars(usd))));
    joined(parts)
}

fn joined(parts: Vec<(Role, String)>) -> Line {
    let mut all = words();
    for (at, (role, text)) in parts.into_iter().enumerate() {
        if at > 0 {
            all = all.muted(" · ");
        }
        all = all.put(role, text);
    }
    all.done()
}

/// What went wrong and what the user said, each with its glyph.
fn flags(trace: &Trace) -> Line {
    let mut parts: Vec<(Role, String)> = Vec::new();
    if trace.status == Status::Error {
        parts.push((Role::Fail, format!("✗ {}", failure(trace.error_kind))));
    }
    if trace.fallback {
        parts.push((Role::Unsure, "↓ fallback".to_owned()));
    }
    for said in &trace.feedback {
        let flag = super::details::feedback(said.kind);
        if !parts.contains(&flag) {
            parts.push(flag);
        }
    }
    joined(parts)
}

/// `✗ fail: wrong tone (ann)`
fn labels(labels: &[LabelView]) -> Line {
    let mut all = words();
    for label in labels.iter().filter(|label| label.verdict.is_some()) {
        if all.width() > 0 {
            all = all.plain("  ");
        }
        all = verdict(all, label).muted(format!(" ({})", one_line(&label.reviewer)));
    }
    all.done()
}

/// A label in words with its glyph.
pub fn verdict(to: Words, label: &LabelView) -> Words {
    let mode = label.mode.as_ref().map(|mode| format!(": {}", mode.as_str().replace(['-', '_'], " ")));
    match label.verdict {
        Some(Verdict::Pass) => to.put(Role::Pass, "✓ pass"),
        Some(Verdict::Fail) => to.put(Role::Fail, "✗ fail").maybe(Role::Fail, mode),
        Some(Verdict::Unsure) => to.put(Role::Unsure, "? unsure").maybe(Role::Unsure, mode),
        None => to.muted("draft"),
    }
}

/// `turn 2 of 5   [ ] other turns`, or the trace's name.
fn place(view: &TraceView, env: &Env) -> Line {
    let near = view.neighbours.as_ref().filter(|near| near.count > 1);
    let Some(near) = near else {
        let trace = &view.trace;
        let titled = trace.prompt.is_none() && trace.prompt_version.is_none() && trace.feature.is_none();
        return if titled { Line::default() } else { words().muted(one_line(&trace.id)).done() };
    };
    words()
        .plain(format!("turn {} of {}", near.position, near.count))
        .plain("  ")
        .key(env.key(table::TURN_BEFORE))
        .plain(" ")
        .key(env.key(table::NEXT_TURN))
        .muted(" other turns  ")
        .key(env.key(table::SESSION))
        .muted(" its session  ")
        .muted(one_line(&view.trace.id))
        .done()
}
