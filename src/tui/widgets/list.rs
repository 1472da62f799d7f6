//! A list of which only a window is loaded: rows come by pages before and after, keyed by the caller.

use std::collections::VecDeque;

use ratatui::layout::Rect;

use super::scroll;
use crate::command::Id;
use crate::tui::canvas::{Canvas, Hit, Pane};

/// Rows kept in memory around the cursor; those farther off are dropped and asked for again.
const KEEP: usize = 2_000;
/// Rows from a border of the window at which the next page is asked for.
const NEAR: usize = 100;

/// A window of rows with a cursor.
#[derive(Debug, Clone, PartialEq)]
pub struct List<T> {
    rows: VecDeque<T>,
    selected: usize,
    top: usize,
    /// More rows exist before the window, or after it.
    more_before: bool,
    more_after: bool,
    /// Rows known to stand before the window, when it was filled from the list's beginning.
    before: usize,
    /// Rows known to stand after the window, when it was filled from the list's end.
    after: usize,
    from_end: bool,
    /// How many rows the whole list has, when that is known.
    count: Option<usize>,
}

/// A page of rows that a list needs, seen from its present first or last row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    Before,
    After,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self {
            rows: VecDeque::new(),
            selected: 0,
            top: 0,
            more_before: false,
            more_after: false,
            before: 0,
            after: 0,
            from_end: false,
            count: None,
        }
    }
}

impl<T> List<T> {
    /// A list that has all its rows.
    pub fn whole(rows: impl IntoIterator<Item = T>) -> Self {
        Self { rows: rows.into_iter().collect(), ..Self::default() }
    }

    /// A list of its first page; `more` when others follow.
    pub fn first_page(rows: impl IntoIterator<Item = T>, more: bool) -> Self {
        Self { more_after: more, ..Self::whole(rows) }
    }

    /// A list of its last page, the cursor on the last row; `more` when others stand before.
    pub fn last_page(rows: impl IntoIterator<Item = T>, more: bool) -> Self {
        let mut list = Self { more_before: more, from_end: true, ..Self::whole(rows) };
        list.select(usize::MAX);
        list
    }

    /// Takes note of how many rows the whole list has: where one is in it is seen then, however much is loaded.
    pub fn set_count(&mut self, count: Option<usize>) {
        self.count = count;
    }

    /// Takes note that rows have come in before the first one: it asks for them when the cursor is near.
    pub fn grew_before(&mut self) {
        self.more_before = true;
    }

    /// Whether rows stand before the window.
    pub fn has_before(&self) -> bool {
        self.more_before
    }

    /// Whether rows stand after the window.
    pub fn has_after(&self) -> bool {
        self.more_after
    }

    /// Takes the rows that follow the last one.
    pub fn append(&mut self, rows: impl IntoIterator<Item = T>, more: bool) {
        let before = self.rows.len();
        self.rows.extend(rows);
        self.more_after = more;
        self.after = if more { self.after.saturating_sub(self.rows.len() - before) } else { 0 };
        let extra =
            self.rows.len().saturating_sub(KEEP).min(self.selected.saturating_sub(NEAR * 2)).min(self.top);
        if extra > 0 {
            self.rows.drain(..extra);
            self.more_before = true;
            self.before += extra;
            self.selected -= extra;
            self.top -= extra;
        }
    }

    /// Takes the rows that stand before the first one, in the list's order.
    pub fn prepend(&mut self, rows: Vec<T>, more: bool) {
        let added = rows.len();
        for row in rows.into_iter().rev() {
            self.rows.push_front(row);
        }
        self.more_before = more;
        self.before = if more { self.before.saturating_sub(added) } else { 0 };
        self.selected += added;
        self.top += added;
        let keep = (self.selected.max(self.top) + NEAR * 4).max(KEEP);
        if self.rows.len() > keep {
            self.after += self.rows.len() - keep;
            self.rows.truncate(keep);
            self.more_after = true;
        }
    }

    /// Replaces the rows of a whole list and keeps the cursor on the row that `same` knows, or near.
    pub fn replace(&mut self, rows: impl IntoIterator<Item = T>, same: impl Fn(&T, &T) -> bool) {
        let rows: VecDeque<T> = rows.into_iter().collect();
        let at = self.selected().and_then(|old| rows.iter().position(|new| same(old, new)));
        self.selected = at.unwrap_or(self.selected).min(rows.len().saturating_sub(1));
        self.rows = rows;
    }

    /// The page to load next, if one is near.
    pub fn needs(&self) -> Option<Need> {
        if self.more_after && self.selected + NEAR >= self.rows.len() {
            Some(Need::After)
        } else if self.more_before && self.selected < NEAR {
            Some(Need::Before)
        } else {
            None
        }
    }

    /// The rows of the window.
    pub fn rows(&self) -> &VecDeque<T> {
        &self.rows
    }

    /// The rows on screen in a page of so many, and as many before and after: those that a key can bring there.
    pub fn around(&self, page: usize) -> impl Iterator<Item = &T> {
        self.rows.iter().skip(self.top.saturating_sub(page)).take(page * 3)
    }

    /// The row under the cursor.
    pub fn selected(&self) -> Option<&T> {
        self.rows.get(self.selected)
    }

    /// The row under the cursor, counted from the window's first.
    pub fn selected_index(&self) -> usize {
        self.selected
    }

