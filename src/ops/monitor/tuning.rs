//! Whether a rule set otherwise would have seen an incident earlier, and at what price: its life over the incident
//! and over the quiet weeks before, with a few other settings.

use jiff::Timestamp;
use serde::Serialize;

use super::evidence::instant;
use super::fold::{Event, live};
use super::instance::{Instance, instances, judged_a_month};
use super::price::expected;
use super::tape::FINE_MS;
use super::world::{Reach, World};
use crate::domain::monitor::{DAY_MS, HOUR_MS, Life, Metric, Monitors, Rule, Test, Turn};
use crate::domain::{Result, Untrusted};
use crate::ops::Ctx;
use crate::task::{Cancel, Clock};
use crate::text::figures::{duration, percent};

/// The quiet time before it that is lived through too.
const QUIET_MS: i64 = 28 * DAY_MS;
/// So much of the time before it began is lived through with it, so that charts stand as they did.
const LEAD_MS: i64 = 24 * HOUR_MS;
/// Further false pages a month that a proposal may cost.
const WORTH: f64 = 1.0;
/// A proposal brings it forward by so much at least.
const GAIN_MS: i64 = 5 * 60_000;
/// Shares of the requests that could be judged.
const JUDGED: [f64; 5] = [0.01, 0.02, 0.05, 0.10, 0.20];

/// The incident whose alert is tuned.
#[derive(Debug, Clone)]
pub struct TuningRequest {
    /// Its feature.
    pub feature: Option<Untrusted>,
    /// The rule that raised it; `None`: the one on one of these metrics that would have been first.
    pub rule: Option<String>,
    /// What is harmed, by the words of [`Metric`].
    pub metrics: Vec<&'static str>,
    /// When it began.
    pub began: Timestamp,
    /// When it was noticed.
    pub noticed: Timestamp,
    /// When the harm was over.
    pub until: Timestamp,
    /// Times of other incidents: what fired in them was no false alarm.
    pub others: Vec<(Timestamp, Timestamp)>,
}

/// A rule with other settings.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tuning {
    /// The rule.
    pub rule: String,
    /// What it measures.
    pub metric: Metric,
    /// The quiet time before the incident that was lived through, at whole hours.
    pub quiet: [Timestamp; 2],
    /// The settings; the first is as it is.
    pub settings: Vec<Setting>,
    /// The setting that is proposed, by its place.
    pub proposed: Option<usize>,
}

/// A setting, and what would have come of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Setting {
    /// In words: `as it is`, `ten times the false alarms`.
    pub words: String,
    /// As `tuesday.toml` says it; empty where that is the knob's doing or no matter of the rule.
    pub toml: String,
    /// When it would have fired; `None`: not before the harm was over.
    pub fired_at: Option<Timestamp>,
    /// How long after it began, in milliseconds; 0 where it was firing already.
    pub after_ms: Option<u64>,
    /// Not lived through: worked out from how fast judgements come.
    pub estimated: bool,
    /// False pages a month that are to be expected of it at this traffic.
    pub false_pages_per_month: Option<f64>,
    /// How often it would have fired in the quiet time; `None` where that cannot be lived through.
    pub quiet_firings: Option<u64>,
}

impl Tuning {
    /// The proposal in a sentence.
    pub fn says(&self) -> String {
        let (Some(now), Some(other)) =
            (self.settings.first(), self.proposed.and_then(|at| self.settings.get(at)))
        else {
            return "No setting that was tried would have raised it earlier for less than one further false page \
                    a month."
                .to_owned();
        };
        let pages = |of: &Setting| {
            of.false_pages_per_month
                .map_or_else(|| "an unknown number of".to_owned(), |pages| format!("{pages:.2}"))
        };
        let about = if other.estimated { "about " } else { "" };
        let after = other.after_ms.map_or_else(String::new, |ms| duration(ms as f64));
        let instead = now.after_ms.map_or_else(
            || ", where it was silent as it is".to_owned(),
            |ms| format!(" instead of {}", duration(ms as f64)),
        );
        format!(
            "With {} it would have fired {about}{after} after it began{instead}, for {} false pages a month instead \
             of {}.",
            other.words,
            pages(other),
            pages(now)
        )
    }
}

