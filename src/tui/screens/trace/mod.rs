//! One trace in full: the conversation, and all that is known of it. It lies over the list of traces,
//! which owns it.

mod details;
mod draw;
#[cfg(test)]
mod tests;
mod work;

pub use work::{Answer, Request};

use std::sync::Arc;

use ratatui::layout::Rect;

use super::ScreenId;
use super::evals::promote_traces;
use super::traces::failure;
use crate::command::table::{app, traces as table};
use crate::command::{Id, When};
use crate::domain::query::{IdField, Term};
use crate::domain::{FailureMode, Query, Result, Status, Untrusted, Verdict};
use crate::ops::browse::TraceView;
use crate::text::figures::thousands;
use crate::text::{Line, Role, clean_line};
use crate::tui::canvas::{Canvas, Pane};
use crate::tui::jobs::Job;
use crate::tui::overlays::{Choice, Picker, Prompt, Reply, Tag};
use crate::tui::screen::{Cx, Env, Handled};
use crate::tui::widgets::conversation::Conversation;
use crate::tui::widgets::scroll::Scroll;
use crate::tui::words::{line, words};

const TALK: Pane = Pane("trace");
const DETAILS: Pane = Pane("trace details");
const FIND: Tag = Tag("trace.find");
const MODE: Tag = Tag("trace.mode");

/// The state of the view.
#[derive(Debug)]
pub struct TraceScreen {
    id: Untrusted,
    /// Where one came from, when not from the list.
    pub back: Option<ScreenId>,
    view: Option<Arc<TraceView>>,
    talk: Conversation,
    details: Vec<Line>,
    details_columns: u16,
    scroll: Scroll,
    /// Where there is no room for both, the details are shown in place of the conversation.
    in_details: bool,
    wide: bool,
    writable: bool,
    found: bool,
    modes: Vec<FailureMode>,
}

/// The conversation of a trace.
pub fn conversation(view: &TraceView) -> Conversation {
    let trace = &view.trace;
    let failed = (trace.status == Status::Error).then(|| failure(trace.error_kind));
    Conversation::new(&trace.input, &trace.output, failed.as_deref())
}

impl TraceScreen {
    /// The view of this trace, not loaded yet.
    pub fn new(id: Untrusted, back: Option<ScreenId>) -> Self {
        Self {
            id,
            back,
            view: None,
            talk: Conversation::default(),
            details: Vec::new(),
            details_columns: 0,
            scroll: Scroll::default(),
            in_details: false,
            wide: false,
            writable: true,
            found: false,
            modes: Vec::new(),
        }
    }

    /// Which trace it is.
    pub fn id(&self) -> &Untrusted {
        &self.id
    }

    /// Asks for the trace, or for it anew.
    pub fn load(&self, cx: &mut Cx<'_>) {
        cx.start(Job::replace("trace", "reading the trace", Request::Load(self.id.clone()).into()));
    }

    /// Takes the trace.
    pub fn take(&mut self, view: Arc<TraceView>) {
        // Read again after a label: the place in the text stays.
        let same = self.view.as_ref().is_some_and(|old| old.trace == view.trace);
        if !same {
            self.talk = conversation(&view);
            self.found = false;
        }
        self.view = Some(view);
        self.details_columns = 0;
    }

    /// Takes the answer of a request.
    pub fn answered(&mut self, request: Request, result: Result<Answer>, cx: &mut Cx<'_>) {
        match (request, result) {
            (Request::Load(id), Ok(Answer::Loaded(view))) if id == self.id => self.take(view),
            // Another one, read in advance: whether it fails is told when it is opened.
            (Request::Load(id), _) if id != self.id => {}
            (_, Ok(Answer::Labelled(receipt))) => {
                let undo = cx.env.key(table::UNDO);
                let said = words().put(Role::Pass, "✓ ").plain(one_line(&receipt.words));
                cx.say(said.muted(" · ").key(undo).muted(" undo"));
                self.load(cx);
            }
            (_, Ok(Answer::Undone(receipt))) => {
                let said = words().plain("↺ took back ").plain(one_line(&receipt.undone));
                cx.say(said.muted(" · now ").plain(one_line(&receipt.now)));
                self.load(cx);
            }
            (_, Ok(Answer::Modes(modes))) => {
                let choices = modes
                    .iter()
                    .map(|mode| {
                        let name =
                            words().key(mode.key.to_string()).plain("  ").plain(one_line(&mode.name)).done();
                        Choice::new(name).detail(line(Role::Muted, one_line(&mode.description))).key(mode.key)
                    })
                    .collect();
                self.modes = modes;
                cx.open(Picker::new(MODE, line(Role::Title, "In which way does it fail?"), choices));
            }
            (_, Err(error)) => cx.fail(error),
            _ => {}
        }
    }

    /// Whether backing out leaves the view; otherwise there is something to close in it first.
    pub fn backs_out(&self) -> bool {
        !(self.found || self.in_details && !self.wide)
    }

    /// The traces of its session.
    pub fn session_query(&self) -> Option<Query> {
        let session = self.view.as_ref()?.trace.session.as_ref()?;
        let any = vec![session.raw().to_owned()];
        Some(Query::all().with(Term::Id { field: IdField::Session, any }))
    }

