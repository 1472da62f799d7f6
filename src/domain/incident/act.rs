//! What people can do in an incident, and what may not happen when.

use jiff::Timestamp;

use super::{
    Acting, Action, Evidence, Incident, IncidentEvent, Outcome, Pinned, Recorded, StepStatus, TraceExcerpt,
    times::clock_words,
};
use crate::domain::query::nearest;
use crate::domain::runbook::{Phase, Section, Severity};
use crate::domain::{Error, Result, Untrusted};

/// What it takes to open an incident.
#[derive(Debug, Clone)]
pub struct OpenSpec {
    /// One line.
    pub title: Untrusted,
    /// How bad, when known.
    pub severity: Option<Severity>,
    /// The feature it is about.
    pub feature: Option<Untrusted>,
    /// When the harm began, when known.
    pub began_at: Option<Timestamp>,
    /// The runbook to follow.
    pub runbook: Pinned,
}

/// What a person can do in an incident. Steps go by their id.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum Act {
    /// Begin a step; it falls to `owner`, else to who begins it.
    Start { step: String, owner: Option<Untrusted>, note: Option<Untrusted> },
    /// A step is done.
    Done { step: String, note: Option<Untrusted> },
    /// Leave a step out.
    Skip { step: String, note: Option<Untrusted> },
    /// Take a step up again.
    Reopen { step: String, note: Option<Untrusted> },
    /// Give a step to somebody.
    Assign { step: String, owner: Untrusted },
    /// Say how bad it is.
    Severity { severity: Severity, note: Option<Untrusted> },
    /// Say when the harm began.
    Began { began_at: Timestamp },
    /// Say which feature it is about; none for all of them.
    Feature { feature: Option<Untrusted> },
    /// Write something down.
    Note { text: Untrusted, step: Option<String> },
    /// Attach evidence.
    Attach { evidence: Evidence },
    /// Somebody else leads from here.
    HandOver { to: Untrusted, note: Option<Untrusted> },
    /// Somebody keeps the record from here; none: whoever leads.
    Scribe { who: Option<Untrusted> },
    /// Tell those who wait how it stands.
    Update { text: Untrusted },
    /// Go to a phase.
    Enter { phase: Phase },
    /// It is over.
    Close { outcome: Outcome, note: Option<Untrusted> },
    /// It is not over after all.
    ReopenIncident { note: Option<Untrusted> },
    /// Write a part of the post-mortem.
    Write { section: Section, text: Untrusted },
    /// Agree on an action.
    AddAction { action: Action },
    /// Sign the post-mortem as read; somebody else than who led must.
    SignRead,
    /// Act, look or watch in a step.
    Acting(Acting),
}

impl Incident {
    /// What opening records.
    pub fn open(spec: OpenSpec) -> Result<IncidentEvent> {
        if blank(&spec.title) {
            return Err(Error::usage("An incident needs a title.").hint(
                "Say in a few words what is wrong: `tuesday incident open \"bad overdraft advice\"`.",
            ));
        }
        let OpenSpec { title, severity, feature, began_at, runbook } = spec;
        Ok(IncidentEvent::Opened { title, severity, feature, began_at, runbook })
    }

