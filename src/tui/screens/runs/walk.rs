//! Where the cursor stands, and how a person gets from page to page.

use super::filtered::{Filtered, Row, Text};
use super::pages::{ComparisonPage, Page, PairPage, RunPage, TrustPage};
use super::work::Request;
use super::{CASES, COMPARED, DISAGREEMENTS, FILTER, FIND, LIST, RunsScreen, TEXT};
use crate::command::Id;
use crate::domain::{RunName, Untrusted};
use crate::ops::compare::{CompareSpec, Thresholds};
use crate::ops::gate::GateOf;
use crate::ops::run::before;
use crate::tui::canvas::Pane;
use crate::tui::jobs::Job;
use crate::tui::overlays::Prompt;
use crate::tui::screen::{Cx, Env, Handled};
use crate::tui::widgets::list::List;

impl RunsScreen {
    /// Asks again for what is on screen.
    pub fn reload(&mut self, cx: &mut Cx<'_>) {
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
    pub fn run(&self) -> Option<&RunName> {
        let opened = self.pile.iter().rev().find_map(|page| match page {
            Page::Run(page) => Some(&page.name),
            Page::Comparison(page) => Some(&page.candidate),
            Page::Trust(page) => Some(&page.name),
            Page::Case(..) | Page::Pair(_) => None,
        });
        opened.or_else(|| self.runs.as_ref()?.selected().map(|run| &run.run))
    }

    /// The gate of the prompt that the run under the cursor, or open, is of.
    pub fn gate(&self) -> Option<GateOf> {
        let name = self.run()?;
        let run = self.runs.as_ref()?.all.iter().find(|run| run.run == *name)?;
        let prompt = run.prompt.as_deref()?;
        let (feature, version) = prompt.split_once('@').unwrap_or((prompt, "current"));
        Some(GateOf { feature: feature.to_owned(), version: version.to_owned() })
    }

    /// The baseline, where the run here can be compared with it.
    pub fn other_baseline(&self) -> Option<&RunName> {
        self.baseline.as_ref().filter(|baseline| self.run().is_some_and(|run| run != *baseline))
    }

    /// What the run here is compared with: the baseline, else the run of its set before it.
    pub fn compared_with(&self) -> Option<&RunName> {
        match &self.baseline {
            Some(_) => self.other_baseline(),
            None => before(&self.runs.as_ref()?.all, self.run()?),
        }
    }

    /// The trace of the case here.
    pub fn trace(&self) -> Option<Untrusted> {
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

    pub fn open_run(&mut self, name: RunName, cx: &mut Cx<'_>) {
        show(&name, cx);
        self.pile.push(Page::Run(RunPage { name, view: None, cases: Filtered::default(), beside: None }));
    }

    pub fn compare(&mut self, cx: &mut Cx<'_>) {
        let (Some(baseline), Some(candidate)) = (self.compared_with().cloned(), self.run().cloned()) else {
            return;
        };
        compare(&baseline, &candidate, &self.thresholds, cx);
        let cases = Filtered::default();
        self.pile.push(Page::Comparison(ComparisonPage { baseline, candidate, view: None, cases }));
    }

    pub fn trust(&mut self, cx: &mut Cx<'_>) {
        let Some(name) = self.run().cloned() else { return };
        if matches!(self.pile.last(), Some(Page::Trust(_))) {
            return;
        }
        trust(&name, cx);
        let disagreements = List::default();
        self.pile.push(Page::Trust(TrustPage { name, view: None, judge: 0, disagreements }));
    }

    pub fn open_selected(&mut self, cx: &mut Cx<'_>) {
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
    pub fn step(&mut self, by: i64, cx: &mut Cx<'_>) -> Handled {
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

    pub fn back(&mut self) -> Handled {
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
    pub fn list_mut(&mut self) -> Option<&mut List<usize>> {
        match self.pile.last_mut() {
            None => self.runs.as_mut().map(|runs| &mut runs.shown),
            Some(Page::Run(page)) => Some(&mut page.cases.shown),
            Some(Page::Comparison(page)) => Some(&mut page.cases.shown),
            Some(_) => None,
        }
    }

    pub fn text_mut(&mut self) -> Option<&mut Text> {
        match self.pile.last_mut()? {
            Page::Case(_, text) => Some(text),
            Page::Pair(page) => Some(&mut page.text),
            _ => None,
        }
    }

    pub fn pane(&self) -> Pane {
        match self.pile.last() {
            None => LIST,
            Some(Page::Run(_)) => CASES,
            Some(Page::Comparison(_)) => COMPARED,
            Some(Page::Trust(_)) => DISAGREEMENTS,
            Some(Page::Case(..) | Page::Pair(_)) => TEXT,
        }
    }

    pub fn filter(&self) -> Option<&str> {
        match self.pile.last() {
            None => self.runs.as_ref().map(|runs| runs.filter.as_str()),
            Some(Page::Run(page)) => Some(&page.cases.filter),
            Some(Page::Comparison(page)) => Some(&page.cases.filter),
            Some(_) => None,
        }
    }

    pub fn find(&mut self, cx: &mut Cx<'_>) {
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
    pub fn moved(&mut self, id: Id, env: &Env) -> bool {
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
