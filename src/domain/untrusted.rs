//! Text from outside, kept away from terminals by its type.

use serde::{Deserialize, Serialize};

/// Text that somebody else wrote: a prompt, a response, an id, a note, a file name.
///
/// It has no `Display` on purpose. `text::clean` is the only way to a printable form; [`raw`] is for
/// storing, hashing, comparing and for writing data files, never for a terminal.
///
/// [`raw`]: Untrusted::raw
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Untrusted(String);

impl Untrusted {
    /// Takes text as it came.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text as it came, control bytes and all.
    pub fn raw(&self) -> &str {
        &self.0
    }

    /// The text as it came, by value.
    pub fn into_raw(self) -> String {
        self.0
    }

    /// Whether there is no text at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl std::fmt::Debug for Untrusted {
    /// Escaped, so that a debug print is safe too.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Untrusted(\"{}\")", self.0.escape_default())
    }
}

impl From<String> for Untrusted {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Untrusted {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}
