//! Conversations before any word is written: who asks what, which prompt and model answer, how many
//! turns it takes, and what is true of each answer. The words are put to it in `dialog`.

use super::book::{About, Book, Further, Scenario, Topic, book};
use super::calendar::{BURST_MODEL, Calendar};
use super::dice::{Dice, scramble, unscramble};
use super::truth::{
    Cause, Kind, Mode, PLANTED_AGAIN_RATE, PLANTED_RATE, Truth, Verdict, Version, failure_rate, mode_weights,
};
use super::user::{User, number_of};
use crate::domain::FailureKind;

const PURPOSE: u64 = 0x5e55;
/// Bits of a trace's place in the demo: hour, session in the hour, turn in the session.
const TURN_BITS: u64 = 4;
const SESSION_BITS: u64 = 22;
/// A conversation ends by then, whatever is left to say.
const LONGEST_MS: i64 = 25 * 60_000;
const MOST_TURNS: usize = 6;

/// A conversation.
#[derive(Clone)]
pub struct Session {
    /// Which one it is: hour and number in the hour.
    pub place: u64,
    pub user: User,
    pub kind: Kind,
    pub version: Version,
    /// Place of the model in the book.
    pub model: usize,
    /// Experiment and arm.
    pub arm: Option<(&'static str, &'static str)>,
    pub turns: Vec<Turn>,
}

/// One question and its answer.
#[derive(Clone)]
pub struct Turn {
    pub at_ms: i64,
    pub step: Step,
    /// Whether it asks again what got no answer.
    pub retry: bool,
    pub truth: Truth,
}

/// What a turn is.
#[derive(Clone, Copy)]
pub enum Step {
    /// The first question about a topic.
    Open(About, Wish, Way),
    /// A further question about it, the one at this place.
    Next(Further),
    /// "That is not what I asked."
    Protest(About),
    /// "Thanks."
    Thanks,
    /// "Let me talk to a person."
    Human,
    /// A text to sum up, in this form.
    Summary(&'static Scenario, Form),
}

/// How the first question about a topic comes up.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Opens the conversation.
    First,
    /// Opens it, at length.
    Essay,
    /// After another topic.
    Another,
    /// After the bot asked what was meant.
    Clarified,
}

/// What the user asks of the form of an answer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    None,
    /// One sentence.
    Short,
    /// No telephone.
    NoPhone,
}

/// What a summary shall look like.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Bullets,
    Sentence,
    Json,
}

impl Step {
    /// The topic, where there is one.
    pub fn topic(&self) -> Option<&'static Topic> {
        match self {
            Self::Open(about, ..) | Self::Protest(about) => Some(about.topic),
            Self::Next(further) => Some(further.topic),
            Self::Thanks | Self::Human | Self::Summary(..) => None,
        }
    }
}

/// The id of a trace.
pub fn trace_id(seed: u64, session: u64, turn: usize) -> String {
    format!("tr_{:010x}", scramble(session << TURN_BITS | turn as u64, seed))
}

/// The id of a session.
pub fn session_id(seed: u64, session: u64) -> String {
    format!("se_{:010x}", scramble(session, seed ^ PURPOSE))
}

/// Where a trace id stands: hour, session and turn. `None` for an id that the demo did not make.
pub fn place_of(seed: u64, id: &str) -> Option<(u64, u64, usize)> {
    let hex = id.strip_prefix("tr_").filter(|hex| hex.len() == 10)?;
    let place = unscramble(u64::from_str_radix(hex, 16).ok()?, seed);
    let session = place >> TURN_BITS;
    Some((session >> SESSION_BITS, session, (place & ((1 << TURN_BITS) - 1)) as usize))
}

/// All conversations that begin in this hour, in the order in which they begin.
pub fn sessions_of(calendar: &Calendar, seed: u64, hour: u64) -> Vec<Session> {
    let quota = calendar.quota(hour) as usize;
    let mut sessions = Vec::new();
    let mut traces = 0;
    while traces < quota {
        let place = hour << SESSION_BITS | sessions.len() as u64;
        let mut session = Session::draw(calendar, seed, place, calendar.hour_start_ms(hour));
        session.turns.truncate(quota - traces);
        traces += session.turns.len();
        sessions.push(session);
    }
    // Nobody writes after now, and somebody has just written.
    let last_moment = calendar.now_ms() - 6_000;
    for session in &mut sessions {
        let end = session.end_ms();
        if end > last_moment {
            session.shift(last_moment - end - (session.place % 50) as i64 * 1_000);
        }
    }
    if hour + 1 == super::calendar::HOURS
        && let Some(latest) = sessions.iter_mut().max_by_key(|s| s.end_ms())
    {
        latest.shift(last_moment - latest.end_ms());
    }
    sessions.sort_by_key(|s| (s.turns[0].at_ms, s.place));
    sessions
}

