//! The rows, one file a screen or overlay family.

pub mod app;
pub mod evals;
pub mod features;
pub mod gate;
pub mod health;
pub mod incidents;
pub mod monitors;
pub mod overlays;
pub mod prompts;
pub mod review;
pub mod runs;
pub mod talk;
pub mod traces;

use super::{Id, Place, When};

/// One command.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its name, for configuration and scripts.
    pub id: Id,
    /// Two or three words, for the palette and the hint line.
    pub title: &'static str,
    /// One sentence, for the help.
    pub does: &'static str,
    /// Where it can be asked for.
    pub places: &'static [Place],
    /// When it makes sense there.
    pub when: When,
    /// The keys at first, most usual first; a person can set others.
    pub keys: &'static [&'static str],
    /// How early it stands in the hint line: 100 first, 0 not at all.
    pub hint: u8,
}

/// Declares constants for the ids of a file's rows and the rows themselves.
macro_rules! rows {
    ($($name:ident = $id:literal { $($field:ident: $value:expr),* $(,)? })*) => {
        $(pub const $name: $crate::command::Id = $crate::command::Id($id);)*
        /// This file's rows, in the order of the help.
        pub const ROWS: &[$crate::command::Row] = &[
            $($crate::command::Row { id: $name, $($field: $value),* }),*
        ];
    };
}
use rows;

/// Every row there is, in the order of the help.
pub fn all() -> impl Iterator<Item = &'static Row> {
    [
        app::ROWS,
        health::ROWS,
        traces::ROWS,
        review::ROWS,
        talk::ROWS,
        evals::ROWS,
        runs::ROWS,
        gate::ROWS,
        prompts::ROWS,
        features::ROWS,
        incidents::ROWS,
        monitors::ROWS,
        overlays::ROWS,
    ]
    .into_iter()
    .flatten()
}

/// The row of a command.
pub fn row(id: Id) -> &'static Row {
    all().find(|row| row.id == id).expect("ids are made by rows only")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_read_well() {
        let mut seen = std::collections::BTreeSet::new();
        for row in all() {
            assert!(seen.insert(row.id), "{:?} stands twice", row.id);
            assert!(row.does.ends_with('.') && row.does.len() <= 100, "{:?}: one short sentence", row.id);
            assert!(!row.title.ends_with('.') && row.title.len() <= 28, "{:?}: a few words", row.id);
            assert!(!row.places.is_empty(), "{:?} is nowhere", row.id);
        }
    }
}