    /// What this act records, in order; an error of kind `NotSo`, with a way out, when it may not
    /// happen in this state. Changes nothing.
    pub fn handle(&self, act: Act, now: Timestamp, actor: &Untrusted) -> Result<Vec<IncidentEvent>> {
        self.may(&act)?;
        let event = match act {
            Act::Start { step, owner, note } => {
                let index = self.find(&step)?;
                self.expect(index, &[StepStatus::Todo])?;
                let owner = owner
                    .or_else(|| self.steps[index].owner.clone())
                    .filter(|owner| !blank(owner))
                    .unwrap_or_else(|| actor.clone());
                let mut events = self.catch_up(index);
                events.push(IncidentEvent::StepStarted { step: self.id(index), owner, note });
                return Ok(events);
            }
            Act::Done { step, note } => {
                let index = self.find(&step)?;
                self.expect(index, &[StepStatus::Todo, StepStatus::Doing])?;
                let settled = self.settle(index, IncidentEvent::StepDone { step: self.id(index), note });
                return Ok(self.unconfirmed(index).into_iter().chain(settled).collect());
            }
            Act::Skip { step, note } => {
                let index = self.find(&step)?;
                self.expect(index, &[StepStatus::Todo, StepStatus::Doing])?;
                return Ok(self.settle(index, IncidentEvent::StepSkipped { step: self.id(index), note }));
            }
            Act::Reopen { step, note } => {
                let index = self.find(&step)?;
                self.expect(index, &[StepStatus::Doing, StepStatus::Done, StepStatus::Skipped])?;
                IncidentEvent::StepReopened { step: self.id(index), note }
            }
            Act::Assign { step, owner } => {
                let index = self.find(&step)?;
                if blank(&owner) {
                    return Err(Error::not_so("A step needs an owner's name.").hint("Give one with --owner."));
                }
                IncidentEvent::OwnerAssigned { step: self.id(index), owner }
            }
            Act::Severity { severity, note } => {
                if self.severity == Some(severity) {
                    return Err(Error::not_so(format!("{} is {severity} already.", self.name()))
                        .hint("Choose another severity, or write a note."));
                }
                IncidentEvent::SeveritySet { from: self.severity, to: severity, note }
            }
            Act::Began { began_at } => {
                if began_at > now {
                    return Err(Error::not_so("An incident cannot have begun in the future.")
                        .hint("Give a time before now, such as `2h` ago or `2025-03-04T01:10:00Z`."));
                }
                IncidentEvent::BeganSet { began_at }
            }
            Act::Feature { feature } => {
                IncidentEvent::FeatureSet { feature: feature.filter(|feature| !blank(feature)) }
            }
            Act::Note { text, step } => {
                if blank(&text) {
                    return Err(Error::not_so("The note is empty.").hint("Write at least a word."));
                }
                let step = step.map(|step| self.find(&step).map(|index| self.id(index))).transpose()?;
                IncidentEvent::Noted { text, step }
            }
            Act::Attach { evidence } => IncidentEvent::Attached { evidence: self.new_evidence(evidence)? },
            Act::HandOver { to, note } => {
                if blank(&to) || to == self.commander {
                    let leads = self.commander.raw();
                    return Err(Error::not_so(format!("{leads} leads {} already.", self.name()))
                        .hint("Name somebody else to hand over to."));
                }
                IncidentEvent::HandedOver { from: self.commander.clone(), to, note }
            }
            Act::Scribe { who } => {
                let who = who.filter(|who| !blank(who));
                if who == self.scribe {
                    let keeps = who.as_ref().map_or("Who leads", Untrusted::raw);
                    return Err(Error::not_so(format!(
                        "{keeps} keeps the record of {} already.",
                        self.name()
                    ))
                    .hint("Name somebody else."));
                }
                IncidentEvent::ScribeSet { who }
            }
            Act::Update { text } => {
                if blank(&text) {
                    return Err(Error::not_so("The update is empty.")
                        .hint("Say what users see, what is being done, and what is needed."));
                }
                IncidentEvent::Updated { text }
            }
            Act::SignRead => {
                if *actor == self.commander {
                    return Err(Error::not_so(format!(
                        "{} led {}; somebody who did not must have read its post-mortem.",
                        actor.raw(),
                        self.name()
                    ))
                    .hint(format!(
                        "Let a second person sign: `tuesday --reviewer NAME incident postmortem {} --sign`.",
                        self.name()
                    )));
                }
                if self.readers.iter().any(|(_, reader)| reader == actor) {
                    return Err(Error::not_so(format!("{} signed it already.", actor.raw()))
                        .hint("One signature a person is enough."));
                }
                IncidentEvent::ReadSigned
            }
            Act::Enter { phase } => {
                if phase == self.phase {
                    return Err(Error::not_so(format!("{} is in {} already.", self.name(), phase.title()))
                        .hint("Name another phase."));
                }
                IncidentEvent::PhaseEntered { phase }
            }
            Act::Close { outcome, note } => IncidentEvent::Closed { outcome, note },
            Act::ReopenIncident { note } => IncidentEvent::Reopened { note },
            Act::Write { section, text } => IncidentEvent::Written { section, text },
            Act::AddAction { action } => {
                if blank(&action.text) {
                    return Err(Error::not_so("The action is empty.").hint("Say what is to be done."));
                }
                IncidentEvent::ActionAdded { action }
            }
            Act::Acting(acting) => return self.handle_acting(acting, now, actor),
        };
        Ok(vec![event])
    }

