//! Judged traces: what is said of a sampled trace, and the one rule by which it counts as good or bad.
//!
//! **A person's label, else the judge's word.** Reviewers who differ are outvoted; where they are as many on
//! both sides they have looked and cannot tell, so there is no verdict at all. Where no reviewer says pass or
//! fail, the judges decide: the newest word of each evaluator of kind `judge` counts, one that fails is enough
//! to fail, and one that could not tell leaves none.

use serde::{Deserialize, Serialize};

use super::query::{NameField, Term};
use super::{Outcome, Query, SampleRule};

/// What judges: an evaluator of kind `judge`, as it was when it spoke.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Judge {
    /// The evaluator's name.
    pub evaluator: String,
    /// Its settings: [`Evaluator::version`](super::Evaluator::version).
    pub version: String,
    /// A hash of what decides besides the settings: the target that is asked, the template.
    pub decider: String,
    /// The model that answered, as its server names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
}

impl Judge {
    /// Its evaluator and model: `quality by gpt-4o-mini`.
    pub fn words(&self) -> String {
        match &self.model {
            Some(model) => format!("{} by {model}", self.evaluator),
            None => self.evaluator.clone(),
        }
    }
}

/// How the judges differ from those before, in words; `None` where they are the same.
pub fn judges_changed(before: &[Judge], now: &[Judge]) -> Option<String> {
    let changed = |one: &Judge| {
        let name = &one.evaluator;
        let Some(old) = before.iter().find(|old| old.evaluator == *name) else {
            return Some(format!("{} judges too", one.words()));
        };
        let model = |of: &Judge| of.model.clone().unwrap_or_else(|| "an unnamed model".to_owned());
        match () {
            () if old == one => None,
            () if old.model != one.model => {
                Some(format!("{name} is judged by {}, before by {}", model(one), model(old)))
            }
            () if old.version != one.version => Some(format!("the settings of {name} are others")),
            () => Some(format!("the template or the target of {name} is another")),
        }
    };
    let all: Vec<String> = now.iter().filter_map(changed).collect();
    (!all.is_empty()).then(|| all.join("; "))
}

/// A judge's word on a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JudgeWord {
    /// Which judge, by its place in a list of [`Judge`]s.
    pub judge: usize,
    /// What it came to.
    pub outcome: Outcome,
    /// When it spoke, in milliseconds since the epoch.
    pub at: i64,
}

/// Whose verdict counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Says {
    /// Reviewers'.
    People,
    /// The judges'.
    Judge,
}

/// All that is said of one trace.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Verdicts {
    /// Reviewers who pass it.
    pub passes: u32,
    /// Reviewers who fail it.
    pub fails: u32,
    /// The newest word of each evaluator in each version.
    pub words: Vec<JudgeWord>,
}

impl Verdicts {
    /// What reviewers say; `None` where none does, or as many pass as fail it.
    pub fn people(&self) -> Option<bool> {
        (self.passes != self.fails).then_some(self.passes > self.fails)
    }

    /// What these judges say together, each by its newest word; `None` where none of them spoke, or one could
    /// not tell and none fails it. Of `judges`, only those that `counts` holds for are heard.
    pub fn judge(&self, judges: &[Judge], counts: impl Fn(usize) -> bool) -> Option<bool> {
        let heard = || self.words.iter().filter(|word| counts(word.judge));
        let name = |word: &JudgeWord| judges.get(word.judge).map(|judge| judge.evaluator.as_str());
        let newest = |word: &&JudgeWord| {
            !heard().any(|other| name(other) == name(word) && (other.at, other.judge) > (word.at, word.judge))
        };
        let mut said = None;
        for word in heard().filter(newest) {
            match word.outcome {
                Outcome::Fail => return Some(false),
                Outcome::Error => said = Some(None),
                Outcome::Pass => said = said.or(Some(Some(true))),
            }
        }
        said.flatten()
    }

    /// Whether the trace is good, and who says so: the rule of this file.
    pub fn settled(&self, judges: &[Judge], counts: impl Fn(usize) -> bool) -> Option<(bool, Says)> {
        if self.passes + self.fails > 0 {
            return self.people().map(|good| (good, Says::People));
        }
        self.judge(judges, counts).map(|good| (good, Says::Judge))
    }
}

/// The judges that speak now: of each evaluator the one that spoke last, by their places, sorted.
pub fn speaking<'w>(judges: &[Judge], words: impl IntoIterator<Item = &'w JudgeWord>) -> Vec<usize> {
    let mut newest: Vec<&JudgeWord> = Vec::new();
    for word in words {
        let Some(judge) = judges.get(word.judge) else { continue };
        let same = |other: &&mut &JudgeWord| judges[other.judge].evaluator == judge.evaluator;
        match newest.iter_mut().find(same) {
            Some(other) if (word.at, word.judge) > (other.at, other.judge) => *other = word,
            Some(_) => {}
            None => newest.push(word),
        }
    }
    let mut places: Vec<usize> = newest.into_iter().map(|word| word.judge).collect();
    places.sort_unstable();
    places
}

