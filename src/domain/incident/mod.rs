//! An incident: a pure step machine whose state is the fold of an append-only record.
//!
//! [`Incident::handle`] says what an [`Act`] would record, or why it may not happen; [`Incident::apply`]
//! folds what was recorded. Nothing here knows where the record is kept or what time it is. To add an
//! act: a variant of [`Act`], its event in [`IncidentEvent`], an arm in each of `handle`, `apply` and
//! [`IncidentEvent::words`]. What steps do that act, look or watch is [`Acting`] and [`ActingEvent`].

mod act;
mod act_steps;
mod acting;
mod chain;
mod event;
mod fold;
mod missing;
#[cfg(test)]
mod tests;
mod times;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Untrusted;
use super::runbook::{Phase, Runbook, Section, Severity, Step};

pub use act::{Act, OpenSpec};
pub use act_steps::{Acting, Agreement};
pub use acting::{ActPlan, ActStage, ActState, ActingEvent, Acts, Found, Verdict, Watch};
pub use chain::{Hash, Link, link};
pub use event::{IncidentEvent, Recorded};
pub use missing::Missing;
#[cfg(test)]
pub use times::Marks;
pub use times::{Times, span_words};

/// The state of an incident: what its record comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct Incident {
    /// Its name on every machine.
    pub uuid: String,
    /// Its number in this store; people say `INC-7`.
    pub number: i64,
    /// One line.
    pub title: Untrusted,
    /// How bad, once said.
    pub severity: Option<Severity>,
    /// The feature it is about, when it is about one.
    pub feature: Option<Untrusted>,
    /// When the harm began, once known.
    pub began_at: Option<Timestamp>,
    /// When it was opened, which is when it was detected.
    pub opened_at: Timestamp,
    /// When somebody first took a step of Detect up: it is acknowledged.
    pub acknowledged_at: Option<Timestamp>,
    /// Who leads it.
    pub commander: Untrusted,
    /// Who keeps the record, where it is not who leads.
    pub scribe: Option<Untrusted>,
    /// What those who wait were told, oldest first.
    pub updates: Vec<Update>,
    /// Who signed the post-mortem as read, oldest first.
    pub readers: Vec<(Timestamp, Untrusted)>,
    /// The runbook as it was when the incident was opened.
    pub runbook: Pinned,
    /// State of each step, in the runbook's order.
    pub steps: Vec<StepState>,
    /// The phase it is in.
    pub phase: Phase,
    /// When each phase was entered last.
    pub entered: [Option<Timestamp>; 6],
    /// Since when each phase is settled: something in it was done, and it is complete or left behind.
    pub settled: [Option<Timestamp>; 6],
    /// How it ended, once closed.
    pub closed: Option<Closing>,
    /// What was attached.
    pub evidence: Vec<Exhibit>,
    /// Parts of the post-mortem that were written on purpose.
    pub written: BTreeMap<Section, Untrusted>,
    /// What is to be done so that it does not happen again.
    pub actions: Vec<Action>,
    /// Events folded so far; the next one is `seq + 1`.
    pub seq: u64,
    /// When a step was last settled or a phase entered: a step that nobody started began then.
    idle_since: Timestamp,
}

/// A runbook as pinned into an incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pinned {
    /// The file as it was.
    pub text: Untrusted,
    /// blake3 of the text, in hex.
    pub hash: String,
    /// What it says.
    pub book: Runbook,
}

/// The state of one step.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StepState {
    /// Where it stands.
    pub state: StepStatus,
    /// Who has it.
    pub owner: Option<Untrusted>,
    /// What was said when it was last started, settled or taken up again.
    pub note: Option<Untrusted>,
    /// When the work on it began.
    pub started_at: Option<Timestamp>,
    /// When it was settled, and by whom.
    pub ended: Option<(Timestamp, Untrusted)>,
    /// Time the work took, over all the times it was taken up, in milliseconds.
    pub taken_ms: u64,
    /// What the record says of its acts, looks and watches.
    pub acts: Acts,
}

