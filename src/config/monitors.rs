//! `[monitors]`, `[[monitor]]` and `[[notify]]`.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::file::{Reader, kind};
use crate::domain::monitor::{
    Baseline, DAY_MS, HOUR_MS, MINUTE_MS, Metric, Monitors, Receiver, ReceiverKind, Resolve, Rule, Test,
    Urgency,
};
use crate::domain::{FailureKind, Result};

type Value<'t> = Spanned<DeValue<'t>>;

const RULE: &[&str] = &[
    "id",
    "feature",
    "metric",
    "kind",
    "over",
    "test",
    "baseline",
    "windows",
    "min_samples",
    "pin",
    "for",
    "every",
    "resolve",
    "severity",
    "group_by",
    "inhibited_by",
    "notify",
    "repeat",
    "runbook",
];
const RECEIVER: &[&str] = &["name", "kind", "url_env", "routing_key_env", "command"];
/// What each kind of test says beside its `kind`.
const TESTS: &[(&str, &[&str])] = &[
    ("share", &["alpha", "at_least", "target", "min_count"]),
    ("cusum", &["p0", "p1", "arl0"]),
    ("page_hinkley", &["delta", "lambda"]),
    ("ratio", &["alpha", "at_least"]),
    ("odd", &["z"]),
    ("budget", &["usd", "forecast"]),
    ("silence", &["expected"]),
    ("burn", &["objective"]),
];
const KINDS: [(&str, FailureKind); 4] = [
    ("timeout", FailureKind::Timeout),
    ("rate_limit", FailureKind::RateLimit),
    ("content_policy", FailureKind::ContentPolicy),
    ("other", FailureKind::Other),
];
/// Different limits of time that one pass counts.
const MOST_LIMITS: usize = 4;

/// The tables that speak of monitors, as they stand in the file.
#[derive(Default)]
pub(super) struct Parts<'v, 't> {
    pub monitors: Option<&'v Value<'t>>,
    pub monitor: Option<&'v Value<'t>>,
    pub notify: Option<&'v Value<'t>>,
}

