//! Chat transcripts in OpenAI form, whatever is around them, by a [`Mapping`].
//!
//! The output is the assistant's last turn with whatever follows it; the input is what precedes. What
//! the mapping does not take goes into the metadata, so that nothing is lost.

use jiff::Timestamp;
use serde_json::Value;

use super::diagnose::{self, kind};
use super::{Found, Mapping, tuesday};
use crate::domain::{
    ChatMessage, Content, FailureKind, Feedback, FeedbackKind, Status, Thumbs, Trace, Untrusted,
};

/// Reads one item.
pub(super) fn read(text: &str, mapping: &Mapping) -> Result<Found, String> {
    let item: Value = serde_json::from_str(text).map_err(|e| diagnose::not_json(&e))?;
    if !item.is_object() {
        return Err(format!("expected an object, got {}", kind(&item)));
    }
    let mut from = Fields { item: &item, mapping, used: Vec::new() };
    let mut t = tuesday::empty();
    (t.input, t.output) = from.talk()?;
    t.id = from.name("id")?.unwrap_or_default();
    t.session = from.name("session")?;
    t.user = from.name("user")?;
    t.time = from.time("time")?;
    t.feature = from.name("feature")?;
    t.model = from.name("model")?;
    t.prompt = from.name("prompt")?;
    t.prompt_version = from.name("prompt_version")?;
    t.latency_ms = from.number("latency_ms")?;
    t.ttft_ms = from.number("ttft_ms")?;
    t.tokens_in = from.whole("tokens_in")?;
    t.tokens_out = from.whole("tokens_out")?;
    t.cost_usd = from.number("cost_usd")?;
    t.error_kind = from.word::<FailureKind>("error_kind", "timeout, rate_limit, content_policy or other")?;
    let failed = if t.error_kind.is_some() { Status::Error } else { Status::Ok };
    t.status = from.word::<Status>("status", "ok or error")?.unwrap_or(failed);
    t.fallback = from.truth("fallback")?.unwrap_or(false);
    t.experiment = from.name("experiment")?;
    t.arm = from.name("arm")?;
    t.tags = from.tags()?;
    from.feedback(&mut t)?;
    from.scores(&mut t)?;
    let used = from.used;
    let unknown = rest(item, &used, mapping, &mut t);
    Ok(Found { trace: t, unknown })
}

/// Moves what was not used into the metadata; gives how many fields that were. A field that was used
/// only inside is kept whole.
fn rest(mut item: Value, used: &[String], mapping: &Mapping, t: &mut Trace) -> u64 {
    for (key, pointer) in mapping.open("metadata.") {
        if let Some(value) = item.pointer(pointer).filter(|v| !v.is_null()) {
            t.metadata.insert(key.to_owned(), value.clone());
        }
    }
    let taken: Vec<&str> = used
        .iter()
        .map(String::as_str)
        .chain(mapping.open("metadata.").map(|(_, pointer)| pointer))
        .collect();
    let mut unknown = 0;
    if let Some(fields) = item.as_object_mut() {
        for (key, value) in std::mem::take(fields) {
            let pointer = format!("/{}", key.replace('~', "~0").replace('/', "~1"));
            if value.is_null() || taken.contains(&pointer.as_str()) {
                continue;
            }
            match value {
                // Metadata that call themselves so are ours as they are.
                Value::Object(own) if key == "metadata" => {
                    own.into_iter().for_each(|(key, value)| tuesday::keep(&mut t.metadata, key, value));
                }
                value => {
                    unknown += 1;
                    tuesday::keep(&mut t.metadata, key, value);
                }
            }
        }
    }
    unknown
}

struct Fields<'a> {
    item: &'a Value,
    mapping: &'a Mapping,
    used: Vec<String>,
}

