//! `language`: the language of the answer is one of these.

use whatlang::Lang;

use super::look::{Finding, Look, Rule, Settings};
use crate::domain::{Error, Result, nearest};

/// Bytes that are looked at: more changes no answer and costs time.
const ENOUGH: usize = 300;

/// ISO 639-3 as the detector names languages, and ISO 639-1.
const CODES: &[(&str, &str)] = &[
    ("afr", "af"),
    ("aka", "ak"),
    ("amh", "am"),
    ("ara", "ar"),
    ("aze", "az"),
    ("bel", "be"),
    ("ben", "bn"),
    ("bul", "bg"),
    ("cat", "ca"),
    ("ces", "cs"),
    ("cmn", "zh"),
    ("cym", "cy"),
    ("dan", "da"),
    ("deu", "de"),
    ("ell", "el"),
    ("eng", "en"),
    ("epo", "eo"),
    ("est", "et"),
    ("fin", "fi"),
    ("fra", "fr"),
    ("guj", "gu"),
    ("heb", "he"),
    ("hin", "hi"),
    ("hrv", "hr"),
    ("hun", "hu"),
    ("hye", "hy"),
    ("ind", "id"),
    ("ita", "it"),
    ("jav", "jv"),
    ("jpn", "ja"),
    ("kan", "kn"),
    ("kat", "ka"),
    ("khm", "km"),
    ("kor", "ko"),
    ("lat", "la"),
    ("lav", "lv"),
    ("lit", "lt"),
    ("mal", "ml"),
    ("mar", "mr"),
    ("mkd", "mk"),
    ("mya", "my"),
    ("nep", "ne"),
    ("nld", "nl"),
    ("nob", "nb"),
    ("ori", "or"),
    ("pan", "pa"),
    ("pes", "fa"),
    ("pol", "pl"),
    ("por", "pt"),
    ("ron", "ro"),
    ("rus", "ru"),
    ("sin", "si"),
    ("slk", "sk"),
    ("slv", "sl"),
    ("sna", "sn"),
    ("spa", "es"),
    ("srp", "sr"),
    ("swe", "sv"),
    ("tam", "ta"),
    ("tel", "te"),
    ("tgl", "tl"),
    ("tha", "th"),
    ("tuk", "tk"),
    ("tur", "tr"),
    ("ukr", "uk"),
    ("urd", "ur"),
    ("uzb", "uz"),
    ("vie", "vi"),
    ("yid", "yi"),
    ("zul", "zu"),
];

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
    let name = |three: &str| Lang::from_code(three).map_or("", |lang| lang.eng_name());
    let is_it = |(three, one): &&(&str, &'static str)| {
        [*three, *one].contains(&word.as_str()) || name(three).eq_ignore_ascii_case(&word)
    };
    CODES.iter().find(is_it).map(|(_, one)| *one).ok_or_else(|| {
        let error = Error::usage(format!("`{text}` is not a language that can be told."));
        match nearest(&word, CODES.iter().map(|(three, _)| name(three))) {
            Some(near) => error.hint(format!("Did you mean `{}`?", near.to_lowercase())),
            None => error.hint("Languages are written as ISO 639-1: en, de, pt."),
        }
    })
}

/// The language of a text: its ISO 639-1 code and its English name. `None` when the text is too short or too
/// mixed to tell.
pub(super) fn detect(text: &str) -> Option<(&'static str, &'static str)> {
    let text = &text[..text.floor_char_boundary(ENOUGH)];
    let found = whatlang::detect(text).filter(whatlang::Info::is_reliable)?;
    let lang = found.lang();
    CODES.iter().find(|(three, _)| *three == lang.code()).map(|(_, one)| (*one, lang.eng_name()))
}

impl Rule for Language {
    fn decide(&self, look: &Look<'_>) -> Finding {
        let Some((code, name)) = detect(look.text) else {
            return Finding::error("The text is too short or too mixed to tell its language.");
        };
        let pass = self.0.contains(&code);
        let not = if pass { String::new() } else { format!(", not {}", self.0.join(" or ")) };
        Finding::of(pass, format!("The answer is in {name} ({code}){not}."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_of_the_detector_has_its_code() {
        for lang in Lang::all() {
            assert_eq!(CODES.iter().filter(|(three, _)| *three == lang.code()).count(), 1, "{lang}");
        }
        assert_eq!(code("German").unwrap(), "de");
        assert_eq!((code("pt-BR").unwrap(), code("eng").unwrap()), ("pt", "en"));
        assert!(code("germn").unwrap_err().hints[0].contains("german"));
    }
}
