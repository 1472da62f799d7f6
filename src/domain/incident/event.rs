//! What can happen in an incident, and how each event reads in the timeline.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ActingEvent, Action, Evidence, Hash, Outcome, Pinned};
use crate::domain::Untrusted;
use crate::domain::runbook::{Phase, Runbook, Section, Severity};

/// Something that happened. Its serde form, split into `kind` and `payload`, is what is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "payload", rename_all = "snake_case")]
pub enum IncidentEvent {
    /// It was opened: always the first event, and only that.
    Opened {
        /// One line.
        title: Untrusted,
        /// How bad, when said at once.
        severity: Option<Severity>,
        /// The feature it is about.
        feature: Option<Untrusted>,
        /// When the harm began, when known at once.
        began_at: Option<Timestamp>,
        /// The runbook as it was.
        runbook: Pinned,
    },
    /// Somebody began a step.
    StepStarted {
        /// The step's id, as in the next ones.
        step: String,
        /// Who has it.
        owner: Untrusted,
        /// In their words.
        note: Option<Untrusted>,
    },
    /// A step was done.
    StepDone {
        /// The step.
        step: String,
        /// What came of it; the answer of a step that asks.
        note: Option<Untrusted>,
    },
    /// A step was left out.
    StepSkipped {
        /// The step.
        step: String,
        /// Why.
        note: Option<Untrusted>,
    },
    /// A settled or begun step was put back.
    StepReopened {
        /// The step.
        step: String,
        /// Why.
        note: Option<Untrusted>,
    },
    /// A step was given to somebody.
    OwnerAssigned {
        /// The step.
        step: String,
        /// Who has it now.
        owner: Untrusted,
    },
    /// The severity was set.
    SeveritySet {
        /// What it was.
        from: Option<Severity>,
        /// What it is.
        to: Severity,
        /// Why.
        note: Option<Untrusted>,
    },
    /// The beginning of the harm became known.
    BeganSet {
        /// When it began.
        began_at: Timestamp,
    },
    /// What it is about was said.
    FeatureSet {
        /// The feature; none for all of them.
        feature: Option<Untrusted>,
    },
    /// Somebody wrote something down.
    Noted {
        /// What.
        text: Untrusted,
        /// The step it belongs to.
        step: Option<String>,
    },
    /// Evidence was attached.
    Attached {
        /// What.
        evidence: Evidence,
    },
    /// Somebody else leads from here.
    HandedOver {
        /// Who led.
        from: Untrusted,
        /// Who leads.
        to: Untrusted,
        /// What they should know.
        note: Option<Untrusted>,
    },
    /// Somebody keeps the record from here.
    ScribeSet {
        /// Who; none: whoever leads.
        who: Option<Untrusted>,
    },
    /// Those who wait were told something.
    Updated {
        /// What.
        text: Untrusted,
    },
    /// A phase was entered.
    PhaseEntered {
        /// Which.
        phase: Phase,
    },
    /// It is over.
    Closed {
        /// As what.
        outcome: Outcome,
        /// In their words.
        note: Option<Untrusted>,
    },
    /// It is not over after all.
    Reopened {
        /// Why.
        note: Option<Untrusted>,
    },
    /// A part of the post-mortem was written.
    Written {
        /// Which.
        section: Section,
        /// The text.
        text: Untrusted,
    },
    /// An action was agreed on.
    ActionAdded {
        /// It.
        action: Action,
    },
    /// Somebody has read the post-mortem.
    ReadSigned,
    /// A step acted, looked or watched.
    #[serde(untagged)]
    Acting(ActingEvent),
}

/// An event as it stands in the record.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// Its place, from 1 without gaps.
    pub seq: u64,
    /// When it happened; may be before it was written down.
    pub happened_at: Timestamp,
    /// When it was written down.
    pub recorded_at: Timestamp,
    /// Who wrote it.
    pub actor: Untrusted,
    /// What happened.
    pub event: IncidentEvent,
    /// Its hash, which covers the one before.
    pub hash: Hash,
}

impl IncidentEvent {
    /// Whether nobody who reads the record may miss it.
    pub fn stands_out(&self) -> bool {
        matches!(self, Self::Acting(event) if event.stands_out())
    }

