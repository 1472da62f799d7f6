//! A TOML table read key by key: what was not asked for is refused with file, line and the nearest
//! right name. Serde's derive would refuse too, but loses the line inside kinds of steps.

use std::cell::RefCell;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::domain::query::nearest;
use crate::domain::runbook::duration_ms;
use crate::domain::{Error, Result, Untrusted};

/// The file that is read.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    /// Its name in messages.
    pub name: &'a str,
    /// Its text, for the lines.
    pub text: &'a str,
}

impl Source<'_> {
    /// The line of a place in the text, from 1.
    fn line(&self, at: usize) -> usize {
        let before = &self.text.as_bytes()[..at.min(self.text.len())];
        before.iter().filter(|byte| **byte == b'\n').count() + 1
    }

    /// An error at a byte of the file.
    pub(super) fn error(&self, at: usize, what: &str) -> Error {
        Error::not_so(format!("{}, line {}: {what}", self.name, self.line(at)))
    }
}

/// One table, and which keys have been asked for.
pub(super) struct Keys<'a> {
    source: Source<'a>,
    table: &'a DeTable<'a>,
    /// Where the table stands, for what is missing.
    at: usize,
    what: String,
    asked: RefCell<Vec<&'static str>>,
}

type Value<'a> = &'a Spanned<DeValue<'a>>;

impl<'a> Keys<'a> {
    /// Reads `table`, which messages call `what`.
    pub(super) fn new(source: Source<'a>, table: &'a DeTable<'a>, at: usize, what: &str) -> Self {
        Self { source, table, at, what: what.to_owned(), asked: RefCell::new(Vec::new()) }
    }

    /// The line on which the table begins, from 1.
    pub(super) fn line(&self) -> usize {
        self.source.line(self.at)
    }

    /// What is wrong with the table as a whole.
    pub(super) fn refused(&self, what: &str) -> Error {
        self.source.error(self.at, what)
    }

    /// Calls the table something better, once its name is known.
    pub(super) fn rename(&mut self, what: String) {
        self.what = what;
    }

    /// Where a value stands, whether or not the key belongs here; the start of the table where it has none.
    pub(super) fn place_of(&self, key: &str) -> usize {
        let found = self.table.iter().find(|(name, _)| name.get_ref() == key);
        found.map_or(self.at, |(_, value)| value.span().start)
    }

    /// An error at a byte of the file.
    pub(super) fn error(&self, at: usize, what: &str) -> Error {
        self.source.error(at, what)
    }

    /// The value of a key, as it is.
    pub(super) fn get(&self, key: &'static str) -> Option<Value<'a>> {
        self.asked.borrow_mut().push(key);
        self.table.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value)
    }

