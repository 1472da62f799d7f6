//! One trace in full: the conversation, and all that is known of it. It lies over the list of traces,
//! which owns it.

mod draw;
#[cfg(test)]
mod tests;
mod work;

pub use work::{Answer, Loaded, Request};

use ratatui::layout::Rect;

use super::ScreenId;
use super::evals::promote_traces;
use super::known::{self, Details};
use crate::command::table::{app, traces as table};
use crate::command::{Id, When};
use crate::domain::query::{IdField, Term};
use crate::domain::{Error, ModeId, Query, Result, Untrusted, Verdict};
use crate::ops::browse::Neighbours;
use crate::text::{Line, Role};
use crate::tui::canvas::{Canvas, Pane};
use crate::tui::jobs::Job;
use crate::tui::overlays::{Choice, Picker, Prompt, Reply, Tag};
use crate::tui::screen::{Cx, Env, Handled};
use crate::tui::view::screen_area;
use crate::tui::widgets::scroll::Scroll;
use crate::tui::widgets::talk::Talk;
use crate::tui::words::{line, one_line, words};

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
    loaded: Option<Loaded>,
    /// Why it cannot be shown.
    missing: Option<Vec<Line>>,
    talk: Talk,
    details: Vec<Line>,
    details_columns: u16,
    scroll: Scroll,
    /// Where there is no room for both, the details are shown in place of the conversation.
    in_details: bool,
    wide: bool,
    writable: bool,
    /// The modes that are being chosen from, in the order shown.
    modes: Vec<ModeId>,
}

impl TraceScreen {
    /// The view of this trace, not loaded yet.
    pub fn new(id: Untrusted, back: Option<ScreenId>) -> Self {
        Self {
            id,
            back,
            loaded: None,
            missing: None,
            talk: Talk::default(),
            details: Vec::new(),
            details_columns: 0,
            scroll: Scroll::default(),
            in_details: false,
            wide: false,
            writable: true,
            modes: Vec::new(),
        }
    }

    /// Which trace it is.
    pub fn id(&self) -> &Untrusted {
        &self.id
    }

    /// Asks for the trace, or for it anew.
    pub fn load(&self, cx: &mut Cx<'_>) {
        let cols = draw::areas(screen_area(cx.env.size, cx.env.above())).talk.width;
        let request = Request::Load { trace: self.id.clone(), cols };
        cx.start(Job::replace("trace", "reading the trace", request.into()));
    }

    /// Takes the trace. Read again after a label, the place in the text stays.
    pub fn take(&mut self, loaded: Loaded) {
        let same = self.loaded.as_ref().is_some_and(|old| old.view.trace == loaded.view.trace);
        let Loaded { view, taxonomy, talk } = loaded;
        if !same {
            self.talk = talk;
            self.scroll = Scroll::default();
        }
        self.loaded = Some(Loaded { view, taxonomy, talk: Talk::default() });
        self.missing = None;
        self.details_columns = 0;
    }

    /// Takes the answer of a request.
    pub fn answered(&mut self, request: Request, result: Result<Answer>, cx: &mut Cx<'_>) {
        match (request, result) {
            (Request::Load { trace, .. }, Ok(Answer::Loaded(loaded))) if trace == self.id => {
                self.take(*loaded);
            }
            // Another one, read in advance: whether it fails is told when it is opened.
            (Request::Load { trace, .. }, _) if trace != self.id => {}
            (Request::Load { .. }, Err(error)) if self.loaded.is_none() => self.missing = Some(told(&error)),
            (_, Ok(Answer::Labelled(receipt))) => {
                let (undo, said) = (cx.env.key(table::UNDO), one_line(&receipt.words));
                let (role, glyph) = known::mark_of(&said);
                let said = words().put(role, format!("{glyph} ")).plain(said);
                cx.say(said.muted(" · ").key(undo).muted(" undo"));
                self.load(cx);
            }
            (_, Ok(Answer::Undone(receipt))) => {
                let said = words().plain("↺ took back ").plain(one_line(&receipt.undone));
                cx.say(said.muted(" · now ").plain(one_line(&receipt.now)));
                self.load(cx);
            }
            (_, Err(error)) => cx.fail(error),
            _ => {}
        }
    }

    /// The question in which way it fails.
    fn ask_mode(&mut self, cx: &mut Cx<'_>) {
        let Some(Loaded { taxonomy, .. }) = &self.loaded else { return };
        self.modes = taxonomy.active().map(|mode| mode.id.clone()).collect();
        let choices = taxonomy
            .active()
            .map(|mode| {
                let name = words().key(mode.key.to_string()).plain("  ").plain(one_line(&mode.name)).done();
                Choice::new(name).detail(line(Role::Muted, one_line(&mode.description))).key(mode.key)
            })
            .chain([Choice::new(words().key("0").muted("  none of these")).key('0')])
            .collect();
        cx.open(Picker::new(MODE, line(Role::Title, "In which way does it fail?"), choices));
    }

    /// Whether backing out leaves the view; otherwise there is something to close in it first.
    pub fn backs_out(&self) -> bool {
        self.talk.needle().is_empty() && !self.shows_details()
    }

    /// Whether the details are in the conversation's place.
    fn shows_details(&self) -> bool {
        self.in_details && !self.wide
    }

