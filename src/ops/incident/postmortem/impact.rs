//! The impact in lines: name and value, as the document and the panel on screen show it.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::facts::Facts;
use super::findings::Findings;
use crate::domain::incident::span_words;
use crate::ops::assess::{Assessment, UsersKind};
use crate::text::figures::{dollars, thousands};

/// A time with its date and offset.
pub(super) fn at_words(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%d %H:%M %:z").to_string()
}

/// What it came to: exposure, requests, users, feedback, support, cost, time at each severity.
pub(super) fn impact(facts: &Facts, found: &Findings, zone: &TimeZone) -> Vec<(&'static str, String)> {
    let (since, until) = (facts.exposed_since, facts.exposed_until);
    let span = u64::try_from(until.as_millisecond() - since.as_millisecond()).unwrap_or(0);
    let exposed = format!("{} to {}, {}", at_words(since, zone), at_words(until, zone), span_words(span));
    let mut rows = vec![("Exposed", exposed)];
    let about = |n: f64| {
        #[expect(clippy::cast_possible_truncation, reason = "a count, rounded")]
        let n = n.round() as i64;
        if n > 0 { format!("about {}", thousands(n)) } else { "none".to_owned() }
    };
    if let Some(cause) = &found.cause {
        rows.extend(harm(&cause.assessment));
    }
    if let Some(excess) = facts.excess {
        rows.push(("Failed requests beyond the usual", about(excess.errors)));
        rows.push(("Thumbs down beyond the usual", about(excess.thumbs_down)));
        rows.extend(excess.users_hit.map(|n| ("Users hit beyond the usual", about(n))));
    }
    let support = found.complaints_beyond();
    rows.extend(support.map(|n| ("Reports and questions asked again beyond the usual", about(n))));
    let cost = facts.excess.and_then(|excess| excess.cost_usd);
    rows.extend(cost.map(|usd| ("Cost beyond the usual", dollars(usd.max(0.0)))));
    for (severity, ms) in &facts.severities {
        rows.push((severity.name(), format!("for {}", span_words(*ms))));
    }
    rows
}

/// What an assessment counts beyond the usual: requests, and users, with their uncertainty.
fn harm(of: &Assessment) -> Vec<(&'static str, String)> {
    let whole = |n: f64| {
        #[expect(clippy::cast_possible_truncation, reason = "a count, rounded")]
        let n = n.round().max(0.0) as i64;
        thousands(n)
    };
    let mut rows = Vec::new();
    if let Some(excess) = of.excess {
        let (lower, upper) = (whole(excess.interval.lower), whole(excess.interval.upper));
        let (count, all) = (whole(excess.count), thousands(of.requests.cast_signed()));
        rows.push(("Requests harmed beyond the usual", format!("{count} [{lower}, {upper}] of {all}")));
    }
    if let Some((users, above)) = of.users.and_then(|users| Some((users, users.above_usual?))) {
        let expected = if users.kind == UsersKind::Expected { " (expected)" } else { "" };
        let (above, all) = (whole(above), thousands(users.total.cast_signed()));
        rows.push(("Users harmed beyond the usual", format!("{above} of {all}{expected}")));
    }
    rows
}
