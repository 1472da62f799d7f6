//! Monitors as a face shows them: one line a rule, and one rule with all its groups.

use jiff::Timestamp;
use serde::Serialize;

use super::advance::{Brought, advance};
use super::evidence::{figure, instant};
use super::latency::times;
use super::pass::nobody_sends;
use super::price::expected;
use super::quality::smoothed;
use super::tell::{ReceiverView, receivers};
use super::world::{World, stands_at};
use crate::domain::monitor::{Apart, Group, Metric, Monitors, Rule, Silence, State, Times, Urgency};
use crate::domain::{Error, Result, Untrusted, nearest};
use crate::ops::Ctx;
use crate::ops::daily_sample::{SampleDay, today};
use crate::stats::EwmaPoint;

/// One rule: its state is that of the group that is worst, and so are its figures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MonitorView {
    /// Its name.
    pub id: String,
    /// What it measures.
    pub metric: Metric,
    /// How it decides.
    pub test: &'static str,
    /// How urgent its alerts are.
    pub severity: Urgency,
    /// Its state.
    pub state: State,
    /// False pages a month that it is to be expected to raise, over all its groups; `None`: not known.
    pub expected_false_pages_per_month: Option<f64>,
    /// The figure: a share, a ratio, US dollars, or expected requests.
    pub value: Option<f64>,
    /// Its 95 % interval.
    pub interval: Option<[f64; 2]>,
    /// What is usual or allowed.
    pub usual: Option<f64>,
    /// How many it is of.
    pub n: u64,
    /// How long the requests took, where that is what is measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency: Option<Times>,
    /// The figure in words.
    pub says: String,
    /// Since when the state holds.
    pub since: Option<Timestamp>,
    /// The silence that keeps its alerts from being told, if any.
    pub silenced_until: Option<Timestamp>,
    /// The groups, worst first.
    pub groups: Vec<GroupView>,
}

/// One rule on one group.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GroupView {
    /// The group.
    pub group: Group,
    /// How urgent its alerts are.
    pub severity: Urgency,
    /// Its state.
    pub state: State,
    /// Since when.
    pub since: Option<Timestamp>,
    /// As in [`MonitorView`].
    pub expected_false_pages_per_month: Option<f64>,
    /// As in [`MonitorView`].
    pub value: Option<f64>,
    /// As in [`MonitorView`].
    pub interval: Option<[f64; 2]>,
    /// As in [`MonitorView`].
    pub usual: Option<f64>,
    /// As in [`MonitorView`].
    pub n: u64,
    /// How many count against it.
    pub count: Option<u64>,
    /// The probability of this or worse when nothing changed.
    pub p_value: Option<f64>,
    /// The probability of a false alarm at one look, where the test has one.
    pub alpha: Option<f64>,
    /// The window: from and to.
    pub window: [Timestamp; 2],
    /// As in [`MonitorView`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency: Option<Times>,
    /// The figure in words.
    pub says: String,
}

/// One rule with all there is to know of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MonitorDetail {
    /// The line of the list.
    #[serde(flatten)]
    pub monitor: MonitorView,
    /// What its groups are: `feature`, `kind`, and what the traffic of a feature is told apart by.
    pub group_by: Vec<&'static str>,
    /// Its windows, in seconds.
    pub windows_seconds: Vec<i64>,
    /// How often it is looked at, in seconds.
    pub every_seconds: i64,
    /// How long it must be bad before it fires, in seconds.
    pub for_seconds: i64,
    /// How long it must be well before it is over, in seconds.
    pub hold_seconds: i64,
    /// Where it is well again; `None`: halfway between the usual value and that of the alarm.
    pub resolve_below: Option<f64>,
    /// Rules whose alert on the same feature keeps it from being told.
    pub inhibited_by: Vec<String>,
    /// Who is told, and what came of the last test.
    pub receivers: Vec<ReceiverView>,
    /// The runbook.
    pub runbook: Option<String>,
    /// Of judged shares: each day's share smoothed, with its limit.
    pub smoothed: Vec<EwmaPoint>,
    /// How the daily sample stands, of a rule over judged traces; `None` where none is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub daily_sample: Option<SampleDay>,
}

/// All rules.
#[derive(Debug, Clone, PartialEq)]
pub struct MonitorList {
    /// In the order of the configuration.
    pub monitors: Vec<MonitorView>,
    /// The knob.
    pub false_pages_per_month: f64,
    /// When the demonstration ended of which they speak; `None`: they speak of now.
    pub stands_at: Option<Timestamp>,
    /// What the rules that wake somebody are to be expected to raise, together.
    pub expected: f64,
    /// What to say where there are receivers and nobody tells them: no `watch` or `serve` runs. The open program
    /// keeps alerts and shows them, and tells nobody: whoever has it open sees them.
    pub nobody_tells: Option<String>,
}

/// Every rule as it stands now. Changes nothing: `tuesday watch` keeps what is found.
pub fn list(ctx: &Ctx, monitors: &Monitors) -> Result<MonitorList> {
    let advanced = advance(ctx, monitors)?;
    let silences = ctx.store.silences(ctx.clock.now())?;
    let of_rule = |rule: &Rule| {
        let mine = advanced.all.iter().filter(|one| std::ptr::eq(one.of.rule, rule));
        view(ctx, rule, mine, &advanced.world, &silences)
    };
    let all: Vec<MonitorView> = monitors.rules.iter().map(of_rule).collect::<Result<_>>()?;
    let groups = all.iter().flat_map(|one| &one.groups);
    let pages = groups.filter(|one| one.severity == Urgency::Page);
    let expected = pages.filter_map(|one| one.expected_false_pages_per_month).sum();
    let (false_pages_per_month, stands_at) = (monitors.false_pages_per_month, stands_at(ctx)?);
    let nobody_tells = nobody_sends(ctx, monitors)?;
    Ok(MonitorList { monitors: all, false_pages_per_month, stands_at, expected, nobody_tells })
}

