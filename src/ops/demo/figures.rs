//! Tokens, cost, latency: the figures of a trace, from its texts, its model and its time.

use super::book::Model;
use super::calendar::{Calendar, DRIFTING_MODEL};
use super::dice::Dice;
use super::truth::{Verdict, Version};
use crate::domain::FailureKind;

/// The figures of one request.
pub struct Figures {
    pub latency_ms: f64,
    pub ttft_ms: Option<f64>,
    pub tokens_in: u64,
    pub tokens_out: u64,
    pub cost_usd: f64,
}

/// What the request was.
pub struct Work {
    /// Tokens of the conversation that was sent, without the prompt.
    pub tokens_in: u64,
    pub tokens_out: u64,
    /// Milliseconds spent in tools and retrieval before the answer.
    pub steps_ms: f64,
}

/// Tokens of the whole prompt, of which the trace shows the head.
fn prompt_tokens(version: Version) -> u64 {
    match version {
        Version::V3 => 620,
        Version::V4 => 980,
        Version::Summary2 => 240,
    }
}

impl Figures {
    /// Draws the figures.
    pub fn draw(
        model: &Model,
        version: Version,
        verdict: Verdict,
        work: &Work,
        at_ms: i64,
        calendar: &Calendar,
        dice: &mut Dice,
    ) -> Self {
        let tokens_in = prompt_tokens(version) + work.tokens_in;
        let drift = if model.name == DRIFTING_MODEL { calendar.drift(at_ms) } else { 1.0 };
        let first = dice.log_normal(model.first_ms * drift, 0.28) + tokens_in as f64 * 0.04;
        let rest = work.tokens_out as f64 * dice.log_normal(model.token_ms * drift, 0.22);
        // Now and then a request waits for the provider.
        let waits = if dice.chance(0.012) { dice.log_normal(2_600.0, 0.5) } else { 0.0 };
        let cost = |input: u64, output: u64| {
            let dollars = input as f64 * model.price_in + output as f64 * model.price_out;
            (dollars * 1e3).round() / 1e9
        };
        match verdict {
            Verdict::NoAnswer(kind) => {
                let latency_ms = match kind {
                    FailureKind::Timeout => 30_000.0,
                    FailureKind::RateLimit => dice.log_normal(190.0, 0.4),
                    FailureKind::ContentPolicy => dice.log_normal(420.0, 0.3),
                    FailureKind::Other => dice.log_normal(900.0, 0.8),
                };
                Self {
                    latency_ms: latency_ms.round(),
                    ttft_ms: None,
                    tokens_in,
                    tokens_out: 0,
                    // A refusal for volume is not charged, what was read is.
                    cost_usd: if kind == FailureKind::RateLimit { 0.0 } else { cost(tokens_in, 0) },
                }
            }
            _ => Self {
                latency_ms: (work.steps_ms + first + rest + waits).round(),
                ttft_ms: Some((work.steps_ms + first + waits).round()),
                tokens_in,
                tokens_out: work.tokens_out,
                cost_usd: cost(tokens_in, work.tokens_out),
            },
        }
    }
}
