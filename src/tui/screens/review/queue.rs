//! The queue of one reviewer on screen: where one is, what is loaded, and what is being saved.
//!
//! A verdict moves on at once: the next response is loaded already. It counts as given on screen from the
//! key press, and is said to be saved when it has reached the disk. If that fails, its response comes back.

use std::collections::{HashMap, HashSet};

use ratatui::layout::Rect;

use super::work::{Act, Done, Reading, Request};
use crate::command::Id;
use crate::domain::{Error, Taxonomy, TraceRow, Untrusted, Verdict};
use crate::ops::review::{ItemState, QueueItem, ReviewItem};
use crate::text::{Line, Role, clean, figures};
use crate::tui::canvas::Pane;
use crate::tui::jobs::Job;
use crate::tui::screen::{Cx, Env};
use crate::tui::screens::known::{self, Details};
use crate::tui::widgets::list::List;
use crate::tui::widgets::scroll::Scroll;
use crate::tui::widgets::talk::Talk;
use crate::tui::words::{line, one_line, words};

pub const TALK: Pane = Pane("review talk");
pub const ITEMS: Pane = Pane("review items");
pub const FACTS: Pane = Pane("review facts");

/// Acts on labels and what reads them go one after the other.
pub const LABELS: &str = "labels";

/// Responses kept in memory around the present one.
const KEEP: usize = 24;

/// A loaded response.
#[derive(Debug)]
pub struct Loaded {
    pub item: ReviewItem,
    pub talk: Talk,
    /// All that is known of it, for this many columns; nothing when it has to be laid out again.
    details: Option<(u16, Vec<Line>)>,
}

impl Loaded {
    /// All that is known of it, as it was laid out last.
    pub fn details(&self) -> &[Line] {
        self.details.as_ref().map_or(&[], |(_, lines)| lines)
    }

    /// Lays out what is known of it, if it is not.
    fn lay_details(&mut self, queued: &QueueItem, taxonomy: &Taxonomy, env: &Env, cols: u16) {
        if self.details.as_ref().is_some_and(|(laid, _)| *laid == cols) {
            return;
        }
        let ReviewItem { trace, mine, others, history } = &self.item;
        // What others think is shown once it can no longer sway; their acts tell it too.
        let judged = mine.as_ref().is_some_and(|mine| mine.verdict.is_some());
        let drawn = queued.probability < 1.0;
        let drawn = drawn.then(|| ("drawn with", figures::percent_to(queued.probability, 1)));
        let stratum = queued.stratum.as_ref().map(|stratum| ("stratum", one_line(stratum)));
        let details = Details {
            trace,
            labels: mine.iter().chain(others.iter().filter(|_| judged)).collect(),
            kept_back: if judged { 0 } else { others.len() },
            taxonomy,
            turn: None,
            more: drawn.into_iter().chain(stratum).collect(),
            history: history.iter().filter(|act| judged || act.reviewer.raw() == env.reviewer).collect(),
        };
        self.details = Some((cols, details.lines(env, usize::from(cols))));
    }
}

/// Which responses one goes through.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Filter {
    #[default]
    All,
    Open,
    State(ItemState),
    Disagreed,
    Noted,
    Marked,
    /// What a query found.
    Query {
        text: String,
        places: Vec<usize>,
    },
}

