//! What a command does: in the list, and in the trace that is open over it.

use super::work::Request;
use super::{ROWS, TracesScreen, sample};
use crate::command::Id;
use crate::command::table::{app, traces as table};
use crate::domain::{Query, Untrusted};
use crate::ops::browse::{Cursor, Direction};
use crate::text::{Line, Role};
use crate::tui::jobs::Job;
use crate::tui::screen::{Cx, Env, Handled, Screen};
use crate::tui::screens::evals::promote_traces;
use crate::tui::screens::trace::TraceScreen;
use crate::tui::widgets::list::List;
use crate::tui::words::line;

impl TracesScreen {
    pub(super) fn mark(&mut self, cx: &mut Cx<'_>) {
        let Some(list) = &mut self.list else { return };
        let Some(row) = list.selected() else { return };
        cx.mark(row.id.clone());
        list.command(app::DOWN, cx.env.page(ROWS));
        self.moved(cx);
    }

    /// The marked traces, on whatever screen they were; without any, the one under the cursor.
    fn chosen(&self, env: &Env) -> Vec<Untrusted> {
        if !env.marks.is_empty() {
            return env.marks.clone();
        }
        let row = self.list.as_ref().and_then(List::selected);
        row.map(|row| row.id.clone()).into_iter().collect()
    }

    pub(super) fn open(&mut self, cx: &mut Cx<'_>) {
        let Some(row) = self.list.as_ref().and_then(List::selected) else { return };
        let mut open = TraceScreen::new(row.id.clone(), None);
        let known = self.preview.as_ref().filter(|preview| preview.id == row.id);
        match known.and_then(|preview| preview.loaded.clone()) {
            Some(loaded) => open.take(loaded),
            None => open.load(cx),
        }
        self.trace = Some(open);
    }

    pub(super) fn back(&mut self, cx: &mut Cx<'_>) -> Handled {
        match self.from.take() {
            Some(from) => {
                self.set(Query::all());
                cx.go(from);
            }
            None if !self.query.is_all() => {
                self.set(Query::all());
                self.shown(cx);
            }
            None => return Handled::No,
        }
        Handled::Yes
    }

    pub(super) fn list_command(&mut self, id: Id, cx: &mut Cx<'_>) -> Handled {
        let ends = self.list.as_ref().map(|list| (list.has_before(), list.has_after()));
        match (id, ends) {
            (app::TOP, Some((true, _))) => {
                if !self.newest.is_empty() {
                    self.list = Some(List::first_page(self.newest.clone(), true));
                    self.moved(cx);
                }
                self.ask(Cursor::Newest, Direction::Older, cx);
            }
            (app::BOTTOM, Some((_, true))) => self.ask(Cursor::Oldest, Direction::Newer, cx),
            _ => {
                let page = cx.env.page(ROWS);
                if self.list.as_mut().is_some_and(|list| list.command(id, page)) {
                    self.moved(cx);
                    return Handled::Yes;
                }
                return self.act(id, cx);
            }
        }
        Handled::Yes
    }

    fn act(&mut self, id: Id, cx: &mut Cx<'_>) -> Handled {
        match id {
            app::OPEN => self.open(cx),
            app::BACK => return self.back(cx),
            app::FIND => {
                let text = if self.query.is_all() { String::new() } else { self.query.to_string() };
                self.ask_filter(&text, cx);
            }
            table::CLEAR => {
                self.from = None;
                self.set(Query::all());
                self.shown(cx);
            }
            table::MARK => self.mark(cx),
            table::UNMARK => cx.unmark_all(),
            table::ATTACH => {
                let chosen = self.chosen(cx.env);
                if !chosen.is_empty() {
                    cx.start(Job::queue("incident", "attaching the traces", Request::Attach(chosen).into()));
                }
            }
            table::REVIEW => {
                let chosen = self.chosen(cx.env);
                if !chosen.is_empty() {
                    cx.review(chosen);
                }
            }
            table::SAMPLE => cx.open(sample::form(&self.query, self.count, cx.env)),
            table::PROMOTE => {
                let chosen = self.chosen(cx.env);
                if chosen.is_empty() {
                    cx.say(line(Role::Muted, "There is no trace here to promote."));
                } else {
                    cx.start(promote_traces(chosen));
                }
            }
            _ => return Handled::No,
        }
        Handled::Yes
    }

    pub(super) fn trace_command(&mut self, id: Id, cx: &mut Cx<'_>) -> Handled {
        let Some(open) = &mut self.trace else { return Handled::No };
        match id {
            app::BACK if open.backs_out() => {
                let back = open.back;
                self.trace = None;
                // What was said of the trace, such as how to take a label back, is past.
                cx.say(Line::default());
                if let Some(back) = back {
                    cx.go(back);
                }
                Handled::Yes
            }
            // Through the list without leaving the trace.
            app::LEFT | app::RIGHT => {
                let step = if id == app::RIGHT { app::DOWN } else { app::UP };
                let before = self.list.as_ref().and_then(List::selected).map(|row| row.seq);
                let here =
                    self.list.as_ref().and_then(List::selected).is_some_and(|row| row.id == *open.id());
                if here && let Some(list) = &mut self.list {
                    list.command(step, cx.env.page(ROWS));
                    if list.selected().map(|row| row.seq) != before {
                        self.moved(cx);
                        self.open(cx);
                    }
                }
                Handled::Yes
            }
            table::ATTACH => {
                let request = Request::Attach(vec![open.id().clone()]);
                cx.start(Job::queue("incident", "attaching the trace", request.into()));
                Handled::Yes
            }
            table::SESSION => {
                if let Some(query) = open.session_query() {
                    self.trace = None;
                    self.from = None;
                    self.set(query);
                    self.shown(cx);
                }
                Handled::Yes
            }
            _ => open.command(id, cx),
        }
    }
}
