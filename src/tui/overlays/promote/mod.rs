//! The form in which a trace becomes an eval case, a marked list of traces becomes many, and a case
//! is changed. It fills itself from drafts, says which cases the input resembles, and stays open
//! until the case is durable, so that nothing typed is lost when saving fails.
//!
//! ```text
//! ┌ Promote t-1042 ──────────────────────────────────────────────┐
//! │ › set        support                                ↑↓ others │
//! │   category   plain                                  ↑↓ others │
//! │   input      I was charged a €35 overdraft fee but my salary  │
//! │              arrived the same day.                            │
//! │   expected   We take it back: the salary came the same day.   │
//! │   output                                                      │
//! │   reasoning  ignores the same-day waiver rule                 │
//! │   checks     forbidden: transfer your balance                 │
//! │ ───────────────────────────────────────────────────────────── │
//! │ from ann's label: fail, ignored instructions                  │
//! │ ≈ 79 % like c-7k2m9q  I was billed an overdraft fee but my…   │
//! └───────────────────────────────────────────────────────────────┘
//! ```

mod view;

pub use self::view::like;
use ratatui::layout::Rect;

use self::view::{from, said};
use super::{Layer, Outcome, Reply, Tag, centred, typed};
use crate::command::table::{evals as rows, overlays};
use crate::command::{Code, Id, Key, Place};
use crate::domain::{CATEGORIES, CaseId, Check, Content, Error, ExpectedKind, Result, SetName, Untrusted};
use crate::ops::promote::{CaseDraft, CaseFields, CaseView, PromoteRequest, Resembles};
use crate::text::{Line, Role};
use crate::tui::canvas::{Canvas, Pane};
use crate::tui::effect::Effect;
use crate::tui::jobs::Job;
use crate::tui::screen::{Cx, Env, Wish};
use crate::tui::screens::evals::{Answer, Request, act};
use crate::tui::widgets::area::Area;
use crate::tui::widgets::input::Input;
use crate::tui::words::line;

const FIELDS: Pane = Pane("promote");
/// The columns before the fields.
const LABELS: u16 = 12;

/// What stands in an empty field that each trace fills for itself.
const EACH: &str = "as each trace's own label says";

/// A field of the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Set,
    Category,
    Input,
    Expected,
    Reasoning,
    Checks,
}

/// What is being filled in.
#[derive(Debug, Clone)]
enum Subject {
    /// Traces that become cases.
    New(Vec<CaseDraft>),
    /// A case that changes.
    Case { set: SetName, id: CaseId },
}

/// The form.
#[derive(Debug, Clone)]
pub struct Promote {
    subject: Subject,
    /// The sets that there are, for choosing.
    sets: Vec<String>,
    set: Input,
    set_at_first: String,
    category: Input,
    category_at_first: String,
    kind: ExpectedKind,
    kind_at_first: ExpectedKind,
    input: Area,
    /// The input is messages: shown, and kept as it is.
    fixed_input: bool,
    expected: Area,
    reasoning: Area,
    checks: Area,
    resembles: Vec<Resembles>,
    /// Where the words come from: the label.
    from: Line,
    focus: Field,
    error: Option<Line>,
    saving: bool,
}

impl Promote {
    /// The form for traces that become cases of `set`. With several, a field left empty is filled for
    /// each from its own label.
    pub fn traces(set: &SetName, sets: &[SetName], drafts: Vec<CaseDraft>) -> Self {
        let single = if let [draft] = &drafts[..] { Some(draft) } else { None };
        let text = |text: Option<&Untrusted>| text.map(Untrusted::raw).unwrap_or_default().to_owned();
        // A trace that is a case already is shown as it stands there.
        let there = single.and_then(|draft| draft.already.as_ref());
        if let Some(case) = there.filter(|case| case.set == *set) {
            let form = Self::case(case, single.map(|draft| draft.resembles.clone()).unwrap_or_default());
            return Self { from: line(Role::Alert, format!("it is a case of {set} already")), ..form };
        }
        let body = single.map(|draft| &draft.body);
        let form = Self::fields(
            set,
            body.map_or("", |body| body.category.raw()),
            body.map(|body| &body.input),
            body.map_or(ExpectedKind::Output, |body| body.expected_kind),
            [
                text(body.and_then(|body| body.expected.as_ref())),
                text(body.and_then(|body| body.reasoning.as_ref())),
                String::new(),
            ],
        );
        let mut form = Self {
            sets: sets.iter().map(SetName::to_string).collect(),
            from: from(&drafts),
            resembles: single.map(|draft| draft.resembles.clone()).unwrap_or_default(),
            subject: Subject::New(drafts),
            ..form
        };
        if !form.sets.contains(&form.set_at_first) {
            form.sets.push(form.set_at_first.clone());
        }
        form
    }

