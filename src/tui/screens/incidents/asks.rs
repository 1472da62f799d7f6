//! What a person is asked, and what becomes of the answer.

use std::path::PathBuf;

use super::run_step::{Leads, Open};
use super::{IncidentsScreen, Request};
use crate::domain::incident::{Action, ActionKind, Outcome, Verdict};
use crate::domain::runbook::{Section, Severity};
use crate::domain::sample::parse_since;
use crate::domain::{Result, Untrusted};
use crate::ops::incident::{Act, ReplayAsk, StepView, replay_targets};
use crate::text::{Role, figures};
use crate::tui::jobs::Job;
use crate::tui::overlays::{Choice, Confirm, Editor, Field, Form, Picker, Prompt, Reply, Tag};
use crate::tui::screen::Cx;
use crate::tui::words::{line, words};

pub(super) const ASK: Tag = Tag("incident");
/// What asking the failing examples again may cost from the screen, in US dollars; the command takes `--max-usd`.
const REPLAY_USD: f64 = 1.0;

/// A question that is open, with what it is about.
#[derive(Debug, Clone, PartialEq)]
pub enum Asked {
    Title,
    /// What came of this step.
    Done(String),
    /// Which of its answers; the words under it are asked for if none fits.
    Choice(String, Vec<Untrusted>),
    Skip(String),
    /// Why this step is signed although its figures do not settle it; how that is called.
    Override(String, &'static str),
    Owner(String),
    Note,
    Severity,
    Began,
    Feature,
    Find,
    Attach,
    Traces,
    Query,
    HandOver,
    Scribe,
    Update,
    Outcome,
    Closing(Outcome),
    Path,
    Replace(Request),
    Part,
    Text(Section),
    Action,
    /// Which of these targets the failing examples are asked of again.
    Replay(Vec<String>),
    /// What this step would do was shown.
    Plan(String, Leads),
    /// What became of an act of this step is asked.
    Unsettled(String, Vec<Open>),
}

impl IncidentsScreen {
    pub(super) fn ask(
        &mut self,
        asked: Asked,
        overlay: impl Into<crate::tui::overlays::Overlay>,
        cx: &mut Cx<'_>,
    ) {
        self.asked = Some(asked);
        cx.open(overlay);
    }

    /// The step under the cursor.
    pub(super) fn step(&self) -> Option<StepView> {
        self.open.as_ref()?.step().cloned()
    }

    pub(super) fn ask_title(&mut self, cx: &mut Cx<'_>) {
        self.ask(Asked::Title, Prompt::new(ASK, "what is wrong:", ""), cx);
    }

    pub(super) fn ask_done(&mut self, cx: &mut Cx<'_>) {
        let Some(step) = self.step() else { return };
        if step.state.is_settled() {
            // The step machine has the words for it: who did it, and how to take it up again.
            return self.acts(vec![Act::Done { step: step.id, note: None }], "", cx);
        }
        if step.choices.is_empty() {
            return self.ask_words(&step, cx);
        }
        let choices = step.choices.iter().enumerate().map(|(at, choice)| {
            let key = u32::try_from(at + 1).ok().and_then(|n| char::from_digit(n, 10));
            let choice = Choice::new(line(Role::Plain, choice.raw()));
            match key {
                Some(key) => choice.detail(line(Role::Key, key.to_string())).key(key),
                None => choice,
            }
        });
        let other = Choice::new(line(Role::Muted, "in words…"));
        let picker =
            Picker::new(ASK, words().put(Role::Title, step.title.raw()), choices.chain([other]).collect());
        self.ask(Asked::Choice(step.id, step.choices), picker, cx);
    }

    /// Asks what came of a step: in an editor when it becomes a part of the post-mortem.
    pub(super) fn ask_words(&mut self, step: &StepView, cx: &mut Cx<'_>) {
        let asked = Asked::Done(step.id.clone());
        let text = step.note.as_ref().map(Untrusted::raw).unwrap_or_default();
        if step.fills.is_some() {
            let title = words().put(Role::Title, step.title.raw());
            return self.ask(asked, Editor::new(ASK, title, text, ".md"), cx);
        }
        let label = if step.acts { "done by hand, what was done:" } else { "done, note:" };
        self.ask(asked, Prompt::new(ASK, label, text), cx);
    }

