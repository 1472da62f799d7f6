//! Runs: the list, one run with its cases, two runs compared, and how far a judge can be trusted.
//!
//! What is open lies in a pile: `enter` lays a page on it, `esc` takes it off, and each page keeps its
//! place. The run that was started here is in `going`. How pages look is in `view`, the lines of a text to read in `lines`; what the store is asked
//! in `work`.

mod filtered;
mod going;
mod lines;
#[cfg(test)]
pub mod tests;
mod view;
mod work;

pub use work::{Answer, Request, start_run};

use self::filtered::{Filtered, Row, Text};
use self::going::Going;
use ratatui::layout::Rect;

use crate::command::table::{app, runs as rows};
use crate::command::{Id, Place, When};
use crate::domain::{CaseId, CaseResult, Result, RunName, Untrusted};
use crate::ops::compare::{
    CaseLine, CaseView, CompareSpec, CompareView, Disagreement, JudgeTrust, Thresholds, TrustView,
};
use crate::ops::gate::GateOf;
use crate::ops::run::{RunShowView, RunView, before};
use crate::ops::watch::Changes;
use crate::text::Line;
use crate::tui::canvas::{Canvas, Pane};
use crate::tui::jobs::Job;
use crate::tui::overlays::{Prompt, Reply, Tag};
use crate::tui::screen::{Cx, Env, Handled, Screen};
use crate::tui::widgets::list::List;
use crate::tui::words::words;

const LIST: Pane = Pane("runs");
const CASES: Pane = Pane("run cases");
const COMPARED: Pane = Pane("compared cases");
const DISAGREEMENTS: Pane = Pane("judge disagreements");
const TEXT: Pane = Pane("run case");
const FILTER: Tag = Tag("filter runs");
const FIND: Tag = Tag("find in the run's case");

/// The state of the screen.
#[derive(Debug, Default)]
pub struct RunsScreen {
    runs: Option<Filtered<RunView>>,
    baseline: Option<RunName>,
    pile: Vec<Page>,
    /// What must hold of a candidate.
    thresholds: Thresholds,
    /// The run that was started here.
    going: Option<Going>,
    /// The run that was started here last, until it is in the list: the cursor goes to it then.
    begun: Option<RunName>,
    /// What came of the run that is over, to be said when the list has it.
    news: Option<Line>,
    /// The list is being read.
    reading: bool,
    /// The store was changed while it was.
    stale: bool,
}

/// What lies open above the list.
#[derive(Debug)]
enum Page {
    Run(RunPage),
    /// A case of the run below it.
    Case(Box<CaseResult>, Text),
    Comparison(ComparisonPage),
    /// A case of the comparison below it.
    Pair(PairPage),
    Trust(TrustPage),
}

#[derive(Debug)]
struct RunPage {
    name: RunName,
    view: Option<Box<RunView>>,
    cases: Filtered<CaseResult>,
    /// The case under the cursor, laid out beside the list.
    beside: Option<(CaseId, Text)>,
}

#[derive(Debug)]
struct ComparisonPage {
    baseline: RunName,
    candidate: RunName,
    view: Option<Box<CompareView>>,
    cases: Filtered<CaseLine>,
}

#[derive(Debug)]
struct PairPage {
    case: CaseId,
    view: Option<Box<CaseView>>,
    text: Text,
}

#[derive(Debug)]
struct TrustPage {
    name: RunName,
    view: Option<Box<TrustView>>,
    /// Which of the judges is on screen.
    judge: usize,
    disagreements: List<Disagreement>,
}

impl TrustPage {
    fn judge(&self) -> Option<&JudgeTrust> {
        self.view.as_ref()?.judges.get(self.judge)
    }

    fn show(&mut self, judge: usize) {
        self.judge = judge;
        let rows = self.judge().map_or_else(Vec::new, |judge| judge.disagreements.clone());
        self.disagreements = List::whole(rows);
    }
}

