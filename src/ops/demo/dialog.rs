//! Puts words to a conversation: questions, answers, tool calls, figures and feedback, one trace a turn.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::answer::{Asked, Memory, answer};
use super::book::{Book, Topic, Voice, book};
use super::calendar::Calendar;
use super::case::Case;
use super::dice::Dice;
use super::feedback::{Judgement, feedback, judge, opinion};
use super::figures::{Figures, Work};
use super::question::{Asking, question};
use super::session::{Session, Step, Turn, Wish, session_id, trace_id};
use super::summary;
use super::tools::{Call, Retrieval, call, retrieve};
use super::truth::{Cause, Mode, Truth, Verdict, Version};
use super::user::Channel;
use super::words::tokens;
use crate::domain::{
    ChatMessage, Content, FailureKind, FunctionCall, Span, Status, ToolCall, Trace, Untrusted,
};

const PURPOSE: u64 = 0x7e87;
const RUNS: u64 = 0x3043;

/// The text of each prompt's file.
pub fn prompt_text(version: Version) -> &'static str {
    match version {
        Version::V3 => include_str!("../../../fixtures/demo/prompts/customer_support/v3.txt"),
        Version::V4 => include_str!("../../../fixtures/demo/prompts/customer_support/v4_current.txt"),
        Version::Summary2 => include_str!("../../../fixtures/demo/prompts/summarization/v2_current.txt"),
    }
}

/// The head of each prompt, as the traces hold it.
pub fn prompt_head(version: Version) -> &'static str {
    prompt_text(version).trim_ascii()
}

/// The traces of a conversation, in order, each with what is true of it.
pub fn traces(session: &Session, seed: u64, calendar: &Calendar) -> Vec<(Trace, Truth)> {
    let mut talk = Talk::of(session, seed, calendar);
    let (mut case, mut english) = talk.cases(0);
    let mut asked = String::new();
    (0..session.turns.len())
        .map(|at| {
            let turn = &session.turns[at];
            if at > 0 && matches!(turn.step, Step::Open(..)) && !turn.retry {
                (case, english) = talk.cases(at);
            }
            let trace = talk.turn(at, turn, &case, &english, &mut asked);
            (trace, turn.truth)
        })
        .collect()
}

/// What a reviewer would need to know to judge a trace.
pub struct Facts {
    /// The amounts, dates and names.
    pub case: Case,
    /// The answer as it should have been.
    pub corrected: String,
    /// Which instruction an answer can have ignored here: `language`, `short`, `phone` or `rule`; or what
    /// the planted advice ignored, `waiver` or `savings`.
    pub ignored: &'static str,
}

/// The facts of a turn.
pub fn facts(mut session: Session, turn: usize, seed: u64, calendar: &Calendar) -> Facts {
    let book = book();
    let opened = (0..=turn).rev().find(|at| matches!(session.turns[*at].step, Step::Open(..)));
    let (case, _) = Talk::of(&session, seed, calendar).cases(opened.unwrap_or(0));
    let planted = session.turns[turn].truth.cause == Cause::OverdraftAdvice;
    let ignored = match session.turns[turn].step {
        step if planted => step.topic().map_or("savings", Topic::advice_mark),
        Step::Open(_, Wish::Short, _) => "short",
        Step::Open(_, Wish::NoPhone, _) => "phone",
        _ if book.voices[session.user.voice].code != "en" => "language",
        _ => "rule",
    };
    session.turns[turn].truth.verdict = Verdict::Good;
    session.turns[turn].truth.cause = Cause::Usual;
    if session.version == Version::V4 {
        session.version = Version::V3;
    }
    let made = traces(&session, seed, calendar);
    let corrected = match &made[turn].0.output {
        Content::Text(text) => text.raw().to_owned(),
        Content::Messages(messages) => {
            messages.last().and_then(|m| m.content.as_str()).unwrap_or_default().to_owned()
        }
    };
    Facts { case, corrected, ignored }
}

