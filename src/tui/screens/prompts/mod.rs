//! Prompts: the versions of one on a time line, with what traces, labels, runs and incidents say of each; what
//! differs between two; and making one the current one.

mod lines;
#[cfg(test)]
mod tests;
mod view;
mod work;

pub use work::{Answer, Request};

use ratatui::layout::Rect;

use crate::command::table::{app, prompts as rows};
use crate::command::{Id, Place, When};
use crate::domain::{Query, Result, Untrusted};
use crate::ops::prompt::{UseView, VersionView};
use crate::ops::watch::Changes;
use crate::text::{Line, Role, diff};
use crate::tui::canvas::{Canvas, Pane};
use crate::tui::jobs::Job;
use crate::tui::overlays::{Choice, Confirm, Picker, Reply, Tag};
use crate::tui::screen::{Cx, Env, Handled, Screen, Wish};
use crate::tui::widgets::list::List;
use crate::tui::widgets::scroll::Scroll;
use crate::tui::words::{line, words};
use work::Shown;

const LIST: Pane = Pane("prompt versions");
const TEXT: Pane = Pane("prompt difference");
const PROMPT: Tag = Tag("prompts.prompt");
const INCIDENT: Tag = Tag("prompts.incident");
const USE: Tag = Tag("prompts.use");

/// The windows that can be chosen, in hours.
const WINDOWS: [i64; 3] = [672, 168, 24];

/// The state of the screen.
#[derive(Debug, Default)]
pub struct PromptsScreen {
    /// The prompt that is shown; without one the busiest.
    prompt: Option<String>,
    /// Which of [`WINDOWS`].
    window: usize,
    loaded: Option<Option<Box<Shown>>>,
    /// Places in the versions of what is loaded.
    versions: List<usize>,
    /// The version that others are compared with.
    base: Option<Untrusted>,
    open: Option<Difference>,
    /// The difference beside the versions, where there is room.
    beside: Option<Difference>,
    /// What waits for a yes.
    asked: Option<UseView>,
}

/// Two versions and their difference, laid out for a width.
#[derive(Debug)]
struct Difference {
    from: Untrusted,
    to: Untrusted,
    lines: Vec<Line>,
    /// Columns that it was laid out for; 0: not laid out.
    cols: usize,
    scroll: Scroll,
}

impl PromptsScreen {
    /// Takes the answer of a request.
    pub fn answered(&mut self, request: &Request, result: Result<Answer>, cx: &mut Cx<'_>) {
        match (result, request) {
            (Ok(Answer::None), _) => self.loaded = Some(None),
            (Ok(Answer::Shown(shown)), Request::Show { prompt, .. }) => {
                // What was asked for before another prompt was chosen is not wanted any more.
                if *prompt != self.prompt && self.prompt.is_some() {
                    return;
                }
                let at = self.version().map(|version| version.version.clone());
                self.prompt = Some(shown.view.prompt.clone());
                let versions = &shown.view.versions;
                let kept = at.and_then(|at| versions.iter().position(|version| version.version == at));
                let current = versions.iter().position(|version| version.current);
                self.versions = List::whole(0..versions.len());
                self.versions.select(kept.or(current).unwrap_or(0));
                self.loaded = Some(Some(shown));
                (self.beside, self.asked) = (None, None);
            }
            (Ok(Answer::Used(view)), Request::Use { dry_run: true, .. }) => self.ask(*view, cx),
            (Ok(Answer::Used(view)), _) => {
                let undo = view.undo.as_ref().map(|undo| format!("  {undo} takes it back"));
                let to = format!("{} is at {} now", view.prompt, view.to);
                cx.say(words().put(Role::Pass, "✓ ").plain(to).maybe(Role::Muted, undo).done());
                self.load(cx);
            }
            (Ok(_), _) => {}
            (Err(error), _) => cx.fail(error),
        }
    }

    fn load(&self, cx: &mut Cx<'_>) {
        let team = cx.env.team.clone();
        let request = Request::Show { team, prompt: self.prompt.clone(), hours: WINDOWS[self.window] };
        cx.start(Job::replace("prompts", "reading the prompt", request.into()));
    }

    fn shown_prompt(&self) -> Option<&Shown> {
        self.loaded.as_ref()?.as_deref()
    }

    /// The version under the cursor.
    fn version(&self) -> Option<&VersionView> {
        self.shown_prompt()?.view.versions.get(*self.versions.selected()?)
    }

