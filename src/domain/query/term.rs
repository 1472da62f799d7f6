//! The tests that a query can put to a trace. Lists are any-of, in the order written.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::domain::{FailureKind, Status};

/// One test of a trace.
#[derive(Debug, Clone, PartialEq)]
pub enum Term {
    /// Words or phrases in the text: free words, `input:`, `output:`.
    Text {
        /// Where to look.
        side: Side,
        /// What to find.
        any: Vec<Word>,
    },
    /// `id:`, `session:`, `user:`, whole values.
    Id {
        /// Which.
        field: IdField,
        /// Their values.
        any: Vec<String>,
    },
    /// A name such as `model:gpt-4o`; `model:*` is any trace that has one.
    Name {
        /// Which.
        field: NameField,
        /// Their values.
        any: Vec<Word>,
    },
    /// `prompt:name`, `prompt:name@version`, `prompt:@version`.
    Prompt(Vec<PromptRef>),
    /// `status:`.
    Status(Vec<Status>),
    /// `error:`.
    Error(Vec<FailureKind>),
    /// `feedback:`.
    Feedback(Vec<FeedbackWord>),
    /// `fallback:yes` or `fallback:no`.
    Fallback(Vec<bool>),
    /// A figure in whole base units; see [`NumberField`]. A trace without the figure does not match.
    Number {
        /// Which.
        field: NumberField,
        /// The comparison.
        test: NumberTest<i64>,
    },
    /// `score.NAME>0.5`. A trace without the score does not match.
    Score {
        /// The score's name.
        name: String,
        /// The comparison.
        test: NumberTest<f64>,
    },
    /// `metadata.KEY:value`.
    Metadata {
        /// The key, or a path of keys joined by dots.
        key: String,
        /// Its values as text.
        any: Vec<Word>,
    },
    /// `since:`, `before:`, `time:`.
    Time(TimeRange),
    /// `judged:pass` or `judged:fail`: what counts for quality, a person's label, else the judge's word.
    Judged(Vec<bool>),
    /// `label:`.
    Label(Vec<LabelWord>),
    /// `mode:`, `severity:`, `reviewer:` of a present label, `sample:` by name.
    Work {
        /// Which.
        field: WorkField,
        /// Their values.
        any: Vec<Word>,
    },
}

/// A value as written: whole, or with a `*` after it anything that begins so.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Word {
    /// The text.
    pub text: String,
    /// Whether longer values match too.
    pub prefix: bool,
}

impl Word {
    /// This very value.
    pub fn exact(text: impl Into<String>) -> Self {
        Self { text: text.into(), prefix: false }
    }

    /// Whether a value is meant. Compares bytes.
    pub fn matches(&self, value: &str) -> bool {
        if self.prefix { value.starts_with(&self.text) } else { value == self.text }
    }
}

/// Where words are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// In input and output.
    Any,
    /// In the input.
    Input,
    /// In the output.
    Output,
}

/// Fields of whole values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdField {
    /// The trace's own id.
    Id,
    /// The session's.
    Session,
    /// The user's.
    User,
}

/// Fields of names that repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameField {
    /// The LLM feature.
    Feature,
    /// The model.
    Model,
    /// The version of the prompt.
    Version,
    /// The experiment.
    Experiment,
    /// The side of the experiment.
    Arm,
    /// A tag.
    Tag,
    /// The language that the source states.
    Language,
}

/// A prompt, a version of it, or that version of any prompt. One of the two is there.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PromptRef {
    /// The prompt's name.
    pub name: Option<Word>,
    /// The version.
    pub version: Option<Word>,
}

/// What `feedback:` may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedbackWord {
    /// A thumb up.
    Up,
    /// A thumb down.
    Down,
    /// A report.
    Report,
    /// The user asked again.
    FollowUp,
    /// Any of these.
    Any,
    /// None of these.
    None,
}

/// What `label:` may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabelWord {
    /// A present label passes it.
    Pass,
    /// A present label fails it.
    Fail,
    /// A present label is unsure.
    Unsure,
    /// There is a label.
    Any,
    /// There is none.
    None,
}

/// Fields of people's work on a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkField {
    /// Failure mode of a label.
    Mode,
    /// Severity of a label.
    Severity,
    /// Who labelled.
    Reviewer,
    /// A sample that the trace is in.
    Sample,
}

/// Figures of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberField {
    /// Whole time, in microseconds.
    Latency,
    /// Time to the first token, in microseconds.
    Ttft,
    /// Cost, in 1e-9 US dollars.
    Cost,
    /// Tokens read.
    TokensIn,
    /// Tokens written.
    TokensOut,
}

/// A comparison with a figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum NumberTest<T> {
    /// More than.
    Gt(T),
    /// At least.
    Ge(T),
    /// Less than.
    Lt(T),
    /// At most.
    Le(T),
    /// Exactly.
    Eq(T),
    /// From the first to the second, both included.
    Between(T, T),
}

/// When the request was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeRange {
    /// Not before the start of this: `since:`.
    Since(TimeBound),
    /// Before the start of this: `before:`.
    Before(TimeBound),
    /// Up to the end of this: `time:..B`.
    UpTo(TimeBound),
    /// From the start of one to the end of the other: `time:A..B`; for an instant that end is itself.
    Within(TimeBound, TimeBound),
}

/// A point in time. Days are of UTC, so that a query means the same on every machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeBound {
    /// So many milliseconds before now.
    Ago(i64),
    /// The day that holds now.
    Today,
    /// The day before.
    Yesterday,
    /// A day.
    Day(Date),
    /// An instant.
    At(Timestamp),
}

impl TimeBound {
    /// First millisecond of it, since the epoch.
    pub fn start(self, now: Timestamp) -> i64 {
        match self {
            Self::Ago(ms) => now.as_millisecond().saturating_sub(ms),
            Self::At(at) => at.as_millisecond(),
            Self::Today | Self::Yesterday | Self::Day(_) => {
                self.day(now).map_or(now.as_millisecond(), midnight)
            }
        }
    }

    /// First millisecond after it.
    pub fn end(self, now: Timestamp) -> i64 {
        match self.day(now).map(|day| day.tomorrow()) {
            None => self.start(now),
            Some(Ok(next)) => midnight(next),
            Some(Err(_)) => i64::MAX,
        }
    }

    fn day(self, now: Timestamp) -> Option<Date> {
        match self {
            Self::Day(day) => Some(day),
            Self::Today => Some(TimeZone::UTC.to_datetime(now).date()),
            Self::Yesterday => TimeZone::UTC.to_datetime(now).date().yesterday().ok(),
            Self::Ago(_) | Self::At(_) => None,
        }
    }
}

fn midnight(day: Date) -> i64 {
    TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0)).map_or(i64::MAX, |start| start.as_millisecond())
}

impl TimeRange {
    /// The range in milliseconds since the epoch: from (included) to (excluded).
    pub fn bounds(&self, now: Timestamp) -> (Option<i64>, Option<i64>) {
        match self {
            Self::Since(from) => (Some(from.start(now)), None),
            Self::Before(to) => (None, Some(to.start(now))),
            Self::UpTo(to) => (None, Some(to.end(now))),
            Self::Within(from, to) => (Some(from.start(now)), Some(to.end(now))),
        }
    }
}
