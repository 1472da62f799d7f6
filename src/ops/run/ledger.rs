//! The spending limit: a question is asked only while all that was paid, with the most that those in flight
//! may cost, stays within it.
//!
//! A case puts aside what asking its target costs at most, and what judging its answer should. Each question
//! of a judge then draws its own bound from the case's [`CasePurse`], and gives back what it did not cost.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::bound::Bound;
use crate::ops::score::Purse;

/// What a run has spent and may yet spend, in US dollars. Clones are the same ledger.
#[derive(Debug, Clone)]
pub(in crate::ops) struct Ledger(Arc<Mutex<Sums>>);

#[derive(Debug)]
struct Sums {
    limit: Option<f64>,
    /// Paid, or presumed to be: an answer that never came may have been paid for.
    paid: f64,
    /// Put aside for those in flight.
    aside: f64,
    /// Cases in flight.
    flying: usize,
    dearest: Option<f64>,
    /// An answer came that did not say what it cost.
    silent: bool,
}

/// Whether there is room for one more.
#[derive(Debug)]
pub(in crate::ops) enum Room {
    /// So much was put aside for it.
    Yes(Aside),
    /// When one in flight has landed.
    Later,
    /// It may cost this much, which is too much; nothing is known where it is `None`.
    No(Option<f64>),
}

/// What was put aside for a case; to be settled.
#[derive(Debug)]
pub(in crate::ops) struct Aside {
    asking: f64,
    /// For those who judge the answer.
    pub purse: Arc<CasePurse>,
}

/// What a target got for a case.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::ops) enum Spent {
    /// It was asked, answered, and cost this much.
    Asking(f64),
    /// Nothing.
    Nothing,
    /// It may have been paid, nobody says how much: what was put aside counts.
    Perhaps,
}

impl Ledger {
    /// A ledger that begins with what was paid before.
    pub(in crate::ops) fn new(limit: Option<f64>, paid: f64) -> Self {
        Self(Arc::new(Mutex::new(Sums { limit, paid, aside: 0.0, flying: 0, dearest: None, silent: false })))
    }

    fn sums(&self) -> MutexGuard<'_, Sums> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts aside what one more may cost, and `judging` for its judges, where there is room. Without a
    /// limit there always is.
    pub(in crate::ops) fn admit(&self, asking: Bound, judging: f64) -> Room {
        let mut sums = self.sums();
        let asking = match (asking, sums.dearest) {
            _ if sums.limit.is_none() => 0.0,
            (Bound::AtMost(most), _) | (Bound::About(most), None) => most,
            (Bound::About(_) | Bound::Unknown, Some(dearest)) => 2.0 * dearest,
            // The first one tells, alone.
            (Bound::Unknown, None) if sums.silent => return Room::No(None),
            (Bound::Unknown, None) if sums.flying > 0 => return Room::Later,
            (Bound::Unknown, None) => 0.0,
        };
        if sums.take(asking + judging) {
            sums.flying += 1;
            let held = Mutex::new(Held { left: judging, asked: 0.0 });
            let purse = CasePurse { ledger: self.clone(), asking, held };
            return Room::Yes(Aside { asking, purse: Arc::new(purse) });
        }
        if sums.flying == 0 { Room::No(Some(asking + judging)) } else { Room::Later }
    }

    /// One landed that this was put aside for.
    pub(in crate::ops) fn settle(&self, aside: &Aside, spent: Spent) {
        aside.purse.close();
        let mut sums = self.sums();
        sums.aside -= aside.asking;
        sums.flying = sums.flying.saturating_sub(1);
        if sums.flying == 0 {
            // What adding and taking away left of rounding.
            sums.aside = 0.0;
        }
        match spent {
            Spent::Asking(cost) => {
                sums.paid += cost;
                sums.dearest = Some(sums.dearest.map_or(cost, |dearest| dearest.max(cost)));
            }
            Spent::Nothing => {}
            Spent::Perhaps => {
                sums.paid += aside.asking;
                sums.silent = true;
            }
        }
    }

    /// Counts as paid what may have been.
    pub(super) fn presume(&self, cost: f64) {
        self.sums().paid += cost;
    }

    /// What was paid, or is presumed to be.
    pub(super) fn paid(&self) -> f64 {
        self.sums().paid
    }
}

impl Sums {
    /// Puts more aside, where the limit has room for it.
    fn take(&mut self, more: f64) -> bool {
        let fits = self.limit.is_none_or(|limit| self.paid + self.aside + more <= limit);
        if fits {
            self.aside += more;
        }
        fits
    }
}

/// What the judges of one case may spend: first what the case put aside for them, then what is free.
#[derive(Debug)]
pub(in crate::ops) struct CasePurse {
    ledger: Ledger,
    /// What asking the target once may cost.
    asking: f64,
    held: Mutex<Held>,
}

#[derive(Debug)]
struct Held {
    /// Put aside, and not asked with yet.
    left: f64,
    /// Of questions that did not come back yet.
    asked: f64,
}

