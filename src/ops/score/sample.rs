//! The evaluators over the recorded traces of a sample: a word for each trace, and what they say of the
//! population that the sample was drawn from.

use futures::stream::{self, StreamExt};
use serde::Serialize;

use super::kept::{fresh, known, subject_hash};
use super::{Prepared, Scorer, Unlimited};
use crate::domain::{
    Assessment, ChatMessage, Content, Error, ExpectedKind, FunctionCall, Member, Outcome, Result, Subject,
    ToolCall, Trace, Untrusted,
};
use crate::ops::review::RateView;
use crate::ops::{Ctx, sample};
use crate::stats::{CONFIDENCE, weighted_rate};
use crate::task::{Cancel, Progress};

/// Traces that are scored at a time, where evaluators ask.
const AT_A_TIME: usize = 8;
/// Words of rules that go into one commit.
const AT_A_COMMIT: usize = 1000;

/// What is scored.
#[derive(Debug, Clone)]
pub struct ScoreSpec {
    /// The name of the sample.
    pub sample: String,
    /// Whether an evaluator that asks may go by what it said of the same trace before.
    pub cache: bool,
}

/// What the evaluators say of one trace.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TraceScores {
    /// The trace.
    pub trace: Untrusted,
    /// The probability with which the draw included it.
    pub probability: f64,
    /// A word of each evaluator that applies, in their order.
    pub assessments: Vec<Assessment>,
    /// Those whose word is one that they gave before: nothing was asked and nothing paid.
    pub cached: Vec<String>,
}

/// What the evaluators say of a sample.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SampleScores {
    /// The sample.
    pub sample: String,
    /// Traces that were scored.
    pub traces: u64,
    /// Traces of the sample that are not in the store.
    pub missing: u64,
    /// By evaluator, in their order.
    pub evaluators: Vec<EvaluatorRate>,
    /// What asking judges cost, in US dollars, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
}

/// One evaluator over a sample.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EvaluatorRate {
    /// Its name.
    pub evaluator: String,
    /// Its kind.
    pub kind: String,
    /// Traces that pass.
    pub passes: u64,
    /// Traces that fail.
    pub fails: u64,
    /// Traces of which it could not tell.
    pub errors: u64,
    /// Traces of which it had spoken before, so that it was not asked.
    pub cached: u64,
    /// Traces to which it does not apply: it compares with an expected answer, and a recorded trace has none.
    pub does_not_apply: u64,
    /// The share of the population that passes, of what could be told, weighted by inclusion.
    pub passing: Option<RateView>,
    /// The mean of its scores over the population, weighted by inclusion, on its own scale.
    pub mean_score: Option<f64>,
    /// Which model or embedder spoke last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// Counts of one evaluator: what stays of a trace is one byte.
#[derive(Default)]
struct Tally {
    /// By member: 0 not told, 1 pass, 2 fail.
    told: Vec<u8>,
    errors: u64,
    cached: u64,
    weighed: f64,
    weight: f64,
    by: Option<String>,
}

/// The words on a trace, and by place whether each is one that was given before.
struct Words {
    assessments: Vec<Assessment>,
    cached: Vec<bool>,
}

