//! How the screen looks.
//!
//! ```text
//!  customer_support · last 24 h against the same time last week     F feature
//! ────────────────────────────────────────────────────────────────────────────
//!                   now     interval            last week   7 days
//!  requests     18,204                  usual  17,911       ▃▅▇▆▅▂▃▅▇▆▅▂▃▅
//!  errors            0.8 %  [0.7, 0.9]  usual       0.7 %   ▁▁▁▁▁▁▁▂▁▁▁▁▁▁
//!    timeout 61 · rate limit 74 · content policy 9
//!  ...
//! ────────────────────────────────────────────────────────────────────────────
//!  trouble 09:31  ▼ thumbs down  You can just transfer your balance from savin…
//!  recent  09:34                 Your card was sent on Monday and should arriv…
//! ```
//!
//! In 80 columns the groups (`b`) stand in the place of the recent responses, and a chart (`c`) in the place of
//! all; from 120 columns on the groups stand at the right; where there is room for everything, all four charts
//! are there at once:
//!
//! ```text
//!  figures                              │ groups
//! ──────────────────────────────────────┼──────────────────────────────────────
//!  time of a request                    │ how long requests take
//!  failed requests                      │ cost a day
//! ──────────────────────────────────────┴──────────────────────────────────────
//!  recent
//! ```

use ratatui::layout::Rect;

use super::charts::Chart;
use super::{FIGURES, Focus, HealthScreen, LINES, Loaded, SIDE, WIDE, lines};
use crate::command::table::health as table;
use crate::ops::health::against_words;
use crate::text::{Line, Role, clean, clean_line, width};
use crate::tui::canvas::{Canvas, Hit};
use crate::tui::screen::Env;
use crate::tui::screens::traces::{row_flag, row_time};
use crate::tui::words::{line, words};

/// Columns of a line's name.
const NAME: usize = 13;
/// Columns of a word for a difference.
const WORD: usize = 9;
/// The fewest columns of the figures when the groups stand beside them.
const LEAST_LEFT: u16 = 80;
/// Columns and rows of the screen's area from which all is there at once.
const ALL: (u16, u16) = (160, 38);
/// Rows of recent responses below the charts, with the rule above them.
const RECENT_ROWS: u16 = 8;

pub fn view(screen: &HealthScreen, env: &Env, canvas: &mut Canvas<'_>, area: Rect) {
    let inside = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    let mut rows = inside.rows();
    let (Some(title), Some(rule)) = (rows.next(), rows.next()) else { return };
    canvas.rule(Rect { x: area.x, width: area.width, ..rule });
    let body = Rect { y: rule.y + 1, height: area.height.saturating_sub(2), ..inside };
    let Some(loaded) = &screen.loaded else {
        canvas.line(title, &line(Role::Title, heading(screen, None)));
        canvas.line(body, &line(Role::Muted, "loading the figures…"));
        return;
    };
    if loaded.is_empty() {
        canvas.line(title, &line(Role::Title, "No traces yet"));
        empty(canvas, body);
        return;
    }
    let left = if loaded.view.features.len() > 1 {
        let hint = words().key(env.key(table::FEATURE)).muted(" another feature").done();
        canvas.line_right(title, &hint)
    } else {
        title
    };
    canvas.line(left, &line(Role::Title, heading(screen, Some(loaded))));
    if area.width >= ALL.0 && area.height >= ALL.1 {
        everything(screen, loaded, env, canvas, body);
    } else if area.width >= WIDE {
        let side = body.width.saturating_sub(LEAST_LEFT).clamp(36, 84);
        let Some(chart) = screen.chart else {
            let (left, right) = halves(canvas, body, side);
            groups(screen, loaded, canvas, right, true);
            let below = figures(screen, loaded, canvas, left);
            recent(screen, loaded, env, canvas, below);
            return;
        };
        let top = Rect { height: figure_rows(loaded).min(body.height), ..body };
        let (left, right) = halves(canvas, top, side);
        figures(screen, loaded, canvas, left);
        groups(screen, loaded, canvas, right, true);
        canvas.rule(Rect { x: area.x, y: top.bottom(), width: area.width, height: 1 });
        let y = top.bottom() + 1;
        let below = Rect { y, height: body.bottom().saturating_sub(y), ..body };
        draw_chart(screen, loaded, env, canvas, below, chart);
    } else {
        if let Some(chart) = screen.chart {
            draw_chart(screen, loaded, env, canvas, body, chart);
            return;
        }
        let below = figures(screen, loaded, canvas, body);
        match screen.focus {
            Focus::Groups => groups(screen, loaded, canvas, below, false),
            Focus::Lines => recent(screen, loaded, env, canvas, below),
        }
    }
}

