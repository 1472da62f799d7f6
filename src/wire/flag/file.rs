//! A flag in a file of the team's.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{Acted, Order, Reading, edit, text_of};
use crate::domain::switch::{FlagFile, Power};
use crate::domain::{Error, Result};
use crate::wire::write::new_file::replace;

/// The key of what is parked: the fallback that the file named.
const FALLBACK: &str = "fallback";

/// What becomes of a file.
pub(super) struct Change {
    pub path: PathBuf,
    pub text: String,
    /// In words, a line a step.
    pub lines: Vec<String>,
    /// What is taken out to be put back.
    pub parked: Option<Value>,
}

impl Change {
    /// Puts the text in the file's place, whole or not at all.
    pub fn write(self) -> Result<Acted> {
        replace(&self.path, &self.text).map_err(|e| {
            Error::failed(format!("The flag file {} cannot be written.", self.path.display()))
                .because(e)
                .hint("Give yourself permission to write there; nothing was changed.")
        })?;
        Ok(Acted::Done(format!("{} was written", self.path.display()), self.parked))
    }
}

/// An error of a file's text, with the file.
pub(super) fn of(path: &Path, error: Error) -> Error {
    let what = format!("The flag file {} cannot be used: {}", path.display(), error.what);
    Error { what, ..error }
}

pub(super) fn change(of_flag: &FlagFile, home: &Path, order: Order<'_>) -> Result<Change> {
    let path = home.join(&of_flag.path);
    let mut text = text_of(&path)?;
    let mut lines = Vec::new();
    let mut put = |place: &str, value: &Value| -> Result<Option<Value>> {
        let before = edit::get(&text, of_flag.format, place).map_err(|e| of(&path, e))?;
        text = edit::set(&text, of_flag.format, place, value).map_err(|e| of(&path, e))?;
        let was = before.as_ref().map_or_else(|| "nothing".to_owned(), ToString::to_string);
        lines.push(format!("{} {place}: {was} → {value}", of_flag.path.display()));
        Ok(before)
    };
    put(&of_flag.pointer, if order.to == Power::On { &of_flag.on } else { &of_flag.off })?;
    // Who answered before it was switched off: put back when it is switched on.
    let kept = order.parked.and_then(|parked| parked.get(FALLBACK));
    let parked = match (&of_flag.fallback_pointer, order.to, order.fallback, kept) {
        (Some(place), Power::Off, Some(fallback), kept) => {
            let before = put(place, &Value::from(fallback.word()))?;
            before.filter(|_| kept.is_none()).map(|before| json!({ FALLBACK: before }))
        }
        (Some(place), Power::On, _, Some(kept)) => {
            put(place, kept)?;
            None
        }
        _ => None,
    };
    Ok(Change { path, text, lines, parked })
}

pub(super) fn read(of_flag: &FlagFile, home: &Path) -> Result<Reading> {
    let path = home.join(&of_flag.path);
    let value = edit::get(&text_of(&path)?, of_flag.format, &of_flag.pointer).map_err(|e| of(&path, e))?;
    Ok(match value {
        Some(value) if value == of_flag.on => Reading::Is(Power::On),
        Some(value) if value == of_flag.off => Reading::Is(Power::Off),
        Some(other) => Reading::Unknown(format!("{other} stands at {}", of_flag.pointer)),
        None => {
            let what = format!("There is no {} in {}.", of_flag.pointer, path.display());
            return Err(
                Error::not_so(what).hint("Put the flag there, or name where it is: `pointer` of the switch.")
            );
        }
    })
}