    fn neighbours(&self) -> Option<&Neighbours> {
        self.loaded.as_ref()?.view.neighbours.as_ref()
    }

    /// The traces of its session.
    pub fn session_query(&self) -> Option<Query> {
        let session = self.loaded.as_ref()?.view.trace.session.as_ref()?;
        let any = vec![session.raw().to_owned()];
        Some(Query::all().with(Term::Id { field: IdField::Session, any }))
    }

    /// Whether the condition of a command holds now.
    pub fn holds(&self, when: When) -> bool {
        match when {
            table::NARROW => !self.wide,
            table::CAN_LABEL => self.writable,
            table::IN_SESSION => self.neighbours().is_some_and(|near| near.count > 1),
            other => !self.shows_details() && self.talk.holds(other),
        }
    }

    /// Does what a person asked for.
    pub fn command(&mut self, id: Id, cx: &mut Cx<'_>) -> Handled {
        let details = self.shows_details();
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
            app::BACK => self.in_details = false,
            app::FIND => {
                self.in_details = false;
                cx.open(Prompt::new(FIND, "find:", self.talk.needle()));
            }
            table::DETAILS => self.in_details = !self.in_details,
            table::TURN_BEFORE => self.turn(|near| near.previous.clone(), "This is the first turn.", cx),
            table::NEXT_TURN => self.turn(|near| near.next.clone(), "This is the last turn.", cx),
            table::PROMOTE => cx.start(promote_traces(vec![self.id.clone()])),
            table::PASS => self.label(Verdict::Pass, None, cx),
            table::UNSURE => self.label(Verdict::Unsure, None, cx),
            table::FAIL => self.ask_mode(cx),
            table::UNDO => cx.start(Job::queue("label", "undoing", Request::Undo(self.id.clone()).into())),
            // Those of the conversation mean nothing while the details are in its place.
            id if Talk::knows(id) => {}
            _ => return Handled::No,
        }
        Handled::Yes
    }

    fn turn(&mut self, which: impl Fn(&Neighbours) -> Option<Untrusted>, none: &str, cx: &mut Cx<'_>) {
        match self.neighbours().and_then(which) {
            Some(id) => {
                // The present one stays on screen until the other is there.
                self.id = id;
                self.load(cx);
            }
            None => cx.say(line(Role::Muted, none)),
        }
    }

    fn label(&self, verdict: Verdict, mode: Option<ModeId>, cx: &mut Cx<'_>) {
        let request = Request::Label { trace: self.id.clone(), verdict, mode };
        cx.start(Job::queue("label", "labelling", request.into()));
    }

    /// An overlay that it opened was answered.
    pub fn replied(&mut self, tag: Tag, reply: Reply, cx: &mut Cx<'_>) {
        match (tag, reply) {
            (FIND, Reply::Text(text)) => {
                self.talk.find(&text, cx.env.page(TALK));
            }
            (MODE, Reply::Picked(at)) => {
                // The last choice is none of the modes.
                self.label(Verdict::Fail, self.modes.get(at).cloned(), cx);
            }
            _ => {}
        }
    }

    /// A line of one of its panes was clicked.
    pub fn clicked(&mut self, pane: Pane, index: usize, page: usize) {
        if pane == TALK {
            self.talk.clicked(index, page);
        }
    }

    /// The wheel was turned over one of its panes.
    pub fn wheel(&mut self, pane: Pane, rows: i32, page: usize) {
        if pane == DETAILS {
            self.scroll.by(i64::from(rows), self.details.len(), page);
        } else {
            self.talk.by(rows, page);
        }
    }

    /// Lays out for the area.
    pub fn settle(&mut self, area: Rect, env: &Env) {
        let areas = draw::areas(area);
        self.wide = areas.both;
        self.writable = env.writable;
        self.talk.lay(areas.talk.width, areas.talk.height);
        let columns = areas.details.width;
        if self.details_columns != columns
            && let Some(Loaded { view, taxonomy, .. }) = &self.loaded
        {
            let named = |what, names: &[String]| (!names.is_empty()).then(|| (what, names.join(", ")));
            let more = [named("samples", &view.samples), named("incidents", &view.incidents)];
            let details = Details {
                trace: &view.trace,
                labels: view.labels.iter().collect(),
                kept_back: 0,
                taxonomy,
                turn: view
                    .neighbours
                    .as_ref()
                    .filter(|near| near.count > 1)
                    .map(|near| (near.position, near.count)),
                more: more.into_iter().flatten().collect(),
                history: Vec::new(),
            };
            self.details = details.lines(env, usize::from(columns.saturating_sub(2)));
            self.details_columns = columns;
        }
        self.scroll.clamp(self.details.len(), env.page(DETAILS));
    }

    /// Draws it.
    pub fn view(&self, env: &Env, canvas: &mut Canvas<'_>, area: Rect) {
        draw::view(self, env, canvas, area);
    }
}

/// Why a trace cannot be shown, in its place.
fn told(error: &Error) -> Vec<Line> {
    let first = words().put(Role::Fail, "✗ ").plain(&error.what).done();
    std::iter::once(first)
        .chain(error.hints.iter().map(|hint| line(Role::Muted, format!("  {hint}"))))
        .collect()
}
