//! Charts in character cells: bars, stacks of bars and curves over equal slots.
//!
//! ```text
//!   4.2 s │        ▼v4                              ┐ marks: what was new then
//!         │        ┊      ⣀⠤⠤⣀⡠⠊      p99            │
//!   2.1 s │ ⠤⠤⠤⠤⠤⠤⠤┊⠒⠒⠒⠉⠉    ⠉⠉⠉      p95            │ the plot: each slot as wide as the others
//!         │        ┊                                │
//!       0 │ ⣀⣀⣀⣀⣀⣀⣀┊⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀      p50            ┘
//!         └ 09:00      13:00      17:00
//! ```
//!
//! Nothing is told by colour alone: curves have their names at their ends, the parts of a stack their own
//! fill. Where only ASCII can be drawn, curves are points of different letters.

mod bars;
mod curves;
mod scale;

pub use bars::{Fill, bars};
pub use curves::{Curve, curves};

use ratatui::layout::Rect;

use crate::text::{Role, width};
use crate::tui::canvas::{Canvas, Hit, Pane};
use crate::tui::words::line;
use scale::Scale;

/// What all charts have.
pub struct Frame<'a> {
    /// The pane whose rows are the slots.
    pub pane: Pane,
    /// What each slot is called below; as many are shown as have room.
    pub labels: &'a [String],
    /// What was new in a slot.
    pub marks: &'a [(usize, String)],
    /// The slot under the cursor.
    pub selected: Option<usize>,
    /// The least figure at the top: few of what is counted do not fill the chart.
    pub least: f64,
    /// The figure at the top, where it is given: what lies beyond is drawn there.
    pub top: Option<f64>,
    /// How a figure on the left is written.
    pub figure: &'a dyn Fn(f64) -> String,
}

/// Where a chart is drawn.
struct Plot {
    area: Rect,
    slots: usize,
}

impl Plot {
    /// The first column of a slot, and its width.
    fn slot(&self, n: usize) -> (u16, u16) {
        let at = |n: usize| (n * usize::from(self.area.width) / self.slots.max(1)) as u16;
        (self.area.x + at(n), (at(n + 1) - at(n)).max(1))
    }

    fn column(&self, n: usize) -> Rect {
        let (x, wide) = self.slot(n);
        Rect { x, width: wide, ..self.area }.intersection(self.area)
    }
}

/// Draws the axes, labels and marks of a chart of these slots and gives the place of its plot; `None` where there
/// is no room for one. So many columns are kept free at the
/// right for the names of curves.
fn axes(
    canvas: &mut Canvas<'_>,
    area: Rect,
    frame: &Frame<'_>,
    scale: &Scale,
    names: Option<u16>,
) -> Option<Plot> {
    let right = names.unwrap_or(0);
    let slots = frame.labels.len();
    let ticks = [scale.top, scale.top / 2.0, 0.0].map(|value| (frame.figure)(value));
    let gutter = ticks.iter().map(|tick| width(tick)).max().unwrap_or(0) as u16 + 1;
    let marked = u16::from(!frame.marks.is_empty());
    if slots == 0 || area.height < 4 + marked || area.width < gutter + 2 + right + 8 {
        return None;
    }
    let inside = Rect {
        x: area.x + gutter + 1,
        y: area.y + marked,
        width: area.width - gutter - 1 - right,
        height: area.height - 1 - marked,
    };
    // Bars of one width look even, and what is left over stays free; curves take it.
    let even = inside.width / slots as u16 * slots as u16;
    let wide = if even == 0 || names.is_some() { inside.width } else { even };
    let plot = Plot { area: Rect { width: wide, ..inside }, slots };
    let bar = Rect { x: inside.x - 1, width: 1, ..inside };
    canvas.rule_down(bar);
    for (at, tick) in [0, (inside.height - 1) / 2, inside.height - 1].into_iter().zip(&ticks) {
        if at > 0 || inside.height > 1 {
            let text = format!("{}{tick}", " ".repeat(usize::from(gutter - 1).saturating_sub(width(tick))));
            let row = Rect { x: area.x, y: inside.y + at, width: gutter, height: 1 };
            canvas.line(row, &line(Role::Muted, text));
        }
    }
    for n in 0..slots {
        let hit = plot.column(n);
        canvas.hit(Rect { y: area.y, height: area.height, ..hit }, Hit::Row { pane: frame.pane, index: n });
    }
    labels(canvas, frame, &plot);
    marks(canvas, frame, &plot);
    Some(plot)
}

/// As many labels as have room, from the first on, at equal distances.
fn labels(canvas: &mut Canvas<'_>, frame: &Frame<'_>, plot: &Plot) {
    let widest = frame.labels.iter().map(|label| width(label)).max().unwrap_or(0) + 2;
    let each = (1..=plot.slots)
        .find(|each| each * usize::from(plot.area.width) / plot.slots >= widest)
        .unwrap_or(plot.slots);
    for n in (0..plot.slots).step_by(each.max(1)) {
        let (x, _) = plot.slot(n);
        let row = Rect { x, y: plot.area.bottom(), width: plot.area.right().saturating_sub(x), height: 1 };
        if usize::from(row.width) + 2 >= widest {
            canvas.line(row, &line(Role::Muted, &frame.labels[n]));
        }
    }
}

