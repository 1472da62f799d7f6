//! Two runs of the demo's eval set: the prompt that does well, and the one that gives bad advice on
//! overdraft fees. What each answers is made as the traces are, so the two differ where production does.

use jiff::Timestamp;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::dialog::prompt_text;
use super::feedback::Judgement;
use super::truth::Version;
use super::{DemoSpec, Generator};
use crate::domain::{
    Answer, Answered, AskError, AskErrorKind, Assessment, CaseResult, Check, EvalCase, EvalConfig, Evaluator,
    FailureKind, Outcome, Result, RunHead, RunName, Score, SetName, Status, Trace, Untrusted,
};
use crate::ops::Ctx;
use crate::ops::score::{Scorer, Services};
use crate::store::RunWrite;

const MINUTE: i64 = 60_000;
/// The runs: version, and how many minutes ago it was begun.
const RUNS: [(Version, i64); 2] = [(Version::V3, 34), (Version::V4, 21)];
/// What an answer must not say, how long it may be, and what the judge's criteria must reach in the mean.
const FORBIDDEN: [&str; 3] = ["transfer your balance", "transfer the balance", "transfer enough balance"];
const LONGEST: usize = 1_200;
const ENOUGH: f64 = 6.0;

/// Writes the two runs; none while the set has no case.
pub fn runs(ctx: &Ctx, spec: &DemoSpec, generator: &Generator) -> Result<()> {
    let set = ctx.store.eval_set(&SetName::parse("support")?)?;
    if set.cases.is_empty() {
        return Ok(());
    }
    let (rules, judge) = evaluators()?;
    let config = EvalConfig::default();
    let prepared = Scorer::new(&config, Services::new(&config, &ctx.store))?.prepare(&rules)?;
    for (version, minutes) in RUNS {
        let began = spec.now.as_millisecond() - minutes * MINUTE;
        let at = |ms: i64| Timestamp::from_millisecond(ms).unwrap_or(spec.now);
        let (prompt, name) = version.names();
        let head = RunHead {
            name: RunName::parse(&format!("support-{name}"))?,
            set: set.name.to_string(),
            set_version: set.version,
            target: "support-bot".to_owned(),
            target_kind: "http".to_owned(),
            prompt: Some(format!("{prompt}@{name}")),
            prompt_hash: Some(
                Sha256::digest(prompt_text(version)).iter().map(|b| format!("{b:02x}")).collect(),
            ),
            evaluators: rules.iter().chain([&judge]).map(|one| (one.name.clone(), one.version())).collect(),
            cases: set.cases.len() as u64,
            max_usd: None,
            at: at(began),
            by: "ann".to_owned(),
            program: env!("CARGO_PKG_VERSION").to_owned(),
        };
        ctx.store.create_run(&head)?;
        let mut ms = began;
        let mut writes = Vec::new();
        for case in &set.cases {
            let trace = case.body.trace.as_ref().map_or("", Untrusted::raw);
            let Some((answered, said)) = generator.answered_by(trace, version) else { continue };
            ms += answered.latency_ms.unwrap_or(0.0) as i64;
            let mut result = result(case, &answered, at(ms));
            result.assessments = match result.subject() {
                Some(subject) => prepared.rules(subject).into_iter().chain([judged(&judge, &said)]).collect(),
                None => Vec::new(),
            };
            writes.push(RunWrite::Landed(Box::new(result)));
        }
        ctx.store.write_run(&head.name, &writes)?;
    }
    Ok(())
}

/// The rules of the set, then its judge.
fn evaluators() -> Result<(Vec<Evaluator>, Evaluator)> {
    let of = |name: &str, check| -> Result<Evaluator> {
        Ok(Evaluator { name: name.to_owned(), check: Check::from_value(check)? })
    };
    let advice = of("advice", json!({"kind": "forbidden", "values": FORBIDDEN}))?;
    let length = of("length", json!({"kind": "length", "max": LONGEST}))?;
    Ok((vec![advice, length], of("judge", json!({"kind": "judge"}))?))
}

/// What came of a case whose trace would have been this.
fn result(case: &EvalCase, trace: &Trace, at: Timestamp) -> CaseResult {
    let answered = if trace.status == Status::Error {
        let kind = match trace.error_kind {
            Some(FailureKind::Timeout) => AskErrorKind::Timeout,
            Some(FailureKind::RateLimit) => AskErrorKind::RateLimit,
            Some(FailureKind::ContentPolicy) => AskErrorKind::Refused,
            _ => AskErrorKind::Unavailable,
        };
        Answered::Error(AskError { kind, what: kind.words().into(), retry_after: None })
    } else {
        Answered::Answer(Answer {
            output: trace.output.clone(),
            latency_ms: trace.latency_ms.unwrap_or(0.0),
            tokens_in: trace.tokens_in,
            tokens_out: trace.tokens_out,
            cost_usd: trace.cost_usd,
            model: trace.model.as_ref().map(|model| model.raw().to_owned()),
            request_id: None,
        })
    };
    CaseResult::new(case, answered, 1, at)
}

/// The judge's word, which the generator knows.
fn judged(judge: &Evaluator, said: &Judgement) -> Assessment {
    let mean = said.score.values().sum::<f64>() / said.score.len().max(1) as f64;
    let value = (mean * 10.0).round() / 10.0;
    Assessment {
        evaluator: judge.name.clone(),
        kind: judge.check.kind().to_owned(),
        version: judge.version(),
        outcome: if value >= ENOUGH { Outcome::Pass } else { Outcome::Fail },
        score: Some(Score { value, min: 1.0, max: 10.0 }),
        explanation: said.explanation.into(),
        span: None,
        criteria: said.score.clone(),
        by: Some("gpt-4o".to_owned()),
        cost_usd: None,
    }
}
