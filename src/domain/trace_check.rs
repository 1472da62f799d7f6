//! What a trace must be like to be taken in: the rules behind the reasons in a reject file.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{Content, Status, Trace, Untrusted};

/// Longest id, session, user or name, in bytes.
pub const LONGEST_NAME: usize = 1024;
/// Deepest nesting of metadata, tool arguments and span contents.
pub const DEEPEST: usize = 64;
/// Longest latency and time to first token: 31 days in milliseconds.
pub const LONGEST_MS: f64 = 31.0 * 86_400_000.0;
/// Highest cost of one request, in US dollars.
pub const HIGHEST_COST: f64 = 1e6;
/// Most tokens of one request.
pub const MOST_TOKENS: u64 = 1_000_000_000_000;
/// How far ahead of this machine's clock a time may be: clocks differ, and zones are mistaken.
pub const AHEAD: SignedDuration = SignedDuration::from_hours(24);

/// Something odd about a trace that was taken all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Oddity {
    /// Its time is ahead of this machine's clock, by no more than [`AHEAD`].
    AheadOfClock,
}

impl Trace {
    /// Whether the trace may be taken in at this time: the first rule it breaks, as a sentence that
    /// begins with the field. Sentences hold no text from the trace but numbers and times.
    pub fn check(&self, now: Timestamp) -> Result<Option<Oddity>, String> {
        let names = [
            ("id", Some(&self.id)),
            ("session", self.session.as_ref()),
            ("user", self.user.as_ref()),
            ("feature", self.feature.as_ref()),
            ("model", self.model.as_ref()),
            ("prompt", self.prompt.as_ref()),
            ("prompt_version", self.prompt_version.as_ref()),
            ("experiment", self.experiment.as_ref()),
            ("arm", self.arm.as_ref()),
        ];
        for (field, name) in names {
            short(field, name)?;
        }
        let odd = self.time.map_or(Ok(false), |time| ahead("time", time, now))?;
        for (field, value, most) in [
            ("latency_ms", self.latency_ms, LONGEST_MS),
            ("ttft_ms", self.ttft_ms, LONGEST_MS),
            ("cost_usd", self.cost_usd, HIGHEST_COST),
        ] {
            if let Some(value) = value {
                within(field, value, most)?;
            }
        }
        for (field, tokens) in [("tokens_in", self.tokens_in), ("tokens_out", self.tokens_out)] {
            if let Some(tokens) = tokens.filter(|n| *n > MOST_TOKENS) {
                return Err(format!("{field}: {tokens} is above {MOST_TOKENS}"));
            }
        }
        if self.error_kind.is_some() && self.status == Status::Ok {
            return Err("error_kind: given with status ok".to_owned());
        }
        for (n, said) in self.feedback.iter().enumerate() {
            if let Some(time) = said.time {
                ahead(&format!("feedback[{n}].time"), time, now)?;
            }
        }
        for (name, value) in &self.score {
            if name.len() > LONGEST_NAME {
                return Err(format!("score: a name is longer than {LONGEST_NAME} bytes"));
            }
            if !value.is_finite() {
                return Err("score: a value is not a number".to_owned());
            }
        }
        for (n, tag) in self.tags.iter().enumerate() {
            short(&format!("tags[{n}]"), Some(tag))?;
        }
        for (field, content) in [("input", &self.input), ("output", &self.output)] {
            if let Content::Messages(messages) = content {
                for (n, message) in messages.iter().enumerate() {
                    let arguments = message.tool_calls.iter().flatten().map(|call| &call.function.arguments);
                    let all = arguments.chain([&message.content]).chain(message.extra.values());
                    shallow(&format!("{field}[{n}]"), all)?;
                }
            }
        }
        shallow("metadata", self.metadata.values())?;
        for (n, span) in self.spans.iter().enumerate() {
            let all = [&span.input, &span.output].into_iter().chain(span.metadata.values());
            shallow(&format!("spans[{n}]"), all)?;
        }
        Ok(odd.then_some(Oddity::AheadOfClock))
    }
}

