//! The incident on screen: its phase, the step under the cursor, and what of it is shown.

use super::panel::Panels;
use super::{STORY, TIMELINE};
use crate::domain::runbook::Phase;
use crate::ops::incident::step::{Ran, WatchView};
use crate::ops::incident::{FiguresNow, IncidentView, PhaseView, PostmortemView, StepView};
use crate::text::Line;
use crate::tui::canvas::Pane;
use crate::tui::widgets::scroll::Scroll;

/// The incident on screen.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) id: String,
    pub(super) view: Option<IncidentView>,
    pub(super) figures: Option<FiguresNow>,
    /// What came of the step that was run last.
    pub(super) ran: Option<Ran>,
    /// How the watch stands.
    pub(super) watch: Option<WatchView>,
    /// The phase that is looked at.
    pub(super) phase: Phase,
    /// The step under the cursor, counted in its phase.
    pub(super) step: usize,
    pub(super) face: Face,
    pub(super) detail: Laid,
    pub(super) timeline: Laid,
    pub(super) panels: Panels,
}

/// What is shown of the incident.
#[derive(Debug)]
pub(super) enum Face {
    Steps,
    Timeline,
    Story(Box<Story>),
}

/// The post-mortem on screen.
#[derive(Debug)]
pub(super) struct Story {
    /// Missing while it is being written.
    pub(super) written: Option<Box<PostmortemView>>,
    pub(super) laid: Laid,
}

/// Lines laid out for a width, and how far they are scrolled.
#[derive(Debug, Default)]
pub(super) struct Laid {
    pub(super) lines: Vec<Line>,
    /// Columns that they were laid out for; 0: not laid out.
    pub(super) cols: usize,
    pub(super) scroll: Scroll,
}

impl Open {
    pub(super) fn new(id: String) -> Self {
        Self {
            id,
            view: None,
            figures: None,
            ran: None,
            watch: None,
            phase: Phase::Detect,
            step: 0,
            face: Face::Steps,
            detail: Laid::default(),
            timeline: Laid::default(),
            panels: Panels::default(),
        }
    }

    /// The phase that is looked at.
    pub(super) fn phase(&self) -> Option<&PhaseView> {
        self.view.as_ref()?.phases.iter().find(|view| view.phase == self.phase)
    }

    /// The step under the cursor.
    pub(super) fn step(&self) -> Option<&StepView> {
        self.phase()?.steps.get(self.step)
    }

    /// Takes the incident as it is now. The cursor follows the work: to the phase that was entered, or to
    /// the next open step when the one under it was settled.
    pub(super) fn take(&mut self, view: IncidentView) {
        let before = self.view.replace(view);
        let Some(now) = &self.view else { return };
        let phase = now.head.phase;
        match &before {
            None => self.look_at(phase),
            Some(before) if before.head.phase != phase => self.look_at(phase),
            Some(before) => {
                let was_open =
                    before.phases.iter().flat_map(|phase| &phase.steps).any(|old| {
                        self.step().is_some_and(|step| step.id == old.id) && !old.state.is_settled()
                    });
                let settled = self.step().is_some_and(|step| step.state.is_settled());
                if was_open && settled {
                    let next = self.phase().and_then(|phase| {
                        let open = |at: &usize| !phase.steps[*at].state.is_settled();
                        (self.step + 1..phase.steps.len()).find(open).or_else(|| (0..self.step).find(open))
                    });
                    self.step = next.unwrap_or(self.step);
                }
            }
        }
        self.lay_out_again();
    }

    /// Looks at a phase; the cursor is on its first open step.
    pub(super) fn look_at(&mut self, phase: Phase) {
        self.phase = phase;
        self.step = self
            .phase()
            .and_then(|phase| phase.steps.iter().position(|step| !step.state.is_settled()))
            .unwrap_or(0);
        self.detail = Laid::default();
        self.panels.come();
    }

    pub(super) fn move_to(&mut self, step: usize) {
        let last = self.phase().map_or(0, |phase| phase.steps.len().saturating_sub(1));
        self.step = step.min(last);
        self.detail = Laid::default();
        self.panels.leave();
    }

    pub(super) fn lay_out_again(&mut self) {
        self.detail.cols = 0;
        self.timeline.cols = 0;
        self.panels.lay_out_again();
    }

    /// What scrolls with the keys: the timeline or the post-mortem when it has the screen.
    pub(super) fn reading(&mut self) -> Option<(Pane, &mut Laid)> {
        match &mut self.face {
            Face::Steps => None,
            Face::Timeline => Some((TIMELINE, &mut self.timeline)),
            Face::Story(story) => Some((STORY, &mut story.laid)),
        }
    }
}
