//! Incidents: the list, one incident with its steps and timeline, and its post-mortem.
//!
//! What a key does is in `commands`; what a person is asked in `asks`; how it looks in `view` and `lines`; what
//! the store is asked in `work`, and what becomes of its answers in `answers`.

mod answers;
mod asks;
mod commands;
mod find;
mod lines;
mod open;
mod panel;
mod run_step;
#[cfg(test)]
mod tests;
mod view;
mod watch;
mod work;

pub use work::{Answer, Request};

use ratatui::layout::Rect;

use self::asks::Asked;
use self::open::{Face, Laid, Open, Story};
use self::panel::PanelOf;
use crate::command::table::{app, incidents as table};
use crate::command::{Id, Place, When};
use crate::ops::incident::{Act, Configured, IncidentLine};
use crate::ops::watch::Changes;
use crate::tui::canvas::{Canvas, Pane};
use crate::tui::jobs::Job;
use crate::tui::overlays::{Reply, Tag};
use crate::tui::screen::{Cx, Env, Handled, Screen};
use crate::tui::widgets::list::List;

const LIST: Pane = Pane("incidents");
const STEPS: Pane = Pane("incident steps");
const DETAIL: Pane = Pane("incident step");
const TIMELINE: Pane = Pane("incident timeline");
const STORY: Pane = Pane("postmortem");

/// The state of the screen.
#[derive(Debug, Default)]
pub struct IncidentsScreen {
    list: Option<List<IncidentLine>>,
    open: Option<Open>,
    asked: Option<Asked>,
    /// The steps that act and were let, until it is known what came of them.
    carried: Vec<Carried>,
    /// `I` was pressed before the list was there.
    declaring: bool,
}

/// A step that acts and is carried out, or waits for the one before it.
#[derive(Debug)]
struct Carried {
    incident: String,
    step: String,
    title: String,
    since: jiff::Timestamp,
}

/// What the team's configuration says that the panels and the post-mortem need.
fn configured(cx: &Cx<'_>) -> Configured {
    Configured { monitors: cx.env.monitors.clone(), team: cx.env.team.clone() }
}

impl IncidentsScreen {
    /// The program has started: an open incident stands in the header of every screen.
    pub fn started(&mut self, cx: &mut Cx<'_>) {
        Self::refresh_list(cx);
    }

    /// Comes from another screen to the incident of this name.
    pub fn come(&mut self, name: &str) {
        self.open = Some(Open::new(name.to_owned()));
    }

    /// Whether an incident is on the screen, with a header of its own.
    pub fn shows_header(&self) -> bool {
        self.open.is_some()
    }

    /// Goes to the open incident, or asks for the title of a new one, once the list is known.
    pub fn declare(&mut self) {
        self.declaring = true;
    }

    /// The work that shows one incident, and counts what it did.
    fn show(&mut self, id: &str, cx: &mut Cx<'_>) {
        if self.open.as_ref().is_none_or(|open| open.id != id) {
            self.open = Some(Open::new(id.to_owned()));
        }
        cx.start(Job::replace(
            "incident",
            "reading the incident",
            Request::Show { id: id.to_owned() }.into(),
        ));
        self.count(cx);
    }

    fn read_again(&self, cx: &mut Cx<'_>) {
        let Some(open) = &self.open else { return };
        let request = Request::Show { id: open.id.clone() };
        cx.start(Job::replace("incident", "reading the incident", request.into()));
    }

    fn count(&self, cx: &mut Cx<'_>) {
        let Some(open) = &self.open else { return };
        let request = Request::Figures { id: open.id.clone() };
        cx.start(Job::replace("incident figures", "counting what it did", request.into()));
    }

    /// Has the panel of the phase on screen made, unless it is fresh.
    fn fill_panel(&self, cx: &mut Cx<'_>) {
        let Some(open) = self.open.as_ref().filter(|open| open.view.is_some()) else { return };
        if open.panels.wants(open.phase, cx.env.now) {
            let of = PanelOf {
                id: open.id.clone(),
                phase: open.phase,
                by: configured(cx),
                zone: cx.env.zone.clone(),
            };
            cx.start(Job::replace("incident panel", "reading the traces", Request::Panel(of).into()));
        }
    }

    fn refresh_list(cx: &mut Cx<'_>) {
        cx.start(Job::replace("incidents", "reading the incidents", Request::List.into()));
    }

    /// Starts what a person wants done.
    fn act(request: Request, cx: &mut Cx<'_>) {
        cx.start(Job::queue("incident act", "writing the record", request.into()));
    }

