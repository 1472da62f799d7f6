//! Hostile text made safe, and text made readable.
//!
//! [`Untrusted`](crate::domain::Untrusted) → [`clean`] → [`Clean`]: nothing else reaches a terminal.
//! Plain styled [`Line`]s come out of here, with meanings ([`Role`]) and no colours; this room does not
//! know ratatui. A new kind of text gets a file that gives `Vec<Line>` for a number of columns.

mod chars;
mod clean;
pub mod figures;
pub mod json_out;
mod line;
#[cfg(test)]
mod tests;
mod width;

pub use clean::{Clean, clean, clean_line, clean_str};
pub use line::{Line, Role, Span, Style};
pub use width::{pad, pad_left, truncate, truncate_line, width, wrap, wrap_line};
