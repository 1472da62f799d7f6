//! The only place that prints. Whatever came from outside is cleaned here.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use crate::domain::Error;
use crate::text::clean_str;

/// Prints an error with its cause and the ways out, on standard error.
pub(super) fn error(error: &Error) {
    eprintln!("tuesday: {}", clean_str(&error.what));
    let mut cause = error.why.as_deref().map(|e| e as &dyn std::error::Error);
    while let Some(why) = cause {
        eprintln!("  because {}", clean_str(&why.to_string()));
        cause = why.source();
    }
    for hint in &error.hints {
        eprintln!("  → {}", clean_str(hint));
    }
}
