//! How the screen is drawn.
//!
//! ```text
//!  customer_support@v4 · gate                               NOT MET · 6 of 10 passed
//! ────────────────────────────────────────────────────────────────────────────────
//!   1  eval pass rate       ✓ met, not proven  92.0 % of 50, at least 82.6 %
//!   2  edge cases by hand   ? not enough data  12 of 20 labels
//!   5  monitors             ✗ not met          no monitors configured
//!   8  peer review          ○ unsigned         by ann in 0123456789, not read
//! ────────────────────────────────────────────────────────────────────────────────
//!  46 of 50 cases of the run support-v4 pass; more than 90.0 % must.
//!  → tuesday eval show support-v4
//!  ev-12 · run support-v4 · support at version 14 · ann Tue 09:31
//! ```
//! From 120 columns on, what was found stands beside the items.

use ratatui::layout::Rect;

use super::{ANSWER, DETAIL, EDGES, Edges, GateScreen, ITEMS, LIST, Laid, Open};
use crate::domain::gate::{Decision, Item, Verdict};
use crate::domain::{Outcome, label};
use crate::ops::gate::{CandidateLine, EdgeView, GateView, ItemView};
use crate::text::{Line, Role, Span, Style, clean, clean_line, figures, pad, truncate, wrap_line};
use crate::tui::canvas::{Canvas, below, inside};
use crate::tui::screen::Env;
use crate::tui::words::{line, one_line, span, words};

/// From this width on, what was found stands beside.
const WIDE: u16 = 120;
/// Columns of the items' titles and verdicts.
const TITLE: usize = 20;
const VERDICT: usize = 18;

/// The panes under the title: what is chosen from, and what is read.
struct Parts {
    list: Rect,
    text: Rect,
    /// The rule between them; down where they stand beside each other.
    rule: Rect,
    beside: bool,
}

/// `rows` is how many lines the list wants.
fn parts(area: Rect, rows: u16) -> Parts {
    let body = below(area, 2);
    if area.width >= WIDE {
        let left = area.width / 2;
        let list = inside(Rect { width: left, ..body });
        let rule = Rect { x: body.x + left, width: 1, ..body };
        let text = Rect { x: rule.x + 2, width: body.width.saturating_sub(left + 3), ..body };
        return Parts { list, text, rule, beside: true };
    }
    // What is read keeps a third of the room however long the list is.
    let rows = rows.min(body.height.saturating_sub(1) * 2 / 3);
    let list = inside(Rect { height: rows, ..body });
    let rule = Rect { height: 1.min(body.height - rows), ..below(body, rows) };
    Parts { list, text: inside(below(body, rows + 1)), rule, beside: false }
}

fn item_rows() -> u16 {
    u16::try_from(Item::ALL.len()).unwrap_or(10)
}

/// Lays out what is read, for the width that it has.
pub fn settle(screen: &mut GateScreen, area: Rect, env: &Env) {
    if let Some(list) = &mut screen.list {
        list.settle(env.page(LIST));
    }
    let Some(open) = &mut screen.open else { return };
    match &mut open.edges {
        Some(edges) => {
            let parts = parts(area, edge_rows(edges));
            if let Some(list) = &mut edges.list {
                list.settle(usize::from(parts.list.height));
            }
            let edge = edges.list.as_ref().and_then(|list| list.selected());
            let lines = edge.map_or_else(Vec::new, |edge| answer(edge, cols(parts.text)));
            lay(&mut edges.answer, lines, parts.text);
        }
        None => {
            let parts = parts(area, item_rows());
            open.items.settle(usize::from(parts.list.height));
            let lines = open.item().map_or_else(Vec::new, |item| detail(item, env, cols(parts.text)));
            lay(&mut open.detail, lines, parts.text);
        }
    }
}

fn cols(area: Rect) -> usize {
    usize::from(area.width.saturating_sub(2)).max(12)
}

fn lay(laid: &mut Laid, lines: Vec<Line>, place: Rect) {
    laid.lines = lines;
    laid.scroll.clamp(laid.lines.len(), usize::from(place.height).max(1));
}

fn head(canvas: &mut Canvas<'_>, area: Rect, left: &Line, right: &Line) {
    let row = inside(Rect { height: 1.min(area.height), ..area });
    let room = canvas.line_right(row, right);
    canvas.line(room, left);
    if area.height > 1 {
        canvas.rule(Rect { y: area.y + 1, height: 1, ..area });
    }
}

/// Draws what lies on top.
pub fn view(screen: &GateScreen, env: &Env, canvas: &mut Canvas<'_>, area: Rect) {
    match &screen.open {
        None => list(screen, env, canvas, area),
        Some(open) => match (&open.view, &open.edges) {
            (_, Some(edges)) => edge_cases(open, edges, canvas, area),
            (Some(view), None) => gate(open, view, canvas, area),
            (None, None) => {
                head(canvas, area, &name(open), &Line::default());
                canvas.line(inside(below(area, 2)), &line(Role::Muted, "looking at every item…"));
            }
        },
    }
}

