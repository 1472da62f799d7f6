//! A sample: a frozen, named draw of traces with the rule that drew it. Each member keeps the
//! probability with which it was included, so that rates computed from the sample can be weighted.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64_with_seed;

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

impl SampleRule {
    /// The rule in words: `1 %, where model:gpt-4o, since 2026-03-01 00:00 UTC, seed 7`. Holds the
    /// query's text, so clean it before printing.
    pub fn describe(&self) -> String {
        let mut parts = vec![self.method.describe()];
        if self.suspicious {
            parts.push("only thumbs down, reports, errors and fallbacks".to_owned());
        }
        parts.extend(self.query.as_ref().map(|query| format!("where {query}")));
        parts.extend(self.since.map(|at| format!("since {}", at.strftime("%Y-%m-%d %H:%M UTC"))));
        if !self.strata.is_empty() {
            let words: Vec<&str> = self.strata.iter().map(|d| d.word()).collect();
            parts.push(format!("in strata of {}", words.join(" and ")));
        }
        parts.push(format!("seed {}", self.seed));
        parts.join(", ")
    }
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

impl Method {
    /// In words: `1 %`, `200 at most`.
    pub fn describe(self) -> String {
        match self {
            // Twelve digits hide that 0.07 * 100 is not quite 7.
            Self::Rate(rate) => format!("{} %", (rate * 1e12).round() / 1e10),
            Self::Size(size) => format!("{size} at most"),
        }
    }
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
    /// The language that the source states.
    Language,
}

impl Dimension {
    /// All dimensions, in the order they are listed.
    pub const ALL: [Self; 7] = [
        Self::PromptVersion,
        Self::Prompt,
        Self::Model,
        Self::Feature,
        Self::Language,
        Self::Feedback,
        Self::Status,
    ];

    /// The word for it, as typed and printed.
    pub fn word(self) -> &'static str {
        match self {
            Self::Feature => "feature",
            Self::Model => "model",
            Self::Prompt => "prompt",
            Self::PromptVersion => "prompt_version",
            Self::Feedback => "feedback",
            Self::Status => "status",
            Self::Language => "language",
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

/// Where a trace stands in a draw: uniform over all of `u64`, and the same on every machine. A draw takes
/// the lowest, so a draw at a higher rate holds all of one at a lower rate.
pub fn draw_hash(id_hash: i64, seed: u64) -> u64 {
    xxh3_64_with_seed(&id_hash.to_le_bytes(), seed)
}

/// How many of each stratum are drawn when `size` are to be drawn in all: an equal share of each; what the
/// small ones lack goes to the others, evenly, the odd ones to the largest.
pub fn allocate(size: u64, populations: &[u64]) -> Vec<u64> {
    let mut by_size: Vec<usize> = (0..populations.len()).collect();
    by_size.sort_by_key(|&at| populations[at]);
    let mut shares = vec![0; populations.len()];
    let mut left = size;
    for (done, at) in by_size.iter().enumerate() {
        let share = left / (populations.len() - done) as u64;
        shares[*at] = share.min(populations[*at]);
        left -= shares[*at];
    }
    shares
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

/// The time that a draw reaches back to: an age before `now` such as `7d`, `36h`, `90m` or `2w`, a date, or
/// a time. Dates are those of UTC.
pub fn parse_since(text: &str, now: Timestamp) -> Result<Timestamp> {
    let text = text.trim();
    let wrong = || {
        Error::usage(format!("{text:?} is not a time to reach back to."))
            .hint("Write an age such as 7d, 36h or 2w, a date such as 2026-03-01, or a time with its zone.")
    };
    let minutes = |unit: char| match unit {
        'm' => Some(1),
        'h' => Some(60),
        'd' => Some(24 * 60),
        'w' => Some(7 * 24 * 60),
        _ => None,
    };
    if let Some(unit) = text.chars().last().and_then(minutes) {
        let count: i64 = text[..text.len() - 1].trim_end().parse().map_err(|_| wrong())?;
        let back = count.checked_mul(unit * 60_000).filter(|back| *back >= 0).ok_or_else(wrong)?;
        let at = now.as_millisecond().checked_sub(back).ok_or_else(wrong)?;
        return Timestamp::from_millisecond(at).map_err(|_| wrong());
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    let date: jiff::civil::Date = text.parse().map_err(|_| wrong())?;
    jiff::tz::TimeZone::UTC.to_timestamp(date.at(0, 0, 0, 0)).map_err(|_| wrong())
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
    fn a_rule_is_said_in_words() {
        let mut rule = SampleRule {
            method: Method::Rate(parse_rate("7%").unwrap()),
            query: Some("model:gpt-4o".to_owned()),
            since: Some("2026-03-01T00:00:00Z".parse().unwrap()),
            strata: vec![Dimension::PromptVersion, Dimension::Model],
            suspicious: true,
            seed: 7,
        };
        assert_eq!(
            rule.describe(),
            "7 %, only thumbs down, reports, errors and fallbacks, where model:gpt-4o, \
             since 2026-03-01 00:00 UTC, in strata of prompt_version and model, seed 7"
        );
        rule = SampleRule { query: None, since: None, strata: Vec::new(), suspicious: false, ..rule };
        rule.method = Method::Rate(0.015);
        assert_eq!(rule.describe(), "1.5 %, seed 7");
    }

    #[test]
    fn ages_dates_and_times_are_times() {
        let now: Timestamp = "2026-03-10T12:00:00Z".parse().unwrap();
        for (text, expected) in [
            ("7d", "2026-03-03T12:00:00Z"),
            ("36h", "2026-03-09T00:00:00Z"),
            ("90m", "2026-03-10T10:30:00Z"),
            ("2w", "2026-02-24T12:00:00Z"),
            ("2026-03-01", "2026-03-01T00:00:00Z"),
            ("2026-03-01T05:00:00+02:00", "2026-03-01T03:00:00Z"),
        ] {
            assert_eq!(parse_since(text, now).unwrap(), expected.parse().unwrap(), "{text}");
        }
        for wrong in ["", "d", "-7d", "7", "7y", "99999999999999999w", "yesterday", "7ä"] {
            assert!(parse_since(wrong, now).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_size_is_spread_evenly_as_far_as_strata_reach() {
        assert_eq!(allocate(9, &[100, 100, 100]), [3, 3, 3]);
        assert_eq!(allocate(10, &[100, 101, 102]), [3, 3, 4]);
        assert_eq!(allocate(90, &[5, 1000, 10]), [5, 75, 10]);
        assert_eq!(allocate(50, &[5, 10]), [5, 10]);
        assert_eq!(allocate(1, &[7, 8]), [0, 1]);
        assert!(allocate(5, &[]).is_empty());
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
