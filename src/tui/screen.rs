//! What a screen is to the rest of the program, and what it can ask of it.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::layout::Rect;

use super::canvas::{Canvas, Laid, Pane};
use super::effect::Effect;
use super::jobs::Job;
use super::overlays::{Overlay, Reply, Tag};
use super::screens::ScreenId;
use crate::command::{Id, Key, Keymap, Place, When};
use crate::domain::{Error, ErrorKind, EvalConfig, Query, Untrusted};
use crate::ops::gate::GateOf;
use crate::ops::incident::IncidentLine;
use crate::ops::run::RunAsk;
use crate::ops::runbook::Books;
use crate::ops::watch::Changes;
use crate::text::Line;

/// Whether something was taken by the one that was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Handled {
    Yes,
    No,
}

/// A screen. `view` reads; all else may change the screen's state and wish for things through `cx`.
pub trait Screen {
    /// Where its keys are looked up; a screen with several faces answers by the present one.
    fn place(&self) -> Place;

    /// Draws it into `area`, the frame without header, status line and hint line.
    fn view(&self, env: &Env, canvas: &mut Canvas<'_>, area: Rect);

    /// Does what a person asked for. [`Handled::No`] passes it on to the program.
    fn command(&mut self, id: Id, cx: &mut Cx<'_>) -> Handled;

    /// Whether the condition of a command holds now.
    fn holds(&self, _when: When) -> bool {
        false
    }

    /// Whether something is under the cursor that can be opened: the hint line says so.
    fn opens(&self) -> bool {
        false
    }

    /// Looks at a key before the key table does: for a key that is data, such as a failure mode's.
    fn key(&mut self, _key: Key, _cx: &mut Cx<'_>) -> Handled {
        Handled::No
    }

    /// Whether what a key would be about is still being read: keys wait for it then, in the order they came.
    fn waits(&self) -> bool {
        false
    }

    /// A row of one of its panes was clicked.
    fn clicked(&mut self, _pane: Pane, _index: usize, _cx: &mut Cx<'_>) {}

    /// The wheel was turned over one of its panes, by this many rows, downwards positive.
    fn wheel(&mut self, _pane: Pane, _rows: i32, _cx: &mut Cx<'_>) {}

    /// It comes on screen: the moment to ask for what it shows.
    fn shown(&mut self, _cx: &mut Cx<'_>) {}

    /// An overlay that it opened was answered.
    fn replied(&mut self, _tag: Tag, _reply: Reply, _cx: &mut Cx<'_>) {}

    /// Whether it shows a time that goes on, and wants [`tick`](Self::tick) once a minute.
    fn ticks(&self) -> bool {
        false
    }

    /// A minute has passed.
    fn tick(&mut self, _cx: &mut Cx<'_>) {}

    /// The store was changed; called whether it is on screen or not.
    fn changed(&mut self, _changes: Changes, _cx: &mut Cx<'_>) {}

    /// A frame was drawn: the heights of panes are known. Called on the present screen only.
    fn drawn(&mut self, _cx: &mut Cx<'_>) {}

    /// Commands that several screens share and that mean something special here, with the word for the hint
    /// line: they stand first in it.
    fn hints(&self) -> Vec<(Id, &'static str)> {
        Vec::new()
    }

    /// While it waits for a key that is data: what the hint line says instead of the key table's keys.
    fn waits_for(&self) -> Option<Line> {
        None
    }

    /// Called after every message, with the area it will be drawn in: the place to lay out long text
    /// again when its width has changed.
    fn settle(&mut self, _area: Rect, _env: &Env) {}
}

/// What every screen may look at.
#[derive(Debug, Clone)]
pub struct Env {
    /// The time of the message that is being handled.
    pub now: Timestamp,
    /// For times of day.
    pub zone: TimeZone,
    /// The person at the keyboard; clean before drawing.
    pub reviewer: String,
    /// Whether the store can be written.
    pub writable: bool,
    /// The team's runbooks.
    pub books: Books,
    /// What the configuration says of evaluators and targets, as it was when the program started.
    pub evaluation: Arc<EvalConfig>,
    /// Where the team's prompts lie, as it was when the program started.
    pub team: std::sync::Arc<crate::domain::prompt::TeamConfig>,
    /// What steps of incidents act with: real hands, or those of a drill.
    pub hands: crate::ops::incident::step::Hands,
    /// The monitors of the configuration, as it was when the program started.
    pub monitors: Arc<crate::domain::monitor::Monitors>,
    /// The keys in force, for texts that name a key.
    pub keymap: Keymap,
    /// Traces that a person marked, in the order of marking, on whatever screen: to promote them together
    /// or attach them to an incident.
    pub marks: Vec<Untrusted>,
    /// Where things were on the last frame.
    pub laid: Laid,
    /// What stands on top of every screen: the alerts that are out.
    pub banner: Option<Line>,
    /// The newest incident that is open, and how many others are: below that.
    pub incident: Option<(Box<IncidentLine>, usize)>,
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
}

impl Env {
    /// The rows that a pane showed last, at least 1.
    pub fn page(&self, pane: Pane) -> usize {
        usize::from(self.laid.page(pane).unwrap_or(1).max(1))
    }

    /// The key to press for a command, as it is set now; `(no key)` when it has none.
    pub fn key(&self, id: Id) -> String {
        self.keymap.key_text(id).unwrap_or_else(|| "(no key)".to_owned())
    }

    /// Whether a trace is marked.
    pub fn is_marked(&self, trace: &Untrusted) -> bool {
        self.marks.contains(trace)
    }

    /// Rows above a screen: the header, the alerts that are out, the open incident.
    pub fn above(&self) -> u16 {
        1 + u16::from(self.banner.is_some()) + u16::from(self.incident.is_some())
    }

    /// The milliseconds of [`now`](Self::now).
    pub fn now_ms(&self) -> i64 {
        self.now.as_millisecond()
    }
}

/// What a screen or overlay wishes for, carried out after it returns.
#[derive(Debug)]
pub enum Wish {
    Start(Job),
    Effect(Effect),
    Say(Line),
    Fail(Error),
    Open(Overlay),
    Go(ScreenId),
    Traces(Query),
    Trace(Untrusted),
    Gate(GateOf),
    Banner(Option<Line>),
    Standing(Option<(Box<IncidentLine>, usize)>),
    Mark(Untrusted),
    Unmark,
    Review(Vec<Untrusted>),
    Command(Id),
    /// Begins a run and goes to where it can be watched.
    Run(Arc<EvalConfig>, Box<RunAsk>),
    /// Asks the jobs of a scope to stop.
    Stop(&'static str),
    /// Shows the runs that have these words.
    Runs(String),
    /// Shows the incident of this name.
    Incident(String),
    /// Shows times in this zone from now on.
    Zone(TimeZone),
}

/// What a screen can look at and wish for while it handles something.
pub struct Cx<'a> {
    pub env: &'a Env,
    wishes: &'a mut Vec<Wish>,
}

impl<'a> Cx<'a> {
    /// A context that collects wishes.
    pub fn new(env: &'a Env, wishes: &'a mut Vec<Wish>) -> Self {
        Self { env, wishes }
    }

    /// Starts work, after its policy.
    pub fn start(&mut self, job: Job) {
        self.wishes.push(Wish::Start(job));
    }

    /// Says in the status line what just happened; it stays until something else does.
    pub fn say(&mut self, line: impl Into<Line>) {
        self.wishes.push(Wish::Say(line.into()));
    }

    /// Tells of a failure: in the status line when the thing asked is not so, in a dialog with its
    /// cause and the way out when something broke. A cancelled job is said so.
    pub fn fail(&mut self, error: Error) {
        self.wishes.push(Wish::Fail(error));
    }

    /// Opens an overlay; the answer comes to `replied` of the present screen with the overlay's tag.
    pub fn open(&mut self, overlay: impl Into<Overlay>) {
        self.wishes.push(Wish::Open(overlay.into()));
    }

    /// Goes to another screen.
    pub fn go(&mut self, to: ScreenId) {
        self.wishes.push(Wish::Go(to));
    }

    /// Shows the traces of a query in the list; backing out comes back here.
    pub fn open_traces(&mut self, query: Query) {
        self.wishes.push(Wish::Traces(query));
    }

    /// Shows one trace in full; backing out comes back here.
    pub fn open_trace(&mut self, id: Untrusted) {
        self.wishes.push(Wish::Trace(id));
    }

    /// Shows the gate of a prompt's version; backing out comes back here.
    pub fn open_gate(&mut self, of: GateOf) {
        self.wishes.push(Wish::Gate(of));
    }

    /// Marks a trace, or takes its mark away.
    pub fn mark(&mut self, trace: Untrusted) {
        self.wishes.push(Wish::Mark(trace));
    }

    /// Goes to Review with a queue of these traces, in this order.
    pub fn review(&mut self, traces: Vec<Untrusted>) {
        self.wishes.push(Wish::Review(traces));
    }

    /// Takes all marks away, as after something was done with them.
    pub fn unmark_all(&mut self) {
        self.wishes.push(Wish::Unmark);
    }

    /// Wishes for something that has no method of its own.
    pub fn wish(&mut self, wish: Wish) {
        self.wishes.push(wish);
    }

    /// Runs another command after this one.
    pub fn command(&mut self, id: Id) {
        self.wishes.push(Wish::Command(id));
    }
}

/// Whether an error belongs into a dialog: something broke, as against "that is not so".
pub fn wants_dialog(error: &Error) -> bool {
    error.kind == ErrorKind::Failed || error.hints.len() > 1 || error.what.contains('\n')
}
