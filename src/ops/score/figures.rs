//! `length`, `latency`, `cost`: a figure between bounds.

use unicode_segmentation::UnicodeSegmentation;

use super::look::{Finding, Look, Rule, Settings};
use crate::domain::{Error, Result};
use crate::text::figures::{MONEY_DECIMALS, dollars_to, money_decimals};

/// How long the answer's text is.
pub(super) struct Length {
    min: Option<f64>,
    max: Option<f64>,
    unit: Unit,
}

#[derive(Clone, Copy, PartialEq)]
enum Unit {
    /// What a person sees as one: grapheme clusters.
    Characters,
    /// By Unicode's word boundaries (UAX #29).
    Words,
    Tokens,
}

impl Length {
    pub fn new(settings: Settings<'_>) -> Result<Self> {
        let (min, max) = (settings.number("min"), settings.number("max"));
        if let (Some(min), Some(max)) = (min, max)
            && min > max
        {
            return Err(Error::usage(format!("`min` ({min}) is above `max` ({max}).")));
        }
        let unit = match settings.text("unit") {
            Some("words") => Unit::Words,
            Some("tokens") => Unit::Tokens,
            _ => Unit::Characters,
        };
        Ok(Self { min, max, unit })
    }
}

impl Rule for Length {
    fn decide(&self, look: &Look<'_>) -> Finding {
        let text = look.text;
        let (count, about, unit) = match self.unit {
            Unit::Characters => (characters(text), false, "characters"),
            Unit::Words => (words(text), false, "words"),
            Unit::Tokens => match look.subject.tokens_out {
                Some(known) => (usize::try_from(known).unwrap_or(usize::MAX), false, "tokens"),
                None => (about_tokens(text), true, "tokens"),
            },
        };
        let about = if about { "About " } else { "" };
        let estimate = if about.is_empty() { "" } else { " (an estimate: the count is not known)" };
        let figure = count as f64;
        match (self.min.filter(|min| figure < *min), self.max.filter(|max| figure > *max)) {
            (Some(min), _) => Finding::of(false, format!("{about}{count} {unit}, below {min}{estimate}.")),
            (None, Some(max)) => {
                let why = format!("{about}{count} {unit}, above {max}{estimate}.");
                Finding::of(false, why).at(self.over(text, max))
            }
            (None, None) => Finding::of(true, format!("{about}{count} {unit}{estimate}.")),
        }
    }
}

impl Length {
    /// The text that is too much.
    fn over(&self, text: &str, max: f64) -> Option<std::ops::Range<usize>> {
        let most = max as usize;
        let from = match self.unit {
            Unit::Characters => text.grapheme_indices(true).nth(most)?.0,
            Unit::Words => text.unicode_word_indices().nth(most)?.0,
            Unit::Tokens => return None,
        };
        Some(from..text.len())
    }
}

fn characters(text: &str) -> usize {
    if text.is_ascii() {
        // CR LF is the one cluster of two that ASCII has.
        return text.len() - memchr::memmem::find_iter(text.as_bytes(), "\r\n").count();
    }
    text.graphemes(true).count()
}

fn words(text: &str) -> usize {
    if text.is_ascii() && memchr::memchr(b'_', text.as_bytes()).is_none() {
        return ascii_words(text.as_bytes());
    }
    text.unicode_words().count()
}

