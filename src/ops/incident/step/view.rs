//! What faces are given: what a step would do, and what came of it.

use serde::Serialize;

use super::effect::EffectView;
use super::watch::WatchView;
use crate::domain::Untrusted;
use crate::domain::incident::Found;
use crate::domain::runbook::Confirm;

/// What a step would do, what would fail, and what it takes to let it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DryRun {
    /// `INC-7`.
    pub incident: String,
    /// The step's id.
    pub step: String,
    /// Its kind.
    pub kind: &'static str,
    /// Its title.
    pub title: Untrusted,
    /// Whether it changes something outside.
    pub acts: bool,
    /// What it does in general, in a sentence.
    pub would: Option<Untrusted>,
    /// What exactly would be done, a line a step. Keys are named, not shown.
    pub lines: Vec<Untrusted>,
    /// How it stands: `on`, `v4`.
    pub from: Option<Untrusted>,
    /// What it becomes.
    pub to: Option<Untrusted>,
    /// Whether anything changes.
    pub changes: bool,
    /// What would make it fail.
    pub fails: Vec<Untrusted>,
    /// What else is to be known.
    pub notes: Vec<Untrusted>,
    /// What takes it back.
    pub undo: Option<Untrusted>,
    /// How the person at the keyboard confirms it.
    pub confirm: Confirm,
    /// What they type, where it is confirmed by typing.
    pub type_this: Option<Untrusted>,
    /// Whether another person has to agree.
    pub approval: ApprovalView,
    /// What is known of an act that was begun before, where that is not settled.
    pub unsettled: Option<UnsettledView>,
    /// Whether doing it twice does no harm.
    pub idempotent: bool,
    /// Whether it would be done on copies.
    pub sandbox: bool,
}

/// Another person's agreement.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ApprovalView {
    /// Where it stands.
    pub state: ApprovalState,
    /// Who has to agree: `other`, a name; or who did.
    pub by: Option<Untrusted>,
    /// Since when it is waited for, and who asked.
    pub asked: Option<(jiff::Timestamp, Untrusted)>,
    /// Until when it is waited for; from then on one may act alone where that is allowed.
    pub until: Option<jiff::Timestamp>,
    /// Whether one person may act alone, and says why.
    pub break_glass: bool,
}

/// Where an agreement stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalState {
    /// Nobody has to agree.
    NotNeeded,
    /// Somebody has to, and was not asked.
    Wanted,
    /// Somebody was asked.
    Waiting,
    /// It was waited for in vain.
    Lapsed,
    /// Somebody agreed.
    Given,
}

/// An act that was begun and whose outcome is not known.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UnsettledView {
    /// Who began it.
    pub by: Untrusted,
    /// When.
    pub at: jiff::Timestamp,
    /// What it does.
    pub lines: Vec<Untrusted>,
    /// Whether somebody carries it out at this moment: then its outcome is still to come.
    pub runs: bool,
    /// Why its outcome is not known.
    pub why: Untrusted,
}

/// What came of running a step.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ran {
    /// `INC-7`.
    pub incident: String,
    /// The step's id.
    pub step: String,
    /// Its kind.
    pub kind: &'static str,
    /// Its title.
    pub title: Untrusted,
    /// What came of it.
    pub state: RanState,
    /// What was done, a line a step.
    pub lines: Vec<Untrusted>,
    /// How it stood before.
    pub from: Option<Untrusted>,
    /// What it became.
    pub to: Option<Untrusted>,
    /// What was seen or said.
    pub said: Option<Untrusted>,
    /// What a check found.
    pub found: Option<Found>,
    /// How a watch stands.
    pub watch: Option<WatchView>,
    /// Whether the traces show it.
    pub effect: Option<EffectView>,
    /// What takes it back.
    pub undo: Option<Untrusted>,
    /// Whether the step is done.
    pub settled: bool,
    /// What to do next, each a command.
    pub next: Vec<String>,
}

/// What came of running a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RanState {
    /// It was done.
    Done,
    /// It was not done.
    Failed,
    /// It may have been done.
    Unknown,
    /// It waits for another person.
    WaitingForApproval,
    /// It was looked at, and is as it must be.
    Ok,
    /// It was looked at, and is not.
    Breach,
    /// There is too little to tell.
    NotEnoughData,
    /// It was looked at; there is no limit.
    Shown,
    /// It is watched.
    Watching,
    /// This stage of a watch was held.
    StageHeld,
}

impl RanState {
    /// Its words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "did not take",
            Self::Unknown => "NOT KNOWN",
            Self::WaitingForApproval => "waits for a second person",
            Self::Ok => "ok",
            Self::Breach => "breach",
            Self::NotEnoughData => "not enough data",
            Self::Shown => "shown",
            Self::Watching => "watched",
            Self::StageHeld => "stage held",
        }
    }

    /// The exit code of the command: 0 where it went well.
    pub fn exit_code(self) -> u8 {
        u8::from(!matches!(self, Self::Done | Self::Ok | Self::Shown | Self::Watching | Self::StageHeld))
    }
}
