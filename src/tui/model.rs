//! Everything the program knows while it runs.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::canvas::Laid;
use super::jobs::Jobs;
use super::overlays::{Overlay, Tag};
use super::screen::Env;
use super::screens::gate::GateScreen;
use super::screens::monitors::MonitorsScreen;
use super::screens::runs::RunsScreen;
use super::screens::{ScreenId, Screens};
use super::theme::Theme;
use crate::command::{Key, Place};
use crate::config::Config;
use crate::text::Line;

/// The whole state.
#[derive(Debug)]
pub struct Model {
    pub env: Env,
    pub theme: Theme,
    pub active: ScreenId,
    pub screens: Screens,
    /// The top one is the last.
    pub overlays: Vec<Overlay>,
    pub jobs: Jobs,
    /// Keys of a sequence that is not finished.
    pub pressed: Vec<Key>,
    /// Keys that came before what they are about was read: they wait for it.
    pub held: std::collections::VecDeque<Key>,
    /// What just happened, and how to take it back.
    pub status: Option<Line>,
    /// The person stopped the building of the search index, or it failed: it does not begin by itself.
    pub index_stopped: bool,
    /// The person wants to leave; waits for acts that are not done.
    pub leaving: bool,
}

/// The question whether what was typed may be thrown away.
pub const DISCARD: Tag = Tag("discard");

/// The question whether the step or run that goes on here may be stopped by leaving.
pub const LEAVE: Tag = Tag("leave what goes on");

impl Model {
    /// The state at the start: nothing is loaded yet.
    pub fn new(config: &Config, theme: Theme, first: ScreenId, size: (u16, u16), zone: TimeZone) -> Self {
        let (team, evaluation) = (Arc::new(config.team.clone()), Arc::new(config.evaluation.clone()));
        let env = Env {
            now: Timestamp::UNIX_EPOCH,
            zone,
            reviewer: config.reviewer.value.clone(),
            writable: true,
            books: config.books.clone(),
            hands: config.hands().as_ref().clone(),
            evaluation,
            team,
            monitors: Arc::new(config.monitors.clone()),
            keymap: config.keymap.clone(),
            marks: Vec::new(),
            laid: Laid::default(),
            banner: None,
            incident: None,
            size,
        };
        Self {
            env,
            theme,
            active: first,
            screens: Screens {
                runs: RunsScreen::new(config.thresholds.clone()),
                gate: GateScreen::new(config.evaluation.clone()),
                monitors: MonitorsScreen::new(config.monitors.clone()),
                ..Screens::default()
            },
            overlays: Vec::new(),
            jobs: Jobs::default(),
            pressed: Vec::new(),
            held: std::collections::VecDeque::new(),
            status: None,
            index_stopped: false,
            leaving: false,
        }
    }

    /// Where keys are looked up now.
    pub fn places(&self) -> Vec<Place> {
        match self.overlays.last() {
            Some(overlay) => vec![overlay.layer().place()],
            None => vec![self.screens.get(self.active).place(), Place::Anywhere],
        }
    }

    /// Rows above a screen. The one that shows an incident has its header itself.
    pub fn above(&self, id: ScreenId) -> u16 {
        let own = id == ScreenId::Incidents && self.screens.incidents.shows_header();
        self.env.above() - u16::from(own && self.env.incident.is_some())
    }

    /// Whether the condition of a command holds now.
    pub fn holds(&self, when: crate::command::When) -> bool {
        use crate::command::When;
        use crate::command::table::{app, evals, runs};
        match when {
            When::ALWAYS => true,
            app::JOB_RUNS => self.jobs.shown().is_some(),
            app::INDEX_STOPPED => self.index_stopped,
            runs::CAN_RUN => self.env.writable,
            runs::CAN_GO_ON | evals::CAN_RUN => {
                self.env.writable && self.screens.get(self.active).holds(when)
            }
            other => self.screens.get(self.active).holds(other),
        }
    }

    /// Whether the present screen shows a time that goes on.
    pub fn ticks(&self) -> bool {
        self.env.incident.is_some() || self.screens.get(self.active).ticks()
    }

    /// Whether leaving now would lose something that was typed.
    pub fn would_lose(&self) -> bool {
        self.overlays.iter().any(|overlay| overlay.layer().would_lose())
    }
}
