//! The traffic of a feature on a tape: any time's sums at once, from sums by the hour and, where a window does
//! not begin or end with an hour, by five minutes.

use std::collections::BTreeMap;

use crate::domain::monitor::{HOUR_MS, MINUTE_MS};
use crate::store::Tally;

/// Milliseconds of the smallest sums.
pub(super) const FINE_MS: i64 = 5 * MINUTE_MS;
/// Five minutes in an hour.
const PARTS: usize = 12;

/// Sums of consecutive hours, and of the parts of some of them.
#[derive(Debug, Clone)]
pub(super) struct Tape {
    /// The first hour.
    first: i64,
    /// What was before each hour, and before the end.
    before: Vec<Tally>,
    /// Parts of hours.
    fine: BTreeMap<i64, [Tally; PARTS]>,
}

impl Tape {
    /// An empty tape of these hours, both included.
    pub(super) fn new(hours: &[Tally], first: i64) -> Self {
        let mut before = Vec::with_capacity(hours.len() + 1);
        let mut sum = Tally::default();
        before.push(sum);
        for hour in hours {
            sum.add(hour);
            before.push(sum);
        }
        Self { first, before, fine: BTreeMap::new() }
    }

    /// Takes the sums of five minutes (time divided by 300,000). All of an hour's must come, or none.
    pub(super) fn take_part(&mut self, five: i64, tally: &Tally) {
        let (hour, part) = (five.div_euclid(PARTS as i64), five.rem_euclid(PARTS as i64));
        self.fine.entry(hour).or_default()[part as usize].add(tally);
    }

    /// Whether the parts of an hour are known.
    pub(super) fn know_parts(&mut self, hour: i64) {
        self.fine.entry(hour).or_default();
    }

    /// The sums from `from` up to `to` (milliseconds, excluded), both whole multiples of five minutes. A part of
    /// an hour whose parts are not known is left out.
    pub(super) fn sum(&self, from: i64, to: i64) -> Tally {
        if from >= to {
            return Tally::default();
        }
        let (first, last) = (from.div_euclid(HOUR_MS), to.div_euclid(HOUR_MS));
        if first == last {
            return self.parts(first, from, to);
        }
        let whole = if from.rem_euclid(HOUR_MS) == 0 { first } else { first + 1 };
        let mut sum = self.hours(whole, last);
        if whole > first {
            sum.add(&self.parts(first, from, whole * HOUR_MS));
        }
        sum.add(&self.parts(last, last * HOUR_MS, to));
        sum
    }

    /// The sums of whole hours, the last excluded.
    pub(super) fn hours(&self, from: i64, to: i64) -> Tally {
        let at = |hour: i64| {
            let place = usize::try_from(hour - self.first).unwrap_or(0);
            self.before[place.min(self.before.len() - 1)]
        };
        let mut sum = at(to.max(from));
        sum.take_away(&at(from));
        sum
    }

    fn parts(&self, hour: i64, from: i64, to: i64) -> Tally {
        let mut sum = Tally::default();
        if let Some(parts) = self.fine.get(&hour) {
            for (part, tally) in parts.iter().enumerate() {
                let begins = hour * HOUR_MS + part as i64 * FINE_MS;
                if begins >= from && begins < to {
                    sum.add(tally);
                }
            }
        }
        sum
    }

    /// The first hour that has traffic.
    pub(super) fn began(&self) -> Option<i64> {
        let place = self.before.iter().position(|sum| sum.requests > 0)?;
        Some(self.first + place as i64 - 1)
    }

    /// When the last request before `to` was, to five minutes where those are known, else to the hour: the end
    /// of the span that it lies in.
    pub(super) fn last_request(&self, to: i64) -> Option<i64> {
        let mut hour = to.div_euclid(HOUR_MS);
        let first = self.first.max(hour - 36 * 24);
        while hour >= first {
            let begins = hour * HOUR_MS;
            if let Some(parts) = self.fine.get(&hour) {
                let last = parts
                    .iter()
                    .enumerate()
                    .map(|(part, tally)| (begins + part as i64 * FINE_MS, tally))
                    .rfind(|(at, tally)| *at < to && tally.requests > 0);
                if let Some((at, _)) = last {
                    return Some((at + FINE_MS).min(to));
                }
            } else if begins < to && self.hours(hour, hour + 1).requests > 0 {
                return Some((begins + HOUR_MS).min(to));
            }
            hour -= 1;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requests(n: i64) -> Tally {
        Tally { requests: n, ..Tally::default() }
    }

    #[test]
    fn sums_are_of_whole_hours_and_their_parts() {
        let mut tape = Tape::new(&[requests(12), requests(24), requests(36)], 100);
        for part in 0..12 {
            tape.take_part(101 * 12 + part, &requests(2));
        }
        let at = |hour: i64, minute: i64| hour * HOUR_MS + minute * MINUTE_MS;
        assert_eq!(tape.sum(at(100, 0), at(103, 0)).requests, 72);
        assert_eq!(tape.sum(at(100, 0), at(101, 30)).requests, 12 + 12);
        assert_eq!(tape.sum(at(101, 10), at(101, 20)).requests, 4);
        assert_eq!(tape.sum(at(101, 30), at(103, 0)).requests, 12 + 36);
        assert_eq!(tape.sum(at(90, 0), at(200, 0)).requests, 72, "outside there is nothing");
        assert_eq!(tape.began(), Some(100));
    }

    #[test]
    fn the_last_request_is_found_to_five_minutes() {
        let mut tape = Tape::new(&[requests(5), requests(0), requests(1)], 0);
        tape.take_part(24 + 3, &requests(1));
        assert_eq!(tape.last_request(3 * HOUR_MS), Some(2 * HOUR_MS + 20 * MINUTE_MS));
        tape.know_parts(1);
        assert_eq!(tape.last_request(2 * HOUR_MS), Some(HOUR_MS), "the hour's end, where parts are unknown");
        assert_eq!(Tape::new(&[], 0).last_request(HOUR_MS), None);
    }
}
