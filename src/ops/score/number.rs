//! `number`: the number in the answer is the expected one, within a tolerance.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::json::pointer;
use super::look::{Finding, Look, Rule, Settings};
use crate::domain::Result;

/// Compares with a number of the check's own, or with the one in what the case expects.
pub(super) struct Number {
    value: Option<f64>,
    pointer: Option<String>,
    /// As it is.
    tolerance: f64,
    /// A share of the expected number.
    relative: f64,
}

/// A number and where it stands in the text.
type Found = (f64, Option<Range<usize>>);

impl Number {
    pub fn new(settings: Settings<'_>) -> Result<Self> {
        Ok(Self {
            value: settings.number("value"),
            pointer: settings.text("pointer").map(|text| pointer(text).map(str::to_owned)).transpose()?,
            tolerance: settings.number("tolerance").unwrap_or(0.0),
            relative: settings.number("relative").unwrap_or(0.0),
        })
    }

    /// The number of an answer. `Err`: why it cannot be told, and whether that is the answer's fault.
    fn of(&self, text: &str, json: Option<&Value>) -> std::result::Result<Found, (bool, String)> {
        if let Some(at) = &self.pointer {
            let Some(json) = json else { return Err((true, "is not JSON".into())) };
            let found = json.pointer(at).and_then(|value| match value {
                Value::String(text) => text.trim().parse().ok(),
                value => value.as_f64(),
            });
            return found.map(|n| (n, None)).ok_or_else(|| (true, format!("has no number at {at}")));
        }
        let all = numbers(text);
        match all.as_slice() {
            [] => Err((true, "holds no number".into())),
            [(first, place), rest @ ..] if rest.iter().all(|(n, _)| n == first) => {
                Ok((*first, Some(place.clone())))
            }
            all => {
                Err((false, format!("holds {} different numbers; name the one with `pointer`", all.len())))
            }
        }
    }
}

impl Rule for Number {
    fn decide(&self, look: &Look<'_>) -> Finding {
        let expected = match (self.value, look.expected_output()) {
            (Some(value), _) => value,
            (None, None) => return Finding::error("There is no expected number to compare with."),
            (None, Some(text)) => {
                let json = serde_json::from_str(text).ok();
                // What is expected may be the bare number where the answer is an object.
                let bare = text.trim().parse().ok().map(|n: f64| (n, None));
                match bare.map_or_else(|| self.of(text, json.as_ref()), Ok) {
                    Ok((value, _)) => value,
                    Err((_, why)) => return Finding::error(format!("The expected answer {why}.")),
                }
            }
        };
        let (value, span) = match self.of(look.text, look.json().ok()) {
            Ok(found) => found,
            Err((true, why)) => return Finding::of(false, format!("The answer {why}.")),
            Err((false, why)) => return Finding::error(format!("The answer {why}.")),
        };
        let allowed = self.tolerance.max(self.relative * expected.abs());
        // Decimal fractions are not exact in binary: 0.3 is within 0.1 of 0.2.
        let slack = 4.0 * f64::EPSILON * value.abs().max(expected.abs());
        let off = (value - expected).abs();
        let pass = off <= allowed + slack;
        let word = if pass { "within" } else { "not within" };
        Finding::of(pass, format!("{value} is {word} {allowed} of {expected}.")).at(span)
    }
}

/// The numbers of a text, with thousands commas and a Unicode minus too. Digits inside of a word (`v4`) are
/// none.
fn numbers(text: &str) -> Vec<(f64, Range<usize>)> {
    static NUMBER: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"[-+−]?(?:[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
            .ok()
    });
    let Some(number) = NUMBER.as_ref() else { return Vec::new() };
    let found = number.find_iter(text).filter_map(|hit| {
        let before = text[..hit.start()].chars().next_back();
        let digits = hit.as_str().trim_start_matches(['-', '+', '−']);
        // A sign behind a letter or digit is a dash: `12-34`.
        let signed = digits.len() < hit.len();
        if !signed && before.is_some_and(char::is_alphabetic) {
            return None;
        }
        let dash = signed && before.is_some_and(char::is_alphanumeric);
        let negative = !dash && !hit.as_str().starts_with(digits) && !hit.as_str().starts_with('+');
        let value: f64 = digits.replace(',', "").parse().ok()?;
        let start = if dash { hit.end() - digits.len() } else { hit.start() };
        Some((if negative { -value } else { value }, start..hit.end()))
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_people_write_them() {
        let all = |text: &str| numbers(text).into_iter().map(|(n, _)| n).collect::<Vec<_>>();
        assert_eq!(all("It is $1,234.50."), [1234.5]);
        assert_eq!(all("−3 to +4, 1e3, .5"), [-3.0, 4.0, 1000.0, 0.5]);
        assert_eq!(all("10-12, prompt v4, x2"), [10.0, 12.0]);
        assert_eq!(all("none"), [0.0; 0]);
    }
}