impl Reader<'_> {
    /// All of it: a receiver may stand after the rule that names it.
    pub(super) fn monitoring(&self, parts: &Parts<'_, '_>) -> Result<Monitors> {
        let mut all = Monitors::default();
        if let Some(value) = parts.monitors {
            for (key, value) in self.table(value)? {
                match key.get_ref().as_ref() {
                    "false_pages_per_month" => {
                        all.false_pages_per_month = self.at_least(value, 0.001, 1e4)?
                    }
                    other => {
                        let known = ["false_pages_per_month"].into_iter();
                        return Err(self.unknown(key.span(), other, "setting of all monitors", known));
                    }
                }
            }
        }
        if let Some(value) = parts.notify {
            let what = "receivers are written as tables of a list: [[notify]], with two brackets.";
            for one in self.list(value, what)? {
                let receiver = self.receiver(one)?;
                if all.receivers.iter().any(|other| other.name == receiver.name) {
                    let what = format!("there is a receiver `{}` already.", receiver.name);
                    return Err(self.wrong(one.span(), what).hint("Give it a `name` of its own."));
                }
                all.receivers.push(receiver);
            }
        }
        if let Some(value) = parts.monitor {
            let what = "monitors are written as tables of a list: [[monitor]], with two brackets.";
            let mut own: Vec<Rule> = Vec::new();
            for one in self.list(value, what)? {
                let rule = self.rule(one, &all.receivers)?;
                if own.iter().any(|other| other.id == rule.id) {
                    let what = format!("there is a monitor `{}` already.", rule.id);
                    return Err(self.wrong(one.span(), what).hint("Each monitor has an `id` of its own."));
                }
                own.push(rule);
            }
            // What the team says of a monitor that is on by itself takes its place; the others stay on.
            all.rules.retain(|usual| !own.iter().any(|rule| rule.id == usual.id));
            all.rules.extend(own);
            self.limits(value, &all.rules)?;
        }
        Ok(all)
    }

    fn limits(&self, value: &Value<'_>, rules: &[Rule]) -> Result<()> {
        let limit = |rule: &Rule| if let Metric::SlowShare(ms) = rule.metric { Some(ms) } else { None };
        let mut limits: Vec<i64> = rules.iter().filter_map(limit).collect();
        limits.sort_unstable();
        limits.dedup();
        if limits.len() > MOST_LIMITS {
            let what = format!("monitors count at most {MOST_LIMITS} different limits of `over`.");
            return Err(self.wrong(value.span(), what));
        }
        Ok(())
    }

    fn list<'v, 't>(&self, value: &'v Value<'t>, what: &str) -> Result<&'v [Value<'t>]> {
        match value.get_ref() {
            DeValue::Array(list) => Ok(list),
            _ => Err(self.wrong(value.span(), what)),
        }
    }

    fn receiver(&self, value: &Value<'_>) -> Result<Receiver> {
        let table = self.table(value)?;
        let mut said: BTreeMap<&str, &Value<'_>> = BTreeMap::new();
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            if !RECEIVER.contains(&name) {
                return Err(self.unknown(
                    key.span(),
                    name,
                    "setting of a receiver",
                    RECEIVER.iter().copied(),
                ));
            }
            said.insert(name, value);
        }
        let Some(of_kind) = said.get("kind") else {
            let kinds = ReceiverKind::NAMES.join(", ");
            return Err(self
                .wrong(value.span(), "this receiver has no `kind`.")
                .hint(format!("There are: {kinds}.")));
        };
        let word = self.text(of_kind)?;
        let allowed: &[&str] = match word.as_str() {
            "slack" | "alertmanager" => &["url_env"],
            "pagerduty" => &["url_env", "routing_key_env"],
            "command" => &["command"],
            "bell" => &[],
            other => {
                let known = ReceiverKind::NAMES.into_iter();
                return Err(self.unknown(of_kind.span(), other, "kind of receiver", known));
            }
        };
        for (key, _) in table {
            let name = key.get_ref().as_ref();
            if !["name", "kind"].contains(&name) && !allowed.contains(&name) {
                let what = format!("a receiver of kind {word} has no `{name}`.");
                return Err(self.wrong(key.span(), what));
            }
        }
        let variable = |key: &str| said.get(key).map(|value| self.variable(value)).transpose();
        let needed = |key: &str| {
            variable(key)?.ok_or_else(|| {
                self.wrong(value.span(), format!("this receiver of kind {word} has no `{key}`."))
                    .hint("It is the name of the environment variable that holds the address.")
            })
        };
        let kind = match word.as_str() {
            "slack" => ReceiverKind::Slack { url_env: needed("url_env")? },
            "alertmanager" => ReceiverKind::Alertmanager { url_env: needed("url_env")? },
            "pagerduty" => {
                let (url_env, routing_key_env) = (variable("url_env")?, variable("routing_key_env")?);
                if url_env.is_none() && routing_key_env.is_none() {
                    let what = "this receiver of kind pagerduty has no `routing_key_env`.";
                    return Err(self
                        .wrong(value.span(), what)
                        .hint("It is the name of the environment variable that holds the routing key."));
                }
                ReceiverKind::PagerDuty { url_env, routing_key_env }
            }
            "command" => {
                let Some(command) = said.get("command") else {
                    return Err(self.wrong(value.span(), "this receiver of kind command has no `command`."));
                };
                ReceiverKind::Command(self.texts(command)?)
            }
            _ => ReceiverKind::Bell,
        };
        let name = said.get("name").map(|name| self.text(name)).transpose()?.unwrap_or(word);
        Ok(Receiver { name, kind })
    }

    /// The name of an environment variable, never an address or a key itself.
    fn variable(&self, value: &Value<'_>) -> Result<String> {
        let name = self.text(value)?;
        let fits = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && !name.starts_with(|c: char| c.is_ascii_digit());
        if fits {
            return Ok(name);
        }
        Err(self
            .wrong(value.span(), "the name of an environment variable belongs here.")
            .hint("Addresses and keys stay in the environment: the file names the variable that holds one."))
    }

    fn texts(&self, value: &Value<'_>) -> Result<Vec<String>> {
        let texts: Vec<String> = self
            .list(value, "a list of texts belongs here.")?
            .iter()
            .map(|one| self.text(one))
            .collect::<Result<_>>()?;
        if texts.is_empty() {
            return Err(self.wrong(value.span(), "this must not be empty."));
        }
        Ok(texts)
    }

    fn rule(&self, value: &Value<'_>, receivers: &[Receiver]) -> Result<Rule> {
        let table = self.table(value)?;
        let mut said: BTreeMap<&str, &Value<'_>> = BTreeMap::new();
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            if !RULE.contains(&name) {
                return Err(self.unknown(key.span(), name, "setting of a monitor", RULE.iter().copied()));
            }
            said.insert(name, value);
        }
        let needed = |key: &str| {
            said.get(key)
                .copied()
                .ok_or_else(|| self.wrong(value.span(), format!("this monitor has no `{key}`.")))
        };
        let id = self.text(needed("id")?)?;
        let metric = self.metric(needed("metric")?, &said)?;
        let mut rule = Rule::plain(&id, metric);
        if let Some(test) = said.get("test") {
            rule.test = self.test(test, metric, rule.test)?;
        }
        for (key, value) in &said {
            match *key {
                "feature" => {
                    let name = self.text(value)?;
                    rule.feature = (name != "*").then_some(name);
                }
                "baseline" => rule.baseline = self.baseline(value, metric)?,
                "windows" => rule.windows = self.windows(value)?,
                "min_samples" => rule.min_samples = self.at_least(value, 0.0, 1e9)? as u64,
                "for" => rule.hold_before = self.span(value)?,
                // Looks are at a twelfth of the window; more often would only raise more false alarms.
                "every" => drop(self.span(value)?),
                "resolve" => rule.resolve = self.resolve(value, rule.resolve)?,
                "severity" => {
                    rule.severity =
                        self.word(value, "severity", &[("page", Urgency::Page), ("ticket", Urgency::Ticket)])?
                }
                "group_by" => {
                    for one in self.list(value, "a list of texts belongs here.")? {
                        self.word(one, "group", &[("feature", ()), ("kind", ())])?;
                    }
                }
                "pin" => {
                    rule.pin_judge = false;
                    for one in self.list(value, "a list of texts belongs here.")? {
                        rule.pin_judge = self.word(one, "pin", &[("judge_version", true)])?;
                    }
                }
                "inhibited_by" => rule.inhibited_by = self.some_texts(value)?,
                "notify" => {
                    for one in self.list(value, "a list of texts belongs here.")? {
                        let name = self.text(one)?;
                        if !receivers.iter().any(|receiver| receiver.name == name) {
                            let known = receivers.iter().map(|receiver| receiver.name.as_str());
                            return Err(self.unknown(one.span(), &name, "receiver", known));
                        }
                        rule.notify.push(name);
                    }
                }
                "repeat" => rule.repeat = self.span(value)?.max(MINUTE_MS),
                "runbook" => rule.runbook = Some(self.text(value)?),
                _ => {}
            }
        }
        Ok(rule)
    }

    fn some_texts(&self, value: &Value<'_>) -> Result<Vec<String>> {
        self.list(value, "a list of texts belongs here.")?.iter().map(|one| self.text(one)).collect()
    }

    fn metric(&self, value: &Value<'_>, said: &BTreeMap<&str, &Value<'_>>) -> Result<Metric> {
        let word = self.text(value)?;
        let kind = said.get("kind").map(|kind| self.word(kind, "kind of error", &KINDS)).transpose()?;
        let over = said.get("over").map(|over| self.span(over)).transpose()?;
        let metric = match word.as_str() {
            "fail_share" => Metric::FailShare,
            "error_share" => Metric::ErrorShare(kind),
            "fallback_share" => Metric::FallbackShare,
            "negative_share" => Metric::NegativeShare,
            "slow_share" => Metric::SlowShare(over.unwrap_or(3_000)),
            "session_cost" => Metric::SessionCost,
            "request_cost" => Metric::RequestCost,
            "spend" => Metric::Spend,
            "requests" => Metric::Requests,
            other => return Err(self.unknown(value.span(), other, "metric", Metric::NAMES.into_iter())),
        };
        for (key, fits) in [("kind", word == "error_share"), ("over", word == "slow_share")] {
            if let (Some(value), false) = (said.get(key), fits) {
                return Err(self.wrong(value.span(), format!("the metric {word} has no `{key}`.")));
            }
        }
        Ok(metric)
    }

    fn test(&self, value: &Value<'_>, metric: Metric, usual: Test) -> Result<Test> {
        let table = self.table(value)?;
        let said = |key: &str| find(table, key);
        let name = match said("kind") {
            Some(kind) => {
                let word = self.text(kind)?;
                if !metric.tests().contains(&word.as_str()) {
                    let what = format!("test of {}", metric.name());
                    return Err(self.unknown(kind.span(), &word, &what, metric.tests().iter().copied()));
                }
                word
            }
            None => usual.name().to_owned(),
        };
        let own = TESTS.iter().find(|(kind, _)| *kind == name).map_or(&[][..], |(_, own)| own);
        for (key, _) in table {
            let known = ["kind"].into_iter().chain(own.iter().copied());
            if !known.clone().any(|known| known == key.get_ref()) {
                return Err(self.unknown(
                    key.span(),
                    key.get_ref(),
                    &format!("setting of the test {name}"),
                    known,
                ));
            }
        }
        let share = |key: &str| said(key).map(|value| self.at_least(value, 0.0, 1.0)).transpose();
        let number =
            |key: &str, usual: f64| said(key).map_or(Ok(usual), |value| self.at_least(value, 0.0, 1e9));
        Ok(match name.as_str() {
            "cusum" => {
                let (p0, p1) = (share("p0")?.unwrap_or(0.10), share("p1")?.unwrap_or(0.15));
                if !(p0 > 0.0 && p0 < p1 && p1 < 1.0) {
                    return Err(
                        self.wrong(value.span(), "`p0` must be above 0 and below `p1`, and `p1` below 1.")
                    );
                }
                Test::Cusum {
                    p0,
                    p1,
                    run: said("arl0").map(|run| self.at_least(run, 10.0, 1e7)).transpose()?,
                }
            }
            "page_hinkley" => {
                Test::PageHinkley { delta: number("delta", 0.02)?, lambda: number("lambda", 10.0)? }
            }
            "ratio" => Test::Ratio { alpha: share("alpha")?, at_least: number("at_least", 1.5)? },
            "odd" => Test::Odd { z: number("z", 5.0)? },
            "budget" => Test::Budget {
                usd: said("usd").map(|usd| self.at_least(usd, 1e-6, 1e12)).transpose()?,
                forecast: number("forecast", 1.3)?,
            },
            "silence" => Test::Silence { expected: number("expected", 9.2)? },
            "burn" => Test::Burn { objective: share("objective")?.unwrap_or(0.99).clamp(0.0, 0.999_999) },
            _ => {
                let was = if let Test::Share { at_least, target, .. } = usual {
                    (at_least, target)
                } else {
                    (0.0, None)
                };
                Test::Share {
                    alpha: share("alpha")?,
                    at_least: share("at_least")?.unwrap_or(was.0),
                    target: share("target")?.or(was.1),
                    min_count: number("min_count", 5.0)? as u64,
                }
            }
        })
    }

    /// `target`, `trailing:14d`, `same-hour:4w`.
    fn baseline(&self, value: &Value<'_>, metric: Metric) -> Result<Baseline> {
        let word = self.text(value)?;
        let baseline = match word.split_once(':') {
            None if word == "target" => Some(Baseline::Target),
            Some(("trailing", span)) => {
                parse_span(span).filter(|ms| (DAY_MS..=28 * DAY_MS).contains(ms)).map(Baseline::Trailing)
            }
            Some(("same-hour", weeks)) => weeks
                .strip_suffix('w')
                .and_then(|weeks| weeks.parse().ok())
                .filter(|weeks| (1..=4).contains(weeks))
                .map(Baseline::SameHour),
            _ => None,
        };
        let like = matches!(baseline, Some(Baseline::SameHour(_)));
        let by_hour = matches!(metric, Metric::Requests | Metric::Spend);
        match baseline {
            Some(baseline) if like == by_hour || (baseline == Baseline::Target && !by_hour) => Ok(baseline),
            Some(_) => Err(self
                .wrong(value.span(), format!("the baseline {word} is none for {}.", metric.name()))
                .hint(
                    "spend and requests are held against same-hour; the others against trailing or target.",
                )),
            None => Err(self
                .wrong(value.span(), format!("there is no baseline `{word}`."))
                .hint("There are: target, trailing:1d to trailing:28d, same-hour:1w to same-hour:4w.")),
        }
    }

    fn windows(&self, value: &Value<'_>) -> Result<Vec<i64>> {
        let mut windows = Vec::new();
        for one in self.list(value, "a list of times belongs here, as in [\"1h\", \"6h\", \"24h\"].")? {
            let window = self.span(one)?;
            if window % HOUR_MS != 0 || !(HOUR_MS..=7 * DAY_MS).contains(&window) {
                return Err(self.wrong(one.span(), "a window is of whole hours, from 1h to 7d."));
            }
            windows.push(window);
        }
        windows.sort_unstable();
        windows.dedup();
        if windows.is_empty() {
            return Err(self.wrong(value.span(), "this must not be empty."));
        }
        Ok(windows)
    }

    fn resolve(&self, value: &Value<'_>, usual: Resolve) -> Result<Resolve> {
        let mut resolve = usual;
        for (key, value) in self.table(value)? {
            match key.get_ref().as_ref() {
                "below" => resolve.below = Some(self.at_least(value, 0.0, 1e12)?),
                "hold" => resolve.hold = self.span(value)?,
                other => {
                    let known = ["below", "hold"].into_iter();
                    return Err(self.unknown(key.span(), other, "setting of resolve", known));
                }
            }
        }
        Ok(resolve)
    }

    fn word<T: Copy>(&self, value: &Value<'_>, what: &str, words: &[(&str, T)]) -> Result<T> {
        let word = self.text(value)?;
        let found = words.iter().find(|(known, _)| *known == word).map(|(_, means)| *means);
        found.ok_or_else(|| self.unknown(value.span(), &word, what, words.iter().map(|(known, _)| *known)))
    }

    /// A time such as `15m`, in milliseconds.
    fn span(&self, value: &Value<'_>) -> Result<i64> {
        let text = self.text(value)?;
        parse_span(&text).ok_or_else(|| {
            self.wrong(value.span(), format!("`{text}` is not a time."))
                .hint("Write 30s, 15m, 6h, 14d or 4w.")
        })
    }

    /// A number within these.
    fn at_least(&self, value: &Value<'_>, least: f64, most: f64) -> Result<f64> {
        let number = match value.get_ref() {
            DeValue::Integer(n) => n.as_str().replace('_', "").parse().ok(),
            DeValue::Float(n) => n.as_str().replace('_', "").parse::<f64>().ok(),
            other => {
                return Err(self.wrong(value.span(), format!("a number belongs here, not {}.", kind(other))));
            }
        };
        number
            .filter(|number| (least..=most).contains(number))
            .ok_or_else(|| self.wrong(value.span(), format!("a number from {least} to {most} belongs here.")))
    }
}

