//! Figures beside their limits, as the benches print them.

use std::process::ExitCode;

/// A figure and what it is held against.
pub struct Figure {
    pub what: String,
    pub value: f64,
    pub unit: &'static str,
    /// The most that it may be.
    pub limit: f64,
    /// The same without the program.
    pub without: Vec<(&'static str, f64)>,
}

/// Prints the figures; a ratio below 1 is beyond the limit. The exit code says whether all are within.
pub fn show(title: &str, figures: &[Figure]) -> ExitCode {
    println!("{title}");
    println!("{:<52} {:>9} {:>9} {:>7}  without the program", "what", "measured", "limit", "ratio");
    for figure in figures {
        let Figure { what, value, unit, limit, without } = figure;
        let without: Vec<String> =
            without.iter().map(|(name, value)| format!("{value:.2} {unit} {name}")).collect();
        let verdict = if value <= limit { "" } else { "  BEYOND THE LIMIT" };
        let limit_text = if limit.fract() == 0.0 { format!("{limit:.0}") } else { format!("{limit:.2}") };
        println!(
            "{what:<52} {value:>6.2} {unit} {limit_text:>6} {unit} {:>7.2}  {}{verdict}",
            limit / value,
            without.join(", ")
        );
    }
    ExitCode::from(u8::from(figures.iter().any(|figure| figure.value > figure.limit)))
}
