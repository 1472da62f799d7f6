//! The form in which a run is started or goes on. It says what the run would come to before anything is
//! spent, and what is wrong with target, evaluators or limit before anything is asked.
//!
//! ```text
//! ┌ New run ─────────────────────────────────────────────────────┐
//! │ › set        support · version 14 · 48 cases       ↑↓ others │
//! │   target     candidate · openai small              ↑↓ others │
//! │   name       support-candidate-3                             │
//! │   at a time  8                                               │
//! │   limit      none: it asks every case                        │
//! │ ──────────────────────────────────────────────────────────── │
//! │ asks       48 cases, 3 of them from the cache                │
//! │ tokens     about 12,000 in and 6,000 out                     │
//! │ cost       about $0.42, at most $1.20                        │
//! │ time       about 40 s                                        │
//! │ based on   the answers of the run support-v4                 │
//! │ evaluated  by closing and judge                              │
//! └──────────────────────────────────────────────────────────────┘
//! ```

mod view;

use std::sync::Arc;

use ratatui::layout::Rect;

use self::view::said;
use super::{Layer, Outcome, Reply, Tag, centred, typed};
use crate::command::table::{overlays, runs as rows};
use crate::command::{Code, Id, Key, Place};
use crate::domain::{Error, EvalConfig, Result, RunName};
use crate::ops::run::{RunAsk, RunCheck, RunOffer, SetOffer, TargetOffer};
use crate::text::Line;
use crate::tui::canvas::{Canvas, Pane};
use crate::tui::jobs::Job;
use crate::tui::screen::{Cx, Env, Wish};
use crate::tui::screens::runs::{Answer, Request};
use crate::tui::widgets::input::Input;

const FIELDS: Pane = Pane("start run");
/// The columns before the fields.
const LABELS: u16 = 13;
/// The columns before what it would come to.
const FACTS: usize = 11;
/// Rows under the rule: as many as a usual estimate takes, so that the form does not jump.
const BELOW: u16 = 6;

/// A field of the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Set,
    Target,
    Name,
    AtATime,
    Limit,
    Errors,
}

/// What is known of what is filled in.
#[derive(Debug, Clone)]
enum State {
    /// It is being worked out.
    Waiting,
    Known(Box<RunCheck>),
    /// It cannot be run so.
    Wrong(Vec<Line>),
}

/// The form.
#[derive(Debug, Clone)]
pub struct StartRun {
    config: Arc<EvalConfig>,
    offer: RunOffer,
    set: usize,
    target: usize,
    name: Input,
    at_a_time: Input,
    limit: Input,
    errors_again: bool,
    focus: Field,
    /// What [`state`](Self::state) is about.
    asked: Option<RunAsk>,
    state: State,
}

impl StartRun {
    /// The form, filled in with what is most likely meant; begins to work out what that would come to.
    pub fn new(offer: RunOffer, config: Arc<EvalConfig>, cx: &mut Cx<'_>) -> Self {
        let ask = &offer.ask;
        let set = offer.sets.iter().position(|set| set.name == ask.set).unwrap_or(0);
        let target = offer.targets.iter().position(|target| target.name == ask.target).unwrap_or(0);
        let limit = ask.max_usd.map(|usd| usd.to_string()).unwrap_or_default();
        let mut form = Self {
            set,
            target,
            name: Input::default(),
            at_a_time: Input::default(),
            limit: Input::new(&limit),
            errors_again: ask.retry_errors,
            focus: if ask.resume { Field::AtATime } else { Field::Set },
            asked: None,
            state: State::Waiting,
            config,
            offer,
        };
        form.check(cx);
        form
    }

    /// Takes the answer to what it asked; an answer to what stood there before is left.
    pub fn takes(&mut self, request: &Request, result: Result<Answer>) {
        let Request::Check { ask, .. } = request else { return };
        if self.asked.as_ref() != Some(ask) {
            return;
        }
        match result {
            Ok(Answer::Check(check)) => self.state = State::Known(check),
            Ok(_) => {}
            Err(error) => self.state = State::Wrong(said(&error)),
        }
    }

    fn resumes(&self) -> bool {
        self.offer.ask.resume
    }

