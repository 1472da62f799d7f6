//! Tests of rules: traffic that a file makes up, and the state that the rule is to have over time.
//!
//! Prometheus' `promtool test rules` does the same for its rules. Traffic is even, so that a test has one outcome;
//! the rule is as strict as the knob makes it where the feature of the test is the only one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::evidence::figure;
use super::fold::live;
use super::instance::{Instance, instances};
use super::look::Look;
use super::tape::{FINE_MS, Tape};
use super::view::rule;
use super::world::{Reach, World};
use crate::domain::monitor::{
    DAY_MS, Flow, HOUR_MS, Life, Metric, Monitors, Rule, RuleStep, RuleTest, State,
};
use crate::domain::{Result, Untrusted, Verdicts};
use crate::store::{JudgedRow, JudgedSet, SessionCost, Slice, Tally};
use crate::task::Cancel;
use crate::text::figures::duration;
use crate::wire::read::rule_tests::rule_tests;

/// When a test begins: a Monday, in milliseconds since the epoch.
const BEGIN: i64 = 20_004 * DAY_MS;
/// The only feature.
const FEATURE: i64 = 1;
/// 1e-9 US dollars in a dollar.
const NUSD: f64 = 1e9;

/// What came of the tests of a file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CheckView {
    /// The file.
    pub file: PathBuf,
    /// How many tests held.
    pub passed: usize,
    /// How many did not.
    pub failed: usize,
    /// Each, in the order of the file.
    pub tests: Vec<RuleTestView>,
}

/// What came of a test.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RuleTestView {
    /// What it is called.
    pub name: String,
    /// The line where it begins.
    pub line: usize,
    /// The rule.
    pub monitor: String,
    /// All was as expected.
    pub passed: bool,
    /// What was not.
    pub failures: Vec<FailureView>,
}

/// An expectation that was not met.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FailureView {
    /// The line of the expectation.
    pub line: usize,
    /// How long after the beginning of the test, in seconds.
    pub after_seconds: i64,
    /// What was expected.
    pub expected: State,
    /// What it was; `None`: there is no such group.
    pub got: Option<State>,
    /// The figure in words.
    pub says: String,
}

impl FailureView {
    /// `tests.toml:14: after 14 d 2 h it is ok and not firing: 1.7 % of 60 in 1 h, usually 1 %`.
    pub fn in_words(&self, file: &Path) -> String {
        let after = duration(self.after_seconds as f64 * 1e3);
        let got = self.got.map_or("not there", State::word);
        let says = if self.says.is_empty() { String::new() } else { format!(": {}", self.says) };
        format!(
            "{}:{}: after {after} it is {got} and not {}{says}",
            file.display(),
            self.line,
            self.expected.word()
        )
    }
}

/// Runs the tests of a file. `NotSo` when it cannot be read, or a test names a monitor that there is not.
pub fn check(monitors: &Monitors, file: &Path, cancel: &Cancel) -> Result<CheckView> {
    let mut tests = Vec::new();
    for test in rule_tests(file)? {
        cancel.check()?;
        let failures = run(monitors, &test).map_err(|error| {
            error.hint(format!("The test stands in {}, line {}.", file.display(), test.line))
        })?;
        let RuleTest { name, line, monitor, .. } = test;
        tests.push(RuleTestView { name, line, monitor, passed: failures.is_empty(), failures });
    }
    let passed = tests.iter().filter(|test| test.passed).count();
    Ok(CheckView { file: file.to_owned(), passed, failed: tests.len() - passed, tests })
}

/// Lives a rule through what a test says; gives what was not as expected.
fn run(monitors: &Monitors, test: &RuleTest) -> Result<Vec<FailureView>> {
    let wanted = rule(monitors, &test.monitor)?;
    let mut world = made(wanted, test);
    let all = instances(monitors, &world);
    let mut mine: Vec<(Instance<'_>, Life, Option<Look>)> = all
        .into_iter()
        .filter(|one| one.rule.id == wanted.id)
        .map(|one| (one, Life { looked_at: BEGIN, ..Life::default() }, None))
        .collect();
    let mut failures = Vec::new();
    let mut at = BEGIN;
    for step in &test.steps {
        match step {
            RuleStep::Pass { ms, .. } => at += ms,
            RuleStep::Expect { line, state, group } => {
                (world.now, world.clock) = (at, at);
                for (of, life, look) in &mut mine {
                    *look = Some(live(of, life, &world).1);
                }
                let matches = |of: &Instance<'_>| {
                    group
                        .iter()
                        .all(|(name, value)| of.group.get(name).is_some_and(|have| have.raw() == value))
                };
                let worst =
                    mine.iter().filter(|(of, ..)| matches(of)).max_by_key(|(_, life, _)| life.state());
                let got = worst.map(|(_, life, _)| life.state());
                if got != Some(*state) {
                    let says =
                        worst.and_then(|(of, _, look)| look.as_ref().map(|look| figure(of, look, None)));
                    failures.push(FailureView {
                        line: *line,
                        after_seconds: (at - BEGIN) / 1000,
                        expected: *state,
                        got,
                        says: says.unwrap_or_default(),
                    });
                }
            }
        }
    }
    Ok(failures)
}

