//! `judge`: a second model rates the answer from 1 to 10 on named criteria and explains itself.
//!
//! What is judged is fenced with a hash of itself: a text would have to hold its own hash to close the
//! fence. A reply that stays unreadable is an error, never a guess.

mod question;
mod reply;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::future::join_all;
use minijinja::{Environment, Value as Given};

use self::question::{Question, TEMPLATE, template};
use self::reply::{Vote, read};
use super::look::{Finding, Look, Settings, quoted};
use super::purse::Purse;
use super::services::{AskModel, Services};
use super::{team_file, unknown};
use crate::domain::{Ask, AskErrorKind, Check, Content, Error, EvalConfig, Outcome, Result};

/// What is rated where nothing is said.
const CRITERIA: &[(&str, &str)] = &[
    ("accuracy", "what it says is true and answers the request"),
    ("tone", "polite, clear and fit for the person who asks"),
    ("helpfulness", "the person can go on with it"),
];
/// The criterion of the expected behaviour.
const BEHAVIOUR: (&str, &str) = ("behaviour", "it does what the answer should do");
/// The mean rating from which an answer passes, where none is said.
const THRESHOLD: f64 = 7.0;
/// Times that an unreadable reply is asked again.
const ATTEMPTS: u32 = 3;
/// Votes at most.
const MOST_VOTES: f64 = 15.0;
/// Tokens of a reply: the explanation, of three sentences at most, and each rating with its name.
const USUAL_EXPLANATION: u64 = 60;
const LONGEST_EXPLANATION: u64 = 512;
const PER_RATING: u64 = 12;
const LONGEST_RATING: u64 = 32;
/// Why a question was not asked.
const NO_ROOM: &str = "the spending limit of the run left no room to ask it; --retry-errors does";

/// How much a judge reads and writes for one answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JudgeSize {
    /// Bytes of what it is asked, without the texts of the case.
    pub template: u64,
    /// Times that it is asked.
    pub votes: u32,
    /// Tokens of a reply, usually.
    pub usual_reply: u64,
    /// Tokens that a reply may have.
    pub longest_reply: u64,
}

/// The size of a check of kind `judge`. What is wrong with it is not said here: [`Judge::new`] does.
pub fn judge_size(check: &Check, config: &EvalConfig) -> JudgeSize {
    let settings = Settings(check.settings());
    let file = settings.text("template").map(|file| config.home.join(file));
    let template = match file {
        Some(path) => std::fs::metadata(path).map_or(0, |file| file.len()),
        None => TEMPLATE.len() as u64,
    };
    let behaviour = settings.text("behaviour");
    let rated = criteria(&settings.texts("criteria"), behaviour.is_some()).unwrap_or_default();
    let described: usize = rated.iter().map(|one| 2 * one.name.len() + one.description.len()).sum();
    let count = rated.len() as u64;
    JudgeSize {
        template: template + described as u64 + behaviour.map_or(0, str::len) as u64,
        votes: settings.number("votes").unwrap_or(1.0).clamp(1.0, MOST_VOTES) as u32,
        usual_reply: USUAL_EXPLANATION + PER_RATING * count,
        longest_reply: longest_reply(rated.len()),
    }
}

/// The tokens that a reply on so many criteria may have, unless its target says otherwise.
fn longest_reply(criteria: usize) -> u64 {
    LONGEST_EXPLANATION + LONGEST_RATING * criteria as u64
}

#[derive(Debug, Clone, PartialEq)]
struct Criterion {
    name: String,
    description: String,
}

impl Criterion {
    fn known((name, description): (&str, &str)) -> Self {
        Self { name: name.to_owned(), description: description.to_owned() }
    }

    fn given(&self) -> Given {
        Given::from_pairs([("name", self.name.as_str()), ("description", self.description.as_str())])
    }
}

/// Asks a model to rate.
pub(super) struct Judge {
    model: Arc<dyn AskModel>,
    template: Environment<'static>,
    /// Its text.
    source: String,
    criteria: Vec<Criterion>,
    behaviour: Option<String>,
    threshold: f64,
    votes: u32,
}

/// A vote or why there is none, with what asking cost and who answered.
struct Asked {
    vote: std::result::Result<Vote, String>,
    cost_usd: Option<f64>,
    model: Option<String>,
}