/// UAX #29 for ASCII without `_`: a word begins where a letter or digit follows something else, but for what
/// stands between two letters (`don't`) or two digits (`1,000`) and parts no word.
fn ascii_words(text: &[u8]) -> usize {
    /// No more than a byte can count, and a multiple of sixteen: the loop is then of so many bytes at a time.
    const PIECE: usize = 240;
    const LETTER: u8 = 1;
    const DIGIT: u8 = 2;
    // Of what joins two letters, and two digits, this many bits above theirs.
    const JOINS: u8 = 2;
    // Compared one by one: a `matches!` of these is a table look-up, byte after byte.
    let class = |byte: &u8| {
        let is = |one: u8| u8::from(*byte == one);
        let letter = u8::from((*byte | 0x20).wrapping_sub(b'a') < 26);
        let digit = u8::from(byte.wrapping_sub(b'0') < 10);
        let joins_both = is(b'\'') | is(b'.');
        let joins_letters = joins_both | is(b':');
        let joins_digits = joins_both | is(b',') | is(b';');
        letter * LETTER | digit * DIGIT | joins_letters * (LETTER << JOINS) | joins_digits * (DIGIT << JOINS)
    };
    let of_word = |class: u8| class & (LETTER | DIGIT) != 0;
    let classes: Vec<u8> = text.iter().map(class).collect();
    let (Some(first), Some(second)) = (classes.first(), classes.get(1..)) else { return 0 };
    let third = second.get(1..).unwrap_or_default();
    let begins = |(a, b): (&u8, &u8)| u8::from(!of_word(*a) & of_word(*b));
    let joins = |((a, mid), b): ((&u8, &u8), &u8)| u8::from(of_word(a & (mid >> JOINS) & b));
    let pairs = classes.chunks(PIECE).zip(second.chunks(PIECE));
    let begun = pairs.map(|(a, b)| usize::from(a.iter().zip(b).map(begins).sum::<u8>()));
    let triples = classes.chunks(PIECE).zip(second.chunks(PIECE)).zip(third.chunks(PIECE));
    let joined = triples.map(|((a, mid), b)| usize::from(a.iter().zip(mid).zip(b).map(joins).sum::<u8>()));
    usize::from(of_word(*first)) + begun.sum::<usize>() - joined.sum::<usize>()
}

/// A rule of thumb for today's tokenizers: four characters of ASCII a token, one of any other script.
fn about_tokens(text: &str) -> usize {
    let ascii = text.bytes().filter(u8::is_ascii).count();
    ascii.div_ceil(4) + text.chars().filter(|c| !c.is_ascii()).count()
}

/// The most that a figure of the request may be.
pub(super) struct Limit {
    most: f64,
    what: Figure,
    /// The limit in words, with so many decimals.
    said: Vec<String>,
}

#[derive(Clone, Copy, PartialEq)]
enum Figure {
    LatencyMs,
    CostUsd,
}

impl Limit {
    pub fn latency(settings: Settings<'_>) -> Result<Self> {
        Self::new(settings, "max_ms", Figure::LatencyMs)
    }

    pub fn cost(settings: Settings<'_>) -> Result<Self> {
        Self::new(settings, "max_usd", Figure::CostUsd)
    }

    fn new(settings: Settings<'_>, key: &str, what: Figure) -> Result<Self> {
        let most = settings.number(key).ok_or_else(|| Error::usage(format!("`{key}` is missing.")))?;
        let said = (0..=MONEY_DECIMALS).map(|decimals| what.said(most, decimals)).collect();
        Ok(Self { most, what, said })
    }
}

impl Figure {
    fn said(self, figure: f64, decimals: usize) -> String {
        match self {
            Self::LatencyMs => format!("{figure:.0} ms"),
            Self::CostUsd => dollars_to(figure, decimals),
        }
    }
}

impl Rule for Limit {
    fn decide(&self, look: &Look<'_>) -> Finding {
        let (figure, noun) = match self.what {
            Figure::LatencyMs => (look.subject.latency_ms, "latency"),
            Figure::CostUsd => (look.subject.cost_usd, "cost"),
        };
        let Some(figure) = figure.filter(|figure| figure.is_finite()) else {
            return Finding::error(format!("The {noun} is not known."));
        };
        // With the digits that tell the figure from its limit.
        let decimals = match self.what {
            Figure::LatencyMs => 0,
            Figure::CostUsd => money_decimals([figure, self.most, figure - self.most]),
        };
        let pass = figure <= self.most;
        let word = if pass { "at most" } else { "above" };
        let (said, most) = (self.what.said(figure, decimals), self.said.get(decimals));
        Finding::of(pass, format!("{said}, {word} {}.", most.map_or("", String::as_str)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn words_of_ascii_are_those_of_unicode(text in "([a-c0-2.,;:'_ \\n-]{0,40}|[ -~]{0,300}){0,3}") {
            prop_assert_eq!(words(&text), text.unicode_words().count());
        }
    }
}