fn name(open: &Open) -> Line {
    let label = match &open.view {
        Some(view) => view.prompt.clone(),
        None => format!("{}@{}", open.of.feature, open.of.version),
    };
    words().put(Style::of(Role::Heading), label).muted(" · gate").done()
}

// ---- the list of candidates

fn list(screen: &GateScreen, env: &Env, canvas: &mut Canvas<'_>, area: Rect) {
    let title =
        words().put(Style::of(Role::Heading), "Gates").muted(" · the deployment checklist by prompt version");
    let Some(list) = &screen.list else {
        head(canvas, area, &title.done(), &Line::default());
        return canvas.line(inside(below(area, 2)), &line(Role::Muted, "reading the prompts…"));
    };
    let count = figures::plural(list.rows().len(), "version");
    head(canvas, area, &title.done(), &line(Role::Muted, count));
    let body = inside(below(area, 2));
    if list.is_empty() {
        return canvas.lines(body, &empty(&screen.config.prompts_dir.display().to_string()));
    }
    let heading = format!("{:<32}{:<10}{:<26}since", "feature", "version", "gate");
    canvas.line(Rect { height: 1.min(body.height), ..body }, &line(Role::Muted, heading));
    list.view(canvas, below(body, 1), LIST, |canvas, row, one, _| canvas.line(row, &candidate(one, env)));
}

fn candidate(one: &CandidateLine, env: &Env) -> Line {
    let cell = |text: &str, wide: usize| pad(&truncate(&clean_line(text), wide - 1), wide).into_string();
    let version = if one.is_current { format!("{} ◆", one.version) } else { one.version.clone() };
    let start = words().plain(cell(&one.feature, 32)).plain(cell(&version, 10));
    match one.decided {
        None => start.muted("not looked at").done(),
        Some((at, decision)) => {
            let said = format!("{}, {} of 10 passed", decision.words(), one.passed);
            let when = figures::when(at.as_millisecond(), env.now_ms(), &env.zone);
            start.put(role_of(decision), cell(&said, 26)).muted(when).done()
        }
    }
}

fn role_of(decision: Decision) -> Role {
    match decision {
        Decision::Met => Role::Pass,
        Decision::NotMet => Role::Fail,
        Decision::Open => Role::Unsure,
    }
}

/// What to do while there is no prompt.
fn empty(folder: &str) -> Vec<Line> {
    vec![
        Line::default(),
        line(Role::Plain, "No prompt yet."),
        Line::default(),
        line(Role::Plain, "A gate holds one version of a prompt against the deployment checklist:"),
        line(Role::Plain, "what data proves is proved, the rest is signed by people. The versions of a"),
        line(Role::Plain, "prompt are files:"),
        Line::default(),
        line(Role::Key, format!("  {folder}/FEATURE/v1.txt, v2_current.txt")),
        Line::default(),
        line(Role::Plain, "What is asked can be set in gates/FEATURE.toml; the defaults and the words are"),
        line(Role::Plain, "in `tuesday gate --help`."),
    ]
}

// ---- one gate

fn gate(open: &Open, view: &GateView, canvas: &mut Canvas<'_>, area: Rect) {
    let role = Style::of(role_of(view.decision)).bold();
    let passed = view.items.iter().filter(|item| item.verdict.is_passed()).count();
    let tally = if area.width >= WIDE {
        format!(": {}", view.tally())
    } else {
        format!(" · {passed} of {} passed", view.items.len())
    };
    let right = words().put(role, view.decision.words()).muted(tally).done();
    head(canvas, area, &name(open), &right);
    let parts = parts(area, item_rows());
    open.items.view(canvas, parts.list, ITEMS, |canvas, row, at, _| {
        if let Some(item) = view.items.get(*at) {
            canvas.line(row, &item_line(item));
        }
    });
    divide(canvas, &parts);
    open.detail.scroll.view(canvas, parts.text, DETAIL, &open.detail.lines);
}

fn divide(canvas: &mut Canvas<'_>, parts: &Parts) {
    if parts.beside {
        canvas.rule_down(parts.rule);
    } else if parts.rule.height > 0 {
        canvas.rule(Rect { x: parts.rule.x, ..parts.rule });
    }
}

/// The mark of a verdict; the words beside it are for whoever sees no colours.
fn mark(verdict: Verdict) -> (Role, &'static str) {
    match verdict {
        Verdict::Met => (Role::Pass, "✓"),
        Verdict::NotMet => (Role::Fail, "✗"),
        Verdict::NotEnoughData => (Role::Unsure, "?"),
        Verdict::Stale => (Role::Alert, "~"),
        Verdict::Waived => (Role::Unsure, "w"),
        Verdict::Unsigned => (Role::Unsure, "○"),
        Verdict::Off => (Role::Muted, "–"),
    }
}

fn item_line(item: &ItemView) -> Line {
    let (role, glyph) = mark(item.verdict);
    words()
        .muted(format!("{:>2}  ", item.number))
        .plain(format!("{:<TITLE$}", item.title))
        .put(role, format!("{:<VERDICT$}", format!("{glyph} {}", item.verdict_words())))
        .plain(&item.figure)
        .done()
}

