//! Figures over time: the trend of each figure, and what the charts show of the window.

use jiff::Timestamp;
use serde::Serialize;

use super::quality::Judged;
use super::scope::{Chosen, failed, instant, slower, took};
use super::{WEEK_HOURS, cost, figure, group, share, whole};
use crate::domain::{FailureKind, Query, Result, Untrusted};
use crate::ops::Ctx;
use crate::stats::Sketch;
use crate::store::{Detail, HOUR_MS, HourRow, Sums};
use crate::text::figures::{axis_top, duration};

/// Points of a trend: the hours of seven days, or as many parts of 28 days.
pub const POINTS: usize = 168;
/// Milliseconds of a day.
const DAY_MS: i64 = 24 * HOUR_MS;
/// Days whose cost is shown.
const DAYS: i64 = 28;
/// About how many bars a histogram has.
const BARS: f64 = 16.0;

/// Figures by equal steps, oldest first; the last step is the one that is not over. `None` where a step has
/// nothing to say.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Series {
    /// Start of the first step.
    pub from: Timestamp,
    /// Length of a step, in hours.
    pub step_hours: i64,
    /// Requests.
    pub requests: Vec<u64>,
    /// Share that failed.
    pub error_rate: Vec<Option<f64>>,
    /// 95th percentile of the time, in milliseconds.
    pub p95_latency_ms: Vec<Option<f64>>,
    /// Mean cost, in US dollars.
    pub cost_per_request_usd: Vec<Option<f64>>,
    /// Share of thumbs that are up.
    pub satisfaction: Vec<Option<f64>>,
    /// Share that a fallback answered.
    pub fallback_rate: Vec<Option<f64>>,
    /// Share that is good of what was judged, weighted.
    pub quality: Vec<Option<f64>>,
}

/// A part of the window on the axis of time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bucket {
    /// Its start.
    pub from: Timestamp,
    /// Its end; of the last one, when it will be over.
    pub to: Timestamp,
    /// Requests.
    pub requests: u64,
    /// Failed with no answer in time.
    pub timeout: u64,
    /// Refused for volume.
    pub rate_limit: u64,
    /// Refused for content.
    pub content_policy: u64,
    /// Failed otherwise.
    pub other: u64,
    /// Median time, in milliseconds.
    pub p50_latency_ms: Option<f64>,
    /// 95th percentile of the time.
    pub p95_latency_ms: Option<f64>,
    /// 99th percentile of the time.
    pub p99_latency_ms: Option<f64>,
    /// The query of its traces.
    pub query: Query,
}

impl Bucket {
    /// Failed requests.
    pub fn errors(&self) -> u64 {
        self.timeout + self.rate_limit + self.content_policy + self.other
    }

    /// The query of its failed requests, of one kind or of any.
    pub fn failed(&self, kind: Option<FailureKind>) -> Query {
        self.query.clone().with(failed(kind))
    }

    /// The query of those that took as long as its 95th percentile, or longer.
    pub fn slow(&self) -> Query {
        match self.p95_latency_ms {
            Some(ms) => self.query.clone().with(slower(ms)),
            None => self.query.clone(),
        }
    }
}

/// A bar of the histogram of times: longer than `from_ms`, and at most `to_ms`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bar {
    /// Lower end, in milliseconds, not included.
    pub from_ms: f64,
    /// Upper end, included; `None` in the last bar.
    pub to_ms: Option<f64>,
    /// Requests, but for those that lie within 2 % of the ends.
    pub requests: u64,
    /// The query of them.
    pub query: Query,
}

/// What a day of UTC cost.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Day {
    /// Its start.
    pub day: Timestamp,
    /// Requests.
    pub requests: u64,
    /// The sum of known costs, in US dollars.
    pub cost_usd: f64,
    /// The query of its traces.
    pub query: Query,
}

