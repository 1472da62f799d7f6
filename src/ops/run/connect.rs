//! What is asked, and who evaluates: here the targets and evaluators of the configuration meet the run.

use std::collections::HashMap;
use std::sync::Arc;

use futures::future::BoxFuture;

use super::bound::{longest, most_usd};
use super::judging::{Judging, judge_of};
use super::{Asker, Recorded, RunSpec, Scores, taken};
use crate::domain::{
    Answer, Ask, AskError, Assessment, CaseId, Check, Error, EvalCase, EvalConfig, Price, Result, SetName,
    Subject, TargetKind, TargetLimits, TargetSpec, nearest,
};
use crate::ops::Ctx;
use crate::ops::score::{AskModel, MayAskAgain, Prepared, Purse, Scorer, Services, of_set};
use crate::task::Cancel;
use crate::wire::prompts_dir::read_prompt;
use crate::wire::target::{Target, ask_patiently};

/// The target that needs no configuration.
pub(super) const RECORDED: &str = "recorded";

/// The target of this name.
pub fn target(config: &EvalConfig, name: &str) -> Result<TargetSpec> {
    if let Some(target) = config.targets.iter().find(|target| target.name == name) {
        return Ok(target.clone());
    }
    if name == RECORDED {
        return Ok(TargetSpec {
            name: RECORDED.to_owned(),
            kind: TargetKind::Recorded,
            prompt: None,
            limits: TargetLimits { concurrency: 32, ..TargetLimits::default() },
        });
    }
    let names: Vec<&str> = config.targets.iter().map(|t| t.name.as_str()).chain([RECORDED]).collect();
    let error = Error::usage(format!("There is no target {name}."));
    let error = match nearest(name, names.iter().copied()) {
        Some(near) => error.hint(format!("Did you mean {near}?")),
        None => error.hint(format!("There are: {}.", names.join(", "))),
    };
    Err(error.hint("A target is a table [targets.NAME] of tuesday.toml."))
}

/// A run of a set through the target of this name, as the configuration describes it: prompt, price and
/// evaluators are looked up, and what is missing is named before anything is asked.
pub fn spec(config: &EvalConfig, set: SetName, target_name: &str) -> Result<RunSpec> {
    let target = target(config, target_name)?;
    let prompt = target.prompt.as_ref().map(|name| read_prompt(&config.prompts_dir, name)).transpose()?;
    let evaluators = of_set(config, &set);
    Ok(RunSpec {
        prompt: prompt.map(|file| file.text),
        price: price(config, &target),
        evaluators: evaluators.iter().map(|one| (one.name.clone(), one.version())).collect(),
        judging: Judging::new(config, &evaluators),
        ..RunSpec::new(set, target)
    })
}

/// What a million tokens of a target cost, where that is known.
fn price(config: &EvalConfig, target: &TargetSpec) -> Option<Price> {
    match &target.kind {
        TargetKind::OpenAi(model) | TargetKind::Anthropic(model) => config.prices.get(&model.model).copied(),
        TargetKind::Http(_) | TargetKind::Command(_) | TargetKind::Recorded => None,
    }
}

/// What asks the target of a run. Errors when a key or an address is missing.
pub fn asker(ctx: &Ctx, config: &EvalConfig, spec: &RunSpec, cancel: &Cancel) -> Result<Arc<dyn Asker>> {
    if spec.target.kind == TargetKind::Recorded {
        return Ok(Arc::new(Recorded::new(ctx.store.clone(), &taken(ctx, spec)?)));
    }
    Ok(Arc::new(Patient::connect(config, &spec.target, cancel)?))
}

/// A target that is asked until it answers, at its pace.
struct Patient {
    target: Target,
    limits: TargetLimits,
    by: String,
    price: Option<Price>,
    max_tokens: Option<u64>,
    cancel: Cancel,
}

