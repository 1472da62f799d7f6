//! How the screen looks.
//!
//! ```text
//!  customer_support · at v4 · last 4 weeks                          F another prompt
//! ────────────────────────────────────────────────────────────────────────────────
//!    version  first served   requests  satisfied  labels pass     run    p95   cost
//!  ● v4       Tue 20:00         8,120     61.0 %  78 % [70, 84]  46 %  2.1 s $0.003
//!    v3       27 Oct           31,204     84.0 %  …
//! ────────────────────────────────────────────────────────────────────────────────
//!  v4                                                   ▂▅▇▅▂▅▇
//!  v3   ▂▅▇▅▂▅▇▅▂▅▇▅▂▅▇▅▂▅▇▅▂▅▇▅▂▅▇▅▂▅▇▅▂▅▇▅▂▅▇▅▂▅▇▅▂▅▇
//!       27 Oct                                            24 Nov
//! ────────────────────────────────────────────────────────────────────────────────
//!  v4  by Ann · 2026-11-20 · 3f2a1c0 be proactive
//!  ▼ v4 satisfies less than v3: 61.0 % against 84.0 %  since Tue 20:00
//!  ✓ last known good: v3  its run support-v3 passes 92.5 % of 40
//! ```
//!
//! From 120 columns on, the difference from the version before stands beside it all.

use ratatui::layout::Rect;

use super::{Difference, LIST, PromptsScreen, TEXT, WINDOWS, lines};
use crate::command::table::prompts as table;
use crate::ops::prompt::{PromptView, VersionView};
use crate::text::{Line, Role, Style, clean_line, figures, pad, pad_left, truncate, width, wrap_line};
use crate::tui::canvas::{Canvas, below, inside};
use crate::tui::screen::Env;
use crate::tui::screens::prompts::Shown;
use crate::tui::words::{line, words};

/// From this width on the difference stands beside the versions.
const WIDE: u16 = 120;
/// The columns of the versions beside it.
const LEFT: u16 = 104;
/// Text wider than this is hard to read.
const WIDEST: u16 = 120;
/// Columns of a version's name, at most.
const NAME: usize = 12;
/// The most rows of the list while other things stand below.
const ROWS: u16 = 8;
/// Time lines that are shown.
const LINES: usize = 4;

/// What is below the title and its rule.
pub fn body(area: Rect) -> Rect {
    below(area, 2)
}

/// The columns of a difference that has the screen.
pub fn text_cols(area: Rect) -> usize {
    usize::from(inside(area).width.saturating_sub(2).min(WIDEST))
}

/// Where the difference stands beside the versions, where there is room.
pub fn beside(area: Rect) -> Option<Rect> {
    let body = body(area);
    let left = LEFT.min(area.width * 11 / 20).max(80);
    (area.width >= WIDE).then(|| Rect {
        x: body.x + left + 1,
        width: body.width.saturating_sub(left + 2),
        ..body
    })
}

pub fn view(screen: &PromptsScreen, env: &Env, canvas: &mut Canvas<'_>, area: Rect) {
    let row = inside(Rect { height: 1.min(area.height), ..area });
    if area.height > 1 {
        canvas.rule(Rect { y: area.y + 1, height: 1, ..area });
    }
    let heading = |text: &str| words().put(Style::of(Role::Title), text).done();
    let below_title = inside(body(area));
    let shown = match &screen.loaded {
        None => {
            canvas.line(row, &heading("Prompts"));
            return canvas.line(below_title, &line(Role::Muted, "reading the prompts…"));
        }
        Some(None) => {
            canvas.line(row, &heading("No prompts yet"));
            return canvas.lines(below_title, &empty(env));
        }
        Some(Some(shown)) => shown,
    };
    if let Some(open) = &screen.open {
        let title = format!("{} · {} → {}", shown.view.prompt, open.from.raw(), open.to.raw());
        let room = canvas.line_right(row, &counts(open));
        canvas.line(room, &heading(&title));
        return open.scroll.view(canvas, below_title, TEXT, &open.lines);
    }
    let room = if shown.prompts.len() > 1 {
        canvas.line_right(row, &words().key(env.key(table::PROMPT)).muted(" another prompt").done())
    } else {
        row
    };
    let at =
        shown.view.current.as_ref().map_or_else(|| "no current version".to_owned(), |at| format!("at {at}"));
    let window = match WINDOWS[screen.window] {
        672 => "last 4 weeks",
        168 => "last 7 days",
        _ => "last 24 h",
    };
    canvas.line(room, &heading(&format!("{} · {at} · {window}", shown.view.prompt)));
    match (beside(area), &screen.beside) {
        (Some(side), Some(difference)) => {
            let left = Rect { width: side.x - area.x - 1, ..body(area) };
            canvas.rule_down(Rect { x: left.right(), width: 1, ..left });
            versions(screen, shown, env, canvas, left);
            canvas.line(inside(side), &side_title(difference));
            difference.scroll.view(canvas, below(inside(side), 1), TEXT, &difference.lines);
        }
        _ => versions(screen, shown, env, canvas, body(area)),
    }
}