/// Tries other settings of the rule on the incident. `None` where no rule watches what was harmed, or nothing is
/// known of the traffic. Reads the rows of the incident and of the day before, and hourly figures of six weeks.
pub fn tune(
    ctx: &Ctx,
    monitors: &Monitors,
    request: &TuningRequest,
    cancel: &Cancel,
) -> Result<Option<Tuning>> {
    let wanted = |rule: &&Rule| match &request.rule {
        Some(id) => rule.id == *id,
        None => request.metrics.contains(&rule.metric.name()),
    };
    let rules: Vec<&Rule> = monitors.rules.iter().filter(wanted).collect();
    if rules.is_empty() {
        return Ok(None);
    }
    let (began, until) = (request.began.as_millisecond(), request.until.as_millisecond());
    let at = |ms: i64| Ctx { clock: Clock::fixed(instant(ms)), ..ctx.clone() };
    let during = World::read(&at(until), &with_hour(monitors), Reach::Every(began - LEAD_MS))?;
    cancel.check()?;
    let quiet = World::read(&at(began), &with_hour(monitors), Reach::Hours(began - QUIET_MS))?;
    let worlds = Worlds { during: &during, quiet: &quiet, request };
    let mut best: Option<Tuning> = None;
    for rule in rules {
        cancel.check()?;
        let Some(tuning) = worlds.tuning(monitors, rule) else { continue };
        let soonest =
            |of: &Tuning| of.settings.iter().filter_map(|one| one.after_ms).min().unwrap_or(u64::MAX);
        if best.as_ref().is_none_or(|known| soonest(&tuning) < soonest(known)) {
            best = Some(tuning);
        }
    }
    Ok(best)
}

/// The rules, as much of the past with them as every setting that is tried needs.
fn with_hour(monitors: &Monitors) -> Monitors {
    let mut all = monitors.clone();
    for rule in &mut all.rules {
        for window in [HOUR_MS, 6 * HOUR_MS] {
            if matches!(rule.test, Test::Share { .. }) && !rule.windows.contains(&window) {
                rule.windows.push(window);
            }
        }
        rule.windows.sort_unstable();
    }
    all
}

/// The incident and the quiet time before.
struct Worlds<'a> {
    during: &'a World,
    quiet: &'a World,
    request: &'a TuningRequest,
}