    /// The same, and missing is an error.
    pub(super) fn need(&self, key: &'static str) -> Result<Value<'a>> {
        self.get(key).ok_or_else(|| {
            self.source
                .error(self.at, &format!("{} needs the key `{key}`.", self.what))
                .hint(format!("Add a line `{key} = …`."))
        })
    }

    /// An error at a value.
    pub(super) fn wrong(&self, key: &str, value: Value<'a>, wanted: &str) -> Error {
        self.source
            .error(value.span().start, &format!("`{key}` of {} must be {wanted}.", self.what))
            .hint(format!("Write `{key}` as {wanted}."))
    }

    fn typed<T>(
        &self,
        key: &'static str,
        wanted: &str,
        read: impl Fn(&'a DeValue<'a>) -> Option<T>,
    ) -> Result<Option<T>> {
        let Some(value) = self.get(key) else { return Ok(None) };
        read(value.get_ref()).map(Some).ok_or_else(|| self.wrong(key, value, wanted))
    }

    /// Text.
    pub(super) fn text(&self, key: &'static str) -> Result<Option<Untrusted>> {
        self.typed(key, "text in quotes", |value| value.as_str().map(Untrusted::from))
    }

    /// Text that must be there and say something.
    pub(super) fn need_text(&self, key: &'static str) -> Result<Untrusted> {
        let value = self.need(key)?;
        match value.get_ref().as_str() {
            Some(text) if !text.trim().is_empty() => Ok(text.into()),
            _ => Err(self.wrong(key, value, "text in quotes")),
        }
    }

    /// A duration, in milliseconds.
    pub(super) fn duration(&self, key: &'static str) -> Result<Option<u64>> {
        self.typed(key, "a duration such as \"20s\", \"10m\", \"24h\" or \"14d\"", |value| {
            value.as_str().and_then(duration_ms).filter(|ms| *ms > 0)
        })
    }

    /// True or false.
    pub(super) fn yes(&self, key: &'static str) -> Result<Option<bool>> {
        self.typed(key, "true or false", DeValue::as_bool)
    }

    /// A number.
    pub(super) fn number(&self, key: &'static str) -> Result<Option<f64>> {
        self.typed(key, "a number", number)
    }

    /// A number within limits, both of them in.
    pub(super) fn within(&self, key: &'static str, least: f64, most: f64) -> Result<Option<f64>> {
        let wanted = if most.is_finite() {
            format!("a number from {least} to {most}")
        } else {
            format!("a number from {least} up")
        };
        self.typed(key, &wanted, |value| number(value).filter(|n| (least..=most).contains(n)))
    }

    /// A point in time: a date or an RFC 3339 time, in quotes or not. A date is the end of that day, UTC.
    pub(super) fn time(&self, key: &'static str) -> Result<Option<Timestamp>> {
        self.typed(key, "a date such as \"2026-06-01\", or a time with its offset", |value| match value {
            DeValue::String(text) => end_of(text),
            DeValue::Datetime(time) => end_of(&time.to_string()),
            _ => None,
        })
    }

    /// A whole number within limits.
    pub(super) fn whole(&self, key: &'static str, least: i64, most: i64) -> Result<Option<i64>> {
        self.typed(key, &format!("a whole number from {least} to {most}"), |value| {
            whole(value).filter(|n| (least..=most).contains(n))
        })
    }

    /// A list of texts.
    pub(super) fn texts(&self, key: &'static str) -> Result<Vec<Untrusted>> {
        let read = |value: &'a DeValue<'a>| {
            value.as_array()?.iter().map(|item| item.get_ref().as_str().map(Untrusted::from)).collect()
        };
        Ok(self.typed(key, "a list of texts in quotes", read)?.unwrap_or_default())
    }

    /// A list of whole numbers within limits.
    pub(super) fn wholes(&self, key: &'static str, least: i64, most: i64) -> Result<Vec<i64>> {
        let read = |value: &'a DeValue<'a>| {
            let numbers = value.as_array()?.iter();
            numbers.map(|item| whole(item.get_ref()).filter(|n| (least..=most).contains(n))).collect()
        };
        let wanted = format!("a list of whole numbers from {least} to {most}");
        Ok(self.typed(key, &wanted, read)?.unwrap_or_default())
    }

    /// A table inside, with a name for messages.
    pub(super) fn table(&self, key: &'static str) -> Result<Option<Keys<'a>>> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let Some(table) = value.get_ref().as_table() else {
            return Err(self.wrong(key, value, "a table"));
        };
        let what = format!("`{key}` of {}", self.what);
        Ok(Some(Keys::new(self.source, table, value.span().start, &what)))
    }

    /// A list of tables inside.
    pub(super) fn tables(&self, key: &'static str, wanted: &str) -> Result<Vec<Keys<'a>>> {
        let Some(value) = self.get(key) else { return Ok(Vec::new()) };
        let items = value.get_ref().as_array().ok_or_else(|| self.wrong(key, value, wanted))?;
        items
            .iter()
            .map(|item| {
                let table = item.get_ref().as_table().ok_or_else(|| self.wrong(key, item, wanted))?;
                let what = format!("`{key}` of {}", self.what);
                Ok(Keys::new(self.source, table, item.span().start, &what))
            })
            .collect()
    }

    /// One of a few names; the nearest one is offered for another.
    pub(super) fn choice<T: Copy>(
        &self,
        key: &'static str,
        among: impl IntoIterator<Item = (&'static str, T)>,
    ) -> Result<Option<T>> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let among: Vec<_> = among.into_iter().collect();
        self.name_among(key, value, &among).map(Some)
    }

    /// The same for a value at hand, as in a list of names.
    pub(super) fn name_among<T: Copy>(
        &self,
        key: &str,
        value: Value<'a>,
        among: &[(&'static str, T)],
    ) -> Result<T> {
        let names = || among.iter().map(|(name, _)| *name);
        let known = names().collect::<Vec<_>>().join(", ");
        let Some(name) = value.get_ref().as_str() else {
            return Err(self.wrong(key, value, &format!("one of {known}")));
        };
        among.iter().find(|(known, _)| *known == name).map(|(_, value)| *value).ok_or_else(|| {
            let error = self
                .source
                .error(value.span().start, &format!("`{key}` of {} cannot be “{name}”.", self.what))
                .hint(format!("It can be {known}."));
            match nearest(name, names()) {
                Some(near) => Error {
                    hints: [vec![format!("Did you mean “{near}”?")], error.hints].concat(),
                    ..error
                },
                None => error,
            }
        })
    }

    /// Pairs of key and text, whatever the keys.
    pub(super) fn pairs(&self) -> Result<Vec<(Untrusted, Untrusted)>> {
        let mut pairs = Vec::new();
        for (key, value) in self.table {
            let text =
                value.get_ref().as_str().ok_or_else(|| self.wrong(key.get_ref(), value, "text in quotes"))?;
            pairs.push((Untrusted::from(key.get_ref().as_ref()), text.into()));
        }
        Ok(pairs)
    }

    /// Refuses keys that nobody asked for.
    pub(super) fn finish(self) -> Result<()> {
        let asked = self.asked.into_inner();
        let unknown =
            self.table.iter().map(|(key, _)| key).filter(|key| !asked.contains(&key.get_ref().as_ref()));
        // The first in the file, not in the alphabet.
        let Some(key) = unknown.min_by_key(|key| key.span().start) else { return Ok(()) };
        let name = key.get_ref();
        let error =
            self.source.error(key.span().start, &format!("{} has no key `{name}`.", capital(&self.what)));
        let mut known = asked;
        known.sort_unstable();
        // A key may be asked for more than once.
        known.dedup();
        let all = format!("It knows: {}.", known.join(", "));
        Err(match nearest(name, known.iter().copied()) {
            Some(near) => error.hint(format!("Did you mean `{near}`?")).hint(all),
            None => error.hint(all),
        })
    }
}

/// A number, whole or not.
pub(super) fn number(value: &DeValue<'_>) -> Option<f64> {
    let text = match value {
        DeValue::Float(float) => float.as_str().to_owned(),
        other => return whole(other).map(|n| n as f64),
    };
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// A time; a date stands for its end.
fn end_of(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(date) = text.parse::<Date>()
        && text.len() <= "2026-06-01".len()
    {
        return TimeZone::UTC.to_timestamp(date.tomorrow().ok()?.at(0, 0, 0, 0)).ok();
    }
    text.parse().ok()
}

fn whole(value: &DeValue<'_>) -> Option<i64> {
    let integer = value.as_integer()?;
    i64::from_str_radix(integer.as_str(), integer.radix()).ok()
}

/// TOML as JSON, for bodies of requests.
pub(super) fn json(value: &DeValue<'_>) -> serde_json::Value {
    match value {
        DeValue::String(text) => text.as_ref().into(),
        DeValue::Integer(_) => whole(value).into(),
        DeValue::Float(_) => number(value).into(),
        DeValue::Boolean(yes) => (*yes).into(),
        DeValue::Datetime(time) => time.to_string().into(),
        DeValue::Array(items) => items.iter().map(|item| json(item.get_ref())).collect(),
        DeValue::Table(table) => {
            let fields = table.iter().map(|(key, value)| (key.get_ref().to_string(), json(value.get_ref())));
            serde_json::Value::Object(fields.collect())
        }
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
