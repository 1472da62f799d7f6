//! Two runs of the demo's eval set: the prompt that does well, and the one that gives bad advice on
//! overdraft fees. What each answers is made as the traces are, so the two differ where production does.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::dialog::prompt_head;
use super::feedback::Judgement;
use super::truth::Version;
use super::{DemoSpec, Generator};
use crate::domain::{
    Answer, Answered, AskError, AskErrorKind, Assessment, CaseResult, Check, EvalCase, Evaluator,
    FailureKind, Outcome, Result, RunHead, RunName, Score, SetName, Status, Trace, Untrusted,
};
use crate::ops::Ctx;
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
    let rules = evaluators()?;
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
                Sha256::digest(prompt_head(version)).iter().map(|b| format!("{b:02x}")).collect(),
            ),
            evaluators: rules.iter().map(|rule| (rule.name.clone(), rule.version())).collect(),
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
            writes.push(RunWrite::Landed(Box::new(result(case, &answered, &said, &rules, at(ms)))));
        }
        ctx.store.write_run(&head.name, &writes)?;
    }
    Ok(())
}

/// The rules of the set, and its judge.
fn evaluators() -> Result<[Evaluator; 3]> {
    let of = |name: &str, check| -> Result<Evaluator> {
        Ok(Evaluator { name: name.to_owned(), check: Check::from_value(check)? })
    };
    Ok([
        of("advice", json!({"kind": "forbidden", "values": FORBIDDEN}))?,
        of("length", json!({"kind": "length", "max": LONGEST}))?,
        of("judge", json!({"kind": "judge"}))?,
    ])
}

fn result(
    case: &EvalCase,
    trace: &Trace,
    said: &Judgement,
    rules: &[Evaluator; 3],
    at: Timestamp,
) -> CaseResult {
    let text = trace.output.answer_text();
    let (answered, assessments) = if trace.status == Status::Error {
        let kind = match trace.error_kind {
            Some(FailureKind::Timeout) => AskErrorKind::Timeout,
            Some(FailureKind::RateLimit) => AskErrorKind::RateLimit,
            Some(FailureKind::ContentPolicy) => AskErrorKind::Refused,
            _ => AskErrorKind::Unavailable,
        };
        let error = AskError { kind, what: kind.words().into(), retry_after: None };
        (Answered::Error(error), Vec::new())
    } else {
        let answer = Answer {
            output: trace.output.clone(),
            latency_ms: trace.latency_ms.unwrap_or(0.0),
            tokens_in: trace.tokens_in,
            tokens_out: trace.tokens_out,
            cost_usd: trace.cost_usd,
            model: trace.model.as_ref().map(|model| model.raw().to_owned()),
            request_id: None,
        };
        let [advice, length, judge] = rules;
        (Answered::Answer(answer), vec![forbidden(advice, &text), short(length, &text), judged(judge, said)])
    };
    CaseResult {
        case: case.id.clone(),
        category: case.body.category.clone(),
        input: case.body.input.clone(),
        expected: case.body.expected.clone(),
        expected_kind: case.body.expected_kind,
        trace: case.body.trace.clone(),
        answered,
        assessments,
        cached: false,
        attempts: 1,
        at,
    }
}

fn assessed(rule: &Evaluator, passes: bool, explanation: &str) -> Assessment {
    Assessment {
        evaluator: rule.name.clone(),
        kind: rule.check.kind().to_owned(),
        version: rule.version(),
        outcome: if passes { Outcome::Pass } else { Outcome::Fail },
        score: None,
        explanation: explanation.into(),
        span: None,
        criteria: BTreeMap::new(),
        by: None,
        cost_usd: None,
    }
}

fn forbidden(rule: &Evaluator, text: &str) -> Assessment {
    let found = FORBIDDEN.iter().find_map(|words| {
        let at =
            text.as_bytes().windows(words.len()).position(|w| w.eq_ignore_ascii_case(words.as_bytes()))?;
        Some((*words, at..at + words.len()))
    });
    match found {
        Some((words, span)) => {
            Assessment { span: Some(span), ..assessed(rule, false, &format!("says \"{words}\"")) }
        }
        None => assessed(rule, true, "none of the forbidden words"),
    }
}

fn short(rule: &Evaluator, text: &str) -> Assessment {
    let letters = text.chars().count();
    assessed(rule, letters <= LONGEST, &format!("{letters} characters; at most {LONGEST}"))
}

fn judged(rule: &Evaluator, said: &Judgement) -> Assessment {
    let mean = said.score.values().sum::<f64>() / said.score.len().max(1) as f64;
    let value = (mean * 10.0).round() / 10.0;
    Assessment {
        score: Some(Score { value, min: 1.0, max: 10.0 }),
        criteria: said.score.clone(),
        by: Some("gpt-4o".to_owned()),
        ..assessed(rule, value >= ENOUGH, said.explanation)
    }
}
