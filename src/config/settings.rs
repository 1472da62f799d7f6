//! A table of settings while it is read: texts, addresses, variables and times, each with its place in an error.

use std::collections::BTreeMap;
use std::time::Duration;

use toml::Spanned;
use toml::de::DeValue;

use super::file::Reader;
use crate::domain::Result;

/// The longest time that can be set.
const LONGEST: Duration = Duration::from_secs(600);

/// A table while it is read: its settings by name, and what it is called in errors.
pub(super) struct Settings<'r, 'v, 't> {
    pub reader: &'r Reader<'r>,
    pub what: String,
    pub at: std::ops::Range<usize>,
    pub of: BTreeMap<&'v str, &'v Spanned<DeValue<'t>>>,
}

impl<'r, 'v, 't> Settings<'r, 'v, 't> {
    pub(super) fn new(
        reader: &'r Reader<'r>,
        what: String,
        setting: &str,
        known: &[&str],
        value: &'v Spanned<DeValue<'t>>,
    ) -> Result<Self> {
        let mut of = BTreeMap::new();
        for (key, value) in reader.table(value)? {
            if !known.contains(&key.get_ref().as_ref()) {
                return Err(reader.unknown(key.span(), key.get_ref(), setting, known.iter().copied()));
            }
            of.insert(key.get_ref().as_ref(), value);
        }
        Ok(Self { reader, what, at: value.span(), of })
    }

    pub(super) fn span(&self, key: &str) -> std::ops::Range<usize> {
        self.of.get(key).map_or_else(|| self.at.clone(), |value| value.span())
    }

    pub(super) fn missing(&self, key: &str) -> crate::domain::Error {
        self.reader.wrong(self.at.clone(), format!("{} has no `{key}`.", self.what))
    }

    pub(super) fn text(&self, key: &str) -> Result<Option<String>> {
        self.of.get(key).map(|value| self.reader.text(value)).transpose()
    }

    pub(super) fn needed_text(&self, key: &str) -> Result<String> {
        self.text(key)?.ok_or_else(|| self.missing(key))
    }

    /// A word that becomes part of an address: no slash, no space.
    pub(super) fn word(&self, key: &str) -> Result<Option<String>> {
        let Some(word) = self.text(key)? else { return Ok(None) };
        if word.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(self.reader.wrong(self.span(key), "this must be one word."));
        }
        Ok(Some(word))
    }

    pub(super) fn needed_word(&self, key: &str) -> Result<String> {
        self.word(key)?.ok_or_else(|| self.missing(key))
    }

    pub(super) fn version(&self, key: &str) -> Result<u64> {
        let value = self.of.get(key).ok_or_else(|| self.missing(key))?;
        let version = match value.get_ref() {
            DeValue::Integer(n) => n.as_str().parse::<u64>().ok().filter(|n| *n > 0),
            _ => None,
        };
        version.ok_or_else(|| {
            self.reader
                .wrong(value.span(), "the number of a version belongs here.")
                .hint("Of a Langfuse label, `on` and `off` are the versions that have it.")
        })
    }

    /// A value as it stands in a flag: true or false, a text, a number.
    pub(super) fn value(&self, key: &str) -> Result<Option<serde_json::Value>> {
        let Some(value) = self.of.get(key) else { return Ok(None) };
        let wrong =
            || self.reader.wrong(value.span(), "a value belongs here: true, false, a text, a number.");
        Ok(Some(match value.get_ref() {
            DeValue::Boolean(yes) => (*yes).into(),
            DeValue::String(text) => text.to_string().into(),
            DeValue::Integer(n) => n.as_str().parse::<i64>().map_err(|_| wrong())?.into(),
            DeValue::Float(n) => n.as_str().parse::<f64>().map_err(|_| wrong())?.into(),
            _ => return Err(wrong()),
        }))
    }

    pub(super) fn address(&self, key: &str) -> Result<String> {
        let text = self.needed_text(key)?;
        let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
        let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
        if host.is_empty() || host.contains("{{") {
            return Err(self
                .reader
                .wrong(self.span(key), "this is not an address.")
                .hint("An address looks like this: \"https://flags.example.com\"."));
        }
        if host.contains('@') {
            let wrong = self.reader.wrong(self.span(key), "a login does not belong in an address.");
            return Err(wrong.hint("Name the variable that holds the key."));
        }
        Ok(text.trim_end_matches('/').to_owned())
    }

    /// The name of a variable. A key that was put here by mistake is not shown.
    pub(super) fn variable(&self, key: &str) -> Result<String> {
        let name = self.needed_text(key)?;
        let fine = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
            && !name.starts_with(|c: char| c.is_ascii_digit());
        if fine {
            return Ok(name);
        }
        Err(self
            .reader
            .wrong(self.span(key), "the name of a variable belongs here, not a key.")
            .hint("A name looks like this: \"UNLEASH_TOKEN\"; the key itself stays in the environment."))
    }

    pub(super) fn time(&self, key: &str) -> Result<Option<Duration>> {
        let Some(text) = self.text(key)? else { return Ok(None) };
        let time = text.parse::<jiff::SignedDuration>().ok().and_then(|time| Duration::try_from(time).ok());
        let time = time.filter(|time| !time.is_zero() && *time <= LONGEST);
        time.map(Some).ok_or_else(|| {
            self.reader
                .wrong(self.span(key), format!("`{text}` is not a time from 1ms to 10m."))
                .hint("Times are written like these: \"10s\", \"1m 30s\", \"500ms\".")
        })
    }
}
