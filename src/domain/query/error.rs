//! A mistake in a query: where, what, and what would have been right.

use std::ops::Range;

use unicode_width::UnicodeWidthChar;

use crate::domain::Error;

/// A mistake in a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryError {
    /// The query as typed.
    pub query: String,
    /// The wrong part, in bytes; empty at the end where something is missing.
    pub span: Range<usize>,
    /// What is wrong, without the final stop: `3x is not a duration`.
    pub what: String,
    /// What would have been right, as a sentence.
    pub hint: String,
}

impl QueryError {
    /// The query with carets under the wrong part, and what would have been right: three lines.
    /// Control characters and characters that move others are shown as `�`.
    pub fn render(&self) -> String {
        let start = width(self.query.get(..self.span.start).unwrap_or(""));
        let carets = width(self.query.get(self.span.clone()).unwrap_or("")).max(1);
        let shown: String = self.query.chars().map(visible).collect();
        format!(
            "  {shown}\n  {}{} {}\n  → {}",
            " ".repeat(start),
            "^".repeat(carets),
            self.what.chars().map(visible).collect::<String>(),
            self.hint.chars().map(visible).collect::<String>()
        )
    }
}

impl std::fmt::Display for QueryError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for QueryError {}

impl From<QueryError> for Error {
    fn from(error: QueryError) -> Self {
        Self::usage(format!("The query has a mistake.\n{}", error.render()))
    }
}

fn width(text: &str) -> usize {
    text.chars().map(|c| visible(c).width().unwrap_or(1)).sum()
}

/// The character, or a stand-in for one that would upset the line.
fn visible(c: char) -> char {
    let moves = matches!(c,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}'
        | '\u{61c}' | '\u{ad}' | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}');
    if c.is_control() || moves { '\u{fffd}' } else { c }
}

/// The candidate that a mistyped word most likely meant, if one is near.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Whoever typed a book meant no name; and comparing costs the product of the lengths.
    if word.len() > 200 {
        return None;
    }
    let word = word.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&word, &candidate.to_lowercase()), candidate))
        .filter(|(likeness, _)| *likeness >= 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}
