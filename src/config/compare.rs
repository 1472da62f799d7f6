//! `[compare]`: what must hold of a candidate.

use toml::Spanned;
use toml::de::DeValue;

use super::file::{Reader, kind};
use crate::domain::Result;
use crate::ops::compare::{Need, Thresholds};

const KEYS: &[&str] = &[
    "min_pass_rate",
    "max_regression",
    "max_cost_increase",
    "max_cost_usd",
    "max_p95_ms",
    "max_criterion_drop",
    "max_error_rate",
    "min_cases",
    "need",
];

/// Reads the table; what it leaves out keeps its default.
pub(super) fn read(reader: &Reader<'_>, value: &Spanned<DeValue<'_>>) -> Result<Thresholds> {
    let mut thresholds = Thresholds::default();
    for (key, value) in reader.table(value)? {
        let share = || number(reader, value, 0.0, 1.0, "a share from 0 to 1, as in 0.9,");
        let amount = || number(reader, value, 0.0, f64::INFINITY, "a number from 0 up");
        match key.get_ref().as_ref() {
            "min_pass_rate" => thresholds.min_pass_rate = share()?,
            "max_regression" => thresholds.max_regression = share()?,
            "max_error_rate" => thresholds.max_error_rate = share()?,
            "max_cost_increase" => thresholds.max_cost_increase = amount()?,
            "max_cost_usd" => thresholds.max_cost_usd = Some(amount()?),
            "max_p95_ms" => thresholds.max_p95_ms = amount()?,
            "max_criterion_drop" => thresholds.max_criterion_drop = amount()?,
            "min_cases" => thresholds.min_cases = whole(reader, value)?,
            "need" => {
                thresholds.need = match reader.text(value)?.as_str() {
                    "point" => Need::Point,
                    "proven" => Need::Proven,
                    other => {
                        let words = ["point", "proven"];
                        return Err(reader.unknown(value.span(), other, "need", words.into_iter()));
                    }
                }
            }
            other => return Err(reader.unknown(key.span(), other, "key", KEYS.iter().copied())),
        }
    }
    Ok(thresholds)
}

fn number(
    reader: &Reader<'_>,
    value: &Spanned<DeValue<'_>>,
    least: f64,
    most: f64,
    what: &str,
) -> Result<f64> {
    let text = match value.get_ref() {
        DeValue::Integer(n) => n.to_string(),
        DeValue::Float(n) => n.to_string(),
        other => {
            return Err(reader.wrong(value.span(), format!("{what} belongs here, not {}.", kind(other))));
        }
    };
    let number = text.replace('_', "").parse::<f64>().ok();
    number
        .filter(|number| (least..=most).contains(number))
        .ok_or_else(|| reader.wrong(value.span(), format!("{what} belongs here, not {text}.")))
}

fn whole(reader: &Reader<'_>, value: &Spanned<DeValue<'_>>) -> Result<u64> {
    let n = number(reader, value, 1.0, 1e9, "a whole number from 1 up")?;
    if n.fract() == 0.0 {
        return Ok(n as u64);
    }
    Err(reader.wrong(value.span(), format!("a whole number from 1 up belongs here, not {n}.")))
}
