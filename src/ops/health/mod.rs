//! The health of a feature at a glance: the figures of a window that ends now, against the same window
//! a week before, the hours of seven days, and the traffic by prompt version.
//!
//! All comes from the hourly figures that are kept at import, so that it costs the same at ten thousand
//! and at ten million traces; only the parts of an hour at the window's edges are counted from rows.

mod figure;
mod recent;
#[cfg(test)]
mod tests;
mod window;

use jiff::Timestamp;
use serde::Serialize;

use super::Ctx;
use crate::domain::query::{FeedbackWord, NameField, NumberField, NumberTest, PromptRef, Term, TimeBound};
use crate::domain::query::{TimeRange, Word};
use crate::domain::{Error, Query, Result, Status, Untrusted, nearest};
use crate::store::{Detail, FeatureTraffic, HOUR_MS, HourRow, Slice, Sums};
use figure::{Better, money, rate, time};
use window::Window;

pub use figure::{Figure, Verdict};
pub use recent::{Recent, recent};

/// Hours of the series: seven days.
pub const SERIES_HOURS: usize = 168;
/// A window is held against the same one so much earlier.
const WEEK_HOURS: i64 = 168;

/// Whose health is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Scope {
    /// All traffic.
    #[default]
    All,
    /// The feature with most requests in the window.
    Busiest,
    /// This feature.
    Feature(Untrusted),
}

/// What is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthSpec {
    /// Whose.
    pub scope: Scope,
    /// How long the window is, in hours: 1 to 168.
    pub hours: i64,
}

impl Default for HealthSpec {
    fn default() -> Self {
        Self { scope: Scope::All, hours: 24 }
    }
}

/// The figures of a window.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HealthView {
    /// The feature; `None` for all traffic, and for traces that name none.
    pub feature: Option<Untrusted>,
    /// Start of the window.
    pub since: Timestamp,
    /// End of the window: now.
    pub until: Timestamp,
    /// Length of the window.
    pub hours: i64,
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
    /// The window's traffic by prompt version, most requests first.
    pub versions: Vec<VersionView>,
    /// Seven days by the hour.
    pub series: Series,
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

/// One prompt version's figures in the window.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VersionView {
    /// The prompt.
    pub prompt: Option<Untrusted>,
    /// Its version.
    pub version: Option<Untrusted>,
    /// Requests.
    pub requests: u64,
    /// Share of them that failed.
    pub error_rate: Option<f64>,
    /// 95th percentile of their time.
    pub p95_latency_ms: Option<f64>,
    /// Mean of their known costs.
    pub cost_per_request_usd: Option<f64>,
    /// Share of their thumbs that are up.
    pub satisfaction: Option<f64>,
    /// How many thumbs those are.
    pub thumbs: u64,
    /// Share of them that a fallback answered.
    pub fallback_rate: Option<f64>,
    /// The query of its traces in the window.
    pub query: Query,
}

/// Figures by the hour, oldest first; the last hour is the one that is not over. `None` where an hour
/// has nothing to say.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Series {
    /// Start of the first hour.
    pub from: Timestamp,
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
}

/// A feature and its requests in the hours that the window touches.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FeatureView {
    /// Its name; `None` for traces that name none.
    pub feature: Option<Untrusted>,
    /// Requests in those hours.
    pub requests: u64,
}

