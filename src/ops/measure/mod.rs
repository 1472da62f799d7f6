//! A named figure of a feature over a window, from the traces: what checks, effects and watches of runbooks are made
//! of. The one place that counts for them; to add one, a variant of [`Metric`] and an arm in [`counted`].

mod metric;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use serde::Serialize;

use crate::domain::incident::Verdict;
use crate::domain::query::{NameField, Query, Term, Word};
use crate::domain::runbook::Limit;
use crate::domain::{Result, Untrusted};
use crate::ops::Ctx;
use crate::ops::figures::figures;
use crate::ops::health::traffic;
use crate::ops::judged::judged as judged_of;
use crate::stats::{CONFIDENCE, wilson};
use crate::store::{Cut, NameKind, Sums};
use crate::task::Cancel;
use crate::text::figures as words;

pub use metric::{Analysis, Metric, Subject};

/// Fewer than so many say nothing of a share.
pub const LEAST: u64 = 20;

/// What is wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted<'a> {
    /// The figure.
    pub metric: Metric,
    /// The feature; none: all traffic.
    pub feature: Option<&'a str>,
    /// The prompt version of `prompt_share`.
    pub version: Option<&'a str>,
    /// From when (included) to when (excluded).
    pub window: (Timestamp, Timestamp),
    /// How long before the window is looked at for what is usual, in milliseconds.
    pub baseline_ms: Option<u64>,
}

/// A figure as it is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reading {
    /// Its name on a screen.
    pub title: String,
    /// From when.
    pub from: Timestamp,
    /// To when.
    pub to: Timestamp,
    /// A share, a count, milliseconds, a ratio; none where there is nothing to make it of.
    pub value: Option<f64>,
    /// Of a share or count: how many.
    pub k: Option<u64>,
    /// Of how many.
    pub n: Option<u64>,
    /// Of a share: Wilson's interval at 95 %.
    pub interval: Option<[f64; 2]>,
    /// The query of the traces that count.
    pub query: Untrusted,
    /// The figure in words, without its name.
    pub words: String,
}

/// Counts behind a figure.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// How many.
    pub k: u64,
    /// Of how many.
    pub n: u64,
}

/// Measures. Counts are exact, `share_over_…` within 1 % of the limit.
///
/// # Errors
/// When the store cannot be read.
pub fn measure(ctx: &Ctx, wanted: &Wanted<'_>, cancel: &Cancel) -> Result<Reading> {
    cancel.check()?;
    let (from, to) = wanted.window;
    let query = query(wanted);
    let mut reading = Reading {
        title: wanted.metric.title(),
        from,
        to,
        value: None,
        k: None,
        n: None,
        interval: None,
        words: "nothing to make it of".to_owned(),
        query: query.to_string().into(),
    };
    match wanted.metric {
        Metric::IngestLag => {
            let now = ctx.clock.now().as_millisecond();
            if let Some(newest) = ctx.store.newest_trace(now)? {
                let lag = (now - newest) as f64;
                reading.value = Some(lag);
                reading.words = format!("the newest trace is {} old", words::duration(lag));
            } else {
                reading.words = "there is no trace".to_owned();
            }
        }
        Metric::MeterChanges => {
            let changed = ctx.store.changed_judges(from.as_millisecond())?;
            reading.value = Some(changed.len() as f64);
            reading.k = Some(changed.len() as u64);
            reading.words = match changed.is_empty() {
                true => "no judge judges otherwise than before".to_owned(),
                false => format!("judge otherwise than before: {}", changed.join(", ")),
            };
        }
        Metric::CostRatio => cost_ratio(ctx, wanted, &mut reading)?,
        Metric::Users => {
            let tally = figures(ctx, &query, from, to, cancel)?.all;
            if let (Some(k), Some(n)) = (tally.users_hit, tally.users) {
                share(&mut reading, Counts { k, n });
            }
        }
        metric => {
            let counts = match metric {
                Metric::FailShare => judged(ctx, wanted)?,
                _ => counted(ctx, wanted)?,
            };
            if metric.is_share() {
                share(&mut reading, counts);
            } else {
                reading.value = Some(counts.k as f64);
                (reading.k, reading.n) = (Some(counts.k), Some(counts.n));
                reading.words = match metric {
                    Metric::Requests => count(counts.k),
                    _ => format!("{} of {} requests", count(counts.k), count(counts.n)),
                };
            }
        }
    }
    Ok(reading)
}

/// How many of how many, for a figure that sums of traffic tell.
fn counted(ctx: &Ctx, wanted: &Wanted<'_>) -> Result<Counts> {
    let window = (wanted.window.0.as_millisecond(), wanted.window.1.as_millisecond());
    let Some(cut) = cut(ctx, wanted.feature)? else { return Ok(Counts::default()) };
    let sums = traffic(ctx, cut, window)?;
    let version = match (wanted.metric, wanted.version) {
        (Metric::PromptShare, Some(version)) => match ctx.store.name_id(NameKind::PromptVersion, version)? {
            Some(id) => traffic(ctx, Cut { version: Some(id), ..cut }, window)?,
            None => Sums::default(),
        },
        _ => Sums::default(),
    };
    Ok(counts(wanted.metric, &sums, &version))
}

/// The traffic of a feature, or all of it; `None`: no trace has ever named it.
pub fn cut(ctx: &Ctx, feature: Option<&str>) -> Result<Option<Cut>> {
    Ok(match feature {
        None => Some(Cut::default()),
        Some(name) => ctx.store.name_id(NameKind::Feature, name)?.map(|id| Cut::from(Some(id))),
    })
}

