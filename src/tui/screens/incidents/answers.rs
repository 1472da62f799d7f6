//! What becomes of an answer.

use super::open::Face;
use super::panel::PanelOf;
use super::{Answer, IncidentsScreen, Request};
use crate::domain::Result;
use crate::domain::runbook::Phase;
use crate::ops::incident::{IncidentLine, IncidentView};
use crate::tui::jobs::Job;
use crate::tui::screen::{Cx, Wish};
use crate::tui::widgets::list::List;
use crate::tui::words::words;

impl IncidentsScreen {
    /// Takes the answer of a request.
    pub fn answered(&mut self, request: Request, result: Result<Answer>, cx: &mut Cx<'_>) {
        if let Request::Run { id, step, .. } = &request {
            self.carried.retain(|of| of.incident != *id || of.step != *step);
        }
        let told = matches!(request, Request::Act { .. } | Request::Show { .. });
        if told || matches!(request, Request::Plan { .. } | Request::Draft { .. }) {
            self.reading = false;
        }
        let answer = match result {
            Ok(answer) => answer,
            // What stands in the way of a step is told with its dry run; until then nothing is lost.
            Err(error) if matches!(request, Request::Preflight { .. }) => {
                if let Some(open) = &mut self.open {
                    open.panels.not_ready(&error, cx.env.now);
                }
                return;
            }
            Err(error) => {
                if matches!(request, Request::List | Request::Show { .. }) {
                    (self.declaring, self.failed) = (false, true);
                }
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
                    // Beside the alert stands how severe it is, which the next phase works out.
                    if of.phase == Phase::Detect && open.panels.wants(Phase::Assess, cx.env.now) {
                        let of = PanelOf { phase: Phase::Assess, ..of.clone() };
                        let does = "working out how bad it is";
                        cx.start(Job::replace("incident severity", does, Request::Panel(of).into()));
                    }
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
            Answer::Preflight(ready) => {
                if let (Some(open), Request::Preflight { id, .. }) = (&mut self.open, &request)
                    && open.id == *id
                {
                    open.panels.ready(ready, cx.env.now);
                }
            }
            Answer::Replayed(view) => {
                cx.say(words().plain(view.words));
                self.read_again(cx);
            }
            Answer::Snoozed(until) => {
                let until = crate::text::figures::when(until.as_millisecond(), cx.env.now_ms(), &cx.env.zone);
                cx.say(words().plain("nobody is told of the alert until ").plain(until));
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

    pub(super) fn listed(&mut self, lines: Vec<IncidentLine>, cx: &mut Cx<'_>) {
        let open: Vec<&IncidentLine> = lines.iter().filter(|line| line.head.state == "open").collect();
        cx.wish(Wish::Standing(open.first().map(|line| (Box::new((*line).clone()), open.len() - 1))));
        let next = next_open(&open, self.open.as_ref().map(|open| open.id.as_str()));
        let alone = open.len() == 1 && self.open.as_ref().is_some_and(|now| now.id == open[0].head.id);
        match &mut self.list {
            Some(list) => list.replace(lines, |a, b| a.head.id == b.head.id),
            None => self.list = Some(List::whole(lines)),
        }
        if std::mem::take(&mut self.declaring) {
            match next {
                Some(id) => {
                    self.show(&id, cx);
                    if alone {
                        cx.say(words().plain(id).plain(" is the only incident that is open"));
                    }
                }
                None => self.ask_title(cx),
            }
        }
    }

    /// Takes an incident as it is after an act, or as it was read.
    pub(super) fn told(&mut self, request: &Request, view: IncidentView, cx: &mut Cx<'_>) {
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
}

/// Where `I` leads: from an open incident to the next one, from elsewhere to the newest.
fn next_open(open: &[&IncidentLine], here: Option<&str>) -> Option<String> {
    let at = open.iter().position(|line| Some(line.head.id.as_str()) == here);
    let next = at.map_or(0, |at| (at + 1) % open.len());
    open.get(next).map(|line| line.head.id.clone())
}
