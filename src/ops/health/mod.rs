//! The health of a feature at a glance: the figures of a window that ends now, each against an earlier one of
//! the same length; the window told apart by version, model, language or feature; and what charts show.
//!
//! All comes from the hourly figures that are kept at import, so that it costs the same at ten thousand
//! and at ten million traces; only the parts of an hour at the window's edges, and the minutes of a window of
//! an hour, are counted from columns. The quality score comes from what people and judges said of
//! sampled traces.

mod during;
mod figure;
mod group;
mod page;
mod quality;
mod recent;
mod scope;
mod series;
mod svg;
#[cfg(test)]
mod tests;
mod window;

use jiff::Timestamp;
use serde::Serialize;

use super::daily_sample::{SampleDay, today};
use super::{Ctx, reread};
use crate::domain::query::Term;
use crate::domain::{Error, Result, Untrusted};
use crate::store::{Detail, HOUR_MS, Sums};
use figure::{Better, money, rate, time, weighted};
use quality::Judged;
use scope::{Chosen, dearer, down, failed, instant, slower};
use series::Hours;
use window::Window;

pub(in crate::ops) use during::{Moment, before_and_during, during};
pub use figure::{Figure, Verdict};
pub use group::{By, GroupView};
pub(in crate::ops) use page::render;
pub use page::write_page;
pub use quality::JudgedBy;
pub use recent::{Recent, recent};
pub use scope::{Only, Scope};
#[cfg(test)]
use series::MarkKind;
pub use series::{Bar, Bucket, Day, Mark, Series, TimesAxis, condensed, range_words};
pub use window::traffic;

pub(in crate::ops) use svg::Chart;

/// Hours of a week.
const WEEK_HOURS: i64 = 168;
/// The longest window.
pub const LONGEST_HOURS: i64 = 4 * WEEK_HOURS;

/// What is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthSpec {
    /// Whose.
    pub scope: Scope,
    /// What of it.
    pub only: Only,
    /// How long the window is, in hours: 1 to 672.
    pub hours: i64,
    /// What it is held against.
    pub against: Against,
    /// What it is told apart by.
    pub by: By,
}

impl Default for HealthSpec {
    fn default() -> Self {
        Self {
            scope: Scope::All,
            only: Only::default(),
            hours: 24,
            against: Against::default(),
            by: By::default(),
        }
    }
}

/// What a window is held against.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Against {
    /// The same time a week before; of a window longer than a week, so many weeks before that the two do not
    /// overlap.
    #[default]
    LastWeek,
    /// The time just before it.
    Previous,
}

impl Against {
    /// How much earlier that is than a window of so many hours, in hours.
    fn earlier(self, hours: i64) -> i64 {
        match self {
            Self::LastWeek => (hours + WEEK_HOURS - 1) / WEEK_HOURS * WEEK_HOURS,
            Self::Previous => hours,
        }
    }

    /// As the head of a column: `last week`, `4 weeks ago`, `before`.
    pub fn title(self, hours: i64) -> String {
        match (self, Self::LastWeek.earlier(hours) / WEEK_HOURS) {
            (Self::Previous, _) => "before".to_owned(),
            (Self::LastWeek, 1) => "last week".to_owned(),
            (Self::LastWeek, weeks) => format!("{weeks} weeks ago"),
        }
    }
}

/// A window in words: `last hour`, `last 24 h`, `last 7 days`.
pub fn window_words(hours: i64) -> String {
    match hours {
        1 => "last hour".to_owned(),
        hours if hours > 48 && hours % 24 == 0 => format!("last {} days", hours / 24),
        hours => format!("last {hours} h"),
    }
}

/// A window and what it is held against, in words: `last 24 h against the same time last week`.
pub fn against_words(hours: i64, against: Against) -> String {
    let window = window_words(hours);
    let before = &window["last ".len()..];
    match (against, hours) {
        (Against::Previous, 1) => format!("{window} against the hour before"),
        (Against::Previous, _) | (Against::LastWeek, WEEK_HOURS | LONGEST_HOURS) => {
            format!("{window} against the {before} before")
        }
        (Against::LastWeek, hours) => match against.earlier(hours) / WEEK_HOURS {
            1 => format!("{window} against the same time last week"),
            weeks => format!("{window} against the same time {weeks} weeks ago"),
        },
    }
}