impl Session {
    fn draw(calendar: &Calendar, seed: u64, place: u64, hour_start_ms: i64) -> Self {
        let book = book();
        let mut dice = Dice::new(seed, PURPOSE, place);
        let start = hour_start_ms + dice.between(0, 3_599_999);
        if dice.chance(calendar.summary_share(start)) {
            return Self::summary(seed, place, start, book, &mut dice);
        }
        let kind = Kind::SUPPORT[dice.weighted(Kind::SUPPORT.iter().map(|k| k.share()))];
        // About six traces a user in the 28 days.
        let population = (calendar.traces() / 6).max(40);
        let user = User::at(seed, number_of(seed, population, kind != Kind::Language, book, &mut dice), book);
        let version = calendar.version(start, dice.unit());
        let model = dice.weighted(book.bank.model.iter().map(|m| m.share));
        let arm = if calendar.rolling_out(start) {
            Some(("support-v4-roll-out", if version == Version::V4 { "v4" } else { "v3" }))
        } else if calendar.greeting_experiment(start) {
            Some(("greeting-by-name", if dice.chance(0.2) { "by-name" } else { "plain" }))
        } else {
            None
        };
        let mut session = Self { place, user, kind, version, model, arm, turns: Vec::new() };
        session.converse(calendar, start, book, &mut dice);
        session
    }

    fn summary(seed: u64, place: u64, start: i64, book: &'static Book, dice: &mut Dice) -> Self {
        // Colleagues who sum up calls are few; what they sum up is about customers, in English.
        let colleague = dice.below(120);
        let customer = dice.below(50_000) as u64;
        let id = format!("staff-{colleague:03}");
        let user = User { id, voice: 0, ..User::at(seed ^ PURPOSE, customer, book) };
        let scenario = &book.summaries[dice.weighted(book.summaries.iter().map(|s| s.weight))];
        let form = [Form::Bullets, Form::Sentence, Form::Json][dice.weighted([5.0, 3.0, 2.0].into_iter())];
        let model = ["gpt-4o-mini", "claude-3-5-sonnet"][dice.weighted([6.0, 4.0].into_iter())];
        let model = book.bank.model.iter().position(|m| m.name == model).unwrap_or(0);
        let version = Version::Summary2;
        let verdict = if dice.chance(0.003) {
            Verdict::NoAnswer(FailureKind::Timeout)
        } else if dice.chance(failure_rate(Kind::Summary, version)) {
            Verdict::Fails(Mode::ALL[dice.weighted(mode_weights(Kind::Summary, version).into_iter())])
        } else {
            Verdict::Good
        };
        let truth = Truth { verdict, kind: Kind::Summary, cause: Cause::Usual };
        let turn = Turn { at_ms: start, step: Step::Summary(scenario, form), retry: false, truth };
        Self { place, user, kind: Kind::Summary, version, model, arm: None, turns: vec![turn] }
    }

    /// When the last question was asked.
    pub fn end_ms(&self) -> i64 {
        self.turns.last().map_or(0, |turn| turn.at_ms)
    }

    fn shift(&mut self, by_ms: i64) {
        for turn in &mut self.turns {
            turn.at_ms += by_ms;
        }
    }

    fn converse(&mut self, calendar: &Calendar, start: i64, book: &'static Book, dice: &mut Dice) {
        let mut at_ms = start;
        let mut about = self.about(self.kind, book, dice);
        let mut step = Step::Open(about, self.wish(about, dice), self.way());
        let mut retry = false;
        let mut asked: Vec<usize> = Vec::new();
        loop {
            let truth = self.truth(calendar, at_ms, step, book, dice);
            self.turns.push(Turn { at_ms, step, retry, truth });
            at_ms += 35_000 + dice.log_normal(40_000.0, 0.8).min(420_000.0) as i64;
            if self.turns.len() == MOST_TURNS || at_ms - start > LONGEST_MS {
                return;
            }
            retry = matches!(truth.verdict, Verdict::NoAnswer(kind) if kind != FailureKind::ContentPolicy);
            if retry {
                if dice.chance(0.35) {
                    return;
                }
                continue;
            }
            match self.next_step(step, truth, &mut about, &mut asked, book, dice) {
                Some(next) => step = next,
                None => return,
            }
        }
    }