/// Rows of the figures with their heading, the kinds of failure, and what else stands under some: that patterns of
/// fallbacks changed, who judged, the daily sample.
fn figure_rows(loaded: &Loaded) -> u16 {
    let view = &loaded.view;
    let more = [view.fallback_patterns_differ, view.judged.judge > 0, view.daily_sample.is_some()];
    FIGURES as u16 + 2 + more.map(u16::from).iter().sum::<u16>()
}

/// Cuts an area in two with a rule between; the right one has so many columns.
fn halves(canvas: &mut Canvas<'_>, area: Rect, side: u16) -> (Rect, Rect) {
    let left = Rect { width: area.width - side - 3, ..area };
    let bar = Rect { x: left.right() + 1, width: 1, ..area };
    canvas.rule_down(bar);
    (left, Rect { x: bar.x + 2, width: side, ..area })
}

/// All at once.
fn everything(screen: &HealthScreen, loaded: &Loaded, env: &Env, canvas: &mut Canvas<'_>, body: Rect) {
    let wide = |y: u16| Rect { x: body.x - 1, y, width: body.width + 2, height: 1 };
    let top = Rect { height: figure_rows(loaded), ..body };
    let (left, right) = halves(canvas, top, body.width / 2 - 1);
    figures(screen, loaded, canvas, left);
    groups(screen, loaded, canvas, right, true);
    canvas.rule(wide(top.bottom()));
    let charts = Rect {
        y: top.bottom() + 1,
        height: body.height.saturating_sub(top.height + 1 + RECENT_ROWS),
        ..body
    };
    let (left, right) = halves(canvas, charts, body.width / 2 - 1);
    let upper = (charts.height - 1) / 2;
    for (n, chart) in Chart::ALL.into_iter().enumerate() {
        let side = if n % 2 == 0 { left } else { right };
        let area = if n < 2 {
            Rect { height: upper, ..side }
        } else {
            Rect { y: side.y + upper + 1, height: charts.height - upper - 1, ..side }
        };
        draw_chart(screen, loaded, env, canvas, area, chart);
    }
    canvas.rule(wide(charts.bottom()));
    let below =
        Rect { y: charts.bottom() + 1, height: body.bottom().saturating_sub(charts.bottom() + 1), ..body };
    recent(screen, loaded, env, canvas, below);
}

fn draw_chart(
    screen: &HealthScreen,
    loaded: &Loaded,
    env: &Env,
    canvas: &mut Canvas<'_>,
    area: Rect,
    chart: Chart,
) {
    let here = screen.chart == Some(chart);
    chart.draw(&loaded.view, env, canvas, area, (here.then_some(screen.at), screen.kind.filter(|_| here)));
}

fn heading(screen: &HealthScreen, loaded: Option<&Loaded>) -> String {
    use crate::ops::health::Scope;
    let spec = screen.spec();
    let whose = match (&spec.scope, loaded.and_then(|loaded| loaded.view.feature.as_ref())) {
        (Scope::All, _) => "all traffic".to_owned(),
        (_, Some(name)) => clean(name).into_string(),
        (Scope::Feature(name), None) => clean(name).into_string(),
        (Scope::Busiest, None) => match loaded {
            Some(loaded) if loaded.view.features.len() > 1 => "traces without a feature".to_owned(),
            Some(_) => "all traffic".to_owned(),
            None => "health".to_owned(),
        },
    };
    let only = loaded.map(|loaded| loaded.view.only()).unwrap_or_default();
    let only = only.iter().map(|part| clean_line(part).into_string());
    let window = against_words(spec.hours, spec.against);
    std::iter::once(whose).chain(only).chain([window]).collect::<Vec<_>>().join(" · ")
}

