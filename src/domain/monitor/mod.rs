//! Monitors: rules over the traces, and what becomes of the alerts that they raise.
//!
//! A [`Rule`] says what is measured, by which test and against what; [`Life`] is the state machine that turns
//! readings into alerts. Pure: measuring is in `ops::monitor`. A further metric is a variant of [`Metric`], a
//! further test one of [`Test`]; the compiler lists the rest.

mod alert;
mod defaults;
mod life;
mod message;
mod notice;
mod receiver;
mod script;
#[cfg(test)]
mod tests;

use serde::{Serialize, Serializer};

use super::FailureKind;

pub use alert::{Alert, AlertState, Evidence, Fingerprint, Group, Silence, SliceShare, Times, alert_name};
pub use defaults::defaults;
pub use life::{Life, Reading, State, Turn};
pub use message::{Delivery, Message, RETRY_MINUTES, What};
pub use notice::{Grouping, Notice, feature_of};
pub use receiver::{Receiver, ReceiverKind};
pub use script::{Flow, RuleStep, RuleTest};

/// Milliseconds in a minute.
pub const MINUTE_MS: i64 = 60_000;
/// Milliseconds in an hour.
pub const HOUR_MS: i64 = 60 * MINUTE_MS;
/// Milliseconds in a day.
pub const DAY_MS: i64 = 24 * HOUR_MS;

/// All that a configuration says of monitors.
#[derive(Debug, Clone, PartialEq)]
pub struct Monitors {
    /// The one knob: false pages a month that all rules together may raise.
    pub false_pages_per_month: f64,
    /// The rules.
    pub rules: Vec<Rule>,
    /// Who is told.
    pub receivers: Vec<Receiver>,
    /// How alerts are gathered into messages.
    pub grouping: Grouping,
    /// The file that says so; `None`: nothing is said, and these are the defaults.
    pub file: Option<std::path::PathBuf>,
}

impl Default for Monitors {
    fn default() -> Self {
        Self {
            false_pages_per_month: 1.0,
            rules: defaults(),
            receivers: Vec::new(),
            grouping: Grouping::default(),
            file: None,
        }
    }
}

/// One rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Its name.
    pub id: String,
    /// The feature it watches; `None`: each for itself.
    pub feature: Option<String>,
    /// What each feature's traffic is told apart by, each value for itself.
    pub apart: Option<Apart>,
    /// What it measures.
    pub metric: Metric,
    /// How it decides.
    pub test: Test,
    /// What it holds the figure against.
    pub baseline: Baseline,
    /// The windows it looks through, in milliseconds, shortest first: whole multiples of an hour.
    pub windows: Vec<i64>,
    /// How often it is looked at, in milliseconds, where that is less often than its shortest window asks for: one
    /// of [`EVERY_MINUTES`].
    pub every: Option<i64>,
    /// Judged traces before it is armed.
    pub min_samples: u64,
    /// How long it must be bad before it fires, in milliseconds.
    pub hold_before: i64,
    /// When it is over.
    pub resolve: Resolve,
    /// How urgent it is; of a budget, how urgent it is when it is reached.
    pub severity: Urgency,
    /// Rules whose alert on the same feature keeps this one from being told.
    pub inhibited_by: Vec<String>,
    /// Receivers by name; empty: all.
    pub notify: Vec<String>,
    /// How often it is told again while it fires, in milliseconds.
    pub repeat: i64,
    /// The runbook to open.
    pub runbook: Option<String>,
    /// Whether a change of the judge pauses it.
    pub pin_judge: bool,
}

/// What traffic of a feature can be told apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Apart {
    /// The model that answered.
    Model,
    /// The prompt and its version.
    PromptVersion,
    /// The language.
    Language,
}

impl Apart {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Model, Self::PromptVersion, Self::Language];

    /// Its word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::PromptVersion => "prompt_version",
            Self::Language => "language",
        }
    }
}

/// What a rule measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Share of the judged traces that fail.
    FailShare,
    /// Share of the requests that failed with this kind; `None`: each kind for itself.
    ErrorShare(Option<FailureKind>),
    /// Share of the requests that a fallback answered.
    FallbackShare,
    /// Thumbs down, reports and questions asked again, in a hundred requests.
    NegativeShare,
    /// Share of the requests that took longer than so many milliseconds.
    SlowShare(i64),
    /// What a session costs.
    SessionCost,
    /// What a request costs, by the hour.
    RequestCost,
    /// What is spent in a day (UTC).
    Spend,
    /// Requests: whether there are any.
    Requests,
}

impl Metric {
    /// The words of the configuration.
    pub const NAMES: [&str; 9] = [
        "fail_share",
        "error_share",
        "fallback_share",
        "negative_share",
        "slow_share",
        "session_cost",
        "request_cost",
        "spend",
        "requests",
    ];

    /// Its word.
    pub fn name(self) -> &'static str {
        match self {
            Self::FailShare => "fail_share",
            Self::ErrorShare(_) => "error_share",
            Self::FallbackShare => "fallback_share",
            Self::NegativeShare => "negative_share",
            Self::SlowShare(_) => "slow_share",
            Self::SessionCost => "session_cost",
            Self::RequestCost => "request_cost",
            Self::Spend => "spend",
            Self::Requests => "requests",
        }
    }

    /// Whether its traffic can be told apart: neither judgements nor sessions are counted so, and what is silent or
    /// spent is asked of all together.
    pub fn is_told_apart(self) -> bool {
        !matches!(self, Self::FailShare | Self::SessionCost | Self::Spend | Self::Requests)
    }

    /// Kinds of tests that make sense of it.
    pub fn tests(self) -> &'static [&'static str] {
        match self {
            Self::FailShare => &["cusum", "page_hinkley"],
            Self::SessionCost => &["ratio"],
            Self::RequestCost => &["odd"],
            Self::Spend => &["budget"],
            Self::Requests => &["silence"],
            _ => &["share", "burn"],
        }
    }
}

