//! Features: how each stands, how and by whom it was switched last, and what the traces say of it; and switching
//! one off and on, after a dry run and with its name typed.

mod lines;
#[cfg(test)]
mod tests;
mod view;
mod work;

pub use work::{Answer, Request};

use ratatui::layout::Rect;

use crate::command::table::{app, features as table};
use crate::command::{Id, Place, When};
use crate::domain::query::{NameField, Term, Word};
use crate::domain::switch::{Fallback, Power};
use crate::domain::{Query, Result};
use crate::ops::feature::{FeatureRow, SwitchAsk, SwitchView};
use crate::ops::watch::Changes;
use crate::text::Role;
use crate::tui::canvas::{Canvas, Pane};
use crate::tui::jobs::Job;
use crate::tui::overlays::{Field, Form, Reply, Tag};
use crate::tui::screen::{Cx, Env, Handled, Screen};
use crate::tui::widgets::list::List;
use crate::tui::widgets::scroll::Scroll;
use crate::tui::words::{line, words};

const LIST: Pane = Pane("features");
const DETAIL: Pane = Pane("feature");
const SWITCH: Tag = Tag("features.switch");

/// The state of the screen.
#[derive(Debug, Default)]
pub struct FeaturesScreen {
    /// `None`: not read yet.
    rows: Option<List<FeatureRow>>,
    /// What a switch would do, while its name is asked for.
    asked: Option<SwitchView>,
    /// How far the text of the row under the cursor is scrolled.
    scroll: Scroll,
}

impl FeaturesScreen {
    /// Takes the answer of a request.
    pub fn answered(&mut self, request: &Request, result: Result<Answer>, cx: &mut Cx<'_>) {
        match (result, request) {
            (Ok(Answer::Features(rows)), _) => {
                let list = self.rows.get_or_insert_default();
                list.replace(rows, |a, b| a.feature == b.feature);
            }
            (Ok(Answer::Switched(view)), Request::Switch { ask, .. }) if ask.dry_run => {
                if view.changes {
                    cx.open(self.form(&view, ["", "", ""], None));
                    self.asked = Some(*view);
                } else {
                    let already = format!("{} is {} already", view.feature, view.to.word());
                    cx.say(line(Role::Muted, already));
                    self.load(cx);
                }
            }
            (Ok(Answer::Switched(view)), _) => {
                cx.say(lines::done(&view));
                self.load(cx);
            }
            (Err(error), Request::Switch { .. }) => {
                cx.fail(error);
                self.load(cx);
            }
            (Err(error), _) => cx.fail(error),
        }
    }

    fn load(&self, cx: &mut Cx<'_>) {
        let request = Request::List { team: cx.env.team.clone() };
        cx.start(Job::replace("features", "asking the switches", request.into()));
    }

    fn row(&self) -> Option<&FeatureRow> {
        self.rows.as_ref()?.selected()
    }

    /// Says what switching the feature under the cursor would do.
    fn plan(&self, cx: &mut Cx<'_>) {
        let Some(row) = self.row() else { return };
        if row.kind.is_none() {
            let name = row.feature.raw();
            return cx.say(line(
                Role::Muted,
                format!("Say how it is switched: [features.{name}] in tuesday.toml"),
            ));
        }
        // Whose state cannot be told is switched off: that is what is wanted when something is wrong.
        let to = row.state.map_or(Power::Off, Power::opposite);
        let ask = SwitchAsk {
            feature: row.feature.raw().to_owned(),
            to,
            fallback: None,
            reason: None,
            dry_run: true,
        };
        let request = Request::Switch { team: cx.env.team.clone(), ask };
        cx.start(Job::replace("feature switch", "looking what would change", request.into()));
    }

    fn form(&self, view: &SwitchView, [name, reason, fallback]: [&str; 3], error: Option<&str>) -> Form {
        let title = words().put(Role::Title, format!("Switch {} {}", view.feature, view.to.word()));
        let mut fields = vec![
            Field::new("its name", name, format!("type {} to switch it {}", view.feature, view.to.word())),
            Field::new("because", reason, "for the record; may be empty"),
        ];
        if view.to == Power::Off {
            fields.push(Field::new("fallback", fallback, "what answers meanwhile: rules, human, or empty"));
        }
        let form = Form::new(SWITCH, title, fields).about(lines::plan(view));
        match error {
            Some(error) => form.with_error(error),
            None => form,
        }
    }