impl<'a> Fields<'a> {
    fn find(&mut self, field: &str) -> Option<&'a Value> {
        let (value, pointer) = self.mapping.find(self.item, field)?;
        self.used.push(pointer);
        Some(value)
    }

    /// Input and output: as they are mapped, or the transcript cut before the last turn.
    fn talk(&mut self) -> Result<(Content, Content), String> {
        let apart = self.mapping.names("input") || self.mapping.names("output");
        if apart && !self.mapping.names("messages") {
            let input = self.find("input").ok_or("input: nothing at its pointer")?;
            let output = self.find("output");
            return Ok((
                content("input", input)?,
                output.map_or(Ok(Content::default()), |o| content("output", o))?,
            ));
        }
        let Some(found) = self.find("messages") else { return Err("messages: missing".to_owned()) };
        let Value::Array(items) = found else {
            return Err(format!("messages: expected a list of chat messages, got {}", kind(found)));
        };
        let mut messages = messages("messages", items)?;
        if self.mapping.names("output")
            && let Some(output) = self.find("output")
        {
            return Ok((Content::Messages(messages), content("output", output)?));
        }
        let output = messages.split_off(last_turn(&messages));
        let output = if output.is_empty() { Content::default() } else { Content::Messages(output) };
        Ok((Content::Messages(messages), output))
    }

    fn name(&mut self, field: &str) -> Result<Option<Untrusted>, String> {
        match self.find(field) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str().into()).filter(|t: &Untrusted| !t.is_empty())),
            Some(Value::Number(number)) => Ok(Some(number.to_string().into())),
            Some(other) => Err(format!("{field}: expected a string, got {}", kind(other))),
        }
    }

    fn number(&mut self, field: &str) -> Result<Option<f64>, String> {
        self.find(field)
            .map(|value| {
                value.as_f64().ok_or_else(|| format!("{field}: expected a number, got {}", kind(value)))
            })
            .transpose()
    }

    fn whole(&mut self, field: &str) -> Result<Option<u64>, String> {
        self.find(field)
            .map(|value| {
                value
                    .as_u64()
                    .or_else(|| value.as_f64().filter(|n| n.fract() == 0.0 && *n >= 0.0).map(|n| n as u64))
                    .ok_or_else(|| {
                        let got = if value.is_number() { value.to_string() } else { kind(value).to_owned() };
                        format!("{field}: expected a whole number of at least 0, got {got}")
                    })
            })
            .transpose()
    }

    fn time(&mut self, field: &str) -> Result<Option<Timestamp>, String> {
        let wrong = |got: &str| {
            format!("{field}: expected an RFC 3339 time or seconds or milliseconds since 1970, got {got}")
        };
        match self.find(field) {
            None => Ok(None),
            Some(Value::String(text)) => text.parse().map(Some).map_err(|_| wrong("another string")),
            Some(Value::Number(number)) => {
                let number = number.as_f64().unwrap_or(f64::NAN);
                // Seconds until the year 5138; milliseconds since March 1973.
                let ms = if number.abs() < 1e11 { number * 1e3 } else { number };
                Timestamp::from_millisecond(ms.round() as i64)
                    .map(Some)
                    .map_err(|_| wrong("a number out of range"))
            }
            Some(other) => Err(wrong(kind(other))),
        }
    }

    fn word<T: serde::de::DeserializeOwned>(
        &mut self,
        field: &str,
        words: &str,
    ) -> Result<Option<T>, String> {
        self.find(field)
            .map(|value| {
                serde_json::from_value(value.clone())
                    .map_err(|_| format!("{field}: expected {words}, got {}", another(value)))
            })
            .transpose()
    }

    fn truth(&mut self, field: &str) -> Result<Option<bool>, String> {
        self.find(field)
            .map(|value| match value {
                Value::Bool(truth) => Ok(*truth),
                Value::Number(number) => Ok(number.as_f64().is_some_and(|n| n != 0.0)),
                other => Err(format!("{field}: expected true or false, got {}", kind(other))),
            })
            .transpose()
    }

    fn tags(&mut self) -> Result<Vec<Untrusted>, String> {
        match self.find("tags") {
            None => Ok(Vec::new()),
            Some(Value::String(text)) => Ok(text
                .split(',')
                .map(str::trim)
                .filter(|tag| !tag.is_empty())
                .map(Untrusted::from)
                .collect()),
            Some(Value::Array(items)) => items
                .iter()
                .enumerate()
                .map(|(n, item)| match item {
                    Value::String(tag) => Ok(tag.as_str().into()),
                    other => Err(format!("tags[{n}]: expected a string, got {}", kind(other))),
                })
                .collect(),
            Some(other) => Err(format!("tags: expected a list of strings, got {}", kind(other))),
        }
    }

    fn feedback(&mut self, t: &mut Trace) -> Result<(), String> {
        let mapped = ["thumbs", "report", "follow_up", "comment", "time"].map(|f| format!("feedback.{f}"));
        if !mapped.iter().any(|field| self.mapping.names(field)) {
            if let Some(list @ Value::Array(_)) = self.find("feedback") {
                t.feedback = serde_json::from_value(list.clone()).map_err(|e| format!("feedback: {e}"))?;
            }
            return Ok(());
        }
        let [thumbs, report, follow_up, comment, time] = &mapped;
        let thumb = self.mapped(thumbs).map(thumb_of).transpose()?.flatten();
        let time = if self.mapping.names(time) { self.time(time)? } else { None };
        let mut said = Vec::new();
        said.extend(thumb.map(|thumb| (FeedbackKind::Thumbs(thumb), None)));
        for (field, kind) in [(report, FeedbackKind::Report), (follow_up, FeedbackKind::FollowUp)] {
            match self.mapped(field) {
                Some(Value::String(words)) if !words.is_empty() => {
                    said.push((kind, Some(Untrusted::from(words.as_str()))));
                }
                Some(Value::Bool(true)) => said.push((kind, None)),
                Some(Value::Number(n)) if n.as_f64().is_some_and(|n| n > 0.0) => said.push((kind, None)),
                _ => {}
            }
        }
        let comment = if self.mapping.names(comment) { self.name(comment)? } else { None };
        match (said.first_mut(), comment) {
            (Some((_, words)), Some(comment)) if words.is_none() => *words = Some(comment),
            (_, Some(comment)) => {
                t.metadata.insert("feedback.comment".to_owned(), Value::String(comment.into_raw()));
            }
            _ => {}
        }
        t.feedback = said.into_iter().map(|(kind, comment)| Feedback { kind, comment, time }).collect();
        Ok(())
    }

    fn mapped(&mut self, field: &str) -> Option<&'a Value> {
        if self.mapping.names(field) { self.find(field) } else { None }
    }

    fn scores(&mut self, t: &mut Trace) -> Result<(), String> {
        let item = self.item;
        if self.mapping.open("score.").next().is_none() {
            if let Some(Value::Object(scores)) = self.find("score") {
                for (name, value) in scores {
                    t.score.insert(name.clone(), score(name, value)?);
                }
            }
            return Ok(());
        }
        for (name, pointer) in self.mapping.open("score.") {
            if let Some(value) = item.pointer(pointer).filter(|v| !v.is_null()) {
                t.score.insert(name.to_owned(), score(name, value)?);
                self.used.push(pointer.to_owned());
            }
        }
        Ok(())
    }
}

