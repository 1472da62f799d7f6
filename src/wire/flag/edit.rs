//! One value in a file that people keep: JSON, TOML, lines of `NAME=value`. All else stays byte for byte:
//! comments, order, spaces. A place that is not there is an error: a slip of the pen must not make a flag that
//! nobody reads.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::Value;
use serde_json::value::RawValue;

use crate::domain::switch::FlagFormat;
use crate::domain::{Error, Result};

/// The value at a place; `None` where there is no such place.
///
/// # Errors
/// `NotSo` when the text is not of the format; says the line.
pub fn get(text: &str, format: FlagFormat, place: &str) -> Result<Option<Value>> {
    match format {
        FlagFormat::Json => match json_span(text, place)? {
            Some(span) => Ok(serde_json::from_str(&text[span]).ok()),
            None => Ok(None),
        },
        FlagFormat::Toml => {
            let document = toml_document(text)?;
            let mut item = document.as_item();
            for token in tokens(place) {
                let next = match item.as_array() {
                    Some(_) => item.get(token.parse::<usize>().unwrap_or(usize::MAX)),
                    None => item.get(token.as_str()),
                };
                match next {
                    Some(next) => item = next,
                    None => return Ok(None),
                }
            }
            Ok(item.as_value().and_then(of_toml))
        }
        FlagFormat::Env => Ok(env_line(text, place).map(|line| Value::from(line.value))),
    }
}

/// The text with another value at a place.
///
/// # Errors
/// `NotSo` when the text is not of the format, the place is not there, or a value cannot stand there.
pub fn set(text: &str, format: FlagFormat, place: &str, value: &Value) -> Result<String> {
    let missing = || {
        Error::not_so(format!("There is no {place} in it.")).hint("Put the flag there, or name where it is.")
    };
    match format {
        FlagFormat::Json => {
            let span = json_span(text, place)?.ok_or_else(missing)?;
            Ok(format!("{}{value}{}", &text[..span.start], &text[span.end..]))
        }
        FlagFormat::Toml => {
            let mut document = toml_document(text)?;
            let mut item = document.as_item_mut();
            for token in tokens(place) {
                let next = match item.as_array() {
                    Some(_) => item.get_mut(token.parse::<usize>().unwrap_or(usize::MAX)),
                    None => item.get_mut(token.as_str()),
                };
                item = next.ok_or_else(missing)?;
            }
            let old = item
                .as_value_mut()
                .ok_or_else(|| Error::not_so(format!("At {place} stands a table, not a value.")))?;
            let mut new = to_toml(value)
                .ok_or_else(|| Error::not_so(format!("{value} cannot stand in a TOML file.")))?;
            *new.decor_mut() = old.decor().clone();
            *old = new;
            Ok(document.to_string())
        }
        FlagFormat::Env => {
            let line = env_line(text, place).ok_or_else(missing)?;
            let value = match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            if value.contains(['\n', '\r']) {
                return Err(Error::not_so("A variable of a file has one line."));
            }
            let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+,".contains(c);
            let value = match (line.quote, value.chars().all(plain)) {
                (None, true) => value,
                (Some('\''), _) if !value.contains('\'') => format!("'{value}'"),
                _ => format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")),
            };
            Ok(format!("{}{value}{}", &text[..line.at.start], &text[line.at.end..]))
        }
    }
}

/// A word as part of a JSON Pointer.
pub fn token(word: &str) -> String {
    word.replace('~', "~0").replace('/', "~1")
}

/// The words of a JSON Pointer.
fn tokens(pointer: &str) -> impl Iterator<Item = String> + '_ {
    pointer.split('/').skip(1).map(|token| token.replace("~1", "/").replace("~0", "~"))
}

/// Where the value at a JSON Pointer stands in the text.
fn json_span(text: &str, pointer: &str) -> Result<Option<Range<usize>>> {
    let wrong = |e: serde_json::Error| Error::not_so("It is not JSON.").because(e);
    let mut raw: &RawValue = serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(wrong)?;
    for token in tokens(pointer) {
        let next = match raw.get().as_bytes().first() {
            Some(b'{') => {
                serde_json::from_str::<BTreeMap<String, &RawValue>>(raw.get()).map_err(wrong)?.remove(&token)
            }
            Some(b'[') => {
                let items: Vec<&RawValue> = serde_json::from_str(raw.get()).map_err(wrong)?;
                token.parse::<usize>().ok().and_then(|at| items.get(at).copied())
            }
            _ => None,
        };
        match next {
            Some(next) => raw = next,
            None => return Ok(None),
        }
    }
    // It is a part of the text: where it begins is the distance between the two.
    let start = raw.get().as_ptr() as usize - text.as_ptr() as usize;
    Ok(Some(start..start + raw.get().len()))
}

fn toml_document(text: &str) -> Result<toml_edit::DocumentMut> {
    text.parse().map_err(|e: toml_edit::TomlError| Error::not_so("It is not TOML.").because(e))
}

