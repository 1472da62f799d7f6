//! The screens: a closed set. See [`crate::tui`] for how to add one.

pub mod evals;
pub mod features;
pub mod gate;
pub mod health;
pub mod incidents;
pub mod known;
pub mod monitors;
pub mod prompts;
pub mod review;
pub mod runs;
pub mod trace;
pub mod traces;

use super::screen::Screen;
use crate::command::Id;
use crate::command::table::app;

/// Names a screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ScreenId {
    Health,
    Traces,
    Review,
    Evals,
    Runs,
    /// Has no tab of its own: it is reached from the runs, and stands under theirs.
    Gate,
    Prompts,
    /// Has no tab of its own: it stands under that of the prompts.
    Features,
    Incidents,
    Monitors,
}

impl ScreenId {
    /// The tabs, left to right.
    pub const TABS: &'static [ScreenId] = &[
        ScreenId::Health,
        ScreenId::Traces,
        ScreenId::Review,
        ScreenId::Evals,
        ScreenId::Runs,
        ScreenId::Prompts,
        ScreenId::Incidents,
        ScreenId::Monitors,
    ];

    /// Every screen.
    pub const ALL: &'static [ScreenId] = &[
        ScreenId::Health,
        ScreenId::Traces,
        ScreenId::Review,
        ScreenId::Evals,
        ScreenId::Runs,
        ScreenId::Gate,
        ScreenId::Prompts,
        ScreenId::Features,
        ScreenId::Incidents,
        ScreenId::Monitors,
    ];

    /// The tab that it stands under.
    pub fn tab(self) -> Self {
        match self {
            ScreenId::Gate => ScreenId::Runs,
            ScreenId::Features => ScreenId::Prompts,
            other => other,
        }
    }

    /// Where the program begins.
    pub const FRONT: ScreenId = ScreenId::Health;

    /// Its tab's name.
    pub fn title(self) -> &'static str {
        match self {
            ScreenId::Health => "Health",
            ScreenId::Traces => "Traces",
            ScreenId::Review => "Review",
            ScreenId::Evals => "Evals",
            ScreenId::Runs => "Runs",
            ScreenId::Gate => "Gate",
            ScreenId::Prompts => "Prompts",
            ScreenId::Features => "Features",
            ScreenId::Incidents => "Incidents",
            ScreenId::Monitors => "Monitors",
        }
    }

    /// The screen that a command goes to.
    pub fn of_command(id: Id) -> Option<Self> {
        match id {
            app::GO_HEALTH => Some(ScreenId::Health),
            app::GO_TRACES => Some(ScreenId::Traces),
            app::GO_REVIEW => Some(ScreenId::Review),
            app::GO_EVALS => Some(ScreenId::Evals),
            app::GO_RUNS => Some(ScreenId::Runs),
            app::GO_GATE => Some(ScreenId::Gate),
            app::GO_PROMPTS => Some(ScreenId::Prompts),
            app::GO_FEATURES => Some(ScreenId::Features),
            app::GO_INCIDENTS => Some(ScreenId::Incidents),
            app::GO_MONITORS => Some(ScreenId::Monitors),
            _ => None,
        }
    }
}

/// Every screen's state; a screen keeps its place while another is shown.
#[derive(Debug, Default)]
pub struct Screens {
    pub health: health::HealthScreen,
    pub traces: traces::TracesScreen,
    pub review: review::ReviewScreen,
    pub evals: evals::EvalsScreen,
    pub runs: runs::RunsScreen,
    pub gate: gate::GateScreen,
    pub prompts: prompts::PromptsScreen,
    pub features: features::FeaturesScreen,
    pub incidents: incidents::IncidentsScreen,
    pub monitors: monitors::MonitorsScreen,
}

impl Screens {
    /// The screen of this name.
    pub fn get(&self, id: ScreenId) -> &dyn Screen {
        match id {
            ScreenId::Health => &self.health,
            ScreenId::Traces => &self.traces,
            ScreenId::Review => &self.review,
            ScreenId::Evals => &self.evals,
            ScreenId::Runs => &self.runs,
            ScreenId::Gate => &self.gate,
            ScreenId::Prompts => &self.prompts,
            ScreenId::Features => &self.features,
            ScreenId::Incidents => &self.incidents,
            ScreenId::Monitors => &self.monitors,
        }
    }

    /// The screen of this name, to change.
    pub fn get_mut(&mut self, id: ScreenId) -> &mut dyn Screen {
        match id {
            ScreenId::Health => &mut self.health,
            ScreenId::Traces => &mut self.traces,
            ScreenId::Review => &mut self.review,
            ScreenId::Evals => &mut self.evals,
            ScreenId::Runs => &mut self.runs,
            ScreenId::Gate => &mut self.gate,
            ScreenId::Prompts => &mut self.prompts,
            ScreenId::Features => &mut self.features,
            ScreenId::Incidents => &mut self.incidents,
            ScreenId::Monitors => &mut self.monitors,
        }
    }
}
