//! How the screen is drawn.
//!
//! ```text
//!  Runs                                                        2 runs, baseline v3
//! ────────────────────────────────────────────────────────────────────────────────
//!    run           when         cases          pass rate    errors   mean     cost
//!  ◆ support-v3    Tue 09:31    13 of 13   92.3 % [66.7, …]      0  1.2 s  $0.0312
//!
//!  support@v14 → customer_support@v4                       46.2 % [23.2, 70.9] pass
//!  support-v4 · recorded · by ann Tue 09:31 · $0.0312 · mean 2.1 s · p95 3.4 s
//! ────────────────────────────────────────────────────────────────────────────────
//!  ✗ fail  c-7k2m9q  plain         I was charged an overdraft…  ✗ forbidden ✓ length
//!
//!  support · v3 → v4 · 13 cases                                    HOLD: pass rate
//! ────────────────────────────────────────────────────────────────────────────────
//!                  current      new    change  95 %            test
//!  accuracy         92.3 %   46.2 %  −46.2 pp  [−72.2, −12.6]  ✗ below target
//!  HOLD: the pass rate of 46.2 % is below 90 %
//! ────────────────────────────────────────────────────────────────────────────────
//!  newly failing 6 · newly passing 0 · both fail 1 · both pass 6
//!  c-7k2m9q  plain         We take it back: your salary …    ✗ was ✓  forbidden
//! ```
//! From 120 columns on, the case under the cursor stands beside the cases of a run.

mod comparison;
mod list;
mod run;
mod trust;

use ratatui::layout::Rect;

use self::comparison::comparison;
use self::list::list;
use self::run::run;
use self::trust::trust;
use super::{Filtered, Page, RunsScreen, TEXT, Text};
use crate::domain::RunName;
use crate::ops::run::RunView;
use crate::text::{Line, Role, Style, clean_line, figures, pad, pad_left, truncate};
use crate::tui::canvas::{Canvas, below, inside};
use crate::tui::screen::Env;
use crate::tui::words::{line, words};

/// From this width on the cases of a run have the one under the cursor beside them.
const WIDE: u16 = 120;
/// Text wider than this is hard to read; two answers beside each other take all there is.
const WIDEST: u16 = 200;
/// Rows of a list that stay however long the table above it is.
const LEAST: u16 = 4;

/// What is below the title and its rule.
pub fn body(area: Rect) -> Rect {
    below(area, 2)
}

/// The columns of a text to read, the scroll bar's left out.
pub fn text_cols(area: Rect) -> usize {
    usize::from(inside(area).width.saturating_sub(2).min(WIDEST))
}

/// The pane beside the cases of a run, where there is room for one.
pub fn beside(area: Rect) -> Option<Rect> {
    let list = area.width * 11 / 20;
    let body = below(area, 3);
    (area.width >= WIDE).then(|| Rect {
        x: body.x + list,
        width: body.width.saturating_sub(list + 1),
        ..body
    })
}

/// Draws the page that lies on top.
pub fn view(screen: &RunsScreen, env: &Env, canvas: &mut Canvas<'_>, area: Rect) {
    match screen.pile.last() {
        None => list(screen, env, canvas, area),
        Some(Page::Run(page)) => run(page, screen.going(&page.name), env, canvas, area),
        Some(Page::Case(case, text)) => {
            let title = title_of(case.case.as_str(), run_below(screen));
            reading(canvas, area, &title, position(screen), text);
        }
        Some(Page::Comparison(page)) => comparison(page, canvas, area),
        Some(Page::Pair(page)) => {
            let title = title_of(page.case.as_str(), None);
            if page.view.is_some() {
                reading(canvas, area, &title, position(screen), &page.text);
            } else {
                waiting(canvas, area, &title, "reading the case…");
            }
        }
        Some(Page::Trust(page)) => trust(page, canvas, area),
    }
}

fn run_below(screen: &RunsScreen) -> Option<&RunName> {
    screen.pile.iter().rev().find_map(|page| match page {
        Page::Run(page) => Some(&page.name),
        _ => None,
    })
}

fn title_of(case: &str, run: Option<&RunName>) -> Line {
    words().put(Style::of(Role::Heading), case).maybe(Role::Muted, run.map(|run| format!(" in {run}"))).done()
}

/// `3 of 13`, of the list below the page.
fn position(screen: &RunsScreen) -> Line {
    let list = screen.pile.iter().rev().find_map(|page| match page {
        Page::Run(page) => Some(&page.cases.shown),
        Page::Comparison(page) => Some(&page.cases.shown),
        _ => None,
    });
    list.map(|list| line(Role::Muted, format!("{} of {}", list.position().unwrap_or(0), list.rows().len())))
        .unwrap_or_default()
}

/// Draws a title with what stands at its right, and the rule below.
fn head(canvas: &mut Canvas<'_>, area: Rect, left: &Line, right: &Line) {
    let row = inside(Rect { height: 1.min(area.height), ..area });
    let room = canvas.line_right(row, right);
    canvas.line(room, left);
    rule(canvas, area, 1);
}

fn rule(canvas: &mut Canvas<'_>, area: Rect, at: u16) {
    if at < area.height {
        canvas.rule(Rect { y: area.y + at, height: 1, ..area });
    }
}

fn waiting(canvas: &mut Canvas<'_>, area: Rect, title: &Line, what: &str) {
    head(canvas, area, title, &Line::default());
    canvas.line(inside(body(area)), &line(Role::Muted, what));
}

fn reading(canvas: &mut Canvas<'_>, area: Rect, title: &Line, right: Line, text: &Text) {
    head(canvas, area, title, &right);
    text.scroll.view(canvas, inside(body(area)), TEXT, &text.lines);
}

/// The counts of a filtered list: `13 cases`, or `2 of 13 with "fee"`.
fn counts<T>(rows: &Filtered<T>, one: &str) -> String {
    let all = rows.all.len();
    if rows.filter.is_empty() {
        return figures::plural(all, one);
    }
    format!("{} of {} with \"{}\"", rows.shown.rows().len(), figures::plural(all, one), rows.filter)
}

fn column(text: &str, wide: usize) -> String {
    pad(&truncate(&clean_line(text), wide.saturating_sub(1)), wide).into_string()
}

fn right(text: &str, wide: usize) -> String {
    pad_left(&clean_line(text), wide).into_string()
}

fn incomplete(run: &RunView) -> Option<String> {
    if run.is_complete() {
        return None;
    }
    let left = run.cases - run.done;
    Some(match &run.stopped {
        Some(why) => format!("stopped with {left} left: {why}"),
        None => format!("not finished: {left} left, at work or ended midway"),
    })
}
