//! Short ways to put our own words and figures into lines. What is given as `&str` is cleaned.

use crate::domain::query::failure_word;
use crate::domain::{FailureKind, Untrusted};
use crate::text::{Line, Role, Span, Style, clean_line};

/// Text that others wrote, on one line.
pub fn one_line(text: &Untrusted) -> String {
    clean_line(text.raw()).into_string()
}

/// The words for a failure: `rate limit`.
pub fn failure(kind: Option<FailureKind>) -> String {
    kind.map_or_else(|| "error".to_owned(), |kind| failure_word(kind).replace('_', " "))
}

/// One run of words.
pub fn span(role: impl Into<Style>, words: impl AsRef<str>) -> Span {
    Span::new(clean_line(words.as_ref()), role)
}

/// A line in one role.
pub fn line(role: impl Into<Style>, words: impl AsRef<str>) -> Line {
    Line::new(vec![span(role, words)])
}

/// Builds a line run by run: `words().muted("for ").plain(name)`.
pub fn words() -> Words {
    Words(Line::default())
}

/// A line being built.
#[derive(Debug, Clone, Default)]
pub struct Words(Line);

impl Words {
    /// Adds a run.
    pub fn put(mut self, role: impl Into<Style>, words: impl AsRef<str>) -> Self {
        self.0.push(span(role, words));
        self
    }

    /// Adds plain words.
    pub fn plain(self, words: impl AsRef<str>) -> Self {
        self.put(Role::Plain, words)
    }

    /// Adds secondary words.
    pub fn muted(self, words: impl AsRef<str>) -> Self {
        self.put(Role::Muted, words)
    }

    /// Adds a key that can be pressed.
    pub fn key(self, words: impl AsRef<str>) -> Self {
        self.put(Role::Key, words)
    }

    /// Adds the runs of another line.
    pub fn line(mut self, line: &Line) -> Self {
        for span in &line.spans {
            self.0.push(span.clone());
        }
        self
    }

    /// Adds a run only if there is something to say.
    pub fn maybe(self, role: impl Into<Style>, words: Option<impl AsRef<str>>) -> Self {
        match words {
            Some(words) => self.put(role, words),
            None => self,
        }
    }

    /// Its width so far, in columns.
    pub fn width(&self) -> usize {
        self.0.width()
    }

    /// The line.
    pub fn done(self) -> Line {
        self.0
    }
}

impl From<Words> for Line {
    fn from(words: Words) -> Line {
        words.0
    }
}