/// What a version of the support prompt answers at this turn, and what the judge says of it. The answer of
/// the version that was there is the one that was given; `v3` gives no advice to move money, `v4` does
/// wherever it can.
pub fn answered_by(
    mut session: Session,
    turn: usize,
    version: Version,
    seed: u64,
    calendar: &Calendar,
) -> (Trace, Judgement) {
    let was = std::mem::replace(&mut session.version, version);
    let at = &mut session.turns[turn];
    let planted = at.truth.cause == Cause::OverdraftAdvice;
    let can = match at.step {
        Step::Open(about, ..) => !about.near(&about.topic.planted).is_empty(),
        _ => false,
    };
    if version == Version::V3 && planted {
        at.truth = Truth { verdict: Verdict::Good, cause: Cause::Usual, ..at.truth };
    } else if version == Version::V4 && was == Version::V3 && can {
        let verdict = Verdict::Fails(Mode::IgnoredInstructions);
        at.truth = Truth { verdict, cause: Cause::OverdraftAdvice, ..at.truth };
    }
    let mut dice = Dice::new(seed, RUNS, session.place << 1 | u64::from(version == Version::V4));
    let said = opinion(&session.turns[turn], &mut dice);
    let (trace, _) = traces(&session, seed, calendar).swap_remove(turn);
    (trace, said)
}

struct Talk<'a> {
    book: &'a Book,
    session: &'a Session,
    seed: u64,
    calendar: &'a Calendar,
    voice: &'a Voice,
    dice: Dice,
    memory: Memory,
    /// Questions and answers so far.
    said: Vec<(String, String)>,
}

impl<'a> Talk<'a> {
    fn of(session: &'a Session, seed: u64, calendar: &'a Calendar) -> Self {
        let book = book();
        Self {
            book,
            session,
            seed,
            calendar,
            voice: &book.voices[session.user.voice],
            dice: Dice::new(seed, PURPOSE, session.place),
            memory: Memory::default(),
            said: Vec::new(),
        }
    }

    /// The facts from this turn on: in the user's language, and as English writes the same.
    fn cases(&self, turn: usize) -> (Case, Case) {
        let amounts = match self.session.turns[turn].step {
            Step::Summary(scenario, _) => &scenario.amounts[..],
            step => step.topic().map_or(&[][..], |t| &t.amounts),
        };
        let at = time(self.session.turns[turn].at_ms);
        let draw = |voice| {
            let mut dice = Dice::new(self.seed, PURPOSE + 1 + turn as u64, self.session.place);
            Case::draw(&self.book.bank, voice, &self.session.user, amounts, at, &mut dice)
        };
        (draw(self.voice), draw(&self.book.voices[0]))
    }

    fn turn(&mut self, at: usize, turn: &Turn, case: &Case, english: &Case, asked: &mut String) -> Trace {
        let (session, dice) = (self.session, &mut self.dice);
        if !turn.retry {
            let asking = Asking { book: self.book, voice: self.voice, case, session, turn };
            *asked = match turn.step {
                Step::Summary(scenario, form) => summary::question(scenario, form, case, dice),
                _ => question(&asking, &mut self.memory, dice),
            };
        } else {
            *asked = format!("{}{asked}", self.memory.say(&self.voice.common.retry, case, dice));
        }
        let answered = match turn.step {
            Step::Summary(scenario, form) => summary::answer(scenario, form, turn.truth.verdict, case, dice),
            step => {
                let (book, voice, truth, version) = (self.book, self.voice, turn.truth, session.version);
                let what = Asked { book, voice, case, english, step, truth, version };
                let text = answer(&what, &mut self.memory, dice);
                if session.user.channel == Channel::Email && !text.is_empty() && voice.code == "en" {
                    format!("Dear {},\n\n{text}\n\nKind regards,\nRobin, Tidewell Bank", session.user.first)
                } else {
                    text
                }
            }
        };
        let ok = !matches!(turn.truth.verdict, Verdict::NoAnswer(_));
        let (calls, retrieval) = if ok { self.steps(turn, case) } else { (Vec::new(), None) };
        self.trace(at, turn, case, asked, &answered, &calls, retrieval.as_ref())
    }

    /// The tools and the search that went before the answer.
    fn steps(&mut self, turn: &Turn, case: &Case) -> (Vec<Call>, Option<Retrieval>) {
        let dice = &mut self.dice;
        let Some(topic) = turn.step.topic() else { return (Vec::new(), None) };
        let topic = english_twin(self.book, topic);
        let likely = match turn.step {
            Step::Open(..) => 0.66,
            Step::Protest(_) => 0.45,
            _ => 0.25,
        };
        let mut calls = Vec::new();
        if !topic.tools.is_empty() && self.session.user.channel.keeps_messages() && dice.chance(likely) {
            let count = 1 + dice.below(2);
            let mut chosen = dice.some_of(topic.tools.len(), count);
            chosen.sort_unstable();
            let mut names: Vec<&str> = chosen.into_iter().map(|at| topic.tools[at].as_str()).collect();
            let acted = turn.truth.verdict == Verdict::Good && !matches!(turn.step, Step::Next(..));
            if let (true, Some(act)) = (acted, &topic.act) {
                names.push(act);
            }
            calls = names
                .into_iter()
                .map(|name| call(name, topic, case, &self.session.user, &self.book.bank, dice))
                .collect();
        }
        let searched = !topic.docs.is_empty() && dice.chance(0.55);
        (calls, searched.then(|| retrieve(topic, &self.book.bank, dice)))
    }

