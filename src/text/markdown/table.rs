//! Tables: columns as wide as they need, or fitted to the width with their cells wrapped; with too many
//! columns for that, one line a cell under the name of its column.

use crate::text::line::{Line, Role, Span};
use crate::text::width::wrap_line;
use pulldown_cmark::Alignment;

/// A column narrower than this is not worth reading.
const NARROWEST: usize = 4;
const BETWEEN: &str = " │ ";

/// A table on its way in: the first row is the head.
pub(super) struct Table {
    alignments: Vec<Alignment>,
    rows: Vec<Vec<Line>>,
}

impl Table {
    pub(super) fn new(alignments: Vec<Alignment>) -> Self {
        Self { alignments, rows: Vec::new() }
    }

    pub(super) fn start_row(&mut self) {
        self.rows.push(Vec::new());
    }

    pub(super) fn cell(&mut self, mut cell: Line) {
        if self.rows.len() == 1 {
            cell.spans.iter_mut().for_each(|span| span.style.bold = true);
        }
        if let Some(row) = self.rows.last_mut() {
            row.push(cell);
        }
    }

    /// The table in lines of at most `cols` columns.
    pub(super) fn lay_out(&self, cols: usize) -> Vec<Line> {
        match self.widths(cols) {
            Some(widths) => self.grid(&widths),
            None => self.records(cols),
        }
    }

    /// The widths of the columns: as they are where all fit, else the wide ones share what is left.
    fn widths(&self, cols: usize) -> Option<Vec<usize>> {
        let columns = self.alignments.len();
        let mut wanted = vec![1; columns];
        for (want, cell) in self.rows.iter().flat_map(|row| wanted_in(row)).collect::<Vec<_>>() {
            if let Some(widest) = wanted.get_mut(cell) {
                *widest = want.max(*widest);
            }
        }
        let mut left = cols.checked_sub(BETWEEN.chars().count() * columns.saturating_sub(1))?;
        let mut order: Vec<usize> = (0..columns).collect();
        order.sort_by_key(|&column| wanted[column]);
        for (done, &column) in order.iter().enumerate() {
            let share = left / (columns - done);
            if wanted[column] > share {
                if share < NARROWEST {
                    return None;
                }
                wanted[column] = share;
            }
            left -= wanted[column];
        }
        Some(wanted)
    }

    fn grid(&self, widths: &[usize]) -> Vec<Line> {
        let mut out = Vec::new();
        for (at, row) in self.rows.iter().enumerate() {
            let cells: Vec<Vec<Line>> =
                row.iter().zip(widths).map(|(cell, cols)| wrap_line(cell, *cols, &[], &[])).collect();
            let high = cells.iter().map(Vec::len).max().unwrap_or(1);
            for level in 0..high {
                let mut line = Line::default();
                for (column, (cell, cols)) in cells.iter().zip(widths).enumerate() {
                    if column > 0 {
                        line.spans.push(Span::new(BETWEEN, Role::Rule));
                    }
                    let part = cell.get(level).cloned().unwrap_or_default();
                    let last = column + 1 == widths.len();
                    aligned(&mut line, part, *cols, self.alignments.get(column), last);
                }
                out.push(line);
            }
            if at == 0 {
                let rule: Vec<String> = widths.iter().map(|cols| "─".repeat(*cols)).collect();
                out.push(Line::of(rule.join("─┼─"), Role::Rule));
            }
        }
        out
    }

    fn records(&self, cols: usize) -> Vec<Line> {
        let Some((head, rows)) = self.rows.split_first() else { return Vec::new() };
        let indent = [Span::new("  ", Role::Plain)];
        let mut out = Vec::new();
        if rows.is_empty() {
            out.extend(head.iter().flat_map(|name| wrap_line(name, cols, &[], &indent)));
        }
        for (at, row) in rows.iter().enumerate() {
            if at > 0 {
                out.push(Line::default());
            }
            for (name, cell) in head.iter().zip(row).filter(|(_, cell)| !cell.is_empty()) {
                let mut line = name.clone();
                if !name.is_empty() {
                    line.spans.push(Span::new(": ", Role::Rule));
                }
                line.spans.extend(cell.spans.iter().cloned());
                out.extend(wrap_line(&line, cols, &[], &indent));
            }
        }
        out
    }
}

fn wanted_in(row: &[Line]) -> impl Iterator<Item = (usize, usize)> + '_ {
    row.iter().enumerate().map(|(column, cell)| (cell.width(), column))
}

fn aligned(line: &mut Line, part: Line, cols: usize, alignment: Option<&Alignment>, last: bool) {
    let free = cols.saturating_sub(part.width());
    let before = match alignment {
        Some(Alignment::Right) => free,
        Some(Alignment::Center) => free / 2,
        _ => 0,
    };
    let spaces = |n: usize| (n > 0).then(|| Span::new(" ".repeat(n), Role::Plain));
    line.spans.extend(spaces(before));
    line.spans.extend(part.spans);
    line.spans.extend(if last { None } else { spaces(free - before) });
}
