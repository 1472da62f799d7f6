//! Impact figures of a query's traffic: how many requests, errors, complaints and users, by prompt
//! version, since when. For incidents, where a query says what is hit.

use jiff::Timestamp;
use serde::Serialize;

use super::Ctx;
use crate::domain::incident::{Figures, Tally};
use crate::domain::{Query, Result, Untrusted};
use crate::store::{Slice, Sums, Touched};
use crate::task::Cancel;

/// Nanodollars in a dollar.
const NUSD: f64 = 1e9;

/// The figures of the traces of a query from `since` up to `until` (excluded). Counts are exact; the 95th
/// percentile is within 1 %. Reads the rows of that time, so it takes longer for longer times.
pub fn figures(
    ctx: &Ctx,
    query: &Query,
    since: Timestamp,
    until: Timestamp,
    cancel: &Cancel,
) -> Result<Figures> {
    let now = ctx.clock.now();
    let (all, slices) = ctx.store.touched(query, (since, until), now, cancel)?;
    let mut by_version = Vec::new();
    for (slice, of) in slices {
        by_version.push((version_name(ctx, slice)?, tally(&of)));
    }
    by_version.sort_by(|a, b| b.1.requests.cmp(&a.1.requests).then_with(|| a.0.cmp(&b.0)));
    Ok(Figures {
        query: Untrusted::new(query.to_string()),
        since,
        until,
        taken_at: now,
        all: tally(&all),
        before: None,
        by_version,
    })
}

/// The figures of a query's traffic in a time, with what people said and what fallbacks answered.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Period {
    /// From when.
    pub since: Timestamp,
    /// To when (excluded).
    pub until: Timestamp,
    /// The figures.
    #[serde(flatten)]
    pub tally: Tally,
    /// Requests that were reported.
    pub reports: u64,
    /// Requests after which the same was asked again.
    pub asked_again: u64,
    /// Requests that a fallback answered.
    pub fallbacks: u64,
}

/// Those of the traces of a query from `since` up to `until` (excluded). Reads the rows of that time.
pub fn period(
    ctx: &Ctx,
    query: &Query,
    (since, until): (Timestamp, Timestamp),
    cancel: &Cancel,
) -> Result<Period> {
    let (all, _) = ctx.store.touched(query, (since, until), ctx.clock.now(), cancel)?;
    let whole = |n: i64| n.max(0).cast_unsigned();
    let Sums { reports, follow_ups, fallbacks, .. } = all.sums;
    let (reports, asked_again, fallbacks) = (whole(reports), whole(follow_ups), whole(fallbacks));
    Ok(Period { since, until, tally: tally(&all), reports, asked_again, fallbacks })
}

/// `customer_support@v4`, or as much of it as traces say; `no prompt` for none.
fn version_name(ctx: &Ctx, slice: Slice) -> Result<Untrusted> {
    Ok(Untrusted::new(match ctx.store.slice_names(slice)? {
        (Some(prompt), Some(version)) => format!("{}@{}", prompt.raw(), version.raw()),
        (Some(prompt), None) => prompt.into_raw(),
        (None, Some(version)) => format!("@{}", version.raw()),
        (None, None) => "no prompt".to_owned(),
    }))
}

fn tally(of: &Touched) -> Tally {
    let Sums { requests, ups, downs, priced, cost_nusd, .. } = of.sums;
    let time = |ms| Timestamp::from_millisecond(ms).unwrap_or_default();
    let whole = |n: i64| n.max(0).cast_unsigned();
    Tally {
        requests: whole(requests),
        errors: whole(of.sums.errors()),
        thumbs_up: whole(ups),
        thumbs_down: whole(downs),
        users: (of.users > 0).then_some(of.users),
        users_hit: (of.users > 0).then_some(of.users_hit),
        p95_ms: of.sums.latency.quantile(0.95),
        cost_per_request_usd: (priced > 0).then(|| cost_nusd as f64 / NUSD / priced as f64),
        seen: of.seen.map(|(first, last)| (time(first), time(last))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ops::testing::{World, of_json};

    #[test]
    fn an_outage_is_counted_by_version_and_user() {
        let at = |minute: i64| Timestamp::from_second(1_763_900_000 + minute * 60).unwrap();
        let traces = (0..100)
            .map(|n| {
                let (version, bad) = (if n < 60 { "v3" } else { "v4" }, n >= 70 && n % 2 == 0);
                json!({
                    "id": format!("t-{n}"), "input": "q", "output": "a", "time": at(n), "user": format!("u{}", n % 10),
                    "feature": if n % 10 == 9 { "other" } else { "support" }, "prompt": "support", "prompt_version": version,
                    "latency_ms": 1000, "cost_usd": 0.002, "status": if bad { "error" } else { "ok" },
                    "feedback": if n == 71 { json!([{"kind": "thumbs", "value": "down"}]) } else { json!([]) },
                })
            })
            .collect();
        let world = World::at(at(200));
        world.add(of_json(traces));
        let ctx = world.as_reviewer("ann");
        let query = Query::parse("feature:support").unwrap();
        let got = figures(&ctx, &query, at(50), at(100), &Cancel::default()).unwrap();
        assert_eq!((got.all.requests, got.all.errors, got.all.thumbs_down), (45, 15, 1));
        // Even users fail, and u1 complained.
        assert_eq!((got.all.users, got.all.users_hit), (Some(9), Some(6)));
        assert_eq!(got.all.seen, Some((at(50), at(98))));
        assert!((got.all.p95_ms.unwrap() - 1000.0).abs() < 10.0);
        assert!((got.all.cost_per_request_usd.unwrap() - 0.002).abs() < 1e-9);
        let versions: Vec<(&str, u64)> =
            got.by_version.iter().map(|(name, tally)| (name.raw(), tally.requests)).collect();
        assert_eq!(versions, [("support@v4", 36), ("support@v3", 9)]);
        let none = figures(&ctx, &query, at(150), at(160), &Cancel::default()).unwrap();
        assert_eq!((none.all, none.by_version), (Tally::default(), vec![]));
    }
}
