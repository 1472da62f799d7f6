//! The one table of what a person can ask for inside the program. Keymap, help, hint line, palette,
//! `tuesday keys` and the README's table are made of it.
//!
//! A command is what a person wants; what happens then is for the screen. To add one: a row in the
//! file of its screen in `table/`, and an arm in that screen's `command`. A test finds rows without
//! an arm, and keys that clash.

mod docs;
mod key;
mod keymap;
#[cfg(test)]
mod readme;
pub mod table;

pub use docs::{keys_view, markdown, rows_in};
pub use key::{Code, Key, keys_text, parse_keys};
pub use keymap::{Found, Keymap, nearest};
pub use table::Row;

/// The name of a command, such as `review.pass`. Rows make them; they are matched as constants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(pub &'static str);

/// Where a command can be asked for: a screen, an overlay, or everywhere that no text is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// Every screen, while no overlay is open.
    Anywhere,
    Health,
    Traces,
    /// One trace in full.
    Trace,
    /// The list of samples.
    Samples,
    /// The queue of a sample.
    Review,
    Evals,
    /// The list of runs.
    Runs,
    /// One run with its cases.
    Run,
    /// Two runs compared.
    Comparison,
    /// The list of prompt versions and their gates.
    Gates,
    /// One gate with its items.
    Gate,
    /// The edge cases of a gate's run.
    GateEdges,
    /// The versions of a prompt.
    Prompts,
    /// The features and how they stand.
    Features,
    /// The list of incidents.
    Incidents,
    /// One incident with its steps.
    Incident,
    /// The post-mortem of an incident.
    Postmortem,
    /// The alerts and the rules.
    Monitors,
    /// One alert with what it stands on.
    Alert,
    /// An overlay that shows text to read: help, details.
    Page,
    /// An overlay with a list to choose from; letters filter it.
    Picker,
    /// The command palette.
    Palette,
    /// A one-line question.
    Prompt,
    /// A form of several one-line fields.
    Form,
    /// The text editor.
    Editor,
    /// A yes-or-no question.
    Confirm,
    /// The eval case that is being promoted.
    Promote,
    /// The run that is being started.
    StartRun,
}

impl Place {
    /// All places, in the order of the help.
    pub const ALL: &'static [Place] = &[
        Place::Anywhere,
        Place::Health,
        Place::Traces,
        Place::Trace,
        Place::Samples,
        Place::Review,
        Place::Evals,
        Place::Runs,
        Place::Run,
        Place::Comparison,
        Place::Gates,
        Place::Gate,
        Place::GateEdges,
        Place::Prompts,
        Place::Features,
        Place::Incidents,
        Place::Incident,
        Place::Postmortem,
        Place::Monitors,
        Place::Alert,
        Place::Page,
        Place::Picker,
        Place::Palette,
        Place::Prompt,
        Place::Form,
        Place::Editor,
        Place::Confirm,
        Place::Promote,
        Place::StartRun,
    ];

    /// What the help calls it.
    pub fn title(self) -> &'static str {
        match self {
            Place::Anywhere => "Anywhere",
            Place::Health => "Health",
            Place::Traces => "Traces",
            Place::Trace => "One trace",
            Place::Samples => "Samples",
            Place::Review => "Review",
            Place::Evals => "Evals",
            Place::Runs => "Runs",
            Place::Run => "One run",
            Place::Comparison => "Two runs compared",
            Place::Gates => "Gates",
            Place::Gate => "One gate",
            Place::GateEdges => "Edge cases of a gate",
            Place::Prompts => "Prompts",
            Place::Features => "Features",
            Place::Incidents => "Incidents",
            Place::Incident => "One incident",
            Place::Postmortem => "Post-mortem",
            Place::Monitors => "Monitors",
            Place::Alert => "One alert",
            Place::Page => "Reading a page",
            Place::Picker => "Choosing from a list",
            Place::Palette => "Command palette",
            Place::Prompt => "Answering a question",
            Place::Form => "Filling in a form",
            Place::Editor => "Editing text",
            Place::Confirm => "Yes or no",
            Place::Promote => "Promoting a trace",
            Place::StartRun => "Starting a run",
        }
    }

    /// Whether this is a screen: there the commands of [`Place::Anywhere`] work too.
    pub fn is_screen(self) -> bool {
        use Place::*;
        matches!(
            self,
            Health
                | Traces
                | Trace
                | Samples
                | Review
                | Evals
                | Runs
                | Run
                | Comparison
                | Gates
                | Gate
                | GateEdges
                | Prompts
                | Features
                | Incidents
                | Incident
                | Postmortem
                | Monitors
                | Alert
        )
    }
}

/// When a command makes sense, in words that complete "when …"; the screen says whether it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct When(pub &'static str);

impl When {
    /// It always makes sense.
    pub const ALWAYS: When = When("");
}
