//! What a step stands on while it is planned or carried out: the incident, its place, the hands, and what fills its
//! templates.

use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::Value;

use super::hands::Hands;
use crate::domain::incident::Incident;
use crate::domain::runbook::template::{IncidentFact, Name, VersionName, name_in};
use crate::domain::runbook::{Severity, Step, StepKind};
use crate::domain::{Error, Result, Untrusted};
use crate::ops::Ctx;
use crate::ops::prompt::{Bar, Home, home, homes, last_known_good};
use crate::store::IncidentRef;
use crate::task::Cancel;
use crate::wire::http::Mask;

/// Variables that are no secrets, though a command is given them.
const PLAIN: [&str; 8] = ["PATH", "HOME", "LANG", "LC_ALL", "TERM", "USER", "TZ", "TMPDIR"];

/// A step in its incident.
pub(super) struct Ground<'a> {
    pub ctx: &'a Ctx,
    pub hands: &'a Hands,
    pub cancel: &'a Cancel,
    pub incident: Incident,
    pub index: usize,
    /// What must not be shown or written.
    pub mask: Mask,
    /// Whether answers are taken as given: on a weekday nobody has been asked.
    pub rehearsal: bool,
}

impl<'a> Ground<'a> {
    /// Finds the step.
    ///
    /// # Errors
    /// `NotSo` when there is no such incident or step.
    pub fn find(
        ctx: &'a Ctx,
        hands: &'a Hands,
        incident: &str,
        step: &str,
        cancel: &'a Cancel,
    ) -> Result<Self> {
        let incident = ctx.store.incident(&IncidentRef::parse(incident)?)?.incident;
        let index = incident.find(step)?;
        Ok(Self::on(ctx, hands, incident, index, cancel))
    }

    /// A step of an incident that need not be in the store.
    pub fn on(ctx: &'a Ctx, hands: &'a Hands, incident: Incident, index: usize, cancel: &'a Cancel) -> Self {
        let mut ground =
            Self { ctx, hands, cancel, incident, index, mask: Mask::default(), rehearsal: false };
        ground.mask = ground.secrets();
        ground
    }

    /// The step.
    pub fn step(&self) -> &Step {
        &self.incident.runbook.book.steps[self.index]
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.ctx.clock.now()
    }

    /// The feature that the incident is about.
    pub fn feature(&self) -> Option<&str> {
        self.incident.feature.as_ref().map(Untrusted::raw)
    }

    /// The feature that is switched: the incident's, else the only one that has a switch; or an error that says how
    /// to name it.
    pub fn wanted_feature(&self) -> Result<&str> {
        let mut switched = self.hands.team().features.iter().filter(|feature| feature.switch.is_some());
        let only = match (switched.next(), switched.next()) {
            (Some(only), None) => Some(only.name.as_str()),
            _ => None,
        };
        self.feature().or(only).ok_or_else(|| {
            if self.rehearsal {
                return Error::not_so("It is not said for which feature it is checked.")
                    .hint("Say it: tuesday runbook check --feature FEATURE");
            }
            let name = self.incident.name();
            Error::not_so(format!("{name} does not say which feature it is about."))
                .hint(format!("Say it: tuesday incident feature {name} FEATURE"))
        })
    }

    /// What the runbook says is secret, and what this step gives to a command.
    fn secrets(&self) -> Mask {
        let mut mask = Mask::default();
        let env: &[Untrusted] = match &self.step().kind {
            StepKind::Command { env, .. } => env,
            _ => &[],
        };
        let names = self.incident.runbook.book.secrets.iter().chain(env).map(Untrusted::raw);
        names
            .filter(|name| !PLAIN.contains(name))
            .filter_map(|name| self.hands.variable(name))
            .for_each(|value| mask.add(SecretString::from(value)));
        mask
    }

    /// The prompt of this name, else the incident's feature's.
    pub fn prompt(&self, named: Option<&Untrusted>) -> Result<Home> {
        let team = self.hands.team();
        if let Some(name) = named {
            return home(team, name.raw());
        }
        let feature = self.wanted_feature()?;
        match homes(team).into_iter().find(|home| home.feature.as_deref() == Some(feature)) {
            Some(home) => Ok(home),
            None => home(team, feature),
        }
    }

