//! What is said of what was done: promoted, saved, written.

use super::work::Request;
use super::{EvalsScreen, Face, Undo};
use crate::command::table::evals as rows;
use crate::ops::promote::{FileReport, Outcome, PromoteReport, SaveReport};
use crate::text::{Role, figures};
use crate::tui::screen::Cx;
use crate::tui::words::words;

impl EvalsScreen {
    pub(super) fn saved(&mut self, request: &Request, report: &SaveReport, cx: &mut Cx<'_>) {
        let Some(case) = report.cases.first() else { return };
        let (did, before) = match request {
            Request::Restore { .. } => {
                let did = self.undoing.take().map_or("restored", |undo| undo.did);
                let text = format!("↺ {} of {} is no longer {did}", case.id, report.set);
                return cx.say(words().plain(text).muted(file_words(report.file.as_ref())));
            }
            Request::Retire { .. } => ("retired", report.before),
            _ => ("changed", report.before),
        };
        self.undo.push(Undo { set: report.set.clone(), case: case.id.clone(), version: before, did });
        if did == "retired" && self.face == Face::Case {
            self.face = Face::Cases;
        }
        cx.say(
            words()
                .put(Role::Pass, "✓ ")
                .plain(format!("{} of {} {did}", case.id, report.set))
                .muted(file_words(report.file.as_ref()))
                .muted(" · ")
                .key(cx.env.key(rows::UNDO))
                .muted(" undo"),
        );
    }
}

pub(super) fn say_promoted(report: &PromoteReport, cx: &mut Cx<'_>) {
    let count = |of: Outcome| report.promoted.iter().filter(|one| one.outcome == of).count();
    let text = match &report.promoted[..] {
        [one] => {
            let id = one.case.as_ref().map(|case| case.id.as_str()).unwrap_or_default();
            match one.outcome {
                Outcome::Added => format!("{id} added to {}", report.set),
                Outcome::Changed => format!("{id} of {} changed", report.set),
                Outcome::Unchanged => format!("{id} is in {} already", report.set),
                Outcome::Duplicate => format!("left out: its input is in {} already", report.set),
            }
        }
        _ => {
            let parts: Vec<String> = [
                (Outcome::Added, "added"),
                (Outcome::Changed, "changed"),
                (Outcome::Unchanged, "there already"),
                (Outcome::Duplicate, "left out as duplicates"),
            ]
            .into_iter()
            .filter(|(of, _)| count(*of) > 0)
            .map(|(of, word)| format!("{} {word}", count(of)))
            .collect();
            format!("{}: {}", report.set, figures::list_of(&parts, "and"))
        }
    };
    cx.say(words().put(Role::Pass, "✓ ").plain(text).muted(file_words(report.file.as_ref())));
}

/// ` · evals/support.jsonl`, or that it could not be written.
fn file_words(file: Option<&FileReport>) -> String {
    match file {
        None => String::new(),
        Some(file) => {
            let name =
                file.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let changes = file.taken.added.len() + file.taken.changed.len();
            let took = if changes > 0 {
                format!(", {} taken from it", figures::plural(changes, "change"))
            } else {
                String::new()
            };
            let conflicts = if file.taken.conflicts.is_empty() { "" } else { ", conflicts: see the history" };
            let bad = if file.written { "" } else { " has a bad line and was not written" };
            format!(" · {name}{bad}{took}{conflicts}")
        }
    }
}
