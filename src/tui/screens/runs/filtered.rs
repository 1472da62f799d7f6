//! Lists that are filtered by words, and texts that are searched.

use crate::domain::CaseResult;
use crate::ops::compare::CaseLine;
use crate::ops::run::RunView;
use crate::text::Line;
use crate::tui::widgets::list::List;
use crate::tui::widgets::scroll::Scroll;

/// Rows of which those show that hold every word of the filter.
#[derive(Debug)]
pub struct Filtered<T> {
    pub all: Vec<T>,
    pub filter: String,
    /// Places in `all`.
    pub shown: List<usize>,
}

impl<T> Default for Filtered<T> {
    fn default() -> Self {
        Self { all: Vec::new(), filter: String::new(), shown: List::default() }
    }
}

/// A row that can be filtered by its words and found again after a change.
pub trait Row {
    /// What a filter looks at.
    fn words(&self) -> String;
    /// Whether it is about the same thing.
    fn is(&self, other: &Self) -> bool;
}

impl<T: Row> Filtered<T> {
    /// The row under the cursor.
    pub fn selected(&self) -> Option<&T> {
        self.all.get(*self.shown.selected()?)
    }

    /// Takes the rows as they are now; the cursor stays on its row.
    pub fn take(&mut self, all: Vec<T>) {
        let before =
            self.shown.selected().and_then(|at| (*at < self.all.len()).then(|| self.all.swap_remove(*at)));
        self.all = all;
        let at = before.and_then(|before| self.all.iter().position(|row| row.is(&before)));
        self.refilter(at);
    }

    /// Shows the rows with these words only.
    pub fn set_filter(&mut self, filter: &str) {
        filter.trim().clone_into(&mut self.filter);
        self.refilter(self.shown.selected().copied());
    }

    /// Filters anew; the cursor goes to this place in `all`, where it still shows.
    pub fn refilter(&mut self, here: Option<usize>) {
        let wanted: Vec<String> = self.filter.split_whitespace().map(str::to_lowercase).collect();
        let fits = |row: &T| {
            let words = row.words().to_lowercase();
            wanted.iter().all(|word| words.contains(word))
        };
        let shown: Vec<usize> =
            (0..self.all.len()).filter(|at| self.all.get(*at).is_some_and(fits)).collect();
        let kept = self.shown.selected_index();
        let at = here.and_then(|here| shown.iter().position(|at| *at == here));
        self.shown = List::whole(shown);
        self.shown.select(at.unwrap_or(kept));
    }
}

impl Row for RunView {
    fn words(&self) -> String {
        let prompt = self.prompt.as_deref().unwrap_or_default();
        format!("{} {} {} {} {prompt}", self.run, self.set, self.target, self.target_kind)
    }

    fn is(&self, other: &Self) -> bool {
        self.run == other.run
    }
}

impl Row for CaseResult {
    fn words(&self) -> String {
        let mut words = format!("{} {} {}", self.case, self.category.raw(), self.outcome().word());
        self.input.each_text(false, &mut |piece| {
            words.push(' ');
            words.push_str(piece);
        });
        for one in &self.assessments {
            words.push_str(&format!(" {} {}", one.evaluator, one.explanation.raw()));
        }
        words
    }

    fn is(&self, other: &Self) -> bool {
        self.case == other.case
    }
}

impl Row for CaseLine {
    fn words(&self) -> String {
        let evaluator = self.evaluator.as_deref().unwrap_or_default();
        let became = crate::ops::compare::became(self);
        let (category, about, why) = (self.category.raw(), self.about.raw(), self.why.raw());
        format!("{} {category} {about} {became} {evaluator} {why}", self.case)
    }

    fn is(&self, other: &Self) -> bool {
        self.case == other.case
    }
}

/// Lines to read, laid out for a width, and how far they are scrolled.
#[derive(Debug, Default)]
pub struct Text {
    pub lines: Vec<Line>,
    /// Columns that they were laid out for; 0: not laid out.
    pub cols: usize,
    pub scroll: Scroll,
    pub needle: String,
}

impl Text {
    /// Lays it out for this many columns, if it is not.
    pub fn lay(&mut self, cols: usize, lines: impl FnOnce(usize) -> Vec<Line>) {
        if self.cols != cols {
            self.cols = cols;
            self.lines = lines(cols);
        }
    }

    /// Goes to the next line that has these words, from the start again after the last; false: none has.
    pub fn find(&mut self, wanted: &str, page: usize) -> bool {
        wanted.clone_into(&mut self.needle);
        let wanted = wanted.to_lowercase();
        let has =
            |at: &usize| self.lines.get(*at).is_some_and(|line| line.text().to_lowercase().contains(&wanted));
        let (top, count) = (self.scroll.top, self.lines.len());
        let found = (top + 1..count).find(has).or_else(|| (0..count.min(top + 1)).find(has));
        if let Some(line) = found {
            self.scroll.top = line;
            self.scroll.clamp(count, page);
        }
        found.is_some()
    }
}
