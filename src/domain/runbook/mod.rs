//! A runbook: the steps of an incident in six phases, as a team keeps them in a file.
//!
//! Types only; `wire::read::runbook` reads the file. Every kind of step is known here with all that
//! the file says of it, so that a step can be shown before anything can carry it out. To add a kind:
//! a variant of [`StepKind`], its keys in the reader, its sentence in [`would()`].

mod limit;
mod phase;
pub mod template;
mod would;

use serde::{Deserialize, Serialize};

use super::Untrusted;

pub use limit::{Limit, Op, Rule, duration_ms};
pub use phase::{Phase, Severity};
pub use would::would;

/// A whole runbook. Its serde form is pinned into the incidents opened with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Runbook {
    /// What it is called.
    pub name: Untrusted,
    /// The feature it is for; `None` fits any.
    #[serde(default)]
    pub feature: Option<Untrusted>,
    /// From which figures each severity is proposed, worst first.
    #[serde(default)]
    pub severity: Vec<(Severity, Rule)>,
    /// How often people want to hear something, by severity, in milliseconds.
    #[serde(default)]
    pub update_every_ms: Vec<(Severity, u64)>,
    /// Names of environment variables that steps may use; never values.
    #[serde(default)]
    pub secrets: Vec<Untrusted>,
    /// The steps in the file's order; phases never run backwards in it.
    pub steps: Vec<Step>,
}

impl Runbook {
    /// The steps of one phase, with their place in [`steps`](Self::steps).
    pub fn steps_of(&self, phase: Phase) -> impl Iterator<Item = (usize, &Step)> {
        self.steps.iter().enumerate().filter(move |(_, step)| step.phase == phase)
    }

    /// Finds a step by its id, or by its number (from 1, over the whole runbook).
    pub fn find(&self, name: &str) -> Option<usize> {
        self.steps.iter().position(|step| step.id == name).or_else(|| {
            let number: usize = name.parse().ok()?;
            (1..=self.steps.len()).contains(&number).then(|| number - 1)
        })
    }

    /// The worst severity whose rule the figures meet; `None` when no rule does.
    pub fn suggest(&self, figure: impl Fn(&str) -> Option<f64>) -> Option<Severity> {
        self.severity.iter().filter(|(_, rule)| rule.holds(&figure)).map(|(severity, _)| *severity).min()
    }
}

/// One step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Names the step for good: small letters, digits, `-`, `_`; unique in the runbook.
    pub id: String,
    /// Where it belongs.
    pub phase: Phase,
    /// One line.
    pub title: Untrusted,
    /// What to do and why, in Markdown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub say: Option<Untrusted>,
    /// The role or person it falls to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Untrusted>,
    /// How long it may take before the incident should move on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub box_ms: Option<u64>,
    /// Figures shown beside it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub show: Vec<Figure>,
    /// The part of the post-mortem that the note of this step becomes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fills: Option<Section>,
    /// What it takes before an acting step acts.
    #[serde(default)]
    pub guard: Guard,
    /// What it is and does.
    #[serde(flatten)]
    pub kind: StepKind,
}