/// One rule with its groups and receivers. `NotSo` when there is none of this name.
pub fn show(ctx: &Ctx, monitors: &Monitors, id: &str) -> Result<MonitorDetail> {
    let rule = rule(monitors, id)?;
    let only = Monitors { rules: monitors.rules.clone(), ..monitors.clone() };
    let advanced = advance(ctx, &only)?;
    let silences = ctx.store.silences(ctx.clock.now())?;
    let mine = || advanced.all.iter().filter(|one| one.of.rule.id == rule.id);
    let smoothed = mine().next().map(|one| smoothed(&one.of, &one.life, &advanced.world)).unwrap_or_default();
    Ok(MonitorDetail {
        monitor: view(ctx, rule, mine(), &advanced.world, &silences)?,
        group_by: group_by(rule),
        windows_seconds: rule.windows.iter().map(|ms| ms / 1000).collect(),
        every_seconds: rule.step() / 1000,
        for_seconds: rule.hold_before / 1000,
        hold_seconds: rule.resolve.hold / 1000,
        resolve_below: rule.resolve.below,
        inhibited_by: rule.inhibited_by.clone(),
        receivers: receivers(ctx, monitors, rule)?,
        runbook: rule.runbook.clone(),
        smoothed,
        daily_sample: if rule.metric == Metric::FailShare { today(ctx)? } else { None },
    })
}

fn group_by(rule: &Rule) -> Vec<&'static str> {
    let feature = (rule.metric != Metric::Spend || rule.feature.is_some()).then_some("feature");
    let kind = matches!(rule.metric, Metric::ErrorShare(_)).then_some("kind");
    [feature, kind, rule.apart.map(Apart::name)].into_iter().flatten().collect()
}

/// The rule of this name.
pub(super) fn rule<'m>(monitors: &'m Monitors, id: &str) -> Result<&'m Rule> {
    monitors.rules.iter().find(|rule| rule.id == id).ok_or_else(|| {
        let ids: Vec<&str> = monitors.rules.iter().map(|rule| rule.id.as_str()).collect();
        let error = Error::not_so(format!("There is no monitor {id}."));
        match nearest(id, ids.iter().copied()) {
            Some(near) => error.hint(format!("Did you mean {near}?")),
            None => error.hint(format!("There are: {}.", ids.join(", "))),
        }
    })
}

fn view<'a>(
    ctx: &Ctx,
    rule: &Rule,
    brought: impl Iterator<Item = &'a Brought<'a>>,
    world: &World,
    silences: &[Silence],
) -> Result<MonitorView> {
    let mut groups: Vec<GroupView> = brought.map(|one| group(ctx, one, world)).collect::<Result<_>>()?;
    groups.sort_by(|a, b| {
        let surprise = |one: &GroupView| one.p_value.unwrap_or(1.0);
        b.state.cmp(&a.state).then(b.severity.cmp(&a.severity)).then(surprise(a).total_cmp(&surprise(b)))
    });
    let prices: Vec<f64> = groups.iter().filter_map(|one| one.expected_false_pages_per_month).collect();
    let worst = groups.first();
    let at = instant(world.now);
    let silence = silences.iter().find(|one| groups.iter().any(|of| one.covers(&rule.id, &of.group, at)));
    Ok(MonitorView {
        id: rule.id.clone(),
        metric: rule.metric,
        test: rule.test.name(),
        severity: groups.iter().map(|one| one.severity).max().unwrap_or(rule.severity),
        state: worst.map_or(State::NoData, |one| one.state),
        expected_false_pages_per_month: (!prices.is_empty()).then(|| prices.iter().sum()),
        value: worst.and_then(|one| one.value),
        interval: worst.and_then(|one| one.interval),
        usual: worst.and_then(|one| one.usual),
        n: worst.map_or(0, |one| one.n),
        latency: worst.and_then(|one| one.latency),
        says: worst.map_or_else(|| "no traffic".to_owned(), |one| one.says.clone()),
        since: worst.and_then(|one| one.since),
        silenced_until: silence.map(|one| one.until),
        groups,
    })
}

fn group(ctx: &Ctx, one: &Brought<'_>, world: &World) -> Result<GroupView> {
    let Brought { of, life, look } = one;
    use crate::domain::monitor::Test;
    let has_alpha = matches!(of.rule.test, Test::Share { .. } | Test::Ratio { .. });
    let latency = times(ctx, of, look.window)?;
    Ok(GroupView {
        group: of.group.clone(),
        severity: of.severity,
        state: life.state(),
        since: life
            .paused_at
            .map(|at| at.min(world.clock))
            .or((life.since > 0).then_some(life.since))
            .map(instant),
        expected_false_pages_per_month: expected(of, life, world),
        value: look.value,
        interval: look.interval,
        usual: look.usual,
        n: look.n,
        count: look.count,
        p_value: look.p_value,
        alpha: has_alpha.then_some(of.alpha),
        window: [instant(look.window.0), instant(look.window.1)],
        says: figure(of, look, latency.as_ref()),
        latency,
    })
}

/// The values of a group, for people: `customer_support · timeout`.
pub fn group_words(group: &Group) -> String {
    let values: Vec<&str> = group.values().map(Untrusted::raw).collect();
    values.join(" · ")
}