impl CasePurse {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts aside what asking the target once more may cost, after an attempt that may have been paid for.
    pub(super) fn ask_again(&self) -> bool {
        let fits = self.ledger.sums().take(self.asking);
        if fits {
            self.held().asked += self.asking;
        }
        fits
    }

    /// Gives back what is left. What never came back may have been paid.
    fn close(&self) {
        let Held { left, asked } = std::mem::replace(&mut *self.held(), Held { left: 0.0, asked: 0.0 });
        let mut sums = self.ledger.sums();
        sums.aside -= left + asked;
        sums.paid += asked;
    }
}

impl Purse for CasePurse {
    fn reserve(&self, most: f64) -> bool {
        let mut held = self.held();
        let more = (most - held.left).max(0.0);
        if more > 0.0 && !self.ledger.sums().take(more) {
            return false;
        }
        held.left = (held.left - most).max(0.0);
        held.asked += most;
        true
    }

    fn settle(&self, most: f64, cost: f64) {
        let mut held = self.held();
        held.asked -= most;
        // The case may ask again with it.
        held.left += (most - cost).max(0.0);
        let mut sums = self.ledger.sums();
        sums.aside -= most.min(cost);
        sums.paid += cost;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MOST: f64 = 0.25;

    proptest! {
        /// Whatever targets and judges cost within their bounds, and in whatever order they land.
        #[test]
        fn a_known_bound_is_never_passed(
            limit in 0.0f64..5.0,
            costs in prop::collection::vec((0.0f64..=MOST, prop::collection::vec(0.0f64..=0.1, 0..4)), 1..120),
            order in prop::collection::vec(any::<prop::sample::Index>(), 400),
        ) {
            let ledger = Ledger::new(Some(limit), 0.0);
            let mut costs = costs.into_iter();
            let (mut flying, mut paid, mut order) = (Vec::new(), 0.0, order.into_iter());
            loop {
                match costs.as_slice().first().map(|_| ledger.admit(Bound::AtMost(MOST), 0.05)) {
                    Some(Room::Yes(aside)) => flying.push((aside, costs.next().unwrap())),
                    Some(Room::No(most)) => {
                        prop_assert!(flying.is_empty() && paid + most.unwrap() > limit);
                        break;
                    }
                    Some(Room::Later) | None => {
                        if flying.is_empty() {
                            break;
                        }
                        let at = order.next().map_or(0, |at| at.index(flying.len()));
                        let (aside, (cost, judging)) = flying.swap_remove(at);
                        paid += cost;
                        // A judge that is asked again wants more than was put aside for it.
                        for cost in judging {
                            if aside.purse.reserve(0.1) {
                                aside.purse.settle(0.1, cost);
                                paid += cost;
                            }
                        }
                        ledger.settle(&aside, Spent::Asking(cost));
                    }
                }
                prop_assert!(paid <= limit + 1e-9);
                prop_assert!((ledger.paid() - paid).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn a_question_that_may_have_been_paid_is_asked_again_only_within_the_limit() {
        let ledger = Ledger::new(Some(1.0), 0.0);
        let aside = room(&ledger, Bound::AtMost(0.4));
        assert!(aside.purse.ask_again() && !aside.purse.ask_again());
        ledger.settle(&aside, Spent::Asking(0.1));
        assert!((ledger.paid() - 0.5).abs() < 1e-9, "the attempt without an answer counts");
        assert!(matches!(ledger.admit(Bound::AtMost(0.6), 0.0), Room::No(_)));
        assert!(matches!(ledger.admit(Bound::AtMost(0.5), 0.0), Room::Yes(_)));
    }

    fn room(ledger: &Ledger, bound: Bound) -> Aside {
        match ledger.admit(bound, 0.0) {
            Room::Yes(aside) => aside,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn where_nobody_knows_the_first_one_tells() {
        let ledger = Ledger::new(Some(1.0), 0.0);
        let first = room(&ledger, Bound::Unknown);
        assert!(matches!(ledger.admit(Bound::Unknown, 0.0), Room::Later));
        ledger.settle(&first, Spent::Asking(0.3));
        assert_eq!(room(&ledger, Bound::Unknown).asking, 0.6);
        assert!(matches!(ledger.admit(Bound::Unknown, 0.0), Room::Later));
        let silent = Ledger::new(Some(1.0), 0.0);
        silent.settle(&room(&silent, Bound::Unknown), Spent::Perhaps);
        assert!(matches!(silent.admit(Bound::Unknown, 0.0), Room::No(None)));
    }

    #[test]
    fn a_judge_that_never_came_back_counts_as_paid() {
        let ledger = Ledger::new(Some(1.0), 0.0);
        let Room::Yes(aside) = ledger.admit(Bound::AtMost(0.2), 0.5) else { panic!() };
        assert!(aside.purse.reserve(0.4) && !aside.purse.reserve(0.5));
        ledger.settle(&aside, Spent::Asking(0.1));
        assert!((ledger.paid() - 0.5).abs() < 1e-9);
    }
}
