//! The queue of one reviewer on screen: where one is, what is loaded, and what is being saved.
//!
//! A verdict moves on at once: the next response is loaded already. It counts as given on screen from the
//! key press, and is said to be saved when it has reached the disk. If that fails, its response comes back.

mod loading;
mod moving;

use std::collections::{HashMap, HashSet};

use ratatui::layout::Rect;

pub use self::loading::Loaded;
pub use self::moving::Filter;
use super::work::{Act, Done, Reading, Request};
use crate::command::Id;
use crate::domain::{Error, Taxonomy, TraceRow, Untrusted, Verdict};
use crate::ops::review::{ItemState, QueueItem};
use crate::text::{Line, Role, clean};
use crate::tui::canvas::Pane;
use crate::tui::jobs::Job;
use crate::tui::screen::{Cx, Env};
use crate::tui::screens::known;
use crate::tui::widgets::list::List;
use crate::tui::widgets::scroll::Scroll;
use crate::tui::widgets::talk::Talk;
use crate::tui::words::words;

pub const TALK: Pane = Pane("review talk");
pub const ITEMS: Pane = Pane("review items");
pub const FACTS: Pane = Pane("review facts");

/// Acts on labels and what reads them go one after the other.
pub const LABELS: &str = "labels";

/// The queue.
#[derive(Debug)]
pub struct Queue {
    pub read: Reading,
    pub taxonomy: Taxonomy,
    /// The place on screen; nothing when all is reviewed.
    pub at: Option<usize>,
    pub loaded: HashMap<Untrusted, Loaded>,
    /// Traces that the store does not hold, with what it said.
    pub missing: HashMap<Untrusted, Line>,
    loading: HashSet<Untrusted>,
    /// Verdicts on their way to the disk, oldest first.
    pending: Vec<(Untrusted, ItemState)>,
    pub filter: Filter,
    /// The places that the filter lets through, the cursor on the present one.
    pub list: List<usize>,
    /// First words of the items of the list that are on screen.
    pub previews: HashMap<Untrusted, Option<TraceRow>>,
    previews_loading: bool,
    /// `f` was pressed: the next key is a failure mode's.
    pub awaits_mode: bool,
    pub facts_open: bool,
    pub facts_scroll: Scroll,
    refreshing: bool,
    stale: bool,
    /// Columns of the conversation.
    pub cols: u16,
}

impl Queue {
    /// A queue that was just opened; it begins where the reviewer left off.
    pub fn new(read: Reading, taxonomy: Taxonomy, cols: u16) -> Self {
        let at = read.resume;
        let list = List::whole(0..read.items.len());
        let mut queue = Self {
            read,
            taxonomy,
            at,
            loaded: HashMap::new(),
            missing: HashMap::new(),
            loading: HashSet::new(),
            pending: Vec::new(),
            filter: Filter::All,
            list,
            previews: HashMap::new(),
            previews_loading: false,
            awaits_mode: false,
            facts_open: false,
            facts_scroll: Scroll::default(),
            refreshing: false,
            stale: false,
            cols,
        };
        queue.list.select(at.unwrap_or(0));
        queue
    }

    /// The item on screen.
    pub fn item(&self) -> Option<&QueueItem> {
        self.read.items.get(self.at?)
    }

    /// The response on screen, when it is loaded.
    pub fn shown(&self) -> Option<&Loaded> {
        self.loaded.get(&self.item()?.trace)
    }

    /// The conversation on screen, to move in.
    pub fn talk(&mut self) -> Option<&mut Talk> {
        let item = self.read.items.get(self.at?)?;
        self.loaded.get_mut(&item.trace).map(|loaded| &mut loaded.talk)
    }

    /// Lays out what is on screen: the conversation, and what is known of it where that is shown.
    pub fn settle(&mut self, env: &Env, talk: Rect, details_cols: Option<u16>) {
        self.cols = talk.width;
        self.list.settle(env.page(ITEMS));
        let Some(item) = self.at.and_then(|at| self.read.items.get(at)) else { return };
        let Some(loaded) = self.loaded.get_mut(&item.trace) else { return };
        loaded.talk.lay(talk.width, talk.height);
        if let Some(cols) = details_cols {
            loaded.lay_details(item, &self.taxonomy, env, cols);
            self.facts_scroll.clamp(loaded.details().len(), env.page(FACTS));
        }
    }

    /// Moves in what is known of it, as a command of moving says.
    pub fn facts_command(&mut self, id: Id, page: usize) -> bool {
        let lines = self.shown().map_or(0, |loaded| loaded.details().len());
        self.facts_scroll.command(id, lines, page)
    }

    /// Scrolls by rows in what is known of it.
    pub fn facts_by(&mut self, rows: i32, page: usize) {
        let lines = self.shown().map_or(0, |loaded| loaded.details().len());
        self.facts_scroll.by(i64::from(rows), lines, page);
    }

    /// How far I am with an item, verdicts on their way included.
    pub fn state(&self, item: &QueueItem) -> ItemState {
        let pending = self.pending.iter().rev().find(|(trace, _)| *trace == item.trace);
        pending.map_or(item.state, |(_, state)| *state)
    }

