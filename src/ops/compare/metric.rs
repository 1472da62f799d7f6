//! The table that decides: each figure of both runs on the same cases, its change, interval and test.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{Became, Pair};
use crate::domain::CaseResult;
use crate::stats::{
    CONFIDENCE, Interval, PairedCounts, holm, mcnemar_exact, mcnemar_pairs, mean_change, quantile_change,
    ratio_change,
};

/// The error that a test may have.
pub(super) const ALPHA: f64 = 0.05;
/// The power that "how many cases would be enough" aims at.
const POWER: f64 = 0.8;

/// The name of the pass rate in the table.
pub const ACCURACY: &str = "accuracy";
pub(super) const LATENCY_MEAN: &str = "response time";
pub(super) const LATENCY_P95: &str = "p95";
pub(super) const COST: &str = "cost/request";

/// What a figure is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// A share, within 0..=1.
    Share,
    /// Milliseconds.
    Ms,
    /// US dollars.
    Usd,
    /// A judge's rating, 1 to 10.
    Rating,
}

/// What a change is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// Larger than chance, and for the better.
    Better,
    /// Larger than chance, and for the worse.
    Worse,
    /// There is none.
    Same,
    /// Not larger than chance makes it.
    Unclear,
    /// Fewer than two cases have the figure in both runs.
    TooFew,
}

/// One row of the table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Metric {
    /// `accuracy`, `response time`, `p95`, `cost/request`, or a judge's criterion.
    pub name: String,
    /// What it is in.
    pub unit: Unit,
    /// Cases that have the figure in both runs.
    pub cases: u64,
    /// In the baseline.
    pub current: Option<f64>,
    /// In the candidate.
    pub new: Option<f64>,
    /// New less current.
    pub change: Option<f64>,
    /// 95 % interval of the change.
    pub interval: Option<[f64; 2]>,
    /// The change as a share of the current figure, of costs.
    pub relative: Option<f64>,
    /// Its 95 % interval.
    pub relative_interval: Option<[f64; 2]>,
    /// Of the test alone.
    pub p_value: Option<f64>,
    /// Adjusted for all tests of the table, by Holm.
    pub p_adjusted: Option<f64>,
    /// The test.
    pub test: &'static str,
    /// What the change is.
    pub mark: Mark,
    /// How many cases would show such a change four times in five, where it is unclear and can be said.
    pub enough_cases: Option<u64>,
}

/// The counts behind the pass rate.
pub(super) fn counts(told: &[&Pair]) -> PairedCounts {
    let mut counts = PairedCounts::default();
    for pair in told {
        *match pair.became() {
            Became::BothPass => &mut counts.both,
            Became::Regressed => &mut counts.lost,
            Became::Fixed => &mut counts.gained,
            _ => &mut counts.neither,
        } += 1.0;
    }
    counts
}

/// All rows. `told` are the pairs with a word on both sides; time and cost are of all answers.
pub(super) fn metrics(pairs: &[Pair], told: &[&Pair]) -> Vec<Metric> {
    let latency = values(pairs, |result| result.answer().map(|answer| answer.latency_ms));
    let cost = values(pairs, |result| result.answer().and_then(|answer| answer.cost_usd));
    let mut metrics = vec![
        accuracy(&counts(told)),
        mean(LATENCY_MEAN, Unit::Ms, &latency),
        row(LATENCY_P95, Unit::Ms, &latency, quantile_change(&latency, 0.95, CONFIDENCE)),
        with_ratio(mean(COST, Unit::Usd, &cost), &cost),
    ];
    for criterion in criteria(pairs) {
        let ratings = values(pairs, |result| rating(result, criterion));
        let taken = metrics.iter().any(|metric| metric.name == criterion);
        let name = if taken { format!("judge: {criterion}") } else { criterion.to_owned() };
        metrics.push(mean(&name, Unit::Rating, &ratings));
    }
    adjust(&mut metrics);
    metrics
}

/// What the table says of its many tests.
pub(super) fn multiplicity(metrics: &[Metric]) -> String {
    let tests = metrics.iter().filter(|metric| metric.p_value.is_some()).count();
    format!("p-values are adjusted by Holm for {}", crate::text::figures::plural(tests, "test"))
}

