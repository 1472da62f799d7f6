//! `tuesday.toml`, read strictly: what it does not know is refused with its place and the nearest name.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::colour::{Colour, MEANINGS, colour_names};
use super::{Origin, Set, ThemeChoice};
use crate::command::{Keymap, nearest, parse_keys, table};
use crate::domain::monitor::Monitors;
use crate::domain::prompt::FeatureSpec;
use crate::domain::{Error, EvalConfig, JudgeSample, Result};
use crate::ops::compare::Thresholds;
use crate::text::{Fallback, Role};

const KEYS: &[&str] = &[
    "store",
    "reviewer",
    "evals_dir",
    "runbook",
    "incidents",
    "theme",
    "editor",
    "keys",
    "colors",
    "targets",
    "prices",
    "judge",
    "prompts_dir",
    "gates_dir",
    "evaluator",
    "embedders",
    "similarity_threshold",
    "compare",
    "monitors",
    "monitor",
    "notify",
    "features",
    "judge_sample",
    "fallback",
];

/// What the file says.
#[derive(Debug, Default)]
pub struct FileConfig {
    pub store: Option<Set<PathBuf>>,
    pub reviewer: Option<Set<String>>,
    pub evals_dir: Option<Set<PathBuf>>,
    pub runbook: Option<Set<PathBuf>>,
    /// Whether runbooks with a step through a shell are refused.
    pub strict: bool,
    pub theme: Option<Set<ThemeChoice>>,
    pub editor: Option<Set<String>>,
    pub keymap: Keymap,
    pub colours: Vec<(Role, Colour)>,
    pub evaluation: EvalConfig,
    pub thresholds: Thresholds,
    /// Where `prompts_dir` of the evaluation stands.
    pub prompts_from: Option<Origin>,
    /// Where its `judge` stands.
    pub judge_from: Option<Origin>,
    pub monitors: Monitors,
    pub judge_sample: Option<JudgeSample>,
    pub fallback: Fallback,
    pub features: Vec<FeatureSpec>,
}

/// A file while it is read: knows how to name a place in it.
pub(super) struct Reader<'a> {
    name: String,
    text: &'a str,
}

/// Reads the file.
pub fn read(path: &Path) -> Result<FileConfig> {
    let text = std::fs::read_to_string(path).map_err(|e| {
        Error::usage(format!("The configuration {} cannot be read.", path.display())).because(e)
    })?;
    parse(&path.display().to_string(), &text)
}

