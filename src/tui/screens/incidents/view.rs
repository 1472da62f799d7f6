//! How incidents are drawn.
//!
//! ```text
//!  INC-7 SEV2 2/6 ASSESS  14m since 02:55  cmd mira
//!  Bad overdraft advice after prompt v4                        customer_support
//! ────────────────────────────────────────────────────────────────────────────────
//!  ✓ Detect   ▸ Assess   · Contain   · Fix   · Verify   · Post-mortem
//!  How bad, how many users, since when, which version?
//!   ✓ How bad, and how many users?                                       mira 2m
//!   · Since when?
//! ────────────────────────────────────────────────────────────────────────────────
//!  check · at most 3m
//!  requests     8,750   before 9,000
//!  Find the first bad hour, and enter it as the time it began. …
//! ```
//!
//! From 120 columns on, the timeline stands at the right.

use ratatui::layout::Rect;

use super::lines::{detail, mark, step_facts, timeline};
use super::panel::PanelCx;
use super::{DETAIL, Face, LIST, Laid, Open, STEPS, STORY, TIMELINE};
use crate::command::table::incidents as table;
use crate::domain::incident::span_words;
use crate::domain::runbook::{Phase, Severity};
use crate::ops::incident::{IncidentLine, IncidentView, PhaseState, header};
use crate::text::{Line, Role, Style, figures, markdown};
use crate::tui::canvas::{Canvas, Hit};
use crate::tui::screen::Env;
use crate::tui::view::header_line;
use crate::tui::widgets::list::List;
use crate::tui::words::{line, span, words};

/// Columns from which the timeline has a pane of its own.
const WIDE: u16 = 120;

/// Rows from which the panel and the text of the step both show.
const TALL: u16 = 32;

/// The list of incidents.
pub fn list(list: Option<&List<IncidentLine>>, env: &Env, canvas: &mut Canvas<'_>, area: Rect) {
    let inside = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    let Some(list) = list else {
        return canvas.line(inside, &line(Role::Muted, "reading the incidents…"));
    };
    let [title, rule, rows] = [0, 1, 2].map(|from| Rect {
        y: inside.y + from,
        height: if from == 2 { inside.height.saturating_sub(2) } else { 1 },
        ..inside
    });
    let open = list.rows().iter().filter(|line| line.head.state == "open").count();
    let count =
        words().put(Role::Title, "incidents").muted(format!("  {open} open of {}", list.rows().len()));
    canvas.line(title, &count.done());
    canvas.rule(Rect { x: area.x, width: area.width, ..rule });
    if list.is_empty() {
        let how = words().plain("No incidents. When something breaks: ").key(env.key(table::NEW));
        canvas.line(rows, &how.plain(" opens one.").done());
        return;
    }
    list.view(canvas, rows, LIST, |canvas, row, incident, _| {
        let state = match incident.head.outcome {
            None => line(
                Role::Alert,
                format!("{} {}/{}", incident.head.phase.title(), incident.steps_settled, incident.steps),
            ),
            Some(outcome) => line(Role::Muted, outcome.words()),
        };
        let opened = figures::when(incident.head.opened_at.as_millisecond(), env.now_ms(), &env.zone);
        let end = incident.head.closed_at.map_or(env.now, |at| at).as_millisecond();
        let took = u64::try_from(end - incident.head.opened_at.as_millisecond()).unwrap_or(0);
        let right = words()
            .line(&state)
            .muted(format!("  {opened:>12}  {:>7}  ", span_words(took)))
            .muted(incident.head.commander.raw())
            .done();
        let left = canvas.line_right(row, &right);
        let severity = incident.head.severity.map_or("SEV?", Severity::name);
        let role = if incident.head.state == "open" { Role::Alert } else { Role::Muted };
        let name = words().plain(format!("{:<8}", incident.head.id)).put(role, format!("{severity}  "));
        canvas.line(left, &name.plain(incident.head.title.raw()).done());
    });
}

/// Where the parts of an incident stand.
struct Parts {
    header: Rect,
    title: Rect,
    rule: Rect,
    /// All below the first rule, left of the timeline.
    main: Rect,
    rail: Rect,
    question: Rect,
    steps: Rect,
    lower_rule: Rect,
    /// The panel of the phase, where it shows.
    panel: Option<Rect>,
    /// The rows that the panel may take.
    panel_room: u16,
    /// The rule below it, where the text of the step stands below it.
    panel_rule: Option<Rect>,
    detail: Option<Rect>,
    timeline: Option<Rect>,
}

