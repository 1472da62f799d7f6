//! The baseline test: two runs of one set, case by case, and what the team's thresholds say of it.
//!
//! Cases are paired by id. One that is in only one run, or whose input or expectation changed between the
//! two, is named and left out. A pair where either run has no word (no answer, a judge that cannot be
//! read) is counted apart: it is neither a pass nor a failure.

mod case;
mod decide;
mod metric;
mod report;
mod show;
#[cfg(test)]
mod tests;
mod trust;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::domain::{Answered, CaseId, CaseResult, Error, Outcome, Result, Run, RunName, Score, Untrusted};
use crate::ops::Ctx;
use crate::text::figures::list_of;

pub use crate::domain::gate::Need;
pub use case::{AnswerView, CaseView, case};
pub use decide::{CheckView, Decision, State, Thresholds};
pub use metric::{Mark, Metric, Unit};
pub use report::{html, junit, markdown};
pub use show::{Row, became, decided, headline, rows, tally, text, title};
pub use trust::{
    Confusion, CorrectedRate, Disagreement, ENOUGH_LABELS, JudgeTrust, Rate, TrustView, labels_of_answer,
    trust, trust_sample,
};

/// Cases whose answers are kept for a report.
const OPENED: usize = 200;

/// What is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct CompareSpec {
    /// The run that stands.
    pub baseline: RunName,
    /// The run that would take its place.
    pub candidate: RunName,
    /// What must hold.
    pub thresholds: Thresholds,
}

/// One of the two runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Side {
    /// The run.
    pub run: RunName,
    /// The version of the set that it took.
    pub set_version: u64,
    /// Its target.
    pub target: String,
    /// The target's kind and model.
    pub target_kind: String,
    /// Its prompt.
    pub prompt: Option<String>,
    /// Cases that it has.
    pub cases: u64,
    /// Those that have a result.
    pub done: u64,
    /// Those without a word: no answer, or an evaluator that could not tell.
    pub errors: u64,
    /// Answers that came from the cache; their latency and cost are those of the first time.
    pub cached: u64,
    /// Why it ended early.
    pub stopped: Option<String>,
}

impl Side {
    fn of(run: &Run, results: &[CaseResult]) -> Self {
        let count = |so: fn(&CaseResult) -> bool| results.iter().filter(|one| so(one)).count() as u64;
        Self {
            run: run.head.name.clone(),
            set_version: run.head.set_version,
            target: run.head.target.clone(),
            target_kind: run.head.target_kind.clone(),
            prompt: run.head.prompt.clone(),
            cases: run.head.cases,
            done: run.done,
            errors: count(|one| one.outcome() == Outcome::Error),
            cached: count(|one| one.cached),
            stopped: run.stopped.clone(),
        }
    }

    /// What tells it from the other: its prompt, else its target.
    pub fn title(&self) -> &str {
        self.prompt.as_deref().unwrap_or(&self.target)
    }
}

/// What became of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Became {
    /// It passed and now fails.
    Regressed,
    /// It failed and now passes.
    Fixed,
    /// It fails both times.
    BothFail,
    /// It passes both times.
    BothPass,
    /// One of the runs has no word on it.
    NoWord,
}

impl Became {
    fn of(before: Outcome, after: Outcome) -> Self {
        match (before, after) {
            (Outcome::Pass, Outcome::Fail) => Self::Regressed,
            (Outcome::Fail, Outcome::Pass) => Self::Fixed,
            (Outcome::Fail, Outcome::Fail) => Self::BothFail,
            (Outcome::Pass, Outcome::Pass) => Self::BothPass,
            _ => Self::NoWord,
        }
    }
}

/// One case in the list below the table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CaseLine {
    /// The case.
    pub case: CaseId,
    /// Its kind of edge case.
    pub category: Untrusted,
    /// The first words of what was expected, or of what went in.
    pub about: Untrusted,
    /// What became of it.
    pub became: Became,
    /// What the baseline came to.
    pub current: Outcome,
    /// What the candidate came to.
    pub new: Outcome,
    /// The evaluator that decided, of the candidate where it fails, else of the baseline.
    pub evaluator: Option<String>,
    /// Its score.
    pub score: Option<f64>,
    /// Why, in its words; of an error, what happened.
    pub why: Untrusted,
}

/// The pairs of one category.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CategoryLine {
    /// The category.
    pub category: Untrusted,
    /// Pairs with a word on both sides.
    pub cases: u64,
    /// Share that passed in the baseline.
    pub current: f64,
    /// Share that passes in the candidate.
    pub new: f64,
    /// Newly failing.
    pub regressed: u64,
    /// Newly passing.
    pub fixed: u64,
}

/// Cases that could not be paired.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct LeftOut {
    /// Only the baseline has a result.
    pub only_baseline: Vec<CaseId>,
    /// Only the candidate has a result.
    pub only_candidate: Vec<CaseId>,
    /// The input or what is expected changed between the runs.
    pub changed: Vec<CaseId>,
}

