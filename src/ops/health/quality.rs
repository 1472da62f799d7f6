//! The quality score: the share of good answers, from what people and judges said of sampled traces.
//!
//! Only draws that every trace of their population could get into say something of that population
//! ([`SampleRule::speaks_of_all`](crate::domain::SampleRule::speaks_of_all)). Each trace weighs the inverse of the probability with which it was
//! drawn. Whether it is good is settled by the one rule of [`Verdicts`](crate::domain::Verdicts): a person's
//! label, else the judge's word. Beside it stands what the judge's words come to when they are corrected for the
//! errors that labels show (Rogan and Gladen), as `eval trust` does it for a run.

use serde::Serialize;

use crate::domain::query::{Term, Word, WorkField};
use crate::domain::{Judge, Query, Result, Says, speaking};
use crate::ops::Ctx;
use crate::ops::compare::{CorrectedRate, ENOUGH_LABELS};
use crate::stats::{CONFIDENCE, Count, WeightedRate, corrected_rate, weighted_rate};
use crate::store::{Cut, JudgedRow, JudgedSet, Slice};
use crate::text::clean_line;
use crate::text::figures::{ends, list_of, percent, plural};

/// What is known of some traffic's quality.
#[derive(Debug, Clone, Default)]
pub(super) struct Judged {
    set: JudgedSet,
    /// The samples that they come from.
    samples: Vec<String>,
    /// Judges that speak now, by their places.
    now: Vec<usize>,
}

/// The quality of a part of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Quality {
    /// Traces that were judged.
    pub(super) n: u64,
    /// What they say; `None` of none.
    pub(super) estimate: Option<WeightedRate>,
    /// Traces that reviewers settled.
    people: u64,
    /// The judges that settled others, by their places, sorted.
    judges: Vec<usize>,
}

/// Who judged the traces of the quality figure.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JudgedBy {
    /// Traces that count by a reviewer's label.
    pub people: u64,
    /// Traces that count by a judge's word.
    pub judge: u64,
    /// The judges: evaluator and model.
    pub judges: Vec<String>,
    /// What the judges that speak now say of the window, corrected for their known errors.
    pub corrected: Option<CorrectedRate>,
    /// Labelled passes and failures of which they spoke too: so well their errors are known.
    pub labels: [u64; 2],
    /// All of it in a sentence; `None` where nothing was judged.
    pub words: Option<String>,
}

impl Judged {
    /// What was judged of this traffic since a time, in milliseconds. A sample drawn before holds nothing that
    /// came after, so that no more is read than was drawn since.
    pub(super) fn since(ctx: &Ctx, cut: &Cut, from: i64) -> Result<Self> {
        let all = ctx.store.samples()?;
        let drawn = all.iter().filter(|sample| sample.drawn_at.as_millisecond() >= from);
        let samples: Vec<String> =
            drawn.filter(|one| one.rule.speaks_of_all()).map(|one| one.name.clone()).collect();
        let names: Vec<&str> = samples.iter().map(String::as_str).collect();
        let mut set = ctx.store.judged(&names, (from, i64::MAX))?;
        set.rows.retain(|row| cut.holds_slice(&row.slice));
        let now = speaking(&set.judges, set.rows.iter().flat_map(|row| &row.verdicts.words));
        Ok(Self { set, samples, now })
    }

    fn within(&self, (from, to): (i64, i64)) -> impl Iterator<Item = &JudgedRow> {
        self.set.rows.iter().filter(move |row| (from..to).contains(&row.ts))
    }

    /// The quality of what these slices were, from here to there.
    pub(super) fn rate(&self, window: (i64, i64), holds: impl Fn(&Slice) -> bool) -> Quality {
        let mut of = Quality::default();
        let mut draws = Vec::new();
        for row in self.within(window).filter(|row| holds(&row.slice)) {
            let Some((good, says)) = row.verdicts.settled(&self.set.judges, |_| true) else { continue };
            draws.push((row.probability, good));
            match says {
                Says::People => of.people += 1,
                Says::Judge => of.judges.extend(speaking(&self.set.judges, &row.verdicts.words)),
            }
        }
        of.judges.sort_unstable();
        of.judges.dedup();
        Quality { n: draws.len() as u64, estimate: weighted_rate(draws, CONFIDENCE), ..of }
    }

