//! Charts of some time in the past, for the page of a post-mortem: what failed, what people said, how long requests
//! took, with marks where something happened.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::svg::{Chart, counted, requests};
use super::whole;
use crate::domain::incident::Figures;
use crate::domain::{Result, Untrusted};
use crate::ops::Ctx;
use crate::store::{Cut, NameKind, Sums};
use crate::text::figures::{axis_top, duration, percent};

/// Parts of the time, at most.
const PARTS: i64 = 48;
/// Lengths that a part may have, in minutes.
const STEPS: [i64; 7] = [1, 5, 15, 30, 60, 240, 1440];
const MINUTE_MS: i64 = 60_000;

/// A moment that the charts name.
#[derive(Debug, Clone)]
pub(in crate::ops) struct Moment {
    /// When.
    pub(in crate::ops) at: Timestamp,
    /// A word or two.
    pub(in crate::ops) name: String,
}

/// The charts of a feature's traffic, or of all of it, from here to there. Reads the rows of that time.
pub(in crate::ops) fn during(
    ctx: &Ctx,
    feature: Option<&Untrusted>,
    (from, to): (Timestamp, Timestamp),
    zone: &TimeZone,
    moments: &[Moment],
) -> Result<Vec<Chart>> {
    let id = feature.map(|name| ctx.store.name_id(NameKind::Feature, name.raw())).transpose()?.flatten();
    if feature.is_some() && id.is_none() {
        return Ok(Vec::new());
    }
    let cut = Cut { feature: id, ..Cut::default() };
    let (from, to) = (from.as_millisecond(), to.as_millisecond());
    let step = STEPS.into_iter().map(|minutes| minutes * MINUTE_MS).find(|step| (to - from) / step <= PARTS);
    let step = step.unwrap_or(STEPS[6] * MINUTE_MS);
    let from = from.div_euclid(step) * step;
    let parts = ctx.store.parts(cut, (from, to), step)?;
    if parts.iter().all(|part| part.requests == 0) {
        return Ok(Vec::new());
    }
    let label = |n: usize| {
        let at = Timestamp::from_millisecond(from + n as i64 * step).unwrap_or_default();
        let form = if step >= STEPS[5] * MINUTE_MS { "%-d %b %H:%M" } else { "%H:%M" };
        at.to_zoned_datetime(zone.clone()).strftime(form).to_string()
    };
    let labels: Vec<String> = (0..parts.len()).map(label).collect();
    let mut charts = vec![failed(&parts, &labels), said(&parts, &labels), times(&parts, &labels)];
    charts.retain(Chart::shows);
    for chart in &mut charts {
        for moment in moments {
            let slot = (moment.at.as_millisecond() - from).div_euclid(step);
            if let Some(slot) = usize::try_from(slot).ok().filter(|slot| *slot < parts.len()) {
                chart.mark((slot, parts.len()), &moment.name);
            }
        }
        chart.spread_marks();
    }
    Ok(charts)
}

/// The shares that an incident changed, before it and while it lasted; `None` where nothing is known of before.
pub(in crate::ops) fn before_and_during(taken: &Figures) -> Option<Chart> {
    let before = taken.before.as_ref().filter(|before| before.requests > 0)?;
    let of = |part: u64, whole: u64| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
    let now = &taken.all;
    let hit = |of: &crate::domain::incident::Tally| of.users_hit.zip(of.users);
    let mut pairs = vec![
        ("failed", of(before.errors, before.requests), of(now.errors, now.requests)),
        (
            "thumbs down",
            of(before.thumbs_down, before.thumbs_up + before.thumbs_down),
            of(now.thumbs_down, now.thumbs_up + now.thumbs_down),
        ),
    ];
    if let (Some((hit_before, all_before)), Some((hit_now, all_now))) = (hit(before), hit(now)) {
        pairs.push(("users hit", of(hit_before, all_before), of(hit_now, all_now)));
    }
    let top = axis_top(pairs.iter().flat_map(|(_, a, b)| [*a, *b]).fold(0.01, f64::max));
    // Two bars to a name, and a gap after them.
    let labels: Vec<String> =
        pairs.iter().flat_map(|(name, ..)| [(*name).to_owned(), String::new(), String::new()]).collect();
    let mut chart = Chart::new("Before it and while it lasted", top, percent, &[]);
    for (n, (name, was, is)) in pairs.iter().enumerate() {
        let slots = labels.len();
        chart.stack((n * 3, slots), top, &[(*was, "c1")], &format!("{name} before: {}", percent(*was)));
        chart.stack(
            (n * 3 + 1, slots),
            top,
            &[(*is, "c3")],
            &format!("{name} while it lasted: {}", percent(*is)),
        );
        chart.label((n * 3, slots), name);
    }
    chart.legend = vec![("c1", "as long before"), ("c3", "while it lasted")];
    Some(chart)
}

fn failed(parts: &[Sums], labels: &[String]) -> Chart {
    let top = axis_top(parts.iter().map(|of| of.errors() as f64).fold(4.0, f64::max));
    let mut chart = Chart::new("Failed requests", top, counted, labels);
    for (n, of) in parts.iter().enumerate() {
        let says = format!(
            "{}: {} of {} failed",
            labels[n],
            counted(of.errors() as f64),
            requests(whole(of.requests))
        );
        let kinds =
            [(of.timeouts, "c3"), (of.rate_limits, "c4"), (of.content_policy, "c2"), (of.other_errors, "c1")];
        chart.stack((n, parts.len()), top, &kinds.map(|(n, class)| (n as f64, class)), &says);
    }
    chart.legend = vec![("c3", "timeout"), ("c4", "rate limit"), ("c2", "content policy"), ("c1", "other")];
    chart
}

fn said(parts: &[Sums], labels: &[String]) -> Chart {
    let top = axis_top(parts.iter().map(|of| (of.downs + of.ups) as f64).fold(4.0, f64::max));
    let mut chart = Chart::new("What people said", top, counted, labels);
    for (n, of) in parts.iter().enumerate() {
        let says = format!("{}: {} down, {} up", labels[n], of.downs, of.ups);
        chart.stack((n, parts.len()), top, &[(of.downs as f64, "c3"), (of.ups as f64, "c1")], &says);
    }
    chart.legend = vec![("c3", "thumbs down"), ("c1", "thumbs up")];
    chart
}

fn times(parts: &[Sums], labels: &[String]) -> Chart {
    let p95: Vec<Option<f64>> = parts.iter().map(|of| of.latency.quantile(0.95)).collect();
    let top = axis_top(p95.iter().flatten().copied().fold(1.0, f64::max));
    let mut chart = Chart::new("Time of a request", top, duration, labels);
    chart.curve(top, "c2", "p95", &p95);
    chart
}
