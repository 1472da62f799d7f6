//! Hostile text made safe, and text made readable.
//!
//! [`Untrusted`](crate::domain::Untrusted) → [`clean()`] → [`Clean`]: nothing else reaches a terminal.
//! Plain styled [`Line`]s come out of here, with meanings ([`Role`]) and no colours; this room does not
//! know ratatui. A new kind of text gets a file that gives `Vec<Line>` for a number of columns.

mod chars;
mod clean;
mod diff;
pub mod embedding;
pub mod figures;
mod find;
mod json;
pub mod json_out;
mod language;
mod line;
mod markdown;
mod readable;
#[cfg(test)]
mod tests;
mod width;

pub use clean::{Clean, clean, clean_line, clean_str};
pub use diff::{WordChange, diff, side_by_side, word_diff};
pub use find::{Hit, count, find, mark};
pub use json::{JsonPiece, json, json_piece, json_pieces, json_text};
pub use language::{detect_language, languages, trace_language};
pub use line::{Line, Role, Span, Style};
pub use markdown::{markdown, markdown_html};
pub use readable::readable;
pub use width::{pad, pad_left, truncate, truncate_line, width, wrap, wrap_line};