/// The health of a feature, or of all traffic. Errors with `NotSo` for a feature that no trace names, with
/// `Usage` for a window that is too long to be held against the week before.
pub fn health(ctx: &Ctx, spec: &HealthSpec) -> Result<HealthView> {
    if !(1..=WEEK_HOURS).contains(&spec.hours) {
        return Err(Error::usage(format!("A window of {} hours cannot be shown.", spec.hours))
            .hint("Choose one from 1h to 7d."));
    }
    let now = ctx.clock.now().as_millisecond();
    let (from, to) = (now - spec.hours * HOUR_MS, now);
    let features = ctx.store.features(from.div_euclid(HOUR_MS), to.div_euclid(HOUR_MS))?;
    let (feature, name) = choose(ctx, &spec.scope, &features)?;
    let week = WEEK_HOURS * HOUR_MS;
    let current_hour = to.div_euclid(HOUR_MS);
    let mut series = HourSeries::new(current_hour);
    let seven_days = (series.first, current_hour);
    ctx.store.each_hour(Detail::Features, feature, seven_days, |hour| series.offer(hour))?;
    let mut present = Window::new(from, to, now);
    let mut previous = Window::new(from - week, to - week, now);
    for window in [&mut present, &mut previous] {
        ctx.store.each_hour(Detail::Versions, feature, window.hours(), |hour| window.add(hour))?;
    }
    present.close(ctx, feature)?;
    previous.close(ctx, feature)?;
    let scope = Opens::new(&spec.scope, feature, name.clone(), from, to);

    let (p, q) = (&present.all, &previous.all);
    let errors = |sums: &Sums| (sums.errors(), sums.requests);
    let thumbs = |sums: &Sums| (sums.ups, sums.ups + sums.downs);
    let fallbacks = |sums: &Sums| (sums.fallbacks, sums.requests);
    let mut versions = Vec::new();
    for (slice, sums) in &present.slices {
        versions.push(version_view(ctx, *slice, sums, &scope)?);
    }
    versions.sort_by_key(|version| std::cmp::Reverse(version.requests));
    Ok(HealthView {
        feature: name,
        since: instant(from),
        until: instant(to),
        hours: spec.hours,
        requests: figure::requests(p.requests, q.requests, scope.query([])),
        error_rate: rate(errors(p), errors(q), Better::Lower, scope.query([failed()])),
        errors: Errors {
            timeout: whole(p.timeouts),
            rate_limit: whole(p.rate_limits),
            content_policy: whole(p.content_policy),
            other: whole(p.other_errors),
        },
        p95_latency_ms: time(&p.latency, &q.latency, |ms| scope.query([slower(ms)])),
        cost_per_request_usd: money(&present.costs(), &previous.costs(), |usd| scope.query([dearer(usd)])),
        satisfaction: rate(thumbs(p), thumbs(q), Better::Higher, scope.query([down()])),
        fallback_rate: rate(
            fallbacks(p),
            fallbacks(q),
            Better::Lower,
            scope.query([Term::Fallback(vec![true])]),
        ),
        versions,
        series: series.view(),
        features: features
            .into_iter()
            .map(|of| FeatureView { feature: of.name, requests: whole(of.requests) })
            .collect(),
    })
}

/// The id and name of the feature that is wanted; `None` for all traffic.
fn choose(ctx: &Ctx, scope: &Scope, busy: &[FeatureTraffic]) -> Result<(Option<i64>, Option<Untrusted>)> {
    match scope {
        Scope::All => Ok((None, None)),
        Scope::Busiest => match busy.first() {
            Some(of) => Ok((Some(of.id), of.name.clone())),
            // Nothing happened in the window: the last that did anything is meant.
            None => {
                let last = match ctx.store.span_of_hours()? {
                    Some((_, last)) => ctx.store.features(last, last)?,
                    None => Vec::new(),
                };
                Ok(last.into_iter().next().map_or((None, None), |of| (Some(of.id), of.name)))
            }
        },
        Scope::Feature(name) => match ctx.store.feature_id(name.raw())? {
            Some(id) => Ok((Some(id), Some(name.clone()))),
            None => {
                let names = ctx.store.feature_names()?;
                let error = Error::not_so(format!("No trace has the feature {}.", name.raw()));
                let near = nearest(name.raw(), names.iter().map(String::as_str));
                Err(match near {
                    Some(near) => error.hint(format!("Did you mean {near}?")),
                    None if names.is_empty() => {
                        error.hint("No trace names a feature: leave --feature out to see all traffic.")
                    }
                    None => error.hint(format!("Features are {}.", names.join(", "))),
                })
            }
        },
    }
}

/// Makes the queries that open the traces behind figures.
struct Opens {
    base: Query,
}

