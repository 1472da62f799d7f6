//! Features and their switches: which there are and how they stand, and switching one off and on, with a record,
//! a dry run, and the proof that it took.

mod effect;
mod list;
mod switch;
#[cfg(test)]
mod tests;

use crate::domain::prompt::{FeatureSpec, TeamConfig};
use crate::domain::switch::{Power, SwitchEvent, SwitchSpec, SwitchStage};
use crate::domain::{Error, Result, nearest};

pub use effect::Confirmed;
pub use list::{FeatureRow, Served, list};
pub use switch::{Proof, SwitchAsk, SwitchView, switch};

/// Looks a variable of the environment up, for keys.
pub type Variable<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The feature of this name and its switch.
fn switched<'a>(team: &'a TeamConfig, name: &str) -> Result<(&'a FeatureSpec, &'a SwitchSpec)> {
    let file =
        team.file.as_ref().map_or_else(|| "tuesday.toml".to_owned(), |file| file.display().to_string());
    let Some(feature) = team.features.iter().find(|feature| feature.name == name) else {
        let error = Error::not_so(format!("There is no feature {name} in {file}."));
        let names = || team.features.iter().map(|feature| feature.name.as_str());
        return Err(match nearest(name, names()) {
            Some(near) => error.hint(format!("Did you mean {near}?")),
            None if team.features.is_empty() => {
                error.hint(format!("Say how it is switched: [features.{name}]"))
            }
            None => error.hint(format!("There are: {}.", names().collect::<Vec<_>>().join(", "))),
        });
    };
    match &feature.switch {
        Some(switch) => Ok((feature, switch)),
        None => Err(Error::not_so(format!("{file}:{}: the feature {name} has no switch.", feature.line))
            .hint("Say how it is switched: switch = { kind = \"flag_file\", path = \"flags.json\", pointer = \"/…\" }")),
    }
}

/// The last switch of a record, and whether it is known what came of it.
fn last(record: &[SwitchEvent]) -> Option<(&SwitchEvent, bool)> {
    let last = record.last()?;
    Some((last, last.stage != SwitchStage::Begun))
}

/// What the record says that a feature is: what it was switched to last.
fn recorded(event: &SwitchEvent) -> Option<Power> {
    let done = matches!(event.stage, SwitchStage::Done | SwitchStage::Unproven);
    [Power::On, Power::Off].into_iter().find(|power| done && event.to.raw() == power.word())
}
