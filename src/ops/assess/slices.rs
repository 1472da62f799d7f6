//! Who fails: the slices of the traffic that explain the excess.

use serde::Serialize;

use super::gather::DIMENSIONS;
use crate::domain::Untrusted;
use crate::stats::{Mix, RankedSlice, SliceCell, attribute, binomial_upper, mix_or_rate};

/// Slices shown.
const SHOWN: usize = 5;
/// Scores so near to the best are not told apart from it.
const NEAR: f64 = 4.0;
/// A slice is above its own usual rate when chance alone would make it so less often than this.
const ABOVE: f64 = 1e-3;
/// What is left of a slice is as usual while chance would make it so more often than this.
const AS_USUAL: f64 = 0.05;
/// Requests at the overall rate that are added to what a slice did before, as in [`attribute`].
const SHRINK: f64 = 20.0;
/// Requests with known outcome from which on the guilty slice comes first in most cases.
pub(super) const ENOUGH: f64 = 500.0;
/// And below which it mostly does not.
pub(super) const TOO_FEW: f64 = 200.0;
/// Dimensions that users bring, and not the team: only their shares can change by themselves.
const BROUGHT: [&str; 3] = ["kind", "language", "feature"];

/// What came of the search for slices.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SlicesVerdict {
    /// The first slice explains it best.
    Found,
    /// The first ones explain it about equally well.
    NotSeparable,
    /// No slice is above what is usual in it.
    #[default]
    Nothing,
    /// Fewer than 200 requests whose outcome is known.
    TooFew,
}

/// Which slices explain the excess.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Slices {
    /// What came of it.
    pub verdict: SlicesVerdict,
    /// There are fewer than 500 requests whose outcome is known: the first slice may not be the guilty one.
    pub few: bool,
    /// The slices, most telling first.
    pub ranked: Vec<SliceView>,
}

/// A slice of the traffic.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SliceView {
    /// Dimension and value, one or two.
    pub slice: Vec<(String, Untrusted)>,
    /// Requests in it whose outcome is known.
    pub n: u64,
    /// Those of them that fail.
    pub fails: u64,
    /// The share.
    pub rate: f64,
    /// The share outside it.
    pub rate_outside: f64,
    /// Failures more than usual in it.
    pub excess: f64,
    /// Its share of the whole excess; beyond 1 where the rest has fewer than usual.
    pub explains: f64,
    /// G² of inside against outside, less 4.6 for a second dimension.
    pub score: f64,
    /// What a slice of two dimensions leaves of each of its parents, or a parent without the slice above it: whether
    /// that is as usual. `None` where nothing was asked.
    pub rest_as_usual: Option<bool>,
    /// Of a parent: the value without which `rest_as_usual` was asked.
    pub without: Option<Untrusted>,
    /// The query of its failing requests.
    pub query: String,
    /// The place of each dimension, and the value, as in the cells.
    #[serde(skip)]
    pub(super) key: Vec<(usize, String)>,
}

/// What the groups' shares of the traffic did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MixView {
    /// By which dimension.
    pub dimension: &'static str,
    /// Rate since less rate before.
    pub total: f64,
    /// What the groups' own rates did of it.
    pub rate: f64,
    /// What their shares of the traffic did of it.
    pub mix: f64,
    /// More than half of the rise is the mix: the traffic changed, not the model.
    pub traffic_changed: bool,
}

impl MixView {
    fn of(dimension: &'static str, Mix { total, rate, mix }: Mix) -> Self {
        Self { dimension, total, rate, mix, traffic_changed: total > 0.0 && mix > total / 2.0 }
    }
}

/// The dimension of those that users bring whose mix moved the rate most. `None` without requests before or since.
pub(super) fn mix(cells: &[SliceCell]) -> Option<MixView> {
    let of = |dimension: &&'static str| {
        let at = DIMENSIONS.iter().position(|name| name == dimension)?;
        let mut groups = std::collections::BTreeMap::<&str, ((f64, f64), (f64, f64))>::new();
        for cell in cells {
            let group = groups.entry(&cell.values[at]).or_default();
            group.0 = (group.0.0 + cell.before.0, group.0.1 + cell.before.1);
            group.1 = (group.1.0 + cell.now.0, group.1.1 + cell.now.1);
        }
        mix_or_rate(&groups.into_values().collect::<Vec<_>>()).map(|mix| MixView::of(dimension, mix))
    };
    BROUGHT.iter().filter_map(of).reduce(|best, one| if one.mix.abs() > best.mix.abs() { one } else { best })
}

/// The slices of `cells` that explain the excess, `above` telling whether there is one at all. A slice is left out
/// that is not above its own usual rate: what always failed more explains nothing.
pub(super) fn explain(cells: &[SliceCell], above: bool) -> Slices {
    let known: f64 = cells.iter().map(|cell| cell.now.0).sum();
    let few = known < ENOUGH;
    if known < TOO_FEW {
        return Slices { verdict: SlicesVerdict::TooFew, few, ranked: Vec::new() };
    }
    if !above {
        return Slices { verdict: SlicesVerdict::Nothing, few, ranked: Vec::new() };
    }
    let found = attribute(cells);
    let usual = Usual { cells, overall: found.before };
    let mut ranked: Vec<RankedSlice> =
        found.ranked.into_iter().filter(|one| usual.tells(one) && usual.is_above(&one.slice)).collect();
    settle(&mut ranked, &usual);
    let Some(first) = ranked.first().cloned() else {
        return Slices { verdict: SlicesVerdict::Nothing, few, ranked: Vec::new() };
    };
    // A slice and its parent are told apart by what is left of the parent; others only by their scores.
    let near = |one: &&RankedSlice| one.score >= first.score - NEAR && !related(&one.slice, &first.slice);
    let verdict = match ranked.iter().skip(1).find(near) {
        Some(_) => SlicesVerdict::NotSeparable,
        None => SlicesVerdict::Found,
    };
    let ranked = ranked.into_iter().take(SHOWN).map(|one| view(one, &first.slice, &usual)).collect();
    Slices { verdict, few, ranked }
}

