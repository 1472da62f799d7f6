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

use std::sync::Arc;

use ratatui::layout::Rect;

use super::{Layer, Outcome, Reply, Tag, centred, typed};
use crate::command::table::{overlays, runs as rows};
use crate::command::{Code, Id, Key, Place};
use crate::domain::{Error, EvalConfig, Result, RunName};
use crate::ops::run::{RunAsk, RunCheck, RunOffer, SetOffer, TargetOffer};
use crate::text::{Line, Role, figures, wrap_line};
use crate::tui::canvas::{Canvas, Hit, Pane};
use crate::tui::jobs::Job;
use crate::tui::screen::{Cx, Env, Wish};
use crate::tui::screens::runs::{Answer, Request};
use crate::tui::widgets::input::Input;
use crate::tui::words::{line, span, words};

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

    fn title(&self) -> Line {
        match &self.offer.ask.name {
            Some(name) if self.resumes() => {
                words().plain("Go on with ").put(Role::Accent, name.as_str()).done()
            }
            _ => line(Role::Plain, "New run"),
        }
    }

    fn field(&self, canvas: &mut Canvas<'_>, row: Rect, field: Field) {
        let focus = field == self.focus;
        let open = self.order().contains(&field);
        let name = match field {
            Field::Set => "set",
            Field::Target => "target",
            Field::Name => "name",
            Field::AtATime => "at a time",
            Field::Limit => "limit",
            Field::Errors => "errors",
        };
        let label = words()
            .put(Role::Accent, if focus { "› " } else { "  " })
            .put(if focus { Role::Accent } else { Role::Muted }, name);
        canvas.line(row, &label.done());
        if let Some(index) = self.order().iter().position(|of| *of == field) {
            canvas.hit(row, Hit::Row { pane: FIELDS, index });
        }
        let value = Rect { x: row.x + LABELS, width: row.width.saturating_sub(LABELS), ..row };
        let value = match field {
            Field::Set | Field::Target | Field::Errors if focus && open => {
                canvas.line_right(value, &line(Role::Muted, "↑↓ others"))
            }
            _ => value,
        };
        match field {
            Field::Set | Field::Target | Field::Errors => canvas.line(value, &self.chosen(field)),
            Field::Name => self.input(canvas, value, &self.name, focus, &self.proposed()),
            Field::AtATime => {
                let usual = self.of_target().map_or(1, |target| target.concurrency);
                self.input(canvas, value, &self.at_a_time, focus, &format!("{usual}, as the target says"));
            }
            Field::Limit => {
                let help = "none · dollars, such as 2.50: it stops before it costs more";
                self.input(canvas, value, &self.limit, focus, help);
            }
        }
    }

    /// What stands in a field that is chosen and not typed.
    fn chosen(&self, field: Field) -> Line {
        match field {
            Field::Set => self.of_set().map_or_else(Line::default, |set| {
                let cases = usize::try_from(set.cases).unwrap_or(usize::MAX);
                let more = format!(" · version {} · {}", set.version, figures::plural(cases, "case"));
                words().plain(set.name.as_str()).muted(more).done()
            }),
            Field::Target => self.of_target().map_or_else(Line::default, |target| {
                let kind = (target.kind != target.name).then(|| format!(" · {}", target.kind));
                let prompt = target.prompt.as_ref().map(|prompt| format!(" · prompt {prompt}"));
                words().plain(&target.name).maybe(Role::Muted, kind).maybe(Role::Muted, prompt).done()
            }),
            _ => {
                let errors = usize::try_from(self.offer.errors).unwrap_or(usize::MAX);
                let what = if self.errors_again { "ask again" } else { "leave as they are" };
                words().plain(what).muted(format!(" · {}", figures::plural(errors, "case"))).done()
            }
        }
    }

    /// The name that it gets when nobody types one.
    fn proposed(&self) -> String {
        match &self.state {
            State::Known(check) => check.name.to_string(),
            _ => "made of set, target and a number".to_owned(),
        }
    }

    fn input(&self, canvas: &mut Canvas<'_>, value: Rect, input: &Input, focus: bool, help: &str) {
        input.view(canvas, value, focus);
        if input.text().is_empty() {
            let gap = u16::from(focus);
            let place = Rect { x: value.x + gap, width: value.width.saturating_sub(gap), ..value };
            canvas.line(place, &line(Role::Muted, help));
        }
    }

    /// What it would come to.
    fn foot(&self, cols: usize) -> Vec<Line> {
        match &self.state {
            State::Waiting => vec![line(Role::Muted, "working out what it would come to…")],
            State::Wrong(lines) => {
                lines.iter().flat_map(|text| wrap_line(text, cols, &[], &[span(Role::Plain, "  ")])).collect()
            }
            State::Known(check) => facts(check)
                .into_iter()
                .flat_map(|(name, role, text)| {
                    let first = span(Role::Muted, format!("{name:<FACTS$}"));
                    let rest = span(Role::Plain, " ".repeat(FACTS));
                    wrap_line(&line(role, text), cols, &[first], &[rest])
                })
                .collect(),
        }
    }
}

