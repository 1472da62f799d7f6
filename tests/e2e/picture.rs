//! A terminal's screen as an SVG picture, for the README and for eyes.

use std::fmt::Write as _;

/// Cell size in SVG units; `textLength` holds every run to it whatever font the viewer has.
const CELL: (f64, f64) = (8.4, 18.0);
const MARGIN: f64 = 14.0;
const BACKGROUND: &str = "#16181d";
const FOREGROUND: &str = "#d5d8de";

/// The sixteen colours of a calm dark terminal.
const ANSI: [&str; 16] = [
    "#16181d", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#c8ccd4", "#5c6370",
    "#ef7f88", "#a9d48a", "#f0cf8f", "#78bdf5", "#d48ee8", "#6cc7d3", "#ffffff",
];

fn colour(colour: vt100::Color, default: &str) -> String {
    match colour {
        vt100::Color::Default => default.to_owned(),
        vt100::Color::Rgb(r, g, b) => format!("#{r:02x}{g:02x}{b:02x}"),
        vt100::Color::Idx(i) if i < 16 => ANSI[i as usize].to_owned(),
        vt100::Color::Idx(i) if i < 232 => {
            let level = |n: u8| if n == 0 { 0 } else { 55 + 40 * n };
            let n = i - 16;
            format!("#{:02x}{:02x}{:02x}", level(n / 36), level(n / 6 % 6), level(n % 6))
        }
        vt100::Color::Idx(i) => format!("#{0:02x}{0:02x}{0:02x}", 8 + 10 * (i - 232)),
    }
}

/// One run of cells that look alike.
struct Run {
    col: u16,
    cells: u16,
    text: String,
    fg: String,
    bg: String,
    bold: bool,
    italic: bool,
    underline: bool,
    dim: bool,
}

fn runs(screen: &vt100::Screen, row: u16) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for col in 0..screen.size().1.get() {
        let Some(cell) = screen.cell(row, col) else { continue };
        if cell.is_wide_continuation() {
            if let Some(run) = runs.last_mut() {
                run.cells += 1;
            }
            continue;
        }
        let (mut fg, mut bg) = (colour(cell.fgcolor(), FOREGROUND), colour(cell.bgcolor(), BACKGROUND));
        if cell.inverse() {
            std::mem::swap(&mut fg, &mut bg);
        }
        let text = if cell.has_contents() { cell.contents().to_owned() } else { " ".to_owned() };
        let alike = |run: &Run| {
            run.fg == fg
                && run.bg == bg
                && (run.bold, run.italic, run.underline, run.dim)
                    == (cell.bold(), cell.italic(), cell.underline(), cell.dim())
        };
        match runs.last_mut() {
            Some(run) if alike(run) => {
                run.text.push_str(&text);
                run.cells += 1;
            }
            _ => runs.push(Run {
                col,
                cells: 1,
                text,
                fg,
                bg,
                bold: cell.bold(),
                italic: cell.italic(),
                underline: cell.underline(),
                dim: cell.dim(),
            }),
        }
    }
    runs
}

/// Draws the screen.
pub fn svg(screen: &vt100::Screen, title: &str) -> String {
    let (rows, cols) = (screen.size().0.get(), screen.size().1.get());
    let (width, height) = (f64::from(cols) * CELL.0 + 2.0 * MARGIN, f64::from(rows) * CELL.1 + 2.0 * MARGIN);
    let escape = |s: &str| s.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.1} {height:.1}\" width=\"{width:.0}\" \
         font-family=\"'JetBrains Mono','DejaVu Sans Mono',Menlo,Consolas,monospace\" font-size=\"14\">\n\
         <title>{}</title>\n<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{BACKGROUND}\"/>\n",
        escape(title)
    );
    for row in 0..rows {
        let y = MARGIN + f64::from(row) * CELL.1;
        for run in runs(screen, row) {
            let (x, w) = (MARGIN + f64::from(run.col) * CELL.0, f64::from(run.cells) * CELL.0);
            if run.bg != BACKGROUND {
                let _ = writeln!(
                    out,
                    "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{w:.1}\" height=\"{:.1}\" fill=\"{}\"/>",
                    CELL.1, run.bg
                );
            }
            if run.text.trim().is_empty() {
                continue;
            }
            let mut style = String::new();
            if run.bold {
                style.push_str(" font-weight=\"bold\"");
            }
            if run.italic {
                style.push_str(" font-style=\"italic\"");
            }
            if run.underline {
                style.push_str(" text-decoration=\"underline\"");
            }
            if run.dim {
                style.push_str(" opacity=\"0.65\"");
            }
            let _ = writeln!(
                out,
                "<text x=\"{x:.1}\" y=\"{:.1}\" fill=\"{}\" textLength=\"{w:.1}\" lengthAdjust=\"spacingAndGlyphs\" \
                 xml:space=\"preserve\"{style}>{}</text>",
                y + CELL.1 * 0.75,
                run.fg,
                escape(&run.text)
            );
        }
    }
    out.push_str("</svg>\n");
    out
}
