//! The gate: which versions of the prompts there are, one version against the ten items of the deployment checklist,
//! and the answers to edge cases that people label for it.
//!
//! The list, the gate and the edge cases lie on each other: `enter` goes in, `esc` out. How they look is in `view`;
//! what the store is asked in `work`; what a person is asked in `asks`.

mod asks;
#[cfg(test)]
pub mod tests;
mod view;
mod work;

pub use work::{Answer, Request};

use std::sync::Arc;

use ratatui::layout::Rect;

use crate::command::table::{app, gate as rows};
use crate::command::{Id, Place, When};
use crate::domain::gate::Item;
use crate::domain::{Error, EvalConfig, Result, Verdict};
use crate::ops::gate::{CandidateLine, EdgeView, GateOf, GateView, ItemView};
use crate::ops::watch::Changes;
use crate::text::{Line, Role};
use crate::tui::canvas::{Canvas, Pane};
use crate::tui::jobs::Job;
use crate::tui::overlays::{Confirm, Reply, Tag};
use crate::tui::screen::{Cx, Env, Handled, Screen};
use crate::tui::screens::ScreenId;
use crate::tui::widgets::list::List;
use crate::tui::widgets::scroll::Scroll;
use crate::tui::words::words;
use work::What;

const LIST: Pane = Pane("gates");
const ITEMS: Pane = Pane("gate items");
const DETAIL: Pane = Pane("gate item");
const EDGES: Pane = Pane("gate edge cases");
const ANSWER: Pane = Pane("gate edge case");
const SIGN: Tag = Tag("sign an item of the gate");
const DRILL: Tag = Tag("drill the rollback");
const TARGET: Tag = Tag("target to exercise");

/// The state of the screen.
#[derive(Debug, Default)]
pub struct GateScreen {
    config: Arc<EvalConfig>,
    list: Option<List<CandidateLine>>,
    open: Option<Open>,
    /// The store has changed since it was asked.
    stale: bool,
}

/// A gate that lies open.
#[derive(Debug)]
struct Open {
    of: GateOf,
    view: Option<Box<GateView>>,
    /// Places in the items of the view.
    items: List<usize>,
    detail: Laid,
    edges: Option<Edges>,
    /// The screen that backing out goes to; the list without one.
    from: Option<ScreenId>,
    /// The item that is being signed.
    signing: Option<Item>,
}

/// The edge cases of its run.
#[derive(Debug, Default)]
struct Edges {
    list: Option<List<EdgeView>>,
    answer: Laid,
}

/// Text laid out for a width.
#[derive(Debug, Default)]
struct Laid {
    lines: Vec<Line>,
    scroll: Scroll,
}

impl Open {
    fn new(of: GateOf, from: Option<ScreenId>) -> Self {
        let items = List::whole(0..Item::ALL.len());
        Self { of, view: None, items, detail: Laid::default(), edges: None, from, signing: None }
    }

    /// The item under the cursor.
    fn item(&self) -> Option<&ItemView> {
        self.view.as_ref()?.items.get(*self.items.selected()?)
    }
}

impl GateScreen {
    /// The screen with what the configuration says of prompts, gates and targets.
    pub fn new(config: EvalConfig) -> Self {
        Self { config: Arc::new(config), ..Self::default() }
    }

    /// Opens a gate; backing out goes back to this screen.
    pub fn come(&mut self, of: GateOf, from: ScreenId) {
        let from = Some(from).filter(|from| *from != ScreenId::Gate);
        self.open = Some(Open::new(of, from));
    }

    /// Takes the answer of a request.
    pub fn answered(&mut self, request: &Request, result: Result<Answer>, cx: &mut Cx<'_>) {
        let answer = match result {
            Ok(answer) => answer,
            Err(error) => return self.failed(request, error, cx),
        };
        match answer {
            Answer::List(lines) => {
                let same =
                    |a: &CandidateLine, b: &CandidateLine| a.feature == b.feature && a.version == b.version;
                match &mut self.list {
                    Some(list) => list.replace(lines, same),
                    None => self.list = Some(List::whole(lines)),
                }
            }
            Answer::Gate(view) => self.take(request, view),
            Answer::Edges(edges) => self.take_edges(request, edges),
            Answer::Labelled(edges, view) => {
                self.take(request, view);
                self.take_edges(request, edges);
            }
            Answer::Done(said, well, view) => {
                self.take(request, view);
                let (role, mark) = if well { (Role::Pass, "✓ ") } else { (Role::Fail, "✗ ") };
                cx.say(words().put(role, mark).plain(said));
            }
        }
    }

