//! Whether an answer reads like a fallback: "I don't know", or a hand-over to a person. Applications do not always say
//! so themselves; the text is looked at once, as a trace comes in, and what was found is kept with it.

use std::sync::{Arc, LazyLock};

use regex::{Regex, RegexBuilder};

use crate::domain::{Content, Error, Result};

/// What is looked for where the configuration says nothing: regular expressions, whatever the case of letters.
///
/// They begin with whatever is no letter, and end at a boundary of ASCII, for speed: a list of first letters would stop
/// at every `i` of an answer, and a boundary of Unicode sends an answer with one letter beyond ASCII the slow way.
const PATTERNS: [&str; 4] = [
    r"(?:^|[^\pL])I (?:really )?(?:do not|don['’]t) know(?-u:\b)",
    r"(?:^|[^\pL])I(?: am|['’]m) (?:sorry, but I(?: am|['’]m) )?(?:not able|unable) to (?:help|answer|assist)(?-u:\b)",
    r"(?:^|[^\pL])I (?:can ?not|can['’]t) (?:help|answer|assist)(?-u:\b)",
    r"(?:^|[^\pL])(?:connect|connecting|transfer|transferring|hand|handing|forward|forwarding|pass|passing) you (?:over |on |through )?(?:to|with) (?:a|an|one|our|my|someone|somebody)(?-u:\b)",
];

/// A pattern is no longer than this, compiled: a configuration cannot make the import slow or large.
const LARGEST: usize = 1 << 20;

/// The usual ones: compiled when a first answer is looked at, so that no start of the program waits for them.
static USUAL: LazyLock<Option<Regex>> = LazyLock::new(|| compiled(&PATTERNS).ok());

/// The patterns of fallbacks, compiled. Cloning shares them.
#[derive(Debug, Clone, Default)]
pub struct Fallback(Patterns);

#[derive(Debug, Clone, Default)]
enum Patterns {
    #[default]
    Usual,
    Own(Arc<Regex>),
    None,
}

fn compiled(patterns: &[impl AsRef<str>]) -> std::result::Result<Regex, regex::Error> {
    let all: Vec<String> = patterns.iter().map(|one| format!("(?:{})", one.as_ref())).collect();
    RegexBuilder::new(&all.join("|")).case_insensitive(true).size_limit(LARGEST).build()
}

impl Fallback {
    /// These patterns; none of them finds nothing. Errors when one is no regular expression.
    pub fn new(patterns: &[impl AsRef<str>]) -> Result<Self> {
        if patterns.is_empty() {
            return Ok(Self(Patterns::None));
        }
        let regex = compiled(patterns)
            .map_err(|e| Error::usage("A pattern of fallbacks is no regular expression.").because(e))?;
        Ok(Self(Patterns::Own(Arc::new(regex))))
    }

    /// Tells one set of patterns from another, in this version of the program and later ones.
    pub fn fingerprint(&self) -> String {
        let text = match &self.0 {
            Patterns::Usual => PATTERNS.join("\n"),
            Patterns::Own(regex) => regex.as_str().to_owned(),
            Patterns::None => return "none".to_owned(),
        };
        format!("{:016x}", xxhash_rust::xxh3::xxh3_64(text.as_bytes()))
    }

    /// Whether what came out reads like a fallback.
    pub fn reads_like(&self, output: &Content) -> bool {
        let regex = match &self.0 {
            Patterns::Usual => USUAL.as_ref(),
            Patterns::Own(regex) => Some(regex.as_ref()),
            Patterns::None => None,
        };
        regex.is_some_and(|regex| regex.is_match(&output.answer_text()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_patterns_know_a_fallback_from_an_answer() {
        let usual = Fallback::default();
        let reads = |text: &str| usual.reads_like(&Content::Text(text.into()));
        for text in [
            "I don't know.",
            "Sorry, I DO NOT KNOW that.",
            "I’m unable to help with that request.",
            "I can't answer this one.",
            "Let me connect you with a colleague.",
            "I am transferring you to one of our advisors.",
            "Für „fee“ gilt: I don’t know – ehrlich.",
        ] {
            assert!(reads(text), "{text}");
        }
        for text in [
            "",
            "If you don't know your PIN, choose a new one.",
            "You can transfer money to a friend.",
            "It will connect you to the app.",
            "I know: the fee is $3.",
            "Øi don't know",
            "I can't helpfully add to that.",
        ] {
            assert!(!reads(text), "{text}");
        }
    }

    #[test]
    fn the_teams_own_patterns_take_their_place() {
        let own = Fallback::new(&["kein Mensch weiß", "^Weiß nicht"]).unwrap();
        let reads = |of: &Fallback, text: &str| of.reads_like(&Content::Text(text.into()));
        assert!(reads(&own, "WEISS NICHT.") || reads(&own, "weiß nicht."));
        assert!(!reads(&own, "I don't know."));
        let none: [&str; 0] = [];
        assert!(!reads(&Fallback::new(&none).unwrap(), "I don't know."));
        assert!(Fallback::new(&["("]).is_err());
        assert!(Fallback::new(&["(a{1000}){1000}"]).is_err(), "too large");
    }
}