    fn next_step(
        &self,
        step: Step,
        truth: Truth,
        about: &mut About,
        asked: &mut Vec<usize>,
        book: &'static Book,
        dice: &mut Dice,
    ) -> Option<Step> {
        let topic = step.topic()?;
        let failed = truth.verdict != Verdict::Good;
        let go_on = if failed { 0.74 } else { 0.56 };
        if truth.verdict == Verdict::NoAnswer(FailureKind::ContentPolicy) || !dice.chance(go_on) {
            return None;
        }
        let special = !topic.answers_freely();
        if self.kind == Kind::Ambiguity && matches!(step, Step::Open(_, _, Way::First)) {
            let kind = *dice.pick(&[Kind::Card, Kind::Transfer, Kind::Fees, Kind::Balance, Kind::Login]);
            *about = self.about(kind, book, dice);
            return Some(Step::Open(*about, Wish::None, Way::Clarified));
        }
        let left: Vec<usize> = (0..topic.next.len()).filter(|at| !asked.contains(at)).collect();
        if failed && !special && dice.chance(0.80) {
            return Some(if dice.chance(0.88) { Step::Protest(*about) } else { Step::Human });
        }
        if !left.is_empty() && dice.chance(0.62) {
            let at = *dice.pick(&left);
            asked.push(at);
            let ask = dice.below(topic.next[at].ask.len());
            return Some(Step::Next(Further { topic, at, ask }));
        }
        match dice.weighted([50.0, 22.0, 5.0].into_iter()) {
            0 => Some(Step::Thanks),
            1 if self.user.voice == 0 && !special => {
                asked.clear();
                let kind = *dice.pick(&[Kind::Card, Kind::Transfer, Kind::Fees, Kind::Balance, Kind::Login]);
                *about = self.about(kind, book, dice);
                (about.topic.id != topic.id)
                    .then(|| Step::Open(*about, self.wish(*about, dice), Way::Another))
            }
            _ if special => None,
            _ => Some(Step::Human),
        }
    }

    fn about(&self, kind: Kind, book: &'static Book, dice: &mut Dice) -> About {
        let topic = self.topic(kind, book, dice);
        About { topic, ask: dice.below(topic.ask.len()) }
    }

