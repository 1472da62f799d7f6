//! Going from item to item, and the filter that says which are listed.

use super::{ITEMS, Queue};
use crate::domain::Verdict;
use crate::ops::review::ItemState;
use crate::text::Role;
use crate::tui::screen::{Cx, Env};
use crate::tui::widgets::scroll::Scroll;
use crate::tui::words::{line, words};

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

impl Queue {
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
    pub(super) fn relist(&mut self, env: &Env) {
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
    pub(super) fn next(&self, env: &Env) -> Option<usize> {
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
}
