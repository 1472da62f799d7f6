//! Figures of a span and how it ended, from whatever fields say them.

use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use serde_json::Value;

use super::{NS_IN_MS, Reading, decimal, ms_between};
use crate::domain::FailureKind;
use crate::wire::otlp::attributes::Field;
use crate::wire::otlp::value;

impl Reading<'_> {
    /// Tokens read. Cached ones are within: where a source counts them apart and its total says so, they are
    /// added.
    pub(in crate::wire::otlp) fn tokens_in(&self) -> Option<u64> {
        self.field(Field::TokensIn).and_then(value::count).or_else(|| self.usage("input"))
    }

    /// Tokens written.
    pub(in crate::wire::otlp) fn tokens_out(&self) -> Option<u64> {
        self.field(Field::TokensOut).and_then(value::count).or_else(|| self.usage("output"))
    }

    fn usage(&self, side: &str) -> Option<u64> {
        let Some(Value::Object(details)) = self.field(Field::UsageDetails).map(value::unfolded) else {
            return None;
        };
        let count = |name: &str| details.get(name).and_then(Value::as_u64);
        let plain = count(side).or_else(|| count(&format!("{side}_tokens")))?;
        let (parts, all) = details.iter().filter(|(name, _)| *name != "total").fold(
            (0_u64, 0_u64),
            |(parts, all), (name, value)| {
                let n = value.as_u64().unwrap_or(0);
                let part = name.contains(side) && name != side && *name != format!("{side}_tokens");
                (parts.saturating_add(if part { n } else { 0 }), all.saturating_add(n))
            },
        );
        Some(if count("total") == Some(all) { plain.saturating_add(parts) } else { plain })
    }

    /// US dollars, as the source worked them out.
    pub(in crate::wire::otlp) fn cost(&self) -> Option<f64> {
        let figure = |field| self.field(field).and_then(value::figure);
        let details = || match self.field(Field::CostDetails).map(value::unfolded) {
            Some(Value::Object(details)) => match details.get("total").and_then(Value::as_f64) {
                Some(total) => Some(total),
                None => details.values().map(Value::as_f64).sum::<Option<f64>>(),
            },
            _ => None,
        };
        figure(Field::Cost)
            .or_else(|| Some(figure(Field::CostIn)? + figure(Field::CostOut).unwrap_or(0.0)))
            .or_else(details)
            .filter(|cost| *cost >= 0.0)
            .map(decimal)
    }

    /// Whether it says anything of tokens or cost.
    pub(in crate::wire::otlp) fn has_usage(&self) -> bool {
        self.tokens_in().is_some() || self.tokens_out().is_some() || self.cost().is_some()
    }

    /// How long it took, in milliseconds; nothing where the clock ran backwards or it has not ended.
    pub(in crate::wire::otlp) fn duration_ms(&self) -> Option<f64> {
        let (start, end) = (self.span.start_time_unix_nano, self.span.end_time_unix_nano);
        (start > 0 && end >= start).then(|| (end - start) as f64 / NS_IN_MS)
    }

    /// Milliseconds from its start to the first token.
    pub(in crate::wire::otlp) fn first_token_ms(&self) -> Option<f64> {
        let figure = |field| self.field(field).and_then(value::figure);
        let at = || {
            let at: jiff::Timestamp =
                self.field(Field::FirstTokenAt).and_then(value::text)?.trim_matches('"').parse().ok()?;
            u64::try_from(at.as_nanosecond()).ok()
        };
        figure(Field::FirstTokenSeconds)
            .map(|s| s * 1e3)
            .or_else(|| figure(Field::FirstTokenMs))
            .or_else(|| Some(ms_between(self.span.start_time_unix_nano, self.first_token.or_else(at)?)))
            .filter(|ms| *ms >= 0.0)
    }

    /// Whether it failed.
    pub(in crate::wire::otlp) fn failed(&self) -> bool {
        let code = self.span.status.as_ref().map_or(0, |status| status.code);
        code == StatusCode::Error as i32
            || self.field(Field::Level).and_then(value::text).is_some_and(|level| level == "ERROR")
    }

    /// Whether the provider ended the answer for its content.
    pub(in crate::wire::otlp) fn filtered(&self) -> bool {
        let reasons = self.field(Field::FinishReasons).map(value::words).unwrap_or_default();
        reasons.iter().any(|reason| reason.raw() == "content_filter")
    }

    /// Why it failed, by what its status and exception say.
    pub(in crate::wire::otlp) fn failure(&self) -> FailureKind {
        if self.field(Field::HttpStatus).and_then(value::count) == Some(429) {
            return FailureKind::RateLimit;
        }
        let status = self.span.status.as_ref().map_or("", |status| status.message.as_str());
        let text = |field| self.field(field).and_then(value::text);
        let fields = [Field::ErrorType, Field::StatusMessage, Field::ExceptionMessage];
        let said: Vec<&str> = fields.into_iter().filter_map(text).chain([status]).collect();
        let said = said.join(" ").to_lowercase();
        let any = |words: &[&str]| words.iter().any(|word| said.contains(word));
        if any(&["ratelimit", "rate limit", "rate_limit", "too many requests", "429", "quota"]) {
            FailureKind::RateLimit
        } else if any(&["timeout", "timed out", "time-out", "deadline"]) {
            FailureKind::Timeout
        } else if any(&[
            "content_filter",
            "content filter",
            "contentfilter",
            "content policy",
            "content_policy",
            "moderation",
            "safety",
            "responsibleai",
        ]) {
            FailureKind::ContentPolicy
        } else {
            FailureKind::Other
        }
    }
}
