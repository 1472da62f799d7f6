//! Steps that only look: checks and gates.

use jiff::SignedDuration;

use super::ground::Ground;
use crate::domain::gate::Decision;
use crate::domain::incident::{Found, Verdict};
use crate::domain::runbook::StepKind;
use crate::domain::runbook::template::VersionName;
use crate::domain::{Error, Result, Untrusted};
use crate::ops::gate::{self, GateOf};
use crate::ops::measure::{Metric, Subject, Wanted, measure};

/// The window of a check that names none.
const USUAL_MS: u64 = 3_600_000;

/// What a check looks at, for its dry run and for `runbook check`.
///
/// # Errors
/// `NotSo` when there is no such figure.
pub(super) fn subject(metric: &Untrusted) -> Result<Subject> {
    Subject::parse(metric.raw()).ok_or_else(|| {
        Error::not_so(format!("there is no figure called “{}”", metric.raw()))
            .hint(format!("There are: {}, attribution, onset, versions, cost.", Metric::NAMES.join(", ")))
    })
}

/// Looks.
pub(super) fn check(ground: &Ground<'_>) -> Result<Found> {
    let StepKind::Check { metric, must, window_ms, baseline_ms } = &ground.step().kind else {
        return Err(Error::not_so("This step checks nothing."));
    };
    let metric = match subject(metric)? {
        Subject::Metric(metric) => metric,
        Subject::Analysis(analysis) => {
            let words = format!("read it there: {}", analysis.way(&ground.incident.name()));
            return Ok(Found { verdict: Verdict::Shown, words: words.into(), value: None, query: None });
        }
    };
    let to = ground.now();
    let back = SignedDuration::from_millis(i64::try_from(window_ms.unwrap_or(USUAL_MS)).unwrap_or(i64::MAX));
    let from = to.saturating_sub(back).unwrap_or(to);
    let version = match metric {
        // The version that should answer is the one in force.
        Metric::PromptShare => Some(ground.version(VersionName::Current)?),
        _ => None,
    };
    let wanted = Wanted {
        metric,
        feature: ground.feature(),
        version: version.as_deref(),
        window: (from, to),
        baseline_ms: *baseline_ms,
    };
    let reading = measure(ground.ctx, &wanted, ground.cancel)?;
    let verdict = reading.verdict(must.as_ref());
    let name = match &version {
        Some(version) => format!("{version} {}", reading.title),
        None => reading.title.clone(),
    };
    let window = crate::domain::incident::span_words(window_ms.unwrap_or(USUAL_MS));
    let over =
        if matches!(metric, Metric::IngestLag) { String::new() } else { format!(" in the last {window}") };
    let limit = must.as_ref().map(|must| {
        let doubt = match verdict {
            Verdict::Ok | Verdict::Breach if !reading.is_clear(must) => ", though not proven",
            _ => "",
        };
        format!("; must be {}{doubt}", must.text)
    });
    let words = format!("{name}: {}{over}{}", reading.words, limit.unwrap_or_default());
    Ok(Found {
        verdict,
        words: words.into(),
        value: reading.value,
        query: Some(reading.query).filter(|query| !query.is_empty()),
    })
}

/// Goes through the deployment checklist of the version in force.
pub(super) fn gate(ground: &Ground<'_>) -> Result<Found> {
    let StepKind::Gate { checklist } = &ground.step().kind else {
        return Err(Error::not_so("This step goes through no checklist."));
    };
    let feature = checklist.as_ref().map(Untrusted::raw).map_or_else(|| ground.wanted_feature(), Ok)?;
    let of = GateOf { feature: feature.to_owned(), version: "current".to_owned() };
    let view = gate::check(ground.ctx, ground.hands.evals(), &of, ground.cancel)?;
    let verdict = match view.decision {
        Decision::Met => Verdict::Ok,
        Decision::NotMet => Verdict::Breach,
        Decision::Open => Verdict::NotEnoughData,
    };
    let words = format!("gate of {}: {}", view.prompt, view.tally());
    Ok(Found { verdict, words: words.into(), value: None, query: None })
}
