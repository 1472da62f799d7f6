//! The language of a text, told from the text.
//!
//! The answers are those of the crate whatlang: trigrams of the text against those of each language, by
//! their ranks, and its letters against each alphabet. It compares with one language after the other, which
//! for the 37 that are written in Latin script costs more than all else that is done with a text; those are
//! compared all at once here, by an index of its own profiles (`latin`).

mod latin;
#[cfg(test)]
mod tests;

use whatlang::{Lang, Script};

use crate::domain::{Trace, TraceLanguage, stated_language};

/// Bytes that are looked at: more changes no answer and costs time.
const ENOUGH: usize = 300;
/// What whatlang calls reliable is surer than this.
const RELIABLE: f64 = 0.9;

/// A language that can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Language {
    /// ISO 639-1.
    pub code: &'static str,
    /// ISO 639-3.
    pub long_code: &'static str,
    /// In English.
    pub name: &'static str,
}

/// All languages that can be told.
pub fn languages() -> impl Iterator<Item = Language> {
    Lang::all().iter().map(|lang| language(*lang))
}

/// The language of a text by its first 300 bytes. `None` when the text is too short or too mixed to tell.
pub fn detect_language(text: &str) -> Option<Language> {
    let (lang, confidence) = guess(beginning(text))?;
    (confidence > RELIABLE).then(|| language(lang))
}

/// Bytes of a question that are looked at: one that is shorter may be too short to tell its language.
const SHORT: usize = 160;

fn beginning(text: &str) -> &str {
    &text[..text.floor_char_boundary(ENOUGH)]
}

/// The language of a trace. The source's word wins; without one it is the language of the user's last question.
/// A question is often too short to tell by itself: its likeliest language counts too if the answer is surely in
/// that one. `None` where nothing is sure.
pub fn trace_language(trace: &Trace) -> Option<TraceLanguage> {
    if let Some(name) = stated_language(&trace.metadata) {
        return Some(TraceLanguage { name, guessed: false });
    }
    let question = trace.input.last_said("user")?;
    let question = &question[..question.floor_char_boundary(SHORT)];
    let (lang, confidence) = guess(question)?;
    let answered_in = || trace.output.last_said("assistant").and_then(detect_language);
    // A long one that does not tell is in no language: its answer would cost an import as much again.
    let short = question.len() < SHORT;
    let sure = confidence > RELIABLE || (short && answered_in() == Some(language(lang)));
    sure.then(|| TraceLanguage { name: short_code(lang).to_owned(), guessed: true })
}

/// The likeliest language, and how sure that is, from 0 to 1.
fn guess(text: &str) -> Option<(Lang, f64)> {
    // DEL is a letter to whatlang.
    if text.is_ascii() && !text.contains('\u{7f}') {
        return latin::guess_ascii(text);
    }
    match whatlang::detect_script(text)? {
        Script::Latin => latin::guess(text),
        _ => whatlang::detect(text).map(|info| (info.lang(), info.confidence())),
    }
}

fn language(lang: Lang) -> Language {
    Language { code: short_code(lang), long_code: lang.code(), name: lang.eng_name() }
}

/// ISO 639-1.
fn short_code(lang: Lang) -> &'static str {
    match lang {
        Lang::Afr => "af",
        Lang::Aka => "ak",
        Lang::Amh => "am",
        Lang::Ara => "ar",
        Lang::Aze => "az",
        Lang::Bel => "be",
        Lang::Ben => "bn",
        Lang::Bul => "bg",
        Lang::Cat => "ca",
        Lang::Ces => "cs",
        Lang::Cmn => "zh",
        Lang::Cym => "cy",
        Lang::Dan => "da",
        Lang::Deu => "de",
        Lang::Ell => "el",
        Lang::Eng => "en",
        Lang::Epo => "eo",
        Lang::Est => "et",
        Lang::Fin => "fi",
        Lang::Fra => "fr",
        Lang::Guj => "gu",
        Lang::Heb => "he",
        Lang::Hin => "hi",
        Lang::Hrv => "hr",
        Lang::Hun => "hu",
        Lang::Hye => "hy",
        Lang::Ind => "id",
        Lang::Ita => "it",
        Lang::Jav => "jv",
        Lang::Jpn => "ja",
        Lang::Kan => "kn",
        Lang::Kat => "ka",
        Lang::Khm => "km",
        Lang::Kor => "ko",
        Lang::Lat => "la",
        Lang::Lav => "lv",
        Lang::Lit => "lt",
        Lang::Mal => "ml",
        Lang::Mar => "mr",
        Lang::Mkd => "mk",
        Lang::Mya => "my",
        Lang::Nep => "ne",
        Lang::Nld => "nl",
        Lang::Nob => "nb",
        Lang::Ori => "or",
        Lang::Pan => "pa",
        Lang::Pes => "fa",
        Lang::Pol => "pl",
        Lang::Por => "pt",
        Lang::Ron => "ro",
        Lang::Rus => "ru",
        Lang::Sin => "si",
        Lang::Slk => "sk",
        Lang::Slv => "sl",
        Lang::Sna => "sn",
        Lang::Spa => "es",
        Lang::Srp => "sr",
        Lang::Swe => "sv",
        Lang::Tam => "ta",
        Lang::Tel => "te",
        Lang::Tgl => "tl",
        Lang::Tha => "th",
        Lang::Tuk => "tk",
        Lang::Tur => "tr",
        Lang::Ukr => "uk",
        Lang::Urd => "ur",
        Lang::Uzb => "uz",
        Lang::Vie => "vi",
        Lang::Yid => "yi",
        Lang::Zul => "zu",
    }
}