    /// The form for a case that changes.
    pub fn case(case: &CaseView, resembles: Vec<Resembles>) -> Self {
        let text =
            |text: &Option<Untrusted>| text.as_ref().map(Untrusted::raw).unwrap_or_default().to_owned();
        let checks: Vec<String> = case.checks.iter().map(Check::line).collect();
        let texts = [text(&case.expected), text(&case.reasoning), checks.join("\n")];
        let form = Self::fields(&case.set, case.category.raw(), Some(&case.input), case.expected_kind, texts);
        let trace = case.trace.as_ref().map(|trace| format!("from trace {}", trace.raw()));
        Self {
            subject: Subject::Case { set: case.set.clone(), id: case.id.clone() },
            from: line(Role::Muted, trace.unwrap_or_else(|| "written by hand".to_owned())),
            resembles,
            ..form
        }
    }

    fn fields(
        set: &SetName,
        category: &str,
        input: Option<&Content>,
        kind: ExpectedKind,
        [expected, reasoning, checks]: [String; 3],
    ) -> Self {
        let (words, fixed) = match input {
            Some(Content::Text(text)) => (text.raw().to_owned(), false),
            Some(messages @ Content::Messages(_)) => (asked(messages), true),
            None => (String::new(), true),
        };
        Self {
            subject: Subject::New(Vec::new()),
            sets: Vec::new(),
            set: Input::new(set.as_str()),
            set_at_first: set.to_string(),
            category: Input::new(category),
            category_at_first: category.to_owned(),
            kind,
            kind_at_first: kind,
            input: Area::new(&words),
            fixed_input: fixed,
            expected: Area::new(&expected),
            reasoning: Area::new(&reasoning),
            checks: Area::new(&checks),
            resembles: Vec::new(),
            from: Line::default(),
            focus: Field::Expected,
            error: None,
            saving: false,
        }
    }

    /// Takes the text that the person's own editor has left.
    pub fn take(&mut self, text: &str) {
        if let Some(area) = self.area_mut(self.focus) {
            area.replace(text);
        }
    }

    /// Takes the answer to a request of its own. True for the answer to its saving: when that worked
    /// the form has done its work, else it says why not and keeps what was typed.
    pub fn takes(&mut self, request: &Request, result: &Result<Answer>) -> bool {
        match (request, result) {
            (Request::Redraft { .. }, Ok(Answer::Drafts { set, drafts, .. })) => {
                if let Subject::New(mine) = &mut self.subject
                    && set.as_str() == self.set.text()
                {
                    mine.clone_from(drafts);
                    self.from = from(drafts);
                    self.resembles = match &drafts[..] {
                        [draft] => draft.resembles.clone(),
                        _ => Vec::new(),
                    };
                }
                false
            }
            (Request::Promote(_) | Request::Edit { .. }, result) if self.saving => {
                self.saving = false;
                if let Err(error) = result {
                    self.error = Some(said(error));
                }
                true
            }
            _ => false,
        }
    }