fn detail(item: &ItemView, env: &Env, cols: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut put = |text: Line, before: Span| {
        let wide = before.text.as_str().chars().count();
        let rest = span(Role::Plain, " ".repeat(wide));
        lines.extend(wrap_line(&text, cols, std::slice::from_ref(&before), std::slice::from_ref(&rest)));
    };
    put(line(Role::Plain, &item.words), span(Role::Plain, ""));
    for warning in &item.warnings {
        put(line(Role::Plain, warning), span(Role::Alert, "! "));
    }
    if let Some(waiver) = &item.waiver {
        let until = figures::date_clock(waiver.expires.as_millisecond(), &env.zone);
        put(line(Role::Plain, format!("until {until}")), span(Role::Unsure, "w "));
    }
    if let Some(next) = &item.next {
        put(line(Role::Key, next), span(Role::Muted, "→ "));
    }
    if let Some(evidence) = &item.evidence {
        let when = figures::when(evidence.at.as_millisecond(), env.now_ms(), &env.zone);
        let run = evidence.run.as_ref().map(|run| format!(" · run {run}"));
        let set = evidence.set.as_ref().map(|(set, version)| format!(" · {set} at version {version}"));
        let query = evidence.query.as_ref().map(|query| format!(" · {}", one_line(query)));
        let sha: String = evidence.prompt_sha256.chars().take(12).collect();
        let text = words()
            .muted(&evidence.id)
            .maybe(Role::Muted, run)
            .maybe(Role::Muted, set)
            .maybe(Role::Muted, query)
            .muted(format!(" · prompt {sha} · {} {when}", one_line(&evidence.by)));
        put(text.done(), span(Role::Muted, ""));
    }
    lines
}

// ---- edge cases

fn edge_rows(edges: &Edges) -> u16 {
    edges.list.as_ref().map_or(1, |list| u16::try_from(list.rows().len()).unwrap_or(u16::MAX)).clamp(1, 8)
}

fn edge_cases(open: &Open, edges: &Edges, canvas: &mut Canvas<'_>, area: Rect) {
    let title = words().line(&name(open)).muted(" · edge cases").done();
    let Some(list) = &edges.list else {
        head(canvas, area, &title, &Line::default());
        return canvas.line(inside(below(area, 2)), &line(Role::Muted, "reading the edge cases…"));
    };
    let labelled = list.rows().iter().filter(|edge| !edge.labels.is_empty()).count();
    let right = format!("{labelled} of {} labelled", list.rows().len());
    head(canvas, area, &title, &line(Role::Muted, right));
    if list.is_empty() {
        let text = "The run has no case of a kind that counts as an edge case.";
        return canvas.line(inside(below(area, 2)), &line(Role::Plain, text));
    }
    let parts = parts(area, edge_rows(edges));
    list.view(canvas, parts.list, EDGES, |canvas, row, edge, _| canvas.line(row, &edge_line(edge)));
    divide(canvas, &parts);
    edges.answer.scroll.view(canvas, parts.text, ANSWER, &edges.answer.lines);
}

fn verdict_mark(verdict: label::Verdict) -> (Role, &'static str) {
    crate::tui::screens::known::mark(verdict)
}

fn edge_line(edge: &EdgeView) -> Line {
    let cell = |text: &str, wide: usize| pad(&truncate(&clean_line(text), wide - 1), wide).into_string();
    let mut line = words();
    if edge.labels.is_empty() {
        line = line.muted(cell("no label", 18));
    } else {
        let (role, glyph) = verdict_mark(edge.labels[0].1);
        let who: Vec<String> = edge.labels.iter().map(|(who, _)| one_line(who)).collect();
        line = line.put(role, cell(&format!("{glyph} {} {}", edge.labels[0].1.word(), who.join(", ")), 18));
    }
    line.put(Role::Accent, cell(edge.result.case.as_str(), 12))
        .plain(cell(edge.result.category.raw(), 15))
        .muted(one_line(&edge.result.input.asked(200)))
        .done()
}

fn answer(edge: &EdgeView, cols: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut put = |name: &str, text: &str, role: Role| {
        let mut before = span(Role::Muted, format!("{name:<11}"));
        for text in clean(&text.into()).as_str().split('\n') {
            let rest = span(Role::Plain, " ".repeat(11));
            lines.extend(wrap_line(&line(role, text), cols, &[before], std::slice::from_ref(&rest)));
            before = rest;
        }
    };
    let result = &edge.result;
    put("input", result.input.asked(usize::MAX).raw(), Role::Plain);
    if let Some(expected) = &result.expected {
        put("expected", expected.raw(), Role::Plain);
    }
    match result.answer() {
        Some(answer) => put("answer", answer.output.plain_text().raw(), Role::Plain),
        None => put("no answer", "The target gave none: there is nothing to label.", Role::Alert),
    }
    let role = match result.outcome() {
        Outcome::Pass => Role::Pass,
        Outcome::Fail => Role::Fail,
        Outcome::Error => Role::Alert,
    };
    put("evaluators", result.outcome().word(), role);
    for (who, verdict) in &edge.labels {
        put("label", &format!("{} by {}", verdict.word(), who.raw()), verdict_mark(*verdict).0);
    }
    lines
}