    /// What these acts record, one after the other: all of them, or the error of the first that may not
    /// happen.
    pub fn handle_all(
        &self,
        acts: Vec<Act>,
        now: Timestamp,
        actor: &Untrusted,
    ) -> Result<Vec<IncidentEvent>> {
        let (mut ahead, mut all) = (self.clone(), Vec::new());
        for act in acts {
            for event in ahead.handle(act, now, actor)? {
                ahead.apply(&Recorded {
                    seq: ahead.seq + 1,
                    happened_at: now,
                    recorded_at: now,
                    actor: actor.clone(),
                    event: event.clone(),
                    hash: [0; 32],
                });
                all.push(event);
            }
        }
        Ok(all)
    }

    /// Refuses acts that the incident as a whole is past, or not yet at. After closing, the
    /// post-mortem goes on: notes, evidence, its steps and its parts.
    fn may(&self, act: &Act) -> Result<()> {
        let Some(closing) = &self.closed else {
            return match act {
                Act::ReopenIncident { .. } => Err(Error::not_so(format!("{} is open.", self.name()))
                    .hint(format!("Close it with `tuesday incident close {}`.", self.name()))),
                _ => Ok(()),
            };
        };
        let late = match act {
            Act::Note { .. }
            | Act::Attach { .. }
            | Act::Began { .. }
            | Act::Feature { .. }
            | Act::ReopenIncident { .. }
            | Act::Write { .. }
            | Act::AddAction { .. }
            | Act::SignRead => true,
            Act::Start { step, .. }
            | Act::Done { step, .. }
            | Act::Skip { step, .. }
            | Act::Reopen { step, .. }
            | Act::Assign { step, .. } => {
                self.runbook.book.steps[self.find(step)?].phase == Phase::Postmortem
            }
            // What was begun may end after closing.
            Act::Acting(Acting::End { .. } | Acting::Lose { .. }) => true,
            Act::Acting(acting) => match acting.step() {
                Some(step) => self.runbook.book.steps[self.find(step)?].phase == Phase::Postmortem,
                None => false,
            },
            Act::Severity { .. }
            | Act::HandOver { .. }
            | Act::Scribe { .. }
            | Act::Update { .. }
            | Act::Enter { .. }
            | Act::Close { .. } => false,
        };
        if late {
            return Ok(());
        }
        Err(Error::not_so(format!(
            "{} was closed by {} at {}.",
            self.name(),
            closing.by.raw(),
            clock_words(closing.at)
        ))
        .hint(format!("Open it again with `tuesday incident reopen {}`.", self.name()))
        .hint("Notes, evidence and the post-mortem still go on."))
    }

    /// The place of a step, by id or number.
    pub fn find(&self, step: &str) -> Result<usize> {
        self.runbook.book.find(step).ok_or_else(|| {
            let ids: Vec<&str> = self.runbook.book.steps.iter().map(|step| step.id.as_str()).collect();
            let error = Error::not_so(format!("{} has no step “{step}”.", self.name()));
            let error = match nearest(step, ids.iter().copied()) {
                Some(near) => error.hint(format!("Did you mean “{near}”?")),
                None => error,
            };
            error.hint(format!("Steps go by number, 1 to {}, or by id: {}.", ids.len(), ids.join(", ")))
        })
    }

