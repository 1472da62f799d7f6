//! The team's own traffic as the ground of a drill: what its history is copied from, and what its day is made like.
//!
//! A drill needs one feature, busy enough, and no more of it than tells what is usual; so its store is not the team's
//! file over again, which may be large and is somebody's work, but a new one with the feature's traces of the last two
//! weeks that have any, thinned where they are many, and moved in time so that they end when the drill begins. They are
//! read through the store's own reader; nothing is written where they come from.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::scenario::named;
use crate::domain::drill::{Scenario, Stage};
use crate::domain::prompt::TeamConfig;
use crate::domain::query::{Term, TimeBound, TimeRange};
use crate::domain::{FeedbackKind, Result, Status, Thumbs, Trace, Untrusted};
use crate::ops::Ctx;
use crate::ops::prompt::homes;
use crate::store::HOUR_MS;
use crate::task::Cancel;
use crate::text::figures::{plural, thousands};
use crate::wire::prompts_dir::look;

/// How far back the history goes from the last trace.
const DAYS: i64 = 14;
/// Fewer traces than this do not tell what is usual, nor leave enough to be judged for a version to be known good.
const LEAST: usize = 600;
/// More than so many are thinned evenly: enough for every figure of a drill, and made in a moment.
const MOST: usize = 12_000;

/// What a drill is made of.
pub struct Own {
    /// The names that it is played with.
    pub stage: Stage,
    /// The traces, oldest first, the last of them at the drill's beginning; whether each is a good answer.
    pub history: Vec<(Trace, bool)>,
}

/// The team's own traffic, or why it cannot be played with. `feature`: of this one; otherwise of the busiest.
///
/// # Errors
/// When the store cannot be read, or it was cancelled.
pub fn own(
    home: &Ctx,
    team: &TeamConfig,
    scenario: Scenario,
    feature: Option<&str>,
    begin: Timestamp,
    cancel: &Cancel,
) -> Result<std::result::Result<Own, String>> {
    let Some((first, last)) = home.store.span_of_hours()? else {
        return Ok(Err("there are no traces".to_owned()));
    };
    let named_by_traces =
        home.store.features(first.max(last - DAYS * 24), last)?.into_iter().filter_map(|of| of.name);
    let wanted = match feature {
        Some(feature) => Some(Untrusted::from(feature)),
        None => named_by_traces.into_iter().next(),
    };
    let Some(name) = wanted else { return Ok(Err("no trace names a feature".to_owned())) };
    let history = history(home, &name, ((last + 1) * HOUR_MS, DAYS), begin, cancel)?;
    if history.len() < LEAST {
        let n = history.len();
        return Ok(Err(format!(
            "{} has {} of {DAYS} days, and {} are needed to know what is usual",
            name.raw(),
            plural(n, "trace"),
            thousands(LEAST as i64)
        )));
    }
    Ok(stage(team, scenario, name.raw(), &history)
        .map(|stage| Own { history: served_by(&stage, history), stage }))
}

/// The traces of a feature from before this time on, moved so that the last of them is at `begin`.
fn history(
    home: &Ctx,
    feature: &Untrusted,
    (until, days): (i64, i64),
    begin: Timestamp,
    cancel: &Cancel,
) -> Result<Vec<(Trace, bool)>> {
    let since = Timestamp::from_millisecond(until - days * 24 * HOUR_MS).unwrap_or_default();
    let query = named(feature.raw()).with(Term::Time(TimeRange::Since(TimeBound::At(since))));
    let mut found = Vec::new();
    home.store.each_match(&query, home.clock.now(), cancel, |found_one| {
        found.push((found_one.ts, found_one.id_hash, found_one.seq));
    })?;
    // By their names, so that those of one time are as likely to stay as any.
    if found.len() > MOST {
        found.sort_unstable_by_key(|(_, hash, _)| *hash);
        found.truncate(MOST);
    }
    found.sort_unstable();
    let Some(&(newest, ..)) = found.last() else { return Ok(Vec::new()) };
    let later = SignedDuration::from_millis(begin.as_millisecond() - newest);
    let mut traces = Vec::with_capacity(found.len());
    for (.., seq) in found {
        cancel.check()?;
        let Some(stored) = home.store.trace_by_seq(seq)? else { continue };
        let mut trace = stored.trace;
        let moved = |at: Option<Timestamp>| at.map(|at| at.saturating_add(later).unwrap_or(at));
        trace.time = moved(trace.time);
        for said in &mut trace.feedback {
            // What was said after the beginning is not known yet.
            said.time = moved(said.time).map(|at| at.min(begin));
        }
        let good = is_good(&trace);
        traces.push((trace, good));
    }
    Ok(traces)
}

/// Whether nobody complained of it.
fn is_good(trace: &Trace) -> bool {
    let complains = |kind: &FeedbackKind| !matches!(kind, FeedbackKind::Thumbs(Thumbs::Up));
    trace.status == Status::Ok && !trace.feedback.iter().any(|said| complains(&said.kind))
}

/// The names of the scenario in this traffic, or what it lacks.
fn stage(
    team: &TeamConfig,
    scenario: Scenario,
    feature: &str,
    history: &[(Trace, bool)],
) -> std::result::Result<Stage, String> {
    let mut models = BTreeMap::<&str, usize>::new();
    for model in history.iter().filter_map(|(trace, _)| trace.model.as_ref()) {
        *models.entry(model.raw()).or_default() += 1;
    }
    let mut models: Vec<(&str, usize)> = models.into_iter().collect();
    models.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let busiest = models.first().map(|(model, _)| (*model).to_owned());
    if busiest.is_none() && matches!(scenario, Scenario::Outage | Scenario::Cost) {
        return Err(format!("no trace of {feature} names a model"));
    }
    if scenario == Scenario::Cost
        && history.iter().all(|(trace, _)| trace.cost_usd.is_none_or(|usd| usd <= 0.0))
    {
        return Err(format!("no trace of {feature} says what it cost"));
    }
    let home =
        homes(team).into_iter().find(|home| home.feature.as_deref() == Some(feature) || home.name == feature);
    let folder = home.as_ref().and_then(|home| look(&home.folder).ok());
    let good = folder.as_ref().and_then(|folder| folder.current()).map(|version| version.version.clone());
    if good.is_none() {
        return Err(format!("{feature} has no prompt with a current version"));
    }
    let newest = folder.iter().flat_map(|folder| &folder.versions).map(|version| version.number).max();
    let busiest = busiest.unwrap_or_default();
    Ok(Stage {
        own: true,
        feature: feature.to_owned(),
        prompt: home.map(|home| home.name),
        good: good.unwrap_or_default(),
        guilty: format!("v{}", newest.unwrap_or_default() + 1),
        dear: models.get(1).map_or_else(|| busiest.clone(), |(model, _)| (*model).to_owned()),
        failing: busiest,
    })
}

/// The history as the good version's, where a trace names a version that its folder does not have, or none.
fn served_by(stage: &Stage, mut history: Vec<(Trace, bool)>) -> Vec<(Trace, bool)> {
    if let Some(prompt) = &stage.prompt {
        for (trace, _) in history.iter_mut().filter(|(trace, _)| trace.model.is_some() && !trace.fallback) {
            let is_own = trace.prompt.as_ref().is_some_and(|of| of.raw() == prompt);
            if !is_own || trace.prompt_version.is_none() {
                trace.prompt = Some(prompt.as_str().into());
                trace.prompt_version = Some(stage.good.as_str().into());
            }
        }
    }
    history
}
