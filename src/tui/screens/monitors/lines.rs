//! The texts of the screen.

use jiff::tz::TimeZone;

use crate::command::table::app;
use crate::domain::monitor::{AlertState, SliceShare, State, Urgency};
use crate::ops::monitor::{AlertView, MonitorView, ReplayView, group_words};
use crate::text::figures::{UNKNOWN, fixed, percent, plural, when};
use crate::text::{Line, Role, clean_line, wrap_line};
use crate::tui::screen::Env;
use crate::tui::words::{line, words};

/// More lines than a text of this screen has.
pub const MOST: usize = 500;

/// What stands on top of every screen while alerts are out.
pub fn banner(out: &[&AlertView], env: &Env, key: &str) -> Option<Line> {
    let loud: Vec<&&AlertView> = out.iter().filter(|one| one.silenced_until.is_none()).collect();
    let first = loud.first()?;
    let count = plural(loud.len(), "alert");
    let since = when(first.fired_at.as_millisecond(), env.now_ms(), &env.zone);
    let head = words().put(Role::Alert, format!("▲ {count}")).plain("  ").plain(&first.rule);
    let head = head.muted(format!(" {} since {since}: ", group_words(&first.group)));
    Some(head.plain(&first.evidence.summary).muted("  ").key(key).done())
}

/// How a state looks.
pub fn state(of: State) -> (Role, &'static str) {
    let role = match of {
        State::Ok => Role::Pass,
        State::Firing => Role::Alert,
        State::Paused | State::Pending | State::Resolving => Role::Unsure,
        State::NoData => Role::Muted,
    };
    (role, of.word())
}

/// False pages a month, for a person.
pub fn pages(expected: Option<f64>) -> String {
    expected.map_or_else(|| UNKNOWN.to_owned(), |pages| fixed(pages, 2))
}

/// A monitor in full: its groups, one after the other.
pub fn monitor(of: &MonitorView, env: &Env, cols: usize) -> Vec<Line> {
    let mut lines = vec![
        words()
            .muted(format!("{} by {}", of.metric.name(), of.test))
            .muted(if of.severity == Urgency::Page { ", wakes somebody" } else { ", makes a ticket" })
            .done(),
        words()
            .muted("false pages a month to be expected: ")
            .plain(pages(of.expected_false_pages_per_month))
            .muted(" (the knob for all: ")
            .key("[monitors] false_pages_per_month")
            .muted(")")
            .done(),
    ];
    if let Some(until) = of.silenced_until {
        let until = when(until.as_millisecond(), env.now_ms(), &env.zone);
        lines.push(words().put(Role::Unsure, format!("silenced until {until}")).done());
    }
    for group in &of.groups {
        lines.push(Line::default());
        let (role, word) = state(group.state);
        let name = group_words(&group.group);
        let name = if name.is_empty() { "all traffic".to_owned() } else { name };
        let since =
            group.since.map(|at| format!("  since {}", when(at.as_millisecond(), env.now_ms(), &env.zone)));
        lines.push(words().put(role, word).plain("  ").plain(name).maybe(Role::Muted, since).done());
        lines.extend(wrap_line(&line(Role::Plain, &group.says), cols, &[], &[]));
    }
    if of.groups.is_empty() {
        lines.push(line(Role::Muted, "There is no traffic that it watches."));
    }
    lines
}

/// What an alert stands on, but for its traces.
pub fn alert(of: &AlertView, env: &Env, cols: usize) -> Vec<Line> {
    let mut lines = wrap_line(&line(Role::Plain, &of.evidence.summary), cols, &[], &[]);
    let at = |ms: i64| when(ms, env.now_ms(), &env.zone);
    let mut facts = words().muted("since ").plain(at(of.fired_at.as_millisecond()));
    if let Some(over) = of.resolved_at {
        facts = facts.muted(" · over ").put(Role::Pass, at(over.as_millisecond())).muted(", by the figures");
    }
    if let Some(until) = of.silenced_until {
        facts = facts.put(Role::Unsure, format!(" · silenced until {}", at(until.as_millisecond())));
    }
    if let Some(incident) = &of.incident {
        facts = facts.muted(" · ").put(Role::Accent, incident);
    }
    if let Some(p) = of.evidence.p_value.filter(|p| *p > 0.0) {
        facts = facts.muted(format!(" · by chance once in {}", rarely(p)));
    }
    lines.push(facts.done());
    if !of.evidence.slices.is_empty() {
        lines.push(Line::default());
        let head = format!("{:>8}  {:>6}  {:>7}  {:>8}  slice", "requests", "rate", "outside", "explains");
        lines.push(line(Role::Muted, head));
        lines.extend(of.evidence.slices.iter().map(slice));
    }
    lines
}

fn slice(of: &SliceShare) -> Line {
    let names: Vec<String> =
        of.slice.iter().map(|(name, value)| format!("{name} {}", clean_line(value.raw()))).collect();
    let rate = percent(of.count as f64 / of.n.max(1) as f64);
    let figures = format!(
        "{:>8}  {rate:>6}  {:>7}  {:>8}  ",
        of.n,
        percent(of.rate_outside),
        percent(of.share.min(1.0))
    );
    words().plain(figures).put(Role::Accent, names.join(" × ")).done()
}

/// `2,000,000`, or `10^12` where nobody counts the zeros.
fn rarely(p: f64) -> String {
    let times = p.recip();
    if times < 1e9 {
        crate::text::figures::thousands(times.round() as i64)
    } else {
        format!("10^{}", times.log10().floor())
    }
}

/// When a rule would have fired.
pub fn replayed(past: &ReplayView, zone: &TimeZone, cols: usize) -> Vec<Line> {
    let clock = |at: jiff::Timestamp| crate::text::figures::date_clock(at.as_millisecond(), zone);
    let mut lines = wrap_line(
        &words()
            .plain(format!("It would have fired {}", plural(past.episodes.len(), "time")))
            .muted(format!(" in {} looks; ", crate::text::figures::thousands(past.looks.cast_signed())))
            .muted(format!(
                "{} false pages a month are to be expected.",
                pages(past.expected_false_pages_per_month)
            ))
            .maybe(Role::Muted, past.chance_words().map(|words| format!(" {words}")))
            .done(),
        cols,
        &[],
        &[],
    );
    for one in &past.episodes {
        lines.push(Line::default());
        let over = match one.resolved_at {
            Some(at) => words().muted("over ").put(Role::Pass, clock(at)),
            None => words().put(Role::Alert, "still firing"),
        };
        let head = words().plain(clock(one.fired_at)).plain("  ").plain(group_words(&one.group)).plain("  ");
        lines.push(head.line(&over.done()).done());
        lines.extend(wrap_line(&line(Role::Plain, &one.evidence.summary), cols, &[], &[]));
    }
    lines
}

/// What there is to do where nothing is kept yet.
pub fn nobody_watches(env: &Env) -> Vec<Line> {
    vec![
        words()
            .muted("Receivers are told by ")
            .key("tuesday watch")
            .muted(" or ")
            .key("tuesday serve")
            .muted(".")
            .done(),
        words()
            .muted("Rules stand in tuesday.toml; ")
            .key(env.key(app::HELP))
            .muted(" shows the keys.")
            .done(),
    ]
}

/// How an alert stands, in a word.
pub fn standing(of: &AlertView) -> (Role, &'static str) {
    match (of.state, of.silenced_until) {
        (AlertState::Resolved, _) => (Role::Muted, "over"),
        (AlertState::Firing, Some(_)) => (Role::Muted, "silenced"),
        (AlertState::Firing, None) => (Role::Alert, "firing"),
    }
}
