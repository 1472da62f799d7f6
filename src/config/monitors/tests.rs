use super::*;
use crate::config::file::parse;
use crate::domain::monitor::Test;

/// Two rules that use every setting, and receivers.
const GOOD: &str = r#"
[monitors]
false_pages_per_month = 0.5

[[monitor]]
id = "quality-drift"
feature = "customer_support"
metric = "fail_share"
test = { kind = "cusum", p0 = 0.10, p1 = 0.15, arl0 = 9000 }
baseline = "target"
min_samples = 100
pin = ["judge_version"]
resolve = { below = 0.115, hold = "1d" }
severity = "page"
group_by = ["feature"]
inhibited_by = ["no-data", "error-share"]
notify = ["slack-oncall", "bell"]
repeat = "4h"
runbook = "runbooks/quality.toml"

[[monitor]]
id = "timeouts"
feature = "*"
metric = "error_share"
kind = "timeout"
test = { kind = "share", alpha = 1e-4, at_least = 0.03 }
baseline = "trailing:14d"
windows = ["1h", "6h", "24h"]
every = "5m"
for = "0m"
resolve = { below = 0.02, hold = "15m" }
severity = "page"

[[notify]]
name = "slack-oncall"
kind = "slack"
url_env = "SLACK_URL"
[[notify]]
kind = "bell"
[[notify]]
kind = "command"
command = ["./tell", "--now"]
"#;

#[test]
fn rules_and_receivers_are_taken_and_the_other_monitors_stay_on() {
    let all = parse("c.toml", GOOD).unwrap().monitors;
    assert!((all.false_pages_per_month - 0.5).abs() < 1e-12);
    assert_eq!(all.rules.len(), 9);
    let rule = |id: &str| all.rules.iter().find(|rule| rule.id == id).unwrap();
    let quality = rule("quality-drift");
    assert_eq!(quality.test, Test::Cusum { p0: 0.1, p1: 0.15, run: Some(9000.0) });
    assert_eq!((quality.feature.as_deref(), quality.baseline), (Some("customer_support"), Baseline::Target));
    assert_eq!(quality.resolve, Resolve { below: Some(0.115), hold: DAY_MS });
    assert_eq!(quality.notify, ["slack-oncall", "bell"]);
    let timeouts = rule("timeouts");
    assert_eq!(timeouts.metric, Metric::ErrorShare(Some(FailureKind::Timeout)));
    let share = Test::Share { alpha: Some(1e-4), at_least: 0.03, rise: None, target: None, min_count: 5 };
    assert_eq!(
        (timeouts.test, timeouts.windows.as_slice()),
        (share, &[HOUR_MS, 6 * HOUR_MS, 24 * HOUR_MS][..])
    );
    let names: Vec<&str> = all.receivers.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["slack-oncall", "bell", "command"]);
    assert_eq!(parse("c.toml", "").unwrap().monitors, Monitors::default());
}

#[test]
fn how_often_a_rule_looks_is_said_where_it_is_less_often_than_its_window_asks_for() {
    let step = |every: &str| {
        let text = format!("[[monitor]]\nid = 'x'\nmetric = 'error_share'\n{every}");
        let all = parse("c.toml", &text).unwrap().monitors;
        let rule = all.rules.iter().find(|rule| rule.id == "x").unwrap();
        (rule.every, rule.step())
    };
    assert_eq!(step(""), (None, 5 * MINUTE_MS));
    assert_eq!(step("every = '5m'"), (None, 5 * MINUTE_MS), "as its window asks for");
    assert_eq!(step("every = '30m'"), (Some(30 * MINUTE_MS), 30 * MINUTE_MS));
    assert_eq!(step("every = '2h'\nwindows = ['24h']"), (None, 2 * HOUR_MS));
}

#[test]
fn what_is_wrong_is_named_by_its_place() {
    let head = "[[monitor]]\nid = 'x'\nmetric = 'error_share'\n";
    for (text, what) in [
        ("[monitors]\nfalse_pages = 1".to_owned(), "c.toml:2:1: there is no setting of all monitors"),
        ("[monitors]\nfalse_pages_per_month = -1".to_owned(), "c.toml:2:25: a number from 0.001"),
        ("[monitor]\nid = 'x'".to_owned(), "c.toml:1:1: monitors are written as tables of a list"),
        ("[[monitor]]\nmetric = 'spend'".to_owned(), "c.toml:1:1: this monitor has no `id`"),
        ("[[monitor]]\nid = 'x'\nmetric = 'eror_share'".to_owned(), "c.toml:3:10: there is no metric"),
        (format!("{head}windos = []"), "c.toml:4:1: there is no setting of a monitor `windos`"),
        (format!("{head}windows = ['90m']"), "c.toml:4:12: a window is of whole hours"),
        (format!("{head}over = '3s'"), "c.toml:4:8: the metric error_share has no `over`"),
        (format!("{head}test = {{ kind = 'cusum' }}"), "c.toml:4:17: there is no test of error_share"),
        (format!("{head}test = {{ alpa = 1e-4 }}"), "c.toml:4:10: there is no setting of the test share"),
        (format!("{head}baseline = 'same-hour:4w'"), "c.toml:4:12: the baseline same-hour:4w is none"),
        (format!("{head}baseline = 'trailing:90d'"), "c.toml:4:12: there is no baseline"),
        (format!("{head}group_by = ['user']"), "c.toml:4:13: there is no group `user`"),
        (format!("{head}group_by = ['model', 'language']"), "c.toml:4:22: a monitor tells apart by one of"),
        (
            "[[monitor]]\nid='x'\nmetric='spend'\ngroup_by=['model']".to_owned(),
            "c.toml:4:11: spend is not told apart",
        ),
        (format!("{head}notify = ['slack']"), "c.toml:4:11: there is no receiver `slack`"),
        (format!("{head}every = '1m'"), "c.toml:4:9: a window of 1h is looked at every 5m, and no oftener"),
        (
            format!("{head}windows = ['24h']\nevery = '30m'"),
            "c.toml:5:9: a window of 24h is looked at every 2h, and no oftener",
        ),
        (format!("{head}every = '25m'"), "c.toml:4:9: looks are at steps that divide an hour or a day"),
        (format!("{head}for = '5 minutes'"), "c.toml:4:7: `5 minutes` is not a time"),
        (format!("{head}{head}"), "c.toml:4:1: there is a monitor `x` already"),
        ("[[notify]]\nurl_env = 'X'".to_owned(), "c.toml:1:1: this receiver has no `kind`"),
        ("[[notify]]\nkind = 'slak'".to_owned(), "c.toml:2:8: there is no kind of receiver"),
        ("[[notify]]\nkind = 'slack'".to_owned(), "c.toml:1:1: this receiver of kind slack has no `url_env`"),
        ("[[notify]]\nkind = 'bell'\nurl_env = 'X'".to_owned(), "c.toml:3:1: a receiver of kind bell has no"),
        (
            "[[notify]]\nkind = 'slack'\nurl_env = 'https://hooks.example.com/T0/secret'".to_owned(),
            "c.toml:3:11: the name of an environment variable",
        ),
    ] {
        let error = parse("c.toml", &text).err().unwrap_or_else(|| panic!("{text:?} was taken"));
        assert!(error.what.starts_with(what), "{text:?}: {}", error.what);
        assert!(!error.what.contains("secret"), "{}", error.what);
    }
}
