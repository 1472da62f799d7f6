//! The language of a trace.

use serde::Serialize;
use serde_json::{Map, Value};

/// Where sources state it, the first that does counts.
const KEYS: [&str; 5] = ["language", "lang", "user_language", "locale", "user_locale"];
/// Longer values are no name of a language.
const LONGEST: usize = 16;

/// The language of a trace: as its source states it, else as its text tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TraceLanguage {
    /// ISO 639-1 where it is guessed; as the source has it where it is stated.
    pub name: String,
    /// Whether no source stated it.
    pub guessed: bool,
}

/// The language that metadata state: `de` of `de-DE`, `pt_BR.UTF-8` or `DE`; a name such as `german` as it is,
/// in lower case. What none states is guessed from the text (`text::trace_language`).
pub fn stated_language(metadata: &Map<String, Value>) -> Option<String> {
    let stated = KEYS.iter().find_map(|key| metadata.get(*key)?.as_str())?;
    let word = stated.trim().split(['-', '_', '.']).next()?.to_lowercase();
    let is_word = !word.is_empty() && word.len() <= LONGEST && word.chars().all(char::is_alphabetic);
    is_word.then_some(word)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_region_is_no_part_of_a_language() {
        let of = |metadata: Value| stated_language(metadata.as_object().unwrap());
        assert_eq!(of(json!({"locale": "de-DE"})).as_deref(), Some("de"));
        assert_eq!(of(json!({"locale": "pt_BR.UTF-8"})).as_deref(), Some("pt"));
        assert_eq!(of(json!({"locale": "en", "language": "German"})).as_deref(), Some("german"));
        for none in [json!({}), json!({"lang": 3}), json!({"lang": ""}), json!({"lang": "\u{1b}[2J"})] {
            assert_eq!(of(none), None);
        }
        assert_eq!(of(json!({"language": "a language whose name is long"})), None);
    }
}
