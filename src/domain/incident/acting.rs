//! Steps that act: what of them goes into the record, and what the record comes to.
//!
//! An act is written down before it is begun and after it ended. A record that has the first line and not the
//! second says that nobody knows what came of it: it is *unknown*, and a person decides. Nothing here acts; that is
//! `ops::incident::step`. To add an event: a variant of [`ActingEvent`], an arm in `step`, `words` and
//! [`Incident::apply_acting`].

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Incident, Pinned, Recorded, StepState, StepStatus};
use crate::domain::Untrusted;
use crate::domain::runbook::Runbook;

/// What can happen to a step that acts, looks or watches. Kept like the other events, by `kind` and `payload`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "payload", rename_all = "snake_case")]
pub enum ActingEvent {
    /// Somebody wants to act, and another person has to agree.
    ApprovalAsked {
        /// The step, as in the next ones.
        step: String,
        /// What would be done.
        plan: ActPlan,
    },
    /// Another person agrees.
    Approved {
        /// The step.
        step: String,
        /// In their words.
        note: Option<Untrusted>,
    },
    /// One person acts alone, and says why.
    GlassBroken {
        /// The step.
        step: String,
        /// Why.
        reason: Untrusted,
    },
    /// An act begins: this is written before anything is done.
    ActBegun {
        /// The step.
        step: String,
        /// UUID v7 of the act; the `Idempotency-Key` of a request.
        act: String,
        /// What is done.
        plan: ActPlan,
    },
    /// An act ended, and it is known how.
    ActEnded {
        /// The step.
        step: String,
        /// The act.
        act: String,
        /// Whether it took.
        done: bool,
        /// What was seen or said.
        said: Option<Untrusted>,
    },
    /// What came of an act is not known.
    ActUnknown {
        /// The step.
        step: String,
        /// The act.
        act: String,
        /// Why.
        why: Untrusted,
    },
    /// The traces show whether an act took effect.
    EffectSeen {
        /// The step.
        step: String,
        /// Whether they do.
        confirmed: bool,
        /// What they show.
        words: Untrusted,
    },
    /// A step looked at something.
    Checked {
        /// The step.
        step: String,
        /// What it found.
        found: Found,
    },
    /// Somebody took the acting over while another held it.
    LeaseTaken {
        /// The step that they want to carry out.
        step: String,
        /// Who held it.
        from: Untrusted,
    },
    /// The incident goes on with another text of its runbook.
    Rebased {
        /// The new text.
        runbook: Pinned,
    },
    /// A monitor step began to watch.
    WatchBegun {
        /// The step.
        step: String,
        /// What each criterion is held against, in the order of the runbook: halfway marks are fixed here.
        bounds: Vec<Option<f64>>,
    },
    /// Something was not as it must be: the clock starts again.
    WatchReset {
        /// The step.
        step: String,
        /// What.
        why: Untrusted,
    },
    /// A stage was held for long enough; the next one begins.
    StageEntered {
        /// The step.
        step: String,
        /// Its share of the traffic, in percent.
        stage: u8,
    },
}

/// What an act does, as it was shown before it was done. Secrets are masked in it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ActPlan {
    /// A line a step.
    pub lines: Vec<Untrusted>,
    /// How it stood before: `on`, `v4`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Untrusted>,
    /// What it becomes: `off`, `v3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Untrusted>,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// How it is.
    pub verdict: Verdict,
    /// The figure with its interval and window, in a sentence.
    pub words: Untrusted,
    /// The figure: a share, a count, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// The query of the traces behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<Untrusted>,
}

/// How a figure is, held against its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As it must be.
    Ok,
    /// Not as it must be.
    Breach,
    /// There is too little to tell.
    NotEnoughData,
    /// It has no limit: it is only shown.
    Shown,
}

impl Verdict {
    /// Its words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Breach => "breach",
            Self::NotEnoughData => "not enough data",
            Self::Shown => "shown",
        }
    }
}

/// What the record says of a step that acts, looks or watches.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Acts {
    /// The last act.
    pub act: Option<ActState>,
    /// Who asked another person to agree, and when.
    pub asked: Option<(Timestamp, Untrusted)>,
    /// Who agreed to the act that is to come, and when.
    pub approved: Vec<(Timestamp, Untrusted)>,
    /// Who acts alone, since when and why.
    pub glass: Option<(Timestamp, Untrusted, Untrusted)>,
    /// What the last check found, and when.
    pub found: Option<(Timestamp, Found)>,
    /// The watch of a monitor step.
    pub watch: Option<Watch>,
}

