//! The effect of a switch, from the traces: whether models still answer after a feature was switched off.
//!
//! A switch that reads as off proves that the switch is off, not that the application looks at it. What its traces
//! say is the proof; and that nothing came in proves nothing, so so many answers must have been to be expected.

use jiff::Timestamp;
use serde::Serialize;

use crate::domain::Result;
use crate::domain::switch::{Power, SwitchEvent};
use crate::ops::Ctx;
use crate::store::{Cut, HOUR_MS};
use crate::text::figures::{duration, plural, thousands};

use super::recorded;

const MINUTE_MS: i64 = 60_000;
/// No model has answered for so long.
const QUIET_MS: i64 = 5 * MINUTE_MS;
/// So many answers were to be expected in that time.
const EXPECTED: f64 = 20.0;
/// The time before the switch that tells what is to be expected.
const BEFORE_MS: i64 = HOUR_MS;
/// The time after it that is looked at.
const AFTER_MS: i64 = 6 * HOUR_MS;

/// What the traces say of a switch.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Effect {
    /// When it was switched.
    pub since: Timestamp,
    /// What it was switched to.
    pub to: Power,
    /// Whether the traces confirm it.
    pub verdict: Confirmed,
    /// Requests since then, of the last six hours at most.
    pub requests: u64,
    /// Those that a model answered, or failed to: all but those of a fallback.
    pub by_models: u64,
    /// When the last of them was, to the minute.
    pub last_by_model: Option<Timestamp>,
    /// Answers of models to be expected since then, as in the hour before the switch.
    pub expected: f64,
}

/// Whether traces confirm a switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Confirmed {
    /// They do.
    Yes,
    /// There is too little of them yet.
    NotYet,
    /// Models still answer, more than five minutes after it was switched off.
    No,
}

/// The effect of the last switch of a feature; `None` where none was done. Reads the columns of a few hours at most.
pub(super) fn effect(ctx: &Ctx, feature: Option<i64>, last: Option<&SwitchEvent>) -> Result<Option<Effect>> {
    let Some((last, to)) = last.and_then(|last| Some((last, recorded(last)?))) else { return Ok(None) };
    let (now, at) = (ctx.clock.now().as_millisecond(), last.at.as_millisecond());
    // The minute in which it was switched is of both times: it counts for the one before.
    let at = (at + MINUTE_MS - 1).div_euclid(MINUTE_MS) * MINUTE_MS;
    // A feature of which no trace tells has had no request.
    let parts = |from: i64, to: i64| match feature {
        Some(feature) => ctx.store.parts(Cut::from(Some(feature)), (from, to), MINUTE_MS),
        None => Ok(Vec::new()),
    };
    let by_models = |of: &crate::store::Sums| (of.requests - of.fallbacks).max(0).cast_unsigned();
    let before: u64 = parts(at - BEFORE_MS, at)?.iter().map(by_models).sum();
    let from = at.max(now.div_euclid(MINUTE_MS) * MINUTE_MS - AFTER_MS);
    let minutes = if from < now { parts(from, now + 1)? } else { Vec::new() };
    let last_minute = minutes.iter().rposition(|minute| by_models(minute) > 0);
    let quiet_from = last_minute.map_or(from, |place| from + (place as i64 + 1) * MINUTE_MS);
    let quiet = (now - quiet_from).max(0);
    let expected = before as f64 * quiet as f64 / BEFORE_MS as f64;
    let answered: u64 = minutes.iter().map(by_models).sum();
    let verdict = match to {
        Power::On if answered > 0 => Confirmed::Yes,
        Power::On => Confirmed::NotYet,
        Power::Off if quiet >= QUIET_MS && expected >= EXPECTED => Confirmed::Yes,
        // A minute that has answers ends at most a minute from now.
        Power::Off if last_minute.is_some() && quiet_from - at > QUIET_MS && quiet < QUIET_MS => {
            Confirmed::No
        }
        Power::Off => Confirmed::NotYet,
    };
    Ok(Some(Effect {
        since: last.at,
        to,
        verdict,
        requests: minutes.iter().map(|minute| minute.requests.max(0).cast_unsigned()).sum(),
        by_models: answered,
        last_by_model: last_minute
            .and_then(|place| Timestamp::from_millisecond(from + place as i64 * MINUTE_MS).ok()),
        expected,
    }))
}

impl Effect {
    /// `confirmed: no answer of a model for 7 min, where 84 were to be expected`.
    pub fn in_words(&self, now_ms: i64) -> String {
        let count = |n: u64| thousands(n.cast_signed());
        let since = |at: Timestamp| duration((now_ms - at.as_millisecond()).max(0) as f64);
        let quiet = since(self.last_by_model.unwrap_or(self.since));
        match (self.to, self.verdict) {
            (Power::On, Confirmed::Yes) => {
                format!(
                    "confirmed: models had {} of {} requests",
                    count(self.by_models),
                    count(self.requests)
                )
            }
            (Power::On, _) if self.requests == 0 => "not confirmed yet: no request since".to_owned(),
            (Power::On, _) => {
                let n = usize::try_from(self.requests).unwrap_or(usize::MAX);
                format!("not confirmed yet: {} since, all answered by a fallback", plural(n, "request"))
            }
            (Power::Off, Confirmed::Yes) => format!(
                "confirmed: no answer of a model for {quiet}, where {} were to be expected",
                self.expected.round()
            ),
            (Power::Off, Confirmed::No) => format!(
                "NOT SO: models still answer, {} of {} requests since it was switched off",
                count(self.by_models),
                count(self.requests)
            ),
            (Power::Off, Confirmed::NotYet) if self.by_models > 0 => format!(
                "not confirmed yet: models had {} of {} requests since, the last {quiet} ago",
                count(self.by_models),
                count(self.requests)
            ),
            (Power::Off, Confirmed::NotYet) => format!(
                "not confirmed yet: {:.0} answers of models were to be expected since, and it takes {EXPECTED:.0}",
                self.expected
            ),
        }
    }
}