fn score(name: &str, value: &Value) -> Result<f64, String> {
    match value {
        Value::Bool(truth) => Ok(f64::from(u8::from(*truth))),
        other => {
            other.as_f64().ok_or_else(|| format!("score.{name}: expected a number, got {}", kind(other)))
        }
    }
}

/// A thumb from what a log calls it. A number above 0 is up, 0 or below is down: that reads 1/0 and
/// 1/-1. A five-star rating is better mapped to a score.
fn thumb_of(value: &Value) -> Result<Option<Thumbs>, String> {
    let truth = |up: bool| Some(if up { Thumbs::Up } else { Thumbs::Down });
    match value {
        Value::Bool(up) => Ok(truth(*up)),
        Value::Number(number) => Ok(truth(number.as_f64().is_some_and(|n| n > 0.0))),
        Value::String(word) => match word.trim().to_lowercase().as_str() {
            "" | "none" | "neutral" => Ok(None),
            "up" | "thumbs_up" | "thumbs up" | "positive" | "good" | "like" | "liked" | "yes" | "true"
            | "1" | "+1" | "👍" => Ok(truth(true)),
            "down" | "thumbs_down" | "thumbs down" | "negative" | "bad" | "dislike" | "disliked" | "no"
            | "false" | "0" | "-1" | "👎" => Ok(truth(false)),
            _ => Err("feedback.thumbs: expected up or down, got another string".to_owned()),
        },
        other => Err(format!("feedback.thumbs: expected up or down, got {}", kind(other))),
    }
}

fn another(value: &Value) -> &'static str {
    if value.is_string() { "another string" } else { kind(value) }
}

fn content(field: &str, value: &Value) -> Result<Content, String> {
    match value {
        Value::String(text) => Ok(Content::Text(text.as_str().into())),
        Value::Array(items) => Ok(Content::Messages(messages(field, items)?)),
        // One message alone, as in a completion's `choices/0/message`.
        Value::Object(_) => Ok(Content::Messages(messages(field, std::slice::from_ref(value))?)),
        other => Err(format!("{field}: expected text or a list of chat messages, got {}", kind(other))),
    }
}

fn messages(field: &str, items: &[Value]) -> Result<Vec<ChatMessage>, String> {
    items
        .iter()
        .enumerate()
        .map(|(n, item)| {
            <ChatMessage as serde::Deserialize>::deserialize(item).map_err(|e| {
                let field = format!("{field}[{n}]");
                diagnose::message(&field, item).unwrap_or_else(|| format!("{field}: {e}"))
            })
        })
        .collect()
}

