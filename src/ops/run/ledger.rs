//! The spending limit: a case is asked only while all that was paid, with the most that those in flight
//! may cost, stays within it.

use super::bound::Bound;

/// What a run has spent and may yet spend, in US dollars.
#[derive(Debug)]
pub(super) struct Ledger {
    limit: Option<f64>,
    /// Paid, or presumed to be: an answer that never came may have been paid for.
    paid: f64,
    in_flight: Vec<f64>,
    dearest: Option<f64>,
    /// An answer came that did not say what it cost.
    silent: bool,
}

/// Whether there is room for one more.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Room {
    /// This much was put aside for it; to be settled.
    Yes(f64),
    /// When one in flight has landed.
    Later,
    /// It may cost this much, which is too much; nothing is known where it is `None`.
    No(Option<f64>),
}

/// What one came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Spent {
    /// It was asked and cost this much, evaluators included.
    Asking(f64),
    /// The target was not paid, only this much to others.
    Beside(f64),
    /// It may have been paid, nobody says how much: what was put aside counts.
    Perhaps,
}

impl Ledger {
    /// A ledger that begins with what was paid before.
    pub(super) fn new(limit: Option<f64>, paid: f64) -> Self {
        Self { limit, paid, in_flight: Vec::new(), dearest: None, silent: false }
    }

    /// Puts aside what one more may cost, where there is room. Without a limit there always is.
    pub(super) fn admit(&mut self, asking: Bound, beside: f64) -> Room {
        let Some(limit) = self.limit else { return Room::Yes(0.0) };
        let most = match (asking, self.dearest) {
            (Bound::AtMost(most), _) | (Bound::About(most), None) => most + beside,
            (Bound::About(_) | Bound::Unknown, Some(dearest)) => 2.0 * dearest,
            // The first one tells, alone.
            (Bound::Unknown, None) if self.silent => return Room::No(None),
            (Bound::Unknown, None) if !self.in_flight.is_empty() => return Room::Later,
            (Bound::Unknown, None) => beside,
        };
        if self.paid + self.in_flight.iter().sum::<f64>() + most <= limit {
            self.in_flight.push(most);
            return Room::Yes(most);
        }
        if self.in_flight.is_empty() { Room::No(Some(most)) } else { Room::Later }
    }

    /// One landed that this much was put aside for.
    pub(super) fn settle(&mut self, aside: f64, spent: Spent) {
        if self.limit.is_none() {
            return;
        }
        if let Some(at) = self.in_flight.iter().position(|one| *one == aside) {
            self.in_flight.swap_remove(at);
        }
        match spent {
            Spent::Asking(cost) => {
                self.paid += cost;
                self.dearest = Some(self.dearest.map_or(cost, |dearest| dearest.max(cost)));
            }
            Spent::Beside(cost) => self.paid += cost,
            Spent::Perhaps => {
                self.paid += aside;
                self.silent = true;
            }
        }
    }

    /// Counts as paid what may have been.
    pub(super) fn presume(&mut self, cost: f64) {
        self.paid += cost;
    }

    /// What was paid, or is presumed to be.
    pub(super) fn paid(&self) -> f64 {
        self.paid
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_known_bound_is_never_passed(
            limit in 0.0f64..5.0,
            costs in prop::collection::vec(0.0f64..=0.3, 1..120),
            order in prop::collection::vec(any::<prop::sample::Index>(), 400),
        ) {
            let mut ledger = Ledger::new(Some(limit), 0.0);
            let mut costs = costs.into_iter();
            let (mut flying, mut paid, mut order) = (Vec::new(), 0.0, order.into_iter());
            loop {
                match costs.as_slice().first().map(|_| ledger.admit(Bound::AtMost(0.25), 0.05)) {
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
                        let (aside, cost) = flying.swap_remove(at);
                        paid += cost;
                        ledger.settle(aside, Spent::Asking(cost));
                    }
                }
                prop_assert!(paid <= limit + 1e-9);
            }
        }
    }

    #[test]
    fn where_nobody_knows_the_first_one_tells() {
        let mut ledger = Ledger::new(Some(1.0), 0.0);
        let Room::Yes(aside) = ledger.admit(Bound::Unknown, 0.0) else { panic!() };
        assert_eq!(ledger.admit(Bound::Unknown, 0.0), Room::Later);
        ledger.settle(aside, Spent::Asking(0.3));
        assert_eq!(ledger.admit(Bound::Unknown, 0.0), Room::Yes(0.6));
        assert_eq!(ledger.admit(Bound::Unknown, 0.0), Room::Later);
        let mut silent = Ledger::new(Some(1.0), 0.0);
        let Room::Yes(aside) = silent.admit(Bound::Unknown, 0.0) else { panic!() };
        silent.settle(aside, Spent::Perhaps);
        assert_eq!(silent.admit(Bound::Unknown, 0.0), Room::No(None));
    }
}