fn parts(open: &Open, area: Rect) -> Parts {
    let row = |y: u16| Rect { y: area.y + y, height: 1.min(area.height.saturating_sub(y)), ..area };
    let below = Rect { y: area.y + 3, height: area.height.saturating_sub(3), ..area };
    let pane = (area.width >= WIDE).then(|| (area.width * 2 / 5).min(90));
    let main = Rect { width: area.width - pane.unwrap_or(0), ..below };
    let timeline = pane.map(|width| Rect { x: main.right(), width, ..below });
    let steps = u16::try_from(open.phase().map_or(0, |phase| phase.steps.len())).unwrap_or(0);
    // The text of a step keeps a third of the room however many steps a phase has.
    let steps = steps.min(main.height.saturating_sub(3) * 2 / 3);
    let both = main.height >= TALL;
    let panel = super::panel::has_panel(open.phase) && (both || open.panels.shown);
    // A small screen keeps the step under the cursor in sight, with one on each side.
    let steps = if panel && !both { steps.min(3) } else { steps };
    let inner = |y: u16, height: u16| Rect {
        x: main.x + 1,
        y: main.y + y,
        width: main.width.saturating_sub(2),
        height: height.min(main.height.saturating_sub(y)),
    };
    let lower = inner(3 + steps, main.height.saturating_sub(3 + steps));
    // With both, the text of the step keeps a third, and the panel takes no more than it has to say.
    let room = if both { lower.height * 2 / 3 } else { lower.height };
    let said = u16::try_from(open.panels.rows()).unwrap_or(room).min(room);
    let panel = panel.then_some(Rect { height: if both { said } else { room }, ..lower });
    let below = panel.map(|panel| Rect {
        y: panel.bottom() + 1,
        height: lower.height.saturating_sub(panel.height + 1),
        ..lower
    });
    let detail = match below {
        None => Some(lower),
        Some(below) => both.then_some(below),
    };
    let panel_rule = detail.zip(panel).map(|(_, panel)| Rect {
        x: main.x,
        width: main.width,
        y: panel.bottom(),
        height: 1,
    });
    Parts {
        header: row(0),
        title: row(1),
        rule: row(2),
        main,
        rail: inner(0, 1),
        question: inner(1, 1),
        steps: inner(2, steps),
        lower_rule: Rect { x: main.x, width: main.width, ..inner(2 + steps, 1) },
        panel,
        panel_room: room,
        panel_rule,
        detail,
        timeline,
    }
}

/// Lays long texts out again when their width, or what they say, has changed.
pub fn settle(open: &mut Open, area: Rect, env: &Env) {
    let before = parts(open, area);
    if let Some(place) = before.panel {
        let of = PanelCx { view: open.view.as_ref(), ran: open.ran.as_ref(), env };
        open.panels.settle(open.phase, place.width, usize::from(before.panel_room), &of);
    }
    let Some(view) = &open.view else { return };
    let parts = parts(open, area);
    let stay = |laid: &mut Laid, place: Rect, lines: &dyn Fn(usize) -> Vec<Line>| {
        // A column for the position mark, and one between.
        let cols = usize::from(place.width.saturating_sub(2)).max(12);
        if laid.cols != cols {
            laid.lines = lines(cols);
            laid.cols = cols;
        }
        laid.scroll.clamp(laid.lines.len(), usize::from(place.height).max(1));
    };
    let step = open.step().cloned();
    let shown = open.figures.as_ref().map(|now| &now.figures);
    let (ran, watch) = (open.ran.as_ref(), open.watch.as_ref());
    stay(&mut open.detail, parts.detail.unwrap_or_default(), &|cols| match &step {
        Some(step) => detail(view, step, (shown, ran, watch), env, cols),
        None => vec![line(Role::Muted, "The runbook has no steps here.")],
    });
    let place = match (&open.face, parts.timeline) {
        (Face::Timeline, _) => Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..parts.main },
        (_, Some(pane)) => Rect { x: pane.x + 2, width: pane.width.saturating_sub(3), ..pane },
        (_, None) => parts.main,
    };
    let fresh = open.timeline.cols == 0;
    stay(&mut open.timeline, place, &|cols| timeline(view, &env.zone, cols));
    if fresh {
        // The end is what just happened.
        open.timeline.scroll.by(i64::MAX / 2, open.timeline.lines.len(), usize::from(place.height));
    }
    if let Face::Story(story) = &mut open.face
        && let Some(written) = &story.written
    {
        let place = Rect { x: area.x + 1, width: area.width.saturating_sub(2).min(110), ..parts.main };
        stay(&mut story.laid, place, &|cols| markdown(&written.markdown, cols));
    }
}

