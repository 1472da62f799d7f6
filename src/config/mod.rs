//! File, environment and flags resolved into one checked value. Faces ask it once, at the start.
//!
//! `tuesday.toml` is looked for from the working directory upwards, or named with `--config`. What is
//! nearer to the moment wins: flag, then environment, then file, then default. To add a key: a field of
//! [`Config`], an arm in `file.rs`, a line in [`Config::lines`].

mod colour;
mod compare;
mod evaluators;
mod fallback;
mod features;
mod file;
mod judge_sample;
mod monitors;
mod place;
mod settings;
mod switches;
mod targets;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::command::Keymap;
use crate::domain::monitor::{Monitors, ReceiverKind, Rule};
use crate::domain::prompt::TeamConfig;
use crate::domain::{Error, EvalConfig, JudgeSample, Result, TargetKind};
use crate::ops::compare::Thresholds;
use crate::ops::drill::{Place, watched};
use crate::ops::incident::step::{Hands, Real};
use crate::ops::runbook::Books;
use crate::text::{Fallback, Role};

pub use colour::Colour;

/// The name of the configuration file.
pub const FILE: &str = "tuesday.toml";

/// What is set on the command line, before the command.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// `--config`
    pub config: Option<PathBuf>,
    /// `--store`
    pub store: Option<PathBuf>,
    /// `--reviewer`
    pub reviewer: Option<String>,
}

/// Looks a variable of the environment up.
pub type Variables = Box<dyn Fn(&str) -> Option<String>>;

/// What the process was started with, besides flags.
pub struct Environment {
    /// Where it was started.
    pub folder: PathBuf,
    /// An empty variable counts as not set.
    pub variable: Variables,
}

impl Environment {
    /// That of this process.
    pub fn of_process() -> Result<Self> {
        let folder = std::env::current_dir()
            .map_err(|e| Error::failed("The folder that you are in cannot be read.").because(e))?;
        Ok(Self { folder, variable: Box::new(|name| std::env::var(name).ok()) })
    }

    fn get(&self, name: &str) -> Option<String> {
        (self.variable)(name).filter(|value| !value.is_empty())
    }
}

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    Flag,
    /// This variable.
    Environment(&'static str),
    /// This line of the configuration file.
    File {
        line: usize,
    },
    Default,
}

/// A value and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set<T> {
    pub value: T,
    pub from: Origin,
}

impl<T> Set<T> {
    /// A value from there.
    pub fn new(value: T, from: Origin) -> Self {
        Self { value, from }
    }
}

/// Light or dark.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ThemeChoice {
    /// As the terminal's background is.
    #[default]
    Auto,
    Light,
    Dark,
    /// Without colours.
    None,
}

impl ThemeChoice {
    /// The words that the file knows.
    pub const WORDS: &[(&str, ThemeChoice)] = &[
        ("auto", ThemeChoice::Auto),
        ("light", ThemeChoice::Light),
        ("dark", ThemeChoice::Dark),
        ("none", ThemeChoice::None),
    ];

    /// Its word.
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, choice)| *choice == self).map_or("", |(word, _)| word)
    }
}

/// The configuration in force.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file that was read.
    pub file: Option<PathBuf>,
    /// The store to work on. Need not exist.
    pub store: Set<PathBuf>,
    /// The person's name on labels and incident records.
    pub reviewer: Set<String>,
    /// The folder of the eval sets' files. Need not exist.
    pub evals_dir: Set<PathBuf>,
    /// The team's runbook; the default one is built in.
    pub runbook: Set<Option<PathBuf>>,
    /// All that is said of runbooks: that one, those of monitors, and how they are read.
    pub books: Books,
    pub theme: Set<ThemeChoice>,
    /// The person's own editor with its arguments, split as a shell would, without a shell.
    pub editor: Set<Vec<String>>,
    /// The keys in force.
    pub keymap: Keymap,
    /// Colours set by meaning.
    pub colours: Vec<(Role, Colour)>,
    /// What is said of evaluators, embedders and targets.
    pub evaluation: EvalConfig,
    /// Where its `prompts_dir` comes from.
    pub prompts_from: Origin,
    /// Where its `judge` comes from.
    pub judge_from: Origin,
    /// What must hold of a candidate.
    pub thresholds: Thresholds,
    /// Monitors, and who is told.
    pub monitors: Monitors,
    /// By what answers are found to be fallbacks.
    pub fallback: Fallback,
    /// How many of the arriving traces are judged; `None`: none.
    pub judge_sample: Option<JudgeSample>,
    /// Where prompts lie, and how features are switched.
    pub team: TeamConfig,
    /// In a drill: what acts in the place of the team's own programs, network and files.
    pub drill: Option<Arc<Hands>>,
}