/// An act.
#[derive(Debug, Clone, PartialEq)]
pub struct ActState {
    /// Its UUID.
    pub id: String,
    /// What it does.
    pub plan: ActPlan,
    /// Who acts.
    pub by: Untrusted,
    /// When it began.
    pub begun_at: Timestamp,
    /// How far it is.
    pub stage: ActStage,
    /// When that became known.
    pub ended_at: Option<Timestamp>,
    /// What was seen or said.
    pub said: Option<Untrusted>,
    /// Whether the traces show that it took effect, and in which words; none while nobody has said.
    pub effect: Option<(bool, Untrusted)>,
}

/// How far an act is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActStage {
    /// It was begun, and its end is not written down.
    Begun,
    /// It was done.
    Done,
    /// It was not done.
    Failed,
    /// It may have been done.
    Unknown,
}

/// A watch.
#[derive(Debug, Clone, PartialEq)]
pub struct Watch {
    /// What each criterion is held against.
    pub bounds: Vec<Option<f64>>,
    /// When the watching began.
    pub begun_at: Timestamp,
    /// Since when nothing was amiss: its beginning, the last breach, or the stage's beginning.
    pub clean_from: Timestamp,
    /// Breaches, with what was amiss.
    pub resets: Vec<(Timestamp, Untrusted)>,
    /// The stage that it is in, in percent of the traffic; none where the step has no stages.
    pub stage: Option<u8>,
}

impl ActingEvent {
    /// The step it is about.
    pub fn step(&self) -> Option<&str> {
        match self {
            Self::ApprovalAsked { step, .. }
            | Self::Approved { step, .. }
            | Self::GlassBroken { step, .. }
            | Self::ActBegun { step, .. }
            | Self::ActEnded { step, .. }
            | Self::ActUnknown { step, .. }
            | Self::EffectSeen { step, .. }
            | Self::Checked { step, .. }
            | Self::LeaseTaken { step, .. }
            | Self::WatchBegun { step, .. }
            | Self::WatchReset { step, .. }
            | Self::StageEntered { step, .. } => Some(step),
            Self::Rebased { .. } => None,
        }
    }

    /// Whether nobody who reads the record may miss it.
    pub fn stands_out(&self) -> bool {
        matches!(
            self,
            Self::GlassBroken { .. }
                | Self::ActUnknown { .. }
                | Self::LeaseTaken { .. }
                | Self::EffectSeen { confirmed: false, .. }
        )
    }

    /// Its line in the timeline. Holds people's words: clean before printing.
    pub fn words(&self, book: &Runbook) -> String {
        let title = |step: &str| {
            let step = book.steps.iter().find(|s| s.id == step).map_or(step, |s| s.title.raw());
            format!("“{step}”")
        };
        let lines = |plan: &ActPlan| plan.lines.iter().map(Untrusted::raw).collect::<Vec<_>>().join("; ");
        let told = |said: &Option<Untrusted>| {
            said.as_ref().filter(|said| !said.is_empty()).map(|said| format!(": {}", said.raw()))
        };
        match self {
            Self::ApprovalAsked { step, plan } => {
                format!("asks for a second person's approval of {}: {}", title(step), lines(plan))
            }
            Self::Approved { step, note } => {
                format!("approved {}{}", title(step), told(note).unwrap_or_default())
            }
            Self::GlassBroken { step, reason } => {
                format!("BREAK GLASS, acts alone in {}: {}", title(step), reason.raw())
            }
            Self::ActBegun { step, plan, .. } => format!("{} begins to act: {}", title(step), lines(plan)),
            Self::ActEnded { step, done: true, said, .. } => {
                format!("{} acted{}", title(step), told(said).unwrap_or_default())
            }
            Self::ActEnded { step, said, .. } => {
                format!("{} did not take{}", title(step), told(said).unwrap_or_default())
            }
            Self::ActUnknown { step, why, .. } => {
                format!("what came of {} is NOT KNOWN: {}", title(step), why.raw())
            }
            Self::EffectSeen { step, confirmed, words } => {
                let how = if *confirmed { "confirmed" } else { "UNCONFIRMED" };
                format!("effect of {} {how}: {}", title(step), words.raw())
            }
            Self::Checked { step, found } => {
                format!("{} {}: {}", title(step), found.verdict.words(), found.words.raw())
            }
            Self::LeaseTaken { step, from } => {
                format!("takes the acting over from {} to carry out {}", from.raw(), title(step))
            }
            Self::Rebased { runbook } => {
                format!("goes on with another text of the runbook “{}”", runbook.book.name.raw())
            }
            Self::WatchBegun { step, .. } => format!("{} begins to watch", title(step)),
            Self::WatchReset { step, why } => {
                format!("{} starts its clock again: {}", title(step), why.raw())
            }
            Self::StageEntered { step, stage } => format!("{}: stage {stage} %", title(step)),
        }
    }
}

