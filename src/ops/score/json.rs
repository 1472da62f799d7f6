//! `json_schema` and `json_fields`: answers that are JSON.

use std::path::Path;

use jsonschema::Validator;
use serde_json::Value;

use super::look::{Finding, Look, Rule, Settings, quoted};
use super::team_file;
use crate::domain::{Error, Result};

/// Errors of a schema that are told; the others are counted.
const TOLD: usize = 3;

/// A JSON Schema of 2020-12.
pub(super) struct Schema(Validator);

impl Schema {
    pub fn new(settings: Settings<'_>, home: &Path) -> Result<Self> {
        let (name, schema) = match settings.value("schema") {
            Some(Value::String(name)) => {
                let (path, text) = team_file(home, name, "schema")?;
                let schema = serde_json::from_str(&text).map_err(|e| {
                    Error::usage(format!("The schema {} is not JSON.", path.display())).because(e)
                })?;
                (format!(" {}", path.display()), schema)
            }
            Some(schema) => (String::new(), schema.clone()),
            None => return Err(Error::usage("A check of kind `json_schema` needs `schema`.")),
        };
        let validator = jsonschema::draft202012::new(&schema).map_err(|e| {
            let place = e.instance_path().to_string();
            let at = if place.is_empty() { String::new() } else { format!(", at {place}") };
            Error::usage(format!("The schema{name} is not one of JSON Schema 2020-12{at}: {e}"))
        })?;
        Ok(Self(validator))
    }
}

impl Rule for Schema {
    fn decide(&self, look: &Look<'_>) -> Finding {
        let value = match look.json() {
            Ok(value) => value,
            Err(not) => return Finding::of(false, not.what.clone()).at(not.span.clone()),
        };
        let mut told = Vec::new();
        let mut more = 0_usize;
        for error in self.0.iter_errors(value) {
            if told.len() == TOLD {
                more += 1;
                continue;
            }
            let place = error.instance_path().to_string();
            let place = if place.is_empty() { "the whole".to_owned() } else { place };
            told.push(format!("{place}: {}", short(&error.to_string())));
        }
        if told.is_empty() {
            return Finding::of(true, "Holds to the schema.");
        }
        let more = if more == 0 { String::new() } else { format!("; and {more} more") };
        Finding::of(false, format!("Breaks the schema at {}{more}.", told.join("; ")))
    }
}

/// An error of the validator quotes the value, whatever its size.
fn short(text: &str) -> String {
    match text.char_indices().nth(150) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// Fields named by JSON Pointers (RFC 6901) that must be as expected; all others are ignored.
pub(super) struct Fields {
    fields: Vec<String>,
    equal: Vec<(String, Value)>,
    ignore: Vec<String>,
}

impl Fields {
    pub fn new(settings: Settings<'_>) -> Result<Self> {
        let pointers = |key: &str| -> Result<Vec<String>> {
            settings.texts(key).into_iter().map(|text| pointer(text).map(str::to_owned)).collect()
        };
        let equal = settings.value("equal").and_then(Value::as_object).into_iter().flatten();
        let equal =
            equal.map(|(at, value)| Ok((pointer(at)?.to_owned(), value.clone()))).collect::<Result<_>>()?;
        Ok(Self { fields: pointers("fields")?, equal, ignore: pointers("ignore")? })
    }
}

/// Refuses what is no JSON Pointer.
pub(super) fn pointer(text: &str) -> Result<&str> {
    if text.starts_with('/') {
        return Ok(text);
    }
    Err(Error::usage(format!("{} is not a JSON Pointer.", quoted(text))).hint(format!("Write /{text}?")))
}

impl Rule for Fields {
    fn decide(&self, look: &Look<'_>) -> Finding {
        let mut expected = Value::Null;
        if !self.fields.is_empty() {
            let Some(text) = look.expected_output() else {
                return Finding::error("There is no expected answer to compare the fields with.");
            };
            match serde_json::from_str(text) {
                Ok(value) => expected = value,
                Err(e) => return Finding::error(format!("The expected answer is not JSON: {e}.")),
            }
        }
        let value = match look.json() {
            Ok(value) => value,
            Err(not) => return Finding::of(false, not.what.clone()).at(not.span.clone()).share(0.0),
        };
        let wanted = self.fields.iter().map(|at| (at, expected.pointer(at)));
        let wanted: Vec<_> = wanted.chain(self.equal.iter().map(|(at, value)| (at, Some(value)))).collect();
        let mut differing = Vec::new();
        for (at, want) in &wanted {
            let ignored = |value: Option<&Value>| value.map(|value| without(value, at, &self.ignore));
            let (got, want) = (ignored(value.pointer(at)), ignored(*want));
            let same = match (&got, &want) {
                (Some(got), Some(want)) => same(got, want),
                (got, want) => got.is_none() && want.is_none(),
            };
            if !same {
                let said = |value: &Option<Value>| {
                    value.as_ref().map_or_else(|| "nothing".to_owned(), |value| short(&value.to_string()))
                };
                differing.push(format!("{at} is {}, not {}", said(&got), said(&want)));
            }
        }
        if differing.is_empty() {
            return Finding::of(true, format!("All {} fields are as expected.", wanted.len()));
        }
        let share = (wanted.len() - differing.len()) as f64 / wanted.len() as f64;
        Finding::of(false, format!("{}.", differing.join("; "))).share(share)
    }
}

/// The value at a place, without what is to be ignored inside of it.
fn without(value: &Value, at: &str, ignore: &[String]) -> Value {
    let mut value = value.clone();
    let below = |path: &String| path.strip_prefix(at).filter(|rest| rest.starts_with('/')).map(str::to_owned);
    for rest in ignore.iter().filter_map(below) {
        if let Some((parent, key)) = rest.rsplit_once('/')
            && let Some(Value::Object(parent)) = value.pointer_mut(parent)
        {
            parent.remove(&key.replace("~1", "/").replace("~0", "~"));
        }
    }
    value
}

/// Equal as JSON: 1 and 1.0 are one number, the order of keys is nothing.
pub(super) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(x), Value::Number(y)) => {
            x == y || (x.is_f64() || y.is_f64()) && x.as_f64() == y.as_f64()
        }
        (Value::Array(x), Value::Array(y)) => x.len() == y.len() && x.iter().zip(y).all(|(x, y)| same(x, y)),
        (Value::Object(x), Value::Object(y)) => {
            x.len() == y.len() && x.iter().all(|(key, x)| y.get(key).is_some_and(|y| same(x, y)))
        }
        _ => a == b,
    }
}
