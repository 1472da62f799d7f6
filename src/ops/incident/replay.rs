//! The failing examples of an incident asked again of what answers now, and paired with what was answered then:
//! evidence where the traffic is too thin to prove a fix.
//!
//! The examples become the eval set `inc-7`, so that both sides are plain runs: one of the recorded answers, one of
//! the target. Both are judged as the usual eval set is judged. The same question asked by several is one example.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Act, act, show};
use crate::domain::{
    CaseId, Check, Error, EvalConfig, Evaluator, Outcome, Result, RunName, SetName, Untrusted,
};
use crate::ops::Ctx;
use crate::ops::promote::{CaseFields, PromoteRequest, promote};
use crate::ops::run::{self, RunAsk, RunView};
use crate::ops::score::of_set;
use crate::stats::mcnemar_exact;
use crate::store::IncidentRef;
use crate::task::{Cancel, Progress};
use crate::text::figures::{fixed, plural};

/// The target whose answers are those of the traces.
const RECORDED: &str = "recorded";
/// Examples asked again, at most.
const MOST: usize = 200;

/// What is asked again, and of what.
#[derive(Debug, Clone, PartialEq)]
pub struct ReplayAsk {
    /// The target; `None`: the only one there is.
    pub target: Option<String>,
    /// The most that both runs together may cost, in US dollars; `None`: as much as they do.
    pub max_usd: Option<f64>,
}

/// The examples, then and now.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReplayView {
    /// `INC-7`.
    pub incident: String,
    /// What was asked.
    pub target: String,
    /// The prompt before each example.
    pub prompt: Option<String>,
    /// The eval set that they were put into.
    pub set: SetName,
    /// The run of the answers as they were.
    pub before: RunName,
    /// The run of the answers now.
    pub now: RunName,
    /// Who judged both.
    pub evaluators: Vec<String>,
    /// Examples judged on both sides.
    pub pairs: u64,
    /// Examples that one side has no verdict on.
    pub unpaired: u64,
    /// Failed then, pass now.
    pub fixed: u64,
    /// Passed then, fail now.
    pub broken: u64,
    /// Fail on both sides.
    pub still_failing: u64,
    /// Pass on both sides: the evaluators do not see what is wrong with them.
    pub passing: u64,
    /// McNemar's test of the two that changed, exact and two-sided.
    pub p_value: f64,
    /// The same in a sentence.
    pub words: String,
}

/// Asks the traces attached to an incident, or those of its alert, again. Makes the eval set of the incident, two
/// runs, and a line of its record.
///
/// # Errors
/// `NotSo` when no trace is attached, no target is described, or nothing judges; `Usage` for a target that is not
/// there; those of [`run::begin`]; `Cancelled`.
pub fn replay(
    ctx: &Ctx,
    config: &EvalConfig,
    incident: &str,
    ask: &ReplayAsk,
    cancel: &Cancel,
    progress: &Progress,
) -> Result<ReplayView> {
    if ctx.is_drill() {
        return Err(Error::not_so("A drill asks no real target.")
            .hint("In a real incident this asks the failing examples of what answers now."));
    }
    let view = show(ctx, incident)?;
    let name = view.head.id;
    let target = chosen(config, ask.target.as_deref())?;
    let mut traces: Vec<Untrusted> = view.evidence.iter().map(|trace| trace.id.clone()).collect();
    if traces.is_empty() {
        traces = of_alert(ctx, &name)?;
    }
    traces.truncate(MOST);
    if traces.is_empty() {
        return Err(Error::not_so(format!("{name} has no failing traces to ask again."))
            .hint(format!("Attach some: tuesday incident attach {name} TRACE (`a` on the screen).")));
    }
    let set = SetName::parse(&name.to_lowercase())?;
    let usual = usual_set(ctx, &traces, &set)?;
    let config = judged_alike(config, usual.as_ref(), &set)?;
    let evaluators: Vec<String> = of_set(&config, &set).into_iter().map(|one| one.name).collect();
    if evaluators.is_empty() {
        return Err(Error::not_so("Nothing judges the answers, so that every answer would pass.")
            .hint("Describe who judges: [[evaluator]] in tuesday.toml."));
    }
    let fields = CaseFields::default();
    promote(ctx, &PromoteRequest { traces, set: set.clone(), fields, skip_duplicates: true })?;
    let begin = |target: &str, max_usd: Option<f64>| {
        let ask = RunAsk {
            set: set.clone(),
            target: target.to_owned(),
            name: None,
            concurrency: None,
            max_usd,
            resume: false,
            retry_errors: false,
        };
        run::begin(ctx, &config, &ask, cancel, progress)
    };
    let before = whole(begin(RECORDED, ask.max_usd)?)?;
    cancel.check()?;
    let left = ask.max_usd.map(|usd| (usd - before.cost_usd).max(0.0));
    let now = whole(begin(&target, left)?)?;
    let counts = paired(&outcomes(ctx, &before.run)?, &outcomes(ctx, &now.run)?);
    let view = view_of(&name, set, &before, now, evaluators, counts);
    let step =
        show(ctx, &name)?.phases.into_iter().flat_map(|phase| phase.steps).find(|step| step.id == "replay");
    let note = Act::Note { text: view.words.as_str().into(), step: step.map(|step| step.id) };
    act(ctx, &name, note, None)?;
    Ok(view)
}

