//! Taking up again a monitor that is paused: what is well with the new judge is asked.

use super::work::Request;
use super::{MonitorsScreen, RESUME, Row};
use crate::domain::monitor::State;
use crate::ops::monitor::{MonitorView, ResumeView, Trust};
use crate::text::Role;
use crate::text::figures::thousands;
use crate::tui::jobs::Job;
use crate::tui::overlays::{Choice, Picker};
use crate::tui::screen::Cx;
use crate::tui::words::words;

/// What can be chosen, in the order of the picker.
const CHOICES: [Trust; 2] = [Trust::Target, Trust::Judged];

impl MonitorsScreen {
    /// The paused monitor under the cursor.
    pub(super) fn paused(&self) -> Option<&MonitorView> {
        match self.rows.selected() {
            Some(Row::Monitor(monitor)) => {
                Some(&**monitor).filter(|one| one.groups.iter().any(|of| of.state == State::Paused))
            }
            _ => None,
        }
    }

    pub(super) fn ask_resume(&mut self, cx: &mut Cx<'_>) {
        let Some(monitor) = self.paused() else { return };
        let id = monitor.id.clone();
        let judged = monitor.groups.iter().filter(|of| of.state == State::Paused).map(|of| of.n).min();
        let judged = format!("{} so far, 1,000 are needed", thousands(judged.unwrap_or(0).cast_signed()));
        let choices = vec![
            Choice::new(words().plain("the target of the monitor, as before")),
            Choice::new(words().plain("the share that fails with it")).detail(words().muted(judged)),
        ];
        let title = words().put(Role::Title, "What is well with the new judge?");
        cx.open(Picker::new(RESUME, title, choices));
        self.resuming = Some(id);
    }

    pub(super) fn resume(&mut self, choice: usize, cx: &mut Cx<'_>) {
        let (Some(id), Some(trust)) = (self.resuming.take(), CHOICES.get(choice).copied()) else { return };
        let request = Request::Resume { monitors: Box::new(self.monitors.clone()), id, trust };
        cx.start(Job::queue("alert act", "taking the monitor up again", request.into()));
    }

    pub(super) fn resumed(&mut self, done: &ResumeView, cx: &mut Cx<'_>) {
        let well: Vec<String> = done.groups.iter().map(|of| of.words()).collect();
        cx.say(words().plain(&done.id).plain(" looks again: ").plain(well.join("; ")));
        self.look(cx);
        self.read_alerts(cx);
    }
}
