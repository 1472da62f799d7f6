//! Runbooks as files: which there are, and one of them to be read. What they do is `incident::step`; what of one would
//! fail at night, [`check`].

mod list;
mod markdown;

pub use super::incident::step::preflight::{CheckState, CheckView, check};
pub use list::{RunbookRow, find, list};
pub use markdown::show;
