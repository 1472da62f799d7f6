//! What counts as failing while an incident is assessed, and how a query asks for it.

use crate::domain::monitor::{Evidence, Metric};
use crate::domain::query::{FeedbackWord, NumberField, NumberTest, Term};
use crate::domain::{Query, Status};
use crate::store::RequestRow;
use crate::text::figures::duration;

/// What is looked at of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// People's verdict, else judges'; requests that nobody judged are left out and counted apart.
    Judged,
    /// It gave no answer, or its user said that the answer was bad.
    Complaints,
    /// It gave no answer.
    Errors,
    /// A thumb down, a report, or the question asked again.
    Negative,
    /// A fallback answered.
    Fallback,
    /// It took longer than so many milliseconds.
    Slow(i64),
}

impl Measure {
    /// The names on the command line.
    pub const NAMES: [&'static str; 6] = ["judged", "complaints", "errors", "negative", "fallback", "slow"];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Judged => "judged",
            Self::Complaints => "complaints",
            Self::Errors => "errors",
            Self::Negative => "negative",
            Self::Fallback => "fallback",
            Self::Slow(_) => "slow",
        }
    }

    /// The measure of this name; `slow` is of 3 seconds.
    pub fn from_name(name: &str) -> Option<Self> {
        const USUAL_LIMIT_MS: i64 = 3000;
        [
            Self::Judged,
            Self::Complaints,
            Self::Errors,
            Self::Negative,
            Self::Fallback,
            Self::Slow(USUAL_LIMIT_MS),
        ]
        .into_iter()
        .find(|measure| measure.name() == name)
    }

    /// What a failing request is: `failed or complained of`.
    pub fn words(self) -> String {
        match self {
            Self::Judged => "judged to fail".to_owned(),
            Self::Complaints => "failed or complained of".to_owned(),
            Self::Errors => "without an answer".to_owned(),
            Self::Negative => "complained of".to_owned(),
            Self::Fallback => "answered by a fallback".to_owned(),
            Self::Slow(ms) => format!("over {}", duration(ms as f64)),
        }
    }

    /// Whether a request fails; `None` where that is not known of it.
    pub fn fails(self, row: &RequestRow) -> Option<bool> {
        match self {
            Self::Judged => row.judged.map(|judged| judged.failed),
            Self::Complaints => Some(row.failure().is_some() || row.is_negative()),
            Self::Errors => Some(row.failure().is_some()),
            Self::Negative => Some(row.is_negative()),
            Self::Fallback => Some(row.is_fallback()),
            Self::Slow(ms) => row.latency_us.map(|us| us > ms * 1000),
        }
    }

    /// The query of the requests of `of` that fail. A query cannot ask for one of two fields, so that of complaints
    /// asks for what there is more of: requests without an answer, where `mostly_errors`.
    pub(super) fn failing(self, of: Query, mostly_errors: bool) -> Query {
        let negative =
            || Term::Feedback(vec![FeedbackWord::Down, FeedbackWord::Report, FeedbackWord::FollowUp]);
        of.with(match self {
            Self::Judged => Term::Judged(vec![false]),
            Self::Errors => Term::Status(vec![Status::Error]),
            Self::Complaints if mostly_errors => Term::Status(vec![Status::Error]),
            Self::Complaints | Self::Negative => negative(),
            Self::Fallback => Term::Fallback(vec![true]),
            Self::Slow(ms) => Term::Number { field: NumberField::Latency, test: NumberTest::Gt(ms * 1000) },
        })
    }

    /// What an alert was about, where requests can say so one by one.
    pub(super) fn of_alert(evidence: &Evidence) -> Option<Self> {
        let is = |metric: Metric| evidence.metric == metric.name();
        if is(Metric::FailShare) {
            Some(Self::Judged)
        } else if is(Metric::ErrorShare(None)) {
            Some(Self::Errors)
        } else if is(Metric::FallbackShare) {
            Some(Self::Fallback)
        } else if is(Metric::NegativeShare) {
            Some(Self::Negative)
        } else if is(Metric::SlowShare(0)) {
            // The limit is said in the query of the slow requests.
            let query = Query::parse(&evidence.query).ok()?;
            query.terms().into_iter().find_map(|term| match term {
                Term::Number { field: NumberField::Latency, test: NumberTest::Gt(us) } => {
                    Some(Self::Slow(us / 1000))
                }
                _ => None,
            })
        } else {
            None
        }
    }
}
