//! How far the judge can be trusted: what it says of answers that people labelled.
//!
//! A label is about the output that is in the trace. It counts where the judge saw that same output: in runs
//! of the target `recorded`, and wherever a target gave the same words again. Positive is a pass: the
//! true-positive rate is the share of labelled passes that the judge passes, the true-negative rate the
//! share of labelled failures that it fails.

use std::collections::BTreeMap;

use serde::Serialize;

use super::load;
use crate::domain::{Assessment, CaseId, CaseResult, Content, Outcome, Result, RunName, Untrusted, Verdict};
use crate::ops::Ctx;
use crate::stats::{CONFIDENCE, Count, Interval, cohen_kappa, corrected_rate, wilson};
use crate::text::figures::plural;

/// Labels of each verdict from which the judge's errors count as known: an error rate of 10 % is then known
/// to within about fifteen points.
pub const ENOUGH_LABELS: u64 = 20;

/// A rate with what it is of.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Rate {
    /// Those that are so.
    pub k: u64,
    /// Those looked at.
    pub n: u64,
    /// The share.
    pub share: Option<f64>,
    /// Its 95 % interval (Wilson).
    pub interval: Option<Interval>,
}

impl Rate {
    fn of(count: Count) -> Self {
        let interval = wilson(count.k as f64, count.n as f64, CONFIDENCE);
        Self { k: count.k, n: count.n, share: interval.map(|_| count.share()), interval }
    }
}

/// Judge against labels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Confusion {
    /// Both say pass.
    pub pass_pass: u64,
    /// The judge passes what is labelled a failure.
    pub judge_pass_label_fail: u64,
    /// The judge fails what is labelled a pass.
    pub judge_fail_label_pass: u64,
    /// Both say fail.
    pub fail_fail: u64,
}

/// A rate that the judge reports, corrected.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CorrectedRate {
    /// The rate.
    pub rate: f64,
    /// Its 95 % interval.
    pub interval: Interval,
}

/// An answer on which judge and label differ.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Disagreement {
    /// The case.
    pub case: CaseId,
    /// The trace that is labelled.
    pub trace: Untrusted,
    /// The judge's word.
    pub judge: Outcome,
    /// Its score.
    pub score: Option<f64>,
    /// Its explanation.
    pub explanation: Untrusted,
    /// The label.
    pub label: Verdict,
    /// Whose.
    pub reviewers: Vec<Untrusted>,
    /// Their note.
    pub note: Option<Untrusted>,
}

/// One judge.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JudgeTrust {
    /// The evaluator.
    pub evaluator: String,
    /// The model that judged.
    pub by: Option<String>,
    /// What it passes, of the answers on which it has a word.
    pub reported: Rate,
    /// Answers on which it has no word.
    pub no_word: u64,
    /// Answers on which both have a word.
    pub labelled: u64,
    /// Labelled traces that do not count: the reviewers are unsure or differ.
    pub undecided: u64,
    /// Labelled traces that do not count: the run's answer is not the output that was labelled.
    pub other_output: u64,
    /// Share on which they agree.
    pub agreement: Option<f64>,
    /// Cohen's kappa; unknown where both say one and the same throughout.
    pub kappa: Option<f64>,
    /// Its 95 % interval.
    pub kappa_interval: Option<Interval>,
    /// Labelled passes that the judge passes.
    pub true_positive: Rate,
    /// Labelled failures that the judge fails.
    pub true_negative: Rate,
    /// Judge against labels.
    pub confusion: Confusion,
    /// What to look at.
    pub disagreements: Vec<Disagreement>,
    /// The reported pass rate, corrected for these error rates, when there are labels enough.
    pub corrected: Option<CorrectedRate>,
    /// Labels of passes and of failures that are still missing for that.
    pub missing_labels: [u64; 2],
    /// What that means, in a sentence.
    pub words: String,
}

/// The judges of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrustView {
    /// The run.
    pub run: RunName,
    /// Its set.
    pub set: String,
    /// Labels of each verdict that are enough.
    pub enough_labels: u64,
    /// Each judge.
    pub judges: Vec<JudgeTrust>,
}

/// A labelled output.
struct Labelled {
    verdict: Option<Verdict>,
    reviewers: Vec<Untrusted>,
    note: Option<Untrusted>,
    /// The run's answer is the output that was labelled.
    same_output: bool,
}

/// Holds the judges of a run against the labels. Errors with `NotSo` when there is no such run.
pub fn trust(ctx: &Ctx, name: &RunName) -> Result<TrustView> {
    let (run, results) = load(ctx, name)?;
    let mut judges = BTreeMap::<&str, Vec<(&CaseResult, &Assessment)>>::new();
    for result in &results {
        for one in result.assessments.iter().filter(|one| one.kind == "judge") {
            judges.entry(&one.evaluator).or_default().push((result, one));
        }
    }
    let mut labels = BTreeMap::new();
    for result in &results {
        if let Some(found) = labelled(ctx, result)? {
            labels.insert(&result.case, found);
        }
    }
    let judges = judges.into_iter().map(|(evaluator, said)| judge(evaluator, &said, &labels)).collect();
    Ok(TrustView { run: name.clone(), set: run.head.set, enough_labels: ENOUGH_LABELS, judges })
}