/// Fixed, broken, failing on both sides, passing on both, and without a pair.
type Counts = [u64; 5];

fn view_of(
    incident: &str,
    set: SetName,
    before: &RunView,
    now: RunView,
    evaluators: Vec<String>,
    [fixed_now, broken, still_failing, passing, unpaired]: Counts,
) -> ReplayView {
    let pairs = fixed_now + broken + still_failing + passing;
    let p_value = mcnemar_exact(broken, fixed_now);
    let of = now.prompt.as_ref().map(|prompt| format!(" ({prompt})")).unwrap_or_default();
    let without = if unpaired > 0 { format!(", {unpaired} without a verdict") } else { String::new() };
    let words = format!(
        "{} asked again of {}{of}: {} of {pairs} pass now, {} did; {fixed_now} fixed, {broken} newly failing \
         (McNemar p {}){without}",
        plural(usize::try_from(pairs + unpaired).unwrap_or(usize::MAX), "failing example"),
        now.target,
        fixed_now + passing,
        broken + passing,
        if p_value < 1e-3 { format!("{p_value:.0e}") } else { fixed(p_value, 3) },
    );
    ReplayView {
        incident: incident.to_owned(),
        target: now.target,
        prompt: now.prompt,
        set,
        before: before.run.clone(),
        now: now.run,
        evaluators,
        pairs,
        unpaired,
        fixed: fixed_now,
        broken,
        still_failing,
        passing,
        p_value,
        words,
    }
}

/// The target that is meant, where there is one to ask.
fn chosen(config: &EvalConfig, wanted: Option<&str>) -> Result<String> {
    let names = replay_targets(config)?;
    match (wanted, names.as_slice()) {
        (Some(name), _) => run::target(config, name).map(|target| target.name),
        (None, [only]) => Ok((*only).to_owned()),
        (None, names) => Err(Error::usage("There are several targets: say which one answers now.")
            .hint(format!("--target {}", names.join(" | ")))),
    }
}

/// The targets that can be asked again; an error that says what is missing where there is none.
pub fn replay_targets(config: &EvalConfig) -> Result<Vec<&str>> {
    let names = config.targets.iter().map(|one| one.name.as_str()).filter(|name| *name != RECORDED);
    let names: Vec<&str> = names.collect();
    if names.is_empty() {
        return Err(Error::not_so("No target is described that answers as the feature does now.")
            .hint("Describe it: [targets.NAME] of tuesday.toml, with the prompt that is current."));
    }
    Ok(names)
}

