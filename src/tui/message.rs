//! What happened.

use super::canvas::Laid;
use super::jobs::JobId;
use super::work::Answer;
use crate::command::Key;
use crate::domain::{Error, Result};
use crate::ops::watch::Changes;
use crate::task::ProgressView;

/// One thing that happened. The time comes beside it.
#[derive(Debug)]
pub enum Message {
    /// The program has started: the first message.
    Started,
    Key(Key),
    /// Text from the clipboard, as it came.
    Paste(String),
    /// The mouse at column and row.
    Mouse {
        at: (u16, u16),
        act: Mouse,
    },
    /// The terminal has this many columns and rows now.
    Resize(u16, u16),
    /// A frame was drawn: where things are on it.
    Drawn(Laid),
    /// A job ended.
    Answered {
        job: JobId,
        result: Result<Answer>,
    },
    /// How far the jobs are that have run for a quarter of a second or more.
    Progress(Vec<(JobId, ProgressView)>),
    /// The store was changed, by this program or another.
    Changed(Changes),
    /// Somebody changed the folders of the prompts.
    PromptsChanged,
    /// From now on changes of the store are not noticed, because of this.
    Blind(Error),
    /// The terminal's background is dark, or light.
    Background {
        dark: bool,
    },
    /// The person's own editor is closed: the text, or why there is none.
    Edited(Result<String>),
    /// A minute has passed while the present screen wants to know.
    Tick,
    /// The program has the terminal back.
    Resumed,
}

/// What the mouse did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mouse {
    Press,
    WheelUp,
    WheelDown,
}
