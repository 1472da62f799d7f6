//! One case of a comparison: what was expected, both answers, and each evaluator's word on both.

use serde::Serialize;

use super::{Became, load, same_set};
use crate::domain::{
    Answered, AskError, Assessment, CaseId, CaseResult, Error, ExpectedKind, Outcome, Result, RunName,
    Untrusted,
};
use crate::ops::Ctx;

/// What one run has of the case.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AnswerView {
    /// The run.
    pub run: RunName,
    /// What it came to.
    pub outcome: Outcome,
    /// The answer as text, tool calls with it.
    pub answer: Option<Untrusted>,
    /// Why there is none.
    pub error: Option<AskError>,
    /// How long it took.
    pub latency_ms: Option<f64>,
    /// What it cost.
    pub cost_usd: Option<f64>,
    /// It came from the cache.
    pub cached: bool,
}

impl AnswerView {
    fn of(run: &RunName, result: &CaseResult) -> Self {
        let answer = result.answer();
        Self {
            run: run.clone(),
            outcome: result.outcome(),
            answer: answer.map(|answer| answer.output.plain_text()),
            error: match &result.answered {
                Answered::Error(error) => Some(error.clone()),
                Answered::Answer(_) => None,
            },
            latency_ms: answer.map(|answer| answer.latency_ms),
            cost_usd: answer.and_then(|answer| answer.cost_usd),
            cached: result.cached,
        }
    }

    /// The answer, or why there is none; hostile either way.
    pub fn raw(&self) -> &str {
        let error = self.error.as_ref().map(|error| error.what.raw());
        self.answer.as_ref().map(Untrusted::raw).or(error).unwrap_or_default()
    }
}

/// One evaluator's word on both answers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WordView {
    /// The evaluator.
    pub evaluator: String,
    /// On the baseline's answer.
    pub baseline: Option<Assessment>,
    /// On the candidate's.
    pub candidate: Option<Assessment>,
}

/// One case, side by side.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CaseView {
    /// The set.
    pub set: String,
    /// The case.
    pub case: CaseId,
    /// Its kind of edge case.
    pub category: Untrusted,
    /// What went in.
    pub input: Untrusted,
    /// What was expected.
    pub expected: Option<Untrusted>,
    /// How that is meant.
    pub expected_kind: ExpectedKind,
    /// The trace that it came from.
    pub trace: Option<Untrusted>,
    /// What became of it.
    pub became: Became,
    /// The runs saw another input, or expected something else.
    pub changed: bool,
    /// What the baseline has.
    pub baseline: AnswerView,
    /// What the candidate has.
    pub candidate: AnswerView,
    /// Each evaluator's word on both.
    pub evaluators: Vec<WordView>,
}

impl CaseView {
    pub(super) fn of(set: &str, runs: [&RunName; 2], before: &CaseResult, after: &CaseResult) -> Self {
        let mut evaluators: Vec<WordView> = Vec::new();
        for (is_after, one) in before
            .assessments
            .iter()
            .map(|one| (false, one))
            .chain(after.assessments.iter().map(|one| (true, one)))
        {
            let at =
                evaluators.iter().position(|word| word.evaluator == one.evaluator).unwrap_or_else(|| {
                    let evaluator = one.evaluator.clone();
                    evaluators.push(WordView { evaluator, baseline: None, candidate: None });
                    evaluators.len() - 1
                });
            let word = &mut evaluators[at];
            *(if is_after { &mut word.candidate } else { &mut word.baseline }) = Some(one.clone());
        }
        Self {
            set: set.to_owned(),
            case: after.case.clone(),
            category: after.category.clone(),
            input: after.input.plain_text(),
            expected: after.expected.clone(),
            expected_kind: after.expected_kind,
            trace: after.trace.clone(),
            became: Became::of(before.outcome(), after.outcome()),
            changed: !super::same_case(before, after),
            baseline: AnswerView::of(runs[0], before),
            candidate: AnswerView::of(runs[1], after),
            evaluators,
        }
    }
}

/// One case of two runs. Errors with `NotSo` when one of them has no result of it.
pub fn case(ctx: &Ctx, baseline: &RunName, candidate: &RunName, id: &CaseId) -> Result<CaseView> {
    let (before, before_results) = load(ctx, baseline)?;
    let (after, after_results) = load(ctx, candidate)?;
    same_set(&before, &after)?;
    let find = |results: Vec<CaseResult>, run: &RunName| {
        results.into_iter().find(|result| result.case == *id).ok_or_else(|| {
            Error::not_so(format!("The run {run} has no result of {id}."))
                .hint(format!("`tuesday eval show {run}` lists its cases."))
        })
    };
    let (before_result, after_result) = (find(before_results, baseline)?, find(after_results, candidate)?);
    Ok(CaseView::of(&before.head.set, [baseline, candidate], &before_result, &after_result))
}