fn empty(canvas: &mut Canvas<'_>, area: Rect) {
    let step = |key: &str, what: &str| words().plain("  ").key(format!("{key:<30}")).muted(what).done();
    let lines = [
        Line::default(),
        line(Role::Plain, "A trace is one request to your LLM feature and its response."),
        line(Role::Plain, "Bring some in; this screen then shows how they are doing."),
        Line::default(),
        step("tuesday import traces.jsonl", "your own: JSONL, chat transcripts, .gz, .zst"),
        step("tuesday help formats", "what such a file looks like"),
        step("tuesday demo", "a made-up bank's support bot to try things on"),
        Line::default(),
        line(Role::Muted, "You can leave this open: it shows what arrives."),
    ];
    canvas.lines(area, &lines);
}

/// Draws the figures; gives the area below them.
fn figures(screen: &HealthScreen, loaded: &Loaded, canvas: &mut Canvas<'_>, area: Rect) -> Rect {
    let columns = |figures: &[lines::FigureLine], of: fn(&lines::FigureLine) -> &str| {
        figures.iter().map(|figure| width(of(figure))).max().unwrap_or(0)
    };
    let view = &loaded.view;
    let title = view.against.title(view.hours);
    let plain = lines::figures(view, 0);
    let now = columns(&plain, |figure| &figure.now).max(3);
    let within = match columns(&plain, |figure| &figure.within) {
        0 => 0,
        ends => ends.max("interval".len()),
    };
    let before = columns(&plain, |figure| &figure.before).max(width(&title));
    let fixed = NAME + now + 1 + within + 2 + WORD + before + 2;
    let room = area.width.saturating_sub(u16::try_from(fixed).unwrap_or(u16::MAX));
    let slots = lines::slots(room);
    let figures = lines::figures(view, slots);
    let mut rows = area.rows();
    if let Some(row) = rows.next() {
        let blank = " ".repeat(NAME);
        let interval = if within > 0 { "interval" } else { "" };
        let trend = if slots > 0 { lines::trend(view) } else { String::new() };
        let head =
            format!("{blank}{:>now$} {interval:<within$}  {:<WORD$}{title:<before$}  {trend}", "now", "");
        canvas.line(row, &line(Role::Muted, head));
    }
    for (at, figure) in figures.iter().enumerate() {
        let Some(row) = rows.next() else { break };
        let text = words()
            .plain(format!("{:<NAME$}", figure.name))
            .put(crate::text::Style::of(Role::Plain).bold(), lines::cell(&figure.now, now))
            .plain(" ")
            .muted(lines::cell(&figure.within, within))
            .plain("  ")
            .put(figure.role, format!("{:<WORD$}", figure.word))
            .muted(lines::cell(&figure.before, before))
            .plain("  ")
            .put(Role::Accent, if slots > 0 { lines::spark(&figure.series) } else { String::new() });
        canvas.line(row, &text.done());
        canvas.hit(row, Hit::Row { pane: LINES, index: at });
        if screen.focus == Focus::Lines && screen.chart.is_none() && screen.line == at {
            canvas.select(Rect { x: row.x - 1, width: row.width + 1, ..row });
        }
        let under = match at {
            1 => [lines::kinds(&view.errors), None],
            5 => [lines::patterns(view), None],
            _ if at + 1 == FIGURES => [lines::judged(&view.judged), lines::sampled(view)],
            _ => [None, None],
        };
        for under in under.into_iter().flatten() {
            if let Some(row) = rows.next() {
                canvas.line(row, &words().plain("  ").line(&under).done());
            }
        }
    }
    let Some(rule) = rows.next() else { return Rect { height: 0, ..area } };
    canvas.rule(Rect { x: rule.x - 1, width: rule.width + 2, ..rule });
    Rect { y: rule.y + 1, height: area.bottom().saturating_sub(rule.y + 1), ..area }
}

