//! A runbook as Markdown, to be read and printed.

use std::fmt::Write;
use std::path::Path;

use serde::Serialize;

use crate::domain::Untrusted;
use crate::domain::incident::{Pinned, span_words};
use crate::domain::runbook::{Phase, Runbook, would};

/// A runbook to be read.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunbookText {
    /// Its name.
    pub name: Untrusted,
    /// Its file; none: it comes with the program.
    pub file: Option<String>,
    /// blake3 of its text, in hex.
    pub hash: String,
    /// The feature that it is for.
    pub feature: Option<Untrusted>,
    /// The names of the environment variables that it uses.
    pub secrets: Vec<Untrusted>,
    /// Its steps.
    pub steps: Vec<StepText>,
    /// All of it as Markdown.
    pub markdown: Untrusted,
}

/// A step.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StepText {
    /// From 1, over the whole runbook.
    pub number: usize,
    /// Its id.
    pub step: String,
    /// Where it belongs.
    pub phase: Phase,
    /// Its kind.
    pub kind: &'static str,
    /// Its title.
    pub title: Untrusted,
    /// Whether it changes something outside.
    pub acts: bool,
}

/// A runbook as it reads.
pub fn show(runbook: &Pinned, file: Option<&Path>) -> RunbookText {
    let book = &runbook.book;
    RunbookText {
        name: book.name.clone(),
        file: file.map(|file| file.display().to_string()),
        hash: runbook.hash.clone(),
        feature: book.feature.clone(),
        secrets: book.secrets.clone(),
        steps: book
            .steps
            .iter()
            .enumerate()
            .map(|(at, step)| StepText {
                number: at + 1,
                step: step.id.clone(),
                phase: step.phase,
                kind: step.kind.name(),
                title: step.title.clone(),
                acts: step.kind.acts(),
            })
            .collect(),
        markdown: markdown(book).into(),
    }
}

fn markdown(book: &Runbook) -> String {
    let mut out = format!("# Runbook: {}\n", book.name.raw());
    // Writing to a string cannot fail.
    let mut line = |text: String| writeln!(out, "{text}").unwrap_or_default();
    if let Some(feature) = &book.feature {
        line(format!("\nFor the feature {}.", feature.raw()));
    }
    if !book.severity.is_empty() {
        line("\n| severity | when | update every |\n|---|---|---|".to_owned());
        for (severity, rule) in &book.severity {
            let when: Vec<String> =
                rule.any.iter().map(|(name, limit)| format!("{name} {}", limit.text)).collect();
            let every = book.update_every_ms.iter().find(|(of, _)| of == severity);
            let every = every.map(|(_, ms)| span_words(*ms)).unwrap_or_default();
            line(format!("| {severity} | {} | {every} |", when.join(" or ")));
        }
    }
    if !book.secrets.is_empty() {
        let names: Vec<&str> = book.secrets.iter().map(Untrusted::raw).collect();
        line(format!("\nNeeds the variables {}.", names.join(", ")));
    }
    for phase in Phase::ALL {
        let mut steps = book.steps_of(phase).peekable();
        if steps.peek().is_none() {
            continue;
        }
        line(format!("\n## {} {}\n\n{}", phase.number(), phase.title(), phase.question()));
        for (at, step) in steps {
            line(format!("\n### {}. {}\n", at + 1, step.title.raw()));
            let mut facts = vec![format!("`{}`", step.id), step.kind.name().to_owned()];
            facts.extend(step.owner.as_ref().map(|owner| format!("for {}", owner.raw())));
            facts.extend(step.box_ms.map(|ms| format!("at most {}", span_words(ms))));
            facts.extend(step.fills.map(|part| format!("fills “{}” of the post-mortem", part.title())));
            line(facts.join(" · "));
            if let Some(would) = would(step) {
                line(format!("\n> {}", would.raw()));
            }
            if let Some(say) = &step.say {
                line(format!("\n{}", say.raw().trim()));
            }
        }
    }
    out
}
