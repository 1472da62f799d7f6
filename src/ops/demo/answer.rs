//! The words of an answer, good or failing in the way that was planted. What the answer is, is decided
//! in `session`; nothing here changes the truth.

use super::book::{Book, Next, Topic, Voice};
use super::case::Case;
use super::dice::Dice;
use super::phrase::Phrase;
use super::session::{Step, Way, Wish};
use super::truth::{Cause, Mode, Truth, Verdict, Version};
use super::words::{joined, upper_first};

/// What an answer is made from.
pub struct Asked<'a> {
    pub book: &'a Book,
    pub voice: &'a Voice,
    /// The facts, in the voice's language.
    pub case: &'a Case,
    /// The same facts as English writes them.
    pub english: &'a Case,
    pub step: Step,
    pub truth: Truth,
    pub version: Version,
}

/// Picks phrases and remembers what a conversation has used up, so that nothing is said twice.
#[derive(Default)]
pub struct Memory(Vec<*const Phrase>);

impl Memory {
    /// One of these that has not been used in this conversation, while there is one.
    pub fn pick<'a>(&mut self, from: &[&'a Phrase], dice: &mut Dice) -> Option<&'a Phrase> {
        let fresh: Vec<&Phrase> =
            from.iter().copied().filter(|p| !self.0.contains(&std::ptr::from_ref(*p))).collect();
        let from = if fresh.is_empty() { from } else { &fresh };
        let phrase = from.get(dice.below(from.len()))?;
        self.0.push(std::ptr::from_ref(*phrase));
        Some(phrase)
    }

    /// One of these, filled in; nothing when there is none.
    pub fn say(&mut self, from: &[Phrase], case: &Case, dice: &mut Dice) -> String {
        self.say_of(&from.iter().collect::<Vec<_>>(), case, dice)
    }

    /// The same, of those chosen before.
    pub fn say_of(&mut self, from: &[&Phrase], case: &Case, dice: &mut Dice) -> String {
        self.pick(from, dice).map(|p| p.render(case, dice)).unwrap_or_default()
    }
}

/// The answer's words.
pub fn answer(asked: &Asked<'_>, memory: &mut Memory, dice: &mut Dice) -> String {
    let common = &asked.voice.common;
    let text = match (asked.step, asked.truth.verdict) {
        (_, Verdict::NoAnswer(_)) | (Step::Summary(..), _) => String::new(),
        (Step::Thanks, _) => memory.say(&common.thanks_reply, asked.case, dice),
        (Step::Human, _) => memory.say(&common.handover, asked.case, dice),
        (_, Verdict::Good) => good(asked, memory, dice),
        (_, Verdict::Fails(mode)) => upper_first(&failing(asked, mode, memory, dice)),
    };
    text.trim_end().to_owned()
}

fn good(asked: &Asked<'_>, memory: &mut Memory, dice: &mut Dice) -> String {
    let common = &asked.voice.common;
    if let Step::Open(about, Wish::Short, _) = asked.step {
        return memory.say_of(&about.exact(&about.topic.short), asked.case, dice);
    }
    let body = body(asked, memory, dice);
    if let Step::Protest(_) = asked.step {
        return joined(&memory.say(&common.recover, asked.case, dice), &body);
    }
    if !asked.step.topic().is_some_and(Topic::answers_freely) {
        return body;
    }
    if let Step::Open(_, _, Way::Essay) = asked.step {
        return joined(&memory.say(&asked.book.essay.reply_open, asked.case, dice), &body);
    }
    let first = matches!(asked.step, Step::Open(_, _, Way::First | Way::Another));
    let (open, close) = match asked.version {
        Version::V4 => ((&common.v4_open, 0.55), (&common.v4_close, 0.42)),
        _ => ((&common.opener, 0.16), (&common.closer, 0.22)),
    };
    let mut text = body;
    if first && !open.0.is_empty() && dice.chance(open.1) {
        text = joined(&memory.say(open.0, asked.case, dice), &text);
    }
    if !close.0.is_empty() && dice.chance(close.1) {
        text.push_str(&memory.say(close.0, asked.case, dice));
    }
    text
}

/// The right answer to the step, bare.
fn body(asked: &Asked<'_>, memory: &mut Memory, dice: &mut Dice) -> String {
    match asked.step {
        Step::Next(further) => memory.say_of(&further.answers(), asked.case, dice),
        Step::Open(about, ..) | Step::Protest(about) => {
            memory.say_of(&about.exact(&about.topic.answer), asked.case, dice)
        }
        Step::Thanks | Step::Human | Step::Summary(..) => String::new(),
    }
}

fn failing(asked: &Asked<'_>, mode: Mode, memory: &mut Memory, dice: &mut Dice) -> String {
    let Some(topic) = asked.step.topic() else { return String::new() };
    if asked.truth.cause == Cause::OverdraftAdvice {
        let planted = phrases(asked.step, &topic.planted, |next| &next.planted);
        return memory.say_of(&planted, asked.case, dice);
    }
    match mode {
        Mode::HallucinatedFacts => made_up(asked, topic, memory, dice),
        Mode::WrongTone => wrong_tone(asked, topic, memory, dice),
        Mode::IgnoredInstructions => ignored(asked, topic, memory, dice),
        Mode::OffTopic => off_topic(asked, topic, memory, dice),
        Mode::TooVerbose => {
            let middle = body(asked, memory, dice);
            padded(asked, &middle, 3 + dice.below(3), memory, dice)
        }
    }
}