    pub(super) fn begin(&mut self, cx: &mut Cx<'_>) {
        let Some(step) = self.step() else { return };
        let said = format!("begun: {}", step.title.raw());
        self.acts(vec![Act::Start { step: step.id, owner: None, note: None }], said, cx);
    }

    pub(super) fn reopen(&mut self, cx: &mut Cx<'_>) {
        let Some(step) = self.step() else { return };
        let said = format!("taken up again: {}", step.title.raw());
        self.acts(vec![Act::Reopen { step: step.id, note: None }], said, cx);
    }

    pub(super) fn ask_skip(&mut self, cx: &mut Cx<'_>) {
        let Some(step) = self.step() else { return };
        self.ask(Asked::Skip(step.id), Prompt::new(ASK, "skipped, because:", ""), cx);
    }

    /// Asks why a step is signed that its figures do not settle.
    pub(super) fn ask_override(&mut self, cx: &mut Cx<'_>) {
        let Some(step) = self.step() else { return };
        let how = match (&step.found, step.acting.is_some(), step.clean_from.is_some()) {
            (_, _, true) => "unproven",
            (_, true, _) => "unconfirmed",
            (Some(found), ..) if found.verdict == Verdict::Breach => "in breach",
            _ => "with too little data",
        };
        let label = format!("signed {how}, because:");
        self.ask(Asked::Override(step.id, how), Prompt::new(ASK, &label, ""), cx);
    }

    pub(super) fn ask_owner(&mut self, cx: &mut Cx<'_>) {
        let Some(step) = self.step() else { return };
        let owner = step.owner.map_or_else(|| cx.env.reviewer.clone(), Untrusted::into_raw);
        self.ask(Asked::Owner(step.id), Prompt::new(ASK, "owner:", &owner), cx);
    }

    pub(super) fn ask_note(&mut self, cx: &mut Cx<'_>) {
        self.ask(Asked::Note, Prompt::new(ASK, "note:", ""), cx);
    }

    pub(super) fn ask_severity(&mut self, cx: &mut Cx<'_>) {
        let open = self.open.as_ref();
        let now = open.and_then(|open| open.view.as_ref()).and_then(|view| view.head.severity);
        let suggested = open.and_then(|open| open.figures.as_ref()).and_then(|now| now.suggested_severity);
        let words_of = |severity| match severity {
            Severity::Sev1 => "a fifth of the users hit, or anything unsafe",
            Severity::Sev2 => "one user in twenty, or wrong advice that people act on",
            Severity::Sev3 => "one in a hundred, or cost doubled",
            Severity::Sev4 => "less",
        };
        let choices = Severity::ALL.map(|severity| {
            let mut name = words().plain(format!("{severity}  ")).muted(words_of(severity));
            if suggested == Some(severity) {
                name = name.put(Role::Accent, "  suggested by the figures");
            }
            let key = char::from_digit(severity as u32 + 1, 10).unwrap_or('1');
            Choice::new(name).detail(line(Role::Key, key.to_string())).key(key)
        });
        let at = now.or(suggested).map_or(1, |severity| severity as usize);
        let picker = Picker::new(ASK, words().put(Role::Title, "How bad is it?"), choices.to_vec()).at(at);
        self.ask(Asked::Severity, picker, cx);
    }

    pub(super) fn ask_began(&mut self, cx: &mut Cx<'_>) {
        self.ask(Asked::Began, Prompt::new(ASK, "it began (90m, 2h, a time with its zone):", ""), cx);
    }

    pub(super) fn ask_feature(&mut self, cx: &mut Cx<'_>) {
        let view = self.open.as_ref().and_then(|open| open.view.as_ref());
        let feature =
            view.and_then(|view| view.head.feature.as_ref()).map(Untrusted::raw).unwrap_or_default();
        let prompt = Prompt::new(ASK, "about the feature (empty: all):", feature);
        self.ask(Asked::Feature, prompt, cx);
    }

    pub(super) fn ask_find(&mut self, cx: &mut Cx<'_>) {
        self.ask(Asked::Find, Prompt::new(ASK, "find:", ""), cx);
    }

    pub(super) fn ask_attach(&mut self, cx: &mut Cx<'_>) {
        let choice = |name: &str, key: char| {
            Choice::new(line(Role::Plain, name)).detail(line(Role::Key, key.to_string())).key(key)
        };
        let choices = vec![
            choice("traces, by id", 't'),
            choice("a query", 'q'),
            choice("the figures as they are now", 'f'),
        ];
        self.ask(
            Asked::Attach,
            Picker::new(ASK, words().put(Role::Title, "Attach as evidence"), choices),
            cx,
        );
    }

