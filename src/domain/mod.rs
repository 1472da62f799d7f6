//! The product's words as types and rules. Pure: no IO, no clock, no SQL, no terminal.
//!
//! One file a word. Text that came from outside (a model, a user, a file) is [`Untrusted`] here and
//! becomes printable only through `text::clean`.

mod error;
mod trace;
mod untrusted;

pub use error::{Error, ErrorKind, Result};
pub use trace::{
    ChatMessage, Content, FailureKind, Feedback, FeedbackKind, FunctionCall, Span, Status, Thumbs, ToolCall,
    Trace,
};
pub use untrusted::Untrusted;
