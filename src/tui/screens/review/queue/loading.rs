//! The responses and the first words of the list as they are read, ahead of the cursor.

use super::{ITEMS, Queue};
use crate::domain::{Error, Taxonomy, TraceRow, Untrusted};
use crate::ops::review::{ItemState, QueueItem, ReviewItem};
use crate::text::{Line, Role, figures};
use crate::tui::jobs::Job;
use crate::tui::screen::{Cx, Env};
use crate::tui::screens::known::Details;
use crate::tui::screens::review::work::Request;
use crate::tui::widgets::talk::Talk;
use crate::tui::words::{one_line, words};

/// Responses kept in memory around the present one.
const KEEP: usize = 24;

/// A loaded response.
#[derive(Debug)]
pub struct Loaded {
    pub item: ReviewItem,
    pub talk: Talk,
    /// All that is known of it, for this many columns; nothing when it has to be laid out again.
    pub(super) details: Option<(u16, Vec<Line>)>,
}

impl Loaded {
    /// All that is known of it, as it was laid out last.
    pub fn details(&self) -> &[Line] {
        self.details.as_ref().map_or(&[], |(_, lines)| lines)
    }

    /// Lays out what is known of it, if it is not.
    pub(super) fn lay_details(&mut self, queued: &QueueItem, taxonomy: &Taxonomy, env: &Env, cols: u16) {
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

impl Queue {
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

    pub(super) fn load(&mut self, trace: Untrusted, cx: &mut Cx<'_>) {
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