/// What reviewers say of the trace that a case came from.
fn labelled(ctx: &Ctx, result: &CaseResult) -> Result<Option<Labelled>> {
    let (Some(id), Some(answer)) = (&result.trace, result.answer()) else { return Ok(None) };
    let labels = ctx.store.labels_of(id)?;
    let verdicts: Vec<Verdict> = labels.iter().filter_map(|label| label.body.verdict).collect();
    let Some(first) = verdicts.first().copied() else { return Ok(None) };
    let one = verdicts.iter().all(|verdict| *verdict == first) && first != Verdict::Unsure;
    let words = |content: &Content| content.plain_text().raw().trim().to_owned();
    let output = ctx.store.trace_by_id(id.raw())?.map(|stored| words(&stored.trace.output));
    Ok(Some(Labelled {
        verdict: one.then_some(first),
        reviewers: labels.iter().map(|label| label.reviewer.clone()).collect(),
        note: labels.iter().find_map(|label| label.body.note.clone()),
        same_output: output.is_some_and(|output| output == words(&answer.output)),
    }))
}

/// What people say of the trace that a case came from, where the run's answer is the output that they labelled.
pub fn labels_of_answer(ctx: &Ctx, result: &CaseResult) -> Result<Vec<(Untrusted, Verdict)>> {
    let same = labelled(ctx, result)?.is_some_and(|found| found.same_output);
    let Some(id) = result.trace.as_ref().filter(|_| same) else { return Ok(Vec::new()) };
    let labels = ctx.store.labels_of(id)?.into_iter();
    Ok(labels.filter_map(|label| Some((label.reviewer, label.body.verdict?))).collect())
}

fn judge(
    evaluator: &str,
    said: &[(&CaseResult, &Assessment)],
    labels: &BTreeMap<&CaseId, Labelled>,
) -> JudgeTrust {
    let mut reported = Count::default();
    let (mut no_word, mut undecided, mut other_output) = (0, 0, 0);
    let mut confusion = Confusion::default();
    let mut pairs = Vec::new();
    let mut disagreements = Vec::new();
    for (result, one) in said {
        if one.outcome == Outcome::Error {
            no_word += 1;
            continue;
        }
        let passes = one.outcome == Outcome::Pass;
        reported.n += 1;
        reported.k += u64::from(passes);
        let Some(label) = labels.get(&result.case) else { continue };
        if !label.same_output {
            other_output += 1;
            continue;
        }
        let Some(verdict) = label.verdict else {
            undecided += 1;
            continue;
        };
        let good = verdict == Verdict::Pass;
        *match (passes, good) {
            (true, true) => &mut confusion.pass_pass,
            (true, false) => &mut confusion.judge_pass_label_fail,
            (false, true) => &mut confusion.judge_fail_label_pass,
            (false, false) => &mut confusion.fail_fail,
        } += 1;
        pairs.push((passes, good));
        if passes != good {
            disagreements.push(Disagreement {
                case: result.case.clone(),
                trace: result.trace.clone().unwrap_or_default(),
                judge: one.outcome,
                score: one.score.map(|score| score.value),
                explanation: one.explanation.clone(),
                label: verdict,
                reviewers: label.reviewers.clone(),
                note: label.note.clone(),
            });
        }
    }
    let right_pass =
        Count { k: confusion.pass_pass, n: confusion.pass_pass + confusion.judge_fail_label_pass };
    let right_fail =
        Count { k: confusion.fail_fail, n: confusion.fail_fail + confusion.judge_pass_label_fail };
    let missing = [right_pass.n, right_fail.n].map(|n| ENOUGH_LABELS.saturating_sub(n));
    let corrected = corrected_rate(reported, right_pass, right_fail, CONFIDENCE)
        .filter(|_| missing == [0, 0])
        .map(|found| CorrectedRate { rate: found.rate, interval: found.interval });
    let agreement = cohen_kappa(pairs);
    JudgeTrust {
        evaluator: evaluator.to_owned(),
        by: said.iter().find_map(|(_, one)| one.by.clone()),
        reported: Rate::of(reported),
        no_word,
        labelled: right_pass.n + right_fail.n,
        undecided,
        other_output,
        agreement: agreement.map(|found| found.share),
        kappa: agreement.and_then(|found| found.kappa),
        kappa_interval: agreement.and_then(|found| found.kappa_interval(CONFIDENCE)),
        true_positive: Rate::of(right_pass),
        true_negative: Rate::of(right_fail),
        confusion,
        disagreements,
        words: words(missing, corrected.is_some(), other_output),
        corrected,
        missing_labels: missing,
    }
}

fn words(missing: [u64; 2], corrected: bool, other_output: u64) -> String {
    let labels = |n: u64, of: &str| (n > 0).then(|| format!("{n} more of {of}"));
    let wanted: Vec<String> =
        [labels(missing[0], "passes"), labels(missing[1], "failures")].into_iter().flatten().collect();
    let mut words = match (&wanted[..], corrected) {
        ([], true) => "the pass rate is corrected for the judge's known errors".to_owned(),
        ([], false) => "the judge tells no better than chance: its pass rate says nothing".to_owned(),
        (wanted, _) => format!(
            "to correct the pass rate it takes labels, {}: {ENOUGH_LABELS} of each are enough",
            crate::text::figures::list_of(wanted, "and")
        ),
    };
    if other_output > 0 {
        words.push_str(&format!(
            "; {} of another output than the run's do not count (a run of the target `recorded` judges the labelled ones)",
            plural(usize::try_from(other_output).unwrap_or(usize::MAX), "label")
        ));
    }
    words
}