/// What a step is and does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum StepKind {
    /// A person acts and signs.
    Manual,
    /// A figure or a built-in analysis, held against a limit.
    Check {
        /// Which: `ingest_lag`, `attribution`, `onset`, `users`, …
        metric: Untrusted,
        /// What it must be; none means that it is only shown.
        must: Option<Limit>,
        /// The time looked at, back from now.
        window_ms: Option<u64>,
        /// The time before that, which says what is usual.
        baseline_ms: Option<u64>,
    },
    /// A program of the team, started without a shell unless the file says otherwise.
    Command {
        /// Program and arguments; through a shell: its text, then what it sees as `$1`, `$2`, ….
        run: Vec<Untrusted>,
        /// What to run instead for a dry run.
        dry_run: Vec<Untrusted>,
        /// Whether it goes through `sh -c`. The shell's text is never filled.
        #[serde(default)]
        shell: bool,
        /// Stopped after this long.
        timeout_ms: u64,
        /// Whether running it twice does no harm.
        idempotent: bool,
        /// The only environment variables passed on.
        env: Vec<Untrusted>,
    },
    /// One HTTP request.
    Http {
        /// `GET`, `POST`, …
        method: String,
        /// Where to.
        url: Untrusted,
        /// Headers; a value `env:NAME` is read from the environment when it acts.
        header: Vec<(Untrusted, Untrusted)>,
        /// The body.
        json: Option<serde_json::Value>,
        /// Status codes that mean that it took.
        expect: Vec<u16>,
        /// Given up after this long.
        timeout_ms: u64,
        /// Whether sending it twice does no harm.
        #[serde(default)]
        idempotent: bool,
        /// What is asked on a weekday to find out whether it would be taken.
        #[serde(default)]
        check: Probe,
    },
    /// Switches a feature.
    Flag {
        /// The flag; none means the switch of the incident's feature.
        flag: Option<Untrusted>,
        /// What to.
        to: Untrusted,
        /// What takes it back.
        undo: Option<Untrusted>,
        /// What the traces must show before it counts as having taken.
        effect: Option<Effect>,
    },
    /// Puts an earlier prompt version back.
    Rollback {
        /// The prompt; none means the prompt of the incident's feature.
        prompt: Option<Untrusted>,
        /// A version, or `last_known_good`.
        to: Untrusted,
    },
    /// Watches figures until they have been good for long enough; a breach starts the clock again.
    Monitor {
        /// How long they must stay good.
        for_ms: u64,
        /// How often they are looked at.
        every_ms: u64,
        /// Shares of the traffic, in percent, each watched in turn.
        stages: Vec<u8>,
        /// What must hold.
        must: Vec<Criterion>,
    },
    /// A typed answer, or one of a few.
    Ask {
        /// The answers offered; empty means free text.
        choices: Vec<Untrusted>,
    },
    /// A deployment checklist that must be met.
    Gate {
        /// The checklist's file; none means the one of the incident's feature.
        checklist: Option<Untrusted>,
    },
}

impl StepKind {
    /// Its name in the file.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Check { .. } => "check",
            Self::Command { .. } => "command",
            Self::Http { .. } => "http",
            Self::Flag { .. } => "flag",
            Self::Rollback { .. } => "rollback",
            Self::Monitor { .. } => "monitor",
            Self::Ask { .. } => "ask",
            Self::Gate { .. } => "gate",
        }
    }

    /// The answers that it offers.
    pub fn choices(&self) -> &[Untrusted] {
        match self {
            Self::Ask { choices } => choices,
            _ => &[],
        }
    }

    /// Whether doing it twice does no harm: a flag and a version are set, not turned.
    pub fn is_idempotent(&self) -> bool {
        match self {
            Self::Command { idempotent, .. } | Self::Http { idempotent, .. } => *idempotent,
            _ => true,
        }
    }

    /// Whether it goes through a shell.
    pub fn is_shell(&self) -> bool {
        matches!(self, Self::Command { shell: true, .. })
    }

    /// Whether it changes something outside of tuesday.
    pub fn acts(&self) -> bool {
        matches!(self, Self::Command { .. } | Self::Http { .. } | Self::Flag { .. } | Self::Rollback { .. })
    }
}

/// What is asked in the place of an http step while nothing is wrong, with the step's own keys. It changes nothing:
/// `GET`, `HEAD` and `OPTIONS` are safe by RFC 9110, 9.2.1.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Probe {
    /// A `GET` of the step's own address.
    #[default]
    Usual,
    /// Nothing: what is behind the address acts on any request.
    Nothing,
    /// What the file says.
    Own {
        /// `GET`, `HEAD` or `OPTIONS`.
        method: String,
        /// Where to, on the step's own host; none means the step's address.
        url: Option<Untrusted>,
        /// Status codes that are right; none means any from 200 to 299.
        expect: Vec<u16>,
    },
}

/// What it takes before an acting step acts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Guard {
    /// How the person at the keyboard confirms.
    #[serde(default)]
    pub confirm: Confirm,
    /// Who else has to agree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approve: Option<Approve>,
}

/// How a person confirms an act.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confirm {
    /// Not at all: for acts that change nothing.
    None,
    /// With a key.
    #[default]
    Key,
    /// By typing the feature's name.
    Type,
}

