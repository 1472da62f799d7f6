//! What the incident knows, a panel a phase: figures, and lines that lead to the traces behind them.
//!
//! How each panel reads is in a file of its phase. A further panel is a variant of [`Panel`], its work in
//! [`PanelOf::run`], and its lines.

mod assess;
mod contain;
mod detect;
mod fix;
mod postmortem;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::layout::Rect;

use crate::command::Id;
use crate::command::table::app;
use crate::domain::runbook::Phase;
use crate::domain::{Error, Query, Result, Untrusted};
use crate::ops::Ctx;
use crate::ops::assess::{self as ops, AssessRequest, Assessment, Containment, Detection, Ready, Versions};
use crate::ops::incident::step::Ran;
use crate::ops::incident::{self, Configured, IncidentView, PostmortemView};
use crate::task::Cancel;
use crate::text::{Line, Role};
use crate::tui::canvas::{Canvas, Hit, Pane};
use crate::tui::screen::{Cx, Env};
use crate::tui::words::line;

/// The pane of the panel.
pub const PANEL: Pane = Pane("incident figures");
/// Figures that traces came in after are made anew after so long.
const FRESH_MS: i64 = 60_000;

/// Which panel is wanted, and of what: work for a worker thread.
#[derive(Debug, Clone, PartialEq)]
pub struct PanelOf {
    /// The incident.
    pub id: String,
    /// The phase.
    pub phase: Phase,
    /// The rules that alerts are of, and where the team's prompts lie.
    pub by: Configured,
    /// Of the times in texts.
    pub zone: TimeZone,
}

/// What a panel shows.
#[derive(Debug, Clone, PartialEq)]
pub enum Panel {
    Detect(Box<Detection>),
    Assess(Box<Assessment>),
    Contain(Box<Containment>),
    Fix(Box<Versions>),
    Postmortem(Box<PostmortemView>),
}

impl PanelOf {
    /// Does the work; blocks.
    pub fn run(&self, ctx: &Ctx, cancel: &Cancel) -> Result<Panel> {
        match self.phase {
            Phase::Detect => {
                ops::detect(ctx, &self.id, &self.by.monitors, cancel).map(Box::new).map(Panel::Detect)
            }
            Phase::Contain => ops::contain(ctx, &self.id, cancel).map(Box::new).map(Panel::Contain),
            Phase::Fix => ops::versions(ctx, &self.by.team, &self.id, cancel).map(Box::new).map(Panel::Fix),
            Phase::Postmortem => incident::postmortem(ctx, &self.by, &self.id, &self.zone, cancel)
                .map(Box::new)
                .map(Panel::Postmortem),
            _ => {
                ops::assess(ctx, &self.id, AssessRequest::default(), cancel).map(Box::new).map(Panel::Assess)
            }
        }
    }
}

/// Whether a phase has a panel.
pub fn has_panel(phase: Phase) -> bool {
    phase != Phase::Verify
}

/// Where a line leads.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    Trace(Untrusted),
    Traces(String),
    Incident(String),
}

/// The lines of a panel, and where some of them lead.
#[derive(Debug, Default, PartialEq)]
pub struct Lines {
    lines: Vec<Line>,
    targets: Vec<(usize, Target)>,
}

impl Lines {
    /// Adds a line.
    pub fn put(&mut self, line: impl Into<Line>) {
        self.lines.push(line.into());
    }

    /// Adds a line that leads somewhere.
    pub fn lead(&mut self, line: impl Into<Line>, to: Target) {
        self.targets.push((self.lines.len(), to));
        self.lines.push(line.into());
    }
}

/// What the lines of a panel are made of besides its figures.
pub struct PanelCx<'a> {
    /// The incident.
    pub view: Option<&'a IncidentView>,
    /// What came of the step that was run last.
    pub ran: Option<&'a Ran>,
    /// Keys, time and zone.
    pub env: &'a Env,
}