/// A model or a prompt version that was first seen in traffic, or a deployment that somebody marked.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Mark {
    /// The hour in which it was; of a deployment, when it was.
    pub at: Timestamp,
    /// What it is.
    pub kind: MarkKind,
    /// Its name: `gpt-4o`, `customer_support@v4`; of a deployment, what was noted.
    pub name: Untrusted,
}

/// What a mark is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MarkKind {
    /// A model.
    Model,
    /// A prompt version.
    PromptVersion,
    /// A deployment that somebody marked.
    Deploy,
}

/// The sums of hours, all that is drawn over time being made of them.
pub(super) struct Hours {
    first: i64,
    sums: Vec<Sums>,
}

impl Hours {
    /// Reads the hours that a trend and a window of so many hours need, up to the present one.
    pub(super) fn read(ctx: &Ctx, chosen: &Chosen, hours: i64, now: i64) -> Result<Self> {
        let last = now.div_euclid(HOUR_MS);
        let first = if hours <= WEEK_HOURS {
            last - WEEK_HOURS + 1
        } else {
            // From a midnight, so that days are whole.
            (last - DAYS * 24 + 1).div_euclid(24) * 24
        };
        let many = usize::try_from(last - first + 1).unwrap_or(0);
        let mut read = Self { first, sums: vec![Sums::default(); many] };
        ctx.store.each_hour(Detail::Whole, chosen.cut, (first, last), |hour| read.offer(hour))?;
        Ok(read)
    }

    /// Start of the first hour, in milliseconds since the epoch.
    pub(super) fn begin(&self) -> i64 {
        self.first * HOUR_MS
    }

    fn offer(&mut self, hour: &HourRow<'_>) {
        let at = usize::try_from(hour.hour - self.first).ok();
        if let Some(sums) = at.and_then(|at| self.sums.get_mut(at)) {
            sums.add_hour(hour);
        }
    }

    /// Parts of so many hours, oldest first: the start of the first, and their sums. The last holds the present
    /// hour; parts of a day begin at midnight.
    fn steps(&self, step: i64, most: usize) -> (i64, Vec<Sums>) {
        let end = self.first + self.sums.len() as i64;
        let end = if step == 24 { (end - 1).div_euclid(24) * 24 + 24 } else { end };
        let many = ((end - self.first) / step).min(most as i64);
        let first = end - many * step;
        let mut steps = vec![Sums::default(); usize::try_from(many).unwrap_or(0)];
        for (hour, sums) in (self.first..).zip(&self.sums) {
            let at = usize::try_from((hour - first).div_euclid(step)).ok();
            if let Some(of) = at.and_then(|at| steps.get_mut(at)) {
                of.add(sums);
            }
        }
        (first * HOUR_MS, steps)
    }

    /// The trend.
    pub(super) fn series(&self, judged: &Judged) -> Series {
        let step = if self.sums.len() > POINTS { DAYS * 24 / POINTS as i64 } else { 1 };
        let (from, steps) = self.steps(step, POINTS);
        let of = |figure: &dyn Fn(&Sums) -> Option<f64>| steps.iter().map(figure).collect();
        let width = step * HOUR_MS;
        Series {
            from: instant(from),
            step_hours: step,
            requests: steps.iter().map(|sums| whole(sums.requests)).collect(),
            error_rate: of(&|sums| share(sums.errors(), sums.requests)),
            p95_latency_ms: of(&|sums| sums.latency.quantile(0.95)),
            cost_per_request_usd: of(&cost),
            satisfaction: of(&|sums| share(sums.ups, sums.ups + sums.downs)),
            fallback_rate: of(&|sums| share(sums.fallbacks, sums.requests)),
            quality: (0..steps.len() as i64)
                .map(|n| (from + n * width, from + (n + 1) * width))
                .map(|window| judged.rate(window, |_| true).estimate.map(|of| of.rate))
                .collect(),
        }
    }