fn side_title(difference: &Difference) -> Line {
    let (from, to) = (clean_line(difference.from.raw()), clean_line(difference.to.raw()));
    words().put(Role::Heading, from).muted(" → ").put(Role::Heading, to).done()
}

fn counts(open: &Difference) -> Line {
    let of = |role: Role| {
        open.lines.iter().filter(|line| line.spans.iter().any(|span| span.style.role == role)).count()
    };
    let (removed, added) = (of(Role::Removed), of(Role::Added));
    match (removed, added) {
        (0, 0) => line(Role::Muted, "the same text"),
        _ => words()
            .put(Role::Removed, format!("−{removed}"))
            .plain(" ")
            .put(Role::Added, format!("+{added}"))
            .muted(" lines")
            .done(),
    }
}

fn versions(screen: &PromptsScreen, shown: &Shown, env: &Env, canvas: &mut Canvas<'_>, area: Rect) {
    let view = &shown.view;
    let body = inside(area);
    if view.versions.is_empty() {
        let lines = [
            line(Role::Plain, format!("{} holds no version.", view.folder)),
            line(Role::Muted, format!("Put a text at {}/v1_current.txt.", view.folder)),
        ];
        return canvas.lines(body, &lines);
    }
    let table = Table::of(view, env, usize::from(body.width));
    canvas.line(body, &line(Role::Muted, table.head()));
    let served: Vec<&VersionView> = view.versions.iter().filter(|of| of.requests > 0).take(LINES).collect();
    let notable = notable(screen, shown, env, usize::from(body.width));
    let wanted = u16::try_from(view.versions.len()).unwrap_or(u16::MAX);
    // The list has what the rest leaves, and at least a few rows.
    let rest = u16::try_from(notable.len() + served.len()).unwrap_or(u16::MAX).saturating_add(4);
    let most = body.height.saturating_sub(1).saturating_sub(rest).max(3).max(ROWS.min(body.height / 3));
    let list = Rect { height: wanted.min(most), ..below(body, 1) };
    screen.versions.view(canvas, list, LIST, |canvas, row, at, _| {
        let Some(version) = view.versions.get(*at) else { return };
        let is_base = screen.base.as_ref() == Some(&version.version);
        canvas.line(row, &table.row(*at, version, is_base));
    });
    let mut at = list.bottom();
    let mut room = |rows: usize| -> Option<Rect> {
        let rows = u16::try_from(rows).unwrap_or(u16::MAX);
        let left = body.bottom().saturating_sub(at);
        let given = Rect { y: at, height: rows.min(left), ..body };
        at += given.height;
        (given.height > 0).then_some(given)
    };
    if !served.is_empty() {
        if let Some(rule) = room(1) {
            canvas.rule(Rect { x: area.x, width: area.width, ..rule });
        }
        if let Some(lines) = room(served.len() + 1) {
            canvas.lines(lines, &time_lines(view, &served, env, usize::from(body.width)));
        }
    }
    if let Some(rule) = room(1) {
        canvas.rule(Rect { x: area.x, width: area.width, ..rule });
    }
    if let Some(rest) = room(notable.len()) {
        canvas.lines(rest, &notable);
    }
}

fn notable(screen: &PromptsScreen, shown: &Shown, env: &Env, cols: usize) -> Vec<Line> {
    let facts = screen.version().map(lines::facts).unwrap_or_default();
    let indent = [crate::tui::words::span(Role::Plain, "  ")];
    facts
        .into_iter()
        .chain(lines::notable(shown, env))
        .flat_map(|line| wrap_line(&line, cols, &[], &indent))
        .collect()
}

