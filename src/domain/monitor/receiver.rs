//! Who is told of an alert.

/// One receiver, as `[[notify]]` of the configuration says it. Addresses and keys are secrets: they come from
/// the environment, under the names that stand here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receiver {
    /// Its name; that of its kind unless it is said.
    pub name: String,
    /// What it is.
    pub kind: ReceiverKind,
}

/// What a receiver is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReceiverKind {
    /// `{"text": …}` to an incoming webhook: Slack, Mattermost, Discord's /slack.
    Slack {
        /// The variable that holds the address.
        url_env: String,
    },
    /// Alertmanager's webhook, version 4.
    Alertmanager {
        /// The variable that holds the address.
        url_env: String,
    },
    /// PagerDuty's Events API, version 2.
    PagerDuty {
        /// The variable that holds the address, instead of PagerDuty's own.
        url_env: Option<String>,
        /// The variable that holds the routing key.
        routing_key_env: Option<String>,
    },
    /// A program: the message as JSON on its standard input. No shell.
    Command(Vec<String>),
    /// The terminal's bell and a notice of the terminal (OSC 9), where `tuesday watch` runs.
    Bell,
}

impl ReceiverKind {
    /// The words of the configuration.
    pub const NAMES: [&str; 5] = ["slack", "alertmanager", "pagerduty", "command", "bell"];

    /// Its word.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Slack { .. } => "slack",
            Self::Alertmanager { .. } => "alertmanager",
            Self::PagerDuty { .. } => "pagerduty",
            Self::Command(_) => "command",
            Self::Bell => "bell",
        }
    }

    /// Whether each alert is told alone: it gathers them itself, by their own keys.
    pub fn is_told_alone(&self) -> bool {
        matches!(self, Self::PagerDuty { .. })
    }

    /// Whether it knows a message that it is told twice for the same one.
    pub fn knows_repeats(&self) -> bool {
        matches!(self, Self::Alertmanager { .. } | Self::PagerDuty { .. })
    }
}
