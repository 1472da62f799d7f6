//! When a rule would have fired: its life over the past, look by look, as if it had watched all the time.

use jiff::Timestamp;
use serde::Serialize;

use super::evidence::{gather, instant};
use super::fold::live;
use super::instance::{MONTH_DAYS, instances};
use super::price::expected;
use super::view::rule;
use super::world::{Reach, World};
use crate::domain::monitor::{DAY_MS, Evidence, Group, Life, Monitors, Turn};
use crate::domain::{Error, Result};
use crate::ops::Ctx;
use crate::stats::poisson_upper;
use crate::task::Cancel;
use crate::text::figures::percent;

/// A rule's past.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReplayView {
    /// The rule.
    pub id: String,
    /// From.
    pub since: Timestamp,
    /// To: now.
    pub until: Timestamp,
    /// Looks that were made, over all groups.
    pub looks: u64,
    /// False pages a month that it is to be expected to raise at this traffic.
    pub expected_false_pages_per_month: Option<f64>,
    /// The probability of so many firings or more, if all were false: Poisson, of that figure in this time.
    pub chance: Option<f64>,
    /// When it would have fired, oldest first.
    pub episodes: Vec<EpisodeView>,
}

impl ReplayView {
    /// `By chance so many come in 0.4 % of such times.`; of none nothing is said.
    pub fn chance_words(&self) -> Option<String> {
        let chance = self.chance.filter(|_| !self.episodes.is_empty())?;
        Some(format!("By chance so many come in {} of such times.", percent(chance)))
    }
}

/// One firing.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EpisodeView {
    /// The group.
    pub group: Group,
    /// When it would have fired.
    pub fired_at: Timestamp,
    /// When it would have been over; `None`: not yet.
    pub resolved_at: Option<Timestamp>,
    /// What it would have stood on.
    pub evidence: Evidence,
}

/// Lives a rule through the last so many milliseconds. Reads every row of that time.
pub fn replay(ctx: &Ctx, monitors: &Monitors, id: &str, last_ms: i64, cancel: &Cancel) -> Result<ReplayView> {
    if last_ms <= 0 {
        return Err(Error::usage("A replay needs some time to go back.").hint("Write --last 28d."));
    }
    let wanted = rule(monitors, id)?;
    let now = ctx.clock.now();
    let since = now.as_millisecond() - last_ms;
    let world = World::read(ctx, monitors, Reach::Every(since))?;
    let mut episodes = Vec::new();
    let (mut looks, mut price) = (0, None::<f64>);
    for of in instances(monitors, &world).into_iter().filter(|one| one.rule.id == wanted.id) {
        cancel.check()?;
        let mut life = Life::default();
        let (events, _) = live(&of, &mut life, &world);
        looks += (last_ms / of.rule.step()).max(0).cast_unsigned();
        if let Some(more) = expected(&of, &life, &world) {
            *price.get_or_insert(0.0) += more;
        }
        for event in events {
            let at = instant(event.look.at.min(world.clock));
            match event.turn {
                Turn::Fired => episodes.push(EpisodeView {
                    group: of.group.clone(),
                    fired_at: at,
                    resolved_at: None,
                    evidence: gather(ctx, &of, &life, &world, &event.look)?,
                }),
                Turn::Resolved => {
                    let open = episodes.iter_mut().rfind(|one| one.group == of.group);
                    if let Some(open) = open {
                        open.resolved_at = Some(at);
                    }
                }
            }
        }
    }
    episodes.sort_by_key(|one| one.fired_at);
    let months = last_ms as f64 / (MONTH_DAYS * DAY_MS as f64);
    let chance = price.map(|price| poisson_upper(episodes.len() as u64, price * months));
    Ok(ReplayView {
        id: wanted.id.clone(),
        since: instant(since),
        until: now,
        looks,
        expected_false_pages_per_month: price,
        chance,
        episodes,
    })
}
