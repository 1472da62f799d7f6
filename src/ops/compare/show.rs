//! The comparison as text, at most eighty columns wide, and the words that every report shares.

use serde::Serialize;

use super::{Became, CaseLine, CompareView, Decision, Mark, Metric, State, Unit};
use crate::domain::Outcome;
use crate::text::figures::{
    UNKNOWN, dollars_to, fixed, list_of, money_decimals, on_point, percent, percent_to, plural, seconds_to,
    signed,
};
use crate::text::{Clean, clean_line, pad, truncate, width};

/// Columns of the text.
const COLS: usize = 80;
/// Cases listed of each kind.
const LISTED: usize = 20;

/// A row of the table in words.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    pub name: String,
    pub current: String,
    pub new: String,
    pub change: String,
    pub interval: String,
    pub test: String,
    /// `better`, `worse`, or nothing, for a colour beside the words.
    pub tone: &'static str,
}

/// The table in words.
pub fn rows(view: &CompareView) -> Vec<Row> {
    view.metrics.iter().map(|metric| row(view, metric)).collect()
}

fn row(view: &CompareView, metric: &Metric) -> Row {
    let highest = [metric.current, metric.new].into_iter().flatten().fold(0.0, f64::max);
    let of_both = [metric.current, metric.new].into_iter().flatten();
    let of_change = metric.change.into_iter().chain(metric.interval.into_iter().flatten());
    let (digits, change_digits) = (money_decimals(of_both), money_decimals(of_change));
    let plain = |value: f64| match metric.unit {
        Unit::Share => percent_to(value, 1),
        Unit::Ms if highest < 1000.0 => format!("{} ms", fixed(value, 0)),
        Unit::Ms => seconds_to(value, 2),
        Unit::Usd => dollars_to(value, digits),
        Unit::Rating => fixed(value, 1),
    };
    let (change, interval) = match (metric.relative, metric.relative_interval) {
        (Some(change), Some(interval)) => (Some(change), Some(interval)),
        _ => (metric.change, metric.interval),
    };
    let moved = |value: f64| match metric.unit {
        Unit::Share => signed(value * 100.0, 1),
        Unit::Ms if highest < 1000.0 => signed(value, 0),
        Unit::Ms => signed(value / 1000.0, 2),
        Unit::Usd if metric.relative.is_some() => signed(value * 100.0, 0),
        Unit::Usd => signed(value, change_digits),
        Unit::Rating => signed(value, 1),
    };
    let unit = match metric.unit {
        Unit::Share => " pp",
        Unit::Ms if highest < 1000.0 => " ms",
        Unit::Ms => " s",
        Unit::Usd if metric.relative.is_some() => " %",
        Unit::Usd => " $",
        Unit::Rating => "",
    };
    let or_unknown = |text: Option<String>| text.unwrap_or_else(|| UNKNOWN.to_owned());
    let broken = view
        .checks
        .iter()
        .find(|check| check.state == State::NotMet && check.metric.as_deref() == Some(metric.name.as_str()));
    let test = match (broken.map(|check| check.threshold), metric.mark) {
        (Some("min_pass_rate"), _) => "✗ below target".to_owned(),
        (Some("max_cost_increase" | "max_cost_usd"), _) => "✗ over budget".to_owned(),
        (Some("max_p95_ms"), _) => "✗ too slow".to_owned(),
        (Some(_), _) => "✗ too much lost".to_owned(),
        (None, Mark::Better) => "✓ better".to_owned(),
        (None, Mark::Worse) => "✗ worse".to_owned(),
        (None, Mark::Same) => "= same".to_owned(),
        (None, Mark::Unclear) => "~ unclear".to_owned(),
        (None, Mark::TooFew) if metric.cases == 0 => "not known".to_owned(),
        (None, Mark::TooFew) => "too few".to_owned(),
    };
    let p = metric.p_adjusted.map_or_else(String::new, |p| format!(", {}", p_words(p)));
    Row {
        name: clean_line(&metric.name).into_string(),
        current: or_unknown(metric.current.map(plain)),
        new: or_unknown(metric.new.map(plain)),
        change: or_unknown(change.map(|value| moved(value) + unit)),
        interval: or_unknown(interval.map(|ends| format!("[{}, {}]", moved(ends[0]), moved(ends[1])))),
        test: test + &p,
        tone: match (broken.is_some(), metric.mark) {
            (true, _) | (_, Mark::Worse) => "worse",
            (_, Mark::Better) => "better",
            _ => "",
        },
    }
}

