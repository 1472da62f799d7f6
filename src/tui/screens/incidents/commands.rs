//! What a key does: in the list, and in one incident.

use super::open::Face;
use super::panel;
use super::{DETAIL, IncidentsScreen, LIST, Request};
use crate::command::Id;
use crate::command::table::{app, incidents as table};
use crate::ops::incident::Act;
use crate::tui::effect::Effect;
use crate::tui::jobs::Job;
use crate::tui::screen::{Cx, Env, Handled, Wish};
use crate::tui::screens::evals::promote_traces;
use crate::tui::widgets::list::List;
use crate::tui::words::words;

/// Commands on the step under the cursor: its text is what they are about.
const ON_STEP: [Id; 7] =
    [table::RUN, table::DONE, table::BEGIN, table::SKIP, table::OVERRIDE, table::REOPEN, table::OWNER];

impl IncidentsScreen {
    /// Opens the promotion form on the traces attached as evidence.
    pub(super) fn promote(&mut self, cx: &mut Cx<'_>) {
        let Some(view) = self.open.as_ref().and_then(|open| open.view.as_ref()) else { return };
        let traces: Vec<_> = view.evidence.iter().map(|trace| trace.id.clone()).collect();
        if traces.is_empty() {
            let attach = cx.env.key(table::ATTACH);
            cx.say(
                words()
                    .plain("no traces are attached as evidence yet; ")
                    .key(attach)
                    .plain(" attaches")
                    .done(),
            );
        } else {
            cx.start(promote_traces(traces));
        }
    }

    pub(super) fn leave(&mut self, cx: &mut Cx<'_>) -> Handled {
        let Some(open) = &mut self.open else { return Handled::No };
        if matches!(open.face, Face::Steps) {
            self.open = None;
            Self::refresh_list(cx);
        } else {
            open.face = Face::Steps;
        }
        Handled::Yes
    }

    pub(super) fn in_list(&mut self, id: Id, cx: &mut Cx<'_>) -> Handled {
        match id {
            table::NEW => self.ask_title(cx),
            table::DRILL => {
                let args = ["incident", "drill"].map(str::to_owned).to_vec();
                cx.wish(Wish::Effect(Effect::RunItself { args }));
            }
            app::FIND => self.ask_find(cx),
            app::OPEN => {
                let Some(line) = self.list.as_ref().and_then(List::selected) else { return Handled::Yes };
                let id = line.head.id.clone();
                self.show(&id, cx);
            }
            _ => {
                let moved = self.list.as_mut().is_some_and(|list| list.command(id, cx.env.page(LIST)));
                return if moved { Handled::Yes } else { Handled::No };
            }
        }
        Handled::Yes
    }

    /// Moving about in the incident.
    pub(super) fn moved(&mut self, id: Id, env: &Env) -> bool {
        let Some(open) = &mut self.open else { return false };
        if let Some((pane, laid)) = open.reading() {
            return laid.scroll.command(id, laid.lines.len(), env.page(pane));
        }
        match id {
            app::DOWN => open.move_to(open.step + 1),
            app::UP => open.move_to(open.step.saturating_sub(1)),
            app::TOP => open.move_to(0),
            app::BOTTOM => open.move_to(usize::MAX),
            table::PHASE_BACK | app::LEFT => {
                if let Some(phase) = open.phase.previous() {
                    open.look_at(phase);
                }
            }
            table::PHASE_ON | app::RIGHT => {
                if let Some(phase) = open.phase.next() {
                    open.look_at(phase);
                }
            }
            // What is left scrolls the text of the step.
            _ => return open.detail.scroll.command(id, open.detail.lines.len(), env.page(DETAIL)),
        }
        true
    }

    pub(super) fn in_incident(&mut self, id: Id, cx: &mut Cx<'_>) -> Handled {
        if let Some(open) =
            self.open.as_mut().filter(|open| open.panels.entered && matches!(open.face, Face::Steps))
            && open.panels.command(id, cx)
        {
            return Handled::Yes;
        }
        if ON_STEP.contains(&id)
            && let Some(open) = &mut self.open
        {
            open.panels.leave();
        }
        match id {
            table::RUN => self.run_step(cx),
            table::FIGURES => {
                if let Some(open) = &mut self.open
                    && panel::has_panel(open.phase)
                {
                    open.panels.enter();
                }
            }
            table::DONE | app::OPEN => self.ask_done(cx),
            table::BEGIN => self.begin(cx),
            table::SKIP => self.ask_skip(cx),
            table::OVERRIDE => self.ask_override(cx),
            table::REPLAY => self.ask_replay(cx),
            table::CONTAIN => self.contain_anyway(cx),
            table::SNOOZE => self.snooze(cx),
            table::ZONE => self.switch_zone(cx),
            table::REOPEN => self.reopen(cx),
            table::OWNER => self.ask_owner(cx),
            table::NOTE => self.ask_note(cx),
            table::ENTER_PHASE => {
                let phase = self.open.as_ref().map(|open| open.phase);
                if let Some(phase) = phase {
                    self.acts(vec![Act::Enter { phase }], format!("in {} now", phase.title()), cx);
                }
            }
            table::SEVERITY => self.ask_severity(cx),
            table::BEGAN => self.ask_began(cx),
            table::FEATURE => self.ask_feature(cx),
            table::PROMOTE => self.promote(cx),
            app::FIND => self.ask_find(cx),
            table::ATTACH => self.ask_attach(cx),
            table::HAND_OVER => self.ask_hand_over(cx),
            table::SCRIBE => self.ask_scribe(cx),
            table::SIGN => self.acts(vec![Act::SignRead], "signed as read", cx),
            table::UPDATE => {
                if let Some(open) = &self.open {
                    self.reading = true;
                    let request = Request::Draft { id: open.id.clone() };
                    cx.start(Job::replace("incident update", "drafting the update", request.into()));
                }
            }
            table::TIMELINE => {
                if let Some(open) = &mut self.open {
                    open.face = match open.face {
                        Face::Timeline => Face::Steps,
                        _ => Face::Timeline,
                    };
                    open.timeline.cols = 0;
                }
            }
            table::STORY_VIEW => self.read_story(cx),
            table::CLOSE => self.ask_close(cx),
            table::REOPEN_INCIDENT => {
                self.acts(vec![Act::ReopenIncident { note: None }], "open again", cx);
            }
            table::WRITE_FILE => self.ask_path(cx),
            table::EDIT_PART => self.ask_part(cx),
            table::ADD_ACTION => self.ask_action(cx),
            app::BACK => return self.leave(cx),
            _ => {
                let moved = self.moved(id, cx.env);
                self.fill_panel(cx);
                return if moved { Handled::Yes } else { Handled::No };
            }
        }
        Handled::Yes
    }
}