fn of_toml(value: &toml_edit::Value) -> Option<Value> {
    match value {
        toml_edit::Value::String(text) => Some(text.value().as_str().into()),
        toml_edit::Value::Integer(n) => Some((*n.value()).into()),
        toml_edit::Value::Float(n) => Some((*n.value()).into()),
        toml_edit::Value::Boolean(yes) => Some((*yes.value()).into()),
        _ => None,
    }
}

fn to_toml(value: &Value) -> Option<toml_edit::Value> {
    match value {
        Value::Bool(yes) => Some((*yes).into()),
        Value::String(text) => Some(text.as_str().into()),
        Value::Number(n) => n.as_i64().map(Into::into).or_else(|| n.as_f64().map(Into::into)),
        _ => None,
    }
}

/// The line of a variable.
struct EnvLine {
    value: String,
    quote: Option<char>,
    /// Where its value stands, quotes included.
    at: Range<usize>,
}

/// The last line that sets a variable: that is the one that counts.
fn env_line(text: &str, name: &str) -> Option<EnvLine> {
    let (mut start, mut found) = (0, None);
    for line in text.split_inclusive('\n') {
        let begin = start;
        start += line.len();
        let bare = line.trim_end_matches(['\n', '\r']);
        let rest = bare.trim_start();
        let rest = rest.strip_prefix("export ").map_or(rest, str::trim_start);
        let Some(rest) = rest.strip_prefix(name) else { continue };
        let Some(rest) = rest.trim_start().strip_prefix('=') else { continue };
        let rest = rest.trim_start();
        let from = begin + (bare.len() - rest.len());
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''));
        let (value, len) = match quote {
            Some(quote) => {
                let inner = &rest[1..];
                let end = inner.find(quote).unwrap_or(inner.len());
                (inner[..end].to_owned(), (end + 2).min(rest.len()))
            }
            None => {
                // A comment begins with a # after a space.
                let end = rest.find(" #").or_else(|| rest.find("\t#")).unwrap_or(rest.len());
                let value = rest[..end].trim_end();
                (value.to_owned(), value.len())
            }
        };
        found = Some(EnvLine { value, quote, at: from..from + len });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn one_value_changes_and_nothing_else() {
        let json = "{ \"flags\": {\n    \"support-ai\": {\"enabled\" : true,  \"a/b\": 1.50}\n  },\n\t\"x\": [1, 2] }\n";
        let set = |place, value| set(json, FlagFormat::Json, place, &value).unwrap();
        assert_eq!(set("/flags/support-ai/enabled", json!(false)), json.replace("true", "false"));
        assert_eq!(set("/flags/support-ai/a~1b", json!("off")), json.replace("1.50", "\"off\""));
        assert_eq!(set("/x/1", json!(3)), json.replace("2]", "3]"));
        assert_eq!(get(json, FlagFormat::Json, "/x/0").unwrap(), Some(json!(1)));
        assert_eq!(get(json, FlagFormat::Json, "/x/7").unwrap(), None);

        let toml = "# flags\n[flags.support-ai]  # ours\nenabled = true   # the switch\nlevel = 3\n[[list]]\nname = \"a\"\n";
        let off = super::set(toml, FlagFormat::Toml, "/flags/support-ai/enabled", &json!(false)).unwrap();
        assert_eq!(off, toml.replace("true", "false"));
        assert_eq!(get(toml, FlagFormat::Toml, "/flags/support-ai/level").unwrap(), Some(json!(3)));

        let env = "# flags\nexport OTHER=1\nAI=true # the switch\nQUOTED=\"a b\"\nAI_MODE='on'\r\n";
        let set = |name, value| super::set(env, FlagFormat::Env, name, &value).unwrap();
        assert_eq!(set("AI", json!("false")), env.replace("AI=true", "AI=false"));
        assert_eq!(set("AI_MODE", json!("off")), env.replace("'on'", "'off'"));
        assert_eq!(set("OTHER", json!("two words")), env.replace("OTHER=1", "OTHER=\"two words\""));
        assert_eq!(get(env, FlagFormat::Env, "QUOTED").unwrap(), Some(json!("a b")));
    }

    #[test]
    fn a_place_that_is_not_there_is_not_made() {
        for (format, text, place) in [
            (FlagFormat::Json, "{\"a\": {}}", "/a/b"),
            (FlagFormat::Toml, "[a]\n", "/a/b"),
            (FlagFormat::Env, "AB=1\n", "A"),
        ] {
            let error = set(text, format, place, &json!(true)).unwrap_err();
            assert!(error.what.contains(place), "{}", error.what);
        }
        let error = get("{\"a\": 1,}", FlagFormat::Json, "/a").unwrap_err();
        assert!(error.why.unwrap().to_string().contains("line 1"));
        assert!(set("a = {b = 1", FlagFormat::Toml, "/a", &json!(true)).is_err());
    }
}
