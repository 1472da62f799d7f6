//! The pages of the list as they come, and the trace under the cursor, which is read in advance.

use super::work::Request;
use super::{ROWS, TracesScreen, draw, row};
use crate::domain::Untrusted;
use crate::ops::browse::{Cursor, Direction, Page};
use crate::tui::jobs::Job;
use crate::tui::screen::Cx;
use crate::tui::screens::trace;
use crate::tui::view::screen_area;
use crate::tui::widgets::list::{List, Need};
use crate::tui::widgets::talk::Talk;

/// The trace under the cursor, read in advance: it stands beside the list, and opens at once.
#[derive(Debug)]
pub(super) struct Preview {
    pub(super) id: Untrusted,
    pub(super) loaded: Option<trace::Loaded>,
}

impl Preview {
    /// Takes the trace. Read again after a label, the place in the text stays.
    pub(super) fn take(&mut self, loaded: &trace::Loaded) {
        let talk = match self.loaded.take() {
            Some(old) if old.view.trace == loaded.view.trace => old.talk,
            _ => loaded.talk.clone(),
        };
        self.loaded = Some(trace::Loaded { talk, ..loaded.clone() });
    }

    pub(super) fn talk(&mut self) -> Option<&mut Talk> {
        self.loaded.as_mut().map(|loaded| &mut loaded.talk)
    }
}

impl TracesScreen {
    pub(super) fn take(&mut self, cursor: Cursor, page: Page, cx: &mut Cx<'_>) {
        self.failed = None;
        let (before, after) = (!page.at_start, !page.at_end);
        self.notes = page.notes;
        match (cursor, &mut self.list) {
            (Cursor::Oldest, list) => {
                *list = Some(List::last_page(page.rows, before));
            }
            (Cursor::Beside(at), Some(list)) => {
                // The side of the window on which it goes on is told by the row it was asked beside.
                let last = list.rows().back().map(crate::ops::browse::key);
                if last == Some(at) {
                    list.append(page.rows, after);
                } else {
                    list.prepend(page.rows, before);
                }
            }
            (_, list) => {
                self.newest.clone_from(&page.rows);
                // Whoever has gone on from the top meanwhile stays there.
                match list {
                    Some(list) if !list.has_before() && list.selected_index() > 0 => list.grew_before(),
                    list => *list = Some(List::first_page(page.rows, after)),
                }
            }
        }
        if let Some(list) = &mut self.list {
            list.settle(cx.env.page(ROWS));
            self.columns = row::Columns::fit(list.rows().iter(), cx.env);
        }
        if self.count.is_none() {
            self.recount(cx);
        }
        self.moved(cx);
    }

    pub(super) fn ask(&mut self, cursor: Cursor, direction: Direction, cx: &mut Cx<'_>) {
        let request = Request::Page { query: self.query.clone(), cursor, direction };
        if self.asked.as_ref() != Some(&request) {
            self.asked = Some(request.clone());
            cx.start(Job::replace("traces.page", "looking for traces", request.into()));
        }
    }

    fn recount(&mut self, cx: &mut Cx<'_>) {
        if !self.counting {
            self.counting = true;
            let request = Request::Count(self.query.clone());
            cx.start(Job::replace("traces.count", "counting the traces", request.into()));
        }
    }

    /// The store has changed: the newest rows are shown when one is at the top, else they wait above.
    pub(super) fn refresh(&mut self, cx: &mut Cx<'_>) {
        if self.asked.is_some() {
            self.stale = true;
            return;
        }
        self.recount(cx);
        match &mut self.list {
            Some(list) if list.selected_index() > 0 || list.has_before() => list.grew_before(),
            // Without a list the reading of it failed: it may work now.
            _ => self.ask(Cursor::Newest, Direction::Older, cx),
        }
    }

    /// After the cursor has moved: rows near the border of the window, and the trace under the cursor.
    pub(super) fn moved(&mut self, cx: &mut Cx<'_>) {
        let Some(list) = &self.list else { return };
        let next = match list.needs() {
            Some(Need::After) => list.rows().back().map(|row| (Cursor::beside(row), Direction::Older)),
            Some(Need::Before) => list.rows().front().map(|row| (Cursor::beside(row), Direction::Newer)),
            None => None,
        };
        let selected = list.selected().map(|row| row.id.clone());
        if let Some((cursor, direction)) = next
            && self.asked.is_none()
        {
            self.ask(cursor, direction, cx);
        }
        match selected {
            None => self.preview = None,
            Some(id) if self.preview.as_ref().is_none_or(|preview| preview.id != id) => {
                Self::read_ahead(id.clone(), cx);
                self.preview = Some(Preview { id, loaded: None });
            }
            Some(_) => {}
        }
    }

    /// Reads the trace under the cursor before it is asked for.
    pub(super) fn read_ahead(trace: Untrusted, cx: &mut Cx<'_>) {
        let area = screen_area(cx.env.size, cx.env.above());
        let cols = draw::split(area).1.unwrap_or(area).width;
        let request = trace::Request::Load { trace, cols };
        cx.start(Job::replace("preview", "reading the trace", request.into()));
    }
}