    /// Rows that stand before the window, when that is known.
    fn start(&self) -> Option<usize> {
        if self.from_end && self.more_before {
            self.count?.checked_sub(self.after + self.rows.len())
        } else {
            Some(self.before)
        }
    }

    /// The place of the cursor in the whole list, from 1, when that is known.
    pub fn position(&self) -> Option<usize> {
        (!self.rows.is_empty()).then_some(())?;
        Some(self.start()? + self.selected + 1)
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Puts the cursor on a row of the window.
    pub fn select(&mut self, index: usize) {
        self.selected = index.min(self.rows.len().saturating_sub(1));
    }

    /// Moves the cursor by rows.
    pub fn by(&mut self, rows: i64) {
        let to = i64::try_from(self.selected).unwrap_or(0).saturating_add(rows);
        self.select(usize::try_from(to).unwrap_or(0));
    }

    /// Moves as a command of moving says; false for another command. Keeps the cursor in the page.
    pub fn command(&mut self, id: Id, page: usize) -> bool {
        let Some(by) = scroll::steps(id, page, page) else { return false };
        self.by(by);
        self.settle(page);
        true
    }

    /// Scrolls so that the cursor is in a page of this many rows. Call it when either has changed.
    pub fn settle(&mut self, page: usize) {
        let page = page.max(1);
        if self.selected < self.top {
            self.top = self.selected;
        } else if self.selected >= self.top + page {
            self.top = self.selected + 1 - page;
        }
        self.top = self.top.min(self.rows.len().saturating_sub(page));
    }

    /// Draws the rows that show, one line each, by `draw`; marks the cursor's line and notes rows for clicks.
    /// `each` is how many screen rows a list row takes.
    pub fn view(
        &self,
        canvas: &mut Canvas<'_>,
        area: Rect,
        pane: Pane,
        mut draw: impl FnMut(&mut Canvas<'_>, Rect, &T, bool),
    ) {
        canvas.pane(area, pane);
        let page = usize::from(area.height);
        let fits = self.rows.len() <= page && !self.more_before && !self.more_after;
        let inside = if fits { area } else { Rect { width: area.width.saturating_sub(2), ..area } };
        // A page that has shrunk since the last message must still show the cursor.
        let top = self.top.max((self.selected + 1).saturating_sub(page)).min(self.selected);
        for (at, (row, item)) in inside.rows().zip(self.rows.iter().skip(top)).enumerate() {
            let index = top + at;
            draw(canvas, row, item, index == self.selected);
            canvas.hit(row, Hit::Row { pane, index });
            if index == self.selected {
                canvas.select(row);
            }
        }
        if !fits {
            let start = self.start().unwrap_or(0);
            let loaded = start + self.rows.len();
            scroll::bar(canvas, area, start + top, page, self.count.unwrap_or(0).max(loaded));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::table::app;

    #[test]
    fn a_long_list_is_a_window_that_asks_for_more() {
        let mut list = List::first_page(0..200, true);
        assert_eq!(list.needs(), None);
        list.command(app::BOTTOM, 20);
        assert_eq!(list.needs(), Some(Need::After));
        let mut next = 200;
        while next < 10_000 {
            list.append(next..next + 200, true);
            next += 200;
            list.command(app::BOTTOM, 20);
        }
        assert!(list.rows().len() <= KEEP + 200);
        assert_eq!(list.selected(), Some(&9_999));
        assert_eq!(list.position(), Some(10_000));
        list.command(app::TOP, 20);
        assert_eq!(list.needs(), Some(Need::Before));
        let first = *list.rows().front().unwrap();
        list.prepend((first - 200..first).collect(), true);
        assert_eq!(list.selected(), Some(&first), "the cursor stays on its row");
        let last = *list.rows().back().unwrap();
        list.append([last + 1], false);
        let rows: Vec<i32> = list.rows().iter().copied().collect();
        assert!(
            rows.is_sorted() && rows == (first - 200..=last + 1).collect::<Vec<_>>(),
            "a gap in the window"
        );
    }

    #[test]
    fn the_place_from_the_end_is_known_with_the_count() {
        let mut list = List::last_page(9_800..10_000, true);
        assert_eq!(list.position(), None, "nobody has counted");
        list.set_count(Some(10_000));
        assert_eq!(list.position(), Some(10_000));
        let mut first = 9_800;
        while first > 0 {
            list.command(app::TOP, 20);
            assert_eq!(list.position(), Some(first + 1));
            let more = first > 200;
            list.prepend((first - 200..first).collect(), more);
            first -= 200;
            assert_eq!(list.selected().map(|row| row + 1), list.position());
        }
        // Down again, over the rows that were dropped.
        let mut last = *list.rows().back().unwrap() + 1;
        while last < 10_000 {
            list.command(app::BOTTOM, 20);
            list.append(last..last + 200, last + 200 < 10_000);
            last += 200;
            assert_eq!(list.selected().map(|row| row + 1), list.position());
        }
    }

    #[test]
    fn new_rows_keep_the_cursor_on_its_row() {
        let mut list = List::whole(["b", "c", "d"]);
        list.select(1);
        list.replace(["a", "b", "c", "d"], |a, b| a == b);
        assert_eq!(list.selected(), Some(&"c"));
        list.replace(["x"], |a, b| a == b);
        assert_eq!(list.selected(), Some(&"x"));
        list.replace([], |a, b| a == b);
        assert_eq!(list.selected(), None);
        list.command(app::DOWN, 10);
    }
}
