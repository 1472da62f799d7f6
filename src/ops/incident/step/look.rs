//! Steps that only look: checks and gates.

use jiff::SignedDuration;

use super::ground::Ground;
use crate::domain::gate::Decision;
use crate::domain::incident::{Found, Verdict};
use crate::domain::runbook::StepKind;
use crate::domain::runbook::template::VersionName;
use crate::domain::switch::{SwitchEvent, SwitchOf, SwitchStage};
use crate::domain::{Error, Result, Untrusted};
use crate::ops::assess::{AssessRequest, assess, rows, slice_rows, slices_said};
use crate::ops::gate::{self, GateOf};
use crate::ops::measure::{Analysis, Metric, Subject, Wanted, measure};
use crate::ops::prompt::{Bar, last_known_good};

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
        // Without a limit, how many users is a question of what is usual.
        Subject::Metric(Metric::Users) if must.is_none() => return analysed(ground, Analysis::Users),
        Subject::Metric(metric) => metric,
        Subject::Analysis(analysis) => return analysed(ground, analysis),
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
    let limit = limit.unwrap_or_default();
    let words = match metric {
        // Waiting for more would show nothing.
        Metric::PromptShare if verdict != Verdict::Ok && is_off(ground)? => {
            format!("{name}: the feature is switched off: on again first{limit}")
        }
        _ => format!("{name}: {}{over}{limit}", reading.words),
    };
    Ok(Found {
        verdict,
        words: words.into(),
        value: reading.value,
        query: Some(reading.query).filter(|query| !query.is_empty()),
    })
}

/// Whether the incident's feature was switched off last.
fn is_off(ground: &Ground<'_>) -> Result<bool> {
    let Some(feature) = ground.feature() else { return Ok(false) };
    let thrown = ground.ctx.store.switches(SwitchOf::Feature, feature)?;
    let took = |of: &&SwitchEvent| matches!(of.stage, SwitchStage::Done | SwitchStage::Unproven);
    Ok(thrown.iter().rev().find(took).is_some_and(|last| last.to.raw() == "off"))
}

/// What an analysis says, in a sentence.
fn analysed(ground: &Ground<'_>, analysis: Analysis) -> Result<Found> {
    let shown = |words: String, query: Option<Untrusted>| {
        Ok(Found { verdict: Verdict::Shown, words: words.into(), value: None, query })
    };
    if ground.rehearsal {
        return shown("worked out from the traces of the incident".to_owned(), None);
    }
    match analysis {
        Analysis::Versions => {
            let current = ground.version(VersionName::Current)?;
            let home = ground.prompt(None)?;
            let search = last_known_good(ground.ctx, &home, &current, Bar::of(ground.hands.team()))?;
            let passed =
                search.passed_over.iter().map(|(version, why)| format!("{version} is passed over: {why}"));
            let good = match search.good {
                Some(good) => format!("the last known good one is {}: {}", good.version, good.why),
                None => "none before it is known to be good".to_owned(),
            };
            let words: Vec<String> =
                [format!("{current} is in force; {good}")].into_iter().chain(passed).collect();
            shown(words.join("; "), None)
        }
        Analysis::Cost => {
            let day = SignedDuration::from_hours(24);
            let to = ground.now();
            let wanted = Wanted {
                metric: Metric::CostRatio,
                feature: ground.feature(),
                version: None,
                window: (to.saturating_sub(day).unwrap_or(to), to),
                baseline_ms: None,
            };
            let reading = measure(ground.ctx, &wanted, ground.cancel)?;
            shown(format!("{} in the last day", reading.words), Some(reading.query))
        }
        Analysis::Attribution | Analysis::Onset | Analysis::Users => {
            let request = AssessRequest::default();
            let of = assess(ground.ctx, &ground.incident.name(), request, ground.cancel)?;
            // The record tells times in UTC.
            let rows = rows(&of, &jiff::tz::TimeZone::UTC);
            let row = |name: &str| {
                let found = rows.iter().find(|(heading, _)| *heading == name);
                found.map(|(_, words)| words.clone()).unwrap_or_default()
            };
            let words = match analysis {
                Analysis::Onset => format!("since {} (UTC); near it: {}", row("since"), row("near it")),
                Analysis::Users => row("how many"),
                _ => {
                    let first =
                        slice_rows(&of).into_iter().next().map(|[slice, n, rate, outside, explains, ..]| {
                            format!(
                                "{slice}: {rate} of {n} fail, {outside} outside of it; explains {explains}"
                            )
                        });
                    let said = Some(slices_said(&of)).filter(|said| !said.is_empty());
                    first.into_iter().chain(said).collect::<Vec<_>>().join("; ")
                }
            };
            shown(words, Some(of.query.into()))
        }
    }
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
