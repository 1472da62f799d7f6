//! Is it real, or is the meter broken.

use jiff::tz::TimeZone;

use super::{Lines, PanelCx, Target};
use crate::command::table::incidents as table;
use crate::domain::monitor::AlertState;
use crate::ops::assess::{Detection, ExampleView, MeterCheck};
use crate::text::figures::{self, fixed, sparkline};
use crate::text::{Line, Role, clean_line, pad, truncate_line, wrap_line};
use crate::tui::words::{line, one_line, span, words};

/// The panel, for a place of so many rows; `answers` stand at the foot, or where they are seen on a small screen.
pub fn lines(of: &Detection, answers: Vec<Line>, zone: &TimeZone, (cols, page): (usize, usize)) -> Lines {
    let mut out = Lines::default();
    alert(of, zone, cols, &mut out);
    let table = 1 + of.meter.len().max(of.examples.len());
    let (above, below) = match out.lines.len() + table + of.similar.len() + answers.len() > page {
        true => (answers, Vec::new()),
        false => (Vec::new(), answers),
    };
    above.into_iter().for_each(|text| out.put(text));
    // The meter at the left, what it measured at the right.
    let left = (cols / 2).min(64);
    let beside = |left_line: Line, right: Option<Line>| {
        let cut = truncate_line(&left_line, left - 1);
        let gap = left - cut.width();
        let both = words().line(&cut).plain(" ".repeat(gap));
        truncate_line(&right.map_or(both.clone(), |right| both.line(&right)).done(), cols)
    };
    let examples = if of.examples.is_empty() { "" } else { "Examples, worst first" };
    out.put(beside(line(Role::Heading, "Is the meter broken?"), Some(line(Role::Heading, examples))));
    for row in 0..of.meter.len().max(of.examples.len()) {
        let check = of.meter.get(row).map(meter).unwrap_or_default();
        match of.examples.get(row) {
            None => out.put(beside(check, None)),
            Some(example) => {
                let both = beside(check, Some(one_example(example, cols - left)));
                out.lead(both, Target::Trace(example.id.clone()));
            }
        }
    }
    for one in &of.similar {
        let opened = figures::relative(one.opened_at.as_millisecond(), of.as_of.as_millisecond());
        let outcome = one.outcome.map_or("open", |outcome| outcome.words());
        let said = words()
            .muted("similar  ")
            .plain(format!("{} ", one.id))
            .muted(format!("{opened}, {outcome}: "))
            .plain(one_line(&one.title));
        out.lead(truncate_line(&said.done(), cols), Target::Incident(one.id.clone()));
    }
    below.into_iter().for_each(|text| out.put(text));
    out
}

/// What to answer: how severe it is, that it is nothing, that it can wait; each with its key.
pub fn answers(severity: Option<&str>, alert: bool, of: &PanelCx<'_>, cols: usize) -> Vec<Line> {
    let Some(view) = of.view.filter(|view| view.head.closed_at.is_none()) else { return Vec::new() };
    let mut out = Vec::new();
    let key = |id| of.env.key(id);
    let severe = severity
        .map_or_else(|| words().muted("working out how bad it is…"), |severity| words().plain(severity));
    if view.head.severity.is_none() {
        let said = words().muted("severity ").line(&severe.done()).plain("  ").key(key(table::SEVERITY));
        out.push(truncate_line(&said.muted(" sets it").done(), cols));
    }
    let mut ways = words().key(format!("{} f", key(table::CLOSE))).plain(" a false alarm, because…");
    if alert {
        ways = ways.plain("   ").key(key(table::SNOOZE)).plain(" snooze the alert 30m");
    }
    let ways = ways.plain("   ").key(key(table::CONTAIN)).plain(" contain now");
    out.push(truncate_line(&ways.done(), cols));
    out
}

fn alert(of: &Detection, zone: &TimeZone, cols: usize, out: &mut Lines) {
    let when = |at: jiff::Timestamp| figures::when(at.as_millisecond(), of.as_of.as_millisecond(), zone);
    match &of.alert {
        None => out.put(line(Role::Muted, "No alert belongs to it: somebody saw it.")),
        Some(alert) => {
            let state = match alert.state {
                AlertState::Firing => "firing",
                AlertState::Resolved => "over",
            };
            let head = words()
                .put(Role::Alert, format!("{} {}", alert.id, clean_line(&alert.rule)))
                .muted(format!("  {state} since {}", when(alert.fired_at)));
            out.put(truncate_line(&head.done(), cols));
            let indent = [span(Role::Plain, "  ")];
            let mut summary = wrap_line(&line(Role::Plain, &alert.summary), cols, &indent, &indent);
            summary.truncate(2);
            for text in summary {
                out.put(text);
            }
            let mut facts = words().plain("  ");
            if let Some(p) = alert.p_value {
                facts = facts.muted("P(this or worse | usual) ").plain(chance(p)).plain("   ");
            }
            let price = match alert.expected_false_pages_per_month {
                Some(pages) => format!("{} false a month to be expected of it here", fixed(pages, 2)),
                None => "what false alarms to expect of it is not known".to_owned(),
            };
            out.put(truncate_line(&facts.muted(price).done(), cols));
        }
    }
    let values: Vec<f64> = of.trend.iter().map(|value| value.unwrap_or(f64::NAN)).collect();
    let mut trend = words().muted("  24 h ").plain(sparkline(&values)).muted(format!(" {}", of.measure));
    if !of.also.is_empty() {
        let also: Vec<String> = of
            .also
            .iter()
            .take(2)
            .map(|one| format!("{} {}", clean_line(&one.rule), when(one.fired_at)))
            .collect();
        trend = trend.muted("   also firing: ").put(Role::Alert, also.join(", "));
    }
    out.put(truncate_line(&trend.done(), cols));
}

/// `2e-17`, `0.003`.
fn chance(p: f64) -> String {
    if p > 0.0 && p < 1e-3 { format!("{p:.0e}") } else { fixed(p, 3) }
}

fn meter(check: &MeterCheck) -> Line {
    let (mark, role) = match check.ok {
        Some(true) => ("ok", Role::Pass),
        Some(false) => ("!!", Role::Fail),
        None => ("–", Role::Muted),
    };
    words().put(role, format!("  {mark:<3}")).plain(&check.says).done()
}

/// An example in so many columns: what it is called, its language, how it fails, what was asked.
fn one_example(of: &ExampleView, cols: usize) -> Line {
    let id = pad(&clean_line(of.id.raw()), 13);
    let language = of.language.as_ref().map_or_else(String::new, one_line);
    let how = one_line(&of.how);
    let head = words().put(Role::Accent, id.as_str()).muted(format!(" {language:<3}"));
    let asked = one_line(&of.asked);
    // A small screen has room for how it fails alone.
    if cols < 50 {
        return head.put(Role::Fail, how).muted(format!(" {asked}")).done();
    }
    head.put(Role::Fail, pad(&clean_line(&how), 18).as_str()).plain(format!(" {asked}")).done()
}
