//! How the screen is drawn.
//!
//! ```text
//!  Eval sets                                                    2 sets, 184 cases
//! ────────────────────────────────────────────────────────────────────────────────
//!  support            180 cases  v214  Tue 09:31   plain 120 · multilingual 30 · …
//!
//!  support · 180 cases · v214 · "fee"                                   37 of 180
//! ────────────────────────────────────────────────────────────────────────────────
//!  c-7k2m9q  plain         I was charged an overdraft fee b…  We take it back: t…  ≈
//!
//!  c-7k2m9q of support · plain · v214 by ann Tue 09:31                   3 of 180
//! ────────────────────────────────────────────────────────────────────────────────
//!  input      I was charged an overdraft fee …
//! ```
//! From 120 columns on, the case under the cursor stands beside the list.

use ratatui::layout::Rect;

use super::{BESIDE, CASE, CASES, EvalsScreen, Face, OpenSet, SETS};
use crate::command::table::{app, evals as rows, talk};
use crate::ops::promote::{CaseLineView, EvalSetRowView};
use crate::text::{Line, Role, Style, clean_line, figures, pad, pad_left, truncate};
use crate::tui::canvas::{Canvas, below, inside};
use crate::tui::screen::Env;
use crate::tui::words::{line, one_line, span, words};

/// From this width on the list has the case beside it.
const WIDE: u16 = 120;
/// The pane beside the list of cases, where there is room for one. The list has what is left of it.
pub fn beside(area: Rect) -> Option<Rect> {
    let list = area.width * 11 / 20;
    let body = body(area);
    (area.width >= WIDE).then(|| Rect { x: body.x + list, width: body.width - list, ..body })
}

/// What is below the title and its rule.
pub fn body(area: Rect) -> Rect {
    below(area, 2)
}

/// Draws the present face.
pub fn view(screen: &EvalsScreen, env: &Env, canvas: &mut Canvas<'_>, area: Rect) {
    let head = inside(Rect { height: 1, ..area });
    canvas.rule(Rect { y: area.y + 1, height: 1, ..area });
    match (screen.face, &screen.open) {
        (Face::Cases, Some(open)) => {
            let beside = beside(area);
            let mut list = inside(body(area));
            if let Some(beside) = beside {
                list.width = beside.x - list.x - 2;
            }
            cases(open, env, canvas, head, list);
            if let (Some(beside), Some((_, talk))) = (beside, &screen.beside) {
                canvas.rule_down(Rect { x: beside.x - 1, width: 1, ..beside });
                if open.selected().is_some() {
                    talk.view(canvas, beside, BESIDE, None);
                }
            }
        }
        (Face::Case, Some(open)) => case(screen, open, env, canvas, area),
        _ => sets(screen, env, canvas, head, inside(body(area))),
    }
}

fn sets(screen: &EvalsScreen, env: &Env, canvas: &mut Canvas<'_>, head: Rect, body: Rect) {
    let title = words().put(Style::of(Role::Heading), "Eval sets").done();
    let Some(list) = &screen.sets else {
        canvas.line(head, &title);
        return canvas.line(body, &line(Role::Muted, "loading the eval sets…"));
    };
    let cases: u64 = list.rows().iter().map(|row| row.cases).sum();
    let counts =
        format!("{}, {}", figures::plural(list.rows().len(), "set"), figures::plural(count(cases), "case"));
    let left = canvas.line_right(head, &line(Role::Muted, counts));
    canvas.line(left, &title);
    if list.is_empty() {
        return canvas.lines(body, &empty(env));
    }
    let widest = list.rows().iter().map(|row| row.name.as_str().len()).max().unwrap_or(0).clamp(8, 28);
    list.view(canvas, body, SETS, |canvas, row, set, _| canvas.line(row, &set_line(set, widest, env)));
}

fn set_line(set: &EvalSetRowView, widest: usize, env: &Env) -> Line {
    let kinds: Vec<String> =
        set.categories.iter().map(|kind| format!("{} {}", one_line(&kind.category), kind.cases)).collect();
    let when = figures::when(set.updated.as_millisecond(), env.now_ms(), &env.zone);
    let columns = |text: &str, wide: usize| pad_left(&clean_line(text), wide).into_string();
    words()
        .plain(pad(&clean_line(set.name.as_str()), widest).as_str())
        .plain(columns(&figures::plural(count(set.cases), "case"), 12))
        .muted(columns(&format!("v{}", set.version), 7))
        .muted(format!("  {when:<12}  "))
        .muted(kinds.join(" · "))
        .done()
}