impl Filter {
    /// What it is called in the picker and the header.
    pub fn name(&self) -> String {
        match self {
            Filter::All => "all".to_owned(),
            Filter::Open => "without your label".to_owned(),
            Filter::State(ItemState::Skipped) => "skipped".to_owned(),
            Filter::State(state) => state.verdict().map_or("open", Verdict::word).to_owned(),
            Filter::Disagreed => "disagreement".to_owned(),
            Filter::Noted => "with a note or correction".to_owned(),
            Filter::Marked => "marked".to_owned(),
            Filter::Query { text, .. } => text.clone(),
        }
    }
}

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

    /// Whether the filter lets an item through.
    fn fits(&self, place: usize, env: &Env) -> bool {
        let Some(item) = self.read.items.get(place) else { return false };
        match &self.filter {
            Filter::All => true,
            Filter::Open => self.state(item).verdict().is_none(),
            Filter::State(state) => self.state(item) == *state,
            Filter::Disagreed => item.disagreed(),
            Filter::Noted => item.noted,
            Filter::Marked => env.is_marked(&item.trace),
            Filter::Query { places, .. } => places.binary_search(&place).is_ok(),
        }
    }

    /// Brings the list up to date with the filter, the cursor on the item on screen.
    fn relist(&mut self, env: &Env) {
        let places: Vec<usize> = (0..self.read.items.len()).filter(|place| self.fits(*place, env)).collect();
        let at = self.at.unwrap_or(0);
        let index = places.partition_point(|place| *place < at);
        self.list.replace(places, |a, b| a == b);
        self.list.select(index);
        self.list.settle(env.page(ITEMS));
    }

    /// Sets the filter and goes to the first item that it lets through, unless the present one is.
    pub fn set_filter(&mut self, filter: Filter, cx: &mut Cx<'_>) {
        self.filter = filter;
        self.relist(cx.env);
        if !self.at.is_some_and(|at| self.fits(at, cx.env)) {
            match self.list.rows().front().copied() {
                Some(first) => self.go(first, cx),
                None => cx.say(words().put(Role::Unsure, "nothing here is ").plain(self.filter.name())),
            }
        }
    }

    /// Goes to a place.
    pub fn go(&mut self, place: usize, cx: &mut Cx<'_>) {
        self.at = (place < self.read.items.len()).then_some(place);
        self.awaits_mode = false;
        self.facts_scroll = Scroll::default();
        let index = self.list.rows().iter().position(|listed| *listed >= place);
        self.list.select(index.unwrap_or(usize::MAX));
        self.list.settle(cx.env.page(ITEMS));
        self.want(cx);
    }

    /// Goes by steps in the list.
    pub fn step(&mut self, by: i64, cx: &mut Cx<'_>) {
        if self.at.is_none() {
            let last = self.list.rows().back().copied();
            if let (Some(last), true) = (last, by < 0) {
                self.go(last, cx);
            }
            return;
        }
        let before = self.list.selected_index();
        self.list.by(by);
        match self.list.selected().copied() {
            Some(place) if self.list.selected_index() != before || Some(place) != self.at => {
                self.go(place, cx)
            }
            _ => cx.say(line(
                Role::Muted,
                if by > 0 { "this is the last one" } else { "this is the first one" },
            )),
        }
    }

    /// Goes to the next item that `wanted` holds for, going round.
    pub fn jump(
        &mut self,
        forwards: bool,
        nothing: &str,
        cx: &mut Cx<'_>,
        wanted: impl Fn(&Self, usize) -> bool,
    ) {
        let found = self.look(forwards, wanted);
        match found {
            Some(place) if Some(place) != self.at => self.go(place, cx),
            _ => cx.say(line(Role::Muted, nothing)),
        }
    }

    fn look(&self, forwards: bool, wanted: impl Fn(&Self, usize) -> bool) -> Option<usize> {
        let count = self.read.items.len();
        let at = self.at.unwrap_or(if forwards { count.wrapping_sub(1) } else { 0 });
        (1..=count)
            .map(|step| if forwards { (at + step) % count } else { (at + count - step % count) % count })
            .find(|place| wanted(self, *place))
    }

    /// `]` and `[`: among what the filter lets through, or else among the open.
    pub fn jump_open(&mut self, forwards: bool, cx: &mut Cx<'_>) {
        let env = cx.env;
        if self.filter == Filter::All {
            self.jump(forwards, "no other is open", cx, |queue, place| {
                queue.state(&queue.read.items[place]).verdict().is_none()
            });
        } else {
            self.jump(forwards, "no other fits the filter", cx, |queue, place| queue.fits(place, env));
        }
    }

    /// The place after a verdict: the next that is open, then those that were skipped; with a filter the
    /// next that it lets through.
    fn next(&self, env: &Env) -> Option<usize> {
        match self.filter {
            Filter::All | Filter::Open => {
                let is = |state: ItemState| {
                    move |queue: &Self, place: usize| queue.state(&queue.read.items[place]) == state
                };
                self.look(true, is(ItemState::Open)).or_else(|| self.look(true, is(ItemState::Skipped)))
            }
            _ => self.look(true, |queue, place| queue.fits(place, env)),
        }
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

    /// A response was loaded. One that was there keeps its place in the text.
    pub fn took(&mut self, item: ReviewItem, talk: Talk) {
        let trace = item.trace.id.clone();
        self.loading.remove(&trace);
        match self.loaded.get_mut(&trace) {
            Some(loaded) => (loaded.item, loaded.details) = (item, None),
            None => {
                self.loaded.insert(trace, Loaded { item, talk, details: None });
            }
        }
    }

    /// A response could not be loaded.
    pub fn not_loaded(&mut self, trace: Untrusted, error: &Error) {
        self.loading.remove(&trace);
        self.missing.insert(trace, words().put(Role::Alert, "✗ ").plain(&error.what).done());
    }

    fn load(&mut self, trace: Untrusted, cx: &mut Cx<'_>) {
        self.loading.insert(trace.clone());
        let request = Request::Item { trace, cols: self.cols };
        cx.start(Job::join("responses", "loading the response", request.into()));
    }

    /// Loads the response on screen and those that come next.
    pub fn want(&mut self, cx: &mut Cx<'_>) {
        let Some(at) = self.at else { return };
        let open = |queue: &Self, place: usize| queue.state(&queue.read.items[place]) == ItemState::Open;
        let mut places = vec![at];
        let mut from = at;
        let count = self.read.items.len();
        for _ in 0..3 {
            let next = (1..count).map(|step| (from + step) % count).find(|place| open(self, *place));
            let Some(next) = next else { break };
            places.push(next);
            from = next;
        }
        let index = self.list.selected_index();
        places.extend(self.list.rows().get(index + 1));
        places.extend(index.checked_sub(1).and_then(|before| self.list.rows().get(before)));
        let wanted: Vec<Untrusted> = places
            .iter()
            .filter_map(|place| self.read.items.get(*place))
            .map(|item| item.trace.clone())
            .collect();
        if self.loaded.len() > KEEP {
            self.loaded.retain(|trace, _| wanted.contains(trace));
        }
        for trace in wanted {
            if !self.loaded.contains_key(&trace)
                && !self.loading.contains(&trace)
                && !self.missing.contains_key(&trace)
            {
                self.load(trace, cx);
            }
        }
    }

    /// Asks for the first words of the listed items that are on screen.
    pub fn want_previews(&mut self, cx: &mut Cx<'_>) {
        let Some(page) = cx.env.laid.page(ITEMS) else { return };
        if self.previews_loading {
            return;
        }
        let page = usize::from(page);
        let from = self.list.selected_index().saturating_sub(page);
        let wanted: Vec<Untrusted> = self
            .list
            .rows()
            .iter()
            .skip(from)
            .take(page * 2 + 1)
            .map(|place| &self.read.items[*place].trace)
            .filter(|trace| !self.previews.contains_key(*trace))
            .cloned()
            .collect();
        if !wanted.is_empty() {
            self.previews_loading = true;
            cx.start(Job::join("previews", "loading the list", Request::Previews(wanted).into()));
        }
    }

    /// The first words were loaded, or could not be.
    pub fn took_previews(&mut self, traces: Vec<Untrusted>, rows: Vec<Option<TraceRow>>) {
        self.previews_loading = false;
        self.previews.extend(traces.into_iter().zip(rows.into_iter().chain(std::iter::repeat_with(|| None))));
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