    fn order(&self) -> &'static [Field] {
        use Field::*;
        match (&self.subject, self.fixed_input) {
            (Subject::New(_), false) => &[Set, Category, Input, Expected, Reasoning, Checks],
            (Subject::New(_), true) => &[Set, Category, Expected, Reasoning, Checks],
            (Subject::Case { .. }, false) => &[Category, Input, Expected, Reasoning, Checks],
            (Subject::Case { .. }, true) => &[Category, Expected, Reasoning, Checks],
        }
    }

    fn step(&mut self, forward: bool, cx: &mut Cx<'_>) {
        let order = self.order();
        let at = order.iter().position(|field| *field == self.focus).unwrap_or(0);
        let to = if forward { at + 1 } else { at + order.len() - 1 };
        self.go(order[to % order.len()], cx);
    }

    fn go(&mut self, to: Field, cx: &mut Cx<'_>) {
        let left = std::mem::replace(&mut self.focus, to);
        if left == Field::Set && to != Field::Set {
            self.redraft(cx);
        }
    }

    /// Looks for resembling cases in the set that is named now.
    fn redraft(&mut self, cx: &mut Cx<'_>) {
        if let (Subject::New(drafts), Ok(set)) = (&self.subject, SetName::parse(self.set.text()))
            && drafts.iter().any(|draft| draft.set != set)
        {
            let traces = drafts.iter().filter_map(|draft| draft.body.trace.clone()).collect();
            let request = Request::Redraft { traces, set };
            cx.start(Job::replace("promote", "looking for duplicates", request.into()));
        }
    }

    fn area_mut(&mut self, field: Field) -> Option<&mut Area> {
        match field {
            Field::Set | Field::Category => None,
            Field::Input => Some(&mut self.input),
            Field::Expected => Some(&mut self.expected),
            Field::Reasoning => Some(&mut self.reasoning),
            Field::Checks => Some(&mut self.checks),
        }
    }

    /// The next word that a field offers.
    fn offer(&mut self, forward: bool) {
        let offered: Vec<&str> = match self.focus {
            Field::Set => self.sets.iter().map(String::as_str).collect(),
            _ => CATEGORIES.to_vec(),
        };
        let now = if self.focus == Field::Set { &mut self.set } else { &mut self.category };
        let next = match (offered.iter().position(|word| *word == now.text()), forward) {
            (Some(at), true) => (at + 1) % offered.len(),
            (Some(at), false) => (at + offered.len() - 1) % offered.len(),
            (None, _) => 0,
        };
        if let Some(word) = offered.get(next) {
            *now = Input::new(word);
        }
    }

    /// What was changed by hand, or what is wrong with it and where.
    fn changes(&self) -> std::result::Result<CaseFields, (Field, Error)> {
        let changed = |area: &Area| area.changed().then(|| area.text());
        let checks = self
            .checks
            .changed()
            .then(|| {
                let lines = self.checks.text();
                lines
                    .lines()
                    .filter(|line| !line.trim().is_empty())
                    .map(Check::parse)
                    .collect::<Result<Vec<_>>>()
            })
            .transpose()
            .map_err(|error| (Field::Checks, error))?;
        let input = changed(&self.input).filter(|_| !self.fixed_input);
        if input.as_ref().is_some_and(|text| text.trim().is_empty()) {
            return Err((Field::Input, Error::usage("A case needs an input.")));
        }
        Ok(CaseFields {
            input: input.map(|text| Content::Text(text.into())),
            expected: changed(&self.expected),
            expected_kind: (self.kind != self.kind_at_first).then_some(self.kind),
            reasoning: changed(&self.reasoning),
            category: (self.category.text() != self.category_at_first)
                .then(|| self.category.text().to_owned()),
            checks,
        })
    }

    fn save(&mut self, cx: &mut Cx<'_>) -> Outcome {
        let request = self.changes().and_then(|fields| match &self.subject {
            Subject::Case { set, id } => Ok(Request::Edit { set: set.clone(), case: id.clone(), fields }),
            Subject::New(drafts) => {
                let set = SetName::parse(self.set.text()).map_err(|error| (Field::Set, error))?;
                let traces = drafts.iter().filter_map(|draft| draft.body.trace.clone()).collect();
                let skip_duplicates = drafts.len() > 1;
                Ok(Request::Promote(PromoteRequest { traces, set, fields, skip_duplicates }))
            }
        });
        match request {
            Ok(Request::Edit { fields, .. }) if fields == CaseFields::default() => {
                Outcome::Answer(Reply::Yes)
            }
            Ok(request) if !self.saving => {
                self.saving = true;
                self.error = None;
                cx.start(act("saving the eval case", request));
                Outcome::Stay
            }
            Ok(_) => Outcome::Stay,
            Err((field, error)) => {
                self.error = Some(said(&error));
                self.focus = field;
                Outcome::Stay
            }
        }
    }

    fn shows_input(&self) -> bool {
        !matches!(&self.subject, Subject::New(drafts) if drafts.len() != 1)
    }
}