impl RunsScreen {
    /// The screen with the thresholds of the configuration.
    pub fn new(thresholds: Thresholds) -> Self {
        Self { thresholds, ..Self::default() }
    }

    /// Comes from another screen to the runs that have these words.
    pub fn come(&mut self, filter: &str) {
        self.pile.clear();
        self.runs.get_or_insert_default().set_filter(filter);
    }

    /// Takes the answer of a request.
    pub fn answered(&mut self, request: &Request, result: Result<Answer>, cx: &mut Cx<'_>) {
        let answer = match result {
            Ok(answer) => answer,
            Err(error) => {
                self.give_up(request);
                if matches!(request, Request::Begin { .. }) {
                    return self.ended(Err(error), cx);
                }
                return cx.fail(error);
            }
        };
        match answer {
            Answer::Offer(offer, config) => self.offered(*offer, config, cx),
            // The form takes it.
            Answer::Check(_) => {}
            Answer::Ran(view) => self.ended(Ok(*view), cx),
            Answer::List(runs) => {
                if let Some(baseline) = &self.baseline
                    && runs.iter().all(|run| run.run != *baseline)
                {
                    self.baseline = None;
                }
                self.runs.get_or_insert_default().take(runs);
                self.find_begun();
                self.news.take().into_iter().for_each(|news| cx.say(news));
                self.reading = false;
                if std::mem::take(&mut self.stale) {
                    self.reload(cx);
                }
            }
            Answer::Show(view) => self.take_run(*view),
            Answer::Compare(view) => {
                for page in &mut self.pile {
                    if let Page::Comparison(page) = page
                        && page.baseline == view.baseline.run
                        && page.candidate == view.candidate.run
                    {
                        page.cases.take(view.lines.clone());
                        page.view = Some(view);
                        return;
                    }
                }
            }
            Answer::Pair(view) => {
                if let Some(Page::Pair(page)) = self.pile.last_mut()
                    && page.case == view.case
                {
                    page.text.cols = 0;
                    page.view = Some(view);
                }
            }
            Answer::Trust(view) => {
                for page in &mut self.pile {
                    if let Page::Trust(page) = page
                        && Some(&page.name) == view.run.as_ref()
                    {
                        let (judge, at) = (page.judge, page.disagreements.selected_index());
                        page.view = Some(view);
                        page.show(judge);
                        page.disagreements.select(at);
                        return;
                    }
                }
            }
        }
    }

    /// Takes the page away that waits for what cannot be had.
    fn give_up(&mut self, request: &Request) {
        if matches!(request, Request::List) {
            self.reading = false;
            self.stale = false;
        }
        let waits = match (self.pile.last(), request) {
            (Some(Page::Run(page)), Request::Show(name)) => page.view.is_none() && page.name == *name,
            (Some(Page::Comparison(page)), Request::Compare(_)) => page.view.is_none(),
            (Some(Page::Pair(page)), Request::Pair { .. }) => page.view.is_none(),
            (Some(Page::Trust(page)), Request::Trust(_)) => page.view.is_none(),
            _ => false,
        };
        if waits {
            self.pile.pop();
        }
    }

    fn take_run(&mut self, view: RunShowView) {
        let mut open = None;
        for page in &mut self.pile {
            match page {
                Page::Run(page) if page.name == view.run.run => {
                    page.beside = None;
                    page.view = Some(Box::new(view.run.clone()));
                    page.cases.take(view.results.clone());
                    open = Some(page.name.clone());
                }
                // The case on screen is of the run right below it.
                Page::Case(case, text) if open.is_some() => {
                    if let Some(now) = view.results.iter().find(|now| now.case == case.case) {
                        if **case != *now {
                            text.cols = 0;
                        }
                        **case = now.clone();
                    }
                }
                _ => open = None,
            }
        }
    }

