//! What the thresholds say: each met, not met or open, and the decision that follows.
//!
//! A threshold is *met* or *not met* by the figure; it is *proven* where the interval leaves no doubt. One
//! that is not met decides only when there are enough cases or there is no doubt; a loss of quality must be
//! ruled out by the interval, since the absence of a difference in a few cases proves nothing.

use serde::Serialize;

use super::metric::{ACCURACY, COST, LATENCY_P95, Metric, Unit, counts, values};
use super::{Pair, Side};
use crate::domain::gate::Need;
use crate::stats::{CONFIDENCE, clopper_pearson, first, mcnemar_exact, mean_change, proof_below};
use crate::text::figures::{dollars, duration, fixed, percent, plural, signed, thousands};

/// The error of a one-sided bound that proves.
const ALPHA: f64 = super::metric::ALPHA;
/// A share that is not quite a threshold for reasons of rounding is one.
const ROUNDING: f64 = 1e-9;

/// What must hold of a candidate: `[compare]` of the configuration.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Thresholds {
    /// The least share of cases that pass. The deployment checklist asks for 90 %.
    pub min_pass_rate: f64,
    /// The most that the share may fall, ruled out by the interval: five points can be told apart with the
    /// hundred or two of cases that an eval set has.
    pub max_regression: f64,
    /// The most that the cost of a request may rise, as a share: the usual guardrail of 10 %.
    pub max_cost_increase: f64,
    /// The most that a request may cost on average, in US dollars.
    pub max_cost_usd: Option<f64>,
    /// The most that the 95th percentile of the response time may be. The checklist asks for 3 s.
    pub max_p95_ms: f64,
    /// The most that the mean rating on a judge's criterion may fall, in points of ten.
    pub max_criterion_drop: f64,
    /// The most cases that may be left without a word, as a share.
    pub max_error_rate: f64,
    /// Fewer cases than this do not decide, unless they leave no doubt.
    pub min_cases: u64,
    /// Whether figures must be proven.
    pub need: Need,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            min_pass_rate: 0.9,
            max_regression: 0.05,
            max_cost_increase: 0.1,
            max_cost_usd: None,
            max_p95_ms: 3000.0,
            max_criterion_drop: 0.5,
            max_error_rate: 0.05,
            min_cases: 20,
            need: Need::Point,
        }
    }
}

/// What the thresholds say together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// All are met.
    Ship,
    /// One is not.
    Hold,
    /// None is broken, and one cannot be told.
    NotEnoughData,
}

impl Decision {
    /// Its words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Ship => "SHIP",
            Self::Hold => "HOLD",
            Self::NotEnoughData => "NOT ENOUGH DATA",
        }
    }

    /// The exit code of the command.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Ship => 0,
            Self::Hold => 1,
            Self::NotEnoughData => 2,
        }
    }
}

/// What is said of one threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is met.
    Met,
    /// It is not.
    NotMet,
    /// There are too few cases to tell.
    Open,
    /// The figure is not known in both runs; it decides nothing.
    Unknown,
}

impl State {
    /// Its words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::NotMet => "not met",
            Self::Open => "open",
            Self::Unknown => "not known",
        }
    }
}

/// One threshold.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CheckView {
    /// Its name in the configuration.
    pub threshold: &'static str,
    /// The row of the table that it looks at.
    pub metric: Option<String>,
    /// A word or two for the head line: `cost`.
    pub short: String,
    /// What it asks for.
    pub limit: f64,
    /// What was found.
    pub figure: Option<f64>,
    /// What is said of it.
    pub state: State,
    /// The interval leaves no doubt.
    pub proven: bool,
    /// In a sentence.
    pub words: String,
    /// How many cases would be enough to tell, where that can be said.
    pub enough_cases: Option<u64>,
}

pub(super) struct Found {
    pub(super) decision: Decision,
    pub(super) reason: String,
    pub(super) enough_cases: Option<u64>,
}