    /// Items with a verdict of mine, those on their way included.
    pub fn reviewed(&self) -> usize {
        self.read.items.iter().filter(|item| self.state(item).verdict().is_some()).count()
    }

    /// Does something to the response on screen.
    pub fn act(&mut self, act: Act, cx: &mut Cx<'_>) {
        if let Some(trace) = self.item().map(|item| item.trace.clone()) {
            self.act_on(trace, act, cx);
        }
    }

    /// Does something to a response. A verdict or a skip goes on to the next one.
    pub fn act_on(&mut self, trace: Untrusted, act: Act, cx: &mut Cx<'_>) {
        let state = match &act {
            Act::Verdict { verdict, .. } => Some(ItemState::from(*verdict)),
            Act::Skip => Some(ItemState::Skipped),
            Act::NewMode(_) => Some(ItemState::Fail),
            Act::Note(_) | Act::Correct(_) | Act::Severity(_) => None,
        };
        let request = Request::Act { queue: self.read.clone(), trace: trace.clone(), act };
        cx.start(Job::queue(LABELS, "saving the label", request.into()));
        if let Some(state) = state {
            self.pending.push((trace, state));
            self.awaits_mode = false;
            match self.next(cx.env) {
                Some(place) => self.go(place, cx),
                None => {
                    self.at = None;
                    self.relist(cx.env);
                }
            }
        }
    }

    /// Fails the response by the mode of this key; false when no mode has it.
    pub fn fail_by_key(&mut self, key: char, cx: &mut Cx<'_>) -> bool {
        let mode = self.taxonomy.active().find(|mode| mode.key == key).map(|mode| mode.id.clone());
        if mode.is_some() {
            self.act(Act::Verdict { verdict: Verdict::Fail, mode }, cx);
            return true;
        }
        false
    }

    /// An act or an undo has reached the disk.
    pub fn done(&mut self, done: Done, cx: &mut Cx<'_>) {
        self.settle_pending(&done.trace);
        self.read = done.queue;
        if let Some(taxonomy) = done.taxonomy {
            self.taxonomy = taxonomy;
        }
        if let (Some(item), Some(loaded)) = (done.item, self.loaded.get_mut(&done.trace)) {
            (loaded.item, loaded.details) = (item, None);
        }
        let place = self.read.place(&done.trace);
        let number = place.map_or_else(String::new, |place| format!("{} ", place + 1));
        let what = clean(&done.words).into_string();
        match (&done.now, place) {
            (Some(now), place) => {
                cx.say(
                    words()
                        .put(Role::Accent, "↺ ")
                        .plain(format!("{number}took back "))
                        .plain(what)
                        .muted(" · now ")
                        .plain(clean(now).as_str()),
                );
                if let Some(place) = place {
                    self.go(place, cx);
                }
            }
            (None, _) => {
                let (role, glyph) = known::mark_of(&what);
                let undo = cx.env.key(crate::command::table::review::UNDO);
                cx.say(
                    words()
                        .put(role, format!("{glyph} "))
                        .plain(number)
                        .plain(what)
                        .muted(" · ")
                        .key(undo)
                        .muted(" undo"),
                );
            }
        }
        self.relist(cx.env);
        self.want(cx);
    }

    /// An act could not be done: its response comes back.
    pub fn undone(&mut self, trace: &Untrusted, error: Error, cx: &mut Cx<'_>) {
        self.settle_pending(trace);
        if let Some(place) = self.read.place(trace) {
            self.go(place, cx);
        }
        cx.fail(error);
    }

    fn settle_pending(&mut self, trace: &Untrusted) {
        if let Some(at) = self.pending.iter().position(|(of, _)| of == trace) {
            self.pending.remove(at);
        }
    }

    /// The store was changed: looks what it means here.
    pub fn changed(&mut self, cx: &mut Cx<'_>) {
        if std::mem::replace(&mut self.refreshing, true) {
            self.stale = true;
            return;
        }
        let request = Request::Refresh(self.read.clone());
        cx.start(Job::queue(LABELS, "reading the labels", request.into()));
    }

    /// The labels were read again.
    pub fn refreshed(&mut self, read: Reading, touched: &[Untrusted], taxonomy: Taxonomy, cx: &mut Cx<'_>) {
        self.refreshing = false;
        self.read = read;
        if self.taxonomy != taxonomy {
            self.taxonomy = taxonomy;
            self.loaded.values_mut().for_each(|loaded| loaded.details = None);
        }
        for trace in touched {
            if self.loaded.contains_key(trace) {
                self.load(trace.clone(), cx);
            }
        }
        // What somebody else labelled while all seemed done, or undid, is open again.
        if self.at.is_none()
            && let Some(place) = self.next(cx.env)
        {
            self.go(place, cx);
        }
        self.relist(cx.env);
        if std::mem::take(&mut self.stale) {
            self.changed(cx);
        }
    }

    /// Reading the labels again did not work; the next change tries again.
    pub fn refresh_failed(&mut self) {
        self.refreshing = false;
        self.stale = false;
    }
}

/// The glyph of an item's state.
pub fn glyph(state: ItemState) -> (Role, &'static str) {
    match state.verdict() {
        Some(verdict) => known::mark(verdict),
        None if state == ItemState::Skipped => known::SKIPPED,
        None => (Role::Muted, "·"),
    }
}
