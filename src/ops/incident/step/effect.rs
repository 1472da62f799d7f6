//! Whether a switch took effect: not what the flag says, but what the traces say.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::ground::Ground;
use super::look::subject;
use crate::domain::incident::{ActStage, span_words};
use crate::domain::runbook::{Effect, StepKind};
use crate::domain::{Result, Untrusted};
use crate::ops::measure::{Metric, Reading, Subject, Wanted, measure};

/// The time before an act that says what was to be expected after it.
const USUAL_MS: i64 = 3_600_000;
/// Stretches of time that the series has at most.
const SLOTS: i64 = 8;

/// How the effect of an act stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EffectView {
    /// The figure that tells.
    pub metric: Untrusted,
    /// What it must be.
    pub must: String,
    /// How it stands.
    pub state: EffectState,
    /// The same in a sentence.
    pub words: String,
    /// The figure's count by stretches as long as it must hold: the one before the act, then those after it.
    pub series: Vec<u64>,
    /// How long a stretch is, in milliseconds.
    pub slot_ms: u64,
}

/// Whether an effect is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EffectState {
    /// It is too early, or too little came in, or it is not there yet.
    Waiting,
    /// The traces show it.
    Confirmed,
    /// Somebody signed without it.
    Unconfirmed,
}

/// How the effect of the step's last act stands; `None` for a step that waits for none.
pub(super) fn look(ground: &Ground<'_>) -> Result<Option<EffectView>> {
    let StepKind::Flag { effect: Some(effect), flag, .. } = &ground.step().kind else { return Ok(None) };
    let Some(act) = &ground.incident.steps[ground.index].acts.act else { return Ok(None) };
    if matches!(act.stage, ActStage::Begun | ActStage::Failed) {
        return Ok(None);
    }
    let slot_ms = effect.for_ms.max(1);
    let mut view = EffectView {
        metric: effect.metric.clone(),
        must: effect.must.text.clone(),
        state: EffectState::Waiting,
        words: String::new(),
        series: Vec::new(),
        slot_ms,
    };
    if let Some((confirmed, words)) = &act.effect {
        view.state = if *confirmed { EffectState::Confirmed } else { EffectState::Unconfirmed };
        view.words = words.raw().to_owned();
        return Ok(Some(view));
    }
    let feature = flag.as_ref().map(Untrusted::raw).or_else(|| ground.wanted_feature().ok());
    let Subject::Metric(metric) = subject(&effect.metric)? else { return Ok(Some(view)) };
    let acted = act.ended_at.unwrap_or(act.begun_at);
    let of = Measured { ground, metric, feature };
    view.series = of.series(acted, slot_ms)?;
    let (holds, words) = of.told(effect, acted)?;
    view.words = words;
    if holds {
        view.state = EffectState::Confirmed;
    }
    Ok(Some(view))
}

struct Measured<'a> {
    ground: &'a Ground<'a>,
    metric: Metric,
    feature: Option<&'a str>,
}

impl Measured<'_> {
    fn over(&self, metric: Metric, window: (Timestamp, Timestamp)) -> Result<Reading> {
        let wanted = Wanted { metric, feature: self.feature, version: None, window, baseline_ms: None };
        measure(self.ground.ctx, &wanted, self.ground.cancel)
    }

    /// The stretch before the act and those since.
    fn series(&self, acted: Timestamp, slot_ms: u64) -> Result<Vec<u64>> {
        let slot = i64::try_from(slot_ms).unwrap_or(i64::MAX);
        let since = (self.ground.now().as_millisecond() - acted.as_millisecond()).max(0);
        let last = (since / slot).min(SLOTS);
        let at = |n: i64| moved(acted, n.saturating_mul(slot));
        (-1..last).map(|n| Ok(self.over(self.metric, (at(n), at(n + 1)))?.k.unwrap_or(0))).collect()
    }

    /// Whether it holds, and how it stands in words.
    fn told(&self, effect: &Effect, acted: Timestamp) -> Result<(bool, String)> {
        let now = self.ground.now();
        let hour_before = self.over(Metric::Requests, (moved(acted, -USUAL_MS), acted))?.k.unwrap_or(0);
        let a_ms = hour_before as f64 / USUAL_MS as f64;
        // Where little comes, it takes longer until as much was to be expected.
        let enough_ms = effect.min_expected as f64 / a_ms.max(f64::MIN_POSITIVE);
        let span = (effect.for_ms as f64).max(enough_ms.min(1e12)) as i64;
        let since = now.as_millisecond() - acted.as_millisecond();
        let looked = since.min(span).max(0);
        let reading = self.over(self.metric, (moved(now, -looked), now))?;
        let seen = format!("{}: {}", reading.title, reading.words);
        let words = |ms: i64| span_words(u64::try_from(ms).unwrap_or(0));
        let must = &effect.must.text;
        if hour_before == 0 {
            let none =
                "no request came in the hour before, so that none was to be expected: sign it unconfirmed";
            return Ok((false, format!("{seen}; {none}")));
        }
        if since < span {
            let (so_far, left) = (words(since), words(span - since));
            return Ok((
                false,
                format!("{seen} in {so_far} since; must be {must} for {}, {left} left", words(span)),
            ));
        }
        let newest = self.ground.ctx.store.newest_trace(now.as_millisecond())?;
        if newest.is_none_or(|newest| newest < now.as_millisecond() - span) {
            return Ok((
                false,
                format!("no trace of the last {} has come in: import the newest first", words(span)),
            ));
        }
        let expected = (a_ms * span as f64).round();
        let told = format!(
            "{seen} in the last {}, in which about {expected} requests were to be expected",
            words(span)
        );
        match reading.value {
            Some(value) if effect.must.op.holds(value, effect.must.value) => Ok((true, told)),
            _ => Ok((false, format!("{told}; must be {must}"))),
        }
    }
}

fn moved(at: Timestamp, ms: i64) -> Timestamp {
    at.saturating_add(SignedDuration::from_millis(ms)).unwrap_or(at)
}
