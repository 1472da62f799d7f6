//! What judging an answer costs: as it usually is, and at most.

use std::sync::Arc;

use super::bound::{PER_REQUEST, PER_TOKEN};
use crate::domain::{Check, EvalCase, EvalConfig, Evaluator, ModelSpec, Price, TargetKind, TargetSpec};
use crate::ops::score::{JudgeSize, judge_size};

/// Characters of an answer where nothing says how long it may be.
const USUAL_ANSWER: u64 = 1024;

/// The judges of a run and what their tokens cost.
#[derive(Debug, Clone, Default)]
pub struct Judging {
    config: Arc<EvalConfig>,
    /// The evaluators of the set; a case's own come beside them.
    shared: Vec<Evaluator>,
}

/// What judging one answer costs, in US dollars.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct JudgingCost {
    /// As it should be: four characters to a token, a short reply.
    pub usual: f64,
    /// That of one attempt of each vote, if every byte were a token and each reply as long as it may be.
    pub most: f64,
}

impl Judging {
    /// The judges among these evaluators of a set, as the configuration describes them.
    pub(super) fn new(config: &EvalConfig, shared: &[Evaluator]) -> Self {
        Self { config: Arc::new(config.clone()), shared: shared.to_vec() }
    }

    fn checks<'a>(&'a self, case: &'a EvalCase) -> impl Iterator<Item = &'a Check> {
        let shared = self.shared.iter().map(|one| &one.check);
        shared.chain(&case.body.checks).filter(|check| check.kind() == "judge")
    }

    /// Whether the evaluator of the set with this name is a judge.
    pub(super) fn is_judge(&self, name: &str) -> bool {
        self.shared.iter().any(|one| one.name == name && one.check.kind() == "judge")
    }

    /// Whether an answer to the case is judged.
    pub(super) fn judges(&self, case: &EvalCase) -> bool {
        self.checks(case).next().is_some()
    }

    /// What judging an answer to this case costs, of this many tokens at most where that is known.
    pub(super) fn cost(&self, case: &EvalCase, answer_tokens: Option<u64>) -> JudgingCost {
        let mut sum = JudgingCost::default();
        for check in self.checks(case) {
            let Some(model) = self.judge(check) else { continue };
            let Some(price) = self.price(model) else { continue };
            let JudgeSize { template, votes, usual_reply, longest_reply } = judge_size(check, &self.config);
            let expected = case.body.expected.as_ref().map(|text| text.raw().len() as u64);
            let known = template + case.body.input.plain_text().raw().len() as u64 + expected.unwrap_or(0);
            let answer = expected.unwrap_or(USUAL_ANSWER);
            let longest = answer_tokens.map_or(2 * answer, |tokens| tokens * PER_TOKEN).max(USUAL_ANSWER);
            let votes = f64::from(votes);
            sum.usual += votes * price.of((known + answer).div_ceil(PER_TOKEN), usual_reply);
            let longest_reply = model.max_tokens.unwrap_or(longest_reply);
            sum.most += votes * price.of(known + longest + PER_REQUEST, longest_reply);
        }
        sum
    }

    /// The model of a judge whose tokens have no price, so that no limit can be kept.
    pub(super) fn without_price<'a>(&'a self, cases: &'a [EvalCase]) -> Option<&'a str> {
        let models = cases.iter().flat_map(|case| self.checks(case)).filter_map(|check| self.judge(check));
        models.filter(|model| self.price(model).is_none()).map(|model| model.model.as_str()).next()
    }

    /// The model that judges, where it is one.
    fn judge<'a>(&'a self, check: &'a Check) -> Option<&'a ModelSpec> {
        let target = judge_of(&self.config, check)?;
        match &target.kind {
            TargetKind::OpenAi(model) | TargetKind::Anthropic(model) => Some(model),
            TargetKind::Http(_) | TargetKind::Command(_) | TargetKind::Recorded => None,
        }
    }

    fn price(&self, model: &ModelSpec) -> Option<Price> {
        self.config.prices.get(&model.model).copied()
    }
}

/// The model of a judge among these evaluators whose tokens have no price, so that no limit can be kept.
pub fn unpriced(config: &EvalConfig, evaluators: &[Evaluator]) -> Option<String> {
    let judging = Judging::new(config, evaluators);
    let judges = evaluators.iter().filter(|one| one.check.kind() == "judge");
    let models = judges.filter_map(|one| judging.judge(&one.check));
    models.filter(|model| judging.price(model).is_none()).map(|model| model.model.clone()).next()
}

/// The target that judges for a check.
pub(super) fn judge_of<'a>(config: &'a EvalConfig, check: &'a Check) -> Option<&'a TargetSpec> {
    let named = check.settings().get("target").and_then(|name| name.as_str()).or(config.judge.as_deref())?;
    config.targets.iter().find(|target| target.name == named)
}