impl Incident {
    /// Folds an event of a step that acts in.
    pub(super) fn apply_acting(&mut self, recorded: &Recorded, event: &ActingEvent) {
        let (at, by) = (recorded.happened_at, &recorded.actor);
        if let ActingEvent::Rebased { runbook } = event {
            return self.rebased(runbook);
        }
        let Some(state) = event.step().and_then(|step| self.state(step)) else { return };
        let acts = &mut state.acts;
        match event {
            ActingEvent::ApprovalAsked { .. } => acts.asked = Some((at, by.clone())),
            ActingEvent::Approved { .. } => acts.approved.push((at, by.clone())),
            ActingEvent::GlassBroken { reason, .. } => {
                acts.glass = Some((at, by.clone(), reason.clone()));
            }
            ActingEvent::ActBegun { act, plan, .. } => {
                // An agreement is to one act.
                (acts.asked, acts.glass) = (None, None);
                acts.approved.clear();
                acts.act = Some(ActState {
                    id: act.clone(),
                    plan: plan.clone(),
                    by: by.clone(),
                    begun_at: at,
                    stage: ActStage::Begun,
                    ended_at: None,
                    said: None,
                    effect: None,
                });
            }
            ActingEvent::ActEnded { act, done, said, .. } => {
                let stage = if *done { ActStage::Done } else { ActStage::Failed };
                end_act(acts, act, stage, at, said.clone());
            }
            ActingEvent::ActUnknown { act, why, .. } => {
                end_act(acts, act, ActStage::Unknown, at, Some(why.clone()));
            }
            ActingEvent::EffectSeen { confirmed, words, .. } => {
                if let Some(act) = &mut acts.act {
                    act.effect = Some((*confirmed, words.clone()));
                }
            }
            ActingEvent::Checked { found, .. } => acts.found = Some((at, found.clone())),
            ActingEvent::WatchBegun { bounds, .. } => {
                acts.watch = Some(Watch {
                    bounds: bounds.clone(),
                    begun_at: at,
                    clean_from: at,
                    resets: Vec::new(),
                    stage: None,
                });
            }
            ActingEvent::WatchReset { why, .. } => {
                if let Some(watch) = &mut acts.watch {
                    watch.clean_from = at;
                    watch.resets.push((at, why.clone()));
                }
            }
            ActingEvent::StageEntered { stage, .. } => {
                if let Some(watch) = &mut acts.watch {
                    watch.clean_from = at;
                    watch.stage = Some(*stage);
                }
            }
            ActingEvent::LeaseTaken { .. } | ActingEvent::Rebased { .. } => {}
        }
    }

    /// Goes on with another text: a step that has kept its id keeps its state.
    fn rebased(&mut self, runbook: &Pinned) {
        let mut before: Vec<(String, StepState)> = self
            .runbook
            .book
            .steps
            .iter()
            .map(|step| step.id.clone())
            .zip(std::mem::take(&mut self.steps))
            .collect();
        self.steps = runbook
            .book
            .steps
            .iter()
            .map(|step| match before.iter().position(|(id, _)| *id == step.id) {
                Some(at) => before.swap_remove(at).1,
                None => StepState { owner: step.owner.clone(), ..StepState::default() },
            })
            .collect();
        self.runbook = runbook.clone();
    }

    /// The step whose act is begun and not ended, or whose outcome is not known.
    pub fn unsettled_act(&self) -> Option<(usize, &ActState)> {
        self.steps.iter().enumerate().find_map(|(index, state)| {
            let act = state.acts.act.as_ref()?;
            let open = matches!(act.stage, ActStage::Begun | ActStage::Unknown);
            (open && !state.state.is_settled()).then_some((index, act))
        })
    }

    /// The last version that was gone back from in this incident: the one that did the harm.
    pub fn rolled_back_from(&self) -> Option<&Untrusted> {
        let steps = self.runbook.book.steps.iter().zip(&self.steps);
        steps
            .filter(|(step, _)| step.kind.name() == "rollback")
            .filter_map(|(_, state)| state.acts.act.as_ref())
            .filter(|act| act.stage == ActStage::Done)
            .max_by_key(|act| act.begun_at)
            .and_then(|act| act.plan.from.as_ref())
    }

    /// What a step that asks was answered.
    pub fn answer(&self, step: &str) -> Option<&Untrusted> {
        let index = self.runbook.book.steps.iter().position(|s| s.id == step)?;
        let state = &self.steps[index];
        (state.state == StepStatus::Done).then_some(state.note.as_ref()).flatten()
    }
}

fn end_act(acts: &mut Acts, id: &str, stage: ActStage, at: Timestamp, said: Option<Untrusted>) {
    if let Some(act) = acts.act.as_mut().filter(|act| act.id == id) {
        act.stage = stage;
        act.ended_at = Some(at);
        act.said = said;
    }
}