    /// A gate that cannot be looked at is closed again.
    fn failed(&mut self, request: &Request, error: Error, cx: &mut Cx<'_>) {
        if let Some(open) = &mut self.open {
            match &request.what {
                What::Check(of) if open.of == *of && open.view.is_none() => {
                    let from = open.from;
                    self.open = None;
                    if let Some(from) = from {
                        cx.go(from);
                    } else {
                        self.ask(What::List, cx);
                    }
                }
                What::Edges(of) if open.of == *of => open.edges = None,
                _ => {}
            }
        }
        cx.fail(error);
    }

    fn of_open(&mut self, request: &Request) -> Option<&mut Open> {
        let (What::Check(of)
        | What::Edges(of)
        | What::Label { of, .. }
        | What::Sign { of, .. }
        | What::Drill(of)
        | What::Exercise { of, .. }) = &request.what
        else {
            return None;
        };
        self.open.as_mut().filter(|open| open.of == *of)
    }

    fn take(&mut self, request: &Request, view: Box<GateView>) {
        if let Some(open) = self.of_open(request) {
            open.view = Some(view);
        }
    }

    /// Takes the cases in the order in which they stand.
    fn take_edges(&mut self, request: &Request, mut edges: Vec<EdgeView>) {
        let Some(page) = self.of_open(request).and_then(|open| open.edges.as_mut()) else { return };
        let Some(list) = &mut page.list else {
            page.list = Some(List::whole(edges));
            return;
        };
        let place = |edge: &EdgeView| {
            list.rows().iter().position(|row| row.result.case == edge.result.case).unwrap_or(usize::MAX)
        };
        edges.sort_by_key(place);
        list.replace(edges, |a, b| a.result.case == b.result.case);
    }

    fn ask(&self, what: What, cx: &mut Cx<'_>) {
        let (scope, title) = match &what {
            What::List => ("gates", "reading the prompts"),
            What::Edges(_) => ("gate edges", "reading the edge cases"),
            _ => ("gate", "looking at the gate"),
        };
        cx.start(Job::replace(scope, title, Request { config: self.config.clone(), what }.into()));
    }

    fn act(&self, title: &'static str, what: What, cx: &mut Cx<'_>) {
        if cx.env.writable {
            cx.start(Job::queue("gate act", title, Request { config: self.config.clone(), what }.into()));
        } else {
            cx.fail(Error::not_so("The store is open for reading only: nothing can be kept in it."));
        }
    }

    /// Asks again for what is on screen.
    fn reload(&mut self, cx: &mut Cx<'_>) {
        self.stale = false;
        self.ask(What::List, cx);
        if let Some(open) = &self.open {
            let (of, edges) = (open.of.clone(), open.edges.is_some());
            self.ask(What::Check(of.clone()), cx);
            if edges {
                self.ask(What::Edges(of), cx);
            }
        }
    }

    fn enter(&mut self, cx: &mut Cx<'_>) {
        match &self.open {
            None => {
                let Some(candidate) = self.list.as_ref().and_then(List::selected) else { return };
                let of = GateOf { feature: candidate.feature.clone(), version: candidate.version.clone() };
                self.ask(What::Check(of.clone()), cx);
                self.open = Some(Open::new(of, None));
            }
            Some(open) if open.edges.is_some() => {}
            Some(open) => match open.item().map(|item| item.item) {
                Some(Item::EdgeCases) => self.edge_cases(cx),
                Some(item) if item.is_signed() => self.sign(cx),
                _ => {}
            },
        }
    }

    fn back(&mut self, cx: &mut Cx<'_>) {
        let Some(open) = &mut self.open else { return cx.go(ScreenId::Runs) };
        if open.edges.take().is_some() {
            return;
        }
        let from = open.from;
        self.open = None;
        match from {
            Some(from) => cx.go(from),
            None => self.ask(What::List, cx),
        }
    }

    fn edge_cases(&mut self, cx: &mut Cx<'_>) {
        let Some(open) = self.open.as_mut().filter(|open| open.edges.is_none()) else { return };
        open.edges = Some(Edges::default());
        let of = open.of.clone();
        self.ask(What::Edges(of), cx);
    }

    /// Labels the case under the cursor, and goes on to the next one without a label: at once, so that the next
    /// key is never about the same case.
    fn label(&mut self, verdict: Verdict, cx: &mut Cx<'_>) {
        let Some(open) = &mut self.open else { return };
        let Some(edges) = &mut open.edges else { return };
        let Some(list) = &mut edges.list else { return };
        let Some(case) = list.selected().map(|edge| edge.result.case.clone()) else { return };
        let here = list.selected_index();
        let next = list.rows().iter().skip(here + 1).position(|edge| edge.labels.is_empty());
        list.select(here + 1 + next.unwrap_or(0));
        edges.answer.scroll = Scroll::default();
        let of = open.of.clone();
        self.act("keeping the label", What::Label { of, case, verdict }, cx);
    }

