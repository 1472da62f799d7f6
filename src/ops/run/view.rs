//! What a run came to, derived from its results.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::domain::{CaseResult, Outcome, Run, RunName, Untrusted};
use crate::stats::{CONFIDENCE, Interval, nearest_rank, wilson};
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

    /// The figures of a run from its results. `paid`: what the store counted.
    pub fn of(run: Run, results: &[CaseResult], paid: f64) -> Self {
        let head = run.head;
        let mut count = Counts::default();
        let mut categories: BTreeMap<&str, Counts> = BTreeMap::new();
        let mut evaluators: BTreeMap<&str, Said> = BTreeMap::new();
        let (mut latency, mut costs) = (Vec::new(), Mean::default());
        let (mut cached, mut tokens_in, mut tokens_out) = (0, 0, 0);
        for result in results {
            let outcome = result.outcome();
            count.add(outcome);
            categories.entry(result.category.raw()).or_default().add(outcome);
            cached += u64::from(result.cached);
            for one in &result.assessments {
                let said = evaluators.entry(&one.evaluator).or_default();
                said.kind = &one.kind;
                said.counts.add(one.outcome);
                one.score.iter().for_each(|score| said.score.add(score.value));
                one.criteria
                    .iter()
                    .for_each(|(name, value)| said.criteria.entry(name).or_default().add(*value));
            }
            if let Some(answer) = result.answer() {
                latency.extend(Some(answer.latency_ms).filter(|ms| ms.is_finite()));
                answer.cost_usd.iter().for_each(|cost| costs.add(*cost));
                tokens_in += answer.tokens_in.unwrap_or(0);
                tokens_out += answer.tokens_out.unwrap_or(0);
            }
        }
        let categories = categories.into_iter().map(|(category, counts)| CategoryView {
            category: Untrusted::from(category),
            passed: counts.passed,
            failed: counts.failed,
            errors: counts.errors,
        });
        let evaluators = evaluators.into_iter().map(|(name, said)| EvaluatorView {
            evaluator: name.to_owned(),
            kind: said.kind.to_owned(),
            passed: said.counts.passed,
            failed: said.counts.failed,
            errors: said.counts.errors,
            mean_score: said.score.get(),
            criteria: said
                .criteria
                .into_iter()
                .filter_map(|(name, mean)| Some((name.to_owned(), mean.get()?)))
                .collect(),
        });
        let told = count.passed + count.failed;
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
            done: results.len() as u64,
            passed: count.passed,
            failed: count.failed,
            errors: count.errors,
            pass_interval: wilson(count.passed as f64, told as f64, CONFIDENCE),
            pass_rate: (told > 0).then(|| count.passed as f64 / told as f64),
            cached,
            cost_usd: paid,
            cost_per_answer_usd: costs.get(),
            tokens_in,
            tokens_out,
            latency_ms: latency_of(latency),
            max_usd: head.max_usd,
            stopped: run.stopped,
        }
    }

    /// Whether every case has its result.
    pub fn is_complete(&self) -> bool {
        self.done >= self.cases
    }
}

fn latency_of(mut values: Vec<f64>) -> LatencyView {
    if values.is_empty() {
        return LatencyView::default();
    }
    values.sort_by(f64::total_cmp);
    let rank = nearest_rank(0.95, values.len() as u64);
    LatencyView {
        mean: Some(values.iter().sum::<f64>() / values.len() as f64),
        p95: usize::try_from(rank).ok().and_then(|rank| values.get(rank - 1)).copied(),
    }
}

#[derive(Default)]
struct Counts {
    passed: u64,
    failed: u64,
    errors: u64,
}

impl Counts {
    fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Pass => self.passed += 1,
            Outcome::Fail => self.failed += 1,
            Outcome::Error => self.errors += 1,
        }
    }
}

#[derive(Default)]
struct Said<'a> {
    kind: &'a str,
    counts: Counts,
    score: Mean,
    criteria: BTreeMap<&'a str, Mean>,
}

#[derive(Default)]
struct Mean {
    sum: f64,
    n: u64,
}

impl Mean {
    fn add(&mut self, value: f64) {
        self.sum += value;
        self.n += 1;
    }

    fn get(&self) -> Option<f64> {
        (self.n > 0).then(|| self.sum / self.n as f64)
    }
}
