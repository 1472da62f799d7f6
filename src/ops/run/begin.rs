//! Beginning a run from a form: what can be run, what it would come to, and the run itself.

use super::bound::kind_words;
use super::connect::{RECORDED, target};
use super::{EstimateView, RunSpec, RunView, asker, estimate, plan, scores, spec, take_edits, taken};
use crate::domain::{Error, EvalConfig, Result, RunName, SetName, TargetSpec};
use crate::ops::Ctx;
use crate::ops::promote;
use crate::task::{Cancel, Progress};

/// What a person asks to be run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunAsk {
    /// The eval set.
    pub set: SetName,
    /// The name of the target.
    pub target: String,
    /// Its name; `None`: made of set, target and a number.
    pub name: Option<RunName>,
    /// Requests at a time; `None`: as the target's limits say.
    pub concurrency: Option<usize>,
    /// The most that it may cost, in US dollars.
    pub max_usd: Option<f64>,
    /// Go on with the run of that name.
    pub resume: bool,
    /// Ask those again that have an error as their result.
    pub retry_errors: bool,
}

impl RunAsk {
    fn spec(&self, config: &EvalConfig) -> Result<RunSpec> {
        Ok(RunSpec {
            name: self.name.clone(),
            concurrency: self.concurrency,
            max_usd: self.max_usd,
            resume: self.resume,
            retry_errors: self.retry_errors,
            ..spec(config, self.set.clone(), &self.target)?
        })
    }
}

/// What to choose from, and what to begin with.
#[derive(Debug, Clone, PartialEq)]
pub struct RunOffer {
    /// The sets that have cases.
    pub sets: Vec<SetOffer>,
    /// The targets of the configuration, then `recorded`.
    pub targets: Vec<TargetOffer>,
    /// What is most likely meant.
    pub ask: RunAsk,
    /// Of the run that would go on: cases that have an error as their result.
    pub errors: u64,
}

/// A set that can be run.
#[derive(Debug, Clone, PartialEq)]
pub struct SetOffer {
    /// Its name.
    pub name: SetName,
    /// Its newest version.
    pub version: u64,
    /// How many cases that has.
    pub cases: u64,
}

/// A target that can be asked.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetOffer {
    /// Its name.
    pub name: String,
    /// Its kind, and its model where it has one.
    pub kind: String,
    /// The prompt before each case.
    pub prompt: Option<String>,
    /// Requests at a time where nobody says another number.
    pub concurrency: usize,
}

/// What a run would come to.
#[derive(Debug, Clone, PartialEq)]
pub struct RunCheck {
    /// What it will be called.
    pub name: RunName,
    /// What it would cost and take.
    pub estimate: EstimateView,
    /// The evaluators of the set.
    pub evaluators: Vec<String>,
    /// Cases that have checks of their own.
    pub own_checks: u64,
    /// Cases that nothing evaluates: each answer passes.
    pub unchecked: u64,
}

/// What can be run; `set`: what is to be run, where that is known.
pub fn offer(ctx: &Ctx, config: &EvalConfig, set: Option<&SetName>) -> Result<RunOffer> {
    let rows = promote::list(ctx)?;
    let newest = rows.iter().max_by_key(|row| row.updated).map(|row| row.name.clone());
    let sets: Vec<SetOffer> = rows
        .into_iter()
        .filter(|row| row.cases > 0)
        .map(|row| SetOffer { name: row.name, version: row.version, cases: row.cases })
        .collect();
    let targets = targets(config)?;
    let runs = ctx.store.runs()?;
    let known = |name: &SetName| sets.iter().any(|set| set.name == *name);
    let last = runs.first().and_then(|run| SetName::parse(&run.head.set).ok());
    let chosen = [set.cloned(), last, newest].into_iter().flatten().find(known);
    let Some(set) = chosen.or_else(|| sets.first().map(|set| set.name.clone())) else {
        return Err(Error::not_so("There is no eval set with cases yet, so there is nothing to run.")
            .hint("Promote a failing trace first: `e` in Review or Traces."));
    };
    let before = runs.iter().filter(|run| run.head.set == set.as_str());
    let target = before
        .map(|run| run.head.target.as_str())
        .find(|name| targets.iter().any(|target| target.name == *name))
        .or_else(|| targets.first().map(|target| target.name.as_str()))
        .unwrap_or(RECORDED)
        .to_owned();
    let ask = RunAsk {
        set,
        target,
        name: None,
        concurrency: None,
        max_usd: None,
        resume: false,
        retry_errors: false,
    };
    Ok(RunOffer { sets, targets, ask, errors: 0 })
}