/// One incident.
pub fn incident(open: &Open, in_utc: bool, env: &Env, canvas: &mut Canvas<'_>, area: Rect) {
    let parts = parts(open, area);
    let inside = |row: Rect| Rect { x: row.x + 1, width: row.width.saturating_sub(2), ..row };
    let Some(view) = &open.view else {
        let what = words().put(Role::Title, &open.id).muted("  reading the incident…").done();
        return canvas.line(inside(parts.header), &what);
    };
    canvas.line(inside(parts.header), &head(view, env));
    let feature = view.head.feature.as_ref().map_or("all features", |feature| feature.raw());
    let right = words().muted(feature).maybe(Role::Accent, in_utc.then_some(" · times in UTC"));
    let left = canvas.line_right(inside(parts.title), &right.done());
    canvas.line(left, &line(Role::Plain, view.head.title.raw()));
    canvas.rule(parts.rule);
    match &open.face {
        Face::Timeline => {
            let place = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..parts.main };
            open.timeline.scroll.view(canvas, place, TIMELINE, &open.timeline.lines);
            return;
        }
        Face::Story(story) => {
            let place = Rect { x: area.x + 1, width: area.width.saturating_sub(2).min(110), ..parts.main };
            if story.written.is_none() {
                canvas.line(place, &line(Role::Muted, "writing the post-mortem…"));
            }
            story.laid.scroll.view(canvas, place, STORY, &story.laid.lines);
            return;
        }
        Face::Steps => {}
    }
    canvas.line(parts.rail, &rail(open, view, parts.rail.width));
    if let Some(phase) = open.phase() {
        let mut question = words().muted(phase.question);
        let mut room = parts.question;
        if phase.phase != view.head.phase {
            // It may be cut where it is long; what the keys would be about may not.
            let here = words().put(Role::Accent, "only looking · ").key(env.key(table::ENTER_PHASE));
            let here = here.put(Role::Accent, format!(" goes on to {}", phase.title));
            let back =
                words().put(Role::Accent, format!("only looking · it is in {}", view.head.phase.title()));
            let note = if phase.phase > view.head.phase { here.done() } else { back.done() };
            room = canvas.line_right(parts.question, &note);
        } else if let (true, Some(limit), Phase::Detect | Phase::Assess) =
            (phase.over_box, phase.box_ms, phase.phase)
        {
            let over = format!("Over the {} that it was to take: ", span_words(limit));
            question = words().put(Role::Alert, over).key(env.key(table::CONTAIN));
            question = question.put(Role::Alert, " contains anyway, the cause unknown");
        } else if let (true, Some(limit), Some(next)) = (phase.over_box, phase.box_ms, phase.phase.next()) {
            let meant =
                format!("Over the {} that it was to take: on to {}, ", span_words(limit), next.title());
            question =
                words().put(Role::Alert, meant).key(env.key(table::PHASE_ON)).put(Role::Alert, " then ");
            question = question.key(env.key(table::ENTER_PHASE));
        }
        canvas.line(room, &question.done());
    }
    steps(open, canvas, parts.steps);
    canvas.rule(parts.lower_rule);
    if let Some(place) = parts.panel {
        open.panels.view(canvas, place, env);
    }
    if let Some(rule) = parts.panel_rule {
        canvas.rule(rule);
    }
    if let Some(place) = parts.detail {
        open.detail.scroll.view(canvas, place, DETAIL, &open.detail.lines);
    }
    if let Some(pane) = parts.timeline {
        canvas.rule_down(Rect { width: 1, ..pane });
        let place = Rect { x: pane.x + 2, width: pane.width.saturating_sub(3), ..pane };
        open.timeline.scroll.view(canvas, place, TIMELINE, &open.timeline.lines);
    }
}

/// The line that never scrolls away, as of now.
fn head(view: &IncidentView, env: &Env) -> Line {
    let role = if view.head.closed_at.is_none() { Role::Alert } else { Role::Title };
    let mut head = words().line(&header_line(&header(view, env.now, &env.zone), Style::of(role).bold()));
    if let Some(seq) = view.record.broken_at {
        head = head.put(Role::Fail, format!("  RECORD CHANGED FROM OUTSIDE at {seq}"));
    }
    head.done()
}

/// The six phases; the one that is looked at is underlined.
fn rail(open: &Open, view: &IncidentView, width: u16) -> Line {
    let room = usize::from(width);
    let long: usize = view.phases.iter().map(|phase| phase.title.len() + 5).sum();
    let gap = if long <= room { "   " } else { " " };
    let mut rail = Line::default();
    for phase in &view.phases {
        let (glyph, role) = match phase.state {
            PhaseState::Now => ("▸ ", Role::Accent),
            PhaseState::Done => ("✓ ", Role::Pass),
            PhaseState::Left => ("○ ", Role::Unsure),
            PhaseState::Todo => ("· ", Role::Muted),
        };
        rail.push(span(role, glyph));
        let style = Style { underline: phase.phase == open.phase, ..Style::of(role) };
        rail.push(span(style, phase.title));
        rail.push(span(Role::Plain, gap));
    }
    rail
}

fn steps(open: &Open, canvas: &mut Canvas<'_>, area: Rect) {
    let Some(phase) = open.phase() else { return };
    canvas.pane(area, STEPS);
    let page = usize::from(area.height).max(1);
    let top = (open.step + 1).saturating_sub(page);
    for (row, (index, step)) in area.rows().zip(phase.steps.iter().enumerate().skip(top)) {
        let left = canvas.line_right(row, &step_facts(step));
        let mut name = Line::new(vec![span(Role::Plain, " "), mark(step.state)]);
        let role = if step.state.is_settled() { Role::Muted } else { Role::Plain };
        name.push(span(role, step.title.raw()));
        canvas.line(left, &name);
        canvas.hit(row, Hit::Row { pane: STEPS, index });
        if index == open.step {
            canvas.select(row);
        }
    }
}