/// The traces of the alert that the incident was opened for.
fn of_alert(ctx: &Ctx, incident: &str) -> Result<Vec<Untrusted>> {
    const ALERTS: usize = 500;
    let name = ctx.store.incident(&IncidentRef::parse(incident)?)?.incident.name();
    let alerts = ctx.store.alerts(false, ALERTS)?;
    let own = alerts.into_iter().find(|alert| alert.incident.as_deref() == Some(&name));
    Ok(own.map(|alert| alert.evidence.traces).unwrap_or_default())
}

/// The eval set that such traces are usually judged in: one that has them, else that of the newest run, else the
/// largest.
fn usual_set(ctx: &Ctx, traces: &[Untrusted], own: &SetName) -> Result<Option<SetName>> {
    for trace in traces {
        let sets = ctx.store.cases_of_trace(trace.raw())?;
        if let Some((set, _)) = sets.into_iter().find(|(set, _)| set != own) {
            return Ok(Some(set));
        }
    }
    let last = ctx.store.runs()?.into_iter().find(|run| run.head.set != own.as_str());
    if let Some(set) = last.and_then(|run| SetName::parse(&run.head.set).ok()) {
        return Ok(Some(set));
    }
    let sets = crate::ops::promote::list(ctx)?;
    Ok(sets.into_iter().filter(|row| row.name != *own).max_by_key(|row| row.cases).map(|row| row.name))
}

/// The configuration in which the incident's set is judged as another one is.
fn judged_alike(config: &EvalConfig, usual: Option<&SetName>, own: &SetName) -> Result<EvalConfig> {
    let mut alike = config.clone();
    for (one, _) in &mut alike.evaluators {
        let wanted = usual.is_some_and(|usual| one.applies_to(usual.as_str()));
        if wanted && !one.applies_to(own.as_str()) {
            let mut settings = one.check.settings().clone();
            settings.remove("sets");
            let check = Check::from_value(serde_json::Value::Object(settings))?;
            *one = Evaluator { name: one.name.clone(), check };
        }
    }
    Ok(alike)
}

/// A run that has all its results.
fn whole(run: RunView) -> Result<RunView> {
    if run.is_complete() {
        return Ok(run);
    }
    Err(Error::not_so(format!("The run {} ended before its end: {} of {}.", run.run, run.done, run.cases))
        .hint("Ask again: what was answered and paid for is kept. Or let it cost more (--max-usd)."))
}

fn outcomes(ctx: &Ctx, run: &RunName) -> Result<BTreeMap<CaseId, Outcome>> {
    let results = ctx.store.run_results(run)?;
    Ok(results.into_iter().map(|result| (result.case.clone(), result.outcome())).collect())
}

fn paired(before: &BTreeMap<CaseId, Outcome>, now: &BTreeMap<CaseId, Outcome>) -> Counts {
    let mut counts = [0; 5];
    for (case, was) in before {
        let at = match (was, now.get(case)) {
            (Outcome::Fail, Some(Outcome::Pass)) => 0,
            (Outcome::Pass, Some(Outcome::Fail)) => 1,
            (Outcome::Fail, Some(Outcome::Fail)) => 2,
            (Outcome::Pass, Some(Outcome::Pass)) => 3,
            _ => 4,
        };
        counts[at] += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::paired;
    use crate::domain::{CaseId, Outcome};

    #[test]
    fn each_example_counts_once_and_only_with_a_verdict_on_both_sides() {
        use Outcome::{Error, Fail, Pass};
        let all = |outcomes: &[Outcome]| -> BTreeMap<CaseId, Outcome> {
            let named = outcomes.iter().enumerate();
            named.map(|(n, outcome)| (CaseId::parse(&format!("c-{n}")).unwrap(), *outcome)).collect()
        };
        let before = all(&[Fail, Fail, Fail, Pass, Pass, Error, Fail, Fail]);
        let now = all(&[Pass, Pass, Fail, Fail, Pass, Pass, Error]);
        assert_eq!(paired(&before, &now), [2, 1, 1, 1, 3]);
    }
}
