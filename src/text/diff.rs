//! Differences between two texts, line by line, with the words that changed marked in each line.
//!
//! Texts are compared as they are shown: a difference that cleaning takes away is none.

use super::clean::{Clean, clean_str};
use super::line::{Line, Role, Span, Style};
use super::width::wrap_line;
use similar::{ChangeTag, DiffOp, TextDiff};
use std::time::Duration;

/// Texts that have little in common are compared for no longer than this, then taken as all changed.
const PATIENCE: Duration = Duration::from_millis(200);

/// Both texts in one column: lines that stay, lines taken away behind `-`, lines added behind `+`.
/// Words that changed are bold and underlined, so that no colour is needed to see them.
pub fn diff(old: &str, new: &str, cols: usize) -> Vec<Line> {
    let (old, new) = (clean_str(old), clean_str(new));
    let diff = compared(&old, &new);
    let mut out = Vec::new();
    for op in diff.ops() {
        for (tag, line) in changes(&diff, op) {
            let (mark, role) = match tag {
                ChangeTag::Equal => ("  ", Role::Plain),
                ChangeTag::Delete => ("- ", Role::Removed),
                ChangeTag::Insert => ("+ ", Role::Added),
            };
            out.extend(wrap_line(&line, cols, &[Span::new(mark, role)], &[Span::new("  ", role)]));
        }
    }
    out
}

/// The texts beside each other, the old on the left, in lines of at most `cols` columns.
pub fn side_by_side(old: &str, new: &str, cols: usize) -> Vec<Line> {
    let half = cols.saturating_sub(3) / 2;
    let (old, new) = (clean_str(old), clean_str(new));
    let diff = compared(&old, &new);
    let mut out = Vec::new();
    for op in diff.ops() {
        let (mut left, mut right) = (Vec::new(), Vec::new());
        for (tag, line) in changes(&diff, op) {
            match tag {
                ChangeTag::Equal => {
                    left.push(line.clone());
                    right.push(line);
                }
                ChangeTag::Delete => left.push(line),
                ChangeTag::Insert => right.push(line),
            }
        }
        for row in 0..left.len().max(right.len()) {
            beside(&mut out, left.get(row), right.get(row), half);
        }
    }
    out
}

/// What became of a piece of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WordChange {
    /// It stands in both.
    Same,
    /// It stands in the old text only.
    Removed,
    /// It stands in the new text only.
    Added,
}

/// The difference of two texts word by word, as pieces in order. They hold the texts as they came: clean them
/// before they are shown.
pub fn word_diff(old: &str, new: &str) -> Vec<(WordChange, String)> {
    let diff = TextDiff::configure().timeout(PATIENCE).diff_words(old, new);
    let mut pieces: Vec<(WordChange, String)> = Vec::new();
    // What goes and what comes between two pieces that stay.
    let (mut removed, mut added) = (String::new(), String::new());
    let mut gap = String::new();
    let flush = |removed: &mut String, added: &mut String, pieces: &mut Vec<(WordChange, String)>| {
        for (kind, text) in [(WordChange::Removed, removed), (WordChange::Added, added)] {
            if !text.is_empty() {
                pieces.push((kind, std::mem::take(text)));
            }
        }
    };
    for change in diff.iter_all_changes() {
        let text = change.value();
        match change.tag() {
            // A lone space between words that all changed is part of the change: whole phrases are told.
            ChangeTag::Equal
                if (!removed.is_empty() || !added.is_empty()) && gap.is_empty() && is_gap(text) =>
            {
                gap.push_str(text);
            }
            ChangeTag::Equal => {
                flush(&mut removed, &mut added, &mut pieces);
                let text = format!("{}{text}", std::mem::take(&mut gap));
                match pieces.last_mut() {
                    Some((WordChange::Same, last)) => last.push_str(&text),
                    _ => pieces.push((WordChange::Same, text)),
                }
            }
            tag => {
                removed.push_str(&gap);
                added.push_str(&std::mem::take(&mut gap));
                if tag == ChangeTag::Delete { removed.push_str(text) } else { added.push_str(text) }
            }
        }
    }
    flush(&mut removed, &mut added, &mut pieces);
    if !gap.is_empty() {
        pieces.push((WordChange::Same, gap));
    }
    pieces
}

/// Space that breaks no line.
fn is_gap(text: &str) -> bool {
    !text.contains('\n') && text.trim().is_empty()
}

