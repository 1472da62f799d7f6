//! Evals: the sets, the cases of one, and one case in full. The promotion form (`overlays::promote`)
//! opens from here and from every screen that shows traces, by [`promote_traces`].

mod page;
mod view;
mod work;

use ratatui::layout::Rect;

use self::page::CasePage;
pub use self::work::{Answer, Request, act, promote_traces};
use crate::command::table::{app, evals as rows};
use crate::command::{Id, Place, When};
use crate::domain::{CaseId, Result, SetName};
use crate::ops::promote::{
    CaseLineView, CaseListView, EvalSetRowView, FileReport, Outcome, PromoteReport, SaveReport,
};
use crate::ops::watch::Changes;
use crate::text::{Role, figures};
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

/// The set that is open.
#[derive(Debug)]
struct OpenSet {
    name: SetName,
    version: u64,
    /// All cases; `None` while they are loaded for the first time.
    all: Option<Vec<CaseLineView>>,
    filter: String,
    /// Places in `all`.
    shown: List<usize>,
    /// The case to put the cursor on when the cases arrive.
    wanted: Option<CaseId>,
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

    fn take_cases(&mut self, list: CaseListView) {
        let Some(open) = self.open.as_mut().filter(|open| open.name == list.set) else { return };
        let wanted = open.wanted.take().or_else(|| open.selected().map(|line| line.case.id.clone()));
        open.version = list.version;
        open.all = Some(list.cases);
        open.refilter(wanted.as_ref());
    }

    fn saved(&mut self, request: &Request, report: &SaveReport, cx: &mut Cx<'_>) {
        let Some(case) = report.cases.first() else { return };
        let (did, before) = match request {
            Request::Restore { .. } => {
                let did = self.undoing.take().map_or("restored", |undo| undo.did);
                let text = format!("↺ {} of {} is no longer {did}", case.id, report.set);
                return cx.say(words().plain(text).muted(file_words(report.file.as_ref())));
            }
            Request::Retire { .. } => ("retired", report.before),
            _ => ("changed", report.before),
        };
        self.undo.push(Undo { set: report.set.clone(), case: case.id.clone(), version: before, did });
        if did == "retired" && self.face == Face::Case {
            self.face = Face::Cases;
        }
        cx.say(
            words()
                .put(Role::Pass, "✓ ")
                .plain(format!("{} of {} {did}", case.id, report.set))
                .muted(file_words(report.file.as_ref()))
                .muted(" · ")
                .key(cx.env.key(rows::UNDO))
                .muted(" undo"),
        );
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

    fn open_set(&mut self, name: SetName, wanted: Option<CaseId>, cx: &mut Cx<'_>) {
        let list = List::default();
        self.open = Some(OpenSet { name, version: 0, all: None, filter: String::new(), shown: list, wanted });
        self.face = Face::Cases;
        self.reload(cx);
    }

    fn open_case(&mut self, id: CaseId, cx: &mut Cx<'_>) {
        let Some(open) = &self.open else { return };
        let request = Request::Case(open.name.clone(), id);
        self.face = Face::Case;
        self.case = None;
        cx.start(Job::replace("eval case", "loading the case", request.into()));
    }

    /// The case under the cursor, or open.
    fn line(&self) -> Option<&CaseLineView> {
        match self.face {
            Face::Sets => None,
            Face::Cases | Face::Case => self.open.as_ref()?.selected(),
        }
    }

    /// The set under the cursor, or open.
    fn set(&self) -> Option<&SetName> {
        match self.face {
            Face::Sets => self.sets.as_ref()?.selected().map(|row| &row.name),
            Face::Cases | Face::Case => self.open.as_ref().map(|open| &open.name),
        }
    }

    fn back(&mut self, env: &Env) -> Handled {
        match self.face {
            Face::Sets => return Handled::No,
            Face::Cases => match self.open.as_mut().filter(|open| !open.filter.is_empty()) {
                Some(open) => {
                    open.filter.clear();
                    let here = open.selected().map(|line| line.case.id.clone());
                    open.refilter(here.as_ref());
                }
                None => self.face = Face::Sets,
            },
            Face::Case => {
                let searched =
                    self.case.as_mut().is_some_and(|case| case.talk.command(app::BACK, env.page(CASE)));
                if !searched {
                    self.face = Face::Cases;
                }
            }
        }
        Handled::Yes
    }

    fn open_selected(&mut self, cx: &mut Cx<'_>) {
        match self.face {
            Face::Sets => {
                if let Some(name) = self.set().cloned() {
                    self.open_set(name, None, cx);
                }
            }
            Face::Cases => {
                if let Some(id) = self.line().map(|line| line.case.id.clone()) {
                    self.open_case(id, cx);
                }
            }
            Face::Case => {}
        }
    }

    /// To the next or former case, from the page of one.
    fn step(&mut self, by: i64, cx: &mut Cx<'_>) -> Handled {
        if self.face != Face::Case {
            return Handled::No;
        }
        if let Some(open) = &mut self.open {
            let here = open.shown.selected().copied();
            open.shown.by(by);
            if open.shown.selected().copied() != here
                && let Some(id) = open.selected().map(|line| line.case.id.clone())
            {
                self.open_case(id, cx);
            }
        }
        Handled::Yes
    }
}

impl OpenSet {
    fn selected(&self) -> Option<&CaseLineView> {
        self.all.as_ref()?.get(*self.shown.selected()?)
    }

