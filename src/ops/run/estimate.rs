//! What a run would cost, before anything is asked.

use serde::Serialize;

use super::bound::{Bound, PER_TOKEN, ask_of, bound_of, key_of, kind_words, longest};
use super::{RunSpec, plan, taken};
use crate::domain::{Answer, CaseResult, Result, RunName, TargetKind};
use crate::ops::Ctx;
use crate::task::Cancel;

/// Tokens of an answer where nothing says more.
const USUAL: u64 = 256;
/// Runs of the set that are looked through for one that is like it: a form asks with every key, and a set gathers
/// runs for years.
const LOOKED_BACK: usize = 10;

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
    let Past { answers: earlier, each_ms, judging } = past(ctx, spec)?;
    let judged = judging.as_ref().map(|(_, cost)| *cost);
    let (mut beside, mut judges) = (0.0, false);
    let (mut cached, mut tokens_in, mut tokens_out, mut asked) = (0, 0, 0, 0u32);
    let mut at_most = Some(0.0);
    for case in &set.cases {
        cancel.check()?;
        let usual = spec.judging.cost(case, longest(&spec.target.kind)).usual;
        judges |= spec.judging.judges(case);
        beside += judged.unwrap_or(usual);
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
            // How much a judge has to read, and how often it is asked again, is not known before.
            Bound::AtMost(most) if usual == 0.0 => at_most.map(|sum| sum + most),
            Bound::AtMost(_) | Bound::About(_) | Bound::Unknown => None,
        };
    }
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
    match &judging {
        Some((run, _)) => based_on.push_str(&format!("; judging as in the run {run}")),
        None if beside > 0.0 => based_on.push_str("; judges read the case and reply in a few sentences"),
        None if judges => based_on.push_str("; what judges cost is not known"),
        None => {}
    }
    let cases = set.cases.len() as u64;
    Ok(EstimateView {
        cases,
        cached,
        tokens_in,
        tokens_out,
        cost_usd: cost,
        at_most_usd: at_most,
        takes_ms: takes(spec, asked, each_ms),
        based_on,
    })
}

/// How long so many questions take, in milliseconds: each as long as before, so many at a time, and no faster
/// than the target may be asked. Nothing where nothing says it.
fn takes(spec: &RunSpec, asked: u32, each_ms: Option<f64>) -> Option<f64> {
    if asked == 0 || spec.target.kind == TargetKind::Recorded {
        return Some(0.0);
    }
    let limits = &spec.target.limits;
    let at_a_time = spec.concurrency.unwrap_or(limits.concurrency).clamp(1, asked as usize);
    let least =
        limits.requests_per_minute.map_or(0.0, |most| f64::from(asked) / f64::from(most.max(1)) * 60_000.0);
    match each_ms {
        Some(ms) => Some((ms * f64::from(asked) / at_a_time as f64).max(least)),
        None => (least > 0.0).then_some(least),
    }
}

/// What runs of this set tell of the next one.
#[derive(Default)]
struct Past {
    /// The newest with this kind of target that has answers with tokens.
    answers: Option<Earlier>,
    /// How long an answer took in the mean in the newest with this kind of target, in milliseconds.
    each_ms: Option<f64>,
    /// The newest that was judged by the same judges, and what judging one answer cost.
    judging: Option<(RunName, f64)>,
}

fn past(ctx: &Ctx, spec: &RunSpec) -> Result<Past> {
    let kind = kind_words(&spec.target.kind);
    let judges: Vec<&(String, String)> =
        spec.evaluators.iter().filter(|(name, _)| spec.judging.is_judge(name)).collect();
    let mut past = Past::default();
    let of_set = ctx.store.runs()?.into_iter().filter(|run| run.head.set == spec.set.as_str());
    for run in of_set.take(LOOKED_BACK) {
        let same_target = run.head.target_kind == kind && (past.answers.is_none() || past.each_ms.is_none());
        let same_judges = past.judging.is_none()
            && !judges.is_empty()
            && judges.iter().all(|judge| run.head.evaluators.contains(judge));
        if !(same_target || same_judges) {
            continue;
        }
        let results = ctx.store.run_results(&run.head.name)?;
        if same_target {
            past.each_ms = past.each_ms.or_else(|| each_ms(&results));
            past.answers = past.answers.or_else(|| answers(&run.head.name, &results));
        }
        if same_judges {
            past.judging = judging(&results).map(|cost| (run.head.name, cost));
        }
    }
    Ok(past)
}

/// How long an answer of a run took in the mean.
fn each_ms(results: &[CaseResult]) -> Option<f64> {
    let took: Vec<f64> = results
        .iter()
        .filter_map(CaseResult::answer)
        .map(|answer| answer.latency_ms)
        .filter(|ms| ms.is_finite())
        .collect();
    (!took.is_empty()).then(|| took.iter().sum::<f64>() / took.len() as f64)
}

/// The means of the answers of a run, where any says its tokens.
fn answers(run: &RunName, results: &[CaseResult]) -> Option<Earlier> {
    let answers: Vec<&Answer> = results
        .iter()
        .filter_map(CaseResult::answer)
        .filter(|answer| answer.tokens_in.is_some() && answer.tokens_out.is_some())
        .collect();
    if answers.is_empty() {
        return None;
    }
    let n = answers.len() as f64;
    let mean = |of: fn(&Answer) -> Option<u64>| {
        answers.iter().filter_map(|answer| of(answer)).sum::<u64>() as f64 / n
    };
    let costs: Vec<f64> = answers.iter().filter_map(|answer| answer.cost_usd).collect();
    Some(Earlier {
        run: run.clone(),
        tokens_in: mean(|answer| answer.tokens_in),
        tokens_out: mean(|answer| answer.tokens_out),
        cost: (costs.len() == answers.len()).then(|| costs.iter().sum::<f64>() / n),
    })
}

/// What judging one answer of a run cost in the mean, where every judge says what it cost.
fn judging(results: &[CaseResult]) -> Option<f64> {
    let (mut sum, mut n) = (0.0, 0u32);
    for result in results {
        let judges = result.assessments.iter().filter(|one| one.kind == "judge");
        let costs: Option<Vec<f64>> = judges.map(|one| one.cost_usd).collect();
        if let Some(costs) = costs.filter(|costs| !costs.is_empty()) {
            sum += costs.iter().sum::<f64>();
            n += 1;
        }
    }
    (n > 0).then(|| sum / f64::from(n))
}
