//! The labels of the rows that are on screen: read for a page at once after a frame, and read again when
//! somebody labels, here or in another program.

use std::collections::{BTreeSet, HashMap};

use crate::domain::{Untrusted, Verdict};
use crate::ops::label::LabelView;
use crate::text::{Line, Role};
use crate::tui::screens::known;
use crate::tui::words::{line, words};

/// Rows whose labels are kept; beyond that only those on screen are.
const KEEP: usize = 4_000;
/// Columns of a label in words: `? unsure`.
const WORDS: usize = 8;
/// From this width on a row has room for them.
const ROOMY: usize = 60;

/// What is known of the rows' labels.
#[derive(Debug, Default)]
pub struct Labels {
    of: HashMap<Untrusted, Shown>,
    asked: bool,
    /// Labels were changed since they were asked for.
    stale: bool,
    /// What was asked for takes the place of all that is known.
    anew: bool,
}

/// The labels of one trace, as far as a row tells them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Shown {
    verdicts: BTreeSet<Verdict>,
    draft: bool,
}

impl Labels {
    /// Somebody labelled: what is known may be wrong.
    pub fn changed(&mut self) {
        self.stale = true;
    }

    /// The rows whose labels are to be read now, of those on screen; none while an answer is awaited.
    pub fn wanted<'a>(&mut self, on_screen: impl Iterator<Item = &'a Untrusted>) -> Vec<Untrusted> {
        if self.asked {
            return Vec::new();
        }
        let anew = self.stale;
        let wanted: Vec<Untrusted> =
            on_screen.filter(|id| anew || !self.of.contains_key(*id)).cloned().collect();
        if !wanted.is_empty() {
            (self.asked, self.stale, self.anew) = (true, false, anew);
        }
        wanted
    }

    /// Takes the labels of these rows; those that could not be read count as none until something changes.
    pub fn take(&mut self, traces: Vec<Untrusted>, labels: Vec<Vec<LabelView>>) {
        // Off screen, what is known is not worth reading again: it is forgotten and asked for when it shows.
        if self.anew || self.of.len() > KEEP {
            self.of.clear();
        }
        self.asked = false;
        let labels =
            labels.iter().map(|labels| Shown::of(labels)).chain(std::iter::repeat_with(Shown::default));
        self.of.extend(traces.into_iter().zip(labels));
    }

    /// What a row says of its trace's labels in a row of so many columns: `✗ fail`, `≠ ✓✗` where reviewers
    /// disagree; where there is little room `✗f`.
    pub fn line(&self, trace: &Untrusted, columns: usize) -> Line {
        self.of.get(trace).map_or_else(Line::default, |shown| shown.line(columns >= ROOMY))
    }
}

impl Shown {
    fn of(labels: &[LabelView]) -> Self {
        Self {
            verdicts: labels.iter().filter_map(|label| label.verdict).collect(),
            draft: !labels.is_empty(),
        }
    }

    fn line(&self, roomy: bool) -> Line {
        let verdicts: Vec<Verdict> = self.verdicts.iter().copied().collect();
        let said = match &verdicts[..] {
            [] if self.draft && roomy => words().muted("· draft"),
            [] => return Line::default(),
            [one] => {
                let ((role, glyph), word) = (known::mark(*one), one.word());
                if roomy {
                    words().put(role, format!("{glyph} {word}"))
                } else {
                    return line(role, format!("{glyph}{}", &word[..1]));
                }
            }
            several => {
                let all = words().put(Role::Alert, if roomy { "≠ " } else { "≠" });
                let glyphs = several.iter().map(|verdict| known::mark(*verdict));
                glyphs.fold(all, |all, (role, glyph)| all.put(role, glyph))
            }
        };
        let fill = if roomy { WORDS.saturating_sub(said.width()) } else { 0 };
        said.plain(" ".repeat(fill)).done()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labelled(verdicts: &[Option<Verdict>]) -> Vec<LabelView> {
        let one = |verdict: &Option<Verdict>| LabelView {
            trace: "t".into(),
            reviewer: "ann".into(),
            verdict: *verdict,
            mode: None,
            severity: None,
            note: None,
            corrected: None,
            at: jiff::Timestamp::UNIX_EPOCH,
        };
        verdicts.iter().map(one).collect()
    }

    #[test]
    fn a_row_says_its_verdicts_in_the_room_there_is() {
        let said = |verdicts: &[Option<Verdict>], roomy| Shown::of(&labelled(verdicts)).line(roomy).text();
        assert_eq!(said(&[], true), "");
        assert_eq!(said(&[Some(Verdict::Pass); 2], true), "✓ pass  ");
        assert_eq!(said(&[Some(Verdict::Fail), None], false), "✗f");
        assert_eq!(said(&[Some(Verdict::Unsure)], true), "? unsure");
        assert_eq!(said(&[Some(Verdict::Fail), Some(Verdict::Pass)], true), "≠ ✓✗    ");
        assert_eq!(said(&[None], true), "· draft ");
    }

    #[test]
    fn a_page_is_asked_for_once_and_again_after_a_change() {
        let rows: Vec<Untrusted> = ["a", "b", "c"].map(Untrusted::from).to_vec();
        let mut labels = Labels::default();
        assert_eq!(labels.wanted(rows.iter().take(2)), rows[..2]);
        assert!(labels.wanted(rows.iter()).is_empty(), "one question at a time");
        labels.take(rows[..2].to_vec(), vec![labelled(&[Some(Verdict::Pass)]), Vec::new()]);
        assert_eq!(labels.wanted(rows.iter()), rows[2..], "only what is not known, unlabelled rows included");
        labels.take(rows[2..].to_vec(), Vec::new());
        assert!(labels.wanted(rows.iter()).is_empty(), "what could not be read is not asked for in a circle");
        labels.changed();
        assert_eq!(labels.line(&rows[0], 80).text(), "✓ pass  ", "what was known stands until the answer");
        assert_eq!(labels.wanted(rows.iter().take(1)), rows[..1]);
        labels.changed();
        labels.take(rows[..1].to_vec(), vec![labelled(&[Some(Verdict::Fail)])]);
        assert_eq!(labels.wanted(rows.iter().take(1)), rows[..1], "it changed once more meanwhile");
        labels.take(rows[..1].to_vec(), vec![Vec::new()]);
        assert_eq!(labels.line(&rows[0], 80).text(), "");
        assert_eq!(labels.wanted(rows.iter()), rows[1..]);
    }
}