    /// Acts in the incident on screen; `said` is for the status line.
    fn acts(&self, acts: Vec<Act>, said: impl Into<String>, cx: &mut Cx<'_>) {
        if let Some(open) = &self.open {
            Self::act(Request::Act { id: open.id.clone(), acts, said: said.into() }, cx);
        }
    }

    fn read_story(&mut self, cx: &mut Cx<'_>) {
        let Some(open) = &mut self.open else { return };
        if !matches!(open.face, Face::Story(_)) {
            open.face = Face::Story(Box::new(Story { written: None, laid: Laid::default() }));
        }
        let (by, zone) = (configured(cx), cx.env.zone.clone());
        let request = Request::Postmortem { id: open.id.clone(), by, zone };
        cx.start(Job::replace("postmortem", "writing the post-mortem", request.into()));
    }
}

impl Screen for IncidentsScreen {
    fn place(&self) -> Place {
        match self.open.as_ref().map(|open| &open.face) {
            None => Place::Incidents,
            Some(Face::Story(_)) => Place::Postmortem,
            Some(_) => Place::Incident,
        }
    }

    fn view(&self, env: &Env, canvas: &mut Canvas<'_>, area: Rect) {
        match &self.open {
            Some(open) => view::incident(open, env, canvas, area),
            None => view::list(self.list.as_ref(), env, canvas, area),
        }
    }

    fn command(&mut self, id: Id, cx: &mut Cx<'_>) -> Handled {
        if self.open.is_some() { self.in_incident(id, cx) } else { self.in_list(id, cx) }
    }

    fn holds(&self, when: When) -> bool {
        let Some(view) = self.open.as_ref().and_then(|open| open.view.as_ref()) else { return false };
        match when {
            table::IS_OPEN => view.head.closed_at.is_none(),
            table::IS_CLOSED => view.head.closed_at.is_some(),
            _ => false,
        }
    }

    fn clicked(&mut self, pane: Pane, index: usize, cx: &mut Cx<'_>) {
        match (pane, &mut self.open, &mut self.list) {
            (STEPS, Some(open), _) => open.move_to(index),
            (panel::PANEL, Some(open), _) => open.panels.clicked(index, cx),
            (LIST, None, Some(list)) => {
                if list.selected_index() == index {
                    let _ = self.in_list(app::OPEN, cx);
                } else {
                    list.select(index);
                }
            }
            _ => {}
        }
    }

    fn wheel(&mut self, pane: Pane, rows: i32, cx: &mut Cx<'_>) {
        let page = cx.env.page(pane);
        match (pane, &mut self.open, &mut self.list) {
            (LIST, None, Some(list)) => {
                list.by(i64::from(rows));
                list.settle(page);
            }
            (panel::PANEL, Some(open), _) => open.panels.wheel(rows, page),
            (_, Some(open), _) => {
                let laid = match (pane, &mut open.face) {
                    (DETAIL, _) => &mut open.detail,
                    (TIMELINE, _) => &mut open.timeline,
                    (STORY, Face::Story(story)) => &mut story.laid,
                    _ => return,
                };
                laid.scroll.by(i64::from(rows), laid.lines.len(), page);
            }
            _ => {}
        }
    }

    fn shown(&mut self, cx: &mut Cx<'_>) {
        Self::refresh_list(cx);
        if let Some(open) = &self.open {
            let id = open.id.clone();
            self.show(&id, cx);
        }
    }

    fn replied(&mut self, _tag: Tag, reply: Reply, cx: &mut Cx<'_>) {
        if let Some(asked) = self.asked.take() {
            self.answer(asked, reply, cx);
        }
    }

    fn ticks(&self) -> bool {
        let view = self.open.as_ref().and_then(|open| open.view.as_ref());
        view.is_some_and(|view| view.head.closed_at.is_none())
    }

    fn tick(&mut self, cx: &mut Cx<'_>) {
        self.read_again(cx);
        self.look_again(cx);
    }

    fn changed(&mut self, changes: Changes, cx: &mut Cx<'_>) {
        if changes.work {
            Self::refresh_list(cx);
            self.read_again(cx);
        }
        if changes.traces {
            self.count(cx);
            self.look_again(cx);
            self.fill_panel(cx);
        }
    }

    fn settle(&mut self, area: Rect, env: &Env) {
        if let Some(open) = &mut self.open {
            view::settle(open, area, env);
        }
    }
}