/// The figures of a window.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HealthView {
    /// The feature; `None` for all traffic, and for traces that name none.
    pub feature: Option<Untrusted>,
    /// Only this model's traffic.
    pub model: Option<Untrusted>,
    /// Only this prompt's.
    pub prompt: Option<Untrusted>,
    /// Only this prompt version's.
    pub prompt_version: Option<Untrusted>,
    /// Only in this language.
    pub language: Option<Untrusted>,
    /// Start of the window.
    pub since: Timestamp,
    /// End of the window: now.
    pub until: Timestamp,
    /// Length of the window.
    pub hours: i64,
    /// What it is held against.
    pub against: Against,
    /// Requests; without a better or worse.
    pub requests: Figure<u64>,
    /// Share of requests that failed.
    pub error_rate: Figure<f64>,
    /// The failed requests by kind.
    pub errors: Errors,
    /// 95th percentile of the time a request took, in milliseconds, within 1 %.
    pub p95_latency_ms: Figure<f64>,
    /// Mean cost of the requests whose cost is known, in US dollars.
    pub cost_per_request_usd: Figure<f64>,
    /// Share of thumbs that are up.
    pub satisfaction: Figure<f64>,
    /// Share of requests that a fallback answered.
    pub fallback_rate: Figure<f64>,
    /// Share of good answers, of what was sampled and judged, weighted by the draw.
    pub quality: Figure<f64>,
    /// Who judged them.
    pub judged: JudgedBy,
    /// What the groups are told apart by.
    pub by: By,
    /// The window's traffic by group, most requests first.
    pub groups: Vec<GroupView>,
    /// Older answers were read for fallbacks by other patterns than the configuration's: the rate of the past may
    /// be another.
    pub fallback_patterns_differ: bool,
    /// How the daily sample stands, of all features; `None` where none is asked for.
    pub daily_sample: Option<SampleDay>,
    /// The trend of seven days, or of 28 for a window longer than that.
    pub series: Series,
    /// The window in parts.
    pub timeline: Vec<Bucket>,
    /// The times that requests took.
    pub histogram: Vec<Bar>,
    /// The cost of each of 28 days.
    pub days: Vec<Day>,
    /// Models and prompt versions first seen in those days, oldest first.
    pub marks: Vec<Mark>,
    /// The features with traffic in the window, busiest first.
    pub features: Vec<FeatureView>,
}

/// Failed requests by kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Errors {
    /// No answer in time.
    pub timeout: u64,
    /// Refused for volume.
    pub rate_limit: u64,
    /// Refused for content.
    pub content_policy: u64,
    /// Anything else.
    pub other: u64,
}

/// A feature and its requests in the hours that the window touches.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FeatureView {
    /// Its name; `None` for traces that name none.
    pub feature: Option<Untrusted>,
    /// Requests in those hours.
    pub requests: u64,
}

