//! Templates of a runbook: `{{incident.id}}` as a whole argument or a whole JSON value, and nothing else. Text of
//! traces has no name here, so that what models and users wrote reaches no command.

use serde_json::Value;

use super::{Step, StepKind};

/// What may stand between the braces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    /// `incident.id`, `incident.number`, `incident.uuid`, `incident.title`, `incident.severity`,
    /// `incident.phase`, `incident.commander`.
    Incident(IncidentFact),
    /// `feature`.
    Feature,
    /// `answer.STEP`: what a step that asks was answered.
    Answer(String),
    /// `versions.current`, `versions.guilty`, `versions.last_known_good`.
    Version(VersionName),
}

/// A fact of the incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum IncidentFact {
    Id,
    Number,
    Uuid,
    Title,
    Severity,
    Phase,
    Commander,
}

/// A version of the feature's prompt, by what it is in the incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionName {
    /// The one that is in force.
    Current,
    /// The one that did the harm: that which was gone back from, else that in force.
    Guilty,
    /// The one to go back to.
    LastKnownGood,
}

impl VersionName {
    /// The version of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "current" => Some(Self::Current),
            "guilty" => Some(Self::Guilty),
            "last_known_good" => Some(Self::LastKnownGood),
            _ => None,
        }
    }
}

/// Why a text is no template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wrong {
    /// Braces are only a part of the text.
    Partial,
    /// Braces are in the text of a shell.
    InShell,
    /// Nothing has this name.
    NoSuchName(String),
}

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Partial => f.write_str("a template fills a whole argument or value, not a part of one"),
            Self::InShell => f.write_str("the text of a shell is never filled"),
            Self::NoSuchName(name) => write!(
                f,
                "there is no {{{{{name}}}}}; there are incident.id, number, uuid, title, severity, phase and \
                 commander, feature, answer.STEP, versions.current, guilty and last_known_good"
            ),
        }
    }
}

/// The name that a text stands for; `None` where it is plain text.
pub fn name_in(text: &str) -> Result<Option<Name>, Wrong> {
    if !text.contains("{{") {
        return Ok(None);
    }
    let inner = text.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}")).map(str::trim);
    let name = inner.filter(|inner| !inner.contains(['{', '}'])).ok_or(Wrong::Partial)?;
    let fact = |name| {
        Some(match name {
            "id" => IncidentFact::Id,
            "number" => IncidentFact::Number,
            "uuid" => IncidentFact::Uuid,
            "title" => IncidentFact::Title,
            "severity" => IncidentFact::Severity,
            "phase" => IncidentFact::Phase,
            "commander" => IncidentFact::Commander,
            _ => return None,
        })
    };
    let found = match name.split_once('.') {
        Some(("incident", of)) => fact(of).map(Name::Incident),
        Some(("answer", step)) if !step.is_empty() => Some(Name::Answer(step.to_owned())),
        Some(("versions", of)) => VersionName::from_name(of).map(Name::Version),
        None if name == "feature" => Some(Name::Feature),
        _ => None,
    };
    found.map(Some).ok_or_else(|| Wrong::NoSuchName(name.to_owned()))
}

/// The first text of a step that is no template and no plain text either. Titles and prose are not filled and may
/// hold braces; an address is never filled.
pub fn wrong_in(step: &Step) -> Option<(String, Wrong)> {
    let text = |text: &str| name_in(text).err().map(|wrong| (text.to_owned(), wrong));
    match &step.kind {
        StepKind::Command { run, dry_run, shell, .. } => [run, dry_run].into_iter().find_map(|words| {
            let (shells, rest) = words.split_at(usize::from(*shell).min(words.len()));
            let shells = shells.iter().find(|word| word.raw().contains("{{"));
            let shells = shells.map(|word| (word.raw().to_owned(), Wrong::InShell));
            shells.or_else(|| rest.iter().find_map(|word| text(word.raw())))
        }),
        StepKind::Http { url, header, json, .. } => {
            let whole = |value: &str| value.contains("{{").then(|| (value.to_owned(), Wrong::Partial));
            whole(url.raw())
                .or_else(|| {
                    header.iter().find_map(|(name, value)| whole(name.raw()).or_else(|| whole(value.raw())))
                })
                .or_else(|| json.as_ref().and_then(wrong_value))
        }
        _ => None,
    }
}

fn wrong_value(value: &Value) -> Option<(String, Wrong)> {
    match value {
        Value::String(text) => name_in(text).err().map(|wrong| (text.clone(), wrong)),
        Value::Array(items) => items.iter().find_map(wrong_value),
        Value::Object(fields) => fields.iter().find_map(|(key, value)| {
            let key = key.contains("{{").then(|| (key.clone(), Wrong::Partial));
            key.or_else(|| wrong_value(value))
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_a_whole_word_or_nothing() {
        assert_eq!(name_in("--reason"), Ok(None));
        assert_eq!(name_in("{{incident.id}}"), Ok(Some(Name::Incident(IncidentFact::Id))));
        assert_eq!(name_in("{{ answer.hypothesis }}"), Ok(Some(Name::Answer("hypothesis".into()))));
        assert_eq!(name_in("{{versions.guilty}}"), Ok(Some(Name::Version(VersionName::Guilty))));
        for partial in
            ["id={{incident.id}}", "{{incident.id}} ", "{{incident.id}}{{feature}}", "{{", "{{a{b}}"]
        {
            assert_eq!(name_in(partial), Err(Wrong::Partial), "{partial}");
        }
        for unknown in ["{{trace.output}}", "{{incident.evidence}}", "{{answer.}}", "{{}}", "{{versions.v3}}"]
        {
            assert!(matches!(name_in(unknown), Err(Wrong::NoSuchName(_))), "{unknown}");
        }
    }
}