    /// The window in parts: of five minutes up to an hour, of an hour up to two days, of four hours up to
    /// seven days, else of a day.
    pub(super) fn timeline(&self, ctx: &Ctx, chosen: &Chosen, hours: i64, now: i64) -> Result<Vec<Bucket>> {
        let (from, step, parts) = if hours <= 1 {
            let step = HOUR_MS / 12;
            let to = (now.div_euclid(step) + 1) * step;
            let from = to - hours * HOUR_MS;
            (from, step, ctx.store.parts(chosen.cut, (from, to), step)?)
        } else {
            let step = match hours {
                ..=48 => 1,
                49..=WEEK_HOURS => 4,
                _ => 24,
            };
            let (from, parts) = self.steps(step, usize::try_from((hours + step - 1) / step).unwrap_or(1));
            (from, step * HOUR_MS, parts)
        };
        let bucket = |(n, sums): (i64, Sums)| {
            let (from, to) = (from + n * step, from + (n + 1) * step);
            Bucket {
                from: instant(from),
                to: instant(to),
                requests: whole(sums.requests),
                timeout: whole(sums.timeouts),
                rate_limit: whole(sums.rate_limits),
                content_policy: whole(sums.content_policy),
                other: whole(sums.other_errors),
                p50_latency_ms: sums.latency.quantile(0.5),
                p95_latency_ms: sums.latency.quantile(0.95),
                p99_latency_ms: sums.latency.quantile(0.99),
                query: chosen.within(from, to),
            }
        };
        Ok((0..).zip(parts).map(bucket).collect())
    }
}

/// The cost of each of the last 28 days, oldest first; today is not over.
pub(super) fn days(ctx: &Ctx, chosen: &Chosen, now: i64) -> Result<Vec<Day>> {
    let today = now.div_euclid(DAY_MS);
    let read = ctx.store.days(chosen.cut, (today - DAYS + 1, today))?;
    let day = |n: i64| {
        let of = read.iter().find(|(day, _)| *day == n).map(|(_, sums)| sums);
        Day {
            day: instant(n * DAY_MS),
            requests: of.map_or(0, |sums| whole(sums.requests)),
            cost_usd: of.map_or(0.0, |sums| sums.cost_nusd as f64 / figure::NUSD),
            query: chosen.within(n * DAY_MS, (n + 1) * DAY_MS),
        }
    };
    Ok((today - DAYS + 1..=today).map(day).collect())
}

/// The times of a window in bars of equal width up to the 99th percentile, and one for the rest.
pub(super) fn histogram(times: &Sketch, chosen: &Chosen, (from, to): (i64, i64)) -> Vec<Bar> {
    let Some(top) = times.quantile(0.99).filter(|top| *top > 0.0) else { return Vec::new() };
    let width = round_step(top / BARS);
    let bars = (top / width).ceil() as u32;
    let base = chosen.within(from, to);
    let mut below = 0;
    let mut all: Vec<Bar> = (0..bars)
        .map(|n| {
            let (from_ms, to_ms) = (f64::from(n) * width, f64::from(n + 1) * width);
            let upto = times.at_most(to_ms);
            let requests = upto - below;
            below = upto;
            Bar {
                from_ms,
                to_ms: Some(to_ms),
                requests,
                query: base.clone().with(took(from_ms, Some(to_ms))),
            }
        })
        .collect();
    if times.count() > below {
        let from_ms = f64::from(bars) * width;
        let query = base.with(took(from_ms, None));
        all.push(Bar { from_ms, to_ms: None, requests: times.count() - below, query });
    }
    all
}

/// The least of 1, 2, 2.5, 5 or 10 times a power of ten that is not below this.
fn round_step(least: f64) -> f64 {
    let power = 10f64.powf(least.log10().floor());
    [1.0, 2.0, 2.5, 5.0, 10.0].map(|n| n * power).into_iter().find(|step| *step >= least).unwrap_or(least)
}

