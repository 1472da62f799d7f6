//! Requests as they arrive in a drill: the demo's, or like the team's own, which come again with new names and times
//! and are answered by whatever answers now.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use crate::domain::drill::Stage;
use crate::domain::{Content, FailureKind, Feedback, FeedbackKind, Status, Thumbs, Trace, Untrusted};
use crate::ops::demo::{Dice, Fault, Live, Served, Verdict, Version, by_rules};

/// What stream of chance the replay draws from.
const PURPOSE: u64 = 0x0e7;
/// How much of the answers bad advice spoils.
const SPOILED: f64 = 0.35;
/// How many who got a bad answer say so. In a drill nobody has a week.
const COMPLAINS: f64 = 0.55;
/// Milliseconds after which a request that is not answered is given up.
const TIMEOUT_MS: f64 = 30_000.0;
/// Turns of a conversation come at most so far apart.
const LONGEST_PAUSE_MS: i64 = 5 * 60_000;
const HOUR_MS: i64 = 3_600_000;

/// Where requests come from.
pub enum Traffic {
    /// The demo's conversations.
    Made(Live),
    /// The team's own again.
    Own(Replay),
}

impl Traffic {
    /// The requests made before this time and not given yet, oldest first; whether each has a good answer. `current`:
    /// the version of the prompt that is in force.
    pub fn due(
        &mut self,
        until: Timestamp,
        served: &Served<'_>,
        stage: &Stage,
        current: Option<&str>,
    ) -> Vec<(Trace, bool)> {
        match self {
            Self::Made(live) => {
                let made = live.due(until, served).into_iter();
                made.map(|(trace, truth)| (trace, truth.verdict == Verdict::Good)).collect()
            }
            Self::Own(replay) => replay.due(until, served, stage, current),
        }
    }
}

/// Conversations of a history, drawn again and again.
pub struct Replay {
    sessions: Vec<Vec<(Trace, bool)>>,
    seed: u64,
    begin_ms: i64,
    /// Milliseconds between the beginnings of two conversations.
    apart_ms: f64,
    begun: u64,
    /// Planned and not yet due: by time and the number of the conversation and turn.
    planned: BTreeMap<(i64, u64, usize), (Trace, bool)>,
}

impl Replay {
    /// Of this history from this time on, so many requests an hour. Answers of a fallback do not come again: what
    /// answers in a drill is what is switched on in it.
    pub fn new(history: &[(Trace, bool)], seed: u64, begin: Timestamp, an_hour: u64) -> Self {
        let mut sessions: Vec<Vec<(Trace, bool)>> = Vec::new();
        let mut at = HashMap::<&Untrusted, usize>::new();
        for of in history.iter().filter(|(trace, _)| !trace.fallback && trace.status == Status::Ok) {
            match of.0.session.as_ref() {
                Some(session) => {
                    let place = *at.entry(session).or_insert_with(|| {
                        sessions.push(Vec::new());
                        sessions.len() - 1
                    });
                    sessions[place].push(of.clone());
                }
                None => sessions.push(vec![of.clone()]),
            }
        }
        let requests: usize = sessions.iter().map(Vec::len).sum();
        let turns = requests as f64 / sessions.len().max(1) as f64;
        Self {
            sessions,
            seed,
            begin_ms: begin.as_millisecond(),
            apart_ms: HOUR_MS as f64 * turns.max(1.0) / an_hour.max(1) as f64,
            begun: 0,
            planned: BTreeMap::new(),
        }
    }