impl Worlds<'_> {
    /// A rule with its settings; `None` where it does not watch this feature.
    fn tuning(&self, monitors: &Monitors, rule: &Rule) -> Option<Tuning> {
        let as_is = self.setting(monitors, rule, ("as it is".to_owned(), String::new()))?;
        let mut settings = vec![as_is];
        for (words, toml, other) in self.others(monitors, rule) {
            settings.extend(self.setting(monitors, &other, (words, toml)));
        }
        settings.extend(self.more_judged(monitors, rule));
        let began = self.request.began;
        let proposed = propose(&settings, self.request.noticed.as_millisecond() - began.as_millisecond());
        Some(Tuning {
            rule: rule.id.clone(),
            metric: rule.metric,
            quiet: [instant(began.as_millisecond() - QUIET_MS), began],
            settings,
            proposed,
        })
    }

    /// Where a rule stands for the incident's feature.
    fn instances<'r>(&self, monitors: &'r Monitors, id: &str, world: &World) -> Vec<Instance<'r>> {
        let of_feature = |one: &Instance<'_>| match (one.feature, &self.request.feature) {
            (Some(feature), Some(name)) => world.names.get(&feature) == Some(name),
            _ => true,
        };
        instances(monitors, world).into_iter().filter(|one| one.rule.id == id && of_feature(one)).collect()
    }

    fn setting(&self, monitors: &Monitors, rule: &Rule, (words, toml): (String, String)) -> Option<Setting> {
        let monitors = swapped(monitors, rule);
        let began = self.request.began.as_millisecond();
        let mut first: Option<i64> = None;
        let mut seen = false;
        for of in self.instances(&monitors, &rule.id, self.during) {
            seen = true;
            let (events, _) = live(&of, &mut Life::default(), self.during);
            let at = |event: &Event| event.look.at.min(self.during.clock);
            let before = events.iter().take_while(|event| at(event) < began).last();
            // What was out already when it began would not have been raised again.
            let fired = if before.is_some_and(|event| event.turn == Turn::Fired) {
                Some(began)
            } else {
                events.iter().find(|event| at(event) >= began && event.turn == Turn::Fired).map(at)
            };
            first = [first, fired].into_iter().flatten().min();
        }
        if !seen {
            return None;
        }
        let (mut price, mut firings) = (None, 0);
        for of in self.instances(&monitors, &rule.id, self.quiet) {
            let mut life = Life::default();
            let (events, _) = live(&of, &mut life, self.quiet);
            let fired = events.iter().filter(|event| event.turn == Turn::Fired);
            firings += fired.filter(|event| !self.was_real(event.look.at)).count() as u64;
            if let Some(more) = expected(&of, &life, self.quiet) {
                *price.get_or_insert(0.0) += more;
            }
        }
        Some(Setting {
            words,
            toml,
            fired_at: first.map(instant),
            after_ms: first.map(|at| (at - began).max(0).cast_unsigned()),
            estimated: false,
            false_pages_per_month: price,
            quiet_firings: Some(firings),
        })
    }

    /// Whether another incident went on.
    fn was_real(&self, at: i64) -> bool {
        let within =
            |(from, to): &(Timestamp, Timestamp)| (from.as_millisecond()..=to.as_millisecond()).contains(&at);
        self.request.others.iter().any(within)
    }

    /// Other settings of a rule: words, how the configuration says it, and the rule.
    fn others(&self, monitors: &Monitors, rule: &Rule) -> Vec<(String, String, Rule)> {
        let of = self.instances(monitors, &rule.id, self.quiet);
        let Some(of) = of.first() else { return Vec::new() };
        let mut found = Vec::new();
        let mut add = |words: &str, toml: String, test: Test| {
            found.push((words.to_owned(), toml, Rule { test, ..rule.clone() }));
        };
        match rule.test {
            Test::Share { at_least, rise, target, min_count, .. } => {
                for (times, words) in [(10.0, "ten times the alpha"), (100.0, "a hundred times the alpha")] {
                    let alpha = (of.alpha * times).min(0.05);
                    let test = Test::Share { alpha: Some(alpha), at_least, rise, target, min_count };
                    add(words, format!("alpha = {alpha:.1e}"), test);
                }
                if at_least > 0.0 {
                    let half = at_least / 2.0;
                    let alpha = Some((of.alpha * 10.0).min(0.05));
                    let test = Test::Share { alpha, at_least: half, rise, target, min_count };
                    let words = format!("that and half the least share, {}", percent(half));
                    add(&words, format!("alpha = {:.1e}, at_least = {half}", of.alpha * 10.0), test);
                }
            }
            Test::Ratio { at_least, .. } => {
                let alpha = (of.alpha * 10.0).min(0.05);
                let test = Test::Ratio { alpha: Some(alpha), at_least };
                add("ten times the alpha", format!("alpha = {alpha:.1e}"), test);
            }
            Test::Cusum { p0, p1, .. } => {
                let run = of.chart.map(|chart| chart.run_length(p0));
                for (part, words) in
                    [(3.0, "three times the false alarms"), (10.0, "ten times the false alarms")]
                {
                    if let Some(run) = run {
                        let run = (run / part).round();
                        let test = Test::Cusum { p0, p1, run: Some(run) };
                        add(words, format!("arl0 = {run}"), test);
                    }
                }
            }
            _ => {}
        }
        if matches!(rule.test, Test::Share { .. }) && !rule.windows.contains(&HOUR_MS) {
            let mut other = rule.clone();
            other.windows.insert(0, HOUR_MS);
            found.push(("a window of one hour too".to_owned(), "windows = [\"1h\", …]".to_owned(), other));
        }
        if rule.hold_before > 0 {
            let other = Rule { hold_before: 0, ..rule.clone() };
            found.push(("no wait before it fires".to_owned(), "for = \"0m\"".to_owned(), other));
        }
        found
    }

    /// What judging a larger share would have brought: the judgements that the chart needs on average at the rate of
    /// the incident, over how fast they would have come. The chart is drawn anew for the same price.
    fn more_judged(&self, monitors: &Monitors, rule: &Rule) -> Vec<Setting> {
        let Test::Cusum { p0, p1, .. } = rule.test else { return Vec::new() };
        let instances = self.instances(monitors, &rule.id, self.during);
        let (Some(of), Some(quiet)) =
            (instances.first(), self.instances(monitors, &rule.id, self.quiet).into_iter().next())
        else {
            return Vec::new();
        };
        let (from, to) = (self.request.began.as_millisecond(), self.request.until.as_millisecond());
        let tape = self.during.tape(&of.cut);
        let five = |ms: i64| ms.div_euclid(FINE_MS) * FINE_MS;
        let requests = tape.sum(five(from), five(to)).requests as f64;
        let heard = vec![true; self.during.judged.judges.len()];
        let judged: Vec<bool> = self
            .during
            .settled_of(of.feature, &heard)
            .filter(|(one, _)| (from..to).contains(&one.ts))
            .map(|(_, failed)| failed)
            .collect();
        let (n, k) = (judged.len() as f64, judged.iter().filter(|failed| **failed).count() as f64);
        let a_month = judged_a_month(self.quiet, quiet.feature);
        let run = quiet.chart.map(|chart| chart.run_length(p0));
        let (Some(run), true) = (run, n >= 10.0 && requests >= n && k / n > p0) else { return Vec::new() };
        let (now, hours) = (n / requests, (to - from) as f64 / HOUR_MS as f64);
        let price = a_month / run;
        let estimate = |share: f64| {
            let times = share / now;
            let chart = crate::stats::Cusum::design(p0, p1, run * times)?;
            let ms = chart.run_length(k / n) / (requests / hours * share) * HOUR_MS as f64;
            let within = ms.is_finite() && ms < (to - from) as f64;
            Some(Setting {
                words: format!("{} of the requests judged instead of {}", percent(share), percent(now)),
                toml: String::new(),
                fired_at: within.then(|| instant(from + ms as i64)),
                after_ms: within.then_some(ms as u64),
                estimated: true,
                false_pages_per_month: Some(price),
                quiet_firings: None,
            })
        };
        JUDGED.into_iter().filter(|share| *share > now * 1.5).take(3).filter_map(estimate).collect()
    }
}

