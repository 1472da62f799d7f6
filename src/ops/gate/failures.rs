//! Item 7: the set has cases of every kind of failure, the run passes them, and the target was seen to fall back.

use super::candidate::{Candidate, Found, Missing};
use super::proved::{Counts, count, share_words};
use super::said::{Said, above};
use crate::domain::Result;
use crate::domain::gate::{Accept, FailureItem, Item, Need, Proof, Seen, Verdict};
use crate::text::figures::{duration, list_of, plural};

/// Item 7.
pub(super) fn item(candidate: &Candidate<'_>, found: &std::result::Result<Found, Missing>) -> Result<Said> {
    let found = match found {
        Ok(found) => found,
        Err(missing) => return Ok(missing.into()),
    };
    let spec = &candidate.spec.failure_modes;
    let (run, set) = (found.name(), &found.run.head.set);
    let of_kind = |kind: &str| {
        let names = FailureItem::names_of(kind);
        found.results.iter().filter(move |result| names.contains(&result.category.raw())).collect::<Vec<_>>()
    };
    let absent: Vec<&str> =
        spec.categories.iter().map(String::as_str).filter(|kind| of_kind(kind).is_empty()).collect();
    let counts = Counts::of(spec.categories.iter().flat_map(|kind| of_kind(kind)));
    let judged = above(counts.passed, counts.told(), spec.min, Need::Point, 1);
    let cases =
        if counts.told() > 0 { share_words(counts.passed, counts.told(), &judged) } else { String::new() };
    let said = if !absent.is_empty() {
        let kinds = list_of(&absent, "and");
        let words = format!("The set {set} has no case of these kinds: {kinds}.");
        Said::new(Verdict::NotMet, format!("no case of {kinds}"), words)
            .next(format!("tuesday evals promote TRACE --set {set} --category {}", absent[0]))
    } else if counts.errors > 0 {
        let words =
            format!("{} of them in the run {run} without a word.", plural(count(counts.errors), "case"));
        Said::new(Verdict::NotEnoughData, format!("{} without a word", counts.errors), words)
            .next(format!("tuesday eval show {run}"))
    } else if judged.verdict != Verdict::Met {
        let words = format!("The run {run} passes {} of {} such cases.", counts.passed, counts.told());
        Said::new(judged.verdict, cases, words).next(format!("tuesday eval show {run}"))
    } else {
        exercised(candidate, &counts)
    };
    let mut said = said
        .with("passed", counts.passed as f64)
        .with("failed", counts.failed as f64)
        .with("errors", counts.errors as f64)
        .with("kinds_absent", absent.len() as f64);
    said.interval = judged.interval;
    said.proven &= judged.proven;
    (said.set, said.run) = (Some(found.set()), Some(run));
    Ok(said)
}

/// What the exercise comes to, where the cases are as they should be.
fn exercised(candidate: &Candidate<'_>, counts: &Counts) -> Said {
    let spec = &candidate.spec.failure_modes;
    let cases = format!("{} of {} cases of failure pass.", counts.passed, counts.told());
    let next = format!("tuesday gate exercise {} --target TARGET", candidate.words());
    let is_exercise = |proof: &Proof| matches!(proof, Proof::Exercise { .. });
    let Some(row) = candidate.newest(Item::FailureModes, is_exercise) else {
        let words = format!("{cases} The target was not tried against a server that fails.");
        return Said::new(Verdict::NotEnoughData, "fallback not tried", words).next(next);
    };
    let Proof::Exercise { target, sights, .. } = &row.evidence.proof else {
        return Said::new(Verdict::NotEnoughData, "fallback not tried", cases).next(next);
    };
    let those = |seen: Seen| -> Vec<&str> {
        sights.iter().filter(|sight| sight.seen == seen).map(|sight| sight.fault.words()).collect()
    };
    let (nothing, told) = (those(Seen::Nothing), those(Seen::Told));
    let said = if !candidate.is_of_this_text(row) {
        let words = format!("{cases} The prompt has changed since {target} was tried.");
        Said::new(Verdict::Stale, "the prompt has changed", words)
    } else if candidate.age_ms(row.at) > spec.max_age_ms {
        let age = duration(spec.max_age_ms as f64);
        Said::new(
            Verdict::Stale,
            "the exercise is too old",
            format!("{cases} {target} was tried longer ago than {age}."),
        )
    } else if !nothing.is_empty() {
        let kinds = list_of(&nothing, "and");
        let why =
            sights.iter().find(|sight| sight.seen == Seen::Nothing).map_or("", |sight| sight.words.raw());
        let words = format!("{cases} {target} did not fall back at {kinds}: {why}");
        Said::new(Verdict::NotMet, format!("no fallback at {kinds}"), words)
    } else if !told.is_empty() && spec.accept == Accept::Fallback {
        let words = format!(
            "{cases} {target} is the model itself: its failures were told in time, but the application's fallback was not seen."
        );
        let next = format!(
            "{next}, with a target that is the application (command or http), or write [item.failure_modes] accept = \"client\" into {}",
            candidate.gate_file()
        );
        return Said::new(Verdict::NotEnoughData, "the application's fallback not seen", words).next(next);
    } else {
        let seen = if told.is_empty() { "fell back" } else { "failures were told in time" };
        let kinds: Vec<&str> = sights.iter().map(|sight| sight.fault.words()).collect();
        let words = format!("{cases} {target}: {seen} at {}.", list_of(&kinds, "and"));
        Said::new(Verdict::Met, format!("{} of {} cases, {seen}", counts.passed, counts.told()), words)
    };
    said.by(row).next(next)
}
