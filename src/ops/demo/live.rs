//! Traffic as it happens, for a drill: the same conversations as in the demo, answered by whatever answers at that
//! moment, with a fault planted in it or not.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::calendar::{Calendar, HOURS};
use super::dialog;
use super::dice::Dice;
use super::session::{Session, Step, sessions_of};
use super::truth::{Cause, Mode, PLANTED_RATE, Truth, Verdict, Version};
use crate::domain::{Content, FailureKind, Feedback, FeedbackKind, Status, Thumbs, Trace};

/// Hours of traffic before the beginning of a drill.
pub const HISTORY_HOURS: u64 = 14 * 24;
/// Hours for which there is traffic after it.
const LIVE_HOURS: u64 = 240;
/// The last hours of the history are as busy as what comes.
const BUSY_HOURS: u64 = 30;
/// How much less busy the hours before those are.
const QUIETER: u64 = 8;
const PURPOSE: u64 = 0xd11;
const HOUR_MS: i64 = 3_600_000;

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fault<'a> {
    /// This model's provider does not answer this share of the requests.
    Outage {
        /// The model.
        model: &'a str,
        /// The share, 0 to 1.
        share: f64,
    },
    /// A model writes so many times as much as it should.
    Dear {
        /// The model.
        model: &'a str,
        /// How many times.
        times: f64,
    },
    /// This share of the answers that would be good is not.
    Drift {
        /// The share, 0 to 1.
        share: f64,
    },
}

/// What answers at a moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Served<'a> {
    /// The feature is switched off: rules and humans answer.
    pub off: bool,
    /// The version of the support prompt.
    pub version: Version,
    /// What is wrong.
    pub fault: Option<Fault<'a>>,
}

/// The traces before a drill that begins at this time, oldest first, with so many an hour in the end.
pub fn history(seed: u64, begin: Timestamp, an_hour: u64) -> impl Iterator<Item = (Trace, Truth)> {
    let calendar = Calendar::quiet(begin, |hour| match HOURS - hour {
        before if before <= BUSY_HOURS => an_hour,
        before if before <= HISTORY_HOURS => an_hour.div_ceil(QUIETER),
        _ => 0,
    });
    (0..HOURS).flat_map(move |hour| {
        let mut made: Vec<(i64, (Trace, Truth))> = Vec::new();
        for session in sessions_of(&calendar, seed, hour) {
            let traces = dialog::traces(&session, seed, &calendar);
            made.extend(session.turns.iter().map(|turn| turn.at_ms).zip(traces));
        }
        made.sort_by_key(|(at, _)| *at);
        made.into_iter().map(|(_, of)| of)
    })
}

/// The traffic after that.
pub struct Live {
    seed: u64,
    calendar: Calendar,
    begin_ms: i64,
    next_hour: u64,
    /// Planned and not yet due: by time, a conversation and its turn.
    planned: BTreeMap<(i64, u64, usize), Session>,
}

impl Live {
    /// Traffic from this time on, so much an hour.
    pub fn new(seed: u64, begin: Timestamp, an_hour: u64) -> Self {
        // Another seed than the history's: the same hour is another one here.
        let seed = seed ^ PURPOSE;
        let end = begin.as_millisecond() + LIVE_HOURS as i64 * HOUR_MS;
        let end = Timestamp::from_millisecond(end).unwrap_or(begin);
        let calendar = Calendar::quiet(end, |hour| if HOURS - hour <= LIVE_HOURS { an_hour } else { 0 });
        let next_hour = HOURS - LIVE_HOURS;
        Self { seed, calendar, begin_ms: begin.as_millisecond(), next_hour, planned: BTreeMap::new() }
    }

    /// The traces of the requests that were made before this time and not given yet, oldest first.
    pub fn due(&mut self, until: Timestamp, served: &Served<'_>) -> Vec<(Trace, Truth)> {
        let until = until.as_millisecond();
        while self.next_hour < HOURS && self.calendar.hour_start_ms(self.next_hour) <= until {
            for session in sessions_of(&self.calendar, self.seed, self.next_hour) {
                for (turn, of) in session.turns.iter().enumerate() {
                    self.planned.insert((of.at_ms, session.place, turn), session.clone());
                }
            }
            self.next_hour += 1;
        }
        let mut out = Vec::new();
        while let Some(first) = self.planned.first_entry() {
            let (at, _, turn) = *first.key();
            if at >= until {
                break;
            }
            let session = first.remove();
            if at >= self.begin_ms {
                out.push(self.answered(session, turn, served));
            }
        }
        out
    }

