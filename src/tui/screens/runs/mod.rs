//! Runs: the list, one run with its cases, two runs compared, and how far a judge can be trusted.
//!
//! What is open lies in a pile (`pages`): `enter` lays a page on it, `esc` takes it off, and each page
//! keeps its place (`walk`). The run that was started here is in `going`. How pages look is in `view`, the
//! lines of a text to read in `lines`; what the store is asked in `work`, and what it answers goes through
//! `answers`.

mod answers;
mod filtered;
mod going;
mod lines;
mod pages;
#[cfg(test)]
pub mod tests;
mod view;
mod walk;
mod work;

pub use work::{Answer, Request, start_run};

use self::filtered::{Filtered, Text};
use self::going::Going;
use self::pages::{ComparisonPage, Page, PairPage, RunPage, TrustPage};
use ratatui::layout::Rect;

use crate::command::table::{app, runs as rows};
use crate::command::{Id, Place, When};
use crate::domain::RunName;
use crate::ops::compare::Thresholds;
use crate::ops::run::RunView;
use crate::ops::watch::Changes;
use crate::text::Line;
use crate::tui::canvas::{Canvas, Pane};
use crate::tui::overlays::{Reply, Tag};
use crate::tui::screen::{Cx, Env, Handled, Screen};
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