/// What the checks say together.
pub(super) fn verdict(checks: &[CheckView]) -> Found {
    let of = |state: State| checks.iter().filter(move |check| check.state == state);
    let words = |state: State| of(state).map(|check| check.words.as_str()).collect::<Vec<_>>().join("; ");
    if of(State::NotMet).next().is_some() {
        return Found { decision: Decision::Hold, reason: words(State::NotMet), enough_cases: None };
    }
    if of(State::Open).next().is_some() {
        let enough_cases = of(State::Open).filter_map(|check| check.enough_cases).max();
        return Found { decision: Decision::NotEnoughData, reason: words(State::Open), enough_cases };
    }
    let unproven: Vec<&str> = of(State::Met).filter(|c| !c.proven).map(|c| c.short.as_str()).collect();
    let reason = match unproven[..] {
        [] => "every threshold is met, and proven".to_owned(),
        _ => format!("every threshold is met; met and not proven: {}", unproven.join(", ")),
    };
    Found { decision: Decision::Ship, reason, enough_cases: None }
}

/// Looks at a figure: whether it meets the threshold, whether that is beyond doubt, and how many say so.
struct Look<'a> {
    of: &'a Thresholds,
    n: u64,
    met: bool,
    /// Beyond doubt, the way that `met` says.
    proven: bool,
    /// How many cases would prove it.
    provable: Option<u64>,
}

impl Look<'_> {
    fn state(&self) -> (State, Option<u64>) {
        let enough = self.n >= self.of.min_cases;
        let at_least = Some(self.of.min_cases);
        match (self.met, self.proven) {
            (false, true) => (State::NotMet, None),
            (false, false) if enough => (State::NotMet, None),
            (false, false) => (State::Open, at_least),
            (true, false) if self.of.need == Need::Proven => (State::Open, self.provable.max(at_least)),
            (true, _) if !enough => (State::Open, at_least),
            (true, _) => (State::Met, None),
        }
    }
}

fn few(state: State, enough: Option<u64>) -> String {
    match (state, enough) {
        (State::Open, Some(enough)) => format!(" ({} would be enough)", plural_cases(enough)),
        (State::Open, None) => " (too few cases)".to_owned(),
        _ => String::new(),
    }
}

fn plural_cases(n: u64) -> String {
    plural(usize::try_from(n).unwrap_or(usize::MAX), "case")
}

/// Every threshold, in the order of the table.
pub(super) fn checks(
    thresholds: &Thresholds,
    metrics: &[Metric],
    told: &[&Pair],
    pairs: &[Pair],
    sides: [&Side; 2],
) -> Vec<CheckView> {
    let mut checks = vec![pass_rate(thresholds, told), regression(thresholds, told)];
    let of = |name: &str| metrics.iter().find(|metric| metric.name == name);
    if let Some(metric) = of(LATENCY_P95) {
        checks.push(p95(thresholds, metric, pairs));
    }
    if let Some(metric) = of(COST) {
        checks.push(cost_increase(thresholds, metric));
        checks.extend(thresholds.max_cost_usd.map(|limit| cost(thresholds, metric, limit, pairs)));
    }
    let ratings = metrics.iter().filter(|metric| metric.unit == Unit::Rating);
    checks.extend(ratings.map(|metric| criterion(thresholds, metric)));
    checks.push(errors(thresholds, sides[1]));
    checks.extend(sides.into_iter().filter_map(incomplete));
    checks
}

fn pass_rate(of: &Thresholds, told: &[&Pair]) -> CheckView {
    let counts = counts(told);
    let (n, passed) = (counts.n() as u64, (counts.both + counts.gained) as u64);
    let limit = of.min_pass_rate;
    let rate = passed as f64 / n as f64;
    let met = rate >= limit - ROUNDING;
    let proof = proof_below(n - passed, n, 1.0 - limit, ALPHA);
    let proven = if met {
        limit <= 0.0 || proof.is_some_and(|proof| proof.proven)
    } else {
        clopper_pearson(passed, n, 1.0 - 2.0 * ALPHA).is_some_and(|interval| interval.upper < limit)
    };
    let look = Look { of, n, met, proven, provable: proof.and_then(|proof| proof.needed) };
    let (state, enough) = if n == 0 { (State::Open, Some(of.min_cases)) } else { look.state() };
    let what = match (n, met) {
        (0, _) => "no case has a word in both runs".to_owned(),
        (_, false) => format!("the pass rate of {} is below {}", percent(rate), percent(limit)),
        (_, true) => {
            let doubt = if proven { ", proven" } else { ", not proven" };
            let more =
                proof.filter(|_| !proven).and_then(|proof| proof.needed).map_or_else(String::new, |needed| {
                    format!(" ({} would prove it if no further one fails)", plural_cases(needed))
                });
            format!("the pass rate of {} is at least {}{doubt}{more}", percent(rate), percent(limit))
        }
    };
    CheckView {
        threshold: "min_pass_rate",
        metric: Some(ACCURACY.to_owned()),
        short: "pass rate".to_owned(),
        limit,
        figure: (n > 0).then_some(rate),
        state,
        proven: proven && n > 0,
        words: what + &few(state, enough),
        enough_cases: enough,
    }
}