impl Opens {
    fn new(scope: &Scope, feature: Option<i64>, name: Option<Untrusted>, from: i64, to: i64) -> Self {
        let within = TimeRange::Within(TimeBound::At(instant(from)), TimeBound::At(instant(to)));
        let mut base = Query::all();
        if let Some(name) = name {
            let any = vec![Word::exact(name.raw())];
            base = base.with(Term::Name { field: NameField::Feature, any });
        } else if *scope != Scope::All && feature.is_some() {
            let any = vec![Word { text: String::new(), prefix: true }];
            let named = Query::all().with(Term::Name { field: NameField::Feature, any });
            base = base.and(named.negated());
        }
        Self { base: base.with(Term::Time(within)) }
    }

    fn query(&self, terms: impl IntoIterator<Item = Term>) -> Query {
        terms.into_iter().fold(self.base.clone(), Query::with)
    }
}

fn failed() -> Term {
    Term::Status(vec![Status::Error])
}

fn down() -> Term {
    Term::Feedback(vec![FeedbackWord::Down])
}

fn slower(ms: f64) -> Term {
    Term::Number { field: NumberField::Latency, test: NumberTest::Ge((ms * 1e3).floor() as i64) }
}

fn dearer(usd: f64) -> Term {
    Term::Number { field: NumberField::Cost, test: NumberTest::Gt((usd * figure::NUSD).round() as i64) }
}

fn version_view(ctx: &Ctx, slice: Slice, sums: &Sums, scope: &Opens) -> Result<VersionView> {
    let (prompt, version) = ctx.store.slice_names(slice)?;
    let word = |name: &Option<Untrusted>| name.as_ref().map(|name| Word::exact(name.raw()));
    let wanted = PromptRef { name: word(&prompt), version: word(&version) };
    let query = if prompt.is_none() && version.is_none() {
        let any = vec![PromptRef { name: Some(Word { text: String::new(), prefix: true }), version: None }];
        scope.query([]).and(Query::all().with(Term::Prompt(any)).negated())
    } else {
        scope.query([Term::Prompt(vec![wanted])])
    };
    Ok(VersionView {
        prompt,
        version,
        requests: whole(sums.requests),
        error_rate: share(sums.errors(), sums.requests),
        p95_latency_ms: sums.latency.quantile(0.95),
        cost_per_request_usd: cost(sums),
        satisfaction: share(sums.ups, sums.ups + sums.downs),
        thumbs: whole(sums.ups + sums.downs),
        fallback_rate: share(sums.fallbacks, sums.requests),
        query,
    })
}

/// The sums of seven days by the hour.
struct HourSeries {
    first: i64,
    hours: Vec<Sums>,
}

impl HourSeries {
    /// Seven days that end with this hour.
    fn new(last: i64) -> Self {
        Self { first: last - WEEK_HOURS + 1, hours: vec![Sums::default(); SERIES_HOURS] }
    }

    fn offer(&mut self, hour: &HourRow<'_>) {
        let at = usize::try_from(hour.hour - self.first).ok();
        if let Some(sums) = at.and_then(|at| self.hours.get_mut(at)) {
            sums.add_hour(hour);
        }
    }

    fn view(&self) -> Series {
        let of = |figure: &dyn Fn(&Sums) -> Option<f64>| self.hours.iter().map(figure).collect();
        Series {
            from: instant(self.first * HOUR_MS),
            requests: self.hours.iter().map(|sums| whole(sums.requests)).collect(),
            error_rate: of(&|sums| share(sums.errors(), sums.requests)),
            p95_latency_ms: of(&|sums| sums.latency.quantile(0.95)),
            cost_per_request_usd: of(&cost),
            satisfaction: of(&|sums| share(sums.ups, sums.ups + sums.downs)),
            fallback_rate: of(&|sums| share(sums.fallbacks, sums.requests)),
        }
    }
}

/// A series in fewer slots, for a line of few columns: the mean of the hours that have something to say;
/// NaN where none has.
pub fn condensed(hours: &[Option<f64>], slots: usize) -> Vec<f64> {
    let each = hours.len().div_ceil(slots.max(1)).max(1);
    hours
        .chunks(each)
        .map(|chunk| {
            let known: Vec<f64> = chunk.iter().flatten().copied().collect();
            known.iter().sum::<f64>() / known.len() as f64
        })
        .collect()
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

fn instant(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or_default()
}
