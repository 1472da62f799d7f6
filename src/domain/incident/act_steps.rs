//! What may be done with a step that acts, looks or watches, and when.

use jiff::{SignedDuration, Timestamp};

use super::acting::{ActPlan, ActStage, ActingEvent, Found, Verdict};
use super::times::clock_words;
use super::{Incident, IncidentEvent, Pinned, StepStatus};
use crate::domain::runbook::{Approve, StepKind};
use crate::domain::{Error, Result, Untrusted};

/// How long an agreement holds where the runbook does not say: the situation is another one after that.
pub const APPROVAL_HOLDS_MS: u64 = 15 * 60_000;

/// What can be done with a step that acts, looks or watches. Steps go by their id.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum Acting {
    /// Asks another person to agree to an act.
    AskApproval { step: String, plan: ActPlan },
    /// Agrees to an act of somebody else.
    Approve { step: String, note: Option<Untrusted> },
    /// Acts alone where two should.
    BreakGlass { step: String, reason: Untrusted },
    /// Begins an act. `again`: what came of the one before is not known, and a further one does no harm.
    Begin { step: String, act: String, plan: ActPlan, again: bool },
    /// An act ended; `effect`: the traces must still show that it took.
    End { step: String, act: String, done: bool, said: Option<Untrusted>, effect: bool },
    /// What came of an act is not known.
    Lose { step: String, act: String, why: Untrusted },
    /// The traces show the effect of an act.
    Confirm { step: String, words: Untrusted },
    /// A step looked at something.
    Check { step: String, found: Found },
    /// Takes the acting over.
    TakeLease { step: String, from: Untrusted },
    /// Goes on with another text of the runbook.
    Rebase { runbook: Pinned },
    /// Begins to watch.
    Watch { step: String, bounds: Vec<Option<f64>> },
    /// Starts the clock of a watch again.
    Reset { step: String, why: Untrusted },
    /// Enters a stage of a watch.
    Stage { step: String, stage: u8 },
    /// A watch has come to its end.
    Watched { step: String, words: Untrusted },
}

/// Who has agreed to an act, as far as it needs that.
#[derive(Debug, Clone, PartialEq)]
pub enum Agreement {
    /// It needs nobody.
    NotNeeded,
    /// This person did, or broke the glass.
    Given(Untrusted),
    /// Somebody still has to: this rule says who.
    Wanted(Approve),
}

impl Acting {
    /// The step it is about.
    pub(super) fn step(&self) -> Option<&str> {
        match self {
            Self::AskApproval { step, .. }
            | Self::Approve { step, .. }
            | Self::BreakGlass { step, .. }
            | Self::Begin { step, .. }
            | Self::End { step, .. }
            | Self::Lose { step, .. }
            | Self::Confirm { step, .. }
            | Self::Check { step, .. }
            | Self::TakeLease { step, .. }
            | Self::Watch { step, .. }
            | Self::Reset { step, .. }
            | Self::Stage { step, .. }
            | Self::Watched { step, .. } => Some(step),
            Self::Rebase { .. } => None,
        }
    }
}

impl Incident {
    /// Whether an act of this step by this person is agreed to, as of now.
    pub fn agreement(&self, index: usize, actor: &Untrusted, now: Timestamp) -> Agreement {
        let Some(rule) = &self.runbook.book.steps[index].guard.approve else { return Agreement::NotNeeded };
        let acts = &self.steps[index].acts;
        let holds = i64::try_from(rule.within_ms.unwrap_or(APPROVAL_HOLDS_MS)).unwrap_or(i64::MAX);
        let oldest = now.saturating_sub(SignedDuration::from_millis(holds)).unwrap_or(now);
        let fits = |who: &Untrusted| match rule.by.raw() {
            "other" => who != actor,
            name => who.raw() == name && who != actor,
        };
        if let Some((_, who)) = acts.approved.iter().rfind(|(at, who)| *at >= oldest && fits(who)) {
            return Agreement::Given(who.clone());
        }
        match &acts.glass {
            Some((at, who, _)) if rule.break_glass && *at >= oldest && who == actor => {
                Agreement::Given(who.clone())
            }
            _ => Agreement::Wanted(rule.clone()),
        }
    }