impl Config {
    /// Reads the file, if there is one, and resolves everything. Errors with `Usage` when the file has
    /// something in it that cannot be, named by file, line and column.
    pub fn resolve(flags: &Flags, environment: &Environment) -> Result<Self> {
        let path = match &flags.config {
            Some(path) => Some(path.clone()),
            None => place::find_upwards(&environment.folder),
        };
        let file = match &path {
            Some(path) => file::read(path)?,
            None => file::FileConfig::default(),
        };
        let home = path.as_deref().and_then(Path::parent).map(Path::to_owned);
        // A bare name has the empty path as its parent, which is the folder that we are in.
        let home = home.filter(|p| !p.as_os_str().is_empty()).unwrap_or_else(|| environment.folder.clone());

        let store = flags
            .store
            .clone()
            .map(|path| Set::new(path, Origin::Flag))
            .or_else(|| from_variable(environment, "TUESDAY_STORE").map(|set| set.map(PathBuf::from)))
            .or(file.store.map(|set| set.map(|path| home.join(path))))
            .unwrap_or_else(|| Set::new(place::default_store(&home, environment), Origin::Default));
        let reviewer = flags
            .reviewer
            .clone()
            .map(|name| Set::new(name, Origin::Flag))
            .or_else(|| from_variable(environment, "TUESDAY_REVIEWER"))
            .or(file.reviewer)
            .or_else(|| from_variable(environment, "USER"))
            .or_else(|| from_variable(environment, "LOGNAME"))
            .unwrap_or_else(|| Set::new("me".to_owned(), Origin::Default));
        let editor = file
            .editor
            .or_else(|| from_variable(environment, "VISUAL"))
            .or_else(|| from_variable(environment, "EDITOR"))
            .unwrap_or_else(|| Set::new("vi".to_owned(), Origin::Default))
            .map(|line| split(&line));
        let theme = if environment.get("NO_COLOR").is_some() {
            Set::new(ThemeChoice::None, Origin::Environment("NO_COLOR"))
        } else {
            file.theme.unwrap_or(Set::new(ThemeChoice::Auto, Origin::Default))
        };
        let mut evaluation = placed(file.evaluation, path.clone(), &home);
        evaluation.rules.clone_from(&file.monitors.rules);
        let mut monitors = Monitors { file: path.clone(), ..file.monitors };
        for receiver in &mut monitors.receivers {
            if let ReceiverKind::Command(argv) = &mut receiver.kind
                && argv.first().is_some_and(|program| program.contains('/'))
            {
                argv[0] = home.join(&argv[0]).display().to_string();
            }
        }
        let team = TeamConfig {
            home: home.clone(),
            file: path.clone(),
            prompts_dir: evaluation.prompts_dir.clone(),
            features: file.features,
            min_pass_rate: file.thresholds.min_pass_rate,
            min_cases: file.thresholds.min_cases,
        };
        let runbook = match file.runbook {
            Some(set) => set.map(|path| Some(home.join(path))),
            None => Set::new(None, Origin::Default),
        };
        let named = |rule: &Rule| Some((rule.id.clone(), rule.runbook.clone()?));
        let books = Books {
            home: Some(home.clone()),
            usual: runbook.value.clone(),
            of_monitors: monitors.rules.iter().filter_map(named).collect(),
            strict: file.strict,
        };
        Ok(Self {
            store,
            reviewer,
            team,
            books,
            evals_dir: file
                .evals_dir
                .map(|set| set.map(|path| home.join(path)))
                .unwrap_or_else(|| Set::new(home.join("evals"), Origin::Default)),
            runbook,
            theme,
            editor,
            keymap: file.keymap,
            colours: file.colours,
            evaluation,
            prompts_from: file.prompts_from.unwrap_or(Origin::Default),
            judge_from: file.judge_from.unwrap_or(Origin::Default),
            thresholds: file.thresholds,
            monitors,
            fallback: file.fallback,
            judge_sample: file.judge_sample,
            file: path,
            drill: None,
        })
    }