    pub(super) fn id(&self, index: usize) -> String {
        self.runbook.book.steps[index].id.clone()
    }

    pub(super) fn expect(&self, index: usize, wanted: &[StepStatus]) -> Result<()> {
        let (step, state) = (&self.runbook.book.steps[index], &self.steps[index]);
        if wanted.contains(&state.state) {
            return Ok(());
        }
        let (name, id) = (self.name(), &step.id);
        let story = match (&state.state, &state.ended) {
            (StepStatus::Todo, _) => "is not begun".to_owned(),
            (StepStatus::Doing, _) => {
                let owner = state.owner.as_ref().map_or("somebody", |owner| owner.raw());
                let since = state.started_at.map(|at| format!(" since {}", clock_words(at)));
                format!("is being done by {owner}{}", since.unwrap_or_default())
            }
            (settled, Some((at, by))) => {
                format!("was {} by {} at {}", settled.name(), by.raw(), clock_words(*at))
            }
            (settled, None) => format!("is {}", settled.name()),
        };
        let error = Error::not_so(format!("Step “{}” of {name} {story}.", step.title.raw()));
        Err(match state.state {
            StepStatus::Todo => error.hint(format!("Begin it with `tuesday incident step {name} {id} start`.")),
            StepStatus::Doing => error.hint(format!(
                "Settle it with `tuesday incident step {name} {id} done`, or put it back with `… {id} reopen`."
            )),
            _ => error.hint(format!("Take it up again with `tuesday incident step {name} {id} reopen`.")),
        })
    }

    /// Working on a step of a later phase means that the incident has got there: nobody should have
    /// to tick off the rest before they may contain.
    pub(super) fn catch_up(&self, index: usize) -> Vec<IncidentEvent> {
        let phase = self.runbook.book.steps[index].phase;
        if phase > self.phase && self.is_open() {
            vec![IncidentEvent::PhaseEntered { phase }]
        } else {
            Vec::new()
        }
    }

    /// A step is settled; when it was the last of its phase, the next phase with work is entered.
    pub(super) fn settle(&self, index: usize, event: IncidentEvent) -> Vec<IncidentEvent> {
        let mut events = self.catch_up(index);
        let phase = self.runbook.book.steps[index].phase.max(self.phase);
        events.push(event);
        let open = |of: Phase| {
            self.steps_of(of).any(|(other, _, state)| other != index && !state.state.is_settled())
        };
        if self.is_open() && phase < Phase::Postmortem && !open(phase) {
            let later = Phase::ALL.into_iter().filter(|later| *later > phase);
            let next = later.clone().find(|later| open(*later)).unwrap_or(Phase::Postmortem);
            events.push(IncidentEvent::PhaseEntered { phase: next });
        }
        events
    }

    /// Evidence without what is attached already.
    fn new_evidence(&self, evidence: Evidence) -> Result<Evidence> {
        let Evidence::Traces { traces } = evidence else { return Ok(evidence) };
        let mut known: std::collections::HashSet<Untrusted> =
            self.traces().iter().map(|trace| trace.id.clone()).collect();
        let count = traces.len();
        let traces: Vec<TraceExcerpt> =
            traces.into_iter().filter(|trace| known.insert(trace.id.clone())).collect();
        if traces.is_empty() {
            let what = if count == 0 {
                "No trace was named.".to_owned()
            } else {
                format!("{} has all of these traces as evidence already.", self.name())
            };
            return Err(Error::not_so(what)
                .hint(format!("`tuesday incident attach {} TRACE…` adds others.", self.name())));
        }
        Ok(Evidence::Traces { traces })
    }
}

fn blank(text: &Untrusted) -> bool {
    text.raw().trim().is_empty()
}
