//! How a gate is printed for a person.

use jiff::tz::TimeZone;

use super::output;
use crate::domain::Result;
use crate::domain::gate::{Accept, Seen};
use crate::ops::gate::{CandidateLine, DrillView, EdgeView, ExerciseView, GateView, ItemView};
use crate::text::figures::{date_clock, duration};
use crate::text::{Clean, clean_line, pad, wrap};

/// Columns of a line.
const WIDE: usize = 80;

/// The ten items, then what stands in the way and how to go on.
pub(super) fn gate(view: &GateView) -> String {
    let sha: String = view.prompt_sha256.chars().take(12).collect();
    let mut lines = vec![
        format!("{} · {}: {}", view.prompt, view.decision.words(), view.tally()),
        format!("{} · {sha}", view.prompt_file),
        format!("gate: {}", view.gate_file.as_deref().unwrap_or("the defaults, without a file")),
        String::new(),
    ];
    for item in &view.items {
        let evidence = item.evidence.as_ref().map_or("–", |evidence| evidence.id.as_str());
        lines.push(format!(
            "{:>2}  {:<19} {:<16} {:<7}{}",
            item.number,
            item.title,
            item.verdict_words(),
            evidence,
            clean_line(&item.figure)
        ));
    }
    // What is so for one reason is said once.
    let mut told: Vec<(&ItemView, String)> = Vec::new();
    for item in view.items.iter().filter(|item| !item.verdict.is_passed() || !item.warnings.is_empty()) {
        let same = |other: &&mut (&ItemView, String)| {
            other.0.words == item.words && other.0.next == item.next && other.0.warnings == item.warnings
        };
        match told.iter_mut().find(same) {
            Some((_, numbers)) => numbers.push_str(&format!(", {}", item.number)),
            None => told.push((item, item.number.to_string())),
        }
    }
    for (item, numbers) in told {
        lines.push(String::new());
        said(&mut lines, item, &numbers);
    }
    lines.join("\n")
}

/// One item with what was found.
pub(super) fn item(view: &ItemView) -> String {
    let mut lines = vec![format!("{} · {}", view.title, view.verdict_words())];
    said(&mut lines, view, &view.number.to_string());
    lines.join("\n")
}

fn said(lines: &mut Vec<String>, item: &ItemView, numbers: &str) {
    indented(lines, &format!("{numbers:>2}  "), &item.words);
    for warning in &item.warnings {
        indented(lines, "    ! ", warning);
    }
    if let Some(next) = &item.next {
        indented(lines, "    → ", next);
    }
}

fn indented(lines: &mut Vec<String>, first: &str, text: &str) {
    let cols = first.chars().count();
    let mut before = first.to_owned();
    for line in wrap(&clean_line(text), WIDE - cols) {
        lines.push(format!("{before}{line}"));
        before = " ".repeat(cols);
    }
}

/// The candidates.
pub(super) fn list(all: &[CandidateLine]) -> Result<()> {
    if all.is_empty() {
        return output::text(
            "No prompts yet: the versions of a prompt lie in prompts/FEATURE/v1.txt and so on.",
        );
    }
    let zone = TimeZone::system();
    let rows = all.iter().map(|line| {
        let (decision, at) = match line.decided {
            Some((at, decision)) => (
                format!("{}, {} of 10 passed", decision.words(), line.passed),
                date_clock(at.as_millisecond(), &zone),
            ),
            None => ("not looked at".to_owned(), String::new()),
        };
        let current = if line.is_current { "current" } else { "" };
        vec![line.feature.clone(), line.version.clone(), current.to_owned(), decision, at]
    });
    output::table(&["feature", "version", "", "gate", "since"], rows)
}

/// Edge cases with their labels.
pub(super) fn edges(all: &[EdgeView]) -> Result<()> {
    if all.is_empty() {
        return output::text("The run has no edge cases.");
    }
    let cell = |text: &str| pad(&clean_line(text), 36).to_string().trim_end().to_owned();
    let rows = all.iter().map(|edge| {
        let labels: Vec<String> =
            edge.labels.iter().map(|(who, verdict)| format!("{} by {}", verdict.word(), who.raw())).collect();
        vec![
            edge.result.case.to_string(),
            edge.result.category.raw().to_owned(),
            edge.result.outcome().word().to_owned(),
            if labels.is_empty() { "no label".to_owned() } else { labels.join(", ") },
            edge.result.answer().map_or_else(String::new, |answer| cell(answer.output.answered(200).raw())),
        ]
    });
    output::table(&["case", "kind", "evaluators", "labels", "answer"], rows)
}

/// What came of a drill.
pub(super) fn drill(view: &DrillView) -> String {
    let ended = match (view.timed_out, view.code) {
        (true, _) => format!("was ended after {}", duration(view.limit_seconds * 1000.0)),
        (false, Some(0)) => format!("answered in {}", duration(view.seconds * 1000.0)),
        (false, Some(code)) => format!("ended with code {code} after {}", duration(view.seconds * 1000.0)),
        (false, None) => "was ended by a signal".to_owned(),
    };
    let argv: Vec<&str> = view.argv.iter().map(crate::domain::Untrusted::raw).collect();
    let mut lines = vec![
        format!("Back to {}: {}.", view.to, view.why),
        format!(
            "{} {ended}; it may take {}.",
            clean_line(&argv.join(" ")),
            duration(view.limit_seconds * 1000.0)
        ),
    ];
    if !view.said.is_empty() {
        lines.extend(wrap(&crate::text::clean(&view.said), WIDE - 2).iter().map(|line| format!("  {line}")));
    }
    lines.push(format!("Kept as {}.", view.evidence));
    lines.join("\n")
}

/// What was seen of an exercise.
pub(super) fn exercise(view: &ExerciseView) -> String {
    let mut lines = vec![format!("{} ({})", view.target, view.target_kind)];
    for sight in &view.sights {
        let mark = match sight.seen {
            Seen::Fallback => "fallback seen",
            Seen::Told => "failure told",
            Seen::Nothing => "not seen",
        };
        let first = format!("{:<11} {mark:<14} ", sight.fault.words());
        let cols = first.chars().count();
        let mut before = first;
        for line in wrap(&clean_line(sight.words.raw()), WIDE - cols).iter().map(Clean::as_str) {
            lines.push(format!("{before}{line}"));
            before = " ".repeat(cols);
        }
    }
    let told = view.sights.iter().any(|sight| sight.seen == Seen::Told);
    if told && view.accept == Accept::Fallback {
        lines.push("The target is the model itself: the application's fallback was not seen.".to_owned());
    }
    lines.push(format!("Kept as {}.", view.evidence));
    lines.join("\n")
}
