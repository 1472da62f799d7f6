//! Incidents: the list, one incident with its steps and timeline, and its post-mortem.
//!
//! What a person is asked is in `asks`; how it looks in `view` and `lines`; what the store is asked in `work`.

mod asks;
mod find;
mod lines;
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
use self::panel::{PanelOf, Panels};
use super::evals::promote_traces;
use crate::command::table::{app, incidents as table};
use crate::command::{Id, Place, When};
use crate::domain::Result;
use crate::domain::runbook::Phase;
use crate::ops::incident::step::{Ran, WatchView};
use crate::ops::incident::{
    Act, FiguresNow, IncidentLine, IncidentView, PhaseView, PostmortemView, StepView,
};
use crate::ops::watch::Changes;
use crate::text::Line;
use crate::tui::canvas::{Canvas, Pane};
use crate::tui::effect::Effect;
use crate::tui::jobs::Job;
use crate::tui::overlays::{Reply, Tag};
use crate::tui::screen::{Cx, Env, Handled, Screen, Wish};
use crate::tui::widgets::list::List;
use crate::tui::widgets::scroll::Scroll;
use crate::tui::words::words;

const LIST: Pane = Pane("incidents");
const STEPS: Pane = Pane("incident steps");
const DETAIL: Pane = Pane("incident step");
const TIMELINE: Pane = Pane("incident timeline");
const STORY: Pane = Pane("postmortem");

/// Commands on the step under the cursor: its text is what they are about.
const ON_STEP: [Id; 6] = [table::RUN, table::DONE, table::BEGIN, table::SKIP, table::REOPEN, table::OWNER];

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

/// The incident on screen.
#[derive(Debug)]
struct Open {
    id: String,
    view: Option<IncidentView>,
    figures: Option<FiguresNow>,
    /// What came of the step that was run last.
    ran: Option<Ran>,
    /// How the watch stands.
    watch: Option<WatchView>,
    /// The phase that is looked at.
    phase: Phase,
    /// The step under the cursor, counted in its phase.
    step: usize,
    face: Face,
    detail: Laid,
    timeline: Laid,
    panels: Panels,
}

/// What is shown of the incident.
#[derive(Debug)]
enum Face {
    Steps,
    Timeline,
    Story(Box<Story>),
}

/// The post-mortem on screen.
#[derive(Debug)]
struct Story {
    /// Missing while it is being written.
    written: Option<PostmortemView>,
    laid: Laid,
}

/// Lines laid out for a width, and how far they are scrolled.
#[derive(Debug, Default)]
struct Laid {
    lines: Vec<Line>,
    /// Columns that they were laid out for; 0: not laid out.
    cols: usize,
    scroll: Scroll,
}

impl Open {
    fn new(id: String) -> Self {
        Self {
            id,
            view: None,
            figures: None,
            ran: None,
            watch: None,
            phase: Phase::Detect,
            step: 0,
            face: Face::Steps,
            detail: Laid::default(),
            timeline: Laid::default(),
            panels: Panels::default(),
        }
    }

    /// The phase that is looked at.
    fn phase(&self) -> Option<&PhaseView> {
        self.view.as_ref()?.phases.iter().find(|view| view.phase == self.phase)
    }

    /// The step under the cursor.
    fn step(&self) -> Option<&StepView> {
        self.phase()?.steps.get(self.step)
    }

    /// Takes the incident as it is now. The cursor follows the work: to the phase that was entered, or to
    /// the next open step when the one under it was settled.
    fn take(&mut self, view: IncidentView) {
        let before = self.view.replace(view);
        let Some(now) = &self.view else { return };
        let phase = now.head.phase;
        match &before {
            None => self.look_at(phase),
            Some(before) if before.head.phase != phase => self.look_at(phase),
            Some(before) => {
                let was_open =
                    before.phases.iter().flat_map(|phase| &phase.steps).any(|old| {
                        self.step().is_some_and(|step| step.id == old.id) && !old.state.is_settled()
                    });
                let settled = self.step().is_some_and(|step| step.state.is_settled());
                if was_open && settled {
                    let next = self.phase().and_then(|phase| {
                        let open = |at: &usize| !phase.steps[*at].state.is_settled();
                        (self.step + 1..phase.steps.len()).find(open).or_else(|| (0..self.step).find(open))
                    });
                    self.step = next.unwrap_or(self.step);
                }
            }
        }
        self.lay_out_again();
    }

