//! How far the judge can be trusted: what it says of answers that people labelled.
//!
//! A label is about the output that is in the trace. It counts where the judge saw that same output: on the
//! traces of a sample, in runs of the target `recorded`, and wherever a target gave the same words again. Positive is a pass: the
//! true-positive rate is the share of labelled passes that the judge passes, the true-negative rate the
//! share of labelled failures that it fails.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde::Serialize;

use super::load;
use crate::domain::{
    Answer, Assessment, CaseId, CaseResult, Content, Outcome, Result, RunName, Untrusted, Verdict,
};
use crate::ops::score::subject_hash;
use crate::ops::{Ctx, sample};
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
    /// The case, in a run.
    pub case: Option<CaseId>,
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

/// The judges of a run, or of a sample.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrustView {
    /// The run.
    pub run: Option<RunName>,
    /// Its set.
    pub set: Option<String>,
    /// The sample.
    pub sample: Option<String>,
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
}

/// A judge's word and the label that it is held against.
struct Said<'a> {
    case: Option<&'a CaseId>,
    trace: Option<&'a Untrusted>,
    word: &'a Assessment,
    label: Option<&'a Labelled>,
    /// The judge saw the output that was labelled.
    same_output: bool,
}

/// Where the judges spoke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    Run,
    /// Of a sample; a share of it is that of the population where every trace was drawn with one probability.
    Sample {
        even: bool,
    },
}

/// Holds the judges of a run against the labels. Errors with `NotSo` when there is no such run.
pub fn trust(ctx: &Ctx, name: &RunName) -> Result<TrustView> {
    let (run, results) = load(ctx, name)?;
    let mut labels = BTreeMap::new();
    for result in &results {
        let (Some(id), Some(answer)) = (&result.trace, result.answer()) else { continue };
        if let Some(label) = labelled(ctx, id)? {
            let same = answered_the_same(ctx, id, answer)?;
            labels.insert(&result.case, (label, same));
        }
    }
    let said = results.iter().flat_map(|result| {
        let label = labels.get(&result.case);
        let (case, trace) = (Some(&result.case), result.trace.as_ref());
        let (label, same_output) = (label.map(|it| &it.0), label.is_some_and(|it| it.1));
        result.assessments.iter().map(move |word| Said { case, trace, word, label, same_output })
    });
    let set = Some(run.head.set.clone());
    Ok(TrustView { run: Some(name.clone()), set, sample: None, ..view(said, Of::Run) })
}

/// Holds what judges said of the traces of a sample against the labels. Errors with `NotSo` when there is no
/// such sample.
pub fn trust_sample(ctx: &Ctx, name: &str) -> Result<TrustView> {
    let sample = sample::load(ctx, name)?;
    let mut words = Vec::new();
    for member in &sample.members {
        // The newest word of each evaluator, whatever its version.
        let mut newest = BTreeMap::new();
        for row in ctx.store.trace_scores_of(&member.trace)? {
            newest.entry(row.word.evaluator.clone()).or_insert(row);
        }
        let label = if newest.is_empty() { None } else { labelled(ctx, &member.trace)?.map(Rc::new) };
        let now = match &label {
            Some(_) => ctx.store.trace_by_id(member.trace.raw())?.map(|stored| subject_hash(&stored.trace)),
            None => None,
        };
        words.extend(newest.into_values().map(|row| {
            let same = Some(row.subject) == now;
            (row, label.clone(), same)
        }));
    }
    let even = sample.members.windows(2).all(|pair| pair[0].probability == pair[1].probability);
    let said = words.iter().map(|(row, label, same)| Said {
        case: None,
        trace: Some(&row.trace),
        word: &row.word,
        label: label.as_deref(),
        same_output: *same,
    });
    Ok(TrustView { sample: Some(sample.name.clone()), ..view(said, Of::Sample { even }) })
}

/// By judge.
fn view<'a>(said: impl Iterator<Item = Said<'a>>, of: Of) -> TrustView {
    let mut judges = BTreeMap::<&str, Vec<Said<'_>>>::new();
    for one in said.filter(|one| one.word.kind == "judge") {
        judges.entry(&one.word.evaluator).or_default().push(one);
    }
    let judges = judges.into_iter().map(|(evaluator, said)| judge(evaluator, &said, of)).collect();
    TrustView { run: None, set: None, sample: None, enough_labels: ENOUGH_LABELS, judges }
}

