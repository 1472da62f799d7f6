//! How the screen is drawn.
//!
//! ```text
//!  features  3 · 1 off
//! ────────────────────────────────────────────────────────────────────────────────
//!   feature                    is   last switch                    24 h  by models
//!   customer_support           off  2 h ago by ann                1,204     97.1 %
//!   summaries                  on   —                                96      100 %
//! ────────────────────────────────────────────────────────────────────────────────
//!  customer_support is off
//!  switched by  flags.json at /flags/support-ai/enabled (flag_file)
//!  the traces   confirmed: no answer of a model for 7 min, where 84 were to be …
//! ```
//!
//! From 120 columns on, what is under the cursor stands at the right.

use ratatui::layout::Rect;

use super::{DETAIL, FeaturesScreen, LIST, lines};
use crate::domain::switch::Power;
use crate::text::{Line, Role};
use crate::tui::canvas::{Canvas, below, inside};
use crate::tui::screen::Env;
use crate::tui::words::{line, words};

/// Columns from which the text stands at the right.
const WIDE: u16 = 120;
/// Columns of the list beside it.
const LEFT: u16 = 84;

pub fn view(screen: &FeaturesScreen, env: &Env, canvas: &mut Canvas<'_>, area: Rect) {
    let title = inside(Rect { height: 1.min(area.height), ..area });
    canvas.line(title, &heading(screen));
    if area.height > 1 {
        canvas.rule(Rect { y: area.y + 1, height: 1, ..area });
    }
    let body = inside(below(area, 2));
    let Some(rows) = &screen.rows else {
        return canvas.line(body, &line(Role::Muted, "asking the switches…"));
    };
    if rows.is_empty() {
        return canvas.lines(body, &lines::empty());
    }
    let count = u16::try_from(rows.rows().len()).unwrap_or(u16::MAX).saturating_add(1);
    let (left, right) = if area.width >= WIDE {
        let left = Rect { width: LEFT.min(body.width), ..body };
        let bar = Rect { x: left.right() + 1, width: 1, ..body };
        canvas.rule_down(bar);
        (left, Rect { x: bar.x + 2, width: body.right().saturating_sub(bar.x + 2), ..body })
    } else {
        let rows = count.min(body.height / 2).max(2);
        let split = Rect { y: body.y + rows, height: 1, x: area.x, width: area.width };
        canvas.rule(split);
        (Rect { height: rows.min(body.height), ..body }, below(body, rows + 1))
    };
    let cols = usize::from(left.width);
    canvas.line(left, &lines::head(cols));
    rows.view(canvas, below(left, 1), LIST, |canvas, row, item, _| {
        canvas.line(row, &lines::row(item, env, cols));
    });
    let text =
        rows.selected().map(|row| lines::feature(row, env, usize::from(right.width))).unwrap_or_default();
    screen.scroll.view(canvas, right, DETAIL, &text);
}

fn heading(screen: &FeaturesScreen) -> Line {
    let title = words().put(Role::Title, "features");
    let Some(rows) = &screen.rows else { return title.done() };
    let off = rows.rows().iter().filter(|row| row.state == Some(Power::Off)).count();
    let title = title.muted(format!("  {}", rows.rows().len()));
    if off > 0 { title.muted(" · ").put(Role::Alert, format!("{off} off")).done() } else { title.done() }
}