/// The rules with one of them otherwise.
fn swapped(monitors: &Monitors, rule: &Rule) -> Monitors {
    let mut all = monitors.clone();
    for known in &mut all.rules {
        if known.id == rule.id {
            *known = rule.clone();
        }
    }
    all
}

/// The setting that would have fired first, of those that cost little more than the first one; of equals the cheapest.
fn propose(settings: &[Setting], noticed_after: i64) -> Option<usize> {
    let now = settings.first()?;
    let price = |of: &Setting| of.false_pages_per_month.unwrap_or(f64::INFINITY);
    let bar = now.after_ms.map_or(noticed_after, |ms| i64::try_from(ms).unwrap_or(i64::MAX));
    let better = settings.iter().enumerate().skip(1).filter(|(_, one)| {
        let after = one.after_ms.and_then(|ms| i64::try_from(ms).ok());
        after.is_some_and(|ms| ms <= bar - GAIN_MS) && price(one) <= price(now) + WORTH
    });
    let order = |(_, a): &(usize, &Setting), (_, b): &(usize, &Setting)| {
        // Five minutes are no difference.
        let slot = |of: &Setting| of.after_ms.map_or(u64::MAX, |ms| ms / GAIN_MS.cast_unsigned());
        slot(a).cmp(&slot(b)).then(price(a).total_cmp(&price(b)))
    };
    better.min_by(order).map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(words: &str, minutes: Option<u64>, pages: f64) -> Setting {
        Setting {
            words: words.to_owned(),
            toml: String::new(),
            fired_at: minutes.map(|_| instant(0)),
            after_ms: minutes.map(|minutes| minutes * 60_000),
            estimated: false,
            false_pages_per_month: Some(pages),
            quiet_firings: Some(0),
        }
    }

    #[test]
    fn the_earliest_that_costs_little_is_proposed_and_of_equals_the_cheapest() {
        let now = || setting("as it is", Some(105), 0.1);
        let of = |others: Vec<Setting>| propose(&[vec![now()], others].concat(), 120);
        assert_eq!(of(vec![setting("a", Some(40), 0.6), setting("b", Some(41), 0.3)]), Some(2));
        assert_eq!(of(vec![setting("dear", Some(5), 3.0), setting("b", Some(60), 0.3)]), Some(2));
        assert_eq!(of(vec![setting("no gain", Some(103), 0.2), setting("silent", None, 0.2)]), None);
        // One that is silent as it is is held against when people noticed.
        let silent = [setting("as it is", None, 0.1), setting("late", Some(130), 0.2)];
        assert_eq!(propose(&silent, 120), None);
        let tuning = Tuning {
            rule: "r".into(),
            metric: Metric::NegativeShare,
            quiet: [instant(0), instant(1)],
            settings: vec![now(), setting("ten times the alpha", Some(40), 0.6)],
            proposed: Some(1),
        };
        assert_eq!(
            tuning.says(),
            "With ten times the alpha it would have fired 40 min after it began instead of 1 h 45 min, for 0.60 false \
             pages a month instead of 0.10."
        );
    }
}