/// What was first seen in these hours, both included, and what people marked, in the order of time.
pub(super) fn marks(ctx: &Ctx, chosen: &Chosen, hours: (i64, i64)) -> Result<Vec<Mark>> {
    let mut marks: Vec<Mark> = Vec::new();
    for debut in ctx.store.debuts(chosen.cut, hours)? {
        let slice = debut.slice;
        let (kind, name) = if slice.model == 0 {
            let (prompt, version) = ctx.store.slice_names(slice)?;
            (MarkKind::PromptVersion, group::prompt_name(&prompt, &version))
        } else {
            (MarkKind::Model, ctx.store.name_text(slice.model)?)
        };
        let Some(name) = name else { continue };
        let mark = Mark { at: instant(debut.hour * HOUR_MS), kind, name };
        // Two features may have it from the same hour on.
        if !marks.contains(&mark) {
            marks.push(mark);
        }
    }
    let feature = chosen.feature.as_ref().map(Untrusted::raw);
    let times = (hours.0 * HOUR_MS, (hours.1 + 1) * HOUR_MS - 1);
    let noted = ctx.store.marks(feature, times)?;
    marks.extend(noted.into_iter().map(|row| Mark { at: row.at, kind: MarkKind::Deploy, name: row.text }));
    marks.sort_by_key(|mark| mark.at);
    Ok(marks)
}

/// The axis of a chart of the times. A few requests that hung would press all others flat, so that it goes to three
/// times the greatest p95 at most.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimesAxis {
    /// Where it ends, in milliseconds.
    pub top: f64,
    beyond: bool,
}

impl TimesAxis {
    /// The axis for these parts of a window.
    pub fn of(timeline: &[Bucket]) -> Self {
        let most =
            |figure: fn(&Bucket) -> Option<f64>| timeline.iter().filter_map(figure).fold(0.0, f64::max);
        let (p95, p99) = (most(|of| of.p95_latency_ms), most(|of| of.p99_latency_ms));
        let top = axis_top(p99.min(p95 * 3.0));
        Self { top, beyond: p99 > top }
    }

    /// A figure beside it: `4.0 s`, and `8.0 s+` at the end where some lie beyond.
    pub fn tick(&self, ms: f64) -> String {
        match ms {
            ms if ms <= 0.0 => "0".to_owned(),
            ms if self.beyond && ms >= self.top => format!("{}+", duration(ms)),
            ms => duration(ms),
        }
    }
}

/// `1.0 s to 1.5 s`, `more than 5.0 s`: the times of a bar.
pub fn range_words(bar: &Bar) -> String {
    match bar.to_ms {
        Some(to) if bar.from_ms > 0.0 => format!("{} to {}", duration(bar.from_ms), duration(to)),
        Some(to) => format!("up to {}", duration(to)),
        None => format!("more than {}", duration(bar.from_ms)),
    }
}

/// A series in fewer slots, for a line of few columns: the mean of the steps that have something to say, each
/// as heavy as its requests; NaN where none has.
pub fn condensed(values: &[Option<f64>], requests: &[u64], slots: usize) -> Vec<f64> {
    let each = values.len().div_ceil(slots.max(1)).max(1);
    values
        .chunks(each)
        .zip(requests.chunks(each))
        .map(|(values, requests)| {
            let known = || values.iter().zip(requests).filter_map(|(v, n)| Some(((*v)?, *n as f64)));
            let weight: f64 = known().map(|(_, n)| n).sum();
            known().map(|(v, n)| v * n).sum::<f64>() / weight
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round() {
        assert_eq!(
            [0.9, 1.0, 13.0, 230.0, 2500.0, 2501.0].map(round_step),
            [1.0, 1.0, 20.0, 250.0, 2500.0, 5000.0]
        );
    }

    #[test]
    fn a_line_of_few_columns_weighs_by_requests() {
        let slots = condensed(&[Some(1.0), Some(3.0), None, None], &[1, 3, 5, 0], 2);
        assert!((slots[0] - 2.5).abs() < 1e-12 && slots[1].is_nan(), "{slots:?}");
    }
}
