//! The life of a rule over time: look by look, from the last one to now.

use super::instance::Instance;
use super::look::{Look, Memory, look};
use super::pin;
use super::world::{Reach, World};
use crate::domain::monitor::{HOUR_MS, Life, Test, Turn};

/// What a look changed, with what it saw.
#[derive(Debug, Clone)]
pub(super) struct Event {
    pub(super) turn: Turn,
    pub(super) look: Look,
}

/// Lives through the looks after the last one; gives what changed and the newest look.
pub(super) fn live(of: &Instance<'_>, life: &mut Life, world: &World) -> (Vec<Event>, Look) {
    let mut memory = Memory::default();
    let mut events = Vec::new();
    let mut last = None;
    for at in looks(of, life.looked_at, world) {
        pin::hold(of, life, world, at);
        if let Some(why) = &life.paused {
            last = Some(pin::paused(of, world, at, why));
            life.looked_at = at;
            continue;
        }
        let seen = look(of, life, world, at, memory.at(at, life));
        let turn = life.look(of.rule, at, seen.reading, seen.window.0);
        if turn == Some(Turn::Fired) {
            let least = seen.interval.map(|ends| ends[0]).or(seen.value);
            life.alarm = least.map(|least| (least, seen.usual.unwrap_or(0.0)));
            life.alarm_from = seen.window.0;
        }
        if let Some(turn) = turn {
            events.push(Event { turn, look: seen.clone() });
        }
        last = Some(seen);
    }
    // Nothing is new: the figures are shown as they were seen last.
    let last = last.unwrap_or_else(|| match &life.paused {
        Some(why) => pin::paused(of, world, world.now, why),
        None => {
            let at = of.rule.every.map_or(world.now, |_| of.rule.look_before(world.clock));
            look(of, life, world, at, memory.at(at, life))
        }
    });
    (events, last)
}

/// The times of the looks that are to be made, oldest first.
fn looks(of: &Instance<'_>, after: i64, world: &World) -> Vec<i64> {
    let mut times = Vec::new();
    match world.reach {
        Reach::Every(from) => {
            let step = of.rule.step();
            let mut at = (after + 1).max(from);
            at = at.div_euclid(step) * step + if at.rem_euclid(step) == 0 { 0 } else { step };
            while at <= world.now {
                times.push(at);
                at += step;
            }
        }
        // Sessions are looked up for now alone.
        Reach::Hours(from) if !matches!(of.rule.test, Test::Ratio { .. } | Test::Burn { .. }) => {
            let mut hour = (after + 1).max(from).div_euclid(HOUR_MS) + 1;
            while hour * HOUR_MS < world.now {
                if of.rule.look_before(hour * HOUR_MS) == hour * HOUR_MS {
                    times.push(hour * HOUR_MS);
                }
                hour += 1;
            }
            times.extend(newest(of, after, world));
        }
        _ => times.extend(newest(of, after, world)),
    }
    times
}

/// The newest look, where it is still to be made.
fn newest(of: &Instance<'_>, after: i64, world: &World) -> Option<i64> {
    match of.rule.every {
        Some(_) => Some(of.rule.look_before(world.clock)).filter(|at| *at > after),
        // The five minutes that are not over are looked at again.
        None => Some(world.now).filter(|now| *now >= after),
    }
}
