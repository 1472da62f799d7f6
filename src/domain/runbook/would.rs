//! What a step would do, in a sentence: shown before anybody lets it.

use super::{Bound, Confirm, Limit, Step, StepKind};
use crate::domain::Untrusted;

/// One or two sentences saying what this step would do, looks at, or asks. `None` for a manual step,
/// whose text says it all. Holds text of the runbook: clean before printing.
pub fn would(step: &Step) -> Option<Untrusted> {
    let words = match &step.kind {
        StepKind::Manual => return None,
        StepKind::Check { metric, must, window_ms, baseline_ms } => {
            let mut words = format!("Looks at {}", metric.raw());
            if let Some(window) = window_ms {
                words += &format!(" over {}", span(*window));
            }
            if let Some(baseline) = baseline_ms {
                words += &format!(" against the {} before", span(*baseline));
            }
            words + &must.as_ref().map(|m| format!("; it must be {}", m.text)).unwrap_or_default()
        }
        StepKind::Command { run, shell, timeout_ms, idempotent, .. } => format!(
            "Would run `{}` in the repository, {} a shell, for at most {}; {}",
            run.iter().map(|word| word.raw()).collect::<Vec<_>>().join(" "),
            if *shell { "THROUGH" } else { "without" },
            span(*timeout_ms),
            if *idempotent { "running it twice does no harm" } else { "it must not run twice" },
        ),
        StepKind::Http { method, url, expect, timeout_ms, .. } => format!(
            "Would send {method} {} and expect {} within {}",
            url.raw(),
            expect.iter().map(u16::to_string).collect::<Vec<_>>().join(" or "),
            span(*timeout_ms),
        ),
        StepKind::Flag { flag, to, undo, effect } => {
            let what =
                flag.as_ref().map_or("the feature's switch".to_owned(), |f| format!("flag {}", f.raw()));
            let mut words = format!("Would set {what} to {}", to.raw());
            if let Some(effect) = effect {
                words += &format!(
                    "; counts as done when the traces show {} {} for {} (with at least {} requests expected)",
                    effect.metric.raw(),
                    effect.must.text,
                    span(effect.for_ms),
                    effect.min_expected,
                );
            }
            words + &undo.as_ref().map(|undo| format!("; {} takes it back", undo.raw())).unwrap_or_default()
        }
        StepKind::Rollback { prompt, to } => {
            let what =
                prompt.as_ref().map_or("the feature's prompt".to_owned(), |p| format!("prompt {}", p.raw()));
            let to = if to.raw() == "last_known_good" { "its last known good version" } else { to.raw() };
            format!("Would put {what} back to {to}")
        }
        StepKind::Monitor { for_ms, every_ms, stages, must } => {
            let must: Vec<String> = must
                .iter()
                .map(|c| match c.value {
                    Bound::Is(value) => format!("{} {} {value}", c.metric.raw(), c.op.sign()),
                    Bound::Halfway => {
                        format!("{} {} halfway back to usual", c.metric.raw(), c.op.sign())
                    }
                })
                .collect();
            let mut words = format!("Watches for {}, every {}", span(*for_ms), span(*every_ms));
            if !stages.is_empty() {
                let stages: Vec<String> = stages.iter().map(|stage| format!("{stage} %")).collect();
                words += &format!(", at {} of the traffic", stages.join(", "));
            }
            format!("{words}: {}. A breach starts the clock again", must.join(", "))
        }
        StepKind::Ask { choices } if choices.is_empty() => "Asks for an answer in words".to_owned(),
        StepKind::Ask { choices } => {
            format!("Asks for one of: {}", choices.iter().map(Untrusted::raw).collect::<Vec<_>>().join(" · "))
        }
        StepKind::Gate { checklist } => format!(
            "Goes through {}",
            checklist.as_ref().map_or("the feature's deployment checklist".to_owned(), |c| {
                format!("the checklist {}", c.raw())
            })
        ),
    };
    let guard = match (step.kind.acts(), step.guard.confirm) {
        (true, Confirm::Type) => ". Confirmed by typing the feature's name",
        (true, Confirm::Key) => ". Confirmed by a key",
        _ => "",
    };
    let second = match &step.guard.approve {
        Some(approve) if approve.by.raw() == "other" => ", and by a second person".to_owned(),
        Some(approve) => format!(", and by {}", approve.by.raw()),
        None => String::new(),
    };
    Some(Untrusted::new(format!("{words}{guard}{second}.")))
}

/// A duration as a runbook writes it: `90s`, `10m`, `24h`, `14d`.
fn span(ms: u64) -> String {
    let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")];
    let fits = |(unit, _): &&(u64, &str)| ms.is_multiple_of(*unit) && ms >= 2 * unit;
    match units
        .iter()
        .find(fits)
        .or_else(|| units.iter().find(|(unit, _)| ms.is_multiple_of(*unit) && ms > 0))
    {
        Some((unit, name)) => format!("{}{name}", ms / unit),
        None => format!("{ms}ms"),
    }
}

impl std::fmt::Display for Limit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::span;

    #[test]
    fn spans_read_as_a_person_would_write_them() {
        let cases = [(3_600_000, "60m"), (86_400_000, "24h"), (1_209_600_000, "14d"), (20_000, "20s")];
        for (ms, text) in cases {
            assert_eq!(span(ms), text);
        }
        assert_eq!((span(1_500).as_str(), span(60_000).as_str(), span(0).as_str()), ("1500ms", "60s", "0ms"));
    }
}
