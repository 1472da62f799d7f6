//! What becomes of the answers of the store.

use super::RunsScreen;
use super::pages::Page;
use super::work::{Answer, Request};
use crate::domain::Result;
use crate::ops::run::RunShowView;
use crate::tui::screen::Cx;

impl RunsScreen {
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
}
