//! A time as people write it.

/// The longest: a year.
const LONGEST_MS: i64 = 52 * 7 * 86_400_000;

/// Milliseconds of `30m`, `24h`, `28d`, `4w`; `None` for anything else, none, or more than a year.
pub fn span_ms(text: &str) -> Option<i64> {
    let (number, unit) = text.split_at(text.len() - text.chars().last()?.len_utf8());
    let each = match unit {
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        "w" => 7 * 86_400_000,
        _ => return None,
    };
    let ms = number.parse::<i64>().ok()?.checked_mul(each)?;
    (1..=LONGEST_MS).contains(&ms).then_some(ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        assert_eq!(span_ms("90m"), Some(90 * 60_000));
        assert_eq!(span_ms("4w"), Some(28 * 86_400_000));
        for wrong in ["", "m", "2", "2x", "0h", "-1h", "1.5h", "60w", "9999999999999w", "2時"] {
            assert_eq!(span_ms(wrong), None, "{wrong}");
        }
    }
}
