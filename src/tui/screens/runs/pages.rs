//! What lies open above the list.

use super::filtered::{Filtered, Text};
use crate::domain::{CaseId, CaseResult, RunName};
use crate::ops::compare::{CaseLine, CaseView, CompareView, Disagreement, JudgeTrust, TrustView};
use crate::ops::run::RunView;
use crate::tui::widgets::list::List;

/// What lies open above the list.
#[derive(Debug)]
pub enum Page {
    Run(RunPage),
    /// A case of the run below it.
    Case(Box<CaseResult>, Text),
    Comparison(ComparisonPage),
    /// A case of the comparison below it.
    Pair(PairPage),
    Trust(TrustPage),
}

#[derive(Debug)]
pub struct RunPage {
    pub name: RunName,
    pub view: Option<Box<RunView>>,
    pub cases: Filtered<CaseResult>,
    /// The case under the cursor, laid out beside the list.
    pub beside: Option<(CaseId, Text)>,
}

#[derive(Debug)]
pub struct ComparisonPage {
    pub baseline: RunName,
    pub candidate: RunName,
    pub view: Option<Box<CompareView>>,
    pub cases: Filtered<CaseLine>,
}

#[derive(Debug)]
pub struct PairPage {
    pub case: CaseId,
    pub view: Option<Box<CaseView>>,
    pub text: Text,
}

#[derive(Debug)]
pub struct TrustPage {
    pub name: RunName,
    pub view: Option<Box<TrustView>>,
    /// Which of the judges is on screen.
    pub judge: usize,
    pub disagreements: List<Disagreement>,
}

impl TrustPage {
    /// The judge on screen.
    pub fn judge(&self) -> Option<&JudgeTrust> {
        self.view.as_ref()?.judges.get(self.judge)
    }

    /// Puts another judge on screen.
    pub fn show(&mut self, judge: usize) {
        self.judge = judge;
        let rows = self.judge().map_or_else(Vec::new, |judge| judge.disagreements.clone());
        self.disagreements = List::whole(rows);
    }
}
