//! All rules on all groups, brought up to now.

use std::collections::BTreeMap;

use super::evidence::{gather, instant};
use super::fold::live;
use super::instance::{Instance, instances};
use super::look::Look;
use super::pin;
use super::world::{Reach, World, watched_at};
use crate::domain::Result;
use crate::domain::monitor::{DAY_MS, Group, HOUR_MS, Life, Monitors, Turn, Urgency};
use crate::ops::Ctx;
use crate::store::{NewAlert, PassWrite, Resumption};

/// How far back a rule that has never looked begins.
pub(super) const FIRST_LOOK_MS: i64 = 28 * DAY_MS;

/// A rule on a group, brought up to now.
pub(super) struct Brought<'r> {
    pub(super) of: Instance<'r>,
    pub(super) life: Life,
    pub(super) look: Look,
}

/// All of them, and what is to be kept.
pub(super) struct Advanced<'r> {
    pub(super) world: World,
    pub(super) all: Vec<Brought<'r>>,
    pub(super) write: PassWrite,
}

/// Brings every rule up to now. Rules that looked lately have one look; what was missed meanwhile is made up for
/// by the hour, from the hourly figures.
pub(super) fn advance<'r>(ctx: &Ctx, monitors: &'r Monitors) -> Result<Advanced<'r>> {
    let known = ctx.store.monitor_lives()?;
    let mut lives: BTreeMap<(String, Group), Life> =
        known.into_iter().map(|(rule, group, life)| ((rule, group), life)).collect();
    let resumed: BTreeMap<(String, Group), Resumption> = ctx
        .store
        .resumptions()?
        .into_iter()
        .map(|one| ((one.rule.clone(), one.group.clone()), one))
        .collect();
    let now = watched_at(ctx)?.as_millisecond();
    // One that is looked at less often has missed nothing meanwhile.
    let every = |id: &str| monitors.rules.iter().find(|rule| rule.id == id).and_then(|rule| rule.every);
    let looked_at = lives.iter().map(|((id, _), life)| life.looked_at + every(id).unwrap_or(0));
    let oldest = looked_at.min().unwrap_or(0);
    // A look each hour or oftener has missed nothing.
    let fresh = !lives.is_empty() && now - oldest < 2 * HOUR_MS;
    let mut world =
        World::read(ctx, monitors, if fresh { Reach::Now } else { Reach::Hours(now - FIRST_LOOK_MS) })?;
    let mut all = instances(monitors, &world);
    if fresh && all.iter().any(|one| !lives.contains_key(&(one.rule.id.clone(), one.group.clone()))) {
        world = World::read(ctx, monitors, Reach::Hours(now - FIRST_LOOK_MS))?;
        all = instances(monitors, &world);
    }
    let mut write = PassWrite::default();
    let mut brought = Vec::new();
    for mut of in all {
        let key = (of.rule.id.clone(), of.group.clone());
        let mut life = lives.remove(&key).unwrap_or_default();
        let before = life.clone();
        if let Some(newest) = resumed.get(&key) {
            pin::resume(&mut life, newest);
        }
        of.rebase(&life);
        let (events, look) = live(&of, &mut life, &world);
        let mut fired: Option<NewAlert> = None;
        for event in events {
            let at = instant(event.look.at.min(world.clock));
            match (event.turn, fired.take()) {
                (Turn::Fired, _) => {
                    fired = Some(NewAlert {
                        rule: of.rule.id.clone(),
                        group: of.group.clone(),
                        severity: of.severity,
                        fired_at: at,
                        resolved_at: None,
                        evidence: gather(ctx, &of, &life, &world, &event.look)?,
                    });
                }
                // Raised and over while nobody watched: kept, and told to nobody.
                (Turn::Resolved, Some(mine)) => write.fired.push(NewAlert { resolved_at: Some(at), ..mine }),
                (Turn::Resolved, None) => write.resolved.push((key.0.clone(), key.1.clone(), at)),
            }
        }
        write.fired.extend(fired);
        match (&before.paused, &life.paused) {
            (None, Some(_)) => write.fired.push(NewAlert {
                rule: of.rule.id.clone(),
                group: pin::pause_group(&of.group),
                severity: Urgency::Ticket,
                fired_at: instant(life.paused_at.unwrap_or(world.clock).min(world.clock)),
                resolved_at: None,
                evidence: pin::evidence(&of, &life, &look),
            }),
            (Some(_), None) => {
                write.resolved.push((key.0.clone(), pin::pause_group(&key.1), ctx.clock.now()));
            }
            _ => {}
        }
        if life != before {
            write.lives.push((key.0, key.1, life.clone()));
        }
        brought.push(Brought { of, life, look });
    }
    // The rule was taken out of the configuration, or the feature has had no traffic for four weeks.
    for ((rule, group), life) in lives {
        if life.paused.is_some() {
            write.resolved.push((rule.clone(), pin::pause_group(&group), ctx.clock.now()));
        }
        write.resolved.push((rule.clone(), group.clone(), ctx.clock.now()));
        write.gone.push((rule, group));
    }
    write.fired.sort_by_key(|alert| alert.fired_at);
    Ok(Advanced { world, all: brought, write })
}
