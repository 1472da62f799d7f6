//! Item 1: the eval set passes, and passes no worse than before.

use super::candidate::{Candidate, Found, Missing};
use super::said::{ALPHA, Judged, Said, above};
use crate::domain::gate::{Need, Verdict};
use crate::domain::{CaseResult, ErrorKind, Outcome, Result, RunName};
use crate::ops::compare::discordant;
use crate::stats::mcnemar_exact;
use crate::text::figures::{fixed, percent, plural};

/// Outcomes of cases.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub passed: u64,
    pub failed: u64,
    pub errors: u64,
}

impl Counts {
    pub fn of<'a>(results: impl IntoIterator<Item = &'a CaseResult>) -> Self {
        let mut counts = Self::default();
        for result in results {
            match result.outcome() {
                Outcome::Pass => counts.passed += 1,
                Outcome::Fail => counts.failed += 1,
                Outcome::Error => counts.errors += 1,
            }
        }
        counts
    }

    /// Those with a word.
    pub fn told(&self) -> u64 {
        self.passed + self.failed
    }
}

impl From<&Missing> for Said {
    fn from(missing: &Missing) -> Self {
        Said::new(missing.verdict, &missing.figure, &missing.words).next(&missing.next)
    }
}

/// `92.0 % of 50, at least 82.6 %`.
pub(super) fn share_words(good: u64, n: u64, judged: &Judged) -> String {
    let share = percent(good as f64 / n as f64);
    let least =
        judged.interval.map_or_else(String::new, |ends| format!(", at least {}", percent(ends.lower)));
    format!("{share} of {n}{least}")
}

/// What is missing to a proof: `; 29 cases in all prove it if no other fails`.
pub(super) fn needed_words(judged: &Judged, n: u64, one: &str) -> String {
    match judged.needed.filter(|needed| *needed > n) {
        Some(needed) if judged.verdict != Verdict::NotMet && !judged.proven => {
            format!(" It takes {} to prove it, if no other fails.", plural(count(needed), one))
        }
        _ => String::new(),
    }
}

pub(super) fn count(n: u64) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

/// Item 1.
pub(super) fn eval(candidate: &Candidate<'_>, found: &std::result::Result<Found, Missing>) -> Result<Said> {
    let found = match found {
        Ok(found) => found,
        Err(missing) => return Ok(missing.into()),
    };
    let spec = &candidate.spec.eval;
    let counts = Counts::of(&found.results);
    let n = counts.told();
    let run = found.name();
    let show = format!("tuesday eval show {run}");
    let mut said = if n == 0 {
        Said::new(
            Verdict::NotEnoughData,
            "no case has a word",
            format!("No case of the run {run} has a word."),
        )
    } else {
        let judged = above(counts.passed, n, spec.min, spec.need, spec.min_cases);
        let asked = match spec.need {
            Need::Point => format!("more than {} must", percent(spec.min)),
            Need::Proven => format!("more than {} must, proven", percent(spec.min)),
        };
        let words = format!(
            "{} of {n} cases of the run {run} pass; {asked}.{}",
            counts.passed,
            needed_words(&judged, n, "case")
        );
        let mut said = Said::new(judged.verdict, share_words(counts.passed, n, &judged), words);
        said.proven = judged.proven;
        said.interval = judged.interval;
        said
    };
    if counts.errors as f64 > spec.max_error_rate * found.results.len() as f64 {
        if said.verdict == Verdict::Met {
            said.verdict = Verdict::NotEnoughData;
        }
        said.proven = false;
        said.words.push_str(&format!(
            " {} without a word: at most {} may be.",
            plural(count(counts.errors), "case"),
            percent(spec.max_error_rate)
        ));
    }
    said = said
        .with("passed", counts.passed as f64)
        .with("failed", counts.failed as f64)
        .with("errors", counts.errors as f64)
        .with("min", spec.min);
    (said.set, said.run) = (Some(found.set()), Some(run));
    against_baseline(candidate, found, &mut said)?;
    Ok(said.next(show))
}

/// McNemar's test against the baseline: what it passes and the candidate fails.
fn against_baseline(candidate: &Candidate<'_>, found: &Found, said: &mut Said) -> Result<()> {
    let head = &found.run.head;
    let baseline = match &candidate.spec.eval.baseline {
        Some(name) => Some(RunName::parse(name)?),
        None => candidate
            .ctx
            .store
            .runs()?
            .into_iter()
            .find(|run| {
                run.head.set == head.set
                    && run.head.at < head.at
                    && run.done >= run.head.cases
                    && run.head.prompt_hash != head.prompt_hash
            })
            .map(|run| run.head.name),
    };
    let Some(baseline) = baseline else { return Ok(()) };
    let (lost, gained) = match discordant(candidate.ctx, &baseline, &head.name) {
        Ok(counts) => counts,
        Err(error) if error.kind == ErrorKind::NotSo => {
            said.warnings.push(format!("not held against the baseline: {}", error.what));
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    let p = mcnemar_exact(lost, gained);
    said.words.push_str(&format!(
        " Against the run {baseline}: {lost} newly failing, {gained} newly passing (McNemar p {}).",
        fixed(p, 3)
    ));
    if lost > gained && p < ALPHA {
        said.verdict = Verdict::NotMet;
        said.proven = false;
        said.figure = format!("{}; worse than {baseline}", said.figure);
    }
    for (name, value) in [("lost", lost as f64), ("gained", gained as f64), ("mcnemar_p", p)] {
        said.figures.insert(name.to_owned(), value);
    }
    Ok(())
}
