//! Values with units, read and printed: durations, money, counts, times.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::{NumberField, TimeBound};

/// What is wrong with a value, and what would have been right.
pub(super) type Wrong = (String, String);

/// More than any honest figure, and far from the end of the integers.
const MOST: u128 = 9_000_000_000_000_000;
/// The longest time ago: about 200 years.
const LONGEST_MS: i64 = 200 * 366 * 86_400_000;

const DURATION_UNITS: &[(&str, u128)] =
    &[("ms", 1_000), ("us", 1), ("µs", 1), ("s", 1_000_000), ("m", 60_000_000), ("", 1_000)];
const MONEY_UNITS: &[(&str, u128)] = &[("usd", 1_000_000_000), ("$", 1_000_000_000), ("", 1_000_000_000)];
const COUNT_UNITS: &[(&str, u128)] = &[("k", 1_000), ("", 1)];

impl NumberField {
    fn units(self) -> (&'static [(&'static str, u128)], &'static str, &'static str) {
        match self {
            Self::Latency | Self::Ttft => {
                (DURATION_UNITS, "a duration", "Write a number with a unit: 3s, 250ms or 2m.")
            }
            Self::Cost => (MONEY_UNITS, "an amount of money", "Write US dollars: $0.02 or 0.02."),
            Self::TokensIn | Self::TokensOut => {
                (COUNT_UNITS, "a number of tokens", "Write a whole number: 500 or 2k.")
            }
        }
    }

    /// Reads a figure into the field's base unit.
    pub(super) fn read(self, text: &str) -> Result<i64, Wrong> {
        let (units, noun, hint) = self.units();
        let wrong = || (format!("`{text}` is not {noun}"), hint.to_owned());
        let lower = text.trim().to_lowercase();
        let bare = if self == Self::Cost { lower.trim_start_matches('$') } else { lower.as_str() };
        let (number, factor) = units
            .iter()
            .find_map(|(unit, factor)| bare.strip_suffix(unit).map(|number| (number.trim_end(), *factor)))
            .ok_or_else(wrong)?;
        let value = scaled(number, factor).ok_or_else(wrong)?;
        match i64::try_from(value) {
            Ok(fits) if value <= MOST => Ok(fits),
            _ => Err((format!("`{text}` is too large"), hint.to_owned())),
        }
    }

    /// Prints a figure so that [`read`](Self::read) gives it back.
    pub(super) fn print(self, value: i64) -> String {
        match self {
            Self::Latency | Self::Ttft => match value {
                0 => "0ms".to_owned(),
                v if v % 60_000_000 == 0 => format!("{}m", v / 60_000_000),
                v if v >= 1_000_000 => format!("{}s", shifted(v, 6)),
                v => format!("{}ms", shifted(v, 3)),
            },
            Self::Cost => format!("${}", shifted(value, 9)),
            Self::TokensIn | Self::TokensOut => value.to_string(),
        }
    }
}

/// Whether this is a plain decimal number >= 0: digits with at most one point; no exponent, no `inf`.
fn is_decimal(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        && text.bytes().any(|b| b.is_ascii_digit())
        && text.matches('.').count() <= 1
}

/// A decimal number times a factor, rounded. In integers, since a float would lose the last digit.
fn scaled(text: &str, factor: u128) -> Option<u128> {
    if !is_decimal(text) {
        return None;
    }
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let whole = whole.trim_start_matches('0');
    if whole.len() > 20 {
        return Some(u128::MAX);
    }
    let part = part.get(..part.len().min(15))?;
    let digits: u128 = format!("0{whole}{part}").parse().ok()?;
    let scale = 10_u128.pow(part.len() as u32);
    Some((digits * factor + scale / 2) / scale)
}

/// A whole number with the point moved left, without zeros at the end.
fn shifted(value: i64, places: usize) -> String {
    let scale = 10_i64.pow(places as u32);
    let (whole, part) = (value / scale, value % scale);
    if part == 0 {
        return whole.to_string();
    }
    let part = format!("{part:0places$}");
    format!("{whole}.{}", part.trim_end_matches('0'))
}

/// Reads a score: any finite number.
pub(super) fn read_score(text: &str) -> Result<f64, Wrong> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    match text.parse::<f64>().ok().filter(|v| is_decimal(unsigned) && v.is_finite()) {
        // Minus zero prints as another text than zero and means the same.
        Some(value) => Ok(if value == 0.0 { 0.0 } else { value }),
        None => Err((format!("`{text}` is not a number"), "Write a number such as 0.5 or 3.".to_owned())),
    }
}

const TIME_HINT: &str = "Write a duration back from now (7d, 24h, 30m), a day (2026-11-20, today, yesterday) or a time (2026-11-20T09:30Z).";

/// Reads a point in time.
pub(super) fn read_time(text: &str) -> Result<TimeBound, Wrong> {
    let wrong = |what: &str| (format!("`{text}` {what}"), TIME_HINT.to_owned());
    let lower = text.to_ascii_lowercase();
    match lower.as_str() {
        "now" => return Ok(TimeBound::Ago(0)),
        "today" => return Ok(TimeBound::Today),
        "yesterday" => return Ok(TimeBound::Yesterday),
        _ => {}
    }
    // `Date` would read the day of a longer text and drop the rest.
    if text.len() == 10 && text.is_ascii() && text.matches('-').count() == 2 {
        return text.parse::<Date>().map(TimeBound::Day).map_err(|_| wrong("is not a day of the calendar"));
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return at_millisecond(at).ok_or_else(|| wrong("is not a time"));
    }
    if text.contains(['T', 't', ' '])
        && text.contains(':')
        && let Ok(civil) = text.parse::<DateTime>()
    {
        return TimeZone::UTC
            .to_timestamp(civil)
            .ok()
            .and_then(at_millisecond)
            .ok_or_else(|| wrong("is not a time"));
    }
    if !lower.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(wrong("is not a time"));
    }
    match duration_ms(&lower) {
        Some(ms) if ms <= LONGEST_MS => Ok(TimeBound::Ago(ms)),
        Some(_) => Err(wrong("is too long ago")),
        None => Err(wrong("is not a time")),
    }
}

/// Stored times are whole milliseconds; finer ones are cut so that what is printed is what is meant.
fn at_millisecond(at: Timestamp) -> Option<TimeBound> {
    Timestamp::from_millisecond(at.as_millisecond()).ok().map(TimeBound::At)
}

/// Milliseconds of `7d`, `1h30m`, `2w`; saturates.
fn duration_ms(text: &str) -> Option<i64> {
    let mut total = 0_i64;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: i64 = if digits > 12 { i64::MAX } else { rest.get(..digits)?.parse().ok()? };
        rest = &rest[digits..];
        let letters = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let unit = match &rest[..letters] {
            "ms" => 1,
            "s" => 1_000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "w" => 604_800_000,
            _ => return None,
        };
        total = total.saturating_add(number.saturating_mul(unit));
        rest = &rest[letters..];
    }
    Some(total)
}

/// Prints a point in time so that [`read_time`] gives it back.
pub(super) fn print_time(bound: TimeBound) -> String {
    match bound {
        TimeBound::Ago(0) => "now".to_owned(),
        TimeBound::Today => "today".to_owned(),
        TimeBound::Yesterday => "yesterday".to_owned(),
        TimeBound::Day(day) => day.to_string(),
        TimeBound::At(at) => at.to_string(),
        TimeBound::Ago(ms) => {
            let units = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];
            let (unit, size) = units.iter().find(|(_, size)| ms % size == 0).unwrap_or(&("ms", 1));
            format!("{}{unit}", ms / size)
        }
    }
}
