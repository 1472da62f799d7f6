//! Figures as people read them; both faces write them with these.
//!
//! A figure that stands alone picks its digits; figures that stand in a column are given theirs (the
//! `…_to` forms), or are lined up with [`on_point`]. What is not known (NaN, infinite) is `—`.

use jiff::{Timestamp, tz::TimeZone};

/// What stands for a figure that is not known.
pub const UNKNOWN: &str = "—";

/// `18,204`.
pub fn thousands(n: i64) -> String {
    let digits = n.unsigned_abs().to_string();
    let mut out = String::from(if n < 0 { "−" } else { "" });
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1,204.50`: with this many decimals.
pub fn fixed(value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return UNKNOWN.to_owned();
    }
    let text = format!("{:.decimals$}", value.abs());
    let (whole, fraction) = text.split_at(text.find('.').unwrap_or(text.len()));
    // A figure that rounds to nothing has no sign.
    let minus = if value < 0.0 && text.contains(|c: char| ('1'..='9').contains(&c)) { "−" } else { "" };
    // Beyond the integers the thousands are of no help to anybody.
    let whole = whole.parse().map_or_else(|_| whole.to_owned(), thousands);
    format!("{minus}{whole}{fraction}")
}

/// `+2.8`, `−0.4`, `0.0`: a change.
pub fn signed(value: f64, decimals: usize) -> String {
    let text = fixed(value, decimals);
    let positive = value > 0.0 && text.contains(|c: char| ('1'..='9').contains(&c));
    if positive { format!("+{text}") } else { text }
}

/// `0.8 %` of a share between 0 and 1: one decimal, none from 99.95 % of the way to whole.
pub fn percent(share: f64) -> String {
    percent_to(share, if share == 0.0 || share == 1.0 { 0 } else { 1 })
}

/// A share with the ends of its interval, where it has one: `53.8 % [29.1, 76.8]`.
pub fn share_within(share: f64, interval: Option<[f64; 2]>) -> String {
    let ends = interval.map_or_else(String::new, |[lower, upper]| format!(" {}", ends(lower, upper)));
    percent(share) + &ends
}

/// `[80.3, 82.1]`: the ends of the interval of a share, in per cent.
pub fn ends(lower: f64, upper: f64) -> String {
    format!("[{}, {}]", fixed(lower * 100.0, 1), fixed(upper * 100.0, 1))
}

/// `81 %`, `0.80 %`: of a share between 0 and 1, with this many decimals. A share that is not nought
/// never reads as `0`, nor one that is not whole as `100`.
pub fn percent_to(share: f64, decimals: usize) -> String {
    if !share.is_finite() {
        return UNKNOWN.to_owned();
    }
    let step = 10f64.powi(-i32::try_from(decimals).unwrap_or(9));
    let value = share * 100.0;
    if value > 0.0 && value < step / 2.0 {
        return format!("<{} %", fixed(step, decimals));
    }
    if value < 100.0 && value > 100.0 - step / 2.0 {
        return format!(">{} %", fixed(100.0 - step, decimals));
    }
    format!("{} %", fixed(value, decimals))
}

/// `$0.0031`, `$1.24`, `$18,204`, `$0.000020`: with as many digits as tell something. A sum that is not
/// nought never reads as nought.
pub fn dollars(usd: f64) -> String {
    let decimals = match usd.abs() {
        0.0 => 2,
        a if a >= 1_000.0 => 0,
        a if a >= 0.1 => 2,
        _ => money_decimals([usd]),
    };
    dollars_to(usd, decimals)
}

/// The decimals with which sums that stand beside each other keep two digits each that tell something: at
/// least four, for a sum of a request is mostly small.
pub fn money_decimals(usd: impl IntoIterator<Item = f64>) -> usize {
    let known = usd.into_iter().map(f64::abs).filter(|usd| *usd > 0.0 && usd.is_finite());
    let least = known.fold(f64::INFINITY, f64::min);
    if least.is_infinite() {
        return 4;
    }
    // The place of the first digit that is not nought, and one more.
    ((1.0 - least.log10().floor()) as usize).clamp(4, MONEY_DECIMALS)
}

/// Decimals of a sum at most: a token of the cheapest model costs more than a billionth of a dollar.
pub const MONEY_DECIMALS: usize = 9;

/// `$0.0200`: with this many decimals.
pub fn dollars_to(usd: f64, decimals: usize) -> String {
    let text = fixed(usd, decimals);
    if usd != 0.0 && decimals >= MONEY_DECIMALS && !text.contains(|c: char| ('1'..='9').contains(&c)) {
        return format!("<${:.decimals$}", 10f64.powi(-(decimals as i32)));
    }
    match text.strip_prefix('−') {
        _ if !usd.is_finite() => text,
        Some(positive) => format!("−${positive}"),
        None => format!("${text}"),
    }
}

/// `890 ms`, `1.8 s`, `42 s`, `3 min`, `2 h 5 min`, `4 d 2 h`: a duration in milliseconds.
pub fn duration(ms: f64) -> String {
    if !ms.is_finite() {
        return UNKNOWN.to_owned();
    }
    let (minus, ms) = if ms < 0.0 { ("−", -ms) } else { ("", ms) };
    let two = |big: i64, unit: &str, small: i64, small_unit: &str| match small {
        0 => format!("{} {unit}", thousands(big)),
        _ => format!("{} {unit} {small} {small_unit}", thousands(big)),
    };
    let minutes = (ms / 60_000.0).round() as i64;
    let hours = (ms / 3_600_000.0).round() as i64;
    let text = match ms {
        _ if ms < 999.5 => format!("{ms:.0} ms"),
        _ if ms < 9_950.0 => format!("{:.1} s", ms / 1000.0),
        _ if ms < 59_500.0 => format!("{:.0} s", ms / 1000.0),
        _ if minutes < 60 => format!("{minutes} min"),
        _ if hours < 48 => two(minutes / 60, "h", minutes % 60, "min"),
        _ => two(hours / 24, "d", hours % 24, "h"),
    };
    format!("{minus}{text}")
}

/// `1.84 s`: milliseconds as seconds with this many decimals, for columns.
pub fn seconds_to(ms: f64, decimals: usize) -> String {
    if ms.is_finite() { format!("{} s", fixed(ms / 1000.0, decimals)) } else { UNKNOWN.to_owned() }
}

/// `512 B`, `1.4 MB`, `23 GB`: a size in bytes, by thousands.
pub fn size(bytes: u64) -> String {
    let mut value = bytes as f64;
    if value < 999.5 {
        return format!("{bytes} B");
    }
    let mut unit = "B";
    for next in ["kB", "MB", "GB", "TB", "PB", "EB"] {
        if value < 999.5 {
            break;
        }
        value /= 1000.0;
        unit = next;
    }
    let decimals = usize::from(value < 9.95);
    format!("{value:.decimals$} {unit}")
}

/// `just now`, `40 s ago`, `3 min ago`, `2 h ago`, `5 d ago`, `in 2 h`; times in ms since the epoch.
pub fn relative(then_ms: i64, now_ms: i64) -> String {
    let distance = i128::from(now_ms) - i128::from(then_ms);
    let seconds = distance.unsigned_abs() / 1000;
    let amount = match seconds {
        0..5 => return "just now".to_owned(),
        5..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", thousands(i64::try_from(seconds / 86_400).unwrap_or(i64::MAX))),
    };
    if distance < 0 { format!("in {amount}") } else { format!("{amount} ago") }
}

/// `09:31`: the time of day.
pub fn clock(ms: i64, zone: &TimeZone) -> String {
    shown(ms, zone, "%H:%M")
}

/// `Tue 09:31`: day of the week and time of day.
pub fn day_clock(ms: i64, zone: &TimeZone) -> String {
    shown(ms, zone, "%a %H:%M")
}

/// `2026-11-24 09:31`: for tables and files.
pub fn date_clock(ms: i64, zone: &TimeZone) -> String {
    shown(ms, zone, "%Y-%m-%d %H:%M")
}

/// `2026-11-24`.
pub fn date(ms: i64, zone: &TimeZone) -> String {
    shown(ms, zone, "%Y-%m-%d")
}

/// The shortest form that is clear beside `now_ms`: `09:31` today, `Tue 09:31` within six days,
/// `24 Nov 09:31` within the year, else `2025-11-24`.
pub fn when(ms: i64, now_ms: i64, zone: &TimeZone) -> String {
    let (Ok(then), Ok(now)) = (Timestamp::from_millisecond(ms), Timestamp::from_millisecond(now_ms)) else {
        return UNKNOWN.to_owned();
    };
    let (then, now) = (then.to_zoned_datetime(zone.clone()), now.to_zoned_datetime(zone.clone()));
    let day = 86_400_000;
    if then.date() == now.date() {
        clock(ms, zone)
    } else if ms < now_ms && now_ms - ms < 6 * day {
        day_clock(ms, zone)
    } else if (now_ms - ms).abs() < 180 * day {
        shown(ms, zone, "%-d %b %H:%M")
    } else {
        date(ms, zone)
    }
}

fn shown(ms: i64, zone: &TimeZone, form: &str) -> String {
    match Timestamp::from_millisecond(ms) {
        Ok(time) => time.to_zoned_datetime(zone.clone()).strftime(form).to_string(),
        Err(_) => UNKNOWN.to_owned(),
    }
}

/// Figures of a row of time slots as `▁▂▃▄▅▆▇█`, from nought (or the least, if that is negative) to the
/// greatest; a slot without a figure (NaN) is a space.
pub fn sparkline(values: &[f64]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let known = || values.iter().copied().filter(|v| v.is_finite());
    let (low, high) = (known().fold(0.0, f64::min), known().fold(0.0, f64::max));
    values
        .iter()
        .map(|&value| match value {
            _ if !value.is_finite() => ' ',
            // Halved first: the span of two far figures may be beyond any figure.
            _ if high > low => {
                let height = (value / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0);
                BARS[((height * 7.0).round() as usize).min(7)]
            }
            _ => BARS[0],
        })
        .collect()
}

/// The figure at the top of an axis that goes to this at least: the least of 1, 1.6, 2, 3, 4, 5, 6, 8 and 10 times
/// a power of ten, half of which is a short figure too; 1 for nought.
pub fn axis_top(most: f64) -> f64 {
    if most <= 0.0 {
        return 1.0;
    }
    let power = 10f64.powf(most.log10().floor());
    let round = [1.0, 1.6, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0].map(|n| n * power);
    round.into_iter().find(|top| *top >= most).filter(|top| top.is_finite()).unwrap_or(most)
}

/// `1 trace`, `18,204 traces`.
pub fn plural(n: usize, one: &str) -> String {
    plural_of(n, one, &format!("{one}s"))
}

/// `1 query`, `2 queries`.
pub fn plural_of(n: usize, one: &str, many: &str) -> String {
    let word = if n == 1 { one } else { many };
    format!("{} {word}", thousands(i64::try_from(n).unwrap_or(i64::MAX)))
}

/// `a`, `a and b`, `a, b and c`.
pub fn list_of<T: AsRef<str>>(items: &[T], and: &str) -> String {
    match items {
        [] => String::new(),
        [only] => only.as_ref().to_owned(),
        [start @ .., last] => {
            let start: Vec<&str> = start.iter().map(AsRef::as_ref).collect();
            format!("{} {and} {}", start.join(", "), last.as_ref())
        }
    }
}

/// Fills the figures of a column with spaces on both sides, so that their decimal points stand under
/// each other and all are equally wide.
pub fn on_point<T: AsRef<str>>(figures: &[T]) -> Vec<String> {
    let cut: Vec<(&str, usize, usize)> = figures
        .iter()
        .map(|figure| {
            let text = figure.as_ref();
            let number = text.rfind(|c: char| c.is_ascii_digit()).map_or(text.len(), |at| at + 1);
            let point = text.find('.').filter(|at| *at < number).unwrap_or(number);
            (text, super::width(&text[..point]), super::width(&text[point..]))
        })
        .collect();
    let before = cut.iter().map(|(_, before, _)| *before).max().unwrap_or(0);
    let after = cut.iter().map(|(_, _, after)| *after).max().unwrap_or(0);
    cut.iter()
        .map(|(text, b, a)| format!("{}{text}{}", " ".repeat(before - b), " ".repeat(after - a)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(-18_204), "−18,204");
        assert_eq!(thousands(i64::MIN), "−9,223,372,036,854,775,808");
        assert_eq!(fixed(1204.5, 2), "1,204.50");
        assert_eq!(fixed(-0.01, 1), "0.0");
        assert_eq!(fixed(f64::NAN, 1), "—");
        assert_eq!(signed(2.81, 1), "+2.8");
        assert_eq!(signed(-0.4, 1), "−0.4");
        assert_eq!(signed(0.001, 1), "0.0");
        assert_eq!(plural(1, "trace"), "1 trace");
        assert_eq!(plural(18_204, "trace"), "18,204 traces");
        assert_eq!(list_of(&["a", "b", "c"], "and"), "a, b and c");
    }

    #[test]
    fn a_share_never_rounds_to_none_or_all() {
        assert_eq!(percent(0.008), "0.8 %");
        assert_eq!(percent(0.0), "0 %");
        assert_eq!(percent(1.0), "100 %");
        assert_eq!(percent(0.00001), "<0.1 %");
        assert_eq!(percent(0.99999), ">99.9 %");
        assert_eq!(percent_to(0.81, 0), "81 %");
        assert_eq!(percent(f64::NAN), "—");
    }

    #[test]
    fn money_and_time_keep_the_digits_that_tell_something() {
        assert_eq!(dollars(0.0031), "$0.0031");
        assert_eq!(dollars(1.239), "$1.24");
        assert_eq!(dollars(18_204.4), "$18,204");
        assert_eq!(dollars(0.0), "$0.00");
        assert_eq!(dollars(-0.5), "−$0.50");
        let small = [0.000_2, 0.000_15, 0.000_02, 2.3e-7, 3e-9, 1e-12].map(dollars);
        assert_eq!(
            small,
            ["$0.00020", "$0.00015", "$0.000020", "$0.00000023", "$0.000000003", "<$0.000000001"]
        );
        assert_eq!(
            [0.02, 0.000_02].map(|usd| dollars_to(usd, money_decimals([0.02, 0.000_02]))),
            ["$0.020000", "$0.000020"]
        );
        assert_eq!(money_decimals([0.0, f64::NAN]), 4);
        let shown: Vec<String> =
            [0.4, 890.0, 999.6, 1_840.0, 59_600.0, 180_000.0, 7_500_000.0, 3_599_999.0, 1.8e8]
                .map(duration)
                .to_vec();
        assert_eq!(
            shown,
            ["0 ms", "890 ms", "1.0 s", "1.8 s", "1 min", "3 min", "2 h 5 min", "1 h", "2 d 2 h"]
        );
        assert_eq!(seconds_to(1840.0, 2), "1.84 s");
        assert_eq!([512, 1_400, 999_600, 23_000_000_000].map(size), ["512 B", "1.4 kB", "1.0 MB", "23 GB"]);
    }

    #[test]
    fn times_are_told_in_the_zone_given() {
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        let tuesday = "2026-11-24T08:31:00Z".parse::<Timestamp>().unwrap().as_millisecond();
        assert_eq!(day_clock(tuesday, &zone), "Tue 09:31");
        assert_eq!(date_clock(tuesday, &zone), "2026-11-24 09:31");
        assert_eq!(when(tuesday, tuesday + 3_600_000, &zone), "09:31");
        assert_eq!(when(tuesday, tuesday + 2 * 86_400_000, &zone), "Tue 09:31");
        assert_eq!(when(tuesday, tuesday + 30 * 86_400_000, &zone), "24 Nov 09:31");
        assert_eq!(when(tuesday, tuesday + 400 * 86_400_000, &zone), "2026-11-24");
        assert_eq!(when(i64::MAX, tuesday, &zone), "—");
        assert_eq!(relative(tuesday, tuesday + 200_000), "3 min ago");
        assert_eq!(relative(tuesday, tuesday - 7_300_000), "in 2 h");
        assert_eq!(relative(i64::MIN, i64::MAX).chars().last(), Some('o'));
    }

    #[test]
    fn a_sparkline_leaves_gaps() {
        assert_eq!(sparkline(&[0.0, 3.5, f64::NAN, 7.0]), "▁▅ █");
        assert_eq!(sparkline(&[0.0, 0.0]), "▁▁");
        assert_eq!(sparkline(&[f64::MIN, f64::MAX]), "▁█");
        assert_eq!(sparkline(&[]), "");
    }

    #[test]
    fn the_top_of_an_axis_is_round_and_holds_all() {
        assert_eq!([0.0, 0.07, 1.0, 41.0, 5012.0].map(axis_top), [1.0, 0.08, 1.0, 50.0, 6000.0]);
        assert_eq!(axis_top(f64::MAX), f64::MAX);
    }

    #[test]
    fn a_column_lines_up_on_the_point() {
        assert_eq!(
            on_point(&["92.2 %", "1.21 s", "$0.0200", "8.1", "180"]),
            [" 92.2 % ", "  1.21 s", " $0.0200", "  8.1   ", "180     "].map(|s| s.to_owned())
        );
    }
}