impl Patient {
    fn connect(config: &EvalConfig, spec: &TargetSpec, cancel: &Cancel) -> Result<Self> {
        let target =
            Target::connect(spec, &config.prices, &|name| std::env::var(name).ok()).map_err(|mut e| {
                if let (Some(line), Some(file)) = (config.target_lines.get(&spec.name), &config.file) {
                    e.what = format!("{}:{line}: {}", file.display(), e.what);
                }
                e
            })?;
        let by = match &spec.kind {
            TargetKind::OpenAi(model) | TargetKind::Anthropic(model) => {
                format!("{} {}", spec.name, model.model)
            }
            _ => spec.name.clone(),
        };
        Ok(Self {
            target,
            limits: spec.limits.clone(),
            by,
            price: price(config, spec),
            max_tokens: longest(&spec.kind),
            cancel: cancel.clone(),
        })
    }
}

impl Asker for Patient {
    fn ask<'a>(
        &'a self,
        ask: &'a Ask,
        again: MayAskAgain<'a>,
    ) -> BoxFuture<'a, (std::result::Result<Answer, AskError>, u32)> {
        let may_ask = move |_, before: Option<&AskError>| {
            before.is_none_or(|error| !error.kind.may_be_paid()) || again()
        };
        Box::pin(ask_patiently(&self.target, ask, &self.limits, &self.cancel, may_ask))
    }
}

impl AskModel for Patient {
    fn by(&self) -> String {
        self.by.clone()
    }

    fn ask<'a>(
        &'a self,
        ask: &'a Ask,
        again: MayAskAgain<'a>,
    ) -> BoxFuture<'a, std::result::Result<Answer, AskError>> {
        Box::pin(async move { Asker::ask(self, ask, again).await.0 })
    }

    fn most_usd(&self, ask: &Ask) -> f64 {
        self.price.map_or(0.0, |price| most_usd(price, self.max_tokens, ask))
    }
}

/// What evaluators may ask: the embedders of the configuration, and the targets that judge for any of these
/// evaluators. Errors when such a target cannot be asked.
pub fn services<'a>(
    ctx: &Ctx,
    config: &EvalConfig,
    checks: impl IntoIterator<Item = &'a Check>,
    cancel: &Cancel,
) -> Result<Services> {
    let mut services = Services::new(config, &ctx.store);
    for check in checks.into_iter().filter(|check| check.kind() == "judge") {
        // A judge that is nowhere named is refused where the evaluators are made ready, with its place.
        let Some(spec) = judge_of(config, check) else { continue };
        if !services.judges.contains_key(&spec.name) && spec.kind != TargetKind::Recorded {
            services.judges.insert(spec.name.clone(), Arc::new(Patient::connect(config, spec, cancel)?));
        }
    }
    Ok(services)
}

/// Who evaluates the answers of a run: the evaluators of the set, then the checks of the case. All of them
/// are made ready here, so that what is wrong with one is named before anything is spent.
pub fn scores(ctx: &Ctx, config: &EvalConfig, spec: &RunSpec, cancel: &Cancel) -> Result<Arc<dyn Scores>> {
    let set = taken(ctx, spec)?;
    let shared = of_set(config, &spec.set);
    let own = set.cases.iter().flat_map(|case| &case.body.checks);
    let services = services(ctx, config, shared.iter().map(|one| &one.check).chain(own), cancel)?;
    let scorer = Scorer::new(config, services)?;
    let shared = scorer.prepare(&shared)?;
    let mut cases = HashMap::new();
    for case in set.cases.iter().filter(|case| !case.body.checks.is_empty()) {
        cases.insert(case.id.clone(), scorer.prepare_case(&spec.set, &case.id, &case.body.checks)?);
    }
    Ok(Arc::new(Evaluators { scorer, shared, cases }))
}

/// The evaluators of a set and those of its cases.
struct Evaluators {
    scorer: Scorer,
    shared: Prepared,
    cases: HashMap<CaseId, Prepared>,
}

impl Scores for Evaluators {
    fn score<'a>(
        &'a self,
        case: &'a EvalCase,
        subject: Subject<'a>,
        purse: &'a dyn Purse,
    ) -> BoxFuture<'a, Vec<Assessment>> {
        Box::pin(async move {
            let mut said = self.scorer.score(&self.shared, subject, purse).await;
            if let Some(own) = self.cases.get(&case.id) {
                said.extend(self.scorer.score(own, subject, purse).await);
            }
            said
        })
    }
}