fn p_words(p: f64) -> String {
    if p < 0.001 { "p <0.001".to_owned() } else { format!("p {}", fixed(p, if p < 0.1 { 3 } else { 2 })) }
}

/// `support · v4 → v5 · 180 cases`.
pub fn title(view: &CompareView) -> String {
    let (before, after) = (view.baseline.title(), view.candidate.title());
    let (before, after) = if before == after {
        (view.baseline.run.as_str(), view.candidate.run.as_str())
    } else {
        (before, after)
    };
    let cases = plural(usize::try_from(view.cases).unwrap_or(usize::MAX), "case");
    clean_line(&format!("{} · {before} → {after} · {cases}", view.set)).into_string()
}

/// `HOLD: cost`.
pub fn headline(view: &CompareView) -> String {
    let state = match view.decision {
        Decision::Ship => return view.decision.words().to_owned(),
        Decision::Hold => State::NotMet,
        Decision::NotEnoughData => State::Open,
    };
    let mut short: Vec<String> = Vec::new();
    for check in view.checks.iter().filter(|check| check.state == state) {
        let name = clean_line(&check.short).into_string();
        if !short.contains(&name) {
            short.push(name);
        }
    }
    format!("{}: {}", view.decision.words(), short.join(", "))
}

/// `newly failing 4 · newly passing 9 · both fail 5 · both pass 162`.
pub fn tally(view: &CompareView) -> String {
    let mut tally = format!(
        "newly failing {} · newly passing {} · both fail {} · both pass {}",
        view.regressed.len(),
        view.fixed.len(),
        view.both_fail.len(),
        view.both_pass.len()
    );
    if !view.no_word.is_empty() {
        tally.push_str(&format!(" · no word {}", view.no_word.len()));
    }
    tally
}

/// What became of a case, in words beside the mark.
pub fn became(line: &CaseLine) -> &'static str {
    match line.became {
        Became::Regressed => "✗ fails, passed",
        Became::Fixed => "✓ passes, failed",
        Became::BothFail => "✗ fails, as before",
        Became::BothPass => "✓ passes, as before",
        Became::NoWord if line.new == Outcome::Error => "! no word on the new",
        Became::NoWord => "! no word before",
    }
}

/// Which evaluator decided: `judge 4`.
pub fn decided(line: &CaseLine) -> String {
    let name = line.evaluator.as_deref().unwrap_or_default();
    let score = line.score.map_or_else(String::new, |score| {
        format!(" {}", fixed(score, if score.fract() == 0.0 { 0 } else { 2 }))
    });
    clean_line(&format!("{name}{score}")).into_string()
}

/// The comparison as plain text.
pub fn text(view: &CompareView) -> String {
    let mut out = Text::default();
    let (title, headline) = (title(view), headline(view));
    let gap = COLS.saturating_sub(width(&title) + width(&headline));
    if gap >= 2 {
        out.line(&format!("{title}{}{headline}", " ".repeat(gap)));
    } else {
        out.line(&title);
        out.line(&headline);
    }
    table(&mut out, view);
    out.line(&format!("change with its 95 % interval; {}", view.multiplicity));
    out.wrapped(&format!("{}: {}.", view.decision.words(), view.reason));
    for note in &view.notes {
        out.wrapped(&format!("note: {note}."));
    }
    for (name, ids) in [
        ("only in the baseline", &view.left_out.only_baseline),
        ("only in the candidate", &view.left_out.only_candidate),
        ("changed in between", &view.left_out.changed),
    ] {
        if !ids.is_empty() {
            let more = ids.len().saturating_sub(LISTED);
            let mut shown: Vec<String> = ids.iter().take(LISTED).map(|id| id.as_str().to_owned()).collect();
            if more > 0 {
                shown.push(format!("{more} more"));
            }
            out.wrapped(&format!("{name}: {}", list_of(&shown, "and")));
        }
    }
    out.line(&"─".repeat(COLS));
    categories(&mut out, view);
    out.line(&tally(view));
    cases(&mut out, view);
    out.0.truncate(out.0.trim_end().len());
    out.0
}

