//! Rule checks: the shape of an evaluator in a case's `checks` and in `[[evaluator]]`.
//!
//! Owns which kinds there are and which settings each takes; what a check does with an answer is
//! not known here. To add a kind: one row in [`KINDS`].

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Error, Result};

/// A check whose shape has been looked at: a known kind, known settings, settings of the right type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub struct Check(Map<String, Value>);

/// What a setting holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    Text,
    /// One text or a list of at least one.
    Texts,
    /// A number >= 0.
    Number,
    /// A number from 0 to 1.
    Share,
    YesNo,
    Object,
    /// An object, or the name of a file.
    ObjectOrText,
    /// One of these words.
    Word(&'static [&'static str]),
}

struct Kind {
    name: &'static str,
    /// Of these at least one must be given; empty when none must.
    needs: &'static [&'static str],
    settings: &'static [(&'static str, Holds)],
    /// The setting that the short form `kind: value` sets.
    short: Option<&'static str>,
}

/// Settings that every kind takes.
const COMMON: &[(&str, Holds)] =
    &[("name", Holds::Text), ("sets", Holds::Texts), ("description", Holds::Text)];

const KINDS: &[Kind] = &[
    Kind {
        name: "exact",
        needs: &[],
        settings: &[("value", Holds::Text), ("normalise", Holds::Texts), ("case_sensitive", Holds::YesNo)],
        short: Some("value"),
    },
    Kind {
        name: "json_schema",
        needs: &["schema"],
        settings: &[("schema", Holds::ObjectOrText)],
        short: Some("schema"),
    },
    Kind {
        name: "json_fields",
        needs: &["fields", "equal"],
        settings: &[("fields", Holds::Texts), ("equal", Holds::Object), ("ignore", Holds::Texts)],
        short: Some("fields"),
    },
    Kind {
        name: "number",
        needs: &["tolerance", "relative"],
        settings: &[
            ("tolerance", Holds::Number),
            ("relative", Holds::Number),
            ("value", Holds::Number),
            ("pointer", Holds::Text),
        ],
        short: Some("tolerance"),
    },
    Kind {
        name: "similarity",
        needs: &[],
        settings: &[("threshold", Holds::Share), ("embedder", Holds::Text), ("value", Holds::Text)],
        short: Some("threshold"),
    },
    Kind {
        name: "judge",
        needs: &[],
        settings: &[
            ("criteria", Holds::Texts),
            ("behaviour", Holds::Text),
            ("threshold", Holds::Number),
            ("target", Holds::Text),
            ("template", Holds::Text),
            ("votes", Holds::Number),
        ],
        short: Some("behaviour"),
    },
    Kind {
        name: "contains",
        needs: &["values"],
        settings: &[
            ("values", Holds::Texts),
            ("mode", Holds::Word(&["all", "any"])),
            ("case_sensitive", Holds::YesNo),
            ("whole_word", Holds::YesNo),
        ],
        short: Some("values"),
    },
    Kind {
        name: "forbidden",
        needs: &["values"],
        settings: &[("values", Holds::Texts), ("case_sensitive", Holds::YesNo), ("whole_word", Holds::YesNo)],
        short: Some("values"),
    },
    Kind {
        name: "regex",
        needs: &["pattern"],
        settings: &[("pattern", Holds::Text), ("absent", Holds::YesNo)],
        short: Some("pattern"),
    },
    Kind {
        name: "length",
        needs: &["min", "max"],
        settings: &[
            ("min", Holds::Number),
            ("max", Holds::Number),
            ("unit", Holds::Word(&["characters", "words", "tokens"])),
        ],
        short: Some("max"),
    },
    Kind {
        name: "language",
        needs: &["values"],
        settings: &[("values", Holds::Texts)],
        short: Some("values"),
    },
    Kind {
        name: "latency",
        needs: &["max_ms"],
        settings: &[("max_ms", Holds::Number)],
        short: Some("max_ms"),
    },
    Kind {
        name: "cost",
        needs: &["max_usd"],
        settings: &[("max_usd", Holds::Number)],
        short: Some("max_usd"),
    },
    Kind {
        name: "tool_called",
        needs: &["tool"],
        settings: &[("tool", Holds::Text), ("arguments", Holds::Object), ("absent", Holds::YesNo)],
        short: Some("tool"),
    },
];