    /// What an act with a step records.
    pub(super) fn handle_acting(
        &self,
        act: Acting,
        now: Timestamp,
        actor: &Untrusted,
    ) -> Result<Vec<IncidentEvent>> {
        let index = act.step().map(|step| self.find(step)).transpose()?;
        let one = |event: ActingEvent| Ok(vec![IncidentEvent::Acting(event)]);
        let Some(index) = index else {
            return match act {
                Acting::Rebase { runbook } => self.rebase(runbook),
                _ => Ok(Vec::new()),
            };
        };
        let step = self.id(index);
        match act {
            Acting::AskApproval { plan, .. } => one(ActingEvent::ApprovalAsked { step, plan }),
            Acting::Approve { note, .. } => {
                self.may_approve(index, actor)?;
                one(ActingEvent::Approved { step, note })
            }
            Acting::BreakGlass { reason, .. } => {
                self.may_break_glass(index, &reason)?;
                one(ActingEvent::GlassBroken { step, reason })
            }
            Acting::Begin { act, plan, again, .. } => {
                self.may_begin(index, again, actor, now)?;
                let mut events = self.begun(index, actor);
                events.push(IncidentEvent::Acting(ActingEvent::ActBegun { step, act, plan }));
                Ok(events)
            }
            Acting::End { act, done, said, effect, .. } => {
                self.is_last(index, &act)?;
                let event = ActingEvent::ActEnded { step: step.clone(), act, done, said };
                let event = IncidentEvent::Acting(event);
                if !done || effect || self.steps[index].state.is_settled() {
                    return Ok(vec![event]);
                }
                // What was said stands in the event before.
                let settled = IncidentEvent::StepDone { step, note: None };
                Ok([event].into_iter().chain(self.settle(index, settled)).collect())
            }
            Acting::Lose { act, why, .. } => {
                self.is_last(index, &act)?;
                one(ActingEvent::ActUnknown { step, act, why })
            }
            Acting::Confirm { words, .. } => {
                self.expect(index, &[StepStatus::Todo, StepStatus::Doing])?;
                let seen = ActingEvent::EffectSeen { step: step.clone(), confirmed: true, words };
                let settled = IncidentEvent::StepDone { step, note: None };
                Ok([IncidentEvent::Acting(seen)].into_iter().chain(self.settle(index, settled)).collect())
            }
            Acting::Check { found, .. } => {
                self.expect(index, &[StepStatus::Todo, StepStatus::Doing])?;
                let (verdict, words) = (found.verdict, found.words.clone());
                let mut events = self.begun(index, actor);
                events.push(IncidentEvent::Acting(ActingEvent::Checked { step: step.clone(), found }));
                if verdict == Verdict::Ok {
                    let fills = self.runbook.book.steps[index].fills.is_some();
                    let settled = IncidentEvent::StepDone { step, note: Some(words).filter(|_| fills) };
                    // Its phase was entered by the events before.
                    events.extend(self.settle(index, settled).into_iter().filter(|event| {
                        !matches!(event, IncidentEvent::PhaseEntered { phase } if *phase == self.runbook.book.steps[index].phase)
                    }));
                }
                Ok(events)
            }
            Acting::TakeLease { from, .. } => one(ActingEvent::LeaseTaken { step, from }),
            Acting::Watch { bounds, .. } => {
                self.expect(index, &[StepStatus::Todo, StepStatus::Doing])?;
                let mut events = self.begun(index, actor);
                events.push(IncidentEvent::Acting(ActingEvent::WatchBegun { step, bounds }));
                Ok(events)
            }
            Acting::Reset { why, .. } => one(ActingEvent::WatchReset { step, why }),
            Acting::Stage { stage, .. } => one(ActingEvent::StageEntered { step, stage }),
            Acting::Watched { words, .. } => {
                self.expect(index, &[StepStatus::Todo, StepStatus::Doing])?;
                Ok(self.settle(index, IncidentEvent::StepDone { step, note: Some(words) }))
            }
            Acting::Rebase { .. } => Ok(Vec::new()),
        }
    }

    /// A step that nobody began falls to who acts in it.
    fn begun(&self, index: usize, actor: &Untrusted) -> Vec<IncidentEvent> {
        let mut events = self.catch_up(index);
        if self.steps[index].state == StepStatus::Todo {
            let owner = self.steps[index].owner.clone().unwrap_or_else(|| actor.clone());
            events.push(IncidentEvent::StepStarted { step: self.id(index), owner, note: None });
        }
        events
    }

    fn may_approve(&self, index: usize, actor: &Untrusted) -> Result<()> {
        let (step, state) = (&self.runbook.book.steps[index], &self.steps[index]);
        let title = step.title.raw();
        let Some(rule) = &step.guard.approve else {
            return Err(Error::not_so(format!("“{title}” needs nobody's approval.")).hint(format!(
                "Run it: tuesday incident step {} {}",
                self.name(),
                step.id
            )));
        };
        self.expect(index, &[StepStatus::Todo, StepStatus::Doing])?;
        if rule.by.raw() != "other" && rule.by != *actor {
            return Err(Error::not_so(format!("“{title}” is for {} to approve.", rule.by.raw()))
                .hint("Fetch them, or let the runbook say another."));
        }
        if state.acts.asked.as_ref().is_some_and(|(_, by)| by == actor) {
            return Err(Error::not_so(format!(
                "{} asked for the approval of “{title}”: somebody else gives it.",
                actor.raw()
            ))
            .hint("Another person runs the same command under their own name (--reviewer)."));
        }
        Ok(())
    }