    /// Asks again for what is on screen.
    fn reload(&mut self, cx: &mut Cx<'_>) {
        self.reading = true;
        cx.start(Job::replace("runs", "reading the runs", Request::List.into()));
        for page in &self.pile {
            match page {
                Page::Run(page) => show(&page.name, cx),
                Page::Comparison(page) => compare(&page.baseline, &page.candidate, &self.thresholds, cx),
                Page::Trust(page) => trust(&page.name, cx),
                Page::Case(..) | Page::Pair(_) => {}
            }
        }
    }

    /// The run under the cursor, or open.
    fn run(&self) -> Option<&RunName> {
        let opened = self.pile.iter().rev().find_map(|page| match page {
            Page::Run(page) => Some(&page.name),
            Page::Comparison(page) => Some(&page.candidate),
            Page::Trust(page) => Some(&page.name),
            Page::Case(..) | Page::Pair(_) => None,
        });
        opened.or_else(|| self.runs.as_ref()?.selected().map(|run| &run.run))
    }

    /// The gate of the prompt that the run under the cursor, or open, is of.
    fn gate(&self) -> Option<GateOf> {
        let name = self.run()?;
        let run = self.runs.as_ref()?.all.iter().find(|run| run.run == *name)?;
        let prompt = run.prompt.as_deref()?;
        let (feature, version) = prompt.split_once('@').unwrap_or((prompt, "current"));
        Some(GateOf { feature: feature.to_owned(), version: version.to_owned() })
    }

    /// The baseline, where the run here can be compared with it.
    fn other_baseline(&self) -> Option<&RunName> {
        self.baseline.as_ref().filter(|baseline| self.run().is_some_and(|run| run != *baseline))
    }

    /// What the run here is compared with: the baseline, else the run of its set before it.
    fn compared_with(&self) -> Option<&RunName> {
        match &self.baseline {
            Some(_) => self.other_baseline(),
            None => before(&self.runs.as_ref()?.all, self.run()?),
        }
    }

    /// The trace of the case here.
    fn trace(&self) -> Option<Untrusted> {
        match self.pile.last()? {
            Page::Run(page) => page.cases.selected()?.trace.clone(),
            Page::Case(case, _) => case.trace.clone(),
            Page::Pair(page) => page.view.as_ref()?.trace.clone(),
            Page::Comparison(page) => {
                let case = &page.cases.selected()?.case;
                page.view.as_ref()?.opened.iter().find(|opened| opened.case == *case)?.trace.clone()
            }
            Page::Trust(page) => page.disagreements.selected().map(|one| one.trace.clone()),
        }
    }

    fn open_run(&mut self, name: RunName, cx: &mut Cx<'_>) {
        show(&name, cx);
        self.pile.push(Page::Run(RunPage { name, view: None, cases: Filtered::default(), beside: None }));
    }

    fn compare(&mut self, cx: &mut Cx<'_>) {
        let (Some(baseline), Some(candidate)) = (self.compared_with().cloned(), self.run().cloned()) else {
            return;
        };
        compare(&baseline, &candidate, &self.thresholds, cx);
        let cases = Filtered::default();
        self.pile.push(Page::Comparison(ComparisonPage { baseline, candidate, view: None, cases }));
    }

    fn trust(&mut self, cx: &mut Cx<'_>) {
        let Some(name) = self.run().cloned() else { return };
        if matches!(self.pile.last(), Some(Page::Trust(_))) {
            return;
        }
        trust(&name, cx);
        let disagreements = List::default();
        self.pile.push(Page::Trust(TrustPage { name, view: None, judge: 0, disagreements }));
    }

    fn open_selected(&mut self, cx: &mut Cx<'_>) {
        match self.pile.last() {
            None => {
                let Some(run) = self.run().cloned() else { return };
                if self.other_baseline().is_some() { self.compare(cx) } else { self.open_run(run, cx) }
            }
            Some(Page::Run(page)) => {
                if let Some(case) = page.cases.selected().cloned() {
                    self.pile.push(Page::Case(Box::new(case), Text::default()));
                }
            }
            Some(Page::Comparison(page)) => {
                if let Some(line) = page.cases.selected() {
                    let case = line.case.clone();
                    let (baseline, candidate) = (page.baseline.clone(), page.candidate.clone());
                    let request = Request::Pair { baseline, candidate, case: case.clone() };
                    cx.start(Job::replace("run case", "reading the case", request.into()));
                    self.pile.push(Page::Pair(PairPage { case, view: None, text: Text::default() }));
                }
            }
            Some(Page::Trust(page)) => {
                if let Some(one) = page.disagreements.selected() {
                    cx.open_trace(one.trace.clone());
                }
            }
            Some(Page::Case(..) | Page::Pair(_)) => {}
        }
    }