/// Reads the file's text.
pub fn parse(name: &str, text: &str) -> Result<FileConfig> {
    let reader = Reader { name: name.to_owned(), text };
    let table = DeTable::parse(text).map_err(|e| reader.wrong(e.span().unwrap_or(0..0), e.message()))?;
    let mut config = FileConfig::default();
    let (mut judge, mut judge_sample) = (None, None);
    let mut monitoring = super::monitors::Parts::default();
    for (key, value) in table.get_ref() {
        let at = || Origin::File { line: reader.place(&key.span()).0 };
        match key.get_ref().as_ref() {
            "store" => config.store = Some(Set::new(reader.text(value)?.into(), at())),
            "reviewer" => config.reviewer = Some(Set::new(reader.text(value)?, at())),
            "evals_dir" => config.evals_dir = Some(Set::new(reader.text(value)?.into(), at())),
            "runbook" => config.runbook = Some(Set::new(reader.text(value)?.into(), at())),
            "incidents" => config.strict = reader.incidents(value)?,
            "editor" => config.editor = Some(Set::new(reader.text(value)?, at())),
            "theme" => config.theme = Some(Set::new(reader.theme(value)?, at())),
            "keys" => config.keymap = reader.keymap(value)?,
            "colors" => config.colours = reader.colours(value)?,
            "targets" => {
                config.evaluation.targets = reader.targets(value)?;
                config.evaluation.target_lines = reader.target_lines(value)?;
            }
            "prices" => config.evaluation.prices = reader.prices(value)?,
            "prompts_dir" => {
                config.evaluation.prompts_dir = reader.text(value)?.into();
                config.prompts_from = Some(at());
            }
            "judge" => {
                judge = Some(value);
                config.judge_from = Some(at());
            }
            "gates_dir" => config.evaluation.gates_dir = reader.text(value)?.into(),
            "evaluator" => config.evaluation.evaluators = reader.evaluators(value)?,
            "embedders" => config.evaluation.embedders = reader.embedders(value)?,
            "similarity_threshold" => {
                config.evaluation.similarity_threshold = Some(reader.share(value)?);
            }
            "features" => config.features = reader.features(value)?,
            "compare" => config.thresholds = super::compare::read(&reader, value)?,
            "fallback" => config.fallback = reader.fallback(value)?,
            "judge_sample" => judge_sample = Some(value),
            "monitors" => monitoring.monitors = Some(value),
            "monitor" => monitoring.monitor = Some(value),
            "notify" => monitoring.notify = Some(value),
            other => return Err(reader.unknown(key.span(), other, "key", KEYS.iter().copied())),
        }
    }
    config.monitors = reader.monitoring(&monitoring)?;
    // It names evaluators, wherever in the file they stand.
    if let Some(value) = judge_sample {
        config.judge_sample = Some(reader.judge_sample(value, &config.evaluation.evaluators)?);
    }
    // It names a target, wherever in the file that stands.
    if let Some(value) = judge {
        config.evaluation.judge = Some(reader.judge(value, &config.evaluation.targets)?);
    }
    Ok(config)
}