impl Judge {
    pub fn new(settings: Settings<'_>, config: &EvalConfig, services: &Services) -> Result<Self> {
        let target = settings.text("target").or(config.judge.as_deref()).ok_or_else(|| {
            Error::usage("No target is named that judges.")
                .hint("Give the evaluator a `target`, or say `judge = \"NAME\"` in tuesday.toml.")
        })?;
        let model = services.judges.get(target).ok_or_else(|| {
            let known = services.judges.keys().map(String::as_str);
            unknown("target that can judge", target, known, "Describe one as [targets.NAME] in tuesday.toml.")
        })?;
        let votes = settings.number("votes").unwrap_or(1.0);
        if votes.fract() != 0.0 || !(1.0..=MOST_VOTES).contains(&votes) {
            return Err(Error::usage(format!("`votes` must be a whole number from 1 to {MOST_VOTES}.")));
        }
        let threshold = settings.number("threshold").unwrap_or(THRESHOLD);
        if !(1.0..=10.0).contains(&threshold) {
            return Err(Error::usage("`threshold` of a judge is a rating: a number from 1 to 10."));
        }
        let behaviour = settings.text("behaviour").map(str::to_owned);
        let (name, source) = match settings.text("template") {
            Some(file) => {
                let (path, text) = team_file(&config.home, file, "template")?;
                (path.display().to_string(), text)
            }
            None => ("the default template".to_owned(), TEMPLATE.to_owned()),
        };
        Ok(Self {
            model: Arc::clone(model),
            template: template(&name, source.clone())?,
            source,
            criteria: criteria(&settings.texts("criteria"), behaviour.is_some())?,
            behaviour,
            threshold,
            votes: votes as u32,
        })
    }

    /// What decides besides the settings: who is asked, and in which words.
    pub fn decider(&self) -> String {
        let criteria: Vec<&str> = self.criteria.iter().map(|one| one.description.as_str()).collect();
        format!("{} {criteria:?} {}", self.model.by(), self.source)
    }

    pub async fn decide(&self, look: &Look<'_>, purse: &dyn Purse) -> Finding {
        let question = Question::new(self, look);
        let prompt = match question.prompt(&self.template) {
            Ok(prompt) => prompt,
            Err(e) => return Finding::error(format!("The judge's template cannot be filled: {e:#}.")),
        };
        let asked = join_all((1..=self.votes).map(|vote| self.vote(&question, &prompt, vote, purse))).await;
        let mut finding = self.word(&question, &asked);
        finding.by = asked.iter().find_map(|one| one.model.clone()).or_else(|| Some(self.model.by()));
        let costs: Vec<f64> = asked.iter().filter_map(|one| one.cost_usd).collect();
        finding.cost_usd = (!costs.is_empty()).then(|| costs.iter().sum());
        finding
    }

    /// One vote: asked again while the reply cannot be read.
    async fn vote(&self, question: &Question, prompt: &str, vote: u32, purse: &dyn Purse) -> Asked {
        let (mut cost_usd, mut model, mut why) = (None, None, String::new());
        for attempt in 1..=ATTEMPTS {
            let mut input = prompt.to_owned();
            if attempt > 1 {
                input += "\nYour last reply could not be read. Reply with the JSON object alone.\n";
            }
            let ask = Ask {
                // By vote and attempt, so that no cache takes one for another.
                id: format!("judge-{vote}-{attempt}"),
                key: None,
                input: Content::Text(input.into()),
                prompt: None,
                json: Some(question.schema()),
                max_tokens: Some(longest_reply(question.criteria.len())),
            };
            let most = self.model.most_usd(&ask);
            if !purse.reserve(most) {
                why = NO_ROOM.to_owned();
                break;
            }
            let replied = self.model.ask(&ask, &|| purse.reserve(most)).await;
            purse.settle(
                most,
                match &replied {
                    Ok(answer) => answer.cost_usd.unwrap_or(most),
                    Err(e) if e.kind.may_be_paid() => most,
                    Err(_) => 0.0,
                },
            );
            match replied {
                Ok(answer) => {
                    if let Some(cost) = answer.cost_usd {
                        *cost_usd.get_or_insert(0.0) += cost;
                    }
                    model = answer.model.clone().or(model);
                    match read(&answer.output.answer_text(), &question.criteria) {
                        Ok(vote) => return Asked { vote: Ok(vote), cost_usd, model },
                        Err(wrong) => why = format!("its reply could not be read ({wrong})"),
                    }
                }
                Err(e) if e.kind == AskErrorKind::Unreadable => {
                    why = format!("{}: {}", e.kind.words(), e.what.raw())
                }
                Err(e) => {
                    why = format!("{}: {}", e.kind.words(), e.what.raw());
                    break;
                }
            }
        }
        Asked { vote: Err(why), cost_usd, model }
    }