/// Traffic of the versions on one axis of time, and the ends of the axis.
fn time_lines(view: &PromptView, served: &[&VersionView], env: &Env, cols: usize) -> Vec<Line> {
    let name = served.iter().map(|of| width(&lines::name(of))).max().unwrap_or(0).min(NAME) + 2;
    let wide = cols.saturating_sub(name + 1);
    let mut out: Vec<Line> = served
        .iter()
        .map(|version| {
            let role = if version.current { Role::Accent } else { Role::Plain };
            words()
                .plain(column(&lines::name(version), name))
                .put(role, lines::traffic(version, &view.versions, wide))
                .done()
        })
        .collect();
    let day = |at: jiff::Timestamp| figures::date(at.as_millisecond(), &env.zone);
    let (from, to) = (day(view.since), day(view.until));
    let gap = wide.saturating_sub(width(&from) + width(&to));
    out.push(words().plain(" ".repeat(name)).muted(format!("{from}{}{to}", " ".repeat(gap))).done());
    out
}

fn column(text: &str, wide: usize) -> String {
    pad(&truncate(&clean_line(text), wide.saturating_sub(1)), wide).into_string()
}

/// The table of versions for a width: columns that do not fit are left out, the least telling first.
struct Table {
    name: usize,
    first: Vec<String>,
    first_wide: usize,
    /// Heading, cells, width.
    columns: Vec<(&'static str, Vec<String>, usize)>,
}

impl Table {
    fn of(view: &PromptView, env: &Env, cols: usize) -> Self {
        let name =
            view.versions.iter().map(|of| width(&lines::name(of))).max().unwrap_or(0).clamp(7, NAME) + 2;
        let first: Vec<String> = view.versions.iter().map(|of| lines::first_served(of, env)).collect();
        let first_wide = first.iter().map(|cell| width(cell)).max().unwrap_or(0).max(12) + 1;
        let mut columns: Vec<(&'static str, Vec<String>, usize)> = lines::HEADS
            .iter()
            .zip(lines::columns(&view.versions))
            .map(|(head, cells)| {
                let wide = cells.iter().map(|cell| width(cell)).fold(width(head), usize::max) + 2;
                (*head, cells, wide)
            })
            .collect();
        let mut leave = ["errors", "labels pass", "run", "cost", "p95"].into_iter();
        while 2 + name + first_wide + columns.iter().map(|(_, _, wide)| wide).sum::<usize>() > cols {
            let Some(head) = leave.next() else { break };
            columns.retain(|(of, ..)| *of != head);
        }
        Self { name, first, first_wide, columns }
    }

    fn head(&self) -> String {
        let mut text =
            format!("  {}{}", column("version", self.name), column("first served", self.first_wide));
        for (head, _, wide) in &self.columns {
            text.push_str(pad_left(&clean_line(head), *wide).as_str());
        }
        text
    }

    fn row(&self, at: usize, version: &VersionView, is_base: bool) -> Line {
        let (role, mark) = match (is_base, version.current, version.known) {
            (true, ..) => (Role::Accent, "◆ "),
            (_, true, _) => (Role::Pass, "● "),
            (.., false) => (Role::Alert, "? "),
            _ => (Role::Plain, "  "),
        };
        let first = self.first.get(at).map(String::as_str).unwrap_or_default();
        let mut text =
            format!("{}{}", column(&lines::name(version), self.name), column(first, self.first_wide));
        for (_, cells, wide) in &self.columns {
            let cell = cells.get(at).map(String::as_str).unwrap_or_default();
            text.push_str(pad_left(&clean_line(cell), *wide).as_str());
        }
        words().put(role, mark).plain(text).done()
    }
}

fn empty(env: &Env) -> Vec<Line> {
    let dir = env.team.prompts_dir.display().to_string();
    let step = |key: &str, what: &str| words().plain("  ").key(format!("{key:<36}")).muted(what).done();
    vec![
        Line::default(),
        line(Role::Plain, "A prompt is a folder of your repository, a version a file in it."),
        words().muted("They are looked for in ").plain(dir).done(),
        Line::default(),
        step("prompts/support/v1.txt", "a version"),
        step("prompts/support/v2_current.txt", "the current one"),
        step("prompts_dir = \"…\"  in tuesday.toml", "where they lie elsewhere"),
    ]
}