impl SampleRule {
    /// Whether the plain share of a draw's judged traces is that of its population: nothing in the draw depends
    /// on how a trace went, and each was drawn with one probability. By feature and time at most.
    pub fn is_even(&self) -> bool {
        let neutral =
            |term: &Term| matches!(term, Term::Time(_) | Term::Name { field: NameField::Feature, .. });
        self.strata.is_empty() && !self.suspicious && self.asks_only(neutral)
    }

    /// Whether a draw, weighted by its probabilities, speaks of all traffic of some kind: its query may name a
    /// feature, a model, a prompt, a language or a time, but nothing of how a request went.
    pub fn speaks_of_all(&self) -> bool {
        let of_kind = |term: &Term| match term {
            Term::Name { field, .. } => !matches!(field, NameField::Tag),
            Term::Prompt(_) | Term::Time(_) => true,
            _ => false,
        };
        !self.suspicious && self.asks_only(of_kind)
    }

    fn asks_only(&self, fits: impl Fn(&Term) -> bool) -> bool {
        let Some(query) = &self.query else { return true };
        Query::parse(query).is_ok_and(|query| query.terms().iter().all(|term| fits(term)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Method;

    fn judge(evaluator: &str, version: &str, model: &str) -> Judge {
        Judge {
            evaluator: evaluator.into(),
            version: version.into(),
            decider: "d".into(),
            model: Some(model.into()),
        }
    }

    fn word(judge: usize, outcome: Outcome, at: i64) -> JudgeWord {
        JudgeWord { judge, outcome, at }
    }

    #[test]
    fn a_persons_label_counts_else_the_judges_word() {
        use Outcome::{Error, Fail, Pass};
        let judges = [judge("quality", "1", "m"), judge("tone", "1", "m"), judge("quality", "2", "m")];
        let says = |passes, fails, words: &[JudgeWord]| {
            Verdicts { passes, fails, words: words.to_vec() }.settled(&judges, |_| true)
        };
        let people = |good| Some((good, Says::People));
        let judged = |good| Some((good, Says::Judge));
        assert_eq!(says(0, 1, &[word(0, Pass, 1)]), people(false));
        assert_eq!(says(2, 1, &[word(0, Fail, 1)]), people(true));
        assert_eq!(says(1, 1, &[word(0, Fail, 1)]), None, "they looked and cannot tell");
        assert_eq!(says(0, 0, &[word(0, Pass, 1)]), judged(true));
        assert_eq!(says(0, 0, &[word(0, Pass, 1), word(1, Fail, 1)]), judged(false), "one is enough");
        assert_eq!(says(0, 0, &[word(0, Pass, 1), word(1, Error, 1)]), None);
        assert_eq!(says(0, 0, &[word(0, Fail, 1), word(2, Pass, 2)]), judged(true), "the newest counts");
        assert_eq!(says(0, 0, &[]), None);
        let both = Verdicts { passes: 0, fails: 0, words: vec![word(0, Fail, 1), word(2, Pass, 2)] };
        assert_eq!(both.settled(&judges, |at| at == 0), judged(false), "of those that are heard");
    }

    #[test]
    fn who_speaks_now_and_what_changed_is_said() {
        let judges =
            [judge("quality", "1", "big"), judge("quality", "1", "small"), judge("tone", "1", "big")];
        let words = [word(0, Outcome::Pass, 1), word(1, Outcome::Pass, 5), word(2, Outcome::Fail, 3)];
        assert_eq!(speaking(&judges, &words), [1, 2]);
        assert_eq!(judges_changed(&judges[..1], &judges[..1]), None);
        assert_eq!(judges_changed(&judges[..2], &judges[..1]), None, "who is silent did not change");
        let told = judges_changed(&judges[..1], &judges[1..]).unwrap();
        assert_eq!(told, "quality is judged by small, before by big; tone by big judges too");
        let settings = judges_changed(&judges[..1], &[judge("quality", "2", "big")]).unwrap();
        assert_eq!(settings, "the settings of quality are others");
        let template = Judge { decider: "e".into(), ..judges[0].clone() };
        let told = judges_changed(&judges[..1], &[template]).unwrap();
        assert_eq!(told, "the template or the target of quality is another");
    }

    #[test]
    fn a_draw_of_what_went_wrong_says_nothing_of_the_rest() {
        let rule = |query: Option<&str>, suspicious| SampleRule {
            method: Method::Size(10),
            query: query.map(str::to_owned),
            since: None,
            strata: Vec::new(),
            suspicious,
            seed: 0,
        };
        assert!(rule(None, false).speaks_of_all() && rule(None, false).is_even());
        let kind = rule(Some("feature:support model:gpt-4o prompt:support@v4 since:7d"), false);
        assert!(kind.speaks_of_all() && !kind.is_even());
        assert!(rule(Some("feature:support since:7d"), false).is_even());
        assert!(!rule(None, true).speaks_of_all() && !rule(None, true).is_even());
        for query in ["status:error", "feature:a or feedback:down", "latency>3s", "fee", "label:fail"] {
            assert!(!rule(Some(query), false).speaks_of_all(), "{query}");
            assert!(!rule(Some(query), false).is_even(), "{query}");
        }
    }
}
