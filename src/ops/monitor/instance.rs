//! A rule on one group of traffic, with what the knob gives it.

use std::collections::BTreeMap;

use super::silence;
use super::world::World;
use crate::domain::FailureKind;
use crate::domain::monitor::{DAY_MS, Group, HOUR_MS, Life, Metric, Monitors, Rule, Test, Urgency, step_of};
use crate::domain::query::failure_word;
use crate::stats::Cusum;
use crate::store::Cut;

/// Kinds of errors, in the order of [`Tally::errors`](crate::store::Tally).
pub(super) const KINDS: [FailureKind; 4] =
    [FailureKind::Timeout, FailureKind::RateLimit, FailureKind::ContentPolicy, FailureKind::Other];
/// False episodes of a window come from so many looks as if they were independent, where it is looked through
/// every twelfth of it (simulated).
const LOOKS: f64 = 6.0;
/// How they grow with the number of looks in a window: 4 for every sixth of it, 6 for every twelfth, 14 for every
/// sixtieth (simulated), never more than the looks there are.
const LOOKS_GROW: f64 = 0.585;
/// The same of the shortest window, which is looked through as its last five minutes fill.
const LOOKS_OF_SHORTEST: f64 = 12.0;
/// Days in a month.
pub(super) const MONTH_DAYS: f64 = 30.0;
/// A rule that only asks for a look in time may be wrong so many times as often as one that wakes somebody.
const TICKETS: f64 = 10.0;
/// What judging can see is slow: it gets more of the knob, so that its delay stays bearable.
const QUALITY_WEIGHT: f64 = 4.0;

/// The name in a group of how urgent it is, where a rule is on both levels.
pub(super) const SEVERITY: &str = "severity";

/// A rule on one group.
#[derive(Debug, Clone)]
pub(super) struct Instance<'r> {
    /// The rule.
    pub(super) rule: &'r Rule,
    /// The group.
    pub(super) group: Group,
    /// The feature; `None`: all traffic together.
    pub(super) feature: Option<i64>,
    /// The traffic: the feature's, or a part of it.
    pub(super) cut: Cut,
    /// Which of [`KINDS`].
    pub(super) kind: Option<usize>,
    /// How urgent its alerts are.
    pub(super) severity: Urgency,
    /// Which of the limits of time.
    pub(super) limit: usize,
    /// The probability of a false alarm at one look.
    pub(super) alpha: f64,
    /// The chart of a rule over judged traces.
    pub(super) chart: Option<Cusum>,
    /// The shares of failures that it tells apart, and judgements to a false alarm.
    pub(super) apart: Option<Apart>,
    /// So many requests must have been expected in a silence.
    pub(super) expected: f64,
}

/// What a chart over judged traces tells apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Apart {
    /// The share that is well.
    pub(super) p0: f64,
    /// The one that is not.
    pub(super) p1: f64,
    /// Judgements to a false alarm, on average, at least.
    run: f64,
}

impl Apart {
    /// The same about another share that is well: what is not has the same odds beside it as before.
    fn about(self, p0: f64) -> Self {
        let odds = |p: f64| p / (1.0 - p);
        let p0 = p0.clamp(1e-3, 0.9);
        let worse = odds(p0) * odds(self.p1) / odds(self.p0);
        Self { p0, p1: worse / (1.0 + worse), ..self }
    }

    /// A share between the two, as far between the others.
    pub(super) fn as_far(self, share: f64, in_rule: (f64, f64)) -> f64 {
        self.p0 + (share - in_rule.0) / (in_rule.1 - in_rule.0) * (self.p1 - self.p0)
    }
}

impl Instance<'_> {
    /// Takes the share that is well from what was measured with the judge, where it was.
    pub(super) fn rebase(&mut self, life: &Life) {
        if let (Some(p0), Some(apart)) = (life.baseline, self.apart) {
            let apart = apart.about(p0);
            self.apart = Some(apart);
            self.chart = Cusum::design(apart.p0, apart.p1, apart.run);
        }
    }
}

/// Every rule on every group that it watches.
pub(super) fn instances<'r>(monitors: &'r Monitors, world: &World) -> Vec<Instance<'r>> {
    let mut all: Vec<Instance<'r>> = Vec::new();
    for rule in &monitors.rules {
        for cut in features(rule, world).into_iter().flat_map(|feature| world.cuts(feature, rule.apart)) {
            let mut group = Group::new();
            if let Some(name) = cut.feature.and_then(|id| world.names.get(&id)) {
                group.insert("feature".to_owned(), name.clone());
            }
            if let Some(apart) = rule.apart {
                group.insert(apart.name().to_owned(), world.name_of(&cut, apart));
            }
            let kinds: Vec<Option<usize>> = match rule.metric {
                Metric::ErrorShare(None) => (0..KINDS.len()).map(Some).collect(),
                Metric::ErrorShare(Some(kind)) => vec![KINDS.iter().position(|known| *known == kind)],
                _ => vec![None],
            };
            let levels = levels(rule);
            for (kind, severity) in
                kinds.into_iter().flat_map(|kind| levels.iter().map(move |of| (kind, *of)))
            {
                let mut group = group.clone();
                if let Some(kind) = kind {
                    group.insert("kind".to_owned(), failure_word(KINDS[kind]).into());
                }
                if levels.len() > 1 {
                    group.insert(SEVERITY.to_owned(), severity.name().into());
                }
                all.push(Instance {
                    rule,
                    group,
                    feature: cut.feature,
                    cut,
                    kind,
                    severity,
                    limit: limit(rule, world),
                    alpha: 0.0,
                    chart: None,
                    apart: None,
                    expected: f64::INFINITY,
                });
            }
        }
    }
    give(monitors, world, &mut all);
    all
}