#[derive(Default)]
struct Text(String);

impl Text {
    fn line(&mut self, line: &str) {
        self.0.push_str(line.trim_end());
        self.0.push('\n');
    }

    fn wrapped(&mut self, text: &str) {
        for line in crate::text::wrap(&clean_line(text), COLS) {
            self.line(line.as_str());
        }
    }
}

fn table(out: &mut Text, view: &CompareView) {
    let rows = rows(view);
    let widest = rows.iter().map(|row| width(&row.name)).max().unwrap_or(0).min(16);
    let column = |head: &str, of: fn(&Row) -> &str| -> Vec<String> {
        let cells = on_point(&rows.iter().map(of).collect::<Vec<_>>());
        let most = cells.iter().map(|cell| width(cell)).max().unwrap_or(0).max(width(head));
        let head = format!("{}{head}", " ".repeat(most - width(head)));
        let right = |cell: &String| format!("{}{cell}", " ".repeat(most - width(cell)));
        std::iter::once(head).chain(cells.iter().map(right)).collect()
    };
    let current = column("current", |row| &row.current);
    let new = column("new", |row| &row.new);
    let change = column("change", |row| &row.change);
    let most = rows.iter().map(|row| width(&row.interval)).max().unwrap_or(0).max(4);
    let intervals = std::iter::once("95 %").chain(rows.iter().map(|row| row.interval.as_str()));
    let names = std::iter::once("").chain(rows.iter().map(|row| row.name.as_str()));
    let tests = std::iter::once("test").chain(rows.iter().map(|row| row.test.as_str()));
    for (at, ((name, interval), test)) in names.zip(intervals).zip(tests).enumerate() {
        let name = pad(&truncate(&Clean::from(name), widest), widest);
        let space = " ".repeat(most - width(interval));
        let line = format!("{name} {} {} {}  {interval}{space} ", current[at], new[at], change[at]);
        // The p-value of what is clear is the first that can be spared.
        let fits = width(&line) + width(test) <= COLS;
        let test = if fits { test } else { test.split(", ").next().unwrap_or(test) };
        out.line(&(line + test));
    }
}

fn categories(out: &mut Text, view: &CompareView) {
    if view.categories.len() < 2 {
        return;
    }
    for line in &view.categories {
        let name = pad(&truncate(&clean_line(line.category.raw()), 16), 16);
        out.line(&format!(
            "{name} {:>7} → {:>7}  {}{}",
            percent(line.current),
            percent(line.new),
            plural(usize::try_from(line.cases).unwrap_or(usize::MAX), "case"),
            match (line.regressed, line.fixed) {
                (0, 0) => String::new(),
                (lost, gained) => format!(", {lost} newly failing, {gained} newly passing"),
            }
        ));
    }
}

fn cases(out: &mut Text, view: &CompareView) {
    for (name, mark, kind) in [
        ("newly failing", "✗ was ✓", Became::Regressed),
        ("newly passing", "✓ was ✗", Became::Fixed),
        ("failing in both", "✗ was ✗", Became::BothFail),
        ("without a word", "", Became::NoWord),
    ] {
        let of: Vec<&CaseLine> = view.lines.iter().filter(|line| line.became == kind).collect();
        if of.is_empty() {
            continue;
        }
        out.line(name);
        for line in of.iter().take(LISTED) {
            let cell = |text: &str, cols: usize| pad(&truncate(&clean_line(text), cols), cols).into_string();
            out.line(&format!(
                "  {} {} {} {mark}  {}",
                cell(line.case.as_str(), 12),
                cell(line.category.raw(), 12),
                cell(line.about.raw(), 30),
                truncate(&Clean::from(decided(line)), 12)
            ));
        }
        if of.len() > LISTED {
            out.line(&format!("  … and {} more; --json has them all", of.len() - LISTED));
        }
    }
}
