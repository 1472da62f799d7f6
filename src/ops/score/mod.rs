//! Evaluators at work: an answer in, a word of each evaluator out.
//!
//! A [`Scorer`] knows the team's configuration and the services outside; [`Scorer::prepare`] compiles
//! patterns, schemas and templates once and refuses what is wrong before anything is spent; what is
//! prepared then looks at any number of answers. One file a family. To add a kind: a row in
//! `domain::check`, a [`Rule`] here, an arm in [`rule`].

mod calibrate;
mod exact;
mod figures;
mod fold;
mod json;
mod judge;
mod kept;
mod language;
mod look;
mod number;
mod on_trace;
mod pattern;
mod purse;
mod sample;
mod services;
mod similarity;
#[cfg(test)]
mod tests;
mod tool;
mod words;

use std::path::{Path, PathBuf};

use futures::future::join_all;

use crate::domain::{
    Assessment, CaseId, Check, Error, EvalConfig, Evaluator, Result, SetName, Subject, Untrusted, nearest,
};

pub use calibrate::{Calibration, CutView, calibrate};
pub use judge::{JudgeSize, judge_size};
pub use kept::subject_hash;
use look::{Finding, Look, Rule, Settings, longest};
pub use purse::{Purse, Unlimited};
pub use sample::{SampleScores, ScoreSpec, score_sample, with_tools};
pub use services::{AskModel, Embed, MayAskAgain, Services};

/// Evaluates answers as the team's configuration says.
pub struct Scorer {
    config: EvalConfig,
    services: Services,
}

/// Evaluators ready to look at answers.
pub struct Prepared {
    items: Vec<Item>,
}

struct Item {
    name: String,
    kind: String,
    version: String,
    /// A hash of what decides besides the settings: the model that is asked, the template.
    decider: String,
    needs_expected: bool,
    work: Work,
}

/// What an evaluator does: a rule decides at once, the others ask.
enum Work {
    Rule(Box<dyn Rule>),
    Similarity(similarity::Similarity),
    Judge(Box<judge::Judge>),
}

impl Scorer {
    /// A scorer of this configuration. Errors when two services have one name.
    pub fn new(config: &EvalConfig, services: Services) -> Result<Self> {
        services.check()?;
        Ok(Self { config: config.clone(), services })
    }

    /// Makes evaluators ready. What is wrong is named by file and line where the evaluator stands in the
    /// configuration.
    pub fn prepare(&self, evaluators: &[Evaluator]) -> Result<Prepared> {
        self.prepared(evaluators, None)
    }

    /// Makes the checks of a case ready. What is wrong is named by set and case.
    pub fn prepare_case(&self, set: &SetName, case: &CaseId, checks: &[Check]) -> Result<Prepared> {
        self.prepared(&case_evaluators(checks), Some((set, case)))
    }

    fn prepared(&self, evaluators: &[Evaluator], case: Option<(&SetName, &CaseId)>) -> Result<Prepared> {
        let items = evaluators.iter().map(|one| {
            let work = self.work(one).map_err(|mut e| {
                e.what = format!("{}: {}", self.place(one, case), e.what);
                e
            })?;
            Ok(Item {
                name: one.name.clone(),
                kind: one.check.kind().to_owned(),
                version: one.version(),
                decider: work.decider(),
                needs_expected: one.check.needs_expected(),
                work,
            })
        });
        Ok(Prepared { items: items.collect::<Result<_>>()? })
    }

    /// Where an evaluator stands, for a person who must mend it.
    fn place(&self, one: &Evaluator, case: Option<(&SetName, &CaseId)>) -> String {
        if let Some((set, case)) = case {
            return format!("{set}, case {case}, check `{}`", one.name);
        }
        let line = self.config.evaluators.iter().find(|(known, _)| known == one).map(|(_, line)| line);
        match (line, &self.config.file) {
            (Some(line), Some(file)) => format!("{}:{line}: evaluator `{}`", file.display(), one.name),
            _ => format!("evaluator `{}`", one.name),
        }
    }

    fn work(&self, one: &Evaluator) -> Result<Work> {
        let settings = Settings(one.check.settings());
        Ok(match one.check.kind() {
            "similarity" => Work::Similarity(similarity::Similarity::new(settings, &self.services)?),
            "judge" => Work::Judge(Box::new(judge::Judge::new(settings, &self.config, &self.services)?)),
            kind => Work::Rule(rule(kind, settings, &self.config.home)?),
        })
    }

    /// What the evaluators say of an answer, in their order. Never fails: what cannot be told is an error
    /// among the assessments. What they ask is paid from the purse.
    pub async fn score(
        &self,
        prepared: &Prepared,
        subject: Subject<'_>,
        purse: &dyn Purse,
    ) -> Vec<Assessment> {
        self.score_unknown(prepared, subject, &[], purse).await
    }

    /// The same, where the words of some are known already, by their place: they are not asked.
    async fn score_unknown(
        &self,
        prepared: &Prepared,
        subject: Subject<'_>,
        known: &[Option<Assessment>],
        purse: &dyn Purse,
    ) -> Vec<Assessment> {
        let text = subject.output.answer_text();
        let look = &Look::new(subject, &text);
        let words = prepared.items.iter().enumerate().map(|(at, item)| async move {
            match known.get(at).cloned().flatten() {
                Some(word) => word,
                None => item.assess(look, purse).await,
            }
        });
        join_all(words).await
    }
}

