//! The exercise: a target against a server of ours that refuses, hangs or limits, and what is seen of it.
//!
//! A target of kind command or http is the application: it is told the server's address as that of its model, and
//! its answer must be its fallback. One of kind openai or anthropic is the model itself: what is seen is only that
//! this program's client is told of the failure in time.

use std::time::{Duration, Instant};

use regex::Regex;
use serde::Serialize;

use super::candidate::Candidate;
use super::{GateOf, id_of};
use crate::domain::gate::{Accept, Fault, Item, Proof, Seen, Sight};
use crate::domain::{
    Answer, Ask, AskError, AskErrorKind, Content, Error, EvalConfig, ModelSpec, Result, TargetKind,
    TargetLimits, TargetSpec, Untrusted,
};
use crate::ops::Ctx;
use crate::ops::run;
use crate::task::{Cancel, Progress};
use crate::text::figures::duration;
use crate::wire::fault_server::FaultServer;
use crate::wire::target::{Target, ask_patiently};

/// The most characters of an answer that are quoted.
const QUOTED: usize = 160;

/// An exercise that was done.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExerciseView {
    /// The target.
    pub target: String,
    /// Its kind.
    pub target_kind: String,
    /// What counts.
    pub accept: Accept,
    /// What was seen of each failure.
    pub sights: Vec<Sight>,
    /// What counts was seen of every failure.
    pub met: bool,
    /// The evidence that was kept.
    pub evidence: String,
}

/// Tries a target against every failure, and keeps what was seen.
///
/// # Errors
/// `Usage` where there is no such target, it cannot be asked, or no fallback is described for an application.
pub fn exercise(
    ctx: &Ctx,
    config: &EvalConfig,
    of: &GateOf,
    target: &str,
    cancel: &Cancel,
    progress: &Progress,
) -> Result<ExerciseView> {
    let candidate = Candidate::find(ctx, config, of, cancel)?;
    let spec = &candidate.spec.failure_modes;
    let target = run::target(config, target)?;
    let patterns = spec.fallback.iter().map(|text| {
        Regex::new(text)
            .map_err(|e| Error::usage(format!("“{text}” is not a regular expression.")).because(e))
    });
    let patterns: Vec<Regex> = patterns.collect::<Result<_>>()?;
    if matches!(target.kind, TargetKind::Command(_) | TargetKind::Http(_)) && patterns.is_empty() {
        return Err(Error::usage(format!(
            "What the fallback of {} says is not described.",
            candidate.feature
        ))
        .hint(format!(
            "Write [item.failure_modes] fallback = [\"PATTERN\"] into {}",
            candidate.gate_file()
        )));
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Error::failed("The exercise cannot be started.").because(e))?;
    progress.phase("trying failures");
    progress.set_total(Fault::ALL.len() as u64);
    let mut sights = Vec::new();
    for fault in Fault::ALL {
        let tried = runtime.block_on(tried(&candidate, &target, &patterns, fault));
        cancel.check()?;
        sights.push(tried?);
        progress.add(1);
    }
    let enough = |seen: Seen| seen == Seen::Fallback || seen == Seen::Told && spec.accept == Accept::Client;
    let met = sights.iter().all(|sight| enough(sight.seen));
    let target_kind = kind_of(&target.kind).to_owned();
    let proof = Proof::Exercise {
        target: target.name.clone(),
        target_kind: target_kind.clone(),
        sights: sights.clone(),
    };
    let row = candidate.keep(Some(Item::FailureModes), proof)?;
    let (target, accept) = (target.name, spec.accept);
    Ok(ExerciseView { target, target_kind, accept, sights, met, evidence: id_of(row.id) })
}

fn kind_of(kind: &TargetKind) -> &'static str {
    match kind {
        TargetKind::OpenAi(_) => "openai",
        TargetKind::Anthropic(_) => "anthropic",
        TargetKind::Http(_) => "http",
        TargetKind::Command(_) => "command",
        TargetKind::Recorded => "recorded",
    }
}

