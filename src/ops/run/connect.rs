//! What is asked, and who evaluates: here the targets and evaluators of the configuration meet the run.

use std::sync::Arc;

use futures::future::BoxFuture;

use super::{Asker, Recorded, RunSpec, Scores, taken};
use crate::domain::{
    Assessment, Error, EvalCase, EvalConfig, Result, Subject, TargetKind, TargetLimits, TargetSpec, nearest,
};
use crate::ops::Ctx;

/// The target that needs no configuration.
const RECORDED: &str = "recorded";

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

/// What asks the target of a run.
pub fn askers(ctx: &Ctx, spec: &RunSpec) -> Result<Arc<dyn Asker>> {
    match spec.target.kind {
        TargetKind::Recorded => Ok(Arc::new(Recorded::new(ctx.store.clone(), &taken(ctx, spec)?))),
        TargetKind::OpenAi(_) | TargetKind::Anthropic(_) | TargetKind::Http(_) | TargetKind::Command(_) => {
            Err(Error::failed(format!("The target {} cannot be reached from here.", spec.target.name))
                .hint("Run the recorded outputs: --target recorded"))
        }
    }
}

/// Who evaluates the answers of a run.
pub fn scores(_ctx: &Ctx, _spec: &RunSpec) -> Result<Arc<dyn Scores>> {
    Ok(Arc::new(Nobody))
}

/// A set without evaluators: whatever is answered passes.
struct Nobody;

impl Scores for Nobody {
    fn score<'a>(&'a self, _: &'a EvalCase, _: Subject<'a>) -> BoxFuture<'a, Vec<Assessment>> {
        Box::pin(std::future::ready(Vec::new()))
    }
}
