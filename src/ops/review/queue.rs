//! Where a reviewer is in a queue: what is done, what comes next, how fast it goes. No store in here: the
//! whole logic is tested on values.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use serde::Serialize;

use super::{ItemState, OtherVerdict, QueueItem, QueueSource};
use crate::domain::label::fold;
use crate::domain::{LabelAct, LabelEvent, Untrusted};
use crate::store::LabelRow;

/// Longer than this between two acts is a break, not thinking.
const BREAK_MS: i64 = 120_000;

/// The pace is that of the last acts: people speed up as they go.
const PACE_OVER: usize = 50;

/// A queue as one reviewer works through it. Places are positions in `items`, from 0.
#[derive(Debug, Clone, Serialize)]
pub struct QueueView {
    /// The sample's name, or what the list is.
    pub name: String,
    /// What it is made of.
    pub source: QueueSource,
    /// Whose queue.
    pub reviewer: Untrusted,
    /// The items in their order.
    pub items: Vec<QueueItem>,
    /// How many are in which state.
    #[serde(flatten)]
    pub tally: Tally,
    /// Where the reviewer goes on; `None` when all is reviewed.
    pub resume: Option<usize>,
    /// Median seconds from one item to the next, breaks left out; `None` before there are two acts.
    pub seconds_each: Option<f64>,
    /// Seconds left at that pace.
    pub seconds_left: Option<f64>,
    #[serde(skip)]
    pub(super) cursor: i64,
    #[serde(skip)]
    places: HashMap<Untrusted, usize>,
    /// My acts on the items, by event id; undone ones too, for they took their time.
    #[serde(skip)]
    acts: BTreeMap<String, (Timestamp, usize, bool)>,
}

/// How many items are in which state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// All items.
    pub total: usize,
    /// Those with a verdict of mine.
    pub reviewed: usize,
    /// Passed.
    pub passes: usize,
    /// Failed.
    pub fails: usize,
    /// Unsure.
    pub unsure: usize,
    /// Skipped and not labelled since.
    pub skipped: usize,
    /// Items on which reviewers gave different verdicts.
    pub disagreed: usize,
}

impl QueueView {
    pub(super) fn new(
        source: QueueSource,
        reviewer: Untrusted,
        members: Vec<(Untrusted, f64, Option<Untrusted>)>,
        cursor: i64,
    ) -> Self {
        let mut places = HashMap::new();
        let mut items = Vec::with_capacity(members.len());
        for (trace, probability, stratum) in members {
            if let std::collections::hash_map::Entry::Vacant(free) = places.entry(trace.clone()) {
                free.insert(items.len());
                let state = ItemState::Open;
                items.push(QueueItem {
                    trace,
                    probability,
                    stratum,
                    state,
                    mode: None,
                    noted: false,
                    others: Vec::new(),
                });
            }
        }
        let name = match &source {
            QueueSource::Sample(name) => name.clone(),
            QueueSource::Traces if items.len() == 1 => "1 trace".to_owned(),
            QueueSource::Traces => format!("{} traces", items.len()),
        };
        Self {
            name,
            source,
            reviewer,
            items,
            tally: Tally::default(),
            resume: None,
            seconds_each: None,
            seconds_left: None,
            cursor,
            places,
            acts: BTreeMap::new(),
        }
    }

    /// The place of a trace.
    pub fn place(&self, trace: &Untrusted) -> Option<usize> {
        self.places.get(trace).copied()
    }

    /// The next item to review after a place (from the start after `None`): the next open one, from the
    /// start again when the end is reached; when none is open, the next skipped one, the place itself
    /// last; `None` when all is reviewed.
    pub fn next_unreviewed(&self, after: Option<usize>) -> Option<usize> {
        self.next_where(after, |item| item.state == ItemState::Open)
            .or_else(|| self.next_where(after, |item| item.state == ItemState::Skipped))
    }

