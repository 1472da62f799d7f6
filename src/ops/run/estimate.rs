//! What a run would cost, before anything is asked.

use serde::Serialize;

use super::bound::{Bound, ask_of, bound_of, key_of, kind_words};
use super::{RunSpec, plan, taken};
use crate::domain::{Result, RunName, TargetKind};
use crate::ops::Ctx;
use crate::task::Cancel;

/// Characters to a token of English, roughly.
const PER_TOKEN: u64 = 4;
/// Tokens of an answer where nothing says more.
const USUAL: u64 = 256;

/// What a run would come to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EstimateView {
    /// Cases that are left to do.
    pub cases: u64,
    /// Those whose answer is in the cache.
    pub cached: u64,
    /// Tokens that would go in.
    pub tokens_in: u64,
    /// Tokens that would come out.
    pub tokens_out: u64,
    /// What it would cost, in US dollars, where that can be told.
    pub cost_usd: Option<f64>,
    /// What it costs at most, where that is certain.
    pub at_most_usd: Option<f64>,
    /// How long it would take at this many requests at a time, in milliseconds, evaluators and retries left
    /// out; nothing where no answer of an earlier run says it.
    pub takes_ms: Option<f64>,
    /// What this is based on.
    pub based_on: String,
}

/// What one answer took in an earlier run.
struct Earlier {
    run: RunName,
    tokens_in: f64,
    tokens_out: f64,
    cost: Option<f64>,
}

/// Estimates a run. Asks nothing and writes nothing.
pub fn estimate(ctx: &Ctx, spec: &RunSpec, cancel: &Cancel) -> Result<EstimateView> {
    let mut set = taken(ctx, spec)?;
    let done = plan::done(ctx, spec)?;
    set.cases.retain(|case| !done.contains(&case.id));
    let earlier = earlier(ctx, spec)?;
    let (mut cached, mut tokens_in, mut tokens_out, mut asked) = (0, 0, 0, 0u32);
    let mut at_most = Some(0.0);
    for case in &set.cases {
        cancel.check()?;
        let ask = ask_of(spec, case);
        let key = if spec.cache { key_of(spec, &ask) } else { None };
        if key.map(|key| ctx.store.cached_answer(&key)).transpose()?.flatten().is_some() {
            cached += 1;
            continue;
        }
        asked += 1;
        let letters = case.body.input.plain_text().raw().chars().count()
            + spec.prompt.as_ref().map_or(0, |prompt| prompt.chars().count());
        tokens_in += (letters as u64).div_ceil(PER_TOKEN);
        let expected = case.body.expected.as_ref().map(|text| text.raw().chars().count() as u64);
        tokens_out += expected.map_or(USUAL, |letters| letters.div_ceil(PER_TOKEN));
        at_most = match bound_of(spec, &ask) {
            Bound::AtMost(most) => at_most.map(|sum| sum + most + spec.evaluators_usd),
            Bound::About(_) | Bound::Unknown => None,
        };
    }
    let beside = spec.evaluators_usd * set.cases.len() as f64;
    let (mut cost, mut based_on) = match spec.price {
        Some(price) => (
            Some(price.of(tokens_in, tokens_out) + beside),
            "four characters to a token, answers as long as what is expected, and the price table".to_owned(),
        ),
        None => (
            None,
            "four characters to a token, answers as long as what is expected; no price is known".to_owned(),
        ),
    };
    if spec.target.kind == TargetKind::Recorded {
        (tokens_in, tokens_out, cost) = (0, 0, Some(beside));
        based_on = "recorded outputs cost nothing".to_owned();
    } else if let Some(earlier) = earlier {
        tokens_in = (earlier.tokens_in * f64::from(asked)).ceil() as u64;
        tokens_out = (earlier.tokens_out * f64::from(asked)).ceil() as u64;
        cost = earlier
            .cost
            .map(|each| each * f64::from(asked) + beside)
            .or_else(|| spec.price.map(|price| price.of(tokens_in, tokens_out) + beside));
        based_on = format!("the answers of the run {}", earlier.run);
    }
    let cases = set.cases.len() as u64;
    let takes_ms = takes(ctx, spec, asked)?;
    Ok(EstimateView {
        cases,
        cached,
        tokens_in,
        tokens_out,
        cost_usd: cost,
        at_most_usd: at_most,
        takes_ms,
        based_on,
    })
}

/// How long so many questions take, in milliseconds: as long as those of the newest run that asked this set
/// of this kind of target, so many at a time, and no faster than the target may be asked.
fn takes(ctx: &Ctx, spec: &RunSpec, asked: u32) -> Result<Option<f64>> {
    if asked == 0 || spec.target.kind == TargetKind::Recorded {
        return Ok(Some(0.0));
    }
    let limits = &spec.target.limits;
    let at_a_time = spec.concurrency.unwrap_or(limits.concurrency).clamp(1, asked as usize);
    let least =
        limits.requests_per_minute.map_or(0.0, |most| f64::from(asked) / f64::from(most.max(1)) * 60_000.0);
    let kind = kind_words(&spec.target.kind);
    for run in ctx.store.runs()? {
        if run.head.set != spec.set.as_str() || run.head.target_kind != kind {
            continue;
        }
        let results = ctx.store.run_results(&run.head.name)?;
        let took: Vec<f64> = results
            .iter()
            .filter_map(|one| one.answer())
            .map(|answer| answer.latency_ms)
            .filter(|ms| ms.is_finite())
            .collect();
        if !took.is_empty() {
            let mean = took.iter().sum::<f64>() / took.len() as f64;
            return Ok(Some((mean * f64::from(asked) / at_a_time as f64).max(least)));
        }
    }
    Ok((least > 0.0).then_some(least))
}

/// The means of the newest run of this set with this kind of target that has answers with tokens.
fn earlier(ctx: &Ctx, spec: &RunSpec) -> Result<Option<Earlier>> {
    let kind = kind_words(&spec.target.kind);
    for run in ctx.store.runs()? {
        if run.head.set != spec.set.as_str() || run.head.target_kind != kind {
            continue;
        }
        let results = ctx.store.run_results(&run.head.name)?;
        let answers: Vec<_> = results
            .iter()
            .filter_map(|one| one.answer())
            .filter(|answer| answer.tokens_in.is_some() && answer.tokens_out.is_some())
            .collect();
        if answers.is_empty() {
            continue;
        }
        let n = answers.len() as f64;
        let mean = |of: fn(&crate::domain::Answer) -> Option<u64>| {
            answers.iter().filter_map(|answer| of(answer)).sum::<u64>() as f64 / n
        };
        let costs: Vec<f64> = answers.iter().filter_map(|answer| answer.cost_usd).collect();
        return Ok(Some(Earlier {
            run: run.head.name,
            tokens_in: mean(|answer| answer.tokens_in),
            tokens_out: mean(|answer| answer.tokens_out),
            cost: (costs.len() == answers.len()).then(|| costs.iter().sum::<f64>() / n),
        }));
    }
    Ok(None)
}