/// The names of what was new above the plot, and a line down from each.
fn marks(canvas: &mut Canvas<'_>, frame: &Frame<'_>, plot: &Plot) {
    let mut free = plot.area.x;
    for (n, name) in frame.marks {
        let (x, wide) = plot.slot((*n).min(plot.slots - 1));
        let x = x + wide / 2;
        for y in plot.area.y..plot.area.bottom() {
            canvas.line(Rect { x, y, width: 1, height: 1 }, &line(Role::Rule, "┊"));
        }
        // Where two names would lie on each other, the first is read, and the line of the other stays.
        let right = plot.area.right();
        let long = u16::try_from(width(name)).unwrap_or(u16::MAX).saturating_add(1);
        // What would not fit to the right stands to the left.
        let (from, text) = if x.saturating_add(long) > right && x + 1 >= free.saturating_add(long) {
            (x + 1 - long, format!("{name}▼"))
        } else {
            (x, format!("▼{name}"))
        };
        if from >= free {
            let row = Rect { x: from, y: plot.area.y - 1, width: right.saturating_sub(from), height: 1 };
            canvas.line(row, &line(Role::Unsure, text));
            free = from.saturating_add(long).saturating_add(1);
        }
    }
}

/// Lays the look of the cursor over the selected slot.
fn cursor(canvas: &mut Canvas<'_>, frame: &Frame<'_>, plot: &Plot) {
    if let Some(at) = frame.selected.filter(|at| *at < plot.slots) {
        let column = plot.column(at);
        canvas.select(Rect { height: column.height + 1, ..column });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::figures::thousands;
    use crate::tui::testing::symbols;
    use crate::tui::theme::Theme;

    fn drawn(theme: &Theme, draw: impl Fn(&mut Canvas<'_>, Rect, &Frame<'_>)) -> String {
        let area = Rect::new(0, 0, 48, 10);
        let labels: Vec<String> = (0..12).map(|n| format!("{n:02}:00")).collect();
        let marks = [(5, "v4".to_owned())];
        let figure = |value: f64| thousands(value as i64);
        let frame = Frame {
            pane: Pane("test"),
            labels: &labels,
            marks: &marks,
            selected: Some(7),
            least: 0.0,
            top: None,
            figure: &figure,
        };
        let mut canvas = Canvas::new(area, theme);
        draw(&mut canvas, area, &frame);
        symbols(&canvas.finish().buffer).join("\n")
    }

    #[test]
    fn charts_read_without_colour_and_without_unicode() {
        let mut ascii = Theme::without_colour();
        ascii.ascii = true;
        let stacks: Vec<Vec<f64>> = (0..12).map(|n| vec![f64::from(n), 2.0, f64::from(n % 3)]).collect();
        let fills = [Fill::Solid, Fill::Dense, Fill::Light].map(|fill| (Role::Plain, fill));
        let one: Vec<Vec<f64>> = (0..12).map(|n| vec![f64::from(n * n)]).collect();
        let (low, high) =
            ([Some(2.0); 12], (0..12).map(|n| (n != 3).then_some(f64::from(10 + n))).collect::<Vec<_>>());
        let both = [
            Curve { name: "p50", letter: 'o', role: Role::Muted, values: &low },
            Curve { name: "p95", letter: 'x', role: Role::Accent, values: &high },
        ];
        let mut all = String::new();
        for (name, theme) in [("unicode", Theme::without_colour()), ("ascii", ascii)] {
            for (what, picture) in [
                ("bars", drawn(&theme, |c, a, f| bars(c, a, f, &one, &[(Role::Accent, Fill::Solid)]))),
                ("stacks", drawn(&theme, |c, a, f| bars(c, a, f, &stacks, &fills))),
                ("curves", drawn(&theme, |c, a, f| curves(c, a, f, &both))),
            ] {
                all += &format!("-- {what}, {name}\n{picture}\n\n");
            }
        }
        insta::assert_snapshot!(all);
    }

    #[test]
    fn no_size_and_no_figure_breaks_them() {
        let theme = Theme::default();
        let figure = |value: f64| format!("{value}");
        for (columns, rows) in [(0, 0), (3, 2), (12, 5), (20, 4), (200, 50)] {
            for values in [vec![], vec![f64::NAN], vec![0.0; 90], vec![f64::MAX, -1.0, f64::INFINITY]] {
                let labels: Vec<String> = values.iter().map(|value| format!("{value}")).collect();
                let marks = [(9, "x".to_owned())];
                let frame = Frame {
                    pane: Pane("t"),
                    labels: &labels,
                    marks: &marks,
                    selected: Some(80),
                    least: 0.0,
                    top: None,
                    figure: &figure,
                };
                let area = Rect::new(0, 0, columns, rows);
                let mut canvas = Canvas::new(area, &theme);
                let stacks: Vec<Vec<f64>> = values.iter().map(|value| vec![*value]).collect();
                bars(&mut canvas, area, &frame, &stacks, &[(Role::Accent, Fill::Solid)]);
                let known: Vec<Option<f64>> = values.iter().map(|value| Some(*value)).collect();
                let curve = Curve { name: "p", letter: 'o', role: Role::Accent, values: &known };
                curves(&mut canvas, area, &frame, &[curve]);
            }
        }
    }
}