async fn tried(
    candidate: &Candidate<'_>,
    target: &TargetSpec,
    patterns: &[Regex],
    fault: Fault,
) -> Result<Sight> {
    let spec = &candidate.spec.failure_modes;
    let server = FaultServer::start(fault).await?;
    let mut kind = target.kind.clone();
    let mut told = Vec::new();
    match &mut kind {
        TargetKind::OpenAi(ModelSpec { base_url, .. }) => *base_url = server.url("/v1"),
        TargetKind::Anthropic(ModelSpec { base_url, .. }) => *base_url = server.url(""),
        TargetKind::Command(_) => told.push((spec.fault_env.clone(), server.url(&spec.fault_path))),
        TargetKind::Http(_) => told.push((spec.fault_value.clone(), server.url(&spec.fault_path))),
        TargetKind::Recorded => {}
    }
    let limits = TargetLimits { timeout: Duration::from_millis(spec.limit_ms), ..target.limits.clone() };
    let aimed = TargetSpec { kind, limits: limits.clone(), ..target.clone() };
    let variable = |name: &str| std::env::var(name).ok();
    let connected = Target::connect_told(&aimed, &candidate.config.prices, &variable, &told)?;
    let ask = Ask {
        id: format!("exercise-{}", fault.words().replace(' ', "-")),
        key: None,
        input: Content::Text(Untrusted::new(spec.input.clone())),
        prompt: Some(candidate.prompt.text.clone()),
        json: None,
        max_tokens: None,
    };
    let began = Instant::now();
    let (answer, _) = ask_patiently(&connected, &ask, &limits, candidate.cancel, |_, _| true).await;
    let took_ms = began.elapsed().as_secs_f64() * 1000.0;
    let requests = server.requests();
    let is_model = matches!(aimed.kind, TargetKind::OpenAi(_) | TargetKind::Anthropic(_));
    let (seen, words) =
        if is_model { of_model(fault, &answer) } else { of_application(fault, &answer, patterns, requests) };
    let words = Untrusted::new(format!("{words} ({})", duration(took_ms)));
    Ok(Sight { fault, seen, words, took_ms: took_ms.round(), requests })
}

/// What is seen of a model's failure: that the client is told of it, and as what.
fn of_model(fault: Fault, answer: &std::result::Result<Answer, AskError>) -> (Seen, String) {
    let wanted = match fault {
        Fault::Outage => AskErrorKind::Unavailable,
        Fault::Timeout => AskErrorKind::Timeout,
        Fault::RateLimit => AskErrorKind::RateLimit,
    };
    match answer {
        Err(error) if error.kind == wanted => (Seen::Told, format!("the client says: {}", error.what.raw())),
        Err(error) => (Seen::Nothing, format!("the client says something else: {}", error.what.raw())),
        Ok(_) => (Seen::Nothing, "something answered in its place".to_owned()),
    }
}

/// What is seen of an application: its fallback, or not.
fn of_application(
    fault: Fault,
    answer: &std::result::Result<Answer, AskError>,
    patterns: &[Regex],
    requests: u64,
) -> (Seen, String) {
    let answer = match answer {
        Ok(answer) => answer.output.plain_text().into_raw(),
        Err(error) => return (Seen::Nothing, format!("no answer: {}", error.what.raw())),
    };
    let quote: String =
        answer.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(QUOTED).collect();
    if !patterns.iter().any(|pattern| pattern.is_match(&answer)) {
        return (Seen::Nothing, format!("its answer is not the fallback: {quote}"));
    }
    // Where nothing listens nobody can be counted; the other failures show whether it asks where it was told.
    if fault != Fault::Outage && requests == 0 {
        return (
            Seen::Nothing,
            "its answer is the fallback, but it did not ask the server it was told of".to_owned(),
        );
    }
    (Seen::Fallback, format!("it falls back: {quote}"))
}
