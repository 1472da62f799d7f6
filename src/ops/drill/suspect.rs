//! What a drill that plays itself makes of the figures: by the looks that a person would take at Health, not by what
//! was planted.

use jiff::{SignedDuration, Timestamp};

use super::scenario::named;
use crate::domain::query::Query;
use crate::domain::{Result, Untrusted};
use crate::ops::Ctx;
use crate::ops::browse::{Cursor, Direction, page};
use crate::ops::health::{Against, By, GroupView, HealthSpec, Scope, health};
use crate::task::Cancel;

/// A model costs so many times as much as the day before.
const DEARER: f64 = 2.0;
/// So much larger a share of a model's requests fails than the day before.
const WORSE: f64 = 0.15;
/// Requests of a group in the last hour, to say anything of it.
const LEAST: u64 = 8;

fn groups(ctx: &Ctx, feature: &str, hours: i64, by: By) -> Result<Vec<GroupView>> {
    let spec = HealthSpec {
        scope: Scope::Feature(feature.into()),
        hours,
        against: Against::Previous,
        by,
        ..HealthSpec::default()
    };
    Ok(health(ctx, &spec)?.groups)
}

/// The model that fails or costs much more in the last hour than in the day.
pub(super) fn model(ctx: &Ctx, feature: &str) -> Result<Option<String>> {
    let (now, usual) = (groups(ctx, feature, 1, By::Model)?, groups(ctx, feature, 24, By::Model)?);
    let stands_out = |of: &&GroupView| {
        let before = usual.iter().find(|before| before.name == of.name);
        let share = |of: &GroupView| of.error_rate.value.unwrap_or(0.0);
        let fails = share(of) - before.map_or(0.0, share) > WORSE;
        let cost = of.cost_per_request_usd.zip(before.and_then(|before| before.cost_per_request_usd));
        of.requests >= LEAST && (fails || cost.is_some_and(|(now, usual)| now > usual * DEARER * 0.75))
    };
    let worst = now.iter().filter(|of| of.name.is_some()).filter(stands_out);
    let worst = worst.max_by(|a, b| {
        let rank = |of: &GroupView| of.error_rate.value.unwrap_or(0.0);
        rank(a).total_cmp(&rank(b))
    });
    Ok(worst.and_then(|of| of.name.clone()).map(Untrusted::into_raw))
}

/// The prompt version that answers now and did not in the day before the last two hours.
pub(super) fn newcomer(ctx: &Ctx, feature: &str) -> Result<Option<String>> {
    let (now, day) =
        (groups(ctx, feature, 2, By::PromptVersion)?, groups(ctx, feature, 24, By::PromptVersion)?);
    let is_new = |of: &&GroupView| {
        let all = day.iter().find(|all| all.name == of.name).map_or(0, |all| all.requests);
        // All that it has answered in the day, it has answered in the last two hours.
        of.version.is_some() && of.requests >= LEAST && all == of.requests
    };
    let new = now.iter().find(is_new);
    Ok(new.and_then(|of| of.name.clone()).map(Untrusted::into_raw))
}

/// Traces of the last two hours that failed or were complained of, at most so many.
pub(super) fn bad(ctx: &Ctx, feature: &str, most: usize, cancel: &Cancel) -> Result<Vec<Untrusted>> {
    let mut found = Vec::new();
    for sign in ["feedback:down", "status:error"] {
        let since = ctx.clock.now().saturating_sub(SignedDuration::from_hours(2)).unwrap_or_default();
        let query = named(feature).and(Query::parse(&format!("since:{since} {sign}"))?);
        let left = most - found.len();
        let rows = page(ctx, &query, Cursor::Newest, Direction::Older, left.max(1), cancel)?.rows;
        found.extend(rows.into_iter().take(left).map(|row| row.id));
    }
    Ok(found)
}

/// When it began, as far as anybody can say who was called at this time.
pub(super) fn began(opened: Timestamp) -> Timestamp {
    opened.saturating_sub(SignedDuration::from_mins(15)).unwrap_or(opened)
}