impl Prepared {
    /// What the rules among the evaluators say, in their order, at once. The others are left out.
    pub fn rules(&self, subject: Subject<'_>) -> Vec<Assessment> {
        let text = subject.output.answer_text();
        let look = Look::new(subject, &text);
        let rules = self.items.iter().filter_map(|item| match &item.work {
            Work::Rule(rule) => Some(item.assessment(rule.decide(&look))),
            _ => None,
        });
        rules.collect()
    }

    /// Whether all of them are rules, so that [`rules`](Self::rules) says all there is.
    pub fn only_rules(&self) -> bool {
        self.items.iter().all(|item| matches!(item.work, Work::Rule(_)))
    }

    /// Parts with those that compare with an expected answer and bring none. Gives the others, and of all, in
    /// their order, the name, the kind, and whether it is among them.
    fn without_expectation(self) -> (Self, Vec<(String, String, bool)>) {
        let named =
            self.items.iter().map(|item| (item.name.clone(), item.kind.clone(), !item.needs_expected));
        let named = named.collect();
        (Self { items: self.items.into_iter().filter(|item| !item.needs_expected).collect() }, named)
    }
}

impl Work {
    fn decider(&self) -> String {
        let what = match self {
            Self::Rule(_) => return String::new(),
            Self::Similarity(similarity) => similarity.decider(),
            Self::Judge(judge) => judge.decider(),
        };
        blake3::hash(what.as_bytes()).to_hex().chars().take(16).collect()
    }
}

impl Item {
    /// Whether it asks a model or a server.
    fn asks(&self) -> bool {
        !matches!(self.work, Work::Rule(_))
    }

    async fn assess(&self, look: &Look<'_>, purse: &dyn Purse) -> Assessment {
        self.assessment(match &self.work {
            Work::Rule(rule) => rule.decide(look),
            Work::Similarity(similarity) => similarity.decide(look).await,
            Work::Judge(judge) => judge.decide(look, purse).await,
        })
    }

    fn assessment(&self, finding: Finding) -> Assessment {
        Assessment {
            evaluator: self.name.clone(),
            kind: self.kind.clone(),
            version: self.version.clone(),
            outcome: finding.outcome,
            score: finding.score,
            explanation: Untrusted::new(longest(finding.explanation)),
            span: finding.span,
            criteria: finding.criteria,
            by: finding.by,
            cost_usd: finding.cost_usd,
        }
    }
}

/// A rule of this kind. Files are named from `home`.
fn rule(kind: &str, settings: Settings<'_>, home: &Path) -> Result<Box<dyn Rule>> {
    Ok(match kind {
        "exact" => Box::new(exact::Exact::new(settings)?),
        "json_schema" => Box::new(json::Schema::new(settings, home)?),
        "json_fields" => Box::new(json::Fields::new(settings)?),
        "number" => Box::new(number::Number::new(settings)?),
        "contains" => Box::new(words::Words::contains(settings)?),
        "forbidden" => Box::new(words::Words::forbidden(settings)?),
        "regex" => Box::new(pattern::Pattern::new(settings)?),
        "length" => Box::new(figures::Length::new(settings)?),
        "latency" => Box::new(figures::Limit::latency(settings)?),
        "cost" => Box::new(figures::Limit::cost(settings)?),
        "language" => Box::new(language::Language::new(settings)?),
        "tool_called" => Box::new(tool::Tool::new(settings)?),
        other => return Err(Error::usage(format!("There is no evaluator of kind `{other}`."))),
    })
}

/// A case's own checks as evaluators: each under its name, or its kind (`kind`, `kind 2`, …).
pub fn case_evaluators(checks: &[Check]) -> Vec<Evaluator> {
    let mut taken: Vec<String> = Vec::new();
    let named = checks.iter().map(|check| {
        let wanted = check.settings().get("name").and_then(|name| name.as_str()).unwrap_or(check.kind());
        let name = std::iter::once(wanted.to_owned())
            .chain((2..).map(|n| format!("{wanted} {n}")))
            .find(|name| !taken.contains(name))
            .unwrap_or_default();
        taken.push(name.clone());
        Evaluator { name, check: check.clone() }
    });
    named.collect()
}

/// The evaluators of a set, in the order of the file.
pub fn of_set(config: &EvalConfig, set: &SetName) -> Vec<Evaluator> {
    let of = config.evaluators.iter().map(|(one, _)| one).filter(|one| one.applies_to(set.as_str()));
    of.cloned().collect()
}

/// The evaluators with these names, in this order. Errors with the nearest name.
pub fn by_name(config: &EvalConfig, names: &[String]) -> Result<Vec<Evaluator>> {
    let known = || config.evaluators.iter().map(|(one, _)| one.name.as_str());
    let found = names.iter().map(|name| {
        let one = config.evaluators.iter().map(|(one, _)| one).find(|one| one.name == *name);
        one.cloned().ok_or_else(|| {
            unknown("evaluator", name, known(), "Describe it as [[evaluator]] in tuesday.toml.")
        })
    });
    found.collect()
}

/// There is none of this name; the nearest one, all of them, or the way to get one.
fn unknown<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str>, none: &str) -> Error {
    let known: Vec<&str> = known.collect();
    let error = Error::usage(format!("There is no {what} `{name}`."));
    match nearest(name, known.iter().copied()) {
        Some(near) => error.hint(format!("Did you mean `{near}`?")),
        None if known.is_empty() => error.hint(none),
        None => error.hint(format!("There are: {}.", known.join(", "))),
    }
}

/// A file of the team's, named from its home.
fn team_file(home: &Path, name: &str, what: &str) -> Result<(PathBuf, String)> {
    let path = home.join(name);
    let text = std::fs::read_to_string(&path)
        .map_err(|e| Error::usage(format!("The {what} {} cannot be read.", path.display())).because(e))?;
    Ok((path, text))
}