    fn may_break_glass(&self, index: usize, reason: &Untrusted) -> Result<()> {
        let step = &self.runbook.book.steps[index];
        let title = step.title.raw();
        match &step.guard.approve {
            None => Err(Error::not_so(format!("“{title}” needs nobody's approval: there is no glass."))
                .hint(format!("Run it: tuesday incident step {} {}", self.name(), step.id))),
            Some(rule) if !rule.break_glass => {
                Err(Error::not_so(format!("The runbook lets nobody act alone in “{title}”."))
                    .hint("A second person approves it with --approve."))
            }
            Some(_) if reason.raw().trim().is_empty() => {
                Err(Error::not_so("Whoever acts alone says why.")
                    .hint("Give the reason: --break-glass REASON"))
            }
            Some(_) => Ok(()),
        }
    }

    fn may_begin(&self, index: usize, again: bool, actor: &Untrusted, now: Timestamp) -> Result<()> {
        self.expect(index, &[StepStatus::Todo, StepStatus::Doing])?;
        let (step, state) = (&self.runbook.book.steps[index], &self.steps[index]);
        let (name, id, title) = (self.name(), &step.id, step.title.raw());
        if let Some(act) = &state.acts.act {
            let (by, at) = (act.by.raw(), clock_words(act.begun_at));
            match act.stage {
                ActStage::Failed => {}
                ActStage::Unknown if again => {}
                ActStage::Begun => {
                    return Err(Error::not_so(format!("{by} carries out “{title}” of {name} since {at}."))
                        .hint(format!("Look what becomes of it: tuesday incident show {name}")));
                }
                ActStage::Done => {
                    return Err(Error::not_so(format!(
                        "“{title}” of {name} was carried out by {by} at {at}."
                    ))
                    .hint(format!("Sign it off: tuesday incident step {name} {id} done --note TEXT"))
                    .hint(format!("To act again, take it up again: … {id} reopen")));
                }
                ActStage::Unknown => {
                    return Err(Error::not_so(format!(
                        "What came of “{title}”, begun by {by} at {at}, is not known; it is not repeated by itself."
                    ))
                    .hint(format!("If it was done: tuesday incident step {name} {id} done --note TEXT"))
                    .hint(format!("If it was not: … {id} reopen, and run it anew"))
                    .hint(match &step.kind {
                        kind if kind.is_idempotent() => format!("Running it twice does no harm: … {id} --again"),
                        _ => "The runbook does not say that running it twice does no harm.".to_owned(),
                    }));
                }
            }
        }
        match self.agreement(index, actor, now) {
            Agreement::Wanted(rule) => {
                let who = match rule.by.raw() {
                    "other" => "a second person".to_owned(),
                    name => name.to_owned(),
                };
                let error = Error::not_so(format!("“{title}” of {name} waits for {who} to approve it."))
                    .hint(format!("They run: tuesday incident step {name} {id} --approve"));
                Err(match rule.break_glass {
                    true => error.hint(format!("If nobody is there: … {id} --break-glass REASON")),
                    false => error,
                })
            }
            Agreement::NotNeeded | Agreement::Given(_) => Ok(()),
        }
    }

    /// An act that was taken over or overtaken is not ended by who began it.
    fn is_last(&self, index: usize, act: &str) -> Result<()> {
        let last = self.steps[index].acts.act.as_ref();
        if last.is_some_and(|last| last.id == act) {
            return Ok(());
        }
        let title = self.runbook.book.steps[index].title.raw();
        Err(Error::not_so(format!("Somebody else acts in “{title}” by now.")).hint("Look at the timeline."))
    }

    fn rebase(&self, runbook: Pinned) -> Result<Vec<IncidentEvent>> {
        let name = self.name();
        if runbook.hash == self.runbook.hash {
            return Err(Error::not_so(format!("{name} has this very text of its runbook."))
                .hint("Change the file first, or name another with --runbook."));
        }
        if let Some((index, _)) = self.unsettled_act() {
            let step = &self.runbook.book.steps[index];
            return Err(Error::not_so(format!("“{}” of {name} is not settled.", step.title.raw()))
                .hint("Settle it first: what came of an act is told by the text that it was begun with."));
        }
        Ok(vec![IncidentEvent::Acting(ActingEvent::Rebased { runbook })])
    }

    /// Signing an act off whose effect nobody has seen says so in the record.
    pub(super) fn unconfirmed(&self, index: usize) -> Option<IncidentEvent> {
        let StepKind::Flag { effect: Some(_), .. } = &self.runbook.book.steps[index].kind else {
            return None;
        };
        let act = self.steps[index].acts.act.as_ref()?;
        let waits = act.stage != ActStage::Failed && act.effect.is_none();
        waits.then(|| {
            IncidentEvent::Acting(ActingEvent::EffectSeen {
                step: self.id(index),
                confirmed: false,
                words: "the traces were not waited for".into(),
            })
        })
    }
}