    /// The next item after a place that `wanted` holds for, going round, the place itself last.
    fn next_where(&self, after: Option<usize>, wanted: impl Fn(&QueueItem) -> bool) -> Option<usize> {
        let from = after.map_or(0, |place| place + 1).min(self.items.len());
        (from..self.items.len()).chain(0..from).find(|&place| wanted(&self.items[place]))
    }

    /// Sets where the reviewer goes on when the queue is opened: at the item of the last act when that is
    /// open (it was undone), else at the next after it.
    pub(super) fn begin(&mut self) {
        let last = self.acts.values().next_back().map(|&(_, place, _)| place);
        self.resume = match last {
            Some(place) if self.items[place].state == ItemState::Open => Some(place),
            last => self.next_unreviewed(last),
        };
    }

    /// Takes in the labels and my acts on these places as they now are.
    pub(super) fn update(&mut self, places: &[usize], labels: Vec<LabelRow>, acts: &[LabelEvent]) {
        for &place in places {
            let item = &mut self.items[place];
            (item.state, item.mode, item.noted) = (ItemState::Open, None, false);
            item.others.clear();
        }
        let me = self.reviewer.clone();
        for ((trace, _), standing) in fold(acts) {
            if let (true, Some(&place)) = (standing.skipped, self.places.get(trace)) {
                self.items[place].state = ItemState::Skipped;
            }
        }
        for row in labels {
            let Some(&place) = self.places.get(&row.trace) else { continue };
            let item = &mut self.items[place];
            if row.reviewer == me {
                item.state = row.body.verdict.map_or(item.state, ItemState::from);
                item.mode = row.body.mode;
                item.noted = row.body.note.is_some() || row.body.corrected.is_some();
            } else if let Some(verdict) = row.body.verdict {
                item.others.push(OtherVerdict { reviewer: row.reviewer, verdict, mode: row.body.mode });
            }
        }
        for &place in places {
            self.items[place].others.sort();
        }
        for event in acts {
            if let Some(place) = self.place(&event.trace) {
                let undo = matches!(event.act, LabelAct::Undo { .. });
                self.acts.insert(event.id.clone(), (event.at, place, undo));
            }
        }
        self.count();
    }

    fn count(&mut self) {
        let of = |wanted: ItemState| self.items.iter().filter(|item| item.state == wanted).count();
        let (passes, fails, unsure) = (of(ItemState::Pass), of(ItemState::Fail), of(ItemState::Unsure));
        self.tally = Tally {
            total: self.items.len(),
            reviewed: passes + fails + unsure,
            passes,
            fails,
            unsure,
            skipped: of(ItemState::Skipped),
            disagreed: self.items.iter().filter(|item| item.disagreed()).count(),
        };
        self.seconds_each = self.pace();
        let left = (self.tally.total - self.tally.reviewed) as f64;
        self.seconds_left = self.seconds_each.map(|each| each * left);
    }

    /// Median seconds from the last act on one item to the last act on the next.
    fn pace(&self) -> Option<f64> {
        let acts = self.acts.values().filter(|(_, _, undo)| !undo);
        let mut visits: Vec<(Timestamp, usize)> = Vec::new();
        for &(at, place, _) in acts {
            match visits.last_mut() {
                Some(visit) if visit.1 == place => visit.0 = at,
                _ => visits.push((at, place)),
            }
        }
        let mut gaps: Vec<i64> = visits
            .windows(2)
            .map(|pair| pair[1].0.as_millisecond() - pair[0].0.as_millisecond())
            .filter(|gap| (0..=BREAK_MS).contains(gap))
            .collect();
        gaps.drain(..gaps.len().saturating_sub(PACE_OVER));
        gaps.sort_unstable();
        let middle = gaps.get(gaps.len() / 2).zip(gaps.get(gaps.len().saturating_sub(1) / 2));
        middle.map(|(a, b)| (a + b) as f64 / 2_000.0)
    }
}
