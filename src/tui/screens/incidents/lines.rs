//! An incident's parts as lines: a step's text, figures, the timeline.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::run_step::{act_lines, x_words};
use super::watch::watch_lines;
use crate::domain::incident::{Figures, StepStatus, Tally, span_words};
use crate::domain::runbook::Figure;
use crate::ops::incident::step::{Ran, WatchView};
use crate::ops::incident::{IncidentView, LineView, StepView, TallyWords};
use crate::text::{Line, Role, Span, clean, figures, markdown, pad, wrap_line};
use crate::tui::screen::Env;
use crate::tui::words::{line, span, words};

/// The mark of a step's state, with the word for whoever sees no colours.
pub fn mark(state: StepStatus) -> Span {
    match state {
        StepStatus::Todo => span(Role::Muted, "· "),
        StepStatus::Doing => span(Role::Accent, "▸ "),
        StepStatus::Done => span(Role::Pass, "✓ "),
        StepStatus::Skipped => span(Role::Muted, "– "),
    }
}

/// Who has a step, and how long it has taken: what stands at the right of its line.
pub fn step_facts(step: &StepView) -> Line {
    let mut facts = words();
    if let Some(owner) = &step.owner {
        facts = facts.muted(owner.raw()).plain(" ");
    }
    let state = match step.state {
        StepStatus::Todo => String::new(),
        StepStatus::Skipped => "skipped".to_owned(),
        StepStatus::Doing | StepStatus::Done => {
            let over =
                step.box_ms.filter(|_| step.over_box).map(|limit| format!(" of {}", span_words(limit)));
            format!("{}{}", span_words(step.taken_ms), over.unwrap_or_default())
        }
    };
    let role = if step.over_box { Role::Alert } else { Role::Muted };
    facts.put(role, state).done()
}

/// All that is known of a step: what it would do, what was said, its figures, its text.
pub fn detail(
    view: &IncidentView,
    step: &StepView,
    (taken, ran, watch): (Option<&Figures>, Option<&Ran>, Option<&WatchView>),
    env: &Env,
    cols: usize,
) -> Vec<Line> {
    let zone = &env.zone;
    let mut lines = Vec::new();
    let mut facts = words().muted(step.kind);
    if let Some(limit) = step.box_ms {
        facts = facts.muted(format!(" · at most {}", span_words(limit)));
    }
    if let (Some(by), Some(at)) = (&step.ended_by, step.ended_at) {
        let at = figures::when(at.as_millisecond(), view.as_of.as_millisecond(), zone);
        facts = facts.muted(format!(" · {} {at} by {}", step.state.name(), by.raw()));
    }
    lines.push(facts.done());
    if let Some(would) = &step.would {
        lines.extend(wrap_line(&line(Role::Plain, would.raw()), cols, &[], &[]));
    }
    if let Some(way) = x_words(step, env) {
        lines.extend(wrap_line(&way, cols, &[], &[]));
    }
    let now = (view.as_of.as_millisecond(), &env.zone);
    for told in act_lines(step, ran, now) {
        lines.extend(wrap_line(&told, cols, &[], &[span(Role::Plain, "  ")]));
    }
    if step.kind == "monitor"
        && let Some(watch) = watch.filter(|watch| watch.step == step.id)
    {
        lines.push(Line::default());
        lines.extend(watch_lines(watch, now.0, now.1));
    }
    if let Some(note) = step.note.as_ref().filter(|note| !note.is_empty()) {
        let first = [span(Role::Muted, "note  ")];
        let next = [span(Role::Plain, "      ")];
        for (at, text) in clean(note).as_str().lines().enumerate() {
            let first = if at == 0 { &first } else { &next };
            lines.extend(wrap_line(&line(Role::Plain, text), cols, first, &next));
        }
    }
    if !step.show.is_empty() {
        lines.push(Line::default());
        lines.extend(figure_lines(view, &step.show, taken, zone));
    }
    if let Some(say) = &step.say {
        lines.push(Line::default());
        lines.extend(markdown(&reflow(say.raw().trim()), cols));
    }
    lines
}

/// Joins the lines of a paragraph: a runbook's file is wrapped for its own width, not for the screen's.
fn reflow(text: &str) -> String {
    let mut out = String::new();
    let mut fenced = false;
    let mut open = false;
    for line in text.lines() {
        let fence = line.trim_start().starts_with("```") || line.trim_start().starts_with("~~~");
        let marker = line.trim_start().starts_with(['-', '*', '+', '#', '>', '|'])
            || line.trim_start().chars().next().is_some_and(|c| c.is_ascii_digit());
        let joins = open && !fenced && !fence && !marker && !line.trim().is_empty();
        if joins {
            out.push(' ');
            out.push_str(line.trim());
        } else {
            if !out.is_empty() {
                out.push('\n');
            }
            out.push_str(line);
        }
        fenced ^= fence;
        // Two spaces or a backslash at the end are a line break on purpose.
        let broken = line.ends_with("  ") || line.ends_with('\\');
        open = !fenced && !fence && !line.trim().is_empty() && !broken && !line.trim_start().starts_with('#');
    }
    out
}