/// A second person's agreement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Approve {
    /// `other`: anybody but who acts; else a name.
    pub by: Untrusted,
    /// How long to wait for them.
    pub within_ms: Option<u64>,
    /// Whether one person may act alone with a typed reason.
    pub break_glass: bool,
}

/// What the traces must show after a switch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// Which figure.
    pub metric: Untrusted,
    /// What it must be.
    pub must: Limit,
    /// For how long.
    pub for_ms: u64,
    /// Requests that must have been expected in that time; fewer prove nothing.
    pub min_expected: u64,
}

/// One thing that must hold while a monitor step watches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Criterion {
    /// Which figure.
    pub metric: Untrusted,
    /// The prompt version that it is taken over; none means all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Untrusted>,
    /// How it is compared.
    pub op: Op,
    /// With what.
    pub value: Bound,
    /// The confidence at which it counts as proven, 0..1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prove: Option<f64>,
}

/// What a criterion compares with.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// This figure.
    Is(f64),
    /// Halfway between the usual figure and the incident's: one at the usual could never be proven.
    Halfway,
}

/// A figure shown beside a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Figure {
    /// Requests.
    Requests,
    /// Errors by kind and their share.
    Errors,
    /// Share of thumbs that point down.
    ThumbsDown,
    /// Users touched.
    Users,
    /// All of these by prompt version.
    ByVersion,
    /// Since when it is so.
    Since,
    /// p95 latency.
    Latency,
    /// Cost per request.
    Cost,
}

impl Figure {
    /// All, in the order in which they are shown.
    pub const ALL: [Self; 8] = [
        Self::Requests,
        Self::Errors,
        Self::ThumbsDown,
        Self::Users,
        Self::Latency,
        Self::Cost,
        Self::ByVersion,
        Self::Since,
    ];

    /// Its name in the file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Errors => "errors",
            Self::ThumbsDown => "thumbs_down",
            Self::Users => "users",
            Self::ByVersion => "by_version",
            Self::Since => "since",
            Self::Latency => "latency",
            Self::Cost => "cost",
        }
    }
}

/// A part of the post-mortem that a person writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Section {
    /// What happened, in a few sentences for somebody who was not there.
    Summary,
    /// What it meant for people, in words; the figures stand beside it.
    Impact,
    /// What set it off: the change or event that came before it.
    Trigger,
    /// The causes: the root, and what contributed.
    Why,
    /// How it was noticed, and why not sooner.
    Detection,
    /// What helped.
    WentWell,
    /// What did not.
    WentBadly,
    /// Where it could have been worse.
    Lucky,
    /// What keeps it from coming back.
    Prevention,
    /// Why the eval set did not have it, or why fewer than five of its traces are in it now.
    EvalSet,
}

impl Section {
    /// All, in the post-mortem's order.
    pub const ALL: [Self; 10] = [
        Self::Summary,
        Self::Impact,
        Self::Trigger,
        Self::Why,
        Self::Detection,
        Self::WentWell,
        Self::WentBadly,
        Self::Lucky,
        Self::Prevention,
        Self::EvalSet,
    ];

    /// Its name in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Summary => "summary",
            Self::Impact => "impact",
            Self::Trigger => "trigger",
            Self::Why => "why",
            Self::Detection => "detection",
            Self::WentWell => "went_well",
            Self::WentBadly => "went_badly",
            Self::Lucky => "lucky",
            Self::Prevention => "prevention",
            Self::EvalSet => "eval_set",
        }
    }

    /// Its heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::Summary => "Summary",
            Self::Impact => "Impact",
            Self::Trigger => "Trigger",
            Self::Why => "Why",
            Self::Detection => "Detection",
            Self::WentWell => "What went well",
            Self::WentBadly => "What went badly",
            Self::Lucky => "Where we were lucky",
            Self::Prevention => "Prevention",
            Self::EvalSet => "Eval set",
        }
    }

    /// The section of this name; dashes do for underscores.
    pub fn from_name(name: &str) -> Option<Self> {
        let name = name.replace('-', "_");
        Self::ALL.into_iter().find(|section| section.name() == name)
    }
}
