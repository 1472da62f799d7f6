//! The set that is open, its cases as the filter lets them through, and going about in it.

use super::work::Request;
use super::{CASE, EvalsScreen, Face};
use crate::command::table::app;
use crate::domain::{CaseId, SetName};
use crate::ops::promote::{CaseLineView, CaseListView};
use crate::tui::jobs::Job;
use crate::tui::screen::{Cx, Env, Handled};
use crate::tui::widgets::list::List;

/// The set that is open.
#[derive(Debug)]
pub(super) struct OpenSet {
    pub(super) name: SetName,
    pub(super) version: u64,
    /// All cases; `None` while they are loaded for the first time.
    pub(super) all: Option<Vec<CaseLineView>>,
    pub(super) filter: String,
    /// Places in `all`.
    pub(super) shown: List<usize>,
    /// The case to put the cursor on when the cases arrive.
    wanted: Option<CaseId>,
}

impl OpenSet {
    pub(super) fn selected(&self) -> Option<&CaseLineView> {
        self.all.as_ref()?.get(*self.shown.selected()?)
    }

    /// Shows the cases that hold every word of the filter, with the cursor on `here` if it is there.
    pub(super) fn refilter(&mut self, here: Option<&CaseId>) {
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

impl EvalsScreen {
    pub(super) fn take_cases(&mut self, list: CaseListView) {
        let Some(open) = self.open.as_mut().filter(|open| open.name == list.set) else { return };
        let wanted = open.wanted.take().or_else(|| open.selected().map(|line| line.case.id.clone()));
        open.version = list.version;
        open.all = Some(list.cases);
        open.refilter(wanted.as_ref());
    }

    fn open_set(&mut self, name: SetName, wanted: Option<CaseId>, cx: &mut Cx<'_>) {
        let list = List::default();
        self.open = Some(OpenSet { name, version: 0, all: None, filter: String::new(), shown: list, wanted });
        self.face = Face::Cases;
        self.reload(cx);
    }

    pub(super) fn open_case(&mut self, id: CaseId, cx: &mut Cx<'_>) {
        let Some(open) = &self.open else { return };
        let request = Request::Case(open.name.clone(), id);
        self.face = Face::Case;
        self.case = None;
        cx.start(Job::replace("eval case", "loading the case", request.into()));
    }

    /// The case under the cursor, or open.
    pub(super) fn line(&self) -> Option<&CaseLineView> {
        match self.face {
            Face::Sets => None,
            Face::Cases | Face::Case => self.open.as_ref()?.selected(),
        }
    }

    /// The set under the cursor, or open.
    pub(super) fn set(&self) -> Option<&SetName> {
        match self.face {
            Face::Sets => self.sets.as_ref()?.selected().map(|row| &row.name),
            Face::Cases | Face::Case => self.open.as_ref().map(|open| &open.name),
        }
    }

    pub(super) fn back(&mut self, env: &Env) -> Handled {
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

    pub(super) fn open_selected(&mut self, cx: &mut Cx<'_>) {
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
    pub(super) fn step(&mut self, by: i64, cx: &mut Cx<'_>) -> Handled {
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
