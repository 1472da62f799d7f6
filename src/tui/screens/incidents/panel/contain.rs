//! What would stop the harm, replayed.

use super::{Lines, PanelCx};
use crate::domain::incident::span_words;
use crate::ops::assess::{Containment, Ready};
use crate::text::figures::{self, duration, percent, sparkline, thousands};
use crate::text::{Line, Role, clean_line, pad, pad_left, truncate, truncate_line, wrap_line};
use crate::tui::words::{line, one_line, span, words};

/// Looked at, or why it could not be.
type Preflight<'a> = Option<&'a Result<Vec<Ready>, String>>;

/// The panel.
pub fn lines(of: &Containment, ready: Preflight<'_>, cx: &PanelCx<'_>, cols: usize) -> Lines {
    let mut out = Lines::default();
    let replayed = duration((of.window[1].as_millisecond() - of.window[0].as_millisecond()) as f64);
    let excess = of.excess.map_or_else(
        || "what is usual is not known".to_owned(),
        |excess| format!("{} failures above usual", thousands(excess.round() as i64)),
    );
    let head = words()
        .muted("replayed on the last ")
        .plain(&replayed)
        .muted(format!(": {} requests, ", thousands(of.requests.cast_signed())))
        .plain(excess);
    out.put(truncate_line(&head.done(), cols));
    if of.options.is_empty() {
        out.put(line(
            Role::Unsure,
            "The runbook has no step that acts: contain by hand, and write down what was done.",
        ));
    } else {
        // The title takes what the figures leave.
        let title = cols.saturating_sub(45).clamp(20, 60);
        let row = |role: Role, cells: [&str; 4], would: (Role, &str)| {
            let text = words()
                .put(role, pad(&truncate(&clean_line(cells[0]), title), title).as_str())
                .put(role, pad_left(&clean_line(cells[1]), 12).as_str())
                .put(role, pad_left(&clean_line(cells[2]), 9).as_str())
                .put(role, format!("  {}", pad(&truncate(&clean_line(cells[3]), 8), 8)))
                .put(would.0, format!("  {}", would.1));
            truncate_line(&text.done(), cols)
        };
        let heads = ["option, best first", "prevented", "traffic", "undo"];
        out.put(row(Role::Muted, heads, (Role::Muted, "preflight")));
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
            out.put(row(role, [&name, &prevented, &traffic, &undo], word(ready, &option.id)));
        }
        let gap = [span(Role::Plain, "   ")];
        for why in reasons(of, ready) {
            wrap_line(&why, cols, &[], &gap).into_iter().for_each(|text| out.put(text));
        }
        if of.options.iter().any(|option| option.kind == "flag") {
            let whole = "A switch turns the whole feature off or on, not only the part that fails.";
            out.put(line(Role::Muted, whole));
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
    for text in acted(cx) {
        out.put(truncate_line(&text, cols));
    }
    out
}

/// Whether a step would act, in a word.
fn word(ready: Preflight<'_>, step: &str) -> (Role, &'static str) {
    match ready {
        None => (Role::Muted, "looking…"),
        Some(Err(_)) => (Role::Unsure, "not known"),
        Some(Ok(all)) => match all.iter().find(|one| one.step == step) {
            Some(one) if one.is_ok() => (Role::Pass, one.word()),
            Some(one) => (Role::Fail, one.word()),
            None => (Role::Muted, "–"),
        },
    }
}

/// What stands in the way, a line a step.
fn reasons(of: &Containment, ready: Preflight<'_>) -> Vec<Line> {
    let all = match ready {
        None => return Vec::new(),
        Some(Err(why)) => return vec![words().put(Role::Unsure, clean_line(why).as_str()).done()],
        Some(Ok(all)) => all,
    };
    let shown = of.options.iter().filter_map(|option| {
        let one = all.iter().find(|one| one.step == option.id)?;
        let why = one.why.as_ref()?;
        Some(
            words()
                .put(Role::Fail, format!("{:>2} ", option.step))
                .plain(clean_line(why.raw()).as_str())
                .done(),
        )
    });
    shown.collect()
}

/// What was switched, and what the traces say of it: `412 → 37 → 0  CONFIRMED 03:04, 9m after detection`.
fn acted(cx: &PanelCx<'_>) -> Vec<Line> {
    let Some(view) = cx.view else { return Vec::new() };
    let steps = view.phases.iter().flat_map(|phase| &phase.steps);
    let shown = steps.filter(|step| step.kind == "flag").filter_map(|step| {
        let act = step.acting.as_ref().filter(|act| act.effect != "none")?;
        let live = cx.ran.filter(|ran| ran.step == step.id).and_then(|ran| ran.effect.as_ref());
        let series = live.map(|live| live.series.iter().map(u64::to_string).collect::<Vec<_>>().join(" → "));
        let told = words().muted("effect  ").maybe(Role::Plain, series.map(|series| format!("{series}  ")));
        let at = match act.effect {
            "confirmed" | "unconfirmed" => step.ended_at?,
            _ => act.at,
        };
        let clock = figures::when(at.as_millisecond(), cx.env.now_ms(), &cx.env.zone);
        let after = |from: jiff::Timestamp| {
            span_words(u64::try_from(at.as_millisecond() - from.as_millisecond()).unwrap_or(0))
        };
        let detected = format!(", {} after detection", after(view.head.opened_at));
        let onset = view.began_at.map(|began| format!(", {} after onset", after(began)));
        Some(match act.effect {
            "confirmed" => told
                .put(Role::Pass, "CONFIRMED")
                .plain(format!(" {clock}{detected}"))
                .maybe(Role::Plain, onset)
                .done(),
            "unconfirmed" => {
                told.put(Role::Alert, "UNCONFIRMED").plain(format!(" signed {clock}{detected}")).done()
            }
            _ => told.put(Role::Accent, "waited for").plain(format!(" since {clock}")).done(),
        })
    });
    shown.collect()
}
