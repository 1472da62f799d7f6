//! The command palette: every command that works here, found by fuzzy search.

use ratatui::layout::Rect;

use super::picker::{filter_and_rows, fuzzy, moved};
use super::{Layer, Outcome, Reply, centred, typed};
use crate::command::table::overlays;
use crate::command::{Id, Key, Place, Row};
use crate::text::Role;
use crate::tui::canvas::{Canvas, Pane};
use crate::tui::screen::{Cx, Env};
use crate::tui::widgets::input::Input;
use crate::tui::widgets::list::List;
use crate::tui::words::{line, words};

const ROWS: Pane = Pane("palette");

/// The palette.
#[derive(Debug, Clone)]
pub struct Palette {
    rows: Vec<&'static Row>,
    filter: Input,
    shown: List<usize>,
}

impl Palette {
    /// A palette of these commands.
    pub fn new(rows: Vec<&'static Row>) -> Self {
        let shown = List::whole(0..rows.len());
        Self { rows, filter: Input::default(), shown }
    }

    fn refilter(&mut self) {
        let names: Vec<String> = self.rows.iter().map(|row| format!("{} {}", row.title, row.does)).collect();
        let titles: Vec<String> = self.rows.iter().map(|row| row.title.to_owned()).collect();
        // A hit in the title means more than one in the sentence.
        let mut order = fuzzy(self.filter.text(), &titles);
        order.extend(
            fuzzy(self.filter.text(), &names)
                .into_iter()
                .filter(|at| !order.contains(at))
                .collect::<Vec<_>>(),
        );
        self.shown = List::whole(order);
    }

    fn chosen(&self) -> Option<Id> {
        self.shown.selected().and_then(|at| self.rows.get(*at)).map(|row| row.id)
    }
}

impl Layer for Palette {
    fn place(&self) -> Place {
        Place::Palette
    }

    fn view(&self, env: &Env, canvas: &mut Canvas<'_>, area: Rect) {
        let height = u16::try_from(self.rows.len()).unwrap_or(u16::MAX).saturating_add(3).max(5);
        let area = centred(area, 76, height.min(area.height * 4 / 5));
        let inside = canvas.frame(area, &line(Role::Title, "Commands"));
        filter_and_rows(canvas, inside, &self.filter, &self.shown, ROWS, |canvas, area, at, _| {
            if let Some(row) = self.rows.get(*at) {
                let key = env.keymap.key_text(row.id).unwrap_or_default();
                let left = canvas.line_right(area, &line(Role::Key, key));
                canvas.line(left, &words().plain(row.title).muted(format!("  {}", row.does)).done());
            }
        });
    }

    fn command(&mut self, id: Id, cx: &mut Cx<'_>) -> Outcome {
        match id {
            overlays::ACCEPT => self.chosen().map_or(Outcome::Stay, Outcome::Command),
            overlays::CLOSE => Outcome::Answer(Reply::Cancelled),
            other => moved(&mut self.shown, other, cx.env.page(ROWS)),
        }
    }

    fn key(&mut self, key: Key, _cx: &mut Cx<'_>) -> Outcome {
        let taken = self.filter.key(key);
        self.refilter();
        typed(taken)
    }

    fn paste(&mut self, text: &str) {
        self.filter.insert(text);
        self.refilter();
    }

    fn clicked(&mut self, _pane: Pane, index: usize, _cx: &mut Cx<'_>) -> Outcome {
        self.shown.select(index);
        self.chosen().map_or(Outcome::Stay, Outcome::Command)
    }

    fn wheel(&mut self, rows: i32, env: &Env) {
        self.shown.by(i64::from(rows));
        self.shown.settle(env.page(ROWS));
    }
}