    #[allow(clippy::too_many_arguments)]
    fn trace(
        &mut self,
        at: usize,
        turn: &Turn,
        case: &Case,
        asked: &str,
        answered: &str,
        calls: &[Call],
        retrieval: Option<&Retrieval>,
    ) -> Trace {
        let session = self.session;
        let (name, version) = session.version.names();
        let model = &self.book.bank.model[session.model];
        let history: u64 = self.said.iter().map(|(q, a)| tokens(q) + tokens(a)).sum();
        let of_calls: u64 = calls.iter().map(|c| tokens(&c.result.to_string()) + 40).sum();
        let work = Work {
            tokens_in: tokens(asked) + history + of_calls + retrieval.map_or(0, |r| r.tokens),
            tokens_out: tokens(answered) + 22 * calls.len() as u64,
            steps_ms: retrieval.map_or(0.0, |r| r.took_ms)
                + calls.iter().map(|c| c.took_ms).sum::<f64>()
                + if calls.is_empty() { 0.0 } else { model.first_ms * 0.8 },
        };
        let figures = Figures::draw(
            model,
            session.version,
            turn.truth.verdict,
            &work,
            turn.at_ms,
            self.calendar,
            &mut self.dice,
        );
        let error_kind = match turn.truth.verdict {
            Verdict::NoAnswer(kind) => Some(kind),
            _ => None,
        };
        let judgement = judge(turn, &mut self.dice);
        let mut metadata = self.metadata();
        if let Some(kind) = error_kind {
            metadata.insert("error".to_owned(), error_text(kind, &model.name).into());
        }
        if let Some(judgement) = &judgement {
            metadata
                .insert("judge".to_owned(), json!({"model": "gpt-4o", "explanation": judgement.explanation}));
        }
        let next = session.turns.get(at + 1);
        let feedback = feedback(turn, next, self.voice, case, self.calendar.now_ms(), &mut self.dice);
        let fallback = matches!(turn.step, Step::Human) && error_kind.is_none();
        let trace = Trace {
            id: trace_id(self.seed, session.place, at).into(),
            session: Some(session_id(self.seed, session.place).into()),
            user: Some(session.user.id.as_str().into()),
            time: Some(time(turn.at_ms)),
            feature: Some(name.into()),
            model: Some(model.name.as_str().into()),
            prompt: Some(name.into()),
            prompt_version: Some(version.into()),
            input: self.input(asked),
            output: self.output(answered, calls),
            latency_ms: Some(figures.latency_ms),
            ttft_ms: figures.ttft_ms,
            tokens_in: Some(figures.tokens_in),
            tokens_out: Some(figures.tokens_out),
            cost_usd: Some(figures.cost_usd),
            status: if error_kind.is_some() { Status::Error } else { Status::Ok },
            error_kind,
            fallback,
            feedback,
            score: judgement.map(|j| j.score).unwrap_or_default(),
            experiment: session.arm.map(|(experiment, _)| experiment.into()),
            arm: session.arm.map(|(_, arm)| arm.into()),
            tags: self.tags(turn, fallback),
            metadata,
            spans: spans(&model.name, &figures, calls, retrieval),
        };
        if error_kind.is_none() {
            self.said.push((asked.to_owned(), answered.to_owned()));
        }
        trace
    }

    fn input(&self, asked: &str) -> Content {
        if matches!(self.session.version, Version::V3 | Version::V4)
            && !self.session.user.channel.keeps_messages()
        {
            return Content::Text(asked.into());
        }
        let mut messages = vec![message("system", prompt_head(self.session.version))];
        for (question, answer) in &self.said {
            messages.push(message("user", question));
            messages.push(message("assistant", answer));
        }
        messages.push(message("user", asked));
        Content::Messages(messages)
    }

