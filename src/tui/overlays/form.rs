//! A few one-line fields with labels, filled in together.

use ratatui::layout::Rect;

use super::{Layer, Outcome, Reply, Tag, centred, typed};
use crate::command::table::overlays;
use crate::command::{Id, Key, Place};
use crate::text::{Line, Role, width, wrap_line};
use crate::tui::canvas::{Canvas, Hit, Pane};
use crate::tui::screen::{Cx, Env};
use crate::tui::widgets::input::Input;
use crate::tui::words::line;

const FIELDS: Pane = Pane("form");

/// One field.
#[derive(Debug, Clone)]
pub struct Field {
    label: &'static str,
    /// What belongs into it, shown while it is empty or in focus.
    help: String,
    input: Input,
}

impl Field {
    /// A field with this label, a first value, and words on what belongs into it.
    pub fn new(label: &'static str, value: &str, help: impl Into<String>) -> Self {
        Self { label, help: help.into(), input: Input::new(value) }
    }
}

/// Fields to fill in.
#[derive(Debug, Clone)]
pub struct Form {
    tag: Tag,
    title: Line,
    /// What is to be known before it is filled in.
    about: Vec<Line>,
    fields: Vec<Field>,
    at_first: Vec<String>,
    focus: usize,
    /// What is wrong with what was typed, under the fields.
    error: Option<Line>,
}

impl Form {
    /// A form; the cursor is in the first field.
    pub fn new(tag: Tag, title: impl Into<Line>, fields: Vec<Field>) -> Self {
        let at_first = fields.iter().map(|field| field.input.text().to_owned()).collect();
        Self { tag, title: title.into(), about: Vec::new(), fields, at_first, focus: 0, error: None }
    }

    /// The same form with these lines above its fields.
    pub fn about(self, about: Vec<Line>) -> Self {
        Self { about, ..self }
    }

    /// The same form with words on what was wrong, opened again after an answer that cannot be.
    pub fn with_error(mut self, error: impl AsRef<str>) -> Self {
        self.error = Some(line(Role::Fail, error));
        self
    }
}

impl Layer for Form {
    fn place(&self) -> Place {
        Place::Form
    }

    fn view(&self, _env: &Env, canvas: &mut Canvas<'_>, area: Rect) {
        let labels = self.fields.iter().map(|field| width(field.label)).max().unwrap_or(0);
        let labels = u16::try_from(labels).unwrap_or(0);
        let fields = u16::try_from(self.fields.len() * 2).unwrap_or(2) + 2 + u16::from(self.error.is_some());
        let wide = centred(area, 72, 1).width.saturating_sub(4);
        let about: Vec<Line> =
            self.about.iter().flat_map(|line| wrap_line(line, usize::from(wide), &[], &[])).collect();
        // What is to be filled in is seen, however much there is to be known; a line stands between them.
        let room = area.height.saturating_sub(fields + 1);
        let shown = u16::try_from(about.len()).unwrap_or(u16::MAX).min(room);
        let height = if shown > 0 { fields + shown + 1 } else { fields };
        let inside = canvas.frame(centred(area, 72, height), &self.title);
        let mut row = Rect { x: inside.x + 1, width: inside.width.saturating_sub(2), height: 1, ..inside };
        for line in about.iter().take(usize::from(shown)) {
            canvas.line(row, line);
            row.y += 1;
        }
        row.y += u16::from(shown > 0);
        for (at, field) in self.fields.iter().enumerate() {
            if row.y + 1 >= inside.bottom() {
                break;
            }
            let focus = at == self.focus;
            let role = if focus { Role::Accent } else { Role::Muted };
            canvas.line(row, &line(role, field.label));
            let value = Rect { x: row.x + labels + 2, width: row.width.saturating_sub(labels + 2), ..row };
            field.input.view(canvas, value, focus);
            canvas.hit(row, Hit::Row { pane: FIELDS, index: at });
            let help = Rect { y: row.y + 1, ..value };
            canvas.line(help, &line(Role::Muted, &field.help));
            row.y += 2;
        }
        if let Some(error) = &self.error
            && row.y < inside.bottom()
        {
            canvas.line(row, error);
        }
    }

    fn command(&mut self, id: Id, _cx: &mut Cx<'_>) -> Outcome {
        let fields = self.fields.len().max(1);
        match id {
            overlays::NEXT_FIELD | overlays::NEXT => self.focus = (self.focus + 1) % fields,
            overlays::PREVIOUS_FIELD | overlays::PREVIOUS => self.focus = (self.focus + fields - 1) % fields,
            overlays::ACCEPT => {
                let values = self.fields.iter().map(|field| field.input.text().to_owned()).collect();
                return Outcome::Answer(Reply::Fields(values));
            }
            overlays::CLOSE => return Outcome::Answer(Reply::Cancelled),
            _ => return Outcome::Unhandled,
        }
        Outcome::Stay
    }

    fn key(&mut self, key: Key, _cx: &mut Cx<'_>) -> Outcome {
        typed(self.fields.get_mut(self.focus).is_some_and(|field| field.input.key(key)))
    }

    fn paste(&mut self, text: &str) {
        if let Some(field) = self.fields.get_mut(self.focus) {
            field.input.insert(text);
        }
    }

    fn would_lose(&self) -> bool {
        self.fields.iter().zip(&self.at_first).any(|(field, first)| field.input.text() != first)
    }

    fn clicked(&mut self, _pane: Pane, index: usize, _cx: &mut Cx<'_>) -> Outcome {
        self.focus = index.min(self.fields.len().saturating_sub(1));
        Outcome::Stay
    }

    fn tag(&self) -> Tag {
        self.tag
    }
}
