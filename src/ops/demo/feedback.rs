//! What users say about an answer, and what the judge thinks of it: both depend on the truth, and both
//! are often silent or wrong.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::book::{Topic, Voice};
use super::case::Case;
use super::dice::Dice;
use super::phrase::Phrase;
use super::session::{Step, Turn};
use super::truth::{Cause, Kind, Mode, Truth, Verdict};
use crate::domain::{Feedback, FeedbackKind, Thumbs, Untrusted};

/// How likely users react, by what is true of the answer.
pub struct Reaction {
    pub up: f64,
    pub down: f64,
    pub report: f64,
}

/// The planted reactions.
pub fn reaction(truth: Truth) -> Reaction {
    if truth.kind == Kind::Summary {
        return match truth.verdict {
            Verdict::Good => Reaction { up: 0.05, down: 0.002, report: 0.0 },
            Verdict::Fails(_) => Reaction { up: 0.005, down: 0.07, report: 0.0 },
            Verdict::NoAnswer(_) => Reaction { up: 0.0, down: 0.0, report: 0.0 },
        };
    }
    match (truth.verdict, truth.cause) {
        (Verdict::Good, _) => Reaction { up: 0.125, down: 0.0035, report: 0.0003 },
        (Verdict::Fails(_), Cause::OverdraftAdvice) => Reaction { up: 0.006, down: 0.135, report: 0.022 },
        (Verdict::Fails(Mode::WrongTone), _) => Reaction { up: 0.010, down: 0.110, report: 0.020 },
        (Verdict::Fails(_), _) => Reaction { up: 0.014, down: 0.075, report: 0.008 },
        (Verdict::NoAnswer(_), _) => Reaction { up: 0.0, down: 0.060, report: 0.0 },
    }
}

/// Thumbs, reports and follow-ups to the turn, none of them later than now.
pub fn feedback(
    turn: &Turn,
    next: Option<&Turn>,
    voice: &Voice,
    case: &Case,
    now_ms: i64,
    dice: &mut Dice,
) -> Vec<Feedback> {
    let truth = turn.truth;
    let how = reaction(truth);
    let mut said = Vec::new();
    let mut say = |kind, comment: Option<String>, after_ms: i64| {
        if turn.at_ms + after_ms <= now_ms {
            said.push(Feedback {
                kind,
                comment: comment.map(Untrusted::new),
                time: Timestamp::from_millisecond(turn.at_ms + after_ms).ok(),
            });
        }
    };
    let common = &voice.common;
    let after = |dice: &mut Dice| 3_000 + dice.log_normal(14_000.0, 0.7) as i64;
    let draw = dice.unit();
    if draw < how.up {
        let comment = dice.chance(0.12).then(|| dice.pick(&common.comment_up).render(case, dice));
        say(FeedbackKind::Thumbs(Thumbs::Up), comment, after(dice));
    } else if draw < how.up + how.down {
        let comment = match truth.verdict {
            Verdict::Fails(_) if !dice.chance(0.42) => None,
            Verdict::Fails(_) if truth.cause == Cause::OverdraftAdvice => {
                let mark = turn.step.topic().map_or("savings", Topic::advice_mark);
                let about = |p: &&Phrase| p.is_general() || p.has_mark(mark);
                let fitting: Vec<&Phrase> = common.comment_planted.iter().filter(about).collect();
                Some(dice.pick(&fitting).render(case, dice))
            }
            Verdict::Fails(mode) => {
                let about = |p: &&Phrase| p.is_general() || p.has_mark(mode.id());
                let fitting: Vec<&Phrase> = common.comment_down.iter().filter(about).collect();
                Some(dice.pick(&fitting).render(case, dice))
            }
            _ => None,
        };
        say(FeedbackKind::Thumbs(Thumbs::Down), comment, after(dice));
    }
    if dice.chance(how.report) {
        let comment = dice.chance(0.7).then(|| dice.pick(&common.report).render(case, dice));
        say(FeedbackKind::Report, comment, after(dice));
    }
    if let Some(next) = next
        && (matches!(next.step, Step::Protest(_)) || next.retry)
    {
        say(FeedbackKind::FollowUp, None, next.at_ms - turn.at_ms);
    }
    said
}