/// The traffic of a test, as if it had been read.
fn made(rule: &Rule, test: &RuleTest) -> World {
    let mut made = Made::default();
    let mut at = BEGIN;
    for step in &test.steps {
        if let RuleStep::Pass { ms, traffic } = step {
            let end = at + ms;
            while at < end {
                made.five_minutes(at, traffic);
                at += FINE_MS;
            }
        }
    }
    let (first, last) = (BEGIN / HOUR_MS, (at - 1).max(BEGIN) / HOUR_MS);
    let mut hours = vec![Tally::default(); usize::try_from(last - first + 1).unwrap_or(1)];
    for (five, tally) in &made.parts {
        if let Some(hour) =
            usize::try_from(five * FINE_MS / HOUR_MS - first).ok().and_then(|at| hours.get_mut(at))
        {
            hour.add(tally);
        }
    }
    let mut tape = Tape::new(&hours, first);
    (first..=last).for_each(|hour| tape.know_parts(hour));
    for (five, tally) in &made.parts {
        tape.take_part(*five, tally);
    }
    let feature = rule.feature.clone().unwrap_or_else(|| test.feature.clone());
    World {
        now: at,
        clock: at,
        tapes: BTreeMap::from([(FEATURE, tape.clone())]),
        all: tape,
        parts: BTreeMap::new(),
        names: BTreeMap::from([(FEATURE, Untrusted::from(feature))]),
        limits: if let Metric::SlowShare(ms) = rule.metric { vec![ms] } else { Vec::new() },
        sessions: made.sessions,
        judged: made.judged,
        reach: Reach::Every(BEGIN),
    }
}

/// Traffic as it comes, five minutes after five minutes. What is not whole is carried on, so that each share is
/// met over time and no draw decides.
#[derive(Default)]
struct Made {
    parts: Vec<(i64, Tally)>,
    sessions: Vec<SessionCost>,
    judged: JudgedSet,
    carried: [f64; 11],
}

impl Made {
    /// How many whole ones there are of so much more.
    fn whole(&mut self, of: usize, more: f64) -> i64 {
        self.carried[of] += more;
        // A third thrice is one.
        let whole = (self.carried[of] + 1e-9).floor();
        self.carried[of] -= whole;
        whole as i64
    }

    fn five_minutes(&mut self, at: i64, flow: &Flow) {
        let part = FINE_MS as f64 / HOUR_MS as f64;
        let requests = self.whole(0, flow.requests * part);
        let n = requests as f64;
        let errors = std::array::from_fn(|kind| self.whole(1 + kind, n * flow.errors[kind]));
        let tally = Tally {
            requests,
            errors,
            fallbacks: self.whole(5, n * flow.fallback),
            negative: self.whole(6, n * flow.negative),
            timed: requests,
            slow: [self.whole(7, n * flow.slow), 0, 0, 0],
            priced: if flow.cost_usd.is_some() { requests } else { 0 },
            cost_nusd: (flow.cost_usd.unwrap_or(0.0) * NUSD * n) as i64,
        };
        self.parts.push((at / FINE_MS, tally));
        for _ in 0..self.whole(8, flow.sessions * part) {
            let spread = [0.5, 1.0, 2.0][self.sessions.len() % 3];
            let cost_nusd = (flow.session_usd * spread * NUSD) as i64;
            self.sessions.push(SessionCost { began: at, feature: FEATURE, cost_nusd });
        }
        for _ in 0..self.whole(9, flow.judged * part) {
            let failed = self.whole(10, flow.fail) > 0;
            self.judged.rows.push(JudgedRow {
                trace: format!("t-{}", self.judged.rows.len()).into(),
                ts: at,
                slice: Slice { feature: FEATURE, ..Slice::default() },
                probability: 1.0,
                verdicts: Verdicts {
                    passes: u32::from(!failed),
                    fails: u32::from(failed),
                    words: Vec::new(),
                },
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::read::rule_tests::parse;

    fn outcome(text: &str) -> Vec<FailureView> {
        let tests = parse("t.toml", text).unwrap();
        tests.iter().flat_map(|test| run(&Monitors::default(), test).unwrap()).collect()
    }

    #[test]
    fn the_tests_that_come_along_hold() {
        let text = include_str!("../../../fixtures/monitor_tests.toml");
        assert_eq!(outcome(text), []);
        let monitors: std::collections::BTreeSet<_> =
            parse("t.toml", text).unwrap().into_iter().map(|test| test.monitor).collect();
        assert_eq!(
            monitors.len(),
            Monitors::default().rules.len(),
            "each default rule has a test: {monitors:?}"
        );
    }

    #[test]
    fn what_is_not_as_expected_is_named_by_its_line_with_the_figure() {
        let failures = outcome(
            "[[test]]\nname = 'a'\nmonitor = 'errors'\nsteps = [\n\
             { for = '14d', requests = 60 },\n{ for = '1h', requests = 60, timeout = 0.25 },\n\
             { expect = 'ok' },\n{ expect = 'firing', kind = 'timeout' },\n{ expect = 'firing', kind = 'rate_limit' },\n]",
        );
        let said: Vec<String> = failures.iter().map(|one| one.in_words(Path::new("t.toml"))).collect();
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said[0].starts_with("t.toml:7: after 14 d 1 h it is firing and not ok: 2"), "{said:?}");
        assert!(said[1].starts_with("t.toml:9: after 14 d 1 h it is ok and not firing: 0 %"), "{said:?}");
    }
}
