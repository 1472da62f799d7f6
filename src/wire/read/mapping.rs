//! Where in a foreign item each of our fields is: JSON Pointers (RFC 6901) by field name.
//!
//! Given one by one (`messages=/traj`) or as a file, TOML or JSON, of the same names:
//! `messages = "/traj"`, and `score.reward` as `[score]` with `reward = "/reward"`.

use serde_json::Value;

use crate::domain::{Error, Result};

/// The field names that stand alone.
const FIELDS: &[&str] = &[
    "messages",
    "input",
    "output",
    "id",
    "session",
    "user",
    "time",
    "feature",
    "model",
    "prompt",
    "prompt_version",
    "latency_ms",
    "ttft_ms",
    "tokens_in",
    "tokens_out",
    "cost_usd",
    "status",
    "error_kind",
    "fallback",
    "experiment",
    "arm",
    "tags",
    "feedback.thumbs",
    "feedback.report",
    "feedback.follow_up",
    "feedback.comment",
    "feedback.time",
];
/// The field names that take a name of one's own after the dot.
const OPEN: &[&str] = &["score.", "metadata."];

/// Pointers where a field is looked for when the mapping does not say: the field's own name first,
/// then what chat logs often call it.
const USUAL: &[(&str, &[&str])] = &[
    ("session", &["/session", "/session_id", "/conversation_id"]),
    ("user", &["/user", "/user_id"]),
    ("time", &["/time", "/timestamp", "/created_at", "/created"]),
    ("tokens_in", &["/tokens_in", "/usage/prompt_tokens"]),
    ("tokens_out", &["/tokens_out", "/usage/completion_tokens"]),
];

/// A mapping from our fields to pointers into an item.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mapping {
    given: Vec<(String, String)>,
}

impl Mapping {
    /// A mapping of entries in the form `FIELD=POINTER`.
    pub fn parse<'a>(entries: impl IntoIterator<Item = &'a str>) -> Result<Self> {
        let mut mapping = Self::default();
        for entry in entries {
            let Some((field, pointer)) = entry.split_once('=') else {
                return Err(Error::usage(format!("--map {entry}: expected FIELD=POINTER."))
                    .hint("Such as --map messages=/traj --map score.reward=/reward."));
            };
            mapping.add(field, pointer)?;
        }
        Ok(mapping)
    }

    /// Adds the entries of a mapping file.
    pub fn parse_file(&mut self, text: &str, name: &str) -> Result<()> {
        let bad =
            |e: &dyn std::fmt::Display| Error::usage(format!("The mapping file {name} cannot be read: {e}"));
        let value: Value = if text.trim_start().starts_with('{') {
            serde_json::from_str(text).map_err(|e| bad(&e))?
        } else {
            toml::from_str(text).map_err(|e| bad(&e))?
        };
        self.add_all("", &value)
    }

    fn add_all(&mut self, path: &str, value: &Value) -> Result<()> {
        match value {
            Value::Object(fields) => {
                for (key, value) in fields {
                    let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                    self.add_all(&path, value)?;
                }
                Ok(())
            }
            Value::String(pointer) => self.add(path, pointer),
            _ => Err(Error::usage(format!("The mapping of {path} is not a JSON Pointer in a string."))),
        }
    }

    fn add(&mut self, field: &str, pointer: &str) -> Result<()> {
        let open = OPEN.iter().any(|open| field.strip_prefix(open).is_some_and(|name| !name.is_empty()));
        if !FIELDS.contains(&field) && !open {
            let near = FIELDS
                .iter()
                .map(|known| (strsim::normalized_damerau_levenshtein(known, field), *known))
                .max_by(|a, b| a.0.total_cmp(&b.0));
            let error = Error::usage(format!("There is no field {field} to map."));
            return Err(match near {
                Some((like, known)) if like > 0.5 => error.hint(format!("Did you mean {known}?")),
                _ => error.hint(format!("The fields are {}, score.NAME, metadata.KEY.", FIELDS.join(", "))),
            });
        }
        if !pointer.starts_with('/') {
            return Err(Error::usage(format!("The mapping of {field} is not a JSON Pointer: {pointer}"))
                .hint(format!("A pointer begins with a slash: {field}=/{pointer}")));
        }
        if self.given.iter().any(|(known, _)| known == field) {
            return Err(Error::usage(format!("The field {field} is mapped twice.")));
        }
        self.given.push((field.to_owned(), pointer.to_owned()));
        Ok(())
    }

    /// Whether anything was mapped.
    pub fn is_given(&self) -> bool {
        !self.given.is_empty()
    }

    /// Whether this field was mapped.
    pub fn names(&self, field: &str) -> bool {
        self.given.iter().any(|(known, _)| known == field)
    }

    /// What the item holds for a field, and the pointer where it was found. Null is nothing.
    pub fn find<'a>(&self, item: &'a Value, field: &str) -> Option<(&'a Value, String)> {
        let at =
            |pointer: &str| item.pointer(pointer).filter(|v| !v.is_null()).map(|v| (v, pointer.to_owned()));
        if let Some((_, pointer)) = self.given.iter().find(|(known, _)| known == field) {
            return at(pointer);
        }
        match USUAL.iter().find(|(known, _)| *known == field) {
            Some((_, pointers)) => pointers.iter().find_map(|pointer| at(pointer)),
            None => at(&format!("/{field}")),
        }
    }

    /// The mapped names under `score.` or `metadata.`, with their pointers.
    pub fn open<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.given
            .iter()
            .filter_map(move |(field, pointer)| Some((field.strip_prefix(prefix)?, pointer.as_str())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_and_files_say_the_same() {
        let given = Mapping::parse(["messages=/traj", "score.reward=/reward", "metadata.a.b=/x"]).unwrap();
        for text in [
            "messages = '/traj'\n[score]\nreward = '/reward'\n[metadata]\n'a.b' = '/x'\n",
            r#"{"messages":"/traj","score.reward":"/reward","metadata":{"a":{"b":"/x"}}}"#,
        ] {
            let mut read = Mapping::default();
            read.parse_file(text, "map").unwrap();
            let sorted = |mapping: &Mapping| {
                let mut entries = mapping.given.clone();
                entries.sort();
                entries
            };
            assert_eq!(sorted(&read), sorted(&given));
        }
    }

    #[test]
    fn mistakes_are_named_with_the_way_out() {
        let error = |entry| Mapping::parse([entry]).unwrap_err();
        assert!(error("mesages=/m").hints[0].contains("messages"));
        assert!(error("score.=/m").what.contains("score."));
        assert!(error("id=task").hints[0].contains("id=/task"));
        assert!(error("id").what.contains("FIELD=POINTER"));
        assert!(Mapping::parse(["id=/a", "id=/b"]).unwrap_err().what.contains("twice"));
        assert!(
            Mapping::default().parse_file("id = 3", "m").unwrap_err().what.contains("not a JSON Pointer")
        );
        assert!(Mapping::default().parse_file("id = ", "m").unwrap_err().what.contains("mapping file m"));
    }
}