impl Reader<'_> {
    /// Line and column of a place, from 1.
    pub(super) fn place(&self, span: &Range<usize>) -> (usize, usize) {
        let before = self.text.get(..span.start).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        (line, column)
    }

    pub(super) fn wrong(&self, span: Range<usize>, what: impl AsRef<str>) -> Error {
        let (line, column) = self.place(&span);
        Error::usage(format!("{}:{line}:{column}: {}", self.name, what.as_ref()))
    }

    pub(super) fn unknown<'a>(
        &self,
        span: Range<usize>,
        found: &str,
        what: &str,
        known: impl Iterator<Item = &'a str> + Clone,
    ) -> Error {
        let error = self.wrong(span, format!("there is no {what} `{found}`."));
        match nearest(found, known.clone()) {
            Some(near) => error.hint(format!("Did you mean `{near}`?")),
            None => error.hint(format!("There are: {}.", known.collect::<Vec<_>>().join(", "))),
        }
    }

    pub(super) fn text(&self, value: &Spanned<DeValue<'_>>) -> Result<String> {
        match value.get_ref() {
            DeValue::String(text) if !text.trim().is_empty() => Ok(text.to_string()),
            DeValue::String(_) => Err(self.wrong(value.span(), "this must not be empty.")),
            other => Err(self.wrong(value.span(), format!("a text belongs here, not {}.", kind(other)))),
        }
    }

    fn theme(&self, value: &Spanned<DeValue<'_>>) -> Result<ThemeChoice> {
        let word = self.text(value)?;
        ThemeChoice::WORDS.iter().find(|(known, _)| *known == word).map(|(_, choice)| *choice).ok_or_else(
            || self.unknown(value.span(), &word, "theme", ThemeChoice::WORDS.iter().map(|(known, _)| *known)),
        )
    }

    pub(super) fn table<'v, 't>(&self, value: &'v Spanned<DeValue<'t>>) -> Result<&'v DeTable<'t>> {
        match value.get_ref() {
            DeValue::Table(table) => Ok(table),
            other => Err(self.wrong(value.span(), format!("a table belongs here, not {}.", kind(other)))),
        }
    }

    /// `strict = true`.
    fn incidents(&self, value: &Spanned<DeValue<'_>>) -> Result<bool> {
        let mut strict = false;
        for (key, value) in self.table(value)? {
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("strict", DeValue::Boolean(yes)) => strict = *yes,
                ("strict", other) => {
                    return Err(
                        self.wrong(value.span(), format!("true or false belongs here, not {}.", kind(other)))
                    );
                }
                (other, _) => return Err(self.unknown(key.span(), other, "key", ["strict"].into_iter())),
            }
        }
        Ok(strict)
    }

    /// `quit = "Q"`, `quit = ["Q", "ctrl-q"]`, `quit = []`.
    fn keymap(&self, value: &Spanned<DeValue<'_>>) -> Result<Keymap> {
        let mut own = BTreeMap::new();
        let mut places = BTreeMap::new();
        for (id, keys) in self.table(value)? {
            let name = id.get_ref().to_string();
            // `review.pass = "P"` without quotes is a table in TOML: take both.
            let (name, keys) = match keys.get_ref() {
                DeValue::Table(inner) => {
                    for (rest, keys) in inner {
                        let name = format!("{name}.{}", rest.get_ref());
                        self.own_keys(&mut own, &mut places, name, rest.span(), keys)?;
                    }
                    continue;
                }
                _ => (name, keys),
            };
            self.own_keys(&mut own, &mut places, name, id.span(), keys)?;
        }
        Keymap::new(&own).map_err(|e| {
            let span =
                places.iter().find(|(id, _)| e.what.contains(&format!("`{id}`"))).map(|(_, s)| s.clone());
            let mut error = self.wrong(span.unwrap_or_else(|| value.span()), &e.what);
            error.hints = e.hints;
            error
        })
    }

    fn own_keys(
        &self,
        own: &mut BTreeMap<String, Vec<String>>,
        places: &mut BTreeMap<String, Range<usize>>,
        id: String,
        span: Range<usize>,
        keys: &Spanned<DeValue<'_>>,
    ) -> Result<()> {
        if !table::all().any(|row| row.id.0 == id) {
            let known: Vec<&str> = table::all().map(|row| row.id.0).collect();
            return Err(match nearest(&id, known.into_iter()) {
                Some(near) => self
                    .wrong(span, format!("there is no command `{id}`."))
                    .hint(format!("Did you mean `{near}`?")),
                None => self
                    .wrong(span, format!("there is no command `{id}`."))
                    .hint("`tuesday keys` lists them all."),
            });
        }
        let values: Vec<&Spanned<DeValue<'_>>> = match keys.get_ref() {
            DeValue::Array(array) => array.iter().collect(),
            _ => vec![keys],
        };
        let mut list = Vec::new();
        for value in values {
            let text = self.text(value)?;
            parse_keys(&text).map_err(|e| {
                let mut error = self.wrong(value.span(), &e.what);
                error.hints = e.hints;
                error
            })?;
            list.push(text);
        }
        places.insert(id.clone(), span);
        own.insert(id, list);
        Ok(())
    }

    fn colours(&self, value: &Spanned<DeValue<'_>>) -> Result<Vec<(Role, Colour)>> {
        let mut colours = Vec::new();
        for (meaning, colour) in self.table(value)? {
            let name = meaning.get_ref();
            let Some((_, role)) = MEANINGS.iter().find(|(known, _)| known == name) else {
                return Err(self.unknown(
                    meaning.span(),
                    name,
                    "meaning",
                    MEANINGS.iter().map(|(known, _)| *known),
                ));
            };
            let text = match colour.get_ref() {
                DeValue::Integer(n) => n.to_string(),
                _ => self.text(colour)?,
            };
            let Some(parsed) = Colour::parse(&text) else {
                let error = self.wrong(colour.span(), format!("`{text}` is not a colour."));
                return Err(match nearest(&text, colour_names()) {
                    Some(near) => error.hint(format!("Did you mean `{near}`?")),
                    None => error.hint("Colours are written like these: red, bright-blue, #7bd88f, 208."),
                });
            };
            colours.push((*role, parsed));
        }
        Ok(colours)
    }
}

pub(super) fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