    fn topic(&self, kind: Kind, book: &'static Book, dice: &mut Dice) -> &'static Topic {
        let kind = match kind {
            Kind::Gibberish => return &book.gibberish.topic,
            Kind::Essay => {
                let kinds =
                    [Kind::Fees, Kind::Fees, Kind::Card, Kind::Transfer, Kind::Cancellation, Kind::Loans];
                *dice.pick(&kinds)
            }
            other => other,
        };
        let topics = &book.voices[self.user.voice].topic;
        let weight = |t: &Topic| if kind == Kind::Language || t.kind == kind.name() { t.weight } else { 0.0 };
        &topics[dice.weighted(topics.iter().map(weight))]
    }

    fn way(&self) -> Way {
        if self.kind == Kind::Essay { Way::Essay } else { Way::First }
    }

    fn wish(&self, about: About, dice: &mut Dice) -> Wish {
        if self.user.voice != 0 || about.exact(&about.topic.short).is_empty() || self.kind == Kind::Essay {
            return Wish::None;
        }
        [Wish::None, Wish::Short, Wish::NoPhone][dice.weighted([90.0, 6.0, 4.0].into_iter())]
    }

    /// Decides what becomes of a turn.
    fn truth(
        &self,
        calendar: &Calendar,
        at_ms: i64,
        step: Step,
        book: &'static Book,
        dice: &mut Dice,
    ) -> Truth {
        let usual = |verdict| Truth { verdict, kind: self.kind, cause: Cause::Usual };
        if let Some(error) = self.error(calendar, at_ms, book, dice) {
            let burst = error == FailureKind::RateLimit && calendar.in_burst(at_ms);
            let cause = if burst { Cause::RateLimitBurst } else { Cause::Usual };
            return Truth { cause, ..usual(Verdict::NoAnswer(error)) };
        }
        let planted = self.version == Version::V4 && self.is_planted(step, dice);
        if planted {
            let verdict = Verdict::Fails(Mode::IgnoredInstructions);
            return Truth { cause: Cause::OverdraftAdvice, ..usual(verdict) };
        }
        let rate = failure_rate(self.kind, self.version);
        let rate = match step {
            Step::Open(..) => rate,
            Step::Next(..) => rate * 0.8,
            Step::Protest(_) => 0.14,
            Step::Thanks | Step::Human | Step::Summary(..) => 0.0,
        };
        if !dice.chance(rate) {
            return usual(Verdict::Good);
        }
        let weights = mode_weights(self.kind, self.version);
        let weights =
            Mode::ALL.map(|mode| if self.can_fail(step, mode, book) { weights[mode as usize] } else { 0.0 });
        if weights.iter().sum::<f64>() == 0.0 {
            return usual(Verdict::Good);
        }
        usual(Verdict::Fails(Mode::ALL[dice.weighted(weights.into_iter())]))
    }

    fn is_planted(&self, step: Step, dice: &mut Dice) -> bool {
        match step {
            Step::Open(about, Wish::None, _) if !about.near(&about.topic.planted).is_empty() => {
                dice.chance(PLANTED_RATE)
            }
            Step::Next(further) if !further.next().planted.is_empty() => dice.chance(PLANTED_RATE),
            Step::Protest(about) if !about.topic.planted.is_empty() => {
                let before = self.turns.last().map(|turn| turn.truth.cause);
                before == Some(Cause::OverdraftAdvice) && dice.chance(PLANTED_AGAIN_RATE)
            }
            _ => false,
        }
    }

    /// Whether the templates have a way to fail like this here.
    pub fn can_fail(&self, step: Step, mode: Mode, book: &Book) -> bool {
        let common = &book.voices[self.user.voice].common;
        let english = self.user.voice == 0;
        let free = step.topic().is_some_and(Topic::answers_freely);
        match (mode, step) {
            (_, Step::Thanks | Step::Human | Step::Summary(..)) => false,
            (Mode::HallucinatedFacts, Step::Next(further)) => !further.next().made_up.is_empty(),
            (Mode::HallucinatedFacts, Step::Open(about, ..) | Step::Protest(about)) => {
                !about.near(&about.topic.made_up).is_empty()
            }
            (Mode::WrongTone, Step::Next(..)) => free && !common.tone_open.is_empty(),
            (Mode::WrongTone, Step::Open(about, ..) | Step::Protest(about)) => {
                let short = !about.exact(&about.topic.short).is_empty();
                !about.near(&about.topic.tone).is_empty() || free && !common.tone_open.is_empty() && short
            }
            (Mode::IgnoredInstructions, Step::Open(about, wish, _)) => {
                !about.near(&about.topic.ignored).is_empty() || wish != Wish::None || !english
            }
            (Mode::IgnoredInstructions, Step::Next(..)) => false,
            (Mode::IgnoredInstructions, Step::Protest(about)) => !about.near(&about.topic.ignored).is_empty(),
            (Mode::OffTopic, Step::Open(about, ..) | Step::Protest(about)) => {
                !about.near(&about.topic.off_topic).is_empty() || free
            }
            (Mode::OffTopic, Step::Next(..)) => free,
            (Mode::TooVerbose, _) => free && !common.padding.is_empty(),
        }
    }

    fn error(&self, calendar: &Calendar, at_ms: i64, book: &Book, dice: &mut Dice) -> Option<FailureKind> {
        let burst = calendar.in_burst(at_ms);
        let refused = match (burst, book.bank.model[self.model].name == BURST_MODEL) {
            (true, true) => 0.42,
            (true, false) => 0.04,
            (false, _) => 0.0008,
        };
        let policy = match self.kind {
            Kind::Harmful => 0.40,
            Kind::Jailbreak => 0.12,
            _ => 0.0002,
        };
        let draws = [
            (0.003, FailureKind::Timeout),
            (refused, FailureKind::RateLimit),
            (policy, FailureKind::ContentPolicy),
            (0.0005, FailureKind::Other),
        ];
        draws.into_iter().find(|(rate, _)| dice.chance(*rate)).map(|(_, kind)| kind)
    }
}