/// The share of answered traces that the judge looks at.
pub const JUDGED: f64 = 0.01;
/// How often the judge passes a failing answer.
pub const JUDGE_MISSES: f64 = 0.15;
/// How often it fails a good one.
pub const JUDGE_ALARMS: f64 = 0.05;

/// What the judge says: figures from 1 to 10 by name, and why.
pub struct Judgement {
    pub score: BTreeMap<String, f64>,
    pub explanation: &'static str,
}

/// The judge's opinion of an answer, for the few that it looks at.
pub fn judge(turn: &Turn, dice: &mut Dice) -> Option<Judgement> {
    let looks = dice.chance(JUDGED) && !matches!(turn.truth.verdict, Verdict::NoAnswer(_));
    looks.then(|| opinion(turn, dice))
}

/// The judge's opinion of an answer.
pub fn opinion(turn: &Turn, dice: &mut Dice) -> Judgement {
    let truth = turn.truth;
    let seen = match truth.verdict {
        Verdict::Fails(mode) if !dice.chance(JUDGE_MISSES) => Some(mode),
        Verdict::Good if dice.chance(JUDGE_ALARMS) => Some(*dice.pick(&Mode::ALL)),
        _ => None,
    };
    // Around these, accuracy, tone and helpfulness scatter by one.
    let (means, explanation) = match seen {
        None => (
            [9, 9, 9],
            *dice.pick(&[
                "Answers the question from the account and the policy.",
                "Correct and complete, in the bank's voice.",
                "Right, with the next step named.",
                "Short, correct, polite.",
            ]),
        ),
        Some(Mode::IgnoredInstructions) if truth.cause == Cause::OverdraftAdvice => {
            let waiver = turn.step.topic().is_some_and(|t| t.advice_mark() == "waiver");
            let explanation = if waiver {
                *dice.pick(&[
                    "Ignores the same-day waiver rule and sends the customer to the savings account.",
                    "Advice to move savings is forbidden by POL-114; the waiver is not mentioned.",
                    "Settles the fee at the customer's cost although it would have been waived.",
                ])
            } else {
                *dice.pick(&[
                    "Sends the customer to the savings account and names none of the other ways.",
                    "Does not answer what was asked; moving savings is the only idea.",
                ])
            };
            ([4, 8, 3], explanation)
        }
        Some(Mode::HallucinatedFacts) => (
            [2, 8, 3],
            *dice.pick(&[
                "States a rule that is in none of the retrieved passages.",
                "The amount and the term are made up.",
                "Claims to have done something for which no tool was called.",
            ]),
        ),
        Some(Mode::WrongTone) => (
            [8, 2, 5],
            *dice.pick(&[
                "Blames the customer.",
                "Flippant about a matter that worries the customer.",
                "Correct content, dismissive wording.",
            ]),
        ),
        Some(Mode::IgnoredInstructions) => (
            [6, 7, 4],
            *dice.pick(&[
                "Does not keep to what the user asked of the form.",
                "Answers in another language than the user's.",
                "Skips a step that the prompt demands.",
            ]),
        ),
        Some(Mode::OffTopic) => (
            [4, 8, 2],
            *dice.pick(&[
                "Answers a question that was not asked.",
                "Drifts to a product that has nothing to do with it.",
            ]),
        ),
        Some(Mode::TooVerbose) => (
            [8, 6, 4],
            *dice.pick(&[
                "The answer is in the fourth paragraph.",
                "Pages of general remarks around one sentence.",
            ]),
        ),
    };
    let names = ["accuracy", "tone", "helpfulness"];
    let score = names
        .iter()
        .zip(means)
        .map(|(name, mean)| ((*name).to_owned(), (mean + dice.between(-1, 1)).clamp(1, 10) as f64))
        .collect();
    Judgement { score, explanation }
}
