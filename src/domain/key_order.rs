//! The order of the keys of JSON objects: kept, because people chose it, but without a meaning. What
//! differs by it alone is the same, so whatever is hashed is brought into one order first.

use serde_json::{Map, Value};

use super::{Content, Trace};

impl Trace {
    /// Brings the keys of all JSON in it into their alphabetical order. Says whether that changed anything.
    pub fn sort_keys(&mut self) -> bool {
        let mut changed = self.input.sort_keys();
        changed |= self.output.sort_keys();
        changed |= sort_map(&mut self.metadata);
        for span in &mut self.spans {
            changed |= sort(&mut span.input);
            changed |= sort(&mut span.output);
            changed |= sort_map(&mut span.metadata);
        }
        changed
    }
}

impl Content {
    /// Brings the keys of all JSON in it into their alphabetical order. Says whether that changed anything.
    pub fn sort_keys(&mut self) -> bool {
        let Self::Messages(messages) = self else { return false };
        let mut changed = false;
        for message in messages {
            changed |= sort(&mut message.content);
            changed |= sort_map(&mut message.extra);
            for call in message.tool_calls.iter_mut().flatten() {
                changed |= sort(&mut call.function.arguments);
            }
        }
        changed
    }
}

fn sort(value: &mut Value) -> bool {
    match value {
        Value::Array(items) => items.iter_mut().fold(false, |changed, item| sort(item) | changed),
        Value::Object(map) => sort_map(map),
        _ => false,
    }
}

pub(super) fn sort_map(map: &mut Map<String, Value>) -> bool {
    let mut changed = !map.keys().is_sorted();
    if changed {
        map.sort_keys();
    }
    for value in map.values_mut() {
        changed |= sort(value);
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_sorted_wherever_a_trace_holds_json() {
        let text = r#"{"input":[{"role":"user","content":[{"type":"text","b":{"z":1,"a":[{"d":1,"c":2}]}}],
            "tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":{"y":1,"x":2}}}],"q":1,"p":2}],
            "output":[{"role":"assistant","content":{"o":1,"n":2}}],"metadata":{"m":1,"l":{"k":1,"j":2}},
            "spans":[{"name":"s","input":{"i":1,"h":2},"output":{"g":1,"f":2}}]}"#;
        let came: Trace = serde_json::from_str(text).unwrap();
        let mut sorted = came.clone();
        assert!(sorted.sort_keys());
        assert_eq!(sorted, came, "the order means nothing");
        let written = serde_json::to_string(&sorted).unwrap();
        for part in [
            r#"{"b":{"a":[{"c":2,"d":1}],"z":1},"type":"text"}"#,
            r#"{"x":2,"y":1}"#,
            r#""p":2,"q":1}]"#,
            r#"{"n":2,"o":1}"#,
            r#"{"l":{"j":2,"k":1},"m":1}"#,
            r#"{"h":2,"i":1}"#,
            r#"{"f":2,"g":1}"#,
        ] {
            assert!(written.contains(part), "{part} is not in {written}");
        }
        assert!(!sorted.sort_keys());
    }
}
