//! What an incident still lacks. Closing asks for it and never insists.

use serde::Serialize;

use super::{Incident, Outcome, StepStatus};
use crate::domain::runbook::{Phase, Section};

/// Something that is not there yet, and how to give it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// What, in a few words.
    pub what: String,
    /// A command that gives it.
    pub way: String,
}

impl Incident {
    /// What is missing before the incident is really told. Empty for a false alarm that says why.
    pub fn missing(&self) -> Vec<Missing> {
        let name = self.name();
        let mut missing = Vec::new();
        let mut ask = |what: String, way: String| missing.push(Missing { what, way });
        if let Some(closing) = &self.closed
            && closing.outcome == Outcome::FalseAlarm
        {
            if closing.note.is_none() {
                ask("why it was a false alarm".into(), format!("tuesday incident note {name} TEXT"));
            }
            return missing;
        }
        if self.severity.is_none() {
            ask("severity".into(), format!("tuesday incident severity {name} SEV2"));
        }
        if self.began_at.is_none() {
            ask("when it began".into(), format!("tuesday incident began {name} 2h"));
        }
        let open = |phase: Phase| {
            let todo = self.steps_of(phase).filter(|(_, _, state)| !state.state.is_settled());
            todo.map(|(_, step, _)| step.id.as_str()).collect::<Vec<_>>()
        };
        // Once it is closed only the post-mortem's steps can still be done: the rest is explained.
        let late = |phase: Phase| !self.is_open() && phase != Phase::Postmortem;
        let left: Vec<&str> = Phase::ALL.into_iter().filter(|phase| late(*phase)).flat_map(open).collect();
        if !left.is_empty() {
            ask(
                format!("why these were left open: {}", left.join(", ")),
                format!("tuesday incident note {name} TEXT"),
            );
        }
        for phase in Phase::ALL.into_iter().filter(|phase| !late(*phase)) {
            let open = open(phase);
            if !open.is_empty() {
                ask(
                    format!("{}: {}", phase.title(), open.join(", ")),
                    format!("tuesday incident step {name} {} done", open[0]),
                );
            }
        }
        if self.steps_of(Phase::Contain).all(|(_, _, state)| state.state != StepStatus::Done)
            && self.steps_of(Phase::Contain).all(|(_, _, state)| state.state.is_settled())
            && self.steps_of(Phase::Contain).next().is_some()
        {
            ask("why nothing was contained".into(), format!("tuesday incident note {name} TEXT"));
        }
        if self.traces().is_empty() {
            ask("traces as evidence".into(), format!("tuesday incident attach {name} TRACE…"));
        }
        if self.figures().is_none() {
            ask("figures of the impact".into(), format!("tuesday incident figures {name} --keep"));
        }
        for section in [Section::Summary, Section::Why, Section::Prevention, Section::WentWell] {
            if self.section(section).is_none() {
                let section = section.name();
                ask(
                    format!("post-mortem: {}", section.replace('_', " ")),
                    format!("tuesday incident postmortem {name} --set {section}=TEXT"),
                );
            }
        }
        if !self.actions.iter().any(|action| action.owner.is_some() && action.due.is_some()) {
            ask(
                "an action with an owner and a date".into(),
                format!("tuesday incident postmortem {name} --action TEXT --owner NAME --due DATE"),
            );
        }
        missing
    }
}
