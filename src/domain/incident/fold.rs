//! The fold: what a record comes to. Never fails, whatever the record says.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::times::ms_between;
use super::{Acts, Closing, Exhibit, Incident, IncidentEvent, Recorded, StepState, StepStatus, Update};
use crate::domain::Untrusted;
use crate::domain::runbook::Phase;

impl Incident {
    /// Folds a whole record. `None` when it does not begin with an opening.
    pub fn fold<'a>(uuid: &str, number: i64, record: impl IntoIterator<Item = &'a Recorded>) -> Option<Self> {
        let mut record = record.into_iter();
        let mut incident = Self::opened(uuid, number, record.next()?)?;
        for recorded in record {
            incident.apply(recorded);
        }
        Some(incident)
    }

    /// The state after an opening; `None` for any other event.
    pub fn opened(uuid: &str, number: i64, recorded: &Recorded) -> Option<Self> {
        let IncidentEvent::Opened { title, severity, feature, began_at, runbook } = &recorded.event else {
            return None;
        };
        let at = recorded.happened_at;
        let first = Phase::ALL
            .into_iter()
            .find(|phase| runbook.book.steps_of(*phase).next().is_some())
            .unwrap_or(Phase::Detect);
        let mut entered = [None; 6];
        entered[first.index()] = Some(at);
        let steps = runbook
            .book
            .steps
            .iter()
            .map(|step| StepState { owner: step.owner.clone(), ..StepState::default() })
            .collect();
        Some(Self {
            uuid: uuid.to_owned(),
            number,
            title: title.clone(),
            severity: *severity,
            feature: feature.clone(),
            began_at: *began_at,
            opened_at: at,
            acknowledged_at: None,
            commander: recorded.actor.clone(),
            scribe: None,
            updates: Vec::new(),
            readers: Vec::new(),
            runbook: runbook.clone(),
            steps,
            phase: first,
            entered,
            settled: [None; 6],
            closed: None,
            evidence: Vec::new(),
            written: BTreeMap::new(),
            actions: Vec::new(),
            seq: recorded.seq,
            idle_since: at,
        })
    }

    /// Folds one more event in.
    pub fn apply(&mut self, recorded: &Recorded) {
        let (at, by) = (recorded.happened_at, &recorded.actor);
        self.seq = recorded.seq;
        if self.acknowledged_at.is_none() && self.takes_up_detect(&recorded.event) {
            self.acknowledged_at = Some(at);
        }
        match &recorded.event {
            IncidentEvent::Opened { .. } => {}
            IncidentEvent::StepStarted { step, owner, note } => {
                if let Some(state) = self.state(step) {
                    state.state = StepStatus::Doing;
                    state.owner = Some(owner.clone());
                    state.started_at = Some(at);
                    state.ended = None;
                    state.note = note.clone().or(state.note.take());
                }
            }
            IncidentEvent::StepDone { step, note } => self.end(step, StepStatus::Done, note, at, by),
            IncidentEvent::StepSkipped { step, note } => self.end(step, StepStatus::Skipped, note, at, by),
            IncidentEvent::StepReopened { step, note } => {
                if let Some(state) = self.state(step) {
                    if state.state == StepStatus::Doing {
                        state.taken_ms += state.started_at.map_or(0, |from| ms_between(from, at));
                    }
                    state.state = StepStatus::Todo;
                    state.started_at = None;
                    state.ended = None;
                    state.note = note.clone().or(state.note.take());
                    // What was done stands in the record; the step begins anew.
                    state.acts = Acts::default();
                }
            }
            IncidentEvent::OwnerAssigned { step, owner } => {
                if let Some(state) = self.state(step) {
                    state.owner = Some(owner.clone());
                }
            }
            IncidentEvent::SeveritySet { to, .. } => self.severity = Some(*to),
            IncidentEvent::BeganSet { began_at } => self.began_at = Some(*began_at),
            IncidentEvent::FeatureSet { feature } => self.feature = feature.clone(),
            IncidentEvent::Noted { .. } => {}
            IncidentEvent::Attached { evidence } => {
                self.evidence.push(Exhibit { at, by: by.clone(), evidence: evidence.clone() });
            }
            IncidentEvent::HandedOver { to, .. } => self.commander = to.clone(),
            IncidentEvent::ScribeSet { who } => self.scribe = who.clone(),
            IncidentEvent::Updated { text } => {
                self.updates.push(Update { at, by: by.clone(), text: text.clone() });
            }
            IncidentEvent::ReadSigned => self.readers.push((at, by.clone())),
            IncidentEvent::PhaseEntered { phase } => {
                self.phase = *phase;
                self.entered[phase.index()] = Some(at);
                self.idle_since = at;
            }
            IncidentEvent::Closed { outcome, note } => {
                self.closed = Some(Closing { at, by: by.clone(), outcome: *outcome, note: note.clone() });
            }
            IncidentEvent::Reopened { .. } => self.closed = None,
            IncidentEvent::Written { section, text } => {
                // An empty text takes the section back to what the steps say.
                if text.raw().trim().is_empty() {
                    self.written.remove(section);
                } else {
                    self.written.insert(*section, text.clone());
                }
            }
            IncidentEvent::ActionAdded { action } => self.actions.push(action.clone()),
            IncidentEvent::Acting(event) => self.apply_acting(recorded, event),
        }
        self.mark_settled(at);
    }

    /// Whether somebody begins or settles a step of Detect, or goes past it: from then on it is acknowledged.
    fn takes_up_detect(&self, event: &IncidentEvent) -> bool {
        match event {
            IncidentEvent::StepStarted { step, .. }
            | IncidentEvent::StepDone { step, .. }
            | IncidentEvent::StepSkipped { step, .. } => {
                self.steps_of(Phase::Detect).any(|(_, of, _)| of.id == *step)
            }
            IncidentEvent::PhaseEntered { phase } => *phase > Phase::Detect,
            _ => false,
        }
    }

    pub(super) fn state(&mut self, step: &str) -> Option<&mut StepState> {
        let index = self.runbook.book.steps.iter().position(|s| s.id == step)?;
        self.steps.get_mut(index)
    }

    fn end(&mut self, step: &str, to: StepStatus, note: &Option<Untrusted>, at: Timestamp, by: &Untrusted) {
        let idle_since = self.idle_since;
        if let Some(state) = self.state(step) {
            // Who ticks a step off without starting it did it since the last one.
            let from = state.started_at.unwrap_or(idle_since);
            if to == StepStatus::Done || state.started_at.is_some() {
                state.taken_ms += ms_between(from, at);
            }
            state.state = to;
            state.started_at = Some(from.min(at));
            state.ended = Some((at, by.clone()));
            state.owner = state.owner.take().or_else(|| Some(by.clone()));
            state.note = note.clone().or(state.note.take());
            self.idle_since = at;
        }
    }

    /// Keeps the time at which each phase came to be settled, and forgets it when work comes back.
    fn mark_settled(&mut self, at: Timestamp) {
        for phase in Phase::ALL {
            let mut done = false;
            let mut open = false;
            for (_, _, state) in self.steps_of(phase) {
                done |= state.state == StepStatus::Done;
                open |= !state.state.is_settled();
            }
            let settled = done && (!open || self.phase > phase);
            let mark = &mut self.settled[phase.index()];
            *mark = if settled { mark.or(Some(at)) } else { None };
        }
    }
}