/// What to do while there is no set.
fn empty(env: &Env) -> Vec<Line> {
    vec![
        Line::default(),
        line(Role::Plain, "No eval set yet."),
        Line::default(),
        words()
            .plain("Review some traces (")
            .key(env.key(app::GO_REVIEW))
            .plain("), and press ")
            .key("e")
            .plain(" on one that went wrong: with the")
            .done(),
        line(Role::Plain, "answer it should have had, it becomes a case that every change is tested with."),
        Line::default(),
        line(Role::Muted, "On the command line: tuesday evals promote TRACE --set NAME"),
    ]
}

fn cases(open: &OpenSet, env: &Env, canvas: &mut Canvas<'_>, head: Rect, body: Rect) {
    let Some(all) = &open.all else {
        canvas.line(head, &words().put(Role::Heading, open.name.as_str()).done());
        return canvas.line(body, &line(Role::Muted, "loading the cases…"));
    };
    let filter = (!open.filter.is_empty()).then(|| format!(" · \"{}\"", open.filter));
    let title = words()
        .put(Role::Heading, open.name.as_str())
        .muted(format!(" · {} · v{}", figures::plural(all.len(), "case"), open.version))
        .maybe(Role::Accent, filter)
        .done();
    let shown = open.shown.rows().len();
    let left = canvas.line_right(head, &position(open));
    canvas.line(left, &title);
    if shown == 0 {
        let words = if all.is_empty() {
            words()
                .plain("Every case of this set is retired. ")
                .key(env.key(rows::UNDO))
                .plain(" takes the last one back.")
        } else {
            words().plain("No case holds these words. ").key(env.key(app::BACK)).plain(" shows all.")
        };
        return canvas.line(Rect { y: body.y + 1, ..body }, &words.done());
    }
    open.shown.view(canvas, body, CASES, |canvas, row, at, _| {
        if let Some(case) = all.get(*at) {
            canvas.line(row, &case_line(case, usize::from(row.width)));
        }
    });
}

fn position(open: &OpenSet) -> Line {
    let shown = open.shown.rows().len();
    line(Role::Muted, format!("{} of {shown}", open.shown.position().unwrap_or(0)))
}

/// One line of the list: what it is, what goes in, what is expected, whether it resembles another.
fn case_line(line: &CaseLineView, width: usize) -> Line {
    let case = &line.case;
    // Which trace it came from is worth a column where the texts have enough.
    let trace = if width >= 100 { 14 } else { 0 };
    let fixed = 10 + 14 + 3 + trace;
    let room = width.saturating_sub(fixed);
    let (input, expected) = (room * 3 / 5, room - room * 3 / 5);
    let column = |text: &str, wide: usize| {
        pad(&truncate(&clean_line(text), wide.saturating_sub(1)), wide).into_string()
    };
    let mark = match line.resembles.first() {
        Some(other) if other.exact => " =",
        Some(_) => " ≈",
        None => "",
    };
    let from = case.trace.as_ref().map(one_line).unwrap_or_default();
    let words = words()
        .put(Role::Accent, column(case.id.as_str(), 10))
        .muted(column(case.category.raw(), 14))
        .plain(column(case.input.asked(200).raw(), input));
    match &case.expected {
        Some(text) => words.muted(column(text.raw(), expected)),
        None => words.put(Role::Alert, column("nothing expected yet", expected)),
    }
    .muted(column(&from, trace))
    .put(Role::Alert, mark)
    .done()
}

fn case(screen: &EvalsScreen, open: &OpenSet, env: &Env, canvas: &mut Canvas<'_>, area: Rect) {
    let left = canvas.line_right(inside(Rect { height: 1, ..area }), &position(open));
    let body = body(area);
    let Some(page) = &screen.case else {
        return canvas.line(inside(body), &line(Role::Muted, "loading the case…"));
    };
    if let Some(case) = &page.view.case {
        let when = figures::when(case.updated.as_millisecond(), env.now_ms(), &env.zone);
        let mut title = Line::new(vec![span(Role::Heading, case.id.as_str())]);
        title.push(span(Role::Muted, format!(" of {} · {}", case.set, one_line(&case.category))));
        title.push(span(Role::Muted, format!(" · by {} {when}", one_line(&case.by))));
        canvas.line(left, &title);
    }
    page.talk.view(canvas, body, CASE, Some(&env.key(talk::FOLD)));
    let rule = Rect { y: area.y + 1, height: 1, width: area.width.saturating_sub(1), ..area };
    canvas.line_right(rule, &page.talk.caption(usize::from(body.height), env));
}

fn count(n: u64) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}