    /// Moves as a command of moving says; false for another command.
    fn moved(&mut self, id: Id, env: &Env) -> bool {
        let Some(open) = &mut self.open else {
            return self.list.as_mut().is_some_and(|list| list.command(id, env.page(LIST)));
        };
        let moved = match &mut open.edges {
            Some(edges) => {
                edges.answer.scroll = Scroll::default();
                edges.list.as_mut().is_some_and(|list| list.command(id, env.page(EDGES)))
            }
            None => open.items.command(id, env.page(ITEMS)),
        };
        open.detail.scroll = Scroll::default();
        moved
    }
}

impl Screen for GateScreen {
    fn place(&self) -> Place {
        match &self.open {
            None => Place::Gates,
            Some(open) if open.edges.is_some() => Place::GateEdges,
            Some(_) => Place::Gate,
        }
    }

    fn view(&self, env: &Env, canvas: &mut Canvas<'_>, area: Rect) {
        view::view(self, env, canvas, area);
    }

    fn holds(&self, when: When) -> bool {
        match when {
            rows::SIGNED => self.open.as_ref().and_then(Open::item).is_some_and(|item| item.item.is_signed()),
            _ => false,
        }
    }

    fn hints(&self) -> Vec<(Id, &'static str)> {
        match &self.open {
            None if self.list.as_ref().is_some_and(|list| !list.is_empty()) => vec![(app::OPEN, "its gate")],
            _ => Vec::new(),
        }
    }

    fn command(&mut self, id: Id, cx: &mut Cx<'_>) -> Handled {
        match id {
            app::OPEN => self.enter(cx),
            app::BACK => self.back(cx),
            rows::SIGN => self.sign(cx),
            rows::EDGE_CASES => self.edge_cases(cx),
            rows::DRILL => {
                let question = "Run the rollback command as a dry run?";
                cx.open(Confirm::new(DRILL, question, "run it"));
            }
            rows::EXERCISE => self.choose_target(cx),
            rows::AGAIN => self.reload(cx),
            rows::PASS => self.label(Verdict::Pass, cx),
            rows::FAIL => self.label(Verdict::Fail, cx),
            rows::UNSURE => self.label(Verdict::Unsure, cx),
            other if self.moved(other, cx.env) => {}
            _ => return Handled::No,
        }
        Handled::Yes
    }

    fn clicked(&mut self, pane: Pane, index: usize, cx: &mut Cx<'_>) {
        // A second click on the line under the cursor opens it.
        let again = match (&mut self.open, pane) {
            (None, LIST) => self.list.as_mut().is_some_and(|list| {
                let again = list.selected_index() == index;
                list.select(index);
                again
            }),
            (Some(open), ITEMS) => {
                let again = open.items.selected_index() == index;
                open.items.select(index);
                again
            }
            (Some(Open { edges: Some(Edges { list: Some(list), .. }), .. }), EDGES) => {
                list.select(index);
                false
            }
            _ => false,
        };
        if again {
            self.enter(cx);
        }
    }

    fn wheel(&mut self, pane: Pane, rows: i32, cx: &mut Cx<'_>) {
        let (by, page) = (i64::from(rows), cx.env.page(pane));
        match (&mut self.open, pane) {
            (Some(open), DETAIL) => open.detail.scroll.by(by, open.detail.lines.len(), page),
            (Some(Open { edges: Some(edges), .. }), ANSWER) => {
                edges.answer.scroll.by(by, edges.answer.lines.len(), page);
            }
            _ => {
                let id = if rows > 0 { app::DOWN } else { app::UP };
                let _ = self.moved(id, cx.env);
            }
        }
    }

    fn shown(&mut self, cx: &mut Cx<'_>) {
        self.reload(cx);
    }

    fn replied(&mut self, tag: Tag, reply: Reply, cx: &mut Cx<'_>) {
        let of = self.open.as_ref().map(|open| open.of.clone());
        match (tag, reply, of) {
            (SIGN, Reply::Fields(fields), _) => self.signed(&fields, cx),
            (DRILL, Reply::Yes, Some(of)) => self.act("practising the rollback", What::Drill(of), cx),
            (TARGET, Reply::Picked(at), Some(of)) => {
                if let Some(target) = self.targets().get(at).map(|name| (*name).to_owned()) {
                    self.act("trying the target", What::Exercise { of, target }, cx);
                }
            }
            _ => {}
        }
    }

    fn changed(&mut self, _changes: Changes, _cx: &mut Cx<'_>) {
        // Looking at a gate takes git and a few queries: only while it is on screen.
        self.stale = self.list.is_some();
    }

    fn drawn(&mut self, cx: &mut Cx<'_>) {
        if self.stale {
            self.reload(cx);
        }
    }

    fn settle(&mut self, area: Rect, env: &Env) {
        view::settle(self, area, env);
    }
}
