//! `regex`: a pattern that an answer must, or must not, match.

use regex::Regex;

use super::look::{Finding, Look, Rule, Settings, quoted};
use crate::domain::{Error, Result};

/// A pattern in the syntax of the `regex` crate: time grows with the text and no faster.
pub(super) struct Pattern {
    pattern: Regex,
    absent: bool,
    without: String,
}

impl Pattern {
    pub fn new(settings: Settings<'_>) -> Result<Self> {
        let pattern = settings.text("pattern").unwrap_or_default();
        let compiled = Regex::new(pattern).map_err(|e| {
            let wrong = Error::usage(format!("The pattern {} is not a regular expression.", quoted(pattern)));
            wrong.because(e)
        })?;
        let without = format!("Does not match {}.", quoted(pattern));
        Ok(Self { pattern: compiled, absent: settings.yes("absent").unwrap_or(false), without })
    }
}

impl Rule for Pattern {
    fn decide(&self, look: &Look<'_>) -> Finding {
        let Some(hit) = self.pattern.find(look.text) else {
            return Finding::of(self.absent, self.without.clone());
        };
        let not = if self.absent { ", which must not be there" } else { "" };
        let why = format!("{} matches{not}.", quoted(hit.as_str()));
        Finding::of(!self.absent, why).at(Some(hit.range()))
    }
}
