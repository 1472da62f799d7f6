//! Item 4: the 95th percentile of the response time, as the share of requests above the limit: on the version's
//! own traffic where there is enough of it, else on the run, with a warning.

use std::time::UNIX_EPOCH;

use jiff::{SignedDuration, Timestamp};

use super::candidate::{Candidate, Found, Missing};
use super::proved::count;
use super::said::{ALPHA, ENDS, Said, verdict};
use crate::domain::gate::Verdict;
use crate::domain::{Query, Result};
use crate::ops::figures;
use crate::stats::{clopper_pearson, proof_below};
use crate::text::figures::{duration, percent, plural};

/// What of the requests may be above the limit: the twentieth that a 95th percentile leaves.
const SHARE: f64 = 0.05;

/// Item 4.
pub(super) fn item(candidate: &Candidate<'_>, found: &std::result::Result<Found, Missing>) -> Result<Said> {
    let spec = &candidate.spec.latency;
    let limit = spec.p95_ms as f64;
    if let Some((over, n, query)) = traffic(candidate)?
        && n >= spec.min_requests
    {
        let mut said = judged(candidate, over, n, &format!("requests of {}", candidate.prompt.label));
        said.query = Some(query);
        return Ok(said);
    }
    let found = match found {
        Ok(found) => found,
        Err(missing) => return Ok(missing.into()),
    };
    let times: Vec<f64> = found
        .results
        .iter()
        .filter_map(|result| Some(result.answer()?.latency_ms))
        .filter(|ms| ms.is_finite())
        .collect();
    let (run, n) = (found.name(), times.len() as u64);
    if n == 0 {
        let words = format!("How long an answer of the run {run} took is not known.");
        return Ok(Said::new(Verdict::NotEnoughData, "no time is known", words));
    }
    let over = times.iter().filter(|ms| **ms > limit).count() as u64;
    let mut said = judged(candidate, over, n, &format!("answers of the run {run}"));
    said.warnings.push(format!(
        "taken on the run, which is not production: fewer than {} of this version are in the traces",
        plural(count(spec.min_requests), "request")
    ));
    let cached = found.results.iter().filter(|result| result.cached).count();
    if cached > 0 {
        said.warnings
            .push(format!("{} from the cache, with the time of the first time", plural(cached, "answer")));
    }
    (said.set, said.run) = (Some(found.set()), Some(run));
    Ok(said)
}

fn judged(candidate: &Candidate<'_>, over: u64, n: u64, of: &str) -> Said {
    let spec = &candidate.spec.latency;
    let met = (over as f64) < SHARE * n as f64;
    let proof = proof_below(over, n, SHARE, ALPHA);
    let proven = met && proof.is_some_and(|proof| proof.proven);
    let ends = clopper_pearson(over, n, ENDS);
    let disproven = !met && ends.is_some_and(|ends| ends.lower > SHARE);
    let verdict = verdict(met, proven, disproven, n >= spec.min_requests, spec.need);
    let limit = duration(spec.p95_ms as f64);
    let share = percent(over as f64 / n as f64);
    let most = ends.map_or_else(String::new, |ends| format!(", at most {}", percent(ends.upper)));
    let mut words = format!(
        "{over} of {n} {of} took longer than {limit}: {share}{most}. For a 95th percentile below it, less than {} must.",
        percent(SHARE)
    );
    if let Some(needed) = proof.and_then(|proof| proof.needed).filter(|needed| met && !proven && *needed > n)
    {
        words.push_str(&format!(" It takes {needed} to prove it, if no other is late."));
    }
    let mut said = Said::new(verdict, format!("{share} of {n} over {limit}{most}"), words);
    said.proven = proven;
    said.interval = ends;
    said.with("over", over as f64).with("n", n as f64).with("limit_ms", spec.p95_ms as f64)
}

/// Requests of this version above the limit, of those whose time is known, since the prompt has the text that it
/// has: (above, all, the query).
fn traffic(candidate: &Candidate<'_>) -> Result<Option<(u64, u64, String)>> {
    let spec = &candidate.spec.latency;
    let window = SignedDuration::from_millis(i64::try_from(spec.window_ms).unwrap_or(i64::MAX));
    let since = candidate.now.saturating_sub(window).unwrap_or(Timestamp::MIN);
    // The traces name the version and not the text: what came before the file was written may be of another.
    let written = std::fs::metadata(&candidate.prompt.path).and_then(|meta| meta.modified()).ok();
    let written = written.and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    let written =
        written.and_then(|at| Timestamp::from_millisecond(i64::try_from(at.as_millis()).ok()?).ok());
    let since = written.map_or(since, |at| since.max(at));
    if since >= candidate.now {
        return Ok(None);
    }
    let of = format!("feature:{} prompt:{}", candidate.feature, candidate.prompt.label);
    let count = |test: String| -> Result<Option<(u64, String)>> {
        let text = format!("{of} {test}");
        let Ok(query) = Query::parse(&text) else { return Ok(None) };
        let taken = figures::figures(candidate.ctx, &query, since, candidate.now, candidate.cancel)?;
        Ok(Some((taken.all.requests, text)))
    };
    let Some((n, _)) = count("latency>=0ms".to_owned())? else { return Ok(None) };
    if n < spec.min_requests {
        return Ok(None);
    }
    Ok(count(format!("latency>{}ms", spec.p95_ms))?.map(|(over, query)| (over, n, query)))
}