impl Serialize for Metric {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.name())
    }
}

/// How a rule decides. Where `alpha` or `run` is not said, the knob sets it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Test {
    /// The exact upper tail of a clumped count, and an effect of at least this size.
    Share {
        /// The probability of a false alarm at one look.
        alpha: Option<f64>,
        /// The least share that matters.
        at_least: f64,
        /// Or so many times the usual one, where that is less.
        rise: Option<f64>,
        /// The share that is allowed: the usual one is never taken for more.
        target: Option<f64>,
        /// Fewer than so many are never an alarm.
        min_count: u64,
    },
    /// A Bernoulli CUSUM that tells `p1` from `p0`.
    Cusum {
        /// The share of failures that is well.
        p0: f64,
        /// The one that is not.
        p1: f64,
        /// Judgements to a false alarm, on average, at least.
        run: Option<f64>,
    },
    /// Page–Hinkley, where the usual share is not known.
    PageHinkley {
        /// A rise that does not matter.
        delta: f64,
        /// Where the alarm is.
        lambda: f64,
    },
    /// Welch on logs, one-sided, and a ratio of at least this.
    Ratio {
        /// The probability of a false alarm at one look.
        alpha: Option<f64>,
        /// The least ratio that matters.
        at_least: f64,
    },
    /// How odd the value of an hour is, on the log scale.
    Odd {
        /// So many robust standard deviations.
        z: f64,
    },
    /// The day's spending against a budget: a ticket on the way there, a page when it is reached or will be by far.
    Budget {
        /// In US dollars; `None`: twice the usual day stands for it, and nobody is woken for a limit that the team
        /// has not set.
        usd: Option<f64>,
        /// The share of a budget of the team from which there is a ticket.
        warn: f64,
        /// The forecast that is too much, in budgets.
        forecast: f64,
    },
    /// A gap in which so many requests were expected.
    Silence {
        /// At least; the knob may ask for more.
        expected: f64,
    },
    /// How fast the error budget burns, in a long and a short window at once.
    Burn {
        /// The share of requests that must be well.
        objective: f64,
    },
}

impl Test {
    /// The least share that matters where this one is usual, for a test of shares.
    pub fn matters(&self, usual: f64) -> f64 {
        match self {
            Self::Share { at_least, rise, .. } => rise.map_or(*at_least, |rise| at_least.min(rise * usual)),
            _ => 0.0,
        }
    }

    /// Its word.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Share { .. } => "share",
            Self::Cusum { .. } => "cusum",
            Self::PageHinkley { .. } => "page_hinkley",
            Self::Ratio { .. } => "ratio",
            Self::Odd { .. } => "odd",
            Self::Budget { .. } => "budget",
            Self::Silence { .. } => "silence",
            Self::Burn { .. } => "burn",
        }
    }
}

/// What a figure is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Baseline {
    /// What the test says.
    Target,
    /// The time before the window, of this length in milliseconds, without the hours of alerts.
    Trailing(i64),
    /// The same hour of so many weeks.
    SameHour(u32),
}

/// When an alert is over.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Resolve {
    /// Below this; `None`: halfway between the usual value and that of the alarm.
    pub below: Option<f64>,
    /// For so long, in milliseconds.
    pub hold: i64,
}

/// How urgent an alert is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Urgency {
    /// Somebody should look when there is time.
    Ticket,
    /// Somebody is woken.
    Page,
}

impl Urgency {
    /// Its word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ticket => "ticket",
            Self::Page => "page",
        }
    }
}

impl Rule {
    /// How often it is looked at, in milliseconds: a twelfth of its shortest window, or as it says.
    pub fn step(&self) -> i64 {
        self.every.unwrap_or_else(|| step_of(self.shortest()))
    }

    /// The last time up to this one at which it is looked at: only one that says how often has any of its own.
    pub fn look_before(&self, at: i64) -> i64 {
        self.every.map_or(at, |every| at.div_euclid(every) * every)
    }

    /// The shortest window.
    pub fn shortest(&self) -> i64 {
        self.windows.first().copied().unwrap_or(HOUR_MS)
    }

    /// The longest window.
    pub fn longest(&self) -> i64 {
        self.windows.last().copied().unwrap_or(HOUR_MS)
    }
}

/// The steps between looks that there are, in minutes. Each divides an hour or a day.
pub const EVERY_MINUTES: [i64; 11] = [5, 10, 15, 20, 30, 60, 120, 180, 240, 360, 720];

/// How often a window of this length is looked through: a twelfth of it, of which each look ends on a whole
/// multiple. So however often a rule is evaluated, it has the same looks, and the same false alarms. Steps divide
/// an hour or a day, so that a look at a whole hour or day is one of them.
pub fn step_of(window: i64) -> i64 {
    let fits = EVERY_MINUTES.into_iter().rev().find(|minutes| minutes * MINUTE_MS <= window / 12);
    fits.unwrap_or(5) * MINUTE_MS
}