/// Where the assistant's last turn begins: its last message, with the tool calls and results that
/// led to it. The number of messages when the assistant never spoke.
fn last_turn(messages: &[ChatMessage]) -> usize {
    let Some(last) = messages.iter().rposition(|m| m.role.raw() == "assistant") else {
        return messages.len();
    };
    let before =
        messages[..last].iter().rposition(|m| !matches!(m.role.raw(), "assistant" | "tool" | "function"));
    before.map_or(0, |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapping(entries: &[&str]) -> Mapping {
        Mapping::parse(entries.iter().copied()).unwrap()
    }

    fn roles(content: &Content) -> Vec<&str> {
        match content {
            Content::Text(_) => vec![],
            Content::Messages(messages) => messages.iter().map(|m| m.role.raw()).collect(),
        }
    }

    #[test]
    fn the_last_turn_is_the_output_with_its_tool_calls_and_what_follows() {
        let talk = r#"{"messages":[{"role":"system","content":"s"},{"role":"user","content":"1"},
            {"role":"assistant","content":"2"},{"role":"user","content":"3"},
            {"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},
            {"role":"tool","tool_call_id":"c","content":"r"},{"role":"assistant","content":"4"},{"role":"user","content":"bye"}]}"#;
        let t = read(talk, &Mapping::default()).unwrap().trace;
        assert_eq!(roles(&t.input), ["system", "user", "assistant", "user"]);
        assert_eq!(roles(&t.output), ["assistant", "tool", "assistant", "user"]);
        let silent =
            read(r#"{"messages":[{"role":"user","content":"1"}]}"#, &Mapping::default()).unwrap().trace;
        assert_eq!((roles(&silent.input).len(), silent.output), (1, Content::default()));
    }

    #[test]
    fn a_mapping_takes_what_it_names_and_the_rest_is_kept() {
        let map = mapping(&[
            "messages=/log/turns",
            "id=/no",
            "time=/at",
            "feedback.thumbs=/reward",
            "feedback.comment=/said",
            "score.reward=/reward",
            "metadata.who=/log/agent",
            "latency_ms=/ms",
        ]);
        let item = r#"{"log":{"turns":[{"role":"assistant","content":"hi"}],"agent":"x"},"no":17,"at":1700000000,
            "reward":0,"said":"bad","ms":12.5,"extra":[1],"metadata":{"k":"v"},"nothing":null}"#;
        let found = read(item, &map).unwrap();
        let t = &found.trace;
        assert_eq!((t.id.raw(), t.latency_ms, found.unknown), ("17", Some(12.5), 2));
        assert_eq!(t.time.unwrap().to_string(), "2023-11-14T22:13:20Z");
        assert_eq!(t.score["reward"], 0.0);
        assert_eq!(t.feedback[0].kind, FeedbackKind::Thumbs(Thumbs::Down));
        assert_eq!(t.feedback[0].comment.as_ref().unwrap().raw(), "bad");
        assert_eq!(t.metadata.keys().collect::<Vec<_>>(), ["who", "log", "extra", "k"]);
    }

    #[test]
    fn thumbs_come_in_many_words() {
        let map = mapping(&["feedback.thumbs=/t"]);
        let thumb = |value: &str| {
            read(&format!(r#"{{"messages":[],"t":{value}}}"#), &map)
                .map(|f| f.trace.feedback.first().map(|f| f.kind))
        };
        for up in ["true", "1", "0.5", "\"up\"", "\"Thumbs_Up\"", "\"👍\""] {
            assert_eq!(thumb(up), Ok(Some(FeedbackKind::Thumbs(Thumbs::Up))), "{up}");
        }
        for down in ["false", "0", "-1", "\"down\"", "\"bad\""] {
            assert_eq!(thumb(down), Ok(Some(FeedbackKind::Thumbs(Thumbs::Down))), "{down}");
        }
        assert_eq!((thumb("null"), thumb("\"\"")), (Ok(None), Ok(None)));
        assert!(thumb("\"so-so\"").is_err() && thumb("[]").is_err());
    }

    #[test]
    fn input_and_output_may_be_mapped_apart() {
        let map = mapping(&["input=/request/messages", "output=/response/choices/0/message"]);
        let item = r#"{"request":{"messages":[{"role":"user","content":"q"}]},"response":{"choices":[{"message":{"role":"assistant","content":"a"}}]}}"#;
        let t = read(item, &map).unwrap().trace;
        assert_eq!((roles(&t.input), roles(&t.output)), (vec!["user"], vec!["assistant"]));
    }

    #[test]
    fn reasons_name_the_field() {
        let reason = |text: &str, entries: &[&str]| read(text, &mapping(entries)).unwrap_err();
        assert_eq!(reason("{}", &[]), "messages: missing");
        assert_eq!(
            reason(r#"{"messages":"x"}"#, &[]),
            "messages: expected a list of chat messages, got a string"
        );
        assert_eq!(
            reason(r#"{"messages":[{"role":"user"},7]}"#, &[]),
            "messages[1]: expected a chat message, got a number"
        );
        assert_eq!(
            reason(r#"{"messages":[],"r":"x"}"#, &["score.r=/r"]),
            "score.r: expected a number, got a string"
        );
        assert_eq!(
            reason(r#"{"messages":[],"status":"bad"}"#, &[]),
            "status: expected ok or error, got another string"
        );
        assert!(reason(r#"{"messages":[],"time":"soon"}"#, &[]).starts_with("time: expected"));
        assert_eq!(reason("[]", &[]), "expected an object, got a list");
    }
}