type Slice = [(usize, String)];

/// Whether one holds the other.
fn related(a: &Slice, b: &Slice) -> bool {
    a.iter().all(|part| b.contains(part)) || b.iter().all(|part| a.contains(part))
}

/// Brings to the top, of those about as good as the first, the child whose parents are as usual without it, or the
/// parent that is not.
fn settle(ranked: &mut [RankedSlice], usual: &Usual<'_>) {
    let Some(first) = ranked.first().cloned() else { return };
    let near = ranked.iter().take_while(|one| one.score >= first.score - NEAR).count();
    let child_of = |one: &RankedSlice, parent: &RankedSlice| {
        one.slice.len() > parent.slice.len() && related(&one.slice, &parent.slice)
    };
    let better = ranked[..near].iter().position(|one| {
        if child_of(one, &first) {
            usual.rest_as_usual(&first.slice, &one.slice)
        } else {
            child_of(&first, one) && !usual.rest_as_usual(&one.slice, &first.slice)
        }
    });
    if let Some(at) = better {
        ranked[..=at].rotate_right(1);
    }
}

fn view(one: RankedSlice, first: &Slice, usual: &Usual<'_>) -> SliceView {
    let (n, k) = one.now;
    let is_parent = one.slice.len() < first.len() && related(&one.slice, first);
    let rest_as_usual = match one.slice.len() {
        2 => Some(one.slice.iter().all(|part| usual.rest_as_usual(std::slice::from_ref(part), &one.slice))),
        _ if is_parent => Some(usual.rest_as_usual(&one.slice, first)),
        _ => None,
    };
    let other = first.iter().find(|part| !one.slice.contains(part)).filter(|_| is_parent);
    SliceView {
        slice: one
            .slice
            .iter()
            .map(|(at, value)| (DIMENSIONS[*at].to_owned(), value.as_str().into()))
            .collect(),
        n: n.round() as u64,
        fails: k.round() as u64,
        rate: k / n,
        rate_outside: one.rate_outside,
        excess: one.excess,
        explains: one.share,
        score: one.score,
        rest_as_usual,
        without: other.map(|(_, value)| value.as_str().into()),
        query: String::new(),
        key: one.slice,
    }
}

/// What is usual in slices.
struct Usual<'a> {
    cells: &'a [SliceCell],
    overall: f64,
}

impl Usual<'_> {
    /// Requests and failures before and now of what is in one slice and not in the other.
    fn sum(&self, within: &Slice, without: Option<&Slice>) -> [f64; 4] {
        let holds =
            |slice: &Slice, cell: &SliceCell| slice.iter().all(|(at, value)| cell.values[*at] == *value);
        let mut sum = [0.0; 4];
        for cell in self.cells.iter().filter(|cell| holds(within, cell)) {
            if without.is_none_or(|slice| !holds(slice, cell)) {
                let counts = [cell.before.0, cell.before.1, cell.now.0, cell.now.1];
                sum.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
            }
        }
        sum
    }

    fn rate(&self, [n0, k0, _, _]: [f64; 4]) -> f64 {
        (k0 + SHRINK * self.overall) / (n0 + SHRINK)
    }

    /// Whether a slice is one of its own: not a parent that has nothing besides it, and not the traffic that is in
    /// no experiment, which is no group.
    fn tells(&self, one: &RankedSlice) -> bool {
        let arm = DIMENSIONS.len() - 1;
        let outside = one.slice.iter().any(|(at, value)| *at == arm && value == super::NONE);
        let same = |part: &(usize, String)| self.sum(std::slice::from_ref(part), None)[2] <= one.now.0;
        !outside && (one.slice.len() == 1 || !one.slice.iter().any(same))
    }

    /// Whether a slice fails more than was usual in it, and in each of its parents: of a new version's fee questions
    /// only what fee questions did before tells what is usual.
    fn is_above(&self, slice: &Slice) -> bool {
        let own = self.sum(slice, None);
        let parents = slice.iter().map(|part| self.rate(self.sum(std::slice::from_ref(part), None)));
        let usual = parents.fold(self.rate(own), f64::max);
        upper(own[3], own[2], usual) <= ABOVE
    }

    /// Whether a parent without its child is as usual.
    fn rest_as_usual(&self, parent: &Slice, child: &Slice) -> bool {
        let rest = self.sum(parent, Some(child));
        upper(rest[3], rest[2], self.rate(rest)) > AS_USUAL
    }
}

/// `P(K ≥ k)` of whole counts.
fn upper(k: f64, n: f64, rate: f64) -> f64 {
    binomial_upper(k.round() as u64, n.round() as u64, rate)
}