impl Check {
    /// Looks at the shape of a check. The error says what is wrong and the nearest right word.
    pub fn from_value(value: Value) -> Result<Self> {
        let Value::Object(map) = value else {
            return Err(Error::usage(
                "A check must be an object such as {\"kind\":\"contains\",\"values\":[\"…\"]}.",
            ));
        };
        let Some(name) = map.get("kind").and_then(Value::as_str) else {
            return Err(Error::usage("A check has no `kind`.").hint(format!("Kinds: {}", kinds())));
        };
        let Some(kind) = KINDS.iter().find(|kind| kind.name == name) else {
            let near = nearest(name, KINDS.iter().map(|kind| kind.name));
            let error = Error::usage(format!("There is no check of kind `{name}`{near}."));
            return Err(error.hint(format!("Kinds: {}", kinds())));
        };
        let known = || kind.settings.iter().chain(COMMON);
        for (key, value) in &map {
            if key == "kind" {
                continue;
            }
            let Some((_, holds)) = known().find(|(known, _)| known == key) else {
                let near = nearest(key, known().map(|(known, _)| *known));
                return Err(Error::usage(format!("A check of kind `{name}` has no setting `{key}`{near}.")));
            };
            if let Some(wants) = holds.wrong(value) {
                return Err(Error::usage(format!("`{key}` of a check of kind `{name}` must be {wants}.")));
            }
        }
        if !kind.needs.is_empty() && !kind.needs.iter().any(|need| map.contains_key(*need)) {
            let needs = kind.needs.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(" or ");
            return Err(Error::usage(format!("A check of kind `{name}` needs {needs}.")));
        }
        Ok(Self(map))
    }

    /// Reads a check as a person types it: JSON, or the short form `kind: value`, such as
    /// `forbidden: transfer your balance`, `tool_called: get_account`, `length: 20..200`.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        if text.starts_with('{') {
            let value = serde_json::from_str(text)
                .map_err(|e| Error::usage(format!("This check is not JSON: {text}")).because(e))?;
            return Self::from_value(value);
        }
        let (name, value) =
            text.split_once(':').map_or((text, ""), |(name, value)| (name.trim(), value.trim()));
        let mut map = Map::new();
        map.insert("kind".into(), name.into());
        if let Some(kind) = KINDS.iter().find(|kind| kind.name == name)
            && !value.is_empty()
        {
            if let (Some((min, max)), "length") = (value.split_once(".."), name) {
                for (key, bound) in
                    [("min", min), ("max", max)].into_iter().filter(|(_, bound)| !bound.is_empty())
                {
                    map.insert(key.into(), number(bound));
                }
            } else if let Some(key) = kind.short {
                let holds = kind.settings.iter().find(|(known, _)| *known == key).map(|(_, holds)| *holds);
                let value = match holds {
                    Some(Holds::Number | Holds::Share) => number(value),
                    Some(Holds::Texts) => Value::Array(vec![value.into()]),
                    _ => value.into(),
                };
                map.insert(key.into(), value);
            }
        }
        Self::from_value(Value::Object(map))
    }

    /// What kind of check it is.
    pub fn kind(&self) -> &str {
        self.0.get("kind").and_then(Value::as_str).unwrap_or("")
    }

    /// Whether it compares with an expected answer that it does not bring itself. Where none is expected, as of
    /// a recorded trace, it has nothing to say.
    pub fn needs_expected(&self) -> bool {
        match self.kind() {
            "exact" | "similarity" | "number" => !self.0.contains_key("value"),
            "json_fields" => self.0.contains_key("fields"),
            _ => false,
        }
    }

    /// Its settings, `kind` among them.
    pub fn settings(&self) -> &Map<String, Value> {
        &self.0
    }

    /// One line for a person, in the form that [`parse`](Self::parse) reads back.
    pub fn line(&self) -> String {
        let short = |setting: &str| match self.0.get(setting) {
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Number(number)) => Some(number.to_string()),
            Some(Value::Array(list)) if list.len() == 1 => list[0].as_str().map(str::to_owned),
            _ => None,
        };
        let value = match KINDS.iter().find(|kind| kind.name == self.kind()) {
            Some(kind) if kind.name == "length" && self.0.contains_key("min") => {
                Some(format!("{}..{}", short("min").unwrap_or_default(), short("max").unwrap_or_default()))
            }
            Some(kind) => kind.short.and_then(short),
            None => None,
        };
        let line = value.map_or_else(|| self.kind().to_owned(), |value| format!("{}: {value}", self.kind()));
        if Self::parse(&line).is_ok_and(|same| same == *self) {
            return line;
        }
        Value::Object(self.0.clone()).to_string()
    }
}

/// The kinds, for messages and pickers.
pub fn kinds() -> String {
    KINDS.iter().map(|kind| kind.name).collect::<Vec<_>>().join(", ")
}

impl TryFrom<Value> for Check {
    type Error = Error;

    fn try_from(value: Value) -> Result<Self> {
        Self::from_value(value)
    }
}

impl From<Check> for Value {
    fn from(check: Check) -> Self {
        Self::Object(check.0)
    }
}

