//! How the screen is drawn.
//!
//! ```text
//!  monitors  1 alert · 0.66 false pages a month to be expected, 1.00 allowed
//! ────────────────────────────────────────────────────────────────────────────────
//!  rule               state     false  figure, of how many, against what is usual
//!  ▲ A-1  negative-feedback  customer_support          firing  20 Nov 16:00
//!  quality-drift      no data    0.38  34 of the 100 that it needs are judged
//!  negative-feedback  firing     0.03  15.8 % [9.8, 24.4] of 95 in 6 h, usually 3.4 %
//! ────────────────────────────────────────────────────────────────────────────────
//!  10.0 % [7.7, 12.8] of 540 in 6 h, usually 3.4 %; prompt v4 × topic fees: 10 of
//!  29 more than usual
//! ```
//!
//! From 120 columns on, what is under the cursor stands at the right.

use ratatui::layout::Rect;

use super::{DETAIL, LIST, MonitorsScreen, Open, Row, TRACES, lines};
use crate::domain::monitor::AlertState;
use crate::ops::monitor::{AlertView, MonitorView, group_words};
use crate::text::figures::{fixed, plural, when};
use crate::text::{Line, Role, wrap_line};
use crate::tui::canvas::Canvas;
use crate::tui::screen::Env;
use crate::tui::words::{line, one_line, words};

/// Columns from which the text stands at the right.
const WIDE: u16 = 120;

/// Alerts and rules.
pub fn list(screen: &MonitorsScreen, env: &Env, canvas: &mut Canvas<'_>, area: Rect) {
    let inside = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    let mut rows = inside.rows();
    let (Some(title), Some(rule)) = (rows.next(), rows.next()) else { return };
    canvas.line(title, &heading(screen));
    canvas.rule(Rect { x: area.x, width: area.width, ..rule });
    let body = Rect { y: rule.y + 1, height: area.height.saturating_sub(2), ..inside };
    if screen.rows.is_empty() {
        let what = if screen.loading {
            "looking at the figures…"
        } else {
            "No monitors: the configuration has none."
        };
        return canvas.line(body, &line(Role::Muted, what));
    }
    let count = u16::try_from(screen.rows.rows().len()).unwrap_or(u16::MAX);
    let (left, right) = if area.width >= WIDE {
        let left = Rect { width: body.width * 3 / 5, ..body };
        let bar = Rect { x: left.right() + 1, width: 1, ..body };
        canvas.rule_down(bar);
        (left, Rect { x: bar.x + 2, width: body.right().saturating_sub(bar.x + 2), ..body })
    } else {
        let rows = (count + 1).min(body.height.saturating_sub(5)).max(2);
        let split = Rect { y: body.y + rows, height: 1, ..area };
        canvas.rule(split);
        let below = Rect { y: split.y + 1, height: body.height.saturating_sub(rows + 1), ..body };
        (Rect { height: rows, ..body }, below)
    };
    // What the columns of the rules are: without it nobody knows what 0.38 is.
    let head = words()
        .muted(format!("{:<18} {:<9} {:>5}  ", "rule", "state", "false"))
        .muted("figure, of how many, against what is usual");
    canvas.line(Rect { height: 1, ..left }, &head.done());
    let left = Rect { y: left.y + 1, height: left.height.saturating_sub(1), ..left };
    screen.rows.view(canvas, left, LIST, |canvas, row, item, _| match item {
        Row::Alert(of) => alert_row(of, env, canvas, row),
        Row::Monitor(of) => monitor_row(of, canvas, row),
    });
    let text = text(screen, env, usize::from(right.width.saturating_sub(2)));
    screen.scroll.view(canvas, right, DETAIL, &text);
}

fn heading(screen: &MonitorsScreen) -> Line {
    let out = screen.alerts.iter().filter(|one| one.state == AlertState::Firing).count();
    let alerts = words().put(Role::Title, "monitors").muted("  ");
    let alerts = match out {
        0 => alerts.muted("no alert"),
        n => alerts.put(Role::Alert, plural(n, "alert")),
    };
    match &screen.list {
        Some(list) => alerts
            .muted(" · ")
            .plain(fixed(list.expected, 2))
            .muted(format!(
                " false pages a month to be expected, {} allowed",
                fixed(list.false_pages_per_month, 2)
            ))
            .done(),
        None => alerts.done(),
    }
}

