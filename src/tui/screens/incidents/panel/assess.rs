//! How bad, how many, since when, who fails.

use jiff::tz::TimeZone;

use super::{Lines, Target};
use crate::ops::assess::{Assessment, SLICE_HEADINGS, rows, slice_rows, slices_said};
use crate::text::{Line, Role, clean_line, pad, pad_left, truncate_line, width, wrap_line};
use crate::tui::words::{line, span, words};

/// Columns of a label before what is said.
const LABEL: usize = 11;
/// Columns from which nothing is cut.
const WIDE: usize = 100;

/// The least number of slices that a small panel shows.
const LEAST: usize = 2;

/// The panel, for a place of so many rows: on a small screen the slices give way, and a line is cut where it is long.
pub fn lines(of: &Assessment, zone: &TimeZone, cols: usize, page: usize) -> Lines {
    let mut out = Lines::default();
    let wide = cols >= WIDE;
    let near_lines = if wide { usize::MAX } else { 2 };
    let facts: Vec<(&str, Vec<Line>)> = rows(of, zone)
        .into_iter()
        .map(|(label, text)| {
            let first = [span(Role::Muted, format!("{label:<LABEL$}"))];
            let next = [span(Role::Plain, " ".repeat(LABEL))];
            let role = if label == "severity" { Role::Accent } else { Role::Plain };
            let most = if label == "near it" { near_lines } else { near_lines - 1 };
            let wrapped = wrap_line(&line(role, &text), cols, &first, &next);
            if wrapped.len() <= most {
                return (label, wrapped);
            }
            let whole = words().line(&Line::new(first.to_vec())).put(role, &text).done();
            let cut = if most == 1 {
                vec![truncate_line(&whole, cols)]
            } else {
                wrapped.into_iter().take(most).collect()
            };
            (label, cut)
        })
        .collect();
    let taken: usize = facts.iter().map(|(_, lines)| lines.len()).sum();
    for (label, lines) in facts {
        // The slices stand where they are looked for: between the changes and what fails.
        if label == "what fails" {
            slices(of, cols, page.saturating_sub(taken), &mut out);
        }
        for text in lines {
            if label == "what fails" && !of.query.is_empty() {
                out.lead(text, Target::Traces(of.query.clone()));
            } else {
                out.put(text);
            }
        }
    }
    if wide {
        for id in &of.examples {
            let said = words().muted(format!("{:<LABEL$}", "example")).plain(id.raw());
            out.lead(said.done(), Target::Trace(id.clone()));
        }
    }
    out
}

fn slices(of: &Assessment, cols: usize, room: usize, out: &mut Lines) {
    let mut cells = slice_rows(of);
    let said = slices_said(of);
    let note =
        if said.is_empty() { Vec::new() } else { wrap_line(&line(Role::Unsure, &said), cols, &[], &[]) };
    cells.truncate(room.saturating_sub(1 + note.len()).max(LEAST));
    if !cells.is_empty() {
        let figures = [6, 8, 9, 9, 7];
        let names = cells.iter().map(|row| width(&row[0])).max().unwrap_or(0);
        let names = names.clamp(LABEL, cols.saturating_sub(figures.iter().sum::<usize>()));
        let row = |role: Role, cells: &[String; 7]| {
            let mut text = words().put(role, pad(&clean_line(&cells[0]), names).as_str());
            for (cell, cols) in cells[1..6].iter().zip(figures) {
                text = text.put(role, pad_left(&clean_line(cell), cols).as_str());
            }
            truncate_line(&text.muted(format!("  {}", cells[6])).done(), cols)
        };
        out.put(row(Role::Muted, &SLICE_HEADINGS.map(str::to_owned)));
        for (one, cells) in of.slices.ranked.iter().zip(&cells) {
            let role = if out.targets.is_empty() { Role::Accent } else { Role::Plain };
            out.lead(row(role, cells), Target::Traces(one.query.clone()));
        }
    }
    note.into_iter().for_each(|text| out.put(text));
}