fn regression(of: &Thresholds, told: &[&Pair]) -> CheckView {
    let counts = counts(told);
    let n = counts.n() as u64;
    let limit = of.max_regression;
    let change = (counts.gained - counts.lost) / counts.n();
    let interval = counts.difference(CONFIDENCE);
    let worse = mcnemar_exact(counts.lost as u64, counts.gained as u64) <= ALPHA;
    let ruled_out = interval.is_some_and(|interval| interval.lower >= -limit);
    let too_much = change < -limit - ROUNDING;
    let at_least = |m: u64| {
        let interval = counts.scaled_to(m as f64).difference(CONFIDENCE);
        interval.is_some_and(|interval| interval.lower >= -limit)
    };
    let (state, enough) = match interval {
        None => (State::Open, Some(of.min_cases)),
        Some(_) if too_much && (n >= of.min_cases || worse) => (State::NotMet, None),
        Some(_) if ruled_out && n >= of.min_cases => (State::Met, None),
        Some(_) if ruled_out || too_much => (State::Open, Some(of.min_cases)),
        Some(_) => (State::Open, first(n, at_least).max(Some(of.min_cases))),
    };
    let points = |share: f64| fixed(share * 100.0, 1);
    let what = match interval {
        None => "no case has a word in both runs".to_owned(),
        Some(_) if too_much => {
            format!("the pass rate falls by {} points, more than {}", points(-change), points(limit))
        }
        Some(_) if ruled_out => format!("a loss of more than {} points is ruled out", points(limit)),
        Some(interval) => format!(
            "a loss of more than {} points is not ruled out: it may be {}",
            points(limit),
            points(-interval.lower)
        ),
    };
    CheckView {
        threshold: "max_regression",
        metric: Some(ACCURACY.to_owned()),
        short: "regression".to_owned(),
        limit,
        figure: interval.map(|_| -change),
        state,
        proven: ruled_out,
        words: what + &few(state, enough),
        enough_cases: enough,
    }
}

/// A check of a figure that may be unknown.
fn known(
    threshold: &'static str,
    metric: &Metric,
    short: &str,
    limit: f64,
    figure: Option<f64>,
    look: impl FnOnce(f64) -> (State, Option<u64>, bool, String),
) -> CheckView {
    let unknown = || (State::Unknown, None, false, format!("{short}: not known in both runs"));
    let (state, enough_cases, proven, words) = figure.map_or_else(unknown, look);
    CheckView {
        threshold,
        metric: Some(metric.name.clone()),
        short: short.to_owned(),
        limit,
        figure,
        state,
        proven,
        words: words + &few(state, enough_cases),
        enough_cases,
    }
}

fn p95(of: &Thresholds, metric: &Metric, pairs: &[Pair]) -> CheckView {
    let limit = of.max_p95_ms;
    known("max_p95_ms", metric, "p95", limit, metric.new, |figure| {
        let all = values(pairs, |result| result.answer().map(|answer| answer.latency_ms));
        let over = all.iter().filter(|(_, after)| *after > limit).count() as u64;
        let n = all.len() as u64;
        let met = figure <= limit;
        // The 95th percentile is below a limit where fewer than 5 % are above it.
        let proof = proof_below(over, n, 0.05, ALPHA);
        let sure = || clopper_pearson(over, n, 1.0 - 2.0 * ALPHA).is_some_and(|share| share.lower > 0.05);
        let proven = if met { proof.is_some_and(|proof| proof.proven) } else { sure() };
        let provable = proof.and_then(|proof| proof.needed);
        let (state, enough) = Look { of, n, met, proven, provable }.state();
        let than = if met { "within" } else { "above" };
        (state, enough, proven, format!("p95 of {} is {than} {}", duration(figure), duration(limit)))
    })
}

