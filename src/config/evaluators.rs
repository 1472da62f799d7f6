//! `[[evaluator]]`, `[embedders.NAME]` and `similarity_threshold`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use toml::Spanned;
use toml::de::DeValue;

use super::file::{Reader, kind};
use crate::domain::{Check, EmbedderSpec, Evaluator, Result};

const EMBEDDER: &[&str] = &["base_url", "model", "api_key_env", "threshold"];

impl Reader<'_> {
    /// `[[evaluator]]`: each with the line that it begins in.
    pub(super) fn evaluators(&self, value: &Spanned<DeValue<'_>>) -> Result<Vec<(Evaluator, usize)>> {
        let DeValue::Array(list) = value.get_ref() else {
            let wrong = self.wrong(value.span(), "evaluators are written as tables of a list.");
            return Err(wrong.hint("Write [[evaluator]], with two brackets."));
        };
        let mut all: Vec<(Evaluator, usize)> = Vec::new();
        for one in list {
            let evaluator = self.evaluator(one)?;
            let line = self.place(&one.span()).0;
            if let Some((_, first)) = all.iter().find(|(other, _)| other.name == evaluator.name) {
                let what = format!("there is an evaluator `{}` already, in line {first}.", evaluator.name);
                return Err(self.wrong(one.span(), what).hint("Each evaluator has a name of its own."));
            }
            all.push((evaluator, line));
        }
        Ok(all)
    }

    fn evaluator(&self, value: &Spanned<DeValue<'_>>) -> Result<Evaluator> {
        let table = self.table(value)?;
        let Some(name) = table.iter().find(|(key, _)| key.get_ref() == "name").map(|(_, name)| name) else {
            let wrong = self.wrong(value.span(), "this evaluator has no `name`.");
            return Err(wrong.hint("Its name stands in results, so that runs can be compared."));
        };
        let name = self.text(name)?;
        let mut map = Map::new();
        for (key, value) in table {
            map.insert(key.get_ref().to_string(), self.json(value)?);
        }
        let check = Check::from_value(Value::Object(map)).map_err(|e| {
            // The error names the setting it is about; of several the last, which it is about most.
            let mut named = table.iter().filter(|(key, _)| e.what.contains(&format!("`{}`", key.get_ref())));
            let of_kind = table.iter().find(|(key, _)| key.get_ref() == "kind");
            let span = named.next_back().or(of_kind).map_or_else(|| value.span(), |(key, _)| key.span());
            let mut error = self.wrong(span, &e.what);
            error.hints = e.hints;
            error
        })?;
        Ok(Evaluator { name, check })
    }

    /// `[embedders.NAME]`.
    pub(super) fn embedders(&self, value: &Spanned<DeValue<'_>>) -> Result<Vec<EmbedderSpec>> {
        let mut all = Vec::new();
        for (name, value) in self.table(value)? {
            let mut texts: BTreeMap<&str, String> = BTreeMap::new();
            let mut threshold = None;
            for (key, setting) in self.table(value)? {
                match EMBEDDER.iter().find(|known| *known == key.get_ref()) {
                    Some(&"threshold") => threshold = Some(self.share(setting)?),
                    Some(known) => drop(texts.insert(known, self.text(setting)?)),
                    None => {
                        let known = EMBEDDER.iter().copied();
                        return Err(self.unknown(key.span(), key.get_ref(), "setting of an embedder", known));
                    }
                }
            }
            if name.get_ref() == "embedded" {
                let wrong =
                    self.wrong(name.span(), "`embedded` is the embedder that is carried with the program.");
                return Err(
                    wrong.hint("Choose another name; its threshold is set with `similarity_threshold`.")
                );
            }
            let mut needed = |key: &str| {
                let missing = || self.wrong(name.span(), format!("this embedder has no `{key}`."));
                texts.remove(key).ok_or_else(missing)
            };
            all.push(EmbedderSpec {
                name: name.get_ref().to_string(),
                base_url: needed("base_url")?,
                model: needed("model")?,
                api_key_env: texts.remove("api_key_env"),
                threshold,
            });
        }
        Ok(all)
    }

    /// A number from 0 to 1.
    pub(super) fn share(&self, value: &Spanned<DeValue<'_>>) -> Result<f64> {
        let number = self.json(value)?.as_f64().filter(|number| (0.0..=1.0).contains(number));
        number.ok_or_else(|| self.wrong(value.span(), "a number from 0 to 1 belongs here."))
    }

    /// The same value as JSON.
    fn json(&self, value: &Spanned<DeValue<'_>>) -> Result<Value> {
        let unfit = |what: &str| self.wrong(value.span(), format!("{what} cannot stand here."));
        Ok(match value.get_ref() {
            DeValue::String(text) => Value::from(text.as_ref()),
            DeValue::Integer(number) => {
                let whole = i64::from_str_radix(number.as_str(), number.radix());
                whole.map(Value::from).map_err(|_| unfit("this number"))?
            }
            DeValue::Float(number) => {
                let float: Option<f64> = number.as_str().parse().ok();
                let json =
                    float.and_then(serde_json::Number::from_f64).ok_or_else(|| unfit("this number"))?;
                Value::Number(json)
            }
            DeValue::Boolean(yes) => Value::from(*yes),
            DeValue::Array(list) => {
                Value::Array(list.iter().map(|one| self.json(one)).collect::<Result<_>>()?)
            }
            DeValue::Table(table) => {
                let pairs =
                    table.iter().map(|(key, value)| Ok((key.get_ref().to_string(), self.json(value)?)));
                Value::Object(pairs.collect::<Result<_>>()?)
            }
            other @ DeValue::Datetime(_) => return Err(unfit(kind(other))),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::file::parse;

    const GOOD: &str = r#"
similarity_threshold = 0.5
[embedders.big]
base_url = "http://127.0.0.1:8080/v1"
model = "e5"
threshold = 0.8

[[evaluator]]
name = "closing"
kind = "contains"
values = ["How can I help further?"]
sets = ["support"]

[[evaluator]]
name = "total"
kind = "json_fields"
equal = { "/total" = 1_000, "/ok" = true, "/rate" = 0.5 }
"#;

    #[test]
    fn evaluators_and_embedders_are_taken_with_their_lines() {
        let config = parse("c.toml", GOOD).unwrap().evaluation;
        let named: Vec<_> = config.evaluators.iter().map(|(one, line)| (one.name.as_str(), *line)).collect();
        assert_eq!(named, [("closing", 8), ("total", 14)]);
        assert!(config.evaluators[0].0.applies_to("support") && !config.evaluators[0].0.applies_to("other"));
        let equal = &config.evaluators[1].0.check.settings()["equal"];
        assert_eq!(*equal, serde_json::json!({"/total":1000,"/ok":true,"/rate":0.5}));
        assert_eq!(config.similarity_threshold, Some(0.5));
        assert_eq!((config.embedders[0].name.as_str(), config.embedders[0].threshold), ("big", Some(0.8)));
    }

    #[test]
    fn what_is_wrong_is_named_by_its_place() {
        let head = "[[evaluator]]\nname = 'x'\n";
        for (text, what) in [
            ("[[evaluator]]\nkind = 'exact'".to_owned(), "c.toml:1:1: this evaluator has no `name`"),
            (
                format!("{head}kind = 'contain'\nvalues = ['y']"),
                "c.toml:3:1: There is no check of kind `contain` (did you mean `contains`?)",
            ),
            (
                format!("{head}kind = 'contains'\nvalue = ['y']"),
                "c.toml:4:1: A check of kind `contains` has no setting `value` (did you mean `values`?)",
            ),
            (
                format!("{head}kind = 'similarity'\nthreshold = 85"),
                "c.toml:4:1: `threshold` of a check of kind `similarity`",
            ),
            (
                format!("{head}kind = 'exact'\n{head}kind = 'exact'"),
                "c.toml:4:1: there is an evaluator `x` already, in line 1",
            ),
            ("[evaluator]\nname = 'x'".to_owned(), "c.toml:1:1: evaluators are written as tables"),
            ("[embedders.e]\nmodel = 'm'".to_owned(), "c.toml:1:12: this embedder has no `base_url`"),
            (
                "[embedders.e]\nmodle = 'm'".to_owned(),
                "c.toml:2:1: there is no setting of an embedder `modle`",
            ),
            ("[embedders.embedded]\nmodel = 'm'".to_owned(), "c.toml:1:12: `embedded` is the embedder"),
            ("similarity_threshold = 2".to_owned(), "c.toml:1:24: a number from 0 to 1"),
        ] {
            let error = parse("c.toml", &text).err().unwrap_or_else(|| panic!("{text:?} was taken"));
            assert!(error.what.starts_with(what), "{text:?}: {}", error.what);
        }
    }
}
