//! Finding words in whatever is shown.

use super::{IncidentsScreen, LIST};
use crate::domain::runbook::Phase;
use crate::tui::screen::Cx;
use crate::tui::words::words;

impl IncidentsScreen {
    /// Goes to the next line, step or incident that has these words.
    pub(super) fn find(&mut self, wanted: &str, cx: &mut Cx<'_>) {
        let wanted = wanted.to_lowercase();
        let has = |text: &str| text.to_lowercase().contains(&wanted);
        // The first one after the present place, and from the start when there is none.
        let next = |count: usize, at: usize, here: &dyn Fn(usize) -> bool| {
            (at + 1..count).chain(0..count.min(at + 1)).find(|index| here(*index))
        };
        let found = match (&mut self.open, &mut self.list) {
            (Some(open), _) => match open.reading() {
                Some((pane, laid)) => {
                    let lines = &laid.lines;
                    let found = next(lines.len(), laid.scroll.top, &|at| has(&lines[at].text()));
                    if let Some(line) = found {
                        laid.scroll.top = line;
                        laid.scroll.clamp(laid.lines.len(), cx.env.page(pane));
                    }
                    found.is_some()
                }
                None => {
                    let phases = open.view.as_ref().map_or(&[][..], |view| &view.phases);
                    let steps: Vec<(Phase, usize, bool)> = phases
                        .iter()
                        .flat_map(|phase| {
                            phase.steps.iter().enumerate().map(|(at, step)| (phase.phase, at, step))
                        })
                        .map(|(phase, at, step)| (phase, at, has(step.title.raw())))
                        .collect();
                    let here =
                        steps.iter().position(|(phase, at, _)| (*phase, *at) == (open.phase, open.step));
                    let found = next(steps.len(), here.unwrap_or(0), &|at| steps[at].2);
                    if let Some((phase, step, _)) = found.map(|at| steps[at]) {
                        open.look_at(phase);
                        open.move_to(step);
                    }
                    found.is_some()
                }
            },
            (None, Some(list)) => {
                let rows = list.rows();
                let found = next(rows.len(), list.selected_index(), &|at| has(rows[at].head.title.raw()));
                if let Some(row) = found {
                    list.select(row);
                    list.settle(cx.env.page(LIST));
                }
                found.is_some()
            }
            (None, None) => false,
        };
        if !found {
            cx.say(words().plain("not found: ").plain(wanted).done());
        }
    }
}