    /// The same for a drill, in which nothing real can be reached: what acts is the sandbox, and there is nobody to
    /// tell, no target to ask, and no file of the team's to write.
    pub fn in_drill(mut self, place: &Place) -> Result<Self> {
        let hands = place.hands(&self.team)?;
        self.store.value = place.store();
        self.team = hands.team().clone();
        self.evals_dir.value = self.team.home.join("evals");
        let rules = std::mem::take(&mut self.evaluation.rules);
        self.evaluation = EvalConfig {
            home: self.team.home.clone(),
            prompts_dir: self.team.prompts_dir.clone(),
            gates_dir: self.team.home.join("gates"),
            rules,
            ..EvalConfig::default()
        };
        self.monitors = watched(self.monitors);
        self.monitors.receivers.clear();
        for rule in &mut self.monitors.rules {
            rule.notify.clear();
        }
        self.drill = Some(hands);
        Ok(self)
    }

    /// What steps of a runbook act with.
    pub fn hands(&self) -> Arc<Hands> {
        let real = || Real::of(self.team.clone().into(), self.evaluation.clone().into());
        self.drill.clone().unwrap_or_else(|| Arc::new(real().into()))
    }

    /// Every value with its key and where it comes from, for `tuesday doctor`.
    pub fn lines(&self) -> Vec<(&'static str, String, Origin)> {
        let path = |path: &Path| path.display().to_string();
        vec![
            ("store", path(&self.store.value), self.store.from),
            ("reviewer", self.reviewer.value.clone(), self.reviewer.from),
            ("evals_dir", path(&self.evals_dir.value), self.evals_dir.from),
            ("prompts_dir", path(&self.evaluation.prompts_dir), self.prompts_from),
            ("judge", self.evaluation.judge.clone().unwrap_or_else(|| "none".to_owned()), self.judge_from),
            (
                "runbook",
                self.runbook.value.as_deref().map_or_else(|| "built in".to_owned(), path),
                self.runbook.from,
            ),
            ("theme", self.theme.value.word().to_owned(), self.theme.from),
            ("editor", self.editor.value.join(" "), self.editor.from),
        ]
    }
}

/// What the file says of evaluating as it is now, in the place of what it said when it was read first: a
/// program that stays open asks before each run. Errors as [`Config::resolve`] does.
pub fn evaluation_now(before: &EvalConfig) -> Result<EvalConfig> {
    match &before.file {
        Some(path) => Ok(placed(file::read(path)?.evaluation, Some(path.clone()), &before.home)),
        None => Ok(before.clone()),
    }
}

/// The same with its files named from `home`.
fn placed(evaluation: EvalConfig, file: Option<PathBuf>, home: &Path) -> EvalConfig {
    let mut evaluation = EvalConfig { home: home.to_owned(), file, ..evaluation };
    let prompts = std::mem::take(&mut evaluation.prompts_dir);
    let prompts = if prompts.as_os_str().is_empty() { "prompts".into() } else { prompts };
    evaluation.prompts_dir = home.join(prompts);
    let gates = std::mem::take(&mut evaluation.gates_dir);
    let gates = if gates.as_os_str().is_empty() { "gates".into() } else { gates };
    evaluation.gates_dir = home.join(gates);
    for target in &mut evaluation.targets {
        if let TargetKind::Command(argv) = &mut target.kind
            && argv.first().is_some_and(|program| program.contains('/'))
        {
            argv[0] = home.join(&argv[0]).display().to_string();
        }
    }
    evaluation
}

impl<T> Set<T> {
    fn map<U>(self, change: impl FnOnce(T) -> U) -> Set<U> {
        Set { value: change(self.value), from: self.from }
    }
}

fn from_variable(environment: &Environment, name: &'static str) -> Option<Set<String>> {
    environment.get(name).map(|value| Set::new(value, Origin::Environment(name)))
}

/// Splits an editor's command at spaces, keeping what is in quotes together.
fn split(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in line.chars() {
        match (c, quote) {
            (c, Some(q)) if c == q => quote = None,
            ('"' | '\'', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (c, None) if c.is_whitespace() => words.extend(word.take()),
            (c, _) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests;
