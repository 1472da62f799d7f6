//! Which arriving traces are judged: each is looked at once, as it arrives, and has its place by a hash of its id, as
//! in `sample draw` with the usual seed. So a steady draw at the rate of the daily sample holds traces that were judged.

use std::collections::{BTreeMap, HashMap};

use crate::domain::monitor::{DAY_MS, HOUR_MS};
use crate::domain::sample::draw_hash;
use crate::domain::{JudgeSample, Result};
use crate::ops::Ctx;
use crate::store::{Arrival, Pick};
use crate::task::Cancel;

/// Arrivals that are looked at in one go.
const BATCH: usize = 20_000;
/// What is older when it arrives is history, and not judged.
pub(super) const OLDEST_MS: i64 = 2 * DAY_MS;
/// What bears a later time than now by more than this is wrong about it.
const AHEAD_MS: i64 = HOUR_MS;
/// Requests of a like day up to now from which today is held against it.
const ENOUGH: f64 = 20.0;

/// Draws from what arrived since the last time. The first time nothing is drawn: it begins with what arrives then.
pub(super) fn draw(ctx: &Ctx, spec: &JudgeSample, cancel: &Cancel) -> Result<u64> {
    let Some(mut cursor) = ctx.store.judge_cursor()? else {
        ctx.store.keep_picks(ctx.store.last_arrival()?, &[])?;
        return Ok(0);
    };
    let mut all = 0;
    loop {
        let arrivals = ctx.store.arrivals(cursor, BATCH)?;
        let Some(last) = arrivals.last() else { return Ok(all) };
        let picks = drawn(ctx, spec, &arrivals, cancel)?;
        cancel.check()?;
        ctx.store.keep_picks(last.seq, &picks)?;
        cursor = last.seq;
        all += picks.len() as u64;
    }
}

fn drawn(ctx: &Ctx, spec: &JudgeSample, arrivals: &[Arrival], cancel: &Cancel) -> Result<Vec<Pick>> {
    let now = ctx.clock.now().as_millisecond();
    let today = now.div_euclid(DAY_MS);
    let recent: Vec<&Arrival> =
        arrivals.iter().filter(|one| (now - OLDEST_MS..now + AHEAD_MS).contains(&one.ts)).collect();
    if recent.is_empty() {
        return Ok(Vec::new());
    }
    let names = ctx.store.feature_ids()?;
    let name = |feature: i64| names.get(&feature).cloned().unwrap_or_default();
    let day = |one: &Arrival| one.ts.div_euclid(DAY_MS);
    let later = to_come(ctx, now)?;
    let mut picked = ctx.store.picked(today - OLDEST_MS / DAY_MS)?;
    // Those of each day and feature that are here and were not looked at yet.
    let mut here: HashMap<(i64, i64), u64> = HashMap::new();
    for one in &recent {
        *here.entry((day(one), one.feature)).or_default() += 1;
    }
    let mut chosen: Vec<(&Arrival, u64, f64)> = Vec::new();
    for one in recent {
        let drawn = picked.entry((day(one), name(one.feature))).or_default();
        let here = here.entry((day(one), one.feature)).or_default();
        let later = if day(one) == today { later.get(&one.feature).copied().unwrap_or(0.0) } else { 0.0 };
        let probability = spec.probability(*drawn, *here as f64 + later);
        *here -= 1;
        let place = draw_hash(one.id_hash, 0);
        if is_taken(place, probability) {
            *drawn += 1;
            chosen.push((one, place, probability));
        }
    }
    let seqs: Vec<i64> = chosen.iter().map(|(one, ..)| one.seq).collect();
    let ids = ctx.store.trace_ids(&seqs, cancel)?;
    let pick = |(trace, (one, place, probability)): (_, (&Arrival, u64, f64))| Pick {
        trace,
        id_hash: one.id_hash,
        ts: one.ts,
        day: day(one),
        feature: name(one.feature),
        place,
        probability,
        attempts: 0,
    };
    Ok(ids.into_iter().zip(chosen).map(pick).collect())
}

/// Whether a place is among the lowest of this share. In 128 bits, so that a share of 1 takes the highest too.
fn is_taken(place: u64, share: f64) -> bool {
    u128::from(place) < (share * 2f64.powi(64)) as u128
}

/// Requests of each feature that are to be expected in the rest of today (UTC): those of the same day a week ago
/// after this time of day, or else of yesterday, in the proportion of the hours before; where there was no such day,
/// as many an hour as today so far.
fn to_come(ctx: &Ctx, now: i64) -> Result<BTreeMap<i64, f64>> {
    let (today, hour) = (now.div_euclid(DAY_MS), now.div_euclid(HOUR_MS));
    let gone = now.rem_euclid(HOUR_MS) as f64 / HOUR_MS as f64;
    // Of today, of a week ago, of yesterday: before this time of day, and after.
    let mut days: BTreeMap<i64, [[f64; 2]; 3]> = BTreeMap::new();
    ctx.store.hourly_tallies(((today - 7) * 24, hour), &[], |at, feature, tally| {
        let Some(which) = [today, today - 7, today - 1].iter().position(|day| *day == at.div_euclid(24))
        else {
            return;
        };
        let requests = tally.requests.max(0) as f64;
        let [before, after] = &mut days.entry(feature).or_default()[which];
        match at.rem_euclid(24).cmp(&hour.rem_euclid(24)) {
            std::cmp::Ordering::Less => *before += requests,
            std::cmp::Ordering::Greater => *after += requests,
            // The hour of today that is under way has no part after now.
            std::cmp::Ordering::Equal if which == 0 => *before += requests,
            std::cmp::Ordering::Equal => {
                *before += requests * gone;
                *after += requests * (1.0 - gone);
            }
        }
    })?;
    let passed = (now.rem_euclid(DAY_MS) as f64 / DAY_MS as f64).max(1.0 / 24.0);
    let rest = |[so_far, week, yesterday]: [[f64; 2]; 3]| match [week, yesterday]
        .into_iter()
        .find(|[before, after]| before + after > 0.0)
    {
        Some([before, after]) if before >= ENOUGH => after * (so_far[0] / before).clamp(0.25, 4.0),
        Some([_, after]) => after,
        None => so_far[0] * (1.0 - passed) / passed,
    };
    Ok(days.into_iter().map(|(feature, of)| (feature, rest(of))).collect())
}
