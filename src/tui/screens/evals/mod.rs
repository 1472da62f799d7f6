//! Evals: the sets, the cases of one, and one case in full. The promotion form (`overlays::promote`)
//! opens from here and from every screen that shows traces, by [`promote_traces`].

mod page;
mod said;
mod set;
mod view;
mod work;

use ratatui::layout::Rect;

use self::page::CasePage;
use self::said::say_promoted;
use self::set::OpenSet;
pub use self::work::{Answer, Request, act, promote_traces};
use crate::command::table::{app, evals as rows};
use crate::command::{Id, Place, When};
use crate::domain::{CaseId, Result, SetName};
use crate::ops::promote::{CaseLineView, EvalSetRowView};
use crate::ops::watch::Changes;
use crate::text::Role;
use crate::tui::canvas::{Canvas, Pane};
use crate::tui::jobs::Job;
use crate::tui::overlays::{Page, Promote, Prompt, Reply, Tag};
use crate::tui::screen::{Cx, Env, Handled, Screen};
use crate::tui::screens::runs::start_run;
use crate::tui::widgets::list::List;
use crate::tui::widgets::talk::Talk;
use crate::tui::words::words;

const SETS: Pane = Pane("eval sets");
const CASES: Pane = Pane("eval cases");
const CASE: Pane = Pane("eval case");
/// The case under the cursor, beside the list.
const BESIDE: Pane = Pane("eval case beside");
const FILTER: Tag = Tag("filter cases");
const FIND: Tag = Tag("find in the case");

/// What is on screen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Face {
    #[default]
    Sets,
    Cases,
    Case,
}

/// A change made here that can be taken back.
#[derive(Debug, Clone, PartialEq)]
struct Undo {
    set: SetName,
    case: CaseId,
    /// The version of the set before it.
    version: u64,
    /// What it was: `retired`, `changed`.
    did: &'static str,
}

/// The state of the screen.
#[derive(Debug, Default)]
pub struct EvalsScreen {
    face: Face,
    sets: Option<List<EvalSetRowView>>,
    open: Option<OpenSet>,
    case: Option<CasePage>,
    /// The case under the cursor, laid out beside the list.
    beside: Option<(CaseLineView, Talk)>,
    undo: Vec<Undo>,
    /// The undo that is being done.
    undoing: Option<Undo>,
}

impl EvalsScreen {
    /// Takes the answer of a request.
    pub fn answered(&mut self, request: Request, result: Result<Answer>, cx: &mut Cx<'_>) {
        let answer = match result {
            Ok(answer) => answer,
            Err(error) => {
                if matches!(request, Request::Restore { .. })
                    && let Some(undo) = self.undoing.take()
                {
                    self.undo.push(undo);
                }
                return cx.fail(error);
            }
        };
        match answer {
            Answer::Sets(sets) => match &mut self.sets {
                Some(list) => list.replace(sets, |a, b| a.name == b.name),
                None => self.sets = Some(List::whole(sets)),
            },
            Answer::Cases(list) => self.take_cases(list),
            Answer::Case(case) => {
                self.case = Some(CasePage::new(*case, self.case.take(), cx.env));
            }
            Answer::Drafts { set, sets, drafts } => {
                if matches!(request, Request::Drafts { .. }) {
                    cx.open(Promote::traces(&set, &sets, drafts));
                }
            }
            Answer::Promoted(report) => {
                say_promoted(&report, cx);
                self.reload(cx);
            }
            Answer::Saved(report) => {
                self.saved(&request, &report, cx);
                self.reload(cx);
            }
            Answer::Read(report) => {
                let taken = &report.taken;
                let lines = page::read_lines(&report);
                if taken.conflicts.is_empty() && taken.rejected.is_empty() {
                    let counts = format!(
                        "{} added, {} changed, {} retired",
                        taken.added.len(),
                        taken.changed.len(),
                        taken.retired.len()
                    );
                    cx.say(
                        words().put(Role::Pass, "✓ ").plain(format!("{} read back: {counts}", report.set)),
                    );
                } else {
                    cx.open(Page::new(words().plain(format!("{} read back", report.set)), lines));
                }
                self.reload(cx);
            }
        }
    }