/// What a run would come to, by name.
fn facts(check: &RunCheck) -> Vec<(&'static str, Role, String)> {
    let of = &check.estimate;
    let count = |n: u64| figures::thousands(i64::try_from(n).unwrap_or(i64::MAX));
    let plural = |n: u64| figures::plural(usize::try_from(n).unwrap_or(usize::MAX), "case");
    if of.cases == 0 {
        return vec![("asks", Role::Alert, "no case: every one has its result".to_owned())];
    }
    let mut out = Vec::new();
    let cached =
        if of.cached > 0 { format!(", {} of them from the cache", count(of.cached)) } else { String::new() };
    out.push(("asks", Role::Plain, format!("{}{cached}", plural(of.cases))));
    if of.tokens_in + of.tokens_out > 0 {
        let tokens = format!("about {} in and {} out", count(of.tokens_in), count(of.tokens_out));
        out.push(("tokens", Role::Plain, tokens));
    }
    let most = of.at_most_usd.filter(|most| *most > 0.0).map(figures::dollars);
    let most = most.map_or_else(String::new, |most| format!(", at most {most}"));
    match of.cost_usd {
        Some(0.0) if most.is_empty() => out.push(("cost", Role::Plain, "nothing".to_owned())),
        Some(cost) => out.push(("cost", Role::Plain, format!("about {}{most}", figures::dollars(cost)))),
        None => out.push(("cost", Role::Alert, format!("not known: the target has no price{most}"))),
    }
    let time = match of.takes_ms {
        Some(0.0) => "no more than evaluating takes".to_owned(),
        Some(ms) => format!("about {}", figures::duration(ms)),
        None => "not known: nothing like it was run before".to_owned(),
    };
    out.push(("time", Role::Plain, time));
    out.push(("based on", Role::Muted, of.based_on.clone()));
    let own = (check.own_checks > 0).then(|| format!("the own checks of {}", plural(check.own_checks)));
    let by: Vec<String> = check.evaluators.iter().cloned().chain(own).collect();
    if check.unchecked > 0 {
        let text = format!("nothing evaluates {}: any answer passes", plural(check.unchecked));
        out.push(("evaluated", Role::Alert, text));
    } else {
        out.push(("evaluated", Role::Plain, format!("by {}", figures::list_of(&by, "and"))));
    }
    out
}

/// What is wrong, then each way out.
fn said(error: &Error) -> Vec<Line> {
    let mut out = vec![words().put(Role::Fail, "✗ ").plain(&error.what).done()];
    out.extend(error.why.iter().map(|why| line(Role::Muted, format!("  {why}"))));
    out.extend(error.hints.iter().map(|hint| words().muted("  → ").plain(hint).done()));
    out
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