/// Adds one line of each side, each wrapped to its half.
fn beside(out: &mut Vec<Line>, left: Option<&Line>, right: Option<&Line>, half: usize) {
    let wrapped = |line: Option<&Line>| line.map_or_else(Vec::new, |line| wrap_line(line, half, &[], &[]));
    let (left, right) = (wrapped(left), wrapped(right));
    for row in 0..left.len().max(right.len()) {
        let mut line = left.get(row).cloned().unwrap_or_default();
        let missing = half.saturating_sub(line.width());
        if missing > 0 {
            line.spans.push(Span::new(" ".repeat(missing), Role::Plain));
        }
        line.spans.push(Span::new(" │ ", Role::Rule));
        line.spans.extend(right.get(row).into_iter().flat_map(|line| line.spans.iter().cloned()));
        out.push(line);
    }
}

fn compared<'a>(old: &'a Clean, new: &'a Clean) -> TextDiff<'a, 'a, str> {
    TextDiff::configure().timeout(PATIENCE).diff_lines(old.as_str(), new.as_str())
}

/// The lines of one step of the difference, the words that changed marked.
fn changes(diff: &TextDiff<'_, '_, str>, op: &DiffOp) -> Vec<(ChangeTag, Line)> {
    diff.iter_inline_changes(op)
        .map(|change| {
            let role = match change.tag() {
                ChangeTag::Equal => Role::Plain,
                ChangeTag::Delete => Role::Removed,
                ChangeTag::Insert => Role::Added,
            };
            let mut line = Line::default();
            for (changed, text) in change.values() {
                let style = Style { bold: *changed, underline: *changed, ..Style::of(role) };
                line.push(Span { text: Clean::trusted(text.trim_end_matches('\n')), style });
            }
            (change.tag(), line)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "Sorry!\nJust transfer your balance to resolve the fee.\nBye";
    const NEW: &str = "Sorry!\nWe can waive it to resolve the fee.\nAnything else?\nBye";

    fn text(lines: &[Line]) -> Vec<String> {
        lines.iter().map(Line::text).collect()
    }

    #[test]
    fn lines_and_words_that_changed_are_marked() {
        let lines = diff(OLD, NEW, 60);
        assert_eq!(
            text(&lines),
            [
                "  Sorry!",
                "- Just transfer your balance to resolve the fee.",
                "+ We can waive it to resolve the fee.",
                "+ Anything else?",
                "  Bye",
            ]
        );
        let same: Vec<&Span> =
            lines[1].spans.iter().filter(|span| span.text.as_str().contains("resolve")).collect();
        assert!(same.iter().all(|span| span.style == Style::of(Role::Removed)), "{same:?}");
        let changed = |line: &Line| -> String {
            line.spans.iter().filter(|span| span.style.bold).map(|span| span.text.as_str()).collect()
        };
        assert!(changed(&lines[1]).contains("transfer"));
        assert!(changed(&lines[2]).contains("waive"));
    }

    #[test]
    fn beside_each_other_the_lines_stand_level() {
        assert_eq!(
            text(&side_by_side(OLD, NEW, 43)),
            [
                "Sorry!               │ Sorry!",
                "Just transfer your   │ We can waive it to",
                "balance to resolve   │ resolve the fee.",
                "the fee.             │ ",
                "                     │ Anything else?",
                "Bye                  │ Bye",
            ]
        );
    }

    #[test]
    fn words_that_changed_are_told_apart() {
        let pieces = word_diff("never move savings\n", "always move the savings\n");
        let of = |kind| -> String {
            pieces.iter().filter(|(k, _)| *k == kind).map(|(_, text)| format!("{text} ")).collect()
        };
        assert_eq!(of(WordChange::Removed).trim(), "never");
        assert_eq!(of(WordChange::Added).split_whitespace().collect::<Vec<_>>(), ["always", "the"]);
        let all = |without| -> String {
            pieces.iter().filter(|(k, _)| *k != without).map(|(_, text)| text.as_str()).collect()
        };
        assert_eq!(all(WordChange::Removed), "always move the savings\n");
        assert_eq!(all(WordChange::Added), "never move savings\n");
    }

    #[test]
    fn equal_and_empty_texts() {
        assert_eq!(text(&diff("a\n", "a\n", 20)), ["  a"]);
        assert!(diff("", "", 20).is_empty());
        assert_eq!(text(&diff("", "a", 20)), ["+ a"]);
    }
}