/// What sums of traffic, and of a version in it, come to.
pub fn counts(metric: Metric, sums: &Sums, version: &Sums) -> Counts {
    let whole = |n: i64| n.max(0).cast_unsigned();
    let by_model = |sums: &Sums| whole(sums.requests - sums.fallbacks);
    let (k, n) = match metric {
        Metric::ErrorShare => (whole(sums.errors()), whole(sums.requests)),
        Metric::ShareOver(ms) => (sums.latency.above(ms as f64), whole(sums.timed)),
        Metric::FallbackShare => (whole(sums.fallbacks), whole(sums.requests)),
        Metric::NegativeFeedback => (whole(sums.downs), whole(sums.ups + sums.downs)),
        Metric::ModelAnswered => (by_model(sums), whole(sums.requests)),
        Metric::PromptShare => (by_model(version), by_model(sums)),
        Metric::Requests => (whole(sums.requests), whole(sums.requests)),
        Metric::IngestLag | Metric::MeterChanges | Metric::FailShare | Metric::CostRatio | Metric::Users => {
            (0, 0)
        }
    };
    Counts { k: k.min(n), n }
}

fn judged(ctx: &Ctx, wanted: &Wanted<'_>) -> Result<Counts> {
    let (from, to) = wanted.window;
    let times = judgements(ctx, wanted.feature, (from.as_millisecond(), to.as_millisecond()))?;
    Ok(Counts { k: times.iter().filter(|(_, failed)| *failed).count() as u64, n: times.len() as u64 })
}

/// The judged traces of a feature: when they happened, and whether they fail.
pub fn judgements(ctx: &Ctx, feature: Option<&str>, window: (i64, i64)) -> Result<Vec<(i64, bool)>> {
    let id = match feature {
        Some(name) => match ctx.store.name_id(NameKind::Feature, name)? {
            Some(id) => Some(id),
            None => return Ok(Vec::new()),
        },
        None => None,
    };
    let set = judged_of(ctx, window)?;
    let of_feature = set.rows.iter().filter(|one| id.is_none_or(|id| one.slice.feature == id));
    Ok(of_feature.filter_map(|one| Some((one.ts, !one.verdicts.settled(&set.judges, |_| true)?.0))).collect())
}

fn share(reading: &mut Reading, Counts { k, n }: Counts) {
    (reading.k, reading.n) = (Some(k), Some(n));
    if n == 0 {
        return;
    }
    let value = k as f64 / n as f64;
    reading.value = Some(value);
    reading.interval = wilson(k as f64, n as f64, CONFIDENCE).map(|ends| [ends.lower, ends.upper]);
    reading.words =
        format!("{} ({} of {})", words::share_within(value, reading.interval), count(k), count(n));
}

fn cost_ratio(ctx: &Ctx, wanted: &Wanted<'_>, reading: &mut Reading) -> Result<()> {
    const USUAL_MS: u64 = 14 * 86_400_000;
    let Some(cut) = cut(ctx, wanted.feature)? else { return Ok(()) };
    let (from, to) = (wanted.window.0.as_millisecond(), wanted.window.1.as_millisecond());
    let before = i64::try_from(wanted.baseline_ms.unwrap_or(USUAL_MS)).unwrap_or(i64::MAX);
    let each = |sums: &Sums| (sums.priced > 0).then(|| sums.cost_nusd as f64 / 1e9 / sums.priced as f64);
    let now = traffic(ctx, cut, (from, to))?;
    let usual = traffic(ctx, cut, (from.saturating_sub(before), from))?;
    reading.n = Some(now.priced.max(0).cast_unsigned());
    if let (Some(now), Some(usual)) = (each(&now), each(&usual))
        && usual > 0.0
    {
        reading.value = Some(now / usual);
        reading.words = format!(
            "{} times the usual: {} a request, {} before",
            words::fixed(now / usual, 2),
            words::dollars(now),
            words::dollars(usual)
        );
    }
    Ok(())
}

fn query(wanted: &Wanted<'_>) -> Query {
    let feature = |name| Term::Name { field: NameField::Feature, any: vec![Word::exact(name)] };
    wanted.feature.map_or_else(Query::all, |name| Query::all().with(feature(name)))
}

fn count(n: u64) -> String {
    words::thousands(i64::try_from(n).unwrap_or(i64::MAX))
}

impl Reading {
    /// How it is, held against a limit. A share of fewer than [`LEAST`] tells nothing; nor does a count of
    /// nothing at all.
    pub fn verdict(&self, must: Option<&Limit>) -> Verdict {
        let Some(must) = must else {
            return if self.value.is_some() { Verdict::Shown } else { Verdict::NotEnoughData };
        };
        let Some(value) = self.value else { return Verdict::NotEnoughData };
        let few = match (self.interval, self.n) {
            (Some(_), Some(n)) => n < LEAST,
            (None, Some(n)) => n == 0,
            _ => false,
        };
        match (few, must.op.holds(value, must.value)) {
            (true, _) => Verdict::NotEnoughData,
            (false, true) => Verdict::Ok,
            (false, false) => Verdict::Breach,
        }
    }

    /// Whether the interval of a share lies on one side of a limit.
    pub fn is_clear(&self, must: &Limit) -> bool {
        self.interval
            .is_none_or(|[lower, upper]| must.op.holds(lower, must.value) == must.op.holds(upper, must.value))
    }
}