/// How a run that ended before its end, or with errors, would go on.
pub fn offer_rest(ctx: &Ctx, config: &EvalConfig, name: &RunName) -> Result<RunOffer> {
    let view = super::list::one(ctx, name)?;
    let set = SetName::parse(&view.set)?;
    if view.is_complete() && view.errors == 0 {
        return Err(Error::not_so(format!("The run {name} is complete: there is nothing left to ask.")));
    }
    let target = targets(config)?.into_iter().find(|target| target.name == view.target).ok_or_else(|| {
        Error::not_so(format!("The run {name} cannot go on: its target {} is gone.", view.target))
            .hint(format!("Describe it again: [targets.{}] of tuesday.toml.", view.target))
    })?;
    let ask = RunAsk {
        set: set.clone(),
        target: view.target.clone(),
        name: Some(name.clone()),
        concurrency: None,
        max_usd: view.max_usd,
        resume: true,
        retry_errors: view.is_complete(),
    };
    let sets = vec![SetOffer { name: set, version: view.set_version, cases: view.cases }];
    Ok(RunOffer { sets, targets: vec![target], ask, errors: view.errors })
}

fn targets(config: &EvalConfig) -> Result<Vec<TargetOffer>> {
    let mut all = config.targets.clone();
    if all.iter().all(|target| target.name != RECORDED) {
        all.push(target(config, RECORDED)?);
    }
    let offer = |target: TargetSpec| TargetOffer {
        kind: kind_words(&target.kind),
        name: target.name,
        prompt: target.prompt,
        concurrency: target.limits.concurrency,
    };
    Ok(all.into_iter().map(offer).collect())
}

/// Makes ready for a run and says what it would come to. Asks nothing and writes nothing; whatever is wrong
/// with target, evaluators, name or limit is an error now.
pub fn check(ctx: &Ctx, config: &EvalConfig, ask: &RunAsk, cancel: &Cancel) -> Result<RunCheck> {
    let spec = ask.spec(config)?;
    let name = plan::check(ctx, &spec)?;
    asker(ctx, config, &spec, cancel)?;
    cancel.check()?;
    scores(ctx, config, &spec, cancel)?;
    let estimate = estimate(ctx, &spec, cancel)?;
    let evaluators: Vec<String> = spec.evaluators.iter().map(|(name, _)| name.clone()).collect();
    let cases = taken(ctx, &spec)?.cases;
    let own_checks = cases.iter().filter(|case| !case.body.checks.is_empty()).count() as u64;
    let unchecked = if evaluators.is_empty() { cases.len() as u64 - own_checks } else { 0 };
    Ok(RunCheck { name, estimate, evaluators, own_checks, unchecked })
}

/// Runs what was asked for, with what a person changed in the set's file. Blocks as [`run`](super::run) does.
pub fn begin(
    ctx: &Ctx,
    config: &EvalConfig,
    ask: &RunAsk,
    cancel: &Cancel,
    progress: &Progress,
) -> Result<RunView> {
    let spec = ask.spec(config)?;
    take_edits(ctx, &spec)?;
    // What is being asked when a person stops the run is paid for: the loop gives it a few seconds to come.
    let never = Cancel::default();
    let asker = asker(ctx, config, &spec, &never)?;
    let scores = scores(ctx, config, &spec, &never)?;
    super::run(ctx, &spec, asker, scores, cancel, progress)
}

/// The complete run of the same set that was made last before this one; `runs`: all, the newest first.
pub fn before<'a>(runs: &'a [RunView], name: &RunName) -> Option<&'a RunName> {
    let at = runs.iter().position(|run| run.run == *name)?;
    let (of, older) = (runs.get(at)?, runs.get(at + 1..)?);
    older.iter().find(|run| run.set == of.set && run.is_complete()).map(|run| &run.run)
}
