//! `[monitors]`, `[[monitor]]` and `[[notify]]`. Receivers and tests have files of their own.

mod receiver;
mod test;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::DeValue;

use super::file::{Reader, kind};
use crate::domain::monitor::{
    Apart, Baseline, DAY_MS, EVERY_MINUTES, HOUR_MS, MINUTE_MS, Metric, Monitors, Receiver, Resolve, Rule,
    Urgency, step_of,
};
use crate::domain::{FailureKind, Result};
use crate::text::figures::list_of;

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
                    "false_pages_per_month" => all.false_pages_per_month = self.within(value, 0.001, 1e4)?,
                    "group_wait" => all.grouping.wait = self.gather(value)?,
                    "group_interval" => all.grouping.interval = self.gather(value)?,
                    other => {
                        let known = ["false_pages_per_month", "group_wait", "group_interval"].into_iter();
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

    /// How long alerts are gathered: an hour at most, for somebody waits to be told.
    fn gather(&self, value: &Value<'_>) -> Result<i64> {
        let span = self.span(value)?;
        if span > HOUR_MS {
            return Err(self.wrong(value.span(), "alerts are gathered for an hour at most."));
        }
        Ok(span)
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
                "min_samples" => rule.min_samples = self.within(value, 0.0, 1e9)? as u64,
                "for" => rule.hold_before = self.span(value)?,
                "resolve" => rule.resolve = self.resolve(value, rule.resolve)?,
                "severity" => {
                    rule.severity =
                        self.word(value, "severity", &[("page", Urgency::Page), ("ticket", Urgency::Ticket)])?
                }
                "group_by" => rule.apart = self.group_by(value, metric)?,
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
        // Its windows are known now, wherever they stand.
        if let Some(value) = said.get("every") {
            rule.every = self.every(value, &rule)?;
        }
        Ok(rule)
    }

    /// How often a rule is looked at; `None` where that is what its shortest window asks for.
    fn every(&self, value: &Value<'_>, rule: &Rule) -> Result<Option<i64>> {
        let every = self.span(value)?;
        let usual = step_of(rule.shortest());
        if every < usual {
            let (shortest, usual) = (span_words(rule.shortest()), span_words(usual));
            let what = format!("a window of {shortest} is looked at every {usual}, and no oftener.");
            return Err(self.wrong(value.span(), what).hint(
                "More looks at the same traffic find no more faults, and raise more false alarms. For an \
                 earlier one write a shorter window.",
            ));
        }
        if !EVERY_MINUTES.contains(&(every / MINUTE_MS)) || every % MINUTE_MS != 0 {
            let known = EVERY_MINUTES.map(|minutes| span_words(minutes * MINUTE_MS));
            let what = "looks are at steps that divide an hour or a day.";
            return Err(self
                .wrong(value.span(), what)
                .hint(format!("There are: {}.", list_of(&known, "and"))));
        }
        Ok((every > usual).then_some(every))
    }

    /// Features are always apart, and so are kinds of errors where the rule names none; one thing more may be.
    fn group_by(&self, value: &Value<'_>, metric: Metric) -> Result<Option<Apart>> {
        let words: Vec<(&str, Option<Apart>)> = [("feature", None), ("kind", None)]
            .into_iter()
            .chain(Apart::ALL.into_iter().map(|one| (one.name(), Some(one))))
            .collect();
        let mut apart = None;
        for one in self.list(value, "a list of texts belongs here.")? {
            let Some(found) = self.word(one, "group", &words)? else { continue };
            if !metric.is_told_apart() {
                let what = format!("{} is not told apart by {}.", metric.name(), found.name());
                return Err(self.wrong(one.span(), what).hint(
                    "Shares of requests are, and what a request costs; the others are of the whole feature.",
                ));
            }
            if apart.is_some_and(|other| other != found) {
                return Err(self
                    .wrong(one.span(), "a monitor tells apart by one of model, prompt_version and language.")
                    .hint("Write a second monitor for the other one."));
            }
            apart = Some(found);
        }
        Ok(apart)
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
                "below" => resolve.below = Some(self.within(value, 0.0, 1e12)?),
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
    pub(in crate::config) fn within(&self, value: &Value<'_>, least: f64, most: f64) -> Result<f64> {
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

/// `5m`, `2h`.
fn span_words(ms: i64) -> String {
    if ms % HOUR_MS == 0 { format!("{}h", ms / HOUR_MS) } else { format!("{}m", ms / MINUTE_MS) }
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