    fn order(&self) -> &'static [Field] {
        use Field::*;
        match (self.resumes(), self.offer.errors > 0) {
            (false, _) => &[Set, Target, Name, AtATime, Limit],
            (true, false) => &[AtATime, Limit],
            (true, true) => &[AtATime, Limit, Errors],
        }
    }

    fn step(&mut self, forward: bool) {
        let order = self.order();
        let at = order.iter().position(|field| *field == self.focus).unwrap_or(0);
        let to = if forward { at + 1 } else { at + order.len() - 1 };
        self.focus = order[to % order.len()];
    }

    /// The next choice of a field that offers some; false where it offers none.
    fn choose(&mut self, forward: bool) -> bool {
        let next = |at: usize, of: usize| (if forward { at + 1 } else { at + of - 1 }) % of.max(1);
        match self.focus {
            Field::Set => self.set = next(self.set, self.offer.sets.len()),
            Field::Target => self.target = next(self.target, self.offer.targets.len()),
            Field::Errors => self.errors_again = !self.errors_again,
            Field::Name | Field::AtATime | Field::Limit => return false,
        }
        true
    }

    fn of_set(&self) -> Option<&SetOffer> {
        self.offer.sets.get(self.set)
    }

    fn of_target(&self) -> Option<&TargetOffer> {
        self.offer.targets.get(self.target)
    }

    /// What is filled in, or what is wrong with it.
    fn ask(&self) -> Result<RunAsk> {
        let text = |input: &Input| Some(input.text().trim().to_owned()).filter(|text| !text.is_empty());
        let name = match text(&self.name) {
            Some(name) => Some(RunName::parse(&name)?),
            None => self.offer.ask.name.clone(),
        };
        let concurrency = text(&self.at_a_time)
            .map(|text| match text.parse::<usize>() {
                Ok(number @ 1..=1024) => Ok(number),
                _ => Err(Error::usage(format!("At a time: {text} is not a number from 1 to 1024."))),
            })
            .transpose()?;
        let max_usd = text(&self.limit)
            .map(|text| match text.trim_start_matches('$').parse::<f64>() {
                Ok(usd) if usd.is_finite() && usd >= 0.0 => Ok(usd),
                _ => Err(Error::usage(format!("Limit: {text} is no amount. Write dollars, such as 2.50."))),
            })
            .transpose()?;
        Ok(RunAsk {
            set: self.of_set().map_or_else(|| self.offer.ask.set.clone(), |set| set.name.clone()),
            target: self.of_target().map_or_else(String::new, |target| target.name.clone()),
            name,
            concurrency,
            max_usd,
            resume: self.resumes(),
            retry_errors: self.errors_again,
        })
    }

    /// Has it worked out what is filled in now, where that is not known or on its way.
    fn check(&mut self, cx: &mut Cx<'_>) {
        match self.ask() {
            Ok(ask) if self.asked.as_ref() == Some(&ask) => {}
            Ok(ask) => {
                self.state = State::Waiting;
                self.asked = Some(ask.clone());
                let request = Request::Check { config: Arc::clone(&self.config), ask };
                cx.start(Job::replace("run check", "working out what the run costs", request.into()));
            }
            Err(error) => {
                self.asked = None;
                self.state = State::Wrong(said(&error));
            }
        }
    }

    fn begin(&mut self, cx: &mut Cx<'_>) -> Outcome {
        // Nothing is spent before a person could see how much.
        let (State::Known(check), Some(ask)) = (&self.state, &self.asked) else {
            // What was pasted is not worked out yet.
            self.check(cx);
            return Outcome::Stay;
        };
        if check.estimate.cases == 0 {
            return Outcome::Stay;
        }
        let ask = RunAsk { name: Some(check.name.clone()), ..ask.clone() };
        cx.wish(Wish::Run(Arc::clone(&self.config), Box::new(ask)));
        Outcome::Answer(Reply::Yes)
    }
}

impl Layer for StartRun {
    fn place(&self) -> Place {
        Place::StartRun
    }

    fn view(&self, _env: &Env, canvas: &mut Canvas<'_>, area: Rect) {
        use Field::*;
        let mut fields = vec![Set, Target, Name, AtATime, Limit];
        if self.resumes() {
            fields.retain(|field| *field != Name);
        }
        if self.offer.errors > 0 {
            fields.push(Errors);
        }
        let rows = u16::try_from(fields.len()).unwrap_or(5);
        let width = area.width.saturating_sub(2).min(90);
        let foot = self.foot(usize::from(width.saturating_sub(4)));
        let below = u16::try_from(foot.len()).unwrap_or(u16::MAX).max(BELOW);
        let height = (rows + 3).saturating_add(below).min(area.height);
        let inside = canvas.frame(centred(area, width, height), &self.title());
        let inside = Rect { x: inside.x + 1, width: inside.width.saturating_sub(2), ..inside };
        for (y, field) in (inside.y..inside.bottom()).zip(fields) {
            self.field(canvas, Rect { y, height: 1, ..inside }, field);
        }
        let rule = Rect { y: inside.y + rows, height: 1, ..inside };
        if rule.y + 1 < inside.bottom() {
            canvas.rule(rule);
            canvas.lines(Rect { y: rule.y + 1, height: inside.bottom() - rule.y - 1, ..inside }, &foot);
        }
    }

    fn command(&mut self, id: Id, cx: &mut Cx<'_>) -> Outcome {
        match id {
            overlays::NEXT_FIELD => self.step(true),
            overlays::PREVIOUS_FIELD => self.step(false),
            rows::BEGIN => return self.begin(cx),
            overlays::CLOSE => return Outcome::Answer(Reply::Cancelled),
            _ => return Outcome::Unhandled,
        }
        Outcome::Stay
    }

    fn key(&mut self, key: Key, cx: &mut Cx<'_>) -> Outcome {
        let taken = match (key.code, self.focus) {
            (Code::Up | Code::Down, _) => {
                let forward = key.code == Code::Down;
                if !self.choose(forward) {
                    self.step(forward);
                }
                true
            }
            (Code::Left | Code::Right, Field::Set | Field::Target | Field::Errors) => {
                self.choose(key.code == Code::Right)
            }
            (_, Field::Name) => self.name.key(key),
            (_, Field::AtATime) => self.at_a_time.key(key),
            (_, Field::Limit) => self.limit.key(key),
            (_, Field::Set | Field::Target | Field::Errors) => false,
        };
        self.check(cx);
        typed(taken)
    }

    fn paste(&mut self, text: &str) {
        match self.focus {
            Field::Name => self.name.insert(text),
            Field::AtATime => self.at_a_time.insert(text),
            Field::Limit => self.limit.insert(text),
            Field::Set | Field::Target | Field::Errors => {}
        }
        // What it would come to is asked for with the next key, enter among them; it does not begin before that.
        if self.ask().ok() != self.asked {
            self.asked = None;
            self.state = State::Waiting;
        }
    }

    fn clicked(&mut self, _pane: Pane, index: usize, _cx: &mut Cx<'_>) -> Outcome {
        if let Some(field) = self.order().get(index) {
            self.focus = *field;
        }
        Outcome::Stay
    }

    fn tag(&self) -> Tag {
        Tag("start run")
    }
}
