//! What a rule costs: the false pages that it is to be expected to raise in a month, at its own traffic.

use super::instance::{Instance, MONTH_DAYS, judged_a_month, looks_of};
use super::look::counted;
use super::share::known;
use super::silence::events_a_month;
use super::world::World;
use crate::domain::monitor::{HOUR_MS, Life, Test};
use crate::stats::false_alarms;

/// Windows of past traffic that the price is the mean over.
const LOOKED_AT: i64 = 7;

/// False episodes in a month; `None` where nothing is known of the traffic yet, or the rule tells no chance.
pub(super) fn expected(of: &Instance<'_>, life: &Life, world: &World) -> Option<f64> {
    match of.rule.test {
        Test::Share { min_count, .. } => {
            let tape = world.tape(&of.cut);
            let mut sum = None;
            for window in &of.rule.windows {
                let to = world.now.div_euclid(HOUR_MS) * HOUR_MS;
                let Some(usual) = known(of, life, world, *window, to) else { continue };
                let mut chances = 0.0;
                for back in 0..LOOKED_AT {
                    // Odd hours apart, so that nights and days both are among them.
                    let end = to - (back * 29) * HOUR_MS;
                    let (n, _) = counted(of, &tape.sum(end - window, end));
                    let least = min_count.max((of.rule.test.matters(usual.rate) * n as f64).ceil() as u64);
                    let chance = usual.critical(n, least, of.alpha).map_or(0.0, |(_, actual)| actual);
                    chances += chance / LOOKED_AT as f64;
                }
                let hours = *window as f64 / HOUR_MS as f64;
                *sum.get_or_insert(0.0) +=
                    false_alarms(chances, hours, looks_of(of.rule, *window), MONTH_DAYS);
            }
            sum
        }
        Test::Cusum { .. } => Some(judged_a_month(world, of.feature) / of.chart?.run_length(of.apart?.p0)),
        Test::Ratio { .. } => {
            let window = of.rule.longest();
            let hours = window as f64 / HOUR_MS as f64;
            Some(false_alarms(of.alpha, hours, looks_of(of.rule, window), MONTH_DAYS))
        }
        Test::Silence { .. } => Some(events_a_month(world, of.feature) * (-of.expected).exp()),
        Test::Budget { .. } => super::money::false_forecasts(of, world),
        Test::PageHinkley { .. } | Test::Odd { .. } | Test::Burn { .. } => None,
    }
}