fn find<'v, 't>(table: &'v DeTable<'t>, key: &str) -> Option<&'v Value<'t>> {
    table.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value)
}

/// Milliseconds of `30s`, `15m`, `6h`, `14d`, `4w`.
fn parse_span(text: &str) -> Option<i64> {
    let (number, unit) = text.split_at(text.len() - text.chars().last()?.len_utf8());
    let each = match unit {
        "s" => 1_000,
        "m" => MINUTE_MS,
        "h" => HOUR_MS,
        "d" => DAY_MS,
        "w" => 7 * DAY_MS,
        _ => return None,
    };
    number.parse::<i64>().ok().filter(|n| *n >= 0)?.checked_mul(each)
}

#[cfg(test)]
mod tests {
    use super::super::file::parse;
    use super::*;

    /// The two rules of METHODS 4.1, and receivers.
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
        assert_eq!(
            (quality.feature.as_deref(), quality.baseline),
            (Some("customer_support"), Baseline::Target)
        );
        assert_eq!(quality.resolve, Resolve { below: Some(0.115), hold: DAY_MS });
        assert_eq!(quality.notify, ["slack-oncall", "bell"]);
        let timeouts = rule("timeouts");
        assert_eq!(timeouts.metric, Metric::ErrorShare(Some(FailureKind::Timeout)));
        let share = Test::Share { alpha: Some(1e-4), at_least: 0.03, target: None, min_count: 5 };
        assert_eq!(
            (timeouts.test, timeouts.windows.as_slice()),
            (share, &[HOUR_MS, 6 * HOUR_MS, 24 * HOUR_MS][..])
        );
        let names: Vec<&str> = all.receivers.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["slack-oncall", "bell", "command"]);
        assert_eq!(parse("c.toml", "").unwrap().monitors, Monitors::default());
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
            (format!("{head}notify = ['slack']"), "c.toml:4:11: there is no receiver `slack`"),
            (format!("{head}for = '5 minutes'"), "c.toml:4:7: `5 minutes` is not a time"),
            (format!("{head}{head}"), "c.toml:4:1: there is a monitor `x` already"),
            ("[[notify]]\nurl_env = 'X'".to_owned(), "c.toml:1:1: this receiver has no `kind`"),
            ("[[notify]]\nkind = 'slak'".to_owned(), "c.toml:2:8: there is no kind of receiver"),
            (
                "[[notify]]\nkind = 'slack'".to_owned(),
                "c.toml:1:1: this receiver of kind slack has no `url_env`",
            ),
            (
                "[[notify]]\nkind = 'bell'\nurl_env = 'X'".to_owned(),
                "c.toml:3:1: a receiver of kind bell has no",
            ),
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
}