    /// Who judged the window, and what that is worth.
    pub(super) fn by(&self, window: (i64, i64), of: &Quality) -> JudgedBy {
        let heard = |place: usize| self.now.contains(&place);
        let mut errors = [Count::default(); 2];
        for row in &self.set.rows {
            let said = row.verdicts.people().zip(row.verdicts.judge(&self.set.judges, heard));
            if let Some((good, passes)) = said {
                let of = &mut errors[usize::from(!good)];
                of.n += 1;
                of.k += u64::from(passes == good);
            }
        }
        let labels = errors.map(|of| of.n);
        let told = |row: &JudgedRow| Some((row.probability, row.verdicts.judge(&self.set.judges, heard)?));
        let reported = weighted_rate(self.within(window).filter_map(told), CONFIDENCE);
        let enough = labels.iter().all(|n| *n >= ENOUGH_LABELS);
        // Of traces that were drawn with different probabilities there are in effect fewer.
        let corrected = reported.filter(|_| enough).and_then(|of| {
            let n = of.effective_n.round().max(1.0);
            let reported = Count { k: (of.rate * n).round() as u64, n: n as u64 };
            corrected_rate(reported, errors[0], errors[1], CONFIDENCE)
        });
        let corrected = corrected.map(|of| CorrectedRate { rate: of.rate, interval: of.interval });
        let judges = of.judges.iter().filter_map(|place| self.set.judges.get(*place));
        let mut judges: Vec<String> = judges.map(Judge::words).collect();
        judges.dedup();
        let mut by =
            JudgedBy { people: of.people, judge: of.n - of.people, judges, corrected, labels, words: None };
        by.words = (of.n > 0).then(|| by.sentence(reported.is_some()));
        by
    }

    /// The traces among these that are drawn, and fail.
    pub(super) fn failed(&self, base: Query) -> Query {
        let failed = base.with(Term::Judged(vec![false]));
        // The daily sample has no name.
        if self.samples.is_empty() || self.set.daily {
            return failed;
        }
        let any = self.samples.iter().map(Word::exact).collect();
        failed.with(Term::Work { field: WorkField::Sample, any })
    }
}

impl Quality {
    /// Whether its judges are others than those of another part: the two cannot be compared.
    pub(super) fn is_of_other_judges(&self, other: &Self) -> bool {
        !self.judges.is_empty() && !other.judges.is_empty() && self.judges != other.judges
    }
}

impl JudgedBy {
    /// `by people 37 · by the judge 375 · corrected 88.1 % [84.0, 91.5]`, or what it takes for that.
    pub fn short(&self) -> String {
        let missing = self.labels.map(|n| ENOUGH_LABELS.saturating_sub(n));
        let corrected = match (self.corrected, missing) {
            (Some(of), _) => {
                let within = ends(of.interval.lower, of.interval.upper);
                format!("corrected {} {within}", percent(of.rate))
            }
            (None, [0, 0]) => "the judge only guesses".to_owned(),
            (None, [passes, fails]) => format!("{} more labels to correct it", passes + fails),
        };
        format!("by people {} · by the judge {} · {corrected}", self.people, self.judge)
    }

    /// `412 traces judged: 37 by people, 375 by quality by gpt-4o-mini; corrected …`.
    fn sentence(&self, judge_told: bool) -> String {
        let all = plural(usize::try_from(self.people + self.judge).unwrap_or(usize::MAX), "trace");
        let names: Vec<String> = self.judges.iter().map(|name| clean_line(name).into_string()).collect();
        let mut words = match (self.people, self.judge) {
            (_, 0) => format!("{all} judged by people"),
            (0, _) => format!("{all} judged by {}", list_of(&names, "and")),
            (people, judge) => {
                format!("{all} judged: {people} by people, {judge} by {}", list_of(&names, "and"))
            }
        };
        if let Some(of) = self.corrected {
            let within = ends(of.interval.lower, of.interval.upper);
            words += &format!("; corrected for the judge's errors {} {within}", percent(of.rate));
        } else if judge_told {
            let missing = self.labels.map(|n| ENOUGH_LABELS.saturating_sub(n));
            words += &match missing {
                [0, 0] => "; the judge tells no better than chance".to_owned(),
                [passes, 0] => format!("; {passes} more labelled passes would tell its errors"),
                [0, fails] => format!("; {fails} more labelled failures would tell its errors"),
                [passes, fails] => {
                    format!("; {passes} more labelled passes and {fails} failures would tell its errors")
                }
            };
        }
        words
    }
}