fn alert_row(of: &AlertView, env: &Env, canvas: &mut Canvas<'_>, row: Rect) {
    let (role, word) = lines::standing(of);
    let since = when(of.fired_at.as_millisecond(), env.now_ms(), &env.zone);
    let right = words().put(role, word).muted(format!("  {since:>12}"));
    let left = canvas.line_right(row, &right.done());
    let mark = if of.state == AlertState::Firing { "▲ " } else { "✓ " };
    let name = words().put(role, mark).plain(format!("{:<5}", of.id)).plain(&of.rule);
    canvas.line(left, &name.muted(format!("  {}", group_words(&of.group))).done());
}

fn monitor_row(of: &MonitorView, canvas: &mut Canvas<'_>, row: Rect) {
    let (role, word) = lines::state(of.state);
    let word = if of.silenced_until.is_some() { "silenced" } else { word };
    let name = words().plain(format!("{:<18}", of.id)).put(role, format!(" {word:<9}"));
    let price = lines::pages(of.expected_false_pages_per_month);
    canvas.line(row, &name.muted(format!(" {price:>5}  ")).plain(&of.says).done());
}

/// What is said of the row under the cursor.
fn text(screen: &MonitorsScreen, env: &Env, cols: usize) -> Vec<Line> {
    let mut text = Vec::new();
    // Above all else: who relies on being told must not have to scroll for it.
    if let Some(words) = screen.list.as_ref().and_then(|list| list.nobody_tells.as_ref()) {
        text.extend(wrap_line(&line(Role::Unsure, words), cols, &[], &[]));
    }
    text.extend(match screen.rows.selected() {
        Some(Row::Alert(of)) => lines::alert(of, env, cols),
        Some(Row::Monitor(of)) => lines::monitor(of, env, cols),
        None => Vec::new(),
    });
    if screen.alerts.is_empty() {
        text.push(Line::default());
        text.extend(lines::nobody_watches(env));
    }
    if let Some(end) = screen.list.as_ref().and_then(|list| list.stands_at) {
        let end = when(end.as_millisecond(), env.now_ms(), &env.zone);
        text.push(Line::default());
        text.push(line(Role::Muted, format!("A demonstration: as of {end}, when its traffic ends.")));
    }
    text
}

/// One alert: what it stands on, and the traces to look at first.
pub fn alert(open: &Open, env: &Env, canvas: &mut Canvas<'_>, area: Rect) {
    let inside = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    let mut rows = inside.rows();
    let (Some(title), Some(rule)) = (rows.next(), rows.next()) else { return };
    let of = &open.alert;
    let (role, word) = lines::standing(of);
    let right = words().put(role, word).muted(format!("  {}", of.severity.name())).done();
    let left = canvas.line_right(title, &right);
    let name = words().put(Role::Title, &of.id).plain("  ").plain(&of.rule);
    canvas.line(left, &name.muted(format!("  {}", group_words(&of.group))).done());
    canvas.rule(Rect { x: area.x, width: area.width, ..rule });
    let body = Rect { y: rule.y + 1, height: area.height.saturating_sub(2), ..inside };
    let text = lines::alert(of, env, usize::from(body.width).min(100));
    canvas.lines(body, &text);
    let used = u16::try_from(text.len()).unwrap_or(u16::MAX).min(body.height);
    let below = Rect { y: body.y + used, height: body.height - used, ..body };
    if open.traces.is_empty() || below.height < 3 {
        return;
    }
    let head = Rect { y: below.y + 1, height: 1, ..below };
    canvas.line(head, &line(Role::Muted, "traces to look at first"));
    let traces = Rect { y: head.y + 1, height: below.height - 2, ..below };
    open.traces.view(canvas, traces, TRACES, |canvas, row, id, _| {
        canvas.line(row, &line(Role::Plain, one_line(id)));
    });
}
