//! Who pays for what evaluators ask.

/// Pays for the questions of evaluators, as far as a spending limit lets it. All sums are in US dollars.
pub trait Purse: Send + Sync {
    /// Puts aside the most that a question may cost. `false`: there is no room for it, so it is not asked.
    fn reserve(&self, most: f64) -> bool;
    /// A question that `most` was put aside for came back, and cost this much.
    fn settle(&self, most: f64, cost: f64);
}

/// Pays whatever is asked.
pub struct Unlimited;

impl Purse for Unlimited {
    fn reserve(&self, _: f64) -> bool {
        true
    }

    fn settle(&self, _: f64, _: f64) {}
}