impl LeftOut {
    fn count(&self) -> usize {
        self.only_baseline.len() + self.only_candidate.len() + self.changed.len()
    }
}

/// What the comparison came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CompareView {
    /// The set.
    pub set: String,
    /// The run that stands.
    pub baseline: Side,
    /// The run that would take its place.
    pub candidate: Side,
    /// Pairs with a word on both sides.
    pub cases: u64,
    /// The table that decides.
    pub metrics: Vec<Metric>,
    /// How it is seen to that many tests do not find by chance what is not there.
    pub multiplicity: String,
    /// What the thresholds say.
    pub decision: Decision,
    /// Why, in words.
    pub reason: String,
    /// How many cases would be enough to tell, where there are too few and that can be said.
    pub enough_cases: Option<u64>,
    /// Each threshold.
    pub checks: Vec<CheckView>,
    /// Newly failing.
    pub regressed: Vec<CaseId>,
    /// Newly passing.
    pub fixed: Vec<CaseId>,
    /// Failing both times.
    pub both_fail: Vec<CaseId>,
    /// Passing both times.
    pub both_pass: Vec<CaseId>,
    /// Pairs without a word on one side.
    pub no_word: Vec<CaseId>,
    /// By category.
    pub categories: Vec<CategoryLine>,
    /// Every pair: newly failing first, then newly passing, both fail, both pass, without a word.
    pub lines: Vec<CaseLine>,
    /// Cases that could not be paired.
    pub left_out: LeftOut,
    /// What to know besides: another version of an evaluator, answers from the cache.
    pub notes: Vec<String>,
    /// The answers of the first cases that changed sides, for a report.
    #[serde(skip)]
    pub opened: Vec<CaseView>,
}

/// A case with what both runs have of it.
struct Pair {
    before: CaseResult,
    after: CaseResult,
}

impl Pair {
    fn became(&self) -> Became {
        Became::of(self.before.outcome(), self.after.outcome())
    }
}

/// Compares two runs of one set. Errors with `NotSo` when there is no such run, or they are of two sets.
pub fn compare(ctx: &Ctx, spec: &CompareSpec) -> Result<CompareView> {
    let (before, before_results) = load(ctx, &spec.baseline)?;
    let (after, after_results) = load(ctx, &spec.candidate)?;
    same_set(&before, &after)?;
    let baseline = Side::of(&before, &before_results);
    let candidate = Side::of(&after, &after_results);
    let (mut pairs, left_out) = paired(before_results, after_results);
    pairs.sort_by_key(Pair::became);
    let told: Vec<&Pair> = pairs.iter().filter(|pair| pair.became() != Became::NoWord).collect();
    let metrics = metric::metrics(&pairs, &told);
    let checks = decide::checks(&spec.thresholds, &metrics, &told, &pairs, [&baseline, &candidate]);
    let verdict = decide::verdict(&checks);
    let of = |became: Became| -> Vec<CaseId> {
        let those = pairs.iter().filter(|pair| pair.became() == became);
        those.map(|pair| pair.after.case.clone()).collect()
    };
    let opened = pairs
        .iter()
        .filter(|pair| pair.became() <= Became::Fixed)
        .take(OPENED)
        .map(|pair| {
            CaseView::of(&before.head.set, [&spec.baseline, &spec.candidate], &pair.before, &pair.after)
        })
        .collect();
    Ok(CompareView {
        set: before.head.set.clone(),
        cases: told.len() as u64,
        multiplicity: metric::multiplicity(&metrics),
        decision: verdict.decision,
        reason: verdict.reason,
        enough_cases: verdict.enough_cases,
        regressed: of(Became::Regressed),
        fixed: of(Became::Fixed),
        both_fail: of(Became::BothFail),
        both_pass: of(Became::BothPass),
        no_word: of(Became::NoWord),
        categories: categories(&told),
        lines: pairs.iter().map(line).collect(),
        notes: notes(&pairs, &left_out, &baseline, &candidate),
        baseline,
        candidate,
        metrics,
        checks,
        left_out,
        opened,
    })
}

/// What one run passes and the other fails: (only `before` passes, only `after` passes), of the cases that both
/// have as they are. Errors with `NotSo` when there is no such run, or they are of two sets.
pub fn discordant(ctx: &Ctx, before: &RunName, after: &RunName) -> Result<(u64, u64)> {
    let (first, before) = load(ctx, before)?;
    let (second, after) = load(ctx, after)?;
    same_set(&first, &second)?;
    let (pairs, _) = paired(before, after);
    let count = |became: Became| pairs.iter().filter(|pair| pair.became() == became).count() as u64;
    Ok((count(Became::Regressed), count(Became::Fixed)))
}

fn load(ctx: &Ctx, name: &RunName) -> Result<(Run, Vec<CaseResult>)> {
    let run = ctx.store.run(name)?.ok_or_else(|| {
        Error::not_so(format!("There is no run {name}.")).hint("`tuesday eval list` lists the runs.")
    })?;
    Ok((run, ctx.store.run_results(name)?))
}

