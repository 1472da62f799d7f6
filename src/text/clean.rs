//! The one door from outside text to a terminal.

use crate::domain::Untrusted;

/// Text that may be printed: no control bytes, no escape sequences, no bidi overrides.
/// Line breaks (`\n`) are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Clean(String);

impl Clean {
    /// The safe text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Clean {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.0)
    }
}

/// Makes outside text printable.
pub fn clean(text: &Untrusted) -> Clean {
    clean_str(text.raw())
}

/// Makes any text printable; for text that is not typed as [`Untrusted`], such as error messages.
pub fn clean_str(text: &str) -> Clean {
    Clean(text.chars().map(|c| if c == '\n' || !c.is_control() { c } else { '\u{fffd}' }).collect())
}
