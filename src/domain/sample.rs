//! A sample: a frozen, named draw of traces with the rule that drew it. Each member keeps the
//! probability with which it was included, so that rates computed from the sample can be weighted.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Error, Result, Untrusted};

/// Longest name of a sample, in characters.
const LONGEST_NAME: usize = 80;

/// A frozen draw of traces.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Its name, unique in the store.
    pub name: String,
    /// What drew it.
    pub rule: SampleRule,
    /// When it was drawn.
    pub drawn_at: Timestamp,
    /// By whom.
    pub by: Untrusted,
    /// How many traces could have been drawn: all that the rule's conditions hold for.
    pub population: u64,
    /// The traces drawn, in the order of the queue. The order is that of the draw's hash, so that
    /// however far a reviewer gets, what was reviewed is itself a uniform draw.
    pub members: Vec<Member>,
}

/// The rule of a draw: with the same traces it gives the same sample, whoever draws.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SampleRule {
    /// How many.
    pub method: Method,
    /// Only traces that this query holds for; its canonical text.
    pub query: Option<String>,
    /// Only traces from this time on.
    pub since: Option<Timestamp>,
    /// Draw within each combination of these.
    pub strata: Vec<Dimension>,
    /// Only traces that somebody or something complained of: thumbs down, reports, errors, fallbacks.
    pub suspicious: bool,
    /// Mixed into the hash: another seed is another draw.
    pub seed: u64,
}

/// How many are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Each trace with this probability, in (0, 1]. New traffic joins without reshuffling.
    Rate(f64),
    /// This many, or all when there are fewer. With strata, as evenly over them as their sizes allow,
    /// so that a rare stratum can be judged too; the probabilities put the balance right.
    Size(u64),
}

/// What a draw can be stratified by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dimension {
    /// The LLM feature.
    Feature,
    /// The model.
    Model,
    /// The name of the prompt.
    Prompt,
    /// The version of the prompt.
    PromptVersion,
    /// What the user said: `report`, `down`, `follow_up`, `up` or `none`; the worst of them.
    Feedback,
    /// `ok` or `error`.
    Status,
}

impl Dimension {
    /// All dimensions, in the order they are listed.
    pub const ALL: [Self; 6] =
        [Self::PromptVersion, Self::Prompt, Self::Model, Self::Feature, Self::Feedback, Self::Status];

    /// The word for it, as typed and printed.
    pub fn word(self) -> &'static str {
        match self {
            Self::Feature => "feature",
            Self::Model => "model",
            Self::Prompt => "prompt",
            Self::PromptVersion => "prompt_version",
            Self::Feedback => "feedback",
            Self::Status => "status",
        }
    }

    /// The dimension that a word names. Errors name the nearest.
    pub fn from_word(word: &str) -> Result<Self> {
        let wanted = word.trim().to_lowercase().replace('-', "_");
        Self::ALL.into_iter().find(|d| d.word() == wanted).ok_or_else(|| {
            let nearest = Self::ALL.into_iter().max_by(|a, b| {
                strsim::jaro_winkler(a.word(), &wanted).total_cmp(&strsim::jaro_winkler(b.word(), &wanted))
            });
            let all: Vec<&str> = Self::ALL.iter().map(|d| d.word()).collect();
            let error = Error::usage(format!("Samples cannot be stratified by {word:?}."));
            let error = match nearest {
                Some(near) => error.hint(format!("Did you mean {}?", near.word())),
                None => error,
            };
            error.hint(format!("Strata can be {}, or several joined by commas.", all.join(", ")))
        })
    }
}

/// One trace of a sample.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Member {
    /// The trace's id.
    pub trace: Untrusted,
    /// The probability with which it was included, in (0, 1].
    pub probability: f64,
    /// The stratum it was drawn in: the values of the rule's dimensions, joined by commas.
    pub stratum: Option<Untrusted>,
}

/// A sample's name with the space around it taken off. Errors when it cannot be typed and shown plainly:
/// names are letters, digits, spaces and `- _ . :`, and begin with a letter or digit.
pub fn checked_name(name: &str) -> Result<String> {
    let name = name.trim();
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | ' ');
    let good = name.chars().next().is_some_and(char::is_alphanumeric)
        && name.chars().all(plain)
        && name.chars().count() <= LONGEST_NAME;
    if good {
        return Ok(name.to_owned());
    }
    Err(Error::usage(format!("{name:?} cannot be the name of a sample.")).hint(format!(
        "Use up to {LONGEST_NAME} letters, digits, spaces and - _ . : after a letter or digit: week-47."
    )))
}

/// A probability from text such as `1%`, `0.5 %` or `0.01`. Errors outside of (0, 1].
pub fn parse_rate(text: &str) -> Result<f64> {
    let trimmed = text.trim();
    let (digits, scale) = match trimmed.strip_suffix('%') {
        Some(digits) => (digits.trim_end(), 100.0),
        None => (trimmed, 1.0),
    };
    let rate = digits.parse::<f64>().map(|n| n / scale);
    match rate {
        Ok(rate) if rate > 0.0 && rate <= 1.0 => Ok(rate),
        _ => Err(Error::usage(format!("{text:?} is not a rate."))
            .hint("A rate is a share above 0 and up to 100 %: 1%, 0.5% or 0.01.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_shares() {
        assert_eq!(parse_rate("1%").unwrap(), 0.01);
        assert_eq!(parse_rate(" 0.5 % ").unwrap(), 0.005);
        assert_eq!(parse_rate("0.25").unwrap(), 0.25);
        assert_eq!(parse_rate("100%").unwrap(), 1.0);
        for wrong in ["", "%", "0", "0%", "1.01", "101%", "-1%", "nan", "inf", "a"] {
            assert!(parse_rate(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn names_can_be_typed_and_shown() {
        for good in ["week-47", "Ünïcode 2", "a", "v4.thumbs:down"] {
            assert_eq!(checked_name(good).unwrap(), good);
        }
        assert_eq!(checked_name("  x ").unwrap(), "x");
        let long = "x".repeat(81);
        for wrong in ["", " ", "-x", "a\nb", "a\u{1b}[2J", "a\u{202e}b", "../x", "a/b", long.as_str()] {
            assert!(checked_name(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_wrong_dimension_is_answered_with_the_nearest() {
        assert_eq!(Dimension::from_word("prompt-version").unwrap(), Dimension::PromptVersion);
        let wrong = Dimension::from_word("modle").unwrap_err();
        assert!(wrong.hints[0].contains("model"), "{wrong:?}");
    }
}