    /// Asks which target answers as the feature does now; says what is missing where there is none.
    pub(super) fn ask_replay(&mut self, cx: &mut Cx<'_>) {
        let config = cx.env.evaluation.clone();
        let names: Vec<String> = match replay_targets(&config) {
            Ok(names) => names.into_iter().map(str::to_owned).collect(),
            Err(error) => return cx.fail(error),
        };
        let choices = config.targets.iter().filter(|one| names.contains(&one.name)).map(|one| {
            let prompt = one.prompt.as_ref().map_or_else(|| "no prompt".to_owned(), Clone::clone);
            Choice::new(words().plain(&one.name).muted(format!("  {prompt}")))
        });
        let title =
            words().put(Role::Title, format!("Ask the failing examples again of (at most ${REPLAY_USD:.2})"));
        let picker = Picker::new(ASK, title, choices.collect());
        self.ask(Asked::Replay(names), picker, cx);
    }

    pub(super) fn ask_hand_over(&mut self, cx: &mut Cx<'_>) {
        self.ask(Asked::HandOver, Prompt::new(ASK, "who leads from here:", ""), cx);
    }

    pub(super) fn ask_scribe(&mut self, cx: &mut Cx<'_>) {
        self.ask(Asked::Scribe, Prompt::new(ASK, "who keeps the record (empty: who leads):", ""), cx);
    }

    /// Asks for the update, with a draft to change.
    pub(super) fn ask_update(&mut self, draft: &str, cx: &mut Cx<'_>) {
        let title = words().put(Role::Title, "Update to those who wait");
        self.ask(Asked::Update, Editor::new(ASK, title, draft, ".md"), cx);
    }

    pub(super) fn ask_close(&mut self, cx: &mut Cx<'_>) {
        let Some(view) = self.open.as_ref().and_then(|open| open.view.as_ref()) else { return };
        let open = view.phases.iter().flat_map(|phase| &phase.steps).filter(|step| !step.state.is_settled());
        let open = match open.count() {
            0 => String::new(),
            n => format!("{} open; ", figures::plural(n, "step")),
        };
        let choices = vec![
            Choice::new(words().plain("resolved  ").muted(format!("{open}the post-mortem goes on after it")))
                .detail(line(Role::Key, "r"))
                .key('r'),
            Choice::new(words().plain("false alarm  ").muted("there was nothing: say why"))
                .detail(line(Role::Key, "f"))
                .key('f'),
        ];
        let title = words().put(Role::Title, format!("Close {}", view.head.id));
        self.ask(Asked::Outcome, Picker::new(ASK, title, choices), cx);
    }

    pub(super) fn ask_path(&mut self, cx: &mut Cx<'_>) {
        let Some(open) = &self.open else { return };
        let name = format!("{}.md", open.id.to_lowercase());
        self.ask(Asked::Path, Prompt::new(ASK, "write it to:", &name), cx);
    }

    pub(super) fn ask_to_replace(&mut self, request: Request, cx: &mut Cx<'_>) {
        let Request::Save { id, by, zone, path, .. } = request else { return };
        let question =
            format!("{} is there already. Replace it? What was edited in it is lost.", path.display());
        let again = Request::Save { id, by, zone, path, replace: true };
        self.ask(Asked::Replace(again), Confirm::new(ASK, &question, "replace it"), cx);
    }

    pub(super) fn ask_part(&mut self, cx: &mut Cx<'_>) {
        let Some(view) = self.open.as_ref().and_then(|open| open.view.as_ref()) else { return };
        let choices = Section::ALL.map(|section| {
            let written = view.sections.contains_key(&section);
            let state = if written { line(Role::Muted, "written") } else { line(Role::Accent, "missing") };
            Choice::new(line(Role::Plain, section.title())).detail(state)
        });
        let title = words().put(Role::Title, "Which part?");
        let first = Section::ALL.iter().position(|section| !view.sections.contains_key(section));
        let picker = Picker::new(ASK, title, choices.to_vec()).at(first.unwrap_or(0));
        self.ask(Asked::Part, picker, cx);
    }