    fn word(&self, question: &Question, asked: &[Asked]) -> Finding {
        let votes: Vec<&Vote> = asked.iter().filter_map(|one| one.vote.as_ref().ok()).collect();
        let lost = asked.len() - votes.len();
        if votes.len() * 2 <= asked.len() {
            let why = asked.iter().find_map(|one| one.vote.as_ref().err()).cloned().unwrap_or_default();
            return Finding::error(format!("The judge gave no word: {why}."));
        }
        let count = votes.len() as f64;
        let mean = |name: &str| votes.iter().filter_map(|vote| vote.ratings.get(name)).sum::<f64>() / count;
        let ratings: BTreeMap<String, f64> =
            question.criteria.iter().map(|one| (one.name.clone(), mean(&one.name))).collect();
        let overall = |ratings: &BTreeMap<String, f64>| ratings.values().sum::<f64>() / ratings.len() as f64;
        let score = overall(&ratings);
        let behaves = ratings.get(BEHAVIOUR.0).is_none_or(|rating| *rating >= self.threshold);
        let pass = score >= self.threshold && behaves;
        let mut why = format!("Rated {score:.1} of 10, ");
        why += &match (pass, score >= self.threshold) {
            (true, _) => format!("at least {}", self.threshold),
            (false, true) => format!("but below {} for its behaviour", self.threshold),
            (false, false) => format!("below {}", self.threshold),
        };
        if asked.len() > 1 {
            let all: Vec<f64> = votes.iter().map(|vote| overall(&vote.ratings)).collect();
            let (low, high) = all.iter().fold((f64::MAX, f64::MIN), |(l, h), x| (l.min(*x), h.max(*x)));
            why += &format!(" (mean of {} votes from {low:.1} to {high:.1}", votes.len());
            why += &if lost > 0 { format!("; {lost} could not be read)") } else { ")".to_owned() };
        }
        why += &votes.first().map_or_else(String::new, |vote| format!(": {}", vote.explanation));
        let outcome = if pass { Outcome::Pass } else { Outcome::Fail };
        let mut finding = Finding::new(outcome, why).scored(score, 1.0, 10.0);
        finding.criteria = ratings;
        finding
    }
}

/// What is rated: names, each with what it means behind a colon.
fn criteria(given: &[&str], behaviour: bool) -> Result<Vec<Criterion>> {
    let mut all: Vec<Criterion> = given
        .iter()
        .map(|text| {
            let (name, description) = text.split_once(':').unwrap_or((text, ""));
            let name = name.trim();
            let known = CRITERIA.iter().find(|(known, _)| *known == name).map_or("", |(_, meaning)| meaning);
            let description = if description.trim().is_empty() { known } else { description.trim() };
            Criterion::known((name, description))
        })
        .collect();
    let mut seen = BTreeSet::from(["explanation".to_owned()]);
    for one in &all {
        let fine = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | ' ');
        if one.name.is_empty() || one.name.chars().count() > 40 || !one.name.chars().all(fine) {
            return Err(Error::usage(format!("{} is not the name of a criterion.", quoted(&one.name)))
                .hint("Write the name, and behind a colon what it means: \"brevity: no word too many\"."));
        }
        if !seen.insert(one.name.to_lowercase()) {
            return Err(Error::usage(format!("`criteria` may not have `{}` here, or twice.", one.name)));
        }
    }
    // A behaviour that is all one asks for should not drown in three other ratings.
    if all.is_empty() && !behaviour {
        all = CRITERIA.iter().copied().map(Criterion::known).collect();
    }
    if behaviour && !seen.contains(BEHAVIOUR.0) {
        all.push(Criterion::known(BEHAVIOUR));
    }
    Ok(all)
}
