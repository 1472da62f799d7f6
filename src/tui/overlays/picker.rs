//! A list to choose from; typing filters it.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use ratatui::layout::Rect;

use super::{Layer, Outcome, Reply, Tag, centred, typed};
use crate::command::table::{app, overlays};
use crate::command::{Id, Key, Place};
use crate::text::{Line, Role};
use crate::tui::canvas::{Canvas, Pane};
use crate::tui::screen::{Cx, Env};
use crate::tui::widgets::input::Input;
use crate::tui::widgets::list::List;
use crate::tui::words::words;

const ROWS: Pane = Pane("picker");

/// One thing to choose.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// What it is called; the filter looks here.
    pub name: Line,
    /// What stands at the right: a key, a count.
    pub detail: Line,
    /// A key that chooses it at once while the filter is empty, such as a failure mode's.
    pub key: Option<char>,
}

impl Choice {
    /// A choice with nothing at the right.
    pub fn new(name: impl Into<Line>) -> Self {
        Self { name: name.into(), detail: Line::default(), key: None }
    }

    /// Puts this at the right.
    pub fn detail(mut self, detail: impl Into<Line>) -> Self {
        self.detail = detail.into();
        self
    }

    /// Chooses it at this key.
    pub fn key(mut self, key: char) -> Self {
        self.key = Some(key);
        self
    }
}

/// A list to choose from.
#[derive(Debug, Clone)]
pub struct Picker {
    tag: Tag,
    title: Line,
    choices: Vec<Choice>,
    filter: Input,
    shown: List<usize>,
}

impl Picker {
    /// A picker; the cursor is on the first choice.
    pub fn new(tag: Tag, title: impl Into<Line>, choices: Vec<Choice>) -> Self {
        let shown = List::whole(0..choices.len());
        Self { tag, title: title.into(), choices, filter: Input::default(), shown }
    }

    /// The same with the cursor on this choice.
    pub fn at(mut self, index: usize) -> Self {
        self.shown.select(index);
        self
    }

    fn refilter(&mut self) {
        let names: Vec<String> = self.choices.iter().map(|choice| choice.name.text()).collect();
        self.shown = List::whole(fuzzy(self.filter.text(), &names));
    }
}

/// The indices of the names that fit the filter, best first; all in their order for an empty one.
pub fn fuzzy(filter: &str, names: &[String]) -> Vec<usize> {
    if filter.trim().is_empty() {
        return (0..names.len()).collect();
    }
    let pattern = Pattern::parse(filter, CaseMatching::Smart, Normalization::Smart);
    let mut matcher = Matcher::new(Config::DEFAULT);
    let mut scored: Vec<(u32, usize)> = names
        .iter()
        .enumerate()
        .filter_map(|(at, name)| {
            let score = pattern.score(Utf32Str::new(name, &mut Vec::new()), &mut matcher)?;
            Some((score, at))
        })
        .collect();
    scored.sort_by_key(|(score, at)| (std::cmp::Reverse(*score), *at));
    scored.into_iter().map(|(_, at)| at).collect()
}

impl Layer for Picker {
    fn place(&self) -> Place {
        Place::Picker
    }

    fn view(&self, _env: &Env, canvas: &mut Canvas<'_>, area: Rect) {
        let height = u16::try_from(self.choices.len()).unwrap_or(u16::MAX).saturating_add(3).max(5);
        let inside = canvas.frame(centred(area, 72, height.min(area.height * 4 / 5)), &self.title);
        let names = self.choices.iter().map(|choice| choice.name.width()).max().unwrap_or(0);
        let details = self.choices.iter().map(|choice| choice.detail.width()).max().unwrap_or(0);
        filter_and_rows(canvas, inside, &self.filter, &self.shown, ROWS, |canvas, row, at, _| {
            let Some(choice) = self.choices.get(*at) else { return };
            // Short details stand at the right; long ones in a column behind the names, which come first.
            let behind = u16::try_from(names + 2).unwrap_or(row.width).min(row.width);
            let beside = Rect { x: row.x + behind, width: row.width - behind, ..row };
            if details <= usize::from(beside.width) {
                canvas.line_right(beside, &choice.detail);
            } else {
                canvas.line(beside, &choice.detail);
            }
            canvas.line(row, &choice.name);
        });
    }

    fn command(&mut self, id: Id, cx: &mut Cx<'_>) -> Outcome {
        match id {
            overlays::ACCEPT => match self.shown.selected() {
                Some(index) => Outcome::Answer(Reply::Picked(*index)),
                None => Outcome::Stay,
            },
            overlays::CLOSE => Outcome::Answer(Reply::Cancelled),
            other => moved(&mut self.shown, other, cx.env.page(ROWS)),
        }
    }

    fn key(&mut self, key: Key, _cx: &mut Cx<'_>) -> Outcome {
        if self.filter.text().is_empty()
            && let Some(c) = key.typed()
            && let Some(at) = self.choices.iter().position(|choice| choice.key == Some(c))
        {
            return Outcome::Answer(Reply::Picked(at));
        }
        let taken = self.filter.key(key);
        self.refilter();
        typed(taken)
    }

    fn paste(&mut self, text: &str) {
        self.filter.insert(text);
        self.refilter();
    }

    fn clicked(&mut self, _pane: Pane, index: usize, _cx: &mut Cx<'_>) -> Outcome {
        match self.shown.rows().get(index) {
            Some(at) => Outcome::Answer(Reply::Picked(*at)),
            None => Outcome::Stay,
        }
    }

    fn wheel(&mut self, rows: i32, env: &Env) {
        self.shown.by(i64::from(rows));
        self.shown.settle(env.page(ROWS));
    }

    fn tag(&self) -> Tag {
        self.tag
    }
}

/// Draws a filter line and the rows under it.
pub(super) fn filter_and_rows<T>(
    canvas: &mut Canvas<'_>,
    inside: Rect,
    filter: &Input,
    list: &List<T>,
    pane: Pane,
    draw: impl FnMut(&mut Canvas<'_>, Rect, &T, bool),
) {
    let inside = Rect { x: inside.x + 1, width: inside.width.saturating_sub(2), ..inside };
    let field = Rect { height: 1.min(inside.height), ..inside };
    canvas.line(field, &words().put(Role::Key, "› ").done());
    filter.view(canvas, Rect { x: field.x + 2, width: field.width.saturating_sub(2), ..field }, true);
    let rows = Rect { y: inside.y + field.height, height: inside.height - field.height, ..inside };
    if list.is_empty() {
        canvas.line(rows, &words().muted("Nothing fits. Delete some of what you typed.").done());
    }
    list.view(canvas, rows, pane, draw);
}

/// Moves in a list as an overlay's command says.
pub(super) fn moved<T>(list: &mut List<T>, id: Id, page: usize) -> Outcome {
    let same = match id {
        overlays::NEXT => app::DOWN,
        overlays::PREVIOUS => app::UP,
        overlays::PAGE_DOWN => app::PAGE_DOWN,
        overlays::PAGE_UP => app::PAGE_UP,
        _ => return Outcome::Unhandled,
    };
    list.command(same, page);
    Outcome::Stay
}