    fn due(
        &mut self,
        until: Timestamp,
        served: &Served<'_>,
        stage: &Stage,
        current: Option<&str>,
    ) -> Vec<(Trace, bool)> {
        let until = until.as_millisecond();
        while !self.sessions.is_empty() && self.begin_ms + (self.begun as f64 * self.apart_ms) as i64 <= until
        {
            self.plan();
        }
        let mut out = Vec::new();
        while let Some(first) = self.planned.first_entry() {
            let (at, number, turn) = *first.key();
            if at >= until {
                break;
            }
            let asked = first.remove();
            let (mut trace, good) = self.answered(asked, (at, number, turn), served);
            if let Some(prompt) = stage.prompt.as_ref().filter(|_| !trace.fallback) {
                trace.prompt = Some(prompt.as_str().into());
                trace.prompt_version = Some(current.unwrap_or(&stage.good).into());
            }
            out.push((trace, good));
        }
        out
    }

    /// The next conversation, somewhere in its stretch of time.
    fn plan(&mut self) {
        let number = self.begun;
        self.begun += 1;
        let mut dice = Dice::new(self.seed, PURPOSE, number);
        let session = dice.pick(&self.sessions);
        let mut at = self.begin_ms + ((number as f64 + dice.unit()) * self.apart_ms) as i64;
        let mut before: Option<i64> = None;
        for (turn, (trace, good)) in session.iter().enumerate() {
            let asked = trace.time.map(|time| time.as_millisecond());
            if let Some((asked, before)) = asked.zip(before) {
                at += (asked - before).clamp(1, LONGEST_PAUSE_MS);
            }
            before = asked;
            self.planned.insert((at, number, turn), (trace.clone(), *good));
        }
    }

    fn answered(
        &self,
        (mut trace, mut good): (Trace, bool),
        (at, number, turn): (i64, u64, usize),
        served: &Served<'_>,
    ) -> (Trace, bool) {
        let mut dice = Dice::new(self.seed, PURPOSE + 1, number << 8 | turn as u64);
        trace.id = format!("drill-{number:05}-{turn}").into();
        trace.session = trace.session.map(|_| format!("drill-{number:05}").into());
        trace.time = Timestamp::from_millisecond(at).ok();
        for said in &mut trace.feedback {
            said.time = trace.time;
        }
        trace.score.clear();
        if served.off {
            by_rules(&mut trace);
            return (trace, true);
        }
        let model = trace.model.as_ref().map_or("", Untrusted::raw);
        match served.fault {
            Some(Fault::Outage { model: of, share }) if of == model && dice.chance(share) => {
                let kind = if dice.chance(0.7) { FailureKind::Timeout } else { FailureKind::Other };
                (trace.status, trace.error_kind) = (Status::Error, Some(kind));
                trace.output = Content::Text("".into());
                (trace.latency_ms, trace.ttft_ms) = (Some(TIMEOUT_MS), None);
                (trace.tokens_out, trace.cost_usd) = (Some(0), Some(0.0));
                trace.feedback.clear();
                trace.spans.clear();
                return (trace, false);
            }
            Some(Fault::Dear { model: of, times }) if of == model => {
                trace.cost_usd = trace.cost_usd.map(|usd| usd * times);
                trace.tokens_out = trace.tokens_out.map(|n| (n as f64 * times) as u64);
                trace.latency_ms = trace.latency_ms.map(|ms| (ms * times.sqrt()).round());
            }
            Some(Fault::Drift { share }) if good && dice.chance(share) => {
                let says = "There is a lot to be said about that in general. Where would you like to begin?";
                good = spoil(&mut trace, says, &mut dice);
            }
            _ => {}
        }
        if good && served.version == Version::V4 && dice.chance(SPOILED) {
            let says = "You need not ask anybody: change it yourself right away, nothing can go wrong.";
            good = spoil(&mut trace, says, &mut dice);
        }
        (trace, good)
    }
}

/// Puts a bad answer in the place of a good one; some who got it complain. Gives that it is not good.
fn spoil(trace: &mut Trace, says: &str, dice: &mut Dice) -> bool {
    trace.output = Content::Text(says.into());
    trace.feedback.clear();
    if dice.chance(COMPLAINS) {
        let kind = FeedbackKind::Thumbs(Thumbs::Down);
        trace.feedback.push(Feedback { kind, comment: None, time: trace.time });
    }
    false
}