    /// Asks again for what is on screen.
    fn reload(&mut self, cx: &mut Cx<'_>) {
        cx.start(Job::replace("eval sets", "loading the eval sets", Request::Sets.into()));
        if let Some(open) = &self.open {
            let request = Request::Cases(open.name.clone());
            cx.start(Job::replace("eval cases", "loading the cases", request.into()));
        }
        if self.face == Face::Case
            && let Some((set, id)) = self.case.as_ref().and_then(CasePage::names)
        {
            let request = Request::Case(set, id);
            cx.start(Job::replace("eval case", "loading the case", request.into()));
        }
    }
}

impl Screen for EvalsScreen {
    fn place(&self) -> Place {
        Place::Evals
    }

    fn view(&self, env: &Env, canvas: &mut Canvas<'_>, area: Rect) {
        view::view(self, env, canvas, area);
    }

    fn holds(&self, when: When) -> bool {
        match when {
            rows::ON_CASE => self.line().is_some(),
            rows::HAS_TRACE => self.line().is_some_and(|line| line.case.trace.is_some()),
            rows::HAS_LIKE => self.line().is_some_and(|line| !line.resembles.is_empty()),
            rows::ON_SET | rows::CAN_RUN => self.set().is_some(),
            rows::CAN_UNDO => !self.undo.is_empty(),
            other => {
                let case = self.case.as_ref().filter(|_| self.face == Face::Case);
                case.is_some_and(|case| case.talk.holds(other))
            }
        }
    }

    fn hints(&self) -> Vec<(Id, &'static str)> {
        match self.face {
            Face::Sets if self.set().is_some() => vec![(app::OPEN, "its cases")],
            Face::Cases if self.line().is_some() => vec![(app::OPEN, "read it")],
            _ => Vec::new(),
        }
    }

    fn command(&mut self, id: Id, cx: &mut Cx<'_>) -> Handled {
        match id {
            app::OPEN if self.face != Face::Case => self.open_selected(cx),
            app::BACK => return self.back(cx.env),
            app::RIGHT => return self.step(1, cx),
            app::LEFT => return self.step(-1, cx),
            app::FIND => match self.face {
                Face::Sets => return Handled::No,
                Face::Cases => {
                    let filter = self.open.as_ref().map_or("", |open| &open.filter);
                    cx.open(Prompt::new(FILTER, "cases with", filter));
                }
                Face::Case => {
                    let needle = self.case.as_ref().map_or("", |case| case.talk.needle());
                    cx.open(Prompt::new(FIND, "find:", needle));
                }
            },
            rows::EDIT => {
                if let Some(line) = self.line() {
                    cx.open(Promote::case(&line.case, line.resembles.clone()));
                }
            }
            rows::TRACE => {
                if let Some(trace) = self.line().and_then(|line| line.case.trace.clone()) {
                    cx.open_trace(trace);
                }
            }
            rows::LIKE => {
                let like =
                    self.line().and_then(|line| line.resembles.first()).map(|other| other.case.clone());
                if let (Some(like), Some(open)) = (like, &mut self.open) {
                    open.filter.clear();
                    open.refilter(Some(&like));
                    if self.face == Face::Case {
                        self.open_case(like, cx);
                    }
                }
            }
            rows::RETIRE => {
                if let Some(line) = self.line() {
                    let (set, case) = (line.case.set.clone(), line.case.id.clone());
                    cx.start(act("retiring the case", Request::Retire { set, case }));
                }
            }
            rows::UNDO => {
                if let Some(undo) = self.undo.pop() {
                    let Undo { set, case, version, .. } = undo.clone();
                    self.undoing = Some(undo);
                    cx.start(act("taking it back", Request::Restore { set, case, version }));
                }
            }
            rows::RUN => {
                if let Some(set) = self.set().cloned() {
                    cx.start(start_run(cx.env, Some(set)));
                }
            }
            rows::READ_BACK => {
                if let Some(set) = self.set() {
                    cx.start(act("reading the file back", Request::ReadBack(set.clone())));
                }
            }
            other => return self.moved(other, cx.env),
        }
        Handled::Yes
    }

