//! Bars, and stacks of them.

use ratatui::layout::Rect;

use super::scale::Scale;
use super::{Frame, axes, cursor};
use crate::text::Role;
use crate::tui::canvas::Canvas;
use crate::tui::words::line;

/// What a part of a stack is filled with, so that it is told without colour too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fill {
    Solid,
    Dense,
    Half,
    Light,
}

impl Fill {
    /// The cell it is made of.
    pub fn glyph(self) -> &'static str {
        match self {
            Self::Solid => "█",
            Self::Dense => "▓",
            Self::Half => "▒",
            Self::Light => "░",
        }
    }
}

/// Eighths of a cell.
const EIGHTHS: [&str; 8] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇"];

/// Draws a bar for each slot, its parts from the bottom up in these looks. A bar of one part ends within a cell to
/// the eighth; a stack at the nearest cell, and one that is not empty has a cell at least.
pub fn bars(
    canvas: &mut Canvas<'_>,
    area: Rect,
    frame: &Frame<'_>,
    stacks: &[Vec<f64>],
    looks: &[(Role, Fill)],
) {
    let scale = Scale::of(frame.least, stacks.iter().map(|parts| parts.iter().copied().map(known).sum()));
    let Some(plot) = axes(canvas, area, frame, &scale, None) else { return };
    let rows = f64::from(plot.area.height);
    for (n, parts) in stacks.iter().enumerate().take(plot.slots) {
        let column = plot.column(n);
        let gap = u16::from(column.width >= 3);
        let wide = usize::from(column.width - gap);
        let put = |canvas: &mut Canvas<'_>, row: u16, role: Role, glyph: &str| {
            let y = plot.area.bottom() - 1 - row;
            canvas.line(Rect { y, height: 1, ..column }, &line(role, glyph.repeat(wide)));
        };
        if let ([value], [(role, _)]) = (parts.as_slice(), looks) {
            let eighths = (scale.height(*value) * rows * 8.0).round() as u16;
            let eighths = if *value > 0.0 { eighths.max(1) } else { eighths };
            for row in 0..eighths / 8 {
                put(canvas, row, *role, Fill::Solid.glyph());
            }
            if eighths % 8 > 0 {
                put(canvas, eighths / 8, *role, EIGHTHS[usize::from(eighths % 8)]);
            }
            continue;
        }
        let sum: f64 = parts.iter().copied().map(known).sum();
        let cells = (scale.height(sum) * rows).round() as u16;
        let cells = if sum > 0.0 { cells.max(1) } else { cells };
        for row in 0..cells {
            // The part that the middle of the cell lies in.
            let middle = (f64::from(row) + 0.5) / f64::from(cells) * sum;
            let mut below = 0.0;
            let part = parts.iter().position(|part| {
                below += known(*part);
                middle <= below
            });
            if let Some((role, fill)) = part.and_then(|part| looks.get(part)) {
                put(canvas, row, *role, fill.glyph());
            }
        }
    }
    cursor(canvas, frame, &plot);
}

fn known(value: f64) -> f64 {
    if value.is_finite() { value.max(0.0) } else { 0.0 }
}