    /// The step it is about.
    pub fn step(&self) -> Option<&str> {
        match self {
            Self::StepStarted { step, .. }
            | Self::StepDone { step, .. }
            | Self::StepSkipped { step, .. }
            | Self::StepReopened { step, .. }
            | Self::OwnerAssigned { step, .. } => Some(step),
            Self::Noted { step, .. } => step.as_deref(),
            Self::Acting(event) => event.step(),
            _ => None,
        }
    }

    /// Its line in the timeline. Holds people's words: clean before printing.
    pub fn words(&self, book: &Runbook) -> Untrusted {
        let title = |step: &str| {
            let step = book.steps.iter().find(|s| s.id == step).map_or(step, |s| s.title.raw());
            format!("“{step}”")
        };
        let with = |words: String, note: &Option<Untrusted>| match note {
            Some(note) if !note.is_empty() => format!("{words}: {}", note.raw()),
            _ => words,
        };
        Untrusted::new(match self {
            Self::Opened { title, severity, feature, began_at, runbook } => {
                let mut words = format!("opened “{}”", title.raw());
                if let Some(severity) = severity {
                    words += &format!(" as {severity}");
                }
                if let Some(feature) = feature {
                    words += &format!(", feature {}", feature.raw());
                }
                if began_at.is_some() {
                    words += ", with the time it began";
                }
                format!("{words}; runbook “{}”", runbook.book.name.raw())
            }
            Self::StepStarted { step, owner, note } => {
                with(format!("{} begun by {}", title(step), owner.raw()), note)
            }
            Self::StepDone { step, note } => with(format!("{} done", title(step)), note),
            Self::StepSkipped { step, note } => with(format!("{} skipped", title(step)), note),
            Self::StepReopened { step, note } => with(format!("{} taken up again", title(step)), note),
            Self::OwnerAssigned { step, owner } => format!("{} given to {}", title(step), owner.raw()),
            Self::SeveritySet { from, to, note } => with(
                match from {
                    Some(from) => format!("severity {from} → {to}"),
                    None => format!("severity {to}"),
                },
                note,
            ),
            Self::BeganSet { began_at } => format!("began at {}", began_at.strftime("%Y-%m-%d %H:%M:%S UTC")),
            Self::FeatureSet { feature: Some(feature) } => format!("about the feature {}", feature.raw()),
            Self::FeatureSet { feature: None } => "about all features".to_owned(),
            Self::Noted { text, step: None } => text.raw().to_owned(),
            Self::Noted { text, step: Some(step) } => format!("on {}: {}", title(step), text.raw()),
            Self::Attached { evidence } => match evidence {
                Evidence::Traces { traces } => {
                    let few: Vec<&str> = traces.iter().take(3).map(|trace| trace.id.raw()).collect();
                    let more = if traces.len() > 3 { ", …" } else { "" };
                    let noun = if traces.len() == 1 { "trace" } else { "traces" };
                    format!("attached {} {noun}: {}{more}", traces.len(), few.join(", "))
                }
                Evidence::Query { query } => format!("attached the query {}", query.raw()),
                Evidence::Figures { figures } => format!(
                    "figures taken: {} requests, {} errors, {} thumbs down",
                    figures.all.requests, figures.all.errors, figures.all.thumbs_down
                ),
            },
            Self::HandedOver { from, to, note } => {
                with(format!("command handed from {} to {}", from.raw(), to.raw()), note)
            }
            Self::ScribeSet { who: Some(who) } => format!("{} keeps the record", who.raw()),
            Self::ScribeSet { who: None } => "whoever leads keeps the record".to_owned(),
            Self::Updated { text } => format!("update: {}", text.raw()),
            Self::ReadSigned => "post-mortem signed as read".to_owned(),
            Self::PhaseEntered { phase } => format!("phase {} of 6: {}", phase.number(), phase.title()),
            Self::Closed { outcome, note } => with(format!("closed, {}", outcome.words()), note),
            Self::Reopened { note } => with("opened again".to_owned(), note),
            Self::Acting(event) => event.words(book),
            Self::Written { section, .. } => {
                format!("post-mortem: “{}” written", section.title())
            }
            Self::ActionAdded { action } => {
                let owner = action.owner.as_ref().map(|owner| format!(", {}", owner.raw()));
                let due = action.due.as_ref().map(|due| format!(", due {}", due.raw()));
                format!(
                    "action to {}: {}{}{}",
                    action.kind.name(),
                    action.text.raw(),
                    owner.unwrap_or_default(),
                    due.unwrap_or_default()
                )
            }
        })
    }
}