impl Holds {
    /// What the setting must be, when this value is not that.
    fn wrong(self, value: &Value) -> Option<String> {
        let text = |v: &Value| v.as_str().is_some_and(|t| !t.is_empty());
        let (fine, wants) = match self {
            Self::Text => (text(value), "a text"),
            Self::Texts => (
                text(value) || value.as_array().is_some_and(|list| !list.is_empty() && list.iter().all(text)),
                "a text or a list of texts",
            ),
            Self::Number => (value.as_f64().is_some_and(|n| n >= 0.0), "a number not below 0"),
            Self::Share => (value.as_f64().is_some_and(|n| (0.0..=1.0).contains(&n)), "a number from 0 to 1"),
            Self::YesNo => (value.is_boolean(), "true or false"),
            Self::Object => (value.is_object(), "an object"),
            Self::ObjectOrText => (value.is_object() || text(value), "an object, or the name of a file"),
            Self::Word(words) => {
                let fine = value.as_str().is_some_and(|w| words.contains(&w));
                return (!fine).then(|| words.join(" or "));
            }
        };
        (!fine).then(|| wants.to_owned())
    }
}

fn number(text: &str) -> Value {
    let text = text.trim();
    text.parse::<u64>().map_or_else(
        |_| text.parse::<f64>().map_or_else(|_| text.into(), |n| serde_json::json!(n)),
        |n| serde_json::json!(n),
    )
}

/// ` (did you mean …?)` when a right word is near.
fn nearest<'a>(word: &str, right: impl Iterator<Item = &'a str>) -> String {
    right
        .map(|right| (strsim::jaro_winkler(word, right), right))
        .filter(|(near, _)| *near > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, right)| format!(" (did you mean `{right}`?)"))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_kind_has_a_good_shape_and_survives_serde() {
        for check in [
            json!({"kind":"exact"}),
            json!({"kind":"json_schema","schema":{"type":"object"}}),
            json!({"kind":"json_fields","fields":["/a"],"ignore":["/b"]}),
            json!({"kind":"number","tolerance":0.5}),
            json!({"kind":"similarity","threshold":0.85}),
            json!({"kind":"judge","behaviour":"asks first"}),
            json!({"name":"closing","kind":"contains","values":["How can I help further?"],"sets":["support"]}),
            json!({"kind":"forbidden","values":["transfer your balance"]}),
            json!({"kind":"regex","pattern":"^\\d+$","absent":true}),
            json!({"kind":"length","max":200,"unit":"words"}),
            json!({"kind":"language","values":["de"]}),
            json!({"kind":"latency","max_ms":3000}),
            json!({"kind":"cost","max_usd":0.01}),
            json!({"kind":"tool_called","tool":"get_account","arguments":{"id":1}}),
        ] {
            let read: Check = serde_json::from_value(check.clone()).unwrap();
            assert_eq!(serde_json::to_value(&read).unwrap(), check);
            assert_eq!(Check::parse(&read.line()).unwrap(), read);
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_the_nearest_right_word() {
        let wrong = |value: Value| Check::from_value(value).unwrap_err().what;
        assert!(wrong(json!({"kind":"contain","values":["x"]})).contains("did you mean `contains`"));
        assert!(wrong(json!({"kind":"contains","value":["x"]})).contains("did you mean `values`"));
        assert!(wrong(json!({"kind":"contains"})).contains("needs `values`"));
        assert!(wrong(json!({"kind":"contains","values":[]})).contains("list of texts"));
        assert!(wrong(json!({"kind":"similarity","threshold":85})).contains("from 0 to 1"));
        assert!(
            wrong(json!({"kind":"length","max":5,"unit":"bytes"})).contains("characters or words or tokens")
        );
        assert!(wrong(json!({"kind":"length"})).contains("`min` or `max`"));
        assert!(wrong(json!({"values":["x"]})).contains("no `kind`"));
        assert!(wrong(json!("contains")).contains("must be an object"));
    }

    #[test]
    fn short_forms() {
        let check = |text: &str| Value::from(Check::parse(text).unwrap());
        assert_eq!(
            check("forbidden: just transfer: now"),
            json!({"kind":"forbidden","values":["just transfer: now"]})
        );
        assert_eq!(check("length: 20..200"), json!({"kind":"length","min":20,"max":200}));
        assert_eq!(check("length: 200"), json!({"kind":"length","max":200}));
        assert_eq!(check("cost: 0.01"), json!({"kind":"cost","max_usd":0.01}));
        assert_eq!(check("exact"), json!({"kind":"exact"}));
        assert!(Check::parse("latency: soon").is_err());
        for line in
            ["length: 20..200", "length: 20..", "length: 200", "exact", "contains: a: b", "cost: 0.01"]
        {
            assert_eq!(Check::parse(line).unwrap().line(), line);
        }
    }
}