fn same_set(before: &Run, after: &Run) -> Result<()> {
    if before.head.set == after.head.set {
        return Ok(());
    }
    Err(Error::not_so(format!(
        "{} is a run of the set {}, and {} of {}: they have no case in common.",
        before.head.name, before.head.set, after.head.name, after.head.set
    ))
    .hint("Compare two runs of one set; `tuesday eval list` says of which each is."))
}

fn paired(before: Vec<CaseResult>, after: Vec<CaseResult>) -> (Vec<Pair>, LeftOut) {
    let mut left_out = LeftOut::default();
    let mut after: BTreeMap<CaseId, CaseResult> =
        after.into_iter().map(|result| (result.case.clone(), result)).collect();
    let mut pairs = Vec::new();
    for before in before {
        match after.remove(&before.case) {
            None => left_out.only_baseline.push(before.case),
            Some(after) if same_case(&before, &after) => pairs.push(Pair { before, after }),
            Some(_) => left_out.changed.push(before.case),
        }
    }
    left_out.only_candidate = after.into_keys().collect();
    (pairs, left_out)
}

fn same_case(a: &CaseResult, b: &CaseResult) -> bool {
    a.input == b.input && a.expected == b.expected && a.expected_kind == b.expected_kind
}

fn line(pair: &Pair) -> CaseLine {
    const WORDS: usize = 120;
    let side = if pair.after.outcome() == Outcome::Pass { &pair.before } else { &pair.after };
    let wanted = side.outcome();
    let decided = side.assessments.iter().find(|one| one.outcome == wanted && wanted != Outcome::Pass);
    let why = match (&side.answered, decided) {
        (Answered::Error(error), _) => error.what.clone(),
        (_, Some(one)) => one.explanation.clone(),
        _ => Untrusted::default(),
    };
    let about = match &pair.after.expected {
        Some(text) => {
            let mut about: String = text.raw().chars().take(WORDS).collect();
            if about.len() < text.raw().len() {
                about.push('…');
            }
            Untrusted::new(about)
        }
        None => pair.after.input.asked(WORDS),
    };
    CaseLine {
        case: pair.after.case.clone(),
        category: pair.after.category.clone(),
        about,
        became: pair.became(),
        current: pair.before.outcome(),
        new: pair.after.outcome(),
        evaluator: decided.map(|one| one.evaluator.clone()),
        score: decided.and_then(|one| one.score).filter(Score::says_more).map(|score| score.value),
        why,
    }
}

fn categories(told: &[&Pair]) -> Vec<CategoryLine> {
    let mut by = BTreeMap::<&Untrusted, [u64; 4]>::new();
    for pair in told {
        let counts = by.entry(&pair.after.category).or_default();
        let at = pair.became() as usize;
        counts[at.min(3)] += 1;
    }
    by.into_iter()
        .map(|(category, [regressed, fixed, both_fail, both_pass])| {
            let cases = regressed + fixed + both_fail + both_pass;
            let share = |k: u64| k as f64 / cases as f64;
            CategoryLine {
                category: category.clone(),
                cases,
                current: share(both_pass + regressed),
                new: share(both_pass + fixed),
                regressed,
                fixed,
            }
        })
        .collect()
}

fn notes(pairs: &[Pair], left_out: &LeftOut, baseline: &Side, candidate: &Side) -> Vec<String> {
    let mut notes = Vec::new();
    let mut changed = BTreeSet::new();
    // Without an answer there is no assessment, which says nothing of the rules.
    for pair in pairs.iter().filter(|pair| pair.before.answer().and(pair.after.answer()).is_some()) {
        let rules = |result: &CaseResult| -> BTreeSet<(String, String)> {
            result.assessments.iter().map(|one| (one.evaluator.clone(), one.version.clone())).collect()
        };
        let (before, after) = (rules(&pair.before), rules(&pair.after));
        changed.extend(before.symmetric_difference(&after).map(|(name, _)| name.clone()));
    }
    if !changed.is_empty() {
        let names: Vec<String> = changed.into_iter().collect();
        notes.push(format!(
            "not the same in both runs: {}. A change may be the evaluator's, not the candidate's",
            list_of(&names, "and")
        ));
    }
    if left_out.count() > 0 {
        notes.push(format!(
            "left out: {} only in the baseline, {} only in the candidate, {} changed in between",
            left_out.only_baseline.len(),
            left_out.only_candidate.len(),
            left_out.changed.len()
        ));
    }
    if baseline.errors + candidate.errors > 0 {
        notes.push(format!(
            "without a word, and counted neither as pass nor as fail: {} in the baseline, {} in the candidate",
            baseline.errors, candidate.errors
        ));
    }
    if baseline.cached + candidate.cached > 0 {
        notes.push(format!(
            "from the cache, with the time and cost of their first time: {} answers in the baseline, {} in the candidate",
            baseline.cached, candidate.cached
        ));
    }
    notes
}