/// Scores a sample, and keeps each word durably. `each` sees every trace as it is done, in the order of the sample.
pub fn score_sample(
    ctx: &Ctx,
    scorer: &Scorer,
    prepared: Prepared,
    spec: &ScoreSpec,
    cancel: &Cancel,
    progress: &Progress,
    mut each: impl FnMut(TraceScores) -> Result<()>,
) -> Result<SampleScores> {
    let sample = sample::load(ctx, &spec.sample)?;
    progress.phase("scoring");
    progress.set_total(sample.members.len() as u64);
    let (prepared, named) = prepared.without_expectation();
    let prepared = &prepared;
    let mut tallies: Vec<Tally> = prepared.items.iter().map(|_| Tally::default()).collect();
    let (mut traces, mut missing, mut cost) = (0, 0, None);
    let mut land = |at: usize, words: Option<Words>| -> Result<()> {
        let member = &sample.members[at];
        progress.add(1);
        let Some(Words { assessments, cached }) = words else {
            missing += 1;
            tallies.iter_mut().for_each(|tally| tally.told.push(0));
            return Ok(());
        };
        traces += 1;
        for ((tally, one), cached) in tallies.iter_mut().zip(&assessments).zip(&cached) {
            tally.add(one, member.probability);
            tally.cached += u64::from(*cached);
            if let Some(paid) = one.cost_usd.filter(|_| !cached) {
                *cost.get_or_insert(0.0) += paid;
            }
        }
        let before = assessments.iter().zip(&cached).filter(|(_, cached)| **cached);
        let cached = before.map(|(one, _)| one.evaluator.clone()).collect();
        each(TraceScores {
            trace: member.trace.clone(),
            probability: member.probability,
            assessments,
            cached,
        })
    };
    let load = |at: usize| -> Result<Option<Trace>> {
        cancel.check()?;
        Ok(ctx.store.trace_by_id(sample.members[at].trace.raw())?.map(|stored| stored.trace))
    };
    if prepared.only_rules() {
        let mut rows = Vec::new();
        for at in 0..sample.members.len() {
            let words = load(at)?.map(|trace| {
                let assessments = prepared.rules(subject(&trace, &with_tools(&trace)));
                rows.extend(fresh(ctx, prepared, &trace.id, subject_hash(&trace), &assessments, &[]));
                Words { cached: vec![false; assessments.len()], assessments }
            });
            if rows.len() >= AT_A_COMMIT {
                ctx.store.keep_trace_scores(&std::mem::take(&mut rows))?;
            }
            land(at, words)?;
        }
        ctx.store.keep_trace_scores(&rows)?;
    } else {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| Error::failed("The evaluators cannot be started.").because(e))?;
        runtime.block_on(async {
            let scored = stream::iter(0..sample.members.len()).map(|at| async move {
                let Some(trace) = load(at)? else { return Ok::<_, Error>((at, None)) };
                let (output, hash) = (with_tools(&trace), subject_hash(&trace));
                let known = if spec.cache { known(ctx, prepared, &trace.id, &hash)? } else { Vec::new() };
                let subject = subject(&trace, &output);
                let assessments = scorer.score_unknown(prepared, subject, &known, &Unlimited).await;
                // At once: what was paid for is not lost to a kill.
                ctx.store.keep_trace_scores(&fresh(ctx, prepared, &trace.id, hash, &assessments, &known))?;
                let cached = |at: usize| known.get(at).is_some_and(Option::is_some);
                let cached = (0..assessments.len()).map(cached).collect();
                Ok((at, Some(Words { assessments, cached })))
            });
            let mut scored = std::pin::pin!(scored.buffered(AT_A_TIME));
            while let Some(done) = scored.next().await {
                let (at, words) = done?;
                land(at, words)?;
            }
            Ok::<(), Error>(())
        })?;
    }
    let mut tallies = tallies.into_iter();
    let evaluators = named.into_iter().map(|(evaluator, kind, applies)| {
        let tally = if applies { tallies.next().unwrap_or_default() } else { Tally::default() };
        let does_not_apply = if applies { 0 } else { traces };
        tally.rate(evaluator, kind, does_not_apply, &sample.members)
    });
    Ok(SampleScores {
        evaluators: evaluators.collect(),
        sample: sample.name.clone(),
        traces,
        missing,
        cost_usd: cost,
    })
}

impl Tally {
    /// What an evaluator says of the population.
    fn rate(self, evaluator: String, kind: String, does_not_apply: u64, members: &[Member]) -> EvaluatorRate {
        let told = || members.iter().zip(&self.told).filter(|(_, told)| **told > 0);
        let passing =
            weighted_rate(told().map(|(member, told)| (member.probability, *told == 1)), CONFIDENCE);
        let count = |what: u8| self.told.iter().filter(|told| **told == what).count() as u64;
        EvaluatorRate {
            evaluator,
            kind,
            passes: count(1),
            fails: count(2),
            errors: self.errors,
            cached: self.cached,
            does_not_apply,
            passing: passing.map(|it| RateView {
                rate: it.rate,
                lower: it.interval.lower,
                upper: it.interval.upper,
            }),
            mean_score: (self.weight > 0.0).then(|| self.weighed / self.weight),
            by: self.by,
        }
    }

    fn add(&mut self, one: &Assessment, probability: f64) {
        self.told.push(match one.outcome {
            Outcome::Pass => 1,
            Outcome::Fail => 2,
            Outcome::Error => 0,
        });
        self.errors += u64::from(one.outcome == Outcome::Error);
        if let Some(score) = one.score
            && probability > 0.0
        {
            self.weight += probability.recip();
            self.weighed += score.value / probability;
        }
        if one.by.is_some() {
            self.by.clone_from(&one.by);
        }
    }
}

pub(super) fn subject<'a>(trace: &'a Trace, output: &'a Content) -> Subject<'a> {
    Subject {
        input: &trace.input,
        output,
        expected: None,
        expected_kind: ExpectedKind::Output,
        latency_ms: trace.latency_ms,
        cost_usd: trace.cost_usd,
        tokens_out: trace.tokens_out,
    }
}

/// What a trace answered, with the tools that its spans called where the output itself names none: an agent
/// records them there.
pub fn with_tools(trace: &Trace) -> Content {
    let calls: Vec<ToolCall> = trace
        .spans
        .iter()
        .filter(|span| span.kind.raw() == "tool")
        .map(|span| ToolCall {
            id: Untrusted::default(),
            kind: "function".into(),
            function: FunctionCall { name: span.name.clone(), arguments: span.input.clone() },
        })
        .collect();
    if calls.is_empty() || trace.output.tool_calls().next().is_some() {
        return trace.output.clone();
    }
    let mut messages = match &trace.output {
        Content::Messages(messages) => messages.clone(),
        Content::Text(text) => {
            let content = text.raw().into();
            vec![ChatMessage { role: "assistant".into(), content, ..ChatMessage::default() }]
        }
    };
    let calling = ChatMessage { role: "assistant".into(), tool_calls: Some(calls), ..ChatMessage::default() };
    messages.insert(0, calling);
    Content::Messages(messages)
}