/// Where a step stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepStatus {
    /// Not begun.
    #[default]
    Todo,
    /// Somebody is at it.
    Doing,
    /// Done.
    Done,
    /// Left out on purpose.
    Skipped,
}

impl StepStatus {
    /// Its word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Todo => "todo",
            Self::Doing => "doing",
            Self::Done => "done",
            Self::Skipped => "skipped",
        }
    }

    /// Whether nothing more is to be done.
    pub fn is_settled(self) -> bool {
        matches!(self, Self::Done | Self::Skipped)
    }
}

/// How an incident ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Closing {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: Untrusted,
    /// As what.
    pub outcome: Outcome,
    /// In their words.
    pub note: Option<Untrusted>,
}

/// The name for people of the incident with this number: `INC-7`.
pub fn incident_name(number: i64) -> String {
    format!("INC-{number}")
}

/// What an incident turned out to be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was real and is over.
    #[default]
    Resolved,
    /// There was nothing: the meter was broken, or the alert wrong.
    FalseAlarm,
}

impl Outcome {
    /// Its name in records and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Resolved => "resolved",
            Self::FalseAlarm => "false_alarm",
        }
    }

    /// The outcome of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Resolved, Self::FalseAlarm].into_iter().find(|outcome| outcome.name() == name)
    }

    /// Its words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Resolved => "resolved",
            Self::FalseAlarm => "false alarm",
        }
    }
}

/// What those who wait were told.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Update {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: Untrusted,
    /// In their words.
    pub text: Untrusted,
}

/// Evidence in the record, with who attached it when.
#[derive(Debug, Clone, PartialEq)]
pub struct Exhibit {
    /// When it happened.
    pub at: Timestamp,
    /// Who attached it.
    pub by: Untrusted,
    /// What it is.
    pub evidence: Evidence,
}

/// What can be attached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Evidence {
    /// Traces, with enough of each that the record can be read without the traces file.
    Traces {
        /// The traces.
        traces: Vec<TraceExcerpt>,
    },
    /// A query that shows something.
    Query {
        /// In the query language.
        query: Untrusted,
    },
    /// Figures as they were at one time.
    Figures {
        /// The figures.
        figures: Box<Figures>,
    },
}

/// The little of a trace that a post-mortem quotes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TraceExcerpt {
    /// The trace's id.
    pub id: Untrusted,
    /// When it happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Timestamp>,
    /// The prompt version that answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Untrusted>,
    /// First words of what went in.
    #[serde(default)]
    pub asked: Untrusted,
    /// First words of what came out.
    #[serde(default)]
    pub answered: Untrusted,
}

/// Impact figures, with the query and the times they were taken over.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// The query that chose the traces.
    pub query: Untrusted,
    /// From when, inclusive.
    pub since: Timestamp,
    /// To when, exclusive.
    pub until: Timestamp,
    /// When they were taken.
    pub taken_at: Timestamp,
    /// All the traffic asked about.
    pub all: Tally,
    /// The same traffic in as long a time before: what is usual.
    #[serde(default)]
    pub before: Option<Tally>,
    /// All of it by prompt version, most requests first.
    #[serde(default)]
    pub by_version: Vec<(Untrusted, Tally)>,
}

/// Counts over some traffic.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    /// Requests.
    pub requests: u64,
    /// Requests that failed.
    pub errors: u64,
    /// Requests with a thumb up.
    pub thumbs_up: u64,
    /// Requests with a thumb down.
    pub thumbs_down: u64,
    /// Different users, where known.
    #[serde(default)]
    pub users: Option<u64>,
    /// Users with an error or a thumb down, where known.
    #[serde(default)]
    pub users_hit: Option<u64>,
    /// 95th percentile of the time a request took, in milliseconds, where known.
    #[serde(default)]
    pub p95_ms: Option<f64>,
    /// Mean cost of a request in US dollars, where known.
    #[serde(default)]
    pub cost_per_request_usd: Option<f64>,
    /// First and last request.
    #[serde(default)]
    pub seen: Option<(Timestamp, Timestamp)>,
}