    pub(super) fn ask_action(&mut self, cx: &mut Cx<'_>) {
        let fields = vec![
            Field::new("what", "", "something that can be done and seen to be done"),
            Field::new("to", "prevent", "detect, prevent or correct"),
            Field::new("owner", "", "a name"),
            Field::new("due", "", "a date"),
        ];
        self.ask(Asked::Action, Form::new(ASK, words().put(Role::Title, "An action"), fields), cx);
    }

    /// Takes the answer to a question. Closing a question changes nothing.
    pub(super) fn answer(&mut self, asked: Asked, reply: Reply, cx: &mut Cx<'_>) {
        match reply {
            Reply::Cancelled => {}
            Reply::Text(text) => self.answered_text(asked, text, cx),
            Reply::Picked(index) => self.picked(asked, index, cx),
            Reply::Fields(fields) => self.filled(fields, cx),
            Reply::Yes => match asked {
                Asked::Replace(request) => Self::act(request, cx),
                Asked::Plan(step, leads) => self.let_step(step, &leads, None, cx),
                _ => {}
            },
        }
    }

    fn answered_text(&mut self, asked: Asked, text: String, cx: &mut Cx<'_>) {
        if asked == Asked::Find {
            return self.find(&text, cx);
        }
        let Some(id) = self.open.as_ref().map(|open| open.id.clone()) else {
            if asked == Asked::Title {
                Self::act(Request::Open { title: text, books: cx.env.books.clone() }, cx);
            }
            return;
        };
        let note = || (!text.trim().is_empty()).then(|| Untrusted::from(text.as_str()));
        match asked {
            Asked::Title => Self::act(Request::Open { title: text, books: cx.env.books.clone() }, cx),
            Asked::Plan(step, leads) => self.let_step(step, &leads, Some(text), cx),
            Asked::Done(step) => self.settled("done", step, |step| Act::Done { step, note: note() }, cx),
            Asked::Skip(step) => self.settled("skipped", step, |step| Act::Skip { step, note: note() }, cx),
            // Against its figures a step is signed with a reason or not at all.
            Asked::Override(..) if text.trim().is_empty() => {
                cx.say(words().plain("not signed: a step is signed against its figures with a reason only"));
            }
            Asked::Override(step, how) => {
                let note = Some(Untrusted::from(format!("signed {how}: {}", text.trim()).as_str()));
                self.settled(&format!("signed {how}"), step, |step| Act::Done { step, note }, cx);
            }
            Asked::Owner(step) => {
                let said = format!("{} has it", text.trim());
                self.acts(vec![Act::Assign { step, owner: text.trim().into() }], said, cx);
            }
            Asked::Note => self.acts(vec![Act::Note { text: text.into(), step: None }], "noted", cx),
            Asked::Began => match parse_since(&text, cx.env.now) {
                Ok(began_at) => self.acts(vec![Act::Began { began_at }], "counting from then", cx),
                Err(error) => cx.fail(error),
            },
            Asked::Feature => {
                let act = Act::Feature { feature: note() };
                self.acts(vec![act], "counting its traces from now on", cx);
            }
            Asked::Traces => {
                let ids = text.split([' ', ',']).filter(|id| !id.is_empty());
                Self::act(Request::Attach { id, traces: ids.map(Untrusted::from).collect() }, cx);
            }
            Asked::Query => Self::act(Request::AttachQuery { id, query: text }, cx),
            Asked::HandOver => {
                let said = format!("{} leads now", text.trim());
                self.acts(vec![Act::HandOver { to: text.trim().into(), note: None }], said, cx);
            }
            Asked::Scribe => {
                let who = text.trim();
                let said = if who.is_empty() {
                    "who leads keeps the record".to_owned()
                } else {
                    format!("{who} keeps the record")
                };
                self.acts(vec![Act::Scribe { who: Some(who.into()) }], said, cx);
            }
            Asked::Update => self.acts(vec![Act::Update { text: text.into() }], "told those who wait", cx),
            Asked::Closing(outcome) => Self::act(Request::Close { id, outcome, note: note() }, cx),
            Asked::Path if text.trim().is_empty() => {}
            Asked::Path => {
                let path = PathBuf::from(text.trim());
                let (by, zone) = (super::configured(cx), cx.env.zone.clone());
                Self::act(Request::Save { id, by, zone, path, replace: false }, cx);
            }
            Asked::Text(section) => {
                let said = format!("{} written", section.title().to_lowercase());
                self.acts(vec![Act::Write { section, text: text.into() }], said, cx);
            }
            _ => {}
        }
    }