    /// To the next or former case from the page of one, or judge.
    fn step(&mut self, by: i64, cx: &mut Cx<'_>) -> Handled {
        match self.pile.last_mut() {
            Some(Page::Trust(page)) => {
                let count = page.view.as_ref().map_or(0, |view| view.judges.len());
                let to = i64::try_from(page.judge).unwrap_or(0) + by;
                if let Ok(to) = usize::try_from(to)
                    && to < count
                {
                    page.show(to);
                }
                return Handled::Yes;
            }
            Some(Page::Case(..) | Page::Pair(_)) => {}
            _ => return Handled::No,
        }
        let top = self.pile.pop();
        let moved = self.list_mut().is_some_and(|list| {
            let here = list.selected_index();
            list.by(by);
            list.selected_index() != here
        });
        if moved {
            self.open_selected(cx);
        } else {
            self.pile.extend(top);
        }
        Handled::Yes
    }

    fn back(&mut self) -> Handled {
        let filter = match self.pile.last_mut() {
            None => self.runs.as_mut().map(clear_filter),
            Some(Page::Run(page)) => Some(clear_filter(&mut page.cases)),
            Some(Page::Comparison(page)) => Some(clear_filter(&mut page.cases)),
            Some(_) => None,
        };
        let cleared = filter == Some(true);
        if cleared || self.pile.pop().is_some() || self.baseline.take().is_some() {
            Handled::Yes
        } else {
            Handled::No
        }
    }

    /// The list on screen, as places.
    fn list_mut(&mut self) -> Option<&mut List<usize>> {
        match self.pile.last_mut() {
            None => self.runs.as_mut().map(|runs| &mut runs.shown),
            Some(Page::Run(page)) => Some(&mut page.cases.shown),
            Some(Page::Comparison(page)) => Some(&mut page.cases.shown),
            Some(_) => None,
        }
    }

    fn text_mut(&mut self) -> Option<&mut Text> {
        match self.pile.last_mut()? {
            Page::Case(_, text) => Some(text),
            Page::Pair(page) => Some(&mut page.text),
            _ => None,
        }
    }

    fn pane(&self) -> Pane {
        match self.pile.last() {
            None => LIST,
            Some(Page::Run(_)) => CASES,
            Some(Page::Comparison(_)) => COMPARED,
            Some(Page::Trust(_)) => DISAGREEMENTS,
            Some(Page::Case(..) | Page::Pair(_)) => TEXT,
        }
    }

    fn filter(&self) -> Option<&str> {
        match self.pile.last() {
            None => self.runs.as_ref().map(|runs| runs.filter.as_str()),
            Some(Page::Run(page)) => Some(&page.cases.filter),
            Some(Page::Comparison(page)) => Some(&page.cases.filter),
            Some(_) => None,
        }
    }

    fn find(&mut self, cx: &mut Cx<'_>) {
        if let Some(filter) = self.filter() {
            cx.open(Prompt::new(
                FILTER,
                if self.pile.is_empty() { "runs with" } else { "cases with" },
                filter,
            ));
        } else if let Some(text) = self.text_mut() {
            cx.open(Prompt::new(FIND, "find:", &text.needle));
        }
    }