fn short(field: &str, name: Option<&Untrusted>) -> Result<(), String> {
    match name {
        Some(name) if name.raw().len() > LONGEST_NAME => {
            Err(format!("{field}: longer than {LONGEST_NAME} bytes"))
        }
        _ => Ok(()),
    }
}

fn within(field: &str, value: f64, most: f64) -> Result<(), String> {
    if value.is_nan() {
        Err(format!("{field}: not a number"))
    } else if value < 0.0 {
        Err(format!("{field}: {value} is below 0"))
    } else if value > most {
        let value = if value < 1e15 { format!("{value}") } else { format!("{value:e}") };
        Err(format!("{field}: {value} is above {most}"))
    } else {
        Ok(())
    }
}

/// Whether a time is ahead of the clock; an error when it cannot be right.
fn ahead(field: &str, time: Timestamp, now: Timestamp) -> Result<bool, String> {
    if time < Timestamp::UNIX_EPOCH {
        return Err(format!("{field}: {time} is before 1970"));
    }
    let by = time.duration_since(now);
    if by > AHEAD {
        return Err(format!("{field}: {time} is more than a day in the future"));
    }
    Ok(by > SignedDuration::ZERO)
}

fn shallow<'a>(field: &str, values: impl IntoIterator<Item = &'a Value>) -> Result<(), String> {
    if values.into_iter().any(|value| deeper(value, DEEPEST)) {
        Err(format!("{field}: nested deeper than {DEEPEST} levels"))
    } else {
        Ok(())
    }
}

fn deeper(value: &Value, than: usize) -> bool {
    match value {
        Value::Array(items) => than == 0 || items.iter().any(|item| deeper(item, than - 1)),
        Value::Object(items) => than == 0 || items.values().any(|item| deeper(item, than - 1)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(fields: &str) -> Result<Option<Oddity>, String> {
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        let trace: Trace = serde_json::from_str(&format!(r#"{{"input":"q","output":"a"{fields}}}"#)).unwrap();
        trace.check(now)
    }

    #[test]
    fn each_rule_names_its_field() {
        assert_eq!(checked(""), Ok(None));
        assert_eq!(checked(r#","time":"2026-03-02T11:00:00Z""#), Ok(Some(Oddity::AheadOfClock)));
        let long = format!(r#","session":"{}""#, "x".repeat(1025));
        let deep = format!(r#","metadata":{{"a":{}1{}}}"#, "[".repeat(65), "]".repeat(65));
        for (fields, reason) in [
            (
                r#","time":"2026-03-02T12:00:01Z""#,
                "time: 2026-03-02T12:00:01Z is more than a day in the future",
            ),
            (r#","time":"0001-01-01T00:00:00Z""#, "time: 0001-01-01T00:00:00Z is before 1970"),
            (r#","cost_usd":-0.5"#, "cost_usd: -0.5 is below 0"),
            (r#","cost_usd":1e300"#, "cost_usd: 1e300 is above 1000000"),
            (r#","latency_ms":-1"#, "latency_ms: -1 is below 0"),
            (r#","latency_ms":1e12"#, "latency_ms: 1000000000000 is above 2678400000"),
            (r#","tokens_in":1000000000001"#, "tokens_in: 1000000000001 is above 1000000000000"),
            (r#","error_kind":"timeout""#, "error_kind: given with status ok"),
            (
                r#","feedback":[{"kind":"report","time":"2999-01-01T00:00:00Z"}]"#,
                "feedback[0].time: 2999-01-01T00:00:00Z is more than a day in the future",
            ),
            (&long, "session: longer than 1024 bytes"),
            (&deep, "metadata: nested deeper than 64 levels"),
        ] {
            let got = checked(fields).unwrap_err();
            assert!(got.starts_with(reason), "{got}");
        }
    }
}
