//! The words of a question.

use super::answer::Memory;
use super::book::{About, Book, Voice};
use super::case::Case;
use super::dice::Dice;
use super::phrase::Phrase;
use super::session::{Session, Step, Turn, Way, Wish};
use super::truth::{Cause, Kind};
use super::user::{Channel, Hand};
use super::words::{joined, typed};

/// What a question is made from.
pub struct Asking<'a> {
    pub book: &'a Book,
    pub voice: &'a Voice,
    pub case: &'a Case,
    pub session: &'a Session,
    pub turn: &'a Turn,
}

/// The question's words.
pub fn question(asking: &Asking<'_>, memory: &mut Memory, dice: &mut Dice) -> String {
    let Asking { voice, case, session, turn, .. } = *asking;
    let common = &voice.common;
    let mut say = |from: &[Phrase], dice: &mut Dice| memory.say(from, case, dice);
    let text = match turn.step {
        Step::Open(_, _, Way::First) if session.kind == Kind::Gibberish => return gibberish(asking, dice),
        Step::Open(about, _, Way::Essay) => return essay(asking, about.asked(), dice),
        Step::Open(about, wish, way) => {
            let asked = about.asked().render(case, dice);
            let start = match way {
                Way::Another => say(&common.another, dice),
                Way::Clarified => say(&common.clarified, dice),
                _ if dice.chance(0.3) => say(&common.greet, dice),
                _ => String::new(),
            };
            let wished = match wish {
                Wish::None => String::new(),
                Wish::Short => say(&common.short_please, dice),
                Wish::NoPhone => say(&common.no_phone, dice),
            };
            format!("{}{wished}", joined(&start, &asked))
        }
        Step::Next(further) => further.asked().render(case, dice),
        Step::Protest(About { topic, .. }) => {
            let before = session.turns.iter().rev().find(|t| t.at_ms < turn.at_ms);
            let planted = before.is_some_and(|t| t.truth.cause == Cause::OverdraftAdvice);
            let own = planted && !topic.protest.is_empty() && dice.chance(0.85);
            say(if own { &topic.protest } else { &common.protest }, dice)
        }
        Step::Thanks => say(&common.thanks, dice),
        Step::Human => say(&common.human, dice),
        Step::Summary(..) => String::new(),
    };
    written(asking, &text, dice)
}

/// The text as this user writes it: by hand, by mail, or shouting.
fn written(asking: &Asking<'_>, text: &str, dice: &mut Dice) -> String {
    let user = &asking.session.user;
    if user.channel == Channel::Email && user.voice == 0 {
        let greeting =
            *dice.pick(&["Dear Tidewell team,", "Hello,", "Dear Sir or Madam,", "Good day,", "Hi Robin,"]);
        let regards =
            *dice.pick(&["Kind regards,", "Best regards,", "Thanks in advance,", "Many thanks,", "Regards,"]);
        let text = text.trim_start_matches("Hi, ").trim_start_matches("Hello, ");
        return format!(
            "{greeting}\n\n{}\n\n{regards}\n{} {}",
            super::words::upper_first(text),
            user.first,
            user.last
        );
    }
    if asking.session.kind == Kind::Anger && matches!(asking.turn.step, Step::Open(..)) && dice.chance(0.2) {
        return text.to_uppercase();
    }
    let keeps_capitals =
        matches!(asking.session.kind, Kind::Jailbreak) || !text.is_ascii() && user.voice != 0;
    let hand = match user.hand {
        Hand::Hasty if user.voice != 0 => Hand::Proper,
        Hand::Lower if keeps_capitals => Hand::Proper,
        hand => hand,
    };
    typed(text, hand, dice)
}

/// A long letter around the topic's question.
fn essay(asking: &Asking<'_>, ask: &Phrase, dice: &mut Dice) -> String {
    let (essay, case) = (&asking.book.essay, asking.case);
    let mut parts = vec![dice.pick(&essay.opening).render(case, dice)];
    let some = |from: &[Phrase], n: usize, dice: &mut Dice| -> Vec<String> {
        dice.some_of(from.len(), n).into_iter().map(|at| from[at].render(case, dice)).collect()
    };
    parts.extend(some(&essay.background, 1 + dice.below(2), dice));
    parts.extend(some(&essay.event, 2 + dice.below(3), dice));
    parts.extend(some(&essay.digression, dice.below(3), dice));
    parts.extend(some(&essay.tried, 1 + dice.below(2), dice));
    if dice.chance(0.3) {
        parts.push(dice.pick(&essay.pasted).render(case, dice));
        parts.push(activity(asking, dice));
    }
    let ask = ask.render(case, dice);
    parts.push(format!("{}{}", dice.pick(&essay.turn).render(case, dice), super::words::upper_first(&ask)));
    parts.push(dice.pick(&essay.ending).render(case, dice));
    parts.join("\n\n")
}

/// A pasted list of bookings.
fn activity(asking: &Asking<'_>, dice: &mut Dice) -> String {
    let bank = &asking.book.bank;
    let mut day = asking.case.date;
    (0..dice.between(14, 60))
        .map(|_| {
            if dice.chance(0.5) {
                day = day.yesterday().unwrap_or(day);
            }
            let name =
                if dice.chance(0.8) { dice.pick(&bank.merchants) } else { dice.pick(&bank.subscriptions) };
            format!("{day}  {name}  -{}", asking.voice.format.money(dice.between(190, 11_900)))
        })
        .collect::<Vec<_>>()
        .join("\n")
}

fn gibberish(asking: &Asking<'_>, dice: &mut Dice) -> String {
    let (from, case) = (&asking.book.gibberish, asking.case);
    if dice.chance(0.35) {
        return dice.pick(&from.typed).render(case, dice);
    }
    // A hand, a paw or a pocket runs along a row of keys.
    let words: Vec<String> = (0..dice.between(1, 9))
        .map(|_| {
            let row: Vec<char> = dice.pick(&from.rows).chars().collect();
            let mut at = dice.below(row.len());
            (0..dice.between(2, 14))
                .map(|_| {
                    at = (at + row.len() + dice.below(3) - 1) % row.len();
                    row[at]
                })
                .collect()
        })
        .collect();
    words.join(if dice.chance(0.8) { " " } else { "" })
}
