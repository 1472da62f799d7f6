//! How the list looks.
//!
//! ```text
//!  Traces · feedback:down model:gpt-4o                         1,204 of 40,113
//! ─────────────────────────────────────────────────────────────────────────────
//! ◆ Tue 09:31     v4  gpt-4o  1.8 s  ▼ thumbs down  You can just transfer your…
//!   Tue 09:30     v4  gpt-4o  1.2 s                 Your card was sent… ✗ fail
//! ```
//!
//! From 120 columns on the conversation under the cursor stands at the right.

use ratatui::layout::Rect;

use super::{PREVIEW, ROWS, TracesScreen};
use crate::command::table::app;
use crate::text::figures::{plural, thousands};
use crate::text::{Line, Role, clean, wrap_line};
use crate::tui::canvas::Canvas;
use crate::tui::screen::Env;
use crate::tui::widgets::list::List;
use crate::tui::words::{line, words};

/// Columns from which the conversation stands beside the list.
const WIDE: u16 = 120;

/// The areas of the list and of the conversation beside it, below title and rule.
pub fn split(area: Rect) -> (Rect, Option<Rect>) {
    let body = Rect { y: area.y + 2, height: area.height.saturating_sub(2), ..area };
    if area.width < WIDE {
        return (Rect { width: area.width, ..body }, None);
    }
    let left = Rect { width: area.width * 52 / 100, ..body };
    let right = Rect { x: left.right() + 2, width: area.width - left.width - 2, ..body };
    (left, Some(right))
}

pub fn view(screen: &TracesScreen, env: &Env, canvas: &mut Canvas<'_>, area: Rect) {
    if area.height < 3 {
        return;
    }
    let row = |y: u16| Rect { y, height: 1, x: area.x + 1, width: area.width.saturating_sub(2) };
    title(screen, env, canvas, row(area.y));
    canvas.rule(Rect { y: area.y + 1, height: 1, ..area });
    let (mut list, beside) = split(area);
    if let Some(beside) = beside {
        canvas.rule_down(Rect { x: beside.x - 1, width: 1, ..beside });
    }
    let told = told(screen, usize::from(list.width.saturating_sub(2)));
    let below = u16::try_from(told.len()).unwrap_or(0).min(list.height.saturating_sub(1));
    list.height -= below;
    canvas.lines(
        Rect { x: list.x + 1, y: list.bottom(), height: below, width: list.width.saturating_sub(2) },
        &told,
    );
    let inside = Rect { x: list.x + 1, width: list.width.saturating_sub(2), ..list };
    match &screen.list {
        None => match &screen.failed {
            None => canvas.line(inside, &line(Role::Muted, "looking for traces…")),
            Some(why) => canvas.lines(inside, &unread(why, env, usize::from(inside.width))),
        },
        Some(rows) if rows.is_empty() => canvas.lines(inside, &empty(screen, env)),
        Some(rows) => rows.view(canvas, list, ROWS, |canvas, row, trace, _| {
            let marked = env.is_marked(&trace.id);
            let columns = usize::from(row.width);
            let label = screen.labels.line(&trace.id, columns);
            // The words give way to the label; the columns before them stay where they are in every row.
            let left = if label.is_empty() { row } else { canvas.line_right(row, &label) };
            canvas.line(left, &screen.columns.line(trace, marked, env, columns));
        }),
    }
    if let Some(beside) = beside {
        match screen.preview.as_ref().map(|preview| &preview.loaded) {
            Some(Some(loaded)) => loaded.talk.view(canvas, beside, PREVIEW, None),
            Some(None) => canvas.line(beside, &line(Role::Muted, " loading…")),
            None => {}
        }
    }
}

/// What stands instead of the list when it could not be read.
fn unread(why: &str, env: &Env, columns: usize) -> Vec<Line> {
    let mut lines = vec![Line::default()];
    let said = words().put(Role::Fail, "✗ ").plain("The traces could not be read: ").plain(why).done();
    lines.extend(wrap_line(&said, columns, &[], &[]));
    lines.push(Line::default());
    lines.push(words().key(env.key(app::GO_TRACES)).muted(" tries again").done());
    lines
}

fn title(screen: &TracesScreen, env: &Env, canvas: &mut Canvas<'_>, row: Rect) {
    let count = |n: usize| thousands(i64::try_from(n).unwrap_or(i64::MAX));
    let all = screen.count.map(|count| thousands(count.cast_signed()));
    let right = match (screen.list.as_ref().and_then(List::position), all) {
        (Some(at), Some(all)) => format!("{} of {all}", count(at)),
        (Some(at), None) => format!("{} of …", count(at)),
        (None, Some(all)) => format!("of {all}"),
        (None, None) => String::new(),
    };
    let right =
        words().maybe(Role::Accent, marks(env.marks.len()).map(|text| format!("◆ {text}   "))).muted(right);
    let left = canvas.line_right(row, &right.done());
    let title = words().put(Role::Title, "Traces");
    let title = if screen.query.is_all() {
        title.muted(" · all, newest first")
    } else {
        title.muted(" · ").plain(screen.query.to_string())
    };
    canvas.line(left, &title.done());
}

/// What stands below the list: what is wrong with the filter, how one is written, what it leaves out.
fn told(screen: &TracesScreen, columns: usize) -> Vec<Line> {
    if let Some(mistake) = &screen.mistake {
        let text = mistake.render();
        let mut lines: Vec<Line> = Vec::new();
        for (at, part) in text.lines().enumerate() {
            let role = if at == 1 { Role::Fail } else { Role::Plain };
            if at < 2 {
                lines.push(line(role, part));
            } else {
                lines.extend(wrap_line(&line(role, part.trim()), columns, &[], &[]));
            }
        }
        return lines;
    }
    if screen.asking {
        let example = |query: &str, means: &str| words().key(format!("{query:<34}")).muted(means).done();
        return vec![
            example("feedback:down latency>3s", "thumbs down and slower than three seconds"),
            example("prompt:customer_support@v4", "one version of a prompt; also model: user:"),
            example("-status:ok since:7d", "not these; in the last seven days"),
            example("\"overdraft fee\"", "these words, in question or answer"),
        ];
    }
    screen
        .notes
        .iter()
        .flat_map(|note| {
            let text = words().put(Role::Unsure, "! ").plain(clean(note).as_str()).done();
            wrap_line(&text, columns, &[], &[])
        })
        .collect()
}

/// `3 traces marked`.
fn marks(count: usize) -> Option<String> {
    (count > 0).then(|| format!("{} marked", plural(count, "trace")))
}

/// The list says nothing yet, or has nothing to say.
fn empty(screen: &TracesScreen, env: &Env) -> Vec<Line> {
    if screen.query.is_all() {
        return vec![
            line(Role::Plain, "No traces yet."),
            words().plain("Bring some in: ").key("tuesday import traces.jsonl").done(),
            words().plain("or try things on a made-up bank: ").key("tuesday demo").done(),
        ];
    }
    vec![
        line(Role::Plain, "No trace fits the filter."),
        words()
            .key(env.key(app::FIND))
            .plain(" change it   ")
            .key(env.key(app::BACK))
            .plain(" take it off")
            .done(),
    ]
}
