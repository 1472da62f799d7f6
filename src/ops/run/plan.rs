//! Which run it is, and what of it is left to do.

use std::collections::{HashMap, HashSet};

use super::RunSpec;
use super::bound::kind_words;
use crate::domain::{
    Answered, AskError, AskErrorKind, CaseId, CaseResult, Error, ErrorKind, EvalCase, EvalSet, Outcome,
    Result, Run, RunHead, RunName, SetName, TargetKind, Untrusted,
};
use crate::ops::Ctx;
use crate::store::Lock;

/// A run that is about to be driven. Holds its lock.
#[derive(Debug)]
pub(super) struct Plan {
    /// What is to be done.
    pub head: RunHead,
    /// The cases that are left, in the set's order.
    pub left: Vec<(EvalCase, Left)>,
    /// The results that stay as they are.
    pub kept: Vec<CaseResult>,
    /// Those that were asked before and gave no answer, with how many times they may have been paid for.
    pub perhaps_paid: Vec<(EvalCase, u32)>,
    /// What was paid before, in US dollars.
    pub paid: f64,
    _lock: Lock,
}

/// What is left to do for a case.
#[derive(Debug, Clone)]
pub(super) enum Left {
    /// Ask it.
    Ask,
    /// A kill came while it was asked: it may have been paid. It is not asked again, but its answer may
    /// have reached the cache.
    Interrupted,
    /// It was answered and could not be evaluated.
    Rescore(Box<CaseResult>),
}

/// The run that a spec goes on with: that of its name, else the newest of its set and target.
pub(super) fn existing(ctx: &Ctx, spec: &RunSpec) -> Result<Option<Run>> {
    if !spec.goes_on() {
        return Ok(None);
    }
    match &spec.name {
        Some(name) => ctx.store.run(name),
        None => Ok(ctx
            .store
            .runs()?
            .into_iter()
            .find(|run| run.head.set == spec.set.as_str() && run.head.target == spec.target.name)),
    }
}

pub(super) fn taken(ctx: &Ctx, spec: &RunSpec) -> Result<EvalSet> {
    let version = existing(ctx, spec)?.map(|run| run.head.set_version).or(spec.version);
    set_at(ctx, &spec.set, version)
}

/// Those of the cases that have a result which would be left as it is.
pub(super) fn done(ctx: &Ctx, spec: &RunSpec) -> Result<HashSet<CaseId>> {
    let Some(run) = existing(ctx, spec)? else { return Ok(HashSet::new()) };
    let again = |result: &CaseResult| spec.retry_errors && result.answer().is_none();
    let results = ctx.store.run_results(&run.head.name)?;
    Ok(results.into_iter().filter(|result| !again(result)).map(|result| result.case).collect())
}

fn set_at(ctx: &Ctx, set: &SetName, version: Option<u64>) -> Result<EvalSet> {
    let found = match version {
        None => ctx.store.eval_set(set)?,
        Some(version) => ctx
            .store
            .eval_set_at(set, version)?
            .ok_or_else(|| Error::not_so(format!("{set} has no version {version}.")))?,
    };
    if found.cases.is_empty() {
        return Err(Error::not_so(format!("The eval set {set} has no cases."))
            .hint(format!("Put some in: tuesday evals promote TRACE --set {set}"))
            .hint("See which sets there are: tuesday evals list"));
    }
    Ok(found)
}

/// Whether a run of this could begin or go on, and under which name; that may still be taken by another
/// program in between.
pub(super) fn check(ctx: &Ctx, spec: &RunSpec) -> Result<RunName> {
    can_be_limited(spec, &taken(ctx, spec)?)?;
    if let Some(run) = existing(ctx, spec)? {
        return same_thing(spec, &run.head).map(|()| run.head.name);
    }
    match &spec.name {
        Some(name) if ctx.store.run(name)?.is_some() => {
            Err(Error::not_so(format!("There is a run {name} already.")).hint("Give it another name."))
        }
        Some(name) => Ok(name.clone()),
        None => {
            let mut number = 1;
            loop {
                let name = name_of(spec, number)?;
                if ctx.store.run(&name)?.is_none() {
                    return Ok(name);
                }
                number += 1;
            }
        }
    }
}

/// Finds or begins the run, takes its lock, and sorts out what is left.
pub(super) fn make(ctx: &Ctx, spec: &RunSpec) -> Result<Plan> {
    can_be_limited(spec, &taken(ctx, spec)?)?;
    if let Some(run) = existing(ctx, spec)? {
        same_thing(spec, &run.head)?;
        let lock = lock(ctx, &run.head.name)?;
        ctx.store.stop_run(&run.head.name, None)?;
        return left_of(ctx, spec, run.head, lock);
    }
    let set = set_at(ctx, &spec.set, spec.version)?;
    let mut number = 1;
    loop {
        let name = match &spec.name {
            Some(name) => name.clone(),
            None => name_of(spec, number)?,
        };
        if spec.name.is_none() && ctx.store.run(&name)?.is_some() {
            number += 1;
            continue;
        }
        let lock = lock(ctx, &name)?;
        let head = head_of(ctx, spec, name, &set);
        match ctx.store.create_run(&head) {
            Ok(()) => return left_of(ctx, spec, head, lock),
            // Another program took the number in between.
            Err(error) if spec.name.is_none() && error.kind == ErrorKind::NotSo => number += 1,
            Err(error) => return Err(error),
        }
    }
}