    fn switch(&mut self, view: SwitchView, fields: &[String], cx: &mut Cx<'_>) {
        let field = |at: usize| fields.get(at).map_or("", |text| text.trim());
        let (name, reason, word) = (field(0), field(1), field(2));
        let fallback = [Fallback::Rules, Fallback::Human].into_iter().find(|one| one.word() == word);
        let wrong = match () {
            () if name != view.feature => Some("That is not its name: nothing was switched."),
            () if fallback.is_none() && !word.is_empty() => Some("A fallback is rules or human, or nothing."),
            () => None,
        };
        if let Some(wrong) = wrong {
            cx.open(self.form(&view, [name, reason, word], Some(wrong)));
            self.asked = Some(view);
            return;
        }
        let ask = SwitchAsk {
            feature: view.feature,
            to: view.to,
            fallback,
            reason: Some(reason.to_owned()).filter(|reason| !reason.is_empty()),
            dry_run: false,
        };
        let request = Request::Switch { team: cx.env.team.clone(), ask };
        cx.start(Job::queue("feature switch", "switching, and reading back", request.into()));
    }

    fn traces(&self, cx: &mut Cx<'_>) {
        let Some(row) = self.row() else { return };
        let any = vec![Word::exact(row.feature.raw())];
        cx.open_traces(Query::all().with(Term::Name { field: NameField::Feature, any }));
    }
}

impl Screen for FeaturesScreen {
    fn place(&self) -> Place {
        Place::Features
    }

    fn view(&self, env: &Env, canvas: &mut Canvas<'_>, area: Rect) {
        view::view(self, env, canvas, area);
    }

    fn holds(&self, when: When) -> bool {
        when == table::ON_FEATURE && self.row().is_some()
    }

    fn opens(&self) -> bool {
        self.row().is_some()
    }

    fn command(&mut self, id: Id, cx: &mut Cx<'_>) -> Handled {
        match id {
            table::SWITCH | app::OPEN => self.plan(cx),
            table::TRACES => self.traces(cx),
            app::FIND => {
                self.traces(cx);
                cx.command(app::FIND);
            }
            other => {
                let page = cx.env.page(LIST);
                if !self.rows.as_mut().is_some_and(|rows| rows.command(other, page)) {
                    return Handled::No;
                }
                self.scroll = Scroll::default();
            }
        }
        Handled::Yes
    }

    fn hints(&self) -> Vec<(Id, &'static str)> {
        match self.row().filter(|row| row.kind.is_some()).map(|row| row.state) {
            Some(Some(Power::Off)) => vec![(table::SWITCH, "switch on")],
            Some(_) => vec![(table::SWITCH, "switch off")],
            None => Vec::new(),
        }
    }

    fn clicked(&mut self, pane: Pane, index: usize, _cx: &mut Cx<'_>) {
        // A second click switches nothing: that takes a key.
        if let (LIST, Some(rows)) = (pane, &mut self.rows) {
            rows.select(index);
        }
    }

    fn wheel(&mut self, pane: Pane, rows: i32, cx: &mut Cx<'_>) {
        let page = cx.env.page(pane);
        match (pane, &mut self.rows) {
            (LIST, Some(list)) => {
                list.by(i64::from(rows));
                list.settle(page);
            }
            (DETAIL, _) => self.scroll.by(i64::from(rows), lines::MOST, page),
            _ => {}
        }
    }

    fn shown(&mut self, cx: &mut Cx<'_>) {
        self.load(cx);
    }

    fn replied(&mut self, tag: Tag, reply: Reply, cx: &mut Cx<'_>) {
        let Some(view) = self.asked.take().filter(|_| tag == SWITCH) else { return };
        if let Reply::Fields(fields) = reply {
            self.switch(view, &fields, cx);
        }
    }

    fn ticks(&self) -> bool {
        true
    }

    fn tick(&mut self, cx: &mut Cx<'_>) {
        self.load(cx);
    }

    fn changed(&mut self, _changes: Changes, cx: &mut Cx<'_>) {
        if self.rows.is_some() {
            self.load(cx);
        }
    }

    fn settle(&mut self, _area: Rect, env: &Env) {
        if let Some(rows) = &mut self.rows {
            rows.settle(env.page(LIST));
        }
    }
}