    fn text(&self, version: &Untrusted) -> Option<&Untrusted> {
        self.shown_prompt()?.texts.iter().find(|(of, _)| of == version).map(|(_, text)| text)
    }

    /// What the version under the cursor is compared with: the marked one, else the one before in the folder.
    fn compared(&self) -> Option<(Untrusted, Untrusted)> {
        let to = self.version().filter(|version| version.known)?.version.clone();
        let texts = &self.shown_prompt()?.texts;
        let before = texts.iter().skip_while(|(of, _)| *of != to).nth(1).map(|(of, _)| of.clone());
        let base = self.base.clone().filter(|base| *base != to && self.text(base).is_some());
        Some((base.or(before)?, to))
    }

    fn difference(&self) -> Option<Difference> {
        let (from, to) = self.compared()?;
        Some(Difference { from, to, lines: Vec::new(), cols: 0, scroll: Scroll::default() })
    }

    fn plan_use(&self, cx: &mut Cx<'_>) {
        let (Some(shown), Some(version)) = (self.shown_prompt(), self.version()) else { return };
        let request = Request::Use {
            team: cx.env.team.clone(),
            prompt: shown.view.prompt.clone(),
            version: version.version.raw().to_owned(),
            dry_run: true,
        };
        cx.start(Job::replace("prompt use", "looking what would change", request.into()));
    }

    fn ask(&mut self, view: UseView, cx: &mut Cx<'_>) {
        if !view.changes {
            return cx.say(line(Role::Muted, format!("{} is at {} already", view.prompt, view.to)));
        }
        let question =
            format!("Make {} the current version of {}?\n{}", view.to, view.prompt, view.steps.join("\n"));
        cx.open(Confirm::new(USE, &question, "make it current"));
        self.asked = Some(view);
    }

    fn open_incidents(&self, cx: &mut Cx<'_>) {
        let Some(version) = self.version() else { return };
        match &version.incidents[..] {
            [] => {}
            [one] => cx.wish(Wish::Incident(one.clone())),
            more => {
                let choices = more.iter().map(|name| Choice::new(words().plain(name).done())).collect();
                cx.open(Picker::new(INCIDENT, line(Role::Title, "Which incident?"), choices));
            }
        }
    }

    fn choose(&self, cx: &mut Cx<'_>) {
        let Some(shown) = self.shown_prompt() else { return };
        let choice = |(name, requests): &(String, u64)| {
            Choice::new(words().plain(name).done()).detail(lines::requests(*requests))
        };
        let choices = shown.prompts.iter().map(choice).collect();
        cx.open(Picker::new(PROMPT, line(Role::Title, "Which prompt?"), choices));
    }

    /// Lays a difference out, when its width has changed.
    fn lay(&self, difference: &mut Difference, cols: usize) {
        if difference.cols == cols {
            return;
        }
        let text = |version| self.text(version).map(Untrusted::raw).unwrap_or_default();
        difference.lines = diff(text(&difference.from), text(&difference.to), cols);
        difference.cols = cols;
    }
}

impl Screen for PromptsScreen {
    fn place(&self) -> Place {
        Place::Prompts
    }

    fn view(&self, env: &Env, canvas: &mut Canvas<'_>, area: Rect) {
        view::view(self, env, canvas, area);
    }

    fn holds(&self, when: When) -> bool {
        let version = self.version();
        let is = |holds: &dyn Fn(&VersionView) -> bool| version.is_some_and(holds);
        // Over a difference, only what leads out of it.
        if self.open.is_some() {
            return when == rows::HAS_TEXT;
        }
        match when {
            rows::ON_LIST => self.shown_prompt().is_some(),
            rows::HAS_OTHERS => self.shown_prompt().is_some_and(|shown| shown.prompts.len() > 1),
            rows::HAS_TEXT | rows::CAN_MARK => is(&|version| version.known),
            rows::HAS_RUNS => is(&|version| !version.runs.is_empty()),
            rows::HAS_INCIDENTS => is(&|version| !version.incidents.is_empty()),
            rows::CAN_USE => is(&|version| version.known && !version.current),
            _ => false,
        }
    }

    fn opens(&self) -> bool {
        self.open.is_none() && self.version().is_some()
    }