    /// Whether the condition of a command holds now.
    pub fn holds(&self, when: When) -> bool {
        match when {
            table::FOLDS => self.talk.folds(),
            table::FOUND => self.found,
            table::NARROW => !self.wide,
            table::CAN_LABEL => self.writable,
            table::IN_SESSION => self
                .view
                .as_ref()
                .and_then(|view| view.neighbours.as_ref())
                .is_some_and(|near| near.count > 1),
            _ => false,
        }
    }

    /// Does what a person asked for.
    pub fn command(&mut self, id: Id, cx: &mut Cx<'_>) -> Handled {
        let details = self.in_details && !self.wide;
        let page = cx.env.page(if details { DETAILS } else { TALK });
        let moved = if details {
            self.scroll.command(id, self.details.len(), page)
        } else {
            self.talk.command(id, page)
        };
        if moved {
            return Handled::Yes;
        }
        match id {
            app::BACK if self.found => {
                self.talk.find("", page);
                self.found = false;
            }
            app::BACK => self.in_details = false,
            app::FIND => {
                self.in_details = false;
                cx.open(Prompt::new(FIND, "find:", self.talk.needle()));
            }
            app::OPEN | table::FOLD => self.talk.fold(),
            table::DETAILS => self.in_details = !self.in_details,
            table::NEXT_MATCH | table::PREVIOUS_MATCH => {
                if let Some((at, count)) = self.talk.find_next(id == table::PREVIOUS_MATCH, page) {
                    cx.say(line(Role::Muted, format!("match {at} of {count}")));
                }
            }
            table::TURN_BEFORE => self.turn(|near| near.previous.clone(), "This is the first turn.", cx),
            table::NEXT_TURN => self.turn(|near| near.next.clone(), "This is the last turn.", cx),
            table::PROMOTE => cx.start(promote_traces(vec![self.id.clone()])),
            table::PASS => self.label(Verdict::Pass, None, cx),
            table::UNSURE => self.label(Verdict::Unsure, None, cx),
            table::FAIL => {
                cx.start(Job::replace("modes", "reading the failure modes", Request::Modes.into()));
            }
            table::UNDO => cx.start(Job::queue("label", "undoing", Request::Undo(self.id.clone()).into())),
            _ => return Handled::No,
        }
        Handled::Yes
    }

    fn turn(
        &mut self,
        which: impl Fn(&crate::ops::browse::Neighbours) -> Option<Untrusted>,
        none: &str,
        cx: &mut Cx<'_>,
    ) {
        let near = self.view.as_ref().and_then(|view| view.neighbours.as_ref());
        match near.and_then(which) {
            Some(id) => {
                // The present one stays on screen until the other is there.
                self.id = id;
                self.load(cx);
            }
            None => cx.say(line(Role::Muted, none)),
        }
    }

    fn label(&self, verdict: Verdict, mode: Option<crate::domain::ModeId>, cx: &mut Cx<'_>) {
        let request = Request::Label { trace: self.id.clone(), verdict, mode };
        cx.start(Job::queue("label", "labelling", request.into()));
    }

    /// An overlay that it opened was answered.
    pub fn replied(&mut self, tag: Tag, reply: Reply, cx: &mut Cx<'_>) {
        match (tag, reply) {
            (FIND, Reply::Text(text)) => {
                let count = self.talk.find(&text, cx.env.page(TALK));
                self.found = count > 0;
                let said = match count {
                    _ if text.trim().is_empty() => return,
                    0 => format!("Not in this trace: {}", text.trim()),
                    1 => "match 1 of 1".to_owned(),
                    _ => format!("{} places", thousands(i64::try_from(count).unwrap_or(i64::MAX))),
                };
                cx.say(line(Role::Muted, said));
            }
            (MODE, Reply::Picked(at)) => {
                if let Some(mode) = self.modes.get(at) {
                    self.label(Verdict::Fail, Some(mode.id.clone()), cx);
                }
            }
            _ => {}
        }
    }

    /// The wheel was turned over one of its panes.
    pub fn wheel(&mut self, pane: Pane, rows: i32, page: usize) {
        if pane == DETAILS {
            self.scroll.by(i64::from(rows), self.details.len(), page);
        } else {
            self.talk.by(i64::from(rows), page);
        }
    }

    /// Lays out for the area.
    pub fn settle(&mut self, area: Rect, env: &Env) {
        let areas = draw::areas(area);
        self.wide = areas.details.is_some();
        self.writable = env.writable;
        self.talk.settle(areas.talk.width);
        let columns = areas.details.unwrap_or(areas.talk).width;
        if self.details_columns != columns
            && let Some(view) = &self.view
        {
            self.details = details::lines(view, env, usize::from(columns.saturating_sub(2)));
            self.details_columns = columns;
        }
        self.scroll.clamp(self.details.len(), env.page(DETAILS));
    }

    /// Draws it.
    pub fn view(&self, env: &Env, canvas: &mut Canvas<'_>, area: Rect) {
        draw::view(self, env, canvas, area);
    }
}

fn one_line(text: &Untrusted) -> String {
    clean_line(text.raw()).into_string()
}