impl Errors {
    /// Each kind in words, with its number.
    pub fn kinds(&self) -> [(&'static str, u64); 4] {
        [
            ("timeout", self.timeout),
            ("rate limit", self.rate_limit),
            ("content policy", self.content_policy),
            ("other", self.other),
        ]
    }
}

impl HealthView {
    /// What of the feature's traffic is shown, each part in words: `model gpt-4o`, `prompt support@v4`.
    pub fn only(&self) -> Vec<String> {
        let prompt = group::prompt_name(&self.prompt, &self.prompt_version);
        [("model", &self.model), ("prompt", &prompt), ("language", &self.language)]
            .into_iter()
            .filter_map(|(what, name)| Some(format!("{what} {}", name.as_ref()?.raw())))
            .collect()
    }
}

/// The health of a feature, or of all traffic. Errors with `NotSo` for a name that no trace has, with
/// `Usage` for a window that is too long.
pub fn health(ctx: &Ctx, spec: &HealthSpec) -> Result<HealthView> {
    if !(1..=LONGEST_HOURS).contains(&spec.hours) {
        return Err(Error::usage(format!("A window of {} hours cannot be shown.", spec.hours))
            .hint("Choose one from 1h to 28d."));
    }
    let now = ctx.clock.now().as_millisecond();
    let (from, to) = (now - spec.hours * HOUR_MS, now);
    let features = ctx.store.features(from.div_euclid(HOUR_MS), to.div_euclid(HOUR_MS))?;
    let chosen = Chosen::find(ctx, &spec.scope, &spec.only, &features)?;
    let earlier = spec.against.earlier(spec.hours) * HOUR_MS;
    let mut present = Window::new(from, to, now);
    let mut previous = Window::new(from - earlier, to - earlier, now);
    present.read(ctx, spec.by.detail(), chosen.cut)?;
    previous.read(ctx, Detail::Whole, chosen.cut)?;
    let hours = Hours::read(ctx, &chosen, spec.hours, now)?;
    let judged = Judged::since(ctx, &chosen.cut, (from - earlier).min(hours.begin()))?;
    let days = series::days(ctx, &chosen, now)?;
    let first_day = days.first().map_or(from, |day| day.day.as_millisecond());

    let (p, q) = (&present.all, &previous.all);
    let query = |term: Term| chosen.within(from, to).with(term);
    let errors = |sums: &Sums| (sums.errors(), sums.requests);
    let thumbs = |sums: &Sums| (sums.ups, sums.ups + sums.downs);
    let fallbacks = |sums: &Sums| (sums.fallbacks, sums.requests);
    let mut groups = Vec::new();
    for (slice, sums) in &present.slices {
        let within = (&chosen, (from, to));
        groups.push(GroupView::of(ctx, spec.by, (*slice, sums), p.requests, &judged, within)?);
    }
    groups.sort_by_key(|group| std::cmp::Reverse(group.requests));
    let quality = judged.rate((from, to), |_| true);
    Ok(HealthView {
        feature: chosen.feature.clone(),
        model: spec.only.model.clone(),
        prompt: spec.only.prompt.clone(),
        prompt_version: spec.only.version.clone(),
        language: spec.only.language.clone(),
        since: instant(from),
        until: instant(to),
        hours: spec.hours,
        against: spec.against,
        requests: figure::requests(p.requests, q.requests, chosen.within(from, to)),
        error_rate: rate(errors(p), errors(q), Better::Lower, query(failed(None))),
        errors: Errors {
            timeout: whole(p.timeouts),
            rate_limit: whole(p.rate_limits),
            content_policy: whole(p.content_policy),
            other: whole(p.other_errors),
        },
        p95_latency_ms: time(&p.latency, &q.latency, |ms| query(slower(ms))),
        cost_per_request_usd: money(&present.costs(), &previous.costs(), |usd| query(dearer(usd))),
        satisfaction: rate(thumbs(p), thumbs(q), Better::Higher, query(down())),
        fallback_rate: rate(fallbacks(p), fallbacks(q), Better::Lower, query(Term::Fallback(vec![true]))),
        judged: judged.by((from, to), &quality),
        fallback_patterns_differ: reread::is_behind(ctx)?,
        daily_sample: today(ctx)?,
        quality: weighted(
            &quality,
            &judged.rate((from - earlier, to - earlier), |_| true),
            judged.failed(chosen.within(from, to)),
        ),
        by: spec.by,
        groups,
        series: hours.series(&judged),
        timeline: hours.timeline(ctx, &chosen, spec.hours, now)?,
        histogram: series::histogram(&p.latency, &chosen, (from, to)),
        marks: series::marks(ctx, &chosen, (first_day.div_euclid(HOUR_MS), now.div_euclid(HOUR_MS)))?,
        days,
        features: features
            .into_iter()
            .map(|of| FeatureView { feature: of.name, requests: whole(of.requests) })
            .collect(),
    })
}

fn share(part: i64, whole: i64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

fn cost(sums: &Sums) -> Option<f64> {
    share(sums.cost_nusd, sums.priced).map(|nusd| nusd / figure::NUSD)
}

fn whole(n: i64) -> u64 {
    n.max(0).cast_unsigned()
}
