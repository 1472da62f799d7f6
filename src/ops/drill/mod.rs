//! Drills: an incident rehearsed on a store of its own, where faults arrive over time and nothing real can be
//! reached.
//!
//! It is played on traffic like the team's own (`own`), or on the demo's where there is too little of that. `scenario`
//! says what goes wrong when; `traffic` makes the requests; `feed` lets traffic arrive by the drill's clock, answered by whatever the
//! sandbox says is on; `score` holds what was done against what was planted. To add a scenario: a variant of
//! [`Scenario`], its fault in `scenario`, its words in `domain::drill`.

mod auto;
mod feed;
mod own;
mod place;
mod scenario;
mod score;
mod suspect;
#[cfg(test)]
mod tests;
mod traffic;

use std::sync::Arc;

use jiff::Timestamp;

pub use crate::domain::drill::{Scenario, Score, Stage};
pub use auto::play;
pub use feed::watched;
pub use own::{Own, own};
pub use place::{Place, Plan};
pub use score::{Before, ScoreView};

use crate::domain::Result;
use crate::domain::prompt::TeamConfig;
use crate::ops::Ctx;
use crate::ops::incident::step::Hands;
use crate::ops::runbook::{Books, CheckView};
use crate::task::{Cancel, Clock, Progress};
use feed::Feed;

/// Requests an hour where nobody says otherwise.
pub const AN_HOUR: u64 = 360;

/// A drill that is held.
pub struct Drill {
    /// Where.
    pub place: Place,
    /// Its store, by its clock.
    pub ctx: Ctx,
    /// What acts in it.
    pub hands: Arc<Hands>,
    /// What of the runbook would fail in it, found before it began.
    pub check: CheckView,
    feed: Feed,
}

impl Drill {
    /// Makes a drill's folder and store, which takes a moment. `clock` is the place's own for people; one that stands
    /// for a drill that plays itself. The usual one of `books` is checked beforehand.
    ///
    /// # Errors
    /// When the folder cannot be written, the runbook cannot be read, or it was cancelled: then nothing is left of it.
    pub fn make(
        plan: Plan,
        reviewer: &str,
        clock: Option<Clock>,
        (team, own, books): (&TeamConfig, Option<Own>, &Books),
        cancel: &Cancel,
        progress: &Progress,
    ) -> Result<Self> {
        let mut place = Place::make(plan)?;
        let made = Self::made(&mut place, reviewer, clock, (team, own, books), cancel, progress);
        if made.is_err() {
            place.discard();
        }
        made
    }

    fn made(
        place: &mut Place,
        reviewer: &str,
        clock: Option<Clock>,
        (team, own, books): (&TeamConfig, Option<Own>, &Books),
        cancel: &Cancel,
        progress: &Progress,
    ) -> Result<Self> {
        let standing = place.open(reviewer, Clock::fixed(place.plan.begin))?;
        let traffic = place.fill(&standing, own, cancel, progress)?;
        let hands = place.hands(team)?;
        let check = place.rehearse(&standing, &hands, books, cancel)?;
        place.begin()?;
        let clock = clock.unwrap_or_else(|| place.clock());
        let ctx = place.open(reviewer, clock)?;
        let feed = Feed::new(place, hands.clone(), traffic);
        Ok(Self { place: place.clone(), ctx, hands, check, feed })
    }

    /// Lets everything happen that is due by the drill's clock. Gives how many requests arrived.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn advance(&mut self) -> Result<usize> {
        self.feed.advance(&self.ctx)
    }

    /// How it stands, held against the earlier drills of `home`, the person's own store, and kept there.
    ///
    /// # Errors
    /// When a store cannot be read, or the person's own cannot be written.
    pub fn end(&self, auto: bool, home: &Ctx) -> Result<ScoreView> {
        let (score, incident) = score::score(self, auto)?;
        let before = Before::of(&home.store.drills()?, &score);
        home.store.keep_drill(&score)?;
        let plan = &self.place.plan;
        Ok(ScoreView {
            told: plan.told(),
            own: plan.stage.own,
            feature: plan.stage.feature.as_str().into(),
            score,
            incident,
            before,
        })
    }
}

/// All drills that were held from a store, oldest first.
///
/// # Errors
/// When it cannot be read.
pub fn held(ctx: &Ctx) -> Result<Vec<Score>> {
    ctx.store.drills()
}

/// A plan of a drill that begins now.
pub fn plan(
    (scenario, stage): (Scenario, Stage),
    seed: u64,
    an_hour: u64,
    speed: f64,
    now: Timestamp,
) -> Plan {
    Plan { scenario, seed, an_hour, begin: now, begun: now, speed, stage }
}
