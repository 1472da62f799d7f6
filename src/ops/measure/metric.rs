//! The figures that runbooks name.

use crate::domain::runbook::duration_ms;

/// A figure of a feature over a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// `ingest_lag`: milliseconds since the newest trace of the store.
    IngestLag,
    /// `meter_changes`: judges that judge by another model, template or setting since the window began.
    MeterChanges,
    /// `fail_share`: share of the judged traces that fail, of samples that were drawn evenly.
    FailShare,
    /// `error_share`: share of the requests that failed.
    ErrorShare,
    /// `share_over_3s`: share of the requests that took longer, in milliseconds.
    ShareOver(u64),
    /// `fallback_share`: share of the requests that a fallback answered.
    FallbackShare,
    /// `negative_feedback`: thumbs down of all thumbs.
    NegativeFeedback,
    /// `model_answered`: requests that no fallback answered.
    ModelAnswered,
    /// `prompt_share`: share of those that a prompt version answered.
    PromptShare,
    /// `requests`: all requests.
    Requests,
    /// `cost_ratio`: what a request costs, against what it cost in the time before.
    CostRatio,
    /// `users`: share of the users with a failed request or a thumb down.
    Users,
}

/// An analysis, which answers with more than a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Analysis {
    /// `attribution`: which slice fails.
    Attribution,
    /// `onset`: since when.
    Onset,
    /// `users` without a limit: how many, and how many more than usual.
    Users,
    /// `versions`: how each prompt version does.
    Versions,
    /// `cost`: where the money goes.
    Cost,
}

/// What a check looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A figure.
    Metric(Metric),
    /// An analysis.
    Analysis(Analysis),
}

impl Metric {
    /// All names, with `3s` standing for any time.
    pub const NAMES: [&str; 12] = [
        "ingest_lag",
        "meter_changes",
        "fail_share",
        "error_share",
        "share_over_3s",
        "fallback_share",
        "negative_feedback",
        "model_answered",
        "prompt_share",
        "requests",
        "cost_ratio",
        "users",
    ];

    /// The figure of this name.
    pub fn parse(name: &str) -> Option<Self> {
        if let Some(limit) = name.strip_prefix("share_over_") {
            return duration_ms(limit).map(Self::ShareOver);
        }
        Some(match name {
            "ingest_lag" => Self::IngestLag,
            "meter_changes" => Self::MeterChanges,
            "fail_share" => Self::FailShare,
            "error_share" => Self::ErrorShare,
            "fallback_share" => Self::FallbackShare,
            "negative_feedback" | "thumbs_down" => Self::NegativeFeedback,
            "model_answered" => Self::ModelAnswered,
            "prompt_share" => Self::PromptShare,
            "requests" => Self::Requests,
            "cost_ratio" => Self::CostRatio,
            "users" => Self::Users,
            _ => return None,
        })
    }

    /// What it is called on a screen.
    pub fn title(self) -> String {
        match self {
            Self::IngestLag => "newest trace".to_owned(),
            Self::MeterChanges => "judges changed".to_owned(),
            Self::FailShare => "fail share".to_owned(),
            Self::ErrorShare => "error share".to_owned(),
            Self::ShareOver(ms) => format!("over {}", crate::text::figures::duration(ms as f64)),
            Self::FallbackShare => "fallback share".to_owned(),
            Self::NegativeFeedback => "thumbs down".to_owned(),
            Self::ModelAnswered => "answered by the model".to_owned(),
            Self::PromptShare => "on traffic".to_owned(),
            Self::Requests => "requests".to_owned(),
            Self::CostRatio => "cost against before".to_owned(),
            Self::Users => "users hit".to_owned(),
        }
    }

    /// Whether it is `k` of `n`, and its value a share.
    pub fn is_share(self) -> bool {
        matches!(
            self,
            Self::FailShare
                | Self::ErrorShare
                | Self::ShareOver(_)
                | Self::FallbackShare
                | Self::NegativeFeedback
                | Self::PromptShare
                | Self::Users
        )
    }
}

impl Subject {
    /// The figure or analysis of this name.
    pub fn parse(name: &str) -> Option<Self> {
        let analysis = match name {
            "attribution" => Some(Analysis::Attribution),
            "onset" => Some(Analysis::Onset),
            "versions" => Some(Analysis::Versions),
            "cost" => Some(Analysis::Cost),
            _ => None,
        };
        analysis.map(Self::Analysis).or_else(|| Metric::parse(name).map(Self::Metric))
    }
}