fn cost_increase(of: &Thresholds, metric: &Metric) -> CheckView {
    let limit = of.max_cost_increase;
    // What costs nothing before and after did not rise.
    let free = metric.current == Some(0.0) && metric.new == Some(0.0);
    let figure = metric.relative.or(free.then_some(0.0));
    known("max_cost_increase", metric, "cost", limit, figure, |rise| {
        let met = rise <= limit + ROUNDING;
        let interval = metric.relative_interval.unwrap_or([rise; 2]);
        let proven = if met { interval[1] <= limit } else { interval[0] > limit };
        let (state, enough) = Look { of, n: metric.cases, met, proven, provable: None }.state();
        let than = if met { "within" } else { "above" };
        let share = |share: f64| format!("{} %", signed(share * 100.0, 0));
        (state, enough, proven, format!("cost per request {} is {than} {}", share(rise), share(limit)))
    })
}

fn cost(of: &Thresholds, metric: &Metric, limit: f64, pairs: &[Pair]) -> CheckView {
    known("max_cost_usd", metric, "budget", limit, metric.new, |figure| {
        let alone: Vec<(f64, f64)> = values(pairs, |result| result.answer().and_then(|a| a.cost_usd))
            .into_iter()
            .map(|(_, after)| (0.0, after))
            .collect();
        let interval = mean_change(&alone, CONFIDENCE).map(|found| found.interval);
        let met = figure <= limit;
        let proven = interval.is_some_and(|i| if met { i.upper <= limit } else { i.lower > limit });
        let (state, enough) = Look { of, n: metric.cases, met, proven, provable: None }.state();
        let than = if met { "within" } else { "above" };
        (state, enough, proven, format!("{} a request is {than} {}", dollars(figure), dollars(limit)))
    })
}

fn criterion(of: &Thresholds, metric: &Metric) -> CheckView {
    let limit = of.max_criterion_drop;
    known("max_criterion_drop", metric, &metric.name, limit, metric.change, |change| {
        let met = change >= -limit - ROUNDING;
        let interval = metric.interval.unwrap_or([f64::NEG_INFINITY, f64::INFINITY]);
        let proven = if met { interval[0] >= -limit } else { interval[1] < -limit };
        let (state, enough) = Look { of, n: metric.cases, met, proven, provable: None }.state();
        let drop = fixed(limit, 1);
        let words = if met {
            format!("{} changes by {} ({drop} may be lost)", metric.name, signed(change, 1))
        } else {
            format!("{} falls by {} points, more than {drop}", metric.name, fixed(-change, 1))
        };
        (state, enough, proven, words)
    })
}

fn errors(of: &Thresholds, candidate: &Side) -> CheckView {
    let (n, limit) = (candidate.done, of.max_error_rate);
    let share = if n == 0 { 0.0 } else { candidate.errors as f64 / n as f64 };
    let met = share <= limit + ROUNDING;
    let sure = clopper_pearson(candidate.errors, n, 1.0 - 2.0 * ALPHA);
    let (state, enough) = match met {
        true => (State::Met, None),
        false if n >= of.min_cases || sure.is_some_and(|i| i.lower > limit) => (State::NotMet, None),
        false => (State::Open, Some(of.min_cases)),
    };
    CheckView {
        threshold: "max_error_rate",
        metric: None,
        short: "errors".to_owned(),
        limit,
        figure: Some(share),
        state,
        proven: true,
        words: format!(
            "{} of {} without a word ({} may be){}",
            thousands(candidate.errors.cast_signed()),
            plural_cases(n),
            percent(limit),
            few(state, enough)
        ),
        enough_cases: enough,
    }
}

/// A run without all its results cannot be told.
fn incomplete(side: &Side) -> Option<CheckView> {
    (side.done < side.cases).then(|| CheckView {
        threshold: "complete",
        metric: None,
        short: "unfinished".to_owned(),
        limit: side.cases as f64,
        figure: Some(side.done as f64),
        state: State::Open,
        proven: true,
        words: format!(
            "{} has results of {} of its {}; go on with it by --resume",
            side.run,
            thousands(side.done.cast_signed()),
            plural_cases(side.cases)
        ),
        enough_cases: Some(side.cases),
    })
}
