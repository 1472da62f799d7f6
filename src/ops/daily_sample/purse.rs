//! Who pays for judging a trace of the daily sample: the ledger of a round, with every question written down before it
//! is asked.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::Error;
use crate::ops::run::CasePurse;
use crate::ops::score::Purse;
use crate::store::{Pick, Store};

/// Pays for the questions about one trace.
pub(super) struct PickPurse<'a> {
    inner: Arc<CasePurse>,
    store: &'a Store,
    pick: &'a Pick,
    became: Mutex<Became>,
}

/// What became of the questions.
#[derive(Default)]
pub(super) struct Became {
    /// What was paid, or may have been, in US dollars.
    pub(super) paid: f64,
    /// There was no room for a question.
    pub(super) no_room: bool,
    /// The store could not note a question, so it was not asked.
    pub(super) unwritten: Option<Error>,
}

impl<'a> PickPurse<'a> {
    pub(super) fn new(inner: Arc<CasePurse>, store: &'a Store, pick: &'a Pick) -> Self {
        Self { inner, store, pick, became: Mutex::default() }
    }

    fn became(&self) -> MutexGuard<'_, Became> {
        self.became.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn into_became(self) -> Became {
        self.became.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Purse for PickPurse<'_> {
    fn reserve(&self, most: f64) -> bool {
        if !self.inner.reserve(most) {
            self.became().no_room = true;
            return false;
        }
        match self.store.put_aside(self.pick, most) {
            Ok(()) => true,
            Err(error) => {
                self.inner.settle(most, 0.0);
                self.became().unwritten = Some(error);
                false
            }
        }
    }

    fn settle(&self, most: f64, cost: f64) {
        self.inner.settle(most, cost);
        self.became().paid += cost;
    }
}