    /// Settles a step and says how to take it back.
    fn settled(&mut self, how: &str, step: String, act: impl FnOnce(String) -> Act, cx: &mut Cx<'_>) {
        let title =
            self.step().filter(|view| view.id == step).map_or(step.clone(), |view| view.title.into_raw());
        let said = format!("{how}: {title}");
        self.acts(vec![act(step)], said, cx);
    }

    fn picked(&mut self, asked: Asked, index: usize, cx: &mut Cx<'_>) {
        let Some(id) = self.open.as_ref().map(|open| open.id.clone()) else { return };
        match asked {
            Asked::Choice(step, choices) => match choices.get(index) {
                Some(choice) => {
                    let note = Some(choice.clone());
                    let mut acts = Vec::new();
                    // The answer to “how bad” is the severity itself.
                    let said = Severity::from_name(choice.raw()).filter(|severity| {
                        let view = self.open.as_ref().and_then(|open| open.view.as_ref());
                        view.is_some_and(|view| view.head.severity != Some(*severity))
                    });
                    acts.extend(said.map(|severity| Act::Severity { severity, note: None }));
                    acts.push(Act::Done { step, note });
                    self.acts(acts, choice.raw(), cx);
                }
                None => {
                    if let Some(step) = self.step() {
                        self.ask_words(&step, cx);
                    }
                }
            },
            Asked::Unsettled(step, ways) => {
                if let Some(way) = ways.get(index) {
                    self.settle_unknown(step, *way, cx);
                }
            }
            Asked::Severity => {
                if let Some(severity) = Severity::ALL.get(index) {
                    let act = Act::Severity { severity: *severity, note: None };
                    self.acts(vec![act], format!("{severity} now"), cx);
                }
            }
            Asked::Attach => match index {
                0 => self.ask(Asked::Traces, Prompt::new(ASK, "trace ids:", ""), cx),
                1 => self.ask(Asked::Query, Prompt::new(ASK, "query:", ""), cx),
                _ => Self::act(Request::KeepFigures { id }, cx),
            },
            Asked::Outcome => {
                let (outcome, label) = match index {
                    0 => (Outcome::Resolved, "resolved, in a sentence:"),
                    _ => (Outcome::FalseAlarm, "a false alarm, because:"),
                };
                self.ask(Asked::Closing(outcome), Prompt::new(ASK, label, ""), cx);
            }
            Asked::Replay(names) => {
                if let Some(target) = names.into_iter().nth(index) {
                    let ask = ReplayAsk { target: Some(target), max_usd: Some(REPLAY_USD) };
                    let request = Request::Replay { config: cx.env.evaluation.clone(), id, ask };
                    let does = "asking the failing examples again";
                    cx.start(Job::exclusive("incident replay", does, request.into()));
                }
            }
            Asked::Part => {
                let Some(section) = Section::ALL.get(index).copied() else { return };
                let view = self.open.as_ref().and_then(|open| open.view.as_ref());
                let text = view.and_then(|view| view.sections.get(&section));
                let text = text.map(Untrusted::raw).unwrap_or_default().to_owned();
                let title = words().put(Role::Title, section.title());
                self.ask(Asked::Text(section), Editor::new(ASK, title, &text, ".md"), cx);
            }
            _ => {}
        }
    }

    fn filled(&mut self, fields: Vec<String>, cx: &mut Cx<'_>) {
        match action(&fields) {
            Ok(action) => self.acts(vec![Act::AddAction { action }], "action added", cx),
            Err(error) => cx.fail(error),
        }
    }
}

fn action(fields: &[String]) -> Result<Action> {
    let text = |at: usize| fields.get(at).map(|text| text.trim()).filter(|text| !text.is_empty());
    let kind = text(1).unwrap_or(ActionKind::default().name());
    let kind = ActionKind::ALL.into_iter().find(|known| known.name() == kind).ok_or_else(|| {
        crate::domain::Error::not_so(format!("An action does not {kind}; it can detect, prevent or correct."))
    })?;
    Ok(Action {
        text: text(0).unwrap_or_default().into(),
        kind,
        owner: text(2).map(Untrusted::from),
        due: text(3).map(Untrusted::from),
    })
}
