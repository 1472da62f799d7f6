//! What would stop the harm, replayed.

use super::Lines;
use crate::ops::assess::Containment;
use crate::text::figures::{duration, percent, sparkline, thousands};
use crate::text::{Role, clean_line, pad, pad_left, truncate_line, wrap_line};
use crate::tui::words::{line, one_line, words};

/// The panel.
pub fn lines(of: &Containment, cols: usize) -> Lines {
    let mut out = Lines::default();
    let span = duration((of.window[1].as_millisecond() - of.window[0].as_millisecond()) as f64);
    let excess = of.excess.map_or_else(
        || "what is usual is not known".to_owned(),
        |excess| format!("{} failures above usual", thousands(excess.round() as i64)),
    );
    let head = words()
        .muted("replayed on the last ")
        .plain(&span)
        .muted(format!(": {} requests, ", thousands(of.requests.cast_signed())))
        .plain(excess);
    out.put(truncate_line(&head.done(), cols));
    if of.options.is_empty() {
        out.put(line(
            Role::Unsure,
            "The runbook has no step that acts: contain by hand, and write down what was done.",
        ));
    } else {
        // Title and undo share what the figures leave.
        let title = cols.saturating_sub(36).clamp(20, 60);
        let row = |role: Role, cells: [&str; 4]| {
            let text = words()
                .put(role, pad(&clean_line(cells[0]), title).as_str())
                .put(role, pad_left(&clean_line(cells[1]), 12).as_str())
                .put(role, pad_left(&clean_line(cells[2]), 9).as_str())
                .put(role, format!("  {}", clean_line(cells[3])));
            truncate_line(&text.done(), cols)
        };
        out.put(row(Role::Muted, ["option, best first", "prevented", "traffic", "undo"]));
        for (at, option) in of.options.iter().enumerate() {
            let prevented = match (option.prevented, of.excess) {
                (Some(prevented), Some(all)) => {
                    format!("{} of {}", thousands(prevented.round() as i64), thousands(all.round() as i64))
                }
                _ => "not known".to_owned(),
            };
            let traffic = option.traffic.map_or_else(|| "–".to_owned(), percent);
            let undo = option.undo.as_ref().map_or_else(|| "–".to_owned(), one_line);
            let name = format!("{:>2} {}", option.step, one_line(&option.title));
            let role = if at == 0 { Role::Accent } else { Role::Plain };
            out.put(row(role, [&name, &prevented, &traffic, &undo]));
        }
    }
    if let Some(guilty) = &of.guilty {
        out.put(truncate_line(&words().muted("guilty by the slices: ").plain(one_line(guilty)).done(), cols));
    }
    let counts: Vec<f64> = of.answered.iter().map(|count| *count as f64).collect();
    let last: Vec<String> = of.answered.iter().rev().take(3).rev().map(ToString::to_string).collect();
    let effect = words()
        .muted("answered by the model, per 5 min of the last hour  ")
        .plain(sparkline(&counts))
        .muted(format!("  {}", last.join(" → ")));
    for text in wrap_line(&effect.done(), cols, &[], &[]) {
        out.put(text);
    }
    out
}