    /// A version of the feature's prompt, by what it is in the incident.
    pub fn version(&self, which: VersionName) -> Result<String> {
        if which == VersionName::Guilty
            && let Some(guilty) = self.incident.rolled_back_from()
        {
            return Ok(guilty.raw().to_owned());
        }
        let home = self.prompt(None)?;
        let (current, _) = home.text("current")?;
        if which != VersionName::LastKnownGood {
            return Ok(current);
        }
        let found = last_known_good(self.ctx, &home, &current, Bar::of(self.hands.team()))?;
        found.good.map(|good| good.version).ok_or_else(|| {
            Error::not_so(format!("No version of {} before {current} is known to be good.", home.name))
                .hint(format!("See why: tuesday prompt show {}", home.name))
        })
    }

    /// A word of the runbook with its template filled. What is filled in is one word, whatever it holds.
    ///
    /// # Errors
    /// `NotSo` when it is no template, or there is nothing to fill it with.
    pub fn filled(&self, text: &Untrusted) -> Result<String> {
        let wrong = |why: String| {
            Error::not_so(format!("“{}” of step {} cannot be filled: {why}.", text.raw(), self.step().id))
        };
        let Some(name) = name_in(text.raw()).map_err(|e| wrong(e.to_string()))? else {
            return Ok(text.raw().to_owned());
        };
        let value = match name {
            Name::Feature => self.wanted_feature()?.to_owned(),
            Name::Incident(fact) => self.fact(fact),
            Name::Version(which) => self.version(which)?,
            Name::Answer(step) => match self.incident.answer(&step) {
                Some(answer) => answer.raw().to_owned(),
                None if self.rehearsal && self.incident.find(&step).is_ok() => format!("(answer of {step})"),
                None => {
                    self.incident.find(&step)?;
                    let incident = self.incident.name();
                    return Err(wrong(format!("“{step}” has no answer yet")).hint(format!(
                        "Answer it: tuesday incident step {incident} {step} done --note ANSWER"
                    )));
                }
            },
        };
        if value.contains('\0') {
            return Err(wrong("what would be filled in holds a zero byte".to_owned()));
        }
        Ok(value)
    }

    /// The same for an argument, which must not become an option by what is filled in.
    pub fn argument(&self, text: &Untrusted) -> Result<String> {
        let value = self.filled(text)?;
        if value.starts_with('-') && value != text.raw() {
            return Err(Error::not_so(format!(
                "“{}” of step {} would become “{value}”, which a program may take for an option.",
                text.raw(),
                self.step().id
            ))
            .hint(
                "Put it behind a flag that takes a value, and let what is filled in not begin with a dash.",
            ));
        }
        Ok(value)
    }

    /// A JSON value with its templates filled.
    pub fn json(&self, value: &Value) -> Result<Value> {
        Ok(match value {
            Value::String(text) => Value::String(self.filled(&text.as_str().into())?),
            Value::Array(items) => items.iter().map(|item| self.json(item)).collect::<Result<_>>()?,
            Value::Object(fields) => fields
                .iter()
                .map(|(key, value)| Ok((key.clone(), self.json(value)?)))
                .collect::<Result<serde_json::Map<_, _>>>()?
                .into(),
            other => other.clone(),
        })
    }

    fn fact(&self, fact: IncidentFact) -> String {
        let of = &self.incident;
        match fact {
            IncidentFact::Id => of.name(),
            IncidentFact::Number => of.number.to_string(),
            IncidentFact::Uuid => of.uuid.clone(),
            IncidentFact::Title => of.title.raw().to_owned(),
            IncidentFact::Severity => of.severity.map_or("SEV?", Severity::name).to_owned(),
            IncidentFact::Phase => of.phase.name().to_owned(),
            IncidentFact::Commander => of.commander.raw().to_owned(),
        }
    }

    /// Words without secrets, with files named from the team's folder.
    pub fn plain(&self, words: &str) -> String {
        let home = format!("{}/", self.hands.team().home.display());
        let words = self.mask.apply(words);
        if home.len() > 1 { words.replace(&home, "") } else { words }
    }

    /// What to know of an act for the team's records: `INC-7: bad overdraft advice`.
    pub fn reason(&self) -> String {
        format!("{}: {}", self.incident.name(), self.incident.title.raw())
    }
}
