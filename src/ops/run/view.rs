//! What a run came to.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::domain::{Run, RunName, Untrusted};
use crate::stats::{CONFIDENCE, Interval, wilson};
use crate::store::RunTotals;
use crate::text::figures::{UNKNOWN, share_within};

/// What a run came to. Its serde form is the answer of `eval run --json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunView {
    /// Its name.
    pub run: RunName,
    /// The eval set.
    pub set: String,
    /// The version of the set.
    pub set_version: u64,
    /// The target.
    pub target: String,
    /// Its kind, and its model where it has one.
    pub target_kind: String,
    /// The prompt before each case.
    pub prompt: Option<String>,
    /// SHA-256 of the prompt's text.
    pub prompt_hash: Option<String>,
    /// When it began.
    pub at: Timestamp,
    /// Who began it.
    pub by: String,
    /// How many cases it has.
    pub cases: u64,
    /// How many of them have a result.
    pub done: u64,
    /// Answers that all evaluators passed.
    pub passed: u64,
    /// Answers that one failed.
    pub failed: u64,
    /// Cases without an answer, or that could not be evaluated.
    pub errors: u64,
    /// Passed, of those passed and failed.
    pub pass_rate: Option<f64>,
    /// Its interval (Wilson), at [`CONFIDENCE`].
    pub pass_interval: Option<Interval>,
    /// Answers that came from the cache.
    pub cached: u64,
    /// What it cost, evaluators included, in US dollars.
    pub cost_usd: f64,
    /// What an answer cost in the mean, in this run or when it was given first.
    pub cost_per_answer_usd: Option<f64>,
    /// Tokens that went in, where the target says so.
    pub tokens_in: u64,
    /// Tokens that came out.
    pub tokens_out: u64,
    /// How long answers took, in milliseconds.
    pub latency_ms: LatencyView,
    /// The most that it may cost, as it was begun.
    pub max_usd: Option<f64>,
    /// Why it ended before its end.
    pub stopped: Option<String>,
    /// By kind of edge case.
    pub categories: Vec<CategoryView>,
    /// By evaluator.
    pub evaluators: Vec<EvaluatorView>,
}

/// How long answers took; nothing where no answer says it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct LatencyView {
    /// The mean.
    pub mean: Option<f64>,
    /// The nearest rank at 95 %.
    pub p95: Option<f64>,
}

/// What the cases of one kind came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CategoryView {
    /// The kind.
    pub category: Untrusted,
    /// How many.
    pub passed: u64,
    /// How many.
    pub failed: u64,
    /// How many.
    pub errors: u64,
}

/// What one evaluator said.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EvaluatorView {
    /// Its name.
    pub evaluator: String,
    /// Its kind.
    pub kind: String,
    /// How many it passed.
    pub passed: u64,
    /// How many it failed.
    pub failed: u64,
    /// How many it could not tell.
    pub errors: u64,
    /// Its figure in the mean.
    pub mean_score: Option<f64>,
    /// A judge's ratings in the mean, by criterion.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub criteria: BTreeMap<String, f64>,
}

impl RunView {
    /// The pass rate with its interval, for a person.
    pub fn pass_words(&self) -> String {
        let ends = self.pass_interval.map(|ends| [ends.lower, ends.upper]);
        self.pass_rate.map_or_else(|| UNKNOWN.to_owned(), |rate| share_within(rate, ends))
    }

    /// The view of a run that came to this.
    pub fn of(run: Run, totals: RunTotals) -> Self {
        let head = run.head;
        let RunTotals { told, cached, tokens_in, tokens_out, paid, answer_usd, .. } = totals;
        let categories = totals.categories.into_iter().map(|(category, told)| CategoryView {
            category,
            passed: told.passed,
            failed: told.failed,
            errors: told.errors,
        });
        let evaluators = totals.evaluators.into_iter().map(|(evaluator, said)| EvaluatorView {
            evaluator,
            kind: said.kind,
            passed: said.told.passed,
            failed: said.told.failed,
            errors: said.told.errors,
            mean_score: said.mean_score,
            criteria: said.criteria,
        });
        let (passed, of) = (told.passed as f64, (told.passed + told.failed) as f64);
        Self {
            categories: categories.collect(),
            evaluators: evaluators.collect(),
            run: head.name,
            set: head.set,
            set_version: head.set_version,
            target: head.target,
            target_kind: head.target_kind,
            prompt: head.prompt,
            prompt_hash: head.prompt_hash,
            at: head.at,
            by: head.by,
            cases: head.cases,
            done: told.all(),
            passed: told.passed,
            failed: told.failed,
            errors: told.errors,
            pass_interval: wilson(passed, of, CONFIDENCE),
            pass_rate: (of > 0.0).then(|| passed / of),
            cached,
            cost_usd: paid,
            cost_per_answer_usd: answer_usd,
            tokens_in,
            tokens_out,
            latency_ms: LatencyView { mean: totals.latency_mean, p95: totals.latency_p95 },
            max_usd: head.max_usd,
            stopped: run.stopped,
        }
    }

    /// Whether every case has its result.
    pub fn is_complete(&self) -> bool {
        self.done >= self.cases
    }
}
