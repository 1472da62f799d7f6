//! Curves.

use ratatui::layout::Rect;
use ratatui::style::Color;
use ratatui::symbols::Marker;
use ratatui::widgets::canvas;

use super::scale::Scale;
use super::{Frame, Plot, axes, cursor};
use crate::text::{Role, width};
use crate::tui::canvas::Canvas;
use crate::tui::words::line;

/// One curve.
pub struct Curve<'a> {
    /// Stands at its end.
    pub name: &'static str,
    /// What its points are where only ASCII can be drawn.
    pub letter: char,
    pub role: Role,
    /// A figure for each slot; the curve has a gap where there is none.
    pub values: &'a [Option<f64>],
}

/// Draws curves over the slots, the later ones over the former.
pub fn curves(canvas: &mut Canvas<'_>, area: Rect, frame: &Frame<'_>, all: &[Curve<'_>]) {
    let all_values = all.iter().flat_map(|curve| curve.values.iter().flatten().copied());
    let scale = frame.top.map_or_else(|| Scale::of(frame.least, all_values), |top| Scale { top });
    let names = all.iter().map(|curve| width(curve.name)).max().unwrap_or(0) as u16 + 1;
    let Some(plot) = axes(canvas, area, frame, &scale, Some(names)) else { return };
    for curve in all {
        if canvas.is_ascii() {
            letters(canvas, &plot, &scale, curve);
        } else {
            dots(canvas, &plot, &scale, curve);
        }
    }
    ends(canvas, area, &plot, &scale, all);
    cursor(canvas, frame, &plot);
}

/// The curve in dots of a fourth of a cell's height.
fn dots(on: &mut Canvas<'_>, plot: &Plot, scale: &Scale, curve: &Curve<'_>) {
    let colour = on.style(curve.role).fg.unwrap_or(Color::Reset);
    let points: Vec<Option<(f64, f64)>> = curve
        .values
        .iter()
        .take(plot.slots)
        .enumerate()
        .map(|(n, value)| value.map(|value| (n as f64 + 0.5, scale.height(value))))
        .collect();
    let picture = canvas::Canvas::default()
        .marker(Marker::Braille)
        .x_bounds([0.0, plot.slots as f64])
        .y_bounds([0.0, 1.0])
        .paint(|pen| {
            for pair in points.windows(2) {
                if let [Some((x1, y1)), Some((x2, y2))] = *pair {
                    pen.draw(&canvas::Line { x1, y1, x2, y2, color: colour });
                }
            }
            let alone: Vec<(f64, f64)> = points.iter().flatten().copied().collect();
            pen.draw(&canvas::Points { coords: &alone, color: colour });
        });
    on.widget(plot.area, picture);
}

/// The curve as a letter in each slot.
fn letters(canvas: &mut Canvas<'_>, plot: &Plot, scale: &Scale, curve: &Curve<'_>) {
    for (n, value) in curve.values.iter().take(plot.slots).enumerate() {
        if let Some(value) = value {
            let (x, wide) = plot.slot(n);
            let cell = Rect { x: x + wide / 2, y: row(plot, scale, *value), width: 1, height: 1 };
            canvas.line(cell, &line(curve.role, curve.letter.to_string()));
        }
    }
}

/// The row of a figure.
fn row(plot: &Plot, scale: &Scale, value: f64) -> u16 {
    let rows = f64::from(plot.area.height - 1);
    plot.area.bottom() - 1 - (scale.height(value) * rows).round() as u16
}

/// The names at the right, each beside its curve's last figure; none over another.
fn ends(canvas: &mut Canvas<'_>, area: Rect, plot: &Plot, scale: &Scale, all: &[Curve<'_>]) {
    let mut lowest = plot.area.bottom();
    // From the lowest curve up.
    for curve in all {
        let Some(last) = curve.values.iter().take(plot.slots).flatten().next_back() else { continue };
        let y = row(plot, scale, *last).min(lowest.saturating_sub(1));
        if y < plot.area.y {
            break;
        }
        let name = if canvas.is_ascii() { format!(" {}", curve.letter) } else { String::new() };
        let x = plot.area.right() + 1;
        let cell = Rect { x, y, width: area.right().saturating_sub(x), height: 1 };
        canvas.line(cell, &line(curve.role, format!("{}{name}", curve.name)));
        lowest = y;
    }
}
