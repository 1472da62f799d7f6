//! Lines that scroll, with a mark of where one is.

use ratatui::layout::Rect;

use crate::command::Id;
use crate::command::table::app;
use crate::text::{Line, Role};
use crate::tui::canvas::{Canvas, Pane};
use crate::tui::words::line;

/// How far down a text is scrolled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scroll {
    /// The first line shown.
    pub top: usize,
}

impl Scroll {
    /// Moves by lines, and stays within a text of `lines` in a page of `page` rows.
    pub fn by(&mut self, rows: i64, lines: usize, page: usize) {
        let last = lines.saturating_sub(page);
        let to = i64::try_from(self.top).unwrap_or(i64::MAX).saturating_add(rows);
        self.top = usize::try_from(to).unwrap_or(0).min(last);
    }

    /// Stays within a text of `lines` in a page of `page` rows.
    pub fn clamp(&mut self, lines: usize, page: usize) {
        self.by(0, lines, page);
    }

    /// Scrolls so that a line shows, a third from the top if it did not.
    pub fn reveal(&mut self, line: usize, lines: usize, page: usize) {
        if line < self.top || line >= self.top + page {
            self.top = line.saturating_sub(page / 3);
        }
        self.clamp(lines, page);
    }

    /// Moves as a command of moving says; false for another command.
    pub fn command(&mut self, id: Id, lines: usize, page: usize) -> bool {
        // A line of the page before stays in sight: it is where one goes on reading.
        let Some(by) = steps(id, page, page.saturating_sub(1)) else { return false };
        self.by(by, lines, page);
        true
    }

    /// Draws the lines that show, and at the right border where one is, when not all of it shows.
    pub fn view(&self, canvas: &mut Canvas<'_>, area: Rect, pane: Pane, lines: &[Line]) {
        canvas.pane(area, pane);
        let page = usize::from(area.height);
        if lines.len() <= page {
            canvas.lines(area, lines);
            return;
        }
        let text = Rect { width: area.width.saturating_sub(2), ..area };
        canvas.lines(text, lines.iter().skip(self.top));
        bar(canvas, area, self.top, page, lines.len());
    }
}

/// How far a command of moving goes in a page of so many rows, where turning the page goes by `turn` of
/// them; `None` for another command.
pub fn steps(id: Id, page: usize, turn: usize) -> Option<i64> {
    let (half, turn) = ((page / 2).max(1) as i64, turn.max(1) as i64);
    Some(match id {
        app::DOWN => 1,
        app::UP => -1,
        app::HALF_DOWN => half,
        app::HALF_UP => -half,
        app::PAGE_DOWN => turn,
        app::PAGE_UP => -turn,
        app::TOP => -(i64::MAX / 2),
        app::BOTTOM => i64::MAX / 2,
        _ => return None,
    })
}

/// Draws a position mark over the last column of `area`.
pub fn bar(canvas: &mut Canvas<'_>, area: Rect, top: usize, page: usize, lines: usize) {
    if lines <= page || area.width == 0 {
        return;
    }
    let rows = usize::from(area.height);
    let size = (rows * page / lines).max(1);
    let from = (rows - size) * top / (lines - page).max(1);
    for (at, row) in area.rows().enumerate() {
        let row = Rect { x: area.right() - 1, width: 1, ..row };
        let here = at >= from && at < from + size;
        canvas.line(row, &if here { line(Role::Muted, "█") } else { line(Role::Rule, "│") });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stays_within_the_text() {
        let mut scroll = Scroll::default();
        assert!(scroll.command(app::BOTTOM, 100, 20));
        assert_eq!(scroll.top, 80);
        scroll.command(app::DOWN, 100, 20);
        assert_eq!(scroll.top, 80);
        scroll.command(app::TOP, 100, 20);
        scroll.command(app::UP, 100, 20);
        assert_eq!(scroll.top, 0);
        scroll.command(app::PAGE_DOWN, 5, 20);
        assert_eq!(scroll.top, 0);
        scroll.reveal(50, 100, 20);
        assert_eq!(scroll.top, 44);
        assert!(!scroll.command(app::OPEN, 100, 20));
    }
}
