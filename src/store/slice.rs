//! What traffic is cut and told apart by, the names behind the ids, and when a model or a prompt version was
//! first seen.

use rusqlite::params;

use super::blocks::{Cell, Cells};
use super::names::NameKind;
use super::open::Store;
use super::rollup::{DebutKind, Key};
use super::sums::named;
use crate::domain::{Result, Untrusted};

/// What traffic is told apart by. Ids of names; 0 stands for none, and for what is not told apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slice {
    /// The feature.
    pub feature: i64,
    /// The model.
    pub model: i64,
    /// The prompt.
    pub prompt: i64,
    /// Its version.
    pub version: i64,
    /// The language.
    pub language: i64,
}

impl Slice {
    fn get(&self, key: Key) -> i64 {
        match key {
            Key::Hour => 0,
            Key::Feature => self.feature,
            Key::Model => self.model,
            Key::Prompt => self.prompt,
            Key::Version => self.version,
            Key::Language => self.language,
        }
    }

    /// What is left of it where no more than this is told apart.
    pub fn at(&self, detail: Detail) -> Self {
        let mut slice = Self::default();
        for key in detail.keys() {
            slice.set(*key, self.get(*key));
        }
        slice
    }

    pub(super) fn set(&mut self, key: Key, id: i64) {
        *match key {
            Key::Hour => return,
            Key::Feature => &mut self.feature,
            Key::Model => &mut self.model,
            Key::Prompt => &mut self.prompt,
            Key::Version => &mut self.version,
            Key::Language => &mut self.language,
        } = id;
    }
}

/// Which traffic is meant: what has all of these names. Ids of names, 0 for traces that name none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cut {
    /// Of this feature.
    pub feature: Option<i64>,
    /// Answered by this model.
    pub model: Option<i64>,
    /// By this prompt.
    pub prompt: Option<i64>,
    /// By this version of it.
    pub version: Option<i64>,
    /// In this language.
    pub language: Option<i64>,
}

impl Cut {
    pub(super) fn wanted(&self) -> impl Iterator<Item = (Key, i64)> + use<> {
        [
            (Key::Feature, self.feature),
            (Key::Model, self.model),
            (Key::Prompt, self.prompt),
            (Key::Version, self.version),
            (Key::Language, self.language),
        ]
        .into_iter()
        .filter_map(|(key, id)| Some((key, id?)))
    }

    /// Whether it says no more than the feature.
    pub fn is_whole_feature(&self) -> bool {
        self.wanted().all(|(key, _)| key == Key::Feature)
    }

    /// Whether this traffic holds what has these names.
    pub fn holds_slice(&self, of: &Slice) -> bool {
        self.wanted().all(|(key, id)| of.get(key) == id)
    }

    pub(super) fn holds(&self, cells: &Cells) -> bool {
        self.wanted().all(|(key, id)| cell(key).is_none_or(|cell| cells.name(cell) == id))
    }
}

impl From<Option<i64>> for Cut {
    /// The traffic of a feature, or all.
    fn from(feature: Option<i64>) -> Self {
        Self { feature, ..Self::default() }
    }
}

/// The column of a trace that a key is made of.
pub(super) fn cell(key: Key) -> Option<Cell> {
    match key {
        Key::Hour => None,
        Key::Feature => Some(Cell::Feature),
        Key::Model => Some(Cell::Model),
        Key::Prompt => Some(Cell::Prompt),
        Key::Version => Some(Cell::Version),
        Key::Language => Some(Cell::Language),
    }
}

/// What hourly figures are told apart by; a slice says no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// By prompt version.
    Versions,
    /// By feature.
    Features,
    /// By model.
    Models,
    /// By language.
    Languages,
    /// Not at all.
    Whole,
}

impl Detail {
    pub(super) fn keys(self) -> &'static [Key] {
        match self {
            Self::Versions => &[Key::Prompt, Key::Version],
            Self::Features => &[Key::Feature],
            Self::Models => &[Key::Model],
            Self::Languages => &[Key::Language],
            Self::Whole => &[],
        }
    }
}

/// A model or a prompt version that a feature first had in an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Debut {
    /// Which hour, as in [`HourSums`](super::HourSums).
    pub hour: i64,
    /// The feature, and the model or the prompt and its version.
    pub slice: Slice,
}

impl Store {
    /// The id of a name of this kind.
    pub fn name_id(&self, kind: NameKind, name: &str) -> Result<Option<i64>> {
        use rusqlite::OptionalExtension as _;
        self.read(|db| {
            db.query_row(
                "SELECT id FROM main.name WHERE kind = ? AND text = ?",
                params![kind as i64, name],
                |r| r.get(0),
            )
            .optional()
        })
    }

    /// The names of this kind that there are.
    pub fn names_of(&self, kind: NameKind) -> Result<Vec<String>> {
        self.read(|db| {
            db.prepare("SELECT text FROM main.name WHERE kind = ? ORDER BY text")?
                .query_map([kind as i64], |r| r.get(0))?
                .collect()
        })
    }

    /// The name with this id; `None` for 0.
    pub fn name_text(&self, id: i64) -> Result<Option<Untrusted>> {
        self.read(|db| self.0.names.column(db, named(id)))
    }

    /// The prompt and version of a slice.
    pub fn slice_names(&self, slice: Slice) -> Result<(Option<Untrusted>, Option<Untrusted>)> {
        Ok((self.name_text(slice.prompt)?, self.name_text(slice.version)?))
    }

    /// The models and prompt versions that a feature, or any, first had in these hours, both included, in the
    /// order of time. What a feature had within a day of its first is what it began with, and not among them.
    pub fn debuts(&self, cut: impl Into<Cut>, (from, to): (i64, i64)) -> Result<Vec<Debut>> {
        let feature = cut.into().feature;
        self.read(|db| {
            db.prepare_cached(
                "SELECT d.hour, d.feature, d.kind, d.a, d.b FROM main.debut d \
                 WHERE d.hour BETWEEN ?1 AND ?2 AND (?3 IS NULL OR d.feature = ?3) \
                 AND EXISTS (SELECT 1 FROM main.debut e \
                   WHERE e.feature = d.feature AND e.kind = d.kind AND e.hour < d.hour - 24) \
                 ORDER BY d.hour, d.kind DESC, d.feature, d.a, d.b",
            )?
            .query_map(params![from, to, feature], |r| {
                let (kind, a, b): (i64, i64, i64) = (r.get(2)?, r.get(3)?, r.get(4)?);
                let slice = Slice { feature: r.get(1)?, ..Slice::default() };
                let slice = if kind == DebutKind::Model as i64 {
                    Slice { model: a, ..slice }
                } else {
                    Slice { prompt: a, version: b, ..slice }
                };
                Ok(Debut { hour: r.get(0)?, slice })
            })?
            .collect()
        })
    }
}