fn lock(ctx: &Ctx, name: &RunName) -> Result<Lock> {
    ctx.store.lock_run(name)?.ok_or_else(|| {
        Error::not_so(format!("Another program is at work on the run {name}."))
            .hint("Wait for it, or begin another run with --name.")
    })
}

/// `<set>-<target>-<n>`, each part cut so that the whole is a name.
fn name_of(spec: &RunSpec, number: usize) -> Result<RunName> {
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let part = |text: &str| text.chars().map(|c| if fine(c) { c } else { '_' }).take(27).collect::<String>();
    RunName::parse(&format!("{}-{}-{number}", part(spec.set.as_str()), part(&spec.target.name)))
}

fn head_of(ctx: &Ctx, spec: &RunSpec, name: RunName, set: &EvalSet) -> RunHead {
    RunHead {
        name,
        set: set.name.to_string(),
        set_version: set.version,
        target: spec.target.name.clone(),
        target_kind: kind_words(&spec.target.kind),
        prompt: spec.target.prompt.clone(),
        prompt_hash: prompt_hash(spec),
        evaluators: spec.evaluators.clone(),
        cases: set.cases.len() as u64,
        max_usd: spec.max_usd,
        at: ctx.clock.now(),
        by: ctx.reviewer.clone(),
        program: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

fn prompt_hash(spec: &RunSpec) -> Option<String> {
    use sha2::{Digest, Sha256};
    let digest = Sha256::digest(spec.prompt.as_ref()?.as_bytes());
    Some(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// A run is one thing put through another: with a changed prompt or evaluator it would be two.
fn same_thing(spec: &RunSpec, head: &RunHead) -> Result<()> {
    let differs = [
        ("set", head.set != spec.set.as_str()),
        ("version of the set", spec.version.is_some_and(|version| version != head.set_version)),
        ("target", head.target != spec.target.name || head.target_kind != kind_words(&spec.target.kind)),
        ("prompt", head.prompt_hash != prompt_hash(spec)),
        ("evaluators", head.evaluators != spec.evaluators),
    ];
    match differs.iter().find(|(_, differs)| *differs) {
        None => Ok(()),
        Some((what, _)) => Err(Error::not_so(format!(
            "The run {} cannot go on: its {what} is not what it was begun with.",
            head.name
        ))
        .hint("Begin another run: leave --resume out, or name it with --name.")),
    }
}

/// A limit on what nobody knows the price of would be no limit.
fn can_be_limited(spec: &RunSpec, set: &EvalSet) -> Result<()> {
    let Some(max) = spec.max_usd else { return Ok(()) };
    if !max.is_finite() || max < 0.0 {
        return Err(Error::usage("A spending limit must be a number of dollars, not below zero."));
    }
    let target = match (&spec.target.kind, spec.price) {
        (TargetKind::OpenAi(model) | TargetKind::Anthropic(model), None) => Some(model.model.as_str()),
        _ => None,
    };
    let Some(model) = target.or_else(|| spec.judging.without_price(&set.cases)) else { return Ok(()) };
    Err(Error::usage(format!("The spending limit cannot be kept: what {model} costs is not known.")).hint(
        format!(
            "Write [prices.\"{model}\"] with `input` and `output`, in dollars a million tokens, into tuesday.toml; 0 for a model of your own."
        ),
    ))
}

fn left_of(ctx: &Ctx, spec: &RunSpec, head: RunHead, lock: Lock) -> Result<Plan> {
    let set = set_at(ctx, &spec.set, Some(head.set_version))?;
    // Before the results: one that lands in between is then both, and not asked again.
    let interrupted: HashSet<String> = ctx.store.run_interrupted(&head.name)?.into_iter().collect();
    let results = ctx.store.run_results(&head.name)?;
    let mut landed: HashMap<_, _> = results.into_iter().map(|one| (one.case.clone(), one)).collect();
    let costs = spec.target.kind != TargetKind::Recorded;
    let (mut left, mut kept, mut perhaps_paid) = (Vec::new(), Vec::new(), Vec::new());
    for case in set.cases {
        let before = landed.remove(&case.id);
        let times = match &before {
            Some(result) => times_paid(result),
            None => u32::from(interrupted.contains(case.id.as_str())),
        };
        if times > 0 {
            perhaps_paid.push((case.clone(), times));
        }
        let what = match before {
            None if costs && interrupted.contains(case.id.as_str()) && !spec.retry_errors => {
                Left::Interrupted
            }
            None => Left::Ask,
            Some(result) if spec.retry_errors && result.answer().is_none() => Left::Ask,
            Some(result) if spec.retry_errors && result.outcome() == Outcome::Error => {
                Left::Rescore(Box::new(result))
            }
            Some(result) => {
                kept.push(result);
                continue;
            }
        };
        left.push((case, what));
    }
    let paid = ctx.store.run_paid(&head.name)?;
    Ok(Plan { head, left, kept, perhaps_paid, paid, _lock: lock })
}

/// How many attempts without an answer may have been paid for.
fn times_paid(result: &CaseResult) -> u32 {
    match &result.answered {
        Answered::Error(error) if error.kind.may_be_paid() => result.attempts.max(1),
        _ => 0,
    }
}

/// The result of a case that has no answer.
pub(super) fn without_answer(ctx: &Ctx, case: &EvalCase, kind: AskErrorKind, what: &str) -> CaseResult {
    let error = AskError { kind, what: Untrusted::from(what), retry_after: None };
    CaseResult::new(case, Answered::Error(error), 0, ctx.clock.now())
}
