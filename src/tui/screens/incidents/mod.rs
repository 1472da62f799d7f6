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

use jiff::tz::TimeZone;
use ratatui::layout::Rect;

use self::asks::Asked;
use self::open::{Face, Laid, Open, Story};
use self::panel::PanelOf;
use crate::command::table::{app, incidents as table};
use crate::command::{Id, Place, When};
use crate::domain::incident::Verdict;
use crate::domain::runbook::Phase;
use crate::ops::incident::{Act, ActingState, Configured, IncidentLine, StepView};
use crate::ops::watch::Changes;
use crate::tui::canvas::{Canvas, Pane};
use crate::tui::jobs::Job;
use crate::tui::overlays::{Reply, Tag};
use crate::tui::screen::{Cx, Env, Handled, Screen, Wish};
use crate::tui::widgets::list::List;
use crate::tui::words::words;

const LIST: Pane = Pane("incidents");
const STEPS: Pane = Pane("incident steps");
const DETAIL: Pane = Pane("incident step");
const TIMELINE: Pane = Pane("incident timeline");
const STORY: Pane = Pane("postmortem");

/// Whether a step is open although it was looked at or done: its figures do not settle it.
fn lacks_proof(step: &StepView) -> bool {
    let waits =
        step.acting.as_ref().is_some_and(|act| act.state == ActingState::Done && act.effect == "waiting");
    let found = step
        .found
        .as_ref()
        .is_some_and(|found| matches!(found.verdict, Verdict::Breach | Verdict::NotEnoughData));
    !step.state.is_settled() && (waits || found || step.clean_from.is_some())
}

/// Whether the examples can be asked again: the work of the phase that shows whether the fix holds.
fn can_replay(open: &Open) -> bool {
    open.phase == Phase::Verify && open.step().is_some_and(|step| !step.state.is_settled())
}

/// `UTC`, or the offset with the name of the zone: `+01 (Europe/Berlin)`.
fn zone_words(zone: &TimeZone, now: jiff::Timestamp) -> String {
    match zone.iana_name() {
        _ if *zone == TimeZone::UTC => "UTC".to_owned(),
        Some(name) => format!("{} ({name})", zone.to_offset(now)),
        None => zone.to_offset(now).to_string(),
    }
}

/// The state of the screen.
#[derive(Debug, Default)]
pub struct IncidentsScreen {
    list: Option<List<IncidentLine>>,
    open: Option<Open>,
    asked: Option<Asked>,
    /// The steps that act and were let, until it is known what came of them.
    carried: Vec<Carried>,
    /// `I` was pressed, and the list is read.
    declaring: bool,
    /// What the next keys are about is being made: a dry run, a draft, the record of an act or of a step that ran.
    reading: bool,
    /// What it shows could not be read.
    failed: bool,
    /// Local time, while times are shown in UTC.
    local: Option<TimeZone>,
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
        self.failed = false;
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