/// The figure of both runs, where both have it.
pub(super) fn values(pairs: &[Pair], of: impl Fn(&CaseResult) -> Option<f64>) -> Vec<(f64, f64)> {
    let finite = |result: &CaseResult| of(result).filter(|value| value.is_finite());
    pairs.iter().filter_map(|pair| finite(&pair.before).zip(finite(&pair.after))).collect()
}

fn criteria(pairs: &[Pair]) -> BTreeSet<&str> {
    let both = pairs.iter().flat_map(|pair| [&pair.before, &pair.after]);
    both.flat_map(|result| &result.assessments)
        .flat_map(|one| one.criteria.keys().map(String::as_str))
        .collect()
}

/// A case's rating on a criterion: the mean where several judges give one.
fn rating(result: &CaseResult, criterion: &str) -> Option<f64> {
    let given: Vec<f64> =
        result.assessments.iter().filter_map(|one| one.criteria.get(criterion).copied()).collect();
    (!given.is_empty()).then(|| given.iter().sum::<f64>() / given.len() as f64)
}

fn accuracy(counts: &PairedCounts) -> Metric {
    let n = counts.n();
    let mut metric = row(ACCURACY, Unit::Share, &[], None);
    metric.test = "exact McNemar";
    metric.cases = n as u64;
    if n > 0.0 {
        let (current, new) = ((counts.both + counts.lost) / n, (counts.both + counts.gained) / n);
        let (lost, gained) = (counts.lost as u64, counts.gained as u64);
        metric.current = Some(current);
        metric.new = Some(new);
        metric.change = Some((counts.gained - counts.lost) / n);
        metric.interval = counts.difference(CONFIDENCE).map(ends);
        metric.p_value = Some(mcnemar_exact(lost, gained));
        metric.enough_cases = mcnemar_pairs(counts.lost / n, counts.gained / n, ALPHA, POWER);
    }
    metric
}

fn mean(name: &str, unit: Unit, pairs: &[(f64, f64)]) -> Metric {
    row(name, unit, pairs, mean_change(pairs, CONFIDENCE))
}

fn row(name: &str, unit: Unit, pairs: &[(f64, f64)], change: Option<crate::stats::Change>) -> Metric {
    // Of a single case both figures can be said, if no more.
    let single = pairs.first().filter(|_| pairs.len() == 1);
    Metric {
        name: name.to_owned(),
        unit,
        cases: pairs.len() as u64,
        current: change.map(|c| c.before).or(single.map(|pair| pair.0)),
        new: change.map(|c| c.after).or(single.map(|pair| pair.1)),
        change: change.map(|c| c.change).or(single.map(|pair| pair.1 - pair.0)),
        interval: change.map(|c| ends(c.interval)),
        relative: None,
        relative_interval: None,
        p_value: change.map(|c| c.p_value),
        p_adjusted: None,
        test: "paired bootstrap",
        mark: Mark::TooFew,
        enough_cases: None,
    }
}

fn with_ratio(mut metric: Metric, pairs: &[(f64, f64)]) -> Metric {
    if let Some(ratio) = ratio_change(pairs, CONFIDENCE) {
        metric.relative = Some(ratio.change);
        metric.relative_interval = Some(ends(ratio.interval));
    }
    metric
}

fn ends(interval: Interval) -> [f64; 2] {
    [interval.lower, interval.upper]
}

/// Adjusts the p-values for each other, and marks each row by what is left.
fn adjust(metrics: &mut [Metric]) {
    let family: Vec<f64> = metrics.iter().filter_map(|metric| metric.p_value).collect();
    let mut adjusted = holm(&family).into_iter();
    for metric in metrics {
        metric.p_adjusted = metric.p_value.and_then(|_| adjusted.next());
        let upwards = matches!(metric.unit, Unit::Share | Unit::Rating);
        metric.mark = match (metric.change, metric.p_adjusted) {
            (Some(change), Some(p)) if p <= ALPHA && change != 0.0 => {
                if (change > 0.0) == upwards {
                    Mark::Better
                } else {
                    Mark::Worse
                }
            }
            (Some(0.0), Some(p)) if p >= 1.0 => Mark::Same,
            (_, Some(_)) => Mark::Unclear,
            (_, None) => Mark::TooFew,
        };
        if metric.mark != Mark::Unclear {
            metric.enough_cases = None;
        }
    }
}