    /// Moves as a command of moving says; false for another command.
    fn moved(&mut self, id: Id, env: &Env) -> bool {
        let page = env.page(self.pane());
        if let Some(Page::Trust(trust)) = self.pile.last_mut() {
            return trust.disagreements.command(id, page);
        }
        if let Some(text) = self.text_mut() {
            return text.scroll.command(id, text.lines.len(), page);
        }
        self.list_mut().is_some_and(|list| list.command(id, page))
    }
}

fn clear_filter<T: Row>(rows: &mut Filtered<T>) -> bool {
    let had = !rows.filter.is_empty();
    if had {
        rows.set_filter("");
    }
    had
}

fn show(name: &RunName, cx: &mut Cx<'_>) {
    cx.start(Job::replace("run", "reading the run", Request::Show(name.clone()).into()));
}

fn compare(baseline: &RunName, candidate: &RunName, thresholds: &Thresholds, cx: &mut Cx<'_>) {
    let (baseline, candidate) = (baseline.clone(), candidate.clone());
    let request = Request::Compare(CompareSpec { baseline, candidate, thresholds: thresholds.clone() });
    cx.start(Job::replace("comparison", "comparing the runs", request.into()));
}

fn trust(name: &RunName, cx: &mut Cx<'_>) {
    let request = Request::Trust(name.clone());
    cx.start(Job::replace("trust", "holding the judge against the labels", request.into()));
}

impl Screen for RunsScreen {
    fn place(&self) -> Place {
        let compared = self.pile.iter().any(|page| matches!(page, Page::Comparison(_)));
        match self.pile.last() {
            None => Place::Runs,
            Some(_) if compared => Place::Comparison,
            Some(_) => Place::Run,
        }
    }

    fn view(&self, env: &Env, canvas: &mut Canvas<'_>, area: Rect) {
        view::view(self, env, canvas, area);
    }

    fn holds(&self, when: When) -> bool {
        match when {
            rows::ON_RUN => self.run().is_some(),
            rows::COMPARABLE => self.compared_with().is_some(),
            rows::CAN_GO_ON => self.can_go_on(),
            rows::GOING => self.going.is_some(),
            rows::HAS_PROMPT => self.gate().is_some(),
            rows::HAS_TRACE => self.trace().is_some(),
            _ => false,
        }
    }

    fn hints(&self) -> Vec<(Id, &'static str)> {
        match self.pile.last() {
            None if self.other_baseline().is_some() => vec![(app::OPEN, "compare")],
            None if self.run().is_some() => vec![(app::OPEN, "its cases")],
            Some(Page::Run(page)) if page.cases.selected().is_some() => vec![(app::OPEN, "read it")],
            Some(Page::Comparison(page)) if page.cases.selected().is_some() => {
                vec![(app::OPEN, "side by side")]
            }
            Some(Page::Trust(page)) => {
                let judges = page.view.as_ref().map_or(0, |view| view.judges.len());
                let mut hints = Vec::new();
                if page.disagreements.selected().is_some() {
                    hints.push((app::OPEN, "its trace"));
                }
                if judges > 1 {
                    hints.push((app::RIGHT, "next judge"));
                }
                hints
            }
            Some(Page::Case(..) | Page::Pair(_)) => vec![(app::RIGHT, "next case")],
            _ => Vec::new(),
        }
    }

    fn command(&mut self, id: Id, cx: &mut Cx<'_>) -> Handled {
        match id {
            app::OPEN => self.open_selected(cx),
            app::BACK => return self.back(),
            app::RIGHT => return self.step(1, cx),
            app::LEFT => return self.step(-1, cx),
            app::FIND => self.find(cx),
            rows::BASELINE => {
                let run = self.run().cloned();
                if run.is_some() && run == self.baseline {
                    self.baseline = None;
                } else if let Some(run) = run {
                    cx.say(words().plain(run.as_str()).muted(" is the baseline; open another to compare it"));
                    self.baseline = Some(run);
                }
            }
            rows::COMPARE => self.compare(cx),
            rows::START => {
                if !self.refuses(cx) {
                    cx.start(start_run(cx.env, None));
                }
            }
            rows::GO_ON => self.go_on(cx),
            rows::STOP => self.stop(cx),
            rows::TRUST => self.trust(cx),
            rows::GATE => {
                if let Some(of) = self.gate() {
                    cx.open_gate(of);
                }
            }
            rows::TRACE => {
                if let Some(trace) = self.trace() {
                    cx.open_trace(trace);
                }
            }
            other if self.moved(other, cx.env) => {}
            _ => return Handled::No,
        }
        Handled::Yes
    }