/// The texts of messages without their standing instructions, which would fill the field.
fn asked(messages: &Content) -> String {
    let mut all = String::new();
    messages.each_text(false, &mut |text| {
        let gap = if all.is_empty() { "" } else { "\n" };
        all.push_str(gap);
        all.push_str(text);
    });
    all
}

impl Layer for Promote {
    fn place(&self) -> Place {
        Place::Promote
    }

    fn view(&self, _env: &Env, canvas: &mut Canvas<'_>, area: Rect) {
        let foot = self.foot();
        let below = u16::try_from(foot.len()).unwrap_or(2).min(area.height / 3);
        let width = area.width.saturating_sub(2).min(110);
        // The frame, a space at both sides, the rule and what stands under it are not for the fields.
        let fields = self.laid(width.saturating_sub(4), area.height.saturating_sub(below + 3));
        let height = fields.iter().map(|(_, height)| height).sum::<u16>() + below + 3;
        let inside = canvas.frame(centred(area, width, height), &self.title());
        let inside = Rect { x: inside.x + 1, width: inside.width.saturating_sub(2), ..inside };
        let mut y = inside.y;
        for (field, height) in fields {
            self.field(canvas, Rect { y, height, ..inside }, field);
            y += height;
        }
        let rule = Rect { y: inside.bottom().saturating_sub(below + 1), height: 1, ..inside };
        canvas.rule(rule);
        canvas.lines(Rect { y: rule.y + 1, height: below, ..inside }, &foot);
    }

    fn command(&mut self, id: Id, cx: &mut Cx<'_>) -> Outcome {
        match id {
            overlays::NEXT_FIELD => self.step(true, cx),
            overlays::PREVIOUS_FIELD => self.step(false, cx),
            rows::SAVE => return self.save(cx),
            overlays::CLOSE => return Outcome::Answer(Reply::Cancelled),
            rows::KIND => {
                self.kind = match self.kind {
                    ExpectedKind::Output => ExpectedKind::Behaviour,
                    ExpectedKind::Behaviour => ExpectedKind::Output,
                };
            }
            rows::NEWLINE => {
                if let Some(area) = self.area_mut(self.focus) {
                    area.insert("\n");
                }
            }
            overlays::EXTERNAL => {
                if let Some(text) = self.area_mut(self.focus).map(|area| area.text()) {
                    cx.wish(Wish::Effect(Effect::EditExternally { text, suffix: ".md" }));
                }
            }
            _ => return Outcome::Unhandled,
        }
        Outcome::Stay
    }

    fn key(&mut self, key: Key, _cx: &mut Cx<'_>) -> Outcome {
        let field = self.focus;
        if let Some(area) = self.area_mut(field) {
            return typed(area.key(key));
        }
        match key.code {
            Code::Up | Code::Down => {
                self.offer(key.code == Code::Down);
                Outcome::Stay
            }
            _ if field == Field::Set => typed(self.set.key(key)),
            _ => typed(self.category.key(key)),
        }
    }

    fn paste(&mut self, text: &str) {
        match self.focus {
            Field::Set => self.set.insert(text),
            Field::Category => self.category.insert(text),
            field => {
                if let Some(area) = self.area_mut(field) {
                    area.insert(text);
                }
            }
        }
    }

    fn would_lose(&self) -> bool {
        self.category.text() != self.category_at_first
            || self.kind != self.kind_at_first
            || [&self.input, &self.expected, &self.reasoning, &self.checks].iter().any(|area| area.changed())
    }

    fn clicked(&mut self, _pane: Pane, index: usize, cx: &mut Cx<'_>) -> Outcome {
        if let Some(field) = self.order().get(index) {
            self.go(*field, cx);
        }
        Outcome::Stay
    }

    fn tag(&self) -> Tag {
        Tag("promote")
    }
}