    fn command(&mut self, id: Id, cx: &mut Cx<'_>) -> Handled {
        match id {
            app::BACK if self.open.is_some() => self.open = None,
            rows::DIFF if self.open.is_some() => self.open = None,
            rows::DIFF => match self.difference() {
                Some(difference) => self.open = Some(difference),
                None => cx.say(line(Role::Muted, "There is no version before it: mark one with b first.")),
            },
            rows::MARK => {
                let version =
                    self.version().filter(|version| version.known).map(|version| version.version.clone());
                self.base = if self.base == version { None } else { version };
                self.beside = None;
            }
            rows::USE => self.plan_use(cx),
            rows::RUNS => {
                if let (Some(shown), Some(version)) = (self.shown_prompt(), self.version()) {
                    cx.wish(Wish::Runs(format!("{}@{}", shown.view.prompt, version.version.raw())));
                }
            }
            rows::INCIDENTS => self.open_incidents(cx),
            rows::WINDOW => {
                self.window = (self.window + 1) % WINDOWS.len();
                self.load(cx);
            }
            rows::PROMPT => self.choose(cx),
            app::FIND => {
                let query = self.version().map(|version| version.query.clone());
                cx.open_traces(query.unwrap_or_else(Query::all));
                cx.command(app::FIND);
            }
            app::OPEN if self.open.is_none() => {
                if let Some(version) = self.version() {
                    cx.open_traces(version.query.clone());
                }
            }
            other => {
                let (list, text) = (cx.env.page(LIST), cx.env.page(TEXT));
                let moved = match &mut self.open {
                    Some(open) => open.scroll.command(other, open.lines.len(), text),
                    None => self.versions.command(other, list),
                };
                if !moved {
                    return Handled::No;
                }
            }
        }
        Handled::Yes
    }

    fn clicked(&mut self, pane: Pane, index: usize, cx: &mut Cx<'_>) {
        if pane != LIST {
            return;
        }
        // A second click on the line under the cursor opens it.
        if self.versions.selected_index() == index {
            cx.command(app::OPEN);
        }
        self.versions.select(index);
    }

    fn wheel(&mut self, pane: Pane, rows: i32, cx: &mut Cx<'_>) {
        let page = cx.env.page(pane);
        match (self.open.as_mut().or(self.beside.as_mut()), pane) {
            (Some(open), TEXT) => open.scroll.by(i64::from(rows), open.lines.len(), page),
            _ => self.versions.by(i64::from(rows.signum())),
        }
    }

    fn shown(&mut self, cx: &mut Cx<'_>) {
        self.load(cx);
    }

    fn replied(&mut self, tag: Tag, reply: Reply, cx: &mut Cx<'_>) {
        match (tag, reply) {
            (PROMPT, Reply::Picked(at)) => {
                let chosen =
                    self.shown_prompt().and_then(|shown| shown.prompts.get(at)).map(|(name, _)| name.clone());
                if chosen.is_some() {
                    (self.prompt, self.base, self.open) = (chosen, None, None);
                    self.load(cx);
                }
            }
            (INCIDENT, Reply::Picked(at)) => {
                if let Some(name) = self.version().and_then(|version| version.incidents.get(at)) {
                    cx.wish(Wish::Incident(name.clone()));
                }
            }
            (USE, Reply::Yes) => {
                if let Some(view) = self.asked.take() {
                    let team = cx.env.team.clone();
                    let request =
                        Request::Use { team, prompt: view.prompt, version: view.to, dry_run: false };
                    cx.start(Job::queue("prompt use", "changing the current version", request.into()));
                }
            }
            (USE, _) => self.asked = None,
            _ => {}
        }
    }

    fn ticks(&self) -> bool {
        true
    }

    fn tick(&mut self, cx: &mut Cx<'_>) {
        self.load(cx);
    }

    fn changed(&mut self, _changes: Changes, cx: &mut Cx<'_>) {
        if self.loaded.is_some() {
            self.load(cx);
        }
    }

    fn settle(&mut self, area: Rect, env: &Env) {
        self.versions.settle(env.page(LIST));
        if let Some(mut open) = self.open.take() {
            self.lay(&mut open, view::text_cols(area));
            open.scroll.clamp(open.lines.len(), usize::from(view::body(area).height));
            self.open = Some(open);
        }
        let Some(room) = view::beside(area) else { return };
        let wanted = self.compared();
        let stands = self
            .beside
            .take()
            .filter(|beside| wanted.as_ref() == Some(&(beside.from.clone(), beside.to.clone())));
        if let Some(mut beside) = stands.or_else(|| self.difference()) {
            self.lay(&mut beside, usize::from(room.width.saturating_sub(2)));
            self.beside = Some(beside);
        }
    }
}
