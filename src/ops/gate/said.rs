//! What an item comes to, and the rule that figures are judged by.

use std::collections::BTreeMap;

use crate::domain::gate::{EvidenceRow, Need, Verdict};
use crate::stats::{Interval, clopper_pearson, proof_below};

/// The error of a one-sided bound that proves.
pub(super) const ALPHA: f64 = 0.05;
/// The two-sided confidence whose ends are each one-sided at 95 %.
pub(super) const ENDS: f64 = 1.0 - 2.0 * ALPHA;

/// What an item comes to.
#[derive(Debug, Clone)]
pub(super) struct Said {
    pub verdict: Verdict,
    pub proven: bool,
    /// In a few words.
    pub figure: String,
    /// In a sentence or two.
    pub words: String,
    pub interval: Option<Interval>,
    pub figures: BTreeMap<String, f64>,
    pub set: Option<(String, u64)>,
    pub run: Option<String>,
    pub query: Option<String>,
    pub warnings: Vec<String>,
    pub next: Option<String>,
    /// What was kept before and carries it.
    pub evidence: Option<EvidenceRow>,
}

impl Said {
    /// Without figures.
    pub fn new(verdict: Verdict, figure: impl Into<String>, words: impl Into<String>) -> Self {
        Self {
            verdict,
            proven: verdict == Verdict::Met,
            figure: figure.into(),
            words: words.into(),
            interval: None,
            figures: BTreeMap::new(),
            set: None,
            run: None,
            query: None,
            warnings: Vec::new(),
            next: None,
            evidence: None,
        }
    }

    /// With the way on.
    pub fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }

    /// Carried by this.
    pub fn by(mut self, row: &EvidenceRow) -> Self {
        self.evidence = Some(row.clone());
        self
    }

    /// With a figure.
    pub fn with(mut self, name: &str, value: f64) -> Self {
        // JSON, in which it is kept, knows no other numbers.
        if value.is_finite() {
            self.figures.insert(name.to_owned(), value);
        }
        self
    }
}

/// A share that was judged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Judged {
    pub verdict: Verdict,
    /// The interval leaves no doubt that it is met.
    pub proven: bool,
    /// How many it takes in all when none of those to come fails.
    pub needed: Option<u64>,
    /// Each end one-sided at 95 %.
    pub interval: Option<Interval>,
}

/// Whether more than `min` of `n` are good. The point rule holds the figure against it, and does not decide on
/// fewer than `enough` unless the interval leaves no doubt; proof is Clopper and Pearson's one-sided bound.
pub(super) fn above(good: u64, n: u64, min: f64, need: Need, enough: u64) -> Judged {
    const ROUNDING: f64 = 1e-12;
    let met = n > 0 && (good as f64 / n as f64 > min + ROUNDING || min >= 1.0 && good == n);
    let proof = proof_below(n - good, n, 1.0 - min, ALPHA);
    let proven = met && proof.is_some_and(|proof| proof.proven);
    let disproven = !met && proof_below(good, n, min, ALPHA).is_some_and(|proof| proof.proven);
    Judged {
        verdict: verdict(met, proven, disproven, n >= enough, need),
        proven,
        needed: proof.and_then(|proof| proof.needed),
        interval: clopper_pearson(good, n, ENDS),
    }
}

/// What a figure comes to: by itself, by its interval either way, and whether there is enough of it.
pub(super) fn verdict(met: bool, proven: bool, disproven: bool, enough: bool, need: Need) -> Verdict {
    match (met, need) {
        (true, _) if proven => Verdict::Met,
        (true, Need::Point) if enough => Verdict::Met,
        (true, _) => Verdict::NotEnoughData,
        (false, _) if disproven || enough => Verdict::NotMet,
        (false, _) => Verdict::NotEnoughData,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn met_and_proven_are_two_things() {
        let point = |good, n| {
            let judged = above(good, n, 0.9, Need::Point, 20);
            (judged.verdict, judged.proven)
        };
        // More than nine tenths: 45 of 50 is not, 46 is, and 49 proves it.
        assert_eq!(point(45, 50), (Verdict::NotMet, false));
        assert_eq!(point(46, 50), (Verdict::Met, false));
        assert_eq!(point(48, 50), (Verdict::Met, false));
        assert_eq!(point(49, 50), (Verdict::Met, true));
        for (good, n) in [(96, 100), (188, 200), (462, 500)] {
            assert_eq!((point(good, n).1, point(good - 1, n).1), (true, false), "{good} of {n}");
        }
        // Few do not decide, unless they leave no doubt.
        assert_eq!(point(10, 10), (Verdict::NotEnoughData, false));
        assert_eq!(point(2, 10), (Verdict::NotMet, false));
        assert_eq!(point(0, 0), (Verdict::NotEnoughData, false));
        assert_eq!(above(46, 50, 0.9, Need::Proven, 20).verdict, Verdict::NotEnoughData);
        assert_eq!(above(50, 50, 1.0, Need::Point, 20).verdict, Verdict::Met);
    }
}
