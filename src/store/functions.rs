//! Functions that SQL calls back: looking into the bodies of traces. Slow, a row at a time.

use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::open::Store;

#[derive(Deserialize)]
struct Metadata {
    #[serde(default)]
    metadata: Map<String, Value>,
}

impl Store {
    /// Gives `metadata_is(z, key, words)` to a connection: whether the metadata of a stored body has one of
    /// the words, a JSON list of `[text, is_prefix]`, under this key or path of keys. NULL without the key.
    pub(super) fn give_functions(&self, db: &Connection) -> rusqlite::Result<()> {
        let ids: Vec<u8> = db
            .prepare("SELECT id FROM main.dictionary")?
            .query_map([], |r| r.get(0))?
            .collect::<Result<_, _>>()?;
        for id in ids {
            self.0.dictionaries.prepare(db, &[id])?;
        }
        // The connection lives in the store: a strong hold would keep both forever.
        let store = std::sync::Arc::downgrade(&self.0);
        db.create_scalar_function(
            "metadata_is",
            3,
            FunctionFlags::SQLITE_UTF8,
            move |row: &mut Context<'_>| {
                let (Some(store), Ok(z)) = (store.upgrade(), row.get_raw(0).as_blob()) else {
                    return Ok(None);
                };
                let (key, words): (String, String) = (row.get(1)?, row.get(2)?);
                let words: Vec<(String, bool)> = serde_json::from_str(&words).unwrap_or_default();
                // A damaged body matches nothing; opening it says what is wrong.
                let Ok(json) = store.dictionaries.json(z) else { return Ok(None) };
                let Ok(body) = serde_json::from_slice::<Metadata>(&json) else { return Ok(None) };
                Ok(value_at(&body.metadata, &key).map(|value| is_one_of(value, &words)))
            },
        )
    }
}

/// The value under this very key, or else at the path of keys that its dots make.
fn value_at<'a>(metadata: &'a Map<String, Value>, key: &str) -> Option<&'a Value> {
    if let Some(value) = metadata.get(key) {
        return Some(value);
    }
    let mut keys = key.split('.');
    let mut value = metadata.get(keys.next()?)?;
    for key in keys {
        value = match value {
            Value::Array(items) => items.get(key.parse::<usize>().ok()?)?,
            other => other.get(key)?,
        };
    }
    Some(value)
}

/// Whether a value, or one inside a list, is one of the words.
fn is_one_of(value: &Value, words: &[(String, bool)]) -> bool {
    let text = match value {
        Value::Array(items) => return items.iter().any(|item| is_one_of(item, words)),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    words.iter().any(|(word, prefix)| if *prefix { text.starts_with(word) } else { text == *word })
}