    fn output(&self, answered: &str, calls: &[Call]) -> Content {
        if calls.is_empty() {
            return Content::Text(answered.into());
        }
        let mut messages = vec![ChatMessage {
            role: "assistant".into(),
            tool_calls: Some(
                calls
                    .iter()
                    .map(|c| ToolCall {
                        id: c.id.as_str().into(),
                        kind: "function".into(),
                        function: FunctionCall {
                            name: c.name.as_str().into(),
                            arguments: Value::String(c.arguments.to_string()),
                        },
                    })
                    .collect(),
            ),
            ..ChatMessage::default()
        }];
        messages.extend(calls.iter().map(|c| ChatMessage {
            tool_call_id: Some(c.id.as_str().into()),
            name: Some(c.name.as_str().into()),
            ..message("tool", &c.result.to_string())
        }));
        messages.push(message("assistant", answered));
        Content::Messages(messages)
    }

    fn metadata(&self) -> Map<String, Value> {
        let user = &self.session.user;
        let mut metadata = Map::new();
        if self.session.version == Version::Summary2 {
            metadata.insert("channel".to_owned(), "backoffice".into());
            metadata.insert(
                "team".to_owned(),
                ["calls", "disputes", "letters"][usize::from(user.since as u16) % 3].into(),
            );
            return metadata;
        }
        metadata.insert("channel".to_owned(), user.channel.name().into());
        metadata.insert("locale".to_owned(), user.locale.as_str().into());
        metadata.insert("plan".to_owned(), user.plan.to_lowercase().into());
        if matches!(user.channel, Channel::Ios | Channel::Android) {
            metadata.insert("app_version".to_owned(), user.app.as_str().into());
            metadata.insert("device".to_owned(), user.device.as_str().into());
        }
        metadata
    }

    /// What the intent classifier made of it, which is not always right, and what happened.
    fn tags(&mut self, turn: &Turn, fallback: bool) -> Vec<Untrusted> {
        let mut tags = Vec::new();
        match turn.step {
            Step::Summary(scenario, _) => tags.push(scenario.form.as_str().into()),
            step => {
                if let Some(topic) = step.topic() {
                    let kind = english_twin(self.book, topic).kind.as_str();
                    let seen = ["balance", "card", "transfer", "fees", "cancellation", "loans", "login"];
                    let kind = if self.dice.chance(0.06) { *self.dice.pick(&seen) } else { kind };
                    tags.push(if seen.contains(&kind) { kind.into() } else { "other".into() });
                }
            }
        }
        if fallback {
            tags.push("handover".into());
        }
        tags
    }
}

/// The English topic of the same name: it knows the kind, the tools and the rules.
fn english_twin<'a>(book: &'a Book, topic: &'a Topic) -> &'a Topic {
    if !topic.kind.is_empty() {
        return topic;
    }
    book.voices[0].topic.iter().find(|t| t.id == topic.id).unwrap_or(topic)
}

fn message(role: &str, text: &str) -> ChatMessage {
    ChatMessage { role: role.into(), content: Value::String(text.to_owned()), ..ChatMessage::default() }
}

fn spans(model: &str, figures: &Figures, calls: &[Call], retrieval: Option<&Retrieval>) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut at = 0.0;
    let mut push = |name: &str, kind: &str, took: f64, input: Value, output: Value| {
        spans.push(Span {
            name: name.into(),
            kind: kind.into(),
            offset_ms: at,
            duration_ms: took,
            input,
            output,
            ..Span::default()
        });
        at += took;
    };
    if let Some(found) = retrieval {
        push("search_policy", "retrieval", found.took_ms, json!({"query": found.query}), found.found.clone());
    }
    if !calls.is_empty() {
        let tools: f64 = calls.iter().map(|c| c.took_ms).sum();
        let thinking = (figures.latency_ms - tools - retrieval.map_or(0.0, |r| r.took_ms)).max(0.0) * 0.3;
        push(model, "llm", thinking.round(), Value::Null, json!({"finish_reason": "tool_calls"}));
        for c in calls {
            push(&c.name, "tool", c.took_ms, c.arguments.clone(), c.result.clone());
        }
    }
    if spans.is_empty() {
        return spans;
    }
    let left = (figures.latency_ms - at).max(0.0);
    spans.push(Span {
        name: model.into(),
        kind: "llm".into(),
        offset_ms: at,
        duration_ms: left,
        input: Value::Null,
        output: json!({"finish_reason": "stop", "tokens": figures.tokens_out}),
        ..Span::default()
    });
    spans
}

fn error_text(kind: FailureKind, model: &str) -> String {
    match kind {
        FailureKind::Timeout => "no answer within 30 s".to_owned(),
        FailureKind::RateLimit => format!("429 Too Many Requests: rate limit reached for {model}"),
        FailureKind::ContentPolicy => {
            "400: the request was flagged by the provider's content policy".to_owned()
        }
        FailureKind::Other => "502 Bad Gateway".to_owned(),
    }
}

fn time(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH)
}