    fn clicked(&mut self, pane: Pane, index: usize, cx: &mut Cx<'_>) {
        // A second click on the line under the cursor opens it.
        let opens = match (pane, &mut self.sets, &mut self.open) {
            (SETS, Some(list), _) => {
                let again = list.selected_index() == index;
                list.select(index);
                again
            }
            (CASES, _, Some(open)) => {
                let again = open.shown.selected_index() == index;
                open.shown.select(index);
                again
            }
            _ => false,
        };
        if opens {
            self.open_selected(cx);
        }
        let page = cx.env.page(pane);
        match (pane, &mut self.case, &mut self.beside) {
            (CASE, Some(case), _) => case.talk.clicked(index, page),
            (BESIDE, _, Some((_, talk))) => talk.clicked(index, page),
            _ => {}
        }
    }

    fn wheel(&mut self, pane: Pane, rows: i32, cx: &mut Cx<'_>) {
        let (by, page) = (i64::from(rows), cx.env.page(pane));
        match (pane, &mut self.sets, &mut self.open, &mut self.case) {
            (SETS, Some(list), ..) => {
                list.by(by);
                list.settle(page);
            }
            (CASES, _, Some(open), _) => {
                open.shown.by(by);
                open.shown.settle(page);
            }
            (CASE, _, _, Some(case)) => case.talk.by(rows, page),
            (BESIDE, ..) => {
                if let Some((_, talk)) = &mut self.beside {
                    talk.by(rows, page);
                }
            }
            _ => {}
        }
    }

    fn shown(&mut self, cx: &mut Cx<'_>) {
        self.reload(cx);
    }

    fn replied(&mut self, tag: Tag, reply: Reply, cx: &mut Cx<'_>) {
        match (tag, reply, &mut self.open, &mut self.case) {
            (FILTER, Reply::Text(text), Some(open), _) => {
                let here = open.selected().map(|line| line.case.id.clone());
                open.filter = text.trim().to_owned();
                open.refilter(here.as_ref());
            }
            (FIND, Reply::Text(text), _, Some(case)) => {
                case.talk.find(&text, cx.env.page(CASE));
            }
            _ => {}
        }
    }

    fn changed(&mut self, changes: Changes, cx: &mut Cx<'_>) {
        if changes.work && self.sets.is_some() {
            self.reload(cx);
        }
    }

    fn settle(&mut self, area: Rect, env: &Env) {
        if let Some(case) = &mut self.case {
            case.talk.lay(area.width, view::body(area).height);
        }
        if let Some(open) = &mut self.open {
            open.shown.settle(env.page(CASES));
        }
        self.lay_beside(area);
    }
}

impl EvalsScreen {
    /// Lays out the case under the cursor, where there is room for it beside the list.
    fn lay_beside(&mut self, area: Rect) {
        let line = self.open.as_ref().filter(|_| self.face == Face::Cases).and_then(OpenSet::selected);
        let Some((line, beside)) = line.zip(view::beside(area)) else { return };
        match &mut self.beside {
            Some((laid, talk)) if laid == line => talk.lay(beside.width, beside.height),
            other => {
                let blocks = page::body_blocks(&line.case, &line.resembles);
                *other = Some((line.clone(), Talk::of(blocks, beside.width)));
            }
        }
    }

    fn moved(&mut self, id: Id, env: &Env) -> Handled {
        let moved = match (self.face, &mut self.sets, &mut self.open, &mut self.case) {
            (Face::Sets, Some(list), ..) => list.command(id, env.page(SETS)),
            (Face::Cases, _, Some(open), _) => open.shown.command(id, env.page(CASES)),
            (Face::Case, _, _, Some(case)) => case.talk.command(id, env.page(CASE)),
            _ => false,
        };
        if moved || Talk::knows(id) { Handled::Yes } else { Handled::No }
    }
}

#[cfg(test)]
mod tests;