    /// Shows the cases that hold every word of the filter, with the cursor on `here` if it is there.
    fn refilter(&mut self, here: Option<&CaseId>) {
        let wanted: Vec<String> = self.filter.split_whitespace().map(str::to_lowercase).collect();
        let fits = |line: &CaseLineView| {
            let case = &line.case;
            let mut text = format!("{} {} ", case.id, case.category.raw());
            case.input.each_text(false, &mut |piece| text.push_str(piece));
            for field in [&case.expected, &case.reasoning, &case.trace].into_iter().flatten() {
                text.push(' ');
                text.push_str(field.raw());
            }
            let text = text.to_lowercase();
            wanted.iter().all(|word| text.contains(word))
        };
        let all = self.all.as_deref().unwrap_or_default();
        let shown: Vec<usize> = (0..all.len()).filter(|at| all.get(*at).is_some_and(fits)).collect();
        let at = shown.iter().position(|at| all.get(*at).map(|line| &line.case.id) == here);
        let kept = self.shown.selected_index();
        self.shown = List::whole(shown);
        self.shown.select(at.unwrap_or(kept));
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

fn say_promoted(report: &PromoteReport, cx: &mut Cx<'_>) {
    let count = |of: Outcome| report.promoted.iter().filter(|one| one.outcome == of).count();
    let text = match &report.promoted[..] {
        [one] => {
            let id = one.case.as_ref().map(|case| case.id.as_str()).unwrap_or_default();
            match one.outcome {
                Outcome::Added => format!("{id} added to {}", report.set),
                Outcome::Changed => format!("{id} of {} changed", report.set),
                Outcome::Unchanged => format!("{id} is in {} already", report.set),
                Outcome::Duplicate => format!("left out: its input is in {} already", report.set),
            }
        }
        _ => {
            let parts: Vec<String> = [
                (Outcome::Added, "added"),
                (Outcome::Changed, "changed"),
                (Outcome::Unchanged, "there already"),
                (Outcome::Duplicate, "left out as duplicates"),
            ]
            .into_iter()
            .filter(|(of, _)| count(*of) > 0)
            .map(|(of, word)| format!("{} {word}", count(of)))
            .collect();
            format!("{}: {}", report.set, figures::list_of(&parts, "and"))
        }
    };
    cx.say(words().put(Role::Pass, "✓ ").plain(text).muted(file_words(report.file.as_ref())));
}

/// ` · evals/support.jsonl`, or that it could not be written.
fn file_words(file: Option<&FileReport>) -> String {
    match file {
        None => String::new(),
        Some(file) => {
            let name =
                file.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let changes = file.taken.added.len() + file.taken.changed.len();
            let took = if changes > 0 {
                format!(", {} taken from it", figures::plural(changes, "change"))
            } else {
                String::new()
            };
            let conflicts = if file.taken.conflicts.is_empty() { "" } else { ", conflicts: see the history" };
            let bad = if file.written { "" } else { " has a bad line and was not written" };
            format!(" · {name}{bad}{took}{conflicts}")
        }
    }
}

#[cfg(test)]
mod tests;
