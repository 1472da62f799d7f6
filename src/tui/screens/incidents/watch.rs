//! The verify phase: the clock, and what each criterion still needs.

use jiff::tz::TimeZone;

use crate::domain::incident::span_words;
use crate::ops::incident::step::{CriterionState, CriterionView, WatchState, WatchView};
use crate::text::{Line, Role, clean_line, figures, pad, truncate};
use crate::tui::words::{line, words};

/// The watch as lines of at most 77 columns.
pub fn watch_lines(view: &WatchView, now_ms: i64, zone: &TimeZone) -> Vec<Line> {
    let (role, word) = match view.state {
        WatchState::Watching => (Role::Accent, "CLEAN"),
        WatchState::StageHeld => (Role::Pass, "STAGE HELD"),
        WatchState::Held => (Role::Pass, "HELD"),
    };
    let mut clock = words()
        .put(role, word)
        .put(Role::Title, format!(" {} ", clock_words(view.clean_ms)))
        .muted(format!("of {}", clock_words(view.for_ms)));
    if let Some(last) = view.resets.last() {
        let at = figures::when(last.at.as_millisecond(), now_ms, zone);
        clock = clock.plain(format!("   resets {}", view.resets.len())).muted(format!(" (last {at})"));
    }
    let left = view.for_ms.saturating_sub(view.clean_ms);
    if view.state == WatchState::Watching && left > 0 {
        clock = clock.muted(format!("   {} left if clean", span_words(left)));
    }
    let mut lines = vec![clock.done()];
    if let Some(last) = view.resets.last() {
        let why = clean_line(last.why.raw());
        lines.push(words().put(Role::Fail, "last breach ").plain(why.as_str()).done());
    }
    if view.unseen_ms > 0 {
        let unseen = format!("{} in which nothing came do not count", span_words(view.unseen_ms));
        lines.push(line(Role::Alert, unseen));
    }
    lines.push(row(
        Role::Muted,
        ["criterion", "now", "95 % bound", "must be", "still needs", "state"].map(str::to_owned),
        Role::Muted,
    ));
    for one in &view.criteria {
        let state = match one.state {
            CriterionState::Breach => Role::Fail,
            CriterionState::Proven => Role::Pass,
            CriterionState::Unproven => Role::Alert,
        };
        lines.push(row(Role::Plain, cells(one), state));
    }
    if !view.stages.is_empty() {
        let mut stage = words().muted("stage  ");
        for of in &view.stages {
            let role = match of.state {
                "done" => Role::Pass,
                "running" => Role::Accent,
                _ => Role::Muted,
            };
            stage = stage.put(role, format!("{} % {}   ", of.percent, of.state));
        }
        lines.push(stage.done());
    }
    lines
}

fn cells(one: &CriterionView) -> [String; 6] {
    let unknown = || figures::UNKNOWN.to_owned();
    [
        one.title.clone(),
        one.value.map_or_else(unknown, |value| format!("{} ({}/{})", figures::percent(value), one.k, one.n)),
        one.bound.map_or_else(unknown, figures::percent),
        one.must.clone(),
        one.needs.map_or_else(unknown, |needs| format!("{needs} clean")),
        one.state.word().to_owned(),
    ]
}

fn row(role: Role, cells: [String; 6], state: Role) -> Line {
    let [title, now, bound, must, needs, word] = cells;
    let title = pad(&truncate(&clean_line(&title), 19), 19);
    words()
        .put(role, title.as_str())
        .put(role, format!(" {now:>15} {bound:>10} {must:>8} {needs:>11}  "))
        .put(state, word)
        .done()
}

/// `00:41:12`
fn clock_words(ms: u64) -> String {
    let seconds = ms / 1000;
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}
