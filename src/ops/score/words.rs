//! `contains` and `forbidden`: texts that an answer must, or must not, hold.

use std::ops::{ControlFlow, Range};

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::fold::{between_characters, between_words, fold, locate};
use super::look::{Finding, Look, Rule, Settings, quoted};
use crate::domain::{Error, Result};

/// From so many texts on the automaton is left to the crate: a full table would be large.
const FEW: usize = 100;

/// Looks for texts, all in one pass.
pub(super) struct Words {
    /// The texts, in quotation marks.
    quoted: Vec<String>,
    /// Whether any stands there at all: of its kind the crate looks at many bytes at a time.
    quick: AhoCorasick,
    /// Which, and where.
    automaton: AhoCorasick,
    want: Want,
    case_sensitive: bool,
    whole_word: bool,
    fine: String,
}

#[derive(Clone, Copy, PartialEq)]
enum Want {
    All,
    Any,
    None,
}

impl Words {
    /// All, or any, of the texts must be there. Case is ignored and parts of words count, unless it is said
    /// otherwise.
    pub fn contains(settings: Settings<'_>) -> Result<Self> {
        let want = if settings.text("mode") == Some("any") { Want::Any } else { Want::All };
        Self::new(settings, want, settings.yes("whole_word").unwrap_or(false))
    }

    /// None may be there as a whole word, whatever its case, unless it is said otherwise.
    pub fn forbidden(settings: Settings<'_>) -> Result<Self> {
        Self::new(settings, Want::None, settings.yes("whole_word").unwrap_or(true))
    }

    fn new(settings: Settings<'_>, want: Want, whole_word: bool) -> Result<Self> {
        let case_sensitive = settings.yes("case_sensitive").unwrap_or(false);
        let values: Vec<String> = settings.texts("values").into_iter().map(str::to_owned).collect();
        let folded: Vec<String> = values.iter().map(|value| fold(value, case_sensitive)).collect();
        if let Some(at) = folded.iter().position(|value| value.trim().is_empty()) {
            return Err(Error::usage(format!(
                "{} of `values` holds nothing to look for.",
                quoted(&values[at])
            )));
        }
        let kind = (values.len() <= FEW).then_some(AhoCorasickKind::DFA);
        let built = |matches: MatchKind| {
            AhoCorasick::builder()
                .match_kind(matches)
                .kind(kind)
                .build(&folded)
                .map_err(|e| Error::usage("`values` are too many or too long to look for.").because(e))
        };
        let (quick, automaton) = (built(MatchKind::LeftmostFirst)?, built(MatchKind::Standard)?);
        let case = if case_sensitive { "case counts" } else { "case ignored" };
        let whole = if whole_word { ", whole words" } else { "" };
        let fine = match (want, values.as_slice()) {
            (Want::None, [one]) => format!("Does not say {} ({case}{whole}).", quoted(one)),
            (Want::None, all) => format!("Says none of the {} forbidden texts ({case}{whole}).", all.len()),
            (_, [one]) => format!("Says {} ({case}{whole}).", quoted(one)),
            (_, all) => format!("Says all of the {} texts ({case}{whole}).", all.len()),
        };
        let quoted = values.iter().map(|value| quoted(value)).collect();
        Ok(Self { quoted, quick, automaton, want, case_sensitive, whole_word, fine })
    }

    /// Visits the places where a text stands, in the order of their ends.
    fn each(&self, folded: &str, mut visit: impl FnMut(usize, Range<usize>) -> ControlFlow<()>) {
        // A quick look first: most answers hold nothing of what is looked for.
        if !self.quick.is_match(folded) {
            return;
        }
        for hit in self.automaton.find_overlapping_iter(folded) {
            let whole =
                !self.whole_word || between_words(folded, hit.start()) && between_words(folded, hit.end());
            let found =
                whole && between_characters(folded, hit.start()) && between_characters(folded, hit.end());
            if found && visit(hit.pattern().as_usize(), hit.range()).is_break() {
                break;
            }
        }
    }
}

impl Rule for Words {
    fn decide(&self, look: &Look<'_>) -> Finding {
        let own;
        let folded = if self.case_sensitive {
            own = fold(look.text, true);
            &own
        } else {
            look.folded()
        };
        let place = |range: Range<usize>| Some(locate(look.text, self.case_sensitive, range));
        if self.want == Want::All {
            let mut found = vec![false; self.quoted.len()];
            let (mut left, mut first) = (self.quoted.len(), None);
            self.each(folded, |which, range| {
                first.get_or_insert(range);
                left -= usize::from(!std::mem::replace(&mut found[which], true));
                if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            let span = first.and_then(place);
            if left == 0 {
                return Finding::of(true, self.fine.clone()).at(span);
            }
            let lacking = self.quoted.iter().zip(&found).filter(|(_, found)| !**found);
            let lacking: Vec<&str> = lacking.map(|(quoted, _)| quoted.as_str()).collect();
            let share = (self.quoted.len() - left) as f64 / self.quoted.len() as f64;
            return Finding::of(false, format!("Lacks {}.", lacking.join(", "))).share(share).at(span);
        }
        let mut hit = None;
        self.each(folded, |which, range| {
            hit = Some((which, range));
            ControlFlow::Break(())
        });
        match (hit, self.want) {
            (Some((which, range)), Want::None) => {
                let why = format!("Says {}, which is forbidden.", self.quoted[which]);
                Finding::of(false, why).at(place(range))
            }
            (None, Want::None) => Finding::of(true, self.fine.clone()),
            (Some((which, range)), _) => {
                Finding::of(true, format!("Says {}.", self.quoted[which])).at(place(range))
            }
            (None, _) => Finding::of(false, format!("Says none of the {} texts.", self.quoted.len())),
        }
    }
}