    /// One request as it is answered now.
    fn answered(&self, mut session: Session, at: usize, served: &Served<'_>) -> (Trace, Truth) {
        let mut dice = Dice::new(self.seed, PURPOSE, session.place << 4 | at as u64);
        let support = session.version != Version::Summary2;
        if !support {
            return dialog::traces(&session, self.seed, &self.calendar).swap_remove(at);
        }
        session.version = served.version;
        let model = model_name(&session);
        let mut drifts = false;
        let turn = &mut session.turns[at];
        let topic = |step: Step| match step {
            Step::Open(about, ..) => !about.near(&about.topic.planted).is_empty(),
            _ => false,
        };
        if served.version == Version::V4 && topic(turn.step) && dice.chance(PLANTED_RATE) {
            turn.truth.verdict = Verdict::Fails(Mode::IgnoredInstructions);
            turn.truth.cause = Cause::OverdraftAdvice;
        }
        match served.fault {
            Some(Fault::Outage { model: of, share }) if of == model && dice.chance(share) => {
                let kind = if dice.chance(0.7) { FailureKind::Timeout } else { FailureKind::Other };
                turn.truth.verdict = Verdict::NoAnswer(kind);
            }
            Some(Fault::Drift { share }) if turn.truth.verdict == Verdict::Good && dice.chance(share) => {
                drifts = true;
            }
            _ => {}
        }
        if drifts {
            let step = session.turns[at].step;
            let can = |mode: &Mode| session.can_fail(step, *mode, super::book::book());
            if let Some(mode) = [Mode::OffTopic, Mode::TooVerbose, Mode::WrongTone].into_iter().find(can) {
                session.turns[at].truth.verdict = Verdict::Fails(mode);
            }
        }
        let truth = session.turns[at].truth;
        let (mut trace, _) = dialog::traces(&session, self.seed, &self.calendar).swap_remove(at);
        if let Some(Fault::Dear { model: of, times }) = served.fault
            && of == model
        {
            trace.cost_usd = trace.cost_usd.map(|usd| usd * times);
            trace.tokens_out = trace.tokens_out.map(|n| (n as f64 * times) as u64);
            trace.latency_ms = trace.latency_ms.map(|ms| (ms * times.sqrt()).round());
        }
        if served.off {
            by_rules(&mut trace);
            return (trace, Truth { verdict: Verdict::Good, cause: Cause::Usual, ..truth });
        }
        // In the demo few complain; in a drill nobody has a week.
        if matches!(truth.verdict, Verdict::Fails(_)) && planted(truth, served) && dice.chance(0.55) {
            let time = trace.time;
            let down = FeedbackKind::Thumbs(Thumbs::Down);
            trace.feedback.retain(|said| !matches!(said.kind, FeedbackKind::Thumbs(_)));
            trace.feedback.push(Feedback { kind: down, comment: None, time });
        }
        (trace, truth)
    }
}

fn planted(truth: Truth, served: &Served<'_>) -> bool {
    truth.cause == Cause::OverdraftAdvice || matches!(served.fault, Some(Fault::Drift { .. }))
}

fn model_name(session: &Session) -> &'static str {
    super::book::book().bank.model[session.model].name.as_str()
}

/// Turns a trace into one that the rules have answered.
pub fn by_rules(trace: &mut Trace) {
    trace.output =
        Content::Text("Please see our help pages, or call us: a colleague will answer you.".into());
    trace.fallback = true;
    (trace.model, trace.prompt, trace.prompt_version) = (None, None, None);
    (trace.status, trace.error_kind) = (Status::Ok, None);
    (trace.latency_ms, trace.ttft_ms) = (Some(40.0), None);
    (trace.tokens_in, trace.tokens_out, trace.cost_usd) = (Some(0), Some(0), Some(0.0));
    trace.feedback.clear();
    trace.score.clear();
    trace.spans.clear();
    trace.metadata.remove("error");
    trace.metadata.remove("judge");
}
