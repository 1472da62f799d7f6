//! What opens over a screen: questions, choices, pages to read, text to edit. They lie on a stack;
//! keys go to the top one only. A screen opens one with a [`Tag`] and gets a [`Reply`] with it.

mod confirm;
mod editor;
mod form;
pub mod help;
mod page;
mod palette;
mod picker;
mod promote;
mod prompt;
mod run_step;
mod start_run;

pub use confirm::Confirm;
pub use editor::Editor;
pub use form::{Field, Form};
pub use page::Page;
pub use palette::Palette;
pub use picker::{Choice, Picker};
pub use promote::{Promote, like};
pub use prompt::Prompt;
pub use run_step::{Let, RunStep};
pub use start_run::StartRun;

use ratatui::layout::Rect;

use super::canvas::{Canvas, Pane};
use super::screen::{Cx, Env, Handled};
use crate::command::{Id, Key, Place};

/// Tells a screen which of its questions was answered. What the question is about stays with the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tag(pub &'static str);

/// The answer to an overlay. Closing without an answer gives [`Reply::Cancelled`].
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// Of a prompt or an editor.
    Text(String),
    /// Of a form: the fields in order.
    Fields(Vec<String>),
    /// Of a picker: which choice.
    Picked(usize),
    /// Of a confirmation.
    Yes,
    /// It was closed; nothing is to be done.
    Cancelled,
}

/// What became of an overlay after a key or command.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub enum Outcome {
    /// It stays open.
    Stay,
    /// It does not know this command or key.
    Unhandled,
    /// It closes with this answer.
    Answer(Reply),
    /// It closes and this command runs.
    Command(Id),
}

/// What an overlay is to the rest of the program.
pub trait Layer {
    /// Where its keys are looked up.
    fn place(&self) -> Place;
    /// Draws it; `area` is the whole frame but for the two lowest lines.
    fn view(&self, env: &Env, canvas: &mut Canvas<'_>, area: Rect);
    /// Does what a person asked for.
    fn command(&mut self, id: Id, cx: &mut Cx<'_>) -> Outcome;
    /// Takes a key that is no command here: it types.
    fn key(&mut self, _key: Key, _cx: &mut Cx<'_>) -> Outcome {
        Outcome::Unhandled
    }
    /// Takes text from the clipboard.
    fn paste(&mut self, _text: &str) {}
    /// Whether closing it would lose something that was typed.
    fn would_lose(&self) -> bool {
        false
    }
    /// A row of one of its panes was clicked.
    fn clicked(&mut self, _pane: Pane, _index: usize, _cx: &mut Cx<'_>) -> Outcome {
        Outcome::Stay
    }
    /// The wheel was turned over it.
    fn wheel(&mut self, _rows: i32, _env: &Env) {}
    /// The tag of its answer.
    fn tag(&self) -> Tag {
        Tag("")
    }
    /// Whether it draws in the status line instead of over the screen.
    fn in_status_line(&self) -> bool {
        false
    }
}

/// An overlay: a closed set.
#[derive(Debug, Clone)]
pub enum Overlay {
    Page(Page),
    Picker(Picker),
    Palette(Palette),
    Prompt(Prompt),
    Form(Form),
    Confirm(Confirm),
    Editor(Box<Editor>),
    Promote(Box<Promote>),
    StartRun(Box<StartRun>),
    RunStep(Box<RunStep>),
}

macro_rules! each {
    ($overlay:expr, $layer:ident => $body:expr) => {
        match $overlay {
            Overlay::Page($layer) => $body,
            Overlay::Picker($layer) => $body,
            Overlay::Palette($layer) => $body,
            Overlay::Prompt($layer) => $body,
            Overlay::Form($layer) => $body,
            Overlay::Confirm($layer) => $body,
            Overlay::Editor($layer) => $body,
            Overlay::Promote($layer) => $body,
            Overlay::StartRun($layer) => $body,
            Overlay::RunStep($layer) => $body,
        }
    };
}

impl Overlay {
    /// What all overlays share.
    pub fn layer(&self) -> &dyn Layer {
        each!(self, layer => { let layer: &dyn Layer = layer; layer })
    }

    /// What all overlays share, to change.
    pub fn layer_mut(&mut self) -> &mut dyn Layer {
        each!(self, layer => { let layer: &mut dyn Layer = &mut *layer; layer })
    }
}

macro_rules! from {
    ($($name:ident),*) => {$(
        impl From<$name> for Overlay {
            fn from(layer: $name) -> Self { Overlay::$name(layer) }
        }
    )*};
}
from!(Page, Picker, Palette, Prompt, Form, Confirm);

impl From<Editor> for Overlay {
    fn from(editor: Editor) -> Self {
        Overlay::Editor(Box::new(editor))
    }
}

impl From<Promote> for Overlay {
    fn from(form: Promote) -> Self {
        Overlay::Promote(Box::new(form))
    }
}

impl From<StartRun> for Overlay {
    fn from(form: StartRun) -> Self {
        Overlay::StartRun(Box::new(form))
    }
}

impl From<RunStep> for Overlay {
    fn from(overlay: RunStep) -> Self {
        Overlay::RunStep(Box::new(overlay))
    }
}

impl<L: Layer> Layer for Box<L> {
    fn place(&self) -> Place {
        (**self).place()
    }
    fn view(&self, env: &Env, canvas: &mut Canvas<'_>, area: Rect) {
        (**self).view(env, canvas, area);
    }
    fn command(&mut self, id: Id, cx: &mut Cx<'_>) -> Outcome {
        (**self).command(id, cx)
    }
    fn key(&mut self, key: Key, cx: &mut Cx<'_>) -> Outcome {
        (**self).key(key, cx)
    }
    fn paste(&mut self, text: &str) {
        (**self).paste(text);
    }
    fn would_lose(&self) -> bool {
        (**self).would_lose()
    }
    fn clicked(&mut self, pane: Pane, index: usize, cx: &mut Cx<'_>) -> Outcome {
        (**self).clicked(pane, index, cx)
    }
    fn wheel(&mut self, rows: i32, env: &Env) {
        (**self).wheel(rows, env);
    }
    fn tag(&self) -> Tag {
        (**self).tag()
    }
    fn in_status_line(&self) -> bool {
        (**self).in_status_line()
    }
}

/// A rectangle of at most this size in the middle of `area`.
pub fn centred(area: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height }
}

/// What a key did to an input.
fn typed(taken: bool) -> Outcome {
    if taken { Outcome::Stay } else { Outcome::Unhandled }
}

/// Whether something was handled, seen from an outcome.
pub fn handled(outcome: &Outcome) -> Handled {
    if *outcome == Outcome::Unhandled { Handled::No } else { Handled::Yes }
}