fn made_up(asked: &Asked<'_>, topic: &Topic, memory: &mut Memory, dice: &mut Dice) -> String {
    let from = phrases(asked.step, &topic.made_up, |next| &next.made_up);
    let text = memory.say_of(&from, asked.case, dice);
    let open = &asked.voice.common.v4_open;
    let opens = matches!(asked.step, Step::Open(..)) && topic.answers_freely() && !open.is_empty();
    if asked.version == Version::V4 && opens && dice.chance(0.4) {
        return joined(&memory.say(open, asked.case, dice), &text);
    }
    text
}

fn wrong_tone(asked: &Asked<'_>, topic: &Topic, memory: &mut Memory, dice: &mut Dice) -> String {
    let common = &asked.voice.common;
    let own = phrases(asked.step, &topic.tone, |_| &[]);
    if !own.is_empty() {
        return memory.say_of(&own, asked.case, dice);
    }
    let content = match asked.step {
        Step::Open(about, ..) | Step::Protest(about) => {
            memory.say_of(&about.exact(&topic.short), asked.case, dice)
        }
        _ => body(asked, memory, dice),
    };
    let mut text = joined(&memory.say(&common.tone_open, asked.case, dice), &content);
    if !common.tone_close.is_empty() && dice.chance(0.6) {
        text.push_str(&memory.say(&common.tone_close, asked.case, dice));
    }
    text
}

fn ignored(asked: &Asked<'_>, topic: &Topic, memory: &mut Memory, dice: &mut Dice) -> String {
    let common = &asked.voice.common;
    match asked.step {
        Step::Open(_, Wish::Short, _) => {
            let long = body(asked, memory, dice);
            padded(asked, &long, 1 + dice.below(2), memory, dice)
        }
        Step::Open(about, Wish::NoPhone, _) => {
            let start = memory.say_of(&about.exact(&topic.short), asked.case, dice);
            format!("{start}{}", memory.say(&common.ignored_phone, asked.case, dice))
        }
        _ if asked.voice.code != "en" => {
            // The user's language is to be used; here it is not.
            let same = asked.book.voices[0].topic.iter().find(|t| t.id == topic.id);
            same.map(|t| memory.say_of(&general(&t.answer), asked.english, dice)).unwrap_or_default()
        }
        _ => memory.say_of(&phrases(asked.step, &topic.ignored, |_| &[]), asked.case, dice),
    }
}

/// The topic's phrases that are near the question, or those of the further question.
fn phrases(step: Step, of_topic: &[Phrase], of_next: fn(&'static Next) -> &'static [Phrase]) -> Vec<&Phrase> {
    match step {
        Step::Next(further) => of_next(further.next()).iter().collect(),
        Step::Open(about, ..) | Step::Protest(about) => about.near(of_topic),
        Step::Thanks | Step::Human | Step::Summary(..) => Vec::new(),
    }
}

fn off_topic(asked: &Asked<'_>, topic: &Topic, memory: &mut Memory, dice: &mut Dice) -> String {
    let own = phrases(asked.step, &topic.off_topic, |_| &[]);
    if !own.is_empty() {
        return memory.say_of(&own, asked.case, dice);
    }
    let promo = &asked.voice.common.promo;
    if !promo.is_empty() && dice.chance(0.5) {
        return memory.say(promo, asked.case, dice);
    }
    // The answer to another question.
    let others: Vec<&Topic> = asked
        .voice
        .topic
        .iter()
        .filter(|t| t.id != topic.id && t.answers_freely() && (t.kind.is_empty() || t.kind != topic.kind))
        .filter(|t| t.kind != "anger" && t.answer.iter().any(Phrase::is_general))
        .collect();
    let other = others[dice.below(others.len())];
    memory.say_of(&general(&other.answer), asked.case, dice)
}

/// Those that fit a topic's questions in general; all of them when each has its own question.
fn general(from: &[Phrase]) -> Vec<&Phrase> {
    let general: Vec<&Phrase> = from.iter().filter(|p| p.is_general()).collect();
    if general.is_empty() { from.iter().collect() } else { general }
}

/// The text buried between paragraphs that say nothing.
fn padded(asked: &Asked<'_>, text: &str, paragraphs: usize, memory: &mut Memory, dice: &mut Dice) -> String {
    let padding = &asked.voice.common.padding;
    let paragraphs = paragraphs.min(padding.len());
    let mut parts: Vec<String> =
        (0..paragraphs).map(|_| memory.say(padding, asked.case, dice)).filter(|p| !p.is_empty()).collect();
    let at = (parts.len() / 2 + dice.below(2)).min(parts.len());
    parts.insert(at, text.to_owned());
    parts.join("\n\n")
}
