//! `tool_called`: this tool was, or was not, called, with such arguments.

use serde_json::Value;

use super::json::same;
use super::look::{Finding, Look, Rule, Settings, quoted};
use crate::domain::{Error, Result};

/// Looks through the tool calls of the answer.
pub(super) struct Tool {
    tool: String,
    /// The same in quotation marks.
    quoted: String,
    arguments: Option<Value>,
    absent: bool,
}

impl Tool {
    pub fn new(settings: Settings<'_>) -> Result<Self> {
        let tool = settings.text("tool").ok_or_else(|| Error::usage("`tool` is missing."))?;
        Ok(Self {
            tool: tool.to_owned(),
            quoted: quoted(tool),
            arguments: settings.value("arguments").cloned(),
            absent: settings.yes("absent").unwrap_or(false),
        })
    }

    fn with(&self) -> String {
        self.arguments.as_ref().map_or_else(String::new, |arguments| format!(" with {arguments}"))
    }
}

impl Rule for Tool {
    fn decide(&self, look: &Look<'_>) -> Finding {
        let mut called = Vec::new();
        let mut same_name = None;
        for call in look.subject.output.tool_calls() {
            let name = call.function.name.raw();
            called.push(name);
            if name != self.tool {
                continue;
            }
            // OpenAI writes arguments as JSON in a string.
            let parsed = match &call.function.arguments {
                Value::String(text) => serde_json::from_str(text).unwrap_or(Value::Null),
                value => value.clone(),
            };
            if self.arguments.as_ref().is_none_or(|wanted| holds(&parsed, wanted)) {
                let not = if self.absent { ", which must not be" } else { "" };
                let why = format!("{} was called{}{not}.", self.quoted, self.with());
                return Finding::of(!self.absent, why);
            }
            same_name.get_or_insert(parsed);
        }
        let instead = match (same_name, called.as_slice()) {
            (Some(arguments), _) => format!("; it was called with {arguments}"),
            (None, []) => "; no tool was".to_owned(),
            (None, names) => format!("; called: {}", names.join(", ")),
        };
        Finding::of(self.absent, format!("{} was not called{}{instead}.", self.quoted, self.with()))
    }
}

/// Whether a value holds another: of an object all the named keys, anything else as it is.
fn holds(value: &Value, wanted: &Value) -> bool {
    match (value, wanted) {
        (Value::Object(value), Value::Object(wanted)) => {
            wanted.iter().all(|(key, wanted)| value.get(key).is_some_and(|value| holds(value, wanted)))
        }
        _ => same(value, wanted),
    }
}
