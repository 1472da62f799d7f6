//! How the daily sample stands today: what was drawn, what became of it, and what of its budget is used.

use jiff::Timestamp;
use serde::Serialize;

use super::{OLDEST_MS, released};
use crate::domain::monitor::DAY_MS;
use crate::domain::{JudgeSample, Result, Untrusted};
use crate::ops::Ctx;
use crate::store::PickState;
use crate::text::figures::dollars;

/// Today (UTC).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SampleDay {
    /// When it began.
    pub day: Timestamp,
    /// Traces of today that were drawn.
    pub drawn: u64,
    /// Of those: judged.
    pub judged: u64,
    /// Of those: the judges could not tell, or the program ended while it asked.
    pub not_judged: u64,
    /// Traces that wait to be judged, those of yesterday among them.
    pub waiting: u64,
    /// US dollars that the questions of today cost, or may have cost.
    pub spent_usd: f64,
    /// What may be spent by now: the budget is released evenly, an hour ahead.
    pub released_usd: f64,
    /// The budget of the day.
    pub max_usd_per_day: f64,
    /// What is left of it.
    pub left_usd: f64,
    /// The same of each feature with traces drawn today.
    pub features: Vec<FeatureDay>,
}

/// A feature's part of today.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct FeatureDay {
    /// Its name; `None` for traces that name none.
    pub feature: Option<Untrusted>,
    /// As in [`SampleDay`].
    pub drawn: u64,
    /// As in [`SampleDay`].
    pub judged: u64,
    /// As in [`SampleDay`].
    pub waiting: u64,
}

/// Today's sample; `None` where the configuration asks for none.
pub fn today(ctx: &Ctx) -> Result<Option<SampleDay>> {
    ctx.judge_sample.as_ref().map(|spec| of(ctx, spec)).transpose()
}

fn of(ctx: &Ctx, spec: &JudgeSample) -> Result<SampleDay> {
    let now = ctx.clock.now().as_millisecond();
    let today = now.div_euclid(DAY_MS);
    let (spent, _) = ctx.store.judging_cost(today)?;
    let mut all = SampleDay {
        day: Timestamp::from_millisecond(today * DAY_MS).unwrap_or(Timestamp::UNIX_EPOCH),
        drawn: 0,
        judged: 0,
        not_judged: 0,
        waiting: 0,
        spent_usd: spent,
        released_usd: released(spec, now),
        max_usd_per_day: spec.max_usd_per_day,
        left_usd: (spec.max_usd_per_day - spent).max(0.0),
        features: Vec::new(),
    };
    for one in ctx.store.picks_by_state(today - OLDEST_MS / DAY_MS)? {
        let open = matches!(one.state, PickState::Waiting | PickState::Asking);
        // What is older than it may be is not asked about any more.
        if open && one.newest_ts >= now - OLDEST_MS {
            all.waiting += one.count;
        }
        if one.day != today {
            continue;
        }
        let name = Some(one.feature).filter(|name| !name.is_empty()).map(Untrusted::from);
        if all.features.last().is_none_or(|last| last.feature != name) {
            all.features.push(FeatureDay { feature: name, ..FeatureDay::default() });
        }
        all.drawn += one.count;
        let Some(feature) = all.features.last_mut() else { continue };
        feature.drawn += one.count;
        match one.state {
            PickState::Told => {
                all.judged += one.count;
                feature.judged += one.count;
            }
            PickState::Untold | PickState::Lost => all.not_judged += one.count,
            PickState::Waiting | PickState::Asking => feature.waiting += one.count,
        }
    }
    Ok(all)
}

impl SampleDay {
    /// `112 drawn today · 96 judged · 14 wait · $0.31 of $1.00 spent`.
    pub fn words(&self) -> String {
        let mut parts = vec![format!("{} drawn today", self.drawn), format!("{} judged", self.judged)];
        if self.not_judged > 0 {
            parts.push(format!("{} not", self.not_judged));
        }
        if self.waiting > 0 {
            parts.push(format!("{} wait", self.waiting));
        }
        parts.push(format!("{} of {} spent", dollars(self.spent_usd), dollars(self.max_usd_per_day)));
        parts.join(" · ")
    }
}