    /// Has the panel of the phase on screen made, unless it is fresh; with it what belongs beside it.
    fn fill_panel(&mut self, cx: &mut Cx<'_>) {
        let Some(open) = self.open.as_mut().filter(|open| open.view.is_some()) else { return };
        if open.phase == Phase::Contain && open.panels.wants_preflight(cx.env.now) {
            let request = Request::Preflight { hands: cx.env.hands.clone(), id: open.id.clone() };
            cx.start(Job::replace("incident preflight", "looking whether they would act", request.into()));
        }
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

    /// Goes to the phase that stops the harm, whatever is known of its cause.
    fn contain_anyway(&mut self, cx: &mut Cx<'_>) {
        let Some(view) = self.open.as_ref().and_then(|open| open.view.as_ref()) else { return };
        let steps = view.phases.iter().flat_map(|phase| &phase.steps);
        // The question for the cause has this answer among its own.
        let unknown = steps.filter(|step| !step.state.is_settled()).find_map(|step| {
            let choice = step.choices.iter().find(|choice| choice.raw().starts_with("unknown"))?;
            Some(Act::Done { step: step.id.clone(), note: Some(choice.clone()) })
        });
        let enter = Act::Enter { phase: Phase::Contain };
        self.acts(unknown.into_iter().chain([enter]).collect(), "in Contain now, the cause unknown", cx);
    }

    /// Tells nobody of the incident's alert for half an hour.
    fn snooze(&self, cx: &mut Cx<'_>) {
        const FOR_MS: i64 = 30 * 60_000;
        let Some(open) = &self.open else { return };
        let request =
            Request::Snooze { monitors: cx.env.monitors.clone(), id: open.id.clone(), for_ms: FOR_MS };
        cx.start(Job::queue("alert act", "silencing", request.into()));
    }

    /// Shows times in UTC, or in local time again.
    fn switch_zone(&mut self, cx: &mut Cx<'_>) {
        let zone = match self.local.take() {
            Some(local) => local,
            None => {
                self.local = Some(cx.env.zone.clone());
                TimeZone::UTC
            }
        };
        cx.say(words().plain("times are in ").plain(zone_words(&zone, cx.env.now)));
        if let Some(open) = &mut self.open {
            open.lay_out_again();
            if matches!(open.face, Face::Story(_)) {
                self.story_in(zone.clone(), cx);
            }
        }
        cx.wish(Wish::Zone(zone));
    }

    fn refresh_list(cx: &mut Cx<'_>) {
        cx.start(Job::replace("incidents", "reading the incidents", Request::List.into()));
    }

    /// Starts what a person wants done.
    fn act(request: Request, cx: &mut Cx<'_>) {
        cx.start(Job::queue("incident act", "writing the record", request.into()));
    }

    /// Acts in the incident on screen; `said` is for the status line. Keys wait: the cursor goes on with it.
    fn acts(&mut self, acts: Vec<Act>, said: impl Into<String>, cx: &mut Cx<'_>) {
        if let Some(open) = &self.open {
            Self::act(Request::Act { id: open.id.clone(), acts, said: said.into() }, cx);
            self.reading = true;
        }
    }

    fn read_story(&mut self, cx: &mut Cx<'_>) {
        let Some(open) = &mut self.open else { return };
        if !matches!(open.face, Face::Story(_)) {
            open.face = Face::Story(Box::new(Story { written: None, laid: Laid::default() }));
        }
        self.story_in(cx.env.zone.clone(), cx);
    }

    fn story_in(&self, zone: TimeZone, cx: &mut Cx<'_>) {
        let Some(open) = &self.open else { return };
        let request = Request::Postmortem { id: open.id.clone(), by: configured(cx), zone };
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
            Some(open) => view::incident(open, self.local.is_some(), env, canvas, area),
            None => view::list(self.list.as_ref(), env, canvas, area),
        }
    }

    fn command(&mut self, id: Id, cx: &mut Cx<'_>) -> Handled {
        if self.open.is_some() { self.in_incident(id, cx) } else { self.in_list(id, cx) }
    }

    fn opens(&self) -> bool {
        self.open.is_none() && self.list.as_ref().is_some_and(|list| !list.is_empty())
    }

    fn waits(&self) -> bool {
        let unread = match &self.open {
            Some(open) => open.view.is_none(),
            None => self.list.is_none(),
        };
        (unread && !self.failed) || self.declaring || self.reading
    }

    fn holds(&self, when: When) -> bool {
        let Some(open) = &self.open else { return false };
        let lacks = open.step().is_some_and(lacks_proof);
        let Some(view) = open.view.as_ref() else { return false };
        match when {
            table::LACKS_PROOF => lacks,
            table::CAN_REPLAY => can_replay(open),
            table::BEFORE_CONTAIN => view.head.closed_at.is_none() && view.head.phase < Phase::Contain,
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
        self.failed = false;
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
