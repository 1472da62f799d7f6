//! `exact`: the answer is the expected one, after a stated normalisation.

use std::sync::LazyLock;

use regex::Regex;
use unicode_normalization::UnicodeNormalization;

use super::look::{Finding, Look, Rule, Settings, quoted};
use crate::domain::{Error, Result, nearest};

/// What a text becomes before it is compared: its name, and how.
type Step = (&'static str, fn(&str) -> String);

/// Steps by name, in the order in which they are taken.
const STEPS: &[Step] = &[
    ("nfkc", |text| text.nfkc().collect()),
    ("case", |text| text.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()),
    ("punctuation", without_punctuation),
    ("whitespace", |text| text.split_whitespace().collect::<Vec<_>>().join(" ")),
    ("trim", |text| text.trim().to_owned()),
];
/// What is done where the check does not say: how a text is encoded and spaced is not its content.
const DEFAULT: &[&str] = &["nfkc", "whitespace"];

/// Compares with a text of the check's own, or with what the case expects.
pub(super) struct Exact {
    value: Option<String>,
    steps: Vec<Step>,
}

impl Exact {
    pub fn new(settings: Settings<'_>) -> Result<Self> {
        let mut wanted = settings.texts("normalise");
        if wanted.is_empty() {
            wanted = DEFAULT.to_vec();
        }
        wanted.retain(|word| *word != "none");
        for word in &wanted {
            if !STEPS.iter().any(|(known, _)| known == word) {
                let known = || STEPS.iter().map(|(known, _)| *known);
                let error = Error::usage(format!("`normalise` knows no `{word}`."));
                return Err(match nearest(word, known()) {
                    Some(near) => error.hint(format!("Did you mean `{near}`?")),
                    None => {
                        error.hint(format!("There are: {}, none.", known().collect::<Vec<_>>().join(", ")))
                    }
                });
            }
        }
        match settings.yes("case_sensitive") {
            Some(false) => wanted.push("case"),
            Some(true) if wanted.contains(&"case") => {
                return Err(Error::usage("`normalise` takes case away, and `case_sensitive` keeps it."));
            }
            _ => {}
        }
        let steps: Vec<_> = STEPS.iter().filter(|(name, _)| wanted.contains(name)).copied().collect();
        let mut exact = Self { value: None, steps };
        exact.value = settings.text("value").map(|value| exact.normal(value));
        Ok(exact)
    }

    fn normal(&self, text: &str) -> String {
        self.steps.iter().fold(text.to_owned(), |text, (_, step)| step(&text))
    }

    fn how(&self) -> String {
        match self.steps.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ") {
            none if none.is_empty() => "byte by byte".to_owned(),
            steps => format!("after {steps}"),
        }
    }
}

impl Rule for Exact {
    fn decide(&self, look: &Look<'_>) -> Finding {
        let expected = match (&self.value, look.expected_output()) {
            (Some(value), _) => value.clone(),
            (None, Some(expected)) => self.normal(expected),
            (None, None) => return Finding::error("There is no expected answer to compare with."),
        };
        let answer = self.normal(look.text);
        if answer == expected {
            return Finding::of(true, format!("Is the expected answer ({}).", self.how()));
        }
        let alike: usize =
            answer.chars().zip(expected.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum();
        let rest = |text: &str| match &text[alike..] {
            "" => "its end".to_owned(),
            rest => quoted(rest),
        };
        let why = format!(
            "Is not the expected answer ({}): {} where {} is expected.",
            self.how(),
            rest(&answer),
            rest(&expected)
        );
        Finding::of(false, why)
    }
}

fn without_punctuation(text: &str) -> String {
    static PUNCTUATION: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\p{P}+").ok());
    PUNCTUATION.as_ref().map_or_else(|| text.to_owned(), |all| all.replace_all(text, "").into_owned())
}