/// What reviewers say of a trace.
fn labelled(ctx: &Ctx, id: &Untrusted) -> Result<Option<Labelled>> {
    let labels = ctx.store.labels_of(id)?;
    let verdicts: Vec<Verdict> = labels.iter().filter_map(|label| label.body.verdict).collect();
    let Some(first) = verdicts.first().copied() else { return Ok(None) };
    let one = verdicts.iter().all(|verdict| *verdict == first) && first != Verdict::Unsure;
    Ok(Some(Labelled {
        verdict: one.then_some(first),
        reviewers: labels.iter().map(|label| label.reviewer.clone()).collect(),
        note: labels.iter().find_map(|label| label.body.note.clone()),
    }))
}

/// Whether the answer of a run is the output of the trace that its case came from.
fn answered_the_same(ctx: &Ctx, trace: &Untrusted, answer: &Answer) -> Result<bool> {
    let text = |content: &Content| content.plain_text().raw().trim().to_owned();
    let stored = ctx.store.trace_by_id(trace.raw())?;
    Ok(stored.is_some_and(|stored| text(&stored.trace.output) == text(&answer.output)))
}

/// What people say of the trace that a case came from, where the run's answer is the output that they labelled.
pub fn labels_of_answer(ctx: &Ctx, result: &CaseResult) -> Result<Vec<(Untrusted, Verdict)>> {
    let (Some(id), Some(answer)) = (&result.trace, result.answer()) else { return Ok(Vec::new()) };
    let labels = ctx.store.labels_of(id)?;
    if labels.is_empty() || !answered_the_same(ctx, id, answer)? {
        return Ok(Vec::new());
    }
    Ok(labels.into_iter().filter_map(|label| Some((label.reviewer, label.body.verdict?))).collect())
}

fn judge(evaluator: &str, said: &[Said<'_>], of: Of) -> JudgeTrust {
    let mut reported = Count::default();
    let (mut no_word, mut undecided, mut other_output) = (0, 0, 0);
    let mut confusion = Confusion::default();
    let mut pairs = Vec::new();
    let mut disagreements = Vec::new();
    for Said { case, trace, word: one, label, same_output } in said {
        if one.outcome == Outcome::Error {
            no_word += 1;
            continue;
        }
        let passes = one.outcome == Outcome::Pass;
        reported.n += 1;
        reported.k += u64::from(passes);
        let Some(label) = label else { continue };
        if !same_output {
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
                case: case.cloned(),
                trace: trace.cloned().unwrap_or_default(),
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
        .filter(|_| missing == [0, 0] && of != Of::Sample { even: false })
        .map(|found| CorrectedRate { rate: found.rate, interval: found.interval });
    let agreement = cohen_kappa(pairs);
    JudgeTrust {
        evaluator: evaluator.to_owned(),
        by: said.iter().find_map(|one| one.word.by.clone()),
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
        words: words(missing, corrected.is_some(), other_output, of),
        corrected,
        missing_labels: missing,
    }
}

fn words(missing: [u64; 2], corrected: bool, other_output: u64, of: Of) -> String {
    let labels = |n: u64, of: &str| (n > 0).then(|| format!("{n} more of {of}"));
    let wanted: Vec<String> =
        [labels(missing[0], "passes"), labels(missing[1], "failures")].into_iter().flatten().collect();
    let mut words = match (&wanted[..], corrected) {
        ([], true) => "the pass rate is corrected for the judge's known errors".to_owned(),
        ([], false) if of == (Of::Sample { even: false }) => {
            "the pass rate is not corrected: the traces were not drawn with one probability".to_owned()
        }
        ([], false) => "the judge tells no better than chance: its pass rate says nothing".to_owned(),
        (wanted, _) => format!(
            "to correct the pass rate it takes labels, {}: {ENOUGH_LABELS} of each are enough",
            crate::text::figures::list_of(wanted, "and")
        ),
    };
    if other_output > 0 {
        let labels = plural(usize::try_from(other_output).unwrap_or(usize::MAX), "label");
        words.push_str(&match of {
            Of::Run => format!(
                "; {labels} of another output than the run's do not count (a run of the target `recorded` judges the labelled ones)"
            ),
            Of::Sample { .. } => format!("; {labels} of traces that changed since do not count (score them again)"),
        });
    }
    words
}