fn recent(screen: &HealthScreen, loaded: &Loaded, env: &Env, canvas: &mut Canvas<'_>, area: Rect) {
    canvas.pane(area, LINES);
    let page = usize::from(area.height).max(1);
    let cursor =
        screen.line.checked_sub(FIGURES).filter(|_| screen.focus == Focus::Lines && screen.chart.is_none());
    let top = cursor.map_or(0, |at| (at + 1).saturating_sub(page));
    // Failures and complaints come first, then the newest of all.
    let troubled = loaded.recent.iter().take_while(|of| of.troubled).count();
    let shown = || loaded.recent.iter().skip(top).take(page);
    let times = shown().map(|of| width(&row_time(&of.row, env))).max().unwrap_or(0);
    let flags = shown().map(|of| row_flag(&of.row).width()).max().unwrap_or(0);
    for (at, (row, recent)) in area.rows().zip(shown()).enumerate() {
        let index = top + at;
        let label = match index {
            _ if at > 0 && index != troubled => "",
            index if index < troubled => "trouble",
            _ => "recent",
        };
        let flag = row_flag(&recent.row);
        let gap = flags - flag.width() + if flags > 0 { 2 } else { 0 };
        let text = words()
            .muted(format!("{label:<NAME$}"))
            .muted(format!("{:>times$}  ", row_time(&recent.row, env)))
            .line(&flag)
            .plain(" ".repeat(gap))
            .line(&lines::said(recent));
        canvas.line(row, &text.done());
        canvas.hit(row, Hit::Row { pane: LINES, index: FIGURES + index });
        if cursor == Some(index) {
            canvas.select(Rect { x: row.x - 1, width: row.width + 1, ..row });
        }
    }
}

const HEADS: [&str; 6] = ["requests", "errors", "p95", "cost/req.", "satisfied", "quality"];
/// The order in which columns are left out where there is no room.
const LEFT_OUT: [usize; 5] = [5, 2, 3, 1, 0];

fn groups(screen: &HealthScreen, loaded: &Loaded, canvas: &mut Canvas<'_>, area: Rect, side: bool) {
    canvas.pane(area, SIDE);
    let table = lines::groups(&loaded.view.groups);
    let columns = |at: usize| table.iter().map(|row| width(&row[at])).max().unwrap_or(0);
    let mut shown = [true; HEADS.len()];
    let room = usize::from(area.width);
    let wide = |shown: &[bool; HEADS.len()]| {
        let shown = (0..HEADS.len()).filter(|at| shown[*at]);
        shown.map(|at| columns(at + 1).max(HEADS[at].len()) + 2).sum::<usize>()
    };
    let name = columns(0).clamp(10, 32);
    for at in LEFT_OUT {
        if name + wide(&shown) > room {
            shown[at] = false;
        }
    }
    let name = room.saturating_sub(wide(&shown)).min(name.max(loaded.view.by.title().len()));
    let lay = |cells: &[&str]| {
        let mut text = lines::cell(cells[0], name);
        for at in (0..HEADS.len()).filter(|at| shown[*at]) {
            let columns = columns(at + 1).max(HEADS[at].len());
            let cell = cells[at + 1];
            let fill = " ".repeat(columns.saturating_sub(width(cell)));
            text.push_str("  ");
            text.push_str(&fill);
            text.push_str(cell);
        }
        text
    };
    let mut rows = area.rows();
    let heads: Vec<&str> = std::iter::once(loaded.view.by.title()).chain(HEADS).collect();
    if let Some(row) = rows.next() {
        canvas.line(row, &line(Role::Muted, lay(&heads)));
    }
    if table.is_empty() {
        if let Some(row) = rows.next() {
            canvas.line(row, &line(Role::Muted, "No request in this window."));
        }
        return;
    }
    let page = usize::from(area.height.saturating_sub(1)).max(1);
    let top = (screen.group + 1).saturating_sub(page);
    for (at, (row, cells)) in rows.zip(table.iter().skip(top)).enumerate() {
        let index = top + at;
        let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
        canvas.line(row, &line(Role::Plain, lay(&cells)));
        canvas.hit(row, Hit::Row { pane: SIDE, index });
        if screen.focus == Focus::Groups && screen.chart.is_none() && index == screen.group {
            let left = if side { row.x } else { row.x - 1 };
            canvas.select(Rect { x: left, width: row.right() - left, ..row });
        }
    }
}