/// The panels of the incident on screen.
#[derive(Debug, Default)]
pub struct Panels {
    made: BTreeMap<Phase, (std::result::Result<Panel, String>, Timestamp)>,
    /// The panel stands where the text of the step does, on a small screen.
    pub shown: bool,
    /// The keys move in the panel.
    pub entered: bool,
    /// The line under the cursor, counted in those that lead somewhere.
    at: usize,
    /// What stands in the way of the steps that act, by their ids; why it is not known.
    ready: Option<(std::result::Result<Vec<Ready>, String>, Timestamp)>,
    laid: Lines,
    laid_for: Option<(Phase, usize, usize)>,
    top: usize,
}

impl Panels {
    /// Goes to another phase: its panel shows.
    pub fn come(&mut self) {
        (self.shown, self.entered, self.at, self.top, self.laid_for) = (true, false, 0, 0, None);
    }

    /// The text of a step is wanted.
    pub fn leave(&mut self) {
        (self.shown, self.entered) = (false, false);
    }

    /// Whether the panel of a phase must be made, `now`.
    pub fn wants(&self, phase: Phase, now: Timestamp) -> bool {
        let old = |at: &Timestamp| now.as_millisecond() - at.as_millisecond() >= FRESH_MS;
        has_panel(phase) && self.made.get(&phase).is_none_or(|(_, at)| old(at))
    }

    /// Forgets what was made: the incident is about something else now.
    pub fn forget(&mut self) {
        self.made.clear();
        self.laid_for = None;
    }

    /// What stands beside the figures has changed.
    pub fn lay_out_again(&mut self) {
        self.laid_for = None;
    }

    /// Whether it must be looked again what stands in the way of the steps that act.
    pub fn wants_preflight(&self, now: Timestamp) -> bool {
        self.ready.as_ref().is_none_or(|(_, at)| now.as_millisecond() - at.as_millisecond() >= FRESH_MS)
    }

    /// Takes what stands in the way of the steps that act.
    pub fn ready(&mut self, ready: Vec<Ready>, now: Timestamp) {
        self.ready = Some((Ok(ready), now));
        self.laid_for = None;
    }

    /// That could not be found out.
    pub fn not_ready(&mut self, error: &Error, now: Timestamp) {
        self.ready = Some((Err(error.what.clone()), now));
        self.laid_for = None;
    }

    /// How severe the figures say that it is, once that is known.
    fn severity(&self) -> Option<String> {
        match self.made.get(&Phase::Assess) {
            Some((Ok(Panel::Assess(of)), _)) => {
                let rows = ops::rows(of, &TimeZone::UTC);
                rows.into_iter().find(|(label, _)| *label == "severity").map(|(_, words)| words)
            }
            Some((Err(_), _)) => Some("not known from the figures".to_owned()),
            _ => None,
        }
    }

    /// Takes what was made of a phase. A failure stands in the panel: it is one of figures, not of the incident.
    pub fn take(&mut self, phase: Phase, made: Result<Panel>, now: Timestamp) {
        let made = made.map_err(|error: Error| {
            let hints: Vec<String> = error.hints.iter().map(|hint| format!(" {hint}")).collect();
            format!("{}{}", error.what, hints.join(""))
        });
        self.made.insert(phase, (made, now));
        self.laid_for = None;
    }

