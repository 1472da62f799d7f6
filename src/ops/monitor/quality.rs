//! The judged share: a chart over judgements that come one by one.
//!
//! Judged are traces of samples that were drawn evenly, by people, else by judges ([`crate::domain::Verdicts`]); of a
//! rule that is pinned only those judges count that it is pinned to.

use super::instance::Instance;
use super::look::{Look, below};
use super::pin::heard;
use super::world::World;
use crate::domain::monitor::{DAY_MS, Life, Reading, Test};
use crate::stats::{CONFIDENCE, EwmaPoint, PageHinkley, ewma, wilson};

/// Judgements that the figure shown is of.
const SHOWN: usize = 100;
/// Judgements before Page–Hinkley says anything.
const LEAST: u32 = 30;
/// The chart begins anew so long before now.
const HISTORY_MS: i64 = 28 * DAY_MS;

/// Looks at the chart as it stands at this time.
pub(super) fn look(of: &Instance<'_>, life: &Life, world: &World, at: i64) -> Look {
    let from = life.clean_from.max(at - HISTORY_MS);
    let judged: Vec<(i64, bool)> = world
        .settled_of(of.feature, &heard(of, life, world))
        .filter(|(one, _)| (from..at).contains(&one.ts))
        .map(|(one, failed)| (one.ts, failed))
        .collect();
    let n = judged.len();
    let needed = usize::try_from(of.rule.min_samples).unwrap_or(usize::MAX);
    let shown = &judged[n.saturating_sub(SHOWN)..];
    let k = shown.iter().filter(|(_, failed)| *failed).count();
    let share = (!shown.is_empty()).then(|| k as f64 / shown.len() as f64);
    let (usual, alarm, note) = charted(of, &judged);
    let mut seen = Look {
        reading: Reading::Clear,
        window: (shown.first().map_or(from, |(at, _)| *at), at),
        value: share,
        interval: wilson(k as f64, shown.len() as f64, CONFIDENCE).map(|of| [of.lower, of.upper]),
        usual,
        n: shown.len() as u64,
        count: Some(k as u64),
        ..Look::nothing(at, note)
    };
    if n == 0 || (n < needed && !life.is_out()) {
        seen.reading = Reading::Unknown;
        seen.note = format!("{n} of the {needed} that it needs are judged");
    } else if life.is_out() {
        let well = below(of, life).zip(share).is_some_and(|(below, share)| share < below);
        // What was judged before the alarm says nothing about whether it is over.
        let fresh = judged.iter().filter(|(at, _)| life.fired_at.is_some_and(|fired| *at >= fired)).count();
        seen.reading = if well && fresh >= SHOWN / 2 { Reading::Clear } else { Reading::Between };
    } else if alarm {
        seen.reading = Reading::Bad;
    }
    seen
}

/// The usual share, whether the chart has alarmed, and how it stands.
fn charted(of: &Instance<'_>, judged: &[(i64, bool)]) -> (Option<f64>, bool, String) {
    match of.rule.test {
        Test::PageHinkley { delta, lambda } => {
            let (mut chart, mut alarm, mut last) = (PageHinkley::default(), false, 0.0);
            for (_, failed) in judged {
                last = chart.step(*failed, delta);
                alarm |= chart.alarms(last, lambda, LEAST);
            }
            (None, alarm, format!("Page–Hinkley at {last:.1} of {lambda:.1}"))
        }
        Test::Cusum { p0, .. } => match of.chart.map(|chart| (chart, of.apart.map_or(p0, |of| of.p0))) {
            Some((chart, p0)) => {
                let (mut sum, mut alarm) = (0, false);
                for (_, failed) in judged {
                    sum = chart.step(sum, *failed);
                    alarm |= chart.alarms(sum);
                }
                (Some(p0), alarm, format!("chart at {sum} of {}", chart.limit))
            }
            None => (Some(p0), false, "these shares cannot be told apart".to_owned()),
        },
        _ => (None, false, String::new()),
    }
}

/// The share of each day smoothed, with its limit, of the last four weeks; for the eye.
pub(super) fn smoothed(of: &Instance<'_>, life: &Life, world: &World) -> Vec<EwmaPoint> {
    let Some(apart) = of.apart else { return Vec::new() };
    let mut days = std::collections::BTreeMap::<i64, (f64, f64)>::new();
    for (one, failed) in world.settled_of(of.feature, &heard(of, life, world)) {
        let day = days.entry(one.ts.div_euclid(DAY_MS)).or_default();
        day.0 += 1.0;
        day.1 += f64::from(u8::from(failed));
    }
    let mean = days.values().map(|day| day.0).sum::<f64>() / days.len().max(1) as f64;
    let shares: Vec<f64> = days.values().map(|(n, k)| k / n).collect();
    ewma(&shares, mean.max(1.0), apart.p0, 0.2, 3.0)
}
