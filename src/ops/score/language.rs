//! `language`: the language of the answer is one of these.

use super::look::{Finding, Look, Rule, Settings};
use crate::domain::{Error, Result, nearest};
use crate::text::{detect_language, languages};

/// The languages that are fine, as ISO 639-1.
pub(super) struct Language(Vec<&'static str>);

impl Language {
    pub fn new(settings: Settings<'_>) -> Result<Self> {
        settings.texts("values").into_iter().map(code).collect::<Result<_>>().map(Self)
    }
}

/// The ISO 639-1 code of a language that is written as such, as ISO 639-3, or in English; a region behind it
/// (`pt-BR`) is let go.
fn code(text: &str) -> Result<&'static str> {
    let word = text.trim().split(['-', '_']).next().unwrap_or_default().to_lowercase();
    let word = if word == "no" { "nb".to_owned() } else { word };
    let mut all = languages();
    let found = all.find(|one| {
        [one.code, one.long_code].contains(&word.as_str()) || one.name.eq_ignore_ascii_case(&word)
    });
    found.map(|one| one.code).ok_or_else(|| {
        let error = Error::usage(format!("`{text}` is not a language that can be told."));
        match nearest(&word, languages().map(|one| one.name)) {
            Some(near) => error.hint(format!("Did you mean `{}`?", near.to_lowercase())),
            None => error.hint("Languages are written as ISO 639-1: en, de, pt."),
        }
    })
}

impl Rule for Language {
    fn decide(&self, look: &Look<'_>) -> Finding {
        let Some(told) = detect_language(look.text) else {
            return Finding::error("The text is too short or too mixed to tell its language.");
        };
        let pass = self.0.contains(&told.code);
        let not = if pass { String::new() } else { format!(", not {}", self.0.join(" or ")) };
        Finding::of(pass, format!("The answer is in {} ({}){not}.", told.name, told.code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_written_by_any_of_its_names() {
        assert_eq!(code("German").unwrap(), "de");
        assert_eq!((code("pt-BR").unwrap(), code("eng").unwrap()), ("pt", "en"));
        assert!(code("germn").unwrap_err().hints[0].contains("german"));
    }
}