    /// Lays the panel of a phase out for so many columns and rows at most.
    pub fn settle(&mut self, phase: Phase, width: u16, rows: usize, of: &PanelCx<'_>) {
        let zone = &of.env.zone;
        let severity = self.severity();
        let cols = usize::from(width.saturating_sub(2)).max(40);
        if self.laid_for != Some((phase, cols, rows)) {
            self.laid = match self.made.get(&phase).map(|(made, _)| made) {
                None => {
                    let mut lines = Lines::default();
                    lines.put(line(Role::Muted, "reading the traces…"));
                    lines
                }
                Some(Err(why)) => {
                    let mut lines = Lines::default();
                    for text in crate::text::wrap_line(&line(Role::Fail, why), cols, &[], &[]) {
                        lines.put(text);
                    }
                    lines
                }
                Some(Ok(Panel::Detect(made))) => {
                    let answers = detect::answers(severity.as_deref(), made.alert.is_some(), of, cols);
                    detect::lines(made, answers, zone, (cols, rows))
                }
                Some(Ok(Panel::Assess(made))) => assess::lines(made, zone, cols, rows),
                Some(Ok(Panel::Contain(made))) => {
                    let ready = self.ready.as_ref().map(|(ready, _)| ready);
                    contain::lines(made, ready, of, cols)
                }
                Some(Ok(Panel::Fix(made))) => fix::lines(made, zone, cols),
                Some(Ok(Panel::Postmortem(made))) => postmortem::lines(made, zone, cols),
            };
            self.laid_for = Some((phase, cols, rows));
        }
        self.at = self.at.min(self.laid.targets.len().saturating_sub(1));
        let (page, all) = (rows.max(1), self.laid.lines.len());
        if let (true, Some((row, _))) = (self.entered, self.laid.targets.get(self.at)) {
            if *row < self.top {
                self.top = *row;
            } else if *row >= self.top + page {
                self.top = row + 1 - page;
            }
        }
        self.top = self.top.min(all.saturating_sub(page));
    }

    /// How many lines the panel has.
    pub fn rows(&self) -> usize {
        self.laid.lines.len()
    }

    /// Goes into the panel where a line leads somewhere, or out of it.
    pub fn enter(&mut self) {
        self.shown = true;
        self.entered = !self.entered && !self.laid.targets.is_empty();
    }

    /// Moves in the panel; false for a command that does not.
    pub fn command(&mut self, id: Id, cx: &mut Cx<'_>) -> bool {
        let last = self.laid.targets.len().saturating_sub(1);
        match id {
            app::DOWN => self.at = (self.at + 1).min(last),
            app::UP => self.at = self.at.saturating_sub(1),
            app::TOP => self.at = 0,
            app::BOTTOM => self.at = last,
            app::BACK => self.entered = false,
            app::OPEN => self.open(self.at, cx),
            _ => return false,
        }
        true
    }

    /// A line was clicked: the first click goes there, the next one follows it.
    pub fn clicked(&mut self, at: usize, cx: &mut Cx<'_>) {
        if self.entered && self.at == at {
            self.open(at, cx);
        }
        (self.shown, self.entered, self.at) = (true, true, at);
    }

    /// The wheel was turned over it.
    pub fn wheel(&mut self, rows: i32, page: usize) {
        let to = i64::try_from(self.top).unwrap_or(0) + i64::from(rows);
        self.top = usize::try_from(to).unwrap_or(0).min(self.laid.lines.len().saturating_sub(page));
    }

    fn open(&self, at: usize, cx: &mut Cx<'_>) {
        match self.laid.targets.get(at).map(|(_, target)| target) {
            Some(Target::Trace(id)) => cx.open_trace(id.clone()),
            Some(Target::Traces(query)) => match Query::parse(query) {
                Ok(query) => cx.open_traces(query),
                Err(error) => cx.fail(error.into()),
            },
            Some(Target::Incident(name)) => cx.wish(crate::tui::screen::Wish::Incident(name.clone())),
            None => {}
        }
    }

    /// Draws it.
    pub fn view(&self, canvas: &mut Canvas<'_>, area: Rect, _env: &Env) {
        canvas.pane(area, PANEL);
        let page = usize::from(area.height);
        let text = Rect { width: area.width.saturating_sub(2), ..area };
        for (row, (number, line)) in text.rows().zip(self.laid.lines.iter().enumerate().skip(self.top)) {
            canvas.line(row, line);
            let leads = self.laid.targets.iter().position(|(at, _)| *at == number);
            if let Some(index) = leads {
                canvas.hit(row, Hit::Row { pane: PANEL, index });
                if self.entered && index == self.at {
                    canvas.select(row);
                }
            }
        }
        if self.laid.lines.len() > page {
            crate::tui::widgets::scroll::bar(canvas, area, self.top, page, self.laid.lines.len());
        }
    }
}