/// A rule that first asks for a look and later wakes somebody is two of them.
fn levels(rule: &Rule) -> Vec<Urgency> {
    match (rule.test, rule.severity) {
        (Test::Budget { usd: Some(_), .. }, Urgency::Page) => vec![Urgency::Ticket, Urgency::Page],
        (Test::Budget { .. }, _) => vec![Urgency::Ticket],
        (_, severity) => vec![severity],
    }
}

fn limit(rule: &Rule, world: &World) -> usize {
    match rule.metric {
        Metric::SlowShare(ms) => world.limits.iter().position(|limit| *limit == ms).unwrap_or(0),
        _ => 0,
    }
}

/// The features that a rule watches; `None` stands for all traffic together.
fn features(rule: &Rule, world: &World) -> Vec<Option<i64>> {
    match &rule.feature {
        Some(name) => {
            let named = world.names.iter().find(|(_, known)| known.raw() == name);
            named.map(|(id, _)| vec![Some(*id)]).unwrap_or_default()
        }
        // A budget is one for all.
        None if rule.metric == Metric::Spend => vec![None],
        None => world.features().into_iter().map(Some).collect(),
    }
}

/// Divides the knob among the instances that wake somebody: each weighs the same, the kinds of errors of a
/// feature together as one and so the parts that its traffic is told apart by, and quality four times as much. What a rule asks for itself is taken off first.
fn give(monitors: &Monitors, world: &World, all: &mut [Instance<'_>]) {
    let mut parts: BTreeMap<(String, Option<i64>, Option<usize>), f64> = BTreeMap::new();
    let part_of = |one: &Instance<'_>| (one.rule.id.clone(), one.feature, one.kind);
    for one in all.iter().filter(|one| one.rule.apart.is_some()) {
        *parts.entry(part_of(one)).or_default() += 1.0;
    }
    let whole = |one: &Instance<'_>| match (one.rule.metric, one.severity) {
        // A budget is what the team says: there is no chance in it to be paid for.
        (_, Urgency::Ticket) | (Metric::Spend, _) => 0.0,
        (Metric::FailShare, _) => QUALITY_WEIGHT,
        (Metric::ErrorShare(None), _) => 1.0 / KINDS.len() as f64,
        _ => 1.0,
    };
    let weight = |one: &Instance<'_>| whole(one) / parts.get(&part_of(one)).copied().unwrap_or(1.0);
    let budget = monitors.false_pages_per_month;
    let fixed = |one: &Instance<'_>| match one.rule.test {
        Test::Share { alpha: Some(alpha), .. } | Test::Ratio { alpha: Some(alpha), .. } => {
            Some(alpha * looks(one.rule))
        }
        Test::Cusum { run: Some(run), .. } => Some(judged_a_month(world, one.feature) / run),
        _ => None,
    };
    let asked: f64 = all.iter().filter(|one| weight(one) > 0.0).filter_map(fixed).sum();
    // However much the rules ask for themselves, the others keep a tenth.
    let rest = (budget - asked).max(budget / 10.0);
    let total: f64 = all.iter().filter(|one| fixed(one).is_none()).map(weight).sum();
    for one in all {
        let mine = match weight(one) {
            0.0 => TICKETS * rest / total.max(1.0),
            weight => rest * weight / total.max(weight),
        };
        one.alpha = match one.rule.test {
            Test::Share { alpha: Some(alpha), .. } | Test::Ratio { alpha: Some(alpha), .. } => alpha,
            _ => (mine / looks(one.rule)).clamp(1e-12, 1e-2),
        };
        match one.rule.test {
            Test::Cusum { p0, p1, run } => {
                let run =
                    run.unwrap_or_else(|| (judged_a_month(world, one.feature) / mine).clamp(100.0, 1e6));
                one.apart = Some(Apart { p0, p1, run });
                one.chart = Cusum::design(p0, p1, run);
            }
            Test::Silence { expected } => {
                let events = silence::events_a_month(world, one.feature);
                one.expected = expected.max((events / mine).max(1.0).ln());
            }
            _ => {}
        }
    }
}

/// Looks of a month, as if they were independent, over all windows of a rule.
pub(super) fn looks(rule: &Rule) -> f64 {
    let of =
        |window: &i64| looks_of(rule, *window) * MONTH_DAYS * DAY_MS as f64 / (*window).max(HOUR_MS) as f64;
    rule.windows.iter().map(of).sum()
}

/// Looks of one window's length, as if they were independent.
pub(super) fn looks_of(rule: &Rule, window: i64) -> f64 {
    match rule.every.filter(|every| *every >= step_of(window)) {
        Some(every) => {
            let looks = window as f64 / every as f64;
            looks.min(LOOKS * (looks / 12.0).powf(LOOKS_GROW))
        }
        None if rule.shortest() == window => LOOKS_OF_SHORTEST,
        None => LOOKS,
    }
}

/// Traces that are judged in a month, by the last four weeks; what the sampling rule promises (100 a day), where
/// none were.
pub(super) fn judged_a_month(world: &World, feature: Option<i64>) -> f64 {
    let from = world.now - 28 * DAY_MS;
    let n = world
        .judged_of(feature)
        .filter(|one| one.ts >= from && one.verdicts.settled(&world.judged.judges, |_| true).is_some())
        .count();
    if n == 0 { 100.0 * MONTH_DAYS } else { n as f64 * MONTH_DAYS / 28.0 }
}