    /// Looks at a phase; the cursor is on its first open step.
    fn look_at(&mut self, phase: Phase) {
        self.phase = phase;
        self.step = self
            .phase()
            .and_then(|phase| phase.steps.iter().position(|step| !step.state.is_settled()))
            .unwrap_or(0);
        self.detail = Laid::default();
        self.panels.come();
    }

    fn move_to(&mut self, step: usize) {
        let last = self.phase().map_or(0, |phase| phase.steps.len().saturating_sub(1));
        self.step = step.min(last);
        self.detail = Laid::default();
        self.panels.leave();
    }

    fn lay_out_again(&mut self) {
        self.detail.cols = 0;
        self.timeline.cols = 0;
    }

    /// What scrolls with the keys: the timeline or the post-mortem when it has the screen.
    fn reading(&mut self) -> Option<(Pane, &mut Laid)> {
        match &mut self.face {
            Face::Steps => None,
            Face::Timeline => Some((TIMELINE, &mut self.timeline)),
            Face::Story(story) => Some((STORY, &mut story.laid)),
        }
    }
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
                monitors: cx.env.monitors.clone(),
                team: cx.env.team.clone(),
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
        let request = Request::Postmortem { id: open.id.clone(), zone: cx.env.zone.clone() };
        cx.start(Job::replace("postmortem", "writing the post-mortem", request.into()));
    }

    /// Takes the answer of a request.
    pub fn answered(&mut self, request: Request, result: Result<Answer>, cx: &mut Cx<'_>) {
        if let Request::Run { id, step, .. } = &request {
            self.carried.retain(|of| of.incident != *id || of.step != *step);
        }
        let answer = match result {
            Ok(answer) => answer,
            Err(error) => {
                // Figures are a help; a store without traffic to count is told where they stand.
                return cx.fail(error);
            }
        };
        match answer {
            Answer::List(lines) => self.listed(lines, cx),
            Answer::Incident(view) => self.told(&request, *view, cx),
            Answer::Figures(figures) => {
                if let (Some(open), Request::Figures { id }) = (&mut self.open, &request)
                    && open.id == *id
                {
                    open.figures = Some(*figures);
                    open.detail.cols = 0;
                }
            }
            Answer::Panel(made) => {
                if let (Some(open), Request::Panel(of)) = (&mut self.open, &request)
                    && open.id == of.id
                {
                    open.panels.take(of.phase, made, cx.env.now);
                }
            }
            Answer::Postmortem(written) => {
                if let Some(open) = &mut self.open
                    && let Face::Story(story) = &mut open.face
                {
                    story.laid.cols = 0;
                    story.written = Some(written);
                }
            }
            Answer::Plan(plan) => self.planned(*plan, cx),
            Answer::Ran(ran) => self.ran(&request, *ran, cx),
            Answer::Watch(watch) => {
                if let Some(open) = self.open.as_mut().filter(|open| open.id == watch.incident) {
                    // It may have ended the step.
                    let over = open.watch.as_ref().is_some_and(|before| before.state != watch.state);
                    open.watch = Some(*watch);
                    open.detail.cols = 0;
                    if over {
                        self.read_again(cx);
                    }
                }
            }
            Answer::Draft(text) => {
                if let Request::Draft { id } = &request
                    && self.open.as_ref().is_some_and(|open| open.id == *id)
                {
                    self.ask_update(&text, cx);
                }
            }
            Answer::Saved => {
                if let Request::Save { path, .. } = &request {
                    cx.say(words().plain("wrote ").plain(path.display().to_string()).done());
                }
            }
            Answer::IsThere => self.ask_to_replace(request, cx),
        }
    }

    fn listed(&mut self, lines: Vec<IncidentLine>, cx: &mut Cx<'_>) {
        let open: Vec<&IncidentLine> = lines.iter().filter(|line| line.head.state == "open").collect();
        cx.wish(Wish::Standing(open.first().map(|line| (Box::new((*line).clone()), open.len() - 1))));
        let first_open = lines.iter().find(|line| line.head.state == "open").map(|line| line.head.id.clone());
        match &mut self.list {
            Some(list) => list.replace(lines, |a, b| a.head.id == b.head.id),
            None => self.list = Some(List::whole(lines)),
        }
        if std::mem::take(&mut self.declaring) {
            match first_open {
                Some(id) => self.show(&id, cx),
                None => self.ask_title(cx),
            }
        }
    }

    /// Takes an incident as it is after an act, or as it was read.
    fn told(&mut self, request: &Request, view: IncidentView, cx: &mut Cx<'_>) {
        let said = match request {
            Request::Act { said, .. } => Some(said.clone()),
            Request::Open { .. } => Some(format!("opened {}", view.head.id)),
            Request::Attach { .. } | Request::AttachQuery { .. } => Some("attached as evidence".to_owned()),
            Request::Approve { .. } => Some("approved: they can run it now".to_owned()),
            Request::KeepFigures { .. } => Some("figures kept in the record".to_owned()),
            Request::Close { .. } => {
                Some(format!("closed {}; what is missing stands at the end", view.head.id))
            }
            _ => None,
        };
        if let Some(said) = said {
            cx.say(words().plain(said).done());
        }
        if let Request::Open { .. } = request {
            self.show(&view.head.id, cx);
            Self::refresh_list(cx);
        }
        let Some(open) = self.open.as_mut().filter(|open| open.id == view.head.id) else { return };
        let counts = open.view.as_ref().is_some_and(|before| {
            (before.began_at, &before.head.feature) != (view.began_at, &view.head.feature)
        });
        let in_story = matches!(open.face, Face::Story(_));
        let first = open.view.is_none();
        open.take(view);
        if counts {
            open.panels.forget();
            self.count(cx);
        }
        if first {
            self.look_again(cx);
        }
        self.fill_panel(cx);
        if in_story || matches!(request, Request::Close { .. }) {
            self.read_story(cx);
        }
        if request.is_act() {
            Self::refresh_list(cx);
        }
    }

    /// Opens the promotion form on the traces attached as evidence.
    fn promote(&mut self, cx: &mut Cx<'_>) {
        let Some(view) = self.open.as_ref().and_then(|open| open.view.as_ref()) else { return };
        let traces: Vec<_> = view.evidence.iter().map(|trace| trace.id.clone()).collect();
        if traces.is_empty() {
            let attach = cx.env.key(table::ATTACH);
            cx.say(
                words()
                    .plain("no traces are attached as evidence yet; ")
                    .key(attach)
                    .plain(" attaches")
                    .done(),
            );
        } else {
            cx.start(promote_traces(traces));
        }
    }

    fn leave(&mut self, cx: &mut Cx<'_>) -> Handled {
        let Some(open) = &mut self.open else { return Handled::No };
        if matches!(open.face, Face::Steps) {
            self.open = None;
            Self::refresh_list(cx);
        } else {
            open.face = Face::Steps;
        }
        Handled::Yes
    }

    fn in_list(&mut self, id: Id, cx: &mut Cx<'_>) -> Handled {
        match id {
            table::NEW => self.ask_title(cx),
            table::DRILL => {
                let args = ["incident", "drill"].map(str::to_owned).to_vec();
                cx.wish(Wish::Effect(Effect::RunItself { args }));
            }
            app::FIND => self.ask_find(cx),
            app::OPEN => {
                let Some(line) = self.list.as_ref().and_then(List::selected) else { return Handled::Yes };
                let id = line.head.id.clone();
                self.show(&id, cx);
            }
            _ => {
                let moved = self.list.as_mut().is_some_and(|list| list.command(id, cx.env.page(LIST)));
                return if moved { Handled::Yes } else { Handled::No };
            }
        }
        Handled::Yes
    }

    /// Moving about in the incident.
    fn moved(&mut self, id: Id, env: &Env) -> bool {
        let Some(open) = &mut self.open else { return false };
        if let Some((pane, laid)) = open.reading() {
            return laid.scroll.command(id, laid.lines.len(), env.page(pane));
        }
        match id {
            app::DOWN => open.move_to(open.step + 1),
            app::UP => open.move_to(open.step.saturating_sub(1)),
            app::TOP => open.move_to(0),
            app::BOTTOM => open.move_to(usize::MAX),
            table::PHASE_BACK | app::LEFT => {
                if let Some(phase) = open.phase.previous() {
                    open.look_at(phase);
                }
            }
            table::PHASE_ON | app::RIGHT => {
                if let Some(phase) = open.phase.next() {
                    open.look_at(phase);
                }
            }
            // What is left scrolls the text of the step.
            _ => return open.detail.scroll.command(id, open.detail.lines.len(), env.page(DETAIL)),
        }
        true
    }

    fn in_incident(&mut self, id: Id, cx: &mut Cx<'_>) -> Handled {
        if let Some(open) =
            self.open.as_mut().filter(|open| open.panels.entered && matches!(open.face, Face::Steps))
            && open.panels.command(id, cx)
        {
            return Handled::Yes;
        }
        if ON_STEP.contains(&id)
            && let Some(open) = &mut self.open
        {
            open.panels.leave();
        }
        match id {
            table::RUN => self.run_step(cx),
            table::FIGURES => {
                if let Some(open) = &mut self.open
                    && panel::has_panel(open.phase)
                {
                    open.panels.enter();
                }
            }
            table::DONE | app::OPEN => self.ask_done(cx),
            table::BEGIN => self.begin(cx),
            table::SKIP => self.ask_skip(cx),
            table::REOPEN => self.reopen(cx),
            table::OWNER => self.ask_owner(cx),
            table::NOTE => self.ask_note(cx),
            table::ENTER_PHASE => {
                let phase = self.open.as_ref().map(|open| open.phase);
                if let Some(phase) = phase {
                    self.acts(vec![Act::Enter { phase }], format!("in {} now", phase.title()), cx);
                }
            }
            table::SEVERITY => self.ask_severity(cx),
            table::BEGAN => self.ask_began(cx),
            table::FEATURE => self.ask_feature(cx),
            table::PROMOTE => self.promote(cx),
            app::FIND => self.ask_find(cx),
            table::ATTACH => self.ask_attach(cx),
            table::HAND_OVER => self.ask_hand_over(cx),
            table::SCRIBE => self.ask_scribe(cx),
            table::SIGN => self.acts(vec![Act::SignRead], "signed as read", cx),
            table::UPDATE => {
                if let Some(open) = &self.open {
                    let request = Request::Draft { id: open.id.clone() };
                    cx.start(Job::replace("incident update", "drafting the update", request.into()));
                }
            }
            table::TIMELINE => {
                if let Some(open) = &mut self.open {
                    open.face = match open.face {
                        Face::Timeline => Face::Steps,
                        _ => Face::Timeline,
                    };
                    open.timeline.cols = 0;
                }
            }
            table::STORY_VIEW => self.read_story(cx),
            table::CLOSE => self.ask_close(cx),
            table::REOPEN_INCIDENT => {
                self.acts(vec![Act::ReopenIncident { note: None }], "open again", cx);
            }
            table::WRITE_FILE => self.ask_path(cx),
            table::EDIT_PART => self.ask_part(cx),
            table::ADD_ACTION => self.ask_action(cx),
            app::BACK => return self.leave(cx),
            _ => {
                let moved = self.moved(id, cx.env);
                self.fill_panel(cx);
                return if moved { Handled::Yes } else { Handled::No };
            }
        }
        Handled::Yes
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