    fn clicked(&mut self, pane: Pane, index: usize, cx: &mut Cx<'_>) {
        if pane != self.pane() {
            return;
        }
        // A second click on the line under the cursor opens it.
        let again = if let Some(Page::Trust(page)) = self.pile.last_mut() {
            let again = page.disagreements.selected_index() == index;
            page.disagreements.select(index);
            again
        } else if let Some(list) = self.list_mut() {
            let again = list.selected_index() == index;
            list.select(index);
            again
        } else {
            false
        };
        if again {
            self.open_selected(cx);
        }
    }

    fn wheel(&mut self, pane: Pane, rows: i32, cx: &mut Cx<'_>) {
        let (by, page) = (i64::from(rows), cx.env.page(pane));
        if pane != self.pane() {
            return;
        }
        if let Some(Page::Trust(trust)) = self.pile.last_mut() {
            trust.disagreements.by(by);
            trust.disagreements.settle(page);
        } else if let Some(list) = self.list_mut() {
            list.by(by);
            list.settle(page);
        } else if let Some(text) = self.text_mut() {
            text.scroll.by(by, text.lines.len(), page);
        }
    }

    fn shown(&mut self, cx: &mut Cx<'_>) {
        self.reload(cx);
    }

    fn replied(&mut self, tag: Tag, reply: Reply, cx: &mut Cx<'_>) {
        let Reply::Text(text) = reply else { return };
        match (tag, self.pile.last_mut()) {
            (FILTER, None) => {
                if let Some(runs) = &mut self.runs {
                    runs.set_filter(&text);
                }
            }
            (FILTER, Some(Page::Run(page))) => page.cases.set_filter(&text),
            (FILTER, Some(Page::Comparison(page))) => page.cases.set_filter(&text),
            (FIND, Some(_)) => {
                let page = cx.env.page(TEXT);
                if let Some(shown) = self.text_mut()
                    && !text.is_empty()
                    && !shown.find(&text, page)
                {
                    cx.say(words().plain("not found: ").plain(&text));
                }
            }
            _ => {}
        }
    }

    fn changed(&mut self, changes: Changes, cx: &mut Cx<'_>) {
        // A run commits many times a second: the list is read again when it has been read, not beside that.
        if changes.work && self.reading {
            self.stale = true;
        } else if changes.work && self.runs.is_some() {
            self.reload(cx);
        }
    }

    fn settle(&mut self, area: Rect, env: &Env) {
        let page = env.page(self.pane());
        if let Some(list) = self.list_mut() {
            list.settle(page);
        }
        let (cols, height) = (view::text_cols(area), usize::from(view::body(area).height));
        match self.pile.last_mut() {
            Some(Page::Run(page)) => {
                if let (Some(beside), Some(case)) = (view::beside(area), page.cases.selected()) {
                    if page.beside.as_ref().is_none_or(|(id, _)| *id != case.case) {
                        page.beside = Some((case.case.clone(), Text::default()));
                    }
                    if let Some((_, text)) = &mut page.beside {
                        text.lay(usize::from(beside.width), |cols| lines::case(case, cols));
                    }
                }
            }
            Some(Page::Case(case, text)) => {
                text.lay(cols, |cols| lines::case(case, cols));
                text.scroll.clamp(text.lines.len(), height);
            }
            Some(Page::Pair(PairPage { view: Some(view), text, .. })) => {
                text.lay(cols, |cols| lines::pair(view, cols));
                text.scroll.clamp(text.lines.len(), height);
            }
            _ => {}
        }
    }
}