/// The figures that a step wants to have seen, a line each.
fn figure_lines(view: &IncidentView, show: &[Figure], taken: Option<&Figures>, zone: &TimeZone) -> Vec<Line> {
    let Some(taken) = taken else { return vec![line(Role::Muted, "counting what it did…")] };
    let lines = TallyWords::of(taken);
    let now = view.as_of;
    let when = |at: Timestamp| figures::when(at.as_millisecond(), now.as_millisecond(), zone);
    let all = lines.first();
    let before = taken.before.as_ref().and(lines.get(1));
    let row = |name: &str, of: &dyn Fn(&TallyWords) -> String| {
        let before = before.map(of).map(|before| format!("   before {before}"));
        let now = all.map(of).unwrap_or_default();
        words().muted(format!("{name:<13}")).plain(now).maybe(Role::Muted, before).done()
    };
    let mut out = Vec::new();
    for figure in Figure::ALL.iter().filter(|figure| show.contains(figure)) {
        match figure {
            Figure::Requests => out.push(row("requests", &|of| of.requests.clone())),
            Figure::Errors => out.push(row("errors", &|of| of.errors.clone())),
            Figure::ThumbsDown => out.push(row("thumbs down", &|of| of.thumbs_down.clone())),
            Figure::Users => {
                out.push(row("users", &|of| of.users.clone()));
                out.push(row("users hit", &|of| of.users_hit.clone()));
            }
            Figure::Latency => out.push(row("p95", &|of| of.p95.clone())),
            Figure::Cost => out.push(row("cost/request", &|of| of.cost.clone())),
            Figure::ByVersion => out.extend(versions(taken, &when)),
            Figure::Since => {
                let since = match view.began_at {
                    Some(began) => format!("began {}", when(began)),
                    None => "nobody has said when it began".to_owned(),
                };
                let last = taken.all.seen.map(|(_, last)| format!("   last request {}", when(last)));
                out.push(
                    words().muted(format!("{:<13}", "since")).plain(since).maybe(Role::Muted, last).done(),
                );
            }
        }
    }
    let over = if taken.query.is_empty() { "all traces" } else { taken.query.raw() };
    let span =
        span_words(u64::try_from(taken.until.as_millisecond() - taken.since.as_millisecond()).unwrap_or(0));
    out.push(line(
        Role::Muted,
        format!("{over}, {span} since {}; before: as long before", when(taken.since)),
    ));
    out
}

fn versions(taken: &Figures, when: &dyn Fn(Timestamp) -> String) -> Vec<Line> {
    const MOST: usize = 5;
    let share = |part: u64, of: u64| {
        if of == 0 { figures::UNKNOWN.to_owned() } else { figures::percent(part as f64 / of as f64) }
    };
    let cells = |tally: &Tally| {
        [
            figures::thousands(i64::try_from(tally.requests).unwrap_or(i64::MAX)),
            share(tally.errors, tally.requests),
            share(tally.thumbs_down, tally.thumbs_up + tally.thumbs_down),
            tally.seen.map(|(first, _)| when(first)).unwrap_or_default(),
        ]
    };
    let name = taken.by_version.iter().take(MOST).map(|(name, _)| crate::text::width(clean(name).as_str()));
    let wide = name.max().unwrap_or(0).clamp(8, 28);
    let row = |role: Role, name: &str, [requests, errors, down, first]: [String; 4]| {
        let name = pad(&crate::text::truncate(&crate::text::clean_line(name), wide), wide);
        words()
            .put(role, name.as_str())
            .put(role, format!(" {requests:>9} {errors:>8} {down:>11}  {first}"))
            .done()
    };
    let heads = ["requests", "errors", "thumbs down", "first seen"].map(str::to_owned);
    let mut out = vec![row(Role::Muted, "version", heads)];
    for (name, tally) in taken.by_version.iter().take(MOST) {
        out.push(row(Role::Plain, name.raw(), cells(tally)));
    }
    if taken.by_version.len() > MOST {
        out.push(line(Role::Muted, format!("and {} more", taken.by_version.len() - MOST)));
    }
    out
}

/// The timeline, oldest first, with a line a day.
pub fn timeline(view: &IncidentView, zone: &TimeZone, cols: usize) -> Vec<Line> {
    let mut out = Vec::new();
    let mut day = String::new();
    for entry in &view.timeline {
        let today = figures::date(entry.at.as_millisecond(), zone);
        if today != day {
            let offset = zone.to_offset(entry.at);
            let offset = if offset.is_zero() { "UTC".to_owned() } else { offset.to_string() };
            out.push(words().put(Role::Heading, &today).muted(format!("  {offset}")).done());
            day = today;
        }
        out.extend(entry_lines(entry, zone, cols));
    }
    out
}

fn entry_lines(entry: &LineView, zone: &TimeZone, cols: usize) -> Vec<Line> {
    let at = figures::clock(entry.at.as_millisecond(), zone);
    let first = [span(Role::Muted, format!("{at} ")), span(Role::Accent, format!("{} ", entry.actor.raw()))];
    let next = [span(Role::Plain, "      ")];
    let role = if entry.stands_out { Role::Alert } else { Role::Plain };
    wrap_line(&line(role, entry.text.raw()), cols, &first, &next)
}

#[cfg(test)]
mod tests {
    use super::reflow;

    #[test]
    fn paragraphs_are_joined_and_the_rest_is_left() {
        let text = "one\ntwo\n\n- a\n  b\n- c\n\n# H\nx\n```\ncode\nmore\n```\nend  \nbreak\n1. n";
        let joined = "one two\n\n- a b\n- c\n\n# H\nx\n```\ncode\nmore\n```\nend  \nbreak\n1. n";
        assert_eq!(reflow(text), joined);
    }
}
