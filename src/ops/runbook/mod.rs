//! Runbooks as files: which there are, and one of them to be read. What they do is `incident::step`; what of one would
//! fail at night, [`check`].

mod books;
mod list;
mod markdown;

pub use super::incident::step::preflight::{CheckState, CheckView, check};
pub use books::{Books, Chosen};
pub use list::{RunbookRow, list};
pub use markdown::show;
