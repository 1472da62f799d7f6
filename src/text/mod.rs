//! Hostile text made safe, and text made readable.
//!
//! [`Untrusted`](crate::domain::Untrusted) → [`clean`] → [`Clean`]: nothing else reaches a terminal.
//! Plain styled lines come out of here; this room does not know ratatui.

mod clean;

pub use clean::{Clean, clean, clean_str};