/// Something to be done after the incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Action {
    /// What.
    pub text: Untrusted,
    /// What for.
    pub kind: ActionKind,
    /// Who.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Untrusted>,
    /// By when, as the person wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Untrusted>,
}

/// What an action is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionKind {
    /// Notice it sooner.
    Detect,
    /// Keep it from happening.
    #[default]
    Prevent,
    /// Repair what it did.
    Correct,
}

impl ActionKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Detect, Self::Prevent, Self::Correct];

    /// Its word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Detect => "detect",
            Self::Prevent => "prevent",
            Self::Correct => "correct",
        }
    }
}

impl Figures {
    /// A figure by the name that a runbook's severity rules use; `None` when it is not known.
    pub fn figure(&self, name: &str) -> Option<f64> {
        let all = &self.all;
        let share = |part: u64, of: u64| (of > 0).then(|| part as f64 / of as f64);
        match name {
            "users" => share(all.users_hit?, all.users?),
            "errors" => share(all.errors, all.requests),
            "thumbs_down" => share(all.thumbs_down, all.thumbs_up + all.thumbs_down),
            "requests" => Some(all.requests as f64),
            _ => None,
        }
    }
}

impl Incident {
    /// What people call it: `INC-7`.
    pub fn name(&self) -> String {
        incident_name(self.number)
    }

    /// Whether it is not closed.
    pub fn is_open(&self) -> bool {
        self.closed.is_none()
    }

    /// The steps of a phase with their states; the number is the place in the whole runbook.
    pub fn steps_of(&self, phase: Phase) -> impl Iterator<Item = (usize, &Step, &StepState)> {
        self.runbook.book.steps_of(phase).map(|(index, step)| (index, step, &self.steps[index]))
    }

    /// When those who wait want to hear something next: the severity's interval after the last update, or after
    /// the opening. `None` once closed, and where the runbook sets no interval for the severity; before one is set,
    /// that of the worst counts.
    pub fn update_due(&self) -> Option<Timestamp> {
        let every = &self.runbook.book.update_every_ms;
        let every = match self.severity {
            Some(severity) => every.iter().find(|(of, _)| *of == severity),
            None => every.iter().min_by_key(|(of, _)| *of),
        };
        let (_, every) = every.filter(|_| self.is_open())?;
        let last = self.updates.last().map_or(self.opened_at, |update| update.at);
        let due = last.as_millisecond().saturating_add(i64::try_from(*every).ok()?);
        Timestamp::from_millisecond(due).ok()
    }

    /// Steps settled and steps in all.
    pub fn progress(&self) -> (usize, usize) {
        (self.steps.iter().filter(|step| step.state.is_settled()).count(), self.steps.len())
    }

    /// A part of the post-mortem: what was written, else what the steps that fill it were told.
    pub fn section(&self, section: Section) -> Option<Untrusted> {
        if let Some(text) = self.written.get(&section) {
            return Some(text.clone());
        }
        let told: Vec<&str> = self
            .runbook
            .book
            .steps
            .iter()
            .zip(&self.steps)
            .filter(|(step, state)| step.fills == Some(section) && state.state == StepStatus::Done)
            .filter_map(|(_, state)| state.note.as_ref().map(Untrusted::raw))
            .filter(|note| !note.trim().is_empty())
            .collect();
        (!told.is_empty()).then(|| Untrusted::new(told.join("\n\n")))
    }

    /// Every trace attached, each once, in the order of attaching.
    pub fn traces(&self) -> Vec<&TraceExcerpt> {
        let mut seen = std::collections::HashSet::new();
        self.evidence
            .iter()
            .filter_map(|exhibit| match &exhibit.evidence {
                Evidence::Traces { traces } => Some(traces),
                _ => None,
            })
            .flatten()
            .filter(|trace| seen.insert(trace.id.raw()))
            .collect()
    }

    /// The newest figures attached.
    pub fn figures(&self) -> Option<&Figures> {
        self.evidence.iter().rev().find_map(|exhibit| match &exhibit.evidence {
            Evidence::Figures { figures } => Some(figures.as_ref()),
            _ => None,
        })
    }
}
