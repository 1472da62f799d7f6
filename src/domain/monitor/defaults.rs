//! The monitors that are on when the configuration says nothing.

use super::{Baseline, DAY_MS, HOUR_MS, MINUTE_MS, Metric, Resolve, Rule, Test, Urgency};

/// The eight monitors of the field: quality, feedback, fallback, latency, cost, errors, spend, silence.
pub fn defaults() -> Vec<Rule> {
    let share = |id: &str, metric: Metric, at_least: f64, min_count: u64| Rule {
        test: Test::Share { alpha: None, at_least, rise: None, target: None, min_count },
        windows: vec![HOUR_MS, 6 * HOUR_MS, 24 * HOUR_MS],
        ..base(id, metric)
    };
    vec![
        Rule {
            test: Test::Cusum { p0: 0.10, p1: 0.15, run: None },
            baseline: Baseline::Target,
            windows: vec![24 * HOUR_MS],
            min_samples: 100,
            resolve: Resolve { below: Some(0.115), hold: DAY_MS },
            pin_judge: true,
            ..base("quality-drift", Metric::FailShare)
        },
        share("negative-feedback", Metric::NegativeShare, 0.02, 5),
        share("fallback-rate", Metric::FallbackShare, 0.03, 5),
        Rule {
            // Over 3 s in more than a twentieth of the requests: the 95th percentile is above 3 s. Or on its way
            // there: in nearly twice as many as usual.
            test: Test::Share {
                alpha: None,
                at_least: 0.05,
                rise: Some(1.75),
                target: Some(0.05),
                min_count: 5,
            },
            windows: vec![HOUR_MS, 6 * HOUR_MS, 24 * HOUR_MS],
            ..base("latency", Metric::SlowShare(3_000))
        },
        Rule {
            test: Test::Ratio { alpha: None, at_least: 1.5 },
            windows: vec![24 * HOUR_MS],
            ..base("cost-per-session", Metric::SessionCost)
        },
        share("errors", Metric::ErrorShare(None), 0.03, 5),
        Rule {
            test: Test::Budget { usd: None, warn: 0.8, forecast: 1.3 },
            baseline: Baseline::SameHour(2),
            windows: vec![HOUR_MS],
            resolve: Resolve { below: None, hold: 0 },
            ..base("daily-spend", Metric::Spend)
        },
        Rule {
            test: Test::Silence { expected: 9.2 },
            baseline: Baseline::SameHour(4),
            windows: vec![HOUR_MS],
            resolve: Resolve { below: None, hold: 0 },
            ..base("no-data", Metric::Requests)
        },
    ]
}

/// A rule with what is usual for every other; its test fits shares.
pub(super) fn base(id: &str, metric: Metric) -> Rule {
    Rule {
        id: id.to_owned(),
        feature: None,
        apart: None,
        metric,
        test: Test::Share { alpha: None, at_least: 0.0, rise: None, target: None, min_count: 5 },
        baseline: Baseline::Trailing(14 * DAY_MS),
        windows: vec![HOUR_MS, 6 * HOUR_MS, 24 * HOUR_MS],
        every: None,
        min_samples: 0,
        hold_before: 0,
        resolve: Resolve { below: None, hold: 15 * MINUTE_MS },
        severity: Urgency::Page,
        inhibited_by: if id == "no-data" { Vec::new() } else { vec!["no-data".to_owned()] },
        notify: Vec::new(),
        repeat: 4 * HOUR_MS,
        runbook: None,
        pin_judge: false,
    }
}

impl Rule {
    /// A rule that says nothing but its name and what it measures.
    pub fn plain(id: &str, metric: Metric) -> Self {
        let usual = defaults().into_iter().find(|rule| rule.metric.name() == metric.name());
        let rule = usual.unwrap_or_else(|| base(id, metric));
        Rule { id: id.to_owned(), metric, feature: None, ..rule }
    }
}
