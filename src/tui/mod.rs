//! The full-screen face: a pure core and a runtime that carries effects out.
//!
//! ```text
//!            keys, mouse, resize, answers of jobs, changes of the store
//! runtime ──────────────── Message ────────────────▶ update(&mut Model, now, Message)
//!    ▲                                                        │
//!    └── carries out ◀──────────── Effect ◀───────────────────┘
//!    └── view(&Model, area) → Drawn { cells, hits, pages } ── hits and pages go back as a Message
//! ```
//!
//! `update` and `view` do no IO and know no clock: the time comes with the message. Whatever takes
//! longer than moving a cursor is a [`Request`](work::Request): plain data that a worker thread turns
//! into an [`Answer`](work::Answer) by calling an op. [`jobs`] decides what is started, replaced,
//! queued; an answer nobody waits for any more is dropped.
//!
//! A **command** ([`crate::command`]) is what a person wants; a **message** is what happened; an
//! **effect** is what the runtime shall do. Screens and overlays act on the rest of the program only
//! through their [`Cx`](screen::Cx): start a job, say something in the status line, open an overlay.
//!
//! # To add a screen
//!
//! 1. A folder `screens/<name>/` with a struct that implements [`Screen`](screen::Screen): `place`,
//!    `view`, `command`, and whichever of the other methods it needs. Its layout stands as a sketch
//!    above the code that draws it. Draw with [`Canvas`](canvas::Canvas): it takes only clean text.
//! 2. If it needs the store: `enum Request` and `enum Answer` of its own with `fn run`, a variant of
//!    each in [`work`], and `fn answered` on the screen, called from [`update`].
//! 3. A variant of [`ScreenId`] and a field of [`Screens`](screens::Screens).
//! 4. Its place in `command::Place` and its rows in `command/table/<name>.rs`; an arm each in the
//!    screen's `command`. The test `every_command_has_an_arm` finds what is missing.
//! 5. Snapshot and story tests with `testing`: keys in, screen out, with a real store.
//!
//! # To promote traces from a screen
//!
//! `cx.start(evals::promote_traces(ids))`: the form opens when it is filled in, looks for duplicates,
//! saves, and says what happened; the screen has nothing more to do.
//!
//! # To add an overlay
//!
//! For a question, a form, a choice, a text to edit or to read, use those in [`overlays`] with a
//! [`Tag`](overlays::Tag) of yours; the answer comes back to the screen's `replied`. Only what is a
//! small screen of its own needs a variant of [`Overlay`](overlays::Overlay).

mod canvas;
mod effect;
mod jobs;
mod message;
mod model;
mod overlays;
mod runtime;
mod screen;
mod screens;
#[cfg(test)]
mod testing;
mod theme;
mod update;
mod view;
mod widgets;
mod words;
mod work;

pub use runtime::{Start, open};
pub use screens::ScreenId;
